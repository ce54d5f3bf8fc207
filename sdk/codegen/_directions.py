"""
Limits bind what is sent and not what is received.

A server may know more than the document that an SDK was made from: an answer must not fail because
a text became longer or a member was added. So a shape that only answers hold loses its limits. One
that is sent *and* received keeps them under its name, and gets a second, lenient form that answers
are read with; what is read is an instance of the one public class all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from codegen._document import Json, Node
from codegen._schemas import COMPONENTS, EXTRAS, LIMITS, Schemas, Shape, annotation


@dataclass(frozen=True, slots=True)
class Directed:
    """
    The shapes as they are to be rendered.

    Attributes:
        shapes: By name; the lenient forms among them.
        lenient: Name of the lenient form, by the name of the shape that has one.
        sent: Names of the shapes that requests hold.
        received: Names of the shapes that answers hold.
    """

    shapes: Mapping[str, Shape]
    lenient: Mapping[str, str]
    sent: frozenset[str]
    received: frozenset[str]


def direct(schemas: Schemas) -> Directed:
    """Give each shape the form, or the forms, that its directions ask for."""
    described = {
        name: replace(shape, schema=flattened(shape.schema, schemas.shapes))
        if _retypes(shape.schema, schemas.shapes)
        else shape
        for name, shape in schemas.shapes.items()
    }
    sent = _reachable(described, schemas.sent)
    received = _reachable(described, schemas.received)
    limited = _limited(described)
    lenient = {
        name: _lenient_name(name, described)
        for name in described
        if name in sent & received & limited
    }
    shapes: dict[str, Shape] = {}
    for name, shape in described.items():
        if name in lenient:
            # The class inherits from its lenient form, and so from no other class.
            whole = flattened(shape.schema, described)
            form = Shape(lenient[name], shape.pointer, _received_form(whole, lenient))
            shapes[form.name] = form
            shapes[name] = replace(shape, schema=_sent_form(whole))
        elif name in received and name not in sent:
            shapes[name] = replace(shape, schema=_received_form(shape.schema, lenient))
        else:
            shapes[name] = replace(shape, schema=_sent_form(shape.schema))
    return Directed(shapes, lenient, sent, received)


def _retypes(schema: Node, shapes: Mapping[str, Shape]) -> bool:
    """Whether a part gives a member another type: no class may do so with its parent's."""
    types: dict[str, str] = {}
    for part in (*schema.get("allOf", ()), {"properties": schema.get("properties", {})}):
        whole = flattened({"allOf": [part]}, shapes)
        for name, member in whole["properties"].items():
            kind = annotation(member)
            if types.setdefault(name, kind) != kind:
                return True
    return False


def _reachable(shapes: Mapping[str, Shape], roots: Iterable[str]) -> frozenset[str]:
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(shapes[name].references)
    return frozenset(found)


def _limited(shapes: Mapping[str, Shape]) -> frozenset[str]:
    """The shapes that refuse something, themselves or through what they hold."""
    found = {name for name, shape in shapes.items() if _refuses(shape.schema)}
    while (
        grown := {n for n, shape in shapes.items() if not found.isdisjoint(shape.references)}
        - found
    ):
        found |= grown
    return frozenset(found)


def _refuses(schema: Json) -> bool:
    if isinstance(schema, list):
        return any(map(_refuses, schema))
    if not isinstance(schema, dict):
        return False
    if not LIMITS.isdisjoint(schema) or schema.get("additionalProperties") is False:
        return True
    return any(_refuses(value) for key, value in schema.items() if key != "description")


def _lenient_name(name: str, shapes: Mapping[str, Shape]) -> str:
    lenient = f"Received{name}"
    while lenient in shapes:
        lenient += "_"
    return lenient


def _received_form(schema: Json, lenient: Mapping[str, str]) -> Any:
    if isinstance(schema, list):
        return [_received_form(item, lenient) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(schema.get("$ref"), str):
        name = schema["$ref"].rpartition("/")[2]
        return {"$ref": f"{COMPONENTS}/{lenient.get(name, name)}"}
    form: Node = {}
    for key, value in schema.items():
        if key == "properties":
            form[key] = {name: _received_form(item, lenient) for name, item in value.items()}
        elif key not in LIMITS and not (key == "additionalProperties" and value is False):
            form[key] = _received_form(value, lenient)
    return _without_required(form, "writeOnly")


def _sent_form(schema: Node) -> Node:
    return _without_required(schema, "readOnly")


def _without_required(schema: Node, marker: str) -> Node:
    """A member that goes the other way only is not required in this one."""
    members = schema.get("properties", {})
    if "required" not in schema or not isinstance(members, dict):
        return schema
    required = [name for name in schema["required"] if not members.get(name, {}).get(marker)]
    return {**schema, "required": required}


def flattened(schema: Node, shapes: Mapping[str, Shape]) -> Node:
    """An `allOf` as one object."""
    if "allOf" not in schema:
        return schema
    flat: Node = {key: value for key, value in schema.items() if key != "allOf"}
    flat["properties"], flat["required"] = {}, []
    for part in (
        *schema["allOf"],
        {key: schema[key] for key in ("properties", "required") if key in schema},
    ):
        whole = shapes[part["$ref"].rpartition("/")[2]].schema if "$ref" in part else part
        whole = flattened(whole, shapes)
        flat["properties"] |= whole.get("properties", {})
        flat["required"] += whole.get("required", [])
        flat |= {EXTRAS: whole[EXTRAS]} if EXTRAS in whole else {}
    return flat | {"type": "object"}
