"""Running instances and placements as CSV, and running instances joined to a cluster.

Columns: `job`, `instance`, `agent` first, then `ports` (`31000;31001`), `role`, `units` (`/disk1=500;/disk2=1000`, MB),
`layer`; for running instances also `state`, `version`, `started_at` (ISO 8601), `healthy`, `volumes` (`id;id`) and amounts
(`cpus`, `mem`, `resource:NAME` ...).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from placement.amounts import text as amount_text
from placement.amounts import thousandths
from placement.cluster import Agent, Cluster, Reservation
from placement.documents import name_of, read_bytes
from placement.errors import InputError, nearest
from placement.placements import Placements
from placement.running import ENDED, LOST, STATES, RunningInstance
from placement.snapshots.cells import CellReader, Rows, read_rows, resource_name, write_rows
from placement.snapshots.resources import cut
from placement.workload import Workload

HEADER = ("job", "instance", "agent", "ports", "role", "units", "layer")
MOVED_FROM = "moved_from"
"""A further column of placements in which something moved: the agent the instance ran on."""
NEEDED = HEADER[:3]
AWAY = LOST | {"unreachable_inactive"} | ENDED
"""States of instances whose agent may well be missing from the snapshot."""


def read_running(path: str | Path, *, stdin: BinaryIO | None = None) -> tuple[RunningInstance, ...]:
    """Return the running instances of a CSV file.

    Raises
    ------
    InputError
        For a missing column, a cell that cannot be read, or an instance that stands twice.
    """
    file = name_of(path)
    rows = _rows(read_bytes(path, stdin), file)
    cells = CellReader(file)
    amounts = [(column, name) for column in rows.header if (name := resource_name(column)) is not None]
    found = []
    seen: set[str] = set()
    for line, row in rows.rows:
        cell = dict(zip(rows.header, row, strict=True))
        instance = _instance(cell, line, cells, amounts)
        if instance.name in seen:
            raise cells.wrong("stands twice", instance.name, line, "instance", "each instance once")
        seen.add(instance.name)
        found.append(instance)
    return tuple(found)


def _rows(data: bytes, file: str) -> Rows:
    rows = read_rows(data, file=file)
    for name in NEEDED:
        if name not in rows.header:
            raise InputError(f"has no column {name}", file=file, place="line 1", value=",".join(rows.header),
                             expected=", ".join(HEADER), nearest=nearest(name, rows.header))  # fmt: skip
    return rows


def _instance(
    cell: Mapping[str, str], line: int, cells: CellReader, amounts: Sequence[tuple[str, str]]
) -> RunningInstance:
    state = cell.get("state", "").strip() or "running"
    if state not in STATES:
        raise cells.wrong("is no state of an instance", state, line, "state", ", ".join(STATES))
    healthy = cell.get("healthy", "").strip().lower()
    if healthy not in ("", "true", "false"):
        raise cells.wrong("is not true or false", healthy, line, "healthy", "true, false or nothing")
    number = cells.whole(cell["instance"], line, "instance", -1)
    if not cell["job"].strip() or number < 0:
        raise cells.wrong("names no instance", cell["job"], line, "job", "a job id, and a number from 0 as instance")
    known = {name: cells.amount(cell[column], line, column) for column, name in amounts if cell[column].strip()}
    return RunningInstance(
        job=cell["job"].strip(),
        instance=number,
        agent=cell["agent"].strip(),
        state=state,
        version=cells.moment(cell.get("version", ""), line, "version"),
        started_at=cells.moment(cell.get("started_at", ""), line, "started_at"),
        healthy=None if not healthy else healthy == "true",
        ports=_ports(cell.get("ports", ""), line, cells),
        volumes=tuple(one.strip() for one in cell.get("volumes", "").split(";") if one.strip()),
        units=_units(cell.get("units", ""), line, cells),
        amounts=known or None,
        role=cell.get("role", "").strip() or None,
    )


def _ports(cell: str, line: int, cells: CellReader) -> tuple[int, ...]:
    if not cell.strip():
        return ()
    numbers = [cells.whole(one, line, "ports", -1) for one in cell.split(";")]
    if any(not 0 <= one <= 65535 for one in numbers):
        raise cells.wrong("is no list of ports", cell, line, "ports", "numbers joined by ;")
    return tuple(numbers)


def _units(cell: str, line: int, cells: CellReader) -> tuple[tuple[str, int], ...]:
    found = []
    for one in cell.split(";"):
        if not one.strip():
            continue
        path, sign, size = one.rpartition("=")
        if not sign:
            raise cells.wrong("is no unit", one, line, "units", "PATH=MB")
        try:
            found.append((path.strip(), thousandths(size.strip(), what="size")))
        except InputError as error:
            raise cells.at(error, line, "units") from None
    return tuple(found)


def attach(
    cluster: Cluster, running: Sequence[RunningInstance], workload: Workload | None = None, *, total: bool = False
) -> Cluster:
    """Return the cluster with further running instances; they replace those of the same name.

    Parameters
    ----------
    total
        The cluster's amounts are totals: what the instances hold is subtracted (their own amounts, else their job's).

    Raises
    ------
    InputError
        If an instance is on an unknown agent, its amounts are not known, or an agent has less than its instances hold.
    """
    for one in running:
        if one.agent and one.agent not in cluster.index and one.state not in AWAY:
            raise InputError("a running instance is on an agent that is not in the snapshot", place=one.name,
                             value=one.agent, expected="an agent of the snapshot",
                             nearest=nearest(one.agent, cluster.index))  # fmt: skip
    known = [_with_amounts(one, workload) for one in running]
    names = {one.name for one in known}
    joined = [one for one in cluster.running.instances if one.name not in names] + known
    if not total:
        return cluster.replace(running=joined)
    return Cluster.build(_less(cluster, joined, workload), joined, now=cluster.now)


def _with_amounts(one: RunningInstance, workload: Workload | None) -> RunningInstance:
    """Return the instance with its job's amounts where it has none of its own."""
    if one.amounts is not None or workload is None or one.job not in workload.index:
        return one
    job = workload.job(one.job)
    return replace(one, amounts={**job.demand, "disk": job.root_disk} if job.root_disk else dict(job.demand))


