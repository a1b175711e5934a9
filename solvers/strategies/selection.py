"""Choose which agents to use by a covering programme, then place greedily on them alone: for the price of agents, any rules.

The programme asks for what every complete answer needs in sums (`solvers.classes.cover`). How much more than that a
placement needs is found by asking for a little more of everything, as little as the greedy solver can do with.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solvers import greedy, neighbourhoods
from solvers.board import Board
from solvers.classes.cover import cover_model
from solvers.linear import LinearModel, solve_linear
from solvers.options import Options
from solvers.problem import Assignment, Problem
from solvers.reductions.base import restrict
from solvers.rules import EACH_AGENT, Balance, Bool, Quota
from solvers.strategies.base import Strategy
from solvers.strategies.shares import shares

NAME = "choose agents, then greedy"
GAP = 1e-3
"""Gap of the integer programme: finer than what a greedy answer can tell."""
ROUNDS = 8
"""Greedy runs for one choice: later ones seldom place what these do not."""
LEAST_TIME = 0.05
FEW_LEFT, FINISHING = 0.01, 0.1
"""Greatest share of instances left over by greedy that neighbourhoods are asked to place, and their share of the time left."""
SECONDS, NODES = 5.0, 200
"""Most seconds for one choice, and most nodes when budgets are counted in work."""
INTEGER = 3_000
"""Agents up to which whole agents are chosen; beyond, the few that the relaxation splits are taken whole."""


def _unsuited(problem: Problem, board: Board) -> str | None:
    if problem.goal != "pack":
        return f"the goal is {problem.goal}"
    if any(rule.soft for rule in problem.rules):
        return "a rule is relaxed"
    if any(isinstance(rule, Balance | Quota) and rule.grouping == EACH_AGENT for rule in problem.rules):
        return "a balance is over single agents"
    return None if board.everything_placed else "not everything is placed"


def _improve(problem: Problem, board: Board, options: Options) -> str:
    choices = _Choices(problem, board, options)
    for _ in shares(choices.place):
        if board.optimal(board.goal_level):
            break
        if options.left() < LEAST_TIME:
            board.cut_short = True
            break
    return f"{NAME} ({choices.tried} choices)"


class _Choices:
    """The search for the least share beyond what is needed with which everything finds a place."""

    def __init__(self, problem: Problem, board: Board, options: Options) -> None:
        self.problem = problem
        self.board = board
        self.options = options
        self.cover, _ = cover_model(problem)
        self.tried = 0

    def place(self, share: float) -> bool:
        """Choose agents with a share more than needed, place on them, and offer the answer; tell whether all is placed."""
        agents = self._choose(share)
        if agents is None:
            return False
        self.tried += 1
        some = restrict(self.problem, np.arange(self.problem.rows), np.flatnonzero(agents))
        # the goal is settled by the choice: what is wanted is a place for everything
        aimless = replace(some.problem, goal="prefer", preferences=None)
        placed = self._squeaking(aimless)
        left = int(self.problem.wanted.sum()) - int(placed.count.sum())
        if 0 < left <= FEW_LEFT * int(self.problem.wanted.sum()):
            placed = self._finish(aimless, placed)
        found = some.back(placed)
        self.board.offer(found, NAME)
        return bool((found.placed(self.problem.rows) == self.problem.wanted).all())

    def _squeaking(self, aimless: Problem) -> Assignment:
        """Place greedily, again and again with the rows that lacked a place before the others (Joslin and Clements 1999)."""
        first = np.zeros(aimless.rows, np.int64)
        best = Assignment.nothing()
        for _ in range(ROUNDS):
            found = greedy.solve(replace(aimless, priority=first), replace(self.options, progress=None))
            best = max(best, found, key=lambda one: int(one.count.sum()))
            lacking = found.placed(aimless.rows) < aimless.wanted
            if not lacking.any() or self.options.left() < LEAST_TIME:
                break
            first = first + lacking
        return best

    def _finish(self, aimless: Problem, placed: Assignment) -> Assignment:
        """Look for places for the few instances left over by freeing a few agents at a time."""
        part = self.options.part(FINISHING)
        own = Board(aimless, replace(part, progress=None), placed)
        if neighbourhoods.unsuited(aimless) is None:
            neighbourhoods.improve(aimless, own, part)
        return own.best

    def _choose(self, share: float) -> Bool | None:
        """Return bool[agents], None where no choice is found."""
        lower = self.cover.row_lower
        asked = self.cover.copy(row_lower=np.where(lower > 0, lower * (1.0 + share), lower))
        if self.problem.agents > INTEGER:
            return self._solved(asked.copy(continuous=True))
        return self._solved(asked)

    def _solved(self, model: LinearModel) -> Bool | None:
        steady = self.options.deterministic
        found = solve_linear(
            model,
            seconds=self.options.left() if steady else min(SECONDS, self.options.left()),
            gap=GAP,
            nodes=NODES if steady else None,
            seed=self.options.seed,
        )
        return None if found.x is None else np.asarray(found.x[: self.problem.agents] > GAP)


SELECTION = Strategy(name=NAME, unsuited=_unsuited, improve=_improve, share=0.5)
