"""
When to ask next. Pure: no clock, no input or output.

A schedule is geometric: a request that has run for long will likely run for longer, so the pauses
grow with it. Small jitter around the step keeps handles made at once from asking at once; jitter
over the whole step would waste early polls and make the tail long.

1. Never earlier than the server asked for with its last answer.
2. A server that asks for less than the first step pulls the schedule down to what it asked for: it
   knows how long its work takes.
3. Nothing is kept for each poll.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .errors import ConfigurationError

SHORTEST_SECONDS = 0.01
"""The least pause between two polls, also where the server asks for none."""


DISTURBED_SECONDS = 0.1
"""The least step after a question that failed: what is disturbed needs a rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """
    How an accepted request is asked after.

    Attributes:
        initial: Seconds before the first question, where the server does not say.
        factor: How much longer each pause is than the one before.
        maximum: The longest pause, in seconds, unless the server asks for more.
        jitter: How far a pause strays from its step at random, as a part of it.
        deadline: Seconds that waiting without a timeout of its own lasts; `None` is for ever.
    """

    initial: float = 0.2
    factor: float = 1.25
    maximum: float = 2.0
    jitter: float = 0.1
    deadline: float | None = 900.0

    def __post_init__(self) -> None:
        rules = {
            "initial must be more than 0": self.initial > 0,
            "factor must be 1 or more": self.factor >= 1,
            "maximum must not be less than initial": self.maximum >= self.initial,
            "jitter must be at least 0 and less than 1": 0 <= self.jitter < 1,
            "deadline must be more than 0, or None": self.deadline is None or self.deadline > 0,
        }
        broken = [rule for rule, kept in rules.items() if not kept]
        if broken:
            raise ConfigurationError(f"Polling: {'; '.join(broken)}")


class Schedule:
    """
    When one request is asked after.

    Attributes:
        due: When to ask next, on the clock of the caller.
        floor: Before when the server does not want to be asked.
    """

    __slots__ = ("_polling", "_random", "_step", "due", "floor")

    def __init__(
        self,
        polling: Polling,
        now: float,
        hint: float | None,
        random: Callable[[], float],
    ) -> None:
        self._polling = polling
        self._random = random
        self._step = polling.initial
        if hint is not None:
            self._step = min(self._step, max(hint, SHORTEST_SECONDS))
        self.floor = now
        self.due = now
        self._plan(now, hint)

    def pending(self, now: float, hint: float | None) -> None:
        """Plan the next question after an answer that was not final."""
        self._step = min(self._step * self._polling.factor, self._polling.maximum)
        self._plan(now, hint)

    def disturbed(self, now: float, hint: float | None) -> None:
        """Plan the next question after one that brought no state: the step at least doubles."""
        self._step = min(max(self._step * 2, DISTURBED_SECONDS), self._polling.maximum)
        self._plan(now, hint)

    def at_once(self, now: float) -> None:
        """Plan the next question for now, or for when the server allows it."""
        self.due = max(now, self.floor)

    def _plan(self, now: float, hint: float | None) -> None:
        floor = hint or 0.0
        stray = self._polling.jitter * self._random()
        # Around the step either way; above the server's floor only, and yet not all at the same
        # time.
        step = self._step * (1 - self._polling.jitter + 2 * stray)
        self.floor = now + floor
        self.due = now + max(step, floor * (1 + stray), SHORTEST_SECONDS)
