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

    def make(
        request: dict[str, Any] | None = None, root: dict[str, Any] | None = None, **members: Any
    ) -> BackendRequest:
        parameters = [
            {"name": "id", "in": "path", "required": True},
            {"name": "q", "in": "query"},
            {"name": "X-Who", "in": "header"},
        ]
        method: Method = method_of(integration(**members), root, parameters=parameters)
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
        ("method.request.header.X-Who", "you"),
        ("method.request.multivalueheader.X-Who", "me,you"),
        ("method.request.querystring.q", "2"),
        ("method.request.multivaluequerystring.q", "1,2"),
        ("method.request.body", '{"a":{"b":[7]}}'),
        ("method.request.body.a.b[0]", "7"),
    ],
)
def test_request_parameters_are_mapped(built: Make, expression: str, value: str) -> None:
    """Every kind of mapping expression yields its value."""
    headers = [("X-Who", "me"), ("X-Who", "you")]
    request = {"headers": headers, "query": "q=1&q=2", "body": b'{"a":{"b":[7]}}'}
    result = built(request, requestParameters={"integration.request.header.X-Out": expression})
    assert result.headers["X-Out"] == value


def test_mapping_without_value_maps_nothing(built: Make) -> None:
    """A parameter that the client did not send, or in another case, leaves no trace."""
    result = built(
        {"headers": {"x-who": "me"}, "query": "Q=1"},
        requestParameters={
            "integration.request.header.X-Out": "method.request.header.X-Who",
            "integration.request.querystring.q": "method.request.querystring.q",
            "integration.request.path.id": "method.request.path.id",
            "integration.request.header.X-Map": "context.identity",
        },
    )
    assert not {"X-Out", "X-Map"} & result.headers.keys()
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


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", None])
def test_default_template_is_for_what_has_none(built: Make, content_type: str | None) -> None:
    """The template `$default` renders whatever has no template of its own."""
    request = {"headers": {"Content-Type": content_type} if content_type else {}}
    templates = {"$default": "other", "text/plain": "text"}
    result = built(request, requestTemplates=templates, passthroughBehavior="never")
    assert result.body == ("text" if content_type == "text/plain" else "other")


@pytest.mark.parametrize(
    ("method", "sent", "received"),
    [
        ("POST", "text/plain", "text/plain"),
        ("DELETE", "text/plain", "text/plain"),
        ("POST", None, None),
        ("GET", "text/plain", None),
        ("HEAD", "text/plain", None),
        ("OPTIONS", "text/plain", None),
    ],
)
def test_content_type_is_the_clients(
    built: Make, method: str, sent: str | None, received: str | None
) -> None:
    """The backend gets the client's content type, but of requests without a body."""
    request = {"http_method": method, "headers": {"Content-Type": sent} if sent else {}}
    assert built(request).headers.get("Content-Type") == received


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


def test_overrides_print_as_in_templates(built: Make) -> None:
    """Values are Java's texts; a list is several values, but in a path."""
    template = (
        "#set($override = $context.requestOverride)"
        "#set($override.header.list = ['1', true])#set($override.querystring.list = ['1', true])"
        "#set($override.path.id = ['1', true])#set($override.querystring.map = {'k': 'v'})"
    )
    result = built(requestTemplates={"application/json": template})
    assert result.headers["list"] == "1,true"
    assert result.querystring == {"list": ["1", "true"], "map": ["{k=v}"]}
    assert result.path == {"id": "[1, true]"}


def test_failing_template_is_a_configuration_error(built: Make) -> None:
    """The cause names the place in the document and the template's line."""
    template = (
        "ok\n#set($context.requestOverride.path.id = 1)\n#set($context.requestOverride.path.id = 2)"
    )
    with pytest.raises(ConfigurationError) as raised:
        built(requestTemplates={"application/json": template})
    assert "requestTemplates, application/json" in raised.value.cause
    assert "3" in raised.value.cause


@pytest.mark.parametrize(
    "integration",
    [
        {"requestTemplates": {"application/json": "$input.path('$.a')"}},
        {"requestParameters": {"integration.request.header.X": "method.request.body.a"}},
        {"requestParameters": {"integration.request.header.X": "method.request.body"}},
    ],
)
def test_broken_json_is_the_clients_fault(built: Make, integration: dict[str, object]) -> None:
    """A template or a mapping that reads into a payload of broken JSON answers 400."""
    with pytest.raises(GatewayError) as raised:
        built({"body": b"\n{wrong"}, **integration)
    assert (raised.value.response_type, raised.value.status) == ("DEFAULT_4XX", 400)
    assert raised.value.message == "Invalid JSON in request body"


