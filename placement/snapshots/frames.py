"""Snapshots as pandas DataFrames, both ways and without loss.

The agents frame has the columns of the CSV snapshot; disks, volumes, reservations and running instances are frames of
their own, keyed by agent.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from placement.amounts import plain, thousandths
from placement.attributes import parse_ranges
from placement.cluster import Agent, Cluster, Disk, Reservation, Volume
from placement.errors import InputError, nearest
from placement.running import RunningInstance
from placement.snapshots import table
from placement.snapshots.cells import ports_text, resource_name, split_role

if TYPE_CHECKING:
    import pandas as pd

DISKS = ("agent", "kind", "size", "path", "profile", "id", "role")
VOLUMES = ("agent", "id", "size", "role", "owner", "kind", "path", "container_path", "principal")
RESERVATIONS = ("agent", "role", "ports", "owner", "labels", "principal", "dynamic")
RUNNING = ("job", "instance", "agent", "state", "version", "started_at", "healthy", "ports", "volumes", "units",
           "amounts", "role")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Frames:
    """A cluster as DataFrames; `from_frames(**vars(frames))` gives it back."""

    agents: pd.DataFrame
    disks: pd.DataFrame
    volumes: pd.DataFrame
    reservations: pd.DataFrame
    running: pd.DataFrame


def to_frames(cluster: Cluster) -> Frames:
    """Return a cluster as frames.

    `agents` has one row an agent, with the columns of the CSV snapshot (cores, MB) and, where totals are stated,
    `total:NAME`; attributes that repeat are joined as JSON under `attributes`.
    """
    import pandas as pd

    bare = Cluster.build([replace(one, reservations=(), disks=(), volumes=()) for one in cluster.records])
    header = table.header_of(bare)
    rows = [dict(zip(header, table.row_of(bare, one, header), strict=True)) for one in bare.records]
    for row, record in zip(rows, cluster.records, strict=True):
        row |= {f"total:{name}": str(plain(amount)) for name, amount in (record.total or {}).items()}
        names = [name for name, _ in record.attributes]
        if len(set(names)) < len(names):
            row["attributes"] = json.dumps([[name, value.mesos()] for name, value in record.attributes])
    records = cluster.records
    return Frames(
        agents=_typed(pd.DataFrame(rows)),
        disks=pd.DataFrame([_disk(one.id, disk) for one in records for disk in one.disks], columns=list(DISKS)),
        volumes=pd.DataFrame([_volume(one.id, v) for one in records for v in one.volumes], columns=list(VOLUMES)),
        reservations=_reservations(records),
        running=pd.DataFrame([_running(one) for one in cluster.running.instances], columns=list(RUNNING)),
    )


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with amounts as numbers."""
    import pandas as pd

    for column in frame.columns:
        base = split_role(column.removeprefix("total:"))[0]
        if resource_name(base) is not None or column.startswith("total:") or column == "price":
            frame[column] = pd.to_numeric(frame[column].replace("", None))
    return frame


def _disk(agent: str, one: Disk) -> tuple[Any, ...]:
    return agent, one.kind, plain(one.size), one.path, one.profile, one.id, one.role


def _volume(agent: str, one: Volume) -> tuple[Any, ...]:
    return (agent, one.id, plain(one.size), one.role, one.owner, one.kind, one.path, one.container_path, one.principal)


def _reservations(records: Sequence[Agent]) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for record in records:
        for one in record.reservations:
            head = (
                record.id,
                one.role,
                ports_text(one.ports),
                one.owner,
                json.dumps(one.labels),
                one.principal,
                one.dynamic,
            )
            amounts = {name: plain(amount) for name, amount in one.amounts.items()}
            rows.append(dict(zip(RESERVATIONS, head, strict=True)) | amounts)
    return pd.DataFrame(rows, columns=None if rows else list(RESERVATIONS))


def _running(one: RunningInstance) -> tuple[Any, ...]:
    amounts = None if one.amounts is None else {name: plain(amount) for name, amount in one.amounts.items()}
    units = tuple((path, plain(amount)) for path, amount in one.units)
    return (one.job, one.instance, one.agent, one.state, one.version, one.started_at, one.healthy, one.ports,
            one.volumes, units, amounts, one.role)  # fmt: skip


