"""
Requests: an operation and its arguments, written as they go over the wire. Pure.

Everything is percent-encoded here and nothing is left to the HTTP client, so that what is signed is
what is sent. In a query the delimiters of lists are encoded too: a signature covers the query's
decoded values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pydantic_core import PydanticSerializationError, to_jsonable_python

from ._codec import check_argument, encoded, json_body
from ._fields import flaw
from ._http import Headers, Request
from ._json import is_array, is_object
from ._multipart import multipart
from ._operation import Body, Operation, Parameter
from ._retry import IDEMPOTENT_METHODS
from .errors import InvalidArgumentError

_DELIMITERS = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|"}


@dataclass(frozen=True, slots=True)
class Prepared:
    """
    A request that is ready but for its signature, and what it was made from.

    Attributes:
        request: The request.
        arguments: The arguments that were given, as JSON values, by Python name.
        body: The body, as JSON values.
        idempotency_key: What makes its repetitions one, if the operation takes a key.
        safe: Whether sending it twice means sending it once.
    """

    request: Request
    arguments: Mapping[str, Any]
    body: Any
    idempotency_key: str | None
    safe: bool


def prepare(
    operation: Operation[Any],
    base_url: str,
    arguments: Mapping[str, object],
    body: object = None,
    *,
    headers: Headers,
    new_key: Callable[[], str],
    from_server: bool = False,
) -> Prepared:
    """
    Write a request.

    Args:
        operation: What to call.
        base_url: Where the API is.
        arguments: By Python name; `None` is not given.
        body: The body, if the operation takes one.
        headers: Header fields of every request.
        new_key: Makes an idempotency key; called if the operation takes one and none is given.
        from_server: Whether the server itself has told the arguments: the document's limits do not
            bind it.

    Raises:
        InvalidArgumentError: An argument is missing or cannot be sent, or the body is not valid.
    """
    values = _given(operation, arguments, limited=not from_server)
    key_parameter = operation.key_parameter
    key: str | None = None
    if operation.idempotency_header is not None:
        given = values.get(key_parameter.name) if key_parameter else None
        key = new_key() if given is None else _text(given)
        if not key:
            raise InvalidArgumentError(
                f"{key_parameter.name if key_parameter else 'the key'} must not be empty: without "
                "a key, the same call again would not be known as the same"
            )
        if key_parameter:
            values[key_parameter.name] = key
    document = _document(operation, body)
    fields = _headers(operation, values)
    if key is not None and operation.idempotency_header is not None:
        fields[operation.idempotency_header] = key
    content = b""
    if operation.body is not None and document is not None:
        content, fields["Content-Type"] = _content(operation.body, document)
    url = base_url + _path(operation, values) + _query(operation, values)
    request = Request(operation.method, url, headers.merged(fields), content)
    safe = operation.method in IDEMPOTENT_METHODS or key is not None
    return Prepared(request, values, document, key, safe)


def _given(
    operation: Operation[Any], arguments: Mapping[str, object], *, limited: bool
) -> dict[str, Any]:
    """Return the given arguments as JSON values, within the document's limits if they bind."""
    values: dict[str, Any] = {}
    for parameter in operation.parameters:
        value = arguments.get(parameter.name)
        if value is not None:
            plain = _json(parameter, value)
            if limited and parameter.type is not None:
                check_argument(parameter, plain)
            # A parameter described by a media type is that JSON text, wherever it is sent.
            as_text = parameter.style == "json"
            values[parameter.name] = encoded(plain).decode("ascii") if as_text else plain
        elif parameter.required and parameter.wire_name != operation.idempotency_header:
            raise InvalidArgumentError(f"{parameter.name} must be given, and not be None")
    return values


def _json(parameter: Parameter, value: object) -> Any:
    try:
        return to_jsonable_python(value, by_alias=True, exclude_none=True)
    except (PydanticSerializationError, UnicodeDecodeError) as error:
        raise InvalidArgumentError(f"{parameter.name} cannot be sent: {error}") from error


def _document(operation: Operation[Any], body: object) -> Any:
    if body is None:
        if operation.body is not None and operation.body.required:
            raise InvalidArgumentError("The body must be given, and not be None")
        return None
    if operation.body is None:
        raise InvalidArgumentError(f"{operation.name} takes no body")
    return json_body(operation.body, body)


def _content(body: Body, document: Any) -> tuple[bytes, str]:
    """Write a body; return it and its `Content-Type`."""
    media_type = body.media_type.partition(";")[0].strip().lower()
    if media_type.startswith("multipart/"):
        return multipart(document, body.encoding, body.media_type)
    if isinstance(document, bytes):
        return document, body.media_type
    if media_type == "application/x-www-form-urlencoded":
        return _form(document), body.media_type
    if isinstance(document, str) and media_type.startswith("text/"):
        return document.encode("utf-8"), body.media_type
    return encoded(document), body.media_type


