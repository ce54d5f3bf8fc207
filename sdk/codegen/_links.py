"""
The asynchronous operations of a document, read from its links.

Rules: docs/reference/asynchronous-operations.md. What the document does not say is not guessed: it
becomes a problem that names the place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, ParamSpec, TypeVar, cast
from urllib.parse import unquote

from codegen._diagnostics import Problem
from codegen._document import Document, Json, Node, join, text_of, tokens
from codegen._examples import Examples
from codegen._ir import (
    Binding,
    Chain,
    Embedded,
    Fetched,
    Operation,
    Parameter,
    Response,
)
from codegen._names import constant_name
from codegen._schemas import Schemas
from codegen._states import StateReader, body_pointer, places_of

P = ParamSpec("P")
T = TypeVar("T")

_EXPRESSION: Final = re.compile(
    r"\$(?P<side>request|response)\."
    r"(?:(?P<place>path|query|header)\.(?P<name>.+)|body(?:\#(?P<pointer>(?:/.*)?))?)"
)
# Also without its `$`, or inside of a text, which OpenAPI has for callbacks only.
_LIKE_EXPRESSION: Final = re.compile(
    r"\s*(?:\$|(?:request|response)\.(?:(?:path|query|header)\.|body(?:#|$)))|.*\{\$", re.DOTALL
)
_QUALIFIED: Final = re.compile(r"(?P<place>path|query|header|cookie)\.(?P<name>.+)")


class LinkReader:
    """
    Reads the chains of a document's operations.

    Attributes:
        problems: What is wrong with the links.
    """

    def __init__(
        self, document: Document, schemas: Schemas, operations: Sequence[Operation]
    ) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._schemas = schemas
        self._examples = Examples(document)
        # A link names what the document names: not the ID made up for an operation without one.
        named = [it for it in operations if document.find(join(it.pointer, "operationId"))]
        self._by_id = {operation.operation_id: operation for operation in named}
        ids = [operation.operation_id for operation in named]
        self._shared_ids = {operation_id for operation_id in ids if ids.count(operation_id) > 1}
        self._by_pointer = {operation.pointer: operation for operation in operations}
        self._operations = operations

    def read(self) -> tuple[Chain, ...]:
        """The chains, in the document's order. A link that starts nothing is checked too."""
        for operation in self._operations:
            for response in operation.responses:
                for link, pointer in response.links:
                    self._told(self._arguments, operation, response, link, pointer)
        self._check_unused()
        found = [self._told(self._chain, operation) for operation in self._operations]
        chains = tuple(chain for chain in found if chain is not None)
        self._check_names(chains)
        self._check_extensions()
        return chains

    def _check_names(self, chains: Sequence[Chain]) -> None:
        """An asynchronous operation makes three methods; the further ones need their names too."""
        names = {operation.name: operation.pointer for operation in self._operations}
        for chain in chains:
            for name in (f"{chain.start.name}_and_wait", f"resume_{chain.start.name}"):
                if name in names:
                    self._report(
                        names[name],
                        f"this is called `{name}` in Python, as a method of {chain.start.pointer}",
                        "two methods cannot have one name",
                        "give it another `operationId`",
                    )

    def _check_unused(self) -> None:
        """A component that no answer refers to has a target all the same."""
        components = self._document.root.get("components", {}).get("links", {})
        for name, link in components.items():
            pointer = join("#/components/links", name)
            if "$ref" not in link:
                self._told(self._check_target, link, pointer)

    def _check_target(self, link: Mapping[str, Any], pointer: str) -> None:
        target = self._target(link, pointer)
        for key in link.get("parameters", {}) if target else ():
            self._parameter(cast("Operation", target), key, join(pointer, "parameters", key))

    def _check_extensions(self) -> None:
        """An `x-async` that is not on a start link would count for nothing."""
        read = {
            pointer
            for operation in self._operations
            for response in operation.responses
            if response.status == "202"
            for _, pointer in response.links
        }
        for owner in self._document.owners_of("x-async"):
            if owner not in read and not owner.startswith("#/components/links/"):
                self._report(
                    join(owner, "x-async"),
                    "`x-async` does not stand on a link of a `202` answer",
                    "it is read there only",
                    "move it to the link that leads from the `202` answer to the status operation",
                )

    def _told(self, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Read, without the problems that only follow from a reference that leads nowhere."""
        told, missing = len(self.problems), len(self._document.missing)
        found = read(*args, **kwargs)
        if len(self._document.missing) > missing:
            del self.problems[told:]
        return found

    def _report(self, pointer: str, what: str, why: str, remedy: str) -> None:
        problem = self._document.problem(pointer, what, why, remedy)
        if problem not in self.problems:
            self.problems.append(problem)

    # Targets

    def _target(self, link: Mapping[str, Any], pointer: str) -> Operation | None:
        if link.get("operationId") in self._shared_ids:
            return None  # which one is meant cannot be told, as the operations' own problem says
        if "operationId" in link:
            target = self._by_id.get(link["operationId"])
            place, said = join(pointer, "operationId"), link["operationId"]
        elif "operationRef" in link:
            place, said = join(pointer, "operationRef"), link["operationRef"]
            target = self._referenced(said)
        else:
            place, said, target = pointer, "", None
        if target is None:
            self._report(
                place,
                f"there is no operation `{said}`" if said else "the link names no operation",
                "a link leads to an operation of this document",
                "name one by `operationId`, or by `operationRef: '#/paths/…'`",
            )
        return target

    def _referenced(self, reference: str) -> Operation | None:
        """Percent-decoded first, then read as a JSON pointer."""
        if not reference.startswith("#/"):
            return None
        pointer = unquote(reference)
        if pointer in self._by_pointer:
            return self._by_pointer[pointer]
        found = self._document.find(reference)
        return self._by_pointer.get(found[1]) if found else None

    def _get_links(
        self, response: Response | None
    ) -> list[tuple[Mapping[str, Any], str, Operation]]:
        """The links of an answer that lead to a `GET` operation."""
        links = []
        for link, pointer in response.links if response else ():
            target = self._target(link, pointer)
            if target is not None and target.method == "GET":
                links.append((link, pointer, target))
        return links

    def _is_unclear(self, response: Response) -> bool:
        """Whether a link names an operation by what two are called, which is told there."""
        return any(link.get("operationId") in self._shared_ids for link, _ in response.links)

    # Chains

    def _chain(self, start: Operation) -> Chain | None:
        accepted = next((answer for answer in start.results if answer.status == "202"), None)
        links = self._get_links(accepted)
        if not links or accepted is None or self._is_unclear(accepted):
            return None
        if len(links) > 1:
            # `x-async` on one of them says which is meant.
            links = [entry for entry in links if "x-async" in entry[0]] or links
        if len(links) > 1:
            self._report(
                join(accepted.pointer, "links"),
                f"{len(links)} links lead to `GET` operations",
                "which of them tells the state is not said",
                "put `x-async` on the one that does",
            )
            return None
        link, pointer, status = links[0]
        return self._linked_chain(start, accepted, status, link, pointer)

    def _linked_chain(
        self,
        start: Operation,
        accepted: Response,
        status: Operation,
        link: Mapping[str, Any],
        pointer: str,
    ) -> Chain | None:
        arguments = self._arguments(start, accepted, link, pointer)
        answer = status.response("200")
        if answer is None or answer.schema is None:
            self._report(
                status.pointer,
                "the status operation has no `200` answer with a JSON body",
                f"`{start.operation_id}` cannot learn its state from it",
                "describe the `200` answer's body",
            )
            return None
        extension = link.get("x-async", {})
        if not isinstance(extension, dict):
            self._report(
                join(pointer, "x-async"),
                "`x-async` is no object",
                "its keys say what the links do not",
                "write `x-async: {state: $response.body#/…}`, or remove it",
            )
            return None
        reader = StateReader(self._document, extension, join(pointer, "x-async"), pointer)
        states = reader.read(answer.schema)
        self.problems.extend(p for p in reader.problems if p not in self.problems)
        result = self._result(start, status, answer, extension, pointer)
        if states is None or result is None:
            return None
        constant = f"{constant_name(start.name)}_CHAIN"
        while any(operation.constant == constant for operation in self._operations):
            constant += "_"
        return Chain(pointer, constant, start, status, arguments, states, result)

    # Results

    def _result(
        self,
        start: Operation,
        status: Operation,
        answer: Response,
        extension: Node,
        pointer: str,
    ) -> Fetched | Embedded | None:
        links = [entry for entry in self._get_links(answer) if entry[2] != status]
        meant = [entry for entry in links if _is_item_of(entry[2].path, start.path)]
        if len(meant) != 1 and "result" in extension:
            return self._embedded(answer, extension["result"], join(pointer, "x-async", "result"))
        chosen = meant if len(meant) == 1 else links
        if len(chosen) == 1:
            link, place, operation = chosen[0]
            return self._fetched(status, answer, link, place, operation)
        self._report_result(start, answer, links, pointer)
        return None

    def _report_result(
        self, start: Operation, answer: Response, links: Sequence[object], pointer: str
    ) -> None:
        if links:
            self._report(
                join(answer.pointer, "links"),
                f"which of {len(links)} links gives `{start.operation_id}` its result is not said",
                f"not exactly one has the path `{start.path}` plus one parameter",
                "link to that operation, or name `x-async.result`",
            )
        elif not self._is_unclear(answer):
            self._report(
                pointer,
                f"where the result of `{start.operation_id}` is, is not said",
                "the status answer links to no `GET` operation, and there is no `x-async.result`",
                "link from the status operation's `200` to the result, or add `x-async.result`",
            )

    def _fetched(
        self,
        status: Operation,
        answer: Response,
        link: Mapping[str, Any],
        pointer: str,
        operation: Operation,
    ) -> Fetched | None:
        body = operation.response("200")
        if body is None or body.type is None:
            self._report(
                operation.pointer,
                "the result operation has no `200` answer with a body",
                f"{pointer} leads here for a result",
                "describe the `200` answer's body",
            )
            return None
        arguments = self._arguments(status, answer, link, pointer)
        return Fetched(operation, arguments, body.type)

    def _embedded(self, answer: Response, expression: Json, pointer: str) -> Embedded | None:
        schema, place = cast("tuple[Json, str]", answer.schema)
        value_pointer = body_pointer(expression)
        places = (
            [] if value_pointer is None else places_of(self._document, schema, place, value_pointer)
        )
        if len(places) != 1 or value_pointer is None:
            several = " and ".join(where for _, where in places)
            self._report(
                pointer,
                f"the status body has no `{expression}`"
                if not places
                else f"`{expression}` is described by {several}",
                "the result cannot be told",
                "name a described part of the status body: `$response.body#/…`"
                if not places
                else "describe it once, and refer to that",
            )
            return None
        node, where = places[0]
        last = next(reversed(tokens(value_pointer)), "whole")
        kind = self._schemas.received_type(node, where, f"{last} result")
        return Embedded(value_pointer, kind.removesuffix(" | None"))

    # Arguments

    def _arguments(
        self, source: Operation, response: Response, link: Mapping[str, Any], pointer: str
    ) -> tuple[Binding, ...]:
        target = self._target(link, pointer)
        if target is None:
            return ()
        bindings: list[Binding] = []
        for key, value in link.get("parameters", {}).items():
            place = join(pointer, "parameters", key)
            parameter = self._parameter(target, key, place)
            if parameter is None:
                continue
            if parameter.name in {binding.parameter for binding in bindings}:
                self._report(
                    place,
                    f"`{parameter.wire_name}` is given twice",
                    "which of the two counts is not said",
                    "remove one",
                )
            bindings.append(self._binding(parameter, value, source, response, place))
        self._check_required(target, {binding.parameter for binding in bindings}, link, pointer)
        return tuple(bindings)

    def _parameter(self, target: Operation, key: str, place: str) -> Parameter | None:
        named = [parameter for parameter in target.parameters if parameter.wire_name == key]
        if match := _QUALIFIED.fullmatch(key):
            named = named or [
                parameter
                for parameter in target.parameters
                if (parameter.location, parameter.wire_name) == match.group("place", "name")
            ]
        if len(named) == 1:
            return named[0]
        known = ", ".join(f"`{parameter.wire_name}`" for parameter in target.parameters) or "none"
        self._report(
            place,
            f"`{target.operation_id}` has {'several' if named else 'no'} parameters `{key}`",
            f"its parameters are: {known}",
            "name one of them, if need be with its place: `path.id`",
        )
        return None

    def _check_required(
        self, target: Operation, given: set[str], link: Mapping[str, Any], pointer: str
    ) -> None:
        for parameter in target.parameters:
            if parameter.required and parameter.name not in given:
                if any(key.endswith(parameter.wire_name) for key in link.get("parameters", {})):
                    continue  # said already: the name given is not understood
                self._report(
                    pointer,
                    f"nothing gives `{parameter.wire_name}` to `{target.operation_id}`",
                    "the parameter is required",
                    f"add it to the link: `{parameter.wire_name}: $response.body#/…`",
                )

    def _binding(
        self, parameter: Parameter, value: Json, source: Operation, response: Response, place: str
    ) -> Binding:
        name = parameter.name
        if not (isinstance(value, str) and _LIKE_EXPRESSION.match(value)):
            self._check_constant(parameter, value, place)
            return Binding(name, "constant", value)
        match = _EXPRESSION.fullmatch(value)
        if match is None or (match["side"] == "response" and match["place"] in ("path", "query")):
            self._report(
                place,
                f"`{value}` is no runtime expression that a link can use",
                "it must name a part of the request or of the answer",
                "write `$response.body#/…`, `$response.header.Name` or `$request.path.name`",
            )
            return Binding(name, "constant", value)
        for fault in self._faults(match, source, response):
            self._report(place, *fault)
        what = match["place"] or "body"
        return Binding(name, f"{match['side']}.{what}", match["name"] or match["pointer"] or "")

    def _check_constant(self, parameter: Parameter, value: Json, place: str) -> None:
        """A constant must be something that the parameter takes; over the wire it is a text."""
        schema, _ = self._examples.schema_of(parameter)
        texts = [value, _read_back(value), *([text_of(value)] if _is_plain(value) else [])]
        is_gap = value is None or (parameter.location == "path" and value in ("", ".", ".."))
        if is_gap or not any(self._examples.fits(schema, it) for it in texts):
            self._report(
                place,
                f"`{parameter.wire_name}` takes no `{text_of(value)}`",
                "it would be sent as it stands here",
                "write what the parameter's schema allows, or a runtime expression: "
                "`$response.body#/…`",
            )

    def _faults(
        self, match: re.Match[str], source: Operation, response: Response
    ) -> Iterator[tuple[str, str, str]]:
        """What an expression names that the document does not describe."""
        if match["place"] and match["side"] == "request":
            known = {
                parameter.wire_name.lower() if match["place"] == "header" else parameter.wire_name
                for parameter in source.parameters
                if parameter.location == match["place"]
            }
            name = match["name"].lower() if match["place"] == "header" else match["name"]
            owner = f"`{source.operation_id}` has no {match['place']} parameter `{match['name']}`"
        elif match["place"]:
            known, name = set(response.headers), match["name"].lower()
            owner = f"the answer {response.status} has no header `{match['name']}`"
        else:
            schema = source.body_schema if match["side"] == "request" else response.schema
            pointer = match["pointer"] or ""
            found = schema and places_of(self._document, *schema, pointer)
            known, name = ({""} if found else set()), ""
            owner = f"the {match['side']} has no JSON body"
            if schema:
                owner = f"the {match['side']}'s body has no `{pointer}`"
        if name not in known:
            yield (
                owner,
                "nothing would give the parameter a value",
                "name something that is described",
            )


def _is_plain(value: Json) -> bool:
    return isinstance(value, str | int | float)


def _read_back(value: Json) -> Json:
    """What a text is as JSON, if it is any: `'7'` is sent as 7 is."""
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return value


def _is_item_of(path: str, collection: str) -> bool:
    """Whether a path is the collection's plus one parameter: `/invoices/{number}`."""
    rest = path.removeprefix(collection.rstrip("/"))
    return path != rest and re.fullmatch(r"/\{[^{}/]+\}/?", rest) is not None
