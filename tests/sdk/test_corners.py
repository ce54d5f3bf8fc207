"""
The corners that a client of long-running operations must get right, numbered from 1 to 40.

Each has a test whose docstring begins with its number: here, or beside the module that it is about.
"""

from __future__ import annotations

import ast
import asyncio
import concurrent.futures
import dataclasses
import itertools
import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

import users_sdk
from tests.sdk.orders import (
    CHAIN,
    AsyncOrdersClient,
    Clock,
    Keys,
    Order,
    OrdersClient,
    Server,
    endpoint,
    perform,
    reply,
)
from users_sdk import _handle
from users_sdk._flows import LAG_SECONDS, submit, submit_and_wait, wait
from users_sdk._handle import Handle
from users_sdk._http import Request, Response
from users_sdk._polling import Polling
from users_sdk.errors import (
    ClientClosed,
    ConfigurationError,
    NotFoundError,
    OperationFailed,
    WaitTimeout,
)

HERE = Path(__file__).parent
PACKAGE = Path(users_sdk.__file__).parent
NUMBERS = re.compile(r"Corners? ((?:\d+(?:, | and )?)+)")

ITEM = {"item": "x"}
FOREVER = 10**9
SETTINGS: dict[str, Any] = {
    "base_url": "https://orders.example",
    "region": "eu-west-1",
    "credentials": Keys(),
    "polling": Polling(interval=0.01),
}


@contextmanager
def opened(server: Server, **changes: Any) -> Iterator[OrdersClient]:
    with server.client() as http, OrdersClient(**SETTINGS | changes, http_client=http) as client:
        yield client


def started(client: OrdersClient) -> Handle[Order]:
    return client._start(CHAIN, arguments={}, body=ITEM)


def eventually(condition: Callable[[], bool]) -> bool:
    """Wait until a condition holds, for five seconds at most."""
    waiting = threading.Event()
    return any(condition() or waiting.wait(0.001) for _ in range(5000))


def covered() -> set[int]:
    """Return the numbers that the docstrings of the tests begin with."""
    numbers: set[int] = set()
    for path in HERE.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found = NUMBERS.match(ast.get_docstring(node) or "")
                if found and node.name.startswith("test_"):
                    numbers.update(int(number) for number in re.findall(r"\d+", found[1]))
    return numbers


def test_every_corner_has_a_test() -> None:
    """No number is left out, and there is none that no corner has."""
    assert covered() == set(range(1, 41))


def test_the_wait_ends_though_the_last_answer_does_not_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Corner 5: the last GET has no time of its own, however long the server takes for it."""
    monkeypatch.setattr(_handle, "LAST_QUESTION_SECONDS", 0.02)
    server, released = Server(), threading.Event()

    def hang(wire: httpx.Request) -> httpx.Response:
        if wire.url.path.startswith("/orders/"):
            released.wait(5)
        return server.handle(wire)

    with (
        httpx.Client(transport=httpx.MockTransport(hang)) as http,
        OrdersClient(**SETTINGS, http_client=http) as client,
    ):
        handle = started(client)
        with pytest.raises(WaitTimeout) as caught:
            handle.result(0.02)
        assert caught.value.status == "COMPLETED"
        released.set()
        assert handle.result(5).order_id == "r0"


def test_a_clock_that_is_set_does_not_change_a_wait() -> None:
    """Corner 5: times are counted on a clock that never goes back."""
    clock, jumps = Clock(), itertools.cycle([1e9, -1e9, 0.0])
    api = dataclasses.replace(endpoint(clock), wall_clock=lambda: next(jumps))
    start = clock.now
    with pytest.raises(WaitTimeout):
        perform(submit_and_wait(api, CHAIN, {}, ITEM, 3.0), Server(polls=FOREVER), clock)
    assert clock.now == pytest.approx(start + 3.0)


def test_a_failure_names_the_request_that_told_of_it() -> None:
    """Corner 9: message ID, state, the server's reason, and the request ID of that answer."""
    final = {"state": "FAILED", "error": {"code": "NO_STOCK", "message": "Sold out."}}
    server, clock = Server(), Clock()
    progress, _ = perform(submit(endpoint(clock), CHAIN, {}, ITEM), server, clock)
    server.script = [reply(200, final, {"x-amzn-RequestId": "http-9"})]
    with pytest.raises(OperationFailed, match="FAILED: NO_STOCK: Sold out") as caught:
        perform(wait(endpoint(clock), progress, None), server, clock)
    assert (caught.value.message_id, caught.value.request_id) == ("r0", "http-9")


