"""Where one further instance of a job may go now, by its framework's step rule, and why not elsewhere.

Checks stand in the order in which Marathon evaluates them (mesosphere/marathon: ResourceMatcher.scala); all but ports
are evaluated even when an earlier one failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from placement.cluster import UNRESERVED, Bool, Cluster, Int64
from placement.constraints.base import Constraint, Scene
from placement.constraints.fault_domain import FaultDomain
from placement.constraints.maintenance import Maintenance
from placement.constraints.scarce_gpus import ScarceGpus
from placement.counting import (
    WAITING,
    agents_with_volumes,
    counts_as_instance,
    known_agents,
    own_reservations,
)
from placement.disks import DiskTable, assign, fits_one, named_disks
from placement.pools import Pools
from placement.ports import PortPool, offers_ports, ranges_of
from placement.workload import Job, Workload

NO_RESERVATION = "NoCorrespondingReservationFound"
REASON_OF = {"cpus": "InsufficientCpus", "mem": "InsufficientMemory", "gpus": "InsufficientGpus",
             "disk": "InsufficientDisk"}  # fmt: skip
"""Marathon's word for a shortage, by resource."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Check:
    """One thing that an agent must pass.

    Attributes
    ----------
    name
        'cpus', 'role', 'ports', or the constraint as text.
    reasons
        Words for a refusal (Marathon's vocabulary where it has one).
    passes
        bool[agents].
    need, free
        For amounts: thousandths (ports: pieces) wanted, and int64[agents] there; else 0 and None.
    constraint
        The constraint, if it is one.
    """

    name: str
    reasons: tuple[str, ...]
    passes: Bool
    need: int = 0
    free: Int64 | None = None
    constraint: Constraint | None = None


@dataclass(frozen=True, eq=False)
class Eligibility:
    """The checks of one job over all agents.

    Attributes
    ----------
    checks
        In the order of evaluation; ports last.
    idle
        bool[agents]: agents with nothing to do for the job (all its missing instances wait for volumes elsewhere).
    returning
        By agent, the waiting instance ('job#instance') that would be launched there on its own volumes.
    """

    cluster: Cluster
    job: Job
    checks: tuple[Check, ...]
    idle: Bool
    returning: Mapping[int, str]

    @cached_property
    def mask(self) -> Bool:
        """bool[agents]: the eligible agents."""
        return np.logical_and.reduce([~self.idle, *(check.passes for check in self.checks)])

    @property
    def agents(self) -> tuple[str, ...]:
        """Ids of the eligible agents."""
        return tuple(self.cluster.agents[i] for i in np.flatnonzero(self.mask))

    def reasons(self, agent: int) -> tuple[str, ...]:
        """Return why an agent was refused, in Marathon's words and order; ports only if all else passes."""
        if self.idle[agent]:
            return (NO_RESERVATION,)
        found: list[str] = []
        for check in self.checks:
            if check.passes[agent] or (check.name == "ports" and self._failed_before_ports(agent)):
                continue
            found += [reason for reason in check.reasons if not _once(reason, found, check)]
        return tuple(found)

    def failures(self, agent: int) -> tuple[Check, ...]:
        """Return the checks an agent fails."""
        return tuple(check for check in self.checks if not check.passes[agent])

    def ports(self, agent: int) -> tuple[int, ...] | None:
        """Return the host ports the instance would get on an agent, in the job's order; None if they are not free."""
        name = self.returning.get(agent)
        if name is None:
            return PortPool.of(self.cluster, agent).take(self.job.ports, self.job.accepted_roles)
        return PortPool.of_reservations(own_reservations(self.cluster, agent, name)).take(self.job.ports, None)

    def disks(self, agent: int) -> tuple[tuple[str, int], ...] | None:
        """Return (root path, thousandths of MB) of each path and mount volume, in the job's order; None: no fit."""
        table = DiskTable.of(self.cluster)
        requests = table.requests(self.job)
        units = assign(table, requests, agent, table.units.amount.copy())
        return None if units is None else named_disks(table, requests, units)

    def _failed_before_ports(self, agent: int) -> bool:
        return not all(check.passes[agent] for check in self.checks if check.name != "ports")


