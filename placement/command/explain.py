"""`placement explain`: why instances cannot be placed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from placement.command import options
from placement.command.options import Inputs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placement.cluster import Cluster
    from placement.workload import Workload

PROVING = 0.5
"""Share of the time left that is kept for proofs, once the rest was spent on placing."""
TELLING = 0.3
"""Seconds kept for writing."""
LEAST = 0.1
"""Seconds that each step gets at least, however late reading ended."""


def explain(
    cluster: options.ClusterFile,
    workload: options.WorkloadFiles,
    job: Annotated[str | None, typer.Option(metavar="ID", help="Only this job.")] = None,
    deadline: Annotated[str, typer.Option(metavar="TIME", help="From process start, as 4s, 500ms, 2m.")] = "10s",
    relax: options.Relax = None,
    running: options.RunningFile = None,
    total: options.Total = False,
    setting: options.Settings = None,
    now: options.Now = None,
    strict: options.Strict = False,
    snapshot_format: options.SnapshotFormat = None,
    workload_format: options.WorkloadFormat = None,
    prefix_files: options.PrefixFiles = False,
    skip_refused: options.SkipRefused = False,
    scale: options.Scale = 1,
) -> None:
    """Place the workload and explain each job of which instances are missing: what removed agents, what would help.

    Then say whether everything could be placed at all: the rules that conflict, and the fewest changes so that all fits.

    Exit code 0: nothing is missing; 1: something is; 2: bad input.
    """
    from placement.engine import place
    from placement.explanation import explain as why

    until = options.started() + options.seconds(deadline)
    inputs = Inputs(cluster, workload, running, total, setting, now, strict, snapshot_format, workload_format,
                    prefix_files, skip_refused, scale)  # fmt: skip
    agents, jobs = inputs.read()
    if job is not None:
        jobs.job(job)
    answer = place(agents, jobs, deadline=max(LEAST, PROVING * (until - time.monotonic())), relax=relax or ())
    found = why(agents, jobs, answer, relax=relax or (), job=job)
    lines = [line for one in found for line in one.lines()]
    if found:
        lines += ["", *_conflicts(agents, jobs, relax or (), job, until)]
    options.write_out("\n".join(lines or [f"{job or 'every job'}: nothing is missing"]) + "\n")
    raise typer.Exit(1 if found else 0)


def _conflicts(cluster: Cluster, workload: Workload, relax: Sequence[str], job: str | None, until: float) -> list[str]:
    """Return which rules conflict, of one job's conflicts or of all, and the fewest changes so that everything fits."""
    from placement.command.render import conflict_lines
    from placement.conflicts import smallest_change

    deadline = max(LEAST, until - TELLING - time.monotonic())
    return conflict_lines(smallest_change(cluster, workload, relax=relax, deadline=deadline), job)
