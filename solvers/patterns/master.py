"""The covering linear programme over patterns: which patterns, how many times, at the least price.

It is solved again and again while patterns are added and demands fall, so the simplex basis is kept. It knows nothing of
where patterns come from.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.linear_solver import pywraplp

from solvers.rules import Int64

Float64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Cover:
    """An optimal solution of the covering programme.

    Attributes
    ----------
    value
        Price of the patterns and penalty of what stays out.
    worth
        float64[n]: dual of each type's demand, not negative.
    rent
        float64[K]: minus the dual of each kind's count, not negative.
    times
        float64[columns]: how often each pattern is taken.
    missing
        float64[n]: demand that stays out.
    """

    value: float
    worth: Float64
    rent: Float64
    times: Float64
    missing: Float64


class CoverMaster:
    """min sum_j price[kind_j] t_j + sum_i penalty_i m_i; sum_j p_ji t_j + m_i >= demand_i; sum_{j of k} t_j <= count_k.

    (Gilmore and Gomory 1961, with several kinds of bins.)
    """

    def __init__(self, price: Float64, count: Int64, demand: Int64, penalty: Float64) -> None:
        self._solver = pywraplp.Solver.CreateSolver("GLOP")
        infinity = self._solver.infinity()
        self._covers = [self._solver.Constraint(float(d), infinity) for d in demand.tolist()]
        self._counts = [self._solver.Constraint(-infinity, float(c)) for c in count.tolist()]
        self._objective = self._solver.Objective()
        self._objective.SetMinimization()
        self._price = price.tolist()
        self._missing = [self._missing_column(row, p) for row, p in zip(self._covers, penalty.tolist(), strict=True)]
        self._columns: list[pywraplp.Variable] = []
        self._failed = False

    def _missing_column(self, row: pywraplp.Constraint, penalty: float) -> pywraplp.Variable:
        variable = self._solver.NumVar(0.0, self._solver.infinity(), "")
        row.SetCoefficient(variable, 1.0)
        self._objective.SetCoefficient(variable, penalty)
        return variable

    @property
    def columns(self) -> int:
        """Number of patterns added so far."""
        return len(self._columns)

    def add(self, kind: int, pattern: Int64) -> None:
        """Add a pattern, int64[n], of a kind."""
        variable = self._solver.NumVar(0.0, self._solver.infinity(), "")
        types = np.flatnonzero(pattern)
        for i, times in zip(types.tolist(), pattern[types].tolist(), strict=True):
            self._covers[i].SetCoefficient(variable, float(times))
        self._counts[kind].SetCoefficient(variable, 1.0)
        self._objective.SetCoefficient(variable, self._price[kind])
        self._columns.append(variable)

    def set_demand(self, demand: Int64) -> None:
        """Ask for other demands, int64[n]."""
        for row, d in zip(self._covers, demand.tolist(), strict=True):
            if row.lb() != d:
                row.SetLb(float(d))

    def set_count(self, count: Int64) -> None:
        """Allow other numbers of agents, int64[K]."""
        for row, c in zip(self._counts, count.tolist(), strict=True):
            if row.ub() != c:
                row.SetUb(float(c))

    def close(self, column: int) -> None:
        """Never take a pattern again."""
        self._columns[column].SetUb(0.0)

    def solve(self, seconds: float = float("inf")) -> Cover | None:
        """Return an optimal solution; None if time is up, or the simplex method fails, as it may after bounds change."""
        if not self._optimal(seconds):
            return None
        return Cover(
            value=self._objective.Value(),
            worth=np.maximum(np.array([row.dual_value() for row in self._covers], np.float64), 0.0),
            rent=np.maximum(-np.array([row.dual_value() for row in self._counts], np.float64), 0.0),
            times=np.array([variable.solution_value() for variable in self._columns], np.float64),
            missing=np.array([variable.solution_value() for variable in self._missing], np.float64),
        )

    def _optimal(self, seconds: float) -> bool:
        """Solve, from the last basis first; GLOP now and then calls that abnormal, and then does so for ever."""
        until = time.monotonic() + seconds
        for warm, presolve, algorithm in _ATTEMPTS[1 if self._failed else 0 :]:
            if np.isfinite(until):
                self._solver.SetTimeLimit(max(1, int(1000 * (until - time.monotonic()))))
            if self._solver.Solve(_parameters(warm, presolve, algorithm)) == pywraplp.Solver.OPTIMAL:
                return True
            if time.monotonic() >= until:
                return False
            self._failed = True
        return False


def _parameters(warm: bool, presolve: bool, algorithm: int) -> pywraplp.MPSolverParameters:
    of = pywraplp.MPSolverParameters
    parameters = of()
    parameters.SetIntegerParam(of.INCREMENTALITY, of.INCREMENTALITY_ON if warm else of.INCREMENTALITY_OFF)
    parameters.SetIntegerParam(of.PRESOLVE, of.PRESOLVE_ON if presolve else of.PRESOLVE_OFF)
    parameters.SetIntegerParam(of.LP_ALGORITHM, algorithm)
    return parameters


_ATTEMPTS = (
    (True, True, pywraplp.MPSolverParameters.PRIMAL),
    (False, True, pywraplp.MPSolverParameters.DUAL),
    (False, False, pywraplp.MPSolverParameters.PRIMAL),
)
"""(from the last basis, presolve, algorithm): added columns leave the basis primal feasible."""
