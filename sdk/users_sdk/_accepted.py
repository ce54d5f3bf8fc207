"""
What both kinds of handle are: an accepted request that advances, and that others follow.

A handle is settled once, and by whoever comes first: the server, `cancel()`, or the closing of the
client.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from ._flows import Endpoint, check
from ._progress import Progress
from ._steps import Flow
from .errors import ClientClosed, SDKError

T = TypeVar("T")


class Accepted(Generic[T]):
    """What both kinds of handle are: an accepted request, and how it is advanced."""

    __slots__ = ("_endpoint", "_listeners", "_progress")

    def __init__(self, progress: Progress[T], endpoint: Endpoint) -> None:
        self._progress = progress
        self._endpoint = endpoint
        self._listeners: tuple[Callable[[], object], ...] = ()

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
        self._begin()
        return self._progress.status

    def token(self) -> str:
        """Return a text with which another process resumes the wait. It holds no secret."""
        return self._progress.token()

    def __repr__(self) -> str:
        name = self._progress.chain.start.name
        status = self._progress.status or "not known yet"
        ended = ", settled" if self.is_settled() else ""
        return f"<{type(self).__name__} {name} {self.message_id}: {status}{ended}>"

    @property
    def due(self) -> float:
        """When the scheduler is to ask next, on the monotonic clock."""
        return self._progress.schedule.due

    def is_settled(self) -> bool:
        """Say whether there is nothing more to ask. Unlike `done()`, this starts nothing."""
        raise NotImplementedError

    def ask_at_once(self) -> None:
        """Make the handle due now, or as soon as the server allows."""
        self._progress.schedule.at_once(self._endpoint.clock())

    def advance(self) -> Flow[None]:
        """Ask once, for the scheduler."""
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
        progress = self._progress
        self._reject(
            ClientClosed(
                f"The client was closed before {progress.chain.start.name} ended. It goes on: "
                "resume it with the error's token",
                token=progress.token(),
                request_id=progress.request_id,
                message_id=progress.message_id,
                idempotency_key=progress.idempotency_key,
            )
        )
        self._announce()

    def _begin(self) -> None:
        raise NotImplementedError

    def _resolve(self, value: T) -> None:
        raise NotImplementedError

    def _reject(self, error: Exception) -> None:
        raise NotImplementedError

    def _limit(self, timeout: float | None) -> float | None:
        return self._endpoint.settings.polling.deadline if timeout is None else max(timeout, 0.0)

    def _may_ask(self) -> bool:
        return self._endpoint.clock() >= self._progress.schedule.floor

    def _announce(self) -> None:
        """Tell those who follow the handle that it was asked, or settled."""
        for listener in self._listeners:
            listener()

    @contextmanager
    def _listening(self, listener: Callable[[], object]) -> Iterator[None]:
        self._listeners = (*self._listeners, listener)
        try:
            yield
        finally:
            self._listeners = tuple(known for known in self._listeners if known is not listener)


def fresh(error: BaseException | None) -> BaseException | None:
    """Return a copy to raise: a traceback grows each time that the same error is raised."""
    if not isinstance(error, SDKError):
        return error
    fresh = copy.copy(error)
    fresh.__cause__ = error.__cause__
    return fresh
