"""The exact engine: one CP-SAT model over integer counts, solved level by level with proofs.

The model is in `variables`, `rules` and `goals`; this is the story of a solve. It never returns anything worse than the
answer it starts from, and holds that answer itself: a complete hint does not make CP-SAT return one on a big model.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solvers import objective
from solvers.bounds import cheap_bounds
from solvers.exact.engine import Engine, Outcome
from solvers.exact.model import Model
from solvers.levels import as_levels
from solvers.options import Options
from solvers.problem import Assignment, Problem
from solvers.rules import Balance
from solvers.units import take

STRATEGY = "exact: CP-SAT over counts"


def solve(problem: Problem, options: Options, start: Assignment | None = None) -> Assignment:
    """Return the best assignment found by the deadline, with every level's bound.

    Parameters
    ----------
    start
        An answer to begin with; None begins with nothing placed.
    """
    best = start or Assignment.nothing()
    return _Search(problem, options, best).run()


class _Search:
    """One solve: the best answer so far, and what is proved of each level."""

    def __init__(self, problem: Problem, options: Options, start: Assignment) -> None:
        self.problem = problem
        self.options = options
        self.best = start
        self.values = objective.values(problem, start)
        self.levels = objective.names(problem)
        self.bounds: list[tuple[int, str]] = [(bound, why) for bound, why in cheap_bounds(problem, self.values)]
        self.cut_short = False

    def run(self) -> Assignment:
        """Place everything if that is possible, else the most level by level; then violations, then the goal."""
        if self._all_optimal():
            return self._answer()
        model = Model(self.problem)
        engine = Engine(self.options)
        tiers = sum(1 for name, _, _ in self.levels if name == "placed")
        placed_all = self._place_everything(engine)
        for level in range(len(self.levels)):
            if not (placed_all and level < tiers):
                self._improve(model, engine, level, share=0.5 if level < len(self.levels) - 1 else 1.0)
            model.fix_level(level, self.values[level])
            if level + 1 < len(self.levels):
                self._refresh_goal_bound()
        return self._answer()

    def _refresh_goal_bound(self) -> None:
        """Cheap bounds of later levels may rest on what is placed; keep the better of old and new."""
        for level, (bound, why) in enumerate(cheap_bounds(self.problem, self.values)):
            sense = self.levels[level][2]
            if sense * bound < sense * self.bounds[level][0] and not self.bounds[level][1].startswith("CP-SAT"):
                self.bounds[level] = (bound, why)

    def _all_optimal(self) -> bool:
        return all(value == bound for value, (bound, _) in zip(self.values, self.bounds, strict=True))

    def _place_everything(self, engine: Engine) -> bool:
        """Try to place every instance; a model without objective is solved far faster than one that counts."""
        wanted = self.problem.wanted
        if (self.best.placed(self.problem.rows) == wanted).all():
            return True
        if any(isinstance(rule, Balance) and rule.soft for rule in self.problem.rules):
            return False
        model = Model(self.problem, everything=True)
        if model.impossible:
            return False
        outcome = engine.solve(model, self.best, share=0.5)
        if outcome.assignment is None:
            return False
        self._accept(outcome)
        return bool((self.best.placed(self.problem.rows) == wanted).all())

    def _improve(self, model: Model, engine: Engine, level: int, share: float) -> None:
        """Optimise one level, the earlier ones held at their values."""
        if self.values[level] == self.bounds[level][0]:
            return
        if isinstance(model.level(level), int):  # no variable touches it
            self.bounds[level] = (self.values[level], "nothing to choose")
            return
        if not model.set_objective(level):
            return
        outcome = engine.solve(model, self.best, share=share)
        self.cut_short |= outcome.cut_short
        self._accept(outcome)
        if outcome.bound is not None:
            sense = self.levels[level][2]
            if sense * outcome.bound < sense * self.bounds[level][0]:
                self.bounds[level] = (outcome.bound, "CP-SAT")

    def _accept(self, outcome: Outcome) -> None:
        if outcome.assignment is None:
            return
        found = _with_units(self.problem, outcome.assignment)
        values = objective.values(self.problem, found)
        if objective.better(self.problem, values, self.values):
            self.best, self.values = found, values
            if self.options.progress is not None:
                self.options.progress(found, STRATEGY)

    def _answer(self) -> Assignment:
        bounds = as_levels(self.problem, self.values, self.bounds)
        return replace(self.best, levels=bounds, strategy=STRATEGY, cut_short=self.cut_short)


def _with_units(problem: Problem, assignment: Assignment) -> Assignment:
    """Return the assignment without instances whose requests the units cannot serve in the one order they are served.

    The model lets each request choose its unit; the procedure that hands them out takes the fullest or the first.
    """
    if not len(problem.unit_requests.row):
        return assignment
    left = problem.units.amount.copy()
    served = [
        take(problem, left, int(row), int(agent), int(count))
        for row, agent, count in zip(assignment.row, assignment.agent, assignment.count, strict=True)
    ]
    return Assignment.of_runs(assignment.row, assignment.agent, np.array(served, np.int64), problem.agents)
