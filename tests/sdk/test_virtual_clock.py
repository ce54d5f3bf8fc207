"""Time that does not sleep: who waits, who holds it, and what is due when."""

from __future__ import annotations

import asyncio
import gc
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import repeat
from random import Random

import pytest

from users_sdk import BearerToken, Polling, UsersClient, WaitTimeout
from users_sdk._completions import Completions
from users_sdk._polling import Schedule
from users_sdk.testing import FakeServer, VirtualClock

ADA = {"name": "Ada", "email": "ada@example.com"}


def _polls(fake: FakeServer) -> list[float]:
    return [request.at for request in fake.requests_of("get_status")]


def _schedule_by_hand(seconds: float, polling: Polling) -> list[float]:
    """The times of the polls for one that takes some seconds, by the real schedule."""
    schedule = Schedule(polling, Completions(), 0.0, None, Random(0).random)
    times: list[float] = []
    while not times or times[-1] < seconds:
        times.append(schedule.due)
        schedule.asking(schedule.due)
        schedule.pending(schedule.due, None)
    return times


@pytest.mark.parametrize("polling", [Polling(), Polling(adaptive=False), Polling(interval=0.7)])
@pytest.mark.parametrize("seconds", [0.05, 1, 30, 600])
def test_polls_come_when_the_schedule_says(seconds: float, polling: Polling) -> None:
    """As many as in real time, at the same times."""
    fake = FakeServer()
    fake.on("create_user").settles(after=seconds)
    with fake.client(polling=polling) as client:
        client.create_user_and_wait(ADA)
    assert _polls(fake) == pytest.approx(_schedule_by_hand(seconds, polling), abs=1e-4)


def test_advancing_does_what_is_due_meanwhile() -> None:
    """Before it returns, in the order of the times."""
    fake = FakeServer()
    fake.on("create_user").settles(after=10)
    with fake.client() as client, fake.clock.paused():
        handles = [client.create_user(ADA) for _ in range(3)]
        assert not any(handle.done() for handle in handles)
        fake.clock.advance(9)
        assert not any(handle.done() for handle in handles)
        polls = _polls(fake)
        fake.clock.advance(20)
        assert all(handle.done() for handle in handles)
        assert fake.clock.now == pytest.approx(29)
    assert polls == sorted(polls)
    assert len(polls) > 3


def test_paused_handles_do_not_move_it() -> None:
    """Those who wait in the client do."""
    fake = FakeServer()
    fake.on("create_user").settles(after=10)
    with fake.client() as client, fake.clock.paused():
        handle = client.create_user(ADA)
        handle.done()
        assert fake.clock.now == 0
        handle.result()
    assert fake.clock.now >= 10


async def test_it_is_advanced_within_a_loop() -> None:
    """What is due is done once the loop goes on."""
    fake = FakeServer()
    fake.on("create_user").settles(after=10)
    async with fake.async_client() as client:
        with fake.clock.paused():
            handle = await client.create_user(ADA)
            handle.done()
            fake.clock.advance(11)
            assert fake.clock.now >= 11
            await fake.clock.sleep_async(1)
            assert handle.done()


def test_it_does_not_go_back() -> None:
    """A mistake is refused."""
    with pytest.raises(ValueError, match="does not go back"):
        VirtualClock().advance(-1)


def test_waits_end_at_their_limit() -> None:
    """Neither sooner nor much later."""
    fake = FakeServer()
    fake.on("create_user").settles(after=100)
    with fake.client() as client:
        handle = client.create_user(ADA)
        with pytest.raises(WaitTimeout):
            handle.result(timeout=20)
        assert 20 <= fake.clock.now < 21
        assert handle.exception(timeout=200) is None


def test_updates_come_with_each_state() -> None:
    """In virtual time, to a thread."""
    fake = FakeServer()
    stages = [("QUEUED", 2.0), ("PENDING", 4.0), ("RUNNING", 30.0)]
    fake.on("create_user").settles(states=stages, strict=False)
    with fake.client() as client:
        seen = [*client.create_user(ADA).updates()]
    assert seen == ["QUEUED", "PENDING", "RUNNING", "SUCCEEDED"]


