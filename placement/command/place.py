"""`placement place`: decide, verify, report, write."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from placement.command import options
from placement.command.options import Inputs
from placement.errors import InputError

if TYPE_CHECKING:
    from placement.cluster import Cluster
    from placement.conflicts import SmallestChange
    from placement.explanation import Explanation
    from placement.placements import Answer
    from placement.workload import Workload


class Solver(StrEnum):
    """Solvers by name."""

    auto = "auto"
    greedy = "greedy"
    exact = "exact"


class Goal(StrEnum):
    """The last objective level."""

    pack = "pack"
    spread = "spread"
    balance = "balance"
    prefer = "prefer"


class Form(StrEnum):
    """Forms of the answer on standard output."""

    table = "table"
    csv = "csv"
    json = "json"


LEAST = 0.1
"""Seconds that solving gets at least, however late reading ended."""
TELLING = 0.3
"""Seconds kept for explaining and writing the answer."""
SHORTEST = 0.3
"""Seconds below which no conflict is looked for."""


def place(
    cluster: options.ClusterFile,
    workload: options.WorkloadFiles,
    solver: Annotated[Solver, typer.Option(help="auto: greedy, then improved until the deadline.")] = Solver.auto,
    deadline: Annotated[str, typer.Option(metavar="TIME", help="From process start, as 4s, 500ms, 2m.")] = "10s",
    goal: Annotated[Goal, typer.Option(help="What to do best once the most is placed.")] = Goal.pack,
    preferences: Annotated[
        str | None, typer.Option(metavar="FILE", help="CSV job,agent,cost for the goal prefer; a missing pair costs 0.")
    ] = None,
    relax: options.Relax = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write placements there (.json: the whole answer)."),
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="Form of the answer on standard output.")] = Form.table,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the agents, before and after.")] = None,
    in_order: Annotated[
        bool, typer.Option("--in-order", help="Stop at the first dependency layer not wholly placed.")
    ] = False,
    max_moves: Annotated[
        int, typer.Option("--max-moves", min=0, metavar="N", help="Running instances that may move so that more fits.")
    ] = 0,
    running: options.RunningFile = None,
    total: options.Total = False,
    setting: options.Settings = None,
    now: options.Now = None,
    seed: Annotated[int, typer.Option(help="Seed of every random choice.")] = 0,
    workers: Annotated[int | None, typer.Option(min=1, help="Threads (default: the processors at hand).")] = None,
    deterministic: Annotated[bool, typer.Option(help="Same answer for any number of workers.")] = False,
    strict: options.Strict = False,
    snapshot_format: options.SnapshotFormat = None,
    workload_format: options.WorkloadFormat = None,
    prefix_files: options.PrefixFiles = False,
    skip_refused: options.SkipRefused = False,
    scale: options.Scale = 1,
) -> None:
    """Place the missing instances of a workload on a cluster, verify the answer, and say how good it is and why.

    Exit code 0: everything placed; 1: not all placed; 2: bad input.
    """
    began = options.started()
    until = began + options.seconds(deadline)
    inputs = Inputs(cluster, workload, running, total, setting, now, strict, snapshot_format, workload_format,
                    prefix_files, skip_refused, scale)  # fmt: skip
    agents, jobs = inputs.read()
    costs = _preferences(preferences, agents, jobs)
    read_at = time.monotonic()
    answer = _decide(agents, jobs, solver, goal, until, relax or (), costs, in_order, max_moves, seed, workers,
                     deterministic)  # fmt: skip
    answer = replace(answer, seconds={"read": read_at - began, **answer.seconds})
    reasons = _reasons(agents, jobs, answer, relax or ())
    change = _change(agents, jobs, answer, relax or (), until)
    _write(agents, jobs, answer, reasons, change, form, output)
    if plot is not None:
        _draw(agents, jobs, answer, plot)
    raise typer.Exit(0 if answer.complete and not jobs.left_out else 1)


def _preferences(file: str | None, cluster: Cluster, workload: Workload) -> dict[str, dict[str, int]] | None:
    from placement.preferences import read_preferences

    return None if file is None else read_preferences(file, cluster, workload)


def _decide(
    cluster: Cluster, workload: Workload, solver: Solver, goal: Goal, until: float, relax: Sequence[str],
    preferences: dict[str, dict[str, int]] | None, in_order: bool, max_moves: int, seed: int, workers: int | None,
    deterministic: bool,
) -> Answer:  # fmt: skip
    from placement.engine import place as decide

    with options.progress() as tell:
        return decide(
            cluster,
            workload,
            solver=solver.value,
            goal=goal.value,
            deadline=max(LEAST, until - TELLING - time.monotonic()),
            relax=relax,
            preferences=preferences,
            in_order=in_order,
            max_moves=max_moves,
            seed=seed,
            workers=workers,
            deterministic=deterministic,
            progress=None
            if tell is None
            else lambda found, source: tell(f"{int(found.count.sum())} placed ({source})"),
        )


def _reasons(cluster: Cluster, workload: Workload, answer: Answer, relax: Sequence[str]) -> tuple[Explanation, ...]:
    from placement.explanation import explain

    return explain(cluster, workload, answer, relax=relax)


def _change(
    cluster: Cluster, workload: Workload, answer: Answer, relax: Sequence[str], until: float
) -> SmallestChange | None:
    """Look for what conflicts in the time that is left, if not everything was placed (`placement explain` takes longer)."""
    from placement.conflicts import smallest_change

    left = until - TELLING - time.monotonic()
    return (
        None if answer.complete or left < SHORTEST else smallest_change(cluster, workload, relax=relax, deadline=left)
    )


def _write(
    cluster: Cluster,
    workload: Workload,
    answer: Answer,
    reasons: Sequence[Explanation],
    change: SmallestChange | None,
    form: Form,
    output: Path | None,
) -> None:
    """Write the answer to standard output in the form asked for, and to the file."""
    from placement.command import render
    from placement.snapshots import write_text
    from placement.snapshots.running import write_placements

    if output is not None:
        whole = output.suffix == ".json"
        write_text(
            output,
            render.answer_json(answer, reasons, workload, change) if whole else write_placements(answer.placements),
        )
    if form is Form.json:
        options.write_out(render.answer_json(answer, reasons, workload, change))
    elif form is Form.csv:
        options.write_out(write_placements(answer.placements))
    else:
        out = options.console()
        for part in render.answer_tables(cluster, workload, answer, reasons, change):
            out.print(part)


def _draw(cluster: Cluster, workload: Workload, answer: Answer, file: Path) -> None:
    from placement.plots import save_figure

    try:
        save_figure(cluster, workload, answer.placements, file)
    except (OSError, ValueError) as error:
        raise InputError(f"the picture cannot be written: {error}", file=str(file)) from None
