"""Integration request."""

from collections.abc import Callable
from typing import Any

import pytest

from deploy.local.api import Method
from deploy.local.exchange import BackendRequest, ConfigurationError, GatewayError, RoutedRequest
from deploy.local.stages.integration_request import build

Make = Callable[..., Any]


def integration(**members: Any) -> dict[str, Any]:
    """Return an HTTP integration."""
    return {
        "type": "http",
        "httpMethod": "PUT",
        "uri": "http://127.0.0.1:9/{id}",
        "responses": {"default": {"statusCode": "200"}},
        **members,
    }


@pytest.fixture
def built(method_of: Make, routed_of: Make) -> Callable[..., BackendRequest]:
    """Return a function that builds the backend request of an integration."""

    def make(request: dict[str, Any] | None = None, **members: Any) -> BackendRequest:
        parameters = [
            {"name": "id", "in": "path", "required": True},
            {"name": "q", "in": "query"},
            {"name": "X-Who", "in": "header"},
        ]
        method: Method = method_of(integration(**members), parameters=parameters)
        routed: RoutedRequest = routed_of(method, **(request or {}))
        return build(routed)

    return make


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'a literal'", "a literal"),
        ("context.identity.sourceIp", "192.0.2.7"),
        ("stageVariables.speed", "fast"),
        ("method.request.path.id", "1"),
        ("method.request.header.x-who", "me"),
        ("method.request.querystring.q", "2"),
        ("method.request.multivaluequerystring.q", "1,2"),
        ("method.request.body", '{"a":{"b":[7]}}'),
        ("method.request.body.a.b[0]", "7"),
    ],
)
def test_request_parameters_are_mapped(built: Make, expression: str, value: str) -> None:
    """Every kind of mapping expression yields its value."""
    request = {"headers": {"X-Who": "me"}, "query": "q=1&q=2", "body": b'{"a":{"b":[7]}}'}
    result = built(request, requestParameters={"integration.request.header.X-Out": expression})
    assert result.headers["X-Out"] == value


def test_mapping_without_value_maps_nothing(built: Make) -> None:
    """A parameter that the client did not send leaves no trace."""
    result = built(
        requestParameters={
            "integration.request.header.X-Out": "method.request.header.X-Who",
            "integration.request.querystring.q": "method.request.querystring.q",
            "integration.request.path.id": "method.request.path.id",
        }
    )
    assert "X-Out" not in result.headers
    assert result.querystring == {}
    assert result.path == {"id": "1"}


@pytest.mark.parametrize(
    ("behavior", "templates", "content_type", "body"),
    [
        ("never", {"application/json": "t"}, None, "t"),
        ("never", {"application/json": "t"}, "application/json;charset=utf-8", "t"),
        ("never", {"application/json": "t"}, "text/plain", None),
        ("never", {}, "text/plain", None),
        ("when_no_templates", {"application/json": "t"}, "text/plain", None),
        ("when_no_templates", {}, "text/plain", "raw"),
        ("when_no_match", {"application/json": "t"}, "text/plain", "raw"),
    ],
)
def test_passthrough_behavior_decides(
    built: Make,
    behavior: str,
    templates: dict[str, str],
    content_type: str | None,
    body: str | None,
) -> None:
    """A template for the media type renders; otherwise the behaviour passes on or refuses."""
    request = {
        "body": b"raw",
        "headers": {"Content-Type": content_type} if content_type else {},
    }
    members = {"passthroughBehavior": behavior, "requestTemplates": templates}
    if body is not None:
        assert built(request, **members).body == body
        return
    with pytest.raises(GatewayError) as raised:
        built(request, **members)
    assert raised.value.response_type == "UNSUPPORTED_MEDIA_TYPE"


def test_overrides_win_over_mappings(built: Make) -> None:
    """`$context.requestOverride` replaces headers, path and query parameters."""
    template = (
        "#set($context.requestOverride.header.x-out = 'o')"
        "#set($context.requestOverride.path.id = 'p')"
        "#set($context.requestOverride.querystring.q = 's')"
    )
    result = built(
        requestTemplates={"application/json": template},
        requestParameters={"integration.request.header.X-Out": "'mapped'"},
    )
    assert {k.lower(): v for k, v in result.headers.items()}["x-out"] == "o"
    assert result.path == {"id": "p"}
    assert result.querystring == {"q": ["s"]}


def test_failing_template_is_a_configuration_error(built: Make) -> None:
    """The cause names the place in the document and the template's line."""
    template = (
        "ok\n#set($context.requestOverride.path.id = 1)\n#set($context.requestOverride.path.id = 2)"
    )
    with pytest.raises(ConfigurationError) as raised:
        built(requestTemplates={"application/json": template})
    assert "requestTemplates, application/json" in raised.value.cause
    assert "3" in raised.value.cause


def test_payload_that_is_not_json_is_the_clients_fault(built: Make) -> None:
    """A template that reads into a payload that is not JSON answers 400."""
    with pytest.raises(GatewayError) as raised:
        built({"body": b"not json"}, requestTemplates={"application/json": "$input.path('$.a')"})
    assert raised.value.response_type == "BAD_REQUEST_BODY"
    assert raised.value.message.startswith("Could not parse request body into json")


@pytest.mark.parametrize("name", ["Content-Length", "Transfer-Encoding", "X-Amzn-Trace-Id"])
def test_some_headers_cannot_be_set(built: Make, name: str) -> None:
    """Setting a header that is the gateway's own fails the invocation."""
    with pytest.raises(ConfigurationError):
        built(requestParameters={f"integration.request.header.{name}": "'1'"})


def test_proxy_passes_headers_and_query(built: Make) -> None:
    """http_proxy sends what the client sent, Host excepted."""
    request = {
        "headers": {"X-Who": "me", "Accept": "text/html"},
        "query": "a=1&a=2",
        "body": b"raw",
    }
    result = built(request, type="http_proxy")
    assert result.headers["X-Who"] == "me"
    assert result.headers["Accept"] == "text/html"
    assert "Host" not in result.headers
    assert result.querystring == {"a": ["1", "2"]}
    assert result.body == "raw"


@pytest.mark.parametrize(
    ("body", "text"),
    [(b"caf\xc3\xa9", "café"), (b"caf\xe9 \xff\xfe", "caf\ufffd \ufffd\ufffd"), (b"\x00", "\x00")],
)
@pytest.mark.parametrize("members", [{}, {"requestTemplates": {"application/json": "$input.body"}}])
def test_bodies_are_read_as_utf_8(
    built: Make, members: dict[str, Any], body: bytes, text: str
) -> None:
    """What is no UTF-8 becomes U+FFFD, passed through or by a template."""
    assert built({"body": body}, **members).body == text
