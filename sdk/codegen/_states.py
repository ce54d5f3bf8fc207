"""How a status body tells the state: the words of the rules, and what `x-async` says instead."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from codegen._diagnostics import Problem
from codegen._document import Document, Json, Node, escape, join, text_of, tokens
from codegen._ir import States

_CLASSES: Final = ("pending", "succeeded", "failed")
_PLACES: Final = ("state", "result", "error")
# Source: docs/reference/asynchronous-operations.md, "The chain", rule 5.
_WORDS: Final = {
    "pending": (
        *("pending", "queued", "accepted", "submitted", "received", "waiting", "scheduled", "new"),
        *("created", "started", "running", "processing", "working", "in progress"),
    ),
    "succeeded": (
        *("succeeded", "success", "successful", "completed", "complete", "done", "finished"),
        "ready",
    ),
    "failed": (
        *("failed", "failure", "error", "errored", "rejected", "cancelled", "canceled"),
        *("aborted", "expired", "timed out"),
    ),
}
_REASONS: Final = ("error", "reason", "problem", "fault", "failure", "message")
Place: TypeAlias = tuple[Json, str]
"""A schema, and the pointer to it."""

_RESPONSE_BODY: Final = re.compile(r"\$response\.body(?:#((?:/.*)?))?")


def _folded(word: str) -> str:
    return re.sub(r"[-_ ]", "", word).lower()


_CLASS_OF: Final = {_folded(word): kind for kind, words in _WORDS.items() for word in words}


class StateReader:
    """
    Reads the states of one status body.

    Args:
        extension: The link's `x-async`, empty if there is none, and its pointer.
        link: Pointer to the link: where an extension would stand.

    Attributes:
        problems: What cannot be told.
    """

    def __init__(self, document: Document, extension: Node, pointer: str, link: str) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._extension = extension
        self._pointer = pointer
        self._link = link

    def read(self, body: Place) -> States | None:
        """The states; `None`, and problems, if they cannot be told."""
        if not self._is_well_formed():
            return None
        state = self._state(body)
        error = self._error(body, state[0] if state else None)
        if state is None:
            return None
        pointer, places = state
        classes = self._classes(_values(places))
        if self.problems:
            return None
        kinds = {kind: tuple(v for v, k in classes.items() if k == kind) for kind in _CLASSES}
        if not kinds["succeeded"]:
            self._report(
                places[0][1],
                "no value means success",
                "the result would never come",
                "list one in `x-async.succeeded`",
            )
            return None
        return States(pointer, error=error, **kinds)

    def _report(self, pointer: str, what: str, why: str, remedy: str) -> None:
        self.problems.append(self._document.problem(pointer, what, why, remedy))

    def _is_well_formed(self) -> bool:
        """Whether `x-async` has no keys but its own, with values of their kinds."""
        for key, value in self._extension.items():
            if key not in (*_CLASSES, *_PLACES):
                known = ", ".join((*_PLACES, *_CLASSES))
                self._report(
                    join(self._pointer, key),
                    f"`x-async` has no key `{key}`",
                    "it would count for nothing",
                    f"write one of {known}",
                )
            elif key in _CLASSES and not isinstance(value, list):
                self._report(
                    join(self._pointer, key),
                    f"`{key}` is no list",
                    "it names the states of a class",
                    f"write `{key}: [{value}]`",
                )
        return not self.problems

    def _state(self, body: Place) -> tuple[str, list[Place]] | None:
        """Pointer of the state in the body, and its places in the document."""
        if "state" in self._extension:
            return self._named_state(body)
        members = _members(self._document, *body)
        found = {name: places for name, places in members.items() if _values(places)}
        if len(found) == 1:
            return next((f"/{escape(name)}", places) for name, places in found.items())
        names = " ".join(f"`{name}`" for name in found)
        self._report(
            self._link,
            f"not one property of {body[1]} has an `enum`, but {names or 'none'}",
            "which one is the state is not said",
            "name it: `x-async: {state: $response.body#/…}`",
        )
        return None

    def _named_state(self, body: Place) -> tuple[str, list[Place]] | None:
        said = self._extension["state"]
        pointer = body_pointer(said)
        places = [] if pointer is None else places_of(self._document, *body, pointer)
        if not places or pointer is None:
            self._report(
                join(self._pointer, "state"),
                f"the status body has no `{said}`",
                "the state cannot be told",
                "name a described part of the status body: `$response.body#/…`",
            )
            return None
        for schema, _ in places:
            if isinstance(schema, dict) and schema.get("type") in ("object", "array"):
                self._report(
                    join(self._pointer, "state"),
                    f"`{said}` is of type {schema['type']}",
                    "a state is one word or number",
                    "name the member that holds it: `$response.body#/…`",
                )
        return pointer, places

    def _classes(self, values: dict[str, str]) -> dict[str, str]:
        """The class of each value: what `x-async` says, else what the words say."""
        classes: dict[str, str] = {}
        for kind in _CLASSES:
            for index, said in enumerate(self._extension.get(kind, ())):
                value, where = text_of(said), join(self._pointer, kind, index)
                if classes.setdefault(value, kind) != kind:
                    self._report(
                        where,
                        f"`{value}` is in two lists",
                        "a state is of one class",
                        "remove it from one",
                    )
                if values and value not in values:
                    self._report(
                        where,
                        f"the state has no value `{value}`",
                        f"its values are {', '.join(values)}",
                        "name one of them, or add it to the `enum`",
                    )
        for value, place in values.items():
            kind_of_word = _CLASS_OF.get(_folded(value))
            if value in classes or kind_of_word is not None:
                classes.setdefault(value, kind_of_word or "")
                continue
            self._report(
                place,
                f"whether `{value}` is pending, succeeded or failed is not known",
                "it is none of the words that tell",
                f"list it at {self._link}: `x-async: {{pending: [{value}]}}` (succeeded, failed)",
            )
        return {value: classes[value] for value in (*values, *classes) if value in classes}

    def _error(self, body: Place, state: str | None) -> str | None:
        """Where a failed status says why."""
        if "error" in self._extension:
            said = self._extension["error"]
            pointer = body_pointer(said)
            if pointer is None or not places_of(self._document, *body, pointer):
                self._report(
                    join(self._pointer, "error"),
                    f"the status body has no `{said}`",
                    "the reason of a failure cannot be told",
                    "name a described part of the status body: `$response.body#/…`",
                )
            return pointer
        names = _members(self._document, *body)
        named = (f"/{escape(name)}" for name in names if name in _REASONS)
        return next((pointer for pointer in named if pointer != state), None)


def _members(
    document: Document, schema: Json, pointer: str, above: frozenset[str] = frozenset()
) -> dict[str, list[Place]]:
    """
    Where the members of an object are described, by their names.

    A member has several places if a `oneOf` or `anyOf` describes it in several of its parts. One
    that stands in a part of `allOf` and again beside it has its enumeration in either.
    """
    schema, pointer = document.follow(schema, pointer)
    if not isinstance(schema, dict) or pointer in above:
        return {}
    above |= {pointer}
    members: dict[str, list[Place]] = {}
    for index, part in enumerate(schema.get("allOf", ())):
        members |= _members(document, part, join(pointer, "allOf", index), above)
    for name, value in schema.get("properties", {}).items():
        place = _resolved(document, value, join(pointer, "properties", name))
        if name not in members or _values([place]):
            members[name] = [place]
    for keyword in ("oneOf", "anyOf"):
        for index, part in enumerate(schema.get(keyword, ())):
            found = _members(document, part, join(pointer, keyword, index), above)
            for name, places in found.items():
                known = members.setdefault(name, [])
                known += [place for place in places if place not in known]
    return members


def places_of(document: Document, schema: Json, pointer: str, value_pointer: str) -> list[Place]:
    """
    Where a part of a body is described.

    Args:
        document: Where references lead.
        schema: The body's schema.
        pointer: Where that is in the document.
        value_pointer: JSON pointer into the body.

    Returns:
        The schemas and their pointers: none if the document does not describe such a part, several
        if a `oneOf` or `anyOf` describes it in several ways.
    """
    places = [(schema, pointer)]
    for token in tokens(value_pointer):
        found = [place for each in places for place in _below(document, *each, token)]
        places = [place for index, place in enumerate(found) if place not in found[:index]]
    return places


def _below(document: Document, schema: Json, pointer: str, token: str) -> list[Place]:
    members = _members(document, schema, pointer)
    if token in members:
        return members[token]
    schema, pointer = document.follow(schema, pointer)
    if token.isdigit() and "items" in schema:
        return [document.follow(schema["items"], join(pointer, "items"))]
    if isinstance(schema.get("additionalProperties"), dict):
        key = "additionalProperties"
        return [document.follow(schema[key], join(pointer, key))]
    return []


def _resolved(document: Document, schema: Json, pointer: str) -> Place:
    """A schema behind references; of an `allOf`, the part that lists values, or its only one."""
    schema, pointer = document.follow(schema, pointer)
    listed = _listed(document, schema, pointer)
    if listed is not None:
        return listed
    while isinstance(schema, dict) and len(schema.get("allOf", ())) == 1 and "enum" not in schema:
        if "properties" in schema:
            break
        schema, pointer = document.follow(schema["allOf"][0], join(pointer, "allOf", 0))
    return schema, pointer


def _listed(document: Document, schema: Json, pointer: str) -> Place | None:
    """The schema with an `enum`, or the part of its `allOf` that has one."""
    schema, pointer = document.follow(schema, pointer)
    if not isinstance(schema, dict) or "enum" in schema:
        return (schema, pointer) if isinstance(schema, dict) else None
    parts = enumerate(schema.get("allOf", ()))
    found = (_listed(document, part, join(pointer, "allOf", index)) for index, part in parts)
    return next((place for place in found if place is not None), None)


def _values(places: list[Place]) -> dict[str, str]:
    """The values that are listed for a member, and where each of them stands."""
    return {
        text_of(value): join(pointer, "enum", index)
        for schema, pointer in reversed(places)
        for index, value in enumerate(schema.get("enum", ()) if isinstance(schema, dict) else ())
        if value is not None
    }


def body_pointer(expression: Json) -> str | None:
    """The JSON pointer of `$response.body#/…`; `None` for any other expression."""
    match = _RESPONSE_BODY.fullmatch(expression) if isinstance(expression, str) else None
    return None if match is None else (match.group(1) or "")
