"""
What a handle has in place of parts of `concurrent.futures.Future`, whose functions reach into them.

A thousand handles are a thousand futures, and most are never waited for one by one: what only such
a wait needs is made for it.
"""

from __future__ import annotations

import threading
from typing import Any, Protocol
from weakref import ref


class Begun(Protocol):
    """What begins when it is first waited for."""

    def begin(self) -> None:
        """Begin, if it has not begun."""


class Condition:
    """A `threading.Condition` that is a mere lock, an eighth of its size, while nobody waits."""

    __slots__ = ("_condition", "_lock", "_waiting")

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._condition: threading.Condition | None = None
        self._waiting = 0

    def __enter__(self) -> bool:
        return self._lock.__enter__()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def acquire(self) -> bool:
        """Take the lock, as often as wanted in one thread."""
        return self._lock.acquire()

    def release(self) -> None:
        """Give the lock back once."""
        self._lock.release()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until notified, for `timeout` seconds at most; the caller holds the lock."""
        condition = self._condition = self._condition or threading.Condition(self._lock)
        self._waiting += 1
        try:
            return condition.wait(timeout)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._condition = None

    def notify_all(self) -> None:
        """Wake all who wait; the caller holds the lock."""
        if self._condition is not None:
            self._condition.notify_all()


class Waiters(list[Any]):
    """
    Those who wait for a future by the functions of `concurrent.futures`: the first begins it.

    They ask no method of a future that they wait for; they only add themselves here.
    """

    __slots__ = ("_future",)

    def __init__(self, future: Begun) -> None:
        super().__init__()
        self._future = ref(future)

    def append(self, waiter: object) -> None:
        """Add one who waits."""
        super().append(waiter)
        future = self._future()
        if future is not None:
            future.begin()
