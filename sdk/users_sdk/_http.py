"""
One HTTP request and its answer, as values of our own, and what carries them: `httpx` or `httpx2`.

1. What is sent is what was signed: the client's own defaults, credentials and redirects are not
   applied.
2. No type of the HTTP client leaves this module; its errors become `RequestNotSent` or
   `UnknownOutcome`.
3. At most `CONNECTIONS` requests are under way in a transport, and the gate for that is ours: the
   client's own queue costs more for each waiting request (measured for httpx 0.28).
4. An answer is bounded in size as it comes and as it unpacks. It is asked for without compression;
   a server that compresses all the same is understood.
"""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
import time
import zlib
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from importlib import import_module
from types import ModuleType
from typing import Any, Literal, NoReturn, Protocol, TypeAlias

from ._fork import begins_anew
from .errors import (
    AnswerTimeout,
    ClientClosed,
    ConfigurationError,
    ConnectTimeout,
    ProtocolError,
    RequestNotSent,
    SDKError,
    UnknownOutcome,
)

CONNECTIONS = 32
"""Requests under way at once in one transport, and the size of an own client's pool."""

CONNECT_SECONDS = 5.0
"""The most that one attempt spends on connecting, however long it may take in all."""

MAX_BODY_BYTES = 10 * 1024 * 1024
"""The largest answer that is read: what API Gateway sends at most.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
"""

_LIBRARIES = ("httpx", "httpx2")
_CLOSED = "the client has been closed"
_URLS = 1024
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
"""Methods of which a server expects to be told that there is no body (RFC 9110, 8.6)."""

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class Headers(Mapping[str, str]):
    """Header fields, whose names have no case."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str] | None = None) -> None:
        self._fields = _by_lower_name(fields) if fields else {}

    @classmethod
    def decoded(cls, raw: Iterable[tuple[bytes, bytes]]) -> Headers:
        """Return fields as they came over the wire, with all values of one name together."""
        headers = cls()
        fields = headers._fields
        for name, value in raw:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            fields[key] = (key, f"{fields[key][1]}, {text}" if key in fields else text)
        return headers

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        """Show the names only: values may be secrets."""
        return f"Headers({', '.join(self)})"

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def items(self) -> ItemsView[str, str]:
        """Return names and values, as the mapping's own method would, at a tenth of its cost."""
        return dict(self._fields.values()).items()

    def merged(self, fields: Mapping[str, str]) -> Headers:
        """Return these fields with others added, or put in place of those of the same name."""
        merged = Headers()
        merged._fields = self._fields | _by_lower_name(fields)
        return merged

    def without(self, *names: str) -> Headers:
        """Return these fields without some of them."""
        dropped = {name.lower() for name in names}
        if dropped.isdisjoint(self._fields):
            return self
        kept = Headers()
        kept._fields = {key: pair for key, pair in self._fields.items() if key not in dropped}
        return kept


