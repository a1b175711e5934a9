"""`placement verify`: judge placements by the independent checker."""

from __future__ import annotations

from typing import Annotated

import typer

from placement.command import options
from placement.command.options import Inputs


def verify(
    cluster: options.ClusterFile,
    workload: options.OneWorkload,
    placements: Annotated[str, typer.Argument(metavar="PLACEMENTS", help="CSV that `placement place -o` wrote.")],
    any_order: Annotated[bool, typer.Option("--any-order", help="Judge the final state only, not the order.")] = False,
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
    """Check placements against every rule of the workload, and list each rule that is broken.

    Exit code 0: they hold; 1: they do not; 2: bad input.
    """
    from placement.checker import verify as judge
    from placement.snapshots.running import read_placements

    inputs = Inputs(cluster, [workload], running, total, setting, now, strict, snapshot_format, workload_format,
                    prefix_files, skip_refused, scale)  # fmt: skip
    agents, jobs = inputs.read()
    found = read_placements(placements, agents, jobs)
    verdict = judge(agents, jobs, found, relax=relax or (), any_order=any_order)
    lines = [f"{one.job}: {one.rule}: {one.message}" for one in verdict.breaches]
    lines += [f"{job}: relaxed {rule} is broken by {count}" for job, rule, count in verdict.violations]
    lines.append(f"{len(found)} placements hold" if verdict.holds else f"{len(verdict.breaches)} rules are broken")
    options.write_out("\n".join(lines) + "\n")
    raise typer.Exit(0 if verdict.holds else 1)
