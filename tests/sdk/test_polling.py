from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from users_sdk._polling import Polling, Schedule
from users_sdk.errors import ConfigurationError

STEADY = Polling(initial=0.2, factor=2.0, maximum=1.0, jitter=0.0)


def test_without_a_hint_pauses_grow_to_the_maximum() -> None:
    """The prior schedule is geometric and capped."""
    schedule = Schedule(STEADY, 0.0, None, lambda: 0.5)
    dues = [schedule.due]
    for _ in range(4):
        schedule.pending(0.0, None)
        dues.append(schedule.due)
    assert dues == pytest.approx([0.2, 0.4, 0.8, 1.0, 1.0])


def test_a_short_hint_pulls_the_schedule_down() -> None:
    """A server that works in milliseconds is asked in milliseconds, and then less often."""
    schedule = Schedule(STEADY, 0.0, 0.02, lambda: 0.5)
    assert schedule.due == pytest.approx(0.02)
    schedule.pending(1.0, 0.02)
    assert schedule.due == pytest.approx(1.04)


def test_a_long_hint_is_a_floor_for_the_next_question_only() -> None:
    """What the server asked for once does not become the interval."""
    schedule = Schedule(STEADY, 0.0, 30.0, lambda: 0.0)
    assert schedule.due == 30.0
    schedule.pending(30.0, None)
    assert schedule.due == pytest.approx(30.4)


def test_handles_with_one_floor_do_not_ask_in_step() -> None:
    """Above a common floor the due times are spread."""
    polling = Polling(jitter=0.1)
    dues = {Schedule(polling, 0.0, 10.0, lambda c=c: c).due for c in (0.0, 0.5, 1.0)}  # type: ignore[misc]
    assert dues == {10.0, 10.5, 11.0}


def test_a_question_that_failed_is_not_repeated_at_once() -> None:
    """A disturbed server is left in peace for longer each time."""
    schedule = Schedule(STEADY, 0.0, 0.01, lambda: 0.5)
    dues = []
    for _ in range(3):
        schedule.disturbed(0.0, None)
        dues.append(schedule.due)
    assert dues == pytest.approx([0.1, 0.2, 0.4])


def test_asking_at_once_waits_for_the_floor() -> None:
    """Impatience does not override the server."""
    schedule = Schedule(STEADY, 0.0, 5.0, lambda: 0.5)
    schedule.at_once(1.0)
    assert schedule.due == 5.0
    schedule.at_once(7.0)
    assert schedule.due == 7.0


hints = st.one_of(st.none(), st.floats(0, 100))


@given(st.lists(hints, min_size=1, max_size=30), st.floats(0, 1))
def test_no_question_is_early(hints: list[float | None], chance: float) -> None:
    """Whatever the server has asked for, the next question is not before."""
    schedule = Schedule(Polling(), 0.0, hints[0], lambda: chance)
    now = 0.0
    for hint in hints[1:]:
        now = schedule.due
        schedule.pending(now, hint)
        assert schedule.due >= schedule.floor >= now + (hint or 0.0)
        assert schedule.due <= now + max(2.2, (hint or 0.0) * 1.1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"initial": 0},
        {"factor": 0.5},
        {"maximum": 0.1},
        {"jitter": 1},
        {"jitter": -0.1},
        {"deadline": 0},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    """The message names the setting."""
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        Polling(**wrong)
