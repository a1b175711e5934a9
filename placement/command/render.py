"""Answers as tables and JSON: pure functions from results to what is printed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from placement.amounts import plain, text
from placement.constraints.text import IMPLIED_OPERATORS

if TYPE_CHECKING:
    from placement.cluster import Cluster
    from placement.conflicts import Conflict, SmallestChange
    from placement.eligibility import Eligibility
    from placement.explanation import Explanation
    from placement.placements import Answer
    from placement.workload import Job, Workload

MOST_JOBS = 40
"""Jobs that are listed one by one; of more, only those not wholly placed."""
MOST_VALUES = 8
MOST_UNPLACED = 10


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold", title_style="bold")
    for column in columns:
        left = column in (
            "job",
            "agent",
            "reasons",
            "level",
            "solver",
            "values",
            "name",
            "constraints",
            "source",
            "why",
        )
        table.add_column(column, justify="left" if left else "right", overflow="fold")
    return table


# --- place ------------------------------------------------------------------------------------------------------------


def answer_tables(
    cluster: Cluster,
    workload: Workload,
    answer: Answer,
    reasons: Sequence[Explanation],
    change: SmallestChange | None = None,
) -> Iterator[Table | str]:
    """Yield the parts of an answer's report; `change`: what was found of conflicts, if that was looked for."""
    yield _jobs(workload, answer)
    yield _levels(answer)
    seconds = ", ".join(f"{phase} {time:.2f} s" for phase, time in answer.seconds.items())
    cut = "; the deadline cut the search short" if answer.cut_short else ""
    used = len(set(answer.placements.agent.tolist()))
    moved = f", {answer.placements.moves} moved" if answer.placements.moves else ""
    yield (f"\n{answer.placed} of {answer.asked} instances placed on {used} of {len(cluster)} agents{moved}, verified"
           f"\n{answer.solver}{cut}\n{seconds}")  # fmt: skip
    yield from _moves(answer)
    for job, rule, count in answer.violations:
        yield f"relaxed: {job}: {rule} is broken by {count}"
    if workload.left_out:
        yield _left_out(workload)
    for one in reasons[:MOST_UNPLACED]:
        yield "\n" + "\n".join(one.lines())
    if len(reasons) > MOST_UNPLACED:
        yield f"\n{len(reasons) - MOST_UNPLACED} more jobs are not wholly placed: see --format json"
    if change is not None:
        yield "\n" + "\n".join(conflict_lines(change))


def _jobs(workload: Workload, answer: Answer) -> Table:
    table = _table("placed", "job", "layer", "asked", "placed", "missing", "agents")
    missing = {one.job: one.count for one in answer.unplaced}
    placed = answer.placements.placed_of
    agents = _agents_of(answer)
    for job in workload.jobs:
        if len(workload) > MOST_JOBS and job.id not in missing:
            continue
        here, lack = placed.get(job.id, 0), missing.get(job.id, 0)
        row = (job.id, str(job.layer), str(here + lack), str(here), str(lack or "-"), str(agents.get(job.id, 0)))
        table.add_row(*row, style="bold red" if lack else None)
    return table


def _moves(answer: Answer) -> Iterator[str]:
    found = answer.placements
    rows = [(i, *row) for i, row in enumerate(found.rows()) if found.home(i)] if found.moves else []
    for i, job, instance, agent in rows[:MOST_JOBS]:
        yield f"move {job}#{instance} from {found.home(i)} to {agent}"
    if len(rows) > MOST_JOBS:
        yield f"{len(rows) - MOST_JOBS} more moves: see --format csv"


def _agents_of(answer: Answer) -> dict[str, int]:
    found = answer.placements
    pairs = {(job, agent) for job, agent in zip(found.job.tolist(), found.agent.tolist(), strict=True)}
    counts = Counter(job for job, _ in pairs)
    return {found.jobs[job]: count for job, count in counts.items()}