def from_frames(
    agents: pd.DataFrame,
    *,
    disks: pd.DataFrame | None = None,
    volumes: pd.DataFrame | None = None,
    reservations: pd.DataFrame | None = None,
    running: pd.DataFrame | None = None,
    total: bool = False,
    now: float | None = None,
) -> Cluster:
    """Return the cluster of DataFrames.

    Parameters
    ----------
    agents
        One row an agent; columns as in the CSV snapshot (cores, MB), numbers or texts, NaN or '' where absent.
    disks, volumes, reservations, running
        See `to_frames`; rows name their agent.
    total
        Amounts are what agents have in all.

    Raises
    ------
    InputError
        For a missing column, an unknown agent, or a cell that cannot be read.
    """
    frame = agents.reset_index() if agents.index.name in ("agent", "id") else agents
    extra = [c for c in frame.columns if str(c).startswith("total:") or c == "attributes"]
    plain_columns = [c for c in frame.columns if c not in extra]
    header = [str(column) for column in plain_columns]
    rows = [
        (number, [_cell(value) for value in row])
        for number, row in enumerate(frame[plain_columns].itertuples(index=False, name=None), start=1)
    ]
    records = list(table.agents_of(header, rows, file="agents frame", total=total))
    records = [_with_extra(one, row) for one, row in zip(records, _dicts(frame[extra], len(records)), strict=True)]
    by_agent = {one.id: i for i, one in enumerate(records)}
    for name, rows_of in (("disks", disks), ("volumes", volumes), ("reservations", reservations)):
        for row in _dicts(rows_of, 0):
            i = _agent(by_agent, row, name)
            records[i] = _extended(records[i], name, row)
    instances = [_instance(row) for row in _dicts(running, 0)]
    return Cluster.build(records, instances, now=now)


def _dicts(frame: pd.DataFrame | None, size: int) -> Iterable[dict[str, Any]]:
    if frame is None or not len(frame.columns):
        return [{} for _ in range(size)]
    return [{str(name): _value(value) for name, value in row.items()} for row in frame.to_dict("records")]


def _value(value: Any) -> Any:
    """Return a frame's value with every kind of missing one as None."""
    if value is None or (isinstance(value, float) and value != value):
        return None
    return None if type(value).__name__ in ("NAType", "NaTType") else value


def _cell(value: Any) -> str:
    """Return a frame's value as the text that stands in a CSV cell."""
    known = _value(value)
    if known is None:
        return ""
    if isinstance(known, float) and known == int(known) and abs(known) < 1e15:
        return str(int(known))
    return str(known)


def _with_extra(record: Agent, row: dict[str, Any]) -> Agent:
    from placement.attributes import parse

    stated = {name.removeprefix("total:"): thousandths(value) for name, value in row.items()
              if name.startswith("total:") and value is not None}  # fmt: skip
    if stated:
        record = replace(record, total=stated)
    if row.get("attributes"):
        record = replace(record, attributes=tuple((name, parse(text)) for name, text in json.loads(row["attributes"])))
    return record


def _agent(by_agent: dict[str, int], row: dict[str, Any], frame: str) -> int:
    name = row.get("agent")
    if name not in by_agent:
        raise InputError(f"the {frame} frame names an agent that is not in the agents frame", value=name,
                         expected="an agent", nearest=nearest(str(name), by_agent))  # fmt: skip
    return by_agent[str(name)]


def _extended(record: Agent, frame: str, row: dict[str, Any]) -> Agent:
    """Return an agent's record with one more disk, volume or reservation."""
    if frame == "disks":
        disk = Disk(kind=row["kind"], size=thousandths(row["size"]), path=row.get("path"), profile=row.get("profile"),
                    id=row.get("id"), role=row.get("role") or "*")  # fmt: skip
        return replace(record, disks=(*record.disks, disk))
    if frame == "volumes":
        rest = {name: row.get(name) for name in ("owner", "path", "container_path", "principal")}
        volume = Volume(
            id=row["id"], size=thousandths(row["size"]), role=row["role"], kind=row.get("kind") or "root", **rest
        )
        return replace(record, volumes=(*record.volumes, volume))
    amounts = {
        name: thousandths(value) for name, value in row.items() if name not in RESERVATIONS and value is not None
    }
    labels = tuple((key, value) for key, value in json.loads(row.get("labels") or "[]"))
    reservation = Reservation(role=row["role"], amounts=amounts, owner=row.get("owner"), labels=labels,
                              ports=tuple(parse_ranges(row.get("ports") or "", ";", single=True)),
                              principal=row.get("principal"), dynamic=bool(row.get("dynamic")))  # fmt: skip
    return replace(record, reservations=(*record.reservations, reservation))


def _instance(row: dict[str, Any]) -> RunningInstance:
    amounts = row.get("amounts")
    return RunningInstance(
        job=row["job"],
        instance=int(row["instance"]),
        agent=row.get("agent") or "",
        state=row.get("state") or "running",
        version=row.get("version"),
        started_at=row.get("started_at"),
        healthy=None if row.get("healthy") is None else bool(row["healthy"]),
        ports=tuple(row.get("ports") or ()),
        volumes=tuple(row.get("volumes") or ()),
        units=tuple((path, thousandths(amount)) for path, amount in row.get("units") or ()),
        amounts=None if amounts is None else {name: thousandths(amount) for name, amount in amounts.items()},
        role=row.get("role"),
    )
