"""
Handles: accepted requests that will be results, as futures.

1. Nothing is asked until the first question to the handle; from then on it advances by itself, on
   the client's one scheduler, until it is settled, cancelled or dropped.
2. Waiting that ends settles nothing.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast
from weakref import WeakSet

from ._accepted import Accepted, fresh
from ._clock import Clock
from ._endpoint import Endpoint
from ._flows import LAST_QUESTION_SECONDS
from ._future import Condition, Waiters
from ._operation import AsyncOperation
from ._origin import resume
from ._progress import Progress
from ._scheduler import Background, Loops, Scheduler

if TYPE_CHECKING:
    import threading

T = TypeVar("T")

_BLOCKS_LOOP = (
    "A blocking wait for a handle holds up the running event loop: use the asynchronous client, or "
    "await asyncio.shield(asyncio.wrap_future(handle))"
)
_warned: WeakSet[Background] = WeakSet()
"""Whose clients have been warned: once each."""


class _Client(Protocol):
    """A blocking client."""

    def _resume(self, chain: AsyncOperation[T], token: str) -> Handle[T]: ...


class _AsyncClient(Protocol):
    """An asynchronous client."""

    def _resume(self, chain: AsyncOperation[T], token: str) -> AsyncHandle[T]: ...


class Handle(Accepted[T], Future[T]):
    """
    A request that was accepted and whose result is awaited: a `concurrent.futures.Future`.

    It works with `concurrent.futures.wait`, `concurrent.futures.as_completed` and
    `asyncio.wrap_future`. Every method may be called in every thread. A timeout is in seconds;
    without one, waiting ends after the deadline of the client's `Polling`.
    """

    scheduler: Scheduler | None = None  # There is one only.

    def __init__(
        self,
        progress: Progress[T],
        endpoint: Endpoint,
        background: Background,
        client_type: type[Any],
    ) -> None:
        Future[T].__init__(self)
        self._condition = cast("threading.Condition", Condition())
        self._waiters: list[Any] = Waiters(self)
        super().__init__(progress, endpoint, client_type)
        self._background = background
        self._begun: int | None = None

    def result(self, timeout: float | None = None) -> T:
        """
        Wait for the result and return it.

        Args:
            timeout: Seconds for the whole wait, counted from the call.

        Raises:
            OperationFailed: The request was processed and failed; `code` and `message` say why.
            WaitTimeout: It is not settled yet; it goes on, and the handle stays usable.
            ApiError: The server refuses to tell.
            ProtocolError: An answer was not what the API describes.
            ClientClosed: The client was closed before.
            concurrent.futures.CancelledError: `cancel()` was called.
            InvalidArgumentError: The timeout is no number of seconds.
        """
        error = self.exception(timeout)
        try:
            if error is not None:
                raise error
        finally:
            # The traceback of a raised error holds this frame, which must not hold the error.
            del error
        return super().result(0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """
        Wait until the handle is settled and return its error, or `None` if it has a result.

        Args:
            timeout: Seconds for the whole wait, counted from the call.

        Raises:
            WaitTimeout: It is not settled yet.
            concurrent.futures.CancelledError: `cancel()` was called.
        """
        if not self.wait(timeout):
            raise self.overdue()
        if self.cancelled():
            raise CancelledError(self._cancellation())
        return fresh(super().exception(0))

    def wait(self, timeout: float | None = None) -> bool:
        """
        Wait until the handle is settled, and say whether it is.

        When the time is over, a last question is asked, if the server allows one by then.

        Args:
            timeout: Seconds for the whole wait, counted from the call.
        """
        limit = self._limit(timeout)
        if self.is_settled():
            return True
        self._background.refuse_callbacks()
        if _loop_runs() and not _is_notebook() and self._background not in _warned:
            _warned.add(self._background)
            warnings.warn(_BLOCKS_LOOP, RuntimeWarning, stacklevel=_outside_of_package())
        clock = self._background.clock
        with clock.at_work():
            self.begin()
            if not clock.settles(self, limit) and self._may_ask():
                asked = clock.signal()
                with self._listening(asked.set):
                    self._background.hasten(self)
                    asked.wait(LAST_QUESTION_SECONDS)
        return self.is_settled()

    def done(self) -> bool:
        """Say whether the handle is settled: has a result or an error, or was cancelled."""
        self.begin()
        return self.is_settled()

    def cancel(self) -> bool:
        """
        Stop waiting, here only: the request goes on at the server.

        Returns:
            Whether the handle is cancelled now; false if it was settled before.
        """
        if self.cancelled():
            return True
        if super().cancel():
            self.set_running_or_notify_cancel()
            self._end_trace("cancelled", CancelledError(self._cancellation()))
        self._announce()
        return self.cancelled()

    def add_done_callback(self, fn: Callable[[Handle[T]], object]) -> None:
        """
        Call a function with this handle once it is settled; at once if it is.

        The function runs in the scheduler's thread: it should be short, and must not wait for a
        handle. The handle is kept until then, even if nobody else holds it.
        """
        # What a future calls with itself is called with this handle.
        super().add_done_callback(cast("Callable[[Future[T]], object]", fn))
        if not self.is_settled():
            self.begin()
            self._background.keep(self)

    def bind(self, client: _Client) -> Handle[T]:
        """
        Return a handle of another client for the same accepted request, not asked after yet.

        For a handle that was pickled by a client with an `auth`, credentials or an HTTP client of
        its own, none of which is pickled.

        Raises:
            InvalidArgumentError: It is no client of the same API.
        """
        bound: Handle[T] = resume(client, self._progress.chain.start.name, self.token())
        return bound

    def updates(self) -> Iterator[str]:
        """
        Yield each new state that the server names, in its own words, until the handle is settled.

        States that come and go while the caller is busy are passed over.
        """
        self._background.refuse_callbacks()
        clock = self._background.clock
        asked = clock.signal()
        seen: str | None = None
        with clock.at_work(), self._listening(asked.set):
            self.begin()
            while True:
                asked.clear()
                settled = self.is_settled()
                status = self._progress.status
                if status is not None and status != seen:
                    seen = status
                    yield status
                elif settled:
                    return
                else:
                    asked.wait()

    def is_settled(self) -> bool:
        """Say whether there is nothing more to ask. Unlike `done()`, this starts nothing."""
        return super().done()

    def begin(self) -> None:
        """Let the handle advance by itself from now on, as its first question does."""
        # Once in each process: a parent's handle that a child asks goes on in the child as well.
        if self._begun != self._background.forks and not self.is_settled():
            self._begun = self._background.forks
            self._background.add(self)

    def _is_cancelled(self) -> bool:
        return self.cancelled()

    def _resolve(self, value: T) -> None:
        try:
            self.set_result(value)
        except InvalidStateError:
            # Cancelled, or the client was closed, while the answer was on its way.
            return

    def _reject(self, error: Exception) -> None:
        try:
            self.set_exception(error)
        except InvalidStateError:
            return


class AsyncHandle(Accepted[T], Awaitable[T]):
    """
    A request that was accepted and whose result is awaited, in an event loop.

    It can be awaited many times and by many tasks: they share one scheduler, and a task that is
    cancelled takes nothing from the others. `asyncio.gather` takes it as it is; `asyncio.wait` asks
    for errors as tasks give them, so give it `asyncio.ensure_future(handle)`. A timeout is in
    seconds; without one, waiting ends after the deadline of the client's `Polling`.
    """

    __slots__ = (
        "__weakref__",
        "_callbacks",
        "_cancelled",
        "_error",
        "_loops",
        "_value",
        "scheduler",
    )

    def __init__(
        self, progress: Progress[T], endpoint: Endpoint, loops: Loops, client_type: type[Any]
    ) -> None:
        super().__init__(progress, endpoint, client_type)
        self._loops = loops
        self.scheduler: Scheduler | None = None
        self._callbacks: list[_Callback] = []
        self._value: tuple[T] | None = None
        self._error: Exception | None = None
        self._cancelled = False

    def __await__(self) -> Generator[Any, None, T]:
        """Wait for the result; see `result()`."""
        return self.result().__await__()

    async def result(self, timeout: float | None = None) -> T:
        """
        Wait for the result and return it.

        Args:
            timeout: Seconds for the whole wait, counted from the call.

        Raises:
            OperationFailed: The request was processed and failed; `code` and `message` say why.
            WaitTimeout: It is not settled yet; it goes on, and the handle stays usable.
            ApiError: The server refuses to tell.
            ProtocolError: An answer was not what the API describes.
            ClientClosed: The client was closed before.
            asyncio.CancelledError: `cancel()` was called, or the waiting task was cancelled.
            InvalidArgumentError: The timeout is no number of seconds.
        """
        error = await self.exception(timeout)
        try:
            if error is not None:
                raise error
        finally:
            # The traceback of a raised error holds this frame, which must not hold the error.
            del error
        assert self._value is not None
        return self._value[0]

    async def exception(self, timeout: float | None = None) -> BaseException | None:
        """
        Wait until the handle is settled and return its error, or `None` if it has a result.

        Args:
            timeout: Seconds for the whole wait, counted from the call.

        Raises:
            WaitTimeout: It is not settled yet.
            asyncio.CancelledError: `cancel()` was called, or the waiting task was cancelled.
        """
        if not await self.wait(timeout):
            raise self.overdue()
        if self._cancelled:
            raise asyncio.CancelledError(self._cancellation())
        return fresh(self._error)

    async def wait(self, timeout: float | None = None) -> bool:
        """
        Wait until the handle is settled, and say whether it is.

        When the time is over, a last question is asked, if the server allows one by then.

        Args:
            timeout: Seconds for the whole wait, counted from the call.
        """
        limit = self._limit(timeout)
        if self.is_settled():
            return True
        self.begin()
        if not await self._settles_within(limit) and self._may_ask():
            asked = _Signal(self._loops.clock)
            with self._listening(asked.set):
                self._loops.scheduler().hasten(self)
                await asked.wait(LAST_QUESTION_SECONDS)
        return self.is_settled()

    def done(self) -> bool:
        """Say whether the handle is settled: has a result or an error, or was cancelled."""
        self.begin()
        return self.is_settled()

    def cancelled(self) -> bool:
        """Say whether `cancel()` settled the handle."""
        return self._cancelled

    def cancel(self) -> bool:
        """
        Stop waiting, here only: the request goes on at the server.

        Returns:
            Whether the handle is cancelled now; false if it was settled before.
        """
        if not self.is_settled():
            self._cancelled = True
            self._end_trace("cancelled", asyncio.CancelledError(self._cancellation()))
            self._settle()
            self._announce()
        return self._cancelled

    def add_done_callback(
        self, fn: Callable[[AsyncHandle[T]], object], *, context: Context | None = None
    ) -> None:
        """
        Call a function with this handle, in the running loop, once it is settled.

        The handle is kept until then, even if nobody else holds it.
        """
        self._subscribe(_Callback(asyncio.get_running_loop(), fn, context or copy_context()))
        self.begin()
        if not self.is_settled():
            self._loops.scheduler().keep(self)

    def remove_done_callback(self, fn: Callable[[AsyncHandle[T]], object]) -> int:
        """Forget a function that was to be called, and say how many times it was known."""
        known = [callback for callback in self._callbacks if callback.function == fn]
        for callback in known:
            # In place, and unless it is called meanwhile: a loop in another thread may add one.
            with suppress(ValueError):
                self._callbacks.remove(callback)
        return len(known)

    def bind(self, client: _AsyncClient) -> AsyncHandle[T]:
        """
        Return a handle of another client for the same accepted request, not asked after yet.

        See `Handle.bind`.
        """
        bound: AsyncHandle[T] = resume(client, self._progress.chain.start.name, self.token())
        return bound

    async def updates(self) -> AsyncIterator[str]:
        """
        Yield each new state that the server names, in its own words, until the handle is settled.

        States that come and go while the caller is busy are passed over.
        """
        asked = _Signal(self._loops.clock)
        seen: str | None = None
        with self._listening(asked.set):
            self.begin()
            while True:
                asked.clear()
                settled = self.is_settled()
                status = self._progress.status
                if status is not None and status != seen:
                    seen = status
                    yield status
                elif settled:
                    return
                else:
                    await asked.wait(None)

    def is_settled(self) -> bool:
        """Say whether there is nothing more to ask. Unlike `done()`, this starts nothing."""
        return self._value is not None or self._error is not None or self._cancelled

    def begin(self) -> None:
        """Let the handle advance by itself from now on, as its first question does."""
        # By the running loop's scheduler: the loop may be another than before.
        if self.is_settled() or not _loop_runs():
            return
        scheduler = self._loops.scheduler()
        if scheduler is not self.scheduler:
            self.scheduler = scheduler
            scheduler.add(self)

    def _is_cancelled(self) -> bool:
        return self._cancelled

    async def _settles_within(self, limit: float | None) -> bool:
        settled = _Signal(self._loops.clock)

        def wake(_: AsyncHandle[T]) -> None:
            settled.set()

        callback = _Callback(asyncio.get_running_loop(), wake, copy_context())
        self._subscribe(callback)
        try:
            return await settled.wait(limit)
        finally:
            self.remove_done_callback(wake)

    def _subscribe(self, callback: _Callback) -> None:
        self._callbacks.append(callback)
        if self.is_settled():
            self._settle()

    def _settle(self) -> None:
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback.schedule(self)

    def _resolve(self, value: T) -> None:
        if not self.is_settled():
            self._value = (value,)
            self._settle()

    def _reject(self, error: Exception) -> None:
        if not self.is_settled():
            self._error = error
            self._settle()


class _Callback:
    """A function that is to be called in its loop."""

    __slots__ = ("context", "function", "loop")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, function: Callable[[Any], object], context: Context
    ) -> None:
        self.loop = loop
        self.function = function
        self.context = context

    def schedule(self, handle: AsyncHandle[Any]) -> None:
        # A loop that was closed meanwhile waits for nothing any more.
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.function, handle, context=self.context)


class _Signal:
    """An `asyncio.Event` that any thread may set."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    def set(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._event.set)

    def clear(self) -> None:
        self._event.clear()

    async def wait(self, limit: float | None) -> bool:
        return await self._clock.is_set(self._event, limit)


def _outside_of_package() -> int:
    """Return the stack level, for `warnings.warn` in the caller, of the code that called us."""
    level = 0
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals.get("__package__") == __package__:
        frame, level = frame.f_back, level + 1
    return level


def _is_notebook() -> bool:
    """Say whether cells run here: their kernel's loop is nobody's but the user's, who waits."""
    shell = sys.modules.get("IPython")
    return shell is not None and shell.get_ipython() is not None


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
