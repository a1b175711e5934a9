"""How running instances count: for constraints, towards the number wanted, and which of them go back to their volumes.

Source: mesosphere/marathon (known instances: 6.1 of its rules; residency: 8.3; upgrade bounds: 10).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from placement.cluster import Cluster, Int32, Reservation
from placement.running import ENDED, LOST, OFF, RunningInstance
from placement.workload import Job

WAITING = ("reserved", "stopped")
"""States of instances that own volumes and do not run, in the order in which they are launched again."""


@dataclass(frozen=True, slots=True)
class Relaunch:
    """One instance that goes back to its volumes: its row among the running, and the agents that can take it."""

    row: int
    agents: tuple[int, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Tally:
    """What is to be done for one job.

    Attributes
    ----------
    known
        int32: agents of the instances that count for constraints, those that are launched again included (-1: outside
        the snapshot).
    active
        Instances that count towards the number wanted.
    relaunches
        Instances that go back to their volumes.
    fresh
        Instances to place anew.
    waiting
        Instances wanted that may not start before old ones have left, or that wait for volumes nobody offers.
    """

    known: Int32
    active: int
    relaunches: tuple[Relaunch, ...]
    fresh: int
    waiting: int


NOBODY = np.empty(0, np.int32)


def counts_for_rules(instance: RunningInstance, job: Job | None) -> bool:
    """Tell whether an instance counts for constraints: not lost, not ended, not of an older configuration."""
    if instance.state in LOST or instance.state in ENDED:
        return False
    return job is None or not is_old(instance, job)


def is_old(instance: RunningInstance, job: Job) -> bool:
    """Tell whether an instance runs an older configuration than the job's."""
    return job.version is not None and instance.version is not None and instance.version < job.version


def counts_as_instance(instance: RunningInstance, job: Job) -> bool:
    """Tell whether an instance counts towards the number wanted."""
    return instance.state not in OFF and not is_old(instance, job)


def known_agents(cluster: Cluster, job_id: str, job: Job | None, *, but: int | None = None) -> Int32:
    """Return int32[n]: agents of the instances of a job that count for constraints (the job may be unknown here).

    Parameters
    ----------
    but
        Row of an instance that is launched again and so does not count against itself.
    """
    rows = cluster.running.of(job_id)
    if not len(rows):
        return NOBODY
    keep = [int(row) for row in rows if int(row) != but and _is_known(cluster, int(row), job)]
    return cluster.running.agent[keep]


def _is_known(cluster: Cluster, row: int, job: Job | None) -> bool:
    instance = cluster.running.instances[row]
    return bool(instance.agent) and counts_for_rules(instance, job)


def tally(cluster: Cluster, job: Job) -> Tally:
    """Return what is to be done for `job` on a cluster, given what runs of it."""
    rows = cluster.running.of(job.id)
    if not len(rows):
        return Tally(NOBODY, 0, (), job.instances, 0)
    instances = cluster.running.instances
    active = sum(1 for row in rows if counts_as_instance(instances[row], job))
    missing = max(0, job.instances - active)
    startable = min(missing, _upgrade_room(job, [instances[row] for row in rows], active))
    relaunches, stuck = _relaunches(cluster, job, rows, startable)
    fresh = startable - len(relaunches) - stuck
    known = known_agents(cluster, job.id, job)
    return Tally(known, active, relaunches, fresh, missing - startable + stuck)


def _upgrade_room(job: Job, running: list[RunningInstance], active: int) -> int:
    """Return how many instances may start beside the old ones (no bound when none is old)."""
    old = sum(1 for one in running if is_old(one, job) and one.state not in OFF)
    if not old or not job.instances:
        return job.instances
    capacity = math.floor(job.instances * (1 + job.upgrade.maximum_over_capacity))
    least = math.ceil(job.instances * job.upgrade.minimum_health_capacity)
    if least == capacity and not job.resident:
        capacity += 1
    return max(0, capacity - old - active)


def _relaunches(cluster: Cluster, job: Job, rows: NDArray[np.int64], wanted: int) -> tuple[tuple[Relaunch, ...], int]:
    """Return the instances that go back to their volumes, and how many wait for volumes that no agent offers."""
    found: list[Relaunch] = []
    stuck = 0
    for state in WAITING:
        for row in rows.tolist():
            instance = cluster.running.instances[row]
            if instance.state != state or len(found) + stuck >= wanted:
                continue
            agents = agents_with_volumes(cluster, instance)
            if agents:
                found.append(Relaunch(row, agents))
            elif state == "reserved":
                stuck += 1
    return tuple(found), stuck


def agents_with_volumes(cluster: Cluster, instance: RunningInstance) -> tuple[int, ...]:
    """Return the agents that offer every volume the instance owns (none when it owns none)."""
    if not instance.volumes:
        return ()
    wanted = set(instance.volumes)
    return tuple(i for i, record in enumerate(cluster.records) if wanted <= {one.id for one in record.volumes})


def own_reservations(cluster: Cluster, agent: int, name: str) -> tuple[Reservation, ...]:
    """Return the reservations on an agent that belong to the instance `name` ('job#instance')."""
    return tuple(one for one in cluster.records[agent].reservations if one.owner == name)
