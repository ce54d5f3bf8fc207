"""
What a client learns from when requests complete, and what follows for the next question. Pure.

1. The newest completions are kept, and older ones count for less; a sample of the requests that
   are still pending counts as well, for those that complete first are the quick ones.
2. A trend in them is followed to the present, if it is evident.
3. The schedule is the one of least expected cost, polls at a price plus time overshot, for the
   estimated distribution (`_durations`).
4. Evidence that requests have changed is summed up; the schedule follows it as far as it is
   probable, and where it is sure, what was learned before is forgotten.
5. Some questions are asked only in order to learn, as long as that is worth more than it costs.

docs/reference/polling.md has the mathematics and its sources.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise

from ._durations import Distribution, Seen, fit, mixture, prior, prior_cdf, trend

PRICE_SECONDS = 0.06
"""What one poll costs: it is worth as much as this time of waiting."""

MEMORY = 128
"""Completions that are kept."""

WAITING = 64
"""Requests still pending that are kept."""

LOST_SECONDS = 60.0
"""A pending request is given up if it is this much overdue to be asked after."""

LEARNED_CHARGE = (0.94, 0.75, 1 / 12)
"""
What a learned plan charges for a poll: the price times the first number, times the probability that
the request is pending to the power of the second, times the time in seconds to that of the third.
The lower the second, the more even the pauses; the higher the third, the longer the late ones.
"""

_SHORTEST = 1e-4
"""The least width of an interval, in seconds."""

_HORIZON = 30.0
"""The number of requests for which what a question teaches is of use."""

_RECENT = 64
"""Completions whose questions need not be asked again in order to learn."""

_TAIL = 0.05
"""The part of what is expected in an interval that comes before its bulk."""

_SEARCHING = 0.05
"""The share of requests whose first question searches for a change."""

_GOLDEN = (3.0 - math.sqrt(5.0)) / 2.0
"""The step between the places that are searched, of 1: any number of them lies evenly."""

_CHANGING = 0.001
"""The probability that requests change with any one of them."""

_UNSEEN = 0.02
"""The share of the prior in what a completion is judged by: one alone proves little."""

_DOUBT = 0.04
_SURE = 0.95
"""From which probability of a change the schedule follows it, and what was before is forgotten."""

_SURPRISE = 2.0
"""Evidence from one completion, in natural logarithms, that is followed up at once."""

_SLOW = 0.2
"""A pending answer is news, as a completion is, if it was no likelier than this."""

_FEW = 10
"""A trend is looked for in no fewer completions."""

_PLANS = 4
"""Plans that are kept, for different prices and gaps."""

_REFRESH = 12
"""The estimate is made anew when this part of the completions is new: it costs milliseconds."""


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
        learned: Whether the distribution is an estimate. The least expected cost begins with the
            longest pause, so that where the estimate is wrong much is overshot; even pauses cost
            hardly more and do not depend on it as much.
    """

    __slots__ = ("_constants", "distribution", "gap", "learned", "price")

    def __init__(
        self, distribution: Distribution, price: float, gap: float, learned: bool = False
    ) -> None:
        self.distribution = distribution
        self.price = price
        self.gap = gap
        self.learned = learned
        self._constants = self._solved()

    def after(self, last: float, earliest: float) -> float:
        """
        Return when to ask next, in seconds since acceptance.

        Args:
            last: When the last pending answer was asked for.
            earliest: When the server may be asked again.
        """
        times, costs = self._choices(last, earliest)
        return times[costs.index(min(costs))]

    def no_dearer(self, time: float, earliest: float, excess: float) -> float:
        """
        Return from when on the first question may as well be asked as at a time.

        Args:
            time: When `after` asks first.
            earliest: When the server may be asked.
            excess: What it may cost more at most, in prices.
        """
        times, costs = self._choices(0.0, earliest)
        first = bisect_left(times, time, hi=len(times) - 1)
        limit = costs[first] + excess * self.price
        while first > 0 and costs[first - 1] <= limit:
            first -= 1
        return min(times[first], time)

    def _choices(self, last: float, earliest: float) -> tuple[Sequence[float], list[float]]:
        """Return the times at which to ask next, and the cost of each but for a constant."""
        edges = self.distribution.edges
        first = bisect_left(edges, earliest)
        if first >= len(edges):
            return [earliest], [0.0]
        below = self.distribution.cdf(last)
        costs = [
            constant - below * edge
            for constant, edge in zip(self._constants[first:], edges[first:], strict=True)
        ]
        return edges[first:], costs

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
        factor, power, growth = LEARNED_CHARGE if self.learned else (1.0, 1.0, 0.0)
        charge = factor * self.price
        charges = [
            charge * max(1.0 - part, 0.0) ** power * max(edge, edges[1]) ** growth
            for edge, part in zip(edges, below, strict=True)
        ]
        constants = area.copy()
        hull = _Hull()
        newest = len(edges)
        for i in range(len(edges) - 2, -1, -1):
            while newest - 1 > i and edges[newest - 1] >= edges[i] + self.gap:
                newest -= 1
                hull.add(-edges[newest], constants[newest])
            least = hull.least(below[i])
            if least is not None:
                constants[i] = charges[i] + least + below[i] * edges[i]
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


