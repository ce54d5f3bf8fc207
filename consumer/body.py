"""
The body of a message: JSON, checked against the entity's schema.

API Gateway has validated the body. What is checked here again is what the table and the answers
rely on: the shape, what its validation leaves out (`maxItems`), and what the table cannot hold.
"""

import decimal
import json
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from boto3.dynamodb.types import DYNAMODB_CONTEXT

from consumer.entity import Entity, Schema

MAX_BODY_BYTES = 262_144
"""As UTF-8; what the queue takes, and little enough to fit an item (400 KB) with its receipt."""

MAX_DEPTH = 32
"""How deep values may be nested.

Source: Amazon DynamoDB Developer Guide, "Quotas": attributes up to 32 levels deep.
"""

# Of numbers. boto3 sees to their 38 digits; its limits are a little wider than the service's.
# Source: Amazon DynamoDB Developer Guide, "Data types": from 1E-130 to 9.99...E+125.
_EXPONENTS = range(-130, 126)
_JSON_NAMES = {
    dict: "an object",
    list: "a list",
    str: "text",
    Decimal: "a number",
    bool: "a boolean",
    type(None): "null",
}
_TYPES = {"object": dict, "array": list, "string": str, "number": Decimal, "boolean": bool}

T = TypeVar("T")


class InvalidMessageError(Exception):
    """The message is not one that the API sends; the text says what is wrong with it."""


def members_of(body: str, entity: Entity) -> dict[str, Any]:
    """
    Return the members of a body that the entity's schema names.

    Numbers are `int` where the schema says `integer`, and `Decimal` elsewhere.

    Raises:
        InvalidMessageError: The body is not such an entity; the text repeats no member's value.
    """
    try:
        schema = {**entity.body, "type": "object"}
        members: dict[str, Any] = _Checker(entity.schemas).checked(_parsed(body), schema, "body", 0)
    except RecursionError:
        raise InvalidMessageError("the body is nested too deeply") from None
    return members


def canonical(members: Mapping[str, Any]) -> bytes:
    """Write members so that equal ones, in whatever order or spelling, have the same bytes."""
    text = json.dumps(members, sort_keys=True, separators=(",", ":"), default=_canonical_number)
    return text.encode("ascii")


def shortened(text: str) -> str:
    """Quote at most 40 characters, in ASCII."""
    return json.dumps(text if len(text) <= 40 else text[:39] + "…")


def _canonical_number(value: Decimal) -> dict[str, str]:
    return {"number": str(value.normalize(DYNAMODB_CONTEXT))}


def _parsed(body: str) -> object:
    if len(body.encode("utf-8", "surrogatepass")) > MAX_BODY_BYTES:
        raise InvalidMessageError(f"the body has more than {MAX_BODY_BYTES} bytes")
    try:
        return json.loads(
            body,
            object_pairs_hook=_unique,
            parse_constant=_not_json,
            parse_float=_number,
            parse_int=_number,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise InvalidMessageError(f"the body is not JSON ({where})") from None


def _unique(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for name, value in pairs:
        if name in members:
            raise InvalidMessageError(f"the body has member {shortened(name)} twice in one object")
        members[name] = value
    return members


def _not_json(constant: str) -> object:
    raise InvalidMessageError(f"the body is not JSON: it has {constant}")


def _number(digits: str) -> Decimal:
    if math.isinf(float(digits)):
        raise InvalidMessageError("the body has a number that is too large")
    try:
        return Decimal(digits)
    except decimal.InvalidOperation:  # an exponent of more digits than any number needs
        raise InvalidMessageError("the body has a number that is too small") from None


class _Checker:
    """Copies out of a parsed body what a schema names."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = schemas

    def checked(self, value: object, schema: Schema, where: str, depth: int) -> Any:
        """
        Return a value as the table takes it.

        Args:
            value: What `json.loads` gave.
            schema: What it must be.
            where: How to call the value in an error.
            depth: In how many others it is.
        """
        if depth > MAX_DEPTH:
            raise InvalidMessageError("the body is nested too deeply")
        schema = self._schemas[schema["$ref"]] if "$ref" in schema else schema
        if schema.get("type") == "integer":
            return _integer(value, where)
        if "type" in schema:
            _of_type(value, _TYPES[schema["type"]], where)
        if isinstance(value, dict):
            return self._object(value, schema, where, depth)
        if isinstance(value, list):
            return self._array(value, schema, where, depth)
        if isinstance(value, Decimal):
            return _storable(value, where)
        return _text(value, where) if isinstance(value, str) else value

    def _object(
        self, value: dict[str, object], schema: Schema, where: str, depth: int
    ) -> dict[str, object]:
        missing = sorted(set(schema.get("required", ())) - value.keys())
        if missing:
            raise InvalidMessageError(f"{where} lacks {', '.join(missing)}")
        properties = schema.get("properties", {})
        members = {
            name: self.checked(value[name], properties[name], f"{where}.{name}", depth + 1)
            for name in properties
            if name in value
        }
        # Without properties an object holds what its sender likes; with them, what they name.
        others = schema.get("additionalProperties", None if properties else {})
        for name in value.keys() - members if others is not None else ():
            inside = f"a member of {where}"
            members[_text(name, inside)] = self.checked(value[name], others, inside, depth + 1)
        return members

    def _array(self, value: list[object], schema: Schema, where: str, depth: int) -> list[object]:
        if len(value) > schema.get("maxItems", len(value)):
            raise InvalidMessageError(f"{where} has more than {schema['maxItems']} items")
        kind = schema.get("items", {})
        return [
            self.checked(each, kind, f"{where}[{index}]", depth + 1)
            for index, each in enumerate(value)
        ]


def _integer(value: object, where: str) -> int:
    number = _storable(_of_type(value, Decimal, where), where)
    if number != number.to_integral_value():
        raise InvalidMessageError(f"{where} must be a whole number")
    return int(number)


def _storable(number: Decimal, where: str) -> Decimal:
    try:
        exact = DYNAMODB_CONTEXT.create_decimal(number)
    except decimal.DecimalException:
        exact = None
    if exact is None or (exact and exact.adjusted() not in _EXPONENTS):
        raise InvalidMessageError(f"{where} is a number that the table cannot hold")
    return exact


def _text(text: str, where: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidMessageError(f"{where} has half a surrogate pair") from None
    return text


def _of_type(value: object, expected: type[T], where: str) -> T:
    if isinstance(value, expected):
        return value
    found = _JSON_NAMES[type(value)]
    raise InvalidMessageError(f"{where} must be {_JSON_NAMES[expected]}; it is {found}")
