"""
One HTTP request and its answer, as values of our own, and what carries them: `httpx` or `httpx2`.

1. What is sent is what was signed: the client's own defaults, credentials and redirects are not
   applied.
2. No type of the HTTP client leaves this module; its errors become `RequestNotSent` or
   `UnknownOutcome`.
3. At most `CONNECTIONS` requests are under way in a transport, and the gate for that is ours: the
   client's own queue costs more for each waiting request (measured for httpx 0.28).
4. Closing ends the requests under way: what had left has an unknown outcome, the rest was not sent.
   Over a given blocking client a request that had left goes on to its end: the connection is the
   caller's, and may serve others.
5. No error shows a header field's value, as it may be a secret: what the HTTP client says of a
   request that it does not like is kept back.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import ItemsView, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from types import ModuleType
from typing import Any, Literal, NoReturn, Protocol, TypeAlias, TypeVar, cast, overload

from ._body import read, read_async
from ._fork import begins_anew
from ._pool import Pool, Sockets, library_of, opened
from .errors import (
    AnswerTimeout,
    ClientClosed,
    ConfigurationError,
    ConnectTimeout,
    RequestNotSent,
    SDKError,
    UnknownOutcome,
)

T = TypeVar("T")

CONNECTIONS = 32
"""Requests under way at once in one transport, and the size of an own client's pool."""

CONNECT_SECONDS = 5.0
"""The most that one attempt spends on connecting, however long it may take in all."""

CLOSE_SECONDS = 1.0
"""How long closing waits for the requests under way to end, once their connections have."""

_REQUEST_ID_HEADERS = ("x-amzn-requestid", "x-amz-request-id", "x-request-id")
_URLS = 1024
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
"""Methods of which a server expects to be told that there is no body (RFC 9110, 8.6)."""


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

    @overload
    def get(self, key: str) -> str | None: ...

    @overload
    def get(self, key: str, default: str | T) -> str | T: ...

    def get(self, key: str, default: object = None) -> object:
        """Return a value, as the mapping's own method would, without an exception inside."""
        pair = self._fields.get(key.lower())
        return default if pair is None else pair[1]

    def items(self) -> ItemsView[str, str]:
        """Return names and values, as the mapping's own method would, at a tenth of its cost."""
        return dict(self._fields.values()).items()

    def merged(self, fields: Mapping[str, str]) -> Headers:
        """Return these fields with others added, or put in place of those of the same name."""
        merged = Headers()
        merged._fields = self._fields | _by_lower_name(fields)
        return merged

    def without(self, names: frozenset[str]) -> Headers:
        """Return these fields without some of them, whose names are given in lower case."""
        if names.isdisjoint(self._fields):
            return self
        kept = Headers()
        kept._fields = {key: pair for key, pair in self._fields.items() if key not in names}
        return kept

    def encoded(self) -> list[tuple[bytes, bytes]]:
        """Return names and values as they are sent; `UnicodeEncodeError` if one is not ASCII."""
        return [(name.encode(), value.encode("ascii")) for name, value in self._fields.values()]

    def in_lower_case(self) -> list[tuple[str, str]]:
        """Return names, in lower case, and values."""
        return [(key, value) for key, (_, value) in self._fields.items()]


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

    @property
    def request_id(self) -> str | None:
        """The server's ID of the HTTP request, if it gave one."""
        known = (self.headers.get(name) for name in _REQUEST_ID_HEADERS)
        return next((value for value in known if value), None)


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
        self._library = library_of(client, "Client")
        self._closed = False
        self._sockets = Sockets()
        self._begin()
        begins_anew(self)

    def after_fork(self) -> None:
        """Begin anew with connections and locks; a given client is its owner's to make anew."""
        self._sockets.let_go()
        self._sockets = Sockets()
        self._begin()

    def send(self, request: Request, timeout: float) -> Response:
        """Send, and read the answer to its end."""
        deadline = time.monotonic() + timeout
        try:
            self._gate.get(timeout=timeout)
        except queue.Empty:
            busy = f"{_line(request)} was not sent: all connections were busy"
            raise ConnectTimeout(busy) from None
        try:
            return self._exchange(request, deadline)
        finally:
            self._gate.put(None)

    def close(self) -> None:
        """End what is under way, and close the connections, unless the client was given."""
        with self._lock:
            self._closed = True
            pool = self._pool
        if pool is not None and pool.owned:
            self._sockets.shut_down()
            self._wait_for_all()
            pool.owned.close()

    def _begin(self) -> None:
        self._pool: Pool | None = None
        self._lock = threading.Lock()
        # A queue of permits: a semaphore of threading's costs ten times as much.
        self._gate: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(CONNECTIONS):
            self._gate.put(None)

    def _exchange(self, request: Request, deadline: float) -> Response:
        pool = None if self._closed else self._opened()
        if pool is None:
            raise _never_sent(request)
        answer: Any = None
        try:
            left = max(deadline - time.monotonic(), 0.001)
            wire = _wire_request(pool, request, left, left)
            if pool.owned:
                wire.extensions["trace"] = self._sockets.trace
            answer = pool.send(wire)
            try:
                fields = Headers.decoded(answer.headers.raw)
                body = read(answer, fields.get("content-encoding"), deadline)
            finally:
                answer.stream.close()
        except Exception as error:
            if refusal := _refusal(error, pool.library):
                return refusal
            _raise_explained(error, pool.library, request, answer, closed=self._closed)
        return Response(answer.status_code, fields, body)

    def _opened(self) -> Pool | None:
        """Return what sends; `None` if it was closed before it was opened."""
        if self._pool is None:
            with self._lock:
                if self._pool is None and not self._closed:
                    self._pool = opened(
                        self._given, self._library, blocking=True, connections=CONNECTIONS
                    )
        return self._pool

    def _wait_for_all(self) -> None:
        """Wait, by taking all permits, until nobody reads from what is to be closed."""
        deadline = time.monotonic() + CLOSE_SECONDS
        taken = 0
        with suppress(queue.Empty):
            while taken < CONNECTIONS:
                self._gate.get(timeout=max(deadline - time.monotonic(), 0.0))
                taken += 1
        for _ in range(taken):
            self._gate.put(None)


