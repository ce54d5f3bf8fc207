"""
One HTTP request and its answer, as values of our own, and what carries them: `httpx` or `httpx2`.

1. What is sent is what was signed: the client's own defaults, credentials and redirects are not
   applied.
2. No type of the HTTP client leaves this module; its errors become `RequestNotSent` or
   `UnknownOutcome`.
3. At most `CONNECTIONS` requests are under way in a transport, and the gate for that is ours: the
   client's own queue costs more for each waiting request (measured for httpx 0.28).
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol

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


class Headers(Mapping[str, str]):
    """Header fields, whose names have no case."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str] | None = None) -> None:
        self._fields = {name.lower(): (name, value) for name, value in (fields or {}).items()}

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        """Show the names only: values may be secrets."""
        return f"Headers({', '.join(self)})"

    def merged(self, fields: Mapping[str, str]) -> Headers:
        """Return these fields with others added, or put in place of those of the same name."""
        merged = Headers(fields)
        merged._fields = self._fields | merged._fields
        return merged

    def without(self, *names: str) -> Headers:
        """Return these fields without some of them."""
        dropped = {name.lower() for name in names}
        return Headers({name: self[name] for name in self if name.lower() not in dropped})


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

    def close(self) -> None:
        """Close what this transport has opened."""


class AsyncTransport(Protocol):
    """Carries a request without blocking the event loop."""

    async def send(self, request: Request, timeout: float) -> Response:
        """Return the answer; raise `TransportError` if there is none within `timeout` seconds."""

    async def aclose(self) -> None:
        """Close what this transport has opened."""


class HttpClient(Protocol):
    """What is asked of a given client: `httpx.Client` and `httpx2.Client` are such."""

    @property
    def is_closed(self) -> bool:
        """Whether the client was closed."""

    def close(self) -> None:
        """Close the client."""


class AsyncHttpClient(Protocol):
    """What is asked of a given client: `httpx.AsyncClient` and `httpx2.AsyncClient` are such."""

    @property
    def is_closed(self) -> bool:
        """Whether the client was closed."""

    async def aclose(self) -> None:
        """Close the client."""


class HttpxTransport:
    """
    Sends through an `httpx` or `httpx2` client.

    Args:
        client: The caller's own client, which is not closed here; by default one is made when first
            used.
    """

    def __init__(self, client: HttpClient | None = None) -> None:
        self._given = client
        self._library = _library_of(client, "Client") if client is not None else None
        self.after_fork()
        begins_anew(self)

    def after_fork(self) -> None:
        """Begin anew with connections and locks; a given client is its owner's to make anew."""
        self._client: Any = self._given
        self._lock = threading.Lock()
        self._gate = threading.BoundedSemaphore(CONNECTIONS)

    def send(self, request: Request, timeout: float) -> Response:
        """Send, and read the answer to its end."""
        deadline = time.monotonic() + timeout
        client, library = self._opened()
        if not self._gate.acquire(timeout=timeout):
            raise ConnectTimeout(f"{_line(request)} was not sent: all connections were busy")
        try:
            with _translated(library, request):
                wire = _wire_request(library, request, max(deadline - time.monotonic(), 0.001))
                answer = client.send(wire, stream=True, auth=None, follow_redirects=False)
                try:
                    body = bytearray()
                    for chunk in answer.iter_bytes():
                        _append(body, chunk, request)
                        if time.monotonic() > deadline:
                            raise AnswerTimeout(f"{_line(request)}: the answer did not end in time")
                finally:
                    answer.close()
        finally:
            self._gate.release()
        return _response(answer, bytes(body))

    def close(self) -> None:
        """Close the client, unless it was given."""
        with self._lock:
            if self._client is not None and self._given is None:
                self._client.close()

    def _opened(self) -> tuple[Any, ModuleType]:
        with self._lock:
            if self._library is None:
                self._library = import_module(_LIBRARIES[0])
            if self._client is None:
                self._client = self._library.Client(**_client_options(self._library))
            return self._client, self._library


