"""Integration response."""

from collections.abc import Callable
from typing import Any

import pytest

from deploy.local.exchange import BackendResponse, ConfigurationError, Response
from deploy.local.stages.integration_response import build

Make = Callable[..., Any]
DECLARED = {
    "200": {"description": "ok", "headers": {"X-Out": {}, "Content-Type": {}}},
    "404": {"description": "none"},
    "500": {"description": "broken"},
}


@pytest.fixture
def built(method_of: Make, routed_of: Make) -> Callable[..., Response]:
    """Return a function that builds the response to a backend's answer."""

    def make(
        responses: dict[str, Any],
        status: int = 200,
        body: bytes = b'{"a":"b"}',
        headers: tuple[tuple[str, str], ...] = (),
        request: dict[str, Any] | None = None,
        root: dict[str, Any] | None = None,
    ) -> Response:
        integration = {"type": "mock", "responses": responses}
        routed = routed_of(method_of(integration, root, responses=DECLARED), **(request or {}))
        return build(routed, BackendResponse(status, str(status), headers, body))

    return make


@pytest.mark.parametrize(
    ("status", "chosen"), [(200, 200), (201, 200), (404, 404), (4040, 500), (503, 500)]
)
def test_pattern_is_matched_whole(built: Make, status: int, chosen: int) -> None:
    """A selection pattern has to match the whole status; what none matches takes the default."""
    responses = {
        r"2\d{2}": {"statusCode": "200"},
        "404": {"statusCode": "404"},
        "default": {"statusCode": "500"},
    }
    assert built(responses, status).status == chosen


def test_no_default_is_a_configuration_error(built: Make) -> None:
    """Without a match and without default, the API is at fault."""
    with pytest.raises(ConfigurationError):
        built({"200": {"statusCode": "200"}}, 500)


def test_undeclared_status_is_a_configuration_error(built: Make) -> None:
    """The operation has to declare the status that the mapping names."""
    with pytest.raises(ConfigurationError) as raised:
        built({"default": {"statusCode": "418"}})
    assert "Output mapping refers to an invalid method response" in raised.value.cause


@pytest.mark.parametrize(
    ("accept", "body", "content_type"),
    [
        (None, b"json", "application/json"),
        ("application/xml;q=0.9, application/json", b"xml", "application/xml"),
        ("text/html", b"json", "application/json"),
    ],
)
def test_accept_selects_the_template(
    built: Make, accept: str | None, body: bytes, content_type: str
) -> None:
    """The first media type of Accept selects; JSON where there is none like it."""
    templates = {"application/xml": "xml", "application/json": "json"}
    response = built(
        {"default": {"statusCode": "200", "responseTemplates": templates}},
        request={"headers": {"Accept": accept} if accept else {}},
    )
    assert response.body == body
    assert ("Content-Type", content_type) in response.headers


def test_without_template_the_body_passes(built: Make) -> None:
    """The backend's body is passed on as it is, as application/json."""
    response = built({"default": {"statusCode": "200"}}, body=b"\x00raw")
    assert response.body == b"\x00raw"
    assert ("Content-Type", "application/json") in response.headers


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("integration.response.header.x-in", "i"),
        ("integration.response.multivalueheader.X-In", "h,i"),
        ("integration.response.body.a", "b"),
        ("'literal'", "literal"),
        ("stageVariables.speed", "fast"),
        ("context.stage", "dev"),
    ],
)
def test_response_parameters_are_mapped(built: Make, expression: str, value: str) -> None:
    """Every kind of mapping expression yields its value."""
    mapping = {"method.response.header.X-Out": expression}
    response = built(
        {"default": {"statusCode": "200", "responseParameters": mapping}},
        headers=(("X-In", "h"), ("X-In", "i")),
    )
    assert dict(response.headers)["X-Out"] == value


