"""
Models: the JSON Schemas of request bodies, as API Gateway validates with them.

API Gateway takes JSON Schema draft 4 and leaves out of it what its documentation lists; its
messages are those of json-schema-validator 2 (a Java library), whose wording is kept here.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import Any, NamedTuple, NoReturn

from jsonschema import Draft4Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from deploy.local.definition import Node

# What is said of an empty body was seen by third parties, in a log of November 2021 and in tests
# against APIs that are live; that broken JSON has the same text, in an emulator's sources only.
_UNREADABLE = "[Unknown error parsing request body]"
# Keywords that the import drops. `format` is not enforced either (observed, not documented).
_DROPPED = frozenset(
    {
        *("default", "deprecated", "discriminator", "example", "exclusiveMinimum", "format"),
        *("maxItems", "minItems", "nullable", "readOnly", "writeOnly", "xml", "externalDocs"),
    }
)
# Members whose values are data, and members that hold schemas by a name of the user's.
_LITERAL = frozenset({"enum", "required"})
_NAMED_SCHEMAS = frozenset({"properties", "patternProperties", "definitions"})
_ORIGINAL_PATTERN = "x-pattern"
_REFERENCE = re.compile(r"#/components/schemas/([^/]+)")
# In ECMA 262 `$` is the very end and \d, \w are ASCII; not so in Python.
_ECMA_ESCAPES = {r"\d": "[0-9]", r"\D": "[^0-9]", r"\w": "[A-Za-z0-9_]", r"\W": "[^A-Za-z0-9_]"}
_ECMA_CLASS_ESCAPES = {r"\d": "0-9", r"\w": "A-Za-z0-9_"}
_ECMA_TOKEN = re.compile(r"\\.|\[\^?|\]|\$|.", re.DOTALL)


def _multiple_of(
    _: object, divisor: float, instance: object, __: object
) -> Iterator[ValidationError]:
    """Divide exactly, as java.math.BigDecimal does: 19.99 is a multiple of 0.01."""
    if isinstance(instance, bool) or not isinstance(instance, int | float):
        return
    # What is too large for a float ends in zeros; its own digits are not known any more.
    if isfinite(instance) and Fraction(str(instance)) % Fraction(str(divisor)):
        yield ValidationError("")


def _all_of(
    validator: Validator, schemas: Sequence[Mapping[str, object]], instance: Any, _: object
) -> Iterator[ValidationError]:
    """Tell the schemas that match, and not what is wrong with the others."""
    matched = sum(validator.evolve(schema=schema).is_valid(instance) for schema in schemas)
    if matched < len(schemas):
        yield ValidationError(
            "instance failed to match all required schemas "
            f"(matched only {matched} out of {len(schemas)})"
        )


_Validator = extend(  # type: ignore[no-untyped-call]
    Draft4Validator, {"allOf": _all_of, "multipleOf": _multiple_of}
)


@dataclass(frozen=True, slots=True)
class Model:
    """
    A compiled model.

    Args:
        validator: The schema, with all that it refers to.
    """

    validator: Validator

    def problems(self, text: str) -> str | None:
        """
        Validate a body.

        Args:
            text: The payload.

        Returns:
            `$context.error.validationErrorString`, or `None` for a valid body.
        """
        try:
            instance = json.loads(text, parse_constant=_refuse_constant)
            errors = dict.fromkeys(map(_message, self.validator.iter_errors(instance)))
        except (ValueError, RecursionError):
            return _UNREADABLE
        return f"[{', '.join(errors)}]" if errors else None


def import_model(schema: Node) -> Model:
    """
    Compile a schema of the document.

    Args:
        schema: The schema object; references are followed to `components.schemas`.

    Raises:
        ApiImportError: The schema is not one, or a pattern in it is not a regular expression.
    """
    components = Node.root(schema.document).child("components").child("schemas")
    definitions: dict[str, object] = {}
    body = _converted(schema.mapping(), components, definitions)
    compiled = {**body, "definitions": definitions}
    try:
        Draft4Validator.check_schema(compiled)
        _compile_patterns(compiled)
    except Exception as error:
        raise schema.refusal(
            f"Invalid model specified: {getattr(error, 'message', error)}"
        ) from error
    return Model(_Validator(compiled))


def _converted(
    schema: Mapping[str, object], components: Node, definitions: dict[str, object]
) -> dict[str, object]:
    """Return a schema as draft 4 has it, and put the schemas that it refers to in `definitions`."""
    reference = schema.get("$ref")
    if isinstance(reference, str):
        return {"$ref": _definition(reference, components, definitions)}
    converted: dict[str, object] = {}
    for keyword, value in schema.items():
        if keyword == "pattern" and isinstance(value, str):
            converted[keyword] = _python_pattern(value)
            converted[_ORIGINAL_PATTERN] = value
        elif keyword in _LITERAL:
            converted[keyword] = value
        elif keyword in _NAMED_SCHEMAS and isinstance(value, Mapping):
            converted[keyword] = {
                name: _nested(item, components, definitions) for name, item in value.items()
            }
        elif keyword not in _DROPPED and not keyword.startswith("x-"):
            converted[keyword] = _nested(value, components, definitions)
    return converted


def _nested(value: object, components: Node, definitions: dict[str, object]) -> object:
    if isinstance(value, list):
        return [_nested(item, components, definitions) for item in value]
    return _converted(value, components, definitions) if isinstance(value, Mapping) else value


def _definition(reference: str, components: Node, definitions: dict[str, object]) -> str:
    match = _REFERENCE.fullmatch(reference)
    if match is None or match[1] not in components.mapping():
        raise components.refusal(f"$ref {reference!r} points to no schema")
    name = match[1]
    if name not in definitions:
        definitions[name] = {}
        schema = components.child(name).mapping()
        definitions[name] = _converted(schema, components, definitions)
    return f"#/definitions/{name}"


def _python_pattern(pattern: str) -> str:
    parts, in_class = [], False
    for token in _ECMA_TOKEN.findall(pattern):
        translated = token
        if token.startswith("["):
            translated, in_class = (r"\[" if in_class else token), True
        elif token == "]":
            in_class = False
        elif in_class:
            translated = _ECMA_CLASS_ESCAPES.get(token, token)
        elif token == "$":
            translated = r"\Z"
        else:
            translated = _ECMA_ESCAPES.get(token, token)
        parts.append(translated)
    return "".join(parts)


def _compile_patterns(schema: object) -> None:
    if isinstance(schema, list):
        for item in schema:
            _compile_patterns(item)
    elif isinstance(schema, Mapping):
        pattern = schema.get("pattern")
        if isinstance(pattern, str):
            re.compile(pattern)
        for item in schema.values():
            _compile_patterns(item)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class _Violation(NamedTuple):
    instance: Any
    limit: Any
    schema: Mapping[str, Any]
    alternatives_failed: bool


def _message(error: ValidationError) -> str:
    """Return a validation error in the words of json-schema-validator."""
    describe = _MESSAGES.get(str(error.validator))
    if describe is None:
        return str(error.message)
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    return describe(_Violation(error.instance, error.validator_value, schema, bool(error.context)))


def _names(values: Sequence[object]) -> str:
    return f"[{','.join(_json(value) for value in values)}]"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _type_name(instance: object) -> str:
    for name in ("null", "boolean", "integer", "number", "string", "array"):
        if Draft4Validator.TYPE_CHECKER.is_type(instance, name):
            return name
    return "object"


def _type_message(error: _Violation) -> str:
    wanted = error.limit
    allowed = set(wanted) if isinstance(wanted, list) else {wanted}
    if "number" in allowed:
        allowed.add("integer")
    return (
        f"instance type ({_type_name(error.instance)}) does not match any allowed primitive type "
        f"(allowed: {_names(sorted(allowed))})"
    )


def _required_message(error: _Violation) -> str:
    missing = sorted(name for name in error.limit if name not in error.instance)
    return f"object has missing required properties ({_names(missing)})"


def _additional_message(error: _Violation) -> str:
    known = error.schema.get("properties", {})
    patterns = tuple(error.schema.get("patternProperties", ()))
    extra = sorted(
        name
        for name in error.instance
        if name not in known and not any(re.search(pattern, name) for pattern in patterns)
    )
    return f"object instance has properties which are not allowed by the schema: {_names(extra)}"


def _dependencies_message(error: _Violation) -> str:
    """Return one message for each property; the validator asks for each that is missing."""
    messages = []
    for name, wanted in sorted(error.limit.items()):
        required = sorted(wanted) if isinstance(wanted, list) and name in error.instance else ()
        missing = [other for other in required if other not in error.instance]
        if missing:
            messages.append(
                f"property {_json(name)} of object has missing property dependencies "
                f"(schema requires {_names(required)}; missing: {_names(missing)})"
            )
    return ", ".join(messages)


_MESSAGES: Mapping[str, Callable[[_Violation], str]] = {
    "type": _type_message,
    "required": _required_message,
    "additionalProperties": _additional_message,
    "dependencies": _dependencies_message,
    "enum": lambda e: (
        f"instance value ({_json(e.instance)}) not found in enum "
        f"(possible values: {_names(e.limit)})"
    ),
    "minLength": lambda e: (
        f"string {_json(e.instance)} is too short "
        f"(length: {len(e.instance)}, required minimum: {e.limit})"
    ),
    "maxLength": lambda e: (
        f"string {_json(e.instance)} is too long "
        f"(length: {len(e.instance)}, maximum allowed: {e.limit})"
    ),
    "pattern": lambda e: (
        f"ECMA 262 regex {_json(e.schema[_ORIGINAL_PATTERN])} does not match "
        f"input string {_json(e.instance)}"
    ),
    "minimum": lambda e: (
        "numeric instance is lower than the required minimum "
        f"(minimum: {_json(e.limit)}, found: {_json(e.instance)})"
    ),
    "maximum": lambda e: (
        "numeric instance is greater than the required maximum "
        f"(maximum: {_json(e.limit)}, found: {_json(e.instance)})"
    ),
    "multipleOf": lambda e: (
        f"remainder of division is not zero ({_json(e.instance)} / {_json(e.limit)})"
    ),
    "uniqueItems": lambda _: "array must not contain duplicate elements",
    "minProperties": lambda e: (
        f"object has too few properties (found {len(e.instance)} but schema requires at least "
        f"{e.limit})"
    ),
    "maxProperties": lambda e: (
        f"object has too many properties (found {len(e.instance)} but schema requires at most "
        f"{e.limit})"
    ),
    "oneOf": lambda e: (
        "instance failed to match exactly one schema "
        f"(matched {0 if e.alternatives_failed else 2} out of {len(e.limit)})"
    ),
    "anyOf": lambda e: (
        f"instance failed to match at least one required schema among {len(e.limit)}"
    ),
    "not": lambda _: "instance matched a schema which it should not have",
}
