"""
How long requests take: a distribution, and its estimate from completions seen. Pure.

1. Nobody sees a request complete: it did so after the last pending answer and by the first final
   one. Neither end is taken for the truth. A request that is still pending is such an interval,
   too, without an end.
2. The estimate is mixed with a prior of heavy tail that stands for everything not seen yet.
3. Its grid is as fine as planning needs: cells are halved where much probability is.

docs/reference/polling.md has the mathematics and its sources.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

HALF_LIFE = 13
"""Completions after which one counts for half."""

_PRIOR_WEIGHT = 0.01
"""How many completions the prior counts for."""

_PRIOR_SHAPE = 1.8
_PRIOR_SCALE = 15.0
"""The prior's Lomax distribution; its scale is in prices: cheap polls mean short durations."""

_PRIOR_SLOW = 0.07
_PRIOR_SLOW_SCALE = 300.0
"""What share of the prior is a Lomax distribution of shape 1 and this scale: slow operations."""

_GRID_FIRST = 0.1
_GRID_LAST = 60_000.0
_GRID_RATIO = 1.12
"""The grid of times before cells are halved: first, last (in prices), ratio of neighbours."""

_CELL_COST = 0.02
"""A cell is halved until its probability times its width is this part of a price."""

_ROUNDS = 2
"""Steps of expectation and maximisation for one estimate; each estimate goes on from the last."""

_DOUBT = 0.001
"""The share of the prior in what an estimate starts from: what is not seen again is unlearned."""

_BANDWIDTH = 0.8
"""How far the estimate is smoothed in the logarithm of time, in widths of its shortest half."""

_HALVES = 26
"""Of how many intervals with half of the probability the shortest is looked for."""


@dataclass(frozen=True, slots=True)
class Seen:
    """
    What was seen of a request, in seconds since acceptance.

    Attributes:
        after: When the last pending answer was asked for; 0 if there was none.
        by: When the first final answer was asked for; infinite if there was none.
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

    def __init__(self, edges: Sequence[float], mass: Iterable[float]) -> None:
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


def prior_cdf(time: float, price: float) -> float:
    """Return the prior's probability of completion by a time; its scale is the price."""
    usual = math.pow(1.0 + time / (_PRIOR_SCALE * price), -_PRIOR_SHAPE)
    slow = 1.0 / (1.0 + time / (_PRIOR_SLOW_SCALE * price))
    return 1.0 - (1.0 - _PRIOR_SLOW) * usual - _PRIOR_SLOW * slow


def prior(price: float) -> Distribution:
    """Return what is taken for the distribution with nothing seen."""
    edges = _grid(lambda time: prior_cdf(time, price), price)
    return Distribution(edges, _prior_mass(edges, price))


def fit(seen: Sequence[Seen], price: float, before: Distribution | None = None) -> Distribution:
    """
    Estimate when requests complete.

    Args:
        seen: The requests, oldest first.
        price: What a poll costs, in seconds: the scale of the prior.
        before: The estimate to start from. What older completions have told about the inside of an
            interval lives on in it.
    """
    start: Callable[[float], float] = (
        before.cdf if before is not None else lambda time: prior_cdf(time, price)
    )
    edges = _grid(start, price)
    weights = [0.5 ** (age / HALF_LIFE) for age in range(len(seen) - 1, -1, -1)]
    count = sum(weights)
    spans = [
        _span(edges, one.after, one.by, weight / (count + _PRIOR_WEIGHT))
        for one, weight in zip(seen, weights, strict=True)
    ]
    share = _PRIOR_WEIGHT / (count + _PRIOR_WEIGHT)
    rest = _prior_mass(edges, price)
    mass = [
        (1.0 - _DOUBT) * (b - a) + _DOUBT * other
        for (a, b), other in zip(pairwise(map(start, edges)), rest, strict=True)
    ]
    for _ in range(_ROUNDS):
        known = Distribution(edges, _shared_out(spans, mass))
        factor = math.exp(_reach(known, count, price))
        smooth = _smoothed(edges, [b - a for a, b in pairwise(known.below)], factor)
        mass = [part + share * other for part, other in zip(smooth, rest, strict=True)]
    return Distribution(edges, mass)


def mixture(first: Distribution, second: Distribution, share: float) -> Distribution:
    """Return the distribution of requests of which a share is like the second."""
    edges = sorted({*first.edges, *second.edges})
    below = [(1.0 - share) * first.cdf(edge) + share * second.cdf(edge) for edge in edges]
    return Distribution(edges, [b - a for a, b in pairwise(below)])


