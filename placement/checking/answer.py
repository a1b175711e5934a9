"""The new instances as the checker reads them: columns over known jobs and agents, sorted out by job and by agent.

It judges nothing but whether jobs and agents exist.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np

from placement.checking.facts import AgentTable, RunningTable
from placement.checking.finding import Finding
from placement.cluster import Int32, Int64
from placement.placements import Placements
from placement.running import RunningInstance
from placement.workload import Workload

WAITING = ("reserved", "stopped")
"""States of instances that are launched again on their volumes."""

NO_ROWS = np.empty(0, np.int64)


class NewInstances:
    """Rows of a `Placements` whose job and agent exist.

    Attributes
    ----------
    position
        int64[n]: row in the placements, ascending.
    job, agent, instance
        int32[n]: index in the workload, index in the cluster, number inside the job.
    returns
        For rows that go back to their volumes: the waiting instance.
    strangers
        Findings on rows whose job or agent does not exist.
    """

    def __init__(self, agents: AgentTable, running: RunningTable, workload: Workload, placements: Placements) -> None:
        self.workload = workload
        self.placements = placements
        job = _translated(placements.job, placements.jobs, workload.index)
        agent = _translated(placements.agent, placements.agents, agents.index)
        self.strangers = tuple(_strangers(placements, job, agent))
        self.position = np.flatnonzero((job >= 0) & (agent >= 0))
        self.job = job[self.position]
        self.agent = agent[self.position]
        self.instance = placements.instance[self.position]
        self.returns = self._returns(running)

    def __len__(self) -> int:
        return len(self.position)

    @cached_property
    def _by_job(self) -> dict[int, Int64]:
        return _grouped(self.job)

    @cached_property
    def _by_agent(self) -> dict[int, Int64]:
        return _grouped(self.agent)

    def of_job(self, job: int) -> Int64:
        """Return the rows of a job, in the answer's order."""
        return self._by_job.get(job, NO_ROWS)

    def on_agent(self, agent: int) -> Int64:
        """Return the rows on an agent, in the answer's order."""
        return self._by_agent.get(agent, NO_ROWS)

    def returning(self, job: int) -> frozenset[str]:
        """Return the names of the instances of a job that go back to their volumes in this answer."""
        return frozenset(self.returns[row].name for row in self.of_job(job).tolist() if row in self.returns)

    @cached_property
    def fresh(self) -> Int64:
        """The rows that are placed anew."""
        if not self.returns:
            return np.arange(len(self))
        return np.array([row for row in range(len(self)) if row not in self.returns], np.int64)

    def _returns(self, running: RunningTable) -> dict[int, RunningInstance]:
        found = {}
        for job, rows in self._by_job.items():
            waiting = {one.instance: one for one in running.of(self.workload.jobs[job].id) if one.state in WAITING}
            if waiting:
                numbers = self.instance[rows].tolist()
                found.update(
                    {row: waiting[one] for row, one in zip(rows.tolist(), numbers, strict=True) if one in waiting}
                )
        return found


def _translated(column: Int32, names: Sequence[str], index: Mapping[str, int]) -> Int32:
    """Return a column of indices into `names` as indices into the domain; -1 for what does not exist there."""
    numbers = np.array([index.get(name, -1) for name in names] + [-1], np.int32)
    inside = (column >= 0) & (column < len(names))
    return numbers[np.where(inside, column, len(names))]


def _grouped(keys: Int32) -> dict[int, Int64]:
    order = np.argsort(keys, kind="stable")
    borders = np.flatnonzero(np.diff(keys[order])) + 1
    return {int(keys[rows[0]]): rows for rows in np.split(order, borders) if len(rows)}


def _strangers(placements: Placements, job: Int32, agent: Int32) -> Iterator[Finding]:
    for row in np.flatnonzero((job < 0) | (agent < 0)).tolist():
        what, names, number = ("job", placements.jobs, placements.job[row])
        if job[row] >= 0:
            what, names, number = ("agent", placements.agents, placements.agent[row])
        name = names[number] if 0 <= number < len(names) else str(number)
        owner = placements.jobs[placements.job[row]] if job[row] >= 0 else name
        yield Finding(job=owner, rule=what, count=1, message=f"row {row + 1}: there is no {what} {name!r}")
