"""
When to ask next. Pure: no clock, no input or output.

1. Never earlier than the server asked for with its last answer.
2. The schedule is the one of least expected cost for what was learned (`_completions`); without
   anything learned it is that of a prior, whose pauses grow with the square root of the time.
3. A server that wants to be asked often says that polls are cheap: its pause bounds their price.
4. Small jitter keeps handles made at once from asking at once. It is as large as it can be without
   costing much; jitter over the whole pause would waste early polls and make the tail long.
5. All handles of a client share one pace.
6. Nothing is kept for each poll.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from ._completions import PRICE_SECONDS, Completions, Waiting
from .errors import ConfigurationError

DISTURBED_SECONDS = 0.1
"""The least pause after a question that failed; it doubles: what is disturbed needs a rest."""

LONGEST_REST_SECONDS = 5.0
"""What it doubles to at most."""

BURST_SECONDS = 0.008
"""What the rate allows in this time may be sent at once. Short, because questions that start
together each need a connection, and an HTTP client's pool costs time by its connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Polling:
    """
    How an accepted request is asked after.

    Attributes:
        adaptive: Whether the completions that a client has seen decide when it asks. Without, each
            request is asked after as if it were the first.
        interval: A fixed pause in seconds, instead of a learned one.
        bounds: The shortest and the longest pause between two questions, in seconds. The server
            can ask for more than the longest.
        jitter: How far a pause is made longer at random at most, as a part of it. Once completions
            were seen: what asking first at a random earlier time may cost, in prices of a poll.
        rate: Questions a second that a client sends at most, for all its handles together.
        deadline: Seconds that waiting without a timeout of its own lasts; `None` is for ever.
    """

    adaptive: bool = True
    interval: float | None = None
    bounds: tuple[float, float] = (0.01, 30.0)
    jitter: float = 0.1
    rate: float = 330.0
    deadline: float | None = 900.0

    def __post_init__(self) -> None:
        rules = {
            "adaptive": ("True or False", type(self.adaptive) is bool),
            "interval": (
                "seconds, more than 0, or None",
                _is_positive(self.interval, or_none=True),
            ),
            "bounds": ("two numbers of seconds, rising, more than 0", _are_bounds(self.bounds)),
            "jitter": (
                "a number, at least 0 and less than 1",
                _is_number(self.jitter) and 0 <= self.jitter < 1,
            ),
            "rate": ("questions a second, more than 0", _is_positive(self.rate)),
            "deadline": (
                "seconds, more than 0, or None",
                _is_positive(self.deadline, or_none=True),
            ),
        }
        broken = [
            f"{name} must be {expected}, not {getattr(self, name)!r}"
            for name, (expected, kept) in rules.items()
            if not kept
        ]
        if broken:
            raise ConfigurationError(f"Polling: {'; '.join(broken)}")


