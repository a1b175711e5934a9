"""What is bought: kinds of agents with price and count, types of instances with size and demand; and what was bought.

It knows no problem, no rule but "at most so many of a type on one agent", and no solver.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from solvers.rules import Bool, Int32, Int64


@dataclass(frozen=True, eq=False)
class Market:
    """K kinds of agents, n types of instances, R resources. All numbers are whole and not negative.

    Attributes
    ----------
    capacity, price, count
        int64[K, R], int64[K], int64[K]: what an agent of the kind holds and costs, and how many there are. A price of
        0 says that the agent is there already.
    size, demand, most
        int64[n, R], int64[n], int64[n]: what an instance of the type takes, how many must be placed, and how many of
        the type one agent may hold.
    allowed
        bool[K, n]: whether an instance of the type may stand on the kind; None: always.
    """

    capacity: Int64
    price: Int64
    count: Int64
    size: Int64
    demand: Int64
    most: Int64
    allowed: Bool | None = None

    @property
    def kinds(self) -> int:
        """Number of kinds of agents."""
        return len(self.price)

    @property
    def types(self) -> int:
        """Number of types of instances."""
        return len(self.demand)

    @cached_property
    def permitted(self) -> Bool:
        """Return bool[K, n]: `allowed`, written out."""
        return np.ones((self.kinds, self.types), np.bool_) if self.allowed is None else self.allowed

    @cached_property
    def fits(self) -> Int64:
        """Return int64[K, n]: how many of each type an agent of each kind holds when it holds nothing else."""
        return self.fits_by(range(self.size.shape[1]))

    def fits_by(self, resources: Iterable[int]) -> Int64:
        """Return int64[K, n]: the same if only these resources counted."""
        limit = np.minimum(self.most, self.demand)
        fits = np.where(self.permitted, limit[None, :], 0)
        for resource in resources:
            need = self.size[:, resource]
            taking = np.flatnonzero(need)
            fits[:, taking] = np.minimum(fits[:, taking], self.capacity[:, resource, None] // need[taking])
        return fits

    @cached_property
    def ceiling(self) -> Int64:
        """Return int64[n]: the most of each type that any one agent holds."""
        return self.fits.max(axis=0, initial=0)

    @cached_property
    def step(self) -> int:
        """The greatest number that divides every price: every value of a purchase is a multiple of it."""
        return int(np.gcd.reduce(self.price)) or 1 if self.kinds else 1

    @cached_property
    def weight(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Return float64[n]: the share of an average agent that an instance takes, summed over the resources."""
        agents = max(1, int(self.count.sum()))
        average = np.maximum((self.capacity * self.count[:, None]).sum(axis=0) / agents, 1e-9)
        weight: np.ndarray[tuple[int], np.dtype[np.float64]] = (self.size / average).sum(axis=1)
        # A type that takes nothing must still weigh something, or leaving it out would look free.
        return np.maximum(weight, 1e-3 * max(1e-6, float(weight.max(initial=1.0))))


@dataclass(frozen=True, eq=False)
class Purchase:
    """What was bought, and how good it is.

    Attributes
    ----------
    patterns, kind, times
        int64[p, n], int32[p], int64[p]: `times[j]` agents of `kind[j]` hold `patterns[j]` each.
    value
        The price of these agents.
    bound
        No purchase that holds all demand costs less.
    engine
        What the bound rests on.
    cut_short
        A clock ended the search.
    complete
        All demand is held; otherwise the purchase is empty.
    """

    patterns: Int64
    kind: Int32
    times: Int64
    value: int
    bound: int
    engine: str
    cut_short: bool
    complete: bool
