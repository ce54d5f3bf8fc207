"""Whether a request may be sent again, after how long, and at whose expense. Pure."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from ._fork import begins_anew
from .errors import ApiError, RequestNotSent, SDKError, UnknownOutcome

FIRST_SECONDS = 0.1
"""Upper bound of the pause before the first repetition; it doubles with each further one."""

LONGEST_SECONDS = 5.0
"""Upper bound of any pause that the server did not ask for."""

LONGEST_HINT_SECONDS = 3600.0
"""What a longer `Retry-After` is taken for: more than that is a mistake of the server's."""

BUDGET_TOKENS = 500
"""What a client's repetitions may cost before successes pay for more.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html, and botocore's
`retries.quota` (observed in 1.43.106), whose costs and refunds these are.
"""

REPETITION_TOKENS = 5
"""What a repetition costs."""

LATE_REPETITION_TOKENS = 10
"""What a repetition costs after a failure for want of time, which has bound the server longer."""

SUCCESS_TOKENS = 1
"""What a success gives back that needed no repetition."""

IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""Methods whose repetition means the same. Source: RFC 9110, 9.2.2."""

TRANSIENT_STATUSES = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""Answers that another attempt may turn into a success."""


def is_transient(failure: SDKError) -> bool:
    """Say whether the same request may succeed later, whatever repeating it would mean."""
    if isinstance(failure, ApiError):
        return failure.status in TRANSIENT_STATUSES
    return isinstance(failure, RequestNotSent | UnknownOutcome)


def may_repeat(failure: SDKError, *, safe: bool) -> bool:
    """
    Say whether a request may be sent again after this failure.

    Args:
        failure: What became of the last attempt.
        safe: Whether two requests mean one: the method is idempotent, or an idempotency key is
            sent.

    Returns:
        True only if the request was certainly not carried out, or if carrying it out twice is the
        same. Of the answers, 429 alone says for certain that it was not (RFC 6585, 4).
    """
    if safe:
        return is_transient(failure)
    if isinstance(failure, ApiError):
        return failure.status == HTTPStatus.TOO_MANY_REQUESTS
    return isinstance(failure, RequestNotSent)


class RetryBudget:
    """
    What the repetitions of all calls of one client may cost.

    Each repetition takes tokens, each success gives some back. While a server fails every call, the
    tokens run out and each call is one attempt: repetitions then multiply no load. Any thread may
    use it.

    Args:
        tokens: How many there are at first, and at most.
    """

    __slots__ = ("__weakref__", "_available", "_capacity", "_lock")

    def __init__(self, tokens: int = BUDGET_TOKENS) -> None:
        self._capacity = tokens
        self._available = tokens
        self._lock = threading.Lock()
        begins_anew(self)

    def after_fork(self) -> None:
        """Begin anew with the lock: a thread of the parent may have held it."""
        self._lock = threading.Lock()

    @property
    def available(self) -> int:
        """The tokens that are left."""
        return self._available

    def take(self, failure: SDKError) -> int:
        """Pay for a repetition after this failure; return its price, or 0 if it cannot be paid."""
        price = LATE_REPETITION_TOKENS if isinstance(failure, TimeoutError) else REPETITION_TOKENS
        with self._lock:
            if price > self._available:
                return 0
            self._available -= price
            return price

    def refund(self, paid: int) -> None:
        """
        Give back after a success.

        Args:
            paid: The price of the call's last repetition; 0 if it had none.
        """
        with self._lock:
            self._available = min(self._capacity, self._available + (paid or SUCCESS_TOKENS))


def backoff(repetition: int, hint: float | None, random: Callable[[], float]) -> float:
    """
    Return the pause before a repetition, in seconds: full jitter, never below what the server asks.

    Args:
        repetition: 1 for the first.
        hint: Seconds that the server asked for, if it did.
        random: Returns a number from 0 to 1.

    Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    limit = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(repetition - 1, 30))
    return (hint or 0.0) + random() * limit


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """
    Return the seconds that an answer asks to wait; `None` if it does not, or in no known form.

    `Retry-After-Ms` (milliseconds) wins over `Retry-After` (seconds, decimals allowed, or an HTTP
    date). A date that has passed is 0; more than an hour counts as an hour.

    Args:
        headers: The answer's header fields, names without case.
        now: Seconds since 1970, for a date where the answer has no `Date` of its own.

    Source: RFC 9110, 10.2.3
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return min(milliseconds / 1000, LONGEST_HINT_SECONDS)
    value = headers.get("retry-after")
    seconds = _number(value)
    if seconds is None:
        moment = _date(value)
        if moment is None:
            return None
        sent = date_of(headers)
        seconds = max(0.0, moment - (now if sent is None else sent))
    return min(seconds, LONGEST_HINT_SECONDS)


def date_of(headers: Mapping[str, str]) -> float | None:
    """Return the time, in seconds since 1970, at which an answer was made, if it says so."""
    return _date(headers.get("date"))


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _date(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text or "").timestamp()
    except (ValueError, OverflowError):
        return None
