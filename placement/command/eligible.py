"""`placement eligible`: where one further instance may go now."""

from __future__ import annotations

from typing import Annotated

import typer

from placement.command import options
from placement.command.options import Inputs


def eligible(
    cluster: options.ClusterFile,
    workload: options.WorkloadFiles,
    job: Annotated[str, typer.Option(metavar="ID", help="The job that wants one further instance.")],
    running: options.RunningFile = None,
    total: options.Total = False,
    setting: options.Settings = None,
    now: options.Now = None,
    strict: options.Strict = False,
    snapshot_format: options.SnapshotFormat = None,
    workload_format: options.WorkloadFormat = None,
    prefix_files: options.PrefixFiles = False,
    skip_refused: options.SkipRefused = False,
) -> None:
    """List the agents on which one further instance of a job may be placed now, and the reasons for all others.

    Exit code 0: at least one agent is eligible; 1: none is; 2: bad input.
    """
    from placement.command.render import eligibility_table
    from placement.eligibility import eligible as judge

    inputs = Inputs(cluster, workload, running, total, setting, now, strict, snapshot_format, workload_format,
                    prefix_files, skip_refused)  # fmt: skip
    agents, jobs = inputs.read()
    found = judge(agents, jobs.job(job), jobs)
    options.console().print(eligibility_table(found))
    raise typer.Exit(0 if found.agents else 1)
