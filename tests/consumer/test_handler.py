"""The Lambda entry for the queue, on a table in memory."""

from __future__ import annotations

import json
import logging
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from consumer import handler as entry
from consumer.batch import BatchResponse
from consumer.handler import handler, process
from consumer.store import default_store
from tests.consumer.samples import ADA, MemoryStore, record

NOTHING_FAILED: BatchResponse = {"batchItemFailures": []}


def failed(*records: Any) -> dict[str, Any]:
    """The answer that reports these records."""
    return {"batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in records]}


def client_error(code: str) -> ClientError:
    """An error as DynamoDB gives it."""
    return ClientError({"Error": {"Code": code, "Message": "Ada Lovelace"}}, "PutItem")


def test_a_message_makes_a_user() -> None:
    """One good message is one user, and nothing is to be delivered again."""
    store = MemoryStore()
    assert process([record()], store) == NOTHING_FAILED
    (creation,) = store.entities.values()
    assert creation.members == ADA
    assert store.receipts == {}


def test_a_redelivered_message_changes_nothing() -> None:
    """The queue delivers at least once; the second time is a success without a trace."""
    store = MemoryStore()
    once = record()
    for _ in range(3):
        assert process([once], store) == NOTHING_FAILED
    assert (len(store.entities), store.receipts) == (1, {})


def test_a_repeated_request_is_a_receipt() -> None:
    """The second message of one key and body points to the user of the first."""
    store = MemoryStore()
    first, second = record(idempotencyKey="k"), record(idempotencyKey="k")
    assert process([first, second], store) == NOTHING_FAILED
    (entity_id,) = store.entities
    assert store.receipts[second["messageId"]].entity_id == entity_id


def test_a_conflicting_request_fails() -> None:
    """A key with another body leaves the user as it is and says why."""
    store = MemoryStore()
    other = record({**ADA, "name": "Eve"}, idempotencyKey="k")
    assert process([record(idempotencyKey="k"), other], store) == NOTHING_FAILED
    (creation,) = store.entities.values()
    assert creation.members["name"] == ADA["name"]
    failure = store.receipts[other["messageId"]].failure
    assert failure is not None
    assert failure.code == "IDEMPOTENCY_KEY_REUSED"


def test_a_poison_message_is_done_and_told() -> None:
    """A permanent failure becomes a receipt with the message in it, and does not come again."""
    store = MemoryStore()
    poison = record("not json")
    assert process([poison], store) == NOTHING_FAILED
    receipt = store.receipts[poison["messageId"]]
    assert receipt.failure is not None
    assert receipt.failure.code == "INVALID_MESSAGE"
    assert receipt.message is not None
    assert receipt.message.body == "not json"


@pytest.mark.parametrize(
    "error",
    [
        client_error("ProvisionedThroughputExceededException"),
        client_error("ThrottlingException"),
        client_error("InternalServerError"),
        client_error("AccessDeniedException"),
        EndpointConnectionError(endpoint_url="http://127.0.0.1"),
        ReadTimeoutError(endpoint_url="http://127.0.0.1"),
        KeyError("unforeseen"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_the_table_raises_is_transient(error: Exception) -> None:
    """A message that could not be written is delivered again; its neighbours are done."""
    store = MemoryStore()
    before, hit, after = record(), record(), record()
    store.failing[hit["messageId"]] = error
    assert process([before, hit, after], store) == failed(hit)
    assert len(store.entities) == 2


def test_a_receipt_that_cannot_be_written_is_transient() -> None:
    """The client must learn of a failure, so the message stays until the receipt is written."""
    store = MemoryStore()
    poison = record("not json")
    store.failing[poison["messageId"]] = client_error("ThrottlingException")
    assert process([poison], store) == failed(poison)


def test_a_batch_of_everything_is_sorted_out() -> None:
    """Good, poisonous, failing and nameless records in one batch do not touch each other."""
    store = MemoryStore()
    good, poison, hit = record(), record("{"), record()
    store.failing[hit["messageId"]] = client_error("ThrottlingException")
    nameless = {**record(), "messageId": None}
    answer = process([good, "rubbish", poison, hit, nameless, good], store)
    identifiers = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
    assert identifiers == ["", hit["messageId"], ""]
    assert len(store.entities) == 1
    assert poison["messageId"] in store.receipts


def test_many_threads_with_one_key_make_one_user() -> None:
    """Racing messages of one request all succeed with the same user."""
    store = MemoryStore()
    records = [record(idempotencyKey="k") for _ in range(32)]
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda each: process([each], store), records))
    assert answers == [NOTHING_FAILED] * 32
    (entity_id,) = store.entities
    assert [receipt.entity_id for receipt in store.receipts.values()] == [entity_id] * 31


def test_a_redriven_success_replaces_the_failure() -> None:
    """The receipt that says the message failed gives way to one that names the user."""
    store = MemoryStore()
    original = str(uuid.uuid4())
    process([record("not json", message_id=original)], store)
    process([record(originalMessageId=original)], store)
    receipt = store.receipts[original]
    assert (receipt.failure, receipt.entity_id) == (None, next(iter(store.entities)))


@pytest.mark.parametrize("event", [{}, {"Records": None}, {"Records": "x"}, {"detail": {}}])
def test_another_event_is_refused(event: dict[str, object]) -> None:
    """An empty answer would say that all went well, so an event of another kind raises."""
    with pytest.raises(ValueError, match="not an SQS event"):
        handler(event, None)


def test_the_table_must_be_named() -> None:
    """Without TABLE_NAME there is one clear error, and the messages stay."""
    default_store.cache_clear()
    with pytest.raises(ValueError, match="TABLE_NAME is not set"):
        handler({"Records": [record()]}, None)


def test_the_entity_must_be_described(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ENTITY, or with one that is none, nothing is guessed and the messages stay."""
    monkeypatch.setenv("TABLE_NAME", "users")
    default_store.cache_clear()
    with pytest.raises(ValueError, match="ENTITY is not set"):
        handler({"Records": [record()]}, None)
    for text in ("{}", "[]", "user"):
        monkeypatch.setenv("ENTITY", text)
        with pytest.raises(ValueError, match="no description of an entity"):
            handler({"Records": [record()]}, None)


def test_the_handler_uses_the_table_of_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry processes the event's records with the default store."""
    store = MemoryStore()
    monkeypatch.setattr(entry, "default_store", lambda: store)
    assert handler({"Records": [record()]}, None) == NOTHING_FAILED
    assert len(store.entities) == 1


def test_each_message_is_one_line_without_personal_data(caplog: pytest.LogCaptureFixture) -> None:
    """A line of JSON says what became of a message; bodies and texts of errors stay out of it."""
    store = MemoryStore()
    good, poison, hit = record(), record({"name": "Ada Lovelace"}), record()
    store.failing[hit["messageId"]] = client_error("ThrottlingException")
    with caplog.at_level(logging.INFO):
        process([good, poison, hit], store)
    assert "Lovelace" not in caplog.text
    lines = [json.loads(entry.getMessage()) for entry in caplog.records]
    assert [(line["messageId"], line["outcome"]) for line in lines] == [
        (good["messageId"], "SUCCEEDED"),
        (poison["messageId"], "FAILED"),
        (hit["messageId"], "RETRIED"),
    ]
    assert lines[1]["code"] == "INVALID_MESSAGE"
    assert (lines[2]["error"], lines[2]["awsCode"]) == ("ClientError", "ThrottlingException")
    assert lines[2]["at"].partition(":")[0] == "handler.py"
