"""Full patterns: where the fewest bins by sums leave no room at all, every bin is filled exactly in every dimension.

The last instance of a full pattern is then known from the others, so it is looked up instead of searched.
"""

from __future__ import annotations

import numpy as np

from solvers.packing.bins import Bins
from solvers.rules import Bool, Int64

MOST_PARTIAL = 1 << 22
"""Partial patterns of one length that are listed: some 200 MB; beyond, full patterns are not tried."""
MOST_FULL = 100_000
"""Full patterns that are listed: an exact cover over more is out of reach."""


def full_patterns(bins: Bins) -> list[Int64] | None:
    """Return the full patterns (types with repetition) that `by_sums` full bins may hold; None if they are too many.

    If the shortest of them hold q instances, none of b bins for N instances holds more than N - (b - 1) q.
    Types are added by ascending sum of sizes, so what is left must hold a type at least as great as the last. Sizes
    may be negative as long as their sums are not.
    """
    order = np.argsort(bins.size.sum(axis=1), kind="stable")
    order = order[bins.demand[order] > 0]
    size, most = bins.size[order], bins.most[order]
    lookup = _Lookup(size)
    if not lookup.distinct or not (size.sum(axis=1) > 0).all():
        return None
    least = _least(size, bins.capacity)
    held, room = np.zeros((1, 0), np.int64), bins.capacity[None, :].copy()
    found: list[Int64] = []
    longest = int(bins.demand.sum())
    while len(room) and held.shape[1] < longest:
        last, good = lookup.types(room)
        good &= (held <= last[:, None]).all(axis=1) & ((held == last[:, None]).sum(axis=1) < most[last])
        found += list(order[np.concatenate([held[good], last[good, None]], axis=1)])
        if good.any():
            longest = min(longest, int(bins.demand.sum()) - (bins.by_sums - 1) * len(found[0]))
        extended = _extended(size, most, least, held, room)
        if extended is None or len(found) > MOST_FULL:
            return None
        held, room = extended
    return found


def _least(size: Int64, capacity: Int64) -> Int64:
    """Return int64[n, D]: the least that one or more instances of types from each place on take together.

    Only negative sizes make more instances take less; by the sums of sizes no bin holds more than so many.
    """
    one = np.minimum.accumulate(size[::-1], axis=0)[::-1]
    most = capacity.sum() // size.sum(axis=1)
    return np.asarray(one + np.minimum(one, 0) * (most - 1)[:, None])


def _extended(size: Int64, most: Int64, least: Int64, held: Int64, room: Int64) -> tuple[Int64, Int64] | None:
    """Return the partial patterns with one instance more that leave room for another; None if they are too many.

    `least`, int64[n, D], is the least that whatever follows takes, types from a place on.
    """
    step = max(1, MOST_PARTIAL // len(size))
    parts: list[tuple[Int64, Int64]] = []
    count = 0
    for low in range(0, len(room), step):
        some, mine = room[low : low + step], held[low : low + step]
        last = mine[:, -1] if mine.shape[1] else np.zeros(len(mine), np.int64)
        fits = np.arange(len(size)) >= last[:, None]
        for d in range(some.shape[1]):
            fits &= size[:, d] + least[:, d] <= some[:, d, None]
        parent, kind = np.nonzero(fits)
        good = (mine[parent] == kind[:, None]).sum(axis=1) < most[kind]
        parent, kind = parent[good], kind[good]
        parts.append((np.concatenate([mine[parent], kind[:, None]], axis=1), some[parent] - size[kind]))
        count += len(kind)
        if count > MOST_PARTIAL:
            return None
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


class _Lookup:
    """Finds the type of given sizes, with certainty if the hashes are `distinct`."""

    def __init__(self, size: Int64) -> None:
        self.size = size
        draw = np.random.default_rng(0)
        self.factor = draw.integers(1, 1 << 62, size.shape[1], dtype=np.int64)
        keys = self._keys(size)
        self.order = np.argsort(keys, kind="stable")
        self.keys = keys[self.order]
        self.distinct = len(np.unique(keys)) == len(keys)

    def _keys(self, size: Int64) -> Int64:
        """Return int64[p]: a hash of each row; it may overflow, all the same for all."""
        with np.errstate(over="ignore"):
            return np.asarray((size * self.factor).sum(axis=1))

    def types(self, room: Int64) -> tuple[Int64, Bool]:
        """Return the type whose sizes are the room, and whether there is one."""
        at = np.minimum(np.searchsorted(self.keys, self._keys(room)), len(self.keys) - 1)
        kind = self.order[at]
        return kind, np.asarray((self.size[kind] == room).all(axis=1))
