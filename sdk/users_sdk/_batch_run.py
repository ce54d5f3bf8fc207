"""
The running of a batch, in threads or in an event loop.

1. At most `max_concurrency` items are submitted and not yet settled, or settled and not yet taken;
   the next item is read when there is room for it.
2. What ends the whole (the input raises, the caller goes away) stops every wait: what was accepted
   goes on at the server.
3. Once the client is closed, no item is read any more, and those under way are told of with their
   keys before that is raised: they may have been carried out.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Awaitable,
    Callable,
    Generator,
    Iterable,
)
from concurrent.futures import CancelledError
from contextvars import Context, copy_context
from typing import Any, Generic, TypeVar

from ._batch_plan import Job, Outcome, Plan
from ._clock import Clock, Signal
from ._handle import AsyncHandle, Handle
from ._scheduler import Background
from .errors import ClientClosed

I = TypeVar("I")  # noqa: E741  # an item, beside T, its result
T = TypeVar("T")

SUBMITTERS = 8
"""Threads in which a blocking client submits items."""


class _Ordered(Generic[I, T]):
    """Outcomes that are there, in the order in which they are given on."""

    def __init__(self, *, in_order: bool) -> None:
        self._in_order = in_order
        self._next = 0
        self._kept: dict[int, Outcome[I, T]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, outcome: Outcome[I, T]) -> None:
        self._kept[outcome.index] = outcome

    def take(self) -> Generator[Outcome[I, T], None, None]:
        while self._kept and (not self._in_order or self._next in self._kept):
            yield self._kept.pop(self._next if self._in_order else next(iter(self._kept)))
            self._next += 1


class _Submitters(Generic[I]):
    """
    Threads that submit jobs, and end when there are none.

    Args:
        most: How many there are at most.
        clock: What stands still while there are jobs, if it can.
        submit: Submits a job.
        signal: What the batch waits for.
    """

    def __init__(
        self, most: int, clock: Clock, submit: Callable[[Job[I], Signal], None], signal: Signal
    ) -> None:
        self._most = most
        self._clock = clock
        self._submit = submit
        self._signal = signal
        self._lock = threading.Lock()
        self._jobs: deque[tuple[Job[I], Context]] = deque()
        self._threads = 0

    def put(self, job: Job[I]) -> None:
        """Let a thread submit a job, in the caller's context: spans are children of its span."""
        with self._lock:
            self._jobs.append((job, copy_context()))
            if self._threads == self._most:
                return
            self._threads += 1
        at_work = threading.Event()
        name = f"{__package__}-submit"
        threading.Thread(target=self._run, args=(at_work,), name=name, daemon=True).start()
        at_work.wait()

    def clear(self) -> None:
        """Submit nothing more."""
        with self._lock:
            self._jobs.clear()

    def _run(self, at_work: threading.Event) -> None:
        with self._clock.at_work():
            at_work.set()
            while True:
                with self._lock:
                    if not self._jobs:
                        self._threads -= 1
                        return
                    job, context = self._jobs.popleft()
                context.run(self._submit, job, self._signal)


