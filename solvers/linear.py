"""Linear models as arrays, and the linear and integer engines of the ortools wheel that solve them.

Blocks of variables and rows are added as arrays and go into MathOpt's model as arrays; nothing here loops over variables.
It knows no problem: what a variable means is known where it is added.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from solvers.waiting import waited

Float = NDArray[np.float64]
Int64 = NDArray[np.int64]
Engine = Literal["highs", "scip", "glop", "pdlp"]
INFINITY = float("inf")
SAFETY = 1e-6
"""Relative share by which a bound that a floating-point engine states is moved to the safe side."""
SHORTEST = 0.02
"""Seconds below which no solve is begun."""
INTEGRAL = 1e-6
"""A float this near to a whole number is one."""


@dataclass
class LinearModel:
    """A linear model in columns and rows, filled in blocks. The objective is to be minimised.

    Attributes
    ----------
    columns, rows
        Numbers of variables and rows so far.
    """

    columns: int = 0
    rows: int = 0
    _cost: list[Float] = field(default_factory=list)
    _lower: list[Float] = field(default_factory=list)
    _upper: list[Float] = field(default_factory=list)
    _integer: list[NDArray[np.bool_]] = field(default_factory=list)
    _row_lower: list[Float] = field(default_factory=list)
    _row_upper: list[Float] = field(default_factory=list)
    _entries: list[tuple[Int64, Int64, Float]] = field(default_factory=list)

    def add_columns(self, number: int, *, cost: Any = 0.0, lower: Any = 0.0, upper: Any = INFINITY,
                    integer: bool = False) -> Int64:  # fmt: skip
        """Add variables and return their numbers, int64[number]; costs and bounds are numbers or arrays."""
        self._cost.append(_full(cost, number))
        self._lower.append(_full(lower, number))
        self._upper.append(_full(upper, number))
        self._integer.append(np.full(number, integer, np.bool_))
        first = self.columns
        self.columns += number
        return np.arange(first, self.columns)

    def add_rows(self, number: int, row: Any, column: Any, value: Any, *, lower: Any = -INFINITY,
                 upper: Any = INFINITY) -> Int64:  # fmt: skip
        """Add rows lower <= sum of value * variable <= upper and return their numbers, int64[number].

        Parameters
        ----------
        row, column, value
            The entries: `row` counts from 0 inside this block; equal pairs are added up. `value` may be one number.
        """
        row, column = np.asarray(row, np.int64), np.asarray(column, np.int64)
        self._row_lower.append(_full(lower, number))
        self._row_upper.append(_full(upper, number))
        first = self.rows
        self.rows += number
        self._entries.append((row + first, column, _full(value, len(row))))
        return np.arange(first, self.rows)

    @property
    def cost(self) -> Float:
        """float64[columns]: the objective."""
        return _joined(self._cost)

    def set_cost(self, cost: Float) -> None:
        """Replace the objective, float64[columns]."""
        self._cost = [cost]

    @property
    def lower(self) -> Float:
        """float64[columns]."""
        return _joined(self._lower)

    @property
    def upper(self) -> Float:
        """float64[columns]."""
        return _joined(self._upper)

    @property
    def integer(self) -> NDArray[np.bool_]:
        """bool[columns]."""
        return np.concatenate([np.empty(0, np.bool_), *self._integer])

    def matrix(self) -> tuple[Int64, Int64, Float]:
        """Return (row, column, value) of the entries, sorted by row and column, equal pairs added up, no zeros."""
        none = np.empty(0, np.int64)
        row = np.concatenate([none, *(entry[0] for entry in self._entries)])
        column = np.concatenate([none, *(entry[1] for entry in self._entries)])
        value = _joined([entry[2] for entry in self._entries])
        if not len(row):
            return row, column, value
        key = row * max(self.columns, 1) + column
        order = np.argsort(key, kind="stable")
        key, value = key[order], value[order]
        first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
        value = np.add.reduceat(value, first)
        row, column = np.divmod(key[first], max(self.columns, 1))
        some = value != 0
        return row[some], column[some], value[some]

    @property
    def row_lower(self) -> Float:
        """float64[rows]."""
        return _joined(self._row_lower)

    @property
    def row_upper(self) -> Float:
        """float64[rows]."""
        return _joined(self._row_upper)

    def copy(self, *, cost: Float | None = None, lower: Float | None = None, upper: Float | None = None,
             row_lower: Float | None = None, row_upper: Float | None = None,
             continuous: bool = False) -> LinearModel:  # fmt: skip
        """Return the same model with another objective, other bounds, or every variable continuous."""
        other = LinearModel(self.columns, self.rows)
        other._cost = [self.cost if cost is None else cost]
        other._lower = [self.lower if lower is None else lower]
        other._upper = [self.upper if upper is None else upper]
        other._integer = [np.zeros(self.columns, np.bool_) if continuous else self.integer]
        other._row_lower = [self.row_lower if row_lower is None else row_lower]
        other._row_upper = [self.row_upper if row_upper is None else row_upper]
        other._entries = list(self._entries)
        return other

    def proto(self) -> Any:
        """Return the model as MathOpt's message."""
        from ortools.math_opt import model_pb2

        row, column, value = self.matrix()
        message = model_pb2.ModelProto()
        variables, constraints = message.variables, message.linear_constraints
        variables.ids.extend(range(self.columns))
        variables.lower_bounds.extend(self.lower)
        variables.upper_bounds.extend(self.upper)
        variables.integers.extend(self.integer.tolist())
        cost = self.cost
        paying = np.flatnonzero(cost)
        message.objective.linear_coefficients.ids.extend(paying)
        message.objective.linear_coefficients.values.extend(cost[paying])
        constraints.ids.extend(range(self.rows))
        constraints.lower_bounds.extend(self.row_lower)
        constraints.upper_bounds.extend(self.row_upper)
        message.linear_constraint_matrix.row_ids.extend(row)
        message.linear_constraint_matrix.column_ids.extend(column)
        message.linear_constraint_matrix.coefficients.extend(value)
        return message


