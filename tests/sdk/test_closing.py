"""What closing a client does to the calls that are under way, over real sockets."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import httpx2
import pytest

from tests.sdk.orders import (
    CHAIN,
    CREATE,
    AsyncOrdersClient,
    Keys,
    OrdersClient,
    Server,
    reply,
)
from users_sdk import _http
from users_sdk._polling import Polling
from users_sdk.errors import ClientClosed, SDKError, ServerError, UnknownOutcome

BODY = {"item": "x"}
SETTINGS: dict[str, Any] = {
    "region": "eu-west-1",
    "credentials": Keys(),
    # Far longer than any test may take: what ends sooner was ended by closing.
    "timeout": 3600.0,
    "attempt_timeout": 3600.0,
}
PATIENCE = 10.0
libraries = pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])


class Holding:
    """
    A server that reads requests and keeps its answers until it is told to give them.

    Attributes:
        url: Where it is.
        asked: Released once for each request that was read.
        answer: Set when the answers may go.
    """

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.answer = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Let everything go."""
        self.answer.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._hold, args=(connection,), daemon=True).start()

    def _hold(self, connection: socket.socket) -> None:
        with connection:
            received = b""
            while not received.endswith(b'{"item":"x"}'):
                received += connection.recv(65536)
            self.asked.release()
            self.answer.wait(PATIENCE)
            body = b'{"requestId":"r0"}'
            head = f"HTTP/1.1 202 Accepted\r\nContent-Length: {len(body)}\r\n\r\n"
            try:
                connection.sendall(head.encode() + body)
            except OSError:
                return


@pytest.fixture
def holding() -> Iterator[Holding]:
    """Yield a server that keeps its answers."""
    server = Holding()
    yield server
    server.close()


class Calling(threading.Thread):
    """
    A thread that makes a call.

    Attributes:
        outcome: What the call returned or raised.
    """

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._call = call
        self.outcome: object = None
        self.start()

    def run(self) -> None:
        """Make the call."""
        try:
            self.outcome = self._call()
        except SDKError as error:
            self.outcome = error

    def ended(self) -> Any:
        """Return what the call has led to, which must be soon."""
        self.join(PATIENCE)
        assert not self.is_alive()
        return self.outcome


def is_unknown(error: Any, key: str | None = None) -> bool:
    """Say whether an error tells of a create that may have been carried out, and how to go on."""
    text = str(error)
    return (
        type(error) is UnknownOutcome
        and bool(error.idempotency_key)
        and error.idempotency_key == (key or error.idempotency_key)
        and "the client was closed before the answer came" in text
        and "may have been carried out; repeat it with the same idempotency key" in text
    )


def is_unsent(error: Any) -> bool:
    """Say whether an error tells of a create that was certainly not carried out."""
    return (
        type(error) is ClientClosed
        and error.idempotency_key is None
        and "Nothing was carried out" in str(error)
    )


@libraries
def test_a_call_whose_request_has_left_ends_at_once(holding: Holding, library: Any) -> None:
    """Sync: the blocked read ends with its connection; the error has the key to go on with."""
    client = OrdersClient(base_url=holding.url, http_client=library.__name__, **SETTINGS)
    calls = [Calling(lambda: client._call(CREATE, arguments={}, body=BODY)) for _ in range(3)]
    for _ in calls:
        assert holding.asked.acquire(timeout=PATIENCE)
    client.close()
    errors = [call.ended() for call in calls]
    assert all(is_unknown(error) for error in errors)
    assert len({error.idempotency_key for error in errors}) == 3


@libraries
@pytest.mark.parametrize("given", [False, True], ids=["own", "given"])
async def test_the_same_in_an_event_loop(holding: Holding, library: Any, given: bool) -> None:
    """Async: over a given client as well, which stays open."""
    async with library.AsyncClient() as http_client:
        client = AsyncOrdersClient(
            base_url=holding.url,
            http_client=http_client if given else library.__name__,
            **SETTINGS,
        )
        call = asyncio.create_task(
            client._call(CREATE, arguments={"idempotency_key": "k-1"}, body=BODY)
        )
        assert await asyncio.to_thread(holding.asked.acquire, timeout=PATIENCE)
        await client.aclose()
        with pytest.raises(UnknownOutcome) as caught:
            await asyncio.wait_for(call, PATIENCE)
        assert is_unknown(caught.value, "k-1")
        assert not http_client.is_closed


