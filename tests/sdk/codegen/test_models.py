"""Models of awkward.yaml: names, formats and shapes that are easily got wrong."""

from __future__ import annotations

import importlib
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from tests.sdk.codegen.conftest import imported

REQUIRED = {"str": "a", "list": ["ab"], "date": "2026-01-31", "null": None}


def _read(package: ModuleType, operation: str, status: str, body: object) -> Any:
    operations = importlib.import_module(f"{package.__name__}._generated.operations")
    return TypeAdapter(getattr(operations, operation).results[status]).validate_python(body)


def _body(package: ModuleType, operation: str) -> TypeAdapter[Any]:
    operations = importlib.import_module(f"{package.__name__}._generated.operations")
    return TypeAdapter(getattr(operations, operation).body.type)


def test_equal_schemas_stay_apart(awkward: ModuleType) -> None:
    """Two components of one form are two classes."""
    models = awkward.models
    assert models.Twin1 is not models.Twin2
    assert (models.Twin1.__name__, models.Twin2.__name__) == ("Twin1", "Twin2")


def test_names_of_python_types_are_usable(awkward: ModuleType) -> None:
    """A field that is called like a type does not hide the type."""
    odd = awkward.models.Odd.model_validate(
        {
            **REQUIRED,
            "datetime": "2026-01-31T10:00:00Z",
            "time": "10:00:00",
            "Decimal": "1.50",
            "_private": "p",
        }
    )
    assert (odd.str_, odd.list_, odd.date) == ("a", ["ab"], date(2026, 1, 31))
    assert odd.datetime == datetime.fromisoformat("2026-01-31T10:00:00Z")
    assert (odd.time, odd.decimal, odd.private) == (time(10), Decimal("1.50"), "p")


def test_required_and_nullable_are_two_things(awkward: ModuleType) -> None:
    """A required member may be null where the document says so, and must be there."""
    with pytest.raises(ValidationError, match="null"):
        awkward.models.Odd.model_validate({key: REQUIRED[key] for key in ("str", "list", "date")})
    assert awkward.models.Odd.model_validate(REQUIRED).null is None


def test_defaults_of_the_server_are_not_sent(awkward: ModuleType) -> None:
    """A default is the server's affair: what was not set is neither there nor sent."""
    odd = awkward.models.Odd.model_validate(REQUIRED)
    assert odd.validate_ is None
    assert odd.model_dump(mode="json", by_alias=True, exclude_unset=True) == REQUIRED


def test_a_number_is_sent_as_a_number(awkward: ModuleType) -> None:
    """`format: decimal` makes a text a Decimal; a JSON number stays one."""
    odd = awkward.models.Odd.model_validate({**REQUIRED, "price": 1.5})
    assert odd.model_dump(mode="json", exclude_unset=True)["price"] == 1.5


def test_aliases_bind_requests_only(awkward: ModuleType) -> None:
    """Limits of named texts, lists and unions bind what is sent, not what is received."""
    beyond = {"field": "long", "ids": [""], "list": ["long"], "nul": {"kind": "k", "lives": 10}}
    with pytest.raises(ValidationError) as caught:
        awkward.models.Odd.model_validate({**REQUIRED, **beyond})
    assert {fault["loc"][0] for fault in caught.value.errors()} == set(beyond)
    odd = _read(awkward, "UPLOAD", "201", {**REQUIRED, **beyond})
    assert type(odd) is awkward.models.Odd
    assert (odd.field, odd.ids, odd.nul.lives) == ("long", [""], 10)


def test_union_members_are_recognised(awkward: ModuleType) -> None:
    """A list of a union is read as the members that fit best; an unknown one survives."""
    pets = _read(
        awkward,
        "LIST_",
        "200",
        [{"kind": "cat", "lives": 10}, {"kind": "dog", "name": "d"}, {"kind": "new"}],
    )
    assert [type(pet).__name__ for pet in pets] == ["Cat", "Dog", pets[2].__class__.__name__]
    assert pets[2].kind == "new"


def test_maps_and_other_members_are_kept(awkward: ModuleType) -> None:
    """A map's values have their class, and members beside the listed ones are kept."""
    odd = awkward.models.Odd.model_validate(
        {**REQUIRED, "dict": {"k": {"z": "2026-01-31"}}, "x": {"x": "a", "more": 3}}
    )
    assert type(odd.dict_["k"]) is awkward.models.OddDictValue
    assert odd.x.more == 3


PARTS = """\
openapi: 3.0.3
info: {title: Parts, version: '1'}
paths:
  /parts:
    post:
      operationId: changeParts
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Part'}}}}
      responses:
        '200':
          description: The parts.
          content:
            application/json:
              schema: {type: array, items: {$ref: '#/components/schemas/Part'}}
components:
  schemas:
    Part:
      type: object
      required: [kind]
      discriminator: {propertyName: kind, mapping: {wheel: '#/components/schemas/Wheel'}}
      properties:
        kind: {type: string}
        next: {$ref: '#/components/schemas/Part'}
    Wheel:
      allOf:
        - {$ref: '#/components/schemas/Part'}
        - {type: object, properties: {spokes: {type: integer, minimum: 3}}}
    Tyre:
      allOf:
        - {$ref: '#/components/schemas/Wheel'}
        - {type: object, properties: {width: {type: integer}}}
"""


def test_a_base_that_tells_its_kinds_apart_is_read_as_them(tmp_path: Path) -> None:
    """A `discriminator` beside `allOf`: a reference to the base means any of its kinds."""
    path = tmp_path / "parts.yaml"
    path.write_text(PARTS, "utf-8")
    answer = [
        {"kind": "wheel", "spokes": 2, "next": {"kind": "Tyre", "width": 3}},
        {"kind": "unheard of", "next": None, "x": 1},
    ]
    with imported(path, "parts_sdk", tmp_path) as package:
        models = package.models
        [wheel, other] = _read(package, "CHANGE_PARTS", "200", answer)
        assert (type(wheel), type(wheel.next)) == (models.Wheel, models.Tyre)
        assert (type(other), other.x) == (models.Part, 1)
        body = _body(package, "CHANGE_PARTS")
        with pytest.raises(ValidationError, match="spokes"):
            body.validate_python({"kind": "wheel", "spokes": 2})
        sent = models.Wheel(kind="wheel", next=models.Tyre(kind="Tyre", width=3))
        dumped = body.dump_python(body.validate_python(sent), mode="json", exclude_unset=True)
        assert dumped == {"kind": "wheel", "next": {"kind": "Tyre", "width": 3}}
