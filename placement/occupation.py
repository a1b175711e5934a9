"""The cluster after an answer: what the new instances take is gone from the free resources, and they run.

Reserved resources of a job's role are taken before unreserved ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from placement.cluster import UNRESERVED, Agent, Cluster, Disk, Reservation, Volume, without
from placement.leaving import leave, moved_rows
from placement.placements import Placements
from placement.running import RunningInstance
from placement.workload import Job, Workload


def occupy(cluster: Cluster, workload: Workload, placements: Placements) -> Cluster:
    """Return the cluster in which the new instances run.

    Raises
    ------
    ValueError
        If the placements take more than there is; verified ones never do.
    """
    if not len(placements):
        return cluster
    if placements.moves:
        cluster = leave(cluster, workload, moved_rows(cluster, placements))
    records = [replace(record, total=_total(cluster, i)) for i, record in enumerate(cluster.records)]
    order = np.argsort(placements.agent, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(placements.agent[order]) != 0])
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(order)], strict=True):
        agent = int(placements.agent[order[start]])
        records[agent] = _after(records[agent], workload, placements, order[start:end].tolist())
    gone = {f"{placements.jobs[placements.job[i]]}#{placements.instance[i]}" for i in _relaunched(placements)}
    stays = [one for one in cluster.running.instances if one.name not in gone]
    new = [_instance(cluster, workload, placements, i) for i in range(len(placements))]
    return Cluster.build(records, [*stays, *new], now=cluster.now)


def _total(cluster: Cluster, agent: int) -> dict[str, int]:
    return {name: int(amount) for name, amount in zip(cluster.resources, cluster.total[agent], strict=True) if amount}


def _relaunched(placements: Placements) -> list[int]:
    return np.flatnonzero(placements.relaunched).tolist() if len(placements.relaunched) else []


def _instance(cluster: Cluster, workload: Workload, placements: Placements, i: int) -> RunningInstance:
    job = workload.job(placements.jobs[placements.job[i]])
    name = f"{job.id}#{placements.instance[i]}"
    before = next((one for one in cluster.running.instances if one.name == name), None) if job.resident else None
    return RunningInstance(
        job=job.id,
        instance=int(placements.instance[i]),
        agent=cluster.agents[placements.agent[i]],
        version=job.version,
        ports=placements.ports[i] if placements.ports else (),
        units=placements.units[i] if placements.units else (),
        volumes=before.volumes if before else (),
        amounts={**job.demand, "disk": job.root_disk} if job.resident else dict(job.demand),
        role=job.role,
    )


def _after(record: Agent, workload: Workload, placements: Placements, rows: Sequence[int]) -> Agent:
    """Return an agent's record after the instances `rows` have been launched on it, the choosiest job first."""
    for i in sorted(rows, key=lambda i: len(workload.job(placements.jobs[placements.job[i]]).accepted_roles)):
        job = workload.job(placements.jobs[placements.job[i]])
        ports = placements.ports[i] if placements.ports else ()
        if len(placements.relaunched) and placements.relaunched[i]:
            record = _take_back(record, f"{job.id}#{placements.instance[i]}", job, ports)
        else:
            record = _launch(record, job, ports, placements.units[i] if placements.units else ())
    return record


def _take_back(record: Agent, owner: str, job: Job, ports: Sequence[int]) -> Agent:
    """Return the record after an instance took what its own reservations hold for it; its volumes are in use."""
    need = {name: amount for name, amount in job.demand.items() if amount}
    reservations = []
    for one in record.reservations:
        if one.owner == owner:
            one, need = _spend(one, need)
            one = replace(one, ports=without(one.ports, ports))
        reservations.append(one)
    volumes: tuple[Volume, ...] = tuple(one for one in record.volumes if one.owner != owner)
    return replace(record, reservations=tuple(reservations), volumes=volumes)


def _launch(record: Agent, job: Job, ports: Sequence[int], units: Sequence[tuple[str, int]]) -> Agent:
    need = {name: amount for name, amount in job.demand.items() if amount}
    if job.root_disk:
        need["disk"] = job.root_disk
    reservations = []
    for one in record.reservations:
        if one.owner is None and one.role in job.accepted_roles:
            one, need = _spend(one, need)
            one = replace(one, ports=without(one.ports, ports))
        reservations.append(one)
    free = dict(record.free)
    for name, amount in need.items():
        free[name] = free.get(name, 0) - amount
        if free[name] < 0 or UNRESERVED not in job.accepted_roles:
            raise ValueError(f"agent {record.id} has not enough {name} for {job.id}")
    return replace(
        record,
        free=free,
        ports=without(record.ports, ports) if UNRESERVED in job.accepted_roles else record.ports,
        reservations=tuple(reservations),
        disks=_without_disks(record.disks, units),
    )


def _spend(reservation: Reservation, need: dict[str, int]) -> tuple[Reservation, dict[str, int]]:
    """Return the reservation and the need after as much as possible of it was served."""
    served = {name: min(amount, reservation.amounts.get(name, 0)) for name, amount in need.items()}
    amounts = {name: amount - served.get(name, 0) for name, amount in reservation.amounts.items()}
    rest = {name: amount - served[name] for name, amount in need.items() if amount > served[name]}
    return replace(reservation, amounts=amounts), rest


def _without_disks(disks: tuple[Disk, ...], units: Sequence[tuple[str, int]]) -> tuple[Disk, ...]:
    """Return the disks after shares of path disks and whole mount disks are taken (by root path)."""
    left = list(disks)
    for path, amount in units:
        rest = amount
        for i, disk in enumerate(left):
            if disk.path == path and disk.role == UNRESERVED and disk.kind in ("path", "mount") and rest:
                taken = min(rest, disk.size)
                left[i] = replace(disk, size=disk.size - taken)
                rest -= taken
    return tuple(disk for disk in left if disk.size)
