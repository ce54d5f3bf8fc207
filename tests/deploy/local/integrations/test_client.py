"""The client under the integrations, against backends that answer any bytes."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from deploy.local.exchange import BackendResponse, GatewayError
from deploy.local.integrations import connection
from deploy.local.integrations.client import BackendClient

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Backend:
    """
    Answers each request with the next of its answers.

    Args:
        answers: The answers; `None` closes the connection without one, and so does the last one
            when there is no other.
    """

    def __init__(self, *answers: bytes | None) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        while self.answers:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            self.requests.append(head + await reader.readexactly(int(length or 0)))
            answer = self.answers.pop(0)
            if answer is None:
                break
            writer.write(answer)
        writer.close()


@asynccontextmanager
async def answering(*answers: bytes | None) -> AsyncIterator[Backend]:
    """Run a backend on a free port."""
    backend = Backend(*answers)
    server = await asyncio.start_server(backend.serve, "127.0.0.1", 0)
    backend.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield backend


async def ask(
    client: BackendClient,
    url: str,
    method: str = "POST",
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> BackendResponse:
    """Send one request."""
    return await client.send(method, url, headers or {}, body, 5)


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (_OK, 200, b"ok"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1\r\n!\r\n0\r\n\r\n",
            200,
            b"ok!",
        ),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, b"until the end"),
        (b"HTTP/1.0 404 Not Found\r\n\r\n", 404, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + _OK, 200, b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    ],
)
async def test_bodies_end_as_http_has_it(
    client: BackendClient, answer: bytes, status: int, body: bytes
) -> None:
    """By length, by the last chunk, with the connection, or not at all."""
    async with answering(answer) as backend:
        received = await ask(client, backend.url)
    assert (received.status, received.body) == (status, body)


async def test_answer_to_head_has_no_body(client: BackendClient) -> None:
    """What its Content-Length tells of is not waited for."""
    async with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n") as backend:
        received = await ask(client, backend.url, "HEAD")
    assert (received.status, received.values("content-length"), received.body) == (200, ["9"], b"")


@pytest.mark.parametrize(
    ("encoding", "compressed"),
    [
        ("gzip", gzip.compress(b"text", mtime=0)),
        ("deflate", zlib.compress(b"text")),
        ("deflate", zlib.compress(b"text", wbits=-15)),
        ("br", b"text"),
    ],
    ids=["gzip", "zlib", "deflate", "unknown"],
)
async def test_compressed_bodies_are_text_to_templates(
    client: BackendClient, encoding: str, compressed: bytes
) -> None:
    """Gzip and both kinds of deflate are undone; what is not known stays as it is."""
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\n"
    head += f"Content-Length: {len(compressed)}\r\n\r\n"
    async with answering(head.encode() + compressed) as backend:
        assert (await ask(client, backend.url)).body == b"text"


async def test_connections_are_kept(client: BackendClient) -> None:
    """The next request goes over the same connection, unless the backend says otherwise."""
    closing = _OK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    async with answering(_OK, closing, _OK) as backend:
        for _ in range(3):
            await ask(client, backend.url)
    assert backend.connections == 2


@pytest.mark.parametrize(("method", "repeated"), [("GET", True), ("POST", False)])
async def test_only_idempotent_requests_are_repeated(
    client: BackendClient, method: str, repeated: bool
) -> None:
    """A kept connection that the backend has closed costs a request that may not be repeated."""
    async with answering(_OK, None, _OK) as backend:
        await ask(client, backend.url)
        if repeated:
            assert (await ask(client, backend.url, method)).body == b"ok"
        else:
            with pytest.raises(GatewayError):
                await ask(client, backend.url, method)
    assert len(backend.requests) == (3 if repeated else 2)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"SSH-2.0\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    ],
)
async def test_what_is_no_answer_is_a_failure(client: BackendClient, answer: bytes | None) -> None:
    """Nothing, no HTTP, half a body and false framing are INTEGRATION_FAILURE."""
    async with answering(answer) as backend:
        with pytest.raises(GatewayError) as raised:
            await ask(client, backend.url)
    assert raised.value.response_type == "INTEGRATION_FAILURE"


async def test_backend_that_closes_at_once_is_a_failure(client: BackendClient) -> None:
    """It is not waited for until the time is up."""
    async with answering() as backend:
        with pytest.raises(GatewayError) as raised:
            await ask(client, backend.url)
    assert raised.value.response_type == "INTEGRATION_FAILURE"


async def test_closed_connection_takes_no_request(client: BackendClient) -> None:
    """What is written to it would never be answered."""
    async with answering(_OK) as backend:
        port = int(backend.url.rpartition(":")[2])
        loop = asyncio.get_running_loop()
        _, closed = await loop.create_connection(connection.BackendConnection, "127.0.0.1", port)
        closed.close()
        with pytest.raises(connection.AnswerError):
            await closed.exchange(b"GET / HTTP/1.1\r\n\r\n", method="GET")


async def test_answer_that_comes_before_its_request_is_sent_ends_the_connection(
    client: BackendClient,
) -> None:
    """The rest of a large body would be in the way of the next request."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(_OK)
        await writer.drain()
        opened.append(writer)

    opened: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for _ in range(2):
            assert (await ask(client, url, "PUT", b"x" * 9_000_000)).body == b"ok"
        for writer in opened:
            writer.close()
    assert len(opened) == 2


