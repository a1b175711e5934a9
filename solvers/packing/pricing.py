"""Pricing: for every type the pattern of greatest worth that begins with it, and a bound on the worth of any pattern.

Breadth first over partial patterns in the order of worth per share; a partial pattern is dropped when one-dimensional
knapsack tables show that nothing above the threshold contains it. Worths are integers, so the bound is exact. Knows no
linear program.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from solvers.packing import loops
from solvers.packing.bins import Bins
from solvers.packing.loops import Children, Int32, Level
from solvers.rules import Int64

Float64 = NDArray[np.float64]
GRID = 1024
"""Most units into which the capacity of a knapsack table is divided; 500 types in 12 tables then take 25 MB."""
FINEST = 40
"""Most bits after the point of a worth."""
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
        self.need, self.room = _with_on_grid(bins)
        self.first = self.need.shape[1] - _on_grid(bins).shape[1]

    def price(self, dual: Float64, limit: Int64, demand: Int64, width: int) -> Priced:
        """Return patterns worth more than 1 under the duals, and the bound that the duals give.

        Parameters
        ----------
        dual
            float64[n] >= 0: worth of an instance; it is rounded to an integer number of small units first.
        limit, demand
            int64[n]: most instances of a type in a pattern, and the demand the bound is for.
        width
            Most partial patterns that are kept for one start type and one number of instances.
        """
        one, worth = self._integers(dual, limit)
        order = self._order(worth, limit)
        search = _Search(self, order, worth[order], limit[order], one, width)
        search.run()
        total = int((worth * demand).sum())
        greatest = max(one, search.greatest)
        return Priced(search.patterns(), -(-total // greatest), total / greatest, search.complete, search.steps)

    def _integers(self, dual: Float64, limit: Int64) -> tuple[int, Int64]:
        """Return how many units are 1, and int64[n] the duals in units, so small that no pattern exceeds 30 bits."""
        dual = np.where(limit > 0, np.maximum(dual, 0.0), 0.0)
        share = self.bins.share.max(axis=1, initial=0.0)[limit > 0]
        in_a_bin = min(1 / max(float(share.min(initial=1.0)), 1e-9) * self.bins.size.shape[1], float(limit.sum()))
        greatest = max(min(float((dual * limit).sum()), float(dual.max(initial=0.0)) * in_a_bin), 1.0)
        one = 1 << max(0, min(FINEST, 30 - int(np.ceil(np.log2(greatest)))))
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
    even = (1 << 20) / np.maximum(bins.capacity, 1)
    load = (bins.share * bins.demand[:, None]).sum(axis=0)
    return [np.maximum(1, np.rint(even * part)).astype(np.int64) for part in (np.ones(len(load)), load / load.max())]


def _with_on_grid(bins: Bins) -> tuple[Int32, Int32]:
    """Return int32[n, T] needs and int32[T] room: exact dimensions that are finer than the grid, then all on the grid."""
    fine = np.flatnonzero(bins.capacity > GRID)
    grid = _on_grid(bins)
    exact = np.concatenate([bins.takes[:, fine], bins.capacity[None, fine]])
    both = np.concatenate([exact, grid], axis=1)
    return both[:-1].astype(np.int32), both[-1].astype(np.int32)


class _Search:
    """One breadth-first search over the types in an order; a place is an index into that order."""

    def __init__(self, pricer: Pricer, order: Int64, worth: Int64, limit: Int64, one: int, width: int) -> None:
        self.order, self.worth, self.limit, self.width = order, worth, limit, width
        self.fast, self.first, self.room = pricer.fast, pricer.first, pricer.room
        self.need = np.ascontiguousarray(pricer.need[order])
        self.best = np.full(len(order), one, np.int64)
        self.found: list[Int64 | None] = [None] * len(order)
        self.history: list[tuple[Int64, Int64]] = []
        self.dropped = 0
        weights = np.ascontiguousarray(self.need[:, self.first :].T.astype(np.int64))
        grid = int(self.room[self.first :].max(initial=0))
        self.table = loops.tables(weights, limit, worth, grid, fast=pricer.fast)
        self.steps = self.table.size

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
        slab = max(1, MOST_CHILDREN // len(self.order))
        parts: list[Children] = []
        count = low = 0
        while low < len(level) and count < MOST_CHILDREN:
            some = level.part(low, low + slab)
            part = loops.children(some, self.need, self.limit, self.worth, self.table, self.first, fast=self.fast)
            parts.append(replace(part, parent=part.parent + low))
            count += len(part.parent)
            low += slab
        self._drop(level.reach[low:])
        self.steps += (4 * len(level) + count) * len(self.room)
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
        places = [found.place[firsts]]
        index = found.parent[firsts]
        for parent, place in reversed(self.history):
            places.append(place[index])
            index = parent[index]
        for start, row in zip(owners[firsts].tolist(), np.stack(places, axis=1), strict=True):
            self.found[start] = row

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
