"""Records as Lambda passes them on, and a table in memory."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consumer.entity import Entity, read_entity
from consumer.work import Creation, Existing, Message, Receipt, read_message
from deploy import contract

Record = dict[str, Any]

ACCOUNT = "000000000000"

CONTRACT = contract.entity(contract.load(Path(__file__).parents[2] / "openapi.yaml"))
"""What the project's contract makes, as the deployment knows it."""

USER: Entity = read_entity(CONTRACT.text)
"""The same, as the functions know it."""

ADA: Mapping[str, Any] = {
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "phone": "+441632960961",
    "address": {"street": "12 St James's Square", "city": "London", "country": "GB"},
    "tags": ["mathematics", "engines & looms"],
}


def record(
    body: object = ADA, *, message_id: str | None = None, **attributes: str | None
) -> Record:
    """
    Make a record of an SQS event.

    Args:
        body: Text as it is; anything else is written as JSON.
        message_id: By default a new one.
        attributes: Message attributes, added to those that the gateway always sends; `None` leaves
            one out.
    """
    texts = {"schemaVersion": "1", "callerAccount": ACCOUNT, **attributes}
    return {
        "messageId": message_id or str(uuid.uuid4()),
        "receiptHandle": "handle",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {
            name: {
                "stringValue": value,
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "String",
            }
            for name, value in texts.items()
            if value is not None
        },
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:{ACCOUNT}:users",
        "awsRegion": "us-east-1",
    }


def message(body: object = ADA, **options: Any) -> Message:
    """Make a message; the arguments are those of `record`."""
    return read_message(record(body, **options))


class MemoryStore:
    """A table in memory; `failing` gives the errors to raise, by message ID."""

    def __init__(self, entity: Entity = USER) -> None:
        self.entity = entity
        self.entities: dict[str, Creation] = {}
        self.receipts: dict[str, Receipt] = {}
        self.failing: dict[str, Exception] = {}

    def put(self, creation: Creation) -> Existing | None:
        """See `consumer.store.Store`."""
        self._fail(creation.message_id)
        stored = self.entities.setdefault(creation.entity_id, creation)
        return None if stored is creation else self.get(creation.entity_id)

    def get(self, entity_id: str) -> Existing | None:
        """See `consumer.store.Store`."""
        stored = self.entities.get(entity_id)
        return Existing(stored.message_id, stored.request_hash) if stored else None

    def put_receipt(self, receipt: Receipt) -> None:
        """See `consumer.store.Store`."""
        self._fail(receipt.message_id)
        existing = self.receipts.get(receipt.message_id)
        if receipt.failure is None or existing is None or existing.failure is not None:
            self.receipts[receipt.message_id] = receipt

    def _fail(self, message_id: str) -> None:
        if message_id in self.failing:
            raise self.failing[message_id]
