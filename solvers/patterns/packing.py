"""Packing all demand on agents already chosen: fractionally first, with a proof where it cannot be; then wholly.

It knows no price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.patterns.budget import Budget
from solvers.patterns.dive import PACES, Pace, Taken, dive
from solvers.patterns.generation import Generation, Pool
from solvers.patterns.market import Market
from solvers.patterns.pricing import Pricing, missing_bound
from solvers.patterns.table import Filling
from solvers.rules import Int64

SMOOTHING = 0.7
"""Share of the best worths in those priced at (26 to 80 rounds at any size; 0.85 took a fifth more)."""
PART = 0.5
"""Part of the budget left after which a fractional packing that is not complete is dived from as it is."""
DEEP = 0.5
"""Part of what the covering programme leaves out that a proof must show before the search for a deeper one ends."""


@dataclass(frozen=True, eq=False)
class Packing:
    """What came of packing: patterns and the demand left, int64[n]; or a filling that proves that something stays out.

    `taken` is None where nothing was tried: `proof` says why, or the budget is over.
    """

    taken: Taken | None = None
    left: Int64 | None = None
    proof: Filling | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing is left."""
        return self.taken is not None and self.left is not None and not self.left.any()


class Packer:
    """Packs one market's demand on whatever agents are chosen, with one growing pool of patterns."""

    def __init__(self, market: Market, pricing: Pricing, pool: Pool, budget: Budget, seed: int) -> None:
        self.market, self.pricing, self.pool, self.budget = market, pricing, pool, budget
        self._random = np.random.default_rng(seed)

    def pack(self, count: Int64, paces: tuple[Pace, ...] = PACES, *, noisy: bool = False) -> Packing:
        """Pack on `count`, int64[K], agents of each kind: the packing that leaves least out of all paces."""
        relaxed = self._generation(count)
        proof = self._relaxed(relaxed)
        if proof is not None:
            return Packing(proof=proof)
        best, best_left = Packing(), np.inf
        for pace in paces:
            if self.budget.over:
                break
            taken, left = dive(
                relaxed if pace is paces[0] else self._generation(count), pace, self._random if noisy else None
            )
            left = fill_gaps(self.market, taken, left)
            if float(left @ self.market.weight) < best_left:
                best, best_left = Packing(taken, left), float(left @ self.market.weight)
            if best.complete:
                break
        return best

    def _relaxed(self, generation: Generation) -> Filling | None:
        """Generate patterns until all demand is packed fractionally, or it is proved that it cannot be."""
        part = self.budget.part(PART)
        while not part.over:
            now = generation.round(SMOOTHING)
            if now is None or now.cover.value <= generation.negligible:
                return None
            if now.added and generation.centre_bound < DEEP * now.cover.value:
                continue
            best = generation.best
            if best is not None and generation.centre_bound > generation.negligible:
                return best if missing_bound(generation.count, generation.demand, best) > 0 else None
            if not now.added:
                return None
        return None

    def _generation(self, count: Int64) -> Generation:
        return Generation(
            self.market,
            self.pricing,
            self.pool,
            price=np.zeros(self.market.kinds),
            count=count,
            demand=self.market.demand,
            penalty=self.market.weight,
            budget=self.budget,
        )


def fill_gaps(market: Market, taken: Taken, left: Int64) -> Int64:
    """Put what is left into room that the agents taken still have, the largest first; return what is left then.

    Agents of one entry that come to differ get entries of their own.
    """
    left = left.copy()
    if not taken.kinds:
        return left
    for i in sorted(np.flatnonzero(left).tolist(), key=lambda i: (-market.weight[i], i)):
        room = _room(market, taken, i)
        for entry in np.flatnonzero(room).tolist():
            more = min(int(room[entry]), int(left[i]))
            if not more:
                break
            agents = min(taken.times[entry], int(left[i]) // more)
            if agents < taken.times[entry]:
                taken.put(taken.kinds[entry], taken.patterns[entry], taken.times[entry] - agents)
            pattern = taken.patterns[entry].copy()
            pattern[i] += more
            taken.patterns[entry], taken.times[entry] = pattern, agents
            left[i] -= more * agents
    return left


def _room(market: Market, taken: Taken, i: int) -> Int64:
    """Return int64[entries]: how many further instances of a type an agent of each entry holds."""
    patterns, kinds = np.array(taken.patterns, np.int64), np.array(taken.kinds, np.int64)
    free = market.capacity[kinds] - patterns @ market.size
    taking = market.size[i] > 0
    fit = (free[:, taking] // market.size[i, taking]).min(axis=1, initial=np.iinfo(np.int64).max)
    return np.where(market.permitted[kinds, i], np.minimum(fit, market.most[i] - patterns[:, i]), 0)
