"""What a script of the fake server says, and what comes of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any, cast

import pytest

from users_sdk import (
    BadRequestError,
    ConfigurationError,
    NotFoundError,
    OperationFailed,
    ProtocolError,
    ServerError,
    TransportError,
    User,
    UsersClient,
)
from users_sdk.testing import FakeServer, Fault, Script, VirtualClock

ADA = {"name": "Ada", "email": "ada@example.com"}
NEVER = "00000000-0000-4000-8000-ffffffffffff"


def _polls(fake: FakeServer) -> list[float]:
    return [request.at for request in fake.requests_of("get_status")]


def test_a_limited_script_comes_first_and_ends() -> None:
    """Then comes the one without a limit, in whatever order they were written."""
    fake = FakeServer()
    fake.on("create_user").fails(code="TAKEN", times=1).settles(result={"name": "Eve"})
    fake.on("create_user").settles(result={"name": "Bob"}, times=2)
    with fake.client() as client:
        with pytest.raises(OperationFailed, match="TAKEN"):
            client.create_user_and_wait(ADA)
        names = [client.create_user_and_wait(ADA).name for _ in range(4)]
    assert names == ["Bob", "Bob", "Eve", "Eve"]


def test_a_repetition_uses_no_limited_script() -> None:
    """A lost answer and its repetition are one request."""
    fake = FakeServer()
    fake.on("create_user").faults(Fault.RESET_AFTER_COMMIT).fails(code="TAKEN", times=1)
    with fake.client() as client:
        with pytest.raises(OperationFailed):
            client.create_user_and_wait(ADA)
        assert client.create_user_and_wait(ADA).name == "Ada"


def test_states_last_as_long_as_they_say() -> None:
    """Each has its seconds, and the last one comes after them."""
    fake = FakeServer()
    stages = [("QUEUED", 1.0), ("RUNNING", 3.0)]
    fake.on("create_user").settles(states=stages, strict=False)
    with fake.client() as client:
        handle = client.create_user(ADA)
        seen = {}
        for second in (0.5, 1.5, 3.5, 4.5):
            fake.clock.advance(second - fake.clock.now)
            status = client.get_status(message_id=handle.message_id)
            seen[second] = status.status.value
    assert seen == {0.5: "QUEUED", 1.5: "RUNNING", 3.5: "RUNNING", 4.5: "SUCCEEDED"}


def test_states_without_seconds_are_told_once_each() -> None:
    """As many polls as states, and one more."""
    fake = FakeServer()
    fake.on("create_user").settles(states=["PENDING"] * 4)
    with fake.client() as client:
        client.create_user_and_wait(ADA)
    assert len(_polls(fake)) == 5


@pytest.mark.parametrize("hint", [{"retry_after": 7}, {"retry_after_ms": 7000.0}])
def test_hints_are_sent_and_kept(hint: dict[str, float]) -> None:
    """Acceptance and status ask to wait, and no poll comes sooner."""
    fake = FakeServer()
    fake.on("create_user").settles(after=20, **hint)  # type: ignore[arg-type]  # names of floats
    with fake.client() as client:
        client.create_user_and_wait(ADA)
    polls = [0.0, *_polls(fake)]
    assert len(polls) > 2
    assert all(later - sooner >= 7 for sooner, later in pairwise(polls))


def test_the_result_has_what_was_given() -> None:
    """Members, or a whole model; the rest is made from the request."""
    fake = FakeServer()
    fake.on("create_user").settles(result={"tags": ["a"]}, times=1)
    eve = User(user_id=NEVER, name="Eve", email="e@x", created_at=fake.clock.time())
    fake.on("create_user").settles(result=eve)
    with fake.client() as client:
        first = client.create_user_and_wait(ADA)
        second = client.create_user_and_wait(ADA)
    assert (first.name, first.tags) == ("Ada", ["a"])
    assert second == eve


def test_dates_follow_the_clock() -> None:
    """What was created after a minute says so."""
    clock = VirtualClock()
    fake = FakeServer(clock=clock)
    fake.on("create_user").settles(after=60)
    clock.advance(3600)
    with fake.client() as client:
        user = client.create_user_and_wait(ADA)
    assert user.created_at.isoformat() == "2026-01-01T01:01:00+00:00"


def test_a_reason_has_the_members_that_were_given() -> None:
    """And the message, if there is one."""
    fake = FakeServer()
    fake.on("create_user").fails(code="TAKEN", error={"message": "Taken."}, after=2)
    with fake.client() as client, pytest.raises(OperationFailed) as caught:
        client.create_user_and_wait(ADA)
    assert (caught.value.code, caught.value.message) == ("TAKEN", "Taken.")
    assert fake.clock.now >= 2


def test_an_operation_returns_what_is_scripted() -> None:
    """Required members that are not given are made; a limit ends."""
    fake = FakeServer()
    fake.on("get_user").returns({"userId": NEVER, "name": "Eve"}, times=1)
    with fake.client() as client:
        assert client.get_user(user_id=NEVER).name == "Eve"
        with pytest.raises(NotFoundError):
            client.get_user(user_id=NEVER)


def test_an_operation_rejects_with_a_declared_error() -> None:
    """The body is of the declared type, and is read as that."""
    fake = FakeServer()
    fake.on("create_user").rejects(400, {"code": "INVALID_BODY", "detail": "Bad."}, times=1)
    with fake.client() as client:
        with pytest.raises(BadRequestError, match="INVALID_BODY: Bad") as caught:
            client.create_user(ADA)
        assert type(caught.value.problem).__name__ == "Problem"
        assert client.create_user_and_wait(ADA).name == "Ada"
    assert len(fake.results("create_user")) == 1


def test_an_error_that_is_not_declared_may_say_anything() -> None:
    """As a proxy does."""
    fake = FakeServer()
    fake.on("create_user").rejects(418, "teapot")
    with fake.client() as client, pytest.raises(Exception, match="418"):
        client.create_user(ADA)


def test_an_error_asks_to_wait() -> None:
    """The repetition waits as long."""
    fake = FakeServer()
    fake.on("create_user").faults(503, retry_after_ms=4500).rejects(503, retry_after=5, times=1)
    with fake.client() as client:
        client.create_user(ADA)
    first, second, third = (request.at for request in fake.requests)
    assert second - first >= 4.5
    assert third - second >= 5


def test_a_status_may_lag() -> None:
    """It is 404 for a while after acceptance, and again for the result; the handle goes on."""
    fake = FakeServer()
    fake.on("create_user").lags(3, result=1)
    with fake.client() as client:
        assert client.create_user_and_wait(ADA).name == "Ada"
        handle = client.create_user(ADA)
        with pytest.raises(NotFoundError):
            client.get_status(message_id=handle.message_id)
    assert fake.clock.now > 4


def test_an_id_that_was_never_given_out() -> None:
    """It is not found, or pending where the service cannot tell."""
    with FakeServer().client() as client, pytest.raises(NotFoundError):
        client.get_status(message_id=NEVER)
    fake = FakeServer(unknown="pending")
    with fake.client() as client:
        status = client.get_status(message_id=NEVER)
        assert (status.status, status.message_id) == ("PENDING", NEVER)
        with pytest.raises(NotFoundError):
            client.get_user(user_id=NEVER)


def test_a_result_is_there_when_it_is_made() -> None:
    """Asked for by its ID before, it is not found."""
    fake = FakeServer()
    fake.on("create_user").settles(after=5)
    with fake.client() as client:
        handle = client.create_user(ADA)
        (user,) = fake.results("create_user")
        with pytest.raises(NotFoundError):
            client.get_user(user_id=user.user_id)
        assert handle.result() == client.get_user(user_id=user.user_id) == user


def test_the_same_request_under_a_key_is_one() -> None:
    """The same resource, however often; another body fails, and leaves the first as it is."""
    fake = FakeServer()
    with fake.client() as client:
        first = client.create_user(ADA, idempotency_key="k")
        again = client.create_user(ADA, idempotency_key="k")
        other = client.create_user({**ADA, "name": "Eve"}, idempotency_key="k")
        assert first.message_id == again.message_id != other.message_id
        assert first.result() == again.result()
        with pytest.raises(OperationFailed, match="IDEMPOTENCY_KEY_REUSED"):
            other.result()
        assert client.create_user(ADA, idempotency_key="k").result() == first.result()
    assert len(fake.results("create_user")) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.RESET_BEFORE, TransportError),
        (Fault.RESET_AFTER_COMMIT, TransportError),
        (Fault.TIMEOUT, TransportError),
        (Fault.GARBAGE, ProtocolError),
        (500, ServerError),
    ],
)
async def test_every_fault_is_its_error(fault: int | Fault, error: type[Exception]) -> None:
    """Sync and async; with repetitions a call gets over all but an answer that is no JSON."""
    made = 0 if fault in (500, Fault.RESET_BEFORE) else 1
    fake = FakeServer()
    fake.on("create_user").faults(fault)
    with fake.client(max_retries=0) as client, pytest.raises(error):
        client.create_user(ADA)
    assert len(fake.results("create_user")) == made
    fake.on("create_user").faults(fault)
    async with fake.async_client(max_retries=0) as async_client:
        with pytest.raises(error):
            await async_client.create_user(ADA)
    assert len(fake.results("create_user")) == made * 2


def test_an_answer_that_never_comes_takes_the_attempt_s_time() -> None:
    """On the fake's clock."""
    fake = FakeServer()
    fake.on("create_user").faults(Fault.TIMEOUT)
    with fake.client(attempt_timeout=9) as client:
        client.create_user(ADA)
    assert 9 <= fake.requests[1].at < 9.5


