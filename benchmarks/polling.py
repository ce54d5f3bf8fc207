"""
What polling costs: time overshot and polls, against the best schedule there is and against peers.

    python -m benchmarks.polling [--runs 12]

A simulation without network: a question is answered at once. A cost is the time overshot plus a
price for each poll, in seconds. The optimal cost is that of a schedule that knows the true
distribution, by dynamic programming over a grid much finer than the SDK's own, and by another
algorithm (every pair of times), so that an error in the one would show in the other.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import accumulate, chain, pairwise, repeat

from users_sdk._completions import PRICE_SECONDS, Completions
from users_sdk._polling import Polling, Schedule

WARM = 50
"""Completions that are seen before a figure is taken."""

Draw = Callable[[int, float], float]
"""The duration of the n-th request at a quantile from 0 to 1."""


@dataclass(frozen=True)
class Outcome:
    """How one request was asked after: seconds overshot, and polls."""

    overshoot: float
    polls: int

    @property
    def cost(self) -> float:
        """Seconds, polls at their price included."""
        return self.overshoot + self.polls * PRICE_SECONDS


Asker = Callable[[float, random.Random], Outcome]


class Learner:
    """The SDK's own schedule, as one client uses it."""

    def __init__(self, polling: Polling | None = None) -> None:
        self._polling = polling or Polling()
        self.completions = Completions()

    def __call__(self, duration: float, rng: random.Random) -> Outcome:
        """Ask after one request."""
        schedule = Schedule(self._polling, self.completions, 0.0, None, rng.random)
        polls = 1
        while schedule.due < duration:
            now = schedule.due
            schedule.asking(now)
            schedule.pending(now, None)
            polls += 1
        schedule.asking(schedule.due)
        schedule.final()
        return Outcome(schedule.due - duration, polls)


def follow(pauses: Iterator[float], duration: float) -> Outcome:
    """Ask after each pause until the request is complete."""
    for polls, asked in enumerate(accumulate(pauses), start=1):
        if asked >= duration:
            return Outcome(asked - duration, polls)
    raise ValueError("the pauses have ended")


def fixed(duration: float, rng: random.Random) -> Outcome:
    """Ask once a second."""
    return follow(repeat(1.0), duration)


def botocore_like(duration: float, rng: random.Random) -> Outcome:
    """Ask at once and then every 15 s, which most of botocore's waiters do."""
    return follow(chain([0.0], repeat(15.0)), duration)


def google_like(duration: float, rng: random.Random) -> Outcome:
    """Ask at once, then after uniform(0, m), with m from 1 s to 20 s by a factor of 1.5."""
    limits = accumulate(repeat(1.5), lambda limit, factor: min(limit * factor, 20.0), initial=1.0)
    return follow(chain([0.0], (rng.uniform(0.0, limit) for limit in limits)), duration)


def geometric(duration: float, rng: random.Random) -> Outcome:
    """Ask after 0.2 s, then after 1.25 times as long up to 2 s, give or take 10 %."""
    steps = accumulate(repeat(1.25), lambda step, factor: min(step * factor, 2.0), initial=0.2)
    return follow((step * rng.uniform(0.9, 1.1) for step in steps), duration)


PEERS: dict[str, Asker] = {
    "fixed 1 s": fixed,
    "google-like": google_like,
    "botocore-like": botocore_like,
    "geometric": geometric,
}


def normal(quantile: float) -> float:
    """Return a quantile of the standard normal distribution."""
    return statistics.NormalDist().inv_cdf(min(max(quantile, 1e-9), 1.0 - 1e-9))


def lognormal(median: float, sigma: float) -> Callable[[float], float]:
    """Return the quantiles of a log-normal distribution."""
    return lambda quantile: median * math.exp(sigma * normal(quantile))


def bimodal(quantile: float) -> float:
    """Four warm starts in five of about 0.3 s, one cold start of about 2.5 s."""
    if quantile < 0.8:
        return lognormal(0.3, 0.15)(quantile / 0.8)
    return lognormal(2.5, 0.15)((quantile - 0.8) / 0.2)


