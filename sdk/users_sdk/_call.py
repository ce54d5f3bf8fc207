"""
One call, without doing it: generators that yield steps to a driver.

1. One attempt is one signature and one `Send`; what is to be seen of it is told after that.
2. A call is its attempts: one idempotency key, one deadline over attempts and pauses. Repetitions
   are paid for from the client's one retry budget; questions after accepted requests are not, as
   their pauses grow by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any, TypeVar

from . import _codec as codec
from ._auth import Signer, Unsigned, same_origin
from ._config import lambda_trace_id, seconds
from ._endpoint import Endpoint
from ._fields import checked
from ._http import Headers, Request, Response
from ._operation import Operation
from ._request import Prepared, prepare
from ._retry import backoff, may_repeat
from ._steps import Flow, Send, Sleep
from ._tracing import Trace, tell
from .errors import (
    ApiError,
    ClientClosed,
    ConfigurationError,
    ProtocolError,
    RequestNotSent,
    SDKError,
    ServerError,
    UnknownOutcome,
)

T = TypeVar("T")

BUDGET_SPENT = (
    "It was not repeated: too many calls of this client have failed lately, and their repetitions "
    "have used up its retry budget"
)
"""The note on the error of a call that the client's retry budget allowed no repetition."""

_ACCEPTED_TYPES = "application/json, application/problem+json"
_SUCCESSES = range(HTTPStatus.OK, HTTPStatus.MULTIPLE_CHOICES)
_UNSIGNED = Unsigned()


@dataclass(slots=True)
class Exchange:
    """
    One request and its repetitions.

    Attributes:
        endpoint: The API.
        operation: What is called.
        prepared: The request, not yet signed.
        trace: What is told of its attempts.
        attempts: How often it was sent.
    """

    endpoint: Endpoint
    operation: Operation[Any]
    prepared: Prepared
    trace: Trace
    attempts: int = 0


def call(
    endpoint: Endpoint,
    operation: Operation[T],
    arguments: Mapping[str, object],
    body: object = None,
    timeout: float | None = None,
) -> Flow[T]:
    """Call an operation and return its result; `timeout` covers all attempts."""
    prepared = prepared_for(endpoint, operation, arguments, body)
    trace = endpoint.tracing.begin(operation)
    try:
        exchange = Exchange(endpoint, operation, prepared, trace)
        response = yield from sent(exchange, timeout)
        result = codec.result(operation, response)
    except BaseException as error:
        if isinstance(error, ProtocolError):
            error.idempotency_key = prepared.idempotency_key
        trace.end(error)
        raise
    trace.end()
    return result


def prepared_for(
    endpoint: Endpoint,
    operation: Operation[Any],
    arguments: Mapping[str, object],
    body: object = None,
    *,
    from_server: bool = False,
) -> Prepared:
    return prepare(
        operation,
        endpoint.settings.base_url,
        arguments,
        body,
        headers=_usual_headers(endpoint.settings.user_agent),
        new_key=endpoint.new_key,
        from_server=from_server,
    )


@lru_cache(maxsize=64)
def _usual_headers(user_agent: str) -> Headers:
    """Return the header fields of every request."""
    return Headers(
        {
            "Accept": _ACCEPTED_TYPES,
            # A compressed answer could be larger than what it is bounded to.
            "Accept-Encoding": "identity",
            "User-Agent": user_agent,
        }
    )


def attempt(exchange: Exchange, timeout: float) -> Flow[Response]:
    """
    Sign, send once, and return a success; anything else is raised.

    An answer that teaches how to sign, such as the server's time, is followed by one more request.
    """
    endpoint, operation = exchange.endpoint, exchange.operation
    signer = endpoint.signer if operation.authenticated else _UNSIGNED
    deadline = endpoint.clock() + timeout
    request, response = yield from _send_signed(exchange, signer, timeout)
    left = deadline - endpoint.clock()
    if signer.learn(request, response) and left > 0:
        _, response = yield from _send_signed(exchange, signer, left)
    if response.status in _SUCCESSES:
        return response
    raise codec.failure(operation, response, endpoint.wall_clock())


