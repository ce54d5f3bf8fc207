"""
What to do, step by step, without doing it: generators that yield steps to a driver.

1. One attempt is one signature and one `Send`; what is to be seen of it is told after that.
2. A call is its attempts: one idempotency key, one deadline over attempts and pauses. Repetitions
   are paid for from the client's one retry budget; questions after accepted requests are not, as
   their pauses grow by themselves.
3. An accepted request is asked after until its state is final. A disturbance (no answer, a busy
   server) does not end that; a refusal does.

| state of an accepted request | what comes | next |
| --- | --- | --- |
| pending | pending, or a state that the API does not list | pending |
| pending | failed | `OperationFailed` |
| pending | succeeded | result wanted |
| pending | 404, for a while after acceptance | pending: the server's copies lag |
| result wanted | 200 | the result |
| result wanted | 404, for a while after the state | result wanted |
| either | 408, 429, 5xx, no answer | the same, after a pause |
| either | any other answer | `ApiError` |
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from random import random as uniform
from typing import Any, Generic, TypeVar
from uuid import uuid4

from . import _codec as codec
from ._auth import Signer, Unsigned, same_origin
from ._completions import Completions
from ._config import Settings, lambda_trace_id, seconds
from ._hooks import Hooks
from ._http import Headers, Request, Response
from ._operation import AsyncOperation, Embedded, Fetched, Operation
from ._polling import Schedule
from ._progress import Linked, Progress, from_token, message_id_of
from ._request import Prepared, prepare
from ._retry import RetryBudget, backoff, is_transient, may_repeat, retry_after
from ._steps import Flow, Send, Sleep
from ._tracing import Trace, Tracing, tell
from .errors import (
    ApiError,
    ConfigurationError,
    OperationFailed,
    ProtocolError,
    RequestNotSent,
    SDKError,
    TransportError,
    UnknownOutcome,
    WaitTimeout,
)

T = TypeVar("T")

LAST_QUESTION_SECONDS = 1.0
"""How long a wait whose time is over still waits for the answer to its last question."""

LAG_SECONDS = 10.0
"""How long a 404 for something just made means that a copy of the server's data lags."""

BUDGET_SPENT = (
    "It was not repeated: too many calls of this client have failed lately, and their repetitions "
    "have used up its retry budget"
)
"""The note on the error of a call that the client's retry budget allowed no repetition."""

_ACCEPTED_TYPES = "application/json, application/problem+json"
_UNSIGNED = Unsigned()


