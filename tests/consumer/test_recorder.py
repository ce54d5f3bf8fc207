"""The Lambda entry for the dead-letter queue, on a table in memory."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from consumer import recorder as entry
from consumer.batch import BatchResponse
from consumer.handler import process as create
from consumer.recorder import handler, process
from consumer.work import Failure
from tests.consumer.samples import ADA, USER, MemoryStore, message, record

NOTHING_FAILED: BatchResponse = {"batchItemFailures": []}


def failure_of(store: MemoryStore, message_id: str) -> Failure | None:
    """What the receipt of a message says of its failure."""
    return store.receipts[message_id].failure


def test_a_dead_letter_is_told_and_kept() -> None:
    """Its receipt says that processing failed, and holds the message for sending it again."""
    store = MemoryStore()
    letter = record(idempotencyKey="k")
    assert process([letter], store) == NOTHING_FAILED
    receipt = store.receipts[letter["messageId"]]
    assert receipt.failure is not None
    assert receipt.failure.code == "PROCESSING_FAILED"
    assert receipt.message == message(message_id=letter["messageId"], idempotencyKey="k")


def test_a_failure_speaks_of_the_entity() -> None:
    """Its text is for the clients of this API, not of another."""
    store = MemoryStore(replace(USER, name="purchase order"))
    letter = record()
    process([letter], store)
    failure = failure_of(store, letter["messageId"])
    assert failure is not None
    assert failure.message.startswith("Creating the purchase order failed repeatedly.")


def test_a_user_that_exists_is_not_called_failed() -> None:
    """An attempt may have written the user and died: then there is nothing to tell."""
    store = MemoryStore()
    letter = record()
    create([letter], store)
    assert process([letter], store) == NOTHING_FAILED
    assert store.receipts == {}


def test_a_repeated_request_is_told_its_user() -> None:
    """If an earlier message of the same request made the user, the dead letter succeeded."""
    store = MemoryStore()
    letter = record(idempotencyKey="k")
    create([record(idempotencyKey="k")], store)
    process([letter], store)
    assert store.receipts[letter["messageId"]].entity_id == next(iter(store.entities))


def test_a_conflict_is_told_as_such() -> None:
    """If the key belongs to another body, that is the reason, and not the failed attempts."""
    store = MemoryStore()
    letter = record({**ADA, "name": "Eve"}, idempotencyKey="k")
    create([record(idempotencyKey="k")], store)
    process([letter], store)
    failure = failure_of(store, letter["messageId"])
    assert failure is not None
    assert failure.code == "IDEMPOTENCY_KEY_REUSED"


def test_a_poison_letter_is_told_its_reason() -> None:
    """A message that could never succeed says why, though it is among the dead letters."""
    store = MemoryStore()
    letter = record("not json")
    process([letter], store)
    failure = failure_of(store, letter["messageId"])
    assert failure is not None
    assert failure.code == "INVALID_MESSAGE"


def test_a_success_is_not_overwritten() -> None:
    """A receipt of success, written meanwhile, stands."""
    store = MemoryStore()
    original = str(uuid.uuid4())
    create([record(originalMessageId=original)], store)
    store.entities.clear()
    process([record(originalMessageId=original)], store)
    assert failure_of(store, original) is None


def test_a_receipt_that_cannot_be_written_is_tried_again() -> None:
    """A dead letter is not given up before its receipt is written; its neighbours are done."""
    store = MemoryStore()
    hit, letter = record(), record()
    store.failing[hit["messageId"]] = TimeoutError()
    expected = {"batchItemFailures": [{"itemIdentifier": hit["messageId"]}]}
    assert process([hit, letter], store) == expected
    assert failure_of(store, letter["messageId"]) is not None


def test_the_handler_uses_the_table_of_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry processes the event's records with the default store."""
    store = MemoryStore()
    monkeypatch.setattr(entry, "default_store", lambda: store)
    assert handler({"Records": [record()]}, None) == NOTHING_FAILED
    assert len(store.receipts) == 1
