from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from users_sdk._completions import (
    LEARNED_CHARGE,
    LOST_SECONDS,
    MEMORY,
    PRICE_SECONDS,
    WAITING,
    Completions,
    Plan,
)
from users_sdk._durations import Distribution
from users_sdk._polling import Polling, Schedule

UNIFORM = Distribution([0.0, 1.0, *(1.0 + n / 200 for n in range(1, 201))], [0.0] + [1 / 200] * 200)


def brute_force(
    distribution: Distribution, price: float, charge: tuple[float, float, float] = (1.0, 1.0, 0.0)
) -> float:
    """Return the least cost by comparing every pair of edges."""
    factor, power, growth = charge
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
        pending = max(1.0 - below[i], 0.0)
        costs[i] = factor * price * pending**power * max(edges[i], edges[1]) ** growth + min(ways)
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
        plan = Plan(distribution, price, 0.0, learned=True)
        expected = brute_force(distribution, price, LEARNED_CHARGE)
        assert plan.least_cost() == pytest.approx(expected)


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


def test_the_first_question_may_come_earlier_only_as_far_as_that_is_cheap() -> None:
    """What is no dearer is near the best time, and nothing else is if nothing may be lost."""
    plan = Plan(UNIFORM, 0.06, 0.0, learned=True)
    best = plan.after(0.0, 0.0)
    assert plan.no_dearer(best, 0.0, 0.0) == pytest.approx(best, abs=0.011)
    assert 1.0 < plan.no_dearer(best, 0.0, 0.1) < best - 0.03
    assert plan.no_dearer(best, best - 0.02, 0.1) >= best - 0.02


def test_a_plan_keeps_the_gap() -> None:
    """A server that wants half a second between questions gets it."""
    plan = Plan(UNIFORM, 0.001, 0.5)
    first = plan.after(0.0, 0.5)
    assert plan.after(first, first + 0.5) >= first + 0.5


def test_beyond_everything_known_a_plan_asks_when_it_may() -> None:
    """A request that outlives the grid is still asked after."""
    assert Plan(UNIFORM, 0.06, 0.0).after(5.0, 7.0) == 7.0


def see(completions: Completions, duration: float, count: int) -> None:
    """Let requests complete that all take as long, and are asked after closely."""
    for _ in range(count):
        completions.plan(PRICE_SECONDS, 0.01)
        completions.add(duration * 0.95, duration)


def ask(completions: Completions, duration: float, rng: random.Random) -> None:
    """Ask after a request until it is complete."""
    schedule = Schedule(Polling(), completions, 0.0, None, rng.random)
    while schedule.due < duration:
        schedule.asking(schedule.due)
        schedule.pending(schedule.due, None)
    schedule.asking(schedule.due)
    schedule.final()


@pytest.mark.parametrize(("before", "after"), [(0.5, 3.0), (3.0, 0.5)])
def test_a_change_makes_what_was_learned_forgotten(before: float, after: float) -> None:
    """Completions far outside of what was seen are followed after a few."""
    completions = Completions()
    see(completions, before, 50)
    see(completions, after, 15)
    assert all(one.by == after for one in completions.seen())
    assert completions.plan(PRICE_SECONDS, 0.01).after(0.0, 0.01) == pytest.approx(after, rel=0.2)


def test_a_single_outlier_does_not_make_anything_forgotten() -> None:
    """One completion far outside of what was seen is no change yet."""
    completions = Completions()
    see(completions, 1.0, 50)
    see(completions, 20.0, 1)
    see(completions, 1.0, 5)
    assert len(completions.seen()) == 56
    assert completions.plan(PRICE_SECONDS, 0.01).after(0.0, 0.01) == pytest.approx(1.0, rel=0.1)


def test_every_twentieth_request_searches_for_a_change() -> None:
    """
    Its first question comes before the planned time.

    Half of the places are evenly spread, the others just before the bulk of the completions.
    """
    completions = Completions()
    for _ in range(50):
        completions.plan(PRICE_SECONDS, 0.01)
        completions.add(0.9995, 1.0)
    completions.plan(PRICE_SECONDS, 0.01)
    times = [completions.probe(0.0, 1.0, lambda: 0.5) for _ in range(400)]
    searched = sorted(time for time in times if time < 1.0)
    assert len(searched) == pytest.approx(20, abs=4)
    assert searched[0] < 0.2
    assert max(b - a for a, b in pairwise(searched)) < 0.3
    assert sum(time > 0.9 for time in searched) >= 8


def test_a_search_that_finds_something_is_repeated_at_once() -> None:
    """The next request is searched in the same place: two finds prove what one does not."""
    completions = Completions()
    see(completions, 1.0, 50)
    while (found := completions.probe(0.0, 1.0, lambda: 0.5)) > 0.7:
        pass
    completions.add(0.0, found)
    assert completions.probe(0.0, 1.0, lambda: 0.5) == found


def test_a_search_that_finds_nothing_goes_on_elsewhere() -> None:
    """A find that nothing confirms does not hold the search in its place."""
    completions = Completions()
    see(completions, 1.0, 50)
    while (found := completions.probe(0.0, 1.0, lambda: 0.5)) > 0.7:
        pass
    completions.add(0.0, found)
    see(completions, 1.0, 1)
    assert completions.probe(0.0, 1.0, lambda: 0.5) != found


