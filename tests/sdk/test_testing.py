from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import httpx
import pytest

from users_sdk import ConfigurationError, OperationFailed, WaitTimeout
from users_sdk.testing import FakeServer, Fault
from users_sdk.testing_pytest import fake_server

__all__ = ["fake_server"]

ADA = {"name": "Ada", "email": "ada@example.com"}


def test_a_user_is_made_without_a_network() -> None:
    """And the requests are recorded by their operations."""
    fake = FakeServer()
    with fake.client() as client:
        assert client.create_user_and_wait(ADA).name == "Ada"
    names = [request.operation for request in fake.requests]
    assert names == ["create_user", "get_status", "get_status", "get_user"]
    assert fake.requests[0].body == ADA


def test_waiting_takes_no_real_time() -> None:
    """Ten minutes pass on the fake's clock, and a wait that is too short ends as it would."""
    fake = FakeServer()
    fake.on("create_user").settles(after=600)
    with fake.client() as client:
        handle = client.create_user(ADA)
        with pytest.raises(WaitTimeout):
            handle.result(timeout=5)
        assert handle.result(timeout=700).email == "ada@example.com"
    assert 600 <= fake.clock.now < 660


async def test_tasks_wait_at_the_same_time() -> None:
    """Twenty waits of a minute take a minute, not twenty."""
    fake = FakeServer()
    fake.on("create_user").settles(after=60)
    async with fake.async_client() as client:
        users = await asyncio.gather(*(client.create_user_and_wait(ADA) for _ in range(20)))
    assert len({user.user_id for user in users}) == 20
    assert 60 <= fake.clock.now < 90


def test_a_failure_comes_by_script() -> None:
    """With the reason that was given."""
    fake = FakeServer()
    fake.on("create_user").fails(code="EMAIL_TAKEN", message="Taken.")
    with fake.client() as client, pytest.raises(OperationFailed) as caught:
        client.create_user_and_wait(ADA)
    assert caught.value.code == "EMAIL_TAKEN"


@pytest.mark.parametrize(
    "fault", [503, Fault.RESET_BEFORE, Fault.RESET_AFTER_COMMIT, Fault.TIMEOUT]
)
def test_a_lost_answer_makes_one_user(fault: int | Fault) -> None:
    """The key is the same on each attempt."""
    fake = FakeServer()
    fake.on("create_user").faults(fault, times=2)
    with fake.client() as client:
        assert client.create_user_and_wait(ADA) == fake.results("create_user")[0]
    assert len(fake.results("create_user")) == 1


def test_a_key_with_another_body_fails() -> None:
    """As the service's own consumer says it."""
    fake = FakeServer()
    with fake.client() as client:
        client.create_user_and_wait(ADA, idempotency_key="k")
        with pytest.raises(OperationFailed) as caught:
            client.create_user_and_wait({**ADA, "name": "Eve"}, idempotency_key="k")
    assert caught.value.code == "IDEMPOTENCY_KEY_REUSED"


def test_it_answers_httpx() -> None:
    """A wrong body is refused with 400, and a right one accepted."""
    fake = FakeServer()
    transport = httpx.MockTransport(fake.respond)
    with httpx.Client(transport=transport, base_url="https://any.test/dev") as http:
        assert http.post("/users", json={"name": 1}).status_code == 400
        with fake.client(http_client=http) as client:
            assert client.create_user_and_wait(ADA).name == "Ada"


def test_a_mistake_in_a_script_is_refused() -> None:
    """Where it is made."""
    fake = FakeServer()
    with pytest.raises(ConfigurationError, match="create_user"):
        fake.on("create_usr")
    with pytest.raises(ConfigurationError, match="PENDING"):
        fake.on("create_user").settles(states=["QUEUED"])
    with pytest.raises(ConfigurationError, match="tags"):
        fake.on("create_user").settles(result={"tags": 1})


def test_the_fixture_gives_a_fake(fake_server: FakeServer) -> None:
    """A new one for each test."""
    assert fake_server.requests == []


def test_importing_the_package_imports_no_testing() -> None:
    """It costs nothing who does not use it."""
    code = (
        "import sys, users_sdk; print([n for n in sys.modules if 'testing' in n or n == 'pytest'])"
    )
    path = {**os.environ, "PYTHONPATH": "sdk"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=path)
    assert done.stdout.strip() == "[]"
