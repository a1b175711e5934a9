"""Running instances that leave their agents: who may, what that gives back, and who did by an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from placement.cluster import UNRESERVED, Agent, Cluster, Int64
from placement.counting import WAITING, counts_as_instance, counts_for_rules, tally
from placement.placements import Placements
from placement.running import RunningInstance
from placement.workload import Job, Workload

MOVABLE_STATES = frozenset({"provisioned", "staging", "starting", "running"})
"""States of instances that run or are about to; what is lost, being killed or off is nothing to move."""


def movable(cluster: Cluster, workload: Workload) -> Int64:
    """Return int64[n]: rows of the running instances that may move.

    They count, are of the current version, have no volumes and hold unreserved resources only (what a reservation would
    get back is not known); their job is in the workload, has no instance that waits for volumes, and not too many.
    """
    found: list[int] = []
    for job in workload.jobs:
        rows = cluster.running.of(job.id).tolist()
        instances = [cluster.running.instances[row] for row in rows]
        if not rows or job.resident or any(one.state in WAITING for one in instances):
            continue
        if tally(cluster, job).active <= job.instances:
            found += [row for row, one in zip(rows, instances, strict=True) if _may_move(cluster, job, one, row)]
    return np.array(sorted(found), np.int64)


def _may_move(cluster: Cluster, job: Job, instance: RunningInstance, row: int) -> bool:
    agent = int(cluster.running.agent[row])
    if agent < 0 or instance.state not in MOVABLE_STATES or instance.volumes or instance.units:
        return False
    return (
        counts_as_instance(instance, job)
        and counts_for_rules(instance, job)
        and UNRESERVED in job.accepted_roles
        and instance.role in (None, job.role)
        and not any(one.role in job.accepted_roles for one in cluster.records[agent].reservations)
        and len(instance.ports) in (0, len(job.ports))
        and holds(instance, job) == {name: amount for name, amount in job.demand.items() if amount}
    )


def holds(instance: RunningInstance, job: Job) -> dict[str, int]:
    """Return what an instance holds, thousandths by resource: its own amounts, else its job's."""
    amounts = job.demand if instance.amounts is None else instance.amounts
    return {name: amount for name, amount in amounts.items() if amount}


def leave(cluster: Cluster, workload: Workload, rows: Sequence[int] | Int64) -> Cluster:
    """Return the cluster after some running instances have left: what they held is free."""
    if not len(rows):
        return cluster
    gone = {int(row) for row in rows}
    records = list(cluster.records)
    for row in sorted(gone):
        instance, agent = cluster.running.instances[row], int(cluster.running.agent[row])
        held = holds(instance, workload.job(instance.job))
        record = replace(records[agent], total=_total(cluster, agent, records[agent]))
        free = dict(record.free)
        for name, amount in held.items():
            free[name] = free.get(name, 0) + amount
        records[agent] = replace(record, free=free, ports=(*record.ports, *((port, port) for port in instance.ports)))
    stays = [one for row, one in enumerate(cluster.running.instances) if row not in gone]
    return Cluster.build(records, stays, now=cluster.now)


def _total(cluster: Cluster, agent: int, record: Agent) -> dict[str, int]:
    if record.total is not None:
        return dict(record.total)
    return {name: int(amount) for name, amount in zip(cluster.resources, cluster.total[agent], strict=True) if amount}


def moved_rows(cluster: Cluster, placements: Placements) -> list[int]:
    """Return the rows of the running instances that placements move."""
    if placements.moved_from is None:
        return []
    movers = {
        f"{job}#{instance}"
        for (job, instance, _), home in zip(placements.rows(), placements.moved_from.tolist(), strict=True)
        if home >= 0
    }
    return [row for row, one in enumerate(cluster.running.instances) if one.name in movers]