def _is_number(value: object) -> bool:
    """Say whether a value is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max


def _is_positive(value: float | None, *, or_none: bool = False) -> bool:
    return or_none if value is None else _is_number(value) and value > 0


def _are_bounds(value: object) -> bool:
    if not isinstance(value, list | tuple):
        return False
    pair = cast("Sequence[Any]", value)
    return len(pair) == 2 and all(map(_is_positive, pair)) and bool(pair[0] <= pair[1])


class Pace:
    """
    A bound on the questions a second, over all handles of a client.

    It is a token bucket, kept as the time at which it would be full again: the generic cell rate
    algorithm of ITU-T recommendation I.371. Loops in several threads may share it: without a lock,
    for what two of them send at the very same time may count as one.

    Args:
        rate: Questions a second.
    """

    __slots__ = ("_full", "_pause")

    def __init__(self, rate: float) -> None:
        self._pause = 1.0 / rate
        self._full = -math.inf

    def free(self) -> float:
        """Return when the next question may be sent."""
        return self._full - BURST_SECONDS

    def take(self, now: float) -> None:
        """Note that a question is sent."""
        self._full = max(self._full, now) + self._pause


class Schedule:
    """
    When one request is asked after.

    Args:
        polling: How the caller wants it.
        completions: What was learned from requests like this one.
        now: When it was accepted, on the clock of the caller.
        hint: Seconds after which the server wants to be asked, if it says.
        random: Returns a number from 0 to 1.

    Attributes:
        floor: Before when the server does not want to be asked.
    """

    __slots__ = (
        "_asked",
        "_began",
        "_completions",
        "_due",
        "_hint",
        "_pending",
        "_polling",
        "_random",
        "_rest",
        "_unasked",
        "_waiting",
        "floor",
    )

    def __init__(
        self,
        polling: Polling,
        completions: Completions,
        now: float,
        hint: float | None,
        random: Callable[[], float],
    ) -> None:
        self._polling = polling
        self._completions = completions
        self._random = random
        self._began = now
        self._pending = now
        self._asked = now
        self._rest = DISTURBED_SECONDS
        self._waiting: Waiting | None = None
        self._unasked = polling.adaptive and polling.interval is None
        self._hint = hint
        # Planned when first wanted: a handle that nobody asks needs no plan, which would be most of
        # what it costs.
        self._due: float | None = None
        self.floor = now + (hint or 0.0)

    @property
    def due(self) -> float:
        """When to ask next, on the clock of the caller."""
        if self._due is None:
            self._due = self._planned(self._began, self._hint)
        return self._due

    def asking(self, now: float) -> None:
        """Note when a question is sent: its answer is about that time, not about its own."""
        self._asked = now
        if self._unasked:
            self._unasked = False
            self._waiting = self._completions.admit(now)

    def pending(self, now: float, hint: float | None) -> None:
        """Plan the next question after an answer that was not final."""
        self._pending = self._asked
        self._rest = DISTURBED_SECONDS
        self.floor = now + (hint or 0.0)
        self._due = self._planned(now, hint)
        if self._waiting is not None:
            self._completions.wait(self._waiting, self._pending - self._began, self._due)

    def final(self) -> None:
        """Learn from the answer that was final."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._completions.settle(waiting, self._asked - self._began)

    def disturbed(self, now: float, hint: float | None) -> None:
        """Plan the next question after one that brought no state: each rest is longer."""
        floor = hint or 0.0
        self.floor = now + floor
        self._due = now + max(self._rest, floor) * (1 + self._polling.jitter * self._random())
        self._rest = min(self._rest * 2, LONGEST_REST_SECONDS)

    def at_once(self, now: float) -> None:
        """Plan the next question for now, or for when the server allows it."""
        self._due = max(now, self.floor)

    def _planned(self, now: float, hint: float | None) -> float:
        interval = self._polling.interval
        due = self._least_cost(now, hint) if interval is None else now + interval * self._stray()
        # Above a floor, too, not all at the same time.
        lowest = now + max(hint or 0.0, self._polling.bounds[0]) * self._stray()
        return max(due, lowest)

    def _least_cost(self, now: float, hint: float | None) -> float:
        shortest, longest = self._polling.bounds
        gap = max(hint or 0.0, shortest)
        price = min(PRICE_SECONDS, hint / 2) if hint else PRICE_SECONDS
        plan = self._completions.plan(max(price, shortest / 2), gap)
        last = self._pending - self._began
        time = plan.after(last, now - self._began + gap)
        stray = self._polling.jitter
        if plan.learned and last == 0.0:
            # Earlier, not later: many phases show what one schedule for all would not.
            low = plan.no_dearer(time, now - self._began + gap, stray)
            time -= self._random() * (time - low)
        time = self._completions.probe(last, time, self._random)
        if not plan.learned:
            time += stray * self._random() * plan.slack(last, time)
        return min(self._began + time, now + longest)

    def _stray(self) -> float:
        return 1 + self._polling.jitter * self._random()
