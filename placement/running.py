"""Instances that exist already: what runs where, in which state, holding what.

A table of columns, one row an instance. States are lower-case words; `LOST` and `OFF` say how frameworks count them
(mesosphere/marathon: sections 6.1, 9 and 11 of its rules, `Condition.scala`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

STATES = (
    "provisioned", "staging", "starting", "running", "killing", "unreachable", "unreachable_inactive",
    "gone", "unknown", "dropped", "lost", "reserved", "stopped", "error", "failed", "finished", "killed",
)  # fmt: skip
"""Every state that is read. `reserved`: waits to be launched on its volumes. `stopped`: scaled away, volumes kept."""

LOST = frozenset({"unreachable", "gone", "unknown", "dropped", "lost"})
"""States whose instances do not count for constraints."""

ENDED = frozenset({"error", "failed", "finished", "killed"})
"""States of instances that are no more: they count for nothing."""

WITHOUT_TASK = frozenset({"reserved", "stopped"})
"""States of instances that hold volumes but run no task."""

OFF = frozenset({"unreachable_inactive", "gone", "unknown", "dropped", "lost"}) | WITHOUT_TASK | ENDED
"""States whose instances do not count towards the number wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningInstance:
    """One instance that exists already.

    Attributes
    ----------
    job, instance, agent
        Job id, number of the instance (from 0), agent id ('' when its agent is unknown).
    state
        One of `STATES`.
    version, started_at
        Seconds since 1970, or None.
    healthy
        Result of the health checks, None when there are none.
    ports, volumes, units
        Host ports held; ids of persistent volumes held; disks held, as (path, amount in thousandths of MB).
    amounts
        What it holds in thousandths by resource name, or None when unknown.
    role
        The role it runs under, or None when unknown.
    """

    job: str
    instance: int
    agent: str
    state: str = "running"
    version: float | None = None
    started_at: float | None = None
    healthy: bool | None = None
    ports: tuple[int, ...] = ()
    volumes: tuple[str, ...] = ()
    units: tuple[tuple[str, int], ...] = ()
    amounts: Mapping[str, int] | None = None
    role: str | None = None

    @property
    def name(self) -> str:
        """The instance's name, 'job#instance'."""
        return f"{self.job}#{self.instance}"


@dataclass(frozen=True, eq=False)
class Running:
    """The table of running instances.

    Attributes
    ----------
    instances
        The rows, in the order given.
    agent
        int32[n]: index of the agent in the cluster, -1 when it is not in the snapshot.
    """

    instances: tuple[RunningInstance, ...] = ()
    agent: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))

    @classmethod
    def build(cls, instances: Iterable[RunningInstance], agents: Sequence[str]) -> Running:
        """Return the table for a cluster of `agents` (ids)."""
        rows = tuple(instances)
        index = {name: i for i, name in enumerate(agents)} if rows else {}
        return cls(rows, np.array([index.get(row.agent, -1) for row in rows], np.int32))

    def __len__(self) -> int:
        return len(self.instances)

    @cached_property
    def _by_job(self) -> dict[str, NDArray[np.int64]]:
        rows: dict[str, list[int]] = {}
        for i, instance in enumerate(self.instances):
            rows.setdefault(instance.job, []).append(i)
        return {job: np.array(found, np.int64) for job, found in rows.items()}

    def of(self, job: str) -> NDArray[np.int64]:
        """Return the row numbers of the instances of `job`, in table order."""
        return self._by_job.get(job, np.empty(0, np.int64))

    @property
    def jobs(self) -> tuple[str, ...]:
        """Ids of the jobs that have instances, in order of appearance."""
        return tuple(self._by_job)
