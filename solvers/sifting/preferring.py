"""Least preference cost: the relaxation by sifting, then whole numbers over the columns that are cheap under its duals.

For answers that hold the earlier levels' values. A bound is the lesser of two: what the engine proves over the columns
kept, and the relaxation's bound plus the least reduced cost left out.
"""

from __future__ import annotations

import time

import numpy as np

from solvers.board import Board
from solvers.exact.variables import Pairs
from solvers.linear import Float, Int64, safe_bound, solve_linear
from solvers.options import Options
from solvers.problem import Problem
from solvers.rules import Bool
from solvers.sifting.agents import AgentModel
from solvers.sifting.columns import Columns, Relaxed, least, sift, spread_out
from solvers.sifting.placing import nodes_for

NAME = "sifting"
BY_DUALS = "linear relaxation, dual values rounded (HiGHS)"
BY_TREE = "whole numbers over the columns cheap enough (HiGHS)"
GREATEST = 1e6
"""Costs are scaled to this at most, since engines work with absolute tolerances."""
FIRST_COLUMNS = 2
"""Columns of the first relaxation and of the first whole-number run, as a multiple of what a solution needs."""
GROWTH = 4
"""By how much the columns kept grow from run to run where time does not decide it."""
FIRST_SHARE, PLAIN_SHARE = 0.4, 0.7
"""Shares of the time left for the first run and for further ones without a hint. With a hint HiGHS ends as soon as its bound
meets the answer, but takes some three times as long to its bound; without one it may never find the answer (measured on
part-used fleets)."""
SLOWER = 1.66
"""In k times the time a run gets a good bound over k to this power times the columns (measured: 10 times in 4)."""
ROUNDING = 1e-6
"""Reduced costs that differ by less are equal."""
SHORTEST = 0.05
"""Seconds below which no run is begun."""


def improve(problem: Problem, board: Board, options: Options) -> None:
    """Lower the preference cost of the board's answer and prove bounds, until it is proved or the time is up.

    Parameters
    ----------
    board
        Its best answer settles what the levels before the goal must reach; it is the first solution.
    """
    if problem.preferences is not None and len(board.best.row):
        _Search(problem, board, options).run()