def _less(cluster: Cluster, running: Sequence[RunningInstance], workload: Workload | None) -> Iterator[Agent]:
    held: dict[str, list[RunningInstance]] = {}
    for one in running:
        if one.state not in ENDED and one.state not in ("reserved", "stopped"):
            if one.amounts is None:
                raise InputError("the amounts of a running instance are not known", place=one.name,
                                 expected="amounts in the running file, or its job in the workload (with --total)")  # fmt: skip
            held.setdefault(one.agent, []).append(one)
    for record in cluster.records:
        for one in held.get(record.id, ()):
            record = _without(record, one, workload)
        yield record


def _without(record: Agent, one: RunningInstance, workload: Workload | None) -> Agent:
    """Return an agent's record without what one instance holds; its role's reservations are used first."""
    need = {name: amount for name, amount in (one.amounts or {}).items() if amount}
    roles = {one.role} if one.role else set()
    if workload is not None and one.job in workload.index:
        roles |= set(workload.job(one.job).accepted_roles)
    reservations: list[Reservation] = []
    for reservation in record.reservations:
        if reservation.role in roles:
            served = {name: min(amount, reservation.amounts.get(name, 0)) for name, amount in need.items()}
            need = {name: amount - served[name] for name, amount in need.items()}
            left = {name: amount - served.get(name, 0) for name, amount in reservation.amounts.items()}
            gone = [(port, port) for port in one.ports]
            reservation = replace(reservation, amounts=left, ports=tuple(cut(reservation.ports, gone)))
        reservations.append(reservation)
    free = {name: amount - need.get(name, 0) for name, amount in record.free.items()}
    short = [name for name, amount in need.items() if amount > record.free.get(name, 0)]
    if short:
        raise InputError(f"an agent has less {short[0]} than its instances hold", place=f"agent {record.id}",
                         value=amount_text(record.free.get(short[0], 0)),
                         expected=f"{amount_text(need[short[0]])} more for {one.name}")  # fmt: skip
    ports = tuple(cut(record.ports, [(port, port) for port in one.ports]))
    return replace(record, free=free, ports=ports, reservations=tuple(reservations))


