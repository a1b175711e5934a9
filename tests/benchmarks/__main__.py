"""`python -m tests.benchmarks [--quick] [--data DIR]` prints one table: value, bound, gap and seconds of every workload.

Beside each stand the figures that others published or reached on it. `--data DIR` is the folder with the published cloud
balancing files and vector bin packing instances (`cloudbalancing/`, `vbp/`); without it these are left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks import antiaffinity, batch, cloudbalancing, fleet
from tests.benchmarks.measurement import measure

Case = tuple[str, Callable[[], dict[str, Any]], str]
CLOUD = {
    "100computers-300processes": (15, "OptaPlanner 2013: 112,400"),
    "400computers-1200processes": (60, "OptaPlanner 2013: 441,870"),
    "1600computers-4800processes": (150, ""),
}
ANTI_AFFINITY = {
    100: "kube-scheduler 10,855; Rebalancer 9,835; Timefold 9,455",
    400: "kube-scheduler 39,560; Rebalancer 41,290; Timefold 41,705",
    800: "kube-scheduler 80,090; Rebalancer 85,575; Timefold 85,350",
}
FLEETS: tuple[tuple[int, int, fleet.FleetGoal, float, str], ...] = (
    (50, 200, "F", 20, "HiGHS alone 0.2 s"),
    (50, 200, "L", 20, "HiGHS alone 1,972"),
    (50, 200, "U", 20, "HiGHS alone 2,722"),
    (50, 200, "M", 30, "SCIP alone 7,759"),
    (200, 1000, "F", 5, "HiGHS alone 6 s"),
    (200, 1000, "L", 120, "HiGHS alone 1,215"),
    (200, 1000, "U", 120, ""),
    (200, 1000, "M", 120, ""),
)
QUICK = 20.0
"""Most seconds of one case with --quick, which also leaves out what takes longer."""


def cases(data: Path | None) -> Iterator[tuple[float, Case]]:
    """Yield each case with its seconds."""
    for name, (seconds, others) in CLOUD.items() if data else ():
        file = data / "cloudbalancing" / f"{name}.json.gz"  # type: ignore[operator]
        yield seconds, (name, partial(_cloud, name, file, seconds), others)
    yield 90, ("drawn 200 computers", lambda: measure("", *cloudbalancing.draw(200, 1), deadline=90), "")
    for machines, others in ANTI_AFFINITY.items():
        run = partial(lambda machines: measure("", *antiaffinity.build(machines, 7), deadline=20), machines)
        yield 20, (f"anti-affinity {machines}", run, others)
    for apps, agents, goal, seconds, others in FLEETS:
        name = f"fleet {apps}x{agents} {goal}"
        yield seconds, (name, partial(_fleet, apps, agents, goal, seconds), others)
    for seed, fill, others in (
        (1, 0.97, "kube-scheduler leaves 95 of 2,491"),
        (2, 0.90, "kube-scheduler leaves up to 352"),
    ):
        yield 5, (f"tight fleet {fill}", partial(_tight, seed, fill), others)
    yield 60, ("batch 1000 x 16000", partial(batch.run, 1000, 16000, 1, deadline=60), "greedy alone: see `saved`")
    yield 300, ("batch 10000 x 160000", partial(batch.run, 10_000, 160_000, 1, deadline=300), "")


def _cloud(name: str, file: Path, seconds: float) -> dict[str, Any]:
    return measure(name, *cloudbalancing.read(file), deadline=seconds)


def _fleet(apps: int, agents: int, goal: fleet.FleetGoal, seconds: float) -> dict[str, Any]:
    fill = fleet.OVERFILL if goal == "M" else fleet.FILL
    return fleet.measure(fleet.make_fleet(apps, agents, 1, fill), goal, deadline=seconds)


def _tight(seed: int, fill: float) -> dict[str, Any]:
    return fleet.measure(fleet.make_fleet(50, 200, seed, fill, lift_caps=True), deadline=5)


def main(words: Sequence[str] | None = None) -> None:
    """Print the table; each row as soon as it is known, on standard error."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only what takes 20 seconds or less")
    parser.add_argument("--data", type=Path, help="folder of the published instances")
    chosen = parser.parse_args(words)
    table = Table("workload", "value", "bound", "gap", "proved", "wall s", "cpu s", "verified", "others", box=None)
    for seconds, (name, run, others) in cases(chosen.data):
        if chosen.quick and seconds > QUICK:
            continue
        found = run()
        solve = found["seconds"]["solve"]
        table.add_row(
            name, f"{found['value']:,.0f}", f"{found['bound']:,.0f}", f"{found['gap']:.2%}",
            "yes" if found["proved"] else "no", f"{solve['wall']:.1f}", f"{solve['cpu']:.1f}",
            "yes" if found["verified"] else "NO", others,
        )  # fmt: skip
        print(f"{name}: {found['value']:,.0f}", file=sys.stderr, flush=True)
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    for peer in ("rebalancer", "timefold"):
        if importlib.util.find_spec(peer) is None:
            print(f"{peer} is not installed here; its figures above were published or reached elsewhere")


if __name__ == "__main__":
    main()