class _Search:
    """One search: the columns, and what the relaxation says of them."""

    def __init__(self, problem: Problem, board: Board, options: Options) -> None:
        self.problem = problem
        self.board = board
        self.options = options
        self.level = board.goal_level
        self.given = board.values[: self.level]
        self.pairs = Pairs.of(problem)
        self.model = AgentModel.of(problem, self.pairs, self.given)
        self.costs = problem.costs(self.pairs.row, self.pairs.agent)
        self.step = max(1, int(np.gcd.reduce(self.costs)))
        self.unit = max(float(self.step), float(np.abs(self.costs).max(initial=0)) / GREATEST)
        self.extra = self.model.linear.columns - len(self.pairs)
        self.columns = Columns(self.model.linear.copy(cost=np.r_[self.costs / self.unit, np.zeros(self.extra)]))
        self.random = np.random.default_rng(options.seed)

    def run(self) -> None:
        """Relax, then search over more and more columns."""
        relaxed = sift(self.columns, self._begin(), seconds=self.options.left(), seed=self.options.seed)
        if relaxed is None:
            return
        self._prove(relaxed.bound, BY_DUALS)
        keep = self._kept(relaxed, FIRST_COLUMNS * (self.model.linear.rows + int(self.board.best.count.sum())))
        share, hinted = FIRST_SHARE, False
        while not self.board.optimal(self.level) and self.options.left() > SHORTEST:
            began = time.monotonic()
            self._search(keep, relaxed, share=share, hinted=hinted)
            share = PLAIN_SHARE
            if not (self._useful(relaxed) & ~keep).any():
                if hinted or self.extra:
                    break
                share, hinted = 1.0, True
            keep = self._wider(relaxed, keep, int(keep.sum()) * self._growth(time.monotonic() - began))

    def _begin(self) -> Bool:
        """Return the columns of the first relaxation: the board's answer, and of each row the cheapest, ties at random."""
        pairs = self.pairs
        order = np.lexsort((self.random.random(len(pairs)), self.costs, pairs.row))
        before = np.cumsum(pairs.most[order]) - pairs.most[order]
        row = pairs.row[order]
        first = np.r_[0, np.cumsum(pairs.most)][pairs.start[row]]
        begin = np.zeros(len(pairs), np.bool_)
        begin[order[before - first < FIRST_COLUMNS * self.problem.wanted[row]]] = True
        return self._with_answer(begin)

    def _with_answer(self, keep: Bool) -> Bool:
        """Return the columns with those of the board's answer and all auxiliary ones."""
        now = self.pairs.counts(self.problem, self.board.best) > 0
        return np.r_[keep[: len(self.pairs)] | now, np.ones(self.extra, np.bool_)]

    def _useful(self, relaxed: Relaxed) -> Bool:
        """Return the columns that a better answer may have."""
        return relaxed.bound + relaxed.reduced <= (self.board.values[self.level] - self.step) / self.unit + ROUNDING

    def _kept(self, relaxed: Relaxed, number: int) -> Bool:
        """Return the useful columns of least reduced cost, up to a number.

        Columns of the greatest reduced cost among them are left out if not all with that cost can be had: some of them
        would lengthen the run and not raise the bound. If that leaves too few, some are taken at random.
        """
        useful, reduced = self._useful(relaxed), relaxed.reduced
        ties = self.random.permutation(len(reduced))
        keep = np.zeros(len(reduced), np.bool_)
        keep[ties] = least(reduced[ties], useful[ties], number)
        left_out = float(reduced[useful & ~keep].min(initial=np.inf))
        below = keep & (reduced < left_out - ROUNDING)
        return self._with_answer(below if 2 * int(below.sum()) > number else keep)

    def _wider(self, relaxed: Relaxed, keep: Bool, number: int) -> Bool:
        """Return more columns: a number of the useful ones, or all of them if that is not many more."""
        useful = self._useful(relaxed)
        return self._with_answer(useful | keep if 2 * number >= int(useful.sum()) else self._kept(relaxed, number))

    def _growth(self, seconds: float) -> int:
        """Return how many times as many columns the next run may have, from what the last one took."""
        left = self.options.left()
        if self.options.deterministic or not np.isfinite(left):
            return GROWTH
        return max(2, int((PLAIN_SHARE * left / max(seconds, SHORTEST)) ** SLOWER))

    def _search(self, keep: Bool, relaxed: Relaxed, *, share: float, hinted: bool) -> None:
        """Search over some columns and post what comes out."""
        nodes = nodes_for(self.options)
        found = solve_linear(self.columns.some(keep, integer=True), "highs", seconds=share * self.options.left(),
                             gap=0.0, nodes=nodes, hint=self._hint(keep) if hinted else None, seed=self.options.seed)  # fmt: skip
        if found.x is not None:
            self.board.offer(self.model.answer(self._whole(spread_out(keep, found))), NAME)
        left_out = float(relaxed.reduced[~keep].min(initial=np.inf))
        if found.status != "infeasible":
            self._prove(min(found.bound, relaxed.bound + max(0.0, left_out)), BY_TREE)
        if found.status != "optimal" and nodes is None:
            self.board.cut_short = True

    def _hint(self, keep: Bool) -> Float:
        """Return the board's answer as a solution of the columns kept (there are none beside the counts)."""
        return self.pairs.counts(self.problem, self.board.best)[keep].astype(np.float64)

    def _whole(self, x: Float) -> Int64:
        return np.rint(x).astype(np.int64)

    def _prove(self, bound: float, engine: str) -> None:
        if np.isfinite(bound):
            self.board.prove(self.level, safe_bound(bound * self.unit, self.step), engine, given=self.given)
