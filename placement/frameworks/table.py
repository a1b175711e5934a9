"""Workloads as CSV: one row a job, or one row a task.

A job: `job`, `instances`, `min`, resources (`cpus`, `mem`, `disk`, `gpus`, `resource:NAME`), `ports` (a count, or fixed
ones `80;443`), `constraints` (`rack:GROUP_BY:3;hostname:UNIQUE`), `role`, `priority`, `weight`, `dependencies`
(`a;b`). A task: `id`, `app`, resources, `constraint`; the tasks of one app are one job.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from placement.amounts import text as amount_text
from placement.cluster import STANDARD, UNRESERVED
from placement.constraints.base import Constraint
from placement.constraints.text import parse, write
from placement.errors import InputError, doubt, nearest
from placement.frameworks.found import Found
from placement.layers import layers_of
from placement.snapshots.cells import CellReader, Rows, read_rows, resource_name, write_rows
from placement.workload import GREATEST_COUNT, Job, Workload

JOB_COLUMNS = (
    "job",
    "instances",
    "min",
    *STANDARD,
    "ports",
    "constraints",
    "role",
    "priority",
    "weight",
    "dependencies",
)
TASK_COLUMNS = ("id", "app", *STANDARD, "constraint")


def fits(data: bytes) -> bool:
    """Tell whether bytes look like a CSV workload: a header with a column job, or with id and app."""
    header = data.lstrip(b"\xef\xbb\xbf\r\n ").split(b"\n", 1)[0]
    names = {name.strip().strip(b'"') for name in header.split(b",")}
    return b"job" in names or {b"id", b"app"} <= names


def read(data: bytes, *, file: str, settings: Mapping[str, str], strict: bool, skip_refused: bool) -> Found:
    """Return the jobs of a CSV workload; see `placement.frameworks.read_workload` (it knows no settings).

    Raises
    ------
    InputError
        For missing or unknown columns, or a cell that cannot be read.
    """
    rows = read_rows(data, file=file)
    by_job = "job" in rows.header
    known = JOB_COLUMNS if by_job else TASK_COLUMNS
    if not by_job and not {"id", "app"} <= set(rows.header):
        raise InputError("has no column job", file=file, place="line 1", value=",".join(rows.header),
                         expected="a column job, or columns id and app")  # fmt: skip
    for name in rows.header:
        if name not in known and resource_name(name) is None:
            doubt("unknown column", strict=strict, file=file, place=f"line 1, column {name}",
                  nearest=nearest(name, known))  # fmt: skip
    reader = _Reader(rows, file, strict)
    return Found(reader.jobs() if by_job else reader.apps())


class _Reader:
    """Reads the rows of one file; equal cells are read once."""

    def __init__(self, rows: Rows, file: str, strict: bool) -> None:
        self.rows = rows
        self.file = file
        self.strict = strict
        self.cells = CellReader(file)
        self.column = {name: i for i, name in enumerate(rows.header)}
        self.resources = [(i, n, column) for i, column in enumerate(rows.header) if (n := resource_name(column))]
        self.constraints: dict[str, tuple[Constraint, ...]] = {}

    def jobs(self) -> tuple[Job, ...]:
        """Return the jobs of a table with one row a job."""
        jobs: dict[str, Job] = {}
        for line, row in self.rows.rows:
            job = self._job(line, row)
            if job.id in jobs:
                raise self.cells.wrong("stands twice", job.id, line, "job", "each job once")
            jobs[job.id] = job
        edges = {job.id: [one for one in job.dependencies if one in jobs] for job in jobs.values()}
        try:
            layers = layers_of(edges)
        except InputError as error:
            raise error.inside(file=self.file, place="column dependencies") from None
        return tuple(replace(job, layer=layers[job.id]) for job in jobs.values())

    def _cell(self, row: Sequence[str], name: str) -> str:
        return row[self.column[name]].strip() if name in self.column else ""

    def _job(self, line: int, row: Sequence[str]) -> Job:
        name, cells = self._cell(row, "job"), self.cells
        if not name:
            raise cells.wrong("names no job", name, line, "job", "a job id")
        instances = self._count(row, line, "instances", 1)
        role = self._cell(row, "role")
        weight = cells.amount(self._cell(row, "weight") or "1", line, "weight")
        try:
            return Job(
                id=name,
                instances=instances,
                minimum=self._count(row, line, "min", 0),
                demand=self._demand(line, row),
                constraints=self._rules(self._cell(row, "constraints"), line, "constraints"),
                ports=self._ports(self._cell(row, "ports"), line),
                role=role or UNRESERVED,
                accepted_roles=(role, UNRESERVED) if role else (UNRESERVED,),
                priority=cells.whole(self._cell(row, "priority"), line, "priority", 0),
                weight=weight,
                dependencies=tuple(one.strip() for one in self._cell(row, "dependencies").split(";") if one.strip()),
                framework="table",
                source=f"{self.file}, line {line}",
            )
        except InputError as error:
            if error.file is not None:
                raise
            raise error.inside(file=self.file, place=f"line {line}") from None

    def _count(self, row: Sequence[str], line: int, column: str, default: int) -> int:
        count = self.cells.whole(self._cell(row, column), line, column, default)
        if not 0 <= count <= GREATEST_COUNT:
            raise self.cells.wrong("is out of range", count, line, column, f"0 to {GREATEST_COUNT}")
        return count

    def _demand(self, line: int, row: Sequence[str]) -> dict[str, int]:
        amounts = {name: self.cells.amount(row[i], line, column) for i, name, column in self.resources}
        return {name: amount for name, amount in amounts.items() if amount}

    def _rules(self, cell: str, line: int, column: str) -> tuple[Constraint, ...]:
        if cell not in self.constraints:
            try:
                self.constraints[cell] = parse(cell)
            except InputError as error:
                raise self.cells.at(error, line, column) from None
        return self.constraints[cell]

    def _ports(self, cell: str, line: int) -> tuple[int, ...]:
        """Return the ports of a cell: one number is a count of any ports, several (or `80;`) are fixed ones."""
        if not cell:
            return ()
        numbers = [self.cells.whole(one, line, "ports", -1) for one in cell.split(";") if one.strip()]
        if any(not 0 <= one <= 65535 for one in numbers):
            raise self.cells.wrong("is no list of ports", cell, line, "ports", "a count, or ports joined by ;")
        return tuple(numbers) if ";" in cell else (0,) * numbers[0]

    def apps(self) -> tuple[Job, ...]:
        """Return the jobs of a table with one row a task: the equal tasks of one app are one job."""
        app_at, id_at = self.column["app"], self.column["id"]
        rule_at = self.column.get("constraint")
        keys = [i for i, _, _ in self.resources]
        counts: Counter[tuple[str, str, tuple[str, ...]]] = Counter()
        first: dict[tuple[str, str, tuple[str, ...]], tuple[int, Sequence[str]]] = {}
        ids: set[str] = set()
        for line, row in self.rows.rows:
            if not row[id_at] or row[id_at] in ids:
                raise self.cells.wrong(
                    "names no task, or one that stands already", row[id_at], line, "id", "distinct ids"
                )
            ids.add(row[id_at])
            key = (row[app_at], row[rule_at] if rule_at is not None else "", tuple([row[i] for i in keys]))
            counts[key] += 1
            if key not in first:
                first[key] = (line, row)
        return self._grouped(counts, first)

    def _grouped(self, counts: Counter[Any], first: Mapping[Any, tuple[int, Sequence[str]]]) -> tuple[Job, ...]:
        """Return one job for each kind of task; an app with several kinds becomes app, app~2, ..."""
        rules: dict[str, str] = {}
        kinds: Counter[str] = Counter()
        jobs = []
        for key, count in counts.items():
            (app, rule, _), (line, row) = key, first[key]
            if not app.strip():
                raise self.cells.wrong("names no app", app, line, "app", "an app")
            if rules.setdefault(app, rule) != rule:
                raise self.cells.wrong(
                    "differs from that of the app's other tasks", rule, line, "constraint", rules[app]
                )
            kinds[app] += 1
            name = app if kinds[app] == 1 else f"{app}~{kinds[app]}"
            if kinds[app] > 1:
                doubt("the tasks of an app differ; they become jobs of their own", strict=self.strict, file=self.file,
                      place=f"line {line}", value=name)  # fmt: skip
            jobs.append(Job(id=name, instances=count, demand=self._demand(line, row),
                            constraints=self._rules(rule, line, "constraint"), framework="table",
                            source=f"{self.file}, line {line}"))  # fmt: skip
        return tuple(jobs)


# --- writing ----------------------------------------------------------------------------------------------------------


def lost(workload: Workload) -> list[str]:
    """Return what a CSV workload cannot carry of a workload."""
    found = {
        "persistent volumes": any(job.volumes for job in workload.jobs),
        "accepted roles": any(set(job.accepted_roles) != {job.role, UNRESERVED} for job in workload.jobs),
        "rules that the framework implies": any(
            len(parse(write(job.constraints))) < len(job.constraints) for job in workload.jobs
        ),
        "several ports of which some may be any": any(0 in job.ports and any(job.ports) for job in workload.jobs),
    }
    return [name for name, is_lost in found.items() if is_lost]


def write_workload(workload: Workload) -> str:
    """Return a workload as a CSV text with one row a job (what `lost` names is lost)."""
    names = dict.fromkeys(name for job in workload.jobs for name, amount in job.demand.items() if amount)
    further = [name for name in names if name not in STANDARD]
    standard = [name for name in STANDARD if name in names or name in ("cpus", "mem")]
    columns = ["job", "instances", "min", *standard, *(f"resource:{name}" for name in further), *JOB_COLUMNS[7:]]
    return write_rows(columns, (_row(job, [*standard, *further]) for job in workload.jobs))


def _row(job: Job, resources: Sequence[str]) -> list[object]:
    fixed = ";".join(map(str, job.ports)) + (";" if len(job.ports) == 1 else "")
    ports = fixed if any(job.ports) else len(job.ports) or ""
    amounts = [amount_text(job.demand[name]) if name in job.demand else "" for name in resources]
    return [job.id, job.instances, job.minimum or "", *amounts, ports, write(job.constraints),
            "" if job.role == UNRESERVED else job.role, job.priority or "", amount_text(job.weight),
            ";".join(job.dependencies)]  # fmt: skip
