"""Diving: patterns of the covering solution are taken for good, a few at a time, and the rest is solved again.

It makes whole patterns of fractional ones. It never takes back what it took; whoever calls it tries again with smaller
steps (`PACES`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from solvers.patterns.generation import Generation, Round
from solvers.rules import Int64

SMOOTHING = 0.5
"""Share of the best worths in those priced at; less than at the root, since they are out of date after every step."""
WHOLE = 1 - 1e-6
"""A pattern taken so often counts as taken once."""
HALF = 0.5
"""Patterns taken less often than this are never taken for good beside another one in the same step."""


@dataclass(frozen=True)
class Pace:
    """How fast a dive goes.

    Attributes
    ----------
    share
        Part of all patterns in the solution that may be rounded up in one step.
    rounds
        Most rounds of column generation after a step.
    """

    share: float
    rounds: int


PACES = (Pace(0.1, 8), Pace(0.05, 10), Pace(0.03, 15), Pace(0.02, 20), Pace(0.01, 20))
"""From quick to careful: the quick one does on large markets, where each step is a small part of the whole."""


@dataclass(eq=False)
class Taken:
    """Patterns taken for good, one entry for each time they were taken with their number of agents."""

    kinds: list[int] = field(default_factory=list)
    patterns: list[Int64] = field(default_factory=list)
    times: list[int] = field(default_factory=list)

    def put(self, kind: int, pattern: Int64, times: int) -> None:
        """Add a pattern."""
        self.kinds.append(kind)
        self.patterns.append(pattern)
        self.times.append(times)

    def agents(self, kinds: int) -> Int64:
        """Return int64[kinds]: how many agents of each kind are taken."""
        return np.bincount(self.kinds, weights=self.times, minlength=kinds).astype(np.int64)

    def joined(self, other: Taken) -> Taken:
        """Return both together."""
        return Taken(self.kinds + other.kinds, self.patterns + other.patterns, self.times + other.times)


def dive(generation: Generation, pace: Pace, noise: np.random.Generator | None = None) -> tuple[Taken, Int64]:
    """Take patterns until no demand is left, or none can be taken; return them and the demand left, int64[n].

    Parameters
    ----------
    noise
        Where given, the order in which fractional patterns are rounded up is disturbed by some percent.
    """
    taken = Taken()
    while generation.demand.any() and not generation.budget.over:
        solved = _converged(generation, pace.rounds)
        if solved is None or not _step(generation, solved, pace.share, taken, noise):
            break
    return taken, generation.demand


def _converged(generation: Generation, rounds: int) -> Round | None:
    """Return the last round that did not fail, after which nothing more is to be gained or the rounds are used up."""
    last = None
    for _ in range(rounds):
        now = generation.round(SMOOTHING)
        if now is None:
            break
        last = now
        if not now.added or generation.budget.over or now.cover.value <= generation.negligible:
            break
    return last


def _step(generation: Generation, solved: Round, share: float, taken: Taken, noise: np.random.Generator | None) -> bool:
    """Take whole parts, then the greatest fractions; return whether anything was taken."""
    times = solved.cover.times
    demand, count = generation.demand.copy(), generation.count.copy()
    before = len(taken.kinds)
    allowance = share * float(times.sum())
    order = np.argsort(-times, kind="stable")
    for column in order[times[order] >= WHOLE].tolist():
        _take(generation, column, int(times[column] + 1 - WHOLE), demand, count, taken)
    fraction = times - np.floor(times + 1 - WHOLE)
    if noise is not None:
        fraction = fraction * noise.uniform(0.95, 1.05, len(fraction))
    order = np.argsort(-fraction, kind="stable")
    rounded = 0
    for column in order[fraction[order] > 1 - WHOLE].tolist():
        if rounded and (rounded + 1 > allowance or fraction[column] < HALF):
            break
        if rounded == 0 and fraction[column] < HALF and len(taken.kinds) > before:
            break
        rounded += _take(generation, column, 1, demand, count, taken)
    if len(taken.kinds) == before:
        _take_cut_down(generation, order[times[order] > 1 - WHOLE].tolist(), demand, count, taken)
    if len(taken.kinds) == before:
        return False
    generation.reduce(count, demand)
    return True


def _take(generation: Generation, column: int, times: int, demand: Int64, count: Int64, taken: Taken) -> int:
    """Take a pattern up to `times` times, as far as demand and agents last; return how often."""
    pattern = generation.pool.patterns[generation.numbers[column]]
    kind = generation.kind(column)
    held = np.flatnonzero(pattern)
    times = min(times, int(count[kind]), int((demand[held] // pattern[held]).min(initial=times)))
    if times > 0:
        demand -= times * pattern
        count[kind] -= times
        taken.put(kind, pattern, times)
    return max(0, times)


def _take_cut_down(generation: Generation, order: list[int], demand: Int64, count: Int64, taken: Taken) -> None:
    """Take the first pattern that holds anything still asked for, without what it holds too much."""
    for column in order:
        kind = generation.kind(column)
        pattern = np.minimum(generation.pool.patterns[generation.numbers[column]], demand)
        if count[kind] > 0 and pattern.any():
            demand -= pattern
            count[kind] -= 1
            taken.put(kind, pattern, 1)
            return