@pytest.mark.parametrize(
    ("body", "source", "value"),
    [
        (b"", "method.request.body", "{}"),
        (b"a=1", "method.request.body", "a=1"),
        (b"a=1", "method.request.body.a", None),
        (b'{"a":[]}', "method.request.body.a.max()", None),
    ],
)
def test_bodies_are_mapped_as_templates_read_them(
    built: Make, body: bytes, source: str, value: str | None
) -> None:
    """An empty body is an empty object, and what is no JSON is a text with nothing in it."""
    mapping = {"integration.request.header.X-Out": source}
    result = built({"body": body}, requestParameters=mapping)
    assert result.headers.get("X-Out") == value


def test_client_cannot_break_a_header(built: Make) -> None:
    """A line break in what is mapped to a header is a space."""
    mapping = {"integration.request.header.X-Out": "method.request.body"}
    result = built({"body": b"a\r\nX-Evil: b\n"}, requestParameters=mapping)
    assert result.headers["X-Out"] == "a X-Evil: b"


@pytest.mark.parametrize("type_", ["http", "http_proxy"])
@pytest.mark.parametrize("name", ["Content-Length", "Transfer-Encoding", "X-Amzn-Trace-Id"])
def test_some_headers_cannot_be_set(built: Make, name: str, type_: str) -> None:
    """Setting a header that is the gateway's own fails the invocation."""
    with pytest.raises(ConfigurationError):
        built(requestParameters={f"integration.request.header.{name}": "'1'"}, type=type_)


def test_proxy_passes_headers_and_query(built: Make) -> None:
    """http_proxy sends what the client sent, but for the host, the coding and the gateway's own."""
    own = {"Content-Encoding": "gzip", "X-Amzn-Apigateway-Api-Id": "forged"}
    request = {
        "headers": {"X-Who": "me", "Accept": "text/html", **own},
        "query": "a=1&a=2",
        "body": b"raw",
    }
    result = built(request, type="http_proxy")
    assert not {"Content-Encoding", "X-Amzn-Apigateway-Api-Id"} & result.headers.keys()
    assert result.headers["X-Who"] == "me"
    assert result.headers["Accept"] == "text/html"
    assert "Host" not in result.headers
    assert result.querystring == {"a": ["1", "2"]}
    assert result.body == "raw"


def test_proxy_adds_mappings(built: Make) -> None:
    """Mapped query parameters follow the client's, mapped headers replace them."""
    mappings = {
        "integration.request.querystring.a": "'3'",
        "integration.request.querystring.b": "'4'",
        "integration.request.header.x-who": "'you'",
        "integration.request.header.Content-Encoding": "'gzip'",
    }
    request = {"headers": {"X-Who": "me"}, "query": "a=1&a=2"}
    result = built(request, type="http_proxy", requestParameters=mappings)
    assert {k: [*v] for k, v in result.querystring.items()} == {"a": ["1", "2", "3"], "b": ["4"]}
    assert (result.headers["x-who"], result.headers["Content-Encoding"]) == ("you", "gzip")
    assert "X-Who" not in result.headers


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


BINARY = {"x-amazon-apigateway-binary-media-types": ["image/png"]}


@pytest.mark.parametrize("type_", ["http", "http_proxy"])
def test_binary_payloads_stay_as_they_are(built: Make, type_: str) -> None:
    """What has a binary media type is sent byte by byte, other payloads as text."""
    png = {"body": b"\xff\x00", "headers": {"Content-Type": "image/png"}}
    assert built(png, BINARY, type=type_).payload == b"\xff\x00"
    assert built(png, type=type_).payload == "\ufffd\x00".encode()


def test_binary_payloads_have_no_template(built: Make) -> None:
    """A template takes text only, which a binary payload becomes by contentHandling."""
    members = {"requestTemplates": {"image/png": "[$input.body]"}}
    png = {"body": b"\xff\x00", "headers": {"Content-Type": "image/png"}}
    with pytest.raises(ConfigurationError) as raised:
        built(png, BINARY, **members)
    assert "Unable to transform request" in raised.value.cause
    assert built(png, BINARY, contentHandling="CONVERT_TO_TEXT", **members).body == "[/wA=]"


def test_payload_that_is_no_base64_is_a_configuration_error(built: Make) -> None:
    """CONVERT_TO_BINARY needs Base64."""
    assert built({"body": b"/wA="}, contentHandling="CONVERT_TO_BINARY").payload == b"\xff\x00"
    with pytest.raises(ConfigurationError):
        built({"body": b"abcde"}, contentHandling="CONVERT_TO_BINARY")
