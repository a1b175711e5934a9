"""One greedy run in progress: what is free, what has been placed, what is left to place.

All ways of placing write their runs here. It decides nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solvers.greedy.kernel import Agents, Needs, Numbers, Room
from solvers.greedy.scores import Score
from solvers.greedy.traits import Traits
from solvers.problem import ALL_AGENTS, Assignment
from solvers.rules import Bool, Int64


class Run:
    """State of one greedy run.

    Attributes
    ----------
    traits, problem, frame
        What does not change.
    score
        How agents are ranked.
    room
        Free capacity.
    left
        int64[rows]: instances not yet placed.
    """

    def __init__(self, traits: Traits, score: Score, bonus: float = 0.0) -> None:
        self.traits = traits
        self.problem = traits.problem
        self.frame = traits.frame
        self.score = score
        self.room = Room(traits.frame, traits.problem.held, bonus)
        self.left = traits.problem.wanted.copy()
        self._rows: list[NDArray[np.integer]] = []
        self._agents: list[Agents] = []
        self._counts: list[Int64] = []
        self._of: dict[int, list[tuple[Agents, Int64]]] = {}

    def needs(self, row: int) -> Needs:
        """Return what one instance of a row takes."""
        return self.frame.needs[int(self.problem.shape[row])]

    def mask(self, row: int) -> Bool | None:
        """Return bool[agents] that the row's mask allows, None for all."""
        number = int(self.problem.mask[row])
        return None if number == ALL_AGENTS else self.problem.masks[number]

    def record(self, row: int, agents: Agents, counts: Numbers) -> None:
        """Note instances of one row; their capacity is taken by the caller."""
        whole = counts.astype(np.int64)
        self._note(np.full(len(agents), row, np.int64), agents, whole)
        self._of.setdefault(row, []).append((agents, whole))
        self.left[row] -= whole.sum()

    def take_back(self) -> None:
        """Forget what `record` noted last; nothing may have been noted by other means since."""
        row = int(self._rows.pop()[0])
        self._agents.pop()
        self.left[row] += self._counts.pop().sum()
        self._of[row].pop()

    def runs_of(self, row: int) -> list[tuple[Agents, Int64]]:
        """Return what `record` has noted of a row."""
        return self._of.get(row, [])

    def record_rows(self, rows: NDArray[np.integer], agents: Agents, counts: Int64) -> None:
        """Note instances of several rows, `counts[i]` of `rows[i]` on `agents[i]`."""
        self._note(rows, agents, counts)
        np.subtract.at(self.left, rows, counts)

    def _note(self, rows: NDArray[np.integer], agents: Agents, counts: Int64) -> None:
        self._rows.append(rows)
        self._agents.append(agents)
        self._counts.append(counts)

    def assignment(self) -> Assignment:
        """Return what has been placed, runs of one pair added up."""
        if not self._rows:
            nothing = np.empty(0, np.int64)
            return Assignment(row=nothing.astype(np.int32), agent=nothing.astype(np.int32), count=nothing)
        agents = max(self.problem.agents, 1)
        key = np.concatenate(self._rows).astype(np.int64) * agents + np.concatenate(self._agents)
        count = np.concatenate(self._counts)
        order = np.argsort(key)
        key, count = key[order], count[order]
        first = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
        if len(first) < len(key):
            key, count = key[first], np.add.reduceat(count, first)
        if not count.all():
            key, count = key[count != 0], count[count != 0]
        row, agent = np.divmod(key, agents)
        return Assignment(row=row.astype(np.int32), agent=agent.astype(np.int32), count=count)
