from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref

import pytest

from users_sdk._http import Headers, Request, Response
from users_sdk._polling import Pace
from users_sdk._scheduler import POLLS, Background, Loops, Scheduler
from users_sdk._steps import Flow, Send, Sleep

REQUEST = Request("GET", "https://orders.example/")


class Transport:
    """Answers everything, and counts what is under way."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.under_way = self.most = 0
        self.closed = False

    async def send(self, request: Request, timeout: float) -> Response:
        """Answer after a while."""
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.under_way -= 1
        return Response(200, Headers())

    async def aclose(self) -> None:
        """Note that it was closed."""
        self.closed = True


class Ticket:
    """A handle that is settled after some questions."""

    scheduler: Scheduler | None = None

    def __init__(self, questions: int = 1, pause: float = 0.001, due: float = 0.0) -> None:
        self.left = questions
        self.pause = pause
        self.due = due or time.monotonic()
        self.asked: list[float] = []
        self.abandoned = False
        self.settled = threading.Event()

    def is_settled(self) -> bool:
        """Say whether enough was asked."""
        return self.settled.is_set()

    def ask_at_once(self) -> None:
        """Be due now."""
        self.due = time.monotonic()

    def advance(self) -> Flow[None]:
        """Ask once."""
        self.asked.append(time.monotonic())
        yield Send(REQUEST, 1.0)
        self.left -= 1
        self.due = time.monotonic() + self.pause
        if self.left == 0:
            self.settled.set()

    def abandon(self) -> None:
        """Note that nobody asks any more."""
        self.abandoned = True
        self.settled.set()


async def until(condition: object, seconds: float = 5.0) -> None:
    """Wait until a function is true."""
    assert callable(condition)
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.001)


def scheduler(transport: Transport | None = None) -> Scheduler:
    return Scheduler(transport or Transport(), asyncio.get_running_loop())


async def test_a_handle_is_asked_until_it_is_settled() -> None:
    """When it is due, and not once more."""
    ticket = Ticket(questions=3, pause=0.02)
    scheduler().add(ticket)
    await until(ticket.is_settled)
    await asyncio.sleep(0.03)
    assert len(ticket.asked) == 3
    gaps = [later - earlier for earlier, later in zip(ticket.asked, ticket.asked[1:], strict=False)]
    assert min(gaps) >= 0.02


async def test_the_first_due_is_asked_first() -> None:
    """Whatever the order in which handles came."""
    now = time.monotonic()
    late, early = Ticket(due=now + 0.04), Ticket(due=now + 0.02)
    timer = scheduler()
    timer.add(late)
    timer.add(early)
    await until(late.is_settled)
    assert early.asked[0] < late.asked[0]
    assert early.asked[0] >= now + 0.02


async def test_questions_keep_the_pace_of_the_client() -> None:
    """Corner 18: of what is due at once, no more is asked than a burst and then the rate."""
    tickets = [Ticket() for _ in range(20)]
    timer = Scheduler(Transport(), asyncio.get_running_loop(), pace=Pace(rate=100.0))
    for ticket in tickets:
        timer.add(ticket)
    await until(lambda: all(ticket.is_settled() for ticket in tickets))
    asked = sorted(time for ticket in tickets for time in ticket.asked)
    assert asked[-1] - asked[0] >= 0.08


async def test_a_thousand_handles_share_a_few_questions_at_a_time() -> None:
    """Corner 18: all are asked, and never more than the limit at once."""
    transport = Transport(0.001)
    tickets = [Ticket() for _ in range(1000)]
    timer = Scheduler(transport, asyncio.get_running_loop(), pace=Pace(rate=1e6))
    threads = set(threading.enumerate())
    for ticket in tickets:
        timer.add(ticket)
    assert len(asyncio.all_tasks()) == 1
    await until(lambda: all(ticket.is_settled() for ticket in tickets))
    assert transport.most == POLLS
    assert set(threading.enumerate()) <= threads


async def test_a_handle_that_nobody_holds_is_not_asked() -> None:
    """The scheduler holds it weakly."""
    transport = Transport()
    ticket = Ticket(due=time.monotonic() + 0.02)
    timer = scheduler(transport)
    timer.add(ticket)
    gone = weakref.ref(ticket)
    del ticket
    await asyncio.sleep(0.04)
    assert gone() is None
    assert transport.most == 0


async def test_a_handle_that_is_kept_is_asked_until_it_is_settled() -> None:
    """And forgotten then."""
    ticket = Ticket(questions=2)
    settled, gone = ticket.settled, weakref.ref(ticket)
    timer = scheduler()
    timer.add(ticket)
    timer.keep(ticket)
    del ticket
    await until(settled.is_set)
    await asyncio.sleep(0.01)
    gc.collect()
    assert gone() is None


async def test_a_handle_can_be_hastened() -> None:
    """The due time of before counts no more; a question under way is not doubled."""
    ticket = Ticket(questions=2, pause=60, due=time.monotonic() + 60)
    timer = scheduler(Transport(0.01))
    timer.add(ticket)
    timer.hasten(ticket)
    await until(lambda: len(ticket.asked) == 1)
    timer.hasten(ticket)
    await until(lambda: ticket.left == 1)
    assert len(ticket.asked) == 1


async def test_closing_fails_what_is_outstanding() -> None:
    """Handles that wait, that are asked, and that are kept."""
    asked, waiting = Ticket(), Ticket(due=time.monotonic() + 60)
    timer = scheduler(Transport(60))
    timer.add(asked)
    timer.add(waiting)
    timer.keep(waiting)
    await until(lambda: len(asked.asked) == 1)
    await timer.aclose()
    assert asked.abandoned
    assert waiting.abandoned
    late = Ticket()
    timer.add(late)
    assert late.abandoned


def test_loops_have_a_transport_each() -> None:
    """What a closed loop left is not used again, and its connections are closed with it."""
    made: list[Transport] = []

    def opener() -> Transport:
        made.append(Transport())
        return made[-1]

    loops = Loops(opener)

    async def use() -> None:
        assert loops.transport() is loops.transport()

    asyncio.run(use())
    asyncio.run(use())
    assert len(made) == 2
    assert all(transport.closed for transport in made)


def test_closing_reaches_every_loop() -> None:
    """Handles of a loop in another thread fail as well."""
    loops = Loops(Transport)
    ticket = Ticket(due=time.monotonic() + 60)
    added = threading.Event()

    async def elsewhere() -> None:
        loops.scheduler().add(ticket)
        added.set()
        await until(ticket.is_settled)

    thread = threading.Thread(target=asyncio.run, args=(elsewhere(),))
    thread.start()
    added.wait(5)
    asyncio.run(loops.aclose())
    thread.join(5)
    assert ticket.abandoned


async def test_a_loop_that_comes_after_closing_gets_nothing() -> None:
    """A handle that is asked then fails at once."""
    loops = Loops(Transport)
    await loops.aclose()
    ticket = Ticket()
    loops.scheduler().add(ticket)
    assert ticket.abandoned


def names() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_the_background_is_one_thread_and_starts_when_needed() -> None:
    """A thousand handles need no more."""
    background = Background(lambda: Transport(0.001))
    before = names()
    tickets = [Ticket() for _ in range(1000)]
    for ticket in tickets:
        background.add(ticket)
    during = names() - before
    for ticket in tickets:
        assert ticket.settled.wait(5)
    assert len(during) == 1
    background.close()
    assert names() <= before


def test_closing_the_background_fails_what_is_outstanding_promptly() -> None:
    """Corner 17: also a question that is under way; and it can be repeated."""
    transport = Transport(60)
    background = Background(lambda: transport)
    ticket = Ticket()
    background.add(ticket)
    deadline = time.monotonic() + 5
    while not ticket.asked and time.monotonic() < deadline:
        threading.Event().wait(0.001)
    start = time.monotonic()
    background.close()
    background.close()
    assert time.monotonic() - start < 1
    assert ticket.abandoned
    assert transport.closed
    late = Ticket()
    background.hasten(late)
    assert late.abandoned


def test_a_background_that_nobody_holds_ends_its_thread() -> None:
    """A client that was not closed leaves no thread behind."""
    before = names()
    background = Background(Transport)
    ticket = Ticket(due=time.monotonic() + 60)
    background.keep(ticket)
    assert names() > before
    del background
    gc.collect()
    assert names() <= before
    assert ticket.abandoned


@pytest.mark.parametrize("questions", [1, 2])
def test_a_flow_may_sleep(questions: int) -> None:
    """Whatever a flow asks for, the scheduler's driver does."""

    class Sleepy(Ticket):
        def advance(self) -> Flow[None]:
            yield Sleep(0.001)
            yield from super().advance()

    background = Background(Transport)
    ticket = Sleepy(questions)
    background.add(ticket)
    assert ticket.settled.wait(5)
    background.close()
