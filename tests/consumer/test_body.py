"""The body of a message, checked against the schema of whatever entity there is."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.body import MAX_DEPTH, InvalidMessageError, canonical, members_of
from consumer.entity import Entity

TREE = {"type": "object", "properties": {"child": {"$ref": "Tree"}, "name": {"type": "string"}}}


def entity(**properties: Any) -> Entity:
    """An entity with these members; none is required."""
    return Entity("order", "orderId", {"properties": properties}, {"Tree": TREE})


def members(body: object, **properties: Any) -> dict[str, Any]:
    """Read a body that must be good."""
    text = body if isinstance(body, str) else json.dumps(body)
    return members_of(text, entity(**properties))


def complaint(body: object, **properties: Any) -> str:
    """Read a body that must be bad."""
    with pytest.raises(InvalidMessageError) as refused:
        members(body, **properties)
    return str(refused.value)


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ({"type": "integer"}, "3", 3),
        ({"type": "integer"}, "3.0", 3),
        ({"type": "integer"}, "1e2", 100),
        ({"type": "number"}, "0.1", Decimal("0.1")),
        ({"type": "number"}, "12345678901234567890.123456789", None),
        ({"type": "boolean"}, "true", True),
        ({"type": "array", "items": {"type": "integer"}}, "[1, 2]", [1, 2]),
        ({"type": "array"}, '[1, "a", null]', [Decimal(1), "a", None]),
        ({"type": "object"}, '{"a": {"b": false}}', {"a": {"b": False}}),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, '{"a": 1}', {"a": 1}),
        ({}, "null", None),
        ({}, '{"a": [1.5]}', {"a": [Decimal("1.5")]}),
    ],
)
def test_a_value_is_as_the_table_takes_it(schema: Any, text: str, value: object) -> None:
    """Whole numbers are `int`, others `Decimal` with every digit; the rest is as in JSON."""
    expected = Decimal(text) if value is None and text != "null" else value
    read = members(f'{{"m": {text}}}', m=schema)["m"]
    assert (read, type(read)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("schema", "text", "text_of_error"),
    [
        ({"type": "integer"}, "1.5", "body.m must be a whole number"),
        ({"type": "integer"}, "true", "body.m must be a number; it is a boolean"),
        ({"type": "number"}, '"1"', "body.m must be a number; it is text"),
        ({"type": "number"}, "1" * 39, "body.m is a number that the table cannot hold"),
        ({"type": "number"}, "1e126", "body.m is a number that the table cannot hold"),
        ({"type": "number"}, "1e-131", "body.m is a number that the table cannot hold"),
        ({"type": "number"}, "1e-99999999999999999999", "a number that is too small"),
        ({"type": "boolean"}, "0", "body.m must be a boolean; it is a number"),
        ({"type": "array", "maxItems": 1}, "[1, 2]", "body.m has more than 1 items"),
        ({"type": "object", "required": ["a"]}, "{}", "body.m lacks a"),
        ({}, r'{"\ud800": 1}', "a member of body.m has half a surrogate pair"),
        ({}, r'["\ud800"]', "body.m[0] has half a surrogate pair"),
        ({"$ref": "Tree"}, '{"child": {"name": 1}}', "body.m.child.name must be text"),
    ],
)
def test_a_value_of_another_kind_is_refused(schema: Any, text: str, text_of_error: str) -> None:
    """What the table could not hold, or the answers not print, is a permanent failure."""
    assert text_of_error in complaint(f'{{"m": {text}}}', m=schema)


def test_names_of_a_map_are_not_repeated() -> None:
    """They are the client's, like values: an error says where, not what."""
    schema = {"type": "object", "additionalProperties": {"type": "string"}}
    assert "Lovelace" not in complaint({"m": {"Lovelace": 1}}, m=schema)


def test_nesting_ends_where_the_tables_does() -> None:
    """DynamoDB takes 32 levels; deeper is a permanent failure, and no endless retrying."""
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert members(f'{{"m": {deep}}}', m={})
    assert complaint(f'{{"m": [{deep}]}}', m={}) == "the body is nested too deeply"


@given(st.dictionaries(st.text(max_size=5), st.integers(-(10**12), 10**12), max_size=4))
def test_equal_members_have_equal_bytes(values: dict[str, int]) -> None:
    """Neither the order of members nor the spelling of numbers counts."""
    schema = {"type": "object", "additionalProperties": {"type": "number"}}
    turned = dict(reversed(values.items()))
    text = ",".join(f"{json.dumps(name)}:{value}.0" for name, value in turned.items())
    other = members(f'{{"m":{{{text}}}}}', m=schema)
    assert canonical(members({"m": values}, m=schema)) == canonical(other)


def test_a_number_is_not_the_text_of_it() -> None:
    """Where both are allowed, they are different bodies."""
    assert canonical(members({"m": 1.5}, m={})) != canonical(members({"m": "1.5"}, m={}))
