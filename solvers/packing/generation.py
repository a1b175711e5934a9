"""Column generation: the covering relaxation over all patterns, with a proved bound in every round.

It rounds nothing and builds no packing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from solvers.packing.bins import Bins
from solvers.packing.budget import STEPS_A_SECOND, Budget
from solvers.packing.master import Master, Relaxed
from solvers.packing.pool import Pool
from solvers.packing.pricing import Priced, Pricer
from solvers.rules import Int64

Float64 = NDArray[np.float64]
SMOOTHING = 0.5
"""Weight of the duals of the best bound in the duals that are priced (Wentges 1997; measured: half the rounds)."""
FIRST_WIDTH = 64
"""Partial patterns kept a start type at first: enough to find columns, quick where a bin holds many instances."""
WIDER = 4
"""Factor on the width when it was too small to find or to prove."""
PRICING_SHARE = 0.5
"""Part of the time left that one pricing may take."""
ATTRACTIVE = 1e-9
"""Reduced cost below which a column is not worth adding."""
ROUNDING = 1e-6
"""Error allowed in the value of a relaxation when it is rounded up; it steers the search and proves nothing."""


@dataclass
class Generation:
    """The relaxation of one packing problem, its patterns and its bound.

    Attributes
    ----------
    bound
        Proved fewest bins, so far.
    relaxed
        The last solution over the patterns known.
    converged
        Whether more rounds cannot raise the bound.
    """

    bins: Bins
    pool: Pool
    pricer: Pricer
    bound: int
    relaxed: Relaxed | None = None
    converged: bool = False
    width: int = FIRST_WIDTH
    _master: Master = field(init=False)
    _centre: Float64 | None = None
    _quotient: float = 0.0

    def __post_init__(self) -> None:
        self._master = Master(self.pool)

    def run(self, enough: int, budget: Budget) -> None:
        """Go on until the bound is the relaxation rounded up, or `enough`, or the budget is over."""
        self._master.restrict(self.bins.demand, np.ones(len(self.pool), np.bool_))
        while not self.converged and self.bound < enough and not budget.over:
            relaxed = self._master.solve()
            if relaxed is None:
                return
            self.relaxed = relaxed
            budget.spend(relaxed.steps)
            self.converged = self._round(relaxed, budget)

    def _round(self, relaxed: Relaxed, budget: Budget) -> bool:
        """Price once, add what was found and return whether nothing is left to find."""
        least = math.ceil(relaxed.value - ROUNDING)
        if self.bound >= least:
            return True
        smooth = relaxed.dual if self._centre is None else SMOOTHING * (self._centre - relaxed.dual) + relaxed.dual
        priced, new = self._price(smooth, budget)
        gain = _attractive(priced, relaxed.dual)
        if self.bound >= least:
            return True
        if not gain and self._centre is not None:
            priced, new = self._price(relaxed.dual, budget)
            gain = _attractive(priced, relaxed.dual)
        if not priced.complete and (not gain or new < self.bins.types // 10):
            self.width *= WIDER
        return priced.complete and not gain

    def _price(self, dual: Float64, budget: Budget) -> tuple[Priced, int]:
        """Price duals for the whole demand, raise the bound, add the patterns; return also how many of them are new."""
        priced = self.pricer.price(dual, self.bins.most, self.bins.demand, self.width, _steps(budget))
        budget.spend(priced.steps)
        if self.bins.monotone:
            self.bound = max(self.bound, priced.bound)
        if priced.quotient > self._quotient:
            self._quotient, self._centre = priced.quotient, dual
        before = len(self.pool)
        for pattern in priced.patterns:
            self.pool.add(pattern)
        return priced, len(self.pool) - before

    def all_within(self, bins: int, most: int, budget: Budget) -> tuple[list[Int64], Int64] | None:
        """Return `Pricer.all_within` under the duals of the best bound; None if that proves nothing."""
        if self._centre is None or not self.bins.monotone:
            return None
        found = self.pricer.all_within(self._centre, bins, most, self.width, _steps(budget))
        budget.spend(self.pricer.steps)
        return found

    def remaining(self, left: Int64, rounds: int, budget: Budget) -> Relaxed | None:
        """Return the relaxation of what is left to pack, int64[n], after a few rounds of pricing for it."""
        most = np.minimum(self.bins.most, left)
        relaxed = self._restricted(left)
        for _ in range(rounds):
            if relaxed is None or budget.over:
                break
            budget.spend(relaxed.steps)
            priced = self.pricer.price(relaxed.dual, most, left, FIRST_WIDTH, _steps(budget))
            budget.spend(priced.steps)
            before = len(self.pool)
            for pattern in priced.patterns:
                self.pool.add(pattern)
            if len(self.pool) == before or priced.bound >= math.ceil(relaxed.value - ROUNDING):
                break
            relaxed = self._restricted(left)
        return relaxed

    def _restricted(self, left: Int64) -> Relaxed | None:
        self._master.restrict(left, self.pool.proper(left))
        return self._master.solve()


def _steps(budget: Budget) -> float:
    """Return how many steps one pricing may take: half of what is left."""
    return PRICING_SHARE * max(budget.left(), 0.0) * STEPS_A_SECOND


def _attractive(priced: Priced, dual: Float64) -> int:
    """Return how many patterns are worth more than a bin under the duals."""
    return sum(1 for pattern in priced.patterns if float(dual[pattern].sum()) > 1 + ATTRACTIVE)
