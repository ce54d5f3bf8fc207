"""
When accepted requests were seen to complete, and what follows for the next question. Pure.

1. Nobody sees a request complete: it did so after the last pending answer and by the first final
   one. Such intervals are kept, the newest few, and the older ones count for less.
2. Their distribution is estimated without taking either end for the truth, and mixed with a prior
   of heavy tail that stands for everything not seen yet.
3. The schedule is the one of least expected cost, polls at a price plus time overshot, for that
   distribution.
4. Requests that no longer fit what was learned make it forgotten.

docs/reference/polling.md has the mathematics and its sources.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

PRICE_SECONDS = 0.06
"""What one poll costs: it is worth as much as this time of waiting."""

MEMORY = 64
"""Completions that are kept."""

HALF_LIFE = 30
"""Completions after which one counts for half."""

_PRIOR_WEIGHT = 0.5
"""How many completions the prior counts for."""

_PRIOR_SHAPE = 1.8
_PRIOR_SCALE = 15.0
"""The prior's Lomax distribution; its scale is in prices: cheap polls mean short durations."""

_PRIOR_SLOW = 0.06
_PRIOR_SLOW_SCALE = 300.0
"""What share of the prior is a Lomax distribution of shape 1 and this scale: slow operations."""

_GRID_FIRST = 0.1
_GRID_LAST = 60_000.0
_GRID_RATIO = 1.12
"""The prior's grid of times: the first and the last in prices, and the ratio of two neighbours."""

_ROUNDS = 2
"""Steps of expectation and maximisation for one estimate; each estimate goes on from the last."""

_BLUR_SHARE = 0.4
_BLUR_REACH = 0.25
"""What share of the estimate is spread, and how far, in interquartile ranges."""

_CELL_COST = 0.02
_CELL_PARTS = 8
"""A cell is split until planning within it as if it were one point costs this part of a price."""

_SHORTEST = 1e-4
"""The least width of an interval, in seconds."""

_NARROWING = 6.0
"""Completions after which every second question narrows; see `Completions.probe`."""

_SEARCHING = 0.06
_SEARCHING_SURPRISED = 0.4
"""The share of requests whose first question searches for a change, and that after a surprise."""

_SURPRISE = 0.02
_SURPRISES = 3
_SURPRISE_WINDOW = 8
"""It is a change if that many of the last completions lie in an end of so little probability."""

_PLANS = 4
"""Plans that are kept, for different prices and gaps."""

_REFRESH = 8
"""A plan is made anew when this part of the completions is new: making one costs milliseconds."""


@dataclass(frozen=True, slots=True)
class Seen:
    """
    A completion as it was seen, in seconds since acceptance.

    Attributes:
        after: When the last pending answer was asked for; 0 if there was none.
        by: When the first final answer was asked for.
    """

    after: float
    by: float


class Distribution:
    """
    When requests complete: a distribution that is uniform within each cell of a grid.

    Args:
        edges: The ends of the cells in seconds, rising from 0.
        mass: The probability of each cell. What is missing from 1 lies beyond the last edge.
    """

    __slots__ = ("below", "edges")

    def __init__(self, edges: Sequence[float], mass: Sequence[float]) -> None:
        self.edges = edges
        self.below = [0.0, *accumulate(mass)]

    def cdf(self, time: float) -> float:
        """Return the probability of completion by a time."""
        cell = bisect_right(self.edges, time) - 1
        if cell >= len(self.edges) - 1:
            return self.below[-1]
        return self.below[cell] + self.density(cell) * (time - self.edges[cell])

    def density(self, cell: int) -> float:
        """Return the density within a cell, per second."""
        width = self.edges[cell + 1] - self.edges[cell]
        return (self.below[cell + 1] - self.below[cell]) / width

    def quantile(self, probability: float) -> float:
        """Return the time by which requests complete with a probability."""
        cell = bisect_left(self.below, probability, lo=1, hi=len(self.below) - 1) - 1
        rest = probability - self.below[cell]
        density = self.density(cell)
        return min(self.edges[cell] + (rest / density if density else 0.0), self.edges[cell + 1])


