"""The table, in a real engine."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import boto3
import pytest
from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.entity import Entity
from consumer.handler import process
from consumer.store import (
    MAX_ORIGINAL_BYTES,
    TableStore,
    default_store,
    entity_item,
    receipt_item,
)
from consumer.work import Creation, Existing, Failure, Message, Receipt, decide
from deploy.local.engine import Engine
from deploy.local.resources import Access, provision
from tests.consumer.samples import ADA, CONTRACT, USER, message, record

TABLE = "store-tests"
FAILURE = Failure("PROCESSING_FAILED", "It failed.")

# Everything that has an encoding: names are text, and text is more than letters.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


@pytest.fixture(scope="session")
def access(engine: Engine) -> Access:
    """Access to an engine that has the table."""
    access = Access(engine.url, engine.url)
    provision(access, CONTRACT, queue=TABLE, table=TABLE, visibility_timeout=30)
    return access


@pytest.fixture
def store(access: Access, monkeypatch: pytest.MonkeyPatch) -> TableStore:
    """The store as the consumer makes it, by its environment."""
    for name, value in access.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TABLE_NAME", TABLE)
    monkeypatch.setenv("ENTITY", CONTRACT.text)
    default_store.cache_clear()
    return default_store()


@pytest.fixture(autouse=True)
def forget_default_store() -> Iterator[None]:
    """Keep no store from one test to the next."""
    yield
    default_store.cache_clear()


def creation(body: object = ADA, **options: Any) -> Creation:
    """Decide on a message that must be good."""
    decision = decide(message(body, **options), USER)
    assert isinstance(decision, Creation)
    return decision


def item(access: Access, entity_id: str) -> dict[str, Any]:
    """Read an item as plain values."""
    answer = access.dynamodb.get_item(TableName=TABLE, Key={"userId": {"S": entity_id}})
    plain = TypeDeserializer().deserialize
    return {name: plain(value) for name, value in answer.get("Item", {}).items()}


def receipt_of(access: Access, message_id: str) -> dict[str, Any]:
    """Read the receipt of a message as plain values."""
    return item(access, f"receipt#{message_id}")


def test_a_user_item_is_complete(store: TableStore, access: Access) -> None:
    """The item holds the user, the message that made it, and what decides on later messages."""
    asked = creation(idempotencyKey=str(uuid.uuid4()))
    assert store.put(asked) is None
    stored = item(access, asked.entity_id)
    created_at = stored.pop("createdAt")
    assert stored == {
        **ADA,
        "userId": asked.entity_id,
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
    store.put(first)
    existing = Existing(first.message_id, first.request_hash)
    assert store.put(second) == existing
    assert store.get(first.entity_id) == existing
    assert item(access, first.entity_id)["name"] == ADA["name"]


def test_an_unknown_user_is_none(store: TableStore) -> None:
    """There is nothing to find before the put."""
    assert store.get(creation().entity_id) is None


@settings(max_examples=40, deadline=None)
@given(name=TEXT, city=TEXT, tags=st.lists(TEXT, max_size=5))
def test_text_is_stored_char_for_char(
    engine: Engine, access: Access, name: str, city: str, tags: list[str]
) -> None:
    """Whatever text a message carries is what the table gives back."""
    asked = creation(
        {**ADA, "name": name, "address": {**ADA["address"], "city": city}, "tags": tags}
    )
    stored = entity_item(USER, asked, created_at="now")
    access.dynamodb.put_item(TableName=TABLE, Item=stored)
    back = item(access, asked.entity_id)
    assert (back["name"], back["address"]["city"], back["tags"]) == (name, city, tags)


def test_another_entity_is_stored_under_its_own_names(store: TableStore, access: Access) -> None:
    """Key, receipts and texts are the entity's; numbers and lists become the table's."""
    order = replace(CONTRACT, id_name="orderId", name="order")
    provision(access, order, queue=TABLE, table="orders-tests", visibility_timeout=30)
    body = {"type": "object", "properties": {"quantity": {"type": "integer"}, "price": {}}}
    made = Entity("order", "orderId", body)
    orders = TableStore("orders-tests", made, receipt_days=1)
    first, again = (record({"quantity": 2, "price": 0.1}, idempotencyKey="o") for _ in range(2))
    other = record({"quantity": 3}, idempotencyKey="o")
    assert process([first, again, other, first], orders) == {"batchItemFailures": []}
    items = access.dynamodb.scan(TableName="orders-tests")["Items"]
    found = {item["messageId"]["S"]: item for item in items}
    order_id = found[first["messageId"]]["orderId"]
    assert found[first["messageId"]]["quantity"] == {"N": "2"}
    assert found[first["messageId"]]["price"] == {"N": "0.1"}
    assert found[again["messageId"]]["resultOrderId"] == order_id
    assert "another order" in found[other["messageId"]]["failure"]["M"]["message"]["S"]


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
    store.put_receipt(Receipt(message_id, entity_id="u"))
    stored = receipt_of(access, message_id)
    assert (stored["outcome"], stored["resultUserId"]) == ("SUCCEEDED", "u")
    assert "failure" not in stored


def test_success_replaces_failure_and_stays(store: TableStore, access: Access) -> None:
    """Whatever the order, a message that succeeded once has succeeded."""
    message_id = str(uuid.uuid4())
    failed = Receipt(message_id, failure=FAILURE)
    succeeded = Receipt(message_id, entity_id="u")
    outcomes = []
    for receipt in (failed, failed, succeeded, failed, succeeded):
        store.put_receipt(receipt)
        outcomes.append(receipt_of(access, message_id)["outcome"])
    assert outcomes == ["FAILED", "FAILED", "SUCCEEDED", "SUCCEEDED", "SUCCEEDED"]


def test_the_status_query_finds_users_and_receipts(store: TableStore, access: Access) -> None:
    """The index has what the status needs, and no personal data."""
    asked = creation()
    store.put(asked)
    store.put_receipt(Receipt(asked.message_id, failure=FAILURE, message=message()))
    answer = access.dynamodb.query(
        TableName=TABLE,
        IndexName="messageId-index",
        KeyConditionExpression="messageId = :id",
        ExpressionAttributeValues={":id": {"S": asked.message_id}},
    )
    found = {each["userId"]["S"]: each.keys() for each in answer["Items"]}
    assert found == {
        asked.entity_id: {"userId", "messageId"},
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
        USER, Receipt("m", failure=FAILURE, message=long), recorded_at="now", expires_at=0
    )
    assert len(stored["message"]["M"]["body"]["S"].encode()) == MAX_ORIGINAL_BYTES


def test_a_table_that_is_not_there_raises(store: TableStore) -> None:
    """Whatever the table refuses is for the queue to repeat."""
    elsewhere = TableStore("nowhere", USER, receipt_days=1)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        elsewhere.put(creation())
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        elsewhere.put_receipt(Receipt("m", failure=FAILURE))


def test_an_engine_that_is_not_there_raises_soon(
    store: TableStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection error reaches the caller within the function's time."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")
    started = time.monotonic()
    with pytest.raises(EndpointConnectionError):
        store.put(creation())
    assert time.monotonic() - started < 5


def test_nothing_is_connected_before_the_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing the handlers and making the store needs neither region nor credentials."""
    monkeypatch.setattr(boto3, "client", lambda *_, **__: pytest.fail("a client was made"))
    monkeypatch.setenv("TABLE_NAME", TABLE)
    monkeypatch.setenv("ENTITY", CONTRACT.text)
    assert default_store() is default_store()


def test_the_retention_must_be_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong setting is named, with its value."""
    monkeypatch.setenv("TABLE_NAME", TABLE)
    monkeypatch.setenv("ENTITY", CONTRACT.text)
    monkeypatch.setenv("RECEIPT_DAYS", "a month")
    with pytest.raises(ValueError, match="RECEIPT_DAYS must be a number of days, not 'a month'"):
        default_store()
