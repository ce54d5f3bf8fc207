"""How a status body tells the state: the words of the rules, and what `x-async` says instead."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from codegen._diagnostics import Problem
from codegen._document import Document, Json, Node, escape, join, tokens
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

    def read(self, body: tuple[Json, str]) -> States | None:
        """The states; `None`, and problems, if they cannot be told."""
        if not self._is_well_formed():
            return None
        state = self._state(body)
        error = self._error(body, state[0] if state else None)
        if state is None:
            return None
        pointer, values, place = state
        classes = self._classes(values, place)
        if self.problems:
            return None
        kinds = {kind: tuple(v for v, k in classes.items() if k == kind) for kind in _CLASSES}
        if not kinds["succeeded"]:
            self._report(
                place,
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

    def _state(self, body: tuple[Json, str]) -> tuple[str, list[str], str] | None:
        """Pointer, values and place of the state in the document."""
        if "state" in self._extension:
            return self._named_state(body)
        found = []
        for name, node, place in properties_of(self._document, *body):
            values = _values(node)
            if values:
                found.append((f"/{escape(name)}", values, place))
        if len(found) == 1:
            return found[0]
        names = " ".join(f"`{pointer[1:]}`" for pointer, _, _ in found)
        self._report(
            self._link,
            f"not one property of {body[1]} has an `enum`, but {names or 'none'}",
            "which one is the state is not said",
            "name it: `x-async: {state: $response.body#/…}`",
        )
        return None

    def _named_state(self, body: tuple[Json, str]) -> tuple[str, list[str], str] | None:
        said = self._extension["state"]
        pointer = body_pointer(said)
        found = None if pointer is None else part_of(self._document, *body, pointer)
        if found is None or pointer is None:
            self._report(
                join(self._pointer, "state"),
                f"the status body has no `{said}`",
                "the state cannot be told",
                "name a described part of the status body: `$response.body#/…`",
            )
            return None
        if isinstance(found[0], dict) and found[0].get("type") in ("object", "array"):
            self._report(
                join(self._pointer, "state"),
                f"`{said}` is of type {found[0]['type']}",
                "a state is one word or number",
                "name the member that holds it: `$response.body#/…`",
            )
        return pointer, _values(found[0]), found[1]

    def _classes(self, values: list[str], place: str) -> dict[str, str]:
        """The class of each value: what `x-async` says, else what the words say."""
        classes: dict[str, str] = {}
        for kind in _CLASSES:
            for index, said in enumerate(self._extension.get(kind, ())):
                value, where = state_text(said), join(self._pointer, kind, index)
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
        for index, value in enumerate(values):
            kind_of_word = _CLASS_OF.get(_folded(value))
            if value in classes or kind_of_word is not None:
                classes.setdefault(value, kind_of_word or "")
                continue
            self._report(
                join(place, "enum", index),
                f"whether `{value}` is pending, succeeded or failed is not known",
                "it is none of the words that tell",
                f"list it at {self._link}: `x-async: {{pending: [{value}]}}` (succeeded, failed)",
            )
        return {value: classes[value] for value in (*values, *classes) if value in classes}

    def _error(self, body: tuple[Json, str], state: str | None) -> str | None:
        """Where a failed status says why."""
        if "error" in self._extension:
            said = self._extension["error"]
            pointer = body_pointer(said)
            if pointer is None or part_of(self._document, *body, pointer) is None:
                self._report(
                    join(self._pointer, "error"),
                    f"the status body has no `{said}`",
                    "the reason of a failure cannot be told",
                    "name a described part of the status body: `$response.body#/…`",
                )
            return pointer
        names = (name for name, _, _ in properties_of(self._document, *body))
        named = (f"/{escape(name)}" for name in names if name in _REASONS)
        return next((pointer for pointer in named if pointer != state), None)


def properties_of(
    document: Document, schema: Json, pointer: str
) -> Iterator[tuple[str, Node, str]]:
    """
    The properties of an object's schema, those of its `allOf` included.

    Yields:
        Name, schema and pointer of each, references followed.
    """
    schema, pointer = document.follow(schema, pointer)
    if not isinstance(schema, dict):
        return
    for index, part in enumerate(schema.get("allOf", ())):
        yield from properties_of(document, part, join(pointer, "allOf", index))
    for name, value in schema.get("properties", {}).items():
        yield name, *_resolved(document, value, join(pointer, "properties", name))


def part_of(
    document: Document, schema: Json, pointer: str, value_pointer: str
) -> tuple[Json, str] | None:
    """
    The schema of a part of a body, and its pointer.

    Args:
        document: Where references lead.
        schema: The body's schema.
        pointer: Where that is in the document.
        value_pointer: JSON pointer into the body.

    Returns:
        `None` if the document does not describe such a part.
    """
    node, place = schema, pointer
    for token in tokens(value_pointer):
        found = {
            name: (value, where) for name, value, where in properties_of(document, node, place)
        }
        node, place = document.follow(node, place)
        if token in found:
            node, place = found[token]
        elif token.isdigit() and "items" in node:
            node, place = document.follow(node["items"], join(place, "items"))
        elif isinstance(node.get("additionalProperties"), dict):
            key = "additionalProperties"
            node, place = document.follow(node[key], join(place, key))
        else:
            return None
    return node, place


def _resolved(document: Document, schema: Json, pointer: str) -> tuple[Node, str]:
    """A schema behind references, and behind an `allOf` of one: a nullable reference."""
    schema, pointer = document.follow(schema, pointer)
    while isinstance(schema, dict) and len(schema.get("allOf", ())) == 1 and "enum" not in schema:
        if "properties" in schema:
            break
        schema, pointer = document.follow(schema["allOf"][0], join(pointer, "allOf", 0))
    return schema, pointer


def _values(schema: Json) -> list[str]:
    values = schema.get("enum", ()) if isinstance(schema, dict) else ()
    return [state_text(value) for value in values if value is not None]


def state_text(value: Json) -> str:
    """A state as text: one that is a number or a truth value, as JSON writes it."""
    return value if isinstance(value, str) else json.dumps(value)


def body_pointer(expression: Json) -> str | None:
    """The JSON pointer of `$response.body#/…`; `None` for any other expression."""
    match = _RESPONSE_BODY.fullmatch(expression) if isinstance(expression, str) else None
    return None if match is None else (match.group(1) or "")
