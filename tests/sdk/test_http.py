from __future__ import annotations

import asyncio
import pickle
import socket
import threading
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from types import ModuleType
from typing import Any

import httpx
import httpx2
import pytest

from users_sdk import _body, _http
from users_sdk._http import (
    AsyncHttpxTransport,
    Headers,
    HttpxTransport,
    Library,
    Request,
    Response,
)
from users_sdk.errors import (
    AnswerTimeout,
    ClientClosed,
    ConfigurationError,
    ConnectTimeout,
    ProtocolError,
    RequestNotSent,
    SDKError,
    UnknownOutcome,
)

REQUEST = Request("POST", "https://orders.example/a%2Fb?q=a%20b%3A", Headers({"X-A": "1"}), b"{}")

Handler = Callable[[Any], Any]
Sender = Callable[[ModuleType, Handler, Request], Response]


def send_sync(library: ModuleType, handler: Handler, request: Request) -> Response:
    with library.Client(transport=library.MockTransport(handler), auth=("u", "p")) as client:
        return HttpxTransport(client).send(request, 1.0)


def send_async(library: ModuleType, handler: Handler, request: Request) -> Response:
    async def send() -> Response:
        mock = library.MockTransport(handler)
        async with library.AsyncClient(transport=mock, auth=("u", "p")) as client:
            return await AsyncHttpxTransport(client).send(request, 1.0)

    return asyncio.run(send())


libraries = pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
worlds = pytest.mark.parametrize("send", [send_sync, send_async], ids=["sync", "async"])


@libraries
@worlds
def test_what_is_sent_is_what_was_made(library: ModuleType, send: Sender) -> None:
    """The client's own credentials and headers are not added, and the URL is not written anew."""
    seen: list[Any] = []

    def handler(wire: Any) -> Any:
        seen.append(wire)
        return library.Response(202, headers={"X-B": "2"}, content=b"[1]")

    response = send(library, handler, REQUEST)
    assert response == Response(202, response.headers, b"[1]")
    assert response.headers["x-b"] == "2"
    [wire] = seen
    assert wire.url.raw_path == b"/a%2Fb?q=a%20b%3A"
    assert wire.content == b"{}"
    assert set(wire.headers) == {"host", "x-a", "content-length"}


@libraries
@worlds
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ConnectError", RequestNotSent),
        ("ConnectTimeout", ConnectTimeout),
        ("PoolTimeout", ConnectTimeout),
        ("ProxyError", RequestNotSent),
        ("ReadError", UnknownOutcome),
        ("WriteError", UnknownOutcome),
        ("RemoteProtocolError", UnknownOutcome),
        ("ReadTimeout", AnswerTimeout),
        ("WriteTimeout", AnswerTimeout),
    ],
)
def test_an_error_says_whether_the_request_was_sent(
    library: ModuleType, send: Sender, name: str, expected: type[SDKError]
) -> None:
    """Corner 2: only what certainly did not leave is not sent; the client's error is the cause."""

    def handler(wire: Any) -> Any:
        raise getattr(library, name)("because")

    with pytest.raises(SDKError, match="because") as caught:
        send(library, handler, REQUEST)
    assert type(caught.value) is expected
    assert type(caught.value.__cause__) is getattr(library, name)
    assert "q=a" not in str(caught.value)


@libraries
@worlds
def test_an_error_is_plain_data(library: ModuleType, send: Sender) -> None:
    """Corner 33: nothing of the HTTP client is in it; its cause is chained, and not pickled."""

    def handler(wire: Any) -> Any:
        raise library.ReadError("reset", request=wire)

    with pytest.raises(UnknownOutcome) as caught:
        send(library, handler, REQUEST)
    assert {type(value) for value in vars(caught.value).values()} <= {str, type(None)}
    pickled = pickle.dumps(caught.value)
    assert library.__name__.encode() not in pickled
    assert str(pickle.loads(pickled)) == str(caught.value)


@libraries
@worlds
def test_redirects_are_not_followed(library: ModuleType, send: Sender) -> None:
    """Corner 30: a signed request goes to one origin only."""

    def handler(wire: Any) -> Any:
        assert wire.url.host == "orders.example"
        return library.Response(307, headers={"Location": "https://attacker.example/"})

    assert send(library, handler, REQUEST).status == 307


