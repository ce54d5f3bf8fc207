from __future__ import annotations

import asyncio
import concurrent.futures
import copy
import gc
import math
import pickle
import threading
import time
import traceback
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from tests.sdk.orders import CHAIN, AsyncOrdersClient, Keys, Order, OrdersClient, Server, reply
from users_sdk._batch import many
from users_sdk._handle import AsyncHandle, Handle
from users_sdk._polling import Polling
from users_sdk.errors import ClientClosed, InvalidArgumentError, OperationFailed, WaitTimeout

ITEM = {"item": "x"}
FAST = Polling(interval=0.01)
SETTINGS: dict[str, Any] = {
    "base_url": "https://orders.example",
    "region": "eu-west-1",
    "credentials": Keys(),
    "polling": FAST,
}
FOREVER = 10**9
GIVEN_UP = r"create_order was given up by cancel\(\) \(message ID r0\).* goes on at the server"
WRONG_SECONDS: list[Any] = ["3", math.nan, True, -1, [1]]
FAILED = {"state": "FAILED", "error": {"code": "NO_STOCK", "message": "Sold out."}}


@contextmanager
def opened(server: Server, **changes: Any) -> Iterator[OrdersClient]:
    with server.client() as http, OrdersClient(**SETTINGS | changes, http_client=http) as client:
        yield client


def started(client: OrdersClient) -> Handle[Order]:
    return client._start(CHAIN, arguments={}, body=ITEM)


class Opened:
    """An asynchronous client of a server."""

    def __init__(self, server: Server, **changes: Any) -> None:
        self.http = server.async_client()
        self.client = AsyncOrdersClient(**SETTINGS | changes, http_client=self.http)

    async def __aenter__(self) -> AsyncOrdersClient:
        return self.client

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()
        await self.http.aclose()


async def begun(client: AsyncOrdersClient) -> AsyncHandle[Order]:
    return await client._start(CHAIN, arguments={}, body=ITEM)


