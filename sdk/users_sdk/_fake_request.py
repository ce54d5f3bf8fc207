"""Requests as a server reads them: which operation, with which arguments and body. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import ValidationError

from ._codec import adapter
from ._http import Headers, Request
from ._operation import Operation, Parameter
from ._sample import Schema, schema_of

_DELIMITERS = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|"}


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """
    A request that the fake got.

    Attributes:
        operation: The name of the operation's method; `None` if there is no operation for it.
        method: The HTTP method.
        url: The URL as it came over the wire.
        headers: The header fields.
        arguments: The arguments by their Python names, as the types that the method takes.
        body: The body: JSON values, or text or bytes where it is no JSON; `None` if there is none.
        at: When it came, in seconds on the fake's clock.
        idempotency_key: The key that it was sent with, if it was sent with one.
    """

    operation: str | None
    method: str
    url: str
    headers: Headers
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    body: Any = None
    at: float = 0.0
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal(Exception):  # noqa: N818  # what a server says, not what went wrong here
    """
    Why a request is refused.

    Attributes:
        status: The HTTP status.
        code: The reason for programs.
        message: The reason for people.
    """

    status: int
    code: str
    message: str


class Routes:
    """
    The operations by method and path, wherever the API is mounted.

    Args:
        operations: What can be called.
        types: The types of each operation's parameters, by their Python names.
    """

    def __init__(
        self, operations: Iterable[Operation[Any]], types: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._types = types
        self._routes = [(_pattern(operation.path), operation) for operation in operations]
        # A literal path is meant before one with parameters, as OpenAPI 3.0, 4.7.8 says.
        self._routes.sort(key=lambda route: (route[1].path.count("{"), -len(route[1].path)))

    def match(self, request: Request) -> tuple[Operation[Any], Mapping[str, str]]:
        """
        Return the operation, and the path's parameters as they were sent.

        Raises:
            Refusal: There is none.
        """
        path = urlsplit(request.url).path
        known = False
        for pattern, operation in self._routes:
            found = pattern.search(path)
            if found is not None:
                if operation.method == request.method:
                    names = re.findall(r"\{([^}]*)\}", operation.path)
                    return operation, dict(zip(names, found.groups(), strict=True))
                known = True
        if known:
            text = f"{request.method} is not allowed for {path}"
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", text)
        raise Refusal(HTTPStatus.NOT_FOUND, "NOT_FOUND", f"There is no {request.method} {path}")

    def arguments(
        self, operation: Operation[Any], path: Mapping[str, str], request: Request
    ) -> dict[str, Any]:
        """
        Return a request's arguments.

        Raises:
            Refusal: A required one is missing, or one is not as the document describes it.
        """
        sent = _Sent(operation, path, request)
        arguments: dict[str, Any] = {}
        for parameter in operation.parameters:
            kind = self._types.get(operation.name, {}).get(parameter.name, str)
            try:
                value = sent.value(parameter, kind)
                if value is not None and parameter.type is not None:
                    adapter(parameter.type).validate_python(value)
                if value is not None:
                    arguments[parameter.name] = adapter(kind).validate_python(value)
            except (ValidationError, ValueError) as error:
                raise _bad(f"{parameter.wire_name} is not valid: {_reason(error)}") from None
            if value is None and parameter.required:
                raise _bad(f"{parameter.wire_name} is missing")
        return arguments


def read_body(operation: Operation[Any], request: Request) -> Any:
    """
    Return a request's body as JSON values, or as text or bytes where that is what it takes.

    Raises:
        Refusal: It is missing, of another media type, or not valid.
    """
    body = operation.body
    if body is None:
        return None
    if not request.body and "content-type" not in request.headers:
        if body.required:
            raise _bad("The body is missing", "INVALID_BODY")
        return None
    media_type = request.headers.get("content-type", "").partition(";")[0].strip()
    if media_type.lower() != body.media_type.partition(";")[0].strip().lower():
        text = f"The body must be {body.media_type}, not {media_type or 'of no type'}"
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", text)
    if body.type is bytes:
        return request.body
    try:
        if body.type is str and "json" not in media_type:
            return request.body.decode("utf-8")
        if media_type in _FORMS:
            pairs = _FORMS[media_type](request)
            value = _members(pairs, schema_of(body.type))
            adapter(body.type).validate_python(value, by_alias=True, by_name=False)
            return value
        # By the names on the wire alone: a server knows no Python names.
        adapter(body.type).validate_json(request.body, by_alias=True, by_name=False)
        return json.loads(request.body)
    except (ValidationError, ValueError) as error:
        raise _bad(f"The body is not valid: {_reason(error)}", "INVALID_BODY") from None


def readable(request: Request) -> Any:
    """Return a body for people: JSON values, else text, else bytes; `None` if there is none."""
    if not request.body:
        return None
    try:
        return json.loads(request.body)
    except ValueError:
        try:
            return request.body.decode("utf-8")
        except UnicodeDecodeError:
            return request.body


class _Sent:
    """The parameters of one request, as texts."""

    def __init__(
        self, operation: Operation[Any], path: Mapping[str, str], request: Request
    ) -> None:
        query = urlsplit(request.url).query
        self._operation = operation
        self._path = path
        self._headers = request.headers
        self._query = parse_qsl(query, keep_blank_values=True)
        cookies = request.headers.get("cookie", "").split("; ")
        self._cookies = [
            (unquote(name), unquote(value))
            for name, _, value in (c.partition("=") for c in cookies)
        ]

    def value(self, parameter: Parameter, kind: Any) -> Any:
        """Return a parameter's value as texts, lists and objects of texts; `None` if not sent."""
        schema = schema_of(kind)
        shape = schema.node.get("type")
        if parameter.location in ("query", "cookie"):
            pairs = self._query if parameter.location == "query" else self._cookies
            return _from_pairs(parameter, pairs, shape, tuple(schema.members()))
        if parameter.location == "header":
            text = self._headers.get(parameter.wire_name)
            return None if text is None else _from_text(parameter, text, shape)
        text = self._path[parameter.wire_name]
        if not text:
            return None
        return _from_path(parameter, text, shape)


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^}]*\}", path)
    return re.compile("([^/]*)".join(map(re.escape, parts)) + "$")


