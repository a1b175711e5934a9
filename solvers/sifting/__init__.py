"""Linear models over counts by row and agent, solved by HiGHS: preferences, placing everything, least peak, spread.

`unsuited` says why a problem cannot be stated so; `improve_placed` tries to place everything, `improve` works on the goal
'prefer', 'balance' or 'spread' of the board's answer and proves bounds of it.
"""

from __future__ import annotations

from solvers.board import Board
from solvers.options import Options
from solvers.problem import Problem
from solvers.sifting import peaks, preferring, spreading
from solvers.sifting.agents import unsuited_values
from solvers.sifting.placing import improve_placed

__all__ = ["improve", "improve_placed", "unsuited"]

MOST_PAIRS = 3_000_000
"""Most pairs of row and agent that are listed: some 1 GB with the model."""
GOALS = {"prefer": preferring.improve, "balance": peaks.improve, "spread": spreading.improve}


def unsuited(problem: Problem) -> str | None:
    """Return why the models cannot be used on a problem, None if they can."""
    if len(problem.unit_requests.row):
        return "rows ask for units one by one, and units are served in an order that is no sum of counts"
    allowed = [int(mask.sum()) for mask in problem.masks]
    pairs = sum(allowed[number] if number >= 0 else problem.agents for number in problem.mask.tolist())
    if pairs > MOST_PAIRS:
        return f"{pairs} pairs of job and agent are too many to list"
    return None


def improve(problem: Problem, board: Board, options: Options) -> str | None:
    """Improve the goal of the board's answer, the earlier levels held at their values, and prove bounds of it.

    Returns
    -------
    str or None
        Why nothing was done, None if something was.
    """
    if problem.goal not in GOALS:
        return f"there is no linear model for the goal {problem.goal!r} here"
    why = unsuited(problem) or unsuited_values(problem, board.values[: board.goal_level])
    if why is None:
        GOALS[problem.goal](problem, board, options)
    return why
