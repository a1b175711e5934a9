"""Answers of a Mesos master as snapshots: `/state`, `/slaves`, and the v1 API's GET_AGENTS.

Free is what an agent has less what is in use. `/state` also tells what runs; tasks of Marathon get their app's id.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from placement.attributes import Attribute, parse, parse_ranges, scalar_text
from placement.cluster import Agent, Cluster, Reservation
from placement.documents import Record, load_json
from placement.errors import InputError, InputWarning
from placement.frameworks.marathon.reader import STATE_OF
from placement.running import RunningInstance
from placement.snapshots import resources as mesos
from placement.snapshots.resources import Holdings, cut

PROGRESS_STEP = 10_000


def fits(data: bytes) -> bool:
    """Tell whether bytes look like a master's answer; only the beginning is looked at."""
    start = data[: 1 << 16]
    if not start.lstrip(b"\xef\xbb\xbf\r\n ").startswith(b"{"):
        return False
    return any(word in start for word in (b'"slaves"', b'"get_agents"', b'"GET_AGENTS"')) or b'"slaves"' in data


def read(
    data: bytes,
    *,
    file: str,
    total: bool = False,
    strict: bool = False,
    now: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> Cluster:
    """Return the cluster of a master's answer; see `placement.snapshots.read_cluster` (totals are known anyway)."""
    document = Record.of(load_json(data, file=file), "", strict=strict, file=file)
    answer = document.record("get_agents")
    if answer is not None:
        listed = _active(answer.records("agents"), file)
        return Cluster.build(list(_told(map(_v1_agent, listed), progress)), now=now)
    if "slaves" not in document.fields:
        raise InputError("is no answer of a Mesos master", file=file, expected="a key slaves or get_agents")
    agents = list(_told(map(_agent, _active(document.records("slaves"), file)), progress))
    return Cluster.build(agents, _tasks(document), now=now)


def _active(agents: Iterator[Record], file: str) -> Iterator[Record]:
    """Yield the agents that are connected; the others are counted in a warning, since nothing is offered of them."""
    away = 0
    for agent in agents:
        if agent.flag("active", True):
            yield agent
        else:
            away += 1
    if away:
        warnings.warn(f"{file}: {away} agents are not active and are left out", InputWarning, stacklevel=2)


def _told(agents: Iterator[Agent], progress: Callable[[str], None] | None) -> Iterator[Agent]:
    for number, agent in enumerate(agents, start=1):
        if progress is not None and number % PROGRESS_STEP == 0:
            progress(f"{number} agents read")
        yield agent


def _v1_agent(record: Record) -> Agent:
    info = record.record("agent_info")
    if info is None:
        raise InputError("has no agent_info", file=record.file, place=record.place, expected="an agent of GET_AGENTS")
    name = info.record("id")
    held, used = Holdings(), Holdings()
    held.add(record.records("total_resources") if "total_resources" in record else info.records("resources"))
    used.add(record.records("allocated_resources"))
    total = held.totals()
    held.subtract(used)
    return Agent(
        id=name.needed_text("value") if name is not None else info.needed_text("hostname"),
        hostname=info.text("hostname") or "",
        total=total,
        attributes=tuple(mesos.attribute_of(one) for one in info.records("attributes")),
        **mesos.domain_of(info),
        **held.fields(),
    )


def _agent(record: Record) -> Agent:
    """Return one of the agents of /state or /slaves."""
    total, held = _full(record) or _plain(record)
    return Agent(
        id=record.needed_text("id"),
        hostname=record.text("hostname") or "",
        total=total,
        attributes=tuple(_attributes(record)),
        **mesos.domain_of(record),
        **held,
    )


def _full(record: Record) -> tuple[dict[str, int], dict[str, Any]] | None:
    """Return totals and free resources from the `_full` lists, which name every entry; None if they are not there."""
    if "unreserved_resources_full" not in record:
        return None
    held, used = Holdings(), Holdings()
    held.add(record.records("unreserved_resources_full"))
    by_role = record.record("reserved_resources_full")
    for role in by_role.fields if by_role is not None else ():
        assert by_role is not None
        held.add(by_role.records(role))
    used.add(record.records("used_resources_full"))
    total = held.totals()
    held.subtract(used)
    return total, held.fields()


def _plain(record: Record) -> tuple[dict[str, int], dict[str, Any]]:
    """Return totals and free resources from the plain sums; what is used is taken from the unreserved part first."""
    whole = _sums(record, "resources")
    unreserved = _sums(record, "unreserved_resources") if "unreserved_resources" in record else dict(whole)
    used = _sums(record, "used_resources")
    free = {name: max(0, amount - used.get(name, 0)) for name, amount in unreserved.items()}
    over = {name: max(0, used[name] - unreserved.get(name, 0)) for name in used}
    reservations = []
    by_role = record.record("reserved_resources")
    for role in by_role.fields if by_role is not None else ():
        assert by_role is not None
        amounts = _sums(by_role, role)
        taken = {name: min(over.get(name, 0), amount) for name, amount in amounts.items()}
        over = {name: amount - taken.get(name, 0) for name, amount in over.items()}
        left = {name: amount - taken[name] for name, amount in amounts.items()}
        reservations.append(Reservation(role=role, amounts=left, ports=tuple(_ports(by_role, role))))
    holder = "unreserved_resources" if "unreserved_resources" in record else "resources"
    ports = tuple(cut(_ports(record, holder), _ports(record, "used_resources")))
    return whole, {"free": free, "ports": ports, "reservations": tuple(reservations)}


def _sums(record: Record, name: str) -> dict[str, int]:
    inner = record.record(name)
    return {} if inner is None else mesos.amounts_of(inner.fields, inner.place)


def _ports(record: Record, name: str) -> list[tuple[int, int]]:
    inner = record.record(name)
    text = inner.text("ports") if inner is not None else None
    if not text:
        return []
    assert inner is not None
    try:
        return parse_ranges(text.strip().removeprefix("[").removesuffix("]"))
    except InputError as error:
        raise error.inside(file=record.file, place=inner.at("ports")) from None


def _attributes(record: Record) -> Iterator[tuple[str, Attribute]]:
    """Yield the attributes of /state, where a number is a scalar and a text is in Mesos' text form."""
    inner = record.record("attributes")
    for name, value in (inner.fields if inner is not None else {}).items():
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            assert inner is not None
            raise inner.error(name, "is no attribute", expected="a number or a text")
        try:
            yield name, parse(value) if isinstance(value, str) else Attribute("scalar", scalar_text(float(value)))
        except InputError as error:
            raise error.inside(file=record.file, place=f"{record.at('attributes')}.{name}") from None


def _tasks(document: Record) -> list[RunningInstance]:
    """Return what runs, numbered from 0 by job in the order listed."""
    numbers: Counter[str] = Counter()
    found = []
    for framework in document.records("frameworks"):
        is_marathon = (framework.text("name") or "").startswith("marathon")
        for task in framework.records("tasks"):
            instance = _task(task, is_marathon)
            if instance.state in ("finished", "failed", "killed", "error"):
                continue
            found.append(replace(instance, instance=numbers[instance.job]))
            numbers[instance.job] += 1
    return found


def _task(task: Record, is_marathon: bool) -> RunningInstance:
    name = task.needed_text("id")
    state = task.text("state") or "TASK_RUNNING"
    if state not in STATE_OF:
        raise task.error("state", "is no state of a task", expected="TASK_RUNNING, ...")
    moments = [one.number("timestamp", 0) for one in task.records("statuses") if one.text("state") == "TASK_RUNNING"]
    return RunningInstance(
        job=mesos.app_id(name) if is_marathon else (task.text("name") or name),
        instance=0,
        agent=task.text("slave_id") or "",
        state=STATE_OF[state],
        started_at=min(moments) if moments else None,
        amounts=_sums(task, "resources"),
        ports=tuple(port for first, last in _ports(task, "resources") for port in range(first, last + 1)),
        role=task.text("role"),
    )
