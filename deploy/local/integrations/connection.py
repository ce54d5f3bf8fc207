"""
One HTTP/1.1 connection to a backend: a request, its answer, and the next request.

It does what the gateway needs and no more, because a general client costs as much as all stages
together. Sources: RFC 9112 (framing), RFC 9110 (methods and statuses).
"""

import asyncio
import zlib
from collections.abc import Sequence
from typing import NamedTuple, cast

from httptools import HttpParserError, HttpResponseParser

MAX_ANSWER_BYTES = 10 * 1024 * 1024
# The least that is not a final answer (RFC 9110, section 15.2), and the answers without a body.
_FINAL = 200
_BODILESS = frozenset({204, 304})
_DECODED = frozenset({"deflate", "gzip", "x-gzip"})


class AnswerError(ConnectionError):
    """The backend's answer is not HTTP, not whole, or too long."""


class Answer(NamedTuple):
    """
    An answer.

    Attributes:
        status: HTTP status.
        headers: Names and values.
        body: Payload, decompressed.
    """

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


class BackendConnection(asyncio.Protocol):
    """A connection; `asyncio.loop.create_connection` makes it."""

    def __init__(self) -> None:
        self.idle_since = 0.0
        self.unanswered = True
        self._answer: asyncio.Future[Answer] | None = None
        self._reusable = True
        self._without_body = False
        self._begin()

    @property
    def reusable(self) -> bool:
        """Whether another request can be sent: also not while one is still on its way."""
        transport = self._transport
        return (
            self._reusable and not transport.is_closing() and not transport.get_write_buffer_size()
        )

    async def exchange(self, request: bytes, *, method: str) -> Answer:
        """
        Send a request and wait for its answer; the connection is closed if that fails.

        Args:
            request: Head and body.
            method: HTTP method: after HEAD no body follows.

        Raises:
            AnswerError: There is no whole answer; with `unanswered` not even the beginning of one.
        """
        if self._transport.is_closing():
            raise AnswerError("the backend closed the connection")
        self._begin()
        self.unanswered = True
        self._without_body = method == "HEAD"
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await self._answer
        except BaseException:
            self.close()
            raise
        finally:
            self._answer = None

    def close(self) -> None:
        """Close the connection."""
        self._reusable = False
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived."""
        if self._answer is None or self._answer.done():
            # Nothing was asked, so that nobody knows what this answers.
            self.close()
            return
        self.unanswered = False
        self._received += len(data)
        if self._received > 2 * MAX_ANSWER_BYTES:
            self._fail("the answer is too long")
            return
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            self._fail(f"the answer is not HTTP: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        """End an answer that ends with its connection, and fail one that does not."""
        self._reusable = False
        if self._answer is None or self._answer.done():
            return
        if exc is None and self._in_body and not self._framed:
            self.on_message_complete()
        else:
            self._fail("the backend closed the connection")

    def on_message_begin(self) -> None:
        """Give up a connection on which more comes than was asked for; the parser calls this."""
        if self._answer is None or self._answer.done():
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; the parser calls this, as the methods below."""
        self._headers.append((_text(name), _text(value)))

    def on_headers_complete(self) -> None:
        """See how the answer ends."""
        self._status = self._parser.get_status_code()
        lower = {name.lower(): value.strip().lower() for name, value in self._headers}
        self._framed = "content-length" in lower or "transfer-encoding" in lower
        self._encoding = lower.get("content-encoding", "")
        self._in_body = True
        if self._without_body and self._status >= _FINAL:
            # The parser goes on to wait for the body that `Content-Length` tells of.
            self._reusable = False
            self.on_message_complete()

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Give the answer, unless it is an interim one."""
        if self._answer is None or self._answer.done():
            return
        if self._status < _FINAL:
            self._headers.clear()
            self._in_body = False
            return
        if not self._parser.should_keep_alive() or not (self._framed or self._status in _BODILESS):
            self._reusable = False
        try:
            body = _decoded(b"".join(self._body), self._encoding)
        except zlib.error as error:
            self._fail(f"the body is not {self._encoding}: {error}")
            return
        if len(body) > MAX_ANSWER_BYTES:
            self._fail("the answer is too long")
            return
        self._answer.set_result(Answer(self._status, tuple(self._headers), body))

    def _begin(self) -> None:
        self._parser = HttpResponseParser(self)
        self._headers: list[tuple[str, str]] = []
        self._body: list[bytes] = []
        self._received = 0
        self._status = 0
        self._encoding = ""
        self._framed = self._in_body = False

    def _fail(self, reason: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(AnswerError(reason))
        self.close()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _decoded(body: bytes, encoding: str) -> bytes:
    """Undo a compression, as far as the answer may be long."""
    if encoding not in _DECODED or not body:
        return body
    # Of deflate there are two kinds in use; the first octet of a zlib stream tells them apart.
    raw = encoding == "deflate" and body[0] & 0x0F != zlib.DEFLATED
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS if raw else zlib.MAX_WBITS | 32)
    return unpacker.decompress(body, MAX_ANSWER_BYTES + 1)
