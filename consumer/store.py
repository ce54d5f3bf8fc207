"""
The table: one item per entity, and receipts for what no such item tells.

1. An entity's item is written once, on the condition that there is none, and never changed.
2. A receipt of success replaces one of failure, never the other way round.
3. Whatever a method raises is transient for its caller: the same call may succeed later.

Source: docs/design.md, "The message-to-user contract".
"""

import contextlib
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from boto3.dynamodb.types import TypeSerializer
from botocore.config import Config

from consumer.entity import Entity, read_entity
from consumer.work import Creation, Existing, Message, Receipt

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = dict[str, AttributeValueTypeDef]

SECONDS_PER_DAY = 86_400

MAX_ORIGINAL_BYTES = 300_000
"""What a receipt keeps of a body: an item holds 400 KB. No body so long can succeed."""

# Bounded, so that a table that does not answer costs the batch less than the function's timeout;
# the queue repeats what fails.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 2},
)


class Store(Protocol):
    """What the handlers need of a table."""

    @property
    def entity(self) -> Entity:
        """What the table holds."""

    def put(self, creation: Creation) -> Existing | None:
        """Write the entity unless its ID exists; return what exists, or `None` when written."""

    def get(self, entity_id: str) -> Existing | None:
        """Read an entity as it was last written; `None` if there is none."""

    def put_receipt(self, receipt: Receipt) -> None:
        """Write a receipt; one of failure gives way to one of success, before or after it."""


class TableStore:
    """
    The DynamoDB table.

    Args:
        table: Name of the table.
        entity: What it holds.
        receipt_days: How long receipts are kept (the table's TTL attribute is `expiresAt`).
    """

    def __init__(self, table: str, entity: Entity, *, receipt_days: float) -> None:
        self.entity = entity
        self._table = table
        self._receipt_seconds = receipt_days * SECONDS_PER_DAY

    @cached_property
    def _client(self) -> "DynamoDBClient":
        return boto3.client("dynamodb", config=_CONFIG)

    def put(self, creation: Creation) -> Existing | None:
        """Write the entity in one conditional request; see `Store.put`."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=entity_item(self.entity, creation, created_at=_now()),
                ConditionExpression="attribute_not_exists(#id)",
                ExpressionAttributeNames={"#id": self.entity.id_name},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            refusal: Mapping[str, Any] = error.response
            return _existing(refusal["Item"])
        return None

    def get(self, entity_id: str) -> Existing | None:
        """Read an entity, strongly consistent; see `Store.get`."""
        answer = self._client.get_item(
            TableName=self._table,
            Key={self.entity.id_name: {"S": entity_id}},
            ConsistentRead=True,
        )
        item = answer.get("Item")
        return _existing(item) if item else None

    def put_receipt(self, receipt: Receipt) -> None:
        """Write a receipt, a failure only where no success stands; see `Store.put_receipt`."""
        expires_at = int(time.time() + self._receipt_seconds)
        item = receipt_item(self.entity, receipt, recorded_at=_now(), expires_at=expires_at)
        if receipt.failure is None:
            self._client.put_item(TableName=self._table, Item=item)
            return
        with contextlib.suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(#id) OR outcome = :failed",
                ExpressionAttributeNames={"#id": self.entity.id_name},
                ExpressionAttributeValues={":failed": {"S": "FAILED"}},
            )


@cache
def default_store() -> TableStore:
    """
    Return the store that the environment names (`TABLE_NAME`, `ENTITY`, `RECEIPT_DAYS`).

    Raises:
        ValueError: The environment does not name one.
    """
    table, entity = os.environ.get("TABLE_NAME", ""), os.environ.get("ENTITY", "")
    if not table:
        raise ValueError("TABLE_NAME is not set: set it to the name of the table")
    if not entity:
        raise ValueError("ENTITY is not set: set it to what deploy.contract.entity gives as text")
    days = os.environ.get("RECEIPT_DAYS", "30")
    try:
        receipt_days = float(days)
    except ValueError:
        raise ValueError(f"RECEIPT_DAYS must be a number of days, not {days!r}") from None
    return TableStore(table, read_entity(entity), receipt_days=receipt_days)


def entity_item(entity: Entity, creation: Creation, *, created_at: str) -> "Item":
    """Write an entity as an item, in DynamoDB's typed JSON."""
    return _item(
        {
            **creation.members,
            entity.id_name: creation.entity_id,
            "messageId": creation.message_id,
            "createdAt": created_at,
            "requestHash": creation.request_hash,
            "callerAccount": creation.caller_account,
            "schemaVersion": creation.schema_version,
        }
    )


def receipt_item(entity: Entity, receipt: Receipt, *, recorded_at: str, expires_at: int) -> "Item":
    """Write a receipt as an item; `expires_at` is in epoch seconds, for the table's TTL."""
    item: dict[str, object] = {
        entity.id_name: f"receipt#{receipt.message_id}",
        "messageId": receipt.message_id,
        "outcome": "SUCCEEDED" if receipt.failure is None else "FAILED",
        "recordedAt": recorded_at,
        "expiresAt": expires_at,
    }
    if receipt.entity_id is not None:
        item[entity.result_name] = receipt.entity_id
    if receipt.failure is not None:
        item["failure"] = {"code": receipt.failure.code, "message": receipt.failure.message}
    if receipt.message is not None:
        item["message"] = _original(receipt.message)
    return _item(item)


def _item(values: dict[str, object]) -> "Item":
    serialize = TypeSerializer().serialize
    return {name: serialize(value) for name, value in values.items()}


def _original(message: Message) -> dict[str, object]:
    # What has no UTF-8 cannot be stored; a queue does not deliver it either.
    body = message.body.encode("utf-8", "replace")[:MAX_ORIGINAL_BYTES]
    return {"body": body.decode("utf-8", "ignore"), "attributes": dict(message.attributes)}


def _existing(item: "Item") -> Existing:
    return Existing(
        message_id=item["messageId"].get("S", ""), request_hash=item["requestHash"].get("S", "")
    )


def _now() -> str:
    """Return the time in ISO 8601, in UTC with milliseconds, as `2026-11-23T20:15:00.123Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
