"""Dealing instances out one by one, each to the agent that suits it best by then, in one vector step.

Every agent stands in line once for each instance it could take, with the score it would have by then. For scores that
level agents (`Score.levels`); the others fill one agent after the other.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from solvers.greedy.kernel import Agents, Needs, Numbers
from solvers.greedy.run import Run
from solvers.rules import Int64

MOST_COPIES = 2_000_000
"""Longest line; where it would be longer, agents are filled one after the other."""
Choose = Callable[[Agents, Numbers], Agents]
"""From a line of agents (repeated) and their scores, those chosen (repeated)."""


def deal(
    run: Run, needs: Needs, agents: Agents, room: Int64, wanted: int, choose: Choose
) -> tuple[Agents, Int64] | None:
    """Return distinct agents and how many instances each takes; None if the line would be too long.

    Parameters
    ----------
    agents, room
        int64[n] ascending, int64[n]: who stands in line, and how often at most.
    wanted
        About how many instances will be chosen.
    """
    deep = max(2, 2 * wanted // max(len(agents), 1))
    while True:
        copies = np.minimum(room, deep)
        if int(copies.sum()) > MOST_COPIES:
            return None
        line = np.repeat(agents, copies)
        part = run.room.part(line)
        before = np.arange(len(line)) - np.repeat(np.cumsum(copies) - copies, copies)
        for d, need in needs:
            part.free[d] -= (before * need).astype(part.free[d].dtype)
        chosen, counts = np.unique(choose(line, run.score(part, needs)), return_counts=True)
        spent = counts >= deep
        if not spent.any() or not (room[np.searchsorted(agents, chosen[spent])] > deep).any():
            return chosen, counts
        deep *= 4