def eventually(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        threading.Event().wait(0.001)
    return condition()


def test_a_handle_resolves_to_the_result() -> None:
    """And knows what it is about."""
    server = Server(polls=2)
    with opened(server) as client:
        handle = started(client)
        assert handle.result(timeout=5) == Order(order_id="r0", item="x")
        assert handle.exception() is None
        assert handle.done()
        assert not handle.cancelled()
        assert (handle.message_id, handle.request_id) == ("r0", "http-r0")
        assert handle.status == "COMPLETED"
        assert handle.idempotency_key in server.keys


def test_nothing_is_asked_before_the_first_question() -> None:
    """A handle that is only kept costs nothing, no thread either."""
    server = Server()
    threads = set(threading.enumerate())
    with opened(server) as client:
        handle = started(client)
        threading.Event().wait(0.05)
        assert server.paths() == ["POST /orders"]
        assert "not known yet" in repr(handle)
        assert set(threading.enumerate()) <= threads


@pytest.mark.parametrize("question", ["done", "status"])
def test_a_handle_advances_by_itself_from_the_first_question(question: str) -> None:
    """A loop that only asks whether it is done, ends."""
    with opened(Server(polls=3)) as client:
        handle = started(client)
        ends: dict[str, Callable[[], bool]] = {
            "done": handle.done,
            "status": lambda: handle.status == "COMPLETED",
        }
        assert eventually(ends[question])


def test_a_failure_is_raised_and_does_not_grow() -> None:
    """Corner 15: each time a fresh copy: a traceback grows with each raise."""
    with opened(Server(final=FAILED)) as client:
        handle = started(client)
        lengths = set()
        for _ in range(3):
            with pytest.raises(OperationFailed) as caught:
                handle.result(timeout=5)
            assert caught.value.code == "NO_STOCK"
            lengths.add(len(traceback.extract_tb(caught.value.__traceback__)))
        assert len(lengths) == 1
        assert isinstance(handle.exception(), OperationFailed)


def test_a_timeout_settles_nothing() -> None:
    """Corner 4: it comes no earlier than asked, and the handle stays usable."""
    server = Server(polls=FOREVER)
    with opened(server) as client:
        handle = started(client)
        for ask in (handle.result, handle.exception):
            start = time.monotonic()
            with pytest.raises(WaitTimeout) as caught:
                ask(0.05)
            assert 0.05 <= time.monotonic() - start < 1
            assert (caught.value.status, caught.value.message_id) == ("PENDING", "r0")
        assert not handle.wait(0.01)
        server.polls = 0
        assert handle.result(timeout=5).order_id == "r0"


def test_a_last_question_is_asked_when_the_time_is_over() -> None:
    """Corner 4: a result that is there by then is not missed."""
    server = Server(hint={})
    with opened(server, polling=Polling(interval=30.0)) as client:
        assert started(client).result(timeout=0.02).order_id == "r0"


def test_no_last_question_before_the_server_allows_it() -> None:
    """A timeout of ours is no reason to hurry a server."""
    server = Server(hint={"Retry-After": "60"})
    with opened(server) as client:
        with pytest.raises(WaitTimeout):
            started(client).result(timeout=0.02)
        assert server.paths() == ["POST /orders"]


def test_without_a_timeout_the_deadline_of_polling_holds() -> None:
    """Nothing hangs for ever by default."""
    polling = Polling(interval=0.01, deadline=0.05)
    with (
        opened(Server(polls=FOREVER), polling=polling) as client,
        pytest.raises(WaitTimeout),
    ):
        started(client).result()


@pytest.mark.parametrize("wrong", WRONG_SECONDS)
def test_a_timeout_that_is_no_number_of_seconds_is_refused(wrong: Any) -> None:
    """Nothing is asked, and a handle that is settled is no excuse."""
    server = Server()
    with opened(server) as client:
        handle = started(client)
        for settled in (False, True):
            for ask in (handle.result, handle.exception, handle.wait):
                with pytest.raises(InvalidArgumentError, match="timeout must be a number of sec"):
                    ask(wrong)
            assert handle.is_settled() is settled
            handle.result(math.inf)


def test_many_waiters_share_one_wait() -> None:
    """Corner 11: ten threads do not mean ten times the questions."""
    server = Server(polls=3)
    with opened(server) as client:
        handle = started(client)
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            results = list(pool.map(lambda _: handle.result(5), range(10)))
    assert results == [Order(order_id="r0", item="x")] * 10
    assert server.paths().count("GET /requests/r0") == 4


def test_cancelling_is_local_and_final() -> None:
    """Corner 21: the handle is not asked after any more; waiters learn of it."""
    server = Server(polls=FOREVER)
    with opened(server) as client:
        handle = started(client)
        waiter = threading.Thread(target=concurrent.futures.wait, args=([handle],))
        waiter.start()
        assert eventually(lambda: len(server.requests) > 2)
        assert handle.cancel()
        assert handle.cancel()
        waiter.join(5)
        assert not waiter.is_alive()
        assert handle.done()
        assert handle.cancelled()
        assert repr(handle) == "<Handle create_order r0: PENDING, cancelled>"
        assert "<td>PENDING, cancelled</td>" in handle._repr_html_()
        for ask in (handle.result, handle.exception):
            with pytest.raises(concurrent.futures.CancelledError, match=GIVEN_UP):
                ask(1)
        threading.Event().wait(0.05)
        asked = len(server.requests)
        threading.Event().wait(0.05)
        assert len(server.requests) == asked


def test_what_is_settled_cannot_be_cancelled() -> None:
    """Cancelling says so."""
    with opened(Server()) as client:
        handle = started(client)
        handle.result(5)
        assert not handle.cancel()
        assert not handle.cancelled()


def test_the_functions_of_concurrent_futures_work() -> None:
    """Corner 20: they ask no method of a future, and begin it all the same."""
    with opened(Server(polls=1)) as client:
        handles = [started(client) for _ in range(5)]
        done, pending = concurrent.futures.wait(handles[:2], timeout=5)
        assert (len(done), len(pending)) == (2, 0)
        seen = {handle.result().order_id for handle in concurrent.futures.as_completed(handles, 5)}
        assert len(seen) == 5


async def test_a_handle_can_be_awaited_when_wrapped() -> None:
    """Corner 20: `asyncio.wrap_future` takes it for what it is."""
    with opened(Server(polls=1)) as client:
        handle = await asyncio.to_thread(started, client)
        assert (await asyncio.wrap_future(handle)).order_id == "r0"


def test_callbacks_get_the_handle_and_do_not_disturb_each_other() -> None:
    """Corner 13: one that raises is logged, the rest run; one that is late runs at once."""
    called: list[object] = []

    def broken(handle: object) -> None:
        raise KeyError

    with opened(Server()) as client:
        handle = started(client)
        handle.add_done_callback(broken)
        handle.add_done_callback(called.append)
        handle.result(5)
        assert eventually(lambda: called == [handle])
        handle.add_done_callback(called.append)
        assert called == [handle, handle]


def test_a_callback_must_not_wait() -> None:
    """It runs in the thread that would settle the other handle: an error, not a deadlock."""
    caught: list[Exception] = []
    with opened(Server(polls=1)) as client:
        first, second = started(client), started(client)

        def wait(_: object) -> None:
            for question in (
                lambda: second.result(5),
                lambda: list(second.updates()),
                lambda: list(many(client, CHAIN, [ITEM], {})),
            ):
                try:
                    question()
                except Exception as error:
                    caught.append(error)

        first.add_done_callback(wait)
        first.result(5)
        assert eventually(lambda: len(caught) == 3)
        assert all(isinstance(error, RuntimeError) for error in caught)
        assert second.result(5).order_id == second.message_id


def test_a_callback_that_exits_ends_no_other_handle(caplog: pytest.LogCaptureFixture) -> None:
    """As in any other thread, it is logged and goes no further."""

    def leave(_: object) -> None:
        raise SystemExit(3)

    with opened(Server(polls=1)) as client:
        first, second = started(client), started(client)
        first.add_done_callback(leave)
        first.wait(5)
        assert second.result(5).order_id == second.message_id
        assert started(client).result(5)
    assert "A callback of a handle raised" in caplog.text


def test_a_copy_of_a_handle_is_the_handle() -> None:
    """One request is asked after once: `dataclasses.asdict` copies what it meets."""
    with opened(Server(polls=1)) as client:
        handle = started(client)
        assert copy.copy(handle) is handle
        assert copy.deepcopy({"handle": handle})["handle"] is handle


def test_a_dropped_handle_is_not_asked_after() -> None:
    """Corner 16: nobody can learn the answer."""
    server = Server(polls=FOREVER)
    with opened(server) as client:
        handle = started(client)
        handle.done()
        assert eventually(lambda: len(server.requests) > 3)
        del handle
        gc.collect()
        threading.Event().wait(0.05)
        asked = len(server.requests)
        threading.Event().wait(0.1)
        assert len(server.requests) == asked


def test_a_dropped_handle_with_a_callback_is_asked_after() -> None:
    """Corner 16: somebody waits for the answer."""
    called: list[object] = []
    with opened(Server(polls=3)) as client:
        started(client).add_done_callback(called.append)
        gc.collect()
        assert eventually(lambda: len(called) == 1)


def test_a_handle_outlives_the_client_that_nobody_holds() -> None:
    """The scheduler goes on for it."""
    with Server(polls=1).client() as http:
        assert started(OrdersClient(**SETTINGS, http_client=http)).result(5).order_id == "r0"


def test_a_thousand_handles_add_at_most_one_thread() -> None:
    """Once the credentials are found, the scheduler's thread is the only one."""
    with opened(Server(polls=FOREVER)) as client:
        token = started(client).token()
    before = set(threading.enumerate())
    with OrdersClient(**SETTINGS | {"base_url": "http://127.0.0.1:1"}) as client:
        mine = [client._resume(CHAIN, token) for _ in range(1000)]
        mine[0].wait(0.1)
        most = 0
        for handle in mine:
            handle.done()
            most = max(most, len(set(threading.enumerate()) - before))
        assert most == 1
    assert all(isinstance(handle.exception(1), ClientClosed) for handle in mine)


def test_an_outstanding_handle_takes_less_than_two_kibibytes() -> None:
    """Also after a wait that ended too early; `benchmarks.handles` measures it over a network."""
    server = Server(polls=FOREVER)
    with opened(server, polling=Polling(interval=60.0)) as client:
        held = [started(client)]
        held[0].wait(0)
        tracemalloc.start()
        try:
            token = held[0].token()
            before = tracemalloc.get_traced_memory()[0]
            held += [client._resume(CHAIN, token) for _ in range(200)]
            for handle in held:
                assert not handle.wait(0)
            server.requests.clear()
            gc.collect()
            grown = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        assert grown / 200 < 2048


def test_closing_settles_what_is_outstanding_promptly() -> None:
    """Corner 17: with the token to go on; a handle that was not begun fails when asked."""
    server = Server(polls=FOREVER)
    with server.client() as http:
        client = OrdersClient(**SETTINGS, http_client=http)
        handle, other = started(client), started(client)
        assert not handle.done()
        start = time.monotonic()
        client.close()
        client.close()
        assert time.monotonic() - start < 1
        for each in (handle, other):
            with pytest.raises(ClientClosed) as caught:
                each.result(1)
            assert caught.value.message_id == each.message_id
        server.polls = 0
        with OrdersClient(**SETTINGS, http_client=http) as next_client:
            resumed = next_client._resume(CHAIN, caught.value.token or "")
            assert resumed.result(5).order_id == other.message_id


def test_updates_are_the_states_that_the_server_names() -> None:
    """Each once, until the handle is settled."""
    server = Server(polls=3)
    with opened(server) as client:
        handle = started(client)
        assert list(handle.updates()) == ["PENDING", "COMPLETED"]
        assert list(handle.updates()) == ["COMPLETED"]


def test_a_bug_in_an_auth_function_fails_the_handle() -> None:
    """Whatever goes wrong, waiters learn of it."""
    calls: list[object] = []

    def auth(request: object) -> dict[str, str]:
        calls.append(request)
        if len(calls) > 1:
            raise KeyError("bug")
        return {}

    with (
        opened(Server(), credentials=None, auth=auth) as client,
        pytest.raises(KeyError, match="bug") as caught,
    ):
        started(client).result(5)
    assert "resume it with the token" in caught.value.__notes__[0]


async def test_an_async_handle_can_be_awaited_many_times_and_by_many() -> None:
    """Corner 11: one wait for all."""
    server = Server(polls=3)
    async with Opened(server) as client:
        handle = await begun(client)
        results = await asyncio.gather(handle, *(handle.result(5) for _ in range(3)))
        assert list(results) == [Order(order_id="r0", item="x")] * 4
        assert await handle == results[0]
        assert await handle.exception() is None
        assert server.paths().count("GET /requests/r0") == 4


async def test_an_async_handle_advances_by_itself() -> None:
    """A loop that only asks whether it is done, ends."""
    async with Opened(Server(polls=3)) as client:
        handle = await begun(client)
        async with asyncio.timeout(5):
            while not handle.done():
                await asyncio.sleep(0.001)
        assert handle.status == "COMPLETED"


async def test_cancelling_one_awaiter_takes_nothing_from_the_others() -> None:
    """Corner 12: the wait belongs to the handle."""
    server = Server(polls=FOREVER)
    async with Opened(server) as client:
        handle = await begun(client)
        first = asyncio.create_task(handle.result())
        second = asyncio.create_task(handle.result())
        await asyncio.sleep(0.03)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert not handle.cancelled()
        server.polls = 0
        assert (await second).order_id == "r0"


async def test_an_async_handle_works_with_asyncio_wait() -> None:
    """Corner 20: it has what is asked of a future there."""
    async with Opened(Server(polls=1)) as client:
        handles = [await begun(client) for _ in range(3)]
        futures = cast("list[asyncio.Future[Order]]", handles)
        done, pending = await asyncio.wait(futures, timeout=5)
        assert (len(done), len(pending)) == (3, 0)
        first, _ = await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
        assert len(first) == 3
        tasks = [asyncio.ensure_future(handle) for handle in handles]
        assert {(await task).item for task in asyncio.as_completed(tasks)} == {"x"}


async def test_an_async_timeout_settles_nothing() -> None:
    """Corner 4: it comes no earlier than asked, and the handle stays usable."""
    server = Server(polls=FOREVER)
    async with Opened(server) as client:
        handle = await begun(client)
        start = time.monotonic()
        with pytest.raises(WaitTimeout):
            await handle.result(0.05)
        assert 0.05 <= time.monotonic() - start < 1
        with pytest.raises(WaitTimeout):
            await asyncio.wait_for(handle.exception(0.01), 5)
        server.polls = 0
        assert (await handle.result(5)).order_id == "r0"


@pytest.mark.parametrize("wrong", WRONG_SECONDS)
async def test_an_async_timeout_that_is_no_number_of_seconds_is_refused(wrong: Any) -> None:
    """As that of the blocking handle."""
    async with Opened(Server()) as client:
        handle = await begun(client)
        for ask in (handle.result, handle.exception, handle.wait):
            with pytest.raises(InvalidArgumentError, match="timeout must be a number of sec"):
                await ask(wrong)
        assert (await handle.result(math.inf)).order_id == "r0"


async def test_an_async_last_question_is_asked_when_the_time_is_over() -> None:
    """Corner 4: a result that is there by then is not missed."""
    async with Opened(Server(hint={}), polling=Polling(interval=30.0)) as client:
        assert (await (await begun(client)).result(0.02)).order_id == "r0"


async def test_an_async_failure_is_raised_each_time_afresh() -> None:
    """Corner 15: to every awaiter a copy of its own."""
    async with Opened(Server(final=FAILED)) as client:
        handle = await begun(client)
        errors = await asyncio.gather(handle.result(), handle.result(), return_exceptions=True)
        assert all(isinstance(error, OperationFailed) for error in errors)
        assert errors[0] is not errors[1]


async def test_cancelling_an_async_handle_is_local_and_final() -> None:
    """Corner 21: its awaiters are told with asyncio's own error."""
    server = Server(polls=FOREVER)
    async with Opened(server) as client:
        handle = await begun(client)
        waiter = asyncio.create_task(handle.result())
        while len(server.requests) < 3:
            await asyncio.sleep(0.001)
        assert handle.cancel()
        assert handle.cancel()
        with pytest.raises(asyncio.CancelledError, match=GIVEN_UP):
            await waiter
        assert handle.cancelled()
        assert repr(handle) == "<AsyncHandle create_order r0: PENDING, cancelled>"
        await asyncio.sleep(0.03)
        asked = len(server.requests)
        await asyncio.sleep(0.05)
        assert len(server.requests) == asked


async def test_what_is_settled_cannot_be_cancelled_in_a_loop() -> None:
    """Cancelling says so."""
    async with Opened(Server()) as client:
        handle = await begun(client)
        await handle
        assert not handle.cancel()
        assert not handle.cancelled()


async def test_async_callbacks_run_in_the_loop() -> None:
    """Corner 13: with the handle; removed ones do not; late ones do."""
    called: list[object] = []
    unwanted: list[object] = []
    async with Opened(Server()) as client:
        handle = await begun(client)
        handle.add_done_callback(unwanted.append)
        handle.add_done_callback(called.append)
        assert handle.remove_done_callback(unwanted.append) == 1
        await handle
        await asyncio.sleep(0)
        assert called == [handle]
        handle.add_done_callback(called.append)
        await asyncio.sleep(0.01)
        assert called == [handle, handle]
        assert unwanted == []


async def test_a_dropped_async_handle_is_not_asked_after() -> None:
    """Corner 16: unless it has a callback."""
    server = Server(polls=FOREVER)
    async with Opened(server) as client:
        handle = await begun(client)
        handle.done()
        await asyncio.sleep(0.03)
        del handle
        gc.collect()
        await asyncio.sleep(0.03)
        asked = len(server.requests)
        await asyncio.sleep(0.05)
        assert len(server.requests) == asked

        server.polls = 0
        called: list[object] = []
        (await begun(client)).add_done_callback(called.append)
        gc.collect()
        async with asyncio.timeout(5):
            while not called:
                await asyncio.sleep(0.001)


async def test_a_thousand_async_handles_add_no_thread_and_no_task() -> None:
    """Only the questions under way are tasks."""
    async with Opened(Server(polls=FOREVER, hint={"Retry-After": "60"})) as client:
        handles = [await begun(client) for _ in range(1000)]
        threads, tasks = set(threading.enumerate()), len(asyncio.all_tasks())
        for handle in handles:
            assert not handle.done()
        await asyncio.sleep(0.01)
        assert set(threading.enumerate()) <= threads
        assert len(asyncio.all_tasks()) == tasks


async def test_async_updates_are_the_states_that_the_server_names() -> None:
    """Each once, until the handle is settled."""
    async with Opened(Server(polls=3)) as client:
        handle = await begun(client)
        assert [status async for status in handle.updates()] == ["PENDING", "COMPLETED"]


async def test_cancelling_ends_the_updates() -> None:
    """Nobody waits for what will not come."""
    async with Opened(Server(polls=FOREVER)) as client:
        handle = await begun(client)
        async for status in handle.updates():
            assert status == "PENDING"
            handle.cancel()


async def test_closing_settles_what_is_outstanding_in_a_loop() -> None:
    """Corner 17: awaiters are told at once; a handle that was not begun fails when asked."""
    server = Server(polls=FOREVER)
    opened_client = Opened(server)
    async with opened_client as client:
        handle, other = await begun(client), await begun(client)
        waiter = asyncio.create_task(handle.result())
        await asyncio.sleep(0.02)
        await client.aclose()
        await client.aclose()
        for wait in (waiter, other.result()):
            with pytest.raises(ClientClosed) as caught:
                await wait
            assert caught.value.token


def test_a_handle_goes_along_to_another_loop() -> None:
    """Corner 22: begun in one loop, awaited in the next."""
    server = Server(polls=FOREVER)
    client = AsyncOrdersClient(**SETTINGS, http_client=server.async_client())

    async def begin() -> AsyncHandle[Order]:
        handle = await begun(client)
        assert not await handle.wait(0.03)
        return handle

    handle = asyncio.run(begin())
    assert not handle.done()
    server.polls = 0
    assert asyncio.run(handle.result(5)).order_id == "r0"


def test_a_handle_comes_back_from_a_loop_that_has_ended() -> None:
    """Corner 22: who waits in the first loop is not left alone when the second one ends."""
    server = Server(polls=FOREVER)
    client = AsyncOrdersClient(**SETTINGS, http_client=server.async_client())

    async def main() -> Order:
        handle = await begun(client)
        waiting = asyncio.ensure_future(handle.result(10))
        await asyncio.sleep(0.01)

        def elsewhere() -> None:
            assert not asyncio.run(handle.wait(0.05))
            server.polls = 0

        await asyncio.to_thread(elsewhere)
        return await waiting

    assert asyncio.run(main()).order_id == "r0"


def test_the_state_of_a_server_error_is_not_the_end() -> None:
    """A handle survives a bad minute."""
    server = Server()
    with opened(server) as client:
        handle = started(client)
        server.script = [reply(503, {}), reply(500, {}), reply(429, {})]
        assert handle.result(5).order_id == "r0"


class _Resuming(OrdersClient):
    """What a generated client has besides."""

    def resume_create_order(self, token: str) -> Handle[Order]:
        return self._resume(CHAIN, token)


class _AsyncResuming(AsyncOrdersClient):
    """The same, asynchronous."""

    def resume_create_order(self, token: str) -> AsyncHandle[Order]:
        return self._resume(CHAIN, token)


def test_a_handle_is_pickled_without_secrets_and_goes_on_by_itself() -> None:
    """All that were pickled by one client share one again; another may be bound instead."""
    server = Server()
    settings = SETTINGS | {"credentials": Keys(secret_key="hidden", token="hidden")}
    with server.client() as http, _Resuming(**settings, http_client=http) as client:
        handle = client._start(CHAIN, arguments={}, body=ITEM)
        data = pickle.dumps([handle, handle.token(), client._start(CHAIN, arguments={}, body=ITEM)])
        assert b"hidden" not in data
        first, token, second = pickle.loads(data)
        assert (first.message_id, first.token()) == ("r0", token)
        assert first._background is second._background is not handle._background
        assert first._endpoint.settings == client._endpoint.settings
        assert first.bind(client).result(5) == handle.result(5)
        wrong: Any = server
        with pytest.raises(InvalidArgumentError, match=r"client must be .* resume_create_order"):
            first.bind(wrong)


async def test_an_async_handle_is_pickled_too() -> None:
    """And bound to a client of the loop that it arrives in."""
    server = Server()
    http = server.async_client()
    async with _AsyncResuming(**SETTINGS, http_client=http) as client:
        handle = await client._start(CHAIN, arguments={}, body=ITEM)
        arrived = pickle.loads(pickle.dumps(handle))
        assert arrived.token() == handle.token()
        assert (await arrived.bind(client)).order_id == "r0"
    await http.aclose()


def test_a_notebook_shows_what_is_known() -> None:
    """State, ages, polls and IDs, escaped, without a question to the server."""
    server = Server(polls=1)
    with opened(server) as client:
        handle = client._start(CHAIN, arguments={"idempotency_key": "<b>"}, body=ITEM)
        shown = handle._repr_html_()
        assert "not known yet" in shown
        assert "<td>&lt;b&gt;</td>" in shown
        assert "last poll" not in shown
        assert len(server.requests) == 1
        handle.result(5)
        shown = handle._repr_html_()
        assert "COMPLETED, settled" in shown
        assert "<th>polls</th><td>2</td>" in shown
        assert "<th>last poll</th>" in shown