def test_a_result_that_is_never_there_is_explained() -> None:
    """Corner 10: after the good state its 404 is asked again for a while, and then an error."""
    clock = Clock()
    server = Server()
    progress, _ = perform(submit(endpoint(clock), CHAIN, {}, ITEM), server, clock)
    server.script = [None, *[reply(404, {"title": "Not Found"})] * 1000]
    before = clock.now
    said = r"COMPLETED, but its .*: GET .* Not Found; .* get_order\(order_id='r0'\)"
    with pytest.raises(NotFoundError, match=said) as caught:
        perform(wait(endpoint(clock), progress, None), server, clock)
    assert clock.now - before >= LAG_SECONDS
    assert (progress.status, caught.value.message_id) == ("COMPLETED", "r0")
    assert server.paths().count("GET /requests/r0") == 1


async def test_a_wait_that_is_given_up_takes_nothing_from_the_handle() -> None:
    """Corner 12: as `asyncio.wait_for` gives up; other awaiters and the handle go on."""
    server = Server(polls=FOREVER)
    async with (
        server.async_client() as http,
        AsyncOrdersClient(**SETTINGS, http_client=http) as client,
    ):
        handle = await client._start(CHAIN, arguments={}, body=ITEM)
        other = asyncio.create_task(handle.result())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(handle, 0.02)
        assert not handle.done()
        server.polls = 0
        assert (await other).order_id == (await handle).order_id == "r0"


def test_a_callback_s_error_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Corner 13: with its traceback, and the handle is none the worse."""

    def broken(_: object) -> None:
        raise KeyError("broken callback")

    with opened(Server()) as client:
        handle = started(client)
        handle.add_done_callback(broken)
        assert handle.result(5).order_id == "r0"
        assert eventually(lambda: "broken callback" in caplog.text)
    assert {record.levelno for record in caplog.records} == {logging.ERROR}


def test_a_callback_is_called_once_whenever_it_is_added() -> None:
    """Corner 13: none is lost or doubled that is added while the handle is being settled."""
    called: list[int] = []

    def add(handle: Handle[Order], number: int) -> None:
        handle.add_done_callback(lambda _: called.append(number))

    def are_called(count: int) -> bool:
        return sorted(called) == list(range(count))

    with opened(Server(polls=2)) as client:
        for _ in range(20):
            handle = started(client)
            added = 0
            while not handle.done():
                add(handle, added)
                added += 1
            add(handle, added)
            assert eventually(partial(are_called, added + 1))
            called.clear()


def test_the_scheduler_s_thread_ends_with_the_client() -> None:
    """Corner 17: a daemon, and joined when the client is closed or left."""
    with opened(Server(polls=FOREVER)) as client:
        handle = started(client)
        handle.done()
        [thread] = [t for t in threading.enumerate() if t.name.endswith("-scheduler")]
        assert thread.daemon
    assert not thread.is_alive()
    assert isinstance(handle.exception(1), ClientClosed)


ENDING = """
import asyncio
from tests.sdk.orders import *
async def main():
    client = AsyncOrdersClient(
        base_url="https://orders.example", region="r", credentials=Keys(),
        http_client=Server(polls=10**9).async_client(),
    )
    handle = await client._start(CHAIN, arguments={}, body={"item": "x"})
    print(await handle.wait(0.05))
asyncio.run(main())
"""


def test_a_loop_ends_though_a_client_was_not_closed() -> None:
    """Corner 17: neither hanging nor complaining of a task, with a handle outstanding."""
    done = subprocess.run(
        [sys.executable, "-c", ENDING],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert (done.stdout, done.stderr) == ("False\n", "")


class Renaming:
    """A server whose state has another name with each question."""

    def __init__(self) -> None:
        self.server = Server()
        self.states = itertools.count()
        self.asked = 0

    def handle(self, wire: httpx.Request) -> httpx.Response:
        """Answer an HTTP client."""
        if not wire.url.path.startswith("/requests/"):
            return self.server.handle(wire)
        self.asked += 1
        return httpx.Response(200, json={"state": f"STEP_{next(self.states)}"})


def test_a_slow_reader_of_updates_gets_the_latest() -> None:
    """Corner 19: what came and went while it was busy is passed over, and not kept."""
    server = Renaming()
    with (
        httpx.Client(transport=httpx.MockTransport(server.handle)) as http,
        OrdersClient(**SETTINGS, http_client=http) as client,
    ):
        updates = started(client).updates()
        first = next(updates)
        seen = server.asked
        assert eventually(lambda: server.asked > seen + 10)
        later = next(updates)
        assert int(later.removeprefix("STEP_")) - int(first.removeprefix("STEP_")) > 9


async def test_a_slow_reader_of_async_updates_gets_the_latest() -> None:
    """Corner 19: in an event loop as well."""
    server = Renaming()
    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(server.handle)) as http,
        AsyncOrdersClient(**SETTINGS, http_client=http) as client,
    ):
        handle = await client._start(CHAIN, arguments={}, body=ITEM)
        seen: list[int] = []
        async for state in handle.updates():
            seen.append(int(state.removeprefix("STEP_")))
            if len(seen) == 3:
                break
            asked = server.asked
            while server.asked < asked + 10:
                await asyncio.sleep(0.001)
        assert min(later - sooner for sooner, later in itertools.pairwise(seen)) >= 9


def test_an_async_handle_is_awaited_in_two_loops_at_once() -> None:
    """Corner 22: each by its own loop's connections, in whatever thread."""
    server = Server(polls=FOREVER)
    # Without connections of its own, one HTTP client does for both loops.
    client = AsyncOrdersClient(**SETTINGS, http_client=server.async_client())
    handle = asyncio.run(client._start(CHAIN, arguments={}, body=ITEM))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        waits = [pool.submit(lambda: asyncio.run(handle.result(5))) for _ in range(2)]
        assert eventually(lambda: len(server.requests) > 4)
        server.polls = 0
        assert [wait.result(5).order_id for wait in waits] == ["r0", "r0"]


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_nothing_runs_or_looks_for_a_loop_that_is_not_there(path: Path) -> None:
    """Corner 22: a notebook has a running loop, and a thread has none."""
    calls = {
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    }
    assert calls.isdisjoint({"asyncio.run", "asyncio.get_event_loop", "asyncio.Runner"})


