"""
Every error that the client raises on purpose.

```
SDKError
├── ConfigurationError        a setting is missing, wrong or contradictory (also ValueError)
├── InvalidArgumentError      an argument or a body is not valid; nothing was sent (also ValueError)
├── TransportError            no answer
│   ├── RequestNotSent        the request never left: it was certainly not carried out
│   │   └── ConnectTimeout    the same, for want of time (also TimeoutError)
│   └── UnknownOutcome        the request left: it may have been carried out
│       └── AnswerTimeout     the same, for want of time (also TimeoutError)
├── ApiError                  an answer that is not a success
│   ├── BadRequestError           400
│   ├── AuthenticationError       401
│   ├── ForbiddenError            403
│   ├── NotFoundError             404
│   ├── ConflictError             409
│   ├── ContentTooLargeError      413
│   ├── UnsupportedMediaTypeError 415
│   ├── UnprocessableContentError 422
│   ├── TooManyRequestsError      429
│   └── ServerError               5xx
├── ProtocolError             an answer that breaks the API's own description
├── OperationFailed           the accepted request was processed, and failed
├── WaitTimeout               still running; waiting ended, the request did not (also TimeoutError)
└── ClientClosed              the client was closed before the outcome was known
```

Errors are plain data: they pickle, copy, and hold nothing of the HTTP client. The error that caused
one is its `__cause__`.
"""

# Outcomes bear the name of the outcome, as in the standard library's futures.
# ruff: noqa: N818
from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar


class SDKError(Exception):
    """
    The root of all errors of the client.

    Attributes:
        request_id: The server's ID of the HTTP request, if there was an answer that told it.
        message_id: The server's ID of the accepted request that this is about, if it is about one.
        idempotency_key: The key that was sent; a repetition with the same key is the same request.
    """

    advice: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        request_id: str | None = None,
        message_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(message)
        self.request_id = request_id
        self.message_id = message_id
        self.idempotency_key = idempotency_key

    def __str__(self) -> str:
        """Say what happened, to which request, and what to do."""
        ids = {
            "message ID": self.message_id,
            "request ID": self.request_id,
            "idempotency key": self.idempotency_key,
        }
        known = ", ".join(f"{name} {value}" for name, value in ids.items() if value)
        text = f"{self.args[0]} ({known})" if known else str(self.args[0])
        advice = self._advice()
        return _printable(f"{text}. {advice}" if advice else text)

    def _advice(self) -> str:
        return self.advice

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle and copy by state, so that no subclass has to repeat its own `__init__`."""
        return _rebuild, (type(self), self.args, self.__dict__.copy())


def _printable(text: str) -> str:
    """Return a text whose parts of a server's make no new line in a log, and obey no terminal."""
    if text.isprintable():
        return text
    return "".join(it if it.isprintable() else ascii(it)[1:-1] for it in text)


def _rebuild(cls: type[SDKError], args: tuple[object, ...], state: dict[str, object]) -> SDKError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigurationError(SDKError, ValueError):
    """The client cannot work as it is set up; the message names the setting."""