def _form(document: Mapping[str, Any]) -> bytes:
    """Write a form: a list as a field for each member, objects as JSON (OpenAPI 3.0, 4.7.15)."""
    pairs: list[str] = []
    for name, value in document.items():
        for member in value if is_array(value) else [value]:
            nested = is_object(member) or is_array(member)
            text = encoded(member).decode("ascii") if nested else _text(member)
            pairs.append(f"{quote(name, safe='')}={quote(text, safe='')}")
    return "&".join(pairs).encode("ascii")


def _path(operation: Operation[Any], values: Mapping[str, Any]) -> str:
    path = operation.path
    for parameter in operation.parameters:
        if parameter.location == "path":
            segment = _segment(parameter, values[parameter.name])
            # A path of these would be resolved on the way, and reach something else.
            if segment in ("", ".", ".."):
                raise InvalidArgumentError(
                    f"{parameter.name} must not be {segment!r}: it is a part of the path"
                )
            path = path.replace(f"{{{parameter.wire_name}}}", segment)
    return path


def _segment(parameter: Parameter, value: Any) -> str:
    """Write a path parameter. Source: OpenAPI 3.0, 4.7.12.3 (style values)."""
    if isinstance(value, str) and parameter.style == "simple":
        return _quoted(parameter, value)
    pairs, parts = _members(parameter, value)
    if parameter.style == "matrix":
        name = _quoted(parameter, parameter.wire_name)
        if parameter.explode and pairs is not None:
            return "".join(f";{pair}" for pair in pairs)
        if parameter.explode:
            return "".join(f";{name}={member}" for member in parts)
        return f";{name}={','.join(parts)}"
    if parameter.style == "label":
        return "." + ("." if parameter.explode else ",").join(pairs or parts)
    return ",".join(pairs or parts)


def _members(parameter: Parameter, value: Any) -> tuple[list[str] | None, list[str]]:
    """Return an object's `name=value` pairs if they are wanted, and all members one by one."""
    if is_object(value):
        items = [(_quoted(parameter, key), _quoted(parameter, item)) for key, item in value.items()]
        pairs = [f"{key}={item}" for key, item in items] if parameter.explode else None
        return pairs, [text for item in items for text in item]
    members = value if is_array(value) else [value]
    return None, [_quoted(parameter, member) for member in members]


def _query(operation: Operation[Any], values: Mapping[str, Any]) -> str:
    pairs = [
        f"{_quoted(parameter, name)}={_quoted(parameter, value)}"
        for parameter in operation.parameters
        if parameter.location == "query" and parameter.name in values
        for name, value in _pairs(parameter, values[parameter.name])
    ]
    return f"?{'&'.join(pairs)}" if pairs else ""


def _pairs(parameter: Parameter, value: Any) -> list[tuple[str, Any]]:
    """Write a query parameter. Source: OpenAPI 3.0, 4.7.12.3 (style values)."""
    name = parameter.wire_name
    delimiter = _DELIMITERS.get(parameter.style, ",")
    if is_object(value):
        if parameter.style == "deepObject":
            return [(f"{name}[{key}]", item) for key, item in value.items()]
        if parameter.explode:
            return list(value.items())
        return [(name, delimiter.join(_text(text) for item in value.items() for text in item))]
    if is_array(value):
        if parameter.explode:
            return [(name, item) for item in value]
        return [(name, delimiter.join(map(_text, value)))]
    return [(name, value)]


def _headers(operation: Operation[Any], values: Mapping[str, Any]) -> dict[str, str]:
    fields: dict[str, str] = {} if operation.answers_json else {"Accept": "*/*"}
    cookies: list[str] = []
    for parameter in operation.parameters:
        if parameter.name not in values:
            continue
        value = values[parameter.name]
        if parameter.location == "header":
            fields[parameter.wire_name] = _field(parameter, value)
        elif parameter.location == "cookie":
            cookies += [
                f"{_quoted(parameter, name)}={_quoted(parameter, item)}"
                for name, item in _pairs(parameter, value)
            ]
    if cookies:
        fields["Cookie"] = "; ".join(cookies)
    return fields


def _field(parameter: Parameter, value: Any) -> str:
    if is_object(value):
        joint = "=" if parameter.explode else ","
        text = ",".join(f"{_text(key)}{joint}{_text(item)}" for key, item in value.items())
    elif is_array(value):
        text = ",".join(map(_text, value))
    else:
        text = _text(value)
    reason = flaw(text)
    if reason is not None:
        raise InvalidArgumentError(f"{parameter.name} is sent as a header, but it {reason}")
    return text


def _quoted(parameter: Parameter, value: Any) -> str:
    try:
        return quote(_text(value), safe="")
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(f"{parameter.name} is not valid Unicode: {error}") from error


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