def test_a_given_client_that_follows_redirects_does_not_follow_ours() -> None:
    """Corner 30: it would hand the security token to another origin."""
    hosts: list[str] = []

    def handle(wire: httpx.Request) -> httpx.Response:
        hosts.append(wire.url.host)
        return httpx.Response(307, headers={"Location": "https://attacker.example/"})

    transport = httpx.MockTransport(handle)
    with (
        httpx.Client(transport=transport, follow_redirects=True) as http,
        OrdersClient(**SETTINGS, http_client=http) as client,
        pytest.raises(users_sdk.ApiError),
    ):
        started(client)
    assert hosts == ["orders.example"]


def test_a_copy_with_other_options_shares_what_is_its_original_s() -> None:
    """Corner 38: connections, scheduler, budget, what was learned; its closing closes nothing."""
    server = Server()
    with opened(server) as client:
        with client.with_options(max_retries=0, timeout=5, attempt_timeout=1) as other:
            assert started(other).result(5).order_id == "r0"
        assert started(other).result(5).order_id == "r1"
        assert started(client).result(5).order_id == "r2"
        assert other._background is client._background
        assert other._endpoint.budget is client._endpoint.budget
        assert other._endpoint.completions is client._endpoint.completions
        settings, changed = client._endpoint.settings, other._endpoint.settings
        assert (settings.max_retries, changed.max_retries) == (3, 0)
        assert (changed.timeout, changed.attempt_timeout) == (5, 1)
        assert changed.polling is settings.polling
        quick = client.with_options(polling=Polling(deadline=0.01))
        server.polls = FOREVER
        with pytest.raises(WaitTimeout):
            started(quick).result()
        with pytest.raises(ConfigurationError, match="timeout"):
            client.with_options(timeout=-1)
        with pytest.raises(dataclasses.FrozenInstanceError):
            settings.timeout = 1.0  # type: ignore[misc]
    for closed in (client, other):
        with pytest.raises(ClientClosed):
            started(closed)


async def test_an_async_copy_with_other_options_is_the_same() -> None:
    """Corner 38: the asynchronous client's copies end with it, and it does not with them."""
    async with Server().async_client() as http:
        client = AsyncOrdersClient(**SETTINGS, http_client=http)
        async with client.with_options(max_retries=0) as other:
            assert other._loops is client._loops
        assert (await (await other._start(CHAIN, arguments={}, body=ITEM))).item == "x"
        await client.aclose()
        for closed in (client, other):
            with pytest.raises(ClientClosed):
                await closed._start(CHAIN, arguments={}, body=ITEM)


def test_a_client_may_be_used_by_many_threads() -> None:
    """Corner 38: none of their calls is lost, doubled or mixed up with another's."""

    class Locked(Server):
        """A server that takes one request at a time."""

        lock = threading.Lock()

        def __call__(self, request: Request) -> Response:
            with self.lock:
                return super().__call__(request)

    server = Locked()
    with opened(server) as client, concurrent.futures.ThreadPoolExecutor(16) as pool:

        def create(number: int) -> bool:
            body = {"item": f"i{number}"}
            return client._start(CHAIN, arguments={}, body=body).result(20).item == f"i{number}"

        assert all(pool.map(create, range(100)))
    assert len(server.orders) == 100
