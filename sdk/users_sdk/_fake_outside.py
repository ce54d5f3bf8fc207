"""What the clients of a fake server have instead of a network: the server itself, and its clock."""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from types import ModuleType
from typing import Any

from ._clock import Clock
from ._drivers import BlockingTransport
from ._fake_script import Fault
from ._fake_service import Dropped, Service
from ._http import (
    AsyncHttpClient,
    AsyncTransport,
    Headers,
    HttpClient,
    Library,
    Request,
    Response,
    Transport,
)
from ._outside import Outside
from ._virtual_clock import VirtualClock
from .errors import AnswerTimeout, ConfigurationError, RequestNotSent, UnknownOutcome

BASE_URL = "https://fake.test"
"""Where a fake server is, for clients that are given no URL. Source: RFC 6761, 6.2 (`test`)"""

_LIBRARIES = ("httpx", "httpx2")


@dataclass(frozen=True, slots=True)
class FakeKeys:
    """What requests to a fake server are signed with."""

    access_key: str = "AKIDEXAMPLE"
    secret_key: str = "not-a-secret"
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeOutside(Outside):
    """
    What lies outside of a client of a fake server.

    Attributes:
        service: What answers.
        captures: Whether it answers those clients, too, that are given an HTTP client.
    """

    service: Service
    captures: bool = False

    def transport(self, client: HttpClient | Library | None) -> Transport:
        """Return what carries a blocking client's requests to the service."""
        # Made in any case, so that a client of the wrong kind is refused as it would be.
        transport = Outside.transport(self, client)
        return Direct(self.service, self.clock) if self._is_mine(client) else transport

    def async_transport(self, client: AsyncHttpClient | Library | None) -> AsyncTransport:
        """Return what carries an asynchronous client's requests to the service."""
        transport = Outside.async_transport(self, client)
        return AsyncDirect(self.service, self.clock) if self._is_mine(client) else transport

    def polling_transport(
        self, given: Transport | None, library: Library | None = None
    ) -> AsyncTransport:
        """Return what a blocking client's scheduler asks the service with."""
        if given is None or isinstance(given, Direct):
            return AsyncDirect(self.service, self.clock)
        return BlockingTransport(given, self.clock)

    def _is_mine(self, client: object) -> bool:
        return self.captures or client is None or isinstance(client, str)


class Direct:
    """Carries a request to a service, in the calling thread."""

    def __init__(self, service: Service, clock: Clock) -> None:
        self._service = service
        self._clock = clock

    def send(self, request: Request, timeout: float) -> Response:
        """Return the answer; an answer that never comes takes `timeout` seconds of the clock."""
        try:
            return self._service.answer(request)
        except Dropped as dropped:
            if dropped.fault is Fault.TIMEOUT:
                self._clock.sleep(timeout, threading.Event())
            raise _lost(dropped.fault) from None

    def close(self) -> None:
        """Close nothing."""


class AsyncDirect:
    """Carries a request to a service, in the running event loop."""

    def __init__(self, service: Service, clock: Clock) -> None:
        self._service = service
        self._clock = clock

    async def send(self, request: Request, timeout: float) -> Response:
        """Return the answer; an answer that never comes takes `timeout` seconds of the clock."""
        try:
            return self._service.answer(request)
        except Dropped as dropped:
            if dropped.fault is Fault.TIMEOUT:
                await self._clock.sleep_async(timeout)
            raise _lost(dropped.fault) from None

    async def aclose(self) -> None:
        """Close nothing."""


@contextmanager
def captured(kind: type[Any], outside: Outside) -> Generator[None]:
    """Let the clients of a class that are made meanwhile have something else outside of them."""
    own, original = vars(kind).get("__init__"), kind.__init__

    @wraps(original)
    def made(self: Any, *args: Any, **kwargs: Any) -> None:
        # One that has something already was made by a fake, or by an inner context's class.
        if "_outside" not in vars(self):
            self._outside = outside
        original(self, *args, **kwargs)

    kind.__init__ = made
    try:
        yield
    finally:
        if own is None:
            del kind.__init__
        else:
            kind.__init__ = own


def respond(service: Service, clock: Clock, request: Any) -> Any:
    """
    Answer a request of `httpx` or `httpx2` with a response of the same library.

    A virtual clock moves on by the time that the request would have waited for an answer in vain,
    if the request says for how long.

    Raises:
        ConfigurationError: It is a request of another library.
        Exception: What the library raises if there is no answer.
    """
    library = _library_of(request)
    fields = Headers(dict(request.headers))
    try:
        answer = service.answer(Request(request.method, str(request.url), fields, request.content))
    except Dropped as dropped:
        if dropped.fault is Fault.TIMEOUT and isinstance(clock, VirtualClock):
            clock.skip(_patience(request.extensions))
        kinds = {Fault.RESET_BEFORE: "ConnectError", Fault.TIMEOUT: "ReadTimeout"}
        kind = getattr(library, kinds.get(dropped.fault, "ReadError"))
        raise kind(dropped.fault.value, request=request) from None
    return library.Response(answer.status, headers=dict(answer.headers), content=answer.body)


def _library_of(request: Any) -> ModuleType:
    name = type(request).__module__.partition(".")[0]
    if name not in _LIBRARIES:
        raise ConfigurationError(
            f"respond() takes a request of {' or '.join(_LIBRARIES)}, not a "
            f"{type(request).__module__}.{type(request).__qualname__}"
        )
    return import_module(name)


def _patience(extensions: Mapping[str, Any]) -> float:
    return float(extensions.get("timeout", {}).get("read") or 0.0)


def _lost(fault: Fault) -> Exception:
    kinds = {Fault.RESET_BEFORE: RequestNotSent, Fault.TIMEOUT: AnswerTimeout}
    return kinds.get(fault, UnknownOutcome)(fault.value)
