from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from users_sdk._completions import PRICE_SECONDS, Completions
from users_sdk._polling import BURST_SECONDS, Pace, Polling, Schedule
from users_sdk.errors import ConfigurationError

CALM = Polling(jitter=0.0)


def schedule(
    polling: Polling = CALM,
    hint: float | None = None,
    completions: Completions | None = None,
    chance: float = 0.5,
) -> Schedule:
    """Return the schedule of a request accepted at 0."""
    return Schedule(polling, completions or Completions(), 0.0, hint, lambda: chance)


def dues(plan: Schedule, count: int, hint: float | None = None) -> list[float]:
    """Return when the next questions are asked, all answered with pending."""
    times = []
    for _ in range(count):
        times.append(plan.due)
        plan.asking(plan.due)
        plan.pending(plan.due, hint)
    return times


def learned(duration: float, count: int = 50) -> Completions:
    """Return what is known after requests that all took the same time."""
    completions = Completions()
    for _ in range(count):
        completions.add(duration - 0.01, duration)
    return completions


def test_with_nothing_seen_pauses_grow() -> None:
    """The prior asks early at first, and seldom what has run for long."""
    times = dues(schedule(), 40)
    pauses = [b - a for a, b in pairwise(times)]
    assert 0.2 < times[0] < 0.6
    assert pauses[0] < 0.5
    assert pauses[-1] > 2 * pauses[0]


def test_what_was_seen_decides_when_to_ask_first() -> None:
    """After completions at 3 s, the first question is just after 3 s."""
    assert 3.0 <= schedule(completions=learned(3.0), chance=0.9).due < 3.1


def test_the_schedule_learns_from_final_answers() -> None:
    """The completion is known to lie between the last pending and the first final question."""
    completions = Completions()
    for _ in range(50):
        asked = schedule(completions=completions, chance=0.9)
        while asked.due < 3.0:
            asked.asking(asked.due)
            asked.pending(asked.due + 0.05, None)
        asked.asking(asked.due)
        asked.final()
    assert 2.0 < schedule(completions=completions, chance=0.9).due < 4.0


@pytest.mark.parametrize("polling", [Polling(adaptive=False), Polling(interval=1.0)])
def test_a_fixed_schedule_learns_nothing(polling: Polling) -> None:
    """What a user has fixed stays as it is."""
    completions = Completions()
    asked = schedule(polling, completions=completions)
    first = asked.due
    for _ in range(20):
        asked.asking(30.0)
        asked.final()
    assert schedule(polling, completions=completions).due == first


def test_a_fixed_interval_is_kept() -> None:
    """Each pause is the one that was given, unless the server asks for more."""
    polling = Polling(interval=0.5, jitter=0.0)
    assert dues(schedule(polling), 3) == pytest.approx([0.5, 1.0, 1.5])
    assert schedule(polling, hint=2.0).due == 2.0


def test_a_short_hint_makes_polls_cheap() -> None:
    """A server that works in milliseconds is asked in milliseconds, and then less often."""
    times = dues(schedule(hint=0.02), 30, hint=0.02)
    assert 0.02 <= times[0] < 0.1
    assert times[-1] - times[-2] > times[1] - times[0] >= 0.02


def test_a_long_hint_is_a_floor_for_the_next_question_only() -> None:
    """What the server asked for once does not become the interval."""
    asked = schedule(hint=30.0)
    assert asked.due >= 30.0
    now = asked.due
    asked.asking(now)
    asked.pending(now, None)
    assert asked.due < now + 10.0


def test_handles_with_one_floor_do_not_ask_in_step() -> None:
    """Corner 18: above a common floor the due times are spread."""
    polling = Polling(interval=0.1, jitter=0.1)
    assert {schedule(polling, 10.0, chance=c).due for c in (0.0, 0.5, 1.0)} == {10.0, 10.5, 11.0}


def test_a_pause_has_a_longest_and_a_shortest() -> None:
    """The bounds hold, whatever was learned."""
    polling = Polling(bounds=(0.5, 2.0), jitter=0.0)
    assert schedule(polling, completions=learned(60.0), chance=0.9).due == 2.0
    assert schedule(polling, hint=5.0).due >= 5.0
    assert 0.5 <= schedule(polling, completions=learned(0.02), chance=0.9).due < 0.6


def test_a_question_that_failed_is_not_repeated_at_once() -> None:
    """A disturbed server is left in peace for longer each time."""
    asked = schedule()
    rests = []
    for _ in range(3):
        asked.disturbed(0.0, None)
        rests.append(asked.due)
    assert rests == pytest.approx([0.1, 0.2, 0.4])


