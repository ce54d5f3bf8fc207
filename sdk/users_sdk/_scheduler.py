"""
What asks after accepted requests when they are due: one scheduler for all handles of a client.

1. A handle is held weakly: one that nobody holds any more is no longer asked after, unless it was
   kept for its callbacks.
2. At most `POLLS` questions are under way, and no more are sent than the pace allows; the handle
   that is due first is asked after first.
3. A scheduler belongs to one event loop and is only touched in it. It has no task of its own, a
   timer for the earliest due time, and a task for each question under way: a thousand waiting
   handles cost no thread and no task.
4. An asynchronous client has one in each loop that it is used in (`Loops`); a blocking client has
   one loop, in a daemon thread (`Background`).
"""

from __future__ import annotations

import asyncio
import heapq
import threading
import weakref
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from itertools import count
from typing import Protocol

from ._clock import Clock, Timer
from ._drivers import run_async
from ._fork import begins_anew
from ._http import CONNECTIONS, AsyncTransport
from ._log import logger
from ._polling import Pace, Polling
from ._steps import Flow

POLLS = CONNECTIONS - 8
"""Questions under way at once: few enough that the calls of a blocking client, which have
connections of their own, make no more than `CONNECTIONS` of them in ordinary use."""

STOP_SECONDS = 2.0
"""How long closing waits for the thread to end."""

STANDBY_SECONDS = 1.0
"""How long after its time a loop takes over a handle that another loop should have asked after."""


_parents: list[object] = []
"""What is a parent's, kept in the child as it is: to collect it could wake the parent's loop."""


class Watched(Protocol):
    """
    What a scheduler advances: a handle.

    Attributes:
        scheduler: The one that advances it, if it can be one of several.
    """

    scheduler: Scheduler | None

    @property
    def due(self) -> float:
        """When to ask next, on the monotonic clock."""
        ...

    def is_settled(self) -> bool:
        """Whether there is nothing more to ask."""
        ...

    def ask_at_once(self) -> None:
        """Make the handle due now, or as soon as the server allows."""

    def advance(self) -> Flow[None]:
        """Ask once. Raises nothing: what fails, fails the handle."""
        ...

    def abandon(self) -> None:
        """Fail the handle, because nobody will ask any more."""


