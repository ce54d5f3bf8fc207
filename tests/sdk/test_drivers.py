from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from users_sdk._drivers import THREADS, BlockingTransport, Closing, in_thread, run, run_async
from users_sdk._http import Headers, Request, Response
from users_sdk._steps import Call, Flow, Send, Sleep, Step
from users_sdk.errors import ClientClosed, UnknownOutcome

REQUEST = Request("GET", "https://orders.example/")


class Echo:
    """Answers with the status that the path names, and fails where it names none."""

    def send(self, request: Request, timeout: float) -> Response:
        """Answer, or fail."""
        if request.url.endswith("/"):
            raise UnknownOutcome("lost")
        return Response(int(request.url.rpartition("/")[2]), Headers())

    def close(self) -> None:
        """Close nothing."""


class AsyncEcho:
    """The same, in an event loop."""

    async def send(self, request: Request, timeout: float) -> Response:
        """Answer, or fail."""
        return Echo().send(request, timeout)

    async def aclose(self) -> None:
        """Close nothing."""


def drive(flow: Flow[object]) -> object:
    return run(flow, Echo(), threading.Event())


def drive_async(flow: Flow[object]) -> object:
    return asyncio.run(run_async(flow, AsyncEcho()))


drivers = pytest.mark.parametrize("driver", [drive, drive_async], ids=["sync", "async"])
Driver = Callable[[Flow[object]], object]


@drivers
def test_each_step_is_done_and_answered(driver: Driver) -> None:
    """A flow gets answers, results of calls, and its time."""

    def flow() -> Flow[object]:
        response = yield Send(Request("GET", "https://orders.example/204"), 1.0)
        before = time.monotonic()
        yield Sleep(0.01)
        slept = time.monotonic() - before
        called = yield Call(lambda: "called")
        return response.status, slept >= 0.0099, called

    assert driver(flow()) == (204, True, "called")


@drivers
def test_errors_are_thrown_into_the_flow(driver: Driver) -> None:
    """A flow decides what an error means, and may go on."""

    def fail() -> None:
        raise KeyError("call")

    def flow() -> Flow[object]:
        caught: list[type[Exception]] = []
        for step in (Send(REQUEST, 1.0), Call(fail)):
            try:
                yield step
            except Exception as error:
                caught.append(type(error))
        return caught

    assert driver(flow()) == [UnknownOutcome, KeyError]


@drivers
def test_an_error_that_the_flow_lets_pass_reaches_the_caller(driver: Driver) -> None:
    """And the flow is ended."""
    ended: list[bool] = []

    def flow() -> Flow[object]:
        try:
            return (yield Send(REQUEST, 1.0))
        finally:
            ended.append(True)

    with pytest.raises(UnknownOutcome):
        driver(flow())
    assert ended == [True]


def test_closing_ends_a_sleep() -> None:
    """A call that waits does not outlive its client."""
    closed = threading.Event()

    def flow() -> Flow[None]:
        yield Sleep(60)

    threading.Timer(0.02, closed.set).start()
    with pytest.raises(ClientClosed):
        run(flow(), Echo(), closed)


@pytest.mark.parametrize("step", [Sleep(60), Call(lambda: time.sleep(0.2))])
async def test_closing_ends_what_a_task_waits_for(step: Step) -> None:
    """A pause, and a function in its thread; whatever waits later ends at once."""

    def flow() -> Flow[None]:
        yield step

    closing = Closing()
    tasks = [asyncio.create_task(run_async(flow(), AsyncEcho(), closing=closing))]
    await asyncio.sleep(0)
    closing.set()
    tasks.append(asyncio.create_task(run_async(flow(), AsyncEcho(), closing=closing)))
    for error in await asyncio.gather(*tasks, return_exceptions=True):
        assert type(error) is ClientClosed
    assert closing.is_set()


async def test_a_function_s_own_timeout_is_its_error() -> None:
    """It is not taken for the closing."""

    def late() -> None:
        raise TimeoutError("of the function")

    def flow() -> Flow[None]:
        yield Call(late)

    with pytest.raises(TimeoutError, match="of the function"):
        await run_async(flow(), AsyncEcho(), closing=Closing())


def test_closing_passes_over_loops_that_are_gone() -> None:
    """They wait for nothing any more, nor do the parent's calls in a forked child."""
    closing = Closing()
    loop = asyncio.new_event_loop()
    closing._limits[asyncio.Timeout(None)] = loop
    loop.close()
    closing.set()
    closing.after_fork()
    assert closing._limits == {}


async def test_a_call_does_not_block_the_loop() -> None:
    """It runs in a thread that is gone afterwards."""

    def flow() -> Flow[str]:
        name: str = yield Call(lambda: threading.current_thread().name)
        return name

    name = await run_async(flow(), AsyncEcho())
    assert name != threading.current_thread().name
    assert name.endswith("-call")


async def test_cancelling_ends_the_flow() -> None:
    """What the flow has to clean up is cleaned up."""
    ended = asyncio.Event()

    def flow() -> Flow[None]:
        try:
            yield Sleep(60)
        finally:
            ended.set()

    task = asyncio.create_task(run_async(flow(), AsyncEcho()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


def test_a_call_that_outlives_its_loop_is_forgotten() -> None:
    """A hanging search for credentials keeps no program from ending."""
    leave = threading.Event()

    async def abandon() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(in_thread(lambda: leave.wait(5)), 0.01)

    asyncio.run(abandon())
    leave.set()


async def test_a_blocking_transport_uses_few_threads() -> None:
    """Many questions through a blocking client share a bounded number of threads."""
    under_way: set[int] = set()
    most = 0

    class Slow(Echo):
        def send(self, request: Request, timeout: float) -> Response:
            nonlocal most
            under_way.add(threading.get_ident())
            most = max(most, len(under_way))
            time.sleep(0.002)
            under_way.discard(threading.get_ident())
            return Response(200, Headers())

    transport = BlockingTransport(Slow())
    await asyncio.gather(*(transport.send(REQUEST, 1.0) for _ in range(20)))
    assert 1 < most <= THREADS