def new_key() -> str:
    """Return a new idempotency key."""
    return str(uuid4())


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    The API as one client calls it: what every flow needs.

    Attributes:
        settings: Where it is, and the limits.
        signer: What signs.
        clock: Seconds on a clock that never goes back.
        wall_clock: Seconds since 1970.
        random: Returns a number from 0 to 1.
        new_key: Makes an idempotency key.
        budget: What the repetitions of all calls may cost.
        completions: What was learned of each operation, by its ID.
        hooks: The caller's functions that see each attempt.
        tracing: What begins a span for each call.
    """

    settings: Settings
    signer: Signer
    clock: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time
    random: Callable[[], float] = uniform
    new_key: Callable[[], str] = new_key
    budget: RetryBudget = field(default_factory=RetryBudget)
    completions: dict[str, Completions] = field(default_factory=dict)
    hooks: Hooks = field(default_factory=Hooks)
    tracing: Tracing = field(default_factory=Tracing)

    def schedule(self, chain: AsyncOperation[Any], now: float, hint: float | None) -> Schedule:
        """Return when to ask after a request accepted now, which the server gave a hint for."""
        name = chain.start.operation_id
        learned = self.completions.get(name) or self.completions.setdefault(name, Completions())
        return Schedule(self.settings.polling, learned, now, hint, self.random)


@dataclass(slots=True)
class _Exchange:
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


@dataclass(frozen=True, slots=True)
class Settled(Generic[T]):
    """The result of an accepted request."""

    value: T


def call(
    endpoint: Endpoint,
    operation: Operation[T],
    arguments: Mapping[str, object],
    body: object = None,
    timeout: float | None = None,
) -> Flow[T]:
    """Call an operation and return its result; `timeout` covers all attempts."""
    prepared = _prepared(endpoint, operation, arguments, body)
    trace = endpoint.tracing.begin(operation)
    try:
        exchange = _Exchange(endpoint, operation, prepared, trace)
        response = yield from _sent(exchange, timeout)
        result = codec.result(operation, response)
    except BaseException as error:
        trace.end(error)
        raise
    trace.end()
    return result


def submit(
    endpoint: Endpoint,
    chain: AsyncOperation[T],
    arguments: Mapping[str, object],
    body: object = None,
    timeout: float | None = None,
) -> Flow[Progress[T]]:
    """Start an asynchronous operation and return what is known once it is accepted."""
    prepared = _prepared(endpoint, chain.start, arguments, body)
    trace = endpoint.tracing.begin(chain.start)
    try:
        exchange = _Exchange(endpoint, chain.start, prepared, trace)
        response = yield from _sent(exchange, timeout)
        return _accepted(exchange, chain, response)
    except BaseException as error:
        trace.end(error)
        raise


def _accepted(exchange: _Exchange, chain: AsyncOperation[T], response: Response) -> Progress[T]:
    """Return what the answer to an accepted request says."""
    endpoint, prepared = exchange.endpoint, exchange.prepared
    now, received = endpoint.clock(), endpoint.wall_clock()
    hint = retry_after(response.headers, received)
    try:
        linked = Linked(
            chain.start,
            prepared.arguments,
            prepared.body,
            response.headers,
            codec.document(chain.start, response) if response.body else None,
        )
        status_arguments = linked.follow(chain.status_arguments, chain.status)
    except ProtocolError as error:
        error.request_id = codec.request_id(response)
        error.idempotency_key = prepared.idempotency_key
        raise
    return Progress(
        chain=chain,
        arguments=status_arguments,
        message_id=message_id_of(chain.status_arguments, status_arguments),
        request_id=codec.request_id(response),
        idempotency_key=prepared.idempotency_key,
        accepted_at=received,
        schedule=endpoint.schedule(chain, now, hint),
        lagging_since=now,
        trace=exchange.trace,
    )


def resumed(endpoint: Endpoint, chain: AsyncOperation[T], token: str) -> Progress[T]:
    """Return what a token stands for; it is asked after at once."""
    now = endpoint.clock()
    schedule = endpoint.schedule(chain, now, None)
    schedule.at_once(now)
    progress = from_token(chain, token, schedule)
    progress.lagging_since = now - max(0.0, endpoint.wall_clock() - progress.accepted_at)
    progress.trace = endpoint.tracing.begin(chain.start)
    return progress


def check(
    endpoint: Endpoint, progress: Progress[T], deadline: float | None = None
) -> Flow[Settled[T] | None]:
    """
    Ask once, and fetch the result if there is one.

    Args:
        endpoint: The API.
        progress: What is asked after.
        deadline: When to stop waiting for the answers, on the endpoint's clock; the last one may
            take a little longer.

    Returns:
        The result, or `None` if it is not there yet; `progress` then says when to ask again.

    Raises:
        OperationFailed: There will be no result.
        ApiError: The server refuses to tell.
        ProtocolError: The answer is not what the API describes.
    """
    try:
        settled = yield from _inquire(endpoint, progress, deadline)
    except SDKError as error:
        error.message_id = error.message_id or progress.message_id
        error.idempotency_key = error.idempotency_key or progress.idempotency_key
        if not _passes(error, progress, endpoint.clock()):
            progress.trace.end(error)
            raise
        _disturb(endpoint, progress, error)
        return None
    except Exception as error:
        progress.trace.end(error)
        raise
    progress.trouble = None
    if settled is not None:
        progress.trace.end()
    return settled


def wait(endpoint: Endpoint, progress: Progress[T], deadline: float | None) -> Flow[T]:
    """
    Ask until the outcome is known.

    Args:
        endpoint: The API.
        progress: What is waited for.
        deadline: When to give up, on the endpoint's clock, after a last question; `None` is never.

    Raises:
        WaitTimeout: The deadline has passed.
        SDKError: What `check` raises.
    """
    while True:
        now = endpoint.clock()
        due = progress.schedule.due if deadline is None else min(progress.schedule.due, deadline)
        if due > now:
            yield Sleep(due - now)
        # The last question, too, waits for the time that the server asked for.
        late = deadline is not None and endpoint.clock() >= deadline
        if not late or endpoint.clock() >= progress.schedule.floor:
            settled = yield from check(endpoint, progress, deadline)
            if settled is not None:
                return settled.value
        if late:
            raise wait_timeout(progress)


def submit_and_wait(
    endpoint: Endpoint,
    chain: AsyncOperation[T],
    arguments: Mapping[str, object],
    body: object = None,
    timeout: float | None = None,
) -> Flow[T]:
    """Start an asynchronous operation and return its result; `timeout` covers both."""
    limit = endpoint.settings.polling.deadline if timeout is None else seconds(timeout)
    deadline = None if limit is None else endpoint.clock() + limit
    longest = endpoint.settings.timeout
    start_timeout = longest if limit is None else min(limit, longest)
    progress = yield from submit(endpoint, chain, arguments, body, start_timeout)
    try:
        return (yield from wait(endpoint, progress, deadline))
    except BaseException as error:
        progress.trace.end(error)
        raise


def wait_timeout(progress: Progress[Any]) -> WaitTimeout:
    """Return the error of a wait that ended before the outcome was known."""
    state = f"its state is {progress.status}" if progress.status else "its state is not known yet"
    error = WaitTimeout(
        f"Waiting for {progress.chain.start.name} ended before it did: {state}",
        status=progress.status,
        token=progress.token(),
        request_id=progress.request_id,
        message_id=progress.message_id,
        idempotency_key=progress.idempotency_key,
    )
    error.__cause__ = progress.trouble
    return error


def _prepared(
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


def _attempt(exchange: _Exchange, timeout: float) -> Flow[Response]:
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
    if HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
        return response
    raise codec.failure(operation, response, endpoint.wall_clock())


def _send_signed(
    exchange: _Exchange, signer: Signer, timeout: float
) -> Flow[tuple[Request, Response]]:
    """Sign and send, within `timeout` seconds; return what was sent, and the answer."""
    endpoint, operation = exchange.endpoint, exchange.operation
    deadline = endpoint.clock() + timeout
    unsigned = yield from endpoint.hooks.before(_followed(exchange))
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
    except Exception as error:
        outcome = error
        raise
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
    yield from endpoint.hooks.after(request, response)
    return request, response


def _followed(exchange: _Exchange) -> Request:
    """Return the request with what lets traces go on at the server."""
    request = exchange.prepared.request
    fields = exchange.trace.headers()
    # In Lambda it is another with each invocation.
    trace_id = lambda_trace_id()
    if trace_id is not None:
        fields = {"X-Amzn-Trace-Id": trace_id, **fields}
    if not fields:
        return request
    headers = Headers(fields).merged(request.headers)
    return Request(request.method, request.url, headers, request.body)


def _sent(exchange: _Exchange, timeout: float | None) -> Flow[Response]:
    """Send, and send again while that is allowed, has a chance, and ends before the deadline."""
    endpoint, prepared = exchange.endpoint, exchange.prepared
    settings = endpoint.settings
    deadline = endpoint.clock() + (settings.timeout if timeout is None else seconds(timeout))
    lost: UnknownOutcome | None = None
    repetition = paid = 0
    while True:
        repetition += 1
        left = deadline - endpoint.clock()
        try:
            response = yield from _attempt(exchange, min(left, settings.attempt_timeout))
            endpoint.budget.refund(paid)
            return response
        except (TransportError, ApiError) as error:
            lost = error if isinstance(error, UnknownOutcome) else lost
            hint = error.retry_after if isinstance(error, ApiError) else None
            pause = backoff(repetition, hint, endpoint.random)
            again = (
                repetition <= settings.max_retries
                and may_repeat(error, safe=prepared.safe)
                and endpoint.clock() + pause < deadline
            )
            paid = endpoint.budget.take(error) if again else 0
            if not paid:
                final = _final(error, lost, prepared)
                if again:
                    final.add_note(BUDGET_SPENT)
                raise final from error.__cause__
        except ProtocolError as error:
            # It was carried out: with the key the caller can ask for the answer once more.
            error.idempotency_key = prepared.idempotency_key
            raise
        yield Sleep(pause)


def _final(
    error: TransportError | ApiError, lost: UnknownOutcome | None, prepared: Prepared
) -> TransportError | ApiError:
    """
    Return the error of a whole call.

    If an attempt's answer was lost and no later attempt was answered, the outcome is not known,
    even if the last attempt was never sent.
    """
    final = lost if lost is not None and isinstance(error, TransportError) else error
    final.idempotency_key = prepared.idempotency_key
    return final


def _inquire(
    endpoint: Endpoint, progress: Progress[T], deadline: float | None
) -> Flow[Settled[T] | None]:
    chain = progress.chain
    if progress.result_arguments is None:
        prepared = _prepared(endpoint, chain.status, progress.arguments, from_server=True)
        progress.schedule.asking(endpoint.clock())
        response = yield from _poll(endpoint, chain.status, prepared, progress.trace, deadline)
        body = codec.document(chain.status, response)
        if not _succeeded(endpoint, progress, response, body):
            return None
        if isinstance(chain.result, Embedded):
            return Settled(_embedded(chain.status, chain.result, response, body))
        linked = Linked(chain.status, prepared.arguments, None, response.headers, body)
        fetched = chain.result
        progress.result_arguments = linked.follow(fetched.arguments, fetched.operation)
        progress.lagging_since = endpoint.clock()
    return (yield from _fetch(endpoint, progress, deadline))


def _poll(
    endpoint: Endpoint,
    operation: Operation[Any],
    prepared: Prepared,
    trace: Trace,
    deadline: float | None,
) -> Flow[Response]:
    settings = endpoint.settings
    limit = min(settings.attempt_timeout, settings.timeout)
    if deadline is not None:
        limit = min(limit, max(deadline - endpoint.clock(), LAST_QUESTION_SECONDS))
    return (yield from _attempt(_Exchange(endpoint, operation, prepared, trace), limit))


def _succeeded(endpoint: Endpoint, progress: Progress[Any], response: Response, body: Any) -> bool:
    """Read the state: true is good, false is pending, failed raises."""
    states = progress.chain.states
    state = codec.state_text(codec.resolve(body, states.pointer))
    if state is None:
        raise ProtocolError(
            f"The status of {progress.chain.start.name} has no state at {states.pointer}",
            request_id=codec.request_id(response),
        )
    progress.status = state
    progress.lagging_since = None
    if progress.trace.is_recorded:
        progress.trace.note("poll", {"state": state})
    if state in states.succeeded:
        progress.schedule.final()
        return True
    if state in states.failed:
        progress.schedule.final()
        raise _operation_failed(progress, response, body)
    hint = retry_after(response.headers, endpoint.wall_clock())
    progress.schedule.pending(endpoint.clock(), hint)
    return False


def _operation_failed(progress: Progress[Any], response: Response, body: Any) -> OperationFailed:
    states = progress.chain.states
    error = None if states.error is None else codec.resolve(body, states.error)
    code, message = codec.reason_of(error)
    said = ": ".join(text for text in (code, message) if text)
    outcome = f"{progress.chain.start.name} ended with {progress.status}"
    return OperationFailed(
        f"{outcome}: {said.rstrip('.')}" if said else outcome,
        code=code,
        message=message,
        status=progress.status or "",
        status_body=body,
        request_id=codec.request_id(response),
    )


def _embedded(operation: Operation[Any], result: Embedded[T], response: Response, body: Any) -> T:
    value = codec.resolve(body, result.pointer)
    if value is None:
        raise ProtocolError(
            f"The status says that {operation.name} has a result, and there is none at "
            f"{result.pointer}",
            request_id=codec.request_id(response),
        )
    part: T = codec.part(operation, response, value, result.type)
    return part


def _fetch(endpoint: Endpoint, progress: Progress[T], deadline: float | None) -> Flow[Settled[T]]:
    fetched = progress.chain.result
    assert isinstance(fetched, Fetched)
    arguments = progress.result_arguments or {}
    prepared = _prepared(endpoint, fetched.operation, arguments, from_server=True)
    response = yield from _poll(endpoint, fetched.operation, prepared, progress.trace, deadline)
    return Settled(codec.result(fetched.operation, response))


def _passes(error: SDKError, progress: Progress[Any], now: float) -> bool:
    """Say whether a question that failed may be asked again."""
    if isinstance(error, ApiError) and error.status == HTTPStatus.NOT_FOUND:
        since = progress.lagging_since
        return since is not None and now - since < LAG_SECONDS
    return is_transient(error)


def _disturb(endpoint: Endpoint, progress: Progress[Any], error: SDKError) -> None:
    hint = error.retry_after if isinstance(error, ApiError) else None
    progress.trouble = error
    progress.schedule.disturbed(endpoint.clock(), hint)
