"""Large-neighbourhood search from the best answer, with all the time that is left."""

from __future__ import annotations

from solvers import neighbourhoods
from solvers.board import Board
from solvers.options import Options
from solvers.problem import Problem
from solvers.strategies.base import Strategy


def _unsuited(problem: Problem, board: Board) -> str | None:
    return neighbourhoods.unsuited(problem)


def _improve(problem: Problem, board: Board, options: Options) -> str:
    return f"{neighbourhoods.improve(problem, board, options)} rounds of neighbourhoods solved exactly"


NEIGHBOURHOODS = Strategy(name="neighbourhoods", unsuited=_unsuited, improve=_improve)