DISTRIBUTIONS: dict[str, Draw] = {
    "fixed, 1 s": lambda n, q: 1.0,
    "uniform, 0.5 to 2.5 s": lambda n, q: 0.5 + 2.0 * q,
    "exponential, mean 1 s": lambda n, q: -math.log(1.0 - q),
    "log-normal, median 1 s, sigma 0.5": lambda n, q: lognormal(1.0, 0.5)(q),
    "bimodal, warm 0.3 and cold 2.5 s": lambda n, q: bimodal(q),
    "backlog that grows, 1 % a request": lambda n, q: lognormal(0.5 * (1 + n / 100), 0.2)(q),
    "drift, 0.7 to 1.4 s and back": lambda n, q: lognormal(
        0.7 * 2.0 ** (0.5 - 0.5 * math.cos(n * math.pi / 200)), 0.3
    )(q),
    "heavy tail, Lomax 1.5": lambda n, q: (1.0 - q) ** (-1 / 1.5) - 1.0,
    "slow, normal 30 s, sd 2 s": lambda n, q: max(1.0, 30.0 + 2.0 * normal(q)),
}


def optimal_times(draw: Callable[[float], float], points: int = 300) -> list[float]:
    """
    Return the schedule of least expected cost for a known distribution, by dynamic programming.

    The distribution is taken as many durations, finely into the tail, each of which may be asked
    at: it is never better to ask between two of them.

    Source: Barlow, Hunter and Proschan, Optimum checking procedures, J. SIAM 11 (1963), 1078-1095
    """
    above = [1.0 - i / points for i in range(points)]
    above += [0.8**i / points for i in range(1, 60)]
    times = [0.0, *(draw(1.0 - (a + b) / 2) for a, b in pairwise(above))]
    weights = [0.0, *(a - b for a, b in pairwise(above))]
    counts = list(accumulate(weights))
    sums = list(accumulate(t * w for t, w in zip(times, weights, strict=True)))
    last = len(times) - 1
    costs = [0.0] * len(times)
    following = [0] * len(times)
    for i in range(last - 1, -1, -1):
        costs[i], following[i] = min(
            (times[j] * (counts[j] - counts[i]) - (sums[j] - sums[i]) + costs[j], j)
            for j in range(i + 1, last + 1)
        )
        costs[i] += PRICE_SECONDS * (counts[-1] - counts[i])
    polls = [following[0]]
    while polls[-1] < last:
        polls.append(following[polls[-1]])
    return [times[poll] for poll in polls]


