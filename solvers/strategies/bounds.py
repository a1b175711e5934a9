"""Bounds from classes of equal agents: no answer comes from here, but how good one is."""

from __future__ import annotations

from solvers.board import Board
from solvers.classes import prove_bounds
from solvers.options import Options
from solvers.problem import Problem
from solvers.strategies.base import Strategy


def _unsuited(problem: Problem, board: Board) -> str | None:
    return None


def _improve(problem: Problem, board: Board, options: Options) -> str | None:
    words = prove_bounds(problem, board, options)
    return f"bounds from {words}" if words else None


BOUNDS = Strategy(name="bounds", unsuited=_unsuited, improve=_improve, share=0.15)
