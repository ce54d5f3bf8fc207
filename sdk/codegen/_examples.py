"""
Examples of values: those of the document, else the least that a schema allows.

Both are checked by the schema, so that what a page shows, or a test sends, is accepted. They are
values of JSON; the same document has the same ones.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from jsonschema import FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from openapi_schema_validator import OAS30WriteValidator

from codegen._document import Document, Json, Node, join, tokens
from codegen._ir import Operation, Parameter
from codegen._patterns import PatternError, fits_pattern, matching
from codegen._schemas import COMPONENTS

_DEPTH: Final = 8  # a schema that requires itself has no end
_LONGER: Final = 64  # how often repeated parts of a pattern are made longer
_FORMATS: Final = {
    "binary": "content",
    "byte": "Y29udGVudA==",
    "date": "2026-01-31",
    "date-time": "2026-01-31T10:00:00Z",
    "decimal": "1",
    "duration": "PT1S",
    "email": "ada@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "time": "10:00:00Z",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_checker: Final = FormatChecker(formats=())


def _pattern(_: object, pattern: str, value: Json, __: object) -> Iterator[ValidationError]:
    """What JSON schema says of a pattern, where that is not one of Python's."""
    if isinstance(value, str) and not fits_pattern(pattern, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


_Validator: Any = extend(OAS30WriteValidator, {"pattern": _pattern})  # type: ignore[no-untyped-call]


class ExampleError(ValueError):
    """The document has no example, and none can be made of the schema; the text says why."""


class Examples:
    """Finds, or makes, the examples of a document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        # Local references are looked up from the root of the schema that a validator is made for.
        self._validator = _Validator(document.root, format_checker=_checker)

    def body(self, operation: Operation) -> Json:
        """
        The example of an operation's body.

        Raises:
            ExampleError: There is none.
        """
        if operation.body is None or operation.body_schema is None:
            raise ExampleError(f"`{operation.operation_id}` takes no body")
        schema, pointer = operation.body_schema
        media = self._at(join(operation.body.pointer, "content", operation.body.media_type))
        return self._first(media, schema, pointer, "content")

    def least_body(self, operation: Operation) -> Json:
        """
        The least body that the schema allows, or the example where none can be made.

        Raises:
            ExampleError: There is neither.
        """
        if operation.body_schema is not None:
            schema, pointer = operation.body_schema
            try:
                return self._first({}, schema, pointer, "content")
            except ExampleError:
                pass
        return self.body(operation)

    def argument(self, parameter: Parameter) -> Json:
        """
        The example of a parameter.

        It is no empty list or object, which a path has no place for and a query does not tell.

        Raises:
            ExampleError: There is none.
        """
        node = self._at(parameter.pointer)
        owned = {**node, **next(iter(node.get("content", {}).values()), {})}
        schema, place = self.schema_of(parameter)
        filled = {key: max(schema.get(key, 0), 1) for key in ("minItems", "minProperties")}
        return self._first(owned, {**schema, **filled}, place, parameter.wire_name)

    def schema_of(self, parameter: Parameter) -> tuple[Node, str]:
        """The schema of a parameter's value, and its pointer."""
        owner, pointer = self._at(parameter.pointer), parameter.pointer
        for media_type, media in owner.get("content", {}).items():
            owner, pointer = media, join(pointer, "content", media_type)
        return self._document.follow(owner.get("schema", {}), join(pointer, "schema"))

    def fits(self, schema: Json, value: Json) -> bool:
        """Whether a schema of the document allows a value, and JSON has it."""
        return _is_json(value) and bool(self._validator.evolve(schema=schema).is_valid(value))

    def _at(self, pointer: str) -> Node:
        # A pointer is a fragment that is not encoded, and what looks references up decodes it.
        found = self._document.find(quote(pointer, safe="#/~"))
        return found[0] if found is not None and isinstance(found[0], dict) else {}

    def _first(self, owner: Node, schema: Json, pointer: str, name: str) -> Json:
        """The first example of a media type or a parameter that its schema allows."""
        for value in self._given(owner):
            if self.fits(schema, value):
                return value
        value = self._made(schema, pointer, name, 0)
        if not self.fits(schema, value):
            raise ExampleError(f"what was made of {pointer} does not fit it")
        return value

    def _given(self, owner: Node) -> Iterator[Json]:
        if "example" in owner:
            yield owner["example"]
        for example in owner.get("examples", {}).values():
            example = self._document.follow(example, "#")[0]
            if "value" in example:
                yield example["value"]

    def _made(self, schema: Json, pointer: str, name: str, depth: int) -> Json:
        if depth > _DEPTH:
            raise ExampleError(f"{pointer} has no end")
        schema, pointer = self._document.follow(schema, pointer)
        said = [schema[key] for key in ("example", "default") if key in schema]
        for value in (*said, *schema.get("enum", ())):
            if self.fits(schema, value):
                return value
        for keyword in ("oneOf", "anyOf"):
            if keyword in schema:
                return self._choice(schema, pointer, keyword, name, depth)
        return self._of_type(self._merged(schema, pointer), schema, pointer, name, depth)

    def _of_type(self, merged: Node, schema: Node, pointer: str, name: str, depth: int) -> Json:
        kind = merged.get("type") or ("object" if "properties" in merged else "string")
        if kind == "object":
            return self._object(merged, schema, pointer, depth)
        if kind == "array":
            return self._array(merged, pointer, name, depth)
        if kind == "boolean":
            return True
        candidates = _texts(merged, name) if kind == "string" else _numbers(merged)
        for value in candidates:
            if self.fits(schema, value):
                return value
        raise ExampleError(f"no value is known that fits {pointer}: give it an `example`")

    def _merged(self, schema: Node, pointer: str) -> Node:
        """A schema and all that it takes up by `allOf`, as one."""
        merged: Node = {"properties": {}, "required": []}
        parts = [
            self._merged(*self._document.follow(part, join(pointer, "allOf", index)))
            for index, part in enumerate(schema.get("allOf", ()))
        ]
        for part in (*parts, schema):
            properties = merged["properties"] | part.get("properties", {})
            required = [*merged["required"], *part.get("required", ())]
            merged |= {**part, "properties": properties, "required": required}
        if not merged["properties"]:
            del merged["properties"]
        return merged

    def _choice(self, schema: Node, pointer: str, keyword: str, name: str, depth: int) -> Json:
        """What the first part makes that the whole allows."""
        reasons = []
        for index, part in enumerate(schema[keyword]):
            try:
                value = self._made(part, join(pointer, keyword, index), name, depth + 1)
            except ExampleError as error:
                reasons.append(str(error))
                continue
            if isinstance(value, dict) and "$ref" in part:
                value |= _tag(schema, part["$ref"])
            if self.fits(schema, value):
                return value
        raise ExampleError("; ".join(reasons) or f"no part of {pointer} gives a value that fits it")

    def _object(self, merged: Node, schema: Node, pointer: str, depth: int) -> Json:
        members = merged.get("properties", {})
        value = {}
        for name in dict.fromkeys(merged["required"]):
            member = self._document.follow(members.get(name, {}), pointer)[0]
            if not member.get("readOnly"):
                place = join(pointer, "properties", name)
                value[name] = self._made(members.get(name, {}), place, name, depth + 1)
        if "discriminator" in merged and pointer.startswith(COMPONENTS):
            tag = _tag(merged, pointer)
            value |= {key: text for key, text in tag.items() if key in value}
        for name in self._fillers(merged, len(value)):
            others = merged.get("additionalProperties")
            member = members.get(name, others if isinstance(others, dict) else {})
            value[name] = self._made(member, join(pointer, "properties", name), name, depth + 1)
        return value

    def _fillers(self, merged: Node, count: int) -> list[str]:
        """The members that `minProperties` wants besides those that are required."""
        missing = max(int(merged.get("minProperties", 0)) - count, 0)
        listed = [name for name in merged.get("properties", {}) if name not in merged["required"]]
        return [*listed, *(f"key{index + 1}" for index in range(missing))][:missing]

    def _array(self, merged: Node, pointer: str, name: str, depth: int) -> Json:
        count = int(merged.get("minItems", 0))
        if count == 0:
            return []
        items, place = merged.get("items", {}), join(pointer, "items")
        value = [self._made(items, place, name, depth + 1) for _ in range(count)]
        if merged.get("uniqueItems"):
            choices = self._document.follow(items, place)[0].get("enum", ())
            if len(choices) >= count:
                return list(choices[:count])
            value = [_varied(item, index) for index, item in enumerate(value)]
        return value


def has(value: Json, pointer: str) -> bool:
    """Whether a value has a part that is not null."""
    for token in tokens(pointer):
        if isinstance(value, dict) and token in value:
            value = value[token]
        elif isinstance(value, list) and token.isdigit() and int(token) < len(value):
            value = value[int(token)]
        else:
            return False
    return value is not None


def _is_json(value: Json) -> bool:
    """Whether JSON has such a value: YAML has more."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def _tag(schema: Node, reference: str) -> Node:
    """The member by which a discriminator tells that a part is meant."""
    said = schema.get("discriminator")
    if not isinstance(said, dict):
        return {}
    name = tokens(reference)[-1]
    named = (tag for tag, target in said.get("mapping", {}).items() if _is_of(target, name))
    return {said["propertyName"]: next(named, name)}


def _is_of(target: str, name: str) -> bool:
    return (tokens(target)[-1] if "/" in target else target) == name


def _texts(schema: Node, name: str) -> Iterator[str]:
    """Texts that may fit, the plainest first."""
    text = _FORMATS.get(str(schema.get("format")), name)
    yield text
    yield text.ljust(int(schema.get("minLength", 0)), "x")[: int(schema.get("maxLength", 1 << 16))]
    if "pattern" in schema:
        yield from _FORMATS.values()
        for longer in range(_LONGER):
            try:
                yield matching(schema["pattern"], longer)
            except PatternError:
                break


def _numbers(schema: Node) -> Iterator[float]:
    """Numbers that may fit, the plainest first."""
    yield 1
    step = schema.get("multipleOf", 1)
    least, most = schema.get("minimum"), schema.get("maximum")
    yield step
    if least is not None:
        start = math.ceil(least / step) * step
        yield from (start, start + step, least)
    if most is not None:
        end = math.floor(most / step) * step
        yield from (end, end - step, most)
    if least is not None and most is not None:
        yield (least + most) / 2


def _varied(value: Json, index: int) -> Json:
    if isinstance(value, str):
        return f"{value}{index or ''}"
    return value + index if isinstance(value, int | float) else value


def _is_date(text: str) -> bool:
    return date.fromisoformat(text).isoformat() == text


def _is_time(text: str) -> bool:
    return "T" in text.upper() and datetime.fromisoformat(text).tzinfo is not None


# What models read as more than a text.
for _format, _check in {
    "byte": lambda text: base64.b64decode(text, validate=True) is not None,
    "date": _is_date,
    "date-time": _is_time,
    "decimal": lambda text: Decimal(text).is_finite(),
    "uuid": lambda text: UUID(text) is not None,
}.items():
    _checker.checks(_format, raises=(ValueError, InvalidOperation))(
        lambda value, check=_check: not isinstance(value, str) or check(value)
    )
