"""Answers as a server writes them: by what the API's document declares for a status. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from ._fake_request import Refusal
from ._fake_values import fitted
from ._http import Headers, Response
from ._operation import AsyncOperation, Fetched, Operation
from ._sample import is_dict, sample, schema_of


def reply(
    operation: Operation[Any],
    document: Any,
    fields: Mapping[str, str] | None = None,
    status: int | None = None,
) -> Response:
    """
    Return a successful answer.

    Args:
        operation: What was called.
        document: JSON values; text or bytes where that is what the operation answers.
        fields: Header fields.
        status: The status; by default the first that the document declares.
    """
    if status is None:
        status = int(next(iter(operation.results), "200").upper().replace("XX", "00"))
    return written(status, declared(operation.results, status), document, fields)


def refused(errors: Mapping[str, Any], refusal: Refusal) -> Response:
    """Return an error's answer, in the shape that is declared for the status."""
    status = int(refusal.status)
    kind = declared(errors, status)
    if kind in (str, bytes):
        return written(status, kind, refusal.message.encode() if kind is bytes else refusal.message)
    said = {"code": refusal.code, "message": refusal.message, "detail": refusal.message}
    document: dict[str, Any] = {"title": phrase(status), "status": status, **said}
    if kind is not None:
        schema = schema_of(kind)
        document = {name: value for name, value in document.items() if name in schema.members()}
        if not document.keys() & {"message", "detail"} and "title" in document:
            document["title"] = f"{document['title']}: {refusal.message}"
        made = sample(schema)
        document = {**made, **document} if is_dict(made) else made
    return written(status, kind, document)


def error(
    operation: Operation[Any], status: int, body: object, fields: Mapping[str, str], *, strict: bool
) -> Response:
    """
    Return the error's answer that a script gives.

    Raises:
        ConfigurationError: The body does not fit what is declared for the status.
    """
    if body is None:
        usual = refused(operation.errors, Refusal(status, "SCRIPTED", "By script"))
        return Response(status, usual.headers.merged(fields), usual.body)
    kind = declared(operation.errors, status)
    if kind is None:
        # What is not declared may be anything, as what a proxy answers.
        return written(status, None, body, fields)
    made = None if kind in (str, bytes) else sample(schema_of(kind))
    what = f"The body of {operation.name}'s {status}"
    return written(status, kind, fitted(kind, made, body, what=what, strict=strict), fields)


def written(
    status: int, kind: Any, document: Any, fields: Mapping[str, str] | None = None
) -> Response:
    """Return an answer with JSON values, text or bytes in its body; `None` leaves it empty."""
    headers = Headers(fields)
    if document is None and kind is None:
        return Response(status, headers)
    if isinstance(document, bytes):
        return Response(status, _typed("application/octet-stream", headers), document)
    if isinstance(document, str) and kind in (str, None):
        return Response(status, _typed("text/plain; charset=utf-8", headers), document.encode())
    problem = status >= HTTPStatus.BAD_REQUEST
    media_type = "application/problem+json" if problem else "application/json"
    return Response(status, _typed(media_type, headers), json.dumps(document).encode())


def declared(kinds: Mapping[str, Any], status: int) -> Any:
    """Return what is declared for a status; `None` if that is nothing."""
    return kinds.get(declared_as(kinds, status) or "")


def declared_as(kinds: Mapping[str, Any], status: int) -> str | None:
    """Return how a status is declared: as itself, by its class, or by default."""
    names = {name.upper(): name for name in kinds}
    known = (str(status), f"{status // 100}XX", "DEFAULT")
    return next((names[name] for name in known if name in names), None)


def phrase(status: int) -> str:
    """Return what a status means; an empty text for one that no standard names."""
    return HTTPStatus(status).phrase if status in tuple(HTTPStatus) else ""


def result_kind(operation: Operation[Any]) -> Any:
    """Return what an operation answers first of all."""
    return next(iter(operation.results.values()), None)


def chain_kind(chain: AsyncOperation[Any]) -> Any:
    """Return what an asynchronous operation results in."""
    result = chain.result
    return result_kind(result.operation) if isinstance(result, Fetched) else result.type


def _typed(media_type: str, headers: Headers) -> Headers:
    return Headers({"Content-Type": media_type}).merged(headers)
