"""Least peak: the greatest used/total at which everything still fits, by bisection.

To ask whether a peak is possible is to lower every agent's capacity to it: then no goal is left. Relaxations that do not
fit raise the bound, answers that do lower the peak.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from solvers import objective
from solvers.board import Board
from solvers.exact.variables import Pairs
from solvers.linear import SAFETY, LinearModel
from solvers.objective import MILLION
from solvers.options import Options
from solvers.problem import Assignment, Problem
from solvers.rules import Bool, Int64
from solvers.sifting.agents import AgentModel, places_everything
from solvers.sifting.columns import Columns, sift
from solvers.sifting.placing import find

NAME = "bisection of the peak"
BY_STEPS = "capacity in whole steps of the demands at a lower peak"
BY_DUALS = "relaxation at a lower peak does not fit, dual values rounded (HiGHS)"
BY_TREE = "whole numbers at a lower peak do not fit (HiGHS)"
FIRST_PAIRS = 2
"""Pairs of the first relaxation, as a multiple of what their rows want."""
BOUND_SHARE = 0.2
"""Share of the time left for the bound by relaxations."""
TRY_SHARE = 0.25
"""Share of the time left for the search for an answer at one peak."""
SHORTEST = 0.05
"""Seconds below which nothing is begun."""


def improve(problem: Problem, board: Board, options: Options) -> None:
    """Lower the peak of the board's answer and prove bounds, until it is proved or the time is up.

    Parameters
    ----------
    board
        Its best answer settles what the levels before the goal must reach.
    """
    if len(board.best.row) and (problem.total > 0).any():
        _Bisection(problem, board, options).run()


def limited(problem: Problem, most_used: Int64) -> Problem:
    """Return the problem with as little free as leaves every agent within int64[agents, R] of its plain resources used."""
    plain = problem.total.shape[1]
    used = objective.used_after(problem, Assignment.nothing())
    free = problem.capacity.copy()
    free[:, :plain] = np.where(problem.total > 0, np.minimum(free[:, :plain], most_used - used), free[:, :plain])
    return replace(problem, capacity=free)


class _Bisection:
    """Peaks known to be impossible, and the answer of the least peak."""

    def __init__(self, problem: Problem, board: Board, options: Options) -> None:
        self.problem = problem
        self.board = board
        self.options = options
        self.level = board.goal_level
        self.given = board.values[: self.level]
        self.random = np.random.default_rng(options.seed)
        plain = problem.total.shape[1]
        self.used = objective.used_after(problem, Assignment.nothing())
        self.step = np.gcd.reduce(problem.demand[:, :plain], axis=0) if len(problem.demand) else np.zeros(plain, int)

    def run(self) -> None:
        """Raise the bound by relaxations, then look for answers in between."""
        self._raise_bound()
        floor = self.bound
        while not self.board.optimal(self.level) and self.options.left() > SHORTEST:
            floor = max(floor, self.bound)
            if floor >= self.peak:
                break
            middle = self._attainable((floor + self.peak - 1) // 2)
            if middle >= self.peak:
                middle = floor
            floor = self._look(middle, floor)

    @property
    def bound(self) -> int:
        """No answer has a lower peak."""
        return self.board.bound(self.level)[0]

    @property
    def peak(self) -> int:
        """The least peak of an answer so far."""
        return self.board.values[self.level]

    def _at(self, peak: int) -> Problem:
        return limited(self.problem, peak * self.problem.total // MILLION)

    def _attainable(self, peak: int) -> int:
        """Return the least peak, at least this one, at which some agent holds more than at any lower one."""
        total, step = self.problem.total, np.maximum(self.step, 1)
        most = ((peak - 1) * total // MILLION - self.used) // step * step + self.used
        growing = (total > 0) & (self.step > 0)
        following = -(-(most + step)[growing] * MILLION // total[growing])
        return max(peak, int(following.min(initial=peak if not growing.any() else 2 * MILLION)))

    def _raise_bound(self) -> None:
        """Raise the bound over peaks at which not all fits: by what agents hold in whole steps, then by relaxations."""
        if places_everything(self.problem, self.given):
            self._bisect(self._holds_too_little, BY_STEPS, self.options)
        self._bisect(self._does_not_fit, BY_DUALS, self.options.part(BOUND_SHARE))

    def _bisect(self, impossible: Callable[[int], bool], engine: str, options: Options) -> None:
        """Bisect between the bound and the peak with a test that tells of a peak that it is impossible."""
        low, high = self.bound, self.peak
        while low < high and options.left() > SHORTEST:
            middle = (low + high) // 2
            if impossible(middle):
                low = self._attainable(middle + 1)
                self.board.prove(self.level, low, engine, given=self.given)
            else:
                high = middle

    def _holds_too_little(self, peak: int) -> bool:
        """Tell whether all agents together, each in whole steps of the demands, hold less than is wanted."""
        free = self._at(peak).capacity[:, : len(self.step)]
        step = np.maximum(self.step, 1)
        held = (np.maximum(free, 0) // step * step).sum(axis=0)
        wanted = (self.problem.demand[self.problem.shape] * self.problem.wanted[:, None]).sum(axis=0)
        return bool((held < wanted[: len(self.step)]).any())

    def _does_not_fit(self, peak: int) -> bool:
        """Tell whether the relaxation at a peak is proved to leave something out."""
        problem = self._at(peak)
        pairs = Pairs.of(problem)
        columns = Columns(_with_shortfalls(AgentModel.of(problem, pairs, self.given).linear))
        begin = np.ones(len(columns), np.bool_)
        begin[: len(pairs)] = self._first(pairs)
        target = SAFETY * max(1, int(self.problem.wanted.sum()))
        found = sift(columns, begin, seconds=self.options.left(), seed=self.options.seed, target=target)
        return found is not None and found.bound > target

    def _first(self, pairs: Pairs) -> Bool:
        """Return the pairs of the first relaxation: the board's answer, and some at random that hold a few times as much."""
        room = np.bincount(pairs.row, weights=pairs.most, minlength=self.problem.rows)
        share = FIRST_PAIRS * self.problem.wanted / np.maximum(room, 1)
        drawn = self.random.random(len(pairs)) < share[pairs.row]
        return drawn | (pairs.counts(self.problem, self.board.best) > 0)

    def _look(self, peak: int, floor: int) -> int:
        """Look for an answer at a peak; return the least peak at which it is still worth to look."""
        problem = self._at(peak)
        found = find(problem, self.given, self.options.part(TRY_SHARE), Pairs.of(problem))
        if found.assignment is not None and self.board.offer(found.assignment, NAME):
            return floor
        above = self._attainable(peak + 1)
        if found.impossible:
            self.board.prove(self.level, above, BY_TREE, given=self.given)
        elif not self.options.deterministic:
            self.board.cut_short = True
        return above


def _with_shortfalls(model: LinearModel) -> LinearModel:
    """Return a model whose rows that ask for something may go short of it, at a cost of one for each unit."""
    lower = model.row_lower
    upper = model.row_upper
    row, column, value = model.matrix()
    asking = np.flatnonzero(lower > 0)
    soft = LinearModel()
    soft.add_columns(model.columns, lower=model.lower, upper=model.upper)
    short = soft.add_columns(len(asking), cost=1.0, upper=lower[asking])
    soft.add_rows(model.rows, np.r_[row, asking], np.r_[column, short], np.r_[value, np.ones(len(asking))],
                  lower=lower, upper=upper)  # fmt: skip
    return soft