def _from_pairs(
    parameter: Parameter,
    pairs: Sequence[tuple[str, str]],
    shape: str | None,
    members: Iterable[str],
) -> Any:
    name = parameter.wire_name
    values = [value for key, value in pairs if key == name]
    if shape == "object" and parameter.style == "deepObject":
        found = {key[len(name) + 1 : -1]: v for key, v in pairs if key.startswith(f"{name}[")}
        return found or None
    if shape == "object" and parameter.explode and parameter.style != "json":
        return {key: value for key, value in pairs if key in members} or None
    if shape == "array" and parameter.explode and parameter.style != "json":
        return values or None
    if not values:
        return None
    return _from_text(parameter, values[-1], shape, _DELIMITERS.get(parameter.style, ","))


def _from_path(parameter: Parameter, text: str, shape: str | None) -> Any:
    if parameter.style == "matrix":
        pairs = [
            (unquote(k), unquote(v)) for k, _, v in (p.partition("=") for p in text[1:].split(";"))
        ]
        if shape == "object" and parameter.explode:
            return dict(pairs)
        if shape == "array" and parameter.explode:
            return [value for _, value in pairs]
        text = text.partition("=")[2]
    delimiter = ","
    if parameter.style == "label":
        text, delimiter = text[1:], "." if parameter.explode else ","
    return _from_text(parameter, text, shape, delimiter, encoded=True)


def _from_text(
    parameter: Parameter,
    text: str,
    shape: str | None,
    delimiter: str = ",",
    *,
    encoded: bool = False,
) -> Any:
    def decoded(part: str) -> str:
        return unquote(part) if encoded else part

    if parameter.style == "json":
        return json.loads(decoded(text))
    if shape not in ("array", "object"):
        return decoded(text)
    parts = text.split(delimiter) if text else []
    if shape == "array":
        return [decoded(part) for part in parts]
    if parameter.explode:
        pairs = (part.partition("=") for part in parts)
        return {decoded(name): decoded(value) for name, _, value in pairs}
    return dict(zip(map(decoded, parts[::2]), map(decoded, parts[1::2]), strict=False))


def _form(request: Request) -> Iterator[tuple[str, Any]]:
    """Yield the members of an HTML form."""
    yield from parse_qsl(request.body.decode("utf-8"), keep_blank_values=True)


def _parts(request: Request) -> Iterator[tuple[str, Any]]:
    """
    Yield the parts of a body of several: files as bytes, JSON as its values, others as texts.

    Raises:
        ValueError: It is not such a body.
    """
    boundary = re.search(r"boundary=\"?([^\";]+)", request.headers.get("content-type", ""))
    if boundary is None:
        raise ValueError("its Content-Type names no boundary")
    pieces = (b"\r\n" + request.body).split(b"\r\n--" + boundary[1].encode("ascii"))
    if pieces[0] or not pieces[-1].startswith(b"--"):
        raise ValueError("it does not begin and end with its boundary")
    for piece in pieces[1:-1]:
        head, _, content = piece.partition(b"\r\n\r\n")
        text = head.decode("utf-8")
        named = re.search(r'[;\s]name="([^"]*)"', text)
        if named is None:
            raise ValueError("one of its parts has no name")
        if "filename=" in text:
            yield unquote(named[1]), content
        elif re.search(r"(?im)^content-type:.*json", text):
            yield unquote(named[1]), json.loads(content)
        else:
            yield unquote(named[1]), content.decode("utf-8")


_FORMS: Mapping[str, Callable[[Request], Iterator[tuple[str, Any]]]] = {
    "application/x-www-form-urlencoded": _form,
    "multipart/form-data": _parts,
}


def _members(pairs: Iterable[tuple[str, Any]], schema: Schema) -> dict[str, Any]:
    """Return an object of members that come one by one: a list's each by itself."""
    members: dict[str, Any] = {}
    for name, value in pairs:
        if schema.child(name).node.get("type") == "array":
            members.setdefault(name, []).append(value)
        else:
            members[name] = value
    return members


def _bad(message: str, code: str = "INVALID_PARAMETER") -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, code, message)


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        return "; ".join(
            ": ".join(filter(None, (".".join(map(str, fault["loc"])), fault["msg"])))
            for fault in faults[:5]
        )
    return str(error)