class AsyncHttpxTransport:
    """
    Sends through an asynchronous `httpx` or `httpx2` client, within one event loop.

    Args:
        client: The caller's own client, which is not closed here, or the library to send with;
            connections of its own are opened when first used.
    """

    def __init__(self, client: AsyncHttpClient | Library | None = None) -> None:
        self._given = client
        self._library = library_of(client, "AsyncClient")
        self._closed = False
        self._pool: Pool | None = None
        self._gate = asyncio.Semaphore(CONNECTIONS)
        self._limits: set[asyncio.Timeout] = set()

    async def send(self, request: Request, timeout: float) -> Response:
        """Send, and read the answer to its end."""
        sent = False
        # The only limit there is: one timer, where the client would set three.
        limit = asyncio.timeout(timeout)
        self._limits.add(limit)
        try:
            async with limit, self._gate:
                if self._closed:
                    raise _never_sent(request)
                sent = True
                return await self._exchange(request, timeout)
        except TimeoutError as error:
            if isinstance(error, SDKError):
                raise
            if self._closed:
                raise (_interrupted if sent else _never_sent)(request) from None
            kind = AnswerTimeout if sent else ConnectTimeout
            raise kind(f"{_line(request)}: no answer within {timeout:g} s") from None
        finally:
            self._limits.discard(limit)

    async def aclose(self) -> None:
        """End what is under way, and close the connections, unless the client was given."""
        self._closed = True
        now = asyncio.get_running_loop().time()
        for limit in self._limits:
            # Those that are over already cannot be shortened.
            with suppress(RuntimeError):
                limit.reschedule(now)
        if self._pool is not None and self._pool.owned:
            await self._pool.owned.aclose()

    async def _exchange(self, request: Request, timeout: float) -> Response:
        if self._pool is None:
            self._pool = opened(self._given, self._library, blocking=False, connections=CONNECTIONS)
        pool, answer = self._pool, None
        try:
            answer = await pool.send(_wire_request(pool, request, timeout, None))
            try:
                fields = Headers.decoded(answer.headers.raw)
                body = await read_async(answer, fields.get("content-encoding"))
            finally:
                await answer.stream.aclose()
        except Exception as error:
            if refusal := _refusal(error, pool.library):
                return refusal
            _raise_explained(error, pool.library, request, answer, closed=self._closed)
        return Response(answer.status_code, fields, body)


