"""One greedy run from beginning to end: tier by tier, segment by segment, each by the way of placing that suits it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

import numpy as np

from solvers.greedy.orders import Order, Segment, repeated_shapes, segments
from solvers.greedy.racks import is_deep, place_balanced
from solvers.greedy.rounds import Rounds
from solvers.greedy.run import Run
from solvers.greedy.shapes import place_shape
from solvers.greedy.singles import place_singles
from solvers.greedy.together import Together
from solvers.greedy.traits import GENERAL
from solvers.problem import Assignment
from solvers.rules import Int64


def run_through(run: Run, order: Order, *, lenient: bool = False) -> Assignment:
    """Place all rows and return the assignment.

    In each tier the rows are placed with soft rules as hard ones first; then what is left is placed breaking as few as
    possible (`lenient`: after each row what is left of it). Rows that require others are tried once more at the very
    end, when all others are placed.
    """
    together = Together(Rounds(run))
    for _, tier in groupby(segments(run.traits, order), key=lambda segment: segment.tier):
        pieces = list(tier)
        for segment in pieces:
            if segment.mode == GENERAL:
                for some in [[row] for row in segment.rows.tolist()] if lenient else [segment.rows.tolist()]:
                    _place_general(run, together, some, relaxed=False)
                    if lenient:
                        _place_general(run, together, some, relaxed=True)
            else:
                _place_simple(run, together, segment)
        if run.traits.any_soft:
            _place_general(run, together, _relaxable(run, pieces), relaxed=True)
    waiting = [row for row in run.traits.requirements if run.left[row]]
    _place_general(run, together, waiting, relaxed=False)
    return run.assignment()


def _place_simple(run: Run, together: Together, segment: Segment) -> None:
    """Place rows of one simple mode and one mask."""
    mode, rows = run.traits.modes[segment.mode], segment.rows
    if repeated_shapes(run.traits, rows) and not run.score.levels:
        for some in _by_shape(run, rows):
            place_shape(run, some, mode)
    elif mode.spread is None:
        place_singles(run, rows, mode)
    else:
        deep = is_deep(run, rows, mode.spread)
        for some in np.split(rows, np.flatnonzero(deep[1:] != deep[:-1]) + 1):
            if not is_deep(run, some[:1], mode.spread).all():
                place_balanced(run, some, mode.spread)
            elif run.score.levels:
                _place_general(run, together, some.tolist(), relaxed=False)
            else:
                for row in some:
                    place_shape(run, np.array([row]), mode)


def _by_shape(run: Run, rows: Int64) -> Iterable[Int64]:
    shape = run.problem.shape[rows]
    return np.split(rows, np.flatnonzero(shape[1:] != shape[:-1]) + 1)


def _place_general(run: Run, together: Together, rows: Sequence[int], *, relaxed: bool) -> None:
    """Place rows of the general path, the rows of a gang in one go."""
    done: set[int] = set()
    position = {row: i for i, row in enumerate(rows)}
    for row in rows:
        if row in done:
            continue
        bundle = run.traits.gangs.get(row, (row,))
        in_order = sorted((one for one in bundle if run.left[one]), key=lambda one: position.get(one, len(rows)))
        done.update(bundle)
        together.place_bundle(in_order, relaxed=relaxed)


def _relaxable(run: Run, pieces: Iterable[Segment]) -> list[int]:
    """Return the rows left over that have a soft rule."""
    rules, rules_of = run.problem.rules, run.problem.rules_of
    rows = [row for piece in pieces if piece.mode == GENERAL for row in piece.rows.tolist() if run.left[row]]
    return [row for row in rows if any(rules[number].soft for number in rules_of[row])]
