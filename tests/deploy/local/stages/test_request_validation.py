"""Request validation."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from deploy.local.api import Method
from deploy.local.exchange import GatewayError, RoutedRequest
from deploy.local.stages.request_validation import validate

Routed = Callable[..., RoutedRequest]
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "age"],
    "properties": {
        "name": {"type": "string", "minLength": 2, "maxLength": 4, "pattern": "^[a-z]+$"},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "kind": {"type": "string", "enum": ["a", "b"], "nullable": True},
        "when": {"type": "string", "format": "date-time"},
        "tags": {"type": "array", "maxItems": 1, "uniqueItems": True, "items": {"type": "string"}},
        "home": {"$ref": "#/components/schemas/Home"},
        "either": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
        "default": {"type": "string"},
        "price": {"multipleOf": 0.01},
    },
}
HOME = {"type": "object", "required": ["street"], "properties": {"street": {"type": "string"}}}


@pytest.fixture
def method(method_of: Callable[..., Method]) -> Method:
    """A method that validates parameters and JSON bodies."""
    return method_of(
        root={
            "components": {"schemas": {"Home": HOME}},
            "x-amazon-apigateway-request-validators": {
                "all": {"validateRequestBody": True, "validateRequestParameters": True}
            },
        },
        **{
            "x-amazon-apigateway-request-validator": "all",
            "parameters": [
                {"name": "id", "in": "path", "required": True},
                {"name": "X-Who", "in": "header", "required": True},
                {"name": "page", "in": "query", "required": True},
                {"name": "size", "in": "query", "required": False},
            ],
            "requestBody": {"content": {"application/json": {"schema": SCHEMA}}},
        },
    )


def failure(routed: RoutedRequest) -> GatewayError:
    """Return what the validation says of a request that fails it."""
    with pytest.raises(GatewayError) as raised:
        validate(routed)
    return raised.value


def with_body(routed_of: Routed, method: Method, body: Any, **headers: str) -> RoutedRequest:
    """Return a request with all parameters and a JSON body."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return routed_of(method, query="page=1", headers={"X-Who": "me", **headers}, body=payload)


def test_valid_request_passes(routed_of: Routed, method: Method) -> None:
    """What fits the model passes; formats, nullable and item counts are not enforced."""
    body = {"name": "ada", "age": 1, "when": "never", "tags": ["a", "b"], "default": "x"}
    validate(with_body(routed_of, method, body))