def _wire_request(pool: Pool, request: Request, timeout: float, other: float | None) -> Any:
    library = pool.library
    connect = min(CONNECT_SECONDS, timeout)
    url, netloc = _url(library, request.url)
    wire = library.Request(
        request.method,
        url,
        headers=_wire_headers(request, netloc),
        stream=library.ByteStream(request.body),
        extensions={"timeout": {"connect": connect, "read": other, "write": other, "pool": other}},
    )
    if not pool.owned:
        # The event hooks of a given client may look at what is sent.
        wire.read()
        # Told, so that the client does not find it out for each request.
        wire.headers.encoding = "ascii"
    return wire


def _wire_headers(request: Request, netloc: bytes) -> list[tuple[bytes, bytes]]:
    """Return the fields as they are sent: ours, and what the library would add at more cost."""
    fields = request.headers.encoded()
    if "host" not in request.headers:
        fields.insert(0, (b"Host", netloc))
    sized = request.body or request.method in _METHODS_WITH_BODY
    if sized and "content-length" not in request.headers:
        fields.append((b"Content-Length", b"%d" % len(request.body)))
    return fields


@lru_cache(maxsize=_URLS)
def _url(library: ModuleType, url: str) -> tuple[Any, bytes]:
    """
    Return a URL of the library's, and its `Host`.

    It is parsed once for all polls and repetitions: parsing is a tenth of a request's cost.
    """
    parsed = library.URL(url)
    return parsed, parsed.netloc


def _refusal(error: Exception, library: ModuleType) -> Response | None:
    """
    Return the answer that an event hook of the caller's made an error of, as `raise_for_status`.

    Its body is lost: the hook was called before it was read.
    """
    if not isinstance(error, library.HTTPStatusError):
        return None
    answer = cast("Any", error).response
    return Response(answer.status_code, Headers.decoded(answer.headers.raw))


def _raise_explained(
    error: Exception, library: ModuleType, request: Request, answer: Any, *, closed: bool
) -> NoReturn:
    """
    Raise what an error of the HTTP client is here; one that is none of its stays as it is.

    Args:
        error: The error.
        library: Whose it may be.
        request: What was to be sent.
        answer: The library's answer, if it has begun.
        closed: Whether the client was closed meanwhile, which then is the reason.
    """
    explained = _explained(error, library, request)
    if closed and isinstance(explained, UnknownOutcome):
        explained = _interrupted(request)
    elif closed and isinstance(explained, RequestNotSent):
        explained = _never_sent(request)
    if isinstance(explained, SDKError) and answer is not None:
        fields = Headers.decoded(answer.headers.raw)
        explained.request_id = Response(answer.status_code, fields).request_id
    if explained is error:
        raise error
    # These could show a header field's value.
    hidden = isinstance(error, library.LocalProtocolError | UnicodeEncodeError)
    raise explained from (None if hidden else error)


def _explained(error: Exception, library: ModuleType, request: Request) -> Exception:
    if isinstance(error, SDKError):
        error.args = (f"{_line(request)}: {error.args[0]}",)
        return error
    if isinstance(error, library.TimeoutException):
        unsent = isinstance(error, library.ConnectTimeout | library.PoolTimeout)
        kind = ConnectTimeout if unsent else AnswerTimeout
        return kind(f"{_line(request)}: {_reason(error)}")
    if isinstance(error, library.InvalidURL | library.UnsupportedProtocol):
        return ConfigurationError(f"{_line(request)} cannot be requested: {_reason(error)}")
    if isinstance(error, library.LocalProtocolError):
        name = type(error).__name__
        return UnknownOutcome(f"{_line(request)}: {name}, the HTTP client refused to go on")
    if isinstance(error, library.HTTPError):
        unsent = isinstance(error, library.ConnectError | library.ProxyError)
        failure = RequestNotSent if unsent else UnknownOutcome
        return failure(f"{_line(request)}: {_reason(error)}")
    if isinstance(error, UnicodeEncodeError):
        return ConfigurationError(f"{_line(request)} was not sent: a header field is not ASCII")
    # httpx and httpx2 say so with no class of their own.
    if isinstance(error, RuntimeError) and "client has been closed" in str(error):
        return _never_sent(request)
    return error


def _never_sent(request: Request) -> ClientClosed:
    return ClientClosed(f"{_line(request)} was not sent: the client is closed")


def _interrupted(request: Request) -> UnknownOutcome:
    return UnknownOutcome(f"{_line(request)}: the client was closed before the answer came")


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _line(request: Request) -> str:
    """Name the request, its query left out: queries may hold what logs should not."""
    return f"{request.method} {request.url.partition('?')[0]}"
