"""Pricing: for every type the pattern of greatest worth that begins with it, and a bound on the worth of any pattern.

Breadth first over partial patterns in the order of worth per share; a partial pattern is dropped when one-dimensional
knapsack tables show that nothing above the threshold contains it. Worths are integers, so the bound is exact. Knows no
linear program.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solvers.packing import loops
from solvers.packing.bins import Bins
from solvers.packing.loops import Children, Level, Whole
from solvers.rules import Int64

Float64 = NDArray[np.float64]
GRID = 1024
"""Most units into which the capacity of a knapsack table is divided; 500 types in 12 tables then take 25 MB."""
SLAB = 1 << 19
"""Pairs of partial pattern and type that are looked at between two looks at the steps."""
TABLE_ENTRIES = 16
"""Entries of a knapsack table that take about as long as one step."""
FACTOR = 64
"""Weight of the greatest dimension in a sum of dimensions, so that rounding the weights of the others matters little."""
MOST_CHILDREN = 1 << 22
"""Extensions of one level that are written down at most: some 130 MB."""


@dataclass(frozen=True, eq=False)
class Priced:
    """What one pricing found.

    Attributes
    ----------
    patterns
        int64[k] each: the types of a pattern, with repetition; worth more than the threshold, best first.
    bound
        Fewest bins for the demand by these duals: the quotient of the demand's worth and the greatest worth of a
        pattern, rounded up, all in integers (Farley, Operations Research 38, 1990).
    quotient
        The same not rounded up.
    complete
        Whether nothing was dropped for want of width.
    steps
        Work done.
    """

    patterns: list[Int64]
    bound: int
    quotient: float
    complete: bool
    steps: int


class Pricer:
    """Finds patterns for given duals."""

    def __init__(self, bins: Bins, *, fast: bool) -> None:
        self.bins = bins
        self.fast = fast
        self.need, self.room = _dimensions(bins)
        self.first = self.need.shape[1] - _on_grid(bins).shape[1]

    def price(self, dual: Float64, limit: Int64, demand: Int64, width: int, most_steps: float = math.inf) -> Priced:
        """Return patterns worth more than 1 under the duals, and the bound that the duals give.

        Parameters
        ----------
        dual
            float64[n] >= 0: worth of an instance; it is rounded to an integer number of small units first.
        limit, demand
            int64[n]: most instances of a type in a pattern, and the demand the bound is for.
        width
            Most partial patterns that are kept for one start type and one number of instances.
        most_steps
            Steps after which partial patterns are dropped.
        """
        one, worth = self._integers(dual, limit)
        order = self._order(worth, limit)
        search = _Search(self, order, worth[order], limit[order], one, width, most_steps)
        search.run()
        total = int((worth * demand).sum())
        greatest = max(one, search.greatest)
        return Priced(search.patterns(), -(-total // greatest), total / greatest, search.complete, search.steps)

    def all_within(
        self, dual: Float64, bins: int, most: int, width: int, most_steps: float = math.inf
    ) -> tuple[list[Int64], Int64] | None:
        """Return all patterns that a packing of the whole demand into `bins` bins may use, None if they are too many.

        Under integer worths of which no pattern exceeds G, bins that hold worth W in all fall short of G by (bins G - W)
        together, so none may fall short by more. Types of no worth are left out of patterns.

        Parameters
        ----------
        dual
            float64[n] >= 0.
        bins
            Bins allowed.
        most
            Patterns that are listed at most.
        width, most_steps
            As in `price`.

        Returns
        -------
        patterns, types
            int64[k, length] each: types with repetition; and int64[t] the types that have worth.
        """
        limit = self.bins.most
        one, worth = self._integers(dual, limit)
        order = self._order(worth, limit)
        search = _Search(self, order, worth[order], limit[order], one, width, most_steps)
        search.run()
        allowed = max(one, search.greatest)
        floor = int((worth * self.bins.demand).sum()) - (bins - 1) * allowed - 1
        listing = _Listing(self, order, worth[order], limit[order], max(floor, 0), most, most_steps)
        listing.run()
        self.steps = search.steps + listing.steps
        return (listing.listed(), np.sort(order)) if listing.complete else None

    def _integers(self, dual: Float64, limit: Int64) -> tuple[int, Int64]:
        """Return how many units are 1, and int64[n] the duals in units, so small that the tables keep to 31 bits."""
        dual = np.where(limit > 0, np.maximum(dual, 0.0), 0.0)
        greatest = max(float((dual * limit).sum()), 1.0)
        one = 1 << max(0, 30 - int(np.ceil(np.log2(greatest))))
        return one, np.rint(dual * one).astype(np.int64)

    def _order(self, worth: Int64, limit: Int64) -> Int64:
        useful = np.flatnonzero((worth > 0) & (limit > 0))
        key = worth[useful] / np.maximum(self.bins.share[useful].sum(axis=1), 1e-9)
        return np.asarray(useful[np.argsort(-key, kind="stable")])


def _on_grid(bins: Bins) -> Int64:
    """Return int64[n + 1, E]: single constraints on a grid that every pattern keeps; the last row is the capacity.

    Each dimension, and the sums of shares over all dimensions, even and by load. Sizes are rounded down to the grid, so
    the sum of rounded sizes never exceeds the rounded sum.
    """
    size, capacity = bins.takes, bins.capacity
    columns = []
    for d in range(len(capacity)):
        if capacity[d] <= GRID:
            columns.append(np.append(size[:, d], capacity[d]))
        else:
            columns.append(np.append(size[:, d] * GRID // capacity[d], GRID))
    for weight in _weightings(bins):
        amounts = (size * weight).sum(axis=1)
        most = int((capacity * weight).sum())
        columns.append(np.append(amounts * GRID // most, GRID))
    return np.array(columns, np.int64).reshape(len(columns), len(size) + 1).T


def _weightings(bins: Bins) -> list[Int64]:
    """Return int64[D] each: factors on sizes, such that weighted capacities are even, or in proportion to the load."""
    if len(bins.capacity) < 2:
        return []
    even = FACTOR * bins.capacity.max() / np.maximum(bins.capacity, 1)
    load = (bins.share * bins.demand[:, None]).sum(axis=0)
    return [np.maximum(1, np.rint(even * part)).astype(np.int64) for part in (np.ones(len(load)), load / load.max())]


def _dimensions(bins: Bins) -> tuple[Whole, Whole]:
    """Return [n, T] needs and [T] room: exact dimensions that are finer than the grid, then all on the grid."""
    fine = np.flatnonzero(bins.capacity > GRID)
    grid = _on_grid(bins)
    exact = np.concatenate([bins.takes[:, fine], bins.capacity[None, fine]])
    both: Whole = np.concatenate([exact, grid], axis=1)
    if both[-1].max(initial=0) < 1 << 31:
        both = both.astype(np.int32)
    return both[:-1], both[-1]


class _Search:
    """One breadth-first search over the types in an order; a place is an index into that order."""

    def __init__(
        self, pricer: Pricer, order: Int64, worth: Int64, limit: Int64, one: int, width: int, most_steps: float
    ) -> None:
        self.order, self.worth, self.limit, self.width, self.most_steps = order, worth, limit, width, most_steps
        self.fast, self.first, self.room = pricer.fast, pricer.first, pricer.room
        self.need = np.ascontiguousarray(pricer.need[order])
        self.best = np.full(len(order), one, np.int64)
        self.found: list[Int64 | None] = [None] * len(order)
        self.history: list[tuple[Int64, Int64]] = []
        self.dropped = 0
        weights = np.ascontiguousarray(self.need[:, self.first :].T.astype(np.int64))
        grid = int(self.room[self.first :].max(initial=0))
        self.table = loops.tables(weights, limit, worth, grid, fast=pricer.fast)
        self.steps = self.table.size // TABLE_ENTRIES

    def run(self) -> None:
        """Search level by level: one instance, two, and so on."""
        level, owner = self._first_level()
        while len(level):
            level, owner = self._next_level(level, owner, self._children(level))

    @property
    def greatest(self) -> int:
        """No pattern is worth more, in units, if it is worth more than the threshold at all."""
        return max(int(self.best.max(initial=0)), self.dropped)

    def patterns(self) -> list[Int64]:
        """Return the types of the patterns found, with repetition, best first."""
        by_worth = np.argsort(-self.best, kind="stable").tolist()
        return [self.order[places] for i in by_worth if (places := self.found[i]) is not None]

    def _first_level(self) -> tuple[Level, Int64]:
        start = np.arange(len(self.order))
        room, again = self.room - self.need, self.limit - 1
        after = start + (again == 0)
        rest = [self.table[e, after, room[:, self.first + e]] for e in range(self.table.shape[0])]
        reach = self.worth + np.min(rest, axis=0, initial=np.iinfo(np.int32).max)
        nothing = Level(self.room[None, :], *(np.zeros(1, np.int64) for _ in range(5)))
        first = Children(parent=np.zeros(len(start), np.int64), place=start, value=self.worth, reach=reach)
        return self._next_level(nothing, None, first)

    def _children(self, level: Level) -> Children:
        """Extend a level, slab by slab so that memory stays bounded; what is left then is dropped."""
        slab = max(1, SLAB // len(self.order))
        parts: list[Children] = []
        count = low = 0
        while low < len(level) and count < MOST_CHILDREN and self.steps < self.most_steps:
            some = level.part(low, low + slab)
            part = loops.children(some, self.need, self.limit, self.worth, self.table, self.first, fast=self.fast)
            parts.append(replace(part, parent=part.parent + low))
            count += len(part.parent)
            low += slab
            self.steps += (4 * len(some) + len(part.parent)) * len(self.room)
        self._drop(level.reach[low:])
        return Children.joined(parts)

    def _next_level(self, level: Level, owner: Int64 | None, found: Children) -> tuple[Level, Int64]:
        """Note the best of each start type, keep what may still beat it, and return that as a level."""
        owners = found.place if owner is None else owner[found.parent]
        self._note(owners, found)
        kept = np.flatnonzero(found.reach > self.best[owners])
        kept = kept[self._widest(owners[kept], found.reach[kept])]
        parent, place = found.parent[kept], found.place[kept]
        same = (level.place[parent] == place) & (level.again[parent] > 0)
        again = np.where(same, level.again[parent], self.limit[place]) - 1
        self.history.append((parent, place))
        room = level.room[parent] - self.need[place]
        return Level(room, found.value[kept], place, again, self.best[owners[kept]], found.reach[kept]), owners[kept]

    def _note(self, owners: Int64, found: Children) -> None:
        """Keep for each start type the first pattern of greatest worth, if it beats what is known."""
        better = np.flatnonzero(found.value > self.best[owners])
        if not len(better):
            return
        ranked = better[np.lexsort((-found.value[better], owners[better]))]
        firsts = ranked[np.append(True, np.diff(owners[ranked]) > 0)]
        self.best[owners[firsts]] = found.value[firsts]
        traced = self._traced(found.place[firsts], found.parent[firsts])
        for start, row in zip(owners[firsts].tolist(), traced, strict=True):
            self.found[start] = row

    def _traced(self, last: Int64, parent: Int64) -> Int64:
        """Return int64[k, length]: the places of patterns given by their last place and their parents, last first."""
        places = [last]
        for parents, place in reversed(self.history):
            places.append(place[parent])
            parent = parents[parent]
        return np.stack(places, axis=1)

    def _widest(self, owners: Int64, reach: Int64) -> Int64:
        """Return the positions, in order, of at most `width` of each owner: those of greatest reach."""
        if len(owners) <= self.width:
            return np.arange(len(owners))
        ranked = np.lexsort((-reach, owners))
        begins = np.append(True, np.diff(owners[ranked]) > 0)
        starts = np.flatnonzero(begins)
        rank = np.arange(len(ranked)) - np.repeat(starts, np.diff(np.append(starts, len(ranked))))
        self._drop(reach[ranked[rank >= self.width]])
        return np.sort(ranked[rank < self.width])

    def _drop(self, reach: Int64) -> None:
        self.dropped = max(self.dropped, int(reach.max(initial=0)))

    @property
    def complete(self) -> bool:
        """Whether nothing was dropped that might have been worth more than what was found."""
        return self.dropped == 0


class _Listing(_Search):
    """The same search that notes every pattern above one floor instead of the best of each start type."""

    def __init__(
        self, pricer: Pricer, order: Int64, worth: Int64, limit: Int64, floor: int, most: int, most_steps: float
    ) -> None:
        super().__init__(pricer, order, worth, limit, floor, most, most_steps)
        self.most = most
        self.rows: list[Int64] = []
        self.count = 0

    def listed(self) -> list[Int64]:
        """Return the types of the patterns, with repetition."""
        return [self.order[rows] for rows in self.rows]

    def _note(self, owners: Int64, found: Children) -> None:
        good = np.flatnonzero(found.value > self.best[owners])
        self.count += len(good)
        if self.count > self.most:
            self._drop(found.reach[good])
        elif len(good):
            self.rows.append(self._traced(found.place[good], found.parent[good]))

    def _widest(self, owners: Int64, reach: Int64) -> Int64:
        if self.count > self.most:
            return np.arange(0)
        if len(owners) > MOST_CHILDREN // 4:
            self._drop(reach)
            return np.arange(0)
        return np.arange(len(owners))
