"""
What a message means: pure functions from a queue message to what is to be written.

1. The same request always means the same user: `user_id` depends on the calling account and its
   idempotency key alone, or, where there is no key, on the message ID.
2. A message that can never succeed gives a `Failure`. Nothing that a message holds makes a function
   of this module raise, and no text of a failure repeats a member's value.
3. Nothing here reads a clock, the environment or the network.
"""

import hashlib
import json
import math
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import (
    Literal,
    NotRequired,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from consumer._messages import NewUser

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

MAX_TAGS = 50
"""Checked here, because API Gateway's validation leaves `maxItems` out.

Source: openapi.yaml, components.schemas.NewUser.properties.tags.
"""

MAX_BODY_BYTES = 262_144
"""As UTF-8; what the queue takes, and little enough to fit an item (400 KB) with its receipt."""

NAMESPACE = uuid.UUID("6a1c5b0e-9f3d-4c57-8a35-2f1c7d0b9e64")
"""Namespace of the user IDs. A change would give every repeated request a second user."""

_MESSAGE_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

T = TypeVar("T")

_JSON_NAMES = {dict: "an object", list: "a list", str: "text", float: "a number", bool: "a boolean"}


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
    """A user to be created."""

    user_id: str
    message_id: str
    user: NewUser
    request_hash: str
    caller_account: str
    schema_version: str


@dataclass(frozen=True)
class Failure:
    """Why a user will not be created; both parts are shown to the client."""

    code: FailureCode
    message: str


@dataclass(frozen=True)
class ExistingUser:
    """What the table's user item says of the request that made it."""

    message_id: str
    request_hash: str


@dataclass(frozen=True)
class Receipt:
    """
    What the client must be able to learn of a message and no user item tells.

    Either `user_id` is set (`SUCCEEDED`), or `failure` and the original `message` (`FAILED`).
    """

    message_id: str
    user_id: str | None = None
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


def decide(message: Message) -> Creation | Failure:
    """Say which user a message asks for, or why it can never have one."""
    version = message.attributes.get("schemaVersion", "none")
    if version != SCHEMA_VERSION:
        return Failure(
            "UNSUPPORTED_SCHEMA_VERSION",
            f"The message's schemaVersion must be {SCHEMA_VERSION}; it is {_shortened(version)}.",
        )
    key = message.attributes.get("idempotencyKey")
    if key is not None and len(key) > MAX_KEY_LENGTH:
        return Failure(
            "INVALID_IDEMPOTENCY_KEY",
            f"The Idempotency-Key has {len(key)} characters; at most {MAX_KEY_LENGTH} are allowed.",
        )
    try:
        return _creation(message, key, version)
    except InvalidMessageError as error:
        return Failure("INVALID_MESSAGE", f"The request cannot be processed: {error}.")


def receipt_for(
    message: Message, creation: Creation, existing: ExistingUser | None
) -> Receipt | None:
    """
    Say what the client must be told beside the user item.

    Args:
        message: The message that was processed.
        creation: What it asked for.
        existing: The user item found in the place of the new one; `None` when that was written.

    Returns:
        `None` where the item carries this message's ID and so speaks for itself. A redriven message
        gets its receipt all the same, to replace the one that said it had failed.
    """
    if existing is None or existing.message_id == message.id:
        return Receipt(message.id, user_id=creation.user_id) if message.redriven else None
    if existing.request_hash == creation.request_hash:
        return Receipt(message.id, user_id=creation.user_id)
    reused = Failure(
        "IDEMPOTENCY_KEY_REUSED",
        "The Idempotency-Key was used before, with another body. Use a new key for another user.",
    )
    return Receipt(message.id, failure=reused, message=message)


def user_id(account: str, key: str) -> str:
    """Name the user that an account asks for under an idempotency key."""
    # As JSON, so that no account and key run together; ASCII, so that any text has an encoding.
    return str(uuid.uuid5(NAMESPACE, json.dumps([account, key])))


def user_id_without_key(message_id: str) -> str:
    """Name the user that a message without an idempotency key asks for."""
    return str(uuid.uuid5(NAMESPACE, json.dumps([message_id])))


def request_hash(user: NewUser) -> str:
    """Digest the members that make the user: SHA-256 in hexadecimal, of their canonical JSON."""
    canonical = json.dumps(user, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


class InvalidMessageError(Exception):
    """The message is not one that the API sends; the text says what is wrong with it."""


def _creation(message: Message, key: str | None, version: str) -> Creation:
    account = message.attributes.get("callerAccount")
    if account is None:
        raise InvalidMessageError("message attribute callerAccount is missing")
    user = cast(NewUser, _checked(_parsed(message.body), NewUser, "body"))
    if len(user.get("tags", ())) > MAX_TAGS:
        raise InvalidMessageError(f"body.tags has more than {MAX_TAGS} items")
    return Creation(
        user_id=user_id_without_key(message.id) if key is None else user_id(account, key),
        message_id=message.id,
        user=user,
        request_hash=request_hash(user),
        caller_account=account,
        schema_version=version,
    )


def _parsed(body: str) -> object:
    if len(body.encode("utf-8", "surrogatepass")) > MAX_BODY_BYTES:
        raise InvalidMessageError(f"the body has more than {MAX_BODY_BYTES} bytes")
    try:
        return json.loads(
            body,
            object_pairs_hook=_unique,
            parse_constant=_not_json,
            parse_float=_number,
            parse_int=_number,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise InvalidMessageError(f"the body is not JSON ({where})") from None
    except RecursionError:
        raise InvalidMessageError("the body is nested too deeply") from None


def _unique(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for name, value in pairs:
        if name in members:
            raise InvalidMessageError(f"the body has member {_shortened(name)} twice in one object")
        members[name] = value
    return members


def _not_json(constant: str) -> object:
    raise InvalidMessageError(f"the body is not JSON: it has {constant}")


def _number(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise InvalidMessageError("the body has a number that is too large")
    return value


def _checked(value: object, kind: object, where: str) -> object:
    """
    Copy what `kind` names out of a parsed body.

    Args:
        value: What `json.loads` gave.
        kind: A TypedDict, `list[...]` or `str`.
        where: How to call the value in an error.
    """
    if is_typeddict(kind):
        return _members(_of_type(value, dict, where), cast(type, kind), where)
    if get_origin(kind) is list:
        (item,) = get_args(kind)
        values = _of_type(value, list, where)
        return [_checked(each, item, f"{where}[{index}]") for index, each in enumerate(values)]
    text = _of_type(value, str, where)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidMessageError(f"{where} has half a surrogate pair") from None
    return text


def _members(value: dict[str, object], kind: type, where: str) -> dict[str, object]:
    required, kinds = _fields(kind)
    missing = sorted(required - value.keys())
    if missing:
        raise InvalidMessageError(f"{where} lacks {', '.join(missing)}")
    known = [name for name in kinds if name in value]
    return {name: _checked(value[name], kinds[name], f"{where}.{name}") for name in known}


@cache
def _fields(kind: type) -> tuple[frozenset[str], Mapping[str, object]]:
    """Return the members that a TypedDict requires, and the types of all."""
    # __required_keys__ takes every key for required where annotations are postponed.
    annotated = get_type_hints(kind, include_extras=True)
    required = {name for name, hint in annotated.items() if get_origin(hint) is not NotRequired}
    return frozenset(required), get_type_hints(kind)


def _of_type(value: object, expected: type[T], where: str) -> T:
    if isinstance(value, expected):
        return value
    found = _JSON_NAMES.get(type(value), "null")
    raise InvalidMessageError(f"{where} must be {_JSON_NAMES[expected]}; it is {found}")


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


def _shortened(text: str) -> str:
    """Quote at most 40 characters, in ASCII."""
    return json.dumps(text if len(text) <= 40 else text[:39] + "…")
