"""One HTTP client for all backends: keep-alive connections, one time limit, no surprises."""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from deploy.contract.responses import GatewayResponseType
from deploy.local.exchange import BackendResponse, ConfigurationError, GatewayError
from deploy.local.integrations.connection import Answer, BackendConnection

# Below the keep-alive time of common servers (hypercorn and uvicorn: 5 s), so that a connection is
# not used in the moment in which the backend closes it.
_KEEP_ALIVE_SECONDS = 4.0
# Source: RFC 8305, section 5.
_NEXT_ADDRESS_SECONDS = 0.25
# Source: RFC 9110, sections 9.2.2 and 8.6.
_IDEMPOTENT = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"})
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class _Origin(NamedTuple):
    host: str
    port: int
    tls: bool


class BackendClient:
    """Sends requests to backends; its connections belong to the event loop of the first request."""

    def __init__(self) -> None:
        self._idle: dict[_Origin, deque[BackendConnection]] = {}

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> BackendResponse:
        """
        Send one request, without following redirects.

        Args:
            method: HTTP method.
            url: URL, percent-encoded.
            headers: Headers to send; only Host and Content-Length are added.
            body: Payload.
            timeout: Seconds for the whole exchange.

        Raises:
            GatewayError: `INTEGRATION_TIMEOUT` or `INTEGRATION_FAILURE`, both 504.
            ConfigurationError: The URL is none, or its host has no address.
        """
        try:
            origin, host, target = _parts(url)
            request = _head(method, target, host, headers, len(body)) + body
        except ValueError as error:
            raise _no_address(url, error) from error
        try:
            async with asyncio.timeout(timeout):
                answer = await self._exchange(origin, request, method)
        except TimeoutError as error:
            raise _no_answer("INTEGRATION_TIMEOUT", "Endpoint request timed out") from error
        except (socket.gaierror, UnicodeError) as error:
            raise _no_address(url, error) from error
        except OSError as error:
            message = "Network error communicating with endpoint"
            raise _no_answer("INTEGRATION_FAILURE", message) from error
        return BackendResponse(answer.status, str(answer.status), answer.headers, answer.body)

    async def aclose(self) -> None:
        """Close the idle connections; a later request opens new ones."""
        while self._idle:
            for connection in self._idle.popitem()[1]:
                connection.close()

    async def _exchange(self, origin: _Origin, request: bytes, method: str) -> Answer:
        connection = self._take_idle(origin)
        if connection is not None:
            try:
                return await self._ask(origin, connection, request, method)
            except ConnectionError:
                # The backend had closed it, perhaps: safe to try again where repeating is.
                if method not in _IDEMPOTENT or not connection.unanswered:
                    raise
        return await self._ask(origin, await _connect(origin), request, method)

    async def _ask(
        self, origin: _Origin, connection: BackendConnection, request: bytes, method: str
    ) -> Answer:
        answer = await connection.exchange(request, method=method)
        if connection.reusable:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.setdefault(origin, deque()).append(connection)
        else:
            connection.close()
        return answer

    def _take_idle(self, origin: _Origin) -> BackendConnection | None:
        """Return the connection that was used last, and close those that are idle for too long."""
        idle = self._idle.get(origin)
        if not idle:
            return None
        oldest = asyncio.get_running_loop().time() - _KEEP_ALIVE_SECONDS
        while idle and (idle[0].idle_since < oldest or not idle[0].reusable):
            idle.popleft().close()
        while idle:
            connection = idle.pop()
            if connection.reusable:
                return connection
        return None


async def _connect(origin: _Origin) -> BackendConnection:
    _, connection = await asyncio.get_running_loop().create_connection(
        BackendConnection,
        origin.host,
        origin.port,
        ssl=_tls() if origin.tls else None,
        happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS,
    )
    return connection


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _parts(url: str) -> tuple[_Origin, str, str]:
    """
    Return origin, `Host` and request target of a URL.

    Raises:
        ValueError: It is no HTTP URL, or has a character that would end the request line.
    """
    parts = urlsplit(url)
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    if any(character <= " " or character == "\x7f" for character in target):
        raise ValueError("the URL is not percent-encoded")
    origin, host = _origin(parts.scheme, parts.netloc)
    return origin, host, target


@lru_cache(maxsize=256)
def _origin(scheme: str, netloc: str) -> tuple[_Origin, str]:
    parts = urlsplit(f"{scheme}://{netloc}")
    if scheme not in ("http", "https") or not parts.hostname or "@" in netloc:
        raise ValueError(f"not the origin of an endpoint: {scheme}://{netloc}")
    tls = scheme == "https"
    host = netloc if netloc.isascii() else netloc.encode("idna").decode()
    return _Origin(parts.hostname, parts.port or (443 if tls else 80), tls), host


def _head(method: str, target: str, host: str, headers: Mapping[str, str], length: int) -> bytes:
    """
    Return the head of a request.

    Raises:
        ValueError: A header has a line break: what follows it would be a header of its own.
    """
    lines = [f"{method} {target} HTTP/1.1"]
    if not any(name.lower() == "host" for name in headers):
        lines.append(f"Host: {host}")
    lines += [f"{k}: {v}" for k, v in headers.items() if k.lower() != "content-length"]
    if length or method not in _BODILESS:
        lines.append(f"Content-Length: {length}")
    head = "\r\n".join([*lines, "", ""])
    breaks = len(lines) + 1
    if head.count("\r") != breaks or head.count("\n") != breaks or "\0" in head:
        raise ValueError("a header has a line break")
    return head.encode("utf-8", "surrogateescape")


def _no_address(url: str, error: Exception) -> ConfigurationError:
    # 500, and not 504: recorded for a URL whose host is a stage variable without value.
    return ConfigurationError(f"Invalid endpoint address {url!r}: {error}")


def _no_answer(response_type: GatewayResponseType, message: str) -> GatewayError:
    return GatewayError(response_type, message, "InternalServerErrorException")
