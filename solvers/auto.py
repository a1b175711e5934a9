"""The default: greedy first; then, while time is left and something is unproved, exact or a search of neighbourhoods.

Always an answer by the deadline, never worse than greedy.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solvers import greedy, objective
from solvers.levels import with_levels
from solvers.options import Options
from solvers.problem import Assignment, Problem
from solvers.rules import Bool, Int64

WHOLE = 60_000
"""Most pairs of row and agent for which the whole model is solved at once."""
REPAIRABLE = 5_000_000
"""Most pairs that are listed to search neighbourhoods in: some 100 MB."""
LEAST_TIME = 0.3
"""Seconds below which nothing is tried after greedy."""
NEIGHBOURHOOD = 4_000
"""Pairs that are free in one neighbourhood."""
REPAIR_SECONDS = 2.0
"""Most seconds for one neighbourhood."""
UNLIMITED = 1_000_000
PATIENCE = 60
"""Neighbourhoods without a gain after which the search ends."""


def solve(problem: Problem, options: Options) -> Assignment:
    """Return the best assignment found by the deadline."""
    first = greedy.solve(problem, options)
    if all(level.optimal for level in first.levels):
        return _told(first, f"{first.strategy}; it reaches every bound, so nothing else was tried")
    pairs = _pairs(problem)
    if options.left() < LEAST_TIME:
        return replace(_told(first, f"{first.strategy}; no time left for more"), cut_short=True)
    if pairs <= WHOLE:
        from solvers import exact

        found = exact.solve(problem, options, first)
        return _told(found, f"greedy, then exact on the whole problem ({pairs} pairs of job and agent)")
    if pairs <= REPAIRABLE:
        found, rounds = _Neighbourhoods(problem, options, first).run()
        why = f"{pairs} pairs of job and agent are too many for the whole model"
        return _told(found, f"greedy, then {rounds} neighbourhoods solved exactly: {why}")
    return _told(first, f"{first.strategy}; {pairs} pairs of job and agent are too many for a model")


def _told(assignment: Assignment, strategy: str) -> Assignment:
    return replace(assignment, strategy=strategy)


def _pairs(problem: Problem) -> int:
    """Return an upper estimate of the pairs that would get a variable, without looking at capacity."""
    allowed = {number: int(mask.sum()) for number, mask in enumerate(problem.masks)}
    wanting = problem.mask[problem.wanted > 0].tolist()
    return sum(allowed.get(number, problem.agents) for number in wanting)


class _Neighbourhoods:
    """Improves an answer by freeing a part of it at a time and solving that part exactly, all else held fixed."""

    def __init__(self, problem: Problem, options: Options, start: Assignment) -> None:
        from solvers.exact.engine import Engine
        from solvers.exact.variables import Pairs

        self.problem = problem
        self.options = options
        self.best = start
        self.values = objective.values(problem, start)
        self.random = np.random.default_rng(options.seed)
        self.pairs = Pairs.of(problem)
        self.engine = Engine(options)

    def run(self) -> tuple[Assignment, int]:
        """Return the best answer and the number of neighbourhoods tried."""
        rounds = idle = 0
        levels = self.best.levels
        while rounds < self._most_rounds() and idle < PATIENCE and self.options.left() > LEAST_TIME:
            level = next((number for number, one in enumerate(levels) if not one.optimal), None)
            if level is None:
                break
            if self._try(level):
                levels, idle = with_levels(self.problem, self.best).levels, 0
            else:
                idle += 1
            rounds += 1
        return replace(self.best, levels=levels, cut_short=self.options.left() <= LEAST_TIME), rounds

    def _most_rounds(self) -> int:
        """Return how many rounds are run: a number that depends on the seconds asked for, when determinism is."""
        return max(1, int(self.options.seconds)) if self.options.deterministic else UNLIMITED

    def _try(self, level: int) -> bool:
        """Free one neighbourhood, solve it for a level with the earlier ones held, keep the answer if it is better."""
        from solvers.exact.model import Model

        counts = self.pairs.counts(self.problem, self.best)
        free = self._free(level, counts)
        keep = free | (counts > 0)
        fixed = np.where(free, -1, counts)[keep]
        model = Model(self.problem, pairs=self.pairs.some(keep), fixed=fixed)
        for earlier in range(level):
            model.fix_level(earlier, self.values[earlier])
        if not model.set_objective(level):
            return False
        outcome = self.engine.repair(model, self.best, min(REPAIR_SECONDS, self.options.left() - LEAST_TIME / 2))
        if outcome.assignment is None:
            return False
        values = objective.values(self.problem, outcome.assignment)
        if not objective.better(self.problem, values, self.values):
            return False
        self.best, self.values = outcome.assignment, values
        if self.options.progress is not None:
            self.options.progress(self.best, "neighbourhood")
        return True

    def _free(self, level: int, counts: Int64) -> Bool:
        """Choose the pairs to free: those of some agents with the rows that are there, and the rows that lack instances.

        While instances are missing, agents are drawn at random; for the goal, half of the time the least loaded.
        """
        rows_missing = self.best.placed(self.problem.rows) < self.problem.wanted
        load = np.zeros(self.problem.agents)
        np.add.at(load, self.best.agent, self.best.count)
        agents = self.random.permutation(self.problem.agents)
        if level == len(self.values) - 1 and self.random.random() < 0.5:
            agents = agents[np.argsort(np.where(load[agents] > 0, load[agents], np.inf), kind="stable")]
        chosen = np.zeros(self.problem.agents, np.bool_)
        free = np.zeros(len(self.pairs), np.bool_)
        for size in (8, 16, 32, 64, 128, 256, 512):
            chosen[agents[:size]] = True
            rows = rows_missing.copy()
            rows[self.pairs.row[(counts > 0) & chosen[self.pairs.agent]]] = True
            wider = rows[self.pairs.row] & chosen[self.pairs.agent]
            if free.any() and int(wider.sum()) > NEIGHBOURHOOD:
                break
            free = wider
        return free
