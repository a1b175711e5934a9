"""How many more instances of each job fit, alone, on the cluster as an answer leaves it. Every figure is an answer of `place`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from placement.amounts import ONE
from placement.clock import Clock
from placement.cluster import Cluster
from placement.constraints.group_by import GroupBy
from placement.constraints.text import relaxed
from placement.counting import tally
from placement.engine import place
from placement.occupation import occupy
from placement.placements import Answer
from placement.pools import Pools
from placement.workload import Job, Workload

MOST_FURTHER = 10_000
"""Further instances that are asked for at most: beyond, deciding, numbering and checking them takes seconds a job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Further:
    """How many more instances of one job fit, alone, once the workload is placed.

    Attributes
    ----------
    job
        Its id.
    instances, bound
        How many were placed, and how many at most could be; None when the time was over before it was asked.
    capped
        No more than this were asked for: there is room for at least so many.
    """

    job: str
    instances: int | None
    bound: int | None
    capped: bool = False


class Room:
    """Further instances of each job alone, on the cluster as the answer leaves it, all rules kept."""

    def __init__(
        self, cluster: Cluster, workload: Workload, answer: Answer, clock: Clock, solver: str, common: dict[str, Any]
    ) -> None:
        self.workload = workload
        self.after = occupy(cluster, workload, answer.placements)
        self.pools = Pools.of(self.after)
        self.clock = clock
        self.solver = solver
        self.common = common

    def further(self) -> tuple[Further, ...]:
        """Return the answer for every job in order; those for which no time is left are not asked."""
        found = []
        for number, job in enumerate(self.workload.jobs):
            waiting = len(self.workload) - (0 if self.clock.fixed else number)
            late = self.clock.left() < 0
            found.append(Further(job=job.id, instances=None, bound=None) if late else self._of(job, 1 / waiting))
        return tuple(found)

    def _of(self, job: Job, share: float) -> Further:
        """Ask for as many as capacity could hold; placed is the answer.

        Shares of GROUP_BY with a number depend on how many are wanted: then as many as were placed are asked for again,
        until all are placed. What fits never has more than what was placed when more was asked for.
        """
        most = self._most(job)
        asked = placed = bound = min(most, MOST_FURTHER)
        again, proved = _has_shares(job, self.common["relax"]), True
        while asked:
            placed, upper = self._placed(job, asked, share)
            bound = min(bound, upper) if proved else bound
            proved &= placed == upper
            if placed == asked or not again:
                break
            asked = placed
        return Further(job=job.id, instances=placed, bound=bound, capped=placed == MOST_FURTHER < most)

    def _most(self, job: Job) -> int:
        """Return how many instances the free amounts of its roles hold, by themselves (at most one more than is asked)."""
        have = self.pools.within(self.pools.bits(job.accepted_roles))
        need = {**job.demand, "disk": job.root_disk}
        room = np.full(len(self.after), MOST_FURTHER + 1, np.int64)
        for name, amount in need.items():
            column = self.after.resource(name)
            if amount:
                room = np.minimum(room, have[:, column] // amount if column >= 0 else 0)
        if job.port_count:
            room = np.minimum(room, have[:, -1] // job.port_count)
        return int(np.maximum(room, 0).sum())

    def _placed(self, job: Job, further: int, share: float) -> tuple[int, int]:
        """Return how many of so many further instances are placed, and how many could be at most."""
        wanted = tally(self.after, job).active + further
        if wanted < job.minimum:
            return 0, 0
        alone = replace(job, instances=wanted, priority=0, weight=ONE)
        jobs = [alone if one.id == job.id else replace(one, instances=0, minimum=0, priority=0)
                for one in self.workload.jobs]  # fmt: skip
        answer = place(
            self.after,
            self.workload.replace_jobs(jobs),
            solver=self.solver,
            goal="prefer",  # without preferences it is met at once: the number placed is all that is asked
            deadline=self.clock.seconds("further", share),
            **self.common,
        )
        return len(answer.placements), min(further, int(answer.levels[0].bound))


def _has_shares(job: Job, relax: Sequence[str]) -> bool:
    return any(
        isinstance(one, GroupBy) and one.generation == "quota" and not relaxed(relax, job.id, one)
        for one in job.constraints
    )
