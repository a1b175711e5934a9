"""Linear models over counts by row and agent: a place for everything, and the goals prefer, balance and spread."""

from __future__ import annotations

from solvers import sifting
from solvers.board import Board
from solvers.options import Options
from solvers.problem import Problem
from solvers.sifting.agents import unsuited_values
from solvers.strategies.base import Strategy

EVERYTHING, GOAL = "a place for everything", "linear model of the goal"


def _unsuited_everything(problem: Problem, board: Board) -> str | None:
    if board.everything_placed:
        return "everything is placed"
    if board.open_level != 0:
        return "as much is placed as can be"
    return sifting.unsuited(problem)


def _place_everything(problem: Problem, board: Board, options: Options) -> str:
    sifting.improve_placed(problem, board, options)
    return f"{EVERYTHING} looked for in thinned models"


def _unsuited_goal(problem: Problem, board: Board) -> str | None:
    if problem.goal not in sifting.GOALS:
        return f"the goal is {problem.goal}"
    if board.open_level != board.goal_level:
        return "the levels before are open"
    return sifting.unsuited(problem) or unsuited_values(problem, board.values[: board.goal_level])


def _improve_goal(problem: Problem, board: Board, options: Options) -> str | None:
    return None if sifting.improve(problem, board, options) else GOAL


PLACE_EVERYTHING = Strategy(name=EVERYTHING, unsuited=_unsuited_everything, improve=_place_everything, share=0.3)
LINEAR_GOAL = Strategy(name=GOAL, unsuited=_unsuited_goal, improve=_improve_goal, share=0.8)
