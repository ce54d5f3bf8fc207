from __future__ import annotations

import threading
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from users_sdk._http import Headers
from users_sdk._retry import (
    BUDGET_TOKENS,
    LONGEST_HINT_SECONDS,
    RetryBudget,
    backoff,
    is_transient,
    may_repeat,
    retry_after,
)
from users_sdk.errors import (
    AnswerTimeout,
    ProtocolError,
    RequestNotSent,
    SDKError,
    UnknownOutcome,
    error_class,
)

NOW = 1_700_000_000.0


def failure(status: int) -> SDKError:
    return error_class(status)("Refused", status=status)


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "3"}, 3),
        ({"retry-after": "0"}, 0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": " 2 "}, 2),
        ({"Retry-After": "-1"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "9" * 30}, LONGEST_HINT_SECONDS),
        ({"Retry-After": formatdate(NOW + 7, usegmt=True)}, 7),
        ({"Retry-After": formatdate(NOW - 7, usegmt=True)}, 0),
        ({"Retry-After": "Mon, 99 Foo 2020 00:00:00 GMT"}, None),
        ({"Retry-After-Ms": "20", "Retry-After": "1"}, 0.02),
        ({"Retry-After-Ms": "rubbish", "Retry-After": "1"}, 1),
        ({"Retry-After-Ms": "1e12"}, LONGEST_HINT_SECONDS),
    ],
)
def test_retry_after_is_read_in_all_its_forms(
    fields: dict[str, str], seconds: float | None
) -> None:
    """Corner 6: every form gives seconds or nothing, never an error."""
    assert retry_after(Headers(fields), NOW) == seconds


def test_a_date_is_counted_from_the_server_s_own_clock() -> None:
    """A local clock that is wrong does not change how long the server asks to wait."""
    fields = {"Retry-After": formatdate(NOW + 7), "Date": formatdate(NOW)}
    assert retry_after(Headers(fields), NOW - 3600) == 7


@given(st.text(), st.text())
def test_no_header_is_an_error(first: str, second: str) -> None:
    """Corner 6: whatever a server sends, the hint is a bounded number or nothing."""
    hint = retry_after({"retry-after": first, "retry-after-ms": second, "date": first}, NOW)
    assert hint is None or 0 <= hint <= LONGEST_HINT_SECONDS


@pytest.mark.parametrize(
    ("error", "safe", "unsafe"),
    [
        (RequestNotSent("no route"), True, True),
        (UnknownOutcome("lost"), True, False),
        (failure(429), True, True),
        (failure(500), True, False),
        (failure(503), True, False),
        (failure(408), True, False),
        (failure(501), False, False),
        (failure(400), False, False),
        (failure(403), False, False),
        (failure(404), False, False),
        (ProtocolError("no JSON"), False, False),
    ],
)
def test_what_may_be_repeated(error: SDKError, safe: bool, unsafe: bool) -> None:
    """Without a key, only what was certainly not carried out is sent again."""
    assert may_repeat(error, safe=True) is safe
    assert may_repeat(error, safe=False) is unsafe
    assert is_transient(error) is safe


@given(st.integers(1, 2000), st.one_of(st.none(), st.floats(0, 60)), st.floats(0, 1))
def test_a_pause_is_bounded_and_never_below_what_the_server_asks(
    repetition: int, hint: float | None, chance: float
) -> None:
    """Full jitter on top of the server's floor."""
    pause = backoff(repetition, hint, lambda: chance)
    assert (hint or 0) <= pause <= (hint or 0) + 5


def test_pauses_double() -> None:
    """The upper bound grows with each repetition."""
    assert [backoff(n, None, lambda: 1.0) for n in (1, 2, 3)] == [0.1, 0.2, 0.4]


@pytest.mark.parametrize(
    ("error", "price"),
    [(failure(503), 5), (RequestNotSent("no route"), 5), (AnswerTimeout("?"), 10)],
)
def test_a_repetition_has_its_price(error: SDKError, price: int) -> None:
    """Corner 34: what ended for want of time costs twice as much."""
    budget = RetryBudget()
    assert budget.take(error) == price
    assert budget.available == BUDGET_TOKENS - price


def test_a_budget_is_used_up_and_refilled_by_successes() -> None:
    """Corner 34: nothing is repeated that cannot be paid for, and nothing is given back twice."""
    budget = RetryBudget(11)
    assert [budget.take(failure(503)) for _ in range(3)] == [5, 5, 0]
    budget.refund(5)
    assert budget.available == 6
    for _ in range(100):
        budget.refund(0)
    assert budget.available == 11


def test_a_budget_is_shared_by_threads() -> None:
    """Corner 34: together they take what there is, and no more."""
    budget = RetryBudget(1000)
    paid: list[int] = []

    def spend() -> None:
        paid.extend(budget.take(failure(503)) for _ in range(100))

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(paid) == 1000
    assert budget.available == 0