@libraries
@worlds
def test_a_body_is_bounded(
    library: ModuleType, send: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that never ends does not fill the memory."""
    monkeypatch.setattr(_body, "MAX_BODY_BYTES", 1000)

    def handler(wire: Any) -> Any:
        return library.Response(200, content=b"x" * 1001)

    with pytest.raises(ProtocolError, match="larger than 1000 bytes"):
        send(library, handler, REQUEST)


@worlds
def test_a_url_that_cannot_be_requested_is_a_wrong_setting(send: Sender) -> None:
    """It is said before anything is sent."""

    def handler(wire: Any) -> Any:
        raise httpx.UnsupportedProtocol("no such scheme")

    with pytest.raises(ConfigurationError, match="no such scheme"):
        send(httpx, handler, REQUEST)


@pytest.mark.parametrize("kind", [HttpxTransport, AsyncHttpxTransport])
def test_a_client_of_the_wrong_kind_is_refused(kind: type[Any]) -> None:
    """The message names what would do."""
    with pytest.raises(ConfigurationError, match=r"takes httpx\.(Async)?Client or httpx2"):
        kind(object())


def test_a_given_client_is_not_closed() -> None:
    """It is the caller's."""
    with httpx.Client() as client:
        HttpxTransport(client).close()
        assert not client.is_closed


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_an_answer_that_an_event_hook_refuses_is_an_answer(library: Any) -> None:
    """`raise_for_status` is the hook of httpx's own documentation; the refusal is told as usual."""

    def handler(request: Any) -> Any:
        return library.Response(403, headers={"x-request-id": "h"}, json={})

    hooks = {"response": [lambda answer: answer.raise_for_status()]}
    with library.Client(transport=library.MockTransport(handler), event_hooks=hooks) as client:
        response = HttpxTransport(client).send(Request("GET", "https://orders.example/"), 1.0)
    assert (response.status, response.request_id, response.body) == (403, "h", b"")


def test_a_closed_client_is_one_clear_error() -> None:
    """The HTTP client has no class for it."""
    transport = HttpxTransport()
    with pytest.raises(RequestNotSent):
        transport.send(Request("GET", "http://127.0.0.1:1/"), 1.0)
    transport.close()
    with pytest.raises(ClientClosed):
        transport.send(Request("GET", "http://127.0.0.1:1/"), 1.0)


@pytest.fixture
def silent() -> Iterator[str]:
    """Yield the URL of a server that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


def test_a_server_that_says_nothing_is_waited_for_no_longer_than_asked(silent: str) -> None:
    """Sync: the outcome is unknown, since the request left."""
    transport = HttpxTransport()
    with pytest.raises(AnswerTimeout):
        transport.send(Request("GET", silent), 0.1)
    transport.close()


async def test_the_same_in_an_event_loop(silent: str) -> None:
    """Async: the outcome is unknown, since the request left."""
    transport = AsyncHttpxTransport()
    with pytest.raises(AnswerTimeout):
        await transport.send(Request("GET", silent), 0.1)
    await transport.aclose()


async def test_at_most_32_requests_are_under_way() -> None:
    """Corner 18: a thousand callers share the connections; none fails for want of one."""
    under_way = most = 0

    async def handler(wire: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return httpx.Response(200)

    async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as client:
        transport = AsyncHttpxTransport(client)
        await asyncio.gather(*(transport.send(REQUEST, 10.0) for _ in range(200)))
    assert 1 < most <= _http.CONNECTIONS


def test_a_thread_that_waits_for_a_connection_was_not_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Waiting for a free connection is no unknown outcome."""
    monkeypatch.setattr(_http, "CONNECTIONS", 1)
    entered, leave = threading.Event(), threading.Event()

    def handler(wire: httpx.Request) -> httpx.Response:
        entered.set()
        leave.wait(5)
        return httpx.Response(200)

    with httpx.Client(transport=httpx.MockTransport(handler)) as client:
        transport = HttpxTransport(client)
        other = threading.Thread(target=transport.send, args=(REQUEST, 5.0))
        other.start()
        entered.wait(5)
        with pytest.raises(ConnectTimeout, match="busy"):
            transport.send(REQUEST, 0.01)
        leave.set()
        other.join()


def test_header_names_have_no_case() -> None:
    """A field is found, replaced and dropped whatever its case."""
    headers = Headers({"X-A": "1", "x-b": "2"}).merged({"X-B": "3"})
    assert (headers["x-a"], headers["x-B"], len(headers)) == ("1", "3", 2)
    assert headers.without(frozenset({"x-a"})) == {"X-B": "3"}
    assert list(headers) == ["X-A", "X-B"]


def test_header_values_are_not_shown() -> None:
    """Logs and tracebacks show names only: values may be secrets."""
    assert repr(Headers({"Authorization": "secret"})) == "Headers(Authorization)"
    assert "secret" not in repr(Request("GET", "https://h", Headers({"Authorization": "secret"})))


@pytest.mark.parametrize("name", ["httpx", "httpx2"])
def test_connections_are_made_with_the_library_that_is_named(name: Library) -> None:
    """Neither is imported before; a call after the closing is one clear error."""
    nowhere = Request("GET", "http://127.0.0.1:1/")
    transport = HttpxTransport(name)
    with pytest.raises(RequestNotSent) as caught:
        transport.send(nowhere, 1.0)
    assert type(caught.value.__cause__).__module__.partition(".")[0] == name
    transport.close()
    with pytest.raises(ClientClosed):
        transport.send(nowhere, 1.0)

    async def send() -> None:
        async_transport = AsyncHttpxTransport(name)
        with pytest.raises(RequestNotSent):
            await async_transport.send(nowhere, 1.0)
        await async_transport.aclose()
        with pytest.raises(ClientClosed):
            await async_transport.send(nowhere, 1.0)

    asyncio.run(send())


def test_the_environment_s_proxy_is_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """As everywhere else: what the machine's owner has set up holds for connections of our own."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.getsockname()[1]}")
        transport = HttpxTransport()
        seen: list[bytes] = []

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                seen.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        assert transport.send(Request("GET", "http://orders.example/a"), 5.0).status == 204
        thread.join(5)
        transport.close()
    assert seen[0].startswith(b"GET http://orders.example/a HTTP/1.1")


@libraries
@worlds
def test_what_an_event_hook_has_read_is_read(library: ModuleType, send: Sender) -> None:
    """A given client's own hooks may read the answer first; it is bounded all the same."""

    def handler(wire: Any) -> Any:
        return library.Response(200, headers=[("X-A", "1"), ("X-A", "2")], content=b"[1]")

    response = send(library, handler, REQUEST)
    assert response.body == b"[1]"
    assert response.headers["x-a"] == "1, 2"


@libraries
@worlds
def test_a_header_field_that_is_not_ascii_is_not_sent(library: ModuleType, send: Sender) -> None:
    """A signer of the caller's may add such; the value is not shown, as it may be a secret."""
    request = Request("GET", "https://orders.example/", Headers({"Authorization": "hüsh"}))
    with pytest.raises(ConfigurationError, match="a header field is not ASCII") as caught:
        send(library, lambda wire: library.Response(200), request)
    assert "hüsh" not in str(caught.value)


@libraries
@worlds
@pytest.mark.parametrize(
    ("method", "body", "length"),
    [("POST", b"{}", "2"), ("POST", b"", "0"), ("DELETE", b"x", "1"), ("GET", b"", None)],
)
def test_the_server_is_told_whom_it_is_and_how_much_comes(
    library: ModuleType, send: Sender, method: str, body: bytes, length: str | None
) -> None:
    """`Host` without the usual port, and `Content-Length` where a body comes or may come."""
    seen: list[Any] = []

    def handler(request: Any) -> Any:
        seen.append(request)
        return library.Response(200)

    send(library, handler, Request(method, "https://orders.example:443/a", Headers(), body))
    (request,) = seen
    assert request.headers.get_list("host") == ["orders.example"]
    assert request.headers.get("content-length") == length
    assert request.content == body


@libraries
@worlds
def test_a_signer_s_host_and_length_are_sent_once(library: ModuleType, send: Sender) -> None:
    """What the request already says of itself is not said twice."""
    seen: list[Any] = []

    def handler(request: Any) -> Any:
        seen.append(request)
        return library.Response(200)

    headers = Headers({"host": "signed.example", "content-length": "2"})
    send(library, handler, Request("POST", "https://orders.example/a", headers, b"{}"))
    (request,) = seen
    assert request.headers.get_list("host") == ["signed.example"]
    assert request.headers.get_list("content-length") == ["2"]


@libraries
@worlds
def test_what_the_client_says_of_a_bad_request_is_kept_back(
    library: ModuleType, send: Sender
) -> None:
    """It quotes header fields' values, which may be secrets; no traceback has it either."""

    def handler(wire: Any) -> Any:
        raise library.LocalProtocolError("Illegal header value b'Bearer hush'")

    with pytest.raises(UnknownOutcome, match="LocalProtocolError") as caught:
        send(library, handler, REQUEST)
    assert "hush" not in "".join(traceback.format_exception(caught.value))


@libraries
@worlds
def test_an_answer_that_ends_too_soon_tells_its_request_id(
    library: ModuleType, send: Sender
) -> None:
    """What had come of it is not lost."""
    both: tuple[Any, ...] = (library.SyncByteStream, library.AsyncByteStream)

    class Broken(*both):  # type: ignore[misc]
        def __iter__(self) -> Iterator[bytes]:
            yield b"{"
            raise library.ReadError("reset")

        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"{"
            raise library.ReadError("reset")

    def handler(wire: Any) -> Any:
        return library.Response(202, headers={"X-Amzn-RequestId": "rid-1"}, stream=Broken())

    with pytest.raises(UnknownOutcome, match="reset") as caught:
        send(library, handler, REQUEST)
    assert caught.value.request_id == "rid-1"


@pytest.mark.parametrize("name", ["httpx", "httpx2"])
def test_nothing_is_sent_over_a_connection_that_comes_after_the_closing(name: Library) -> None:
    """Whoever was connecting when the client was closed has not sent anything."""
    transport = HttpxTransport(name)
    with socket.create_server(("127.0.0.1", 0)) as server:
        transport._sockets.shut_down()
        with pytest.raises(RequestNotSent, match="closed while it was connecting"):
            transport.send(Request("GET", f"http://127.0.0.1:{server.getsockname()[1]}/"), 5.0)
        connection, _ = server.accept()
        with connection:
            assert connection.recv(1) == b""
    transport.close()


def test_closing_waits_for_nobody_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for a request whose connecting cannot be ended; its permit is its own to give back."""
    monkeypatch.setattr(_http, "CLOSE_SECONDS", 0.01)
    transport = HttpxTransport()
    with pytest.raises(RequestNotSent):
        transport.send(Request("GET", "http://127.0.0.1:1/"), 1.0)
    transport._gate.get()
    transport.close()
    assert transport._gate.qsize() == _http.CONNECTIONS - 1
