"""Values of JSON as Python source."""

from __future__ import annotations

from typing import Any

import pytest

from codegen._literals import Literals
from codegen._schemas import EXTRAS, Shape

_REF = "#/components/schemas"
SCHEMAS: dict[str, dict[str, Any]] = {
    "Kind": {"type": "string", "enum": ["a", "b"]},
    "Price": {"type": "string", "format": "decimal"},
    "Part": {"type": "object", "properties": {"kind": {"$ref": f"{_REF}/Kind"}}},
    "Whole": {
        "type": "object",
        "properties": {
            "by-name": {"type": "object", "additionalProperties": {"$ref": f"{_REF}/Part"}},
            "parts": {"type": "array", "items": {"$ref": f"{_REF}/Part"}},
            "data": {"type": "string", "format": "byte"},
            "day": {"type": "string", "format": "date", "nullable": True},
        },
    },
    "Open": {"type": "object", "properties": {"a": {}}, EXTRAS: {"type": "integer"}},
    "Choice": {"oneOf": [{"$ref": f"{_REF}/Part"}, {"type": "string"}]},
}
LITERALS = Literals(
    {name: Shape(name, "#", schema) for name, schema in SCHEMAS.items()}, ["Whole", "Kind"]
)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("str | None", None, "None"),
        ("UUID", "x", "UUID('x')"),
        ("list[date]", ["2026-01-31"], "[date.fromisoformat('2026-01-31')]"),
        ("dict[str, models.Price]", {"a": "1"}, "{'a': Decimal('1')}"),
        ("int", 3.0, "3"),
        ("float", 3, "3"),
        ("models.Kind", "a", "'a'"),
        ("models.Part", {"kind": "a"}, "{'kind': 'a'}"),
    ],
)
def test_arguments_have_their_types(kind: str, value: Any, expected: str) -> None:
    """A text stands for a member of an enumeration, a mapping for an object."""
    assert LITERALS.argument(kind, value) == expected


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("bytes", "\x00ÿ", r"b'\x00\xff'"),
        ("bytes", "Ā", r"b'\xc4\x80'"),
        ("models.Kind", "a", "Kind('a')"),
        ("list[models.Part]", [{"kind": "a"}], "[{'kind': 'a'}]"),
    ],
)
def test_bodies_are_what_methods_take(kind: str, value: Any, expected: str) -> None:
    """A body is no plain text where an enumeration is meant, and bytes where it is no text."""
    assert LITERALS.body(kind, value) == expected


def test_models_are_made_with_their_parts() -> None:
    """Fields have Python's names, parts are instances too, and what is not exported is named so."""
    value: dict[str, Any] = {
        "by-name": {"x": {"kind": "a"}},
        "parts": [{}],
        "data": "AA==",
        "day": None,
    }
    assert LITERALS.model("models.Whole", value) == (
        r"Whole(by_name={'x': models.Part(kind=Kind('a'))}, parts=[models.Part()],"
        r" data=b'\x00', day=None)"
    )


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("str", "a"),
        ("models.Whole", {"unknown": 1}),
        ("models.Open", {"a": 1}),
        ("models.Choice", {"kind": "a"}),
        ("models.Part", "a"),
    ],
)
def test_what_no_class_can_say_is_left_to_a_mapping(kind: str, value: Any) -> None:
    """Members that are not listed, unions and plain values have no such form."""
    assert LITERALS.model(kind, value) is None
