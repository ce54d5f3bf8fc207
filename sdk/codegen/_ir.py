"""
What the generator knows of an API, between reading the document and writing code.

Each node has the JSON pointer of the place it was read from. Types are Python source, as it stands
in generated code; it is made in `_schemas.py` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Location = Literal["path", "query", "header", "cookie"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """
    A parameter; `name` is Python's, `wire_name` the document's.

    `limited_type` is what the value is validated as: within its limits, or at least as a text;
    `limits` are those, by their keywords in the schema.
    """

    pointer: str
    name: str
    wire_name: str
    location: Location
    required: bool
    style: str
    explode: bool
    type: str
    limited_type: str | None
    limits: Mapping[str, Any]
    description: str


@dataclass(frozen=True, slots=True)
class Body:
    """A request body; `encoding` has media types of parts, by wire name."""

    pointer: str
    type: str
    required: bool
    media_type: str
    description: str
    encoding: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Response:
    """
    What an operation answers with one status.

    Attributes:
        status: `200`, `4XX` or `default`.
        type: Of the body; `None` if there is none.
        schema: The body's schema as the document has it, and its pointer.
        headers: The declared header fields, lower case.
        links: The links as the document has them, with their pointers.
    """

    pointer: str
    status: str
    description: str
    type: str | None
    schema: tuple[Any, str] | None
    headers: frozenset[str]
    links: tuple[tuple[Mapping[str, Any], str], ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation. `body_schema` is the request body's schema with its pointer."""

    pointer: str
    name: str
    constant: str
    operation_id: str
    method: str
    path: str
    summary: str
    description: str
    deprecated: bool
    authenticated: bool
    parameters: tuple[Parameter, ...]
    body: Body | None
    body_schema: tuple[Any, str] | None
    responses: tuple[Response, ...]

    @property
    def results(self) -> tuple[Response, ...]:
        """The answers that are results: `2xx`."""
        return tuple(response for response in self.responses if response.status.startswith("2"))

    @property
    def errors(self) -> tuple[Response, ...]:
        """The answers that are errors: everything else, `default` included."""
        return tuple(response for response in self.responses if not response.status.startswith("2"))

    @property
    def returns(self) -> str:
        """What a call returns, as an annotation: the union of its results."""
        kinds = [response.type or "None" for response in self.results]
        return " | ".join(dict.fromkeys(kinds)) or "None"

    @property
    def idempotency_header(self) -> str | None:
        """The wire name of the header that makes repeated calls one, if there is one."""
        for parameter in self.parameters:
            if parameter.location == "header" and parameter.wire_name.lower() == "idempotency-key":
                return parameter.wire_name
        return None

    def response(self, status: str) -> Response | None:
        """The answer declared for a status, or for its class."""
        declared = {response.status.upper(): response for response in self.responses}
        return declared.get(status) or declared.get(f"{status[0]}XX")


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a parameter of a link's target comes from; as `Binding` of the runtime."""

    parameter: str
    source: str
    value: Any


@dataclass(frozen=True, slots=True)
class States:
    """How a status body tells the state; as `States` of the runtime, in the document's order."""

    pointer: str
    pending: tuple[str, ...]
    succeeded: tuple[str, ...]
    failed: tuple[str, ...]
    error: str | None


@dataclass(frozen=True, slots=True)
class Fetched:
    """The result is what another operation answers."""

    operation: Operation
    arguments: tuple[Binding, ...]
    type: str


@dataclass(frozen=True, slots=True)
class Embedded:
    """The result is a part of the status body."""

    value_pointer: str
    type: str


@dataclass(frozen=True, slots=True)
class Chain:
    """An asynchronous operation: start, status, result. `pointer` is its start link's."""

    pointer: str
    constant: str
    start: Operation
    status: Operation
    status_arguments: tuple[Binding, ...]
    states: States
    result: Fetched | Embedded


@dataclass(frozen=True, slots=True)
class Api:
    """A whole document, ready to be written as code."""

    title: str
    version: str
    description: str
    client: str
    url_variable: str
    operations: tuple[Operation, ...]
    chains: tuple[Chain, ...]
