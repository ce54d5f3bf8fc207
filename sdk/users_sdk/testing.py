"""
A server for tests, in this process: no network, no credentials, no sleeping.

`FakeServer` knows the package's own operations. An accepted request is pending once and then has a
result made from its body, unless a script says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any, Literal, ParamSpec, TypeVar, get_type_hints

from ._codec import adapter
from ._fake_answers import chain_kind
from ._fake_clock import RealClock
from ._fake_outside import BASE_URL, FakeKeys, FakeOutside, captured, respond
from ._fake_request import RecordedRequest
from ._fake_script import Fault, Script
from ._fake_service import Service, Unknown
from ._fake_values import likely
from ._generated import operations
from ._generated.testing import AsyncClient, Client
from ._operation import AsyncOperation, Operation
from ._virtual_clock import VirtualClock
from .errors import ConfigurationError

__all__ = ["FakeServer", "Fault", "RealClock", "RecordedRequest", "Script", "VirtualClock"]

P = ParamSpec("P")
C = TypeVar("C")


class FakeServer:
    """
    A server of this package's API, within this process.

    Any number of clients, threads and event loops may use it at once.

    Args:
        clock: The time that the server and its clients live in: by default one that does not sleep
            and begins with the year 2026; one of your own, which several servers may share; or
            `"real"`, in which what takes time takes it.
        unknown: What the status of an ID says that was never given out: `"not_found"` answers with
            404, `"pending"` as a service that cannot tell it from one that still waits.

    Attributes:
        clock: The same.
        requests: What was asked, in order.
        client: Makes a blocking client of this server; takes what the client's class takes. A
            given HTTP client is sent with, and must lead to `respond`.
        async_client: The same, of an asynchronous client.
    """

    def __init__(
        self,
        *,
        clock: VirtualClock | Literal["real"] | None = None,
        unknown: Unknown = "not_found",
    ) -> None:
        self.clock: VirtualClock | RealClock = _clock(clock)
        known: list[Any] = list(vars(operations).values())
        called: list[Operation[Any]] = [it for it in known if isinstance(it, Operation)]
        chains: list[AsyncOperation[Any]] = [it for it in known if isinstance(it, AsyncOperation)]
        types = {it.name: get_type_hints(getattr(Client, it.name)) for it in called}
        self._service = Service(called, chains, types, self.clock, unknown)
        self.requests = self._service.requests
        self._outside = FakeOutside(
            clock=self.clock,
            random=Random(0).random,
            base_url=BASE_URL,
            region="us-east-1",
            credentials=FakeKeys(),
            service=self._service,
        )
        self.client = self._opens(Client)
        self.async_client = self._opens(AsyncClient)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self.clock.now:g} s, {len(self.requests)} requests>"

    def on(self, operation: str) -> Script:
        """
        Return the script of an operation.

        Raises:
            ConfigurationError: There is no operation of this name.
        """
        scripts = self._service.scripts
        if operation not in scripts:
            raise ConfigurationError(
                f"There is no operation {operation!r}: {likely(operation, list(scripts))}"
            )
        return scripts[operation]

    def requests_of(self, operation: str) -> list[RecordedRequest]:
        """
        Return what an operation was asked, in order, each repetition included.

        Raises:
            ConfigurationError: There is no operation of this name.
        """
        name = self.on(operation).operation.name
        return [it for it in self.requests if it.operation == name]

    def results(self, operation: str) -> list[Any]:
        """
        Return what an asynchronous operation has made or goes on making, as its models.

        Raises:
            ConfigurationError: There is no asynchronous operation of this name.
        """
        chain = self.on(operation).chain
        if chain is None:
            raise ConfigurationError(f"{operation} is not asynchronous, so it makes nothing")
        kind = chain_kind(chain)
        jobs = [it for it in self._service.jobs if it.chain is chain and it.course.error is None]
        if kind is None or kind is bytes:
            return [job.result for job in jobs]
        return [adapter(kind).validate_python(job.result) for job in jobs]

    def respond(self, request: Any) -> Any:
        """
        Answer a request of `httpx` or `httpx2`, as their `MockTransport` or respx calls it.

        Raises:
            ConfigurationError: It is a request of another library.
            Exception: What the library itself would raise, if a `Fault` is scripted. A virtual
                clock moves on by the time that the request would have waited for its answer.
        """
        return respond(self._service, self.clock, request)

    @contextmanager
    def patched(self) -> Generator[FakeServer]:
        """
        Let every client of this package that is made in the context be one of this server's.

        For code that makes its clients itself: whatever URL, HTTP client or credentials it gives
        them, no request leaves the process. Clients that were made before are as they were, and
        those that were made meanwhile stay with this server.
        """
        outside = replace(self._outside, captures=True)
        with captured(Client, outside), captured(AsyncClient, outside):
            yield self

    def _opens(self, kind: Callable[P, C]) -> Callable[P, C]:
        def opened(*args: P.args, **kwargs: P.kwargs) -> C:
            # What it reaches outside must be known when it is made.
            constructor: Any = kind
            client: Any = constructor.__new__(constructor)
            client._outside = self._outside
            client.__init__(*args, **kwargs)
            made: C = client
            return made

        return opened


def _clock(clock: VirtualClock | Literal["real"] | None) -> VirtualClock | RealClock:
    if clock is None or isinstance(clock, VirtualClock):
        return clock or VirtualClock()
    if clock != "real":
        raise ConfigurationError(f"clock must be a VirtualClock or 'real', not {clock!r}")
    return RealClock()
