"""
What to do for an asynchronous operation, without doing it: generators that yield steps to a driver.

An accepted request is asked after until its state is final. A disturbance (no answer, a busy
server) does not end that; a refusal does.

| state of an accepted request | what comes | next |
| --- | --- | --- |
| pending | pending, or a state that the API does not list | pending |
| pending | failed | `OperationFailed` |
| pending | succeeded | result wanted |
| pending | succeeded, for a while without what the result is found by | pending |
| pending | 404, for a while after acceptance | pending: the server's copies lag |
| result wanted | 200 | the result |
| result wanted | 404, for a while after the state | result wanted |
| either | 408, 429, 5xx, no answer | the same, after a pause |
| either | any other answer | `ApiError` |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, TypeVar

from . import _codec as codec
from ._call import Exchange, attempt, prepared_for, raised_by_caller, sent
from ._config import seconds
from ._endpoint import Endpoint
from ._http import Response
from ._json import is_object
from ._operation import AsyncOperation, Embedded, Fetched, Operation
from ._progress import Linked, Progress, from_token, message_id_of
from ._request import Prepared
from ._retry import is_transient, retry_after
from ._steps import Flow, Sleep
from ._tracing import Trace
from .errors import (
    ApiError,
    ClientClosed,
    InvalidArgumentError,
    OperationFailed,
    ProtocolError,
    RequestNotSent,
    SDKError,
    WaitTimeout,
)

T = TypeVar("T")

LAST_QUESTION_SECONDS = 1.0
"""How long a wait whose time is over still waits for the answer to its last question."""

LAG_SECONDS = 10.0
"""How long it means that a copy of the server's data lags if something just made is not there."""

INCOMPLETE_SECONDS = 3.0
"""How long a good state that does not say where the result is may be one that is being written."""

_MISTAKES = (AssertionError, AttributeError, ImportError, LookupError, NameError, TypeError)
"""Errors of a caller's own function that will be there the next time as well."""


@dataclass(frozen=True, slots=True)
class Settled(Generic[T]):
    """The result of an accepted request."""

    value: T


def submit(
    endpoint: Endpoint,
    chain: AsyncOperation[T],
    arguments: Mapping[str, object],
    body: object = None,
    timeout: float | None = None,
) -> Flow[Progress[T]]:
    """Start an asynchronous operation and return what is known once it is accepted."""
    prepared = prepared_for(endpoint, chain.start, arguments, body)
    trace = endpoint.tracing.begin(chain.start)
    try:
        exchange = Exchange(endpoint, chain.start, prepared, trace)
        response = yield from sent(exchange, timeout)
        return _accepted(exchange, chain, response)
    except BaseException as error:
        trace.end(error)
        raise


