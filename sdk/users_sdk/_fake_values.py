"""Values that a script gives, checked against what the API's document says of them. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from ._codec import adapter
from ._json import is_array
from ._sample import Schema, document_of, is_dict, schema_of
from .errors import ConfigurationError

_NULL = {"type": "null"}


def fitted(kind: Any, made: Any, given: object, *, what: str, strict: bool = True) -> Any:
    """
    Return what a script gives, as JSON values; text or bytes where that is what the API sends.

    Args:
        kind: The type that it must fit.
        made: A value of that type: an object's members that are not given are taken from it.
        given: The value, or members of it; `None` takes what was made.
        what: What it is, for people.
        strict: Whether members that the type does not list are refused.

    Raises:
        ConfigurationError: It does not fit.
    """
    if given is None:
        return made
    if kind is None or kind is bytes:
        return _plain(kind, given, what)
    value = _json(kind, given, what)
    # A value of another member of a union must not be mixed with what was made.
    if is_dict(made) and is_dict(value) and not _options(document_of(kind)):
        value = {**made, **value}
    misfit = _misfit(kind, value)
    if misfit:
        raise ConfigurationError(f"{what} does not fit: {misfit}")
    if strict:
        _refuse_unlisted(kind, value, what)
    return value


def echoed(kind: Any, made: Any, members: Mapping[str, Any]) -> Any:
    """
    Return an object that was made with those members of a request that it has, too.

    Args:
        kind: The type that it must fit; a member that does not fit it is left as it was made.
        made: What was made; anything but an object is returned as it is.
        members: The request's, by their names on the wire.
    """
    if not is_dict(made):
        return made
    known = schema_of(kind).members()
    shared = {name: it for name, it in members.items() if name in known and _is_json(it)}
    if not shared or not _misfit(kind, {**made, **shared}):
        return {**made, **shared}
    for name, value in shared.items():
        if not _misfit(kind, {**made, name: value}):
            made = {**made, name: value}
    return made


def _is_json(value: Any) -> bool:
    if is_array(value):
        return all(map(_is_json, value))
    return not isinstance(value, bytes)


def _plain(kind: Any, given: object, what: str) -> Any:
    if kind is bytes and isinstance(given, bytes | bytearray):
        return bytes(given)
    expected = "bytes" if kind is bytes else "nothing: the document gives the answer no body"
    raise ConfigurationError(f"{what} must be {expected}, not a {type(given).__qualname__}")


def _json(kind: Any, given: object, what: str) -> Any:
    try:
        if isinstance(given, BaseModel):
            return adapter(kind).dump_python(
                given, mode="json", by_alias=True, exclude_unset=True, warnings=False
            )
        return to_jsonable_python(given, by_alias=True)
    except PydanticSerializationError as error:
        raise ConfigurationError(f"{what} cannot be written as JSON: {error}") from error


def _misfit(kind: Any, value: Any) -> str:
    """Return why a value does not fit; an empty text if it does."""
    try:
        # By the names on the wire alone, as a server sends them.
        adapter(kind).validate_json(json.dumps(value), by_alias=True, by_name=False)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        lines = (": ".join((".".join(map(str, it["loc"])), it["msg"])) for it in faults)
        return "; ".join(lines)
    return ""


def _refuse_unlisted(kind: Any, value: Any, what: str) -> None:
    found = list(_unlisted(document_of(kind), value, ""))
    if found:
        place, known = found[0]
        raise ConfigurationError(
            f"{what} has no member {place!r}: {likely(place.rpartition('.')[2], known)} "
            "(strict=False lets it pass, as of a newer server)"
        )


def likely(name: str, known: list[str]) -> str:
    """Return what a name that is not known may mean, or else what is known."""
    near = get_close_matches(name, known, n=1) or _folded_match(name, known)
    return f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known)}"


def _folded_match(name: str, known: list[str]) -> list[str]:
    folded = name.replace("_", "").lower()
    return [one for one in known if one.replace("_", "").lower() == folded]


def _options(schema: Schema) -> list[Schema]:
    """Return the members of a union; none if it is no union."""
    nodes = [*schema.node.get("anyOf", ()), *schema.node.get("oneOf", ())]
    return [Schema(it, schema.definitions).followed() for it in nodes if it != _NULL]


def _unlisted(schema: Schema, value: Any, place: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the place of each member that is not listed, with the names that are."""

    def inner(node: Mapping[str, Any], value: Any, name: object) -> Iterator[tuple[str, list[str]]]:
        part = Schema(node, schema.definitions).followed()
        return _unlisted(part, value, f"{place}{name}.")

    options = _options(schema)
    if options:
        # Of a union the member counts that the value fits best.
        yield from min((list(_unlisted(it, value, place)) for it in options), key=len)
    elif is_dict(value):
        known = schema.members()
        for name, member in value.items():
            node = known.get(name, schema.node.get("additionalProperties"))
            if is_dict(node):
                yield from inner(node, member, name)
            elif known:
                yield f"{place}{name}", sorted(known)
    elif is_array(value):
        for index, item in enumerate(value):
            yield from inner(schema.node.get("items", {}), item, index)
