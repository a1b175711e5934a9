"""The two inner loops of pricing, each written twice: a compiled loop and numpy, integers only, with equal answers.

`tables` fills exact one-dimensional knapsack tables; `children` extends partial patterns by one more instance each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers.packing.compiled import compiled
from solvers.rules import Int64

Int32 = NDArray[np.int32]
Whole = NDArray[Any]
"""int32 or int64."""
CHUNK = 1 << 22
"""Entries of the greatest temporary array of the numpy path: some tens of MB."""


@dataclass(frozen=True, eq=False)
class Level:
    """Partial patterns with equally many instances.

    Attributes
    ----------
    room
        [p, T], int32 or int64: what is left of every capacity.
    value
        int64[p]: worth of the instances held.
    place
        int64[p]: the place in the order from which on instances may be added.
    again
        int64[p]: how often the type at `place` may still be added; 0: start behind it.
    floor
        int64[p]: only patterns that are worth more than this count.
    reach
        int64[p]: no pattern that contains it and more from `place` on is worth more.
    """

    room: Whole
    value: Int64
    place: Int64
    again: Int64
    floor: Int64
    reach: Int64

    def __len__(self) -> int:
        return len(self.value)

    def part(self, low: int, high: int) -> Level:
        """Return the partial patterns from `low` to before `high`."""
        cut = slice(low, high)
        return Level(
            self.room[cut], self.value[cut], self.place[cut], self.again[cut], self.floor[cut], self.reach[cut]
        )


@dataclass(frozen=True, eq=False)
class Children:
    """Extensions of a level by one instance, ordered by parent and place.

    Attributes
    ----------
    parent, place
        int64[c]: which partial pattern, and the place of the type that is added.
    value, reach
        int64[c]: worth with it, and a bound on the worth of whatever contains it and more from that place on.
    """

    parent: Int64
    place: Int64
    value: Int64
    reach: Int64

    @classmethod
    def joined(cls, parts: Sequence[Children]) -> Children:
        """Return the extensions of several parts in turn."""
        arrays = [(one.parent, one.place, one.value, one.reach) for one in parts]
        return _joined(arrays)


def tables(weights: Int64, limit: Int64, worth: Int64, grid: int, *, fast: bool) -> Int32:
    """Return int32[E, m + 1, grid + 1]: the most worth of types from a place on within a capacity.

    Parameters
    ----------
    weights
        int64[E, m]: what an instance takes of each of E single constraints, in units of the grid.
    limit, worth
        int64[m]: most instances, and worth of one.
    """
    kinds, count = weights.shape
    table = np.zeros((kinds, count + 1, grid + 1), np.int32)
    fill: Any = _fill_loop if fast else _fill_numpy
    fill(table, weights, limit, worth.astype(np.int32))
    return table


def _fill_numpy(table: Int32, weights: Int64, limit: Int64, worth: Int32) -> None:
    for e in range(table.shape[0]):
        for i in range(weights.shape[1] - 1, -1, -1):
            row = table[e, i]
            row[:] = table[e, i + 1]
            left, step = int(limit[i]), 1
            while left:
                take = min(step, left)
                weight = take * int(weights[e, i])
                if weight < len(row):
                    np.maximum(row[weight:], row[: len(row) - weight] + take * worth[i], out=row[weight:])
                left -= take
                step *= 2


@compiled
def _fill_loop(table: Int32, weights: Int64, limit: Int64, worth: Int32) -> None:
    wide = table.shape[2]
    for e in range(table.shape[0]):
        for i in range(weights.shape[1] - 1, -1, -1):
            row = table[e, i]
            row[:] = table[e, i + 1]
            left, step = limit[i], 1
            while left > 0:
                take = min(step, left)
                weight = take * weights[e, i]
                gain = np.int32(take * worth[i])
                for g in range(wide - 1, weight - 1, -1):
                    row[g] = max(row[g], row[g - weight] + gain)
                left -= take
                step *= 2


def children(
    level: Level, need: Whole, limit: Int64, worth: Int64, table: Int32, first: int, *, fast: bool
) -> Children:
    """Return every extension whose reach, or whose own worth, is above the floor of its parent.

    Parameters
    ----------
    need
        [m, T], int32 or int64: what an instance takes; the constraints `first`, `first` + 1, ... are those of `table`.
    limit, worth
        int64[m].
    table
        int32[E, m + 1, grid + 1] of `tables`.
    """
    if fast:
        return _joined(_children_loop_all(level, need, limit, worth, table, first))
    return _joined(_children_numpy(level, need, limit, worth, table, first))


def _joined(parts: Sequence[tuple[Int64, ...]]) -> Children:
    if not parts:
        parts = [tuple(np.empty(0, np.int64) for _ in range(4))]
    return Children(*(np.concatenate([part[i] for part in parts]) for i in range(4)))


def _children_numpy(
    level: Level, need: Whole, limit: Int64, worth: Int64, table: Int32, first: int
) -> list[tuple[Int64, ...]]:
    m, kinds = len(worth), table.shape[0]
    step = max(1, CHUNK // max(1, m))
    parts: list[tuple[Int64, ...]] = []
    for low in range(0, len(level), step):
        chunk = slice(low, low + step)
        begin = level.place[chunk] + (level.again[chunk] == 0)
        from_place = int(begin.min(initial=m))
        fits = np.arange(from_place, m) >= begin[:, None]
        for t in range(need.shape[1]):
            fits &= need[from_place:, t] <= level.room[chunk, t, None]
        parent, place = (found.astype(np.int64) for found in np.nonzero(fits))
        parent, place = parent + low, place + from_place
        value = level.value[parent] + worth[place]
        again = np.where(level.place[parent] == place, level.again[parent], limit[place]) - 1
        after = place + (again == 0)
        reach = np.full(len(parent), np.iinfo(np.int64).max)
        for e in range(kinds):
            room = level.room[parent, first + e] - need[place, first + e]
            np.minimum(reach, table[e, after, room], out=reach)
        reach += value
        good = reach > level.floor[parent]
        parts.append((parent[good], place[good], value[good], reach[good]))
    return parts


def _children_loop_all(
    level: Level, need: Whole, limit: Int64, worth: Int64, table: Int32, first: int
) -> list[tuple[Int64, ...]]:
    m = len(worth)
    size = max(4 * m, 1 << 16)
    parts: list[tuple[Int64, ...]] = []
    at = 0
    while at < len(level):
        out = np.empty((4, size), np.int64)
        at, count = _children_loop(
            at, level.room, level.value, level.place, level.again, level.floor, need, limit, worth, table, first, out
        )
        parts.append(tuple(out[:, :count]))
        size *= 2
    return parts


@compiled
def _children_loop(
    at: int,
    room: Whole,
    value: Int64,
    begin: Int64,
    again: Int64,
    floor: Int64,
    need: Whole,
    limit: Int64,
    worth: Int64,
    table: Int32,
    first: int,
    out: Int64,
) -> tuple[int, int]:
    m, dims, kinds = need.shape[0], need.shape[1], table.shape[0]
    count = 0
    while at < room.shape[0] and count + m <= out.shape[1]:
        low = begin[at]
        if again[at] == 0:
            low += 1
        missing = floor[at] - value[at]
        high = m
        for e in range(kinds):
            left, right = low, high
            mine = room[at, first + e]
            while left < right:
                middle = (left + right) // 2
                if table[e, middle, mine] > missing:
                    left = middle + 1
                else:
                    right = middle
            high = left
        for i in range(low, high):
            fits = True
            for t in range(dims):
                if need[i, t] > room[at, t]:
                    fits = False
                    break
            if not fits:
                continue
            more = limit[i] - 1
            if i == begin[at] and again[at] > 0:
                more = again[at] - 1
            after = i if more > 0 else i + 1
            reach = np.int64(1) << 62
            for e in range(kinds):
                best = table[e, after, room[at, first + e] - need[i, first + e]]
                if best < reach:
                    reach = np.int64(best)
                    if reach + worth[i] <= missing:
                        break
            reach += value[at] + worth[i]
            if reach > floor[at]:
                out[0, count] = at
                out[1, count] = i
                out[2, count] = value[at] + worth[i]
                out[3, count] = reach
                count += 1
        at += 1
    return at, count
