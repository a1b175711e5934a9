"""The patterns known so far, each once, in the order in which they were found; sparse, since a bin holds few types."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solvers.packing.bins import Bins
from solvers.rules import Bool, Int64

Float64 = NDArray[np.float64]


class Pool:
    """A growing list of distinct patterns.

    Attributes
    ----------
    item, count
        int64[k] each by pattern: the types in it, ascending, and how many of each.
    """

    def __init__(self, bins: Bins) -> None:
        self.bins = bins
        self.item: list[Int64] = []
        self.count: list[Int64] = []
        self._number: dict[bytes, int] = {}
        self._flat: tuple[Int64, Int64, Int64] = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.item)

    def add(self, pattern: Int64) -> int:
        """Add a pattern given as types with repetition, if it is not there; return its number."""
        item, count = np.unique(pattern, return_counts=True)
        key = item.tobytes() + count.tobytes()
        number = self._number.setdefault(key, len(self.item))
        if number == len(self.item):
            self.item.append(item.astype(np.int64))
            self.count.append(count.astype(np.int64))
        return number

    def add_rows(self, rows: Int64) -> None:
        """Add patterns given as int64[p, n]."""
        for row in rows:
            kinds = np.flatnonzero(row)
            self.add(np.repeat(kinds, row[kinds]))

    @property
    def flat(self) -> tuple[Int64, Int64, Int64]:
        """Pattern number, type and count of every entry, by pattern."""
        done = int(self._flat[0][-1]) + 1 if len(self._flat[0]) else 0
        if done < len(self.item):
            sizes = [len(item) for item in self.item[done:]]
            fresh = (np.repeat(np.arange(done, len(self.item)), sizes), self.item[done:], self.count[done:])
            self._flat = (
                np.concatenate([self._flat[0], fresh[0]]),
                np.concatenate([self._flat[1], *fresh[1]]),
                np.concatenate([self._flat[2], *fresh[2]]),
            )
        return self._flat

    def worth(self, dual: Float64) -> Float64:
        """Return float64[p]: worth of every pattern."""
        number, item, count = self.flat
        return np.bincount(number, count * dual[item], minlength=len(self)).astype(np.float64)

    def proper(self, remaining: Int64) -> Bool:
        """Return bool[p]: whether a pattern holds no more of a type than remains, int64[n], to be packed."""
        number, item, count = self.flat
        return np.asarray(np.bincount(number, count > remaining[item], minlength=len(self)) == 0)

    def dense(self, numbers: list[int]) -> Int64:
        """Return int64[p, n]: patterns as rows."""
        rows = np.zeros((len(numbers), self.bins.types), np.int64)
        for row, number in zip(rows, numbers, strict=True):
            row[self.item[number]] = self.count[number]
        return rows
