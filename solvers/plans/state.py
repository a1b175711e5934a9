"""An answer in the making: what each agent has left, what is placed of each row in each group, and what is wanted still."""

from __future__ import annotations

import numpy as np

from solvers.exact.variables import agent_caps
from solvers.plans.filling import Group
from solvers.plans.sharing import Sharing
from solvers.problem import Assignment, Problem
from solvers.rules import Bool, Int64


class State:
    """Counts placed so far, group by group.

    Attributes
    ----------
    room
        int64[agents, D]: what is left.
    placed
        int64[rows, groups].
    """

    def __init__(self, problem: Problem, sharing: Sharing) -> None:
        self.problem = problem
        self.sharing = sharing
        self.need = problem.demand[problem.shape]
        self.room = np.maximum(problem.capacity, 0)
        self.placed = np.zeros((problem.rows, sharing.groups), np.int64)
        self.caps = agent_caps(problem)
        self._counts: dict[tuple[int, int], int] = {}

    def most(self, rows: Int64, agents: Int64) -> Int64:
        """Return int64[rows, agents]: how many more of each row each agent can take, by itself."""
        found = np.full((len(rows), len(agents)), np.iinfo(np.int32).max, np.int64)
        for dimension in range(self.room.shape[1]):
            need = self.need[rows, dimension]
            asking = np.flatnonzero(need)
            found[asking] = np.minimum(found[asking], self.room[agents, dimension] // need[asking][:, None])
        for i, row in enumerate(rows.tolist()):
            if row in self.caps:
                held = np.array([self._counts.get((row, agent), 0) for agent in agents.tolist()], np.int64)
                found[i] = np.minimum(found[i], self.caps[row][agents] - held)
            if self.problem.mask[row] >= 0:
                found[i] *= self.problem.allowed(row)[agents]
        return np.maximum(found, 0)

    def group(
        self, number: int, chosen: Bool, quota: Int64, least: Int64, value: np.ndarray
    ) -> tuple[Group, Int64, Int64]:
        """Return a group to be filled, with its rows and agents; quota, least int64[rows], value float64[rows]."""
        rows = np.flatnonzero(quota > 0)
        agents = np.flatnonzero(chosen & (self.sharing.codes == number))
        most = np.minimum(self.most(rows, agents), quota[rows][:, None])
        asked = np.flatnonzero(self.need.any(axis=0))
        group = Group(self.room[np.ix_(agents, asked)], self.need[np.ix_(rows, asked)], most,
                      quota[rows], least[rows], value[rows])  # fmt: skip
        return group, rows, agents

    def add(self, row: Int64, agent: Int64, count: Int64) -> None:
        """Place instances (negative: take them away)."""
        np.subtract.at(self.room, agent, self.need[row] * count[:, None])
        np.add.at(self.placed, (row, self.sharing.codes[agent]), count)
        for r, a, c in zip(row.tolist(), agent.tolist(), count.tolist(), strict=True):
            self._counts[r, a] = self._counts.get((r, a), 0) + c

    def used(self) -> Bool:
        """Return bool[agents]: agents that hold an instance, or held something before."""
        used = self.problem.held.copy()
        used[[agent for (_, agent), count in self._counts.items() if count]] = True
        return used

    def trim(self) -> None:
        """Take away what breaks a row's rule over groups."""
        of_row: dict[int, list[tuple[int, int]]] = {}
        for (row, agent), count in sorted(self._counts.items()):
            if count and row in self.sharing.rules:
                of_row.setdefault(row, []).append((agent, count))
        for row, runs in of_row.items():
            surplus = self.placed[row] - self.sharing.trimmed(row, self.placed[row])
            for agent, count in runs:
                group = int(self.sharing.codes[agent])
                gone = min(count, int(surplus[group]))
                if gone > 0:
                    surplus[group] -= gone
                    self.add(np.array([row]), np.array([agent]), np.array([-gone]))

    def assignment(self) -> Assignment:
        """Return what is placed."""
        runs = [(row, agent, count) for (row, agent), count in self._counts.items() if count]
        row, agent, count = (np.array([run[i] for run in runs], np.int64) for i in range(3))
        return Assignment.of_runs(row, agent, count, self.problem.agents)
