"""The default: greedy first; then, while time is left and something is unproved, exact or a search of neighbourhoods.

Always an answer by the deadline, never worse than greedy.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from solvers import greedy, objective
from solvers.options import Options
from solvers.problem import Assignment, Problem
from solvers.rules import Bool

if TYPE_CHECKING:
    from solvers.exact.engine import Engine
    from solvers.exact.model import Model

WHOLE = 60_000
"""Most pairs of row and agent for which the whole model is solved at once."""
REPAIRABLE = 600_000
"""Most pairs for which a model is built to search neighbourhoods in; building takes some 5 microseconds a pair."""
LEAST_TIME = 0.3
"""Seconds below which nothing is tried after greedy."""
NEIGHBOURHOOD = 4_000
"""Pairs that are free in one neighbourhood."""
REPAIR_SECONDS = 2.0
"""Most seconds for one neighbourhood."""
PATIENCE = 30
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
        self.problem = problem
        self.options = options
        self.best = start
        self.values = objective.values(problem, start)
        self.random = np.random.default_rng(options.seed)
        self.goal_level = len(self.values) - 1

    def run(self) -> tuple[Assignment, int]:
        """Return the best answer and the number of neighbourhoods tried."""
        from solvers.exact.engine import Engine
        from solvers.exact.model import Model

        model, engine = Model(self.problem), Engine(self.options)
        bounds = self.best.levels
        rounds, idle, fixed = 0, 0, 0
        most = self._most_rounds()
        while rounds < most and idle < PATIENCE and self.options.left() > LEAST_TIME:
            level = self._first_open_level(bounds)
            if level is None:
                break
            while fixed < level:
                model.fix_level(fixed, self.values[fixed])
                fixed += 1
            if not model.set_objective(level):
                break
            idle = 0 if self._try(model, engine, level) else idle + 1
            rounds += 1
        found = objective.with_levels(self.problem, self.best)
        return replace(found, cut_short=self.options.left() <= LEAST_TIME), rounds

    def _most_rounds(self) -> int:
        """Return how many rounds are run: a number that depends on the seconds asked for, when determinism is."""
        return max(1, int(self.options.seconds)) if self.options.deterministic else 1_000_000

    def _first_open_level(self, bounds: tuple[object, ...]) -> int | None:
        """Return the level to work at: the first that is not at its bound; the later ones wait for it."""
        for number, level in enumerate(objective.with_levels(self.problem, self.best).levels):
            if not level.optimal:
                return number
        return None if bounds else 0

    def _try(self, model: Model, engine: Engine, level: int) -> bool:
        """Free one neighbourhood, solve it, keep the answer if it is better."""
        free = self._free(model, level)
        seconds = min(REPAIR_SECONDS, self.options.left() - LEAST_TIME / 2)
        outcome = engine.repair(model, self.best, free, seconds)
        if outcome.assignment is None:
            return False
        values = objective.values(self.problem, outcome.assignment)
        if not objective.better(self.problem, values, self.values):
            return False
        self.best, self.values = outcome.assignment, values
        if self.options.progress is not None:
            self.options.progress(self.best, "neighbourhood")
        return True

    def _free(self, model: Model, level: int) -> Bool:
        """Choose agents: while instances are missing, any on which their rows are allowed; else the ones to empty."""
        pairs = model.pairs
        missing = np.flatnonzero(self.best.placed(self.problem.rows) < self.problem.wanted)
        load = np.zeros(self.problem.agents)
        np.add.at(load, self.best.agent, self.best.count)
        agents = self.random.permutation(self.problem.agents)
        if level == self.goal_level and self.random.random() < 0.5:
            agents = np.argsort(np.where(load > 0, load, np.inf), kind="stable")
        rows = np.zeros(self.problem.rows, np.bool_)
        rows[missing] = True
        rows[self.random.permutation(self.problem.rows)[: max(2, self.problem.rows // 4)]] = True
        per_agent = np.bincount(pairs.agent[rows[pairs.row]], minlength=self.problem.agents)
        chosen = agents[np.cumsum(per_agent[agents]) <= NEIGHBOURHOOD]
        open_agents = np.zeros(self.problem.agents, np.bool_)
        open_agents[chosen] = True
        return np.asarray(rows[pairs.row] & open_agents[pairs.agent])
