"""
What an API's operations are, as data: the border between generated and hand-written code.

The generator writes values of these types from the API's document; the flows read them. Nothing
here performs input or output, and nothing knows of a particular API.

Rules of the asynchronous chain: docs/reference/asynchronous-operations.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, Literal, TypeVar

T = TypeVar("T")

# The generic classes have no slots: with them, Python 3.11 fails to make `Operation[Pet](...)`.

Location = Literal["path", "query", "header", "cookie"]
Source = Literal[
    "constant",
    "response.body",
    "response.header",
    "request.path",
    "request.query",
    "request.header",
    "request.body",
]


@dataclass(frozen=True, slots=True)
class Parameter:
    """
    A parameter of an operation.

    Attributes:
        name: The Python name, as the method takes it.
        wire_name: The name in the document and on the wire.
        location: Where it is sent.
        required: Whether the document requires it.
        style: How a list or an object is written (OpenAPI 3.0, 4.7.12.3): `simple`, `form`,
            `deepObject`, `spaceDelimited`, `pipeDelimited`, `label` or `matrix`; `json` where the
            document describes it by a media type.
        explode: Whether each member of a list or an object is written by itself.
        type: What its JSON value is validated as before it is sent: any type that pydantic knows;
            `None` where the document sets no limit.
    """

    name: str
    wire_name: str
    location: Location
    required: bool = False
    style: str = "simple"
    explode: bool = False
    type: Any = None


@dataclass(frozen=True, slots=True)
class Body:
    """
    A request body.

    Attributes:
        type: What the body is validated as: a model class, or any type that pydantic knows.
        required: Whether the document requires it.
        media_type: Its `Content-Type`.
        encoding: Of a body of several parts, the media types of those that the document gives one,
            by the name on the wire.
    """

    type: Any
    required: bool = True
    media_type: str = "application/json"
    encoding: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Operation(Generic[T]):
    """
    One operation of the document.

    Attributes:
        name: The method's name, `create_pet`.
        operation_id: The name in the document, `createPet`.
        method: The HTTP method, upper case.
        path: The path template, `/pets/{petId}`.
        parameters: Its parameters, path parameters included.
        body: Its request body, if it takes one.
        results: What a `2xx` answer's body is, by status (`"200"`, `"2XX"`); `None` where it has
            none.
        errors: What another answer's body is, by status (`"404"`, `"4XX"`, `"default"`).
        idempotency_header: Wire name of the header that makes repeated calls one, if it takes one:
            the header parameter called `Idempotency-Key`, case ignored.
        authenticated: Whether the document asks for a signature.
    """

    name: str
    operation_id: str
    method: str
    path: str
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    results: Mapping[str, Any] = field(default_factory=dict[str, Any])
    errors: Mapping[str, Any] = field(default_factory=dict[str, Any])
    idempotency_header: str | None = None
    authenticated: bool = True

    @cached_property
    def answers_json(self) -> bool:
        """Whether every result is JSON, or nothing."""
        return not any(kind in (bytes, str) for kind in self.results.values())

    @cached_property
    def named(self) -> Mapping[str, Parameter]:
        """The parameters by their Python names."""
        return {parameter.name: parameter for parameter in self.parameters}

    @cached_property
    def key_parameter(self) -> Parameter | None:
        """The parameter that gives the idempotency key, if it has one of its own."""
        wanted = (self.idempotency_header or "").lower()
        headers = (known for known in self.parameters if known.location == "header")
        return next((header for header in headers if header.wire_name.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class Binding:
    """
    Where a parameter of the next operation comes from: one entry of a link's `parameters`.

    Attributes:
        parameter: Python name of the target's parameter.
        source: A constant, or what part of the request or response that carried the link.
        value: The constant, the header's or parameter's wire name, or a JSON pointer into a body.
    """

    parameter: str
    source: Source
    value: Any


@dataclass(frozen=True, slots=True)
class States:
    """
    How a status body tells the state.

    Attributes:
        pointer: JSON pointer to the state in the status body.
        pending: Values that mean: ask again. A value that is in no set means the same.
        succeeded: Values that mean: there is a result.
        failed: Values that mean: there will be none.
        error: JSON pointer to the reason of a failure in the status body, if it gives one.
    """

    pointer: str
    pending: frozenset[str]
    succeeded: frozenset[str]
    failed: frozenset[str]
    error: str | None = None

    @classmethod
    def at(
        cls,
        pointer: str,
        *,
        pending: Iterable[str],
        succeeded: Iterable[str],
        failed: Iterable[str],
        error: str | None = None,
    ) -> States:
        """Return the states that a pointer into the status body points to."""
        return cls(pointer, frozenset(pending), frozenset(succeeded), frozenset(failed), error)


@dataclass(frozen=True)
class Fetched(Generic[T]):
    """The result is what another operation answers, called with arguments from the status."""

    operation: Operation[T]
    arguments: tuple[Binding, ...]


@dataclass(frozen=True)
class Embedded(Generic[T]):
    """The result is a part of the status body: a JSON pointer to it, and its type."""

    pointer: str
    type: Any


@dataclass(frozen=True)
class AsyncOperation(Generic[T]):
    """
    An asynchronous operation: start, status, result.

    Attributes:
        start: The operation that answers with 202.
        status: The operation that tells the state.
        status_arguments: The status operation's arguments, from the start's request and answer.
        states: How the status body tells the state.
        result: Where the value of the whole comes from.
    """

    start: Operation[Any]
    status: Operation[Any]
    status_arguments: tuple[Binding, ...]
    states: States
    result: Fetched[T] | Embedded[T]
