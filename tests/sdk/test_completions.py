from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from users_sdk._completions import (
    MEMORY,
    PRICE_SECONDS,
    Completions,
    Distribution,
    Plan,
    Seen,
    fit,
)

UNIFORM = Distribution([0.0, 1.0, *(1.0 + n / 200 for n in range(1, 201))], [0.0] + [1 / 200] * 200)


def test_a_distribution_is_uniform_within_its_cells() -> None:
    """Probabilities and quantiles are each other's inverse."""
    distribution = Distribution([0.0, 1.0, 3.0], [0.5, 0.5])
    assert [distribution.cdf(t) for t in (0.0, 0.5, 2.0, 3.0, 9.0)] == [0.0, 0.25, 0.75, 1.0, 1.0]
    assert [distribution.quantile(p) for p in (0.25, 0.75, 1.0)] == [0.5, 2.0, 3.0]


def brute_force(distribution: Distribution, price: float) -> float:
    """Return the least cost by comparing every pair of edges."""
    edges, below = distribution.edges, distribution.below
    costs = [0.0] * len(edges)
    for i in range(len(edges) - 2, -1, -1):
        ways = []
        overshot = 0.0
        for j in range(i + 1, len(edges)):
            # What completed before this cell is overshot by all of it, what does within by half.
            width = edges[j] - edges[j - 1]
            overshot += width * ((below[j - 1] - below[i]) + (below[j] - below[j - 1]) / 2)
            ways.append(overshot + costs[j])
        costs[i] = price * (1.0 - below[i]) + min(ways)
    return costs[0]


@pytest.mark.parametrize("price", [0.01, 0.06, 0.3])
def test_a_plan_costs_least(price: float) -> None:
    """The hull of lines finds the same minimum as the comparison of all pairs."""
    rng = random.Random(4)
    edges = [0.0, *sorted(rng.uniform(0.0, 5.0) for _ in range(40))]
    parts = [rng.random() ** 4 for _ in range(40)]
    for distribution in (UNIFORM, Distribution(edges, [part / sum(parts) for part in parts])):
        plan = Plan(distribution, price, 0.0)
        assert plan.least_cost() == pytest.approx(brute_force(distribution, price))


def test_pauses_in_a_uniform_distribution_shrink_by_the_price() -> None:
    """
    Each pause is shorter than the one before by the price.

    Source: Barlow, Hunter and Proschan (1963), for a constant density
    """
    plan = Plan(UNIFORM, 0.06, 0.0)
    times = [1.0]
    while times[-1] < 1.99:
        times.append(plan.after(times[-1], times[-1] + 0.001))
    pauses = [b - a for a, b in pairwise(times)]
    differences = [a - b for a, b in pairwise(pauses)]
    assert differences == pytest.approx([0.06] * len(differences), abs=0.011)


def test_a_plan_keeps_the_gap() -> None:
    """A server that wants half a second between questions gets it."""
    plan = Plan(UNIFORM, 0.001, 0.5)
    first = plan.after(0.0, 0.5)
    assert plan.after(first, first + 0.5) >= first + 0.5


def test_beyond_everything_known_a_plan_asks_when_it_may() -> None:
    """A request that outlives the grid is still asked after."""
    assert Plan(UNIFORM, 0.06, 0.0).after(5.0, 7.0) == 7.0


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
    assert distribution.cdf(1.0) - distribution.cdf(0.9) > 0.9


def test_old_completions_count_for_less() -> None:
    """Of two durations the one that was seen lately is the likelier."""
    seen = [Seen(0.9, 1.0)] * 30 + [Seen(1.9, 2.0)] * 30
    distribution = fit(seen, PRICE_SECONDS)
    assert distribution.cdf(2.0) - distribution.cdf(1.9) > 0.6
    assert 0.2 < distribution.cdf(1.0) - distribution.cdf(0.9) < 0.4


def see(completions: Completions, duration: float, count: int) -> None:
    """Let requests complete that all take as long, and are asked after closely."""
    for _ in range(count):
        completions.plan(PRICE_SECONDS, 0.01)
        completions.add(duration * 0.95, duration)


@pytest.mark.parametrize(("before", "after"), [(0.5, 3.0), (3.0, 0.5)])
def test_a_change_makes_what_was_learned_forgotten(before: float, after: float) -> None:
    """Completions far outside of what was seen are followed after a few."""
    completions = Completions()
    see(completions, before, 50)
    see(completions, after, 15)
    assert all(one.by == after for one in completions.seen())
    assert completions.plan(PRICE_SECONDS, 0.01).after(0.0, 0.01) == pytest.approx(after, rel=0.2)


def test_questions_are_asked_earlier_at_times() -> None:
    """A plan alone would never find out that requests complete earlier."""
    completions = Completions()
    rng = random.Random(1)
    assert completions.probe(0.0, 1.0, rng.random) == 1.0
    for _ in range(50):
        completions.add(0.95, 1.0)
    completions.plan(PRICE_SECONDS, 0.01)
    times = [completions.probe(0.0, 1.0, rng.random) for _ in range(2000)]
    assert 0.05 < sum(time < 1.0 for time in times) / 2000 < 0.2
    assert min(times) < 0.3
    assert max(times) == 1.0


def test_memory_is_bounded() -> None:
    """However many requests complete, a fixed number is kept."""
    completions = Completions()
    for number in range(MEMORY * 3):
        completions.add(0.0, 1.0 + number / 100)
    assert len(completions.seen()) <= MEMORY


def test_an_answer_that_was_final_at_once_is_an_interval_as_well() -> None:
    """A resumed request has been complete for long; nothing divides by nothing."""
    completions = Completions()
    completions.add(0.0, 0.0)
    completions.add(2.0, 1.0)
    assert all(one.by > one.after for one in completions.seen())
    assert completions.plan(PRICE_SECONDS, 0.01).after(0.0, 0.01) > 0.0


def test_many_threads_may_learn_at_once() -> None:
    """Nothing is lost or broken when threads add and plan together."""
    completions = Completions()

    def work(number: int) -> float:
        completions.add(0.9, 1.0)
        return completions.plan(PRICE_SECONDS, 0.01 + number % 7 / 100).after(0.0, 0.1)

    with ThreadPoolExecutor(8) as pool:
        assert all(time > 0.0 for time in pool.map(work, range(100)))
    assert len(completions.seen()) == MEMORY
