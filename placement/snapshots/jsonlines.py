"""Snapshots as JSON lines, without loss: one Mesos-form agent, or one Mesos offer, a line.

An agent: {"id", "hostname", "resources": [...], "total": {...}, "attributes": [...], "domain", "unavailability", "price",
"running": [...]}. `resources` are Mesos' own entries of what is free; an entry may carry `owner`, the instance it is
reserved for. An offer is known by its `agent_id`; several offers of one agent are joined.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from placement.amounts import plain, thousandths
from placement.cluster import Agent, Cluster, Disk, Volume
from placement.documents import Record, load_json
from placement.errors import InputError
from placement.running import STATES, RunningInstance
from placement.snapshots import resources as mesos
from placement.snapshots.resources import Holdings

KNOWN = frozenset(
    [
        "id",
        "hostname",
        "resources",
        "total",
        "attributes",
        "domain",
        "unavailability",
        "price",
        "running",
        "agent_id",
        "slave_id",
        "framework_id",
        "url",
        "allocation_info",
        "executor_ids",
    ]
)


def fits(data: bytes) -> bool:
    """Tell whether bytes look like JSON lines: the first line is an object about an agent or offer."""
    first = data.lstrip(b"\xef\xbb\xbf\r\n ").split(b"\n", 1)[0].strip()
    if not (first.startswith(b"{") and first.endswith(b"}")):
        return False
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and "slaves" not in value and ("resources" in value or "id" in value)


def read(
    data: bytes,
    *,
    file: str,
    total: bool = False,
    strict: bool = False,
    now: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> Cluster:
    """Return the cluster of a JSON lines snapshot; see `placement.snapshots.read_cluster`."""
    drafts: dict[str, _Draft] = {}
    running: list[RunningInstance] = []
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            record = Record.of(load_json(line, file=file), "", strict=strict, file=file)
            record.unknown(KNOWN)
            draft = _Draft(record)
            if draft.id in drafts and not (draft.is_offer and drafts[draft.id].is_offer):
                raise InputError("two agents have the same id", value=draft.id, expected="distinct agent ids")
            drafts.setdefault(draft.id, draft).holdings.add(record.records("resources"))
            running += [instance_of(one, draft.id) for one in record.records("running")]
        except InputError as error:
            place = f"line {number}" + (f", {error.place}" if error.place and error.place != "line 1" else "")
            raise InputError(error.message, file=file, place=place, value=error.value, expected=error.expected,
                             nearest=error.nearest) from None  # fmt: skip
        if progress is not None and number % 10_000 == 0:
            progress(f"{number} agents read")
    return Cluster.build([draft.agent(total) for draft in drafts.values()], running, now=now)


class _Draft:
    """An agent while its lines are read."""

    def __init__(self, record: Record) -> None:
        holder = record.get("agent_id") or record.get("slave_id")
        self.is_offer = holder is not None
        if isinstance(holder, dict):
            self.id = str(holder.get("value") or "")
        else:
            self.id = record.needed_text("id") if holder is None else str(holder)
        if not self.id:
            raise InputError("has no agent id", place=record.at("id"), expected="an id")
        self.holdings = Holdings()
        stated = record.record("total")
        self.total = None if stated is None else mesos.amounts_of(stated.fields, "total")
        self.fields: dict[str, Any] = {
            "hostname": record.text("hostname") or "",
            "attributes": tuple(mesos.attribute_of(one) for one in record.records("attributes")),
            **mesos.domain_of(record),
            **mesos.window_of(record),
        }
        if "price" in record:
            self.fields["price"] = thousandths(record.number("price", 0))

    def agent(self, total: bool) -> Agent:
        """Return the finished record."""
        stated = self.holdings.totals() if total and self.total is None else self.total
        return Agent(id=self.id, total=stated, **self.fields, **self.holdings.fields())


def instance_of(record: Record, agent: str) -> RunningInstance:
    """Return a running instance of its JSON form."""
    state = record.text("state") or "running"
    if state not in STATES:
        raise record.error("state", "is no state of an instance", expected=", ".join(STATES))
    amounts = record.record("amounts")
    version, started = record.get("version"), record.get("started_at")
    return RunningInstance(
        job=record.needed_text("job"),
        instance=record.whole("instance", 0),
        agent=agent,
        state=state,
        version=None if version is None else record.number("version", 0),
        started_at=None if started is None else record.number("started_at", 0),
        healthy=record.flag("healthy", False) if "healthy" in record else None,
        ports=tuple(int(one) for one in record.items("ports") or ()),
        volumes=tuple(record.texts("volumes") or ()),
        units=tuple((one.needed_text("path"), one.amount("size", 0)) for one in record.records("units")),
        amounts=None if amounts is None else mesos.amounts_of(amounts.fields, "amounts"),
        role=record.text("role"),
    )


# --- writing ----------------------------------------------------------------------------------------------------------


def write(cluster: Cluster) -> str:
    """Return a cluster as JSON lines that `read` reads back equal."""
    by_agent: dict[str, list[RunningInstance]] = {}
    for instance in cluster.running.instances:
        by_agent.setdefault(instance.agent, []).append(instance)
    lines = []
    for record in cluster.records:
        document = {"id": record.id, "hostname": record.hostname, "resources": list(_entries(record))}
        document |= _optional(record)
        if by_agent.get(record.id):
            document["running"] = [_running(one) for one in by_agent[record.id]]
        lines.append(json.dumps(document, separators=(",", ":"), ensure_ascii=False))
    return "\n".join(lines) + "\n"


def _entries(record: Agent) -> Iterator[dict[str, Any]]:
    for name, amount in record.free.items():
        yield mesos.scalar(name, amount)
    if record.ports:
        yield mesos.ports(record.ports)
    for one in record.reservations:
        extra = mesos.reserved(one)
        for name, amount in one.amounts.items():
            yield mesos.scalar(name, amount, **extra)
        if one.ports or not one.amounts:
            yield mesos.ports(one.ports, **extra)
    for disk in record.disks:
        yield _disk_entry(disk)
    for volume in record.volumes:
        yield _volume_entry(volume)


def _source(kind: str, path: str | None, profile: str | None = None, id: str | None = None) -> dict[str, Any]:
    source: dict[str, Any] = {"type": kind.upper()}
    if path is not None:
        source[kind] = {"root": path}
    return source | {name: value for name, value in (("profile", profile), ("id", id)) if value is not None}


def _disk_entry(disk: Disk) -> dict[str, Any]:
    role = {"role": disk.role} if disk.role != "*" else {}
    return mesos.scalar(
        "disk", disk.size, disk={"source": _source(disk.kind, disk.path, disk.profile, disk.id)}, **role
    )


def _volume_entry(volume: Volume) -> dict[str, Any]:
    persistence = {"id": volume.id} | ({"principal": volume.principal} if volume.principal is not None else {})
    disk: dict[str, Any] = {"persistence": persistence}
    if volume.container_path is not None:
        disk["volume"] = {"container_path": volume.container_path, "mode": "RW"}
    if volume.kind != "root":
        disk["source"] = _source(volume.kind, volume.path)
    owner = {"owner": volume.owner} if volume.owner is not None else {}
    return mesos.scalar("disk", volume.size, disk=disk, role=volume.role, **owner)


def _optional(record: Agent) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if record.total is not None:
        found["total"] = {name: plain(amount) for name, amount in record.total.items()}
    if record.attributes:
        found["attributes"] = [mesos.attribute(name, value) for name, value in record.attributes]
    domain = {name: {"name": value} for name, value in (("region", record.region), ("zone", record.zone)) if value}
    if domain:
        found["domain"] = {"fault_domain": domain}
    if record.unavailable_from is not None:
        found["unavailability"] = {"start": {"nanoseconds": round(record.unavailable_from * 1e9)}}
        if record.unavailable_for is not None:
            found["unavailability"]["duration"] = {"nanoseconds": round(record.unavailable_for * 1e9)}
    if record.price is not None:
        found["price"] = plain(record.price)
    return found


def _running(one: RunningInstance) -> dict[str, Any]:
    document: dict[str, Any] = {"job": one.job, "instance": one.instance, "state": one.state}
    for name in ("version", "started_at", "healthy", "role"):
        if getattr(one, name) is not None:
            document[name] = getattr(one, name)
    if one.ports:
        document["ports"] = list(one.ports)
    if one.volumes:
        document["volumes"] = list(one.volumes)
    if one.units:
        document["units"] = [{"path": path, "size": plain(amount)} for path, amount in one.units]
    if one.amounts is not None:
        document["amounts"] = {name: plain(amount) for name, amount in one.amounts.items()}
    return document