@dataclass(frozen=True, eq=False)
class LinearResult:
    """What an engine said.

    Attributes
    ----------
    status
        'optimal' (within the gap asked for), 'feasible', 'infeasible', or 'unknown'.
    value
        Objective of `x`, infinity without a solution.
    bound
        What the engine states that no solution is below; not yet moved to the safe side (see `safe_bound`).
    x
        float64[columns], None without a solution.
    dual, reduced
        float64[rows], float64[columns] of a continuous model, else None.
    """

    status: Literal["optimal", "feasible", "infeasible", "unknown"]
    value: float = INFINITY
    bound: float = -INFINITY
    x: Float | None = None
    dual: Float | None = None
    reduced: Float | None = None

    def whole(self) -> Int64:
        """Return the solution rounded to whole numbers, int64[columns]."""
        assert self.x is not None
        return np.rint(self.x).astype(np.int64)


def solve_linear(
    model: LinearModel,
    engine: Engine = "highs",
    *,
    seconds: float = INFINITY,
    gap: float | None = None,
    nodes: int | None = None,
    cutoff: float | None = None,
    hint: Float | None = None,
    seed: int = 0,
    threads: int | None = None,
    interrupter: Interrupter | None = None,
) -> LinearResult:
    """Solve a model.

    Parameters
    ----------
    seconds
        Wall-clock limit; below 0.02 nothing is begun.
    gap
        Relative gap at which an integer search ends (None: the engine's own default).
    nodes
        Most nodes of an integer search, for runs that must not depend on the clock.
    cutoff
        Only solutions below are wanted.
    hint
        float64[columns]: a solution to begin from (integer models; an engine may ignore it).
    threads
        For continuous engines that take it.
    interrupter
        With its `stop` another thread can end the solve early.

    Returns
    -------
    LinearResult
        A solve that the engine gives up on (numerical trouble) is 'unknown'.
    """
    if seconds < SHORTEST:
        return LinearResult("unknown")
    from ortools.math_opt import model_parameters_pb2
    from ortools.math_opt.python import mathopt

    parameters = mathopt.SolveParameters(random_seed=seed)
    if np.isfinite(seconds):
        parameters.time_limit = datetime.timedelta(seconds=seconds)
    if gap is not None:
        parameters.relative_gap_tolerance = gap
    if nodes is not None:
        parameters.node_limit = nodes
    if cutoff is not None:
        parameters.cutoff_limit = cutoff
    if threads is not None:
        parameters.threads = threads
    message = model.proto()
    hints = model_parameters_pb2.ModelSolveParametersProto()
    if hint is not None:
        given = hints.solution_hints.add()
        given.variable_values.ids.extend(range(model.columns))
        given.variable_values.values.extend(hint)
    stop = interrupter or Interrupter()
    answer = _run(message, engine, parameters.to_proto(), hints, stop)
    return LinearResult("unknown") if answer is None else _read(answer, model)


