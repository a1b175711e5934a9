"""Large-neighbourhood search from the best answer: before the whole model is tried, and with all the time that is left."""

from __future__ import annotations

from solvers import neighbourhoods
from solvers.board import Board
from solvers.options import Options
from solvers.problem import Problem
from solvers.strategies.base import Strategy, pairs_of
from solvers.strategies.whole import MANY


def _unsuited(problem: Problem, board: Board) -> str | None:
    return neighbourhoods.unsuited(problem)


def _improve(problem: Problem, board: Board, options: Options) -> str:
    return f"{neighbourhoods.improve(problem, board, options)} rounds of neighbourhoods solved exactly"


def _unsuited_first(problem: Problem, board: Board) -> str | None:
    return _unsuited(problem, board) if pairs_of(problem) <= MANY else "the whole model does not follow"


FIRST_NEIGHBOURHOODS = Strategy(name="neighbourhoods", unsuited=_unsuited_first, improve=_improve, share=0.5)
NEIGHBOURHOODS = Strategy(name="neighbourhoods", unsuited=_unsuited, improve=_improve)
