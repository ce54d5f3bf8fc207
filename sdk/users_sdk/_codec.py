"""
Bodies: Python values to JSON, JSON to Python values, answers to results and errors. Pure.

JSON is written in ASCII, so that no character is lost between here and the server, and a member
that was not set is not written: absent, `null` and a default are three different things.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, from_json

from ._http import Response
from ._json import is_array, is_object
from ._models import files_of, nulls
from ._operation import Body, Operation, Parameter
from ._retry import retry_after
from .errors import ApiError, InvalidArgumentError, ProtocolError, error_class

T = TypeVar("T")

_FAULT_HEADER = "x-validation-error"
"""What is wrong with a body, from servers that cannot put it into the answer's body."""

_EXCERPT_CHARACTERS = 200
_NULL = "The API takes no null here: leave it unset instead of setting it to None"

_ENCODER = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"))

_adapters: dict[int, tuple[object, TypeAdapter[Any]]] = {}


def adapter(kind: Any) -> TypeAdapter[Any]:
    """Return the validator of a type, made once."""
    known = _adapters.get(id(kind))
    if known is None:
        # By identity, since not every annotation can be hashed; the type is kept with its
        # validator, so that its identity is not given to another.
        known = _adapters[id(kind)] = (kind, TypeAdapter(kind))
    return known[1]


def json_body(body: Body, value: object) -> Any:
    """
    Return a body as JSON values; bytes, as a whole or as a part of several, stay as they are.

    Args:
        body: What the operation takes.
        value: An instance of the model, or a mapping with the names on the wire.

    Raises:
        InvalidArgumentError: It is not valid; each fault is named.
    """
    validator = adapter(body.type)
    try:
        valid = validator.validate_python(value)
        if body.type is bytes:
            return valid
        _refuse(tuple((".".join(place), _NULL) for place in sorted(nulls(valid))))
        if not body.media_type.startswith("multipart/"):
            return validator.dump_python(valid, mode="json", by_alias=True, exclude_unset=True)
        files = files_of(valid)
        others = validator.dump_python(
            valid, mode="json", by_alias=True, exclude_unset=True, exclude=set(files)
        )
        # Files come last: some servers read no text after the first file.
        return {**others, **dict(files.values())}
    except ValidationError as error:
        # Without its cause, which would show the values.
        _refuse(_reasons(error))
        raise
    except PydanticSerializationError as error:
        raise InvalidArgumentError(f"The body cannot be written as JSON: {error}") from error


def _refuse(reasons: tuple[tuple[str, str], ...]) -> None:
    if reasons:
        text = "; ".join(f"{place}: {reason}" if place else reason for place, reason in reasons)
        raise InvalidArgumentError(f"The body is not valid: {text}", reasons=reasons) from None


def check_argument(parameter: Parameter, value: object) -> None:
    """
    Check an argument by the limits that the document sets.

    Args:
        parameter: What it is given for, with limits.
        value: Its JSON value.

    Raises:
        InvalidArgumentError: It is not within them. What is sent as a header or a cookie is not
            shown, as it may be a secret.
    """
    try:
        adapter(parameter.type).validate_python(value)
    except ValidationError as error:
        reasons = tuple(
            (f"{parameter.name}.{place}".rstrip("."), said) for place, said in _reasons(error)
        )
        text = "; ".join(f"{place}: {said}" for place, said in reasons)
        given = _shown(value, hidden=parameter.location in ("header", "cookie"))
        message = f"{text}, but {given} was given; nothing was sent"
        # Without its cause, which would show the value.
        raise InvalidArgumentError(message, reasons=reasons) from None


def _shown(value: object, *, hidden: bool) -> str:
    """Describe an argument: in short, or by its size alone."""
    if isinstance(value, str) and (hidden or len(value) > _EXCERPT_CHARACTERS):
        return f"a text of {len(value)} characters"
    return f"a value of type {type(value).__qualname__}" if hidden else repr(value)


def encoded(document: object) -> bytes:
    """
    Return JSON values as the bytes of a body.

    Raises:
        InvalidArgumentError: There is a number that JSON has not (NaN, infinity).
    """
    try:
        text = _ENCODER.encode(document)
    except ValueError as error:
        raise InvalidArgumentError(f"The body cannot be written as JSON: {error}") from error
    return text.encode("ascii")


def document(operation: Operation[Any], response: Response) -> Any:
    """
    Return an answer's body as JSON values.

    Raises:
        ProtocolError: It is not JSON.
    """
    try:
        return from_json(response.body)
    except ValueError as error:
        raise _broken(operation, response, _not_json(response)) from error


def result(operation: Operation[T], response: Response) -> T:
    """
    Return what a successful answer says, as the type that the operation declares for its status.

    Raises:
        ProtocolError: The status is not declared, or the body is not of its type.
    """
    found, kind = _declared(operation.results, response.status)
    if not found:
        declared = ", ".join(operation.results)
        raise _broken(operation, response, f"has a status that is not one of {declared}")
    value: T
    if kind is None:
        value = None  # type: ignore[assignment]  # the operation declares that there is no body
    elif kind is bytes:
        value = response.body  # type: ignore[assignment]  # the same, of bytes
    elif kind is str and "json" not in response.headers.get("content-type", "json"):
        value = response.body.decode("utf-8", "replace")  # type: ignore[assignment]
    else:
        try:
            value = adapter(kind).validate_json(response.body)
        except ValidationError as error:
            unread = error.errors(include_url=False, include_input=False)[0]["type"]
            fault = _not_json(response) if unread == "json_invalid" else _misfit(error, response)
            raise _broken(operation, response, fault) from error
    return value


