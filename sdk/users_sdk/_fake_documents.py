"""What a fake service says: results made from requests, states, reasons and IDs. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import to_jsonable_python

from ._codec import state_text
from ._fake_answers import result_kind
from ._fake_request import RecordedRequest
from ._fake_values import echoed
from ._operation import AsyncOperation, Embedded, Fetched, Operation
from ._sample import Schema, is_dict, matching, put, sample, schema_of

_ID = re.compile(r"^id$|(?<=[a-z0-9])(Id|ID)$|[_-]id$")
"""Names of members that are IDs."""


def id_names(chain: AsyncOperation[Any]) -> list[str]:
    """Return the names under which a status tells the ID of the result."""
    result = chain.result
    arguments = result.arguments if isinstance(result, Fetched) else ()
    return [str(it.value).rpartition("/")[2] for it in arguments]


def made_from(
    kind: Any, recorded: RecordedRequest, number: int, now: datetime, ids: Iterable[str] = ()
) -> Any:
    """Return a result with the members that the request's body has."""
    if kind is None or kind is bytes:
        return None if kind is None else b"sample"
    schema = schema_of(kind)
    document = sample(schema, now)
    if not is_dict(document):
        return document
    for name in document:
        member = schema.child(name)
        if (_ID.search(name) or name in ids) and _takes_id(member):
            document[name] = numbered(number, member.node)
    return echoed(kind, document, recorded.body if is_dict(recorded.body) else {})


def with_arguments(operation: Operation[Any], document: Any, recorded: RecordedRequest) -> Any:
    """Return an answer with what it was asked for by, where it has members of the same names."""
    asked = {it.wire_name: recorded.arguments.get(it.name) for it in operation.parameters}
    given = {name: value for name, value in asked.items() if value is not None}
    return echoed(result_kind(operation), document, to_jsonable_python(given, by_alias=True))


def _takes_id(schema: Schema) -> bool:
    return schema.node.get("type") in ("string", "integer", "number") and not schema.choices()


def numbered(number: int, node: Mapping[str, Any]) -> Any:
    """
    Return an ID, always the same for a number.

    A text is a UUID of version 4 (RFC 9562), or what the schema's pattern allows instead, if a text
    that it allows can be told.
    """
    if node.get("type") in ("integer", "number"):
        return number
    text = str(UUID(int=number | 4 << 76 | 8 << 60))
    pattern = node.get("pattern", "")
    try:
        example, digits = matching(pattern), str(number)
    except ValueError:
        return text
    if re.search(pattern, text):
        return text
    tries = (digits, example[: -len(digits)] + digits, example + digits)
    return next((it for it in tries if re.search(pattern, it)), example)


def state_value(schema: Schema, state: str) -> Any:
    """Return a state as the JSON value that the document gives it."""
    values = {text: value for value in schema.choices() if (text := state_text(value)) is not None}
    return values.get(state, state)


def with_state(chain: AsyncOperation[Any], result: Any, state: str) -> Any:
    """Return a result with the final state, if it is a part of the status that holds it."""
    at, holder = chain.states.pointer, chain.result
    if not (isinstance(holder, Embedded) and f"{at}/".startswith(f"{holder.pointer}/")):
        return result
    status = schema_of(result_kind(chain.status))
    rest = at.removeprefix(holder.pointer)
    return put(result, status.at(holder.pointer), rest, state_value(status.at(at), state))


def with_reason(chain: AsyncOperation[Any], body: Any, error: Mapping[str, Any]) -> Any:
    """Return a status with the reason of a failure, if it has a place for it."""
    pointer = chain.states.error
    if pointer is None:
        return body
    schema = schema_of(result_kind(chain.status))
    node = schema.at(pointer)
    made = None if node.node.get("type") == "string" else sample(node)
    reason = {**made, **error} if is_dict(made) else error["message"] or error["code"]
    return put(body, schema, pointer, reason)