def test_a_call_that_waits_for_a_connection_was_not_sent(
    holding: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sync: closing wakes it, and it says so."""
    monkeypatch.setattr(_http, "CONNECTIONS", 1)
    client = OrdersClient(base_url=holding.url, **SETTINGS)
    calls = [Calling(lambda: client._call(CREATE, arguments={}, body=BODY)) for _ in range(2)]
    assert holding.asked.acquire(timeout=PATIENCE)
    client.close()
    errors = [call.ended() for call in calls]
    assert sorted([is_unknown(error) for error in errors]) == [False, True]
    assert sorted([is_unsent(error) for error in errors]) == [False, True]


async def test_a_task_that_waits_for_a_connection_was_not_sent(
    holding: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Async: closing wakes it, and it says so."""
    monkeypatch.setattr(_http, "CONNECTIONS", 1)
    client = AsyncOrdersClient(base_url=holding.url, **SETTINGS)
    calls = [asyncio.create_task(client._call(CREATE, arguments={}, body=BODY)) for _ in range(2)]
    assert await asyncio.to_thread(holding.asked.acquire, timeout=PATIENCE)
    await client.aclose()
    sent, unsent = await asyncio.gather(*calls, return_exceptions=True)
    assert is_unknown(sent)
    assert is_unsent(unsent)


def test_an_answer_over_a_given_client_is_not_lost(holding: Holding) -> None:
    """Sync: its connection is the caller's, so the call goes on, and ends as it would have."""
    with httpx.Client() as http_client:
        client = OrdersClient(base_url=holding.url, http_client=http_client, **SETTINGS)
        call = Calling(lambda: client._call(CREATE, arguments={}, body=BODY))
        assert holding.asked.acquire(timeout=PATIENCE)
        client.close()
        holding.answer.set()
        assert call.ended() == {"requestId": "r0"}


BUSY, REFUSED = (reply(status, {}, {"Retry-After": "3000"}) for status in (503, 429))


def test_a_pause_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sync: an answer that leaves the outcome open is the error; else nothing was carried out."""
    for script, expected in ((BUSY, is_busy), (REFUSED, is_unsent)):
        server = Server(script=[script])
        with server.client() as http_client:
            client = OrdersClient(
                base_url="https://orders.example", http_client=http_client, **SETTINGS
            )
            paused = pausing(client, monkeypatch)
            call = Calling(lambda client=client: client._call(CREATE, arguments={}, body=BODY))  # type: ignore[misc]
            assert paused.wait(PATIENCE)
            client.close()
            assert expected(call.ended())
        assert len(server.requests) == 1


def is_busy(error: Any) -> bool:
    """Say whether an error is the server's last answer, with the key to go on with."""
    return type(error) is ServerError and error.status == 503 and bool(error.idempotency_key)


async def error_of(call: asyncio.Task[Any]) -> object:
    """Return what a call has raised, which must be soon."""
    await asyncio.wait([call], timeout=PATIENCE)
    return call.exception()


def pausing(client: Any, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Return what is set when a call of the client begins to wait."""
    clock, begun = client._outside.clock, threading.Event()
    sleep = type(clock).sleep

    def slept(seconds: float, ended: threading.Event) -> bool:
        begun.set()
        asleep: bool = sleep(clock, seconds, ended)
        return asleep

    monkeypatch.setattr(clock, "sleep", slept)
    return begun


async def test_a_pause_ends_in_an_event_loop() -> None:
    """Async: the same."""
    for script, expected in ((BUSY, is_busy), (REFUSED, is_unsent)):
        server = Server(script=[script])
        async with server.async_client() as http_client:
            client = AsyncOrdersClient(
                base_url="https://orders.example", http_client=http_client, **SETTINGS
            )
            call = asyncio.create_task(client._call(CREATE, arguments={}, body=BODY))
            while not client._closed._limits:
                await asyncio.sleep(0)
            await client.aclose()
            assert expected(await error_of(call))
        assert len(server.requests) == 1


async def test_a_wait_for_an_accepted_request_ends_with_its_token() -> None:
    """Async: it goes on at the server, and another client resumes it."""
    server = Server(polls=10**9, hint={})
    async with server.async_client() as http_client:
        options = SETTINGS | {"base_url": "https://orders.example", "http_client": http_client}
        client = AsyncOrdersClient(**options, polling=Polling(interval=3000.0))
        call = asyncio.create_task(client._start_and_wait(CHAIN, arguments={}, body=BODY))
        while not client._closed._limits:
            await asyncio.sleep(0)
        await client.aclose()
        with pytest.raises(ClientClosed, match="resume it") as caught:
            await asyncio.wait_for(call, PATIENCE)
        assert caught.value.message_id == "r0"
        assert caught.value.idempotency_key
        assert caught.value.token
        server.polls = 0
        async with AsyncOrdersClient(**options) as other:
            assert (await other._resume(CHAIN, caught.value.token)).order_id == "r0"


def test_credentials_that_hang_do_not_hold_up_the_closing() -> None:
    """Async: their search goes on in its thread; the call ends, and nothing was sent."""

    async def main() -> object:
        client = AsyncOrdersClient(
            base_url="https://orders.example", auth=lambda request: leave.wait(PATIENCE)
        )
        call = asyncio.create_task(client._call(CREATE, arguments={}, body=BODY))
        while not client._closed._limits:
            await asyncio.sleep(0)
        await client.aclose()
        return await error_of(call)

    leave = threading.Event()
    assert is_unsent(asyncio.run(main()))
    leave.set()
