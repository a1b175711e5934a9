"""Quick packings: best fit, first fit and cosine fit in several orders, and bins filled one by one by dot product.

Their bins are the first columns, the best of them is the first answer; nothing here proves anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from solvers.packing.bins import Bins
from solvers.rules import Bool, Int64

Float64 = NDArray[np.float64]
Score = Callable[[Float64, Float64], Float64]
"""(free shares of the bins float64[b, D], shares of the instance float64[D]) -> float64[b]; the least is chosen."""


def packings(bins: Bins) -> Iterator[Int64]:
    """Yield packings int64[b, n], one row a bin."""
    for order in orders(bins):
        for score in (_first, _best, _cosine):
            yield item_by_item(bins, order, score)
    for weights in (np.ones(len(bins.capacity)), load_of(bins)):
        yield bin_by_bin(bins, np.asarray(weights, np.float64))


def load_of(bins: Bins) -> Float64:
    """Return float64[D]: bins that all instances together ask for, dimension by dimension."""
    return np.asarray((bins.share * bins.demand[:, None]).sum(axis=0))


def orders(bins: Bins) -> list[Int64]:
    """Return the orders in which types come: by sum, greatest, load-weighted sum and sum of squares of their shares."""
    share = bins.share
    load = load_of(bins)
    keys = (share.sum(axis=1), share.max(axis=1, initial=0), share @ load, (share**2).sum(axis=1))
    return [np.argsort(-key, kind="stable") for key in keys]


def _first(free: Float64, share: Float64) -> Float64:
    return np.arange(len(free), dtype=np.float64)


def _best(free: Float64, share: Float64) -> Float64:
    return np.asarray((free - share).sum(axis=1))


def _cosine(free: Float64, share: Float64) -> Float64:
    return np.asarray(-(free @ share) / np.maximum(np.sqrt((free**2).sum(axis=1)), 1e-12))


def item_by_item(bins: Bins, order: Int64, score: Score) -> Int64:
    """Pack types in an order, each into the open bin of least score as often as it fits, else into a new bin."""
    opened = 0
    free = np.empty((64, len(bins.capacity)), np.int64)
    held = np.zeros((64, bins.types), np.int64)
    for kind in order[bins.demand[order] > 0].tolist():
        need, most, left = bins.size[kind], int(bins.most[kind]), int(bins.demand[kind])
        uses = need > 0
        while left:
            fits = np.flatnonzero((free[:opened] >= need).all(axis=1) & (held[:opened, kind] < most))
            if not len(fits):
                if opened == len(free):
                    free, held = np.concatenate([free, free]), np.concatenate([held, np.zeros_like(held)])
                free[opened], chosen = bins.capacity, opened
                opened += 1
            else:
                chosen = int(fits[np.argmin(score(free[fits] / np.maximum(bins.capacity, 1), bins.share[kind]))])
            room = int((free[chosen][uses] // need[uses]).min(initial=np.iinfo(np.int64).max))
            count = min(left, most - int(held[chosen, kind]), room)
            free[chosen] -= count * need
            held[chosen, kind] += count
            left -= count
    return held[:opened]


def bin_by_bin(bins: Bins, weights: Float64) -> Int64:
    """Fill one bin after another, always with the instance whose shares have the greatest dot product with the room."""
    left = bins.demand.copy()
    weighted = bins.share * weights
    rows = []
    while left.any():
        free, held = bins.capacity.copy(), np.zeros(bins.types, np.int64)
        while (fits := _fitting(bins, free, left, held)).any():
            worth = np.where(fits, weighted @ (free / np.maximum(bins.capacity, 1)), -1.0)
            kind = int(np.argmax(worth))
            free -= bins.size[kind]
            held[kind] += 1
            left[kind] -= 1
        rows.append(held)
    return np.array(rows, np.int64).reshape(-1, bins.types)


def _fitting(bins: Bins, free: Int64, left: Int64, held: Int64) -> Bool:
    return np.asarray((bins.size <= free).all(axis=1) & (left > 0) & (held < bins.most))