class InvalidArgumentError(SDKError, ValueError):
    """
    An argument or a body is not valid; nothing was sent.

    Attributes:
        reasons: Each fault as `(place, reason)`, the place as the document names it:
            `address.city`.
    """

    def __init__(self, message: str, *, reasons: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.reasons = reasons


class TransportError(SDKError):
    """No answer was received."""


class RequestNotSent(TransportError):
    """The request never left this machine, so it was certainly not carried out."""

    advice = "Nothing was carried out; the call can be repeated"


class ConnectTimeout(RequestNotSent, TimeoutError):
    """No connection could be had in time."""


class UnknownOutcome(TransportError):
    """
    The request left and no answer came back: it may have been carried out.

    A create that was sent with an idempotency key is made certain by calling it again with
    `idempotency_key` of this error: the server then answers for the same request.
    """

    advice = (
        "It may have been carried out; repeat it with the same idempotency key, if it takes one"
    )


class AnswerTimeout(UnknownOutcome, TimeoutError):
    """No answer came in time."""


class ApiError(SDKError):
    """
    The server answered, and not with a success.

    Attributes:
        status: The HTTP status.
        code: The server's reason for programs, if it gave one.
        problem: The body: the model that the API describes for this status if the body is one, else
            the JSON value, else the text.
        retry_after: Seconds that the server asks to wait before another attempt, if it asks.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str | None = None,
        problem: object = None,
        retry_after: float | None = None,
        request_id: str | None = None,
        message_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(
            message, request_id=request_id, message_id=message_id, idempotency_key=idempotency_key
        )
        self.status = status
        self.code = code
        self.problem = problem
        self.retry_after = retry_after

    def _advice(self) -> str:
        return _ADVICE.get(self.status, self.advice)


class BadRequestError(ApiError):
    """400: the request is not valid."""

    advice = "Mend what the server names: the same request would be refused again"


class AuthenticationError(ApiError):
    """401: the request names no caller that the server knows."""

    advice = "Check the credentials"


class ForbiddenError(ApiError):
    """403: the request is not signed, wrongly signed, or not allowed."""

    advice = "Check the credentials, the region, the clock, and what the caller may do"

    def _advice(self) -> str:
        expired = "expiredtoken" in (self.code or "").replace("_", "").lower()
        return "The credentials have expired: renew them" if expired else self.advice


class NotFoundError(ApiError):
    """404: there is no such thing."""

    advice = "Check the ID, if there is one, and that base_url is the API's, with its stage"


class ConflictError(ApiError):
    """409: the request contradicts what exists."""

    advice = "Look at what exists: the same request would be refused again"


class ContentTooLargeError(ApiError):
    """
    413: the body is too large.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
    """

    advice = "Send less: API Gateway takes 10 MB at most, and what is behind it may take less"


class UnsupportedMediaTypeError(ApiError):
    """415: the body is of a type that the server does not take."""

    advice = (
        "Check what proxies make of Content-Type, and that this package is of the API's version"
    )


class UnprocessableContentError(ApiError):
    """422: the body is well formed and cannot be processed."""

    advice = BadRequestError.advice


class TooManyRequestsError(ApiError):
    """429: the caller is too fast; `retry_after` may say how long to wait."""

    advice = "Nothing was carried out; repeat it later, and less often"


class ServerError(ApiError):
    """5xx: the server failed."""

    advice = "It may have been carried out; repeat it with the same idempotency key"

    def _advice(self) -> str:
        return self.advice if self.idempotency_key else ""


_ADVICE: dict[int, str] = {
    HTTPStatus.METHOD_NOT_ALLOWED: (
        "Check that base_url is the API's, with its stage: something else was reached"
    )
}
"""What to do about an answer that has no class of its own."""

BY_STATUS: dict[int, type[ApiError]] = {
    HTTPStatus.BAD_REQUEST: BadRequestError,
    HTTPStatus.UNAUTHORIZED: AuthenticationError,
    HTTPStatus.FORBIDDEN: ForbiddenError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.CONFLICT: ConflictError,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ContentTooLargeError,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: UnsupportedMediaTypeError,
    HTTPStatus.UNPROCESSABLE_ENTITY: UnprocessableContentError,
    HTTPStatus.TOO_MANY_REQUESTS: TooManyRequestsError,
}


def error_class(status: int) -> type[ApiError]:
    """Return the class of an answer with this status."""
    return BY_STATUS.get(status, ServerError if status >= 500 else ApiError)


class ProtocolError(SDKError):
    """
    An answer breaks the API's description: not JSON, of another shape, too large, without an ID.

    The request was carried out, or may have been: as for `UnknownOutcome`, `idempotency_key` makes
    it certain.
    """

    advice = "It may have been carried out; repeat it with the same idempotency key"

    def _advice(self) -> str:
        # Of a request that was accepted, it is the answer to a question.
        return self.advice if self.idempotency_key and not self.message_id else ""


class OperationFailed(SDKError):
    """
    The accepted request was processed, and failed: there will be no result.

    Attributes:
        code: The server's reason for programs, if it gave one.
        message: The server's reason for people, if it gave one.
        status: The state that the server named.
        status_body: The whole status, as JSON.
    """

    def __init__(
        self,
        text: str,
        *,
        code: str | None,
        message: str | None,
        status: str,
        status_body: object,
        request_id: str | None = None,
    ) -> None:
        super().__init__(text, request_id=request_id)
        self.code = code
        self.message = message
        self.status = status
        self.status_body = status_body


class WaitTimeout(SDKError, TimeoutError):
    """
    Waiting ended before the outcome was known; the request goes on, and its handle stays usable.

    Attributes:
        status: The last state that the server named, or `None` if it was not asked yet.
        token: What another process resumes the request with.
    """

    advice = "It goes on: ask the handle again, or resume it with the error's token"

    def __init__(
        self,
        message: str,
        *,
        status: str | None,
        token: str,
        request_id: str | None = None,
        message_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(
            message, request_id=request_id, message_id=message_id, idempotency_key=idempotency_key
        )
        self.status = status
        self.token = token


class ClientClosed(SDKError):
    """
    The client was closed before the outcome was known.

    An accepted request goes on at the server. Without a token, nothing was carried out: a request
    that had left and was not answered is an `UnknownOutcome` instead.

    Attributes:
        token: What another client resumes the request with, if one was accepted.
    """

    advice = "Nothing was carried out"

    def __init__(
        self,
        message: str,
        *,
        token: str | None = None,
        request_id: str | None = None,
        message_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(
            message, request_id=request_id, message_id=message_id, idempotency_key=idempotency_key
        )
        self.token = token

    def _advice(self) -> str:
        return "" if self.token else self.advice
