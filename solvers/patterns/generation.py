"""Column generation: the covering programme and pricing in turn, with smoothed worths and a bound every round.

Whether the patterns are bought (prices) or packed on agents already chosen (no price, a penalty for what stays out) is
only a matter of the numbers given.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from solvers.patterns.budget import Budget
from solvers.patterns.market import Market
from solvers.patterns.master import Cover, CoverMaster
from solvers.patterns.pricing import Pricing, missing_bound, price_bound
from solvers.patterns.table import Filling
from solvers.rules import Int64

Float64 = NDArray[np.float64]
NOTHING = 1e-7
"""Part of the greatest price or penalty below which a gain is taken for rounding."""


@dataclass(eq=False)
class Pool:
    """All patterns found so far, each once; they serve every covering programme of one market."""

    kinds: list[int] = field(default_factory=list)
    patterns: list[Int64] = field(default_factory=list)
    _known: dict[tuple[int, bytes], int] = field(default_factory=dict)

    def put(self, kind: int, pattern: Int64) -> int:
        """Return the number of a pattern, which is new if it was not known."""
        key = (kind, pattern.tobytes())
        number = self._known.get(key)
        if number is None:
            number = self._known[key] = len(self.kinds)
            self.kinds.append(kind)
            self.patterns.append(pattern)
        return number


@dataclass(frozen=True, eq=False)
class Round:
    """One round: the covering solution, what pricing said of it, how many new patterns came, and the bound."""

    cover: Cover
    filling: Filling
    added: int
    bound: float


class Generation:
    """The covering programme of some agents and demands, and its growing set of patterns."""

    def __init__(
        self,
        market: Market,
        pricing: Pricing,
        pool: Pool,
        *,
        price: Float64,
        count: Int64,
        demand: Int64,
        penalty: Float64,
        budget: Budget,
    ) -> None:
        self.market, self.pricing, self.pool, self.budget = market, pricing, pool, budget
        self.price, self.count, self.demand = price, count.copy(), demand.copy()
        self.priced = bool((price > 0).any())
        self._least = NOTHING * float(max(price.max(initial=0.0), penalty.max(initial=0.0)))
        self.master = CoverMaster(price, count, demand, penalty)
        self.numbers: list[int] = []
        self._inside: set[int] = set()
        self._matrix = np.zeros((64, market.types), np.int32)
        self.centre: Float64 | None = None
        self.centre_bound = -np.inf
        self.best: Filling | None = None
        for number, kind in enumerate(pool.kinds):
            if count[kind] > 0 and (pool.patterns[number] <= demand).all():
                self._enter(number)

    @property
    def matrix(self) -> NDArray[np.int32]:
        """Return int32[columns, n]: the patterns of this programme."""
        return self._matrix[: len(self.numbers)]

    def kind(self, column: int) -> int:
        """Return the kind of a column."""
        return self.pool.kinds[self.numbers[column]]

    @property
    def negligible(self) -> float:
        """A value of the covering programme below which nothing stays out (where agents cost nothing)."""
        return 0.0 if self.priced else self._least

    def begin_at(self, worth: Float64) -> None:
        """Take worths to be smoothed towards before any bound is known."""
        self.centre = worth

    def round(self, smoothing: float) -> Round | None:
        """Solve, price and add patterns; None if the simplex method failed or time is up.

        Prices at `smoothing` * (the worths of the best bound) + (1 - `smoothing`) * (the worths now), and once more at
        those of now if nothing comes of it (Pessoa, Sadykov, Uchoa, Vanderbeck 2018).
        """
        cover = self.master.solve(self.budget.seconds())
        if cover is None:
            return None
        best = -np.inf
        for share in (smoothing, 0.0) if self.centre is not None and smoothing else (0.0,):
            self.budget.spend()
            worth = cover.worth if self.centre is None else share * self.centre + (1 - share) * cover.worth
            filling = self.pricing.fill(worth, self.demand)
            best = max(best, self._judge(worth, filling))
            added = self._add(cover, filling)
            if added:
                break
        return Round(cover, filling, added, best)

    def reduce(self, count: Int64, demand: Int64) -> None:
        """Go on with fewer agents and less demand; patterns that hold more than is asked are closed."""
        fallen = np.flatnonzero(demand < self.demand)
        excess = (self.matrix[:, fallen] > demand[fallen]).any(axis=1)
        for column in np.flatnonzero(excess).tolist():
            self.master.close(column)
        self.count, self.demand = count.copy(), demand.copy()
        self.master.set_count(count)
        self.master.set_demand(demand)
        self.centre_bound = -np.inf

    def _judge(self, worth: Float64, filling: Filling) -> float:
        """Return the bound that a filling proves, and keep the worths if it is the best so far."""
        total = float(filling.worth.sum())
        if total <= 0:
            return -np.inf
        if self.priced:
            above, below = price_bound(self.market.price, self.count, self.demand, filling)
            bound = above / below
        else:
            bound = missing_bound(self.count, self.demand, filling) * float(worth.sum()) / total
        if bound > self.centre_bound:
            self.centre, self.centre_bound, self.best = worth, bound, filling
        return bound

    def _add(self, cover: Cover, filling: Filling) -> int:
        """Add the patterns that the covering solution gains from; return how many are new."""
        kinds = np.flatnonzero((filling.best > 0) & (self.count > 0))
        patterns = self.pricing.patterns(filling, kinds, cover.worth, self.demand)
        gain = patterns @ cover.worth - self.price[kinds] - cover.rent[kinds]
        added = 0
        for j in np.flatnonzero(gain > self._least).tolist():
            added += self._enter(self.pool.put(int(kinds[j]), patterns[j]))
        return added

    def _enter(self, number: int) -> bool:
        if number in self._inside:
            return False
        pattern = self.pool.patterns[number]
        self.master.add(self.pool.kinds[number], pattern)
        if len(self.numbers) == len(self._matrix):
            self._matrix = np.concatenate([self._matrix, np.zeros_like(self._matrix)])
        self._matrix[len(self.numbers)] = pattern
        self._inside.add(number)
        self.numbers.append(number)
        return True


def first_worths(market: Market) -> Float64:
    """Return float64[n]: worths by size, at the average price of capacity, to smooth towards before any are known."""
    agents = max(1, int(market.count.sum()))
    average = float((market.price * market.count).sum()) / agents
    return market.weight * average / max(1, market.size.shape[1])
