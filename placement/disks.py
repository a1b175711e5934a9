"""Disks that are not the root disk: as units of a solver's problem, and as what volumes ask of them.

Source: mesosphere/marathon, ResourceMatcher.scala and `DiskType` (path disks of one path add up, a volume never spans
two paths; a mount disk is taken whole; raw and block disks are never used).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from placement.cluster import UNRESERVED, Bool, Cluster, Int64
from placement.constraints.like import Like
from placement.constraints.unlike import Unlike
from placement.workload import Job, VolumeRequest
from solvers.problem import Units
from solvers.units import serve

USABLE = ("path", "mount")


@dataclass(frozen=True, eq=False, slots=True)
class DiskRequest:
    """One volume of an instance: place among the job's volumes, kind, thousandths of MB, bool[units] it may use."""

    volume: int
    kind: str
    amount: int
    eligible: Bool


@dataclass(frozen=True, eq=False)
class DiskTable:
    """All usable unreserved disks of a cluster, sorted by agent, in offered order.

    Attributes
    ----------
    units
        As the solver sees them.
    kinds, paths, profiles
        Of each unit.
    """

    units: Units
    kinds: tuple[str, ...]
    paths: tuple[str, ...]
    profiles: tuple[str | None, ...]
    agents: int

    @classmethod
    def of(cls, cluster: Cluster) -> DiskTable:
        """Return the table of a cluster's disks."""
        agent: list[int] = []
        amount: list[int] = []
        kinds: list[str] = []
        paths: list[str] = []
        profiles: list[str | None] = []
        for i, record in enumerate(cluster.records):
            merged: dict[tuple[str, str | None], int] = {}
            for disk in record.disks:
                key = (disk.path or "", disk.profile)
                if disk.kind not in USABLE or disk.role != UNRESERVED:
                    continue
                if disk.kind == "path" and key in merged:
                    amount[merged[key]] += disk.size
                    continue
                if disk.kind == "path":
                    merged[key] = len(agent)
                agent.append(i)
                amount.append(disk.size)
                kinds.append(disk.kind)
                paths.append(disk.path or "")
                profiles.append(disk.profile)
        units = Units(
            np.array(agent, np.int32),
            np.array(amount, np.int64),
            np.array([kind == "mount" for kind in kinds], np.bool_),
        )
        return cls(units, tuple(kinds), tuple(paths), tuple(profiles), len(cluster))

    def requests(self, job: Job) -> tuple[DiskRequest, ...]:
        """Return what an instance asks of the disks: by kind of disk, the largest volume first."""
        volumes = [(i, one) for i, one in enumerate(job.volumes) if one.kind in USABLE]
        volumes.sort(key=lambda pair: (USABLE.index(pair[1].kind), -pair[1].size))
        return tuple(DiskRequest(i, one.kind, one.size, self.eligible(one)) for i, one in volumes)

    def eligible(self, volume: VolumeRequest) -> Bool:
        """Return bool[units]: the disks whose kind, profile, path and size bounds suit a volume."""
        suits = [
            kind == volume.kind and profile == volume.profile and _path_suits(path, volume)
            for kind, path, profile in zip(self.kinds, self.paths, self.profiles, strict=True)
        ]
        mask = np.array(suits, np.bool_)
        mask &= self.units.amount >= volume.size
        if volume.most is not None:
            mask &= self.units.amount <= volume.most
        return mask


def _path_suits(path: str, volume: VolumeRequest) -> bool:
    for rule in volume.path_rules:
        if isinstance(rule, Like | Unlike) and rule.pattern.matches([path])[0] != isinstance(rule, Like):
            return False
    return True


def fits_one(table: DiskTable, requests: Sequence[DiskRequest]) -> Bool:
    """Return bool[agents]: where the disks can serve all requests of one instance."""
    fits = np.ones(table.agents, np.bool_)
    if not requests:
        return fits
    for request in requests:
        has = np.zeros(table.agents, np.bool_)
        has[table.units.agent[request.eligible]] = True
        fits &= has
    for agent in np.flatnonzero(fits).tolist():
        fits[agent] = assign(table, requests, agent, table.units.amount.copy()) is not None
    return fits


def assign(table: DiskTable, requests: Sequence[DiskRequest], agent: int, left: Int64) -> tuple[int, ...] | None:
    """Give the volumes of one instance their disks on an agent; reduce `left`, int64[units], on success.

    Returns
    -------
    The unit of each request, or None if they do not fit.
    """
    first, last = np.searchsorted(table.units.agent, [agent, agent + 1])
    own = slice(int(first), int(last))
    now = left[own].copy()
    chosen = serve(now, table.units.whole[own], [(one.amount, one.eligible[own]) for one in requests])
    if chosen is None:
        return None
    left[own] = now
    return tuple(int(first) + unit for unit in chosen)


def named_disks(table: DiskTable, requests: Sequence[DiskRequest], units: Sequence[int]) -> tuple[tuple[str, int], ...]:
    """Return (root path, thousandths of MB taken) for each volume in the job's order; a mount disk is taken whole."""
    found = []
    for request, unit in zip(requests, units, strict=True):
        amount = int(table.units.amount[unit]) if table.units.whole[unit] else request.amount
        found.append((request.volume, table.paths[unit], amount))
    return tuple((path, amount) for _, path, amount in sorted(found))
