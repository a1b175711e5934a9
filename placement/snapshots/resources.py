"""Mesos resources in JSON form: from a list of entries to an agent's free amounts, ports, reservations, disks, volumes.

Source: mesos v1/mesos.proto `Resource`; both the older form (`role`, `reservation`) and the newer (`reservations`) are
read. A reservation whose labels carry Marathon's task id belongs to that instance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from placement.amounts import thousandths
from placement.attributes import Attribute, ranges_text, scalar_text, set_text
from placement.cluster import UNRESERVED, Disk, Ranges, Reservation, Volume
from placement.documents import Record
from placement.errors import InputError

OWNER_LABELS = ("marathon_task_id", "marathon_framework_id")
_INSTANCE = re.compile(r"(?P<app>.+?)\.(?:instance-|marathon-)?(?P<uuid>[0-9a-f]{8}-[0-9a-f-]{27,})(?:\..*)?")
HIGHEST_PORT = 65535

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Key:
    """What makes resources one reservation."""

    role: str
    labels: Labels = ()
    principal: str | None = None
    dynamic: bool = False
    owner: str | None = None


@dataclass(eq=False)
class Holdings:
    """The resources of one agent while its entries are read."""

    amounts: dict[Key, dict[str, int]] = field(default_factory=dict)
    ports: dict[Key, list[tuple[int, int]]] = field(default_factory=dict)
    disks: list[Disk] = field(default_factory=list)
    volumes: list[Volume] = field(default_factory=list)

    def add(self, entries: Iterable[Record]) -> None:
        """Add entries."""
        for entry in entries:
            self._add(entry)

    def _add(self, entry: Record) -> None:
        name = entry.needed_text("name")
        key = key_of(entry)
        kind = (entry.text("type") or "SCALAR").upper()
        if kind == "RANGES":
            if name == "ports":
                self.ports.setdefault(key, []).extend(ranges_of(entry))
            return
        if kind == "SET":
            return
        if kind != "SCALAR":
            raise entry.error("type", "is no type of a resource", expected="SCALAR, RANGES or SET")
        scalar = entry.record("scalar")
        amount = scalar.amount("value", 0) if scalar is not None else 0
        disk = entry.record("disk") if name == "disk" else None
        if disk is not None and self._special_disk(disk, key, amount):
            return
        mine = self.amounts.setdefault(key, {})
        mine[name] = mine.get(name, 0) + amount

    def _special_disk(self, disk: Record, key: Key, amount: int) -> bool:
        """Add a persistent volume or a disk of its own source; return whether it was one."""
        source = disk.record("source")
        kind = (source.text("type") or "").lower() if source is not None else "root"
        if kind not in ("root", "path", "mount", "raw", "block"):
            raise disk.error("source", "is no kind of disk", expected="PATH, MOUNT, RAW or BLOCK")
        where = source.record(kind) if source is not None else None
        path = where.text("root") if where is not None else None
        persistence = disk.record("persistence")
        if persistence is not None:
            volume = disk.record("volume")
            self.volumes.append(
                Volume(
                    id=persistence.needed_text("id"),
                    size=amount,
                    role=key.role,
                    owner=key.owner,
                    kind=kind,  # type: ignore[arg-type]
                    path=path,
                    container_path=volume.text("container_path") if volume is not None else None,
                    principal=persistence.text("principal"),
                )
            )
            return True
        if source is None:
            return False
        self.disks.append(
            Disk(kind=kind, size=amount, path=path, profile=source.text("profile"), id=source.text("id"), role=key.role)  # type: ignore[arg-type]
        )
        return True

    def subtract(self, other: Holdings) -> None:
        """Take away what is in use; more than there is leaves nothing."""
        for key, amounts in other.amounts.items():
            mine = self.amounts.get(key, {})
            for name, amount in amounts.items():
                mine[name] = max(0, mine.get(name, 0) - amount)
        for key, ranges in other.ports.items():
            self.ports[key] = cut(self.ports.get(key, []), ranges)
        gone = {volume.id for volume in other.volumes}
        self.volumes = [one for one in self.volumes if one.id not in gone]
        for disk in other.disks:
            self._take_disk(disk)

    def _take_disk(self, used: Disk) -> None:
        for i, one in enumerate(self.disks):
            if (one.kind, one.path, one.id, one.role) == (used.kind, used.path, used.id, used.role):
                rest = max(0, one.size - used.size) if one.kind == "path" else 0
                self.disks[i] = Disk(
                    kind=one.kind, size=rest, path=one.path, profile=one.profile, id=one.id, role=one.role
                )
                break
        self.disks = [one for one in self.disks if one.size]

    def totals(self) -> dict[str, int]:
        """Return the sum of scalars over all roles."""
        total: dict[str, int] = {}
        for amounts in self.amounts.values():
            for name, amount in amounts.items():
                total[name] = total.get(name, 0) + amount
        return total

    def fields(self) -> dict[str, Any]:
        """Return the fields of an `Agent` that these resources fill."""
        free = Key(UNRESERVED)
        keys = [key for key in dict.fromkeys([*self.amounts, *self.ports]) if key.role != UNRESERVED]
        return {
            "free": self.amounts.get(free, {}),
            "ports": tuple(self.ports.get(free, [])),
            "reservations": tuple(
                Reservation(
                    role=key.role,
                    amounts=self.amounts.get(key, {}),
                    ports=tuple(self.ports.get(key, [])),
                    owner=key.owner,
                    labels=key.labels,
                    principal=key.principal,
                    dynamic=key.dynamic,
                )
                for key in keys
            ),
            "disks": tuple(self.disks),
            "volumes": tuple(self.volumes),
        }


def key_of(entry: Record) -> Key:
    """Return the reservation an entry belongs to; of a stack of refinements the last one counts."""
    stack = list(entry.records("reservations"))
    if stack:
        last = stack[-1]
        dynamic = (last.text("type") or "STATIC").upper() == "DYNAMIC"
        labels = labels_of(last)
        return Key(last.text("role") or UNRESERVED, labels, last.text("principal"), dynamic, _owner(entry, labels))
    role = entry.text("role") or UNRESERVED
    older = entry.record("reservation")
    if older is not None:
        labels = labels_of(older)
        return Key(role, labels, older.text("principal"), True, _owner(entry, labels))
    return Key(role, owner=entry.text("owner")) if role != UNRESERVED else Key(UNRESERVED)


def _owner(entry: Record, labels: Labels) -> str | None:
    given = entry.text("owner")
    if given:
        return given
    by_name = dict(labels)
    return next((instance_name(by_name[name]) for name in OWNER_LABELS if name in by_name), None)


def instance_name(task: str) -> str:
    """Return a name for the instance behind a Marathon task or instance id, '/app/name#uuid'."""
    found = _INSTANCE.fullmatch(task)
    return f"{app_id(task)}#{found['uuid']}" if found else task


def app_id(task: str) -> str:
    """Return the app behind a Marathon task id: 'web_shop.instance-UUID._app.1' -> '/web/shop'."""
    found = _INSTANCE.fullmatch(task)
    return "/" + (found["app"] if found else task).replace("_", "/")


def labels_of(record: Record) -> Labels:
    """Return the labels of a record in their order."""
    labels = record.record("labels")
    if labels is None:
        return ()
    return tuple((one.needed_text("key"), one.text("value") or "") for one in labels.records("labels"))


def ranges_of(record: Record) -> list[tuple[int, int]]:
    """Return the ranges of a record: {"ranges": {"range": [{"begin": 1, "end": 2}]}}."""
    holder = record.record("ranges")
    found = []
    for one in holder.records("range") if holder is not None else ():
        first, last = one.whole("begin", -1), one.whole("end", -1)
        if not 0 <= first <= last <= HIGHEST_PORT:
            raise InputError("is no range of ports", file=one.file, place=one.place, value=f"{first}-{last}",
                             expected=f"0 to {HIGHEST_PORT}, begin not above end")  # fmt: skip
        found.append((first, last))
    return found


def cut(ranges: Sequence[tuple[int, int]], gone: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return ranges without others."""
    left = list(ranges)
    for low, high in gone:
        pieces = []
        for first, last in left:
            if high < first or last < low:
                pieces.append((first, last))
                continue
            pieces += [(a, b) for a, b in ((first, low - 1), (high + 1, last)) if a <= b]
        left = pieces
    return left


