"""Placing everything: a model without a goal over a random part of the pairs, then over more of them, then over all.

Leaving pairs out breaks the symmetry between agents and shrinks the model; where there is some slack it costs nothing.
It proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solvers import objective
from solvers.board import Board
from solvers.exact.variables import Pairs
from solvers.linear import solve_linear
from solvers.options import Options
from solvers.problem import Assignment, Problem
from solvers.sifting.agents import AgentModel, places_everything

NAME = "everything placed by whole numbers"
STAGES = ((0.3, 0.4), (0.5, 0.5), (1.0, 1.0))
"""In turn: the probability with which a pair is kept, and the share of the time left for it (measured on part-used fleets:
three tenths find an answer in a third of the time that all need, or cannot)."""
NODES_A_SECOND = 20
"""Nodes of a run for each second asked for, when determinism is."""
PLENTY = 3
"""A row keeps all its pairs if they have room for fewer than this many times what it wants."""


@dataclass(frozen=True, eq=False)
class Found:
    """An assignment (None: none was found), and whether an engine says that there is none."""

    assignment: Assignment | None = None
    impossible: bool = False


def improve_placed(problem: Problem, board: Board, options: Options) -> bool:
    """Try to place every instance; return whether the board's answer does.

    Parameters
    ----------
    board
        Its best answer leaves instances over.
    """
    if not board.everything_placed:
        found = find(problem, full_values(problem), options, Pairs.of(problem))
        if found.assignment is not None:
            board.offer(found.assignment, NAME)
    return board.everything_placed


def full_values(problem: Problem) -> tuple[int, ...]:
    """Return the values of the levels before the goal when everything is placed and nothing is broken."""
    weights = problem.wanted * problem.weight
    tiers = [int(weights[problem.priority == tier].sum()) for tier in objective.priorities(problem)]
    return (*tiers, *(0 for name, _, _ in objective.names(problem) if name == "violations"))


def find(problem: Problem, values: Sequence[int], options: Options, pairs: Pairs) -> Found:
    """Return an assignment that reaches values in the levels before the goal.

    Parameters
    ----------
    pairs
        All pairs that there may be instances on.
    """
    room = np.bincount(pairs.row, weights=pairs.most, minlength=problem.rows)
    if places_everything(problem, values) and (room < problem.wanted).any():
        return Found(impossible=True)
    scarce = (room < PLENTY * problem.wanted)[pairs.row]
    draw = np.random.default_rng(options.seed).random(len(pairs))
    for probability, share in STAGES:
        some = scarce | (draw < probability)
        found = _attempt(problem, values, options, pairs.some(some), share)
        if found.assignment is not None or (found.impossible and some.all()):
            return found
    return Found()


def _attempt(problem: Problem, values: Sequence[int], options: Options, pairs: Pairs, share: float) -> Found:
    model = AgentModel.of(problem, pairs, values)
    found = solve_linear(model.linear, "highs", seconds=share * options.left(), nodes=nodes_for(options),
                         seed=options.seed)  # fmt: skip
    if found.x is None:
        return Found(impossible=found.status == "infeasible")
    return Found(model.answer(found.whole()))


def nodes_for(options: Options) -> int | None:
    """Return the most nodes of one run, which stand for the clock when determinism is asked for."""
    return max(1, int(NODES_A_SECOND * options.seconds)) if options.deterministic else None
