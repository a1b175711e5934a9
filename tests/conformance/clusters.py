"""The agents and running instances of a case as a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from placement.amounts import thousandths
from placement.attributes import parse
from placement.cluster import Agent, Cluster, Disk, Reservation, Volume
from placement.running import RunningInstance
from placement.snapshots.resources import OWNER_LABELS

NOT_AMOUNTS = {"ports", "role", "labels", "owner", "principal", "dynamic", "disks"}


def seconds(moment: str | None) -> float | None:
    return None if moment is None else datetime.fromisoformat(moment).timestamp()


def cluster_of(case: Mapping[str, Any]) -> Cluster:
    running = [instance_of(row) for row in case["running"]]
    taken = {one.name for one in running}
    waiting = [instance_of({**row, "state": "reserved"}) for row in case.get("reservations", [])]
    running += [one for one in waiting if one.name not in taken]
    return Cluster.build([agent_of(row) for row in case["agents"]], running, now=seconds(case.get("now")))


def instance_of(row: Mapping[str, Any]) -> RunningInstance:
    return RunningInstance(
        job=row["job"],
        instance=row["instance"],
        agent=row.get("agent", ""),
        state=row.get("state") or "running",
        version=seconds(row.get("version")),
        started_at=seconds(row.get("started_at")),
        healthy=row.get("healthy"),
        volumes=tuple(row.get("volumes", ())),
    )


def agent_of(row: Mapping[str, Any]) -> Agent:
    window = row.get("unavailability") or {}
    return Agent(
        id=row["id"],
        hostname=row["hostname"],
        free=amounts(row["resources"]),
        ports=ranges(row["resources"].get("ports", [])),
        attributes=tuple(
            (name, parse(str(value)))
            for name, values in row["attributes"].items()
            for value in (values if isinstance(values, list) else [values])
        ),
        region=row["region"],
        zone=row["zone"],
        reservations=tuple(reservation_of(one) for one in row.get("reserved", [])),
        disks=tuple(disk_of(one) for one in row.get("disks", [])),
        volumes=tuple(volume_of(one) for one in row.get("volumes", [])),
        unavailable_from=seconds(window.get("start")),
        unavailable_for=window.get("duration_s"),
    )


def amounts(row: Mapping[str, Any]) -> dict[str, int]:
    return {name: thousandths(value) for name, value in row.items() if name not in NOT_AMOUNTS}


def ranges(rows: list[list[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((first, last) for first, last in rows)


def reservation_of(row: Mapping[str, Any]) -> Reservation:
    labels = row.get("labels") or {}
    return Reservation(
        role=row["role"],
        amounts=amounts(row),
        ports=ranges(row.get("ports", [])),
        owner=row.get("owner") or next((labels[name] for name in OWNER_LABELS if name in labels), None),
        labels=tuple(labels.items()),
        dynamic=bool(labels),
    )


def disk_of(row: Mapping[str, Any]) -> Disk:
    return Disk(
        kind=row["type"],
        path=row.get("path"),
        size=thousandths(row["size"]),
        profile=row.get("profile"),
        role=row.get("role", "*"),
    )


def volume_of(row: Mapping[str, Any]) -> Volume:
    return Volume(id=row["id"], size=thousandths(row["size"]), role=row["role"], owner=row.get("owner"))
