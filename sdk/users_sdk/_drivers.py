"""
The two drivers: what a flow asks for, done in a thread or in an event loop.

Nothing else in the package sends, sleeps or blocks, except for the waiting of the scheduler and the
handles. All of them wait by the client's `Clock`.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar
from weakref import WeakKeyDictionary

from ._clock import Clock
from ._fork import begins_anew
from ._http import AsyncTransport, Request, Response, Transport
from ._steps import Call, Flow, Invoke, Send, Sleep, Step
from .errors import ClientClosed

T = TypeVar("T")

THREADS = 4
"""Threads in which one event loop lets blocking functions run at once."""

_CLOCK = Clock()
_CLOSED = "The client was closed during the call"

_gates: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


def run(flow: Flow[T], transport: Transport, closed: threading.Event, clock: Clock = _CLOCK) -> T:
    """
    Drive a flow in the calling thread.

    Args:
        flow: What to do.
        transport: What sends.
        closed: Set when the client is closed, which ends a sleep.
        clock: What a sleep is measured by.
    """
    with clock.at_work():
        return _run(flow, transport, closed, clock)


def _run(flow: Flow[T], transport: Transport, closed: threading.Event, clock: Clock) -> T:
    try:
        step = next(flow)
        while True:
            try:
                answer = _perform(step, transport, closed, clock)
            except Exception as error:
                step = flow.throw(error)
            else:
                step = flow.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        flow.close()


def _perform(step: Step, transport: Transport, closed: threading.Event, clock: Clock) -> object:
    if isinstance(step, Send):
        return transport.send(step.request, step.timeout)
    if isinstance(step, Sleep):
        if clock.sleep(step.seconds, closed):
            raise ClientClosed(_CLOSED)
        return None
    return step.function()


class Closing:
    """What the calls of an asynchronous client wait for, besides answers: closing ends that."""

    def __init__(self) -> None:
        self._begun = False
        self.after_fork()
        begins_anew(self)

    def after_fork(self) -> None:
        """Leave the parent's calls to the parent."""
        self._limits: dict[asyncio.Timeout, asyncio.AbstractEventLoop] = {}

    def is_set(self) -> bool:
        """Say whether the client is closed."""
        return self._begun

    def set(self) -> None:
        """End all waiting, in every loop."""
        self._begun = True
        for limit, loop in list(self._limits.items()):
            # A loop that was closed waits for nothing any more.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_end, limit)

    async def wait_for(self, awaited: Awaitable[T]) -> T:
        """Return what is awaited; raise `ClientClosed` if the client is closed before."""
        limit = asyncio.timeout(0 if self._begun else None)
        self._limits[limit] = asyncio.get_running_loop()
        try:
            async with limit:
                return await awaited
        except TimeoutError:
            if not limit.expired():
                raise
            raise ClientClosed(_CLOSED) from None
        finally:
            del self._limits[limit]


def _end(limit: asyncio.Timeout) -> None:
    # What is over already cannot be shortened.
    with suppress(RuntimeError):
        limit.reschedule(0)


_NEVER = Closing()


async def run_async(
    flow: Flow[T],
    transport: AsyncTransport,
    clock: Clock = _CLOCK,
    closing: Closing = _NEVER,
) -> T:
    """
    Drive a flow in the running event loop.

    Args:
        flow: What to do.
        transport: What sends, in this loop.
        clock: What a sleep is measured by.
        closing: What ends sleeps and calls of functions; by default nothing does.
    """
    try:
        step = next(flow)
        while True:
            try:
                answer = await _perform_async(step, transport, clock, closing)
            except Exception as error:
                step = flow.throw(error)
            else:
                step = flow.send(answer)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        flow.close()


async def _perform_async(
    step: Step, transport: AsyncTransport, clock: Clock, closing: Closing
) -> object:
    if isinstance(step, Send):
        return await transport.send(step.request, step.timeout)
    if isinstance(step, Call):
        with clock.task_at_work():
            return await closing.wait_for(in_thread(step.function))
    if isinstance(step, Invoke):
        returned = step.function()
        return await returned if inspect.isawaitable(returned) else returned
    await closing.wait_for(clock.sleep_async(step.seconds))
    return None


async def in_thread(function: Callable[[], T]) -> T:
    """
    Call a blocking function in a daemon thread of its own.

    The loop's executor would keep its threads, and a call that hangs would keep the program from
    ending.
    """
    async with _gate():
        return await _in_thread(function)


def _gate() -> asyncio.Semaphore:
    """Return what bounds the threads of the running loop: a thousand calls are not a thousand."""
    return _gates.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(THREADS))


async def _in_thread(function: Callable[[], T]) -> T:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def call() -> None:
        try:
            result = function()
        except BaseException as error:
            _report(loop, done, error=error)
        else:
            _report(loop, done, result=result)

    threading.Thread(target=call, name=f"{__package__}-call", daemon=True).start()
    return await done


def _report(
    loop: asyncio.AbstractEventLoop,
    done: asyncio.Future[T],
    *,
    result: T | None = None,
    error: BaseException | None = None,
) -> None:
    def settle() -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # None only where T allows it

    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:
        # The loop was closed meanwhile: nobody waits for the result any more.
        return


class BlockingTransport:
    """
    A blocking transport for an event loop: each request in a thread, `THREADS` at most.

    Args:
        transport: What sends.
        clock: What stands still while a request is under way, if it can.
    """

    def __init__(self, transport: Transport, clock: Clock = _CLOCK) -> None:
        self._transport = transport
        self._clock = clock

    async def send(self, request: Request, timeout: float) -> Response:
        """Send in a thread, and wait for it."""
        with self._clock.task_at_work():
            return await in_thread(lambda: self._transport.send(request, timeout))

    async def aclose(self) -> None:
        """Leave the transport open: it is somebody else's."""
