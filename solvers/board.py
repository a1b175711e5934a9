"""The board of one solve: the best answer so far, and what is proved of each level. Every strategy posts here.

It accepts only right answers that are better, and bounds only on the terms under which they were proved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from solvers import objective
from solvers.bounds import cheap_bounds
from solvers.levels import as_levels
from solvers.options import Options
from solvers.problem import Assignment, Problem
from solvers.rightness import is_right


@dataclass(frozen=True, slots=True)
class Proof:
    """A bound of one level, what it rests on, and the values of the levels before it for which it holds (None: all)."""

    level: int
    value: int
    engine: str
    given: tuple[int, ...] | None = None


@dataclass(frozen=True, eq=False)
class _State:
    """The best answer with all that is known of it: replaced in one step, so that an interrupt finds it whole."""

    best: Assignment
    values: tuple[int, ...]
    source: str
    cheap: tuple[tuple[int, str], ...]


class Board:
    """Best answer and bounds of a problem.

    Parameters
    ----------
    start
        A right answer to begin with; None begins with nothing placed.

    Attributes
    ----------
    names
        (name, priority, sense) of every level.
    cut_short
        A clock ended some search.
    """

    def __init__(self, problem: Problem, options: Options, start: Assignment | None = None) -> None:
        self.problem = problem
        self.options = options
        self.names = objective.names(problem)
        self.cut_short = False
        self._proofs: list[Proof] = []
        self._state = self._judged(Assignment.nothing() if start is None else start, start.strategy if start else "")

    def _judged(self, assignment: Assignment, source: str) -> _State:
        values = objective.values(self.problem, assignment)
        return _State(assignment, values, source, tuple(cheap_bounds(self.problem, values)))

    @property
    def best(self) -> Assignment:
        """The best answer."""
        return self._state.best

    @property
    def values(self) -> tuple[int, ...]:
        """The values of its levels."""
        return self._state.values

    @property
    def source(self) -> str:
        """The strategy it came from."""
        return self._state.source

    def offer(self, assignment: Assignment, source: str) -> bool:
        """Take an answer if it is better than the best and right; tell whether it was taken."""
        values = objective.values(self.problem, assignment)
        if not objective.better(self.problem, values, self.values) or not is_right(self.problem, assignment):
            return False
        self._state = self._judged(assignment, source)
        if self.options.progress is not None:
            self.options.progress(self.answer(source), source)
        return True

    def prove(self, level: int, value: int, engine: str, given: Sequence[int] | None = None) -> None:
        """Post a bound of a level.

        Parameters
        ----------
        given
            The values of the levels before it that an answer must have for the bound to hold; None: it holds for all.
        """
        proof = Proof(level, value, engine, None if given is None else tuple(given))
        if proof not in self._proofs:
            self._proofs.append(proof)

    def bound(self, level: int) -> tuple[int, str]:
        """Return the best bound of a level for answers that are as good as the best in the levels before it."""
        sense = self.names[level][2]
        found = self._state.cheap[level]
        for proof in self._proofs:
            applies = proof.level == level and (proof.given is None or proof.given == self.values[:level])
            if applies and sense * proof.value < sense * found[0]:
                found = (proof.value, proof.engine)
        return found

    def optimal(self, level: int) -> bool:
        """Tell whether the best answer reaches the bound of a level."""
        return self.names[level][2] * (self.bound(level)[0] - self.values[level]) <= 0

    @property
    def open_level(self) -> int | None:
        """The first level that is not proved, None if all are."""
        return next((level for level in range(len(self.names)) if not self.optimal(level)), None)

    @property
    def goal_level(self) -> int:
        """The last level."""
        return len(self.names) - 1

    @property
    def everything_placed(self) -> bool:
        """Whether the best answer places every instance wanted."""
        return int(self.best.count.sum()) == int(self.problem.wanted.sum())

    def left(self) -> float:
        """Return the seconds left."""
        return self.options.left()

    def part(self, share: float) -> Options:
        """Return options whose time ends after a share of what is left."""
        return self.options.part(share)

    def answer(self, strategy: str) -> Assignment:
        """Return the best answer with its levels."""
        bounds = [self.bound(level) for level in range(len(self.names))]
        levels = as_levels(self.problem, self.values, bounds)
        return replace(self.best, levels=levels, strategy=strategy, cut_short=self.cut_short)
