"""The limits of a parameter, as the type that the runtime validates what is sent by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from codegen._document import Document, Json, Node, join
from codegen._patterns import is_pydantic_pattern

# A value is validated as it goes over the wire: a date or a UUID is a text there.
_TYPES: Final = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "array": "list",
    "object": "dict[str, object]",
}
_KEYWORDS: Final = {
    "string": {"minLength": "min_length", "maxLength": "max_length"},
    "integer": {"minimum": "ge", "maximum": "le", "multipleOf": "multiple_of"},
    "number": {"minimum": "ge", "maximum": "le", "multipleOf": "multiple_of"},
    "array": {"minItems": "min_length", "maxItems": "max_length"},
    "object": {"minProperties": "min_length", "maxProperties": "max_length"},
}
# OpenAPI 3.0 follows JSON Schema of draft 5, where these are marks of `minimum` and `maximum`.
_EXCLUSIVE: Final = {"ge": ("exclusiveMinimum", "gt"), "le": ("exclusiveMaximum", "lt")}


def limited_type(document: Document, schema: Json, pointer: str, kind: str) -> str | None:
    """
    Return the type of a value within its limits, as Python source.

    Args:
        document: Where the schema is.
        schema: The value's schema.
        pointer: Where it stands.
        kind: The value's type as the signature has it.

    Returns:
        An annotated type; the class of an object; `None` if there is no limit.
    """
    target, place = document.follow(schema, pointer)
    if not isinstance(target, dict) or "enum" in target:
        return None
    if "properties" in target:
        return kind if kind.startswith("models.") else None
    base = _TYPES.get(str(target.get("type")))
    if base is None:
        return None
    item = None
    if "items" in target:
        item = limited_type(document, target["items"], join(place, "items"), "")
    if base == "list":
        base = f"list[{item or 'object'}]"
    limits = ", ".join(f"{name}={value!r}" for name, value in _limits(target))
    if limits:
        base = f"Annotated[{base}, Field({limits})]"
    elif item is None:
        return None
    return f"{base} | None" if target.get("nullable") else base


def _limits(schema: Node) -> Iterator[tuple[str, object]]:
    """The arguments of pydantic's `Field`."""
    for keyword, name in _KEYWORDS[schema["type"]].items():
        if keyword in schema:
            mark, exclusive = _EXCLUSIVE.get(name, ("", ""))
            yield exclusive if schema.get(mark) is True else name, schema[keyword]
    if schema["type"] == "string" and is_pydantic_pattern(schema.get("pattern")):
        yield "pattern", schema["pattern"]
