"""The cluster at one moment: a columnar table of agents, made from plain agent records and turned back into them.

It knows what an agent is and has. It does not know any job's rule and reads no file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from placement.attributes import Attribute
from placement.errors import InputError
from placement.running import ENDED, WITHOUT_TASK, Running, RunningInstance

Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]
Bool = NDArray[np.bool_]
Ranges = tuple[tuple[int, int], ...]
DiskKind = Literal["root", "path", "mount", "raw", "block"]

STANDARD = ("cpus", "mem", "disk", "gpus")
"""Scalar resources that every cluster has, in this order; further ones follow by name."""
HOSTNAME_FIELDS = ("hostname", "@hostname")
UNRESERVED = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Resources of one agent set aside for a role.

    Attributes
    ----------
    role
        The role; never '*'.
    amounts
        Free thousandths by resource name.
    ports
        Free port ranges, inclusive.
    owner
        The instance ('job#instance') whose own reservation this is; such resources serve nobody else.
    labels, principal
        As Mesos carries them.
    dynamic
        Made at run time by RESERVE rather than by the agent's configuration.
    """

    role: str
    amounts: Mapping[str, int] = field(default_factory=dict)
    ports: Ranges = ()
    owner: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    principal: str | None = None
    dynamic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """Free space of one disk that is not the root disk: `size` in thousandths of MB, `path` its root."""

    kind: DiskKind
    size: int
    path: str | None = None
    profile: str | None = None
    id: str | None = None
    role: str = UNRESERVED


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A persistent volume that exists on an agent: `size` in thousandths of MB; `owner` its instance, if known."""

    id: str
    size: int
    role: str
    owner: str | None = None
    kind: DiskKind = "root"
    path: str | None = None
    container_path: str | None = None
    principal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One machine as a plain record: what readers produce and writers consume.

    Attributes
    ----------
    id, hostname
        The agent's id, and its host name (the id when empty).
    free
        Unreserved free thousandths by resource name.
    total
        What the agent has in all (all roles, free or used), thousandths; None when only the free part is known.
    ports
        Unreserved free port ranges, inclusive, in offered order.
    attributes
        (name, value) in the agent's order; a name may repeat.
    unavailable_from, unavailable_for
        Start of the maintenance window (seconds since 1970) and its length in seconds (None: endless).
    price
        Thousandths, or None.
    """

    id: str
    hostname: str = ""
    free: Mapping[str, int] = field(default_factory=dict)
    total: Mapping[str, int] | None = None
    ports: Ranges = ()
    attributes: tuple[tuple[str, Attribute], ...] = ()
    region: str | None = None
    zone: str | None = None
    reservations: tuple[Reservation, ...] = ()
    disks: tuple[Disk, ...] = ()
    volumes: tuple[Volume, ...] = ()
    unavailable_from: float | None = None
    unavailable_for: float | None = None
    price: int | None = None

    def __post_init__(self) -> None:
        if not self.hostname:
            object.__setattr__(self, "hostname", self.id)


@dataclass(frozen=True, eq=False)
class Column:
    """The values of one field over all agents.

    Attributes
    ----------
    codes
        int32[agents]: index into `values`, -1 where the agent has no value.
    values
        The distinct values as text.
    """

    codes: Int32
    values: tuple[str, ...]

    @classmethod
    def of(cls, values: Sequence[str | None]) -> Column:
        """Return the column of the values given; codes follow first appearance."""
        code: dict[str, int] = {}
        codes = [-1 if value is None else code.setdefault(value, len(code)) for value in values]
        return cls(np.array(codes, np.int32).reshape(len(values)), tuple(code))

    def code(self, value: str) -> int:
        """Return the code of `value`, -1 if no agent has it."""
        try:
            return self.values.index(value)
        except ValueError:
            return -1

    def lookup(self, agents: Int32) -> Int32:
        """Return the codes at agent indices; -1 for an index of -1 (an agent outside the snapshot)."""
        if not len(self.codes):
            return np.full(len(agents), -1, np.int32)
        return np.where(agents >= 0, self.codes[agents], np.int32(-1))


@dataclass(frozen=True, eq=False)
class PortRanges:
    """Free port ranges of all agents, ragged: row i is `first[i]`..`last[i]` on `agent[i]` (sorted by agent).

    `reservation[i]` is the row of the cluster's reservations it belongs to, -1 for unreserved.
    """

    agent: Int32
    first: Int64
    last: Int64
    reservation: Int32