def test_with_nothing_seen_nothing_is_tried() -> None:
    """The prior is no estimate that questions could make narrower."""
    assert Completions().probe(0.0, 1.0, lambda: 0.0) == 1.0


def test_what_has_been_narrowed_down_is_not_again() -> None:
    """A question that costs more than it teaches is not asked."""
    completions = Completions()
    for _ in range(50):
        completions.plan(PRICE_SECONDS, 0.01)
        completions.add(0.9995, 1.0)
    completions.plan(PRICE_SECONDS, 0.01)
    assert completions.probe(0.5, 1.0, lambda: 0.5) == 1.0


def test_a_wide_interval_is_narrowed_down() -> None:
    """Before anything is known about its inside, a question within it is worth its price."""
    completions = Completions()
    for _ in range(8):
        completions.plan(PRICE_SECONDS, 0.01)
        completions.add(1.0, 3.0)
    completions.plan(PRICE_SECONDS, 0.01)
    assert 1.0 < completions.probe(1.0, 3.0, lambda: 0.5) < 3.0


def test_a_belief_that_its_own_schedule_would_confirm_is_found_out() -> None:
    """
    Whoever asks first at 1.66 s sees completions since 1 s as completions by 1.66 s.

    These fit the belief that requests take 1.6 s as well as the truth, so that only questions
    within the interval tell.
    """
    completions = Completions()
    for _ in range(60):
        completions.plan(PRICE_SECONDS, 0.01)
        completions.add(1.6, 1.66)
    rng = random.Random(9)
    for _ in range(250):
        ask(completions, rng.uniform(1.0, 2.0), rng)
    assert completions.plan(PRICE_SECONDS, 0.01).distribution.cdf(1.5) == pytest.approx(
        0.5, abs=0.2
    )


def test_a_trend_is_followed_to_the_present() -> None:
    """When each request takes 1 % longer, plans are for the next one, not for those seen."""
    completions = Completions()
    for number in range(100):
        completions.plan(PRICE_SECONDS, 0.01)
        duration = 1.01**number
        completions.add(duration * 0.9, duration * 1.1)
    planned = completions.plan(PRICE_SECONDS, 0.01).distribution
    assert planned.quantile(0.5) == pytest.approx(1.01**100, rel=0.08)


def test_a_burst_is_no_trend() -> None:
    """The quick ones of requests made together complete first; the next are not slower still."""
    completions = Completions()
    burst = []
    for _ in range(WAITING):
        waiting = completions.admit(0.0)
        assert waiting is not None
        burst.append(waiting)
    shuffled = random.Random(5).sample(burst, len(burst))
    for rank, waiting in enumerate(shuffled):
        duration = 1.0 + rank / WAITING
        completions.wait(waiting, duration - 0.05, duration + 0.05)
        completions.plan(PRICE_SECONDS, 0.01)
        completions.settle(waiting, duration + 0.05)
    planned = completions.plan(PRICE_SECONDS, 0.01).distribution
    assert planned.quantile(0.5) < 1.8
    assert planned.cdf(2.2) > 0.9


def test_requests_that_are_still_pending_teach() -> None:
    """When durations grow beyond all seen, plans follow before the first completes."""
    completions = Completions()
    see(completions, 1.0, 30)
    planned = completions.plan(PRICE_SECONDS, 0.01).least_cost()
    for _ in range(30):
        waiting = completions.admit(0.0)
        assert waiting is not None
        completions.wait(waiting, 8.0, 9.0)
    assert completions.plan(PRICE_SECONDS, 0.01).distribution.cdf(8.0) < 0.6
    assert completions.plan(PRICE_SECONDS, 0.01).least_cost() > 2 * planned


def test_a_settled_request_is_no_longer_pending() -> None:
    """It counts once, as the completion that it was."""
    completions = Completions()
    waiting = completions.admit(0.0)
    assert waiting is not None
    completions.wait(waiting, 2.0, 3.0)
    completions.settle(waiting, 3.0)
    assert [(one.after, one.by) for one in completions.seen()] == [(2.0, 3.0)]
    assert completions.plan(PRICE_SECONDS, 0.01).distribution.cdf(3.0) > 0.5


def test_pending_requests_are_bounded_and_the_lost_make_room() -> None:
    """One that is not asked after any more counts as pending when it was last asked after."""
    completions = Completions()
    for _ in range(WAITING):
        waiting = completions.admit(0.0)
        assert waiting is not None
        completions.wait(waiting, 4.0, 5.0)
    assert completions.admit(LOST_SECONDS) is None
    assert completions.admit(5.1 + LOST_SECONDS) is not None
    assert [one.after for one in completions.seen()] == [4.0] * WAITING
    assert completions.plan(PRICE_SECONDS, 0.01).distribution.cdf(4.0) < 0.2


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
        assert all(time > 0.0 for time in pool.map(work, range(MEMORY + 20)))
    assert len(completions.seen()) == MEMORY
