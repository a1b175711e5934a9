"""Select agents, then pack them: for prices of agents, where every rule lives inside one agent."""

from __future__ import annotations

from solvers.board import Board
from solvers.options import Options
from solvers.patterns import Market, Purchase, buy, expressible
from solvers.problem import Problem
from solvers.strategies.base import Strategy
from solvers.strategies.markets import Stall, beyond, everything

NAME = "select, then pack"
ROUNDS_A_SECOND = 3
"""Rounds of pricing for each second asked for, when budgets are counted in work."""


def _unsuited(problem: Problem, board: Board) -> str | None:
    return beyond(problem) or expressible(Stall.of(problem).market)


def _improve(problem: Problem, board: Board, options: Options) -> str:
    stall = Stall.of(problem)
    given = everything(problem, board)

    def post(found: Purchase) -> None:
        board.prove(board.goal_level, found.bound, found.engine, given)
        if found.complete:
            board.offer(stall.assignment(found.patterns, found.kind, found.times), NAME)

    found = buy(
        stall.market,
        seed=options.seed,
        until=options.until,
        work=max(1, int(options.seconds * ROUNDS_A_SECOND)) if options.deterministic else None,
        progress=post,
        upper=board.values[-1] if board.everything_placed else None,
    )
    post(found)
    board.cut_short |= found.cut_short
    return f"{NAME} ({_size(stall.market)})"


def _size(market: Market) -> str:
    return f"{market.kinds} kinds of agents, {market.types} types of instances"


PATTERNS = Strategy(name=NAME, unsuited=_unsuited, improve=_improve, share=0.7)
