"""The registry of framework readers, and the one way from files to a workload.

A reader is one module (or package) with `fits` and `read`; adding one is that and one line of `FRAMEWORKS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from placement.documents import decode_text, load_json, name_of, read_bytes
from placement.errors import InputError, nearest
from placement.running import RunningInstance
from placement.workload import Job, LeftOut, Workload


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework whose job files are read.

    Attributes
    ----------
    name
        For `--workload-format`.
    title
        What is read, in a few words.
    module
        Holds `fits(document) -> bool` and `read(document, *, file, settings, strict, skip_refused)`; the document is a
        JSON value, or bytes where `text` is set.
    text
        Whether it reads text rather than JSON.
    """

    name: str
    title: str
    module: str
    text: bool = False

    def load(self) -> ModuleType:
        """Return the reader's module."""
        return import_module(self.module)


FRAMEWORKS: Mapping[str, Framework] = {
    one.name: one
    for one in (
        Framework("marathon", "Marathon apps, pods, groups, lists of apps, API answers (JSON)",
                  "placement.frameworks.marathon"),
        Framework("table", "CSV, one row a job or one row a task", "placement.frameworks.table", text=True),
    )
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class ReadWorkload:
    """What workload files hold: the workload, and the instances that they say run."""

    workload: Workload
    running: tuple[RunningInstance, ...] = ()


def read_workload(
    paths: Sequence[str | Path],
    *,
    format: str | None = None,
    settings: Mapping[str, str] | None = None,
    strict: bool = False,
    prefix_files: bool = False,
    skip_refused: bool = False,
    scale: int = 1,
    stdin: BinaryIO | None = None,
) -> ReadWorkload:
    """Return the workload of one or several files together.

    Parameters
    ----------
    paths
        Files; `-` is standard input.
    format
        A framework's name; None finds out from the content.
    settings
        Framework settings by name.
    strict
        Unknown keys and numbers written as text are errors.
    prefix_files
        Put the file's name before every job id, so that equal ids of different files stay apart.
    skip_refused
        What the framework itself would refuse is left out, with the reason.
    scale
        Multiply every job's instances.

    Raises
    ------
    InputError
        If a file cannot be read or understood, or two files define one job differently.
    """
    parts = []
    for path in paths:
        framework, document = _document(path, format, stdin)
        found = framework.load().read(
            document, file=name_of(path), settings=settings or {}, strict=strict, skip_refused=skip_refused
        )
        parts.append((path, found))
    jobs: dict[str, Job] = {}
    running: list[RunningInstance] = []
    left_out: list[LeftOut] = []
    for path, found in parts:
        rename = _prefixed(path) if prefix_files else _same
        for job in found.jobs:
            _join(jobs, _renamed(job, rename, {one.id for one in found.jobs}), name_of(path))
        running += [replace(one, job=rename(one.job)) for one in found.running]
        left_out += [replace(one, id=rename(one.id) if prefix_files else one.id) for one in found.left_out]
    scaled = [replace(job, instances=job.instances * scale, minimum=job.minimum * scale) for job in jobs.values()]
    return ReadWorkload(Workload(tuple(scaled), tuple(left_out)), tuple(running))


def _document(path: str | Path, format: str | None, stdin: BinaryIO | None) -> tuple[Framework, Any]:
    """Return the framework of a file and its document as that framework takes it."""
    if format is not None and format not in FRAMEWORKS:
        raise InputError("no such workload format", value=format, expected="one of " + ", ".join(FRAMEWORKS),
                         nearest=nearest(format, FRAMEWORKS))  # fmt: skip
    data = read_bytes(path, stdin)
    file = name_of(path)
    if format is not None:
        chosen = FRAMEWORKS[format]
        return chosen, data if chosen.text else load_json(data, file=file)
    if data.lstrip()[:1] not in (b"{", b"["):
        decode_text(data, file=file)
        fitting = [one for one in FRAMEWORKS.values() if one.text and one.load().fits(data)]
        return _only(fitting, file), data
    document = load_json(data, file=file)
    fitting = [one for one in FRAMEWORKS.values() if not one.text and one.load().fits(document)]
    return _only(fitting, file), document


def _only(fitting: Sequence[Framework], file: str) -> Framework:
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(one.name for one in fitting or FRAMEWORKS.values())
    message = "fits several workload formats" if fitting else "is in no workload format that is known"
    raise InputError(message, file=file, expected=f"--workload-format with one of {names}")


def _same(job: str) -> str:
    return job


def _prefixed(path: str | Path) -> Callable[[str], str]:
    stem = "stdin" if str(path) == "-" else Path(path).stem.lower()

    def rename(job: str) -> str:
        return f"/{stem}/{job.lstrip('/')}"

    return rename


def _renamed(job: Job, rename: Callable[[str], str], own: set[str]) -> Job:
    """Return a job under its new name; names of jobs of the same file follow."""
    if rename is _same:
        return job
    constraints = tuple(
        replace(one, other=rename(other)) if (other := getattr(one, "other", None)) in own and other else one  # type: ignore[call-arg]
        for one in job.constraints
    )
    dependencies = tuple(rename(one) if one in own else one for one in job.dependencies)
    return replace(job, id=rename(job.id), constraints=constraints, dependencies=dependencies)


def _join(jobs: dict[str, Job], job: Job, file: str) -> None:
    """Add a job; an equal definition of one id is one job, a different one an error."""
    before = jobs.get(job.id)
    if before is None:
        jobs[job.id] = job
    elif replace(before, source="") != replace(job, source=""):
        raise InputError("two files define one job differently", file=file, value=job.id,
                         expected=f"the definition of {before.source or 'the other file'}, or --prefix-files")  # fmt: skip
