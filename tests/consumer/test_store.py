"""The table, in a real engine."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.handler import process
from consumer.store import (
    MAX_ORIGINAL_BYTES,
    TableStore,
    default_store,
    receipt_item,
    user_item,
)
from consumer.work import Creation, ExistingUser, Failure, Message, Receipt, decide
from deploy.local.engine import Engine
from deploy.local.resources import Access, provision
from tests.consumer.samples import ADA, message, record

TABLE = "store-tests"
FAILURE = Failure("PROCESSING_FAILED", "It failed.")

# Everything that has an encoding: names are text, and text is more than letters.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


@pytest.fixture(scope="session")
def access(engine: Engine) -> Access:
    """Access to an engine that has the table."""
    access = Access(engine.url, engine.url)
    provision(access, queue=TABLE, table=TABLE, visibility_timeout=30)
    return access


@pytest.fixture
def store(access: Access, monkeypatch: pytest.MonkeyPatch) -> TableStore:
    """The store as the consumer makes it, by its environment."""
    for name, value in access.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("USERS_TABLE", TABLE)
    default_store.cache_clear()
    return default_store()


@pytest.fixture(autouse=True)
def forget_default_store() -> Iterator[None]:
    """Keep no store from one test to the next."""
    yield
    default_store.cache_clear()


def creation(body: object = ADA, **options: Any) -> Creation:
    """Decide on a message that must be good."""
    decision = decide(message(body, **options))
    assert isinstance(decision, Creation)
    return decision


def item(access: Access, user_id: str) -> dict[str, Any]:
    """Read an item as plain values."""
    answer = access.dynamodb.get_item(TableName=TABLE, Key={"userId": {"S": user_id}})
    plain = TypeDeserializer().deserialize
    return {name: plain(value) for name, value in answer.get("Item", {}).items()}


def receipt_of(access: Access, message_id: str) -> dict[str, Any]:
    """Read the receipt of a message as plain values."""
    return item(access, f"receipt#{message_id}")


def test_a_user_item_is_complete(store: TableStore, access: Access) -> None:
    """The item holds the user, the message that made it, and what decides on later messages."""
    asked = creation(idempotencyKey=str(uuid.uuid4()))
    assert store.put_user(asked) is None
    stored = item(access, asked.user_id)
    created_at = stored.pop("createdAt")
    assert stored == {
        **ADA,
        "userId": asked.user_id,
        "messageId": asked.message_id,
        "requestHash": asked.request_hash,
        "callerAccount": asked.caller_account,
        "schemaVersion": "1",
    }
    assert created_at.endswith("Z")
    assert len(created_at) == len("2026-11-23T20:15:00.123Z")


def test_a_user_is_written_once(store: TableStore, access: Access) -> None:
    """A second put changes nothing and tells which request made the user."""
    key = str(uuid.uuid4())
    first, second = (
        creation(idempotencyKey=key),
        creation({**ADA, "name": "Eve"}, idempotencyKey=key),
    )
    store.put_user(first)
    existing = ExistingUser(first.message_id, first.request_hash)
    assert store.put_user(second) == existing
    assert store.get_user(first.user_id) == existing
    assert item(access, first.user_id)["name"] == ADA["name"]


def test_an_unknown_user_is_none(store: TableStore) -> None:
    """There is nothing to find before the put."""
    assert store.get_user(creation().user_id) is None


@settings(max_examples=40, deadline=None)
@given(name=TEXT, city=TEXT, tags=st.lists(TEXT, max_size=5))
def test_text_is_stored_char_for_char(
    engine: Engine, access: Access, name: str, city: str, tags: list[str]
) -> None:
    """Whatever text a message carries is what the table gives back."""
    asked = creation(
        {**ADA, "name": name, "address": {**ADA["address"], "city": city}, "tags": tags}
    )
    stored = user_item(asked, created_at="now")
    access.dynamodb.put_item(TableName=TABLE, Item=stored)
    back = item(access, asked.user_id)
    assert (back["name"], back["address"]["city"], back["tags"]) == (name, city, tags)


def test_a_receipt_of_failure_is_complete(store: TableStore, access: Access) -> None:
    """It says what failed, holds the message, and ends after the configured days."""
    failed = message(idempotencyKey="k")
    store.put_receipt(Receipt(failed.id, failure=FAILURE, message=failed))
    stored = receipt_of(access, failed.id)
    assert stored.pop("recordedAt").endswith("Z")
    assert 29.9 < (int(stored.pop("expiresAt")) - time.time()) / 86_400 < 30.1
    assert stored == {
        "userId": f"receipt#{failed.id}",
        "messageId": failed.id,
        "outcome": "FAILED",
        "failure": {"code": "PROCESSING_FAILED", "message": "It failed."},
        "message": {"body": failed.body, "attributes": dict(failed.attributes)},
    }


def test_a_receipt_of_success_is_complete(store: TableStore, access: Access) -> None:
    """It names the user."""
    message_id = str(uuid.uuid4())
    store.put_receipt(Receipt(message_id, user_id="u"))
    stored = receipt_of(access, message_id)
    assert (stored["outcome"], stored["resultUserId"]) == ("SUCCEEDED", "u")
    assert "failure" not in stored


def test_success_replaces_failure_and_stays(store: TableStore, access: Access) -> None:
    """Whatever the order, a message that succeeded once has succeeded."""
    message_id = str(uuid.uuid4())
    failed = Receipt(message_id, failure=FAILURE)
    succeeded = Receipt(message_id, user_id="u")
    outcomes = []
    for receipt in (failed, failed, succeeded, failed, succeeded):
        store.put_receipt(receipt)
        outcomes.append(receipt_of(access, message_id)["outcome"])
    assert outcomes == ["FAILED", "FAILED", "SUCCEEDED", "SUCCEEDED", "SUCCEEDED"]


def test_the_status_query_finds_users_and_receipts(store: TableStore, access: Access) -> None:
    """The index has what the status needs, and no personal data."""
    asked = creation()
    store.put_user(asked)
    store.put_receipt(Receipt(asked.message_id, failure=FAILURE, message=message()))
    answer = access.dynamodb.query(
        TableName=TABLE,
        IndexName="messageId-index",
        KeyConditionExpression="messageId = :id",
        ExpressionAttributeValues={":id": {"S": asked.message_id}},
    )
    found = {each["userId"]["S"]: each.keys() for each in answer["Items"]}
    assert found == {
        asked.user_id: {"userId", "messageId"},
        f"receipt#{asked.message_id}": {"userId", "messageId", "outcome", "failure"},
    }


def test_many_threads_with_one_key_make_one_user(store: TableStore, access: Access) -> None:
    """Racing messages of one request all point to the user that one of them made."""
    key = str(uuid.uuid4())
    records = [record(idempotencyKey=key) for _ in range(32)]
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda each: process([each], store), records))
    assert answers == [{"batchItemFailures": []}] * 32
    stored = [receipt_of(access, each["messageId"]) for each in records]
    assert sorted(len(each) == 0 for each in stored) == [False] * 31 + [True]
    assert len({each["resultUserId"] for each in stored if each}) == 1


def test_a_message_too_long_for_its_receipt_is_cut() -> None:
    """An item holds 400 KB; no message so long can succeed, so its end is not needed."""
    long = Message("m", "é" * MAX_ORIGINAL_BYTES, {})
    stored = receipt_item(
        Receipt("m", failure=FAILURE, message=long), recorded_at="now", expires_at=0
    )
    assert len(stored["message"]["M"]["body"]["S"].encode()) == MAX_ORIGINAL_BYTES


def test_a_table_that_is_not_there_raises(store: TableStore) -> None:
    """Whatever the table refuses is for the queue to repeat."""
    elsewhere = TableStore("nowhere", receipt_days=1)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        elsewhere.put_user(creation())
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        elsewhere.put_receipt(Receipt("m", failure=FAILURE))


def test_an_engine_that_is_not_there_raises_soon(
    store: TableStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection error reaches the caller within the function's time."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")
    started = time.monotonic()
    with pytest.raises(EndpointConnectionError):
        store.put_user(creation())
    assert time.monotonic() - started < 5


def test_nothing_is_connected_before_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing the handlers and making the store needs neither region nor credentials."""
    monkeypatch.setattr(boto3, "client", lambda *_, **__: pytest.fail("a client was made"))
    monkeypatch.setenv("USERS_TABLE", TABLE)
    assert default_store() is default_store()


def test_the_retention_must_be_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong setting is named, with its value."""
    monkeypatch.setenv("USERS_TABLE", TABLE)
    monkeypatch.setenv("RECEIPT_DAYS", "a month")
    with pytest.raises(ValueError, match="RECEIPT_DAYS must be a number of days, not 'a month'"):
        default_store()
