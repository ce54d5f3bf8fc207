from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Mapping
from itertools import count
from typing import Any

import pytest

from tests.sdk.orders import (
    CHAIN,
    CREATE,
    AsyncOrdersClient,
    Keys,
    OrdersClient,
    Server,
    endpoint,
    perform,
    reply,
)
from users_sdk._auth import BearerToken, signer_for
from users_sdk._call import call
from users_sdk._endpoint import Endpoint
from users_sdk._flows import submit_and_wait
from users_sdk._hooks import Hooks, hooks_of
from users_sdk._http import Request, Response
from users_sdk.errors import ConfigurationError, UnknownOutcome

ITEM = {"item": "x"}
SETTINGS: dict[str, Any] = {
    "base_url": "https://orders.example",
    "region": "eu-west-1",
    "credentials": Keys(),
}


@pytest.fixture
def server() -> Server:
    """Return a server that is busy once."""
    return Server(script=[reply(503, {})])


def test_every_attempt_is_seen(server: Server) -> None:
    """Also the one that is repeated, and the polls; request and answer are plain data."""
    seen: list[tuple[str, int]] = []
    requests: list[Request] = []

    def on_response(request: Request, response: Response) -> None:
        seen.append((request.method, response.status))

    with (
        server.client() as http_client,
        OrdersClient(
            **SETTINGS,
            http_client=http_client,
            request_hooks=[requests.append],
            response_hooks=[on_response],
        ) as client,
    ):
        client._start_and_wait(CHAIN, arguments={}, body=ITEM, timeout=5)
        assert client._start(CHAIN, arguments={}, body=ITEM).result(5).item == "x"
    assert seen[:4] == [("POST", 503), ("POST", 202), ("GET", 200), ("GET", 200)]
    assert len(seen) == len(requests) == len(server.requests) == 7
    assert "authorization" not in requests[0].headers


async def test_coroutine_functions_are_awaited(server: Server) -> None:
    """The asynchronous client takes both kinds."""
    seen: list[object] = []

    async def on_request(request: Request) -> Mapping[str, str]:
        await asyncio.sleep(0)
        return {"X-Tenant": "t"}

    async def on_response(request: Request, response: Response) -> None:
        await asyncio.sleep(0)
        seen.append(request.headers["x-tenant"])

    async with (
        server.async_client() as http_client,
        AsyncOrdersClient(
            **SETTINGS,
            http_client=http_client,
            request_hooks=[on_request],
            response_hooks=[on_response, lambda request, response: seen.append(response.status)],
        ) as client,
    ):
        await client._call(CREATE, arguments={}, body=ITEM)
    assert seen == ["t", 503, "t", 202]


def test_what_a_hook_adds_is_signed() -> None:
    """Corner 25: it is added before the signature, which covers `x-amz-*`."""
    server = Server()
    with (
        server.client() as http_client,
        OrdersClient(
            **SETTINGS,
            http_client=http_client,
            request_hooks=[lambda request: {"X-Amz-Meta": "1"}, lambda request: None],
        ) as client,
    ):
        client._call(CREATE, arguments={}, body=ITEM)
    [sent] = server.requests
    assert sent.headers["x-amz-meta"] == "1"
    assert "x-amz-meta" in sent.headers["authorization"]


@pytest.mark.parametrize(
    "added",
    [
        {"Idempotency-Key": "mine"},
        {"accept": "text/html"},
        {"Host": "attacker.example"},
        {"Content-Length": "1"},
        {"X-A": "line\r\nbreak"},
        {"X-A": "ü"},
        {"X-A": 1},
        {"X-A": "1\n"},
        {"X A": "1"},
        {"Authorization": "mine"},
        {"x-amz-date": "20260101T000000Z"},
        {"X-Amz-Security-Token": "mine"},
        {"": "x"},
        "X-A: 1",
    ],
)
def test_what_a_hook_must_not_add_is_refused(added: Any) -> None:
    """It adds header fields and replaces none: what the client says must stay true."""
    server = Server()
    hooked = hooked_endpoint(Hooks(request=(lambda request: added,)))
    with pytest.raises(ConfigurationError, match="<lambda>"):
        perform(call(hooked, CREATE, {}, ITEM), server)
    assert server.requests == []