class Scheduler:
    """
    Advances handles within one event loop.

    Args:
        transport: What sends, in the same loop.
        loop: The loop, running.
        clock: What due times are read on.
        pace: How many questions a second may be sent.
    """

    def __init__(
        self,
        transport: AsyncTransport,
        loop: asyncio.AbstractEventLoop,
        clock: Clock | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._clock = clock or Clock()
        self._pace = pace or Pace(Polling().rate)
        self._order = count()
        # When to look, the order of equals, the handle, and the due time that is meant.
        self._heap: list[tuple[float, int, weakref.ref[Watched], float]] = []
        self._asked: dict[Watched, asyncio.Task[None]] = {}
        self._kept: set[Watched] = set()
        self._timer: Timer | None = None
        self._closed = False

    def add(self, watched: Watched) -> None:
        """Begin to advance a handle."""
        if self._closed:
            watched.abandon()
            return
        self._push(watched)
        self._arm()

    def keep(self, watched: Watched) -> None:
        """Hold a handle until it is settled, whether or not anybody else does."""
        if not watched.is_settled():
            self._kept.add(watched)

    def hasten(self, watched: Watched) -> None:
        """Ask now, or as soon as the server allows. A question that is under way counts."""
        if watched not in self._asked and not watched.is_settled():
            watched.ask_at_once()
            self.add(watched)

    async def aclose(self) -> None:
        """Close, and wait until the questions under way have ended."""
        asked = list(self._asked.values())
        self.close()
        await asyncio.gather(*asked, return_exceptions=True)

    def close(self) -> None:
        """Stop asking, and fail every handle that somebody still holds."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        held = (reference() for _, _, reference, _ in self._heap)
        outstanding = {watched for watched in held if watched is not None}
        outstanding |= self._kept | self._asked.keys()
        for task in self._asked.values():
            task.cancel()
        self._heap.clear()
        self._kept.clear()
        for watched in outstanding:
            watched.abandon()

    def is_asking(self, watched: Watched) -> bool:
        """Say whether a question is under way; any thread may call this."""
        return watched in self._asked and not self._loop.is_closed()

    def _push(self, watched: Watched, standby: float = 0.0) -> None:
        due = watched.due
        entry = (due + standby, next(self._order), weakref.ref(watched), due)
        heapq.heappush(self._heap, entry)

    def _arm(self) -> None:
        """Set the timer for the earliest due time, unless all places are taken."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._heap and len(self._asked) < POLLS and not self._closed:
            time = max(self._heap[0][0], self._pace.free())
            self._timer = self._clock.call_at(self._loop, time, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now = self._clock.monotonic()
        while (
            self._heap
            and max(self._heap[0][0], self._pace.free()) <= now
            and len(self._asked) < POLLS
        ):
            time, _, reference, due = heapq.heappop(self._heap)
            watched = reference()
            if watched is None or watched.is_settled() or watched in self._asked:
                continue
            if self._is_elsewhere(watched, due, overdue=time > due):
                self._push(watched, STANDBY_SECONDS)
            # A handle that was hastened has an older entry, with another due time, that counts no
            # more.
            elif watched.due == due:
                if watched.scheduler is not None:
                    watched.scheduler = self
                self._pace.take(now)
                self._asked[watched] = self._loop.create_task(self._ask(watched))
        self._arm()

    def _is_elsewhere(self, watched: Watched, due: float, *, overdue: bool) -> bool:
        """
        Say whether another loop's scheduler advances a handle, and goes on doing so.

        Args:
            watched: The handle.
            due: When it was to be asked after.
            overdue: Whether the other one has had the time to.
        """
        other = watched.scheduler
        if other is None or other is self:
            return False
        return not overdue or watched.due != due or other.is_asking(watched)

    async def _ask(self, watched: Watched) -> None:
        try:
            await run_async(watched.advance(), self._transport, self._clock)
        finally:
            self._asked.pop(watched, None)
            if watched.is_settled():
                self._kept.discard(watched)
            elif not self._closed:
                self._push(watched)
            self._arm()


class Loops:
    """
    The transport and the scheduler of each event loop that an asynchronous client is used in.

    Args:
        opener: Makes a loop's transport, in that loop.
        clock: What due times are read on.
        pace: How many questions a second may be sent.
    """

    def __init__(
        self,
        opener: Callable[[], AsyncTransport],
        clock: Clock | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.pace = pace or Pace(Polling().rate)
        self._opener = opener
        self._homes: dict[asyncio.AbstractEventLoop, _Home] = {}
        self._closed = False
        begins_anew(self)

    def after_fork(self) -> None:
        """Leave the parent's loops to the parent."""
        _parents.extend(self._homes.values())
        self._homes = {}

    def transport(self) -> AsyncTransport:
        """Return the running loop's transport."""
        return self._home().transport

    def scheduler(self) -> Scheduler:
        """Return the running loop's scheduler; `RuntimeError` if no loop runs."""
        return self._home().scheduler

    async def aclose(self) -> None:
        """Fail every outstanding handle, and close the running loop's transport."""
        self._closed = True
        here = asyncio.get_running_loop()
        for loop, home in list(self._homes.items()):
            if loop is here:
                await home.scheduler.aclose()
                await home.end.aclose()
            elif not loop.is_closed():
                loop.call_soon_threadsafe(home.scheduler.close)
        self._homes.clear()

    def _home(self) -> _Home:
        loop = asyncio.get_running_loop()
        home = self._homes.get(loop)
        if home is None:
            # What a closed loop left is of no use to another; its handles come along when asked.
            for other in [other for other in self._homes if other.is_closed()]:
                del self._homes[other]
            home = _Home(self._opener(), loop, self.clock, self.pace)
            if self._closed:
                home.scheduler.close()
            else:
                self._homes[loop] = home
        return home


class _Home:
    """What a client has in one event loop."""

    def __init__(
        self,
        transport: AsyncTransport,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        pace: Pace,
    ) -> None:
        self.transport = transport
        self.scheduler = Scheduler(transport, loop, clock, pace)
        self.end = _closed_with_loop(transport)
        # Begun, it is known to the loop, which ends it before it closes, as `asyncio.run` sees to:
        # the connections of a client that nobody closes are closed all the same.
        with suppress(StopIteration):
            self.end.__anext__().__await__().send(None)


async def _closed_with_loop(transport: AsyncTransport) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await transport.aclose()


class Background:
    """
    A scheduler in a daemon thread of its own, which is started when first needed.

    Args:
        opener: Makes the transport. It must not hold the client: the thread holds the opener's
            transport.
        clock: What due times are read on.
        pace: How many questions a second may be sent.

    Attributes:
        clock: The same.
        pace: The same.
        forks: How many forks lie between the process that made this and the one that runs it. What
            was added before the last one is advanced in the parent only.
    """

    def __init__(
        self,
        opener: Callable[[], AsyncTransport],
        clock: Clock | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.pace = pace or Pace(Polling().rate)
        self.forks = 0
        self._opener = opener
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._closed = False
        begins_anew(self)

    def after_fork(self) -> None:
        """Leave the parent's thread and loop to the parent."""
        self.forks += 1
        self._lock = threading.Lock()
        if self._worker is not None:
            self._worker.finalizer.detach()
            _parents.append(self._worker)
            self._worker = None

    def add(self, watched: Watched) -> None:
        """Begin to advance a handle."""
        self._submit(Scheduler.add, watched)

    def keep(self, watched: Watched) -> None:
        """Hold a handle until it is settled, whether or not anybody else does."""
        self._submit(Scheduler.keep, watched)

    def hasten(self, watched: Watched) -> None:
        """Ask now, or as soon as the server allows."""
        self._submit(Scheduler.hasten, watched)

    def refuse_callbacks(self) -> None:
        """
        Raise if the caller runs in the scheduler's own thread: in a callback, which must not wait.

        Raises:
            RuntimeError: It does.
        """
        worker = self._worker
        if worker is not None and worker.thread is threading.current_thread():
            raise RuntimeError(
                "A callback must not wait for another handle: it runs in the thread that would "
                "settle it"
            )

    def close(self) -> None:
        """Fail every outstanding handle, and end the thread."""
        with self._lock:
            self._closed = True
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.finalizer()

    def _submit(self, action: Callable[[Scheduler, Watched], None], watched: Watched) -> None:
        with self._lock:
            if not self._closed:
                if self._worker is None:
                    self._worker = _Worker(self, self._opener())
                self._worker.submit(action, watched)
                return
        watched.abandon()


class _Worker:
    """The thread, its loop and its scheduler. It ends with its owner, whom it does not hold."""

    def __init__(self, owner: Background, transport: AsyncTransport) -> None:
        self._loop = asyncio.new_event_loop()
        self._clock = owner.clock
        self._transport = transport
        self._scheduler = Scheduler(transport, self._loop, self._clock, owner.pace)
        name = f"{(__package__ or '').partition('.')[0]}-scheduler"
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.thread.start()
        self.finalizer = weakref.finalize(owner, self._stop)

    def submit(self, action: Callable[[Scheduler, Watched], None], watched: Watched) -> None:
        self._clock.call_soon(self._loop, action, self._scheduler, watched)

    def _run(self) -> None:
        stopped = False
        while not stopped:
            try:
                self._loop.run_forever()
                stopped = True
            except (SystemExit, KeyboardInterrupt):
                # Of a callback. It ends no other thread either, and the other handles go on.
                logger.exception("A callback of a handle raised, in the scheduler's thread")
        self._loop.close()

    def _stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop)
        # In a callback, or collected in that very thread, there is nothing to wait for.
        if self.thread is not threading.current_thread():
            self.thread.join(STOP_SECONDS)

    async def _end(self) -> None:
        await self._scheduler.aclose()
        await self._transport.aclose()
        self._loop.stop()
