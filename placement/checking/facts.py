"""What the checker knows of agents and running instances, taken from their plain records.

It knows nothing of the new instances; see `placement.checking.answer` for these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np

from placement.cluster import Agent, Cluster, Int32, Int64, Reservation
from placement.running import ENDED, LOST, OFF, RunningInstance
from placement.workload import Job

UNRESERVED = "*"
HOLDING_NOTHING = frozenset({"gone", "unknown", "dropped", "lost", "reserved", "stopped"}) | ENDED
"""States whose instances take no port now."""


class AgentFacts:
    """One agent as rules see it (implements `constraints.base.Facts`)."""

    __slots__ = ("_index", "_table")

    def __init__(self, table: AgentTable, index: int) -> None:
        self._table = table
        self._index = index

    def value(self, field: str) -> str | None:
        """Return the printed value of a constraint field."""
        return self._table.values(field)[self._index]

    @property
    def region(self) -> str | None:
        """Region of the agent's fault domain."""
        return self._table.records[self._index].region

    @property
    def gpus(self) -> int:
        """Free gpus of all roles, thousandths."""
        record = self._table.records[self._index]
        return record.free.get("gpus", 0) + sum(one.amounts.get("gpus", 0) for one in record.reservations)

    @property
    def window(self) -> tuple[float, float | None] | None:
        """Start and length of the maintenance window in seconds."""
        record = self._table.records[self._index]
        return None if record.unavailable_from is None else (record.unavailable_from, record.unavailable_for)


class Nowhere:
    """An agent outside the snapshot: it has no value of anything."""

    region = None
    gpus = 0
    window = None

    def value(self, field: str) -> None:
        """Return None: every value is absent."""


class AgentTable:
    """The agents of a cluster, one plain list or array a question, each made once."""

    def __init__(self, cluster: Cluster) -> None:
        self.records = cluster.records
        self.index = {record.id: i for i, record in enumerate(self.records)}
        self.facts = [AgentFacts(self, i) for i in range(len(self.records))]
        self._values: dict[str, list[str | None]] = {}
        self._codes: dict[str, tuple[Int32, list[str]]] = {}
        self._free: dict[str, Int64] = {}
        self._available: dict[tuple[str, tuple[str, ...]], Int64] = {}

    def __len__(self) -> int:
        return len(self.records)

    def values(self, field: str) -> list[str | None]:
        """Return the printed value of a constraint field on each agent."""
        if field not in self._values:
            self._values[field] = [printed_value(record, field) for record in self.records]
        return self._values[field]

    def codes(self, field: str) -> tuple[Int32, list[str]]:
        """Return the number of each agent's value (-1 without one), and the distinct values."""
        if field not in self._codes:
            values = self.values(field)
            distinct = list(dict.fromkeys(value for value in values if value is not None))
            number: dict[str | None, int] = {value: i for i, value in enumerate(distinct)}
            self._codes[field] = np.array([number.get(value, -1) for value in values], np.int32), distinct
        return self._codes[field]

    def free(self, resource: str) -> Int64:
        """Return int64[agents]: unreserved free thousandths of a resource."""
        if resource not in self._free:
            self._free[resource] = np.array([record.free.get(resource, 0) for record in self.records], np.int64)
        return self._free[resource]

    @cached_property
    def volume_sets(self) -> tuple[frozenset[str], ...]:
        """The ids of the volumes of each agent that has any."""
        return tuple(frozenset(one.id for one in record.volumes) for record in self.records if record.volumes)

    @cached_property
    def reserving(self) -> tuple[int, ...]:
        """The agents with reservations for roles (not for single instances)."""
        return tuple(
            i for i, record in enumerate(self.records) if any(one.owner is None for one in record.reservations)
        )

    def reserved(self, agent: int, resource: str) -> dict[str, int]:
        """Return what an agent has reserved of a resource by role, thousandths."""
        found: dict[str, int] = {}
        for one in self.records[agent].reservations:
            if one.owner is None and one.amounts.get(resource):
                found[one.role] = found.get(one.role, 0) + one.amounts[resource]
        return found

    def available(self, resource: str, accepted: tuple[str, ...]) -> Int64:
        """Return int64[agents]: free thousandths of a resource over all accepted roles."""
        if (resource, accepted) not in self._available:
            amounts = self.free(resource).copy() if UNRESERVED in accepted else np.zeros(len(self), np.int64)
            for agent in self.reserving:
                by_role = self.reserved(agent, resource)
                amounts[agent] += sum(amount for role, amount in by_role.items() if role in accepted)
            self._available[resource, accepted] = amounts
        return self._available[resource, accepted]

    def offered_ports(self, agent: int, accepted: Sequence[str]) -> list[tuple[str, int, int]]:
        """Return the port ranges (role, first, last) that an agent offers to jobs accepting these roles."""
        record = self.records[agent]
        ranges = [(UNRESERVED, first, last) for first, last in record.ports] if UNRESERVED in accepted else []
        for one in record.reservations:
            if one.owner is None and one.role in accepted:
                ranges += [(one.role, first, last) for first, last in one.ports]
        return ranges

    def own(self, agent: int, instance: str) -> list[Reservation]:
        """Return the reservations on an agent that are one instance's ('job#instance') own."""
        return [one for one in self.records[agent].reservations if one.owner == instance]


def printed_value(record: Agent, field: str) -> str | None:
    """Return the printed value of a constraint field: the first attribute of the name, or what the agent is."""
    if field in ("hostname", "@hostname"):
        return record.hostname or record.id
    if field == "@region":
        return record.region
    if field == "@zone":
        return record.zone
    return next((attribute.text for name, attribute in record.attributes if name == field), None)


class RunningTable:
    """Running instances by job, and how they count (mesosphere/marathon: 6.1, 9 and 11 of its rules)."""

    def __init__(self, instances: Iterable[RunningInstance]) -> None:
        self._by_job: dict[str, list[RunningInstance]] = {}
        for instance in instances:
            self._by_job.setdefault(instance.job, []).append(instance)

    def of(self, job: str) -> list[RunningInstance]:
        """Return all instances of a job."""
        return self._by_job.get(job, [])

    def counted(self, job_id: str, job: Job | None) -> list[RunningInstance]:
        """Return the instances that count for constraints: somewhere, not lost, not ended, not of an old version."""
        gone = LOST | ENDED
        return [one for one in self.of(job_id) if one.agent and one.state not in gone and not outdated(one, job)]

    def towards_target(self, job: Job) -> int:
        """Return how many instances count towards the number wanted."""
        return sum(1 for one in self.of(job.id) if one.state not in OFF and not outdated(one, job))

    @cached_property
    def held_ports(self) -> Mapping[str, frozenset[int]]:
        """Ports that running instances hold, by agent id."""
        held: dict[str, set[int]] = {}
        for instances in self._by_job.values():
            for one in instances:
                if one.ports and one.state not in HOLDING_NOTHING:
                    held.setdefault(one.agent, set()).update(one.ports)
        return {agent: frozenset(ports) for agent, ports in held.items()}


def outdated(instance: RunningInstance, job: Job | None) -> bool:
    """Tell whether an instance runs an older configuration than the job's."""
    if job is None or job.version is None or instance.version is None:
        return False
    return instance.version < job.version
