"""Equal bins and the types of instances that go into them: the data, the answer, and bounds from sums of sizes.

A bin is an agent of one kind and a pattern is what one bin holds; this knows no rows, rules or goals.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from solvers.rules import Int64

BY_SUMS = "sums of sizes"


@dataclass(frozen=True, eq=False)
class Packing:
    """An answer: which patterns, how often, and how few bins are proved to be needed.

    Attributes
    ----------
    patterns
        int64[p, n]: instances of each type in one bin.
    times
        int64[p]: bins that hold the pattern; over all bins each type comes to exactly its demand.
    bound
        No packing has fewer bins.
    engine
        What the bound rests on.
    cut_short
        A clock ended the search, so another run may differ.
    """

    patterns: Int64
    times: Int64
    bound: int
    engine: str
    cut_short: bool = False

    @property
    def bins(self) -> int:
        """Number of bins used."""
        return int(self.times.sum())

    @property
    def proved(self) -> bool:
        """Whether no packing has fewer bins."""
        return self.bins == self.bound


@dataclass(frozen=True, eq=False)
class Bins:
    """What is to be packed, with amounts made small: dimensions nobody needs are gone, the others divided by their gcd.

    Attributes
    ----------
    size
        int64[n, D]: what an instance of each type takes; where negative, it makes room for others in its bin.
    demand
        int64[n]: instances of each type.
    capacity
        int64[D] >= 0: what a bin has.
    most
        int64[n] >= 0: most instances of a type in one bin, by its limit, its demand and the capacity.
    """

    size: Int64
    demand: Int64
    capacity: Int64
    most: Int64

    @classmethod
    def of(cls, size: Int64, demand: Int64, capacity: Int64, most: Int64) -> Bins:
        """Return the reduced data.

        Raises
        ------
        ValueError
            If an instance that is demanded does not fit into a bin by itself.
        """
        wanted = demand > 0
        if bool((most[wanted] < 1).any()) or not (np.maximum(size[wanted], 0) <= capacity).all():
            raise ValueError("an instance does not fit into a bin by itself")
        needed = size[wanted].any(axis=0)
        size, capacity = np.where(wanted[:, None], size, 0)[:, needed], capacity[needed]
        step = np.gcd.reduce(size, axis=0)
        size, capacity = size // step, capacity // step
        most = np.minimum(most, demand)
        for d in np.flatnonzero((size >= 0).all(axis=0)).tolist():
            takes = size[:, d] > 0
            most[takes] = np.minimum(most[takes], capacity[d] // size[takes, d])
        return cls(size=size, demand=demand, capacity=capacity, most=most)

    @property
    def types(self) -> int:
        """Number of types."""
        return len(self.demand)

    @cached_property
    def takes(self) -> Int64:
        """int64[n, D] >= 0: the sizes without what they give; whatever fits by these fits by `size`, in any order."""
        return np.maximum(self.size, 0)

    @property
    def monotone(self) -> bool:
        """Whether no size is negative, so that `takes` loses nothing."""
        return bool((self.size >= 0).all())

    @cached_property
    def share(self) -> NDArray[np.float64]:
        """float64[n, D]: what instances take as parts of the capacity."""
        return np.asarray(self.takes / np.maximum(self.capacity, 1))

    @cached_property
    def total(self) -> Int64:
        """int64[D]: what all instances take together."""
        return np.asarray((self.size * self.demand[:, None]).sum(axis=0))

    @cached_property
    def by_sums(self) -> int:
        """Fewest bins by the sums of sizes and by the limits of a type in one bin."""
        wanted, there = self.demand > 0, self.capacity > 0
        by_limit = -(-self.demand[wanted] // self.most[wanted])
        return max(int((-(-self.total[there] // self.capacity[there])).max(initial=0)), int(by_limit.max(initial=0)))

    @cached_property
    def without_slack(self) -> bool:
        """Whether `by_sums` bins would all be filled exactly in every dimension."""
        return self.by_sums > 0 and bool((self.total == self.by_sums * self.capacity).all()) and self.size.shape[1] > 0