def _prior_mass(edges: Sequence[float], price: float) -> list[float]:
    return [b - a for a, b in pairwise(prior_cdf(edge, price) for edge in edges)]


def _grid(cdf: Callable[[float], float], price: float) -> list[float]:
    """Return edges between which it does not matter to the cost when exactly to ask."""
    count = math.ceil(math.log(_GRID_LAST / _GRID_FIRST, _GRID_RATIO))
    coarse = [0.0, *(price * _GRID_FIRST * _GRID_RATIO**step for step in range(count + 1))]
    edges = [0.0]
    for low, high in pairwise((edge, cdf(edge)) for edge in coarse):
        pending = [(low, high)]
        while pending:
            (start, below), (end, above) = pending.pop()
            middle = (start + end) / 2
            if (above - below) * (end - start) > _CELL_COST * price and start < middle < end:
                half = (middle, cdf(middle))
                pending += [(half, (end, above)), ((start, below), half)]
            else:
                edges.append(end)
    return edges


@dataclass(frozen=True, slots=True)
class _Span:
    """
    An interval on a grid, and the probability that it has.

    Attributes:
        first: The cell that it begins in.
        first_part: What part of that cell belongs to it.
        last: The cell that it ends in.
        last_part: What part of that cell belongs to it, if it is another.
        weight: Its probability.
    """

    first: int
    first_part: float
    last: int
    last_part: float
    weight: float


def _span(edges: Sequence[float], after: float, by: float, weight: float) -> _Span:
    top = len(edges) - 2
    low, high = min(after, edges[-2]), min(by, edges[-1])
    first = min(bisect_right(edges, low) - 1, top)
    last = min(max(bisect_left(edges, high) - 1, first), top)
    first_width = edges[first + 1] - edges[first]
    if first == last:
        return _Span(first, max(high - low, 1e-12) / first_width, last, 0.0, weight)
    first_part = (edges[first + 1] - low) / first_width
    last_part = (high - edges[last]) / (edges[last + 1] - edges[last])
    return _Span(first, first_part, last, last_part, weight)


def _shared_out(spans: Sequence[_Span], mass: Sequence[float]) -> list[float]:
    """Share each span's weight out over its cells in proportion to what they have."""
    below = [0.0, *accumulate(mass)]
    steps = [0.0] * len(below)
    ends = [0.0] * len(mass)
    for span in spans:
        within = span.first_part * mass[span.first]
        if span.last > span.first:
            within += below[span.last] - below[span.first + 1] + span.last_part * mass[span.last]
        rate = span.weight / max(within, 1e-300)
        ends[span.first] += rate * span.first_part
        ends[span.last] += rate * span.last_part
        if span.last > span.first:
            steps[span.first + 1] += rate
            steps[span.last] -= rate
    # Differences of rounded numbers can be a little less than nothing.
    return [
        max(inner + end, 0.0) * part
        for inner, end, part in zip(accumulate(steps[:-1]), ends, mass, strict=True)
    ]


def _reach(known: Distribution, count: float, price: float) -> float:
    """
    Return how far to smooth, in the logarithm of time.

    It is the rule of thumb for kernels, with the shortest half of the distribution for its scale,
    which two separate modes do not widen. What is narrower than the price is hardly smoothed:
    little can be saved there but by knowing it exactly.
    """
    whole = known.below[-1]
    halves = [
        (
            known.quantile(whole * step / (2 * _HALVES)),
            known.quantile(whole * (step / 2 / _HALVES + 0.5)),
        )
        for step in range(1, _HALVES)
    ]
    width, middle = min(
        (math.log(end / start), math.sqrt(start * end)) for start, end in halves if start > 0.0
    )
    seconds = width * middle
    return _BANDWIDTH * width * math.pow(count, -0.2) * seconds**2 / (seconds**2 + price**2)


def _smoothed(edges: Sequence[float], mass: Sequence[float], factor: float) -> list[float]:
    """Spread what each cell has over the times up to a factor earlier and later."""
    widths = [b - a for a, b in pairwise(edges)]
    spans = [
        _span(edges, low / factor, high * factor, part)
        for (low, high), part in zip(pairwise(edges), mass, strict=True)
    ]
    return _shared_out(spans, widths)