def _by_lower_name(fields: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    return {name.lower(): (name, value) for name, value in fields.items()}


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it goes over the wire: `url` is encoded, `body` is bytes."""

    method: str
    url: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, read to its end."""

    status: int
    headers: Headers
    body: bytes = field(default=b"", repr=False)


class Transport(Protocol):
    """Carries a request and waits for its answer."""

    def send(self, request: Request, timeout: float) -> Response:
        """Return the answer; raise `TransportError` if there is none within `timeout` seconds."""
        ...

    def close(self) -> None:
        """Close what this transport has opened."""


class AsyncTransport(Protocol):
    """Carries a request without blocking the event loop."""

    async def send(self, request: Request, timeout: float) -> Response:
        """Return the answer; raise `TransportError` if there is none within `timeout` seconds."""
        ...

    async def aclose(self) -> None:
        """Close what this transport has opened."""


Library: TypeAlias = Literal["httpx", "httpx2"]
"""What may be sent with: the name of an installed package."""


class HttpClient(Protocol):
    """What is asked of a given client: `httpx.Client` and `httpx2.Client` are such."""

    @property
    def is_closed(self) -> bool:
        """Whether the client was closed."""
        ...

    def close(self) -> None:
        """Close the client."""


class AsyncHttpClient(Protocol):
    """What is asked of a given client: `httpx.AsyncClient` and `httpx2.AsyncClient` are such."""

    @property
    def is_closed(self) -> bool:
        """Whether the client was closed."""
        ...

    async def aclose(self) -> None:
        """Close the client."""


class HttpxTransport:
    """
    Sends through an `httpx` or `httpx2` client.

    Args:
        client: The caller's own client, which is not closed here, or the library to send with;
            connections of its own are opened when first used.
    """

    def __init__(self, client: HttpClient | Library | None = None) -> None:
        self._given = client
        self._library = _library_of(client, "Client")
        self.after_fork()
        begins_anew(self)

    def after_fork(self) -> None:
        """Begin anew with connections and locks; a given client is its owner's to make anew."""
        self._pool: _Pool | None = None
        self._lock = threading.Lock()
        # A queue of permits: a semaphore of threading's costs ten times as much.
        self._gate: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(CONNECTIONS):
            self._gate.put(None)

    def send(self, request: Request, timeout: float) -> Response:
        """Send, and read the answer to its end."""
        deadline = time.monotonic() + timeout
        pool = self._opened()
        try:
            self._gate.get(timeout=timeout)
        except queue.Empty:
            busy = f"{_line(request)} was not sent: all connections were busy"
            raise ConnectTimeout(busy) from None
        try:
            left = max(deadline - time.monotonic(), 0.001)
            answer = pool.send(_wire_request(pool.library, request, left, left))
            try:
                body = _read(answer, request, deadline)
            finally:
                answer.stream.close()
        except Exception as error:
            _raise_translated(error, pool.library, request)
        finally:
            self._gate.put(None)
        return _response(answer, body)

    def close(self) -> None:
        """Close the connections, unless the client was given."""
        with self._lock:
            if self._pool is not None and self._pool.owned:
                self._pool.owned.close()
                self._pool.send = _closed

    def _opened(self) -> _Pool:
        if self._pool is None:
            with self._lock:
                self._pool = self._pool or _pool(self._given, self._library, "Client", "")
        return self._pool


class AsyncHttpxTransport:
    """
    Sends through an asynchronous `httpx` or `httpx2` client, within one event loop.

    Args:
        client: The caller's own client, which is not closed here, or the library to send with;
            connections of its own are opened when first used.
    """

    def __init__(self, client: AsyncHttpClient | Library | None = None) -> None:
        self._given = client
        self._library = _library_of(client, "AsyncClient")
        self._pool: _Pool | None = None
        self._gate = asyncio.Semaphore(CONNECTIONS)

    async def send(self, request: Request, timeout: float) -> Response:
        """Send, and read the answer to its end."""
        sent = False
        try:
            async with asyncio.timeout(timeout), self._gate:
                sent = True
                answer, body = await self._exchange(request, timeout)
        except TimeoutError as error:
            if isinstance(error, SDKError):
                raise
            kind = AnswerTimeout if sent else ConnectTimeout
            raise kind(f"{_line(request)}: no answer within {timeout:g} s") from None
        return _response(answer, body)

    async def _exchange(self, request: Request, timeout: float) -> tuple[Any, bytes]:
        if self._pool is None:
            self._pool = _pool(self._given, self._library, "AsyncClient", "Async")
        try:
            # The caller's limit is around all of this: one timer, where the client would set three.
            wire = _wire_request(self._pool.library, request, timeout, None)
            answer = await self._pool.send(wire)
            try:
                return answer, await _read_async(answer, request)
            finally:
                await answer.stream.aclose()
        except Exception as error:
            _raise_translated(error, self._pool.library, request)

    async def aclose(self) -> None:
        """Close the connections, unless the client was given."""
        if self._pool is not None and self._pool.owned:
            await self._pool.owned.aclose()
            self._pool.send = _closed


@dataclass(slots=True)
class _Pool:
    """
    What sends.

    Attributes:
        library: `httpx` or `httpx2`.
        send: Sends a request of the library's, and returns the beginning of the answer.
        owned: What is to be closed, if it is not the caller's.
    """

    library: ModuleType
    send: Callable[[Any], Any]
    owned: Any = None


def _pool(given: object, name: str, client: str, prefix: str) -> _Pool:
    library = import_module(name)
    if given is not None and not isinstance(given, str):
        return _Pool(library, _sender(given))
    limits = library.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    if import_module("urllib.request").getproxies():
        owned = getattr(library, client)(limits=limits, follow_redirects=False)
        return _Pool(library, _sender(owned), owned)
    # Without proxies a client adds nothing that is wanted here, at a sixth of a request's cost.
    owned = getattr(library, f"{prefix}HTTPTransport")(limits=limits)
    send = owned.handle_async_request if prefix else owned.handle_request
    return _Pool(library, send, owned)


def _sender(client: Any) -> Callable[[Any], Any]:
    return partial(client.send, stream=True, auth=None, follow_redirects=False)


def _closed(wire: Any) -> Any:
    raise RuntimeError(_CLOSED)


def _library_of(client: object, kind: str) -> str:
    """Return the module whose `Client` or `AsyncClient` a given client is."""
    if client is None or client in _LIBRARIES:
        return str(client or _LIBRARIES[0])
    for name in _LIBRARIES:
        library = sys.modules.get(name)
        if library is not None and isinstance(client, getattr(library, kind)):
            return name
    raise ConfigurationError(
        f"http_client is a {type(client).__module__}.{type(client).__qualname__}; this client "
        f"takes {' or '.join(f'{name}.{kind}' for name in _LIBRARIES)}, or the name of one of them"
    )


def _wire_request(
    library: ModuleType, request: Request, timeout: float, other: float | None
) -> Any:
    connect = min(CONNECT_SECONDS, timeout)
    url = _url(library, request.url)
    wire = library.Request(
        request.method,
        url,
        headers=_wire_headers(request, url.netloc),
        stream=library.ByteStream(request.body),
        extensions={"timeout": {"connect": connect, "read": other, "write": other, "pool": other}},
    )
    # The event hooks of a given client may look at what is sent.
    wire.read()
    return wire


def _wire_headers(request: Request, netloc: bytes) -> list[tuple[bytes, bytes]]:
    """Return the fields as they are sent: ours, and what the library would add at more cost."""
    fields = [(name.encode(), value.encode("ascii")) for name, value in request.headers.items()]
    if "host" not in request.headers:
        fields.insert(0, (b"Host", netloc))
    sized = request.body or request.method in _METHODS_WITH_BODY
    if sized and "content-length" not in request.headers:
        fields.append((b"Content-Length", b"%d" % len(request.body)))
    return fields


@lru_cache(maxsize=_URLS)
def _url(library: ModuleType, url: str) -> Any:
    """Parse a URL, once for all polls and repetitions: parsing is a tenth of a request's cost."""
    return library.URL(url)


def _read(answer: Any, request: Request, deadline: float) -> bytes:
    if answer.is_stream_consumed:
        return _read_before(answer, request)
    body = bytearray()
    for chunk in answer.stream:
        _append(body, chunk, request)
        if time.monotonic() > deadline:
            raise AnswerTimeout(f"{_line(request)}: the answer did not end in time")
    return _unpacked(bytes(body), answer.headers.get("content-encoding"), request)


async def _read_async(answer: Any, request: Request) -> bytes:
    if answer.is_stream_consumed:
        return _read_before(answer, request)
    body = bytearray()
    async for chunk in answer.stream:
        _append(body, chunk, request)
    return _unpacked(bytes(body), answer.headers.get("content-encoding"), request)


def _read_before(answer: Any, request: Request) -> bytes:
    """Return what an event hook of the given client has read, or what a mock was made of."""
    body = bytes(answer.content)
    if len(body) > MAX_BODY_BYTES:
        raise _too_large(request)
    return body


def _append(body: bytearray, chunk: bytes, request: Request) -> None:
    body += chunk
    if len(body) > MAX_BODY_BYTES:
        raise _too_large(request)


def _unpacked(body: bytes, encoding: str | None, request: Request) -> bytes:
    """Return what a compressed answer says: little may unpack to more than there is memory."""
    if encoding is None or encoding.lower() == "identity":
        return body
    if encoding.lower() not in ("gzip", "x-gzip", "deflate"):
        raise ProtocolError(
            f"{_line(request)}: the answer is compressed by {encoding!r}; it was asked for as it is"
        )
    unpacker = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        unpacked = unpacker.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error as error:
        raise ProtocolError(f"{_line(request)}: the answer is no {encoding}: {error}") from error
    if len(unpacked) > MAX_BODY_BYTES:
        raise _too_large(request)
    if not unpacker.eof:
        raise ProtocolError(f"{_line(request)}: the answer's {encoding} is cut off")
    return unpacked


def _too_large(request: Request) -> ProtocolError:
    return ProtocolError(f"{_line(request)}: the answer is larger than {MAX_BODY_BYTES} bytes")


def _raise_translated(error: Exception, library: ModuleType, request: Request) -> NoReturn:
    translated = _translated(error, library, request)
    if translated is error:
        raise error
    raise translated from error


def _translated(error: Exception, library: ModuleType, request: Request) -> Exception:
    """Return what an error of the HTTP client is here; one that is none of its stays as it is."""
    if isinstance(error, library.TimeoutException):
        unsent = isinstance(error, library.ConnectTimeout | library.PoolTimeout)
        kind = ConnectTimeout if unsent else AnswerTimeout
        return kind(f"{_line(request)}: {_reason(error)}")
    if isinstance(error, library.InvalidURL | library.UnsupportedProtocol):
        return ConfigurationError(f"{_line(request)} cannot be requested: {_reason(error)}")
    if isinstance(error, library.HTTPError):
        unsent = isinstance(error, library.ConnectError | library.ProxyError)
        failure = RequestNotSent if unsent else UnknownOutcome
        return failure(f"{_line(request)}: {_reason(error)}")
    if isinstance(error, UnicodeEncodeError):
        return ConfigurationError(f"{_line(request)} was not sent: a header field is not ASCII")
    # httpx and httpx2 say so with no class of their own.
    if isinstance(error, RuntimeError) and "client has been closed" in str(error):
        return ClientClosed(f"{_line(request)} was not sent: the client is closed")
    return error


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _line(request: Request) -> str:
    """Name the request, its query left out: queries may hold what logs should not."""
    return f"{request.method} {request.url.partition('?')[0]}"


def _response(answer: Any, body: bytes) -> Response:
    return Response(answer.status_code, Headers.decoded(answer.headers.raw), body)
