"""Throttling and dead letters, produced for real in a chain with a proxy before its engine."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from deploy.local.runtime import LocalRuntime
from tests.contract.proxy import Proxy, nothing, proxy_of
from tests.contract.signing import send
from users_sdk import OperationFailed, ServerError, UsersClient

SMALL = {"name": "Ada", "email": "ada@example.com"}


@pytest.fixture(scope="module")
def chain() -> Iterator[tuple[LocalRuntime, Proxy]]:
    """A chain with a proxy before its engine, in which failed messages return in a second."""
    with (
        LocalRuntime() as inner,
        proxy_of(inner.engine_url) as proxy,
        pytest.MonkeyPatch.context() as patch,
    ):
        # What an endpoint given by its URL is called with.
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        with LocalRuntime(
            endpoints={"sqs": proxy.url, "dynamodb": proxy.url},
            placeholders={"QueueName": "faulty", "TableName": "faulty"},
            visibility_timeout=1,
        ) as runtime:
            yield runtime, proxy


@pytest.fixture
def faulty(
    chain: tuple[LocalRuntime, Proxy], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[LocalRuntime, Proxy]]:
    """That chain, sound at first, and its variables set."""
    runtime, proxy = chain
    proxy.throttles = nothing
    proxy.refused = 0
    for name, value in runtime.environment().items():
        monkeypatch.setenv(name, value)
    yield chain
    proxy.throttles = nothing


def test_a_throttled_table_is_503(faulty: tuple[LocalRuntime, Proxy]) -> None:
    """Throttling, which DynamoDB calls a bad request, is not the client's fault."""
    runtime, proxy = faulty
    proxy.throttles = lambda action, body: action in ("GetItem", "Query")
    for path in ("users", "status"):
        response = send(runtime, "GET", f"/{path}/c0ffee00-0000-4000-8000-000000000000")
        assert response.status_code == 503
        assert response.headers["retry-after"] == "1"
        assert response.json()["code"] == "SERVICE_UNAVAILABLE"
        assert "Slow down" not in response.text


def test_the_sdk_says_that_the_service_is_busy(faulty: tuple[LocalRuntime, Proxy]) -> None:
    """A service that stays busy is an error that says so."""
    _, proxy = faulty
    proxy.throttles = lambda action, body: action == "GetItem"
    with UsersClient(max_retries=0) as client, pytest.raises(ServerError) as caught:
        client.get_user(user_id="c0ffee00-0000-4000-8000-000000000000")
    assert (caught.value.status, caught.value.code) == (503, "SERVICE_UNAVAILABLE")


def test_a_handle_outlives_throttling(faulty: tuple[LocalRuntime, Proxy]) -> None:
    """A busy table delays the user, and neither the consumer nor the handle gives up."""
    _, proxy = faulty
    recovers = time.monotonic() + 1.5
    busy = ("Query", "PutItem")
    proxy.throttles = lambda action, body: action in busy and time.monotonic() < recovers
    with UsersClient() as client:
        user = client.create_user_and_wait(SMALL, timeout=40)
    assert user.name == "Ada"
    assert proxy.refused > 1


def test_a_message_that_fails_five_times_fails_visibly(
    faulty: tuple[LocalRuntime, Proxy],
) -> None:
    """After five receives the recorder tells the client, with nothing lost."""
    _, proxy = faulty
    # What makes a user is throttled for ever, what tells of its failure is not.
    proxy.throttles = lambda action, body: action == "PutItem" and b"requestHash" in body
    with UsersClient() as client:
        handle = client.create_user(SMALL)
        with pytest.raises(OperationFailed) as caught:
            handle.result(timeout=40)
    assert caught.value.code == "PROCESSING_FAILED"
    assert caught.value.message_id == handle.message_id
    assert proxy.refused >= 5