WRONG: list[tuple[Callable[[FakeServer], object], str]] = [
    (lambda fake: fake.on("create_usr"), "did you mean 'create_user'"),
    (lambda fake: fake.requests_of("create_usr"), "did you mean 'create_user'"),
    (lambda fake: fake.results("get_user"), "get_user is not asynchronous"),
    (lambda fake: fake.on("get_user").settles(), "returns() and rejects()"),
    (lambda fake: fake.on("create_user").returns({}), "with settles()"),
    (lambda fake: _creation(fake).settles(states=["PENDNG"]), "did you mean 'PENDING'"),
    (lambda fake: _creation(fake).settles(state="DONE"), "for success: it has SUCCEEDED"),
    (lambda fake: _creation(fake).fails(code="A", state="FAILD"), "did you mean 'FAILED'"),
    (lambda fake: _creation(fake).fails(code="A", error={"cod": 1}), "did you mean 'code'"),
    (lambda fake: _creation(fake).settles(after=-1), "after must be a number of at least 0"),
    (lambda fake: _creation(fake).settles(after=1, states=[("PENDING", 1)]), "no after="),
    (lambda fake: _creation(fake).settles(states=["PENDING", ("PENDING", 1)]), "each state"),
    (lambda fake: _creation(fake).settles(times=0), "times must be at least 1"),
    (lambda fake: _creation(fake).settles(result={"tags": 1}), "tags"),
    (lambda fake: _creation(fake).settles(result={"user_id": "1"}), "did you mean 'userId'"),
    (lambda fake: _creation(fake).settles(result={"address": {"stret": "x"}}), "address"),
    (lambda fake: _creation(fake).settles(result={"colour": 1}), "it has address, createdAt"),
    (lambda fake: _creation(fake).settles(result=[1]), "does not fit"),
    (lambda fake: _creation(fake).settles(result={"name": object()}), "cannot be written as JSON"),
    (lambda fake: _creation(fake).rejects(200), "200 is no error's status"),
    (lambda fake: _creation(fake).rejects(400, {"titel": "x"}), "did you mean 'title'"),
    (lambda fake: _creation(fake).rejects(400, {"status": "x"}), "The body of create_user's 400"),
    (lambda fake: _creation(fake).faults(99), "99 is no error's status"),
    (lambda fake: _creation(fake).faults(cast("Any", "x")), "'x' is no error's status"),
    (lambda fake: fake.on("get_user").returns({}, status=201), "does not answer with 201: 200"),
    (lambda fake: fake.on("get_user").returns("x"), "The answer of get_user does not fit"),
    (lambda _: FakeServer(clock="virtual"), "clock must be"),  # type: ignore[arg-type]
    (lambda fake: fake.respond(object()), "takes a request of httpx or httpx2"),
]