def test_a_question_that_failed_says_nothing_about_the_state() -> None:
    """The next plan still goes from the last pending answer."""
    completions = Completions()
    asked = schedule(completions=completions)
    asked.asking(1.0)
    asked.disturbed(1.0, None)
    asked.asking(2.0)
    asked.final()
    assert [(one.after, one.by) for one in completions.seen()] == [(0.0, 2.0)]


def test_asking_at_once_waits_for_the_floor() -> None:
    """Corner 6: impatience does not override the server."""
    asked = schedule(hint=5.0)
    asked.at_once(1.0)
    assert asked.due == 5.0
    asked.at_once(7.0)
    assert asked.due == 7.0


def test_a_pace_lets_a_burst_through_and_then_keeps_its_rate() -> None:
    """In any time, no more is sent than the rate allows in it and in a burst."""
    pace = Pace(rate=1000.0)
    sent = []
    now = 7.0
    for _ in range(300):
        now = max(now, pace.free())
        pace.take(now)
        sent.append(now)
    assert sent.count(7.0) == pytest.approx(1000.0 * BURST_SECONDS, abs=1)
    assert sent[-1] - sent[0] == pytest.approx(0.3 - BURST_SECONDS, abs=0.002)


def test_a_pace_saves_no_more_than_a_burst() -> None:
    """Time in which nothing was sent is not made up for later."""
    pace = Pace(rate=10.0)
    pace.take(0.0)
    assert pace.free() < 100.0
    pace.take(100.0)
    pace.take(100.0)
    assert pace.free() > 100.0


def test_pending_requests_count_from_their_first_question() -> None:
    """One that is still pending teaches that requests can take that long."""
    completions = learned(1.0)
    before = completions.plan(PRICE_SECONDS, 0.01).distribution.cdf(2.0)
    for _ in range(20):
        dues(schedule(completions=completions, chance=0.9), 16)
    assert completions.plan(PRICE_SECONDS, 0.01).distribution.cdf(2.0) < before - 0.1


hints = st.one_of(st.none(), st.floats(0, 100))


@settings(deadline=None)
@given(st.lists(hints, min_size=1, max_size=10), st.floats(0, 1))
def test_no_question_is_early(hints: list[float | None], chance: float) -> None:
    """Corner 6: whatever the server asked for, the next question is not before, nor much later."""
    asked = schedule(Polling(), hints[0], chance=chance)
    for hint in hints[1:]:
        now = asked.due
        asked.asking(now)
        asked.pending(now, hint)
        assert asked.due >= asked.floor >= now + (hint or 0.0)
        assert asked.due <= now + max(30.0, (hint or 0.0) * 1.1 + 1e-9)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        *(("adaptive", wrong) for wrong in ("no", 1, None)),
        *(("interval", wrong) for wrong in (0, "1", math.inf, math.nan, True, 10**400)),
        *(("bounds", wrong) for wrong in ((0.0, 1.0), (2.0, 1.0), (1,), 5, ("a", "b"), "ab", None)),
        *(("jitter", wrong) for wrong in (1, -0.1, "0.1", None, math.nan)),
        *(("rate", wrong) for wrong in (0, None, "x", math.inf, False)),
        *(("deadline", wrong) for wrong in (0, "x", math.nan, math.inf)),
    ],
)
def test_settings_that_make_no_sense_are_refused(name: str, wrong: Any) -> None:
    """The message names the setting, what it should be, and what it is."""
    said = f"Polling: {name} must be .*, not {re.escape(repr(wrong))}$"
    with pytest.raises(ConfigurationError, match=said):
        Polling(**{name: wrong})


def test_all_settings_that_make_no_sense_are_named() -> None:
    """At once, and bounds may be any pair."""
    with pytest.raises(ConfigurationError, match=r"interval must be .*; rate must be"):
        Polling(interval=0, rate=0)
    pair: Any = [1, 2]
    assert list(Polling(bounds=pair).bounds) == [1, 2]


def test_nothing_is_planned_before_it_is_asked_for() -> None:
    """A request that nobody asks after costs no plan, and one asked later is planned as of then."""
    completions = Completions()
    asked = schedule(hint=0.2, completions=completions)
    assert asked.floor == 0.2
    for _ in range(50):
        completions.add(2.99, 3.0)
    assert asked.due == schedule(hint=0.2, completions=completions).due
    assert 2.9 < asked.due < 3.1
