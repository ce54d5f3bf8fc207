"""Gateway response."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from deploy.local.context import arrival_context
from deploy.local.definition import ApiImportError
from deploy.local.exchange import GatewayError, Request, Response
from deploy.local.headers import MAX_FIELD_CHARACTERS
from deploy.local.stages.gateway_response import Failure, build, import_gateway_responses

RequestOf = Callable[..., Request]


def answered(
    request: Request, definition: dict[str, Any], error: GatewayError | None = None
) -> Response:
    """Return the gateway response to a body that failed validation, or to another error."""
    chosen = error or GatewayError(
        "BAD_REQUEST_BODY", 'Say "x"', "BadRequestException", validation_error='[no "a"\nhere]'
    )
    responses = import_gateway_responses({"x-amazon-apigateway-gateway-responses": definition})
    context = arrival_context(
        request, account_id="1" * 12, api_id="api", stage="dev", now=1_795_000_000.0
    )
    failure = Failure(request, context, {"speed": "fast"}, {"id": "7"})
    return build(responses[chosen.response_type], chosen, failure)


def test_default_says_the_message(request_of: RequestOf) -> None:
    """Without definition the body is the message, and the headers name the error."""
    response = answered(request_of(), {})
    headers = dict(response.headers)
    assert response.status == 400
    assert json.loads(response.body) == {"message": 'Say "x"'}
    assert headers["Content-Type"] == "application/json"
    assert headers["x-amzn-ErrorType"] == "BadRequestException"
    assert {"x-amzn-RequestId", "x-amz-apigw-id"} <= headers.keys()


@pytest.mark.parametrize(
    ("response_type", "body"),
    [
        ("API_CONFIGURATION_ERROR", '{"message": "m"}'),
        ("BAD_REQUEST_BODY", '{"message": "m"}'),
        ("MISSING_AUTHENTICATION_TOKEN", '{"message":"m"}'),
        ("ACCESS_DENIED", '{"Message":"m"}'),
    ],
)
def test_built_in_bodies_are_those_on_the_wire(
    request_of: RequestOf, response_type: Any, body: str
) -> None:
    """What is not defined is written as AWS writes it; what is, as the documented default."""
    error = GatewayError(response_type, "m", "E")
    assert answered(request_of(), {}, error).body.decode() == body
    assert answered(request_of(), {response_type: {}}, error).body == b'{"message":"m"}'


def test_variables_are_put_in(request_of: RequestOf) -> None:
    """Variables of all roots are replaced, braces or not; anything else stays, VTL included."""
    template = (
        "$context.error.message|${context.error.responseType}|$stageVariables.speed|"
        "$method.request.path.id|$method.request.querystring.q|$method.request.header.X-Who|"
        "[$context.nothing]|$context.responseOverride|#if($x)$input.body#end"
    )
    request = request_of(headers={"x-who": "me"}, query="q=1&q=%C3%A9")
    response = answered(
        request, {"BAD_REQUEST_BODY": {"responseTemplates": {"application/json": template}}}
    )
    assert response.body.decode() == (
        'Say "x"|BAD_REQUEST_BODY|fast|7|é|me|[]||#if($x)$input.body#end'
    )


def test_headers_are_mapped_and_win(request_of: RequestOf) -> None:
    """A Content-Type of the definition wins; values are made fit for a header."""
    response = answered(
        request_of(),
        {
            "BAD_REQUEST_BODY": {
                "responseParameters": {
                    "gatewayresponse.header.content-type": "'application/problem+json'",
                    "gatewayresponse.header.X-Error": "context.error.validationErrorString",
                    "gatewayresponse.header.X-Host": "method.request.header.host",
                }
            }
        },
    )
    headers = {name.lower(): value for name, value in response.headers}
    assert headers["content-type"] == "application/problem+json"
    assert headers["x-error"] == '[no "a" here]'
    assert headers["x-host"] == "h.example:8000"


def test_headers_are_cut_where_clients_give_up(request_of: RequestOf) -> None:
    """A long text of the client's in a header is cut, because clients refuse long lines."""
    error = GatewayError(
        "BAD_REQUEST_BODY", "m", "BadRequestException", validation_error="x" * 10**6
    )
    mapping = {"gatewayresponse.header.X-Error": "context.error.validationErrorString"}
    definition = {"BAD_REQUEST_BODY": {"responseParameters": mapping}}
    headers = dict(answered(request_of(), definition, error).headers)
    assert len(headers["X-Error"]) == MAX_FIELD_CHARACTERS


def test_default_is_for_undefined_types_only(request_of: RequestOf) -> None:
    """A type that is defined takes nothing of DEFAULT_4XX; another takes all of it."""
    default = {"statusCode": 499, "responseTemplates": {"application/json": "default"}}
    own = answered(request_of(), {"DEFAULT_4XX": default, "BAD_REQUEST_BODY": {}})
    assert (own.status, json.loads(own.body)) == (400, {"message": 'Say "x"'})
    taken = answered(request_of(), {"DEFAULT_4XX": default})
    assert (taken.status, taken.body) == (499, b"default")


def test_too_large_cannot_be_customised(request_of: RequestOf) -> None:
    """413 stays as it is."""
    error = GatewayError("REQUEST_TOO_LARGE", "too large", "RequestEntityTooLargeException")
    definition = {"REQUEST_TOO_LARGE": {"statusCode": 418}, "DEFAULT_4XX": {"statusCode": 418}}
    assert answered(request_of(), definition, error).status == 413


def test_accept_selects_the_template(request_of: RequestOf) -> None:
    """Of several templates Accept selects; else the first."""
    definition = {
        "BAD_REQUEST_BODY": {
            "responseTemplates": {"application/json": "json", "application/xml": "xml"}
        }
    }
    assert answered(request_of(headers={"Accept": "application/xml"}), definition).body == b"xml"
    assert answered(request_of(headers={"Accept": "text/html"}), definition).body == b"json"


@pytest.mark.parametrize(
    "definition",
    [
        {"TEAPOT": {}},
        {"THROTTLED": {"statusCode": "abc"}},
        {"THROTTLED": {"responseParameters": {"X-Mine": "'1'"}}},
        {"THROTTLED": {"responseParameters": {"gatewayresponse.header.X": "unquoted"}}},
    ],
)
def test_impossible_definitions_are_refused(definition: dict[str, Any]) -> None:
    """Types, statuses, headers and expressions that do not exist are refused at import."""
    with pytest.raises(ApiImportError):
        import_gateway_responses({"x-amazon-apigateway-gateway-responses": definition})