def _levels(answer: Answer) -> Table:
    table = _table("\nhow good", "level", "value", "bound", "gap", "proved")
    for level in answer.levels:
        table.add_row(
            level.name, f"{level.value:g}", f"{level.bound:g}", f"{level.gap:.2%}", "yes" if level.proved else "no"
        )
    return table


def _left_out(workload: Workload) -> Table:
    table = _table("\nleft out", "job", "instances", "why")
    for one in workload.left_out:
        table.add_row(one.id, str(one.instances), one.reason)
    return table


def answer_json(
    answer: Answer, reasons: Sequence[Explanation], workload: Workload, change: SmallestChange | None = None
) -> str:
    """Return the whole answer as a JSON document; `change`: what was found of conflicts, if that was looked for."""
    found = answer.placements
    placements = [
        {"job": job, "instance": instance, "agent": agent, "layer": int(found.layer[i])}
        | ({"moved_from": found.home(i)} if found.home(i) else {})
        | ({"ports": list(found.ports[i])} if found.ports and found.ports[i] else {})
        | (
            {"units": [[path, plain(amount)] for path, amount in found.units[i]]}
            if found.units and found.units[i]
            else {}
        )
        for i, (job, instance, agent) in enumerate(found.rows())
    ]
    document = {
        **answer.summary(),
        "unplaced": [{"job": one.job, "count": one.count, "waiting": one.waiting} for one in answer.unplaced],
        "violations": [{"job": job, "constraint": rule, "instances": n} for job, rule, n in answer.violations],
        "left_out": [{"id": one.id, "instances": one.instances, "reason": one.reason} for one in workload.left_out],
        "reasons": [_explanation(one) for one in reasons],
        **({} if change is None else conflict_document(change)),
        "placements": placements,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _explanation(one: Explanation) -> dict[str, Any]:
    return {
        "job": one.job,
        "missing": one.missing,
        "agents": one.agents,
        "funnel": [{"check": r.check, "reason": r.reason, "removed": r.removed, "alone": r.alone} for r in one.funnel],
        "nearest": [{"agent": near.agent, "lacks": list(near.lacks)} for near in one.nearest],
        "changes": [{"change": change.text, "agents": change.agents} for change in one.changes],
        "notes": list(one.notes),
    }


# --- conflicts --------------------------------------------------------------------------------------------------------


def conflict_lines(change: SmallestChange | None, job: str | None = None) -> list[str]:
    """Return the conflicts, of one job or of all, and the fewest changes; None: everything can be placed."""
    if change is None:
        return ["everything could be placed: no rules conflict, the search did not find it in the time"]
    told = [one for one in change.conflicts if job is None or job in one.jobs]
    if job is not None and not told:
        return [f"no conflict of {job} with other rules was found"]
    lines = [line for one in told[:MOST_UNPLACED] for line in one.lines()]
    if len(told) > MOST_UNPLACED:
        lines.append(f"{len(told) - MOST_UNPLACED} more conflicts")
    if not told:
        lines.append("not proved: neither a way to place everything nor a conflict was found in the time")
    return [*lines, *(change.lines() if told else [])]


def conflict_document(change: SmallestChange) -> dict[str, Any]:
    """Return conflicts and the fewest changes as JSON data."""
    return {
        "conflicts": [_conflict(one) for one in change.conflicts],
        "smallest_change": {"changes": list(change.changes), "alternatives": list(change.alternatives)},
    }


def _conflict(one: Conflict) -> dict[str, Any]:
    return {
        "headline": one.headline,
        "rules": [str(reason) for reason in one.reasons],
        "jobs": list(one.jobs),
        "details": list(one.details),
        "minimal": one.minimal,
        "proof": one.proof,
    }


# --- eligible ---------------------------------------------------------------------------------------------------------


def eligibility_table(found: Eligibility) -> Table:
    """Return the agents of an eligibility with the reasons of those refused."""
    title = f"{found.job.id}: {len(found.agents)} of {len(found.cluster)} agents are eligible"
    table = _table(title, "agent", "eligible", "reasons")
    for i in np.argsort(~found.mask, kind="stable").tolist():
        reasons = found.reasons(i)
        names = [check.name for check in found.failures(i) if check.name != "ports" or "InsufficientPorts" in reasons]
        words = ", ".join(reasons) + (f" ({', '.join(names)})" if names else "")
        table.add_row(found.cluster.agents[i], "yes" if found.mask[i] else "no", "" if found.mask[i] else words)
    return table


# --- describe ---------------------------------------------------------------------------------------------------------


def cluster_tables(cluster: Cluster) -> Iterator[Table | str]:
    """Yield what was understood of a snapshot."""
    yield f"snapshot of {len(cluster)} agents, {len(cluster.running)} running instances"
    table = _table("\nresources", "name", "free", "total", "agents")
    for i, name in enumerate(cluster.resources):
        if cluster.total[:, i].any():
            free, total = int(cluster.free[:, i].sum()), int(cluster.total[:, i].sum())
            table.add_row(name, text(free), text(total), str(int((cluster.total[:, i] > 0).sum())))
    ports = int((cluster.ports.last - cluster.ports.first + 1).sum())
    if ports:
        table.add_row("ports", str(ports), "", str(len(set(cluster.ports.agent.tolist()))))
    for role in cluster.roles[1:]:
        for i, name in enumerate(cluster.resources):
            amounts = cluster.pool(role)[:, i]
            if amounts.any():
                table.add_row(f"{name}({role})", text(int(amounts.sum())), "", str(int((amounts > 0).sum())))
    yield table
    yield _attributes(cluster)
    disks = Counter(disk.kind for record in cluster.records for disk in record.disks)
    volumes = sum(len(record.volumes) for record in cluster.records)
    windows = int((~np.isnan(cluster.unavailable_from)).sum())
    yield (f"\ndisks: {', '.join(f'{count} {kind}' for kind, count in sorted(disks.items())) or 'root only'}; "
           f"persistent volumes: {volumes}; maintenance windows: {windows}")  # fmt: skip


def _attributes(cluster: Cluster) -> Table:
    table = _table("\nattributes", "name", "distinct", "absent", "values")
    for name in ("@region", "@zone", *cluster.attribute_names):
        column = cluster.column(name)
        absent = int((column.codes < 0).sum())
        if absent < len(cluster):
            shown = ", ".join(column.values[:MOST_VALUES]) + (", ..." if len(column.values) > MOST_VALUES else "")
            table.add_row(name, str(len(column.values)), str(absent), shown)
    return table


def workload_tables(workload: Workload, running: int) -> Iterator[Table | str]:
    """Yield what was understood of a workload."""
    yield f"workload of {len(workload)} jobs, {workload.instances} instances" + (
        f", {running} running" if running else ""
    )
    table = _table("\njobs", "job", "layer", "instances", "cpus", "mem", "disk", "gpus", "ports", "volumes", "role",
                   "constraints")  # fmt: skip
    for job in workload.jobs:
        table.add_row(*_job_cells(job))
    yield table
    if workload.left_out:
        yield _left_out(workload)


def _job_cells(job: Job) -> tuple[str, ...]:
    amounts = [text(job.demand[name]) if name in job.demand else "-" for name in ("cpus", "mem", "disk", "gpus")]
    further = [
        f"{name} {text(amount)}" for name, amount in job.demand.items() if name not in ("cpus", "mem", "disk", "gpus")
    ]
    ports = " ".join(str(port or "any") for port in job.ports) or "-"
    volumes = " ".join(f"{one.name}:{one.kind}:{text(one.size)}" for one in job.volumes) or "-"
    rules = [one.sentence() for one in job.constraints if one.operator not in IMPLIED_OPERATORS]
    return (job.id, str(job.layer), str(job.instances), *amounts, ports, volumes, job.role,
            "; ".join([*rules, *further]) or "-")  # fmt: skip
