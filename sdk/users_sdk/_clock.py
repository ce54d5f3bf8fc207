"""
Time, and waiting in it. A client runs by the machine's clock; a test may give it another.

Whatever waits for time to pass asks here, so that a clock that does not sleep can stand in for this
one: the drivers, the scheduler, and the handles.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol


class Signal(Protocol):
    """Wakes one thread: a `threading.Event` is one."""

    def set(self) -> None:
        """Wake the thread that waits, or let the next wait end at once."""

    def clear(self) -> None:
        """Let the next wait wait."""

    def wait(self, timeout: float | None = None) -> bool:
        """Block until it is set, for `timeout` seconds at most, and say whether it is set."""
        ...


class Timer(Protocol):
    """What was asked to be called later."""

    def cancel(self) -> None:
        """Do not call it."""


_AT_WORK = nullcontext()


class Clock:
    """
    The machine's clock.

    Attributes:
        monotonic: Returns seconds on a clock that never goes back.
        wall: Returns seconds since 1970.
    """

    def __init__(self) -> None:
        self.monotonic: Callable[[], float] = time.monotonic
        self.wall: Callable[[], float] = time.time

    def at_work(self) -> AbstractContextManager[object]:
        """Tell that this thread works until the end of the context, or waits here."""
        return _AT_WORK

    def task_at_work(self) -> AbstractContextManager[object]:
        """Tell that a task of the running loop waits for something that takes real time."""
        return _AT_WORK

    def sleep(self, seconds: float, ended: threading.Event) -> bool:
        """Block this thread for some seconds, or until `ended` is set; say whether it is."""
        return ended.wait(seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Let the running task wait for some seconds."""
        await asyncio.sleep(seconds)

    def signal(self) -> Signal:
        """Return a signal whose waits are in this clock's time."""
        return threading.Event()

    def settles(self, future: Future[Any], limit: float | None) -> bool:
        """Block until a future is settled, for `limit` seconds at most; say whether it is."""
        # A handle's own method would ask the server.
        plain: type[Future[Any]] = Future
        try:
            plain.exception(future, None if limit is None else min(limit, threading.TIMEOUT_MAX))
        except TimeoutError:
            return False
        except CancelledError:
            return True
        return True

    async def is_set(self, event: asyncio.Event, limit: float | None) -> bool:
        """Wait until an event is set, for `limit` seconds at most; say whether it is."""
        try:
            async with asyncio.timeout(limit):
                await event.wait()
        except TimeoutError:
            return False
        return True

    def call_at(
        self, loop: asyncio.AbstractEventLoop, when: float, callback: Callable[[], object]
    ) -> Timer:
        """Call a function in a loop, from which this is called, once `monotonic` is `when`."""
        return loop.call_later(max(when - self.monotonic(), 0.0), callback)

    def call_soon(
        self, loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *args: object
    ) -> None:
        """Call a function in a loop, from any thread, as soon as possible."""
        loop.call_soon_threadsafe(callback, *args)