@dataclass(frozen=True, eq=False)
class Cluster:
    """Agents in columns. Make one with `Cluster.build`; every array is read-only by agreement.

    Attributes
    ----------
    agents, hostnames
        Ids (distinct) and host names, in snapshot order.
    resources
        Names of the R scalar resources: `STANDARD` first, then the others by name.
    free
        int64[agents, R]: unreserved free thousandths.
    total
        int64[agents, R]: free and used thousandths of all roles (at least what is free).
    records
        The plain records the columns were made from.
    reservation_agent, reservation_amounts
        int32[n], int64[n, R]: the reservations of all agents, flattened; `reservations` holds their records.
    price
        int64[agents] thousandths, or None when no agent has a price.
    unavailable_from, unavailable_for
        float64[agents] seconds; NaN where there is no window, infinity where it has no end.
    now
        The moment of the snapshot, seconds since 1970; None when unknown.
    """

    agents: tuple[str, ...]
    hostnames: tuple[str, ...]
    resources: tuple[str, ...]
    free: Int64
    total: Int64
    records: tuple[Agent, ...]
    ports: PortRanges
    reservations: tuple[Reservation, ...]
    reservation_agent: Int32
    reservation_amounts: Int64
    running: Running
    price: Int64 | None
    unavailable_from: NDArray[np.float64]
    unavailable_for: NDArray[np.float64]
    now: float | None = None

    @classmethod
    def build(
        cls, records: Iterable[Agent], running: Iterable[RunningInstance] = (), *, now: float | None = None
    ) -> Cluster:
        """Return the cluster of the agents given.

        Raises
        ------
        InputError
            If two agents share an id, or a price stands on some agents only.
        """
        instances = tuple(running)
        rows = _without_held_ports(tuple(records), instances)
        agents = tuple(row.id for row in rows)
        if len(set(agents)) < len(agents):
            seen: set[str] = set()
            twice = next(name for name in agents if name in seen or seen.add(name))  # type: ignore[func-returns-value]
            raise InputError("two agents have the same id", value=twice, expected="distinct agent ids")
        resources = _resource_names(rows)
        column = {name: i for i, name in enumerate(resources)}
        free = _amounts([row.free for row in rows], column)
        reservations = tuple(one for row in rows for one in row.reservations)
        reservation_agent = np.repeat(np.arange(len(rows), dtype=np.int32), [len(row.reservations) for row in rows])
        reservation_amounts = _amounts([one.amounts for one in reservations], column)
        everything = free.copy()
        np.add.at(everything, reservation_agent, reservation_amounts)
        table = Running.build(instances, agents)
        total = _totals(rows, table, everything, column)
        priced = [row.price is not None for row in rows]
        if any(priced) and not all(priced):
            lacking = agents[priced.index(False)]
            raise InputError("some agents have a price and some have none", place=f"agent {lacking}",
                             expected="a price on every agent or on none")  # fmt: skip
        nan, endless = float("nan"), float("inf")
        return cls(
            agents=agents,
            hostnames=tuple(row.hostname for row in rows),
            resources=resources,
            free=free,
            total=total,
            records=rows,
            ports=_port_ranges(rows),
            reservations=reservations,
            reservation_agent=reservation_agent,
            reservation_amounts=reservation_amounts,
            running=table,
            price=np.array([row.price for row in rows], np.int64) if any(priced) else None,
            unavailable_from=np.array(
                [nan if row.unavailable_from is None else row.unavailable_from for row in rows], np.float64
            ),
            unavailable_for=np.array(
                [endless if row.unavailable_for is None else row.unavailable_for for row in rows], np.float64
            ),
            now=now,
        )

    def __len__(self) -> int:
        return len(self.agents)

    def replace(
        self,
        *,
        records: Iterable[Agent] | None = None,
        running: Iterable[RunningInstance] | None = None,
        now: float | None = None,
    ) -> Cluster:
        """Return a cluster with other agents, running instances or moment, and all else the same."""
        instances = self.running.instances if running is None else tuple(running)
        moment = self.now if now is None else now
        if records is None and running is None:
            return replace(self, now=moment)
        return Cluster.build(self.records if records is None else records, instances, now=moment)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Index of each agent by its id."""
        return {name: i for i, name in enumerate(self.agents)}

    @cached_property
    def attribute_names(self) -> tuple[str, ...]:
        """Names of all attributes, in order of appearance."""
        return tuple(dict.fromkeys(name for row in self.records for name, _ in row.attributes))

    @cached_property
    def _columns(self) -> dict[str, Column]:
        return {}

    def column(self, field: str) -> Column:
        """Return the values of a constraint field over the agents.

        `hostname` and `@hostname` are the host name, `@region` and `@zone` the fault domain, any other name the first
        attribute of that name. An unknown name gives a column without values.
        """
        if field not in self._columns:
            self._columns[field] = self._make_column(field)
        return self._columns[field]

    def _make_column(self, field: str) -> Column:
        if field in HOSTNAME_FIELDS:
            return Column.of(self.hostnames)
        if field == "@region":
            return Column.of([row.region for row in self.records])
        if field == "@zone":
            return Column.of([row.zone for row in self.records])
        return Column.of(
            [next((value.text for name, value in row.attributes if name == field), None) for row in self.records]
        )

    def resource(self, name: str) -> int:
        """Return the column number of a scalar resource, -1 if no agent has it."""
        return self.resources.index(name) if name in self.resources else -1

    def pool(self, role: str) -> Int64:
        """Return int64[agents, R]: what is free for `role` itself ('*': unreserved), without owned reservations."""
        if role == UNRESERVED:
            return self.free
        amounts = np.zeros_like(self.free)
        rows = [i for i, one in enumerate(self.reservations) if one.role == role and one.owner is None]
        if rows:
            np.add.at(amounts, self.reservation_agent[rows], self.reservation_amounts[rows])
        return amounts

    @cached_property
    def roles(self) -> tuple[str, ...]:
        """'*' and every role that some agent reserves resources for, by name."""
        return (UNRESERVED, *sorted({one.role for one in self.reservations}))


def _without_held_ports(rows: tuple[Agent, ...], instances: Sequence[RunningInstance]) -> tuple[Agent, ...]:
    """Return the records without free ports that a running instance holds: what is held is not free."""
    held: dict[str, set[int]] = {}
    for one in instances:
        if one.ports and one.state not in ENDED and one.state not in WITHOUT_TASK:
            held.setdefault(one.agent, set()).update(one.ports)
    if not held:
        return rows
    return tuple(
        replace(
            row,
            ports=without(row.ports, held[row.id]),
            reservations=tuple(replace(one, ports=without(one.ports, held[row.id])) for one in row.reservations),
        )
        if row.id in held
        else row
        for row in rows
    )


def without(ranges: Ranges, ports: Iterable[int]) -> Ranges:
    """Return port ranges without the ports given."""
    kept = list(ranges)
    for port in sorted(ports):
        cut: list[tuple[int, int]] = []
        for first, last in kept:
            if first <= port <= last:
                cut += [(low, high) for low, high in ((first, port - 1), (port + 1, last)) if low <= high]
            else:
                cut.append((first, last))
        kept = cut
    return tuple(kept)


def _resource_names(rows: Sequence[Agent]) -> tuple[str, ...]:
    names: set[str] = set()
    for row in rows:
        names.update(row.free)
        if row.total:
            names.update(row.total)
        for one in row.reservations:
            names.update(one.amounts)
    return (*STANDARD, *sorted(names - set(STANDARD)))


def _amounts(mappings: Sequence[Mapping[str, int]], column: Mapping[str, int]) -> Int64:
    amounts = np.zeros((len(mappings), len(column)), np.int64)
    for i, mapping in enumerate(mappings):
        for name, amount in mapping.items():
            amounts[i, column[name]] = amount
    return amounts


def _totals(rows: Sequence[Agent], running: Running, free: Int64, column: Mapping[str, int]) -> Int64:
    """Return int64[agents, R]: the stated totals; where none is stated, free plus what running instances hold."""
    used = np.zeros_like(free)
    for i, instance in zip(running.agent, running.instances, strict=True):
        if i >= 0 and instance.amounts:
            for name, amount in instance.amounts.items():
                if name in column:
                    used[i, column[name]] += amount
    total = free + used
    for i, row in enumerate(rows):
        if row.total is not None:
            for name, amount in row.total.items():
                total[i, column[name]] = max(amount, free[i, column[name]])
    return total


def _port_ranges(rows: Sequence[Agent]) -> PortRanges:
    agent, first, last, reservation = [], [], [], []
    count = 0
    for i, row in enumerate(rows):
        for low, high in row.ports:
            agent.append(i)
            first.append(low)
            last.append(high)
            reservation.append(-1)
        for one in row.reservations:
            for low, high in one.ports:
                agent.append(i)
                first.append(low)
                last.append(high)
                reservation.append(count)
            count += 1
    return PortRanges(
        np.array(agent, np.int32), np.array(first, np.int64), np.array(last, np.int64), np.array(reservation, np.int32)
    )