class Waiting:
    """
    A request that is still pending and counts.

    Attributes:
        after: When the last pending answer was asked for, in seconds since acceptance.
        due: When it is asked after next, on the caller's clock.
        news: The age at which that it was still pending last counted as news.
        number: How many requests had begun to count before.
    """

    __slots__ = ("after", "due", "news", "number")

    def __init__(self, due: float, number: int) -> None:
        self.after = 0.0
        self.due = due
        self.news = 0.0
        self.number = number


class _Evidence:
    """
    How much speaks for a change: Page's cumulative sum of logarithms of likelihood ratios.

    Attributes:
        sum: The logarithm of how much likelier the last completions are if requests have changed.
        since: How many completions ago the change would have been.
    """

    __slots__ = ("since", "sum")

    def __init__(self) -> None:
        self.sum = 0.0
        self.since = 0

    def add(self, changed: float, unchanged: float) -> None:
        self.sum += math.log(changed / unchanged)
        self.since += 1
        if self.sum <= 0.0:
            self.sum, self.since = 0.0, 0

    def probability(self) -> float:
        """Return the probability that requests have changed."""
        odds = _CHANGING * math.exp(min(self.sum, 100.0))
        return odds / (1.0 + odds) if self.since else 0.0


class Completions:
    """What one client knows of one operation. Every method may be called in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: deque[Seen] = deque(maxlen=MEMORY)
        self._waiting: set[Waiting] = set()
        self._plans: dict[tuple[float, float], Plan] = {}
        self._price = PRICE_SECONDS
        self._learned: Distribution | None = None
        self._trusted: Distribution | None = None
        self._changed: Distribution | None = None
        self._counted = 0
        self._learned_for = 0
        self._trend = 0.0
        self._evidence = _Evidence()
        self._fresh = 0
        self._stale = True
        self._search = 0.0
        self._place = 0.5
        self._surprised = False

    def admit(self, now: float) -> Waiting | None:
        """
        Begin to count a request, before it is first asked after.

        Returns:
            What `wait` and `settle` take; `None` if enough others are pending. Which requests count
            must not depend on how long they take.
        """
        with self._lock:
            if len(self._waiting) >= WAITING:
                self._give_up(now)
            if len(self._waiting) >= WAITING:
                return None
            waiting = Waiting(now, self._number())
            self._waiting.add(waiting)
            return waiting

    def wait(self, waiting: Waiting, after: float, due: float) -> None:
        """Note that a request was still pending, and when it will be asked after again."""
        with self._lock:
            waiting.after, waiting.due = max(after, 0.0), due
            if self._learned is not None:
                before, now = self._learned.cdf(waiting.news), self._learned.cdf(after)
                if 1.0 - now < _SLOW * (1.0 - before):
                    waiting.news = after
                    self._count()

    def settle(self, waiting: Waiting, by: float) -> None:
        """Remember when a request that counts was seen to be complete."""
        with self._lock:
            self._waiting.discard(waiting)
            self._add(waiting.after, by, waiting.number)

    def add(self, after: float, by: float) -> None:
        """Remember a completion: later than the one time, and by the other."""
        with self._lock:
            self._add(after, by, self._number())

    def plan(self, price: float, gap: float) -> Plan:
        """Return the plan for a price and a server's gap, both in seconds."""
        with self._lock:
            known = self._plans.get((price, gap))
            if known is None:
                if len(self._plans) >= _PLANS:
                    self._plans.clear()
                distribution = self._distribution(price)
                known = Plan(distribution, price, gap, self._learned is not None)
                self._plans[price, gap] = known
            return known

    def probe(self, last: float, planned: float, random: Callable[[], float]) -> float:
        """
        Return when to ask: mostly as planned, at times earlier, to learn.

        A plan that is kept to would never find out that requests complete earlier. The first
        questions of some requests search all the time before the planned one for a change; others
        narrow down when requests complete, where that is worth its price.

        Args:
            last: When the last pending answer was asked for.
            planned: When the plan asks next.
            random: Returns a number from 0 to 1.
        """
        with self._lock:
            if self._learned is None:
                return planned
            if last == 0.0:
                self._search += _SEARCHING
                if self._search >= 1.0:
                    return self._searched(self._learned, planned)
            return self._narrowing(self._learned, last, planned, random)

    def seen(self) -> list[Seen]:
        """Return what is remembered, oldest first."""
        with self._lock:
            return list(self._seen)

    def _searched(self, learned: Distribution, planned: float) -> float:
        """
        Return where to search: in the last place again if that was worth it.

        Half of the places lie evenly before the planned time; the others are just before the bulk
        of what is expected by then, which nothing else confirms where requests take equally long.
        """
        self._search = 0.0
        if not self._surprised:
            self._place = (self._place + _GOLDEN) % 1.0
        if self._place < 0.5:
            return planned * self._place * 2.0
        return min(learned.quantile(learned.cdf(planned) * _TAIL), planned)

    def _narrowing(
        self, learned: Distribution, last: float, planned: float, random: Callable[[], float]
    ) -> float:
        """
        Return a time within what is doubted of the interval, if asking then teaches enough.

        Where completions have been seen through one question only, the estimate has them where
        they happened to be supposed first. So the estimate is believed as to how many there are,
        but they are taken to lie anywhere since the first few of them.
        """
        below, above = learned.cdf(last), learned.cdf(planned)
        chance = (above - below) / max(1.0 - below, 1e-9)
        start = max(learned.quantile(below + (above - below) * _TAIL), last)
        doubted = planned - start
        worth = _HORIZON * chance**2 * doubted / 2
        cost = (1.0 - chance / 2) * self._price
        if worth <= cost:
            return planned
        # What other requests have taught about the inside is not taught again.
        end = planned - doubted * _TAIL
        recent = list(self._seen)[-_RECENT:]
        cuts = sum((start < one.after < end) + (start < one.by < end) for one in recent)
        if worth <= cost * (1 + cuts) ** 2:
            return planned
        return start + doubted * (0.1 + 0.8 * random())

    def _distribution(self, price: float) -> Distribution:
        if not self._seen and not any(one.after for one in self._waiting):
            return prior(price)
        changed = self._evidence.probability()
        if self._stale or self._learned is None or price != self._price:
            self._learned = self._estimate(price)
        if changed < _DOUBT:
            # What may be a change is no part of what it is judged by.
            self._trusted, self._changed = self._learned, None
            return self._learned
        recent = self._known(self._evidence.since)
        self._changed = fit(recent, price, self._changed or fit(recent, price))
        return mixture(self._learned, self._changed, changed)

    def _estimate(self, price: float) -> Distribution:
        """Return when requests will complete, and note how that changes from one to the next."""
        self._stale = False
        self._price = price
        # In the middle of the time for which it is used.
        number = self._counted + len(self._seen) // _REFRESH // 2
        seen = [
            one.scaled(math.exp(self._trend * (number - one.number)))
            for one in self._known(len(self._seen))
        ]
        before = self._learned
        if before is not None and self._trend:
            before = before.scaled(math.exp(self._trend * (number - self._learned_for)))
        learned = fit(seen, price, before)
        self._learned_for = number
        self._trend = trend(seen, learned, self._trend) if len(seen) >= _FEW else 0.0
        return learned

    def _number(self) -> int:
        self._counted += 1
        return self._counted

    def _add(self, after: float, by: float, number: int) -> None:
        one = Seen(max(0.0, after), max(by, after + _SHORTEST, _SHORTEST), number)
        self._judge(one)
        self._seen.append(one)
        self._count()

    def _known(self, count: int) -> list[Seen]:
        """Return the newest completions, and the pending requests as the newest of all."""
        pending = [
            Seen(one.after, math.inf, one.number) for one in self._waiting if one.after > 0.0
        ]
        return list(self._seen)[len(self._seen) - count :] + pending

    def _count(self) -> None:
        """Have plans made anew once enough is new, or while requests seem to change."""
        self._fresh += 1
        if self._fresh > len(self._seen) // _REFRESH:
            self._fresh = 0
            self._stale = True
            self._plans.clear()
        elif (
            self._evidence.probability() >= _DOUBT
            and self._evidence.since % (self._evidence.since * 2 // _REFRESH + 1) == 0
        ):
            self._plans.clear()

    def _judge(self, one: Seen) -> None:
        """Sum up the evidence of a completion, and forget what it proves to be past."""
        if self._trusted is None:
            return
        changed = prior_cdf(one.by, self._price) - prior_cdf(one.after, self._price)
        changed = max(changed, 1e-12)
        unchanged = max(self._trusted.cdf(one.by) - self._trusted.cdf(one.after), 0.0)
        unchanged += _UNSEEN * (changed - unchanged)
        self._evidence.add(changed, unchanged)
        self._surprised = math.log(changed / unchanged) > _SURPRISE
        if self._surprised:
            self._search = 1.0
        if self._evidence.probability() > _SURE:
            self._seen = deque(
                list(self._seen)[len(self._seen) - self._evidence.since + 1 :], maxlen=MEMORY
            )
            self._evidence = _Evidence()
            self._learned = self._trusted = self._changed = None
            self._trend = 0.0
            self._stale = True

    def _give_up(self, now: float) -> None:
        """Take requests that nobody asks after any more for what they were when last asked."""
        for one in [one for one in self._waiting if one.due + LOST_SECONDS < now]:
            self._waiting.discard(one)
            if one.after > 0.0:
                self._seen.append(Seen(one.after, math.inf, one.number))