def test_overrides_win(built: Make) -> None:
    """`$context.responseOverride` replaces status and headers, whatever the case of the name."""
    template = (
        "#set($context.responseOverride.status = 404)"
        "#set($context.responseOverride.header.x-out = 'o')"
        "#set($context.responseOverride.header.content-type = 'application/problem+json')"
    )
    entry = {
        "statusCode": "200",
        "responseParameters": {"method.response.header.X-Out": "'mapped'"},
        "responseTemplates": {"application/json": template},
    }
    response = built({"default": entry})
    assert response.status == 404
    assert dict(response.headers) == {"x-out": "o", "content-type": "application/problem+json"}


@pytest.mark.parametrize("status", ["'404'", "'abc'", "42", "99", "600", "404.0", "true", "[404]"])
def test_no_status_is_no_override(built: Make, status: str) -> None:
    """What is no integer from 100 to 599 leaves the mapped status."""
    template = f"#set($context.responseOverride.status = {status})"
    entry = {"statusCode": "200", "responseTemplates": {"application/json": template}}
    assert built({"default": entry}).status == 200


def test_overrides_print_as_in_templates(built: Make) -> None:
    """Values are Java's texts; a list is a header of several values, on one line."""
    template = (
        "#set($header = $context.responseOverride.header)"
        "#set($header.list = ['1', true, {'k': 1}])#set($header.map = {'k': 'v'})"
        "#set($header.number = 1.0)#set($header.lines = 'a\nb')"
    )
    entry = {"statusCode": "200", "responseTemplates": {"application/json": template}}
    headers = dict(built({"default": entry}).headers)
    assert (headers["list"], headers["map"]) == ("1,true,{k=1}", "{k=v}")
    assert (headers["number"], headers["lines"]) == ("1.0", "a b")


@pytest.mark.parametrize(
    "statement",
    [
        "#set($context.responseOverride.status = 100)",
        "#set($context.responseOverride.header['no name'] = 'x')",
    ],
)
def test_impossible_overrides_are_configuration_errors(built: Make, statement: str) -> None:
    """What HTTP cannot carry is the template's fault, and costs one request."""
    entry = {"statusCode": "200", "responseTemplates": {"application/json": statement}}
    with pytest.raises(ConfigurationError):
        built({"default": entry})


def test_binary_answers_are_for_those_who_accept_them(built: Make) -> None:
    """A binary answer is passed on to a client that accepts it, and is Base64 to another."""
    root = {"x-amazon-apigateway-binary-media-types": ["image/png"]}
    answer = {"body": b"\xff\x00", "headers": (("Content-Type", "image/png"),)}
    entry = {"default": {"statusCode": "200"}}
    accepting = {"headers": {"Accept": "image/png"}}
    assert built(entry, root=root, request=accepting, **answer).body == b"\xff\x00"
    assert built(entry, root=root, **answer).body == b"/wA="
    assert built(entry, **answer).body == "\ufffd\x00".encode()
    entry["default"]["contentHandling"] = "CONVERT_TO_BINARY"
    assert built(entry, body=b"/wA=").body == b"\xff\x00"
    with pytest.raises(ConfigurationError):
        built(entry, body=b"abcde")


def test_binary_answers_have_no_template(built: Make) -> None:
    """A template takes text only, which a binary answer becomes by contentHandling."""
    root = {"x-amazon-apigateway-binary-media-types": ["image/png"]}
    entry = {"statusCode": "200", "responseTemplates": {"application/json": "[$input.body]"}}
    members = {
        "body": b"\xff\x00",
        "headers": (("Content-Type", "image/png"),),
        "request": {"headers": {"Accept": "image/png"}},
        "root": root,
    }
    with pytest.raises(ConfigurationError) as raised:
        built({"default": entry}, **members)
    assert "Unable to transform response" in raised.value.cause
    text = {**entry, "contentHandling": "CONVERT_TO_TEXT"}
    assert built({"default": text}, **members).body == b"[/wA=]"
