from __future__ import annotations

import asyncio
import re
import sys
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator
from contextlib import aclosing
from typing import Any, TypeVar

import httpx
import pytest

from tests.sdk.orders import (
    CHAIN,
    PRINT_CHAIN,
    AsyncOrdersClient,
    Keys,
    NewOrder,
    Order,
    OrdersClient,
    Server,
    reply,
)
from users_sdk import NewUser
from users_sdk._batch import Outcome, many, many_async
from users_sdk._polling import Polling
from users_sdk.errors import (
    ClientClosed,
    ConfigurationError,
    InvalidArgumentError,
    UnknownOutcome,
    WaitTimeout,
)
from users_sdk.testing import FakeServer

I = TypeVar("I")  # noqa: E741  # an item

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


def creating(
    client: OrdersClient, given: Iterable[I], **options: Any
) -> Generator[Outcome[I, Order], None, None]:
    return many(client, CHAIN, given, {}, **options)


def items(count: int) -> list[Item]:
    return [{"item": f"i{number}"} for number in range(count)]


@pytest.mark.parametrize("in_order", [True, False])
def test_each_item_has_an_outcome(client: OrdersClient, in_order: bool) -> None:
    """It tells the item, its place, its key, its message ID, and its result."""
    outcomes = list(creating(client, items(40), in_order=in_order, max_concurrency=5))
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

    outcomes = creating(client, endless(), max_concurrency=3, in_order=in_order)
    for taken in range(1, 20):
        next(outcomes)
        assert len(read) <= taken + 3
    outcomes.close()


def test_a_failure_is_its_item_s_alone(client: OrdersClient) -> None:
    """Or is raised where that is wanted."""
    given: list[Item] = [{"item": "a"}, {"item": ""}, {"item": "b"}]
    failed = [o for o in creating(client, given, in_order=True) if o.error is not None]
    assert [(outcome.index, outcome.message_id) for outcome in failed] == [(1, None)]
    with pytest.raises(InvalidArgumentError):
        _ = failed[0].value


def test_an_error_of_the_input_comes_after_what_was_submitted(client: OrdersClient) -> None:
    """Each item under way is told of, with its key."""

    def read() -> Iterator[Item]:
        yield {"item": "a"}
        yield {"item": "b"}
        raise OSError("the file is gone")

    told: list[int] = []
    with pytest.raises(OSError, match="gone"):
        told.extend(outcome.index for outcome in creating(client, read()))
    assert sorted(told) == [0, 1]


@pytest.mark.parametrize("key", [None, lambda item: f"key of {item['item']}"])
def test_an_error_that_is_raised_says_of_which_item(
    client: OrdersClient, key: Callable[[dict[str, str]], str] | None
) -> None:
    """By its place, and by the key that it was to be sent with."""
    given = [{"item": "a"}, {"item": ""}]
    with pytest.raises(InvalidArgumentError) as caught:
        list(creating(client, given, raise_errors=True, idempotency_key=key, in_order=True))
    [note] = caught.value.__notes__
    expected = "[0-9a-f-]{36}" if key is None else "key of "
    assert re.fullmatch(f"It is the error of item 1 of the input, idempotency key {expected}", note)


def test_a_second_run_with_the_same_keys_makes_nothing_twice(
    client: OrdersClient, server: Server
) -> None:
    """The key of an item is what the function says."""
    given = items(5)
    for _ in range(2):
        outcomes = list(creating(client, given, idempotency_key=lambda item: item["item"]))
        assert {outcome.idempotency_key for outcome in outcomes} == {f"i{n}" for n in range(5)}
    assert len(server.orders) == 5


def test_leaving_early_leaves_nothing_running(client: OrdersClient, server: Server) -> None:
    """No thread submits, and nothing is asked after."""
    outcomes = creating(client, items(50), max_concurrency=8)
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
        outcomes = creating(client, items(5), max_concurrency=2)
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
        list(creating(client, interrupted()))
    assert eventually(lambda: not submits())


