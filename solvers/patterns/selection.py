"""Which agents to buy, without saying what stands where: a small integer programme whose value is a proved bound.

Its rows say that the agents bought must be worth what is asked, for worths of the types chosen here (each resource, the
number of instances) or found later by column generation (Benders' cuts). It knows no pattern.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.linear import LinearModel, LinearResult, safe_bound, solve_linear
from solvers.patterns.budget import Budget
from solvers.patterns.market import Market
from solvers.patterns.pricing import Pricing
from solvers.patterns.table import Filling
from solvers.rules import Int64

LOOSENING = 1e-9
"""Part of a row's side that is given away to floating point, so that no fitting choice is cut off."""
ROUND_WORTHS = tuple(2**e for e in (10, 14, 18, 22))
"""Greatest worths tried for a cut, small ones first: small whole coefficients are kind to the integer engine."""

TIES = 1e-2
"""Weight of the mean surplus beside the least one."""
PART = 0.3
"""Part of the time left that one selection may take; nearly all take a tenth of a second."""


@dataclass(frozen=True, eq=False)
class Row:
    """sum_k worth[k] * chosen[k] >= asked, in whole numbers."""

    worth: Int64
    asked: int

    def lacks(self, chosen: Int64) -> int:
        """Return by how much a choice, int64[K], breaks the row; at most 0 if it keeps it."""
        return self.asked - sum(v * y for v, y in zip(self.worth.tolist(), chosen.tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class Choice:
    """How many agents of each kind, int64[K] (None: none found), and what no choice costs less than (None: nothing)."""

    chosen: Int64 | None
    bound: int | None


class Selection:
    """The integer programme: min sum_k price_k y_k, y whole, 0 <= y <= count, and the rows found so far."""

    def __init__(self, market: Market, pricing: Pricing, seed: int) -> None:
        self.market, self.pricing, self._seed = market, pricing, seed
        self.rows: list[Row] = []
        for r in range(market.size.shape[1]):
            if market.size[:, r].any():
                self.add(market.size[:, r] // (int(np.gcd.reduce(market.size[:, r])) or 1))
        self.add(np.ones(market.types, np.int64))
        self._add_singles()

    def add(self, worth: Int64) -> Row:
        """Add the row of whole worths, int64[n]: with V_k the best pattern of kind k, sum_k V_k y_k >= sum_i d_i w_i."""
        return self.cut(self.pricing.fill_whole(worth))

    def cut(self, filling: Filling, chosen: Int64 | None = None) -> Row:
        """Add the row of a filling, with coarser worths if these cut off the choice nearly as well."""
        row = self._row(filling)
        if chosen is not None:
            row = self._coarser(filling, row, chosen)
        self.rows.append(row)
        return row

    def _row(self, filling: Filling) -> Row:
        asked = sum(d * w for d, w in zip(self.market.demand.tolist(), filling.worth.tolist(), strict=True))
        return Row(filling.best, asked)

    def _coarser(self, filling: Filling, row: Row, chosen: Int64) -> Row:
        greatest = int(filling.worth.max())
        for ceiling in ROUND_WORTHS:
            if ceiling >= greatest:
                break
            worth = np.rint(filling.worth * (ceiling / greatest)).astype(np.int64)
            coarse = self._row(self.pricing.fill_whole(worth))
            if 2 * coarse.lacks(chosen) * greatest >= row.lacks(chosen) * ceiling:
                return coarse
        return row

    def _add_singles(self) -> None:
        """Add rows of single types: the agents must have places enough for each. Rows that others imply are left out."""
        asked = np.flatnonzero(self.market.demand)
        share = self.market.fits[:, asked] / self.market.demand[asked]
        # Places per demand on every kind: few types have the fewest, and equal ones count once.
        distinct, first = np.unique(share.T, axis=0, return_index=True)
        for place, i in zip(distinct, first.tolist(), strict=True):
            fewer = (distinct <= place).all(axis=1)
            if fewer.sum() == 1:
                self.rows.append(Row(self.market.fits[:, asked[i]], int(self.market.demand[asked[i]])))

    def cheapest(self, budget: Budget) -> Choice:
        """Return the cheapest choice and its bound."""
        step = self.market.step
        result = self._solved(self._model(self.market.price / step), budget)
        bound = safe_bound(result.bound) * step if np.isfinite(result.bound) else None
        return Choice(self._chosen(result), bound)

    def roomiest(self, budget: Budget, price: int) -> Int64 | None:
        """Return the choice of at most `price`, int64[K], that has most room.

        Room is the least of all rows' surpluses, each as a share of what the row asks; the mean of them breaks ties.
        """
        step, kinds = self.market.step, self.market.kinds
        worth = np.array([np.minimum(row.worth, row.asked) / max(1, row.asked) for row in self.rows])
        model = self._model(-TIES * worth.mean(axis=0))
        room = model.add_columns(1, cost=-1.0, upper=1.0)
        row, column = np.indices(worth.shape)
        model.add_rows(
            len(worth),
            np.r_[row.ravel(), np.arange(len(worth))],
            np.r_[column.ravel(), np.repeat(room, len(worth))],
            np.r_[worth.ravel(), np.full(len(worth), -1.0)],
            lower=1.0,
        )
        model.add_rows(1, np.zeros(kinds), np.arange(kinds), self.market.price / step, upper=price // step)
        return self._chosen(self._solved(model, budget))

    def _chosen(self, result: LinearResult) -> Int64 | None:
        """Return the choice of a result, int64[K]; agents that cost nothing are all taken."""
        if result.x is None:
            return None
        return np.where(self.market.price == 0, self.market.count, result.whole()[: self.market.kinds])

    def _model(self, cost: np.ndarray) -> LinearModel:
        model = LinearModel()
        y = model.add_columns(self.market.kinds, cost=cost, upper=self.market.count.astype(float), integer=True)
        for row in self.rows:
            # Every number a row counts is at most what is asked: more than enough is enough.
            worth = np.minimum(row.worth, row.asked).astype(float)
            scale = max(1.0, float(worth.max(initial=0.0)))
            model.add_rows(1, np.zeros(len(y)), y, worth / scale, lower=row.asked / scale * (1 - LOOSENING))
        return model

    def _solved(self, model: LinearModel, budget: Budget) -> LinearResult:
        """Solve; part of the time left is kept for packing what is chosen."""
        seconds = PART * budget.seconds()
        return solve_linear(model, seconds=seconds, gap=0.0, nodes=budget.nodes, seed=self._seed)
