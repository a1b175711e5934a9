"""Free capacity in the smallest number type that is exact, and the few vector operations every greedy step is made of.

It knows demands and agents; it knows no rule, no row order and no objective.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from solvers.problem import Problem
from solvers.rules import Bool, Int64

Numbers = NDArray[Any]
"""float32, float64 or int64, all holding whole numbers."""
Float32 = NDArray[np.float32]
Agents = NDArray[np.int64]
Needs = tuple[tuple[int, float], ...]
"""What one instance takes: (dimension, amount > 0) in working units."""
Index = Agents | slice
Key = TypeVar("Key")
Value = TypeVar("Value")

EXACT_IN_32 = 2**24
EXACT_IN_64 = 2**50
NOTHING_FREE = 1e-9
"""Norm of an agent that has nothing free."""
SAMPLE = 16
"""One score in so many is looked at to find a threshold."""
FEW = 2048
"""Up to so many agents a threshold saves nothing."""


def working_type(greatest: int) -> np.dtype[Any]:
    """Return the smallest number type in which whole numbers up to `greatest` and quotients of them are exact.

    The floor of a rounded quotient a/b of whole numbers below 2^24 in float32 (2^50 in float64) is the floor of the
    quotient: for it to be rounded up to a whole k, kb - 1 = a would need k*b above 2^24 (2^53).
    """
    if greatest < EXACT_IN_32:
        return np.dtype(np.float32)
    return np.dtype(np.float64) if greatest < EXACT_IN_64 else np.dtype(np.int64)


class Memo(Generic[Key, Value]):
    """A few values kept by key; the store is emptied when it is full."""

    def __init__(self, size: int = 4096) -> None:
        self._size = size
        self._values: dict[Key, Value] = {}

    def get(self, key: Key) -> Value | None:
        """Return the value kept, None if there is none."""
        return self._values.get(key)

    def put(self, key: Key, value: Value) -> Value:
        """Keep a value and return it."""
        if len(self._values) >= self._size:
            self._values.clear()
        self._values[key] = value
        return value


@dataclass(frozen=True, eq=False)
class Frame:
    """What stays the same in all greedy runs over one problem.

    Attributes
    ----------
    dimensions
        The D dimensions of the problem that some row demands.
    capacity
        Working type, [D, agents]: free amounts, each dimension divided by the greatest common divisor of its demands
        and rounded down (never below 0).
    needs
        For each shape what one instance takes of the D dimensions.
    need
        int64[shapes, D]: the same as a table.
    scale
        For each of the D dimensions 1 / the greatest free amount.
    scaled
        float64[shapes, D]: the demands times `scale`.
    total
        float32[D, agents] or None: what agents have in all of each of the D dimensions in working units; 0 where the
        dimension is no plain resource.
    base
        float32[agents]: greatest used share over the plain resources that no row demands.
    """

    dimensions: tuple[int, ...]
    capacity: Numbers
    needs: tuple[Needs, ...]
    need: Int64
    scale: tuple[float, ...]
    scaled: NDArray[np.float64]
    total: Float32
    base: Float32
    _weights: Memo[Needs, tuple[tuple[int, float], ...]]

    @classmethod
    def of(cls, problem: Problem) -> Frame:
        """Return the frame of a problem."""
        asked = np.zeros(len(problem.demand), np.bool_)
        asked[problem.shape[problem.wanted > 0]] = True
        demand = np.where(asked[:, None], problem.demand, 0)
        dimensions = np.flatnonzero(demand.any(axis=0))
        divisor = np.gcd.reduce(demand[:, dimensions], axis=0) if len(dimensions) else np.ones(0, np.int64)
        free = np.maximum(problem.capacity[:, dimensions], 0) // divisor
        need = demand[:, dimensions] // divisor
        kind = working_type(max(int(free.max(initial=0)), int(need.max(initial=0))))
        needs = tuple(tuple((d, amount) for d, amount in enumerate(row) if amount) for row in need.tolist())
        scale = 1.0 / np.maximum(free.max(axis=0, initial=1), 1)
        total, base = _totals(problem, dimensions, divisor)
        return cls(
            dimensions=tuple(dimensions.tolist()),
            capacity=np.ascontiguousarray(free.T.astype(kind)),
            needs=needs,
            need=need,
            scale=tuple(scale.tolist()),
            scaled=need * scale,
            total=total,
            base=base,
            _weights=Memo(),
        )

    def weights(self, needs: Needs) -> tuple[tuple[int, float], ...]:
        """Return (dimension, factor) such that the sum of free x factor is |scaled free| x cosine to the demand."""
        known = self._weights.get(needs)
        if known is not None:
            return known
        length = sum((need * self.scale[d]) ** 2 for d, need in needs) ** 0.5
        return self._weights.put(needs, tuple((d, need * self.scale[d] ** 2 / length) for d, need in needs))


def _totals(problem: Problem, dimensions: Agents, divisor: Int64) -> tuple[Float32, Float32]:
    """Return `Frame.total` and `Frame.base`."""
    plain = problem.total.shape[1]
    total = np.zeros((len(dimensions), problem.agents), np.float32)
    for position, d in enumerate(dimensions.tolist()):
        if d < plain:
            total[position] = problem.total[:, d] / divisor[position]
    base = np.zeros(problem.agents, np.float32)
    for d in sorted(set(range(plain)) - set(dimensions.tolist())):
        there = problem.total[:, d]
        used = there - problem.capacity[:, d]
        np.maximum(base, np.where(there > 0, used / np.maximum(there, 1), 0).astype(np.float32), out=base)
    return total, base


class View:
    """Some agents as a score sees them: what is free, who is opened.

    Attributes
    ----------
    frame
        The constants.
    index
        The agents (ascending), or `slice(None)` for all.
    free
        For each dimension an array over the agents.
    reciprocal
        float32: 1 / |scaled free|, times 1 + bonus for opened agents; large where nothing is free.
    opened
        bool: holds something already, so its price is paid.
    """

    __slots__ = ("frame", "free", "index", "opened", "reciprocal")

    def __init__(self, frame: Frame, index: Index, free: list[Numbers], reciprocal: Float32, opened: Bool) -> None:
        self.frame = frame
        self.index = index
        self.free = free
        self.reciprocal = reciprocal
        self.opened = opened

    def most(self, needs: Needs) -> Numbers:
        """Return how many instances each agent has capacity for; what needs nothing fits without end."""
        found: Numbers | None = None
        for d, need in needs:
            if self.free[d].dtype == np.int64:
                each = self.free[d] // need
            else:
                each = self.free[d] / need
                np.floor(each, out=each)
            found = each if found is None else np.minimum(found, each, out=found)
        if found is None:
            return np.full(len(self.reciprocal), np.iinfo(np.int32).max, np.int64)
        return found

    def fits(self, needs: Needs) -> Bool:
        """Return where one instance has capacity."""
        found: Bool | None = None
        for d, need in needs:
            each = self.free[d] >= need
            found = each if found is None else np.logical_and(found, each, out=found)
        return np.ones(len(self.reciprocal), np.bool_) if found is None else found

    def part(self, where: Agents) -> View:
        """Return a copy of the agents at some positions of the view (one may be repeated)."""
        index = where if isinstance(self.index, slice) else self.index[where]
        return View(self.frame, index, [free[where] for free in self.free], self.reciprocal[where], self.opened[where])


class Room(View):
    """The free capacity of all agents during one greedy run.

    Attributes
    ----------
    load
        int64[agents]: instances placed in this run.
    """

    __slots__ = ("_bonus", "_held", "_rows", "load")

    def __init__(self, frame: Frame, held: Bool, bonus: float = 0.0) -> None:
        self._rows = frame.capacity.copy()
        self._held = held
        self._bonus = bonus
        super().__init__(frame, slice(None), list(self._rows), np.empty(0, np.float32), held.copy())
        self.reciprocal = self._reciprocals(list(self._rows), self.opened)
        self.load = np.zeros(len(held), np.int64)

    def take(self, needs: Needs, agents: Agents, counts: Numbers) -> None:
        """Take the capacity of `counts` instances on distinct agents; negative counts give it back."""
        self.load[agents] += counts
        self.opened[agents] = self._held[agents] | (self.load[agents] > 0)
        for d, need in needs:
            self.free[d][agents] -= (counts * need).astype(self._rows.dtype)
        self.refresh(agents)

    def refresh(self, agents: Agents) -> None:
        """Recompute the norms of agents whose free capacity has changed."""
        self.reciprocal[agents] = self._reciprocals([free[agents] for free in self.free], self.opened[agents])

    def take_in(self, part: View, needs: Needs, where: Agents, counts: Numbers) -> None:
        """Take the capacity of `counts` instances in a copy of some agents, at distinct positions `where` of it."""
        for d, need in needs:
            part.free[d][where] -= (counts * need).astype(self._rows.dtype)
        part.opened[where] = True
        part.reciprocal[where] = self._reciprocals([free[where] for free in part.free], part.opened[where])

    def put(self, part: View, counts: Int64) -> None:
        """Take over a changed copy (of distinct agents) with `counts` instances placed in it."""
        agents = part.index
        for own, other in zip(self.free, part.free, strict=True):
            own[agents] = other
        self.reciprocal[agents] = part.reciprocal
        self.opened[agents] = part.opened
        self.load[agents] += counts

    def _reciprocals(self, free: list[Numbers], opened: Bool) -> Float32:
        squares: Float32 | None = None
        for amounts, scale in zip(free, self.frame.scale, strict=True):
            scaled = (amounts * scale).astype(np.float32, copy=False)
            scaled *= scaled
            squares = scaled if squares is None else np.add(squares, scaled, out=squares)
        if squares is None:
            return np.ones(len(opened), np.float32)
        norm = np.sqrt(squares, out=squares)
        np.maximum(norm, NOTHING_FREE, out=norm)
        found: Float32 = np.reciprocal(norm, out=norm)
        if self._bonus:
            found[opened] *= 1 + self._bonus
        return found


def ranked(score: Numbers) -> Agents:
    """Return the positions by descending score, ties (scores nearer than 1/65535 of their range) by position."""
    if len(score) <= 1:
        return np.zeros(len(score), np.int64)
    return np.argsort(steps(score), kind="stable")


def steps(score: Numbers) -> NDArray[np.uint16]:
    """Return scores as whole steps of their range, 0 for the greatest: 16 bits are sorted by radix, in linear time."""
    high, low = score.max(), score.min()
    if high <= low:
        return np.zeros(len(score), np.uint16)
    return ((high - score) * (65535.0 / float(high - low))).astype(np.uint16)


def leaders(score: Numbers, count: int) -> Agents:
    """Return positions of positive scores, ascending, the `count` best among them (and some more, or all there are).

    A sample gives a threshold that a little more than `count` scores are likely to reach; where fewer do, all positive
    ones are returned.
    """
    if len(score) > FEW and count * 4 < len(score):
        sample = score[::SAMPLE]
        rank = int(1.6 * count / SAMPLE) + 2
        if rank < len(sample):
            threshold = np.partition(sample, len(sample) - rank)[len(sample) - rank]
            if threshold > 0:
                found = np.flatnonzero(score >= threshold)
                if len(found) >= count:
                    return found
    return np.flatnonzero(score > 0)


def filled(room: Int64, wanted: int) -> Int64:
    """Return how much of each room is used when `wanted` is poured in from the first on."""
    before = np.cumsum(room) - room
    return np.clip(wanted - before, 0, room)


def small(codes: NDArray[np.integer], count: int) -> NDArray[np.integer]:
    """Return codes from -1 to `count` - 1 in 16 bits where they fit: those are sorted by radix, in linear time."""
    return codes.astype(np.int16) if count < 2**15 else codes