def _once(reason: str, found: Sequence[str], check: Check) -> bool:
    """Tell whether a reason is left out because it stands already: all constraints together count once."""
    is_rule = check.constraint is not None and not isinstance(check.constraint, Maintenance)
    return is_rule and reason in found


def eligible(cluster: Cluster, job: Job, workload: Workload | None = None) -> Eligibility:
    """Return where one further instance of `job` may go now.

    Parameters
    ----------
    workload
        The other jobs, for constraints between jobs; their running instances count as each of them says.
    """
    return _Match(cluster, job, workload).eligibility()


class _Match:
    """One job tried on every agent: what is free for it there, and the instances it may launch again."""

    def __init__(self, cluster: Cluster, job: Job, workload: Workload | None) -> None:
        self.cluster = cluster
        self.job = job
        self.workload = workload
        pools = Pools.of(cluster)
        self.have = pools.within(pools.bits(job.accepted_roles))
        self.need = {**job.demand, "disk": job.root_disk}
        self.returning = self._returning()
        self.needs = np.tile([self.need.get(name, 0) for name in cluster.resources], (len(cluster), 1))
        for agent, name in self.returning.items():
            self.have = self.have.copy() if not self.have.flags.owndata else self.have
            self.have[agent] = self._own(agent, name)
            self.needs[agent, cluster.resource("disk")] = job.demand.get("disk", 0)

    def eligibility(self) -> Eligibility:
        """Return all checks in order."""
        checks = [*self._amounts(), *self._disks(), self._roles(), *self._constraints(), self._ports()]
        return Eligibility(self.cluster, self.job, tuple(checks), self._idle(), self.returning)

    # --- instances that go back to their volumes ------------------------------------------------------------------

    def _waiting(self) -> list[int]:
        running = self.cluster.running
        rows = running.of(self.job.id).tolist()
        return [row for state in WAITING[:1] for row in rows if running.instances[row].state == state]

    def _returning(self) -> dict[int, str]:
        """Return by agent the first waiting instance all of whose volumes are there."""
        found: dict[int, str] = {}
        for row in self._waiting():
            instance = self.cluster.running.instances[row]
            for agent in agents_with_volumes(self.cluster, instance):
                found.setdefault(agent, instance.name)
        return found

    def _own(self, agent: int, name: str) -> Int64:
        own = own_reservations(self.cluster, agent, name)
        amounts = [sum(one.amounts.get(what, 0) for one in own) for what in self.cluster.resources]
        return np.array([*amounts, sum(last - first + 1 for first, last in ranges_of(own))], np.int64)

    def _idle(self) -> Bool:
        """Return the agents on which nothing may start: every missing instance waits for its volumes elsewhere."""
        idle = np.zeros(len(self.cluster), np.bool_)
        waiting = self._waiting()
        if waiting:
            running = self.cluster.running
            active = sum(counts_as_instance(running.instances[row], self.job) for row in running.of(self.job.id))
            if self.job.instances - active - len(waiting) <= 0:
                idle[:] = True
                idle[list(self.returning)] = False
        return idle

    # --- checks ---------------------------------------------------------------------------------------------------

    def _amounts(self) -> Iterable[Check]:
        """Cpus, mem, gpus, custom resources, then the root disk; a request of 0 is never checked."""
        cluster = self.cluster
        names = [*(name for name in cluster.resources if name != "disk"), "disk"]
        names.sort(key=lambda name: ("cpus", "mem", "gpus").index(name) if name in ("cpus", "mem", "gpus") else 3)
        for name in [one for one in names if one != "disk"] + ["disk"]:
            column = cluster.resource(name)
            wanted = self.needs[:, column]
            if wanted.any():
                free = self.have[:, column]
                yield Check(name=name, reasons=(reason_of(name),), passes=(wanted == 0) | (free >= wanted),
                            need=int(wanted.max()), free=free)  # fmt: skip
        for name, amount in self.need.items():
            if amount and name not in cluster.resources:
                nothing = np.zeros(len(cluster), np.int64)
                yield Check(name=name, reasons=(reason_of(name),), passes=nothing > 0, need=amount, free=nothing)

    def _disks(self) -> Iterable[Check]:
        """Path and mount volumes, each kind a check of its own; an instance that returns has its volumes."""
        table = DiskTable.of(self.cluster)
        requests = table.requests(self.job)
        for kind in ("path", "mount"):
            wanted = [one for one in requests if one.kind == kind]
            if wanted:
                passes = fits_one(table, wanted)
                passes[list(self.returning)] = True
                yield Check(name=f"{kind} disk", reasons=("InsufficientDisk",), passes=passes)

    def _roles(self) -> Check:
        """Something of an accepted role must be there at all."""
        passes = np.asarray((self.have > 0).any(axis=1))
        if UNRESERVED in self.job.accepted_roles:
            passes |= np.array(
                [any(disk.role == UNRESERVED for disk in one.disks) for one in self.cluster.records], bool
            )
        return Check(name="role", reasons=("UnfulfilledRole",), passes=passes)

    def _constraints(self) -> Iterable[Check]:
        """The region, the job's own constraints, maintenance, then the gpu rule."""
        known = known_agents(self.cluster, self.job.id, self.job)
        scene = Scene(self.cluster, self.job, known, self._known_of)
        for constraint in sorted(self.job.constraints, key=_turn):
            passes = constraint.mask(scene)
            for agent, name in self.returning.items():
                passes = passes.copy()
                passes[agent] = isinstance(constraint, ScarceGpus) or self._without(name, constraint)[agent]
            yield Check(name=str(constraint), reasons=_reasons(constraint), passes=passes, constraint=constraint)

    def _without(self, name: str, constraint: Constraint) -> Bool:
        """Return the constraint's mask when the instance `name` itself does not count."""
        others = [one for one in self.cluster.running.instances if one.name != name]
        cluster = self.cluster.replace(running=others)
        known = known_agents(cluster, self.job.id, self.job)
        return constraint.mask(Scene(cluster, self.job, known, self._known_of))

    def _known_of(self, job_id: str) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        listed = self.workload is not None and job_id in self.workload.index
        return known_agents(self.cluster, job_id, self.workload.job(job_id) if listed and self.workload else None)

    def _ports(self) -> Check:
        """All named ports offered, and enough of them in all."""
        job, count = self.job, self.job.port_count
        passes = self.have[:, -1] >= count
        if job.fixed_ports:
            offered = offers_ports(self.cluster, job.fixed_ports, job.accepted_roles)
            for agent, name in self.returning.items():
                ranges = ranges_of(own_reservations(self.cluster, agent, name))
                offered[agent] = all(any(low <= port <= high for low, high in ranges) for port in job.fixed_ports)
            passes &= offered
        return Check(name="ports", reasons=("InsufficientPorts",), passes=passes, need=count, free=self.have[:, -1])


def reason_of(resource: str) -> str:
    """Return the word for a shortage of a resource, formed as Marathon forms its own."""
    return REASON_OF.get(resource, "Insufficient" + resource[:1].upper() + resource[1:])


def _turn(constraint: Constraint) -> int:
    """Return the turn of a constraint: region, then the job's own, maintenance, gpus."""
    if isinstance(constraint, FaultDomain):
        return 0
    if isinstance(constraint, Maintenance):
        return 2
    return 3 if isinstance(constraint, ScarceGpus) else 1


def _reasons(constraint: Constraint) -> tuple[str, ...]:
    if isinstance(constraint, Maintenance):
        return ("UnfulfilledConstraint", constraint.reason)
    return (constraint.reason,) if constraint.reason else ()


def without_constraint(job: Job, constraint: Constraint) -> Job:
    """Return the job without one of its constraints."""
    return replace(job, constraints=tuple(one for one in job.constraints if one != constraint))