def test_an_item_has_the_deadline_of_polling(server: Server) -> None:
    """A request that is never settled does not hold up the others for ever."""
    server.polls = 10**9
    polling = Polling(interval=0.01, deadline=0.05)
    settings = SETTINGS | {"polling": polling}
    with server.client() as http, OrdersClient(**settings, http_client=http) as client:
        errors = [outcome.error for outcome in creating(client, items(3))]
    assert [type(error) for error in errors] == [WaitTimeout] * 3


def test_a_closed_client_ends_the_batch(server: Server) -> None:
    """An endless input would fail for ever; those under way are told of, with their keys."""
    server.polls = 10**9
    with server.client() as http, OrdersClient(**SETTINGS, http_client=http) as client:
        outcomes = creating(client, items(100), max_concurrency=4)
        seen: list[Outcome[Item, Order]] = []

        def take() -> None:
            for outcome in outcomes:
                seen.append(outcome)

        def close() -> None:
            eventually(lambda: len(server.asked) == 4)
            client.close()

        closing = threading.Thread(target=close)
        closing.start()
        with pytest.raises(ClientClosed, match="no item of the input from 4 on was started"):
            take()
        closing.join()
    assert all(isinstance(outcome.error, ClientClosed) for outcome in seen)
    assert {outcome.message_id for outcome in seen} == {"r0", "r1", "r2", "r3"}
    assert {outcome.idempotency_key for outcome in seen} == server.keys.keys()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        *(({"max_concurrency": wrong}, "max_concurrency") for wrong in (0, 1.5, "a", None, True)),
        ({"idempotency_key": "k"}, "function"),
        ({"in_order": "no"}, "in_order must be True or False, not 'no'"),
        ({"raise_errors": 1}, "raise_errors must be"),
        ({"progress": None}, "progress must be"),
        ({"timeout": "5"}, "timeout must be"),
        ({"colour": "red"}, "A batch of create_order has no option colour$"),
        ({"max_concurency": 3}, r"no option max_concurency: did you mean max_concurrency\?"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    client: OrdersClient, wrong: dict[str, Any], said: str
) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidArgumentError, match=said):
        creating(client, items(1), **wrong)


@pytest.mark.parametrize("wrong", [5, None, "text", b"bytes", {"item": "x"}, NewOrder(item="x")])
def test_what_is_no_iterable_of_items_is_refused(client: OrdersClient, wrong: Any) -> None:
    """Of a single body, characters or names would be submitted."""
    said = f"items must be an iterable.*, not a value of type {type(wrong).__name__}"
    with pytest.raises(InvalidArgumentError, match=said):
        creating(client, wrong)


async def test_an_asynchronous_iterable_is_for_the_asynchronous_client(
    client: OrdersClient,
) -> None:
    """Each method says which it takes."""

    async def source() -> AsyncGenerator[Item, None]:
        yield {"item": "x"}

    given: Any = source()
    with pytest.raises(InvalidArgumentError, match="an iterable of what is sent, not"):
        creating(client, given)
    nothing: Any = 5
    with pytest.raises(InvalidArgumentError, match="an iterable, or an asynchronous one, of"):
        many_async(client, CHAIN, nothing, {})


def test_without_a_body_items_are_the_parameters(client: OrdersClient, server: Server) -> None:
    """What is shared is the same for all; a wrong item is that item's failure."""
    server.script = [
        reply(202, {"id": 7}),
        reply(200, {"state": "COMPLETED", "label": {"pages": 2}}),
    ]
    given: list[Any] = [{"order_id": "1"}, {"orderid": "1"}, {"colour": "red"}, 5]
    outcomes = many(client, PRINT_CHAIN, given, {}, in_order=True, max_concurrency=1)
    first, *others = outcomes
    assert first.value.pages == 2
    assert server.paths() == ["POST /orders/1/labels", "GET /orders/1/labels/7"]
    said = [str(outcome.error) for outcome in others]
    no_mapping = "print_label has no body: an item must be a mapping of its parameters"
    assert said == [
        "print_label has no parameter orderid: did you mean order_id?",
        "print_label has no parameter colour",
        f"{no_mapping}, by Python name, not a value of type int",
    ]