def optimal_cost(draw: Draw, durations: dict[int, list[float]]) -> float:
    """
    Return the mean cost of the optimal schedules for the very durations that others are judged by.

    Args:
        draw: The true distribution.
        durations: Durations by the number of the request. The schedule is made anew for every tenth
            number where the distribution changes.
    """
    stationary = draw(WARM, 0.5) == draw(WARM + 1, 0.5)

    @cache
    def times(moment: int) -> list[float]:
        return optimal_times(lambda quantile: draw(moment * 10 + 5, quantile))

    results = []
    for number, drawn in durations.items():
        plan = times(0 if stationary else number // 10)
        # Past the last of the likely durations the pauses stay as the longest.
        pauses = [b - a for a, b in pairwise([0.0, *plan])]
        results += [follow(chain(pauses, repeat(max(pauses))), duration) for duration in drawn]
    return mean_cost(results)


def outcomes(asker: Asker, draw: Draw, numbers: range, rng: random.Random) -> list[Outcome]:
    """Ask after requests one after the other."""
    return [asker(draw(number, rng.random()), rng) for number in numbers]


def mean_cost(results: list[Outcome]) -> float:
    """Return the mean cost in seconds."""
    return statistics.fmean(result.cost for result in results)


def spread(low: float, high: float) -> Draw:
    """Return durations spread evenly."""
    return lambda n, q: low + (high - low) * q


def p95(results: list[Outcome]) -> float:
    """Return the 95th percentile of the overshoot, in seconds."""
    return statistics.quantiles((result.overshoot for result in results), n=20)[-1]


def show_spreads(runs: int) -> None:
    """Print overshoot and polls for durations spread over a range, before and after learning."""
    print(f"overshoot p95 in s and mean polls; price of a poll {PRICE_SECONDS:g} s")
    print(f"  {'spread':<14}{'nothing seen':>16}{f'{WARM} seen':>16}", end="")
    print("".join(f"{name:>16}" for name in PEERS))
    ranges = [(0.2, 1.2), (1.0, 2.0), (2.0, 3.0), (3.0, 4.0), (4.0, 5.0), (5.0, 6.0), (30.0, 31.0)]
    for low, high in ranges:
        draw = spread(low, high)
        rng = random.Random(1)
        columns = [
            [Learner(Polling(adaptive=False))(draw(0, rng.random()), rng) for _ in range(2000)]
        ]
        columns.append(list(learned(draw, runs, range(WARM, WARM + 150), rng)))
        columns += [outcomes(peer, draw, range(2000), rng) for peer in PEERS.values()]
        cells = [f"{p95(c):.2f} / {statistics.fmean(r.polls for r in c):.1f}" for c in columns]
        print(f"  {f'{low:g} to {high:g} s':<14}" + "".join(f"{cell:>16}" for cell in cells))


def learned(draw: Draw, runs: int, numbers: range, rng: random.Random) -> Iterator[Outcome]:
    """Yield what clients do for requests after they have seen those before."""
    for _ in range(runs):
        learner = Learner()
        outcomes(learner, draw, range(numbers.start), rng)
        yield from outcomes(learner, draw, numbers, rng)


def show_costs(runs: int) -> None:
    """
    Print the cost after learning and the peers', as multiples of the optimal schedule's.

    The CPU is what learning, planning and asking take for each request, all polls included.
    """
    print(f"cost after {WARM} completions / the optimal schedule's for the true distribution")
    print(f"  {'distribution':<36}{'optimum':>9}{'learned':>9}{'CPU':>9}{'prior':>9}", end="")
    print("".join(f"{name:>15}" for name in PEERS))
    numbers = range(WARM + 200)
    for name, draw in DISTRIBUTIONS.items():
        rng = random.Random(2)
        drawn = [[draw(number, rng.random()) for number in numbers] for _ in range(runs)]
        best = optimal_cost(draw, {n: [run[n] for run in drawn] for n in numbers[WARM:]})
        askers: list[Callable[[], Asker]] = [Learner, lambda: Learner(Polling(adaptive=False))]
        askers += [lambda peer=peer: peer for peer in PEERS.values()]  # type: ignore[misc]
        costs = []
        spent = [time.process_time()]
        for new in askers:
            results = [one for run in drawn for one in ask(new(), run, rng)[WARM:]]
            costs.append(mean_cost(results))
            spent.append(time.process_time())
        milliseconds = 1e3 * (spent[1] - spent[0]) / (runs * len(numbers))
        ratios = [cost / best for cost in costs]
        cells = f"{ratios[0]:>9.2f}{milliseconds:>6.2f} ms{ratios[1]:>9.2f}"
        cells += "".join(f"{ratio:>15.2f}" for ratio in ratios[2:])
        print(f"  {name:<36}{best:>7.3f} s{cells}")


def ask(asker: Asker, durations: list[float], rng: random.Random) -> list[Outcome]:
    """Ask after requests one after the other."""
    return [asker(duration, rng) for duration in durations]


CHANGES: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "log-normal, 0.5 s to 3 s": (lognormal(0.5, 0.3), lognormal(3.0, 0.3)),
    "log-normal, 3 s to 0.5 s": (lognormal(3.0, 0.3), lognormal(0.5, 0.3)),
    "fixed, 0.3 s to 1 s": (lambda q: 0.3, lambda q: 1.0),
    "fixed, 1 s to 0.3 s": (lambda q: 1.0, lambda q: 0.3),
    "uniform 1-2 s to 5-6 s": (lambda q: 1 + q, lambda q: 5 + q),
    "uniform 5-6 s to 1-2 s": (lambda q: 5 + q, lambda q: 1 + q),
}


def show_changes(runs: int) -> None:
    """Print how the cost recovers from a change, as multiples of the new optimum."""
    print("cost by completions since a change / the optimal schedule's after it")
    windows = [range(10), range(10, 25), range(25, 50), range(50, 100)]
    print(f"  {'change':<36}" + "".join(f"{f'{w.start}-{w.stop - 1}':>9}" for w in windows))
    for name, (before, after) in CHANGES.items():
        rng = random.Random(3)
        seen: list[list[Outcome]] = []
        drawn: list[list[float]] = []
        for _ in range(runs * 2):
            learner = Learner()
            ask(learner, [before(rng.random()) for _ in range(100)], rng)
            drawn.append([after(rng.random()) for _ in range(100)])
            seen.append(ask(learner, drawn[-1], rng))
        ratios = []
        for window in windows:
            lasted = {n: [run[n] for run in drawn] for n in window}
            best = optimal_cost(partial(at_any_time, after), lasted)
            ratios.append(mean_cost([run[n] for run in seen for n in window]) / best)
        print(f"  {name:<36}" + "".join(f"{ratio:>9.2f}" for ratio in ratios))


def at_any_time(quantiles: Callable[[float], float], number: int, quantile: float) -> float:
    """Return a quantile of a distribution that does not change."""
    return quantiles(quantile)


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description="what polling costs")
    parser.add_argument("--runs", type=int, default=12, help="clients that learn, for each figure")
    runs = parser.parse_args().runs
    show_spreads(runs)
    show_costs(runs)
    show_changes(runs)


if __name__ == "__main__":
    main()