async def test_updates_come_with_each_state_to_a_task() -> None:
    """The same, asynchronously."""
    fake = FakeServer()
    stages = [("QUEUED", 2.0), ("PENDING", 4.0), ("RUNNING", 30.0)]
    fake.on("create_user").settles(states=stages, strict=False)
    async with fake.async_client() as client:
        handle = await client.create_user(ADA)
        seen = [status async for status in handle.updates()]
    assert seen == ["QUEUED", "PENDING", "RUNNING", "SUCCEEDED"]


def test_thousands_of_handles_advance_at_once() -> None:
    """All within the time that one takes, and a few seconds for the rate of the polls."""
    fake = FakeServer()
    fake.on("create_user").settles(after=60)
    with fake.client(polling=Polling(interval=60), auth=BearerToken("t")) as client:
        handles = [client.create_user(ADA) for _ in range(1500)]
        done = sum(handle.result().name == "Ada" for handle in as_completed(handles))
    assert done == 1500
    assert 60 <= fake.clock.now < 90


async def test_thousands_of_tasks_wait_at_once() -> None:
    """Within one loop."""
    fake = FakeServer()
    fake.on("create_user").settles(after=60)
    async with fake.async_client(polling=Polling(interval=60), auth=BearerToken("t")) as client:
        users = await asyncio.gather(*(client.create_user_and_wait(ADA) for _ in range(1000)))
    assert len({user.user_id for user in users}) == 1000
    assert 60 <= fake.clock.now < 90


def test_many_threads_share_a_client() -> None:
    """Each waits as long as it would by itself."""
    fake = FakeServer()
    fake.on("create_user").settles(after=5)
    with fake.client() as client, ThreadPoolExecutor(16) as threads:
        users = list(threads.map(client.create_user_and_wait, repeat(ADA, 64)))
    assert len({user.user_id for user in users}) == 64
    assert 5 <= fake.clock.now <= 64 * 6


def test_a_loop_comes_after_another() -> None:
    """With the same fake, and the same client."""
    fake = FakeServer()
    fake.on("create_user").settles(after=30)
    client = fake.async_client()

    async def created() -> str:
        return (await (await client.create_user(ADA)).result()).name

    assert [asyncio.run(created()), asyncio.run(created())] == ["Ada", "Ada"]
    assert 60 <= fake.clock.now < 70


def test_clients_of_two_fakes_may_share_a_clock() -> None:
    """What one waits for passes for the other as well."""
    clock = VirtualClock()
    first, second = FakeServer(clock=clock), FakeServer(clock=clock)
    second.on("create_user").settles(after=50)
    with first.client() as one, second.client() as other:
        handle = other.create_user(ADA)
        other.create_user_and_wait(ADA)
        one.create_user_and_wait(ADA)
        assert handle.result().name == "Ada"
    assert first.clock is second.clock
    assert 50 <= clock.now < 60


def test_a_client_that_nobody_closes_holds_nothing() -> None:
    """Neither the clock, nor its thread."""
    fake = FakeServer()
    fake.on("create_user").settles(after=100)

    def forgotten() -> None:
        fake.client().create_user(ADA).done()

    forgotten()
    gc.collect()
    with fake.client() as client:
        assert client.create_user_and_wait(ADA).name == "Ada"
    asyncio.run(_forgotten(fake))
    threads = [it for it in threading.enumerate() if it.name.endswith("-scheduler")]
    for thread in threads:
        thread.join(5)
    assert not any(thread.is_alive() for thread in threads)


async def _forgotten(fake: FakeServer) -> None:
    (await fake.async_client().create_user(ADA)).done()


def test_real_code_that_blocks_does_not_stop_it() -> None:
    """A thread that waits for a handle by the standard library is no waiter of the clock."""
    fake = FakeServer()
    fake.on("create_user").settles(after=3600)
    with fake.patched():
        client = UsersClient()
    handle = client.create_user(ADA)
    done = threading.Event()
    handle.add_done_callback(lambda _: done.set())
    assert done.wait(20)
    client.close()