def attribute_of(record: Record) -> tuple[str, Attribute]:
    """Return (name, value) of an attribute in Mesos' JSON form."""
    name = record.needed_text("name")
    kind = (record.text("type") or "TEXT").upper()
    inner = record.record({"TEXT": "text", "SCALAR": "scalar", "RANGES": "ranges", "SET": "set"}.get(kind, ""))
    if kind == "TEXT":
        return name, Attribute("text", (inner.text("value") or "") if inner is not None else "")
    if kind == "SCALAR" and inner is not None:
        return name, Attribute("scalar", scalar_text(inner.number("value", 0.0)))
    if kind == "RANGES" and inner is not None:
        ranges = [(one.whole("begin", 0), one.whole("end", 0)) for one in inner.records("range")]
        return name, Attribute("ranges", ranges_text(ranges))
    if kind == "SET" and inner is not None:
        return name, Attribute("set", set_text(inner.texts("item") or []))
    raise record.error("type", "is no attribute", expected="TEXT, SCALAR, RANGES or SET with its value")


def domain_of(record: Record) -> dict[str, Any]:
    """Return region and zone of a record's fault domain."""
    domain = record.record("domain")
    fault = domain.record("fault_domain") if domain is not None else None
    found: dict[str, str | None] = {}
    for name in ("region", "zone"):
        inner = fault.record(name) if fault is not None else None
        found[name] = inner.text("name") if inner is not None else None
    return found