class AsyncHttpxTransport:
    """
    Sends through an asynchronous `httpx` or `httpx2` client, within one event loop.

    Args:
        client: The caller's own client, which is not closed here; by default one is made when first
            used.
    """

    def __init__(self, client: AsyncHttpClient | None = None) -> None:
        self._given = client
        self._library = _library_of(client, "AsyncClient") if client is not None else None
        self._client: Any = client
        self._gate = asyncio.Semaphore(CONNECTIONS)

    async def send(self, request: Request, timeout: float) -> Response:
        """Send, and read the answer to its end."""
        sent = False
        try:
            async with asyncio.timeout(timeout), self._gate:
                sent = True
                return await self._exchange(request, timeout)
        except TimeoutError as error:
            if isinstance(error, SDKError):
                raise
            kind = AnswerTimeout if sent else ConnectTimeout
            raise kind(f"{_line(request)}: no answer within {timeout:g} s") from None

    async def _exchange(self, request: Request, timeout: float) -> Response:
        client, library = self._opened()
        with _translated(library, request):
            wire = _wire_request(library, request, timeout)
            answer = await client.send(wire, stream=True, auth=None, follow_redirects=False)
            try:
                body = bytearray()
                async for chunk in answer.aiter_bytes():
                    _append(body, chunk, request)
            finally:
                await answer.aclose()
        return _response(answer, bytes(body))

    async def aclose(self) -> None:
        """Close the client, unless it was given."""
        if self._client is not None and self._given is None:
            await self._client.aclose()

    def _opened(self) -> tuple[Any, ModuleType]:
        if self._library is None:
            self._library = import_module(_LIBRARIES[0])
        if self._client is None:
            self._client = self._library.AsyncClient(**_client_options(self._library))
        return self._client, self._library


def _library_of(client: object, kind: str) -> ModuleType:
    """Return the module whose `Client` or `AsyncClient` a given client is."""
    for name in _LIBRARIES:
        library = sys.modules.get(name)
        if library is not None and isinstance(client, getattr(library, kind)):
            return library
    raise ConfigurationError(
        f"http_client is a {type(client).__module__}.{type(client).__qualname__}; this client "
        f"takes {' or '.join(f'{name}.{kind}' for name in _LIBRARIES)}"
    )


def _client_options(library: ModuleType) -> dict[str, Any]:
    return {
        "limits": library.Limits(
            max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS
        ),
        "follow_redirects": False,
    }


def _wire_request(library: ModuleType, request: Request, timeout: float) -> Any:
    limits = library.Timeout(timeout, connect=min(CONNECT_SECONDS, timeout))
    return library.Request(
        request.method,
        request.url,
        headers=list(request.headers.items()),
        content=request.body,
        extensions={"timeout": limits.as_dict()},
    )


@contextmanager
def _translated(library: ModuleType, request: Request) -> Iterator[None]:
    """Turn the HTTP client's errors into ours."""
    try:
        yield
    except library.TimeoutException as error:
        unsent = isinstance(error, library.ConnectTimeout | library.PoolTimeout)
        kind = ConnectTimeout if unsent else AnswerTimeout
        raise kind(f"{_line(request)}: {_reason(error)}") from error
    except (library.InvalidURL, library.UnsupportedProtocol) as error:
        raise ConfigurationError(f"{request.url} cannot be requested: {_reason(error)}") from error
    except library.HTTPError as error:
        unsent = isinstance(error, library.ConnectError | library.ProxyError)
        failure = RequestNotSent if unsent else UnknownOutcome
        raise failure(f"{_line(request)}: {_reason(error)}") from error
    except RuntimeError as error:
        # httpx and httpx2 say so with no class of their own.
        if "client has been closed" not in str(error):
            raise
        raise ClientClosed(f"{_line(request)} was not sent: the client is closed") from error


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _line(request: Request) -> str:
    """Name the request, its query left out: queries may hold what logs should not."""
    return f"{request.method} {request.url.partition('?')[0]}"


def _append(body: bytearray, chunk: bytes, request: Request) -> None:
    body += chunk
    if len(body) > MAX_BODY_BYTES:
        raise ProtocolError(f"{_line(request)}: the answer is larger than {MAX_BODY_BYTES} bytes")


def _response(answer: Any, body: bytes) -> Response:
    return Response(answer.status_code, Headers(dict(answer.headers.items())), body)