class Plan:
    """
    When to ask at least cost, whatever has been asked already.

    With F for the distribution, A for its integral and S = 1 - F, the expected cost that remains
    after a pending answer at s, times S(s), is

        W(s) = price S(s) + min over t of A(t) - A(s) - F(s) (t - s) + W(t)

    For each t this is a straight line in F(s), so that the least of all is a hull of lines, found
    in one pass from the last time to the first.

    Args:
        distribution: When requests complete.
        price: What a poll costs, in seconds.
        gap: Seconds that the server wants between two polls.
    """

    __slots__ = ("_constants", "distribution", "gap", "price")

    def __init__(self, distribution: Distribution, price: float, gap: float) -> None:
        self.distribution = distribution
        self.price = price
        self.gap = gap
        self._constants = self._solved()

    def after(self, last: float, earliest: float) -> float:
        """
        Return when to ask next, in seconds since acceptance.

        Args:
            last: When the last pending answer was asked for.
            earliest: When the server may be asked again.
        """
        edges = self.distribution.edges
        first = bisect_left(edges, earliest)
        if first >= len(edges):
            return earliest
        below = self.distribution.cdf(last)
        costs = [
            constant - below * edge
            for constant, edge in zip(self._constants[first:], edges[first:], strict=True)
        ]
        return edges[first + costs.index(min(costs))]

    def least_cost(self) -> float:
        """Return the expected cost of a whole request, polls included, in seconds."""
        return self._constants[0]

    def slack(self, last: float, time: float) -> float:
        """
        Return how far a poll may be off its time before it matters, in seconds.

        Being late by x costs about x^2 / 2 times the hazard; the slack is where that is the price.
        """
        distribution = self.distribution
        cell = bisect_left(distribution.edges, time, hi=len(distribution.edges) - 1) - 1
        density = distribution.density(max(cell, 0))
        if density <= 0.0:
            return time - last
        pending = 1.0 - distribution.cdf(last)
        return min(time - last, math.sqrt(2.0 * self.price * pending / density))

    def _solved(self) -> list[float]:
        """Return A(t) + W(t) for each edge t: what asking at t costs, but for F(s) t."""
        edges, below = self.distribution.edges, self.distribution.below
        cells = zip(pairwise(edges), pairwise(below), strict=True)
        area = [0.0, *accumulate((b - a) * (f + g) / 2 for (a, b), (f, g) in cells)]
        constants = area.copy()
        hull = _Hull()
        newest = len(edges)
        for i in range(len(edges) - 2, -1, -1):
            while newest - 1 > i and edges[newest - 1] >= edges[i] + self.gap:
                newest -= 1
                hull.add(-edges[newest], constants[newest])
            least = hull.least(below[i])
            if least is not None:
                constants[i] = self.price * (1.0 - below[i]) + least + below[i] * edges[i]
        return constants


class _Hull:
    """The least of straight lines: slopes come in rising order, questions in falling order."""

    def __init__(self) -> None:
        self._lines: deque[tuple[float, float]] = deque()

    def add(self, slope: float, constant: float) -> None:
        lines = self._lines
        while len(lines) >= 2:
            (m, b), (n, c) = lines[-2], lines[-1]
            if (constant - b) * (n - m) < (c - b) * (slope - m):
                lines.pop()
            else:
                break
        lines.append((slope, constant))

    def least(self, x: float) -> float | None:
        lines = self._lines
        while len(lines) >= 2 and lines[1][0] * x + lines[1][1] <= lines[0][0] * x + lines[0][1]:
            lines.popleft()
        return lines[0][0] * x + lines[0][1] if lines else None


def fit(seen: Sequence[Seen], price: float, before: Distribution | None = None) -> Distribution:
    """
    Estimate when requests complete.

    Args:
        seen: The completions, oldest first.
        price: What a poll costs, in seconds: the scale of the prior.
        before: The estimate to start from. What older completions have told about the inside of an
            interval lives on in it.
    """
    edges = _edges(seen, price)
    prior = _prior(edges, price)
    weights = [0.5 ** (age / HALF_LIFE) for age in range(len(seen) - 1, -1, -1)]
    total = _PRIOR_WEIGHT + sum(weights)
    spans = [
        (*_cells(edges, one.after, one.by), weight / total)
        for one, weight in zip(seen, weights, strict=True)
    ]
    share = _PRIOR_WEIGHT / total
    mass = prior if before is None else [b - a for a, b in pairwise(map(before.cdf, edges))]
    for _ in range(_ROUNDS):
        rates = _rates(spans, mass)
        mass = [p * share + m * rate for p, m, rate in zip(prior, mass, rates, strict=True)]
    return Distribution(edges, mass)


def _prior(edges: Sequence[float], price: float) -> list[float]:
    scale = _PRIOR_SCALE * price
    above = [
        (1.0 - _PRIOR_SLOW) * (1.0 + edge / scale) ** -_PRIOR_SHAPE
        + _PRIOR_SLOW / (1.0 + edge / (_PRIOR_SLOW_SCALE * price))
        for edge in edges
    ]
    return [a - b for a, b in pairwise(above)]


def _blurred(fitted: Distribution) -> list[float]:
    """Let a share of what each cell has stand for its neighbourhood."""
    edges = fitted.edges
    mass = [b - a for a, b in pairwise(fitted.below)]
    reach = _BLUR_REACH * (fitted.quantile(0.75) - fitted.quantile(0.25))
    spans = [
        (*_cells(edges, low - reach, high + reach), part * _BLUR_SHARE)
        for (low, high), part in zip(pairwise(edges), mass, strict=True)
    ]
    widths = [b - a for a, b in pairwise(edges)]
    rates = _rates(spans, widths)
    return [
        m * (1.0 - _BLUR_SHARE) + width * rate
        for m, width, rate in zip(mass, widths, rates, strict=True)
    ]


