"""`placement capacity`: which agents to buy or to give back, and how much more fits."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from placement.command import options
from placement.command.options import Inputs
from placement.command.place import LEAST, TELLING, Form, Solver

if TYPE_CHECKING:
    from rich.table import Table

    from placement.headroom import Further
    from placement.purchasing import Purchase
    from placement.sizing import CapacityAnswer

COLUMNS = ("question", "name", "choice", "agents", "price", "instances", "bound")
"""Columns of the answer as CSV: one row a purchase, an agent to give back, or a job of which more fit."""


def capacity(
    cluster: options.ClusterFile,
    workload: options.WorkloadFiles,
    types: Annotated[str, typer.Option(metavar="FILE", help="CSV of the types of agents that can be bought.")],
    form: Annotated[Form, typer.Option("--format", help="Form of the answer on standard output.")] = Form.table,
    deadline: Annotated[str, typer.Option(metavar="TIME", help="From process start, as 4s, 500ms, 2m.")] = "10s",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the answer there (.csv or .json).")
    ] = None,
    solver: Annotated[Solver, typer.Option(help="auto: greedy, then improved until the deadline.")] = Solver.auto,
    relax: options.Relax = None,
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
    """Say which agents to buy so that a workload fits, which can be given back, and how many more of each job fit.

    Exit code 0: everything fits, with what is to be bought; 1: no purchase was found with which it does; 2: bad input.
    """
    from placement.sizing import capacity as ask
    from placement.snapshots.types import read_types

    until = options.started() + options.seconds(deadline)
    _check_output(output)
    inputs = Inputs(cluster, workload, running, total, setting, now, strict, snapshot_format, workload_format,
                    prefix_files, skip_refused, scale)  # fmt: skip
    agents, jobs = inputs.read()
    known = read_types(types)
    left = max(LEAST, until - TELLING - time.monotonic())
    answer = ask(agents, jobs, known, solver=solver.value, deadline=left, relax=relax or (), seed=seed,
                 workers=workers, deterministic=deterministic)  # fmt: skip
    _write(answer, form, output)
    raise typer.Exit(0 if answer.complete and not jobs.left_out else 1)


def _check_output(output: Path | None) -> None:
    from placement.errors import InputError

    if output is not None and output.suffix not in (".csv", ".json"):
        raise InputError("no format has this ending", file=str(output), value=output.suffix, expected=".csv or .json")


def _write(answer: CapacityAnswer, form: Form, output: Path | None) -> None:
    from placement.snapshots import write_text

    if output is not None:
        write_text(output, capacity_json(answer) if output.suffix == ".json" else capacity_csv(answer))
    if form is Form.json:
        options.write_out(capacity_json(answer))
    elif form is Form.csv:
        options.write_out(capacity_csv(answer))
    else:
        out = options.console()
        for part in capacity_tables(answer):
            out.print(part)


# --- forms ------------------------------------------------------------------------------------------------------------


def capacity_tables(answer: CapacityAnswer) -> Iterator[Table | str]:
    """Yield the parts of the report."""
    from placement.command.render import MOST_UNPLACED

    yield _headline(answer)
    if answer.purchases:
        yield _purchases(answer)
        proved = "proved: no purchase is cheaper" if answer.proved else f"gap {answer.gap:.2%}"
        yield f"in all {_price(answer, answer.price)}, at least {_price(answer, answer.bound)} ({proved})"
    for one in answer.reasons[:MOST_UNPLACED]:
        yield "\n" + "\n".join(one.lines())
    if len(answer.reasons) > MOST_UNPLACED:
        yield f"\n{len(answer.reasons) - MOST_UNPLACED} more jobs do not fit: see --format json"
    if answer.given_back is not None:
        back = answer.given_back
        yield (f"\n{len(back.agents)} agents can be given back; {back.needed} are needed, "
               f"{back.needed_at_least} at least\n{', '.join(back.agents)}")  # fmt: skip
    yield _further(answer)
    seconds = ", ".join(f"{step} {time:.2f} s" for step, time in answer.seconds.items())
    yield f"\n{answer.solver}{'; the deadline cut the search short' if answer.cut_short else ''}\n{seconds}"


def _headline(answer: CapacityAnswer) -> str:
    if answer.fits:
        return "everything fits on the agents that are there"
    missing = sum(one.count - one.waiting for one in answer.today.unplaced)
    if answer.complete:
        return f"{missing} instances do not fit on the agents that are there; with these everything fits:"
    tried = ", ".join(f"{count} {name}" for name, count in answer.tried.items())
    left = sum(one.count - one.waiting for one in answer.unplaced)
    found = f"for {missing - left} of them there is a purchase:" if answer.purchases else "no purchase was found:"
    return f"{missing} instances do not fit on the agents that are there; {found}\n(could choose from {tried})"


def _price(answer: CapacityAnswer, price: float) -> str:
    return f"{price:g}" if answer.priced else f"{price:g} agents"


def _purchases(answer: CapacityAnswer) -> Table:
    from rich.table import Table

    table = Table(title="\nto buy", title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in ("type", "where"):
        table.add_column(column, overflow="fold")
    for column in ("agents", "price each", "price"):
        table.add_column(column, justify="right")
    for one in answer.purchases:
        table.add_row(one.type, _choice(one), str(one.agents), f"{one.price:g}", f"{one.agents * one.price:g}")
    return table


def _choice(one: Purchase) -> str:
    return ";".join(f"{column}={value}" for column, value in one.choice)


def _further(answer: CapacityAnswer) -> Table:
    from rich.table import Table

    table = Table(title="\nhow many more fit today, of each job alone", title_justify="left", box=None, pad_edge=False,
                  header_style="bold")  # fmt: skip
    table.add_column("job", overflow="fold")
    table.add_column("more", justify="right")
    table.add_column("at most", justify="right")
    for one in answer.further:
        table.add_row(one.job, *_figures(one))
    return table


def _figures(one: Further) -> tuple[str, str]:
    if one.instances is None:
        return "no time left to ask", ""
    return (f"at least {one.instances}", "") if one.capped else (str(one.instances), str(one.bound))


def capacity_csv(answer: CapacityAnswer) -> str:
    """Return the answer as CSV: a row for each purchase (`buy`), agent (`give back`) and job (`further`)."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for one in answer.purchases:
        writer.writerow({"question": "buy", "name": one.type, "choice": _choice(one), "agents": one.agents,
                         "price": f"{one.price:g}"})  # fmt: skip
    for agent in answer.given_back.agents if answer.given_back else ():
        writer.writerow({"question": "give back", "name": agent})
    for job in answer.further:
        writer.writerow({"question": "further", "name": job.job, "instances": job.instances,
                         "bound": None if job.capped else job.bound})  # fmt: skip
    return out.getvalue()


def capacity_json(answer: CapacityAnswer) -> str:
    """Return the whole answer as a JSON document."""
    back = answer.given_back
    document: dict[str, Any] = {
        "fits": answer.fits,
        "complete": answer.complete,
        "buy": [{"type": one.type, "choice": dict(one.choice), "agents": one.agents, "price": one.price}
                for one in answer.purchases],
        "price": answer.price,
        "bound": answer.bound,
        "gap": answer.gap,
        "proved": answer.proved,
        "engine": answer.engine,
        "unplaced": [{"job": one.job, "count": one.count, "waiting": one.waiting} for one in answer.unplaced],
        "tried": answer.tried,
        "reasons": [{"job": one.job, "lines": one.lines()} for one in answer.reasons],
        "give_back": None if back is None else
        {"agents": list(back.agents), "needed": back.needed, "needed_at_least": back.needed_at_least},
        "further": [{"job": one.job, "instances": one.instances, "bound": one.bound, "at_least": one.capped}
                    for one in answer.further],
        "placements": [{"job": job, "instance": instance, "agent": agent}
                       for job, instance, agent in answer.placements.rows()],
        "solver": answer.solver,
        "seconds": answer.seconds,
        "cut_short": answer.cut_short,
    }  # fmt: skip
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
