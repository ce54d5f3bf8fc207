"""
Values that fit a JSON schema, always the same ones, and values put in their place in a document.

What is made is the least that the schema allows: members that are not required are left out.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any, TypeGuard

from ._codec import adapter
from ._json import is_array

_DEPTH = 8
"""How deep values are nested at most: a schema that requires itself has no end."""

_FORMATS: Mapping[str, str] = {
    "binary": "c2FtcGxl",
    "byte": "c2FtcGxl",
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "duration": "PT1S",
    "email": "ada@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "time": "00:00:00Z",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}

_TIMES: Mapping[str, Callable[[datetime], str]] = {
    "date": lambda now: now.date().isoformat(),
    "date-time": lambda now: now.isoformat().replace("+00:00", "Z"),
}
"""What tells the time where it is told when that is."""

_CHARACTERS = "a0A -_.,:/@+#"
"""What is tried where a pattern allows many characters."""

_JSON: Mapping[str, Any] = {"boolean": True, "null": None}


def is_dict(value: Any) -> TypeGuard[dict[str, Any]]:
    """Say whether JSON values are an object that can be changed."""
    return isinstance(value, dict)


@dataclass(frozen=True, slots=True)
class Schema:
    """
    A type's JSON schema.

    Attributes:
        node: This part of it.
        definitions: What its references lead to.
    """

    node: Mapping[str, Any]
    definitions: Mapping[str, Any]

    def part(self, node: Mapping[str, Any]) -> Schema:
        """Return a part: references followed, `null` left out of alternatives."""
        schema = Schema(node, self.definitions).followed()
        node = schema.node
        for several in ("anyOf", "oneOf"):
            wanted = [one for one in node.get(several, ()) if one.get("type") != "null"]
            if wanted:
                return self.part(wanted[0])
        if len(node.get("allOf", ())) == 1:
            return self.part(node["allOf"][0])
        return schema

    def followed(self) -> Schema:
        """Return what this part refers to, if it refers to another."""
        node = self.node
        while "$ref" in node:
            node = self.definitions.get(str(node["$ref"]).rpartition("/")[2], {})
        return Schema(node, self.definitions)

    def members(self) -> Mapping[str, Any]:
        """Return the members that an object of it has, by their names on the wire."""
        members: Mapping[str, Any] = self.node.get("properties", {})
        return members

    def at(self, pointer: str) -> Schema:
        """Return the schema of what a JSON pointer points to; an empty one if it is not told."""
        schema = self
        for token in tokens(pointer):
            schema = schema.child(token)
        return schema

    def child(self, token: str) -> Schema:
        """Return the schema of a member or an item."""
        node = self.members().get(token)
        if node is None:
            node = self.node.get("items", self.node.get("additionalProperties", {}))
        return self.part(node if is_dict(node) else {})

    def choices(self) -> list[Any]:
        """Return the values that are listed, if they are."""
        if "const" in self.node:
            return [self.node["const"]]
        return list(self.node.get("enum", ()))


_documents: dict[int, tuple[object, Schema]] = {}


def document_of(kind: Any) -> Schema:
    """Return the JSON schema that values of a type have on the wire, as a union if it is one."""
    known = _documents.get(id(kind))
    if known is None:
        node = adapter(kind).json_schema()
        schema = Schema(node, node.get("$defs", {})).followed()
        # By identity, as the validators are kept: to make it takes much longer than to use it.
        known = _documents[id(kind)] = (kind, schema)
    return known[1]


def schema_of(kind: Any) -> Schema:
    """Return the JSON schema that values of a type have on the wire: of a union, its first."""
    schema = document_of(kind)
    return schema.part(schema.node)


def sample(schema: Schema, now: datetime | None = None, name: str = "text", depth: int = 0) -> Any:
    """
    Return a value that fits.

    Args:
        schema: What it must fit.
        now: What dates and times say; by default the beginning of 2026.
        name: What a text says that may say anything.
        depth: How many objects and lists it is in.
    """
    node = schema.node
    if now is not None and node.get("type") == "string" and node.get("format") in _TIMES:
        return _TIMES[node["format"]](now)
    examples = [*schema.choices(), *node.get("examples", ()), *_given(node, "example", "default")]
    if examples:
        return copy.deepcopy(examples[0])
    kind = node.get("type") or ("object" if "properties" in node else None)
    if kind == "object":
        return _object(schema, now, depth)
    if kind == "array":
        wanted = int(node.get("minItems", 0)) if depth < _DEPTH else 0
        return [sample(schema.child(str(index)), now, name, depth + 1) for index in range(wanted)]
    if kind in ("integer", "number"):
        return _number(node)
    return _text(node, name) if kind == "string" else _JSON.get(str(kind), name)


def _given(node: Mapping[str, Any], *names: str) -> list[Any]:
    return [node[name] for name in names if node.get(name) is not None]


def _object(schema: Schema, now: datetime | None, depth: int) -> dict[str, Any]:
    if depth >= _DEPTH:
        return {}
    required = schema.node.get("required", ())
    return {name: sample(schema.child(name), now, name, depth + 1) for name in required}


def _number(node: Mapping[str, Any]) -> Any:
    step = node.get("multipleOf", 1)
    lowest = node.get("minimum", node.get("exclusiveMinimum", -step) + step)
    highest = node.get("maximum", node.get("exclusiveMaximum", step + max(lowest, 0)) - 0)
    value = min(max(lowest, step), highest)
    if value == node.get("exclusiveMaximum"):
        value -= step
    return -(-value // step) * step


def _text(node: Mapping[str, Any], name: str) -> str:
    if "pattern" in node:
        text = matching(node["pattern"])
    else:
        text = _FORMATS.get(node.get("format", ""), name)
    if "pattern" in node or "format" in node:
        return text
    longest = int(node.get("maxLength", len(text) + int(node.get("minLength", 0))))
    return text.ljust(int(node.get("minLength", 0)), "x")[:longest]


def matching(pattern: str) -> str:
    """
    Return a text that a simple regular expression finds.

    Raises:
        ValueError: The pattern is not simple enough.
    """
    try:
        # The standard library's own parser of patterns has no public name.
        text = _matching(import_module("re._parser").parse(pattern), {})
    except re.error as error:
        raise ValueError(f"no text is known that matches {pattern!r}: {error}") from error
    if not re.search(pattern, text):
        raise ValueError(f"no text is known that matches {pattern!r}")
    return text


def _matching(parts: Any, groups: dict[int, str]) -> str:
    return "".join(_piece(str(operation), argument, groups) for operation, argument in parts)


def _piece(operation: str, argument: Any, groups: dict[int, str]) -> str:
    if operation == "LITERAL":
        return chr(argument)
    if operation in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        fewest, _, parts = argument
        return _matching(parts, groups) * int(fewest)
    if operation == "SUBPATTERN":
        text = _matching(argument[3], groups)
        groups[argument[0]] = text
        return text
    if operation == "BRANCH":
        return _matching(argument[1][0], groups)
    if operation == "GROUPREF":
        return groups.get(int(argument), "")
    if operation in ("IN", "ANY", "NOT_LITERAL", "CATEGORY"):
        return _character(operation, argument)
    return ""


def _character(operation: str, argument: Any) -> str:
    """Return a character of a set: its first, or one that is tried."""
    if operation == "IN":
        kind, value = argument[0]
        if str(kind) in ("LITERAL", "RANGE"):
            return chr(value if isinstance(value, int) else value[0])
        return next((one for one in _CHARACTERS if _is_in(one, argument)), "")
    forbidden = chr(argument) if operation == "NOT_LITERAL" else ""
    return next(one for one in _CHARACTERS if one != forbidden)


def _is_in(character: str, members: Any) -> bool:
    negated = str(members[0][0]) == "NEGATE"
    found = any(_is(character, str(kind), value) for kind, value in members)
    return found != negated


def _is(character: str, kind: str, value: Any) -> bool:
    if kind == "LITERAL":
        return bool(ord(character) == value)
    if kind == "RANGE":
        return bool(value[0] <= ord(character) <= value[1])
    classes = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}
    name = str(value).removeprefix("CATEGORY_")
    found = re.match(classes.get(name.removeprefix("NOT_"), "(?!)"), character) is not None
    return kind == "CATEGORY" and found != name.startswith("NOT_")


def tokens(pointer: str) -> list[str]:
    """Return the parts of a JSON pointer (RFC 6901)."""
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def put(document: Any, schema: Schema, pointer: str, value: Any) -> Any:
    """
    Return a document with a value in its place; what must be around it is made.

    Args:
        document: JSON values, which are changed.
        schema: The document's schema.
        pointer: A JSON pointer to the place; empty for the whole.
        value: What is put there.
    """
    path = tokens(pointer)
    if not path:
        return value
    return _put(document, schema, path, value)


def _put(document: Any, schema: Schema, path: list[str], value: Any) -> Any:
    token, *rest = path
    child = schema.child(token)
    if is_array(document) or (schema.node.get("type") == "array" and not is_dict(document)):
        items = document if is_array(document) else []
        while len(items) <= int(token):
            items.append(sample(child))
        items[int(token)] = _put(items[int(token)], child, rest, value) if rest else value
        return items
    made = document if is_dict(document) else sample(schema)
    members = made if is_dict(made) else {}
    if rest:
        inner = members.get(token)
        members[token] = _put(sample(child) if inner is None else inner, child, rest, value)
    else:
        members[token] = value
    return members
