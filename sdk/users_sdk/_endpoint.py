"""The API as one client calls it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import random as uniform
from typing import Any
from uuid import uuid4

from ._auth import Signer
from ._completions import Completions
from ._config import Settings, is_lambda
from ._hooks import Hooks
from ._operation import AsyncOperation
from ._polling import Schedule
from ._retry import RetryBudget
from ._tracing import Tracing


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
        in_lambda: Whether this is AWS Lambda, which has a trace for each invocation.
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
    in_lambda: bool = field(default_factory=is_lambda)

    def schedule(self, chain: AsyncOperation[Any], now: float, hint: float | None) -> Schedule:
        """Return when to ask after a request accepted now, which the server gave a hint for."""
        name = chain.start.operation_id
        learned = self.completions.get(name) or self.completions.setdefault(name, Completions())
        return Schedule(self.settings.polling, learned, now, hint, self.random)
