"""What a strategy is, and what several of them ask of a problem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from solvers.board import Board
from solvers.options import Options
from solvers.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """One way of improving the answer on a board, or of proving how good it is.

    Attributes
    ----------
    name
        As the answer tells it.
    unsuited
        Why it cannot help with a problem and what the board holds of it; None if it can.
    improve
        Posts better answers and bounds to the board within the options; returns what it did, or nothing.
    share
        Share of the time left that it may take.
    """

    name: str
    unsuited: Callable[[Problem, Board], str | None]
    improve: Callable[[Problem, Board, Options], str | None]
    share: float = 1.0


def pairs_of(problem: Problem) -> int:
    """Return an upper estimate of the pairs of row and agent that may hold an instance, without looking at capacity."""
    allowed = {number: int(mask.sum()) for number, mask in enumerate(problem.masks)}
    wanting = problem.mask[problem.wanted > 0].tolist()
    return sum(allowed.get(number, problem.agents) for number in wanting)