class Interrupter:
    """Ends a solve from another thread."""

    def __init__(self) -> None:
        from ortools.util.python import solve_interrupter

        self._inner = solve_interrupter.SolveInterrupter()

    def stop(self) -> None:
        """End the solves this was given to."""
        self._inner.interrupt()

    @property
    def handle(self) -> Any:
        """What MathOpt takes."""
        return self._inner.pybind_interrupter


def _run(message: Any, engine: Engine, parameters: Any, hints: Any, stop: Interrupter) -> Any:
    """Return what the engine answers, None where it gives up (HiGHS does not listen to `stop`, SCIP complains of it)."""
    from ortools.math_opt import callback_pb2, parameters_pb2
    from ortools.math_opt.core.python import solver

    kinds = {"highs": parameters_pb2.SOLVER_TYPE_HIGHS, "scip": parameters_pb2.SOLVER_TYPE_GSCIP,
             "glop": parameters_pb2.SOLVER_TYPE_GLOP, "pdlp": parameters_pb2.SOLVER_TYPE_PDLP}  # fmt: skip
    handle = None if engine == "scip" else stop.handle

    def work() -> Any:
        return solver.solve(message, kinds[engine], parameters_pb2.SolverInitializerProto(), parameters, hints, None,
                            callback_pb2.CallbackRegistrationProto(), None, handle)  # fmt: skip

    try:
        return waited(work, stop.stop)
    except Exception as error:
        if type(error).__name__ == "StatusNotOk":  # the engine's own numerical trouble, not a wrong model
            return None
        raise


def _read(answer: Any, model: LinearModel) -> LinearResult:
    from ortools.math_opt import result_pb2, solution_pb2

    reason = answer.termination.reason
    limits = answer.termination.objective_bounds
    bound = limits.dual_bound
    if reason in (result_pb2.TERMINATION_REASON_INFEASIBLE,):
        return LinearResult("infeasible", bound=INFINITY)
    x, value, dual, reduced = None, INFINITY, None, None
    feasible = solution_pb2.SOLUTION_STATUS_FEASIBLE
    for one in answer.solutions:
        found = one.primal_solution
        if one.HasField("primal_solution") and found.feasibility_status == feasible and found.objective_value < value:
            x, value = _dense(found.variable_values, model.columns), found.objective_value
        if one.HasField("dual_solution") and one.dual_solution.feasibility_status == feasible:
            dual = _dense(one.dual_solution.dual_values, model.rows)
            reduced = _dense(one.dual_solution.reduced_costs, model.columns)
    ended = reason == result_pb2.TERMINATION_REASON_OPTIMAL
    status: Literal["optimal", "feasible", "unknown"] = "unknown" if x is None else "optimal" if ended else "feasible"
    return LinearResult(status, value, bound, x, dual, reduced)


def _dense(values: Any, size: int) -> Float:
    full = np.zeros(size)
    full[np.array(values.ids, np.int64)] = np.array(values.values)
    return full


def safe_bound(bound: float, step: int = 1) -> int:
    """Return a lower bound that a float engine stated as a whole number on the safe side.

    It is lowered by 1e-6 relative and rounded up to the next multiple of `step`, which every attainable value is.
    """
    lowered = bound - max(1.0, abs(bound)) * SAFETY
    return int(np.ceil(lowered / step)) * step


def dual_bound(model: LinearModel, dual: Float, scale: int = 10**6) -> float:
    """Return the Lagrangean bound of a dual vector, computed from the model rather than taken from the engine.

    With integer data the dual is rounded to multiples of 1 / scale, and everything after is exact as far as 2^53; for
    any dual vector the bound holds: min over the box of (cost - dual A) x + dual times the row sides.
    """
    row, column, value = model.matrix()
    steady = np.rint(dual * scale) / scale
    lower, upper = model.row_lower, model.row_upper
    steady = np.where(
        (steady > 0) & ~np.isfinite(lower), 0.0, np.where((steady < 0) & ~np.isfinite(upper), 0.0, steady)
    )
    sides = np.where(steady > 0, lower, np.where(steady < 0, upper, 0.0))
    reduced = model.cost.copy()
    np.subtract.at(reduced, column, steady[row] * value)
    at = np.where(reduced > 0, model.lower, np.where(reduced < 0, model.upper, 0.0))
    if not np.isfinite(at).all():
        return -INFINITY
    return float((sides * steady).sum() + (reduced * at).sum())


def _full(value: Any, number: int) -> Float:
    return np.broadcast_to(np.asarray(value, np.float64), (number,)).copy()


def _joined(parts: list[Float]) -> Float:
    return np.concatenate([np.empty(0), *parts])
