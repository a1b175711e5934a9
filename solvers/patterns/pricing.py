"""Pricing: the worthiest patterns of all kinds for given worths, and the bounds that follow from any worths at all.

Bounds are computed in whole numbers from whole worths, so nothing hangs on rounding.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from solvers.patterns.market import Market
from solvers.patterns.table import Filling, Grid, Tables
from solvers.rules import Int64

Float64 = NDArray[np.float64]


class Pricing:
    """Tables on one grid: relaxed for worths and bounds; where that is not exact, a safe one for patterns too."""

    def __init__(self, market: Market, grid: Grid) -> None:
        self.market = market
        self._exact = grid.exact
        self._relaxed = Tables(market, *grid.relaxed(market))
        self._safe = self._relaxed if grid.exact else Tables(market, *grid.safe(market))

    def fill(self, worth: Float64, most: Int64 | None = None) -> Filling:
        """Return what each kind is worth at best; on a coarse grid no pattern is worth more."""
        return self._lowered(self._relaxed.fill(worth, most), most)

    def fill_whole(self, worth: Int64) -> Filling:
        """Return the same for whole worths, int64[n], as they are."""
        return self._lowered(self._relaxed.fill_whole(worth, self.market.ceiling), None)

    def _lowered(self, filling: Filling, most: Int64 | None) -> Filling:
        """Return a filling of a coarse grid with its worths lowered to those of fractional knapsacks."""
        if self._exact:
            return filling
        limit = self.market.ceiling if most is None else np.minimum(self.market.ceiling, most)
        best = np.minimum(filling.best, fractional_worth(self.market, filling.worth, limit))
        return replace(filling, best=best)

    def patterns(self, filling: Filling, kinds: Int64, worth: Float64, most: Int64) -> Int64:
        """Return int64[len(kinds), n]: patterns that fit, the worthiest that are known."""
        patterns = filling.patterns(kinds)
        if self._exact or not len(kinds):
            return patterns
        self._trim(patterns, kinds, worth)
        others = self._safe.fill(worth, most).patterns(kinds)
        top_up(self.market, patterns, kinds, worth, most)
        top_up(self.market, others, kinds, worth, most)
        better = (others @ worth) > (patterns @ worth)
        return np.where(better[:, None], others, patterns)

    def _trim(self, patterns: Int64, kinds: Int64, worth: Float64) -> None:
        """Take instances out of patterns that do not fit, those of least worth for the room they free first."""
        size = self.market.size
        for pattern, kind in zip(patterns, kinds.tolist(), strict=True):
            over = pattern @ size - self.market.capacity[kind]
            while (over > 0).any():
                held = np.flatnonzero(pattern)
                freed = np.minimum(size[held], np.maximum(over, 0)) / np.maximum(over, 1)
                out = held[np.argmin(worth[held] / np.maximum(freed.sum(axis=1), 1e-12))]
                pattern[out] -= 1
                over = over - size[out]


def top_up(market: Market, patterns: Int64, kinds: Int64, worth: Float64, most: Int64) -> None:
    """Fill what room is left in patterns, int64[p, n], of kinds, int64[p], with what is worth most for its size.

    No pattern comes to hold more than `most`, int64[n], of a type.
    """
    free = market.capacity[kinds] - patterns @ market.size
    limit = np.minimum(market.most, most)
    useful = np.flatnonzero((worth > 0) & (limit > 0))
    density = worth[useful] / market.weight[useful]
    for i in useful[np.argsort(-density, kind="stable")].tolist():
        taking = np.flatnonzero(market.size[i])
        fit = (free[:, taking] // market.size[i, taking]).min(axis=1, initial=np.iinfo(np.int64).max)
        more = np.where(market.permitted[kinds, i], np.minimum(fit, limit[i] - patterns[:, i]), 0)
        patterns[:, i] += more
        free -= more[:, None] * market.size[i]


def fractional_worth(market: Market, worth: Int64, most: Int64) -> Int64:
    """Return int64[K]: what no pattern of the kind is worth more than, by fractional knapsacks in one dimension.

    Dimensions are each resource, and their sum in shares of an average agent (a surrogate; any positive weights do).
    Rounded up by far more than the floats' error.
    """
    share = 1 / np.maximum((market.capacity * market.count[:, None]).mean(axis=0), 1e-9)
    lowest = np.full(market.kinds, np.inf)
    for weights in (*np.diag(share), share):
        size, room = market.size @ weights, market.capacity @ weights
        density = np.where(size > 0, worth / np.where(size > 0, size, 1.0), np.inf)
        order = np.argsort(-density, kind="stable")
        order = order[(worth[order] > 0) & (most[order] > 0)]
        amount = np.r_[0.0, np.cumsum((size * most)[order])]
        value = np.r_[0.0, np.cumsum((worth * most)[order].astype(float))]
        room = room * (1 + 1e-9)
        whole = np.searchsorted(amount, room, side="right") - 1
        further = np.minimum(whole + 1, len(amount) - 1)
        width = amount[further] - amount[whole]
        part = np.minimum((room - amount[whole]) / np.where(width > 0, width, 1.0), 1.0)
        lowest = np.minimum(lowest, value[whole] + part * (value[further] - value[whole]))
    return np.ceil(lowest * (1 + 1e-9)).astype(np.int64)


def price_bound(price: Int64, count: Int64, demand: Int64, filling: Filling) -> tuple[int, int]:
    """Return (bound, divisor): no purchase costs less than their quotient.

    For any worths pi >= 0: sum_i d_i pi_i + sum_k C_k min(0, c_k - V_k(pi)), here with all worths multiplied by the
    c_j / V_j that gives most; between these the bound is linear in the factor.
    """
    best = filling.best
    used = np.flatnonzero((best > 0) & (count > 0))
    whole = sum(d * w for d, w in zip(demand.tolist(), filling.worth.tolist(), strict=True))
    if not len(used):
        return 0, 1
    order = used[np.argsort(price[used] / best[used], kind="stable")]
    factor = price[order] / best[order]
    paid = np.r_[0.0, np.cumsum((count * price)[order].astype(float))[:-1]]
    worth = np.r_[0.0, np.cumsum(count[order].astype(float) * best[order])[:-1]]
    at = order[np.argmax(factor * whole + paid - factor * worth)]
    c, v = int(price[at]), int(best[at])
    total = c * whole
    for k in used.tolist():
        total += int(count[k]) * min(0, int(price[k]) * v - c * int(best[k]))
    return (total, v) if total > 0 else (0, 1)


def rounded_up(bound: tuple[int, int], step: int) -> int:
    """Return the least multiple of `step` that is not below the quotient."""
    above, below = bound
    return -(-above // (below * step)) * step


def missing_bound(count: Int64, demand: Int64, filling: Filling) -> int:
    """Return by how much the worth of all demand exceeds what the agents can hold, in the filling's whole worths.

    Where it is positive something stays out: sum_k C_k V_k(pi) >= sum_i d_i pi_i is broken.
    """
    asked = sum(d * w for d, w in zip(demand.tolist(), filling.worth.tolist(), strict=True))
    return asked - sum(c * v for c, v in zip(count.tolist(), filling.best.tolist(), strict=True))
