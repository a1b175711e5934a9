"""Choose which instances to place by a programme over sums, then place just these greedily: where not all can be placed.

The programme knows how much there is of each resource in all. What finds no place is found out by having a little less of
everything, as little as the greedy solver needs; then all that is left over is offered what room remains.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solvers import greedy
from solvers.board import Board
from solvers.classes.cover import knapsack_model
from solvers.linear import solve_linear
from solvers.options import Options
from solvers.problem import Problem
from solvers.rules import Gang, Int64
from solvers.strategies.base import Strategy
from solvers.strategies.shares import shares

NAME = "choose instances, then greedy"
WHOLE = 1e-6
"""A float this near below a whole number is one."""
LEAST_TIME = 0.05


def _unsuited(problem: Problem, board: Board) -> str | None:
    level = board.open_level
    if level is None or board.names[level][0] != "placed":
        return "as much is placed as can be"
    if any(isinstance(rule, Gang) for rule in problem.rules):
        return "some jobs are placed whole or not at all"
    return None


def _improve(problem: Problem, board: Board, options: Options) -> str:
    triage = _Triage(problem, board, options)
    for _ in shares(triage.place):
        if board.open_level != triage.level:
            break
        if options.left() < LEAST_TIME:
            board.cut_short = True
            break
    return f"{NAME} ({triage.tried} choices)"


class _Triage:
    """Choices of instances for one level, with ever less or more room to spare."""

    def __init__(self, problem: Problem, board: Board, options: Options) -> None:
        level = board.open_level
        assert level is not None
        self.level = level
        self.problem = problem
        self.board = board
        self.options = options
        self.tried = 0
        tier = board.names[level][1]
        assert tier is not None
        reach = [
            (priority, value)
            for (_, priority, _), value in zip(board.names[:level], board.values, strict=False)
            if priority is not None
        ]
        step = max(1, int(np.gcd.reduce(problem.weight[problem.priority == tier])))
        self.model = knapsack_model(problem, reach, tier, step)

    def place(self, share: float) -> bool:
        """Choose with a share less of everything and place; tell whether every chosen instance found a place."""
        chosen = self._choose(share)
        if chosen is None:
            return False
        self.tried += 1
        aimless = replace(self.problem, wanted=chosen, goal="prefer", preferences=None)
        found = greedy.solve(aimless, replace(self.options, progress=None))
        self.board.offer(found, NAME)
        return bool((found.placed(self.problem.rows) == chosen).all())

    def _choose(self, share: float) -> Int64 | None:
        """Return int64[rows]: how many instances to place of each, None where the programme has no answer."""
        upper = self.model.row_upper
        room = np.where(np.isfinite(upper), upper * (1.0 - share), upper)
        found = solve_linear(self.model.copy(row_upper=room, continuous=True), seconds=self.options.left())
        if found.x is None:
            return None
        return np.floor(found.x[: self.problem.rows] + WHOLE).astype(np.int64)


TRIAGE = Strategy(name=NAME, unsuited=_unsuited, improve=_improve, share=0.15)
