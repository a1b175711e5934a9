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
from solvers.rules import Int64

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


@dataclass(frozen=True, eq=False)
class Best:
    """The best value found of a sum of columns, the values of all columns, and whether nothing is better."""

    value: int
    columns: list[int]
    proved: bool


def best(system: System, columns: list[int], seconds: float, seed: int = 0, *, maximise: bool) -> Best | None:
    """Return the greatest or least sum of some columns with all reasons held; None if nothing was found."""
    return _CpSat(system, guarded=False).best(columns, seconds, seed, maximise)


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
        low = self.api.INT_MIN if row.low is None else row.low
        high = self.api.INT_MAX if row.high is None else row.high
        written = self.model.add_linear_constraint(expression, low, high)
        if self.guarded and row.reasons:
            written.only_enforce_if([self._literal(reason) for reason in row.reasons])

    def _literal(self, reason: int) -> Any:
        if reason not in self.literals:
            self.literals[reason] = self.model.new_bool_var("")
        return self.literals[reason]

    def best(self, columns: list[int], seconds: float, seed: int, maximise: bool) -> Best | None:
        """Optimise a sum of columns within some seconds."""
        if seconds < SHORTEST:
            return None
        total = self.api.LinearExpr.sum([self.columns[column] for column in columns])
        (self.model.maximize if maximise else self.model.minimize)(total)
        solver = self._solver(seconds, seed)
        status = solver.solve(self.model)
        if status not in (self.api.OPTIMAL, self.api.FEASIBLE):
            return None
        values = [int(solver.value(column)) for column in self.columns]
        return Best(sum(values[column] for column in columns), values, status == self.api.OPTIMAL)

    def _solver(self, seconds: float, seed: int) -> Any:
        solver = self.api.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = seed
        if np.isfinite(seconds):
            solver.parameters.max_time_in_seconds = seconds
        if self.guarded:
            solver.parameters.cp_model_presolve = False
        else:
            solver.parameters.linearization_level = 2
        return solver

    def run(self, seconds: float, seed: int) -> Verdict:
        """Solve within some seconds."""
        if seconds < SHORTEST:
            return Verdict(None)
        solver = self._solver(seconds, seed)
        status = solver.solve(self.model)
        if status == self.api.MODEL_INVALID:
            raise RuntimeError(f"the model is invalid: {self.model.validate()}")
        if status == self.api.INFEASIBLE:
            named = set(solver.sufficient_assumptions_for_infeasibility()) if self.guarded else set()
            core = frozenset(reason for reason, literal in self.literals.items() if literal.index in named)
            return Verdict(False, core=core if self.guarded else None)
        if status == self.api.UNKNOWN:
            return Verdict(None)
        values = np.array([solver.value(column) for column in self.columns], np.int64)
        return Verdict(True, counts=_counts(self.system, values))


def second_opinion(system: System, seconds: float, seed: int = 0) -> Verdict:
    """Decide by HiGHS whether the system with all its reasons held can be satisfied."""
    if seconds < SHORTEST:
        return Verdict(None)
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
    found = solve_linear(model, "highs", seconds=seconds, seed=seed)
    if found.status == "infeasible":
        return Verdict(False)
    return Verdict(None) if found.x is None else Verdict(True, counts=_counts(system, found.whole()))


def _counts(system: System, values: Int64) -> Assignment:
    """Return the instances that the values of the columns stand for, each cell's on its first agent."""
    agents = system.question.problem.agents
    number = len(system.row_of)
    return Assignment.of_runs(system.row_of, system.cells.first[system.cell_of], values[:number], agents)
