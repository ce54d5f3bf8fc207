from __future__ import annotations

import asyncio
import sys
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from tests.sdk.orders import CHAIN, AsyncOrdersClient, Keys, NewOrder, Order, OrdersClient, Server
from users_sdk import NewUser
from users_sdk._batch import AsyncManyCall, ManyCall
from users_sdk._polling import Polling
from users_sdk.errors import ClientClosed, ConfigurationError, InvalidArgumentError, WaitTimeout
from users_sdk.testing import FakeServer

SETTINGS: dict[str, Any] = {
    "base_url": "https://orders.example",
    "region": "eu-west-1",
    "credentials": Keys(),
    "polling": Polling(interval=0.01),
}
Item = NewOrder | dict[str, object]


@pytest.fixture
def server() -> Server:
    return Server(polls=1)


@pytest.fixture
def client(server: Server) -> Iterator[OrdersClient]:
    with server.client() as http, OrdersClient(**SETTINGS, http_client=http) as client:
        yield client


def eventually(condition: Callable[[], bool]) -> bool:
    """Wait until a condition holds, for five seconds at most."""
    waiting = threading.Event()
    return any(condition() or waiting.wait(0.001) for _ in range(5000))


def submits() -> bool:
    return any("-submit" in thread.name for thread in threading.enumerate())


def many(client: OrdersClient) -> ManyCall[Item, Order]:
    return ManyCall(CHAIN, client)


def items(count: int) -> list[Item]:
    return [{"item": f"i{number}"} for number in range(count)]


@pytest.mark.parametrize("in_order", [True, False])
def test_each_item_has_an_outcome(client: OrdersClient, in_order: bool) -> None:
    """It tells the item, its place, its key, its message ID, and its result."""
    outcomes = list(many(client)(items(40), in_order=in_order, max_concurrency=5))
    places = [outcome.index for outcome in outcomes]
    assert sorted(places) == list(range(40))
    assert not in_order or places == sorted(places)
    for outcome in outcomes:
        assert outcome.item == {"item": f"i{outcome.index}"}
        assert outcome.value.item == f"i{outcome.index}"
        assert outcome.message_id == outcome.value.order_id
    assert len({outcome.idempotency_key for outcome in outcomes}) == 40


@pytest.mark.parametrize("in_order", [True, False])
def test_the_input_is_read_only_as_far_as_there_is_room(
    client: OrdersClient, in_order: bool
) -> None:
    """An endless input needs no more memory than `max_concurrency` items."""
    read: list[int] = []

    def endless() -> Iterator[Item]:
        while True:
            read.append(len(read))
            yield {"item": "x"}

    outcomes = many(client)(endless(), max_concurrency=3, in_order=in_order)
    for taken in range(1, 20):
        next(outcomes)
        assert len(read) <= taken + 3
    outcomes.close()


def test_a_failure_is_its_item_s_alone(client: OrdersClient) -> None:
    """Or is raised where that is wanted."""
    given: list[Item] = [{"item": "a"}, {"item": ""}, {"item": "b"}]
    failed = [o for o in many(client)(given, in_order=True) if o.error is not None]
    assert [(outcome.index, outcome.message_id) for outcome in failed] == [(1, None)]
    with pytest.raises(InvalidArgumentError):
        _ = failed[0].value
    with pytest.raises(InvalidArgumentError):
        list(many(client)(given, raise_errors=True))


def test_a_second_run_with_the_same_keys_makes_nothing_twice(
    client: OrdersClient, server: Server
) -> None:
    """The key of an item is what the function says."""
    given = items(5)
    for _ in range(2):
        outcomes = list(many(client)(given, idempotency_key=lambda item: dict(item)["item"]))  # type: ignore[arg-type,return-value]
        assert {outcome.idempotency_key for outcome in outcomes} == {f"i{n}" for n in range(5)}
    assert len(server.orders) == 5


def test_leaving_early_leaves_nothing_running(client: OrdersClient, server: Server) -> None:
    """No thread submits, and nothing is asked after."""
    outcomes = many(client)(items(50), max_concurrency=8)
    next(outcomes)
    server.polls = 10**9
    outcomes.close()
    assert eventually(lambda: not submits())
    threading.Event().wait(0.05)
    asked = len(server.requests)
    threading.Event().wait(0.05)
    assert len(server.requests) == asked


def test_leaving_early_waits_for_no_request(server: Server) -> None:
    """One that is being sent ends in its own time, and what it starts is not waited for."""
    released = threading.Event()

    def hang(wire: httpx.Request) -> httpx.Response:
        if wire.method == "POST" and len(server.orders) > 0:
            assert released.wait(20)
        return server.handle(wire)

    with (
        httpx.Client(transport=httpx.MockTransport(hang)) as http,
        OrdersClient(**SETTINGS, http_client=http) as client,
    ):
        outcomes = many(client)(items(5), max_concurrency=2)
        next(outcomes)
        outcomes.close()
        assert submits()
        released.set()
        assert eventually(lambda: not submits())