class Blocking(Generic[I, T]):
    """One batch of a blocking client."""

    def __init__(self, plan: Plan[I, T], start: Callable[[Job[I]], Handle[T]]) -> None:
        self._plan = plan
        self._start = start
        self._pending: dict[int, Job[I]] = {}
        self._waiting: dict[int, tuple[Handle[T], float]] = {}
        self._ended: deque[tuple[Job[I], Handle[T] | None, Exception | None]] = deque()
        self._closed = False
        self._read = 0
        self._is_refused = False
        self._failure: Exception | None = None

    def run(
        self, items: Iterable[I], background: Background
    ) -> Generator[Outcome[I, T], None, None]:
        """
        Submit and yield until the input ends.

        Args:
            items: The input.
            background: The scheduler of the client's handles.
        """
        background.refuse_callbacks()
        with background.clock.at_work():
            yield from self._run(items, background.clock)

    def _run(self, items: Iterable[I], clock: Clock) -> Generator[Outcome[I, T], None, None]:
        signal = clock.signal()
        ready: _Ordered[I, T] = _Ordered(in_order=self._plan.in_order)
        submitters = _Submitters(min(self._plan.most, SUBMITTERS), clock, self._submit, signal)
        source = enumerate(items)
        more = True
        try:
            while True:
                while more and self._has_room(ready):
                    more = self._submit_next(source, submitters)
                if not self._pending and not ready:
                    if self._failure is not None:
                        raise self._failure
                    if more:
                        raise _unread(self._read)
                    return
                self._collect(ready)
                given = False
                for outcome in ready.take():
                    given = True
                    yield outcome
                if not given and self._pending:
                    signal.wait(self._patience())
                    signal.clear()
        finally:
            self._closed = True
            # What is being sent just now ends in its own time, and cancels its handle then.
            submitters.clear()
            for handle, _ in list(self._waiting.values()):
                handle.cancel()
            self._plan.meter.close()

    def _has_room(self, ready: _Ordered[I, T]) -> bool:
        return not self._is_refused and len(self._pending) + len(ready) < self._plan.most

    def _submit_next(self, source: Any, submitters: _Submitters[I]) -> bool:
        try:
            index, item = next(source)
            job = self._plan.job(index, item)
        except StopIteration:
            return False
        except Exception as error:
            # Of the input. What was submitted before it is told of first.
            self._failure = error
            return False
        self._read = index + 1
        self._pending[index] = job
        self._plan.meter.submitted()
        submitters.put(job)
        return True

    def _submit(self, job: Job[I], signal: Signal) -> None:
        try:
            handle = self._start(job)
        except Exception as error:
            self._ended.append((job, None, error))
            signal.set()
            return
        endpoint = self._plan.endpoint
        limit = endpoint.settings.polling.deadline
        deadline = float("inf") if limit is None else endpoint.clock() + limit
        self._waiting[job.index] = (handle, deadline)

        # It does not hold the handle, which holds it: a ring would keep the item for long.
        def settled(handle: Any) -> None:
            self._ended.append((job, handle, None))
            signal.set()

        if self._closed:
            handle.cancel()
        else:
            handle.add_done_callback(settled)

    def _collect(self, ready: _Ordered[I, T]) -> None:
        now = self._plan.endpoint.clock()
        for index, (handle, deadline) in list(self._waiting.items()):
            if now < deadline:
                break
            job = self._pending.pop(index, None)
            self._waiting.pop(index)
            if job is not None and not handle.is_settled():
                ready.put(self._plan.outcome(job, handle, handle.overdue()))
        while self._ended:
            job, handle_or_none, error = self._ended.popleft()
            self._waiting.pop(job.index, None)
            if self._pending.pop(job.index, None) is not None:
                ready.put(self._outcome(job, handle_or_none, error))

    def _outcome(
        self, job: Job[I], handle: Handle[T] | None, error: BaseException | None
    ) -> Outcome[I, T]:
        value: tuple[T] | None = None
        if handle is not None:
            try:
                error = handle.exception(0)
                value = None if error is not None else (handle.result(0),)
            except CancelledError as cancelled:
                error = cancelled
        self._is_refused |= isinstance(error, ClientClosed)
        return self._plan.outcome(job, handle, error, value)

    def _patience(self) -> float | None:
        first = next(iter(list(self._waiting.values())), None)
        if first is None or first[1] == float("inf"):
            return None
        return max(first[1] - self._plan.endpoint.clock(), 0.0)


async def outcomes(
    plan: Plan[I, T],
    items: Iterable[I] | AsyncIterable[I],
    start: Callable[[Job[I]], Awaitable[AsyncHandle[T]]],
) -> AsyncGenerator[Outcome[I, T], None]:
    """Submit and yield until the input ends, in the running loop."""
    source = _enumerated(items)
    ready: _Ordered[I, T] = _Ordered(in_order=plan.in_order)
    tasks: set[asyncio.Task[Outcome[I, T]]] = set()
    more, is_refused, read = True, False, 0
    failure: Exception | None = None
    try:
        while True:
            while more and not is_refused and len(tasks) + len(ready) < plan.most:
                try:
                    index, item = await anext(source)
                    job = plan.job(index, item)
                except StopAsyncIteration:
                    more = False
                    break
                except Exception as error:
                    # Of the input. What was submitted before it is told of first.
                    more, failure = False, error
                    break
                read = index + 1
                tasks.add(asyncio.create_task(_one(plan, job, start)))
                plan.meter.submitted()
            if not tasks and not ready:
                if failure is not None:
                    raise failure
                if more:
                    raise _unread(read)
                return
            if tasks:
                done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    ready.put(task.result())
                    is_refused |= isinstance(task.result().error, ClientClosed)
            for outcome in ready.take():
                yield outcome
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await source.aclose()
        plan.meter.close()


async def _one(
    plan: Plan[I, T], job: Job[I], start: Callable[[Job[I]], Awaitable[AsyncHandle[T]]]
) -> Outcome[I, T]:
    handle: AsyncHandle[T] | None = None
    try:
        handle = await start(job)
        return plan.outcome(job, handle, None, (await handle.result(),))
    except Exception as error:
        return plan.outcome(job, handle, error)


def _unread(read: int) -> ClientClosed:
    return ClientClosed(f"The client was closed: no item of the input from {read} on was started")


async def _enumerated(items: Iterable[I] | AsyncIterable[I]) -> AsyncGenerator[tuple[int, I], None]:
    index = 0
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield index, item
            index += 1
    else:
        for item in items:
            yield index, item
            index += 1