def part(operation: Operation[Any], response: Response, value: object, kind: Any) -> Any:
    """
    Return a part of a successful answer, as the type that is declared for it.

    Raises:
        ProtocolError: It is not of that type.
    """
    try:
        return adapter(kind).validate_python(value)
    except ValidationError as error:
        raise _broken(operation, response, _misfit(error, response)) from error


def failure(operation: Operation[Any], response: Response, now: float) -> ApiError:
    """
    Return the error that an answer without success is.

    Args:
        operation: What was called.
        response: The answer.
        now: Seconds since 1970, for a `Retry-After` that is a date.
    """
    body = _loaded(response)
    code = _member(body, "code") or response.headers.get("x-amzn-errortype", "").partition(":")[0]
    reason = _member(body, "detail", "message", "title", "Message")
    fault = response.headers.get(_FAULT_HEADER, "")
    target = _redirection(response)
    said = ": ".join(text for text in (code, reason, fault, target) if text)
    line = f"{operation.method} {operation.path} was answered with {_phrase(response.status)}"
    return error_class(response.status)(
        f"{line}: {said.rstrip('.')}" if said else line,
        status=response.status,
        code=code or None,
        problem=_typed_problem(operation, response, body),
        retry_after=retry_after(response.headers, now),
        request_id=response.request_id,
    )


def resolve(value: Any, pointer: str) -> Any:
    """
    Return what a JSON pointer points to (RFC 6901); `None` if there is nothing, or not yet.

    Args:
        value: JSON values.
        pointer: Such as `/error/code`; empty for the whole.
    """
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if is_object(value):
            value = value.get(name)
        elif is_array(value) and name.isdecimal():
            value = value[int(name)] if int(name) < len(value) else None
        else:
            return None
    return value


def state_text(state: object) -> str | None:
    """Return a state as text, one that is a number as JSON writes it; `None` if it is neither."""
    if isinstance(state, int | float):
        # To JSON, 1.0 is 1.
        whole = isinstance(state, float) and state.is_integer()
        return json.dumps(int(state) if whole else state)
    return state if isinstance(state, str) else None


def reason_of(error: Any) -> tuple[str | None, str | None]:
    """
    Return code and message of a reason: an object with such members, or a text.

    An object without a message is one itself, as JSON, if it says more than a code.
    """
    if not is_object(error):
        return None, None if error is None else str(error)
    code = _member(error, "code", "type")
    message = _member(error, "message", "detail", "reason", "description", "title")
    if not message and len(error) > bool(code):
        message = json.dumps(error, ensure_ascii=False, separators=(",", ":"))
    return code or None, message or None


def _declared(kinds: Mapping[str, Any], status: int) -> tuple[bool, Any]:
    """Look up a status as OpenAPI does: itself, its class, the default."""
    for key in (str(status), f"{status // 100}XX", f"{status // 100}xx", "default"):
        if key in kinds:
            return True, kinds[key]
    return False, None


def _redirection(response: Response) -> str:
    """Say where an answer sends the caller, who is not sent: the request is signed for one host."""
    location = response.headers.get("location", "")
    if response.status // 100 != HTTPStatus.MULTIPLE_CHOICES // 100 or not location:
        return ""
    return f"it points to {location.partition('?')[0]}, and is not followed: check base_url"


def _typed_problem(operation: Operation[Any], response: Response, body: object) -> object:
    _, kind = _declared(operation.errors, response.status)
    if kind is None:
        return body
    try:
        return adapter(kind).validate_python(body)
    except ValidationError:
        # Proxies and gateways answer with bodies of their own; what they say must not be lost.
        return body


def _loaded(response: Response) -> Any:
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError):
        return response.body.decode("utf-8", "replace")


def _member(body: object, *names: str) -> str:
    if not is_object(body):
        return ""
    return next((str(body[name]) for name in names if body.get(name)), "")


def _reasons(error: ValidationError) -> tuple[tuple[str, str], ...]:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return tuple((".".join(map(str, fault["loc"])), fault["msg"]) for fault in faults)


def _not_json(response: Response) -> str:
    """Say why a body is not JSON, which is always UTF-8 (RFC 8259, 8.1)."""
    if not response.body:
        return "is not JSON: it is empty"
    try:
        response.body.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"is not JSON: it is not UTF-8 at byte {error.start}: {_excerpt(response)!r}"
    return f"is not JSON: {_excerpt(response)!r}"


def _misfit(error: ValidationError, response: Response) -> str:
    reasons = "; ".join(f"{place}: {reason}" for place, reason in _reasons(error)[:5])
    return f"is not what the API describes: {reasons}: {_excerpt(response)!r}"


def _broken(operation: Operation[Any], response: Response, what: str) -> ProtocolError:
    return ProtocolError(
        f"The answer {response.status} to {operation.method} {operation.path} {what}",
        request_id=response.request_id,
    )


def _excerpt(response: Response) -> str:
    text = response.body[: _EXCERPT_CHARACTERS * 4].decode("utf-8", "replace")
    return text if len(text) <= _EXCERPT_CHARACTERS else f"{text[:_EXCERPT_CHARACTERS]}…"


def _phrase(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