def _refined(edges: Sequence[float], mass: Sequence[float], price: float) -> Distribution:
    """Split the cells within which it can matter when to ask."""
    fine, parts_mass = [0.0], []
    for (low, high), part in zip(pairwise(edges), mass, strict=True):
        wanted = math.ceil(math.sqrt(part * (high - low) / (_CELL_COST * price)))
        parts = max(1, min(_CELL_PARTS, wanted))
        fine += [low + (high - low) * step / parts for step in range(1, parts)]
        fine.append(high)
        parts_mass += [part / parts] * parts
    return Distribution(fine, parts_mass)


def _edges(seen: Sequence[Seen], price: float) -> list[float]:
    count = math.ceil(math.log(_GRID_LAST / _GRID_FIRST, _GRID_RATIO))
    grid = {price * _GRID_FIRST * _GRID_RATIO**step for step in range(count + 1)}
    ends = {end for one in seen for end in (one.after, one.by)}
    return sorted({0.0} | grid | ends)


def _cells(edges: Sequence[float], after: float, by: float) -> tuple[int, int]:
    """Return the range of the cells that an interval touches: one at least."""
    first = max(0, bisect_right(edges, after) - 1)
    last = min(bisect_left(edges, by), len(edges) - 1)
    return min(first, last - 1), last


def _rates(spans: Sequence[tuple[int, int, float]], mass: Sequence[float]) -> list[float]:
    """Return by what each cell's mass is to be multiplied, so that each span has its weight."""
    below = [0.0, *accumulate(mass)]
    steps = [0.0] * len(below)
    for first, last, weight in spans:
        rate = weight / max(below[last] - below[first], 1e-300)
        steps[first] += rate
        steps[last] -= rate
    # Differences of rounded numbers can be a little less than nothing.
    return [max(rate, 0.0) for rate in accumulate(steps[:-1])]


class Completions:
    """What one client knows of one operation. Every method may be called in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: deque[Seen] = deque(maxlen=MEMORY)
        self._surprises: deque[bool] = deque(maxlen=_SURPRISE_WINDOW)
        self._plans: dict[tuple[float, float], Plan] = {}
        self._fitted: Distribution | None = None
        self._learned: Distribution | None = None
        self._fresh = 0

    def add(self, after: float, by: float) -> None:
        """Remember a completion: later than the one time, and by the other."""
        with self._lock:
            one = Seen(max(0.0, after), max(by, after + _SHORTEST, _SHORTEST))
            self._surprises.append(self._surprising(one))
            self._seen.append(one)
            self._fresh += 1
            if sum(self._surprises) >= _SURPRISES:
                self._forget()
            # What may be a change is no part of what it is judged by.
            if self._fresh > len(self._seen) // _REFRESH and not any(self._surprises):
                self._fresh = 0
                self._plans.clear()

    def plan(self, price: float, gap: float) -> Plan:
        """Return the plan for a price and a server's gap, both in seconds."""
        with self._lock:
            known = self._plans.get((price, gap))
            if known is None:
                if len(self._plans) >= _PLANS:
                    self._plans.clear()
                distribution = self._distribution(price)
                known = self._plans[price, gap] = Plan(distribution, price, gap)
            return known

    def probe(self, last: float, planned: float, random: Callable[[], float]) -> float:
        """
        Return when to ask: mostly as planned, at times earlier, to learn.

        A plan that is kept to would never find out that requests complete earlier. Some questions
        are drawn from what was learned, which narrows it; the first of some requests from all the
        time before the planned one, which finds a change.

        Args:
            last: When the last pending answer was asked for.
            planned: When the plan asks next.
            random: Returns a number from 0 to 1.
        """
        with self._lock:
            learned, known = self._learned, len(self._seen)
            surprised = any(self._surprises)
        if learned is None:
            return planned
        chance = random()
        narrowing = _NARROWING / (_NARROWING + known)
        if chance < narrowing:
            low, high = learned.cdf(last), learned.cdf(planned)
            return min(planned, max(last, learned.quantile(low + (high - low) * random())))
        searching = _SEARCHING_SURPRISED if surprised else _SEARCHING
        if last == 0.0 and chance < narrowing + searching:
            return planned * random()
        return planned

    def seen(self) -> list[Seen]:
        """Return the completions that are remembered, oldest first."""
        with self._lock:
            return list(self._seen)

    def _distribution(self, price: float) -> Distribution:
        if not self._seen:
            edges = _edges((), price)
            return _refined(edges, _prior(edges, price), price)
        self._fitted = fit(self._seen, price, self._fitted)
        self._learned = _refined(self._fitted.edges, _blurred(self._fitted), price)
        return self._learned

    def _surprising(self, one: Seen) -> bool:
        """Say whether a completion lies at an end of what was learned, whatever its true time."""
        if self._learned is None:
            return False
        early, late = self._learned.cdf(one.by), 1.0 - self._learned.cdf(one.after)
        return min(early, late) < _SURPRISE

    def _forget(self) -> None:
        """Keep only what was seen since the first of the surprises."""
        recent = len(self._surprises) - self._surprises.index(True)
        self._seen = deque(list(self._seen)[-recent:], maxlen=MEMORY)
        self._surprises.clear()
        self._fitted = None
        self._fresh = MEMORY
