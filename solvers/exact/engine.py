"""Running CP-SAT on a model under one deadline: hints, budgets, and a safe reading of what it says.

Findings behind it (google/or-tools 9.15): a lone default worker may find nothing on a large model, and which settings
work differs by objective; so a few are tried in turn, each with its part of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from ortools.sat.python import cp_model

from solvers.exact.model import Model
from solvers.options import Options
from solvers.problem import Assignment
from solvers.waiting import waited

SHORTEST = 0.02
"""Seconds below which no solve is begun."""
SETTINGS: tuple[tuple[dict[str, object], float], ...] = (({"linearization_level": 2}, 0.3), ({}, 1.0))
"""Settings of single-worker solves in turn, each with its share of what time is left."""
PORTFOLIO_WORKERS = 8
"""Workers of one solve when determinism is not asked for: CP-SAT's own portfolio, also on few processors."""
WORK_A_SECOND = 0.03
"""Deterministic time of one solve for each second asked for, when determinism is: a few solves then fit into it."""
STEADY = 2_000
"""Most pairs for which a single worker is tried first."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a solve gave: an assignment (None: none found), a bound of its objective (None: none), why it ended."""

    assignment: Assignment | None = None
    bound: int | None = None
    cut_short: bool = False
    infeasible: bool = False


class Engine:
    """Runs models under the options' deadline."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def solve(self, model: Model, start: Assignment, *, share: float) -> Outcome:
        """Solve a model, hinted with an assignment, in a share of the time left."""
        best = Outcome()
        for setting, part, workers in self._attempts(len(model.pairs)):
            best = _joined(best, self._once(model, best.assignment or start, setting, share * part, workers), model)
            if not best.cut_short or best.infeasible:
                break
        return best

    def _attempts(self, pairs: int) -> Sequence[tuple[dict[str, object], float, int]]:
        """Return settings, share of the time left, and workers of the solves that are tried in turn.

        A single worker gives the same answer every time; so small models, which it mostly solves, get one first.
        """
        if self.options.deterministic:
            return [(setting, part, 1) for setting, part in SETTINGS]
        portfolio: tuple[dict[str, object], float, int] = ({}, 1.0, max(self.options.workers, PORTFOLIO_WORKERS))
        return [(*SETTINGS[0], 1), portfolio] if pairs <= STEADY else [portfolio]

    def repair(self, model: Model, current: Assignment, seconds: float) -> Outcome:
        """Solve the model of a neighbourhood, hinted with the current answer, within some seconds."""
        self._hint(model, current)
        solver = self._solver({}, seconds, workers=1)
        return self._read(model, solver, waited(lambda: solver.solve(model.model), solver.stop_search))

    def _once(self, model: Model, start: Assignment, setting: dict[str, object], share: float, workers: int) -> Outcome:
        seconds = self.options.left() * share
        if seconds < SHORTEST:
            return Outcome(cut_short=True)
        self._hint(model, start)
        solver = self._solver(setting, seconds, workers)
        return self._read(model, solver, waited(lambda: solver.solve(model.model), solver.stop_search))

    def _hint(self, model: Model, assignment: Assignment) -> None:
        model.model.clear_hints()  # type: ignore[no-untyped-call]
        counts = model.pairs.counts(model.problem, assignment)
        for pair in np.flatnonzero(model.is_free).tolist():
            model.model.add_hint(model.x[pair], int(counts[pair]))

    def _solver(self, setting: dict[str, object], seconds: float, workers: int) -> cp_model.CpSolver:
        solver = cp_model.CpSolver()
        solver.parameters.random_seed = self.options.seed
        solver.parameters.num_workers = workers
        solver.parameters.catch_sigint_signal = False
        if np.isfinite(seconds):
            solver.parameters.max_time_in_seconds = max(SHORTEST, seconds)
        if self.options.deterministic:
            solver.parameters.max_deterministic_time = WORK_A_SECOND * self.options.seconds
        for name, value in setting.items():
            setattr(solver.parameters, name, value)
        return solver

    def _read(self, model: Model, solver: cp_model.CpSolver, status: object) -> Outcome:
        if status == cp_model.MODEL_INVALID:
            raise RuntimeError(f"the model is invalid: {model.model.validate()}")
        if status == cp_model.INFEASIBLE:
            return Outcome(infeasible=True)
        has_objective = model.model.has_objective()
        ended = status == cp_model.OPTIMAL or (status == cp_model.FEASIBLE and not has_objective)
        bound = round(solver.best_objective_bound) if has_objective else None
        if status == cp_model.UNKNOWN:
            return Outcome(bound=bound, cut_short=True)
        counts = np.array(
            [solver.value(one) if free else one for one, free in zip(model.x, model.is_free, strict=True)], np.int64
        )
        found = Assignment.of_runs(model.pairs.row, model.pairs.agent, counts, model.problem.agents)
        return Outcome(assignment=found, bound=bound, cut_short=not ended)


def _joined(one: Outcome, other: Outcome, model: Model) -> Outcome:
    """Return the later outcome with whatever the earlier one had better."""
    maximise = bool(model.model.has_objective() and model.model.proto.objective.scaling_factor < 0)
    bounds = [outcome.bound for outcome in (one, other) if outcome.bound is not None]
    bound = (min(bounds) if maximise else max(bounds)) if bounds else None
    return replace(other, assignment=other.assignment or one.assignment, bound=bound)
