"""Linear models of which only some columns are in play: restricting one, pricing what is left out, sifting.

It knows no problem. A column that is left out is held at 0.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from solvers.linear import Float, Int64, LinearModel, LinearResult, solve_linear
from solvers.rules import Bool

ATTRACTIVE = 1e-7
"""A column comes into play if its reduced cost is below minus this, relative to the greatest cost."""
STEADY = 10**6
"""Dual values are rounded to multiples of one in this many before anything is concluded from them."""
ROUNDS = 50
"""Most times that columns are brought in; 2 to 5 are usual, and a bound holds before the last."""
FEWEST = 1000
"""At least so many columns are brought in at a time."""


class Columns:
    """A model with its columns at hand.

    Parameters
    ----------
    model
        The whole model, filled.
    """

    def __init__(self, model: LinearModel) -> None:
        self.cost, self.lower, self.upper = model.cost, model.lower, model.upper
        self._row, self._column, self._value = model.matrix()
        self._row_lower = model.row_lower
        self._row_upper = model.row_upper

    def __len__(self) -> int:
        return len(self.cost)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self._row_lower)

    def some(self, keep: Bool, *, integer: bool) -> LinearModel:
        """Return the model of the columns kept, in their order, with all rows."""
        chosen = np.flatnonzero(keep)
        number = np.cumsum(keep) - 1
        inside = keep[self._column]
        part = LinearModel()
        part.add_columns(len(chosen), cost=self.cost[chosen], lower=self.lower[chosen], upper=self.upper[chosen],
                         integer=integer)  # fmt: skip
        part.add_rows(len(self._row_lower), self._row[inside], number[self._column[inside]], self._value[inside],
                      lower=self._row_lower, upper=self._row_upper)  # fmt: skip
        return part

    def priced(self, dual: Float) -> tuple[float, Float]:
        """Return the Lagrangean bound of a dual vector and float64[columns], the reduced costs under it.

        No solution costs less than the bound, and none that has a column of positive reduced cost in it costs less than
        the bound and that cost. Both hold for any dual vector: it is rounded first, and values of the wrong sign are 0.
        """
        steady = np.rint(dual * STEADY) / STEADY
        wrong = ((steady > 0) & ~np.isfinite(self._row_lower)) | ((steady < 0) & ~np.isfinite(self._row_upper))
        steady = np.where(wrong, 0.0, steady)
        sides = np.where(steady > 0, self._row_lower, np.where(steady < 0, self._row_upper, 0.0))
        paid = np.bincount(self._column, weights=steady[self._row] * self._value, minlength=len(self))
        reduced = np.asarray(self.cost - paid)
        at = np.where(reduced > 0, self.lower, np.where(reduced < 0, self.upper, 0.0))
        bound = float((sides * steady).sum() + (reduced * at).sum())
        return (bound if np.isfinite(bound) else -np.inf), reduced


@dataclass(frozen=True, eq=False)
class Relaxed:
    """The linear relaxation of a whole model, solved.

    Attributes
    ----------
    bound, reduced
        See `Columns.priced`.
    complete
        Whether no column that was left out would lower the value.
    x
        float64[columns]: the relaxed solution.
    """

    bound: float
    reduced: Float
    complete: bool
    x: Float


def sift(
    columns: Columns, begin: Bool, *, seconds: float = np.inf, seed: int = 0, target: float | None = None
) -> Relaxed | None:
    """Solve the relaxation over few columns, bring in those that pay, and so on until none does.

    Parameters
    ----------
    begin
        bool[columns]: with which columns to begin; they must hold a solution.
    target
        It is enough to know whether the value is above it.

    Returns
    -------
    Relaxed or None
        That of the best bound; None if nothing was solved in time.
    """
    until = time.monotonic() + seconds
    keep, best = begin.copy(), None
    tolerance = ATTRACTIVE * max(1.0, float(np.abs(columns.cost).max(initial=0.0)))
    for _ in range(ROUNDS):
        found = solve_linear(columns.some(keep, integer=False), "highs", seconds=until - time.monotonic(), seed=seed)
        if found.status != "optimal" or found.dual is None:
            return best
        bound, reduced = columns.priced(found.dual)
        paying = ~keep & (reduced < -tolerance)
        if best is None or bound >= best.bound:
            best = Relaxed(bound, reduced, not paying.any(), spread_out(keep, found))
        if not paying.any() or (target is not None and (found.value <= target or bound > target)):
            return best
        keep |= least(reduced, paying, max(FEWEST, int(keep.sum()) // 2))
    return best


def spread_out(keep: Bool, found: LinearResult) -> Float:
    """Return float64[columns]: the solution of a part, 0 for the columns it left out."""
    x = np.zeros(len(keep))
    x[keep] = found.x
    return x


def least(keys: Float | Int64, among: Bool, number: int) -> Bool:
    """Return the `number` columns among some whose key is least, all of them if there are not more."""
    chosen = np.flatnonzero(among)
    if len(chosen) > number:
        chosen = chosen[np.argsort(keys[chosen], kind="stable")[:number]]
    keep = np.zeros(len(among), np.bool_)
    keep[chosen] = True
    return keep
