"""The covering linear program over the patterns of a pool: fewest bins, each type at least as often as demanded.

GLOP through the linear-solver wrapper, which starts each solve from the last basis. Knows no pricing and no rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.linear_solver import pywraplp

from solvers.packing.pool import Pool
from solvers.rules import Bool, Int64

Float64 = NDArray[np.float64]

STEPS_A_ROW = 10
"""Steps that one simplex iteration takes for each row."""


@dataclass(frozen=True, eq=False)
class Relaxed:
    """A solved relaxation.

    Attributes
    ----------
    value
        Bins, fractional.
    level
        float64[p]: how often each pattern of the pool is used.
    dual
        float64[n] >= 0.
    steps
        Work done.
    """

    value: float
    level: Float64
    dual: Float64
    steps: int


class Master:
    """The linear program; it grows with its pool and can be restricted to what remains to be packed."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._build()

    def _build(self) -> None:
        self.remaining = self.pool.bins.demand.copy()
        self.allowed = np.ones(0, np.bool_)
        self.solver = pywraplp.Solver("packing", pywraplp.Solver.GLOP_LINEAR_PROGRAMMING)
        infinity = self.solver.infinity()
        self.rows = [self.solver.Constraint(float(demand), infinity) for demand in self.remaining.tolist()]
        self.columns: list[pywraplp.Variable] = []
        self.goal = self.solver.Objective()
        self.goal.SetMinimization()

    def _grow(self) -> None:
        infinity = self.solver.infinity()
        for number in range(len(self.columns), len(self.pool)):
            column = self.solver.NumVar(0.0, infinity, "")
            self.goal.SetCoefficient(column, 1.0)
            for item, count in zip(self.pool.item[number].tolist(), self.pool.count[number].tolist(), strict=True):
                self.rows[item].SetCoefficient(column, float(count))
            self.columns.append(column)
        self.allowed = np.append(self.allowed, np.ones(len(self.columns) - len(self.allowed), np.bool_))

    def restrict(self, remaining: Int64, allowed: Bool) -> None:
        """Ask for what remains, int64[n], only, by the patterns allowed, bool[p]."""
        self._grow()
        for item in np.flatnonzero(remaining != self.remaining).tolist():
            self.rows[item].SetLb(float(remaining[item]))
        infinity = self.solver.infinity()
        for number in np.flatnonzero(allowed != self.allowed).tolist():
            self.columns[number].SetUb(infinity if allowed[number] else 0.0)
        self.remaining, self.allowed = remaining.copy(), allowed.copy()

    def solve(self) -> Relaxed | None:
        """Return the solution over all patterns of the pool; None if the engine fails."""
        self._grow()
        if not self._solved():
            return None
        level = np.array([column.solution_value() for column in self.columns])
        dual = np.maximum(np.array([row.dual_value() for row in self.rows]), 0.0)
        steps = STEPS_A_ROW * (self.solver.iterations() + 10) * len(self.rows)
        return Relaxed(float(self.solver.Objective().Value()), level, dual, steps)

    def _solved(self) -> bool:
        """Solve; after an abnormal end (GLOP's warm start now and then breaks down for ever) afresh, then otherwise."""
        if self.solver.Solve() == pywraplp.Solver.OPTIMAL:
            return True
        fresh = pywraplp.MPSolverParameters()
        fresh.SetIntegerParam(fresh.INCREMENTALITY, fresh.INCREMENTALITY_OFF)
        if self.solver.Solve(fresh) == pywraplp.Solver.OPTIMAL:
            return True
        fresh.SetIntegerParam(fresh.PRESOLVE, fresh.PRESOLVE_OFF)
        fresh.SetIntegerParam(fresh.LP_ALGORITHM, fresh.PRIMAL)
        return bool(self.solver.Solve(fresh) == pywraplp.Solver.OPTIMAL)
