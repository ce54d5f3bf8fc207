"""The machine's clock, with what a fake server asks of its clock."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from ._clock import Clock
from .errors import ConfigurationError

_REAL = "the fake runs in real time, which nobody moves: make it with a VirtualClock instead"


class RealClock(Clock):
    """
    Real time, counted from when the clock was made.

    Attributes:
        monotonic: Returns the seconds since it was made, which is `now`.
        wall: Returns seconds since 1970.
    """

    def __init__(self) -> None:
        super().__init__()
        began = time.monotonic()
        self.monotonic = lambda: time.monotonic() - began

    @property
    def now(self) -> float:
        """Seconds since the clock was made."""
        return self.monotonic()

    def time(self) -> datetime:
        """Return what the clock shows."""
        return datetime.fromtimestamp(self.wall(), UTC)

    def advance(self, seconds: float) -> None:
        """Refuse: `ConfigurationError`. It is here so that both kinds of clock have it."""
        raise ConfigurationError(f"advance({seconds:g}): {_REAL}")

    def paused(self) -> AbstractContextManager[None]:
        """Refuse: `ConfigurationError`. It is here so that both kinds of clock have it."""
        raise ConfigurationError(f"paused(): {_REAL}")

    def skip(self, seconds: float) -> None:
        """Do nothing: what takes time takes it by itself."""
