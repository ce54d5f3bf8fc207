"""
The table: one item per user, and receipts for what no user item tells.

1. A user item is written once, on the condition that there is none, and never changed.
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

from consumer.work import Creation, ExistingUser, Message, Receipt

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = dict[str, AttributeValueTypeDef]

SECONDS_PER_DAY = 86_400

MAX_ORIGINAL_BYTES = 300_000
"""What a receipt keeps of a body: an item holds 400 KB. No body so long can make a user."""

# Bounded, so that a table that does not answer costs the batch less than the function's timeout;
# the queue repeats what fails.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 2},
)


class Store(Protocol):
    """What the handlers need of a table."""

    def put_user(self, creation: Creation) -> ExistingUser | None:
        """Write the user unless its ID exists; return what exists, or `None` when written."""

    def get_user(self, user_id: str) -> ExistingUser | None:
        """Read a user as it was last written; `None` if there is none."""

    def put_receipt(self, receipt: Receipt) -> None:
        """Write a receipt; one of failure gives way to one of success, before or after it."""


class TableStore:
    """
    The DynamoDB table.

    Args:
        table: Name of the table.
        receipt_days: How long receipts are kept (the table's TTL attribute is `expiresAt`).
    """

    def __init__(self, table: str, *, receipt_days: float) -> None:
        self._table = table
        self._receipt_seconds = receipt_days * SECONDS_PER_DAY

    @cached_property
    def _client(self) -> "DynamoDBClient":
        return boto3.client("dynamodb", config=_CONFIG)

    def put_user(self, creation: Creation) -> ExistingUser | None:
        """Write the user in one conditional request; see `Store.put_user`."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=user_item(creation, created_at=_now()),
                ConditionExpression="attribute_not_exists(userId)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            refusal: Mapping[str, Any] = error.response
            return _existing(refusal["Item"])
        return None

    def get_user(self, user_id: str) -> ExistingUser | None:
        """Read a user, strongly consistent; see `Store.get_user`."""
        answer = self._client.get_item(
            TableName=self._table, Key={"userId": {"S": user_id}}, ConsistentRead=True
        )
        item = answer.get("Item")
        return _existing(item) if item else None

    def put_receipt(self, receipt: Receipt) -> None:
        """Write a receipt, a failure only where no success stands; see `Store.put_receipt`."""
        item = receipt_item(receipt, recorded_at=_now(), expires_at=self._expires_at())
        if receipt.failure is None:
            self._client.put_item(TableName=self._table, Item=item)
            return
        with contextlib.suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(userId) OR outcome = :failed",
                ExpressionAttributeValues={":failed": {"S": "FAILED"}},
            )

    def _expires_at(self) -> int:
        return int(time.time() + self._receipt_seconds)


@cache
def default_store() -> TableStore:
    """
    Return the store that the environment names (`USERS_TABLE`, `RECEIPT_DAYS`).

    Raises:
        ValueError: The environment does not name one.
    """
    table = os.environ.get("USERS_TABLE", "")
    if not table:
        raise ValueError("USERS_TABLE is not set: set it to the name of the table")
    days = os.environ.get("RECEIPT_DAYS", "30")
    try:
        return TableStore(table, receipt_days=float(days))
    except ValueError:
        raise ValueError(f"RECEIPT_DAYS must be a number of days, not {days!r}") from None


def user_item(creation: Creation, *, created_at: str) -> "Item":
    """Write a user as an item, in DynamoDB's typed JSON."""
    return _item(
        {
            "userId": creation.user_id,
            "messageId": creation.message_id,
            **creation.user,
            "createdAt": created_at,
            "requestHash": creation.request_hash,
            "callerAccount": creation.caller_account,
            "schemaVersion": creation.schema_version,
        }
    )


def receipt_item(receipt: Receipt, *, recorded_at: str, expires_at: int) -> "Item":
    """Write a receipt as an item; `expires_at` is in epoch seconds, for the table's TTL."""
    item: dict[str, object] = {
        "userId": f"receipt#{receipt.message_id}",
        "messageId": receipt.message_id,
        "outcome": "SUCCEEDED" if receipt.failure is None else "FAILED",
        "recordedAt": recorded_at,
        "expiresAt": expires_at,
    }
    if receipt.user_id is not None:
        item["resultUserId"] = receipt.user_id
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


def _existing(item: "Item") -> ExistingUser:
    return ExistingUser(
        message_id=item["messageId"].get("S", ""), request_hash=item["requestHash"].get("S", "")
    )


def _now() -> str:
    """Return the time in ISO 8601, in UTC with milliseconds, as `2026-11-23T20:15:00.123Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
