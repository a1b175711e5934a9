"""Snapshots as CSV, one row an agent: the pooled model (no disks, volumes or running instances).

Columns: `agent` (or `id`), `hostname`, `@region`, `@zone`, `cpus` (cores), `mem` and `disk` (MB), `gpus`, `ports`
(`31000-32000;8080`), `resource:NAME` for any further scalar, each also with a role (`cpus(prod)`), `price`,
`unavailable_from` (ISO 8601), `unavailable_for` (s). Every other column is an attribute; `attribute:NAME` names one that
collides. Amounts are free unless read with `total`. An empty cell means absent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from placement.amounts import text as amount_text
from placement.attributes import Attribute, parse
from placement.cluster import STANDARD, Agent, Cluster, Ranges, Reservation
from placement.errors import InputError
from placement.snapshots.cells import (
    RESOURCE,
    CellReader,
    moment_text,
    ports_text,
    read_rows,
    resource_name,
    split_role,
    write_rows,
)

ATTRIBUTE = "attribute:"
IDS = ("agent", "id")
NAMES = {"hostname": "hostname", "@region": "region", "@zone": "zone"}
RESERVED = (*IDS, *NAMES, *STANDARD, "ports", "price", "unavailable_from", "unavailable_for")


def fits(data: bytes) -> bool:
    """Tell whether bytes look like a CSV snapshot: a header line that names agents."""
    header = data.lstrip(b"\xef\xbb\xbf\r\n ").split(b"\n", 1)[0].strip()
    names = {name.strip().strip(b'"') for name in header.split(b",")}
    return not header.startswith((b"{", b"[")) and bool(names & {b"agent", b"id"})


def read(
    data: bytes,
    *,
    file: str,
    total: bool = False,
    strict: bool = False,
    now: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> Cluster:
    """Return the cluster of a CSV snapshot; see `placement.snapshots.read_cluster`."""
    rows = read_rows(data, file=file)
    return Cluster.build(agents_of(rows.header, rows.rows, file=file, total=total), now=now)


@dataclass(eq=False)
class _Draft:
    """An agent while its row is read."""

    fields: dict[str, Any] = field(default_factory=dict)
    free: dict[str, int] = field(default_factory=dict)
    ports: Ranges = ()
    reserved: dict[str, dict[str, int]] = field(default_factory=dict)
    reserved_ports: dict[str, Ranges] = field(default_factory=dict)
    attributes: list[tuple[str, Attribute]] = field(default_factory=list)

    def agent(self, total: bool) -> Agent:
        """Return the finished record."""
        roles = dict.fromkeys([*self.reserved, *self.reserved_ports])
        reservations = tuple(
            Reservation(role=role, amounts=self.reserved.get(role, {}), ports=self.reserved_ports.get(role, ()))
            for role in roles
        )
        everything = dict(self.free)
        for amounts in self.reserved.values():
            for name, amount in amounts.items():
                everything[name] = everything.get(name, 0) + amount
        return Agent(free=self.free, ports=self.ports, reservations=reservations, attributes=tuple(self.attributes),
                     total=everything if total else None, **self.fields)  # fmt: skip


Put = Callable[[_Draft, str, int], None]


def agents_of(
    header: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]], *, file: str, total: bool
) -> Iterator[Agent]:
    """Yield the agents of rows of text cells, each with its line number.

    Raises
    ------
    InputError
        For a missing or strange column, or a cell that cannot be read.
    """
    puts = _columns(header, CellReader(file))
    seen: dict[str, int] = {}
    for line, cells in rows:
        draft = _Draft()
        for put, cell in zip(puts, cells, strict=True):
            if cell:
                put(draft, cell, line)
        name = draft.fields.get("id")
        if not name:
            raise InputError("has no agent id", file=file, place=f"line {line}", expected="an id in column agent")
        if name in seen:
            raise InputError("two agents have the same id", file=file, place=f"line {line}", value=name,
                             expected=f"an id other than that of line {seen[name]}")  # fmt: skip
        seen[name] = line
        yield draft.agent(total)


def _columns(header: Sequence[str], cells: CellReader) -> list[Put]:
    """Return for each column how its cells are put into an agent."""
    ids = [name for name in header if name in IDS]
    if not ids:
        raise InputError("has no column agent", file=cells.file, place="line 1", value=",".join(header),
                         expected="a column agent or id")  # fmt: skip
    if not any(resource_name(split_role(name)[0]) for name in header):
        raise InputError("has no column of resources", file=cells.file, place="line 1", value=",".join(header),
                         expected="at least one of " + ", ".join(STANDARD))  # fmt: skip
    return [_column(name, ids[0], cells) for name in header]


def _column(name: str, id_column: str, cells: CellReader) -> Put:
    base, role = split_role(name)
    if name == id_column:
        return _text("id")
    if name in NAMES:
        return _text(NAMES[name])
    if resource := resource_name(base):
        return _amount(resource, role, name, cells)
    if base == "ports":
        return _ports(role, name, cells)
    if name == "price":
        return lambda draft, cell, line: draft.fields.update(price=cells.amount(cell, line, name))
    if name == "unavailable_from":
        return lambda draft, cell, line: draft.fields.update(unavailable_from=cells.moment(cell, line, name))
    if name == "unavailable_for":
        return lambda draft, cell, line: draft.fields.update(unavailable_for=cells.amount(cell, line, name) / 1000)
    return _attribute(name.removeprefix(ATTRIBUTE), name, cells)


def _text(field_name: str) -> Put:
    def put(draft: _Draft, cell: str, line: int) -> None:
        if cell.strip():
            draft.fields[field_name] = cell.strip()

    return put


def _amount(resource: str, role: str | None, column: str, cells: CellReader) -> Put:
    def put(draft: _Draft, cell: str, line: int) -> None:
        amount = cells.amount(cell, line, column)
        if role is None or role == "*":
            draft.free[resource] = amount
        elif amount:
            draft.reserved.setdefault(role, {})[resource] = amount

    return put


def _ports(role: str | None, column: str, cells: CellReader) -> Put:
    def put(draft: _Draft, cell: str, line: int) -> None:
        ranges = cells.ports(cell, line, column)
        if role is None or role == "*":
            draft.ports = ranges
        elif ranges:
            draft.reserved_ports[role] = ranges

    return put


def _attribute(name: str, column: str, cells: CellReader) -> Put:
    known: dict[str, Attribute] = {}

    def put(draft: _Draft, cell: str, line: int) -> None:
        if not cell.strip():
            return
        if cell not in known:
            try:
                known[cell] = parse(cell)
            except InputError as error:
                raise cells.at(error, line, column) from None
        draft.attributes.append((name, known[cell]))

    return put


# --- writing ----------------------------------------------------------------------------------------------------------


def lost(cluster: Cluster) -> list[str]:
    """Return what a CSV snapshot cannot carry of a cluster."""
    records = cluster.records
    found = {
        "disks": any(one.disks for one in records),
        "persistent volumes": any(one.volumes for one in records),
        "running instances": len(cluster.running) > 0,
        "totals beyond what is free": bool((cluster.total > _free(cluster)).any()),
        "attributes that repeat": any(len({n for n, _ in one.attributes}) < len(one.attributes) for one in records),
        "owners, labels or kinds of reservations": any(
            reservation.owner or reservation.labels or reservation.principal or reservation.dynamic
            for reservation in cluster.reservations
        ),
        "several reservations of one role": any(
            len({reservation.role for reservation in one.reservations}) < len(one.reservations) for one in records
        ),
    }
    return [name for name, is_lost in found.items() if is_lost]


def _free(cluster: Cluster) -> Any:
    import numpy as np

    free = cluster.free.copy()
    np.add.at(free, cluster.reservation_agent, cluster.reservation_amounts)
    return free


def write(cluster: Cluster) -> str:
    """Return a cluster as a CSV text that `read` reads back (what `lost` names is lost)."""
    header = header_of(cluster)
    return write_rows(header, (row_of(cluster, one, header) for one in cluster.records))


def header_of(cluster: Cluster) -> list[str]:
    """Return the columns a cluster needs."""
    records = cluster.records
    resources = [name for name in cluster.resources if name in ("cpus", "mem") or _has(records, name)]
    header = ["agent"]
    header += ["hostname"] if any(one.hostname != one.id for one in records) else []
    header += ["@region"] if any(one.region for one in records) else []
    header += ["@zone"] if any(one.zone for one in records) else []
    header += [_resource_column(name) for name in resources]
    header += ["ports"] if any(one.ports for one in records) else []
    for role in cluster.roles[1:]:
        mine = [one for one in cluster.reservations if one.role == role]
        names = [name for name in cluster.resources if any(one.amounts.get(name) for one in mine)]
        header += [f"{_resource_column(name)}({role})" for name in names]
        header += [f"ports({role})"] if any(one.ports for one in mine) else []
    header += ["price"] if cluster.price is not None else []
    header += ["unavailable_from"] if any(one.unavailable_from is not None for one in records) else []
    header += ["unavailable_for"] if any(one.unavailable_for is not None for one in records) else []
    return header + [_attribute_column(name) for name in cluster.attribute_names]


def _has(records: Sequence[Agent], name: str) -> bool:
    return any(one.free.get(name) for one in records)


def _resource_column(name: str) -> str:
    return name if name in STANDARD else RESOURCE + name


def _attribute_column(name: str) -> str:
    plain = name not in RESERVED and resource_name(split_role(name)[0]) is None and split_role(name)[0] != "ports"
    return name if plain and not name.startswith(ATTRIBUTE) else ATTRIBUTE + name


def row_of(cluster: Cluster, record: Agent, header: Sequence[str]) -> list[str]:
    """Return the cells of one agent."""
    cells: dict[str, str] = {"agent": record.id, "hostname": record.hostname, "ports": ports_text(record.ports)}
    cells |= {"@region": record.region or "", "@zone": record.zone or ""}
    cells |= {_resource_column(name): amount_text(amount) for name, amount in record.free.items()}
    for role, amounts, ports in _by_role(record):
        cells |= {
            f"{_resource_column(name)}({role})": amount_text(amount) for name, amount in amounts.items() if amount
        }
        cells[f"ports({role})"] = ports_text(ports)
    if record.price is not None:
        cells["price"] = amount_text(record.price)
    if record.unavailable_from is not None:
        cells["unavailable_from"] = moment_text(record.unavailable_from)
    if record.unavailable_for is not None:
        cells["unavailable_for"] = f"{record.unavailable_for:g}"
    for name, value in reversed(record.attributes):
        cells[_attribute_column(name)] = value.mesos()
    return [cells.get(column, "") for column in header]


def _by_role(record: Agent) -> Iterator[tuple[str, Mapping[str, int], Ranges]]:
    """Yield the unowned reservations of an agent joined by role."""
    joined: dict[str, Reservation] = {}
    for one in record.reservations:
        before = joined.get(one.role)
        if before is None:
            joined[one.role] = one
        else:
            amounts = {name: before.amounts.get(name, 0) + one.amounts.get(name, 0)
                       for name in dict.fromkeys([*before.amounts, *one.amounts])}  # fmt: skip
            joined[one.role] = replace(before, amounts=amounts, ports=(*before.ports, *one.ports))
    for role, one in joined.items():
        yield role, one.amounts, one.ports