def test_a_request_hook_that_raises_ends_the_call() -> None:
    """Nothing was sent, and nothing is repeated; the caller sees the hook's own error."""

    def refuse(request: Request) -> None:
        raise PermissionError("not on Sundays")

    server = Server()
    with pytest.raises(PermissionError, match="Sundays"):
        perform(call(hooked_endpoint(Hooks(request=(refuse,))), CREATE, {}, ITEM), server)
    assert server.requests == []


def _failing_second() -> Hooks:
    calls = count(1)

    def fail(request: Request) -> None:
        if next(calls) == 2:
            raise OSError("the vault is sealed")

    return Hooks(request=(fail,))


def test_a_function_that_fails_does_not_hide_an_attempt_that_may_have_counted() -> None:
    """The key of the first one is told: with another key there would be two."""
    server = Server(script=[UnknownOutcome("lost")])
    with pytest.raises(UnknownOutcome, match="lost") as caught:
        perform(call(hooked_endpoint(_failing_second()), CREATE, {}, ITEM), server)
    assert caught.value.idempotency_key
    assert isinstance(caught.value.__cause__, OSError)


def test_a_function_that_fails_in_a_poll_is_called_again() -> None:
    """What was accepted is not lost to a token that could not be had once."""
    flow = submit_and_wait(hooked_endpoint(_failing_second()), CHAIN, {}, ITEM)
    assert perform(flow, Server())[0].order_id == "r0"


def test_a_response_hook_that_raises_loses_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the others are called."""
    seen: list[int] = []

    def fail(request: Request, response: Response) -> None:
        raise ValueError("of the hook")

    hooks = Hooks(response=(fail, lambda request, response: seen.append(response.status)))
    result, _ = perform(call(hooked_endpoint(hooks), CREATE, {}, ITEM), Server())
    assert result == {"requestId": "r0"}
    assert seen == [202]
    [record] = caplog.records
    assert (record.levelno, record.name) == (logging.ERROR, "users_sdk")
    assert "fail" in record.getMessage()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (5, "request_hooks must be a list of functions, not of type int"),
        ([5], "5 cannot be called"),
        ([asyncio.sleep], "sleep is a coroutine function"),
    ],
)
def test_what_is_no_hook_is_refused(given: Any, said: str) -> None:
    """When the client is made."""
    with pytest.raises(ConfigurationError, match=said):
        OrdersClient(**SETTINGS, request_hooks=given)


def test_an_asynchronous_client_takes_coroutine_functions() -> None:
    """Both kinds of hook."""
    hooks = hooks_of([asyncio.sleep], [asyncio.sleep], blocking=False)
    assert [*hooks.request, *hooks.response] == [asyncio.sleep, asyncio.sleep]


def test_a_field_of_another_signer_is_a_hook_s_to_add() -> None:
    """What the client's signer does not add is not its own."""
    server = Server()
    hooks = Hooks(request=(lambda request: {"X-Amz-Date": "1"},))
    signer = signer_for(BearerToken("t"), region=None, credentials=None)
    hooked = dataclasses.replace(hooked_endpoint(hooks), signer=signer)
    perform(call(hooked, CREATE, {}, ITEM), server)
    [sent] = server.requests
    assert sent.headers["x-amz-date"] == "1"


def test_a_coroutine_that_a_plain_hook_returns_is_refused() -> None:
    """It is not awaited in a blocking client, and leaves no warning about that."""
    hooks = Hooks(request=(lambda request: asyncio.sleep(0),))
    with pytest.raises(ConfigurationError, match="to be awaited"):
        perform(call(hooked_endpoint(hooks), CREATE, {}, ITEM), Server())


def hooked_endpoint(hooks: Hooks) -> Endpoint:
    """Return an endpoint with hooks, which signs as clients do."""
    signer = signer_for(None, region="eu-west-1", credentials=Keys())
    return dataclasses.replace(endpoint(signer=signer), hooks=hooks)
