"""The machine's clock, as the drivers, the scheduler and the handles wait by it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError, Future

import pytest

from users_sdk._clock import Clock

CLOCK = Clock()


def test_a_sleep_ends_when_the_client_is_closed() -> None:
    """And says whether that was why."""
    ended = threading.Event()
    assert not CLOCK.sleep(0.001, ended)
    ended.set()
    assert CLOCK.sleep(60, ended)


def test_a_future_settles_within_the_limit_or_not() -> None:
    """Whether it has a result, an error, or was cancelled."""
    pending, failed, cancelled = Future[int](), Future[int](), Future[int]()
    failed.set_exception(ValueError())
    cancelled.cancel()
    assert not CLOCK.settles(pending, 0.001)
    assert CLOCK.settles(failed, None)
    assert CLOCK.settles(cancelled, None)
    with pytest.raises(CancelledError):
        cancelled.result()


async def test_an_event_is_set_within_the_limit_or_not() -> None:
    """Without a limit, it is waited for."""
    event = asyncio.Event()
    assert not await CLOCK.is_set(event, 0.001)
    asyncio.get_running_loop().call_later(0.001, event.set)
    assert await CLOCK.is_set(event, None)


async def test_a_loop_is_called_later_and_soon() -> None:
    """Unless that was cancelled; a time that has passed is now."""
    loop = asyncio.get_running_loop()
    called: list[str] = []
    done = asyncio.Event()
    CLOCK.call_at(loop, CLOCK.monotonic() - 1, lambda: called.append("cancelled")).cancel()
    CLOCK.call_at(loop, CLOCK.monotonic() - 1, lambda: called.append("late"))
    CLOCK.call_soon(loop, called.append, "soon")
    CLOCK.call_at(loop, CLOCK.monotonic() + 0.01, done.set)
    await done.wait()
    assert sorted(called) == ["late", "soon"]


async def test_to_be_at_work_means_nothing_to_it() -> None:
    """It moves by itself; a task sleeps as long as it says."""
    began = CLOCK.monotonic()
    with CLOCK.at_work(), CLOCK.task_at_work():
        await CLOCK.sleep_async(0.005)
    assert CLOCK.monotonic() - began >= 0.005
    assert CLOCK.wall() > 1_700_000_000
