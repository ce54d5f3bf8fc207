from __future__ import annotations

import math
import random

import pytest

from users_sdk._completions import PRICE_SECONDS
from users_sdk._durations import HALF_LIFE, Distribution, Seen, fit, trend


def fitted(seen: list[Seen], times: int = 20) -> Distribution:
    """Return the estimate after it was made several times."""
    distribution = fit(seen, PRICE_SECONDS)
    for _ in range(times):
        distribution = fit(seen, PRICE_SECONDS, distribution)
    return distribution


def around(duration: float, number: int = 0) -> Seen:
    """Return what closely asked questions see of a request."""
    return Seen(duration * 0.97, duration * 1.03, number)


def test_a_distribution_is_uniform_within_its_cells() -> None:
    """Probabilities and quantiles are each other's inverse."""
    distribution = Distribution([0.0, 1.0, 3.0], [0.5, 0.5])
    assert [distribution.cdf(t) for t in (0.0, 0.5, 2.0, 3.0, 9.0)] == [0.0, 0.25, 0.75, 1.0, 1.0]
    assert [distribution.quantile(p) for p in (0.25, 0.75, 1.0)] == [0.5, 2.0, 3.0]


def test_durations_that_are_longer_by_a_factor_have_scaled_times() -> None:
    """Their quantiles are longer by it."""
    distribution = Distribution([0.0, 1.0, 3.0], [0.5, 0.5]).scaled(2.0)
    assert [distribution.quantile(p) for p in (0.25, 0.75, 1.0)] == [1.0, 4.0, 6.0]


def test_an_interval_is_not_taken_for_its_ends() -> None:
    """
    A completion that was seen late does not count as a late completion.

    Half of the requests were asked after closely, and took 1 s; the others were only asked after
    at 10 s. Nothing says that those took longer.
    """
    seen = [Seen(0.9, 1.0), Seen(0.0, 10.0)] * 25
    distribution = fit(seen, PRICE_SECONDS)
    for _ in range(20):
        distribution = fit(seen, PRICE_SECONDS, distribution)
    assert distribution.cdf(1.1) - distribution.cdf(0.8) > 0.9


def test_old_completions_count_for_less() -> None:
    """Of two durations the one that was seen lately is the likelier."""
    seen = [Seen(0.9, 1.0)] * 30 + [Seen(1.9, 2.0)] * 30
    distribution = fit(seen, PRICE_SECONDS)
    for _ in range(5):
        distribution = fit(seen, PRICE_SECONDS, distribution)
    assert distribution.cdf(2.2) - distribution.cdf(1.7) > 0.6
    old = 0.5 ** (30 / HALF_LIFE)
    share = distribution.cdf(1.1) - distribution.cdf(0.8)
    assert share == pytest.approx(old / (1.0 + old), abs=0.05)


def test_modes_that_lie_apart_stay_apart() -> None:
    """Warm and cold starts do not make anything in between likely."""
    rng = random.Random(6)
    seen = [around(rng.uniform(0.9, 1.1) * rng.choice([0.3, 3.0])) for _ in range(100)]
    distribution = fitted(seen)
    assert distribution.cdf(2.0) - distribution.cdf(0.6) < 0.05


def test_nothing_is_known_more_closely_than_a_request_has_shown_it() -> None:
    """A spike that was once supposed in an interval goes where nothing but the interval is seen."""
    distribution = fitted([Seen(1.39, 1.4)] * 40)
    assert distribution.cdf(1.41) - distribution.cdf(1.38) > 0.9
    for _ in range(20):
        distribution = fit([Seen(1.0, 1.4)] * 40, PRICE_SECONDS, distribution)
    assert distribution.cdf(1.41) - distribution.cdf(1.38) < 0.3


@pytest.mark.parametrize("growth", [0.01, -0.01])
def test_a_trend_is_found(growth: float) -> None:
    """Durations that change by a part from one request to the next, though they vary, tell it."""
    rng = random.Random(7)
    seen = [
        around(math.exp(growth * (n - 100)) * rng.lognormvariate(0.0, 0.2), n) for n in range(100)
    ]
    found = 0.0
    for _ in range(10):
        scaled = [one.scaled(math.exp(found * (100 - one.number))) for one in seen]
        found = trend(scaled, fitted(scaled), found)
    assert found == pytest.approx(growth, rel=0.2)


def test_chance_is_no_trend() -> None:
    """Requests that do not change show none, however they are distributed."""
    found = []
    for seed in range(10):
        rng = random.Random(seed)
        seen = [around(rng.choice([0.3, 3.0]) * rng.uniform(0.9, 1.1), n) for n in range(100)]
        found.append(trend(seen, fitted(seen, 3), 0.0))
    assert found.count(0.0) >= 9


def test_requests_made_together_have_no_trend() -> None:
    """Without an order there is nothing to change in."""
    seen = [around(1.0 + n / 50) for n in range(50)]
    assert trend(seen, fitted(seen, 3), 0.0) == 0.0