def test_progress_is_shown(client: OrdersClient, capsys: pytest.CaptureFixture[str]) -> None:
    """How many are submitted, settled and failed."""
    list(creating(client, [{"item": "a"}, {"item": ""}], progress=True))
    shown = capsys.readouterr().err
    assert "2/2" in shown


def test_progress_without_tqdm_says_what_to_install(
    client: OrdersClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is sent."""
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ConfigurationError, match=r"users-sdk\[progress\]"):
        creating(client, items(1), progress=True)


@pytest.mark.parametrize("in_order", [True, False])
async def test_an_async_batch_takes_an_async_input(server: Server, in_order: bool) -> None:
    """It is bounded too, tells the same, and leaves no task behind when it is left."""

    async def endless() -> AsyncGenerator[Item, None]:
        for number in range(10**6):
            yield {"item": f"i{number}"}

    http = server.async_client()
    before = asyncio.all_tasks()
    async with AsyncOrdersClient(**SETTINGS, http_client=http) as client:
        seen = []
        async with (
            aclosing(endless()) as source,
            aclosing(
                many_async(client, CHAIN, source, {}, max_concurrency=4, in_order=in_order)
            ) as outcomes,
        ):
            async for outcome in outcomes:
                assert outcome.value.item == f"i{outcome.index}"
                seen.append(outcome.index)
                if len(seen) == 20:
                    break
        assert len(server.orders) <= 24
        assert not in_order or seen == list(range(20))
        errors = [o.error async for o in many_async(client, CHAIN, [{"item": ""}], {})]
        assert [type(error) for error in errors] == [InvalidArgumentError]
    await http.aclose()
    assert asyncio.all_tasks() == before


def test_what_is_being_sent_when_the_client_is_closed_has_its_outcome(server: Server) -> None:
    """Its key says which request may have been carried out."""
    entered, released = threading.Event(), threading.Event()

    def hang(wire: httpx.Request) -> httpx.Response:
        entered.set()
        assert released.wait(20)
        return server.handle(wire)

    with (
        httpx.Client(transport=httpx.MockTransport(hang)) as http,
        OrdersClient(**SETTINGS, http_client=http) as client,
    ):

        def close() -> None:
            entered.wait(20)
            client.close()
            released.set()

        closing = threading.Thread(target=close)
        closing.start()
        [outcome] = creating(client, items(1))
        closing.join()
    assert isinstance(outcome.error, ClientClosed | UnknownOutcome)
    assert outcome.idempotency_key == outcome.error.idempotency_key
    assert {outcome.idempotency_key} == server.keys.keys()


async def test_a_closed_client_ends_an_async_batch(server: Server) -> None:
    """Those under way are told of, with their keys and handles, and nothing more is read."""
    server.polls = 10**9
    async with server.async_client() as http:
        client = AsyncOrdersClient(**SETTINGS, http_client=http)
        seen: list[Outcome[Item, Order]] = []

        async def run() -> None:
            async for outcome in many_async(client, CHAIN, items(100), {}, max_concurrency=4):
                seen.append(outcome)

        running = asyncio.create_task(run())
        while len(server.asked) < 4:
            await asyncio.sleep(0.001)
        await client.aclose()
        with pytest.raises(ClientClosed, match="no item of the input from 4 on was started"):
            await running
    assert {outcome.message_id for outcome in seen} == {"r0", "r1", "r2", "r3"}
    assert {outcome.idempotency_key for outcome in seen} == server.keys.keys()
    assert all(isinstance(outcome.error, ClientClosed) for outcome in seen)


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