def window_of(record: Record) -> dict[str, Any]:
    """Return start and length of a record's unavailability in seconds."""
    window = record.record("unavailability")
    if window is None:
        return {}
    start, duration = window.record("start"), window.record("duration")
    return {
        "unavailable_from": start.number("nanoseconds", 0) / 1e9 if start is not None else None,
        "unavailable_for": duration.number("nanoseconds", 0) / 1e9 if duration is not None else None,
    }


# --- writing ----------------------------------------------------------------------------------------------------------


def scalar(name: str, amount: int, **more: Any) -> dict[str, Any]:
    """Return a scalar entry."""
    return {"name": name, "type": "SCALAR", "scalar": {"value": _plain(amount)}, **more}


def ports(ranges: Ranges, **more: Any) -> dict[str, Any]:
    """Return a ports entry."""
    listed = [{"begin": first, "end": last} for first, last in ranges]
    return {"name": "ports", "type": "RANGES", "ranges": {"range": listed}, **more}


def reserved(one: Reservation) -> dict[str, Any]:
    """Return what a reservation adds to its entries."""
    stack: dict[str, Any] = {"role": one.role, "type": "DYNAMIC" if one.dynamic else "STATIC"}
    if one.principal is not None:
        stack["principal"] = one.principal
    if one.labels:
        stack["labels"] = {"labels": [{"key": key, "value": value} for key, value in one.labels]}
    return {"reservations": [stack], **({"owner": one.owner} if one.owner is not None else {})}


def _plain(amount: int) -> float | int:
    return amount // 1000 if amount % 1000 == 0 else amount / 1000


def attribute(name: str, value: Attribute) -> dict[str, Any]:
    """Return an attribute in Mesos' JSON form."""
    if value.kind == "text":
        return {"name": name, "type": "TEXT", "text": {"value": value.text}}
    if value.kind == "scalar":
        return {"name": name, "type": "SCALAR", "scalar": {"value": float(value.text)}}
    inner = value.text[1:-1]
    items = inner.split(",") if inner else []
    if value.kind == "set":
        return {"name": name, "type": "SET", "set": {"item": items}}
    pairs = [item.split("-") for item in items]
    return {"name": name, "type": "RANGES",
            "ranges": {"range": [{"begin": int(first), "end": int(last)} for first, last in pairs]}}  # fmt: skip


def amounts_of(fields: Mapping[str, Any], place: str) -> dict[str, int]:
    """Return plain {"cpus": 1.5, ...} as thousandths; entries that are no numbers (ports) are left out."""
    found = {}
    for name, value in fields.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                found[name] = thousandths(value, what=name)
            except InputError as error:
                raise error.inside(place=f"{place}.{name}") from None
    return found
