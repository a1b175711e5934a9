"""The whole problem as one CP-SAT model: every rule and every level, up to the sizes it was measured to solve."""

from __future__ import annotations

from functools import partial

from solvers.board import Board
from solvers.options import Options
from solvers.problem import Problem
from solvers.strategies.base import Strategy, pairs_of

FEW, MANY = 2_000, 60_000
"""Pairs of row and agent up to which the whole model is the first thing tried, and is tried at all."""


def _unsuited(problem: Problem, board: Board, *, most: int) -> str | None:
    pairs = pairs_of(problem)
    return None if pairs <= most else f"{pairs} pairs of job and agent are more than {most}"


def _improve(problem: Problem, board: Board, options: Options) -> str:
    from solvers import exact

    found = exact.solve(problem, options, board.best)
    board.offer(found, exact.STRATEGY)
    for number, level in enumerate(found.levels):
        board.prove(number, level.bound, level.engine, given=board.values[:number])
        if not level.optimal:
            board.cut_short |= found.cut_short
            break
    return f"exact on the whole problem ({pairs_of(problem)} pairs of job and agent)"


SMALL = Strategy(name="the whole model", unsuited=partial(_unsuited, most=FEW), improve=_improve, share=0.5)
WHOLE = Strategy(name="the whole model", unsuited=partial(_unsuited, most=MANY), improve=_improve, share=0.5)
