"""The http and http_proxy integrations, and the client under them."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from deploy.local.exchange import (
    BackendRequest,
    ConfigurationError,
    GatewayError,
    RoutedRequest,
)
from deploy.local.integrations.client import BackendClient
from deploy.local.integrations.http import HttpIntegration

Routed = Callable[..., RoutedRequest]


def request(**members: Any) -> BackendRequest:
    """Return a request for a backend."""
    defaults = {"method": "PUT", "path": {}, "querystring": {}, "headers": {}, "body": "text"}
    return BackendRequest(**(defaults | members))


async def test_gateway_says_who_it_is(
    endpoint: Any, client: BackendClient, routed_to: Routed
) -> None:
    """The endpoint sees the gateway's own headers and those that are mapped."""
    routed = routed_to(type="http", httpMethod="PUT", uri=f"{endpoint.url}/a")
    await HttpIntegration(client, "api1").call(routed, request(headers={"X-A": "1"}))
    [received] = endpoint.received
    assert (received["method"], received["target"], received["body"]) == ("PUT", "/a", "text")
    assert received["headers"]["accept"] == "application/json"
    assert received["headers"]["user-agent"] == "AmazonAPIGateway_api1"
    assert received["headers"]["x-amzn-trace-id"] == "Root=1-t"
    assert received["headers"]["x-a"] == "1"
    assert "content-type" not in received["headers"]


async def test_placeholders_are_filled(
    endpoint: Any, client: BackendClient, routed_to: Routed
) -> None:
    """Path values are encoded, slashes excepted; query parameters are added to those of the URI."""
    uri = f"{endpoint.url}/v${{stageVariables.v}}/{{rest}}?a=1"
    routed = routed_to(type="http", httpMethod="GET", uri=uri)
    sent = request(path={"rest": "x/é ?"}, querystring={"b": ["2", "3&"]})
    await HttpIntegration(client, "api1").call(routed, sent)
    assert endpoint.received[0]["target"] == "/v1/x/%C3%A9%20%3F?a=1&b=2&b=3%26"


@pytest.mark.parametrize("uri", ["http://h/{no}", "http://${stageVariables.no}/"])
async def test_missing_value_is_a_configuration_error(
    client: BackendClient, routed_to: Routed, uri: str
) -> None:
    """A placeholder without value never becomes part of a URL."""
    routed = routed_to(type="http", httpMethod="GET", uri=uri)
    with pytest.raises(ConfigurationError, match="Internal server error"):
        await HttpIntegration(client, "api1").call(routed, request())


async def test_redirects_are_answers(
    endpoint: Any, client: BackendClient, routed_to: Routed
) -> None:
    """A redirect is passed on, not followed."""
    endpoint.status, endpoint.headers = 302, {"Location": "/elsewhere"}
    routed = routed_to(type="http_proxy", httpMethod="GET", uri=endpoint.url)
    answer = await HttpIntegration(client, "api1").call(routed, request())
    assert (answer.status, answer.values("location")) == (302, ["/elsewhere"])
    assert len(endpoint.received) == 1


async def test_nobody_there_is_a_failure(client: BackendClient, routed_to: Routed) -> None:
    """A refused connection is INTEGRATION_FAILURE."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        routed = routed_to(type="http", httpMethod="GET", uri=uri)
        with pytest.raises(GatewayError) as raised:
            await HttpIntegration(client, "api1").call(routed, request())
    assert raised.value.response_type == "INTEGRATION_FAILURE"


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:99999/",
        "http://",
        "http://[::1",
        "http://a b/",
        "http://a..b",
        "http://no",
    ],
)
async def test_no_address_is_a_configuration_error(
    client: BackendClient, routed_to: Routed, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no URL, and a host that does not exist, are the API's fault."""

    async def unknown(host: str, *_: object, **__: object) -> object:
        host.encode("idna")
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    routed = routed_to(type="http", httpMethod="GET", uri=uri)
    with pytest.raises(ConfigurationError) as raised:
        await HttpIntegration(client, "api1").call(routed, request())
    assert "Invalid endpoint address" in raised.value.cause


async def test_silence_is_a_timeout(client: BackendClient, routed_to: Routed) -> None:
    """An endpoint that accepts and says nothing is INTEGRATION_TIMEOUT."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        routed = routed_to(type="http", httpMethod="GET", uri=uri, timeoutInMillis=50)
        with pytest.raises(GatewayError) as raised:
            await HttpIntegration(client, "api1").call(routed, request())
    assert raised.value.response_type == "INTEGRATION_TIMEOUT"
    assert raised.value.message == "Endpoint request timed out"
