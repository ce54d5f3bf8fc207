"""The request bodies of asynchronous operations, as types of the standard library."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from codegen._document import Node
from codegen._ir import Chain
from codegen._schemas import Shape

_SCALARS: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a message, by its name on the wire."""

    wire_name: str
    annotation: str


@dataclass(frozen=True, slots=True)
class Message:
    """
    A JSON value of the body.

    Attributes:
        alias: What it stands for, if it is no object.
        functional: Whether a member's name is no identifier, so that no class can be written.
    """

    name: str
    description: str
    members: tuple[Member, ...]
    alias: str | None

    @property
    def functional(self) -> bool:
        names = [member.wire_name for member in self.members]
        return not all(name.isidentifier() and not keyword.iskeyword(name) for name in names)


def read_messages(chains: Sequence[Chain], shapes: Mapping[str, Shape]) -> list[Message]:
    """
    The types of the request bodies of all asynchronous operations, parts before wholes.

    Args:
        chains: The asynchronous operations.
        shapes: The document's shapes, as requests have them.
    """
    ordered: dict[str, None] = {}
    for chain in chains:
        if chain.start.body is not None and chain.start.body.type.startswith("models."):
            _collect(
                chain.start.body.type.removeprefix("models.").partition(" ")[0], shapes, ordered
            )
    return [_message(shapes[name], shapes) for name in ordered]


def _collect(name: str, shapes: Mapping[str, Shape], ordered: dict[str, None], *above: str) -> None:
    if name in ordered or name in above:
        return
    for reference in shapes[name].references:
        _collect(reference, shapes, ordered, name, *above)
    if not _is_plain(shapes[name].schema):
        ordered[name] = None


def _is_plain(schema: Node) -> bool:
    """Whether a shape is a text or a number, for which JSON needs no name."""
    return schema.get("type") in _SCALARS


def _message(shape: Shape, shapes: Mapping[str, Shape]) -> Message:
    description = str(shape.schema.get("description", "")).strip()
    members = dict(_members(shape.schema, shapes))
    if not members and "properties" not in shape.schema:
        return Message(shape.name, description, (), _annotation(shape.schema, shapes))
    return Message(shape.name, description, tuple(members.values()), None)


def _members(schema: Node, shapes: Mapping[str, Shape]) -> Iterator[tuple[str, Member]]:
    """The members of an object, those of its `allOf` first."""
    for part in schema.get("allOf", ()):
        whole = shapes[part["$ref"].rpartition("/")[2]].schema if "$ref" in part else part
        yield from _members(whole, shapes)
    for name, value in schema.get("properties", {}).items():
        annotation = _annotation(value, shapes)
        if name not in schema.get("required", ()):
            annotation = f"NotRequired[{annotation}]"
        yield name, Member(name, annotation)


def _annotation(schema: Node, shapes: Mapping[str, Shape]) -> str:
    text = _plain_annotation(schema, shapes)
    return f"{text} | None" if schema.get("nullable") and text != "object" else text


def _plain_annotation(schema: Node, shapes: Mapping[str, Shape]) -> str:
    if "$ref" in schema:
        name = str(schema["$ref"].rpartition("/")[2])
        target = shapes[name].schema
        return _annotation(target, shapes) if _is_plain(target) else name
    for keyword_ in ("oneOf", "anyOf", "allOf"):
        if keyword_ in schema:
            parts = [_annotation(part, shapes) for part in schema[keyword_]]
            return " | ".join(dict.fromkeys(parts)) if keyword_ != "allOf" else parts[0]
    if schema.get("type") == "array":
        return f"list[{_annotation(schema.get('items', {}), shapes)}]"
    if schema.get("type") == "object":
        others = schema.get("additionalProperties")
        return f"dict[str, {_annotation(others, shapes) if isinstance(others, dict) else 'object'}]"
    return _SCALARS.get(str(schema.get("type")), "object")
