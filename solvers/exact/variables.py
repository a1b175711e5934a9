"""The variables of the model: x[row, agent], only where the row is allowed and one instance fits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.problem import Assignment, Problem
from solvers.rules import EACH_AGENT, Bool, GroupCap, Int32, Int64


@dataclass(frozen=True, eq=False)
class Pairs:
    """The pairs that have a variable, sorted by row and agent.

    Attributes
    ----------
    row, agent
        int32[pairs].
    most
        int64[pairs]: greatest count, at least 1.
    start
        int64[rows + 1]: the pairs of a row are start[row] .. start[row + 1].
    """

    row: Int32
    agent: Int32
    most: Int64
    start: Int64

    @classmethod
    def of(cls, problem: Problem) -> Pairs:
        """Return the pairs of a problem."""
        fits = [problem.most_per_agent(shape) for shape in range(len(problem.demand))]
        caps = agent_caps(problem)
        rows, agents, most = [], [], []
        for row in range(problem.rows):
            room = np.minimum(fits[problem.shape[row]], problem.wanted[row])
            if row in caps:
                room = np.minimum(room, caps[row])
            room = np.where(problem.allowed(row), room, 0)
            chosen = np.flatnonzero(room)
            rows.append(np.full(len(chosen), row, np.int32))
            agents.append(chosen.astype(np.int32))
            most.append(room[chosen])
        sizes = np.array([len(one) for one in agents], np.int64)
        none = np.empty(0, np.int32)
        return cls(
            row=np.concatenate([none, *rows]),
            agent=np.concatenate([none, *agents]),
            most=np.concatenate([np.empty(0, np.int64), *most]),
            start=np.r_[0, np.cumsum(sizes)],
        )

    def __len__(self) -> int:
        return len(self.row)

    def some(self, keep: Bool) -> Pairs:
        """Return the pairs of a mask, bool[pairs]."""
        rows = len(self.start) - 1
        sizes = np.bincount(self.row[keep], minlength=rows)
        return Pairs(self.row[keep], self.agent[keep], self.most[keep], np.r_[0, np.cumsum(sizes)])

    def of_rows(self, rows: Int32) -> Int64:
        """Return the numbers of the pairs of several rows."""
        parts = [np.arange(self.start[row], self.start[row + 1]) for row in rows.tolist()]
        return np.concatenate([np.empty(0, np.int64), *parts])

    def counts(self, problem: Problem, assignment: Assignment) -> Int64:
        """Return int64[pairs]: the counts of an assignment."""
        key = self.row.astype(np.int64) * problem.agents + self.agent
        wanted = assignment.row.astype(np.int64) * problem.agents + assignment.agent
        counts = np.zeros(len(self), np.int64)
        place = np.searchsorted(key, wanted)
        inside = place < len(key)
        hit = inside.copy()
        hit[inside] = key[place[inside]] == wanted[inside]
        counts[place[hit]] = assignment.count[hit]
        return counts


def agent_caps(problem: Problem) -> dict[int, Int64]:
    """Return int64[agents] for each row that hard rules cap on every agent: how many it still takes."""
    caps: dict[int, Int64] = {}
    for rule in problem.rules:
        if isinstance(rule, GroupCap) and rule.grouping == EACH_AGENT and not rule.soft:
            room = np.maximum(0, rule.limit - rule.counted.dense(problem.agents))
            for row in rule.rows.tolist():
                caps[row] = np.minimum(caps[row], room) if row in caps else room
    return caps
