"""
How long requests take: a distribution, and its estimate from completions seen. Pure.

1. Nobody sees a request complete: it did so after the last pending answer and by the first final
   one. Neither end is taken for the truth. A request that is still pending is such an interval,
   too, without an end.
2. The estimate is mixed with a prior of heavy tail that stands for everything not seen yet.
3. Durations that rise or fall from request to request are a trend, if that is evident.
4. Its grid is as fine as planning needs: cells are halved where much probability is.

docs/reference/polling.md has the mathematics and its sources.
"""

from __future__ import annotations

import math
import operator
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

HALF_LIFE = 32
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

_CELL_COST = 0.01
"""A cell is halved until its probability times its width is this part of a price."""

_PRIOR_CELL_COST = 0.02
"""The same with nothing seen, when jitter is wider than a cell."""

_ROUNDS = 2
"""Steps of expectation and maximisation for one estimate; each estimate goes on from the last."""

_DOUBT = 0.0005
"""The share of the prior in what an estimate starts from: what is not seen again is unlearned."""

_BANDWIDTH = 0.9
"""How far the estimate is smoothed in the logarithm of time, in widths of half of it."""

_PEAK = 0.3
"""The part of the probability whose shortest interval tells that width: less than most modes."""

_PEAKS = 26
"""Of how many such intervals the shortest is looked for."""

_SHOWN = 0.7
"""The part of the narrowest interval seen around a peak that it is taken to be wide at least."""

_EVIDENT = 3.0
"""How many times its standard error a trend must be to count at all."""

_STEEPEST = 0.02
"""The greatest trend: the part by which durations change from one request to the next."""


@dataclass(frozen=True, slots=True)
class Seen:
    """
    What was seen of a request, in seconds since acceptance.

    Attributes:
        after: When the last pending answer was asked for; 0 if there was none.
        by: When the first final answer was asked for; infinite if there was none.
        number: Which request it was, in the order in which they were first asked after.
    """

    after: float
    by: float
    number: int = 0

    def scaled(self, factor: float) -> Seen:
        """Return it with times that are longer by a factor."""
        return Seen(self.after * factor, self.by * factor, self.number)


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

    def mass(self) -> list[float]:
        """Return the probability of each cell."""
        return [b - a for a, b in pairwise(self.below)]

    def scaled(self, factor: float) -> Distribution:
        """Return the distribution of durations that are longer by a factor."""
        return Distribution([edge * factor for edge in self.edges], self.mass())


def prior_cdf(time: float, price: float) -> float:
    """Return the prior's probability of completion by a time; its scale is the price."""
    usual = math.pow(1.0 + time / (_PRIOR_SCALE * price), -_PRIOR_SHAPE)
    slow = 1.0 / (1.0 + time / (_PRIOR_SLOW_SCALE * price))
    return 1.0 - (1.0 - _PRIOR_SLOW) * usual - _PRIOR_SLOW * slow


def prior(price: float) -> Distribution:
    """Return what is taken for the distribution with nothing seen."""
    edges = _grid(lambda time: prior_cdf(time, price), price, _PRIOR_CELL_COST)
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
    weights = _weights(len(seen))
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
        shared = _shared_out(spans, mass)
        mass = [part + share * other for part, other in zip(shared, rest, strict=True)]
    reach = _reach(Distribution(edges, mass), seen, count, price)
    return Distribution(edges, _smoothed(edges, mass, math.exp(reach)))