def _send_signed(
    exchange: Exchange, signer: Signer, timeout: float
) -> Flow[tuple[Request, Response]]:
    """Sign and send, within `timeout` seconds; return what was sent, and the answer."""
    endpoint, operation = exchange.endpoint, exchange.operation
    deadline = endpoint.clock() + timeout
    unsigned = _followed(exchange)
    if endpoint.hooks.request:
        unsigned = yield from endpoint.hooks.before(unsigned, signer.fields)
    request = yield from signer.sign(unsigned, timeout)
    if request.url != unsigned.url and not same_origin(request, endpoint.settings.base_url):
        raise ConfigurationError(
            f"The signer has changed where {operation.name} goes: only "
            f"{endpoint.settings.base_url} may see a signed request"
        )
    began = endpoint.clock()
    if began >= deadline:
        raise RequestNotSent(f"{operation.name} was not sent: signing it took all the time")
    exchange.attempts += 1
    outcome: Response | Exception | None = None
    try:
        outcome = response = yield Send(request, deadline - began)
    except SDKError as error:
        outcome = error
        raise
    except Exception as error:
        # Of the caller's own code in the HTTP client that was given.
        outcome = UnknownOutcome(f"{operation.name}: {raised_by_caller(error)} in the HTTP client")
        raise outcome from error
    finally:
        if outcome is not None:
            tell(
                exchange.trace,
                operation,
                request,
                outcome,
                attempt=exchange.attempts,
                seconds=endpoint.clock() - began,
            )
    if endpoint.hooks.response:
        yield from endpoint.hooks.after(request, response)
    return request, response


def _followed(exchange: Exchange) -> Request:
    """Return the request with what lets traces go on at the server."""
    request = exchange.prepared.request
    fields = exchange.trace.headers()
    # In Lambda it is another with each invocation.
    trace_id = lambda_trace_id() if exchange.endpoint.in_lambda else None
    if trace_id is not None:
        fields = {"X-Amzn-Trace-Id": trace_id, **fields}
    if not fields:
        return request
    headers = Headers(checked(fields, "The tracing's propagator")).merged(request.headers)
    return Request(request.method, request.url, headers, request.body)


def sent(exchange: Exchange, timeout: float | None) -> Flow[Response]:
    """Send, and send again while that is allowed, has a chance, and ends before the deadline."""
    endpoint, prepared = exchange.endpoint, exchange.prepared
    settings = endpoint.settings
    deadline = endpoint.clock() + (settings.timeout if timeout is None else seconds(timeout))
    doubt: UnknownOutcome | ServerError | None = None
    repetition = paid = 0
    while True:
        repetition += 1
        left = deadline - endpoint.clock()
        try:
            response = yield from attempt(exchange, min(left, settings.attempt_timeout))
            endpoint.budget.refund(paid)
            return response
        except SDKError as error:
            doubt = error if isinstance(error, UnknownOutcome | ServerError) else doubt
            hint = error.retry_after if isinstance(error, ApiError) else None
            pause = backoff(repetition, hint, endpoint.random)
            again = (
                repetition <= settings.max_retries
                and may_repeat(error, safe=prepared.safe)
                and endpoint.clock() + pause < deadline
            )
            paid = endpoint.budget.take(error) if again else 0
            if not paid:
                final = _final(error, doubt, prepared)
                if again:
                    final.add_note(BUDGET_SPENT)
                raise final from final.__cause__
        except Exception as error:
            if doubt is None:
                raise
            doubt.idempotency_key = prepared.idempotency_key
            raise doubt from error
        try:
            yield Sleep(pause)
        except ClientClosed as closed:
            raise _final(closed, doubt, prepared) from None


def raised_by_caller(error: Exception) -> str:
    """Say that a function of the caller's raised; what it says may be secret, and is its cause."""
    return f"a function of yours raised {type(error).__qualname__}"


def _final(
    error: SDKError, doubt: UnknownOutcome | ServerError | None, prepared: Prepared
) -> SDKError:
    """
    Return the error of a whole call.

    If an earlier attempt may have been carried out and no later one was sent, that is the error:
    the outcome is not known, and the key tells how to go on.
    """
    final = error
    if doubt is not None and not isinstance(error, ApiError | ProtocolError | UnknownOutcome):
        final = doubt
    # The key says that a request was sent, or could have been: not so of a wrong setting.
    if not isinstance(final, ClientClosed | ConfigurationError):
        final.idempotency_key = prepared.idempotency_key
    return final
