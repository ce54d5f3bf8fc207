"""Examples of bodies and parameters: the document's, or made of the schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from codegen._examples import ExampleError, Examples, has
from codegen._form import load
from codegen._operations import OperationReader
from codegen._schemas import Schemas

ENUM = {"type": "string", "enum": ["a", "b"]}


def _example(tmp_path: Path, schema: dict[str, Any], least: bool = False, **components: Any) -> Any:
    media = {"schema": schema} | (
        {"example": components.pop("example")} if "example" in components else {}
    )
    operation = {
        "operationId": "send",
        "requestBody": {"content": {"application/json": media}},
        "responses": {"204": {"description": "x"}},
    }
    document = {
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "paths": {"/a{b}%7B": {"parameters": [_PATH], "post": operation}},
        "components": {"schemas": components},
    }
    path = tmp_path / "api.json"
    path.write_text(json.dumps(document), "utf-8")
    read = load(path)
    (found,) = OperationReader(read, Schemas(read)).read()
    examples = Examples(read)
    assert examples.argument(found.parameters[0]) == "q"
    return examples.least_body(found) if least else examples.body(found)


_PATH = {"name": "b", "in": "path", "required": True, "schema": {"type": "string"}, "example": "q"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, "content"),
        ({"type": "boolean"}, True),
        ({"type": "string", "minLength": 9, "maxLength": 9}, "contentxx"),
        ({"type": "string", "maxLength": 3}, "con"),
        ({"type": "string", "pattern": "^[A-Z]+$", "minLength": 3}, "AAA"),
        ({"type": "string", "format": "uuid"}, "00000000-0000-4000-8000-000000000000"),
        ({"type": "string", "format": "decimal"}, "1"),
        ({"type": "integer", "minimum": 5, "multipleOf": 4}, 8),
        ({"type": "integer", "minimum": 0, "exclusiveMinimum": True, "maximum": 1}, 1),
        ({"type": "number", "minimum": 0, "maximum": 1, "exclusiveMaximum": True}, 0),
        ({"type": "number", "maximum": -3}, -3),
        ({"type": "array", "items": {"type": "integer"}}, []),
        ({"type": "array", "items": ENUM, "minItems": 2, "uniqueItems": True}, ["a", "b"]),
        (
            {"type": "array", "items": {"type": "string"}, "minItems": 2, "uniqueItems": True},
            ["content", "content1"],
        ),
        ({"oneOf": [{"type": "string", "pattern": "(?=a)b"}, {"type": "integer"}]}, 1),
        ({"type": "object", "minProperties": 1, "additionalProperties": ENUM}, {"key1": "a"}),
        ({"type": "string", "default": "d"}, "d"),
        ({"type": "string", "example": 3}, "content"),
    ],
)
def test_the_least_value_is_made(tmp_path: Path, schema: dict[str, Any], expected: Any) -> None:
    """Where the document has no example that fits, one is made, always the same."""
    assert _example(tmp_path, schema) == expected


def test_required_members_are_made(tmp_path: Path) -> None:
    """Those of `allOf` too; what only answers have is left out."""
    base = {
        "type": "object",
        "required": ["id", "a"],
        "properties": {"id": {"type": "string", "readOnly": True}, "a": {"type": "integer"}},
    }
    schema = {
        "allOf": [{"$ref": "#/components/schemas/Base"}],
        "required": ["b"],
        "properties": {"b": {"type": "array", "minItems": 1, "items": ENUM}, "c": {}},
    }
    assert _example(tmp_path, schema, Base=base) == {"a": 1, "b": ["a"]}


def test_a_discriminator_tells_its_part(tmp_path: Path) -> None:
    """The member that tells parts apart has the value that the document maps."""
    part = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}}
    schema = {
        "oneOf": [{"$ref": "#/components/schemas/A"}],
        "discriminator": {"propertyName": "kind", "mapping": {"x": "#/components/schemas/A"}},
    }
    assert _example(tmp_path, schema, A=part) == {"kind": "x"}


def test_the_documents_example_comes_first(tmp_path: Path) -> None:
    """If it fits; the least body is made all the same."""
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    assert _example(tmp_path, schema, example={"a": 7}) == {"a": 7}
    assert _example(tmp_path, schema, least=True, example={"a": 7}) == {}
    assert _example(tmp_path, schema, example={"a": "x"}) == {}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "(?=a)b(?<=c)"},
        {"type": "integer", "minimum": 3, "maximum": 2},
        {"$ref": "#/components/schemas/Endless"},
    ],
)
def test_what_cannot_be_made_is_told(tmp_path: Path, schema: dict[str, Any]) -> None:
    """The text names the place."""
    endless: dict[str, Any] = {"type": "object", "required": ["next"]}
    endless["properties"] = {"next": {"$ref": "#/components/schemas/Endless"}}
    with pytest.raises(ExampleError, match="#/"):
        _example(tmp_path, schema, Endless=endless)


def test_parts_that_are_null_are_not_there() -> None:
    """A link takes nothing from them."""
    value = {"a": [{"b": None, "c": 0}]}
    assert [has(value, pointer) for pointer in ("/a/0/c", "/a/0/b", "/a/1", "/x", "")] == [
        *(True, False, False, False, True)
    ]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "array", "items": {"type": "string"}}, ["p"]),
        ({"type": "array", "items": {"type": "integer"}, "default": []}, [1]),
        ({"type": "object", "properties": {"a": {"type": "boolean"}}}, {"a": True}),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"key1": 1}),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
    ],
)
def test_an_argument_is_not_empty(tmp_path: Path, schema: dict[str, Any], expected: Any) -> None:
    """A path has no place for an empty list or object, and a query does not tell it from none."""
    parameter = {"name": "p", "in": "query", "required": True, "schema": schema}
    operation = {"parameters": [parameter], "responses": {"204": {"description": "x"}}}
    path = tmp_path / "api.json"
    info = {"title": "t", "version": "1"}
    root = {"openapi": "3.0.3", "info": info, "paths": {"/a": {"get": operation}}}
    path.write_text(json.dumps(root), "utf-8")
    read = load(path)
    (found,) = OperationReader(read, Schemas(read)).read()
    assert Examples(read).argument(found.parameters[0]) == expected
