"""Pack into few equal agents: where all agents are alike, and every rule lives inside one of them."""

from __future__ import annotations

import numpy as np

from solvers.board import Board
from solvers.options import Options
from solvers.packing import Packing, pack_bins
from solvers.packing.budget import STEPS_A_SECOND
from solvers.problem import Problem
from solvers.strategies.base import Strategy
from solvers.strategies.markets import Stall, beyond, everything

NAME = "pack into equal agents"
WORK_A_SECOND = STEPS_A_SECOND // 2
"""Steps for each second asked for, when budgets are counted in work: without compiled loops they take longer."""


def _unsuited(problem: Problem, board: Board) -> str | None:
    why = beyond(problem)
    if why is not None:
        return why
    market = Stall.of(problem).market
    if market.kinds != 1:
        return f"there are {market.kinds} kinds of agents"
    if not market.price[0]:
        return "agents that hold something already cost nothing"
    return None if market.fits.all() else "some instance fits on no agent"


def _improve(problem: Problem, board: Board, options: Options) -> str:
    stall = Stall.of(problem)
    market = stall.market
    given = everything(problem, board)

    def post(found: Packing, source: str) -> None:
        board.prove(board.goal_level, found.bound * int(market.price[0]), found.engine, given)
        if found.bins <= market.count[0]:
            board.offer(stall.assignment(found.patterns, np.zeros(len(found.times), np.int32), found.times), source)

    found = pack_bins(
        market.size,
        market.demand,
        market.capacity[0],
        market.most,
        seed=options.seed,
        until=options.until,
        work=max(1, int(options.seconds * WORK_A_SECOND)) if options.deterministic else None,
        progress=post,
    )
    post(found, NAME)
    board.cut_short |= found.cut_short
    return f"{NAME} ({market.types} types of instances)"


PACKING = Strategy(name=NAME, unsuited=_unsuited, improve=_improve, share=0.9)