def _accepted(exchange: Exchange, chain: AsyncOperation[T], response: Response) -> Progress[T]:
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
        raise ProtocolError(
            f"{error.args[0]}. The request was accepted",
            request_id=response.request_id,
            idempotency_key=prepared.idempotency_key,
        ) from error
    return Progress(
        chain=chain,
        arguments=status_arguments,
        message_id=message_id_of(chain.status_arguments, status_arguments),
        request_id=response.request_id,
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
            _explain(error, progress)
            progress.trace.end(error)
            raise
        hint = error.retry_after if isinstance(error, ApiError) else None
        _disturb(endpoint, progress, error, hint)
        return None
    except Exception as error:
        error.add_note(
            f"{progress.chain.start.name} was accepted and goes on: resume it with the token "
            f"{progress.token()}"
        )
        progress.trace.end(error)
        raise
    if settled is not None:
        progress.trouble = None
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
    except ClientClosed:
        error = client_closed(progress)
        progress.trace.end(error)
        raise error from None
    except BaseException as error:
        progress.trace.end(error)
        raise


def client_closed(progress: Progress[Any]) -> ClientClosed:
    """Return the error of an accepted request whose client was closed before its outcome."""
    return ClientClosed(
        f"The client was closed before {progress.chain.start.name} ended. It goes on: resume it "
        "with the error's token",
        token=progress.token(),
        request_id=progress.request_id,
        message_id=progress.message_id,
        idempotency_key=progress.idempotency_key,
    )


def wait_timeout(progress: Progress[Any]) -> WaitTimeout:
    """Return the error of a wait that ended before the outcome was known."""
    name, state = progress.chain.start.name, progress.status or "not known yet"
    said = f"Waiting for {name} ended before it did: its state is {state}"
    if progress.result_arguments is not None:
        said = f"{_unread(progress)} in time"
    if progress.trouble is not None:
        said += f"; the last question failed: {_shortly(progress.trouble)}"
    error = WaitTimeout(
        said,
        status=progress.status,
        token=progress.token(),
        request_id=progress.request_id,
        message_id=progress.message_id,
        idempotency_key=progress.idempotency_key,
    )
    error.__cause__ = progress.trouble
    return error


def _unread(progress: Progress[Any]) -> str:
    return (
        f"{progress.chain.start.name} ended with {progress.status}, but its result could not be "
        "read"
    )


def _shortly(error: SDKError) -> str:
    """Say what went wrong, in words that survive where a cause does not: in a pickle."""
    return f"{error.args[0]} (request ID {error.request_id})" if error.request_id else error.args[0]


def _explain(error: SDKError, progress: Progress[Any]) -> None:
    """Say of an error after a good state that something was made, and how to ask for it."""
    fetched, arguments = progress.chain.result, progress.result_arguments
    if isinstance(fetched, Fetched) and arguments is not None:
        given = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        how = f"ask for it again with {fetched.operation.name}({given})"
        error.args = (f"{_unread(progress)}: {error.args[0]}; {how}", *error.args[1:])


def _inquire(
    endpoint: Endpoint, progress: Progress[T], deadline: float | None
) -> Flow[Settled[T] | None]:
    chain = progress.chain
    if progress.result_arguments is None:
        prepared = _asked(endpoint, chain.status, progress.arguments)
        progress.schedule.asking(endpoint.clock())
        response = yield from _poll(endpoint, chain.status, prepared, progress.trace, deadline)
        body = codec.document(chain.status, response)
        if not _succeeded(endpoint, progress, response, body):
            return None
        linked = Linked(chain.status, prepared.arguments, None, response.headers, body)
        if _is_awaited(endpoint, progress, linked, response):
            return None
        if isinstance(chain.result, Embedded):
            return Settled(_embedded(chain, chain.result, response, body))
        progress.result_arguments = _followed_link(chain.result, linked, response)
        progress.lagging_since = endpoint.clock()
    return (yield from _fetch(endpoint, progress, deadline))


def _is_awaited(
    endpoint: Endpoint, progress: Progress[Any], linked: Linked, response: Response
) -> bool:
    """
    Say whether what the result is found by is not there yet, though the state is good.

    Raises:
        ProtocolError: It has not been there for too long.
    """
    missing = _missing(progress.chain.result, linked)
    if missing is None:
        return False
    now, hint = endpoint.clock(), retry_after(response.headers, endpoint.wall_clock())
    error = ProtocolError(
        f"{progress.chain.start.name} ended with {progress.status}, but the answer to "
        f"{progress.chain.status.name} has no {missing}",
        request_id=response.request_id,
    )
    if progress.missing_since is None:
        progress.missing_since = now
    if now - progress.missing_since >= INCOMPLETE_SECONDS:
        raise error
    _disturb(endpoint, progress, error, hint)
    return True


def _missing(result: Fetched[Any] | Embedded[Any], linked: Linked) -> str | None:
    if isinstance(result, Embedded):
        there = codec.resolve(linked.response_body, result.pointer) is not None
        return None if there else f"result at {result.pointer}"
    binding = linked.missing(result.arguments, result.operation)
    return None if binding is None else f"{binding.value}, which {result.operation.name} needs"


def _followed_link(fetched: Fetched[Any], linked: Linked, response: Response) -> Mapping[str, Any]:
    try:
        return linked.follow(fetched.arguments, fetched.operation)
    except ProtocolError as error:
        error.request_id = response.request_id
        raise


def _asked(
    endpoint: Endpoint, operation: Operation[Any], arguments: Mapping[str, object]
) -> Prepared:
    """Write a question of what the server itself has told: it is at fault if that cannot be."""
    try:
        return prepared_for(endpoint, operation, arguments, from_server=True)
    except InvalidArgumentError as error:
        raise ProtocolError(
            f"The server has given what {operation.name} cannot be called with: {error.args[0]}"
        ) from error


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
    try:
        return (yield from attempt(Exchange(endpoint, operation, prepared, trace), limit))
    except (SDKError, *_MISTAKES):
        raise
    except Exception as error:
        # What was accepted must not be lost to a token or a hook that fails once.
        raise RequestNotSent(f"{operation.name} was not sent: {raised_by_caller(error)}") from error


def _succeeded(endpoint: Endpoint, progress: Progress[Any], response: Response, body: Any) -> bool:
    """Read the state: true is good, false is pending, failed raises."""
    states = progress.chain.states
    state = codec.state_text(codec.resolve(body, states.pointer))
    hint = retry_after(response.headers, endpoint.wall_clock())
    progress.lagging_since = progress.trouble = None
    if state is None:
        if _is_yet_to_come(states.pointer, body):
            progress.schedule.pending(endpoint.clock(), hint)
            return False
        raise ProtocolError(
            f"The status of {progress.chain.start.name} has no state at {states.pointer}",
            request_id=response.request_id,
        )
    progress.status = state
    if progress.trace.is_recorded:
        progress.trace.note("poll", {"state": state})
    if state in states.succeeded:
        progress.schedule.final()
        return True
    if state in states.failed:
        progress.schedule.final()
        raise _operation_failed(progress, response, body)
    progress.schedule.pending(endpoint.clock(), hint)
    return False


def _is_yet_to_come(pointer: str, body: Any) -> bool:
    """Whether a state is null, or what holds it is not there: it may come later than its status."""
    holder, _, name = pointer.rpartition("/")
    around = codec.resolve(body, holder)
    if is_object(around):
        return name in around and around[name] is None
    return bool(holder) and around is None


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
        request_id=response.request_id,
    )


def _embedded(chain: AsyncOperation[T], result: Embedded[T], response: Response, body: Any) -> T:
    part: T = codec.part(chain.status, response, codec.resolve(body, result.pointer), result.type)
    return part


def _fetch(endpoint: Endpoint, progress: Progress[T], deadline: float | None) -> Flow[Settled[T]]:
    fetched = progress.chain.result
    assert isinstance(fetched, Fetched)
    arguments = progress.result_arguments or {}
    prepared = _asked(endpoint, fetched.operation, arguments)
    response = yield from _poll(endpoint, fetched.operation, prepared, progress.trace, deadline)
    return Settled(codec.result(fetched.operation, response))


def _passes(error: SDKError, progress: Progress[Any], now: float) -> bool:
    """Say whether a question that failed may be asked again."""
    if isinstance(error, ApiError) and error.status == HTTPStatus.NOT_FOUND:
        since = progress.lagging_since
        return since is not None and now - since < LAG_SECONDS
    return is_transient(error)


def _disturb(
    endpoint: Endpoint, progress: Progress[Any], error: SDKError, hint: float | None
) -> None:
    error.message_id = progress.message_id
    progress.trouble = error
    progress.schedule.disturbed(endpoint.clock(), hint)