@pytest.mark.parametrize(
    ("query", "headers", "missing"),
    [
        ("", {}, "X-Who, page"),
        ("page=%20", {"X-Who": "me"}, "page"),
        ("Page=1", {"x-who": "me"}, "X-Who, page"),
        ("page=1", {"X-Who": "  "}, "X-Who"),
    ],
)
def test_missing_and_blank_parameters_are_named(
    routed_of: Routed, method: Method, query: str, headers: dict[str, str], missing: str
) -> None:
    """Required parameters have to be there, by their very name, and not blank; headers first."""
    error = failure(routed_of(method, query=query, headers=headers, body=b"not json"))
    assert error.response_type == "BAD_REQUEST_PARAMETERS"
    assert error.message == f"Missing required request parameters: [{missing}]"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"name": None},
            'instance type (null) does not match any allowed primitive type (allowed: ["string"])',
        ),
        (
            {"age": 1.5},
            (
                "instance type (number) does not match any allowed primitive type "
                '(allowed: ["integer"])'
            ),
        ),
        (
            {"age": True},
            (
                "instance type (boolean) does not match any allowed primitive type "
                '(allowed: ["integer"])'
            ),
        ),
        ({"name": "a"}, 'string "a" is too short (length: 1, required minimum: 2)'),
        ({"name": "abcde"}, 'string "abcde" is too long (length: 5, maximum allowed: 4)'),
        ({"name": "a1"}, 'ECMA 262 regex "^[a-z]+$" does not match input string "a1"'),
        ({"name": "ab\n"}, 'ECMA 262 regex "^[a-z]+$" does not match input string "ab\\n"'),
        (
            {"age": -1},
            "numeric instance is lower than the required minimum (minimum: 0, found: -1)",
        ),
        (
            {"age": 151},
            "numeric instance is greater than the required maximum (maximum: 150, found: 151)",
        ),
        ({"kind": "c"}, 'instance value ("c") not found in enum (possible values: ["a","b"])'),
        (
            {"x": 1, "b": 2},
            'object instance has properties which are not allowed by the schema: ["b","x"]',
        ),
        ({"price": 19.995}, "remainder of division is not zero (19.995 / 0.01)"),
        ({"tags": ["a", "a"]}, "array must not contain duplicate elements"),
        ({"home": {}}, 'object has missing required properties (["street"])'),
        ({"either": []}, "instance failed to match exactly one schema (matched 0 out of 2)"),
    ],
)
def test_detail_has_the_words_of_aws(
    routed_of: Routed, method: Method, change: dict[str, Any], text: str
) -> None:
    """`validationErrorString` says what is wrong in the words of AWS's validator."""
    error = failure(with_body(routed_of, method, {"name": "ada", "age": 1, **change}))
    assert error.response_type == "BAD_REQUEST_BODY"
    assert error.message == "Invalid request body"
    assert error.validation_error == f"[{text}]"


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (
            {"dependencies": {"a": ["c", "b"], "d": ["a"]}},
            (
                'property "a" of object has missing property dependencies '
                '(schema requires ["b","c"]; missing: ["b","c"])'
            ),
        ),
        (
            {"allOf": [{"required": ["a"]}, {"required": ["b"]}, {"required": ["c"]}]},
            "instance failed to match all required schemas (matched only 1 out of 3)",
        ),
        (
            {"patternProperties": {"^x": {}}, "additionalProperties": False},
            'object instance has properties which are not allowed by the schema: ["a"]',
        ),
    ],
)
def test_keywords_of_whole_objects_have_aws_words(
    routed_of: Routed, method_of: Callable[..., Method], schema: dict[str, Any], text: str
) -> None:
    """What several members break together is one message."""
    root = {
        "x-amazon-apigateway-request-validators": {"body": {"validateRequestBody": True}},
        "x-amazon-apigateway-request-validator": "body",
    }
    content = {"application/json": {"schema": {"type": "object", **schema}}}
    method = method_of(requestBody={"content": content}, root=root)
    assert failure(routed_of(method, body=b'{"a":1,"x1":2}')).validation_error == f"[{text}]"


def test_all_missing_members_are_in_one_message(routed_of: Routed, method: Method) -> None:
    """Members that are missing are listed together, sorted."""
    error = failure(with_body(routed_of, method, {}))
    assert error.validation_error == '[object has missing required properties (["age","name"])]'


@pytest.mark.parametrize(
    "body",
    [b"{", b"", b"NaN", b'{"name": NaN}', b"[" * 100_000, b"\xff\xfe", b'{"name":"ada","age":1}x'],
)
def test_bodies_that_are_not_json_fail(routed_of: Routed, method: Method, body: bytes) -> None:
    """What is not JSON, or not there, or nested without end, is an invalid body."""
    error = failure(with_body(routed_of, method, body))
    assert error.response_type == "BAD_REQUEST_BODY"
    assert error.validation_error == "[Unknown error parsing request body]"


@pytest.mark.parametrize("price", [19.99, 0.3, 7, 1e300, True, "free", None])
def test_multiples_are_exact(routed_of: Routed, method: Method, price: object) -> None:
    """Decimal numbers are divided as written; what is no number is no matter of multipleOf."""
    validate(with_body(routed_of, method, {"name": "ada", "age": 1, "price": price}))


def test_number_beyond_all_multiples_passes(routed_of: Routed, method: Method) -> None:
    """A number too large for a double ends in zeros."""
    validate(with_body(routed_of, method, b'{"name":"ada","age":1,"price":1e400}'))


def test_media_type_without_model_is_not_validated(routed_of: Routed, method: Method) -> None:
    """Validation is for media types with a model; the passthrough behaviour sees to the others."""
    validate(with_body(routed_of, method, b"{", **{"Content-Type": "text/plain"}))
    with_charset = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert failure(with_body(routed_of, method, b"{", **with_charset))
