"""How much of a reason must be given up: the fewest instances left out, the least capacity that is missing."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from solvers import greedy
from solvers.conflicts.cells import Cells
from solvers.conflicts.engines import SHORTEST, Best, best
from solvers.conflicts.oracle import MOST_COLUMNS
from solvers.conflicts.question import AmountPart, Held, LeastPart, Question
from solvers.conflicts.system import build, cells_of
from solvers.options import Options
from solvers.rightness import is_right
from solvers.rules import Int32, Int64

SHARE = 0.4
"""Share of the time left that one of these may take."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Missing:
    """What is missing of one dimension.

    Attributes
    ----------
    dimension
        Its number.
    amount
        int64[agents]: what would have to be added to each agent.
    least
        Proved: with less in sum it cannot be done.
    """

    dimension: int
    amount: Int64
    least: bool


def most_placed(question: Question, held: Held, rows: Int64, options: Options) -> tuple[int, bool] | None:
    """Return how many instances of some rows fit beside what is held, and whether no more do; None: nothing found."""
    if options.left() < SHORTEST:
        return None
    about = rows.astype(np.int32)
    first = _most_by_greedy(question, held, about, options)
    if first == int(question.problem.wanted[about].sum()):
        return first, True
    single, cells = Cells.single(question.problem), cells_of(question, held)
    if cells.number < single.number:
        bound = _most_on(question, held, cells, about, options)
        if bound is not None and bound.proved and bound.value == (first or 0):
            return bound.value, True
    found = _most_on(question, held, single, about, options)
    if found is None or (first is not None and first > found.value):
        return None if first is None else (first, False)
    return found.value, found.proved


def _most_by_greedy(question: Question, held: Held, about: Int32, options: Options) -> int | None:
    """Return how many instances of some rows greedy places beside all that is needed; None if it fails at that."""
    problem = question.problem_of(held, optional=True)
    wanted = np.where((problem.priority > 0) | np.isin(np.arange(problem.rows), about), problem.wanted, 0)
    left = options.left()
    until = None if left == float("inf") else time.monotonic() + left * SHARE / 2
    found = greedy.solve(replace(problem, wanted=wanted), replace(options, until=until))
    placed = found.placed(problem.rows)
    return int(placed[about].sum()) if (placed >= question.needed(held)).all() and is_right(problem, found) else None


def _most_on(question: Question, held: Held, cells: Cells, about: Int32, options: Options) -> Best | None:
    if cells.number * question.problem.rows > MOST_COLUMNS or options.left() < SHORTEST:
        return None
    system = build(question, held, cells, also=about)
    columns = np.flatnonzero(np.isin(system.row_of, about)).tolist()
    return best(system, columns, options.left() * SHARE, options.seed, maximise=True)


def least_missing(question: Question, held: Held, given_up: Held, options: Options) -> tuple[Missing, ...] | None:
    """Return what would have to be added so that the amounts given up hold after all; None if nothing was found.

    Parameters
    ----------
    held
        What is held, without what is given up.
    given_up
        Reasons behind amounts.
    """
    dimensions = sorted(
        {
            dimension
            for part in question.parts
            if isinstance(part, AmountPart) and given_up & set(part.reasons)
            for dimension in part.dimensions
        }
    )
    found = []
    for dimension in dimensions:
        if question.problem.agents * question.problem.rows > MOST_COLUMNS or options.left() < SHORTEST:
            return None
        system = build(question, held | given_up, Cells.single(question.problem), loosened=given_up)
        extra = system.extra.get(dimension, [])
        solved = best(system, [column for column, _ in extra], options.left() * SHARE, options.seed, maximise=False)
        if solved is None:
            return None
        amount = np.zeros(question.problem.agents, np.int64)
        for column, cell in extra:
            amount[system.cells.first[cell]] = solved.columns[column]
        if amount.any():
            found.append(Missing(dimension=dimension, amount=amount, least=solved.proved))
    return tuple(found)


def rows_of(question: Question, reasons: Held) -> Int64:
    """Return the rows whose least numbers rest on some reasons."""
    found = {
        row
        for part in question.parts
        if isinstance(part, LeastPart) and reasons & set(part.reasons)
        for row in part.rows.tolist()
    }
    return np.array(sorted(found), np.int64)
