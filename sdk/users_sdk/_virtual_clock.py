"""
A clock that does not sleep: when everybody waits, it moves to the next time that is waited for.

1. Threads, tasks and loops that are at work hold it still. So nothing comes late, however slow the
   machine is, and a test takes as long as what it computes.
2. A loop counts as at work for some turns after it was last heard of: what it has woken, and what
   was ready with it, comes to its own waiting by then.
3. All of it is done by those who come here; there is no thread of its own.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any

from ._clock import Clock, Signal, Timer

START = datetime(2026, 1, 1, tzinfo=UTC)
"""What a virtual clock shows at first."""

TURNS = 16
"""For how many turns a loop counts as at work: more than it takes to wake a task through others."""

LATE_SECONDS = 1e-9
"""What a sleep is longer than asked for: no real one ends early, and sums of floats may."""

_CLOSED_SECONDS = 0.05
"""How often a blocked sleep looks whether its client was closed, in real seconds."""


class VirtualClock(Clock):
    """
    A clock that moves by itself when the clients that run by it have nothing to do but wait.

    Every method may be called in every thread.

    Args:
        start: What it shows at first.

    Attributes:
        monotonic: Returns the seconds since it was made, which is `now`.
        wall: Returns seconds since 1970.
    """

    def __init__(self, start: datetime = START) -> None:
        super().__init__()
        self._start = start
        self._now = 0.0
        self._lock = threading.RLock()
        self._order = count()
        self._alarms: list[tuple[float, int, _Alarm]] = []
        self._depths: Counter[int] = Counter()
        self._blocked: dict[int, _Blocked] = {}
        self._tasks = 0
        self._loops: dict[asyncio.AbstractEventLoop, _Turns] = {}
        self._waiting = 0
        self._pauses = 0
        self.monotonic = lambda: self._now
        self.wall = lambda: self._start.timestamp() + self._now

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.time().isoformat()}, {self._now:g} s>"

    @property
    def now(self) -> float:
        """Seconds since the clock was made."""
        return self._now

    def time(self) -> datetime:
        """
        Return what the clock shows.

        As `time_fetcher` of botocore's refreshable credentials it lets them expire by this clock.
        """
        return self._start + timedelta(seconds=self._now)

    def advance(self, seconds: float) -> None:
        """
        Let time pass.

        In a thread, what is due meanwhile is done when it is due, before this returns. In a running
        event loop, which cannot do it while this blocks, it is done once the loop goes on; `await
        clock.sleep_async(seconds)` does it in order.

        Args:
            seconds: How many; not below 0.
        """
        if seconds < 0:
            raise ValueError(f"time does not go back: {seconds:g} s")
        if _running_loop() is None:
            with self.at_work():
                self.block(threading.Event(), seconds)
        else:
            self.skip(seconds)

    def skip(self, seconds: float) -> None:
        """Let time pass at once, whoever is at work: what is due meanwhile is done late."""
        loop = _running_loop()
        with self._lock:
            self._now += seconds
            if loop is not None:
                self._hear_of(loop)
            self._move()

    @contextmanager
    def paused(self) -> Generator[None]:
        """
        Let time pass only by `advance()` and for those who wait in the client themselves.

        Otherwise handles that advance by themselves move the clock, too, as soon as nobody works.
        """
        self._pause(1)
        try:
            yield
        finally:
            self._pause(-1)

    @contextmanager
    def at_work(self) -> Generator[None]:
        """Hold the clock until the end of the context, or while this thread waits here."""
        me = threading.get_ident()
        with self._lock:
            self._depths[me] += 1
        try:
            yield
        finally:
            with self._lock:
                self._depths[me] -= 1
                if not self._depths[me]:
                    del self._depths[me]
                self._move()

    @contextmanager
    def task_at_work(self) -> Generator[None]:
        """Hold the clock until the end of the context, for a task that waits for something real."""
        with self._lock:
            self._tasks += 1
        try:
            yield
        finally:
            with self._lock:
                self._tasks -= 1
                self._hear_of(asyncio.get_running_loop())

    def sleep(self, seconds: float, ended: threading.Event) -> bool:
        """Block this thread for some virtual seconds, or until `ended` is set."""
        with self.at_work():
            self.block(threading.Event(), seconds, ended)
        return ended.is_set()

    async def sleep_async(self, seconds: float) -> None:
        """Let the running task wait for some virtual seconds."""
        await self.is_set(asyncio.Event(), seconds)

    def signal(self) -> Signal:
        """Return a signal that holds the clock from when it is set until its thread is awake."""
        return _Signal(self)

    def settles(self, future: Future[Any], limit: float | None) -> bool:
        """Block until a future is settled, for `limit` virtual seconds at most."""
        signal = self.signal()
        # A handle's own methods would ask the server.
        plain: type[Future[Any]] = Future
        plain.add_done_callback(future, lambda _: signal.set())
        with self.at_work():
            signal.wait(limit)
        return plain.done(future)

    async def is_set(self, event: asyncio.Event, limit: float | None) -> bool:
        """Wait until an event is set, for `limit` virtual seconds at most."""
        loop = asyncio.get_running_loop()
        timer: Timer | None = None
        self._wait(1)
        try:
            async with asyncio.timeout(None) as scope:
                if limit is not None:
                    when = self._now + limit + LATE_SECONDS
                    timer = self.call_at(loop, when, lambda: scope.reschedule(loop.time()))
                try:
                    await event.wait()
                finally:
                    if timer is not None:
                        timer.cancel()
        except TimeoutError:
            return event.is_set()
        finally:
            self._wait(-1)
        return True

    def call_at(
        self, loop: asyncio.AbstractEventLoop, when: float, callback: Callable[[], object]
    ) -> Timer:
        """Call a function in a loop once it is `when`, in seconds since the clock was made."""
        with self._lock:
            alarm = self._add(when, lambda alarm: self._call(loop, alarm, callback))
            self._hear_of(loop)
        return alarm

    def call_soon(
        self, loop: asyncio.AbstractEventLoop, callback: Callable[..., object], *args: object
    ) -> None:
        """Call a function in a loop, which holds the clock until then."""
        with self._lock:
            loop.call_soon_threadsafe(callback, *args)
            self._hear_of(loop)

    def _add(self, when: float, ring: Callable[[_Alarm], None]) -> _Alarm:
        alarm = _Alarm(ring)
        heappush(self._alarms, (when, next(self._order), alarm))
        return alarm

    def _call(
        self, loop: asyncio.AbstractEventLoop, alarm: _Alarm, callback: Callable[[], object]
    ) -> None:
        def call() -> None:
            if not alarm.cancelled:
                callback()

        if not loop.is_closed():
            loop.call_soon_threadsafe(call)
            self._hear_of(loop)

    def block(
        self, event: threading.Event, limit: float | None, ended: threading.Event | None = None
    ) -> None:
        """Block this thread until an event is set, or for some virtual seconds."""
        me = threading.get_ident()
        blocked = _Blocked(event)
        alarm = None
        with self._lock:
            if event.is_set():
                return
            if limit is not None:
                when = self._now + limit + LATE_SECONDS
                alarm = self._add(when, lambda _: self._wake(me, event))
            self._blocked[me] = blocked
            self._waiting += 1
            self._move()
        while not blocked.woken.wait(None if ended is None else _CLOSED_SECONDS):
            if ended is not None and ended.is_set():
                break
        with self._lock:
            self._blocked.pop(me, None)
            self._waiting -= 1
            if alarm is not None:
                alarm.cancel()

    def _wake(self, thread: int, event: threading.Event) -> None:
        """Let a thread go on, if it is blocked for this event: from now on it is at work."""
        blocked = self._blocked.get(thread)
        if blocked is not None and blocked.event is event:
            del self._blocked[thread]
            blocked.woken.set()

    def set_event(self, event: threading.Event, thread: int) -> None:
        """Set an event, and let the thread that is blocked for it go on."""
        with self._lock:
            event.set()
            self._wake(thread, event)

    def _hear_of(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let a loop count as at work for some turns."""
        known = self._loops.get(loop)
        if known is not None:
            known.left = TURNS
        elif not loop.is_closed():
            self._loops = {one: left for one, left in self._loops.items() if not one.is_closed()}
            self._loops[loop] = _Turns(begun=loop is _running_loop())
            loop.call_soon_threadsafe(self._turn, loop)

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            turns = self._loops[loop]
            turns.begun = True
            turns.left -= 1
            if turns.left > 0:
                loop.call_soon(self._turn, loop)
            else:
                del self._loops[loop]
                self._move()

    def _wait(self, more: int) -> None:
        with self._lock:
            self._waiting += more

    def _pause(self, more: int) -> None:
        with self._lock:
            self._pauses += more
            self._move()

    def _move(self) -> None:
        """Move to the next time that is waited for, until that wakes somebody."""
        while self._alarms:
            when, _, alarm = self._alarms[0]
            if not alarm.cancelled:
                if when > self._now and (self._stands() or self._is_busy()):
                    return
                self._now = max(self._now, when)
                alarm.ring(alarm)
            heappop(self._alarms)

    def _stands(self) -> bool:
        return self._pauses > 0 and not self._waiting

    def _is_busy(self) -> bool:
        return (
            self._tasks > 0
            or any(thread not in self._blocked for thread in self._depths)
            or any(turns.hold(loop) for loop, turns in self._loops.items())
        )


class _Alarm:
    """What is waited for."""

    __slots__ = ("cancelled", "ring")

    def __init__(self, ring: Callable[[_Alarm], None]) -> None:
        self.ring = ring
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class _Blocked:
    """A thread that waits for an event, until somebody lets it go on."""

    __slots__ = ("event", "woken")

    def __init__(self, event: threading.Event) -> None:
        self.event = event
        self.woken = threading.Event()


class _Turns:
    """For how many more turns a loop counts as at work, and whether the first was begun."""

    __slots__ = ("begun", "left")

    def __init__(self, *, begun: bool) -> None:
        self.begun = begun
        self.left = TURNS

    def hold(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Say whether the loop is at work: one that stands, between two runs, is not."""
        return loop.is_running() or not (self.begun or loop.is_closed())


class _Signal:
    """Wakes the thread that waits in virtual time."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._event = threading.Event()
        self._thread = threading.get_ident()

    def set(self) -> None:
        self._clock.set_event(self._event, self._thread)

    def clear(self) -> None:
        self._event.clear()

    def wait(self, timeout: float | None = None) -> bool:
        self._thread = threading.get_ident()
        self._clock.block(self._event, timeout)
        return self._event.is_set()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
