"""Two engines on one system: CP-SAT with an assumption for each reason, and HiGHS as a second opinion.

CP-SAT runs with one worker, without objective and without presolve: its cores may be wrong otherwise (google/or-tools
5141), and they are not minimal (2649), so a core is only where the search for a minimal conflict begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from solvers.conflicts.question import Held
from solvers.conflicts.system import LinearRow, System
from solvers.linear import LinearModel, solve_linear
from solvers.problem import Assignment

SHORTEST = 0.02
"""Seconds below which no solve is begun."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """Whether a system can be satisfied (None: not decided); how, or which reasons already forbid it."""

    possible: bool | None
    counts: Assignment | None = None
    core: Held | None = None


def decide(system: System, seconds: float, seed: int = 0) -> Verdict:
    """Decide by CP-SAT whether the system with all its reasons held can be satisfied."""
    return _CpSat(system, guarded=False).run(seconds, seed)


def core_of(system: System, seconds: float, seed: int = 0) -> Verdict:
    """Decide by CP-SAT under one assumption a reason; if impossible, the core holds the assumptions that suffice."""
    return _CpSat(system, guarded=True).run(seconds, seed)


class _CpSat:
    """One CP-SAT model of a system; `guarded`: every row holds only while the literals of its reasons do."""

    def __init__(self, system: System, *, guarded: bool) -> None:
        from ortools.sat.python import cp_model

        self.api = cp_model
        self.system = system
        self.guarded = guarded
        self.model = cp_model.CpModel()
        self.columns: list[Any] = [
            self.model.new_int_var(low, high, "") for low, high in zip(system.lower, system.upper, strict=True)
        ]
        self.literals: dict[int, Any] = {}
        for row in system.rows:
            self._add(row)
        if guarded:
            self.model.add_assumptions(list(self.literals.values()))

    def _add(self, row: LinearRow) -> None:
        expression = self.api.LinearExpr.weighted_sum([self.columns[i] for i in row.columns], row.values)
        low = self.api.INT32_MIN if row.low is None else row.low
        high = self.api.INT_MAX if row.high is None else row.high
        if row.low is None:
            low = self.api.INT_MIN
        written = self.model.add_linear_constraint(expression, low, high)
        if self.guarded and row.reasons:
            written.only_enforce_if([self._literal(reason) for reason in row.reasons])

    def _literal(self, reason: int) -> Any:
        if reason not in self.literals:
            self.literals[reason] = self.model.new_bool_var("")
        return self.literals[reason]

    def run(self, seconds: float, seed: int) -> Verdict:
        """Solve within some seconds."""
        if seconds < SHORTEST:
            return Verdict(None)
        solver = self.api.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = seed
        if np.isfinite(seconds):
            solver.parameters.max_time_in_seconds = seconds
        if self.guarded:
            solver.parameters.cp_model_presolve = False
        else:
            solver.parameters.linearization_level = 2
        status = solver.solve(self.model)
        if status == self.api.MODEL_INVALID:
            raise RuntimeError(f"the model is invalid: {self.model.validate()}")
        if status == self.api.INFEASIBLE:
            named = set(solver.sufficient_assumptions_for_infeasibility()) if self.guarded else set()
            core = frozenset(reason for reason, literal in self.literals.items() if literal.index in named)
            return Verdict(False, core=core if self.guarded else None)
        if status == self.api.UNKNOWN:
            return Verdict(None)
        system = self.system
        number = len(system.row_of)
        counts = np.array([solver.value(column) for column in self.columns[:number]], np.int64)
        agents = system.question.problem.agents
        found = Assignment.of_runs(system.row_of, system.cells.first[system.cell_of], counts, agents)
        return Verdict(True, counts=found)


def second_opinion(system: System, seconds: float, seed: int = 0) -> bool | None:
    """Return what HiGHS says of the system with all its reasons held: possible or not, None: not decided."""
    if seconds < SHORTEST:
        return None
    model = LinearModel()
    model.add_columns(len(system.lower), lower=np.array(system.lower, np.float64),
                      upper=np.array(system.upper, np.float64), integer=True)  # fmt: skip
    rows = system.rows
    sizes = [len(row.columns) for row in rows]
    infinity = float("inf")
    model.add_rows(
        len(rows),
        np.repeat(np.arange(len(rows)), sizes),
        np.array([column for row in rows for column in row.columns], np.int64),
        np.array([value for row in rows for value in row.values], np.float64),
        lower=np.array([-infinity if row.low is None else row.low for row in rows]),
        upper=np.array([infinity if row.high is None else row.high for row in rows]),
    )
    status = solve_linear(model, "highs", seconds=seconds, seed=seed).status
    return None if status == "unknown" else status != "infeasible"