def test_an_interrupt_while_waiting_leaves_nothing_running(client: OrdersClient) -> None:
    """Wherever the interrupt comes, as in the middle of reading the input."""

    def interrupted() -> Iterator[Item]:
        yield {"item": "a"}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(many(client)(interrupted()))
    assert eventually(lambda: not submits())


def test_an_item_has_the_deadline_of_polling(server: Server) -> None:
    """A request that is never settled does not hold up the others for ever."""
    server.polls = 10**9
    polling = Polling(interval=0.01, deadline=0.05)
    settings = SETTINGS | {"polling": polling}
    with server.client() as http, OrdersClient(**settings, http_client=http) as client:
        errors = [outcome.error for outcome in many(client)(items(3))]
    assert [type(error) for error in errors] == [WaitTimeout] * 3


def test_a_closed_client_ends_the_batch(client: OrdersClient) -> None:
    """An endless input would otherwise fail for ever."""
    outcomes = many(client)(items(10), max_concurrency=2)
    next(outcomes)
    client.close()
    with pytest.raises(ClientClosed):
        list(outcomes)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"max_concurrency": 0}, "max_concurrency"),
        ({"idempotency_key": "k"}, "function"),
        ({"colour": "red"}, "no parameter colour$"),
        ({"max_concurency": 3}, "no parameter max_concurency: did you mean max_concurrency"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    client: OrdersClient, wrong: dict[str, Any], said: str
) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidArgumentError, match=said):
        many(client)(items(1), **wrong)


def test_progress_is_shown(client: OrdersClient, capsys: pytest.CaptureFixture[str]) -> None:
    """How many are submitted, settled and failed."""
    list(many(client)([{"item": "a"}, {"item": ""}], progress=True))
    shown = capsys.readouterr().err
    assert "2/2" in shown


def test_progress_without_tqdm_says_what_to_install(
    client: OrdersClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is sent."""
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ConfigurationError, match=r"users-sdk\[progress\]"):
        many(client)(items(1), progress=True)


@pytest.mark.parametrize("in_order", [True, False])
async def test_an_async_batch_takes_an_async_input(server: Server, in_order: bool) -> None:
    """It is bounded too, tells the same, and leaves no task behind when it is left."""

    async def endless() -> AsyncGenerator[Item, None]:
        for number in range(10**6):
            yield {"item": f"i{number}"}

    http = server.async_client()
    before = asyncio.all_tasks()
    async with AsyncOrdersClient(**SETTINGS, http_client=http) as client:
        call: AsyncManyCall[Item, Order] = AsyncManyCall(CHAIN, client)
        seen = []
        async with (
            aclosing(endless()) as source,
            aclosing(call(source, max_concurrency=4, in_order=in_order)) as outcomes,
        ):
            async for outcome in outcomes:
                assert outcome.value.item == f"i{outcome.index}"
                seen.append(outcome.index)
                if len(seen) == 20:
                    break
        assert len(server.orders) <= 24
        assert not in_order or seen == list(range(20))
        errors = [o.error async for o in call([{"item": ""}])]
        assert [type(error) for error in errors] == [InvalidArgumentError]
    await http.aclose()
    assert asyncio.all_tasks() == before


class Bodies:
    """
    Bodies that are made one by one.

    Attributes:
        most: How many there were at once.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.most = 0
        self._alive: set[int] = set()

    def __iter__(self) -> Iterator[NewUser]:
        for number in range(self.count):
            body = NewUser(name=f"User {number}", email=f"{number}@example.com")
            self._alive.add(number)
            weakref.finalize(body, self._alive.discard, number)
            self.most = max(self.most, len(self._alive))
            yield body


STREAMED = 300
"""Bodies that are streamed; as many more as wanted take more time and no more memory."""


def test_the_generated_method_streams_in_bounded_memory() -> None:
    """In virtual time; no more bodies exist at once than are under way, and one that is read."""
    fake = FakeServer()
    fake.on("create_user").settles(after=60)
    bodies, made = Bodies(STREAMED), 0
    with fake.client() as client:
        for outcome in client.create_users(bodies, max_concurrency=50):
            assert outcome.value.name == f"User {outcome.index}"
            made += 1
    assert made == STREAMED
    assert bodies.most <= 50 + 2
    assert 60 * STREAMED / 50 <= fake.clock.now < 1.2 * 60 * STREAMED / 50


async def test_the_generated_async_method_streams_in_bounded_memory() -> None:
    """From an asynchronous iterable, in virtual time."""
    fake = FakeServer()
    fake.on("create_user").settles(after=60)
    bodies, made = Bodies(STREAMED), 0

    async def source() -> AsyncGenerator[NewUser, None]:
        for body in bodies:
            yield body

    async with fake.async_client() as client:
        async for outcome in client.create_users(source(), max_concurrency=50):
            assert outcome.value.name == f"User {outcome.index}"
            made += 1
    assert made == STREAMED
    assert bodies.most <= 2 * 50 + 2
    assert 60 * STREAMED / 50 <= fake.clock.now < 1.2 * 60 * STREAMED / 50