# --- placements -------------------------------------------------------------------------------------------------------


def write_placements(placements: Placements) -> str:
    """Return placements as a CSV text, in their order."""
    if not placements.moves:
        return write_rows(HEADER, _placement_rows(placements))
    rows = enumerate(_placement_rows(placements))
    return write_rows((*HEADER, MOVED_FROM), ((*row, placements.home(i) or "") for i, row in rows))


def _placement_rows(placements: Placements) -> Iterator[tuple[object, ...]]:
    for i, (job, instance, agent) in enumerate(placements.rows()):
        ports = ";".join(map(str, placements.ports[i])) if placements.ports else ""
        units = placements.units[i] if placements.units else ()
        role = placements.roles[placements.job[i]] if placements.roles else ""
        disks = ";".join(f"{path}={amount_text(amount)}" for path, amount in units)
        yield job, instance, agent, ports, role, disks, int(placements.layer[i])


def read_placements(
    path: str | Path, cluster: Cluster, workload: Workload, *, stdin: BinaryIO | None = None
) -> Placements:
    """Return the placements of a CSV file.

    Raises
    ------
    InputError
        For a missing column, an unknown job or agent, or a cell that cannot be read.
    """
    file = name_of(path)
    rows = _rows(read_bytes(path, stdin), file)
    cells = CellReader(file)
    job, number, agent, layer, ports, units, back, home = [], [], [], [], [], [], [], []
    waiting = {one.name for one in cluster.running.instances if one.state in ("reserved", "stopped")}
    for line, row in rows.rows:
        cell = dict(zip(rows.header, row, strict=True))
        name, where = cell["job"].strip(), cell["agent"].strip()
        if name not in workload.index:
            raise InputError("no such job", file=file, place=f"line {line}, column job", value=name,
                             expected="a job of the workload", nearest=nearest(name, workload.index))  # fmt: skip
        if where not in cluster.index:
            raise InputError("no such agent", file=file, place=f"line {line}, column agent", value=where,
                             expected="an agent of the snapshot", nearest=nearest(where, cluster.index))  # fmt: skip
        job.append(workload.index[name])
        number.append(cells.whole(cell["instance"], line, "instance", 0))
        agent.append(cluster.index[where])
        layer.append(cells.whole(cell.get("layer", ""), line, "layer", workload.job(name).layer))
        ports.append(_ports(cell.get("ports", ""), line, cells))
        units.append(_units(cell.get("units", ""), line, cells))
        back.append(f"{name}#{number[-1]}" in waiting)
        old = cell.get(MOVED_FROM, "").strip()
        if old and old not in cluster.index:
            raise InputError("no such agent", file=file, place=f"line {line}, column {MOVED_FROM}", value=old,
                             expected="an agent of the snapshot", nearest=nearest(old, cluster.index))  # fmt: skip
        home.append(cluster.index[old] if old else -1)
    return Placements(
        jobs=tuple(one.id for one in workload.jobs),
        agents=cluster.agents,
        job=np.array(job, np.int32),
        instance=np.array(number, np.int32),
        agent=np.array(agent, np.int32),
        layer=np.array(layer, np.int32),
        ports=tuple(ports) if any(ports) else None,
        units=tuple(units) if any(units) else None,
        relaunched=np.array(back, np.bool_),
        roles=tuple(one.role for one in workload.jobs),
        moved_from=np.array(home, np.int32) if any(one >= 0 for one in home) else None,
    )
