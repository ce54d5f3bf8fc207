"""
What a message means: pure functions from a queue message to what is to be written.

1. The same request always means the same entity: `entity_id` depends on the calling account and its
   idempotency key alone, or, where there is no key, on the message ID.
2. A message that can never succeed gives a `Failure`. Nothing that a message holds makes a function
   of this module raise, and no text of a failure repeats a member's value.
3. Nothing here reads a clock, the environment or the network.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from consumer.body import InvalidMessageError, canonical, members_of, shortened
from consumer.entity import Entity

FailureCode = Literal[
    "IDEMPOTENCY_KEY_REUSED",
    "INVALID_IDEMPOTENCY_KEY",
    "INVALID_MESSAGE",
    "PROCESSING_FAILED",
    "UNSUPPORTED_SCHEMA_VERSION",
]

SCHEMA_VERSION = "1"
"""The version of the message's form that this code reads (message attribute `schemaVersion`)."""

MAX_KEY_LENGTH = 255
"""In characters. Source: openapi.yaml, paths./users.post.parameters, `Idempotency-Key`."""

NAMESPACE = uuid.UUID("6a1c5b0e-9f3d-4c57-8a35-2f1c7d0b9e64")
"""Namespace of the IDs. A change would give every repeated request a second entity."""

_MESSAGE_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Message:
    """A message as the queue delivered it, under the ID that the client holds."""

    id: str
    body: str
    attributes: Mapping[str, str]

    @property
    def redriven(self) -> bool:
        """Whether the message was sent again from the dead letters."""
        return "originalMessageId" in self.attributes


@dataclass(frozen=True)
class Creation:
    """An entity to be created."""

    entity_id: str
    message_id: str
    members: Mapping[str, Any]
    request_hash: str
    caller_account: str
    schema_version: str


@dataclass(frozen=True)
class Failure:
    """Why an entity will not be created; both parts are shown to the client."""

    code: FailureCode
    message: str


@dataclass(frozen=True)
class Existing:
    """What an entity's item in the table says of the request that made it."""

    message_id: str
    request_hash: str


@dataclass(frozen=True)
class Receipt:
    """
    What the client must be able to learn of a message and no entity's item tells.

    Either `entity_id` is set (`SUCCEEDED`), or `failure` and the original `message` (`FAILED`).
    """

    message_id: str
    entity_id: str | None = None
    failure: Failure | None = None
    message: Message | None = None


def read_message(record: Mapping[str, object]) -> Message:
    """
    Read a record of an SQS event.

    A redriven message goes under its original ID: SQS gives whatever is sent again a new one, and
    the client holds the old one. Attributes that are not text are none of ours and left out.

    Args:
        record: One of `Records`; anything may be missing or of another type but `messageId`.
    """
    attributes = _texts(record.get("messageAttributes"))
    original = attributes.get("originalMessageId", "")
    body = record.get("body")
    return Message(
        id=original if _MESSAGE_ID.fullmatch(original) else str(record["messageId"]),
        body=body if isinstance(body, str) else "",
        attributes=attributes,
    )


def decide(message: Message, entity: Entity) -> Creation | Failure:
    """Say which entity a message asks for, or why it can never have one."""
    version = message.attributes.get("schemaVersion", "none")
    if version != SCHEMA_VERSION:
        return Failure(
            "UNSUPPORTED_SCHEMA_VERSION",
            f"The message's schemaVersion must be {SCHEMA_VERSION}; it is {shortened(version)}.",
        )
    key = message.attributes.get("idempotencyKey")
    if key is not None and len(key) > MAX_KEY_LENGTH:
        return Failure(
            "INVALID_IDEMPOTENCY_KEY",
            f"The Idempotency-Key has {len(key)} characters; at most {MAX_KEY_LENGTH} are allowed.",
        )
    try:
        return _creation(message, entity, key, version)
    except InvalidMessageError as error:
        return Failure("INVALID_MESSAGE", f"The request cannot be processed: {error}.")


def receipt_for(
    message: Message, creation: Creation, existing: Existing | None, entity: Entity
) -> Receipt | None:
    """
    Say what the client must be told beside the entity's item.

    Args:
        message: The message that was processed.
        creation: What it asked for.
        existing: What was found in the place of the new item; `None` when that was written.
        entity: What the message makes.

    Returns:
        `None` where the item carries this message's ID and so speaks for itself. A redriven message
        gets its receipt all the same, to replace the one that said it had failed.
    """
    if existing is None or existing.message_id == message.id:
        return Receipt(message.id, entity_id=creation.entity_id) if message.redriven else None
    if existing.request_hash == creation.request_hash:
        return Receipt(message.id, entity_id=creation.entity_id)
    reused = Failure(
        "IDEMPOTENCY_KEY_REUSED",
        "The Idempotency-Key was used before, with another body. "
        f"Use a new key for another {entity.name}.",
    )
    return Receipt(message.id, failure=reused, message=message)


def entity_id(account: str, key: str) -> str:
    """Name the entity that an account asks for under an idempotency key."""
    # As JSON, so that no account and key run together; ASCII, so that any text has an encoding.
    return str(uuid.uuid5(NAMESPACE, json.dumps([account, key])))


def entity_id_without_key(message_id: str) -> str:
    """Name the entity that a message without an idempotency key asks for."""
    return str(uuid.uuid5(NAMESPACE, json.dumps([message_id])))


def request_hash(members: Mapping[str, Any]) -> str:
    """Digest what makes the entity: SHA-256 in hexadecimal, of its members' canonical JSON."""
    return hashlib.sha256(canonical(members)).hexdigest()


def _creation(message: Message, entity: Entity, key: str | None, version: str) -> Creation:
    account = message.attributes.get("callerAccount")
    if account is None:
        raise InvalidMessageError("message attribute callerAccount is missing")
    members = members_of(message.body, entity)
    return Creation(
        entity_id=entity_id_without_key(message.id) if key is None else entity_id(account, key),
        message_id=message.id,
        members=members,
        request_hash=request_hash(members),
        caller_account=account,
        schema_version=version,
    )


def _texts(attributes: object) -> dict[str, str]:
    """Take the text attributes from `messageAttributes` of a record."""
    if not isinstance(attributes, Mapping):
        return {}
    values = {
        str(name): attribute.get("stringValue")
        for name, attribute in attributes.items()
        if isinstance(attribute, Mapping)
    }
    return {name: value for name, value in values.items() if isinstance(value, str)}
