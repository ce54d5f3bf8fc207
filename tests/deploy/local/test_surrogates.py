"""Halves of characters: what a template splits goes over the wire as Java writes it."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from deploy.local.credentials import KeyStore
from deploy.local.gateway import Stage, create_app
from deploy.local.server import GatewayServer, bind
from deploy.local.surrogates import well_formed
from deploy.local.templates import MappingResult, render_mapping

SPLIT = '#set($x = "\u00e9\U0001f600")'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("\u00e9\U0001f600", "\u00e9\U0001f600"),
        ("\ud83d\ude00", "\U0001f600"),
        ("a\ud83d", "a?"),
        ("\ude00\ud83d", "??"),
        ("\ud83d\ud83d\ude00\udcff", "?\U0001f600?"),
    ],
)
def test_halves_that_meet_are_one_character(text: str, expected: str) -> None:
    """As `getBytes` of Java's strings, in UTF-8."""
    assert well_formed(text) == expected


def rendered(template: str) -> MappingResult:
    """Render a request template."""
    return render_mapping(
        template, phase="request", body="{}", params={}, context={}, stage_variables={}
    )


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("$x.charAt(1)", "?"),
        ("$x.substring(0, 2)", "\u00e9?"),
        ("$x.substring(0, 2)$x.substring(2)", "\u00e9\U0001f600"),
        ("$util.urlEncode($x.substring(1, 2))", "%3F"),
        ('$util.urlEncode("$x.substring(1, 2)$x.substring(2)")', "%F0%9F%98%80"),
        ("$util.base64Encode($x.substring(2))", "Pw=="),
        ("$util.escapeJavaScript($x.substring(1, 2))", "\\uD83D"),
        ('$util.parseJson(\'{"a":"\\ud83d"}\').a', "?"),
    ],
)
def test_a_template_prints_what_can_be_encoded(template: str, expected: str) -> None:
    """Whatever it cuts."""
    assert rendered(SPLIT + template).output == expected


def test_overrides_can_be_encoded() -> None:
    """Headers, paths and query strings are texts of templates too."""
    override = "#set($context.requestOverride.header.X = $x.substring(0, 2))"
    assert rendered(SPLIT + override).request_override["header"] == {"X": "\u00e9?"}


def test_the_wire_has_utf_8() -> None:
    """In the body as in headers, of templates and of mappings."""
    integration: dict[str, Any] = {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {
            "default": {
                "statusCode": "200",
                "responseTemplates": {
                    "application/json": SPLIT
                    + "#set($context.responseOverride.header.X-B = $x.substring(1, 2))$x.charAt(1)"
                },
            }
        },
    }
    operation = {"responses": {"200": {}}, "x-amazon-apigateway-integration": integration}
    document = {"openapi": "3.0.1", "info": {"title": "t"}, "paths": {"/x": {"get": operation}}}
    app = create_app(
        json.loads(json.dumps(document)),
        stage=Stage("dev"),
        backends={},
        keys=KeyStore(),
        account_id="000000000000",
        region="us-east-1",
    )
    with GatewayServer(app, bind(0)) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        connection.request("GET", "/dev/x")
        answer = connection.getresponse()
        assert (answer.status, answer.read(), answer.headers["X-B"]) == (200, b"?", "?")
        connection.close()
