"""
What both kinds of handle are: an accepted request that advances, and that others follow.

A handle is settled once, and by whoever comes first: the server, `cancel()`, or the closing of the
client.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from html import escape
from typing import Any, Generic, Self, TypeVar, cast

from ._endpoint import Endpoint
from ._flows import check, client_closed, wait_timeout
from ._origin import revived
from ._progress import Progress
from ._steps import Flow
from .errors import InvalidArgumentError, SDKError, WaitTimeout

T = TypeVar("T")


class Accepted(Generic[T]):
    """What both kinds of handle are: an accepted request, and how it is advanced."""

    __slots__ = ("_client_type", "_endpoint", "_listeners", "_progress")

    def __init__(self, progress: Progress[T], endpoint: Endpoint, client_type: type[Any]) -> None:
        self._client_type = client_type
        self._progress = progress
        self._endpoint = endpoint
        self._listeners: list[Callable[[], object]] = []

    @property
    def message_id(self) -> str:
        """The ID that the server gave to the accepted request."""
        return self._progress.message_id

    @property
    def request_id(self) -> str | None:
        """The server's ID of the HTTP request that was accepted, if it gave one."""
        return self._progress.request_id

    @property
    def idempotency_key(self) -> str | None:
        """The key that the request was sent with, if it was sent with one."""
        return self._progress.idempotency_key

    @property
    def status(self) -> str | None:
        """The last state that the server named, in its own words; `None` if not asked yet."""
        self.begin()
        return self._progress.status

    def token(self) -> str:
        """Return a text with which another process resumes the wait. It holds no secret."""
        return self._progress.token()

    def __repr__(self) -> str:
        name = self._progress.chain.start.name
        return f"<{type(self).__name__} {name} {self.message_id}: {self._standing()}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """
        Pickle the token, and the class and settings of the client; nothing secret.

        What is unpickled waits anew, with credentials that are found where it is unpickled.
        """
        name = self._progress.chain.start.name
        return revived, (self._client_type, self._endpoint.settings, name, self.token())

    def __copy__(self) -> Self:
        """Return the handle itself: there is one request, and it is asked after once."""
        return self

    def __deepcopy__(self, memo: object) -> Self:
        """Return the handle itself; see `__copy__`."""
        return self

    def _repr_html_(self) -> str:
        """Show the handle in a notebook: what is known, without a question to the server."""
        progress, now = self._progress, self._endpoint.wall_clock()
        polled = progress.polled_at
        rows = {
            "state": self._standing(),
            "message ID": progress.message_id,
            "request ID": progress.request_id,
            "idempotency key": progress.idempotency_key,
            "accepted": f"{now - progress.accepted_at:.1f} s ago",
            "polls": progress.polls,
            "last poll": None if polled is None else f"{now - polled:.1f} s ago",
        }
        cells = "".join(
            f"<tr><th>{name}</th><td>{escape(str(value))}</td></tr>"
            for name, value in rows.items()
            if value is not None
        )
        title = escape(f"{type(self).__name__} {progress.chain.start.name}")
        return f"<table><caption>{title}</caption>{cells}</table>"

    @property
    def due(self) -> float:
        """When the scheduler is to ask next, on the monotonic clock."""
        return self._progress.schedule.due

    def is_settled(self) -> bool:
        """Say whether there is nothing more to ask. Unlike `done()`, this starts nothing."""
        raise NotImplementedError

    def overdue(self) -> WaitTimeout:
        """Return the error of a wait that ended before the handle was settled."""
        return wait_timeout(self._progress)

    def begin(self) -> None:
        """Let the handle advance by itself from now on, as its first question does."""
        raise NotImplementedError

    def ask_at_once(self) -> None:
        """Make the handle due now, or as soon as the server allows."""
        self._progress.schedule.at_once(self._endpoint.clock())

    def advance(self) -> Flow[None]:
        """Ask once, for the scheduler."""
        self._progress.polls += 1
        self._progress.polled_at = self._endpoint.wall_clock()
        try:
            settled = yield from check(self._endpoint, self._progress)
        except Exception as error:
            self._reject(error)
        else:
            if settled is not None:
                self._resolve(settled.value)
        self._announce()

    def abandon(self) -> None:
        """Fail, because the client was closed."""
        error = client_closed(self._progress)
        self._end_trace("client_closed", error)
        self._reject(error)
        self._announce()

    def _end_trace(self, event: str, error: BaseException) -> None:
        """End the span now, as nobody asks any more, unless an answer has ended it before."""
        self._progress.trace.note(event, {})
        self._progress.trace.end(error)

    def _resolve(self, value: T) -> None:
        raise NotImplementedError

    def _reject(self, error: Exception) -> None:
        raise NotImplementedError

    def _is_cancelled(self) -> bool:
        raise NotImplementedError

    def _standing(self) -> str:
        """Say what is known of the request, and whether the handle goes on."""
        status = self._progress.status or "not known yet"
        if not self.is_settled():
            return status
        return f"{status}, {'cancelled' if self._is_cancelled() else 'settled'}"

    def _cancellation(self) -> str:
        """Say what was cancelled, and what was not."""
        return (
            f"Waiting for {self._progress.chain.start.name} was given up by cancel() (message ID "
            f"{self.message_id}): the request itself goes on at the server"
        )

    def _limit(self, timeout: float | None) -> float | None:
        if timeout is None:
            return self._endpoint.settings.polling.deadline
        given = cast("object", timeout)
        # A bool is an int, and no comparison holds for a NaN.
        if not isinstance(given, int | float) or isinstance(given, bool) or not given >= 0:
            raise InvalidArgumentError(
                f"timeout must be a number of seconds, 0 or more, or None, not {given!r}"
            )
        return min(timeout, threading.TIMEOUT_MAX)

    def _may_ask(self) -> bool:
        return self._endpoint.clock() >= self._progress.schedule.floor

    def _announce(self) -> None:
        """Tell those who follow the handle that it was asked, or settled."""
        for listener in self._listeners.copy():
            listener()

    @contextmanager
    def _listening(self, listener: Callable[[], object]) -> Generator[None, None, None]:
        # In place: threads come and go at the same time, and none may take another's away.
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)


def fresh(error: BaseException | None) -> BaseException | None:
    """Return a copy to raise: a traceback grows each time that the same error is raised."""
    if not isinstance(error, SDKError):
        return error
    fresh = copy.copy(error)
    fresh.__cause__ = error.__cause__
    return fresh
