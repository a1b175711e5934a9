"""Proves that one bin less is impossible: all patterns it could use are listed, and cuts make their relaxation tight.

The cuts are the subset-row cuts of Jepsen, Petersen, Spoorendonk and Pisinger (Operations Research 56, 2008): of three
instances of which there is one each, the patterns that hold two or three are used once at most. Since the patterns are
listed, no pricing has to know the cuts. It finds packings only by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.linear_solver import pywraplp

from solvers.packing.budget import Budget
from solvers.packing.master import STEPS_A_ROW
from solvers.rules import Int64

Float64 = NDArray[np.float64]
UNIT = 1 << 30
"""Duals are rounded to multiples of 1 / UNIT before a bound is computed."""
VIOLATION = 0.02
"""Least violation of a cut worth a row."""
SLOW = 0.002
"""Bins by which rounds of cuts should raise the bound."""
STALLED = 6
"""Rounds without such a gain after which cuts are given up."""
TOUCHES = 3
"""Cuts of one round that may share a type."""


@dataclass(frozen=True, eq=False)
class Listed:
    """Patterns as one flat array.

    Attributes
    ----------
    number, item
        int64[k]: pattern and type of every instance in a pattern, by pattern.
    size
        int64[p]: instances in each pattern.
    """

    number: Int64
    item: Int64
    size: Int64

    @classmethod
    def of(cls, rows: Sequence[Int64]) -> Listed:
        """Return the patterns given as int64[k, length] arrays of types with repetition."""
        size = np.concatenate([np.full(len(some), some.shape[1]) for some in rows] or [np.empty(0, np.int64)])
        item = np.concatenate([some.reshape(-1) for some in rows] or [np.empty(0, np.int64)])
        return cls(np.repeat(np.arange(len(size)), size), item, size.astype(np.int64))

    def __len__(self) -> int:
        return len(self.size)

    def pattern(self, number: int) -> Int64:
        """Return the types of one pattern, with repetition."""
        low, high = np.searchsorted(self.number, [number, number + 1])
        return self.item[low:high]

    def sums(self, worth: Int64) -> Int64:
        """Return int64[p]: the worth, int64[n] each instance, of every pattern."""
        running = np.append(0, np.cumsum(worth[self.item]))
        ends = np.cumsum(self.size)
        return np.asarray(running[ends] - running[ends - self.size])

    def some(self, kept: Int64) -> Listed:
        """Return the patterns of some numbers, ascending."""
        new = np.full(len(self), -1)
        new[kept] = np.arange(len(kept))
        here = new[self.number] >= 0
        return Listed(new[self.number[here]], self.item[here], self.size[kept])


class Closing:
    """The relaxation of an exact cover over listed patterns, with cuts.

    Attributes
    ----------
    listed
        The patterns that a packing into `bins` bins may still use.
    impossible
        Whether it is proved that there is no such packing.
    """

    def __init__(self, listed: Listed, demand: Int64, kinds: Int64, bins: int) -> None:
        self.listed, self.demand, self.kinds, self.bins = listed, demand, kinds, bins
        self.single = np.flatnonzero(demand == 1)
        self.single = self.single[np.isin(self.single, kinds)]
        self.impossible = len(listed) == 0 and len(kinds) > 0
        self.cuts: list[Int64] = []
        self.quotient = 0.0
        self._build()

    def _build(self) -> None:
        self.solver = pywraplp.Solver("closing", pywraplp.Solver.GLOP_LINEAR_PROGRAMMING)
        self.infinity = self.solver.infinity()
        self.rows = {i: self.solver.Constraint(float(self.demand[i]), self.infinity) for i in self.kinds.tolist()}
        self.bounds: list[pywraplp.Constraint] = []
        self.goal = self.solver.Objective()
        self.goal.SetMinimization()
        self.columns: list[tuple[pywraplp.Variable, Int64]] = []
        self.known: set[bytes] = set()
        for kind in self.kinds.tolist():
            self._add_column(np.array([kind]))

    def _add_column(self, pattern: Int64) -> None:
        key = np.sort(pattern).tobytes()
        if key in self.known:
            return
        self.known.add(key)
        column = self.solver.NumVar(0.0, self.infinity, "")
        self.goal.SetCoefficient(column, 1.0)
        for item, count in zip(*(part.tolist() for part in np.unique(pattern, return_counts=True)), strict=True):
            self.rows[item].SetCoefficient(column, float(count))
        for cut, row in zip(self.cuts, self.bounds, strict=True):
            if np.isin(cut, pattern).sum() >= 2:
                row.SetCoefficient(column, 1.0)
        self.columns.append((column, pattern))

    def run(self, budget: Budget) -> None:
        """Cut until the bound exceeds the bins allowed, nothing more can be cut, or the budget is over."""
        stalled, last = 0, self.quotient
        while not self.impossible and stalled < STALLED and self._relax(budget):
            stalled = 0 if self.quotient > last + SLOW else stalled + 1
            last = max(last, self.quotient)
            if self.impossible or not self._cut():
                return

    def _relax(self, budget: Budget) -> bool:
        """Solve over all listed patterns, taking in those that are attractive; raise the bound; drop patterns."""
        step = max(100, len(self.kinds))
        while not budget.over:
            if self.solver.Solve() != pywraplp.Solver.OPTIMAL:
                return False
            rows = len(self.rows) + len(self.bounds)
            budget.spend(STEPS_A_ROW * (self.solver.iterations() + 10) * rows + len(self.listed.item))
            values, greatest = self._judge()
            if self.impossible:
                return True
            attractive = np.flatnonzero(values > UNIT + UNIT // 10**6)
            if not len(attractive):
                return True
            for number in attractive[np.argsort(-values[attractive], kind="stable")[:step]].tolist():
                self._add_column(self.listed.pattern(number))
            self._drop(values, greatest)
        return False

    def _judge(self) -> tuple[Int64, int]:
        """Return int64[p] what each pattern is worth under the rounded duals, and the most; raise the bound by it."""
        worth = np.zeros(len(self.demand), np.int64)
        for kind, row in self.rows.items():
            worth[kind] = round(max(row.dual_value(), 0.0) * UNIT)
        values = self.listed.sums(worth)
        self.total = int((worth * self.demand).sum())
        for cut, row in zip(self.cuts, self.bounds, strict=True):
            price = round(max(-row.dual_value(), 0.0) * UNIT)
            if price:
                values[self._holding_two(cut)] -= price
                self.total -= price
        greatest = max(int(values.max(initial=0)), 1)
        self.quotient = max(self.quotient, self.total / greatest)
        self.impossible = self.total > self.bins * greatest
        return values, greatest

    def _holding_two(self, cut: Int64) -> Int64:
        """Return the numbers of the listed patterns that hold two or three of the types of a cut."""
        held = np.zeros(len(self.demand), np.int64)
        held[cut] = 1
        return np.flatnonzero(self.listed.sums(held) >= 2)

    def _drop(self, values: Int64, greatest: int) -> None:
        """Drop the patterns that fall short by more than all bins together may."""
        kept = np.flatnonzero(values >= self.total - (self.bins - 1) * greatest)
        if len(kept) < 0.9 * len(self.listed):
            self.listed = self.listed.some(kept)
            self.impossible = len(kept) == 0

    def _cut(self) -> bool:
        """Add the most violated cuts; return whether there were any."""
        found = self._violated()
        touched = np.zeros(len(self.demand), np.int64)
        added = 0
        for cut in found:
            if (touched[cut] >= TOUCHES).any():
                continue
            touched[cut] += 1
            row = self.solver.Constraint(-self.infinity, 1.0)
            for column, pattern in self.columns:
                if np.isin(cut, pattern).sum() >= 2:
                    row.SetCoefficient(column, 1.0)
            self.cuts.append(cut)
            self.bounds.append(row)
            added += 1
        return added > 0

    def _violated(self) -> Int64:
        """Return int64[c, 3]: types of violated cuts, most violated first."""
        place = np.full(len(self.demand), -1)
        place[self.single] = np.arange(len(self.single))
        pairs = np.zeros((len(self.single), len(self.single)))
        used = []
        for column, pattern in self.columns:
            level, held = column.solution_value(), np.sort(place[pattern])
            held = held[held >= 0]
            if level > 1e-7 and len(held) > 1:
                used.append((level, held))
                pairs[np.ix_(held, held)] += level
        np.fill_diagonal(pairs, 0.0)
        found: list[tuple[Float64, Int64]] = []
        for i in range(len(self.single) - 2):
            partners = i + 1 + np.flatnonzero(pairs[i, i + 1 :] > 0)
            found += self._violated_from(i, partners, pairs, used)
        if not found:
            return np.empty((0, 3), np.int64)
        excess, cuts = np.concatenate([one[0] for one in found]), np.concatenate([one[1] for one in found])
        return self.single[cuts[np.argsort(-excess, kind="stable")]]

    def _violated_from(
        self, first: int, partners: Int64, pairs: Float64, used: list[tuple[float, Int64]]
    ) -> list[tuple[Float64, Int64]]:
        """Return violated cuts of a type and two of its partners: three pairs, less twice what holds all three."""
        if len(partners) < 2:
            return []
        sums = pairs[first, partners][:, None] + pairs[first, partners] + pairs[np.ix_(partners, partners)]
        for level, held in used:
            if first in held:
                inside = np.flatnonzero(np.isin(partners, held))
                sums[np.ix_(inside, inside)] -= 2 * level
        low, high = np.nonzero(np.triu(sums > 1 + VIOLATION, 1))
        cuts = np.stack([np.full(len(low), first), partners[low], partners[high]], axis=1)
        return [(sums[low, high], cuts)]