@pytest.mark.parametrize("size", [40, 70])
async def test_answers_have_a_limit(
    client: BackendClient, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Too long an answer is a failure, and reading it ends."""
    monkeypatch.setattr(connection, "MAX_ANSWER_BYTES", 32)
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode()
    async with answering(head + b"x" * size) as backend:
        with pytest.raises(GatewayError):
            await ask(client, backend.url)


async def test_more_than_was_asked_for_is_not_the_next_answer(client: BackendClient) -> None:
    """Bytes after an answer end their connection: they could be taken for the answer to another."""
    async with answering(
        _OK + b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong", _OK
    ) as backend:
        bodies = [(await ask(client, backend.url)).body for _ in range(2)]
    assert bodies == [b"ok", b"ok"]
    assert backend.connections == 2


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {"X-A": "1\r\nX-B: 2"}),
        ("/", {"X-A\n": "1"}),
        ("/ HTTP/1.1", {}),
        ("/\x7f", {}),
    ],
)
async def test_nothing_is_smuggled_into_a_head(
    client: BackendClient, path: str, headers: dict[str, str]
) -> None:
    """A line break in a header, or a blank in the target, never reaches the wire."""
    async with answering(_OK) as backend:
        with pytest.raises(GatewayError):
            await ask(client, f"{backend.url}{path}", headers=headers)
    assert backend.requests == []


async def test_length_is_that_of_the_body(client: BackendClient) -> None:
    """Host and Content-Length are added, and a mapped Content-Length is not believed."""
    async with answering(_OK, _OK, _OK) as backend:
        await ask(client, backend.url, "PUT", b"abc", {"content-length": "7"})
        await ask(client, backend.url, "GET", headers={"host": "elsewhere"})
        await ask(client, backend.url, "DELETE")
    first, second, third = (request.decode() for request in backend.requests)
    host = backend.url.removeprefix("http://")
    assert first == f"PUT / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 3\r\n\r\nabc"
    assert second == "GET / HTTP/1.1\r\nhost: elsewhere\r\n\r\n"
    assert third.endswith("\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://user:secret@127.0.0.1/", "http:///x"])
async def test_urls_that_are_no_endpoints(client: BackendClient, url: str) -> None:
    """Other schemes, credentials in the URL and no host at all are failures."""
    with pytest.raises(GatewayError):
        await ask(client, url)


async def test_idle_connections_are_not_used_for_long(
    client: BackendClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that the backend is about to close is replaced."""
    monkeypatch.setattr("deploy.local.integrations.client._KEEP_ALIVE_SECONDS", -1.0)
    async with answering(_OK, _OK) as backend:
        for _ in range(2):
            await ask(client, backend.url)
    assert backend.connections == 2