def trend(seen: Sequence[Seen], known: Distribution, assumed: float) -> float:
    """
    Estimate by what part durations change from one request to the next, as far as it is evident.

    It is a regression on ranks, which neither separate modes nor a heavy tail mislead: if requests
    do not change, what part of all durations is shorter than one's own does not depend on when it
    was. What is less than `_EVIDENT` standard errors is no trend, and a little more is a small one.

    Args:
        seen: The requests, oldest first, scaled to now by the trend assumed.
        known: The estimate for them.
        assumed: The trend that they were scaled by.
    """
    weights = _weights(len(seen))
    total = sum(weights)
    numbers = _centred([float(one.number) for one in seen], weights)
    ranks = _centred([(known.cdf(one.after) + known.cdf(one.by)) / 2 for one in seen], weights)
    spread = sum(w * number**2 for w, number in zip(weights, numbers, strict=True))
    density = _log_density(known)
    if spread == 0.0 or density == 0.0:
        return 0.0
    rows = list(zip(weights, numbers, ranks, strict=True))
    slope = assumed + sum(w * number * rank for w, number, rank in rows) / spread / density
    variance = sum(w * rank**2 for w, _, rank in rows) / total / density**2
    variance *= sum((w * number) ** 2 for w, number, _ in rows) / spread**2
    evident = slope * max(1.0 - _EVIDENT**2 * variance / slope**2, 0.0) if slope else 0.0
    return min(max(evident, -_STEEPEST), _STEEPEST)


def _weights(count: int) -> list[float]:
    return [0.5 ** (age / HALF_LIFE) for age in range(count - 1, -1, -1)]


def _centred(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    mean = sum(map(operator.mul, values, weights)) / sum(weights)
    return [value - mean for value in values]


def _log_density(known: Distribution) -> float:
    """Return the mean density in the logarithm of time: by how much ranks change with it."""
    cells = zip(pairwise(known.edges), known.mass(), strict=True)
    return sum(part**2 / math.log(end / start) for (start, end), part in cells if start > 0.0)


def mixture(first: Distribution, second: Distribution, share: float) -> Distribution:
    """Return the distribution of requests of which a share is like the second."""
    edges = sorted({*first.edges, *second.edges})
    below = [(1.0 - share) * first.cdf(edge) + share * second.cdf(edge) for edge in edges]
    return Distribution(edges, [b - a for a, b in pairwise(below)])


def _prior_mass(edges: Sequence[float], price: float) -> list[float]:
    return [b - a for a, b in pairwise(prior_cdf(edge, price) for edge in edges)]


def _grid(
    cdf: Callable[[float], float], price: float, cell_cost: float = _CELL_COST
) -> list[float]:
    """Return edges between which it does not matter to the cost when exactly to ask."""
    count = math.ceil(math.log(_GRID_LAST / _GRID_FIRST, _GRID_RATIO))
    coarse = [0.0, *(price * _GRID_FIRST * _GRID_RATIO**step for step in range(count + 1))]
    edges = [0.0]
    for low, high in pairwise((edge, cdf(edge)) for edge in coarse):
        pending = [(low, high)]
        while pending:
            (start, below), (end, above) = pending.pop()
            middle = (start + end) / 2
            if (above - below) * (end - start) > cell_cost * price and start < middle < end:
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


def _reach(known: Distribution, seen: Sequence[Seen], count: float, price: float) -> float:
    """
    Return how far to smooth, in the logarithm of time.

    It is the rule of thumb for kernels, with the shortest interval of much probability for its
    scale, which separate modes do not widen. It is taken to be no narrower than any request has
    shown it to be: the likeliest distribution is a set of spikes. What is narrower than the price
    is hardly smoothed: little can be saved there but by knowing it exactly.
    """
    whole = known.below[-1]
    starts = [whole * (1.0 - _PEAK) * step / _PEAKS for step in range(1, _PEAKS)]
    peaks = [(known.quantile(start), known.quantile(start + whole * _PEAK)) for start in starts]
    width, middle = min(
        (math.log(end / start), math.sqrt(start * end)) for start, end in peaks if start > 0.0
    )
    shown = [
        math.log(one.by / one.after) for one in seen if 0.0 < one.after < middle < one.by < math.inf
    ]
    width = max(0.5 * width / _PEAK, _SHOWN * min(shown, default=0.0))
    seconds = width * middle
    return _BANDWIDTH * width * math.pow(count, -0.2) * seconds**4 / (seconds**4 + price**4)


def _smoothed(edges: Sequence[float], mass: Sequence[float], factor: float) -> list[float]:
    """Spread what each cell has over the times up to a factor earlier and later."""
    widths = [b - a for a, b in pairwise(edges)]
    spans = [
        _span(edges, low / factor, high * factor, part)
        for (low, high), part in zip(pairwise(edges), mass, strict=True)
    ]
    return _shared_out(spans, widths)
