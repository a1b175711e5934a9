"""Select agents, then pack them: for prices of agents, where rules live inside one agent, or all but a few do.

Where a few rows are under rules between agents, these rules are left out at first (the bound stays one), and the rows
that break them are placed again, by neighbourhoods, on the agents that were bought and as few further ones as it takes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solvers import neighbourhoods
from solvers.board import Board
from solvers.options import Options
from solvers.patterns import Market, Purchase, buy, expressible
from solvers.problem import Assignment, Problem
from solvers.reductions.base import restrict
from solvers.rules import Int64
from solvers.strategies.base import Strategy
from solvers.strategies.markets import Stall, beyond, everything, inner_problem, outer_rows

NAME = "select, then pack"
ROUNDS_A_SECOND = 3
"""Rounds of pricing for each second asked for, when budgets are counted in work."""

TYPES_A_SECOND = 50
"""Types of instances for each second there is: 320 types were seen to take 8 s, 715 types 30 s."""
BUYING = 0.5
"""Share of the time for buying where rows are to be placed after."""
TRIES = 4
"""Parts of the time left in which one number of further agents is tried."""
LEAST_TIME = 0.1


def _unsuited(problem: Problem, board: Board) -> str | None:
    why = beyond(problem, few=True)
    if why is not None:
        return why
    market = Stall.of(inner_problem(problem)).market
    seconds = board.options.seconds if board.options.deterministic else board.left()
    if market.types > TYPES_A_SECOND * seconds:
        return f"{market.types} types of instances are too many for {seconds:.0f} s"
    return expressible(market)


def _improve(problem: Problem, board: Board, options: Options) -> str:
    stall = Stall.of(inner_problem(problem))
    given = everything(problem, board)
    outer = outer_rows(problem)

    def post(found: Purchase) -> None:
        board.prove(board.goal_level, found.bound, found.engine, given)
        if found.complete:
            board.offer(stall.assignment(found.patterns, found.kind, found.times), NAME)

    clock = board.part(BUYING) if len(outer) else options
    found = buy(
        stall.market,
        seed=options.seed,
        until=clock.until,
        work=max(1, int(options.seconds * ROUNDS_A_SECOND)) if options.deterministic else None,
        progress=post,
        upper=board.values[-1] if board.everything_placed and not len(outer) else None,
    )
    post(found)
    board.cut_short |= found.cut_short
    if not len(outer) or not found.complete or board.optimal(board.goal_level):
        return f"{NAME} ({_size(stall.market)})"
    bought = stall.assignment(found.patterns, found.kind, found.times)
    _place_again(problem, board, options, bought, outer)
    return f"{NAME} ({_size(stall.market)}), {len(outer)} kinds of instances under rules between agents placed after"


def _place_again(problem: Problem, board: Board, options: Options, bought: Assignment, outer: Int64) -> None:
    """Take the rows under rules between agents off, and place them by neighbourhoods, with one more agent at a time."""
    kept = ~np.isin(bought.row, outer)
    start = Assignment.of_runs(bought.row[kept], bought.agent[kept], bought.count[kept], problem.agents)
    used = np.zeros(problem.agents, np.bool_)
    used[bought.agent] = True
    used |= problem.held
    dearness = problem.price / np.maximum(
        (problem.capacity / np.maximum(problem.capacity.max(axis=0), 1)).sum(axis=1), 1e-9
    )
    spare = np.flatnonzero(~used)[np.argsort(dearness[~used], kind="stable")]
    for further in range(len(spare) + 1):
        used[spare[:further]] = True
        price = int(problem.price[used & ~problem.held].sum())
        if options.left() < LEAST_TIME or (board.everything_placed and price >= board.values[-1]):
            return
        some = restrict(
            replace(problem, goal="prefer", preferences=None), np.arange(problem.rows), np.flatnonzero(used)
        )
        part = replace(options.part(1 / TRIES), progress=None)
        own = Board(some.problem, part, some.forward(start))
        neighbourhoods.improve(some.problem, own, part)
        start = some.back(own.best)
        if own.everything_placed:
            board.offer(start, NAME)
            return


def _size(market: Market) -> str:
    return f"{market.kinds} kinds of agents, {market.types} types of instances"


PATTERNS = Strategy(name=NAME, unsuited=_unsuited, improve=_improve, share=0.7)