def _creation(fake: FakeServer) -> Script:
    return fake.on("create_user")


@pytest.mark.parametrize(("mistake", "message"), WRONG)
def test_a_mistake_is_refused_where_it_is_made(
    mistake: Callable[[FakeServer], object], message: str
) -> None:
    """With what is meant, or what there is."""
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        mistake(FakeServer())


def test_what_a_newer_server_says_can_be_scripted() -> None:
    """A member and a state that the document does not list."""
    fake = FakeServer()
    script = fake.on("create_user")
    script.settles(result={"colour": "red"}, states=["RESTING"], strict=False)
    with fake.client() as client:
        user = client.create_user_and_wait(ADA)
    assert user.model_extra == {"colour": "red"}


def test_clients_that_code_makes_itself_are_captured() -> None:
    """Whatever they are given; those that were made before or after are not."""
    fake, other = FakeServer(), FakeServer()
    before = UsersClient(base_url="https://before.invalid")
    with fake.patched():
        inside = UsersClient()
        given = UsersClient(base_url="https://given.invalid/stage", http_client="httpx2")
        with other.patched():
            UsersClient().create_user_and_wait(ADA)
            fake.client().create_user(ADA)
        for client in (inside, given):
            assert client.create_user_and_wait(ADA).name == "Ada"
    assert inside.create_user_and_wait(ADA).name == "Ada"
    assert len(fake.requests_of("create_user")) == 4
    assert len(other.requests_of("create_user")) == 1
    assert "_outside" not in vars(before)
    with pytest.raises(ConfigurationError, match="USERS_API_URL"):
        UsersClient()
    assert "__init__" not in vars(UsersClient)
    before.close()


def test_a_subclass_is_captured() -> None:
    """With what it does itself before and after."""

    class Named(UsersClient):
        def __init__(self, name: str) -> None:
            super().__init__(base_url="https://x.invalid")
            self.name = name

    fake = FakeServer()
    with fake.patched() as same:
        assert same is fake
        client = Named("n")
    assert client.create_user_and_wait(ADA).name == "Ada"
    assert client.name == "n"


def test_in_real_time_what_takes_time_takes_it() -> None:
    """The states follow the machine's clock, which nobody moves."""
    fake = FakeServer(clock="real")
    fake.on("create_user").settles(after=0.05)
    with fake.client() as client:
        assert client.create_user_and_wait(ADA).name == "Ada"
    assert fake.clock.now >= 0.05
    with pytest.raises(ConfigurationError, match="real time"):
        fake.clock.advance(1)
    with pytest.raises(ConfigurationError, match="real time"):
        fake.clock.paused()
