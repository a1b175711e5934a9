"""One big offer round: N agents, M tasks in apps of 10 to 100 equal instances, timed from reading to verified answer.

`python -m tests.benchmarks.offers --agents 10000 --tasks 50000 --mode balanced --distinct` prints one JSON object. The
same agents and tasks come out everywhere, bit for bit: only random.Random(seed).random() is used, in a fixed order. The
plain workload has 12 demand vectors; with `--distinct` every app has its own.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import resource
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

import numpy as np

from placement import read_cluster, read_workload, verify
from placement.compilation import Compiled, compile_problem
from placement.decoding import decode
from placement.placements import Placements
from solvers import Options, solve

AGENT_HEADER = ("id", "cpus", "mem", "disk", "rack")
TASK_HEADER = ("id", "app", "cpus", "mem", "constraint")
CONSTRAINTS = {"none": "", "unique": "hostname:UNIQUE", "balanced": "rack:GROUP_BY"}
Row = tuple[Any, ...]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class App:
    """Equal tasks: how many, and cores and MB of each."""

    name: str
    size: int
    cpus: float
    mem: int


def rack_count(agents: int) -> int:
    """Number of racks the agents are dealt to."""
    special = {100: 20, 1000: 40, 5000: 80}
    return special.get(agents, 100 if agents <= 10000 else agents // 100)


def agent_rows(agents: int) -> list[Row]:
    """Agents as rows of `AGENT_HEADER`: cores, MB."""
    draw = Random(7_000_000 + agents).random
    racks = rack_count(agents)
    rows = []
    for number in range(agents):
        cpus = 16 * (1 + int(4 * draw()))
        mem = 64 * 1024 * (1 + int(4 * draw()))
        disk = 500_000 * (1 + int(2 * draw()))
        rows.append((f"a{number:05d}", cpus, mem, disk, f"r{int(racks * draw()):03d}"))
    return rows


def apps_of(agents: int, tasks: int, *, distinct: bool = False) -> list[App]:
    """Apps of weights 1, 2, 4, 8 and three memory ratios, scaled to ask for 75 % of the cpus there are."""
    draw = Random(agents * 1_000_000 + tasks).random
    raw: list[tuple[int, int, int]] = []
    left = tasks
    while left:
        size = min(10 + int(91 * draw()), left)
        weight = _step(draw(), (0.5, 1), (0.8, 2), (0.95, 4), (1, 8))
        ratio = _step(draw(), (0.25, 2), (0.75, 4), (1, 6))
        raw.append((size, weight, ratio))
        left -= size
    cores = sum(row[1] for row in agent_rows(agents))
    scale = min(0.75 * cores / sum(size * weight for size, weight, _ in raw), 3.0)
    apps = [
        App(f"app{i:05d}", size, int(weight * scale * 1000) / 1000.0, int(weight * ratio * scale * 1024))
        for i, (size, weight, ratio) in enumerate(raw)
    ]
    return _made_distinct(apps) if distinct else apps


def _step(value: float, *steps: tuple[float, int]) -> int:
    return next(result for limit, result in steps if value < limit)


def _made_distinct(apps: Iterable[App]) -> list[App]:
    """Multiply each app's cpus and memory by factors of its own, 0.85 to 1.15."""
    draw = Random(1).random
    found = []
    for app in apps:
        by_cpus, by_mem = 0.85 + 0.3 * draw(), 0.85 + 0.3 * draw()
        found.append(App(app.name, app.size, int(app.cpus * by_cpus * 1000) / 1000.0, int(app.mem * by_mem)))
    return found


def task_rows(apps: Iterable[App], constraint: str = "") -> list[Row]:
    """Tasks as rows of `TASK_HEADER`."""
    return [(f"{app.name}-{k:03d}", app.name, app.cpus, app.mem, constraint) for app in apps for k in range(app.size)]


def csv_bytes(header: Sequence[str], rows: Iterable[Row]) -> bytes:
    """The table as a CSV file's content."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


@dataclass(frozen=True, slots=True)
class Best:
    """Best seconds of several runs."""

    cpu: float
    wall: float


def best_of(runs: int, work: Callable[[], Result]) -> tuple[Result, Best]:
    """Run the work several times; return the last result and the best seconds of one run."""
    cpu, wall = [], []
    for _ in range(runs):
        cpu_before, wall_before = time.process_time(), time.perf_counter()
        result = work()
        cpu.append(time.process_time() - cpu_before)
        wall.append(time.perf_counter() - wall_before)
    return result, Best(min(cpu), min(wall))


def measure(agents: int, tasks: int, mode: str, *, distinct: bool = False, runs: int = 5) -> dict[str, Any]:
    """Place the workload by the greedy solver through the public path and return what the command prints."""
    cluster = read_cluster("-", stdin=io.BytesIO(csv_bytes(AGENT_HEADER, agent_rows(agents))))
    apps = apps_of(agents, tasks, distinct=distinct)
    text = csv_bytes(TASK_HEADER, task_rows(apps, CONSTRAINTS[mode]))
    workload = read_workload(["-"], stdin=io.BytesIO(text)).workload
    compiled, compiling = best_of(1, lambda: compile_problem(cluster, workload))
    assignment, solving = best_of(runs, lambda: solve(compiled.problem, Options(), "greedy"))
    placements = decode(compiled, assignment)
    verdict, verifying = best_of(1, lambda: verify(cluster, workload, placements))
    return {
        "agents": agents,
        "tasks": tasks,
        "mode": mode,
        "distinct": distinct,
        "placed": len(placements),
        "agents_used": len(np.unique(placements.agent)),
        "rack_spread": rack_spread(compiled, placements),
        "seconds": {
            "compile": round(compiling.cpu, 4),
            "solve": {"cpu": round(solving.cpu, 4), "wall": round(solving.wall, 4), "best_of": runs},
            "verify": round(verifying.cpu, 4),
        },
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "strategy": assignment.strategy,
        "verified": verdict.holds,
    }


def rack_spread(compiled: Compiled, placements: Placements) -> int:
    """Greatest difference, over the apps, between the most and the least tasks on a rack (racks with agents count)."""
    racks = compiled.cluster.column("rack")
    counts = np.zeros((len(placements.jobs), len(racks.values)), np.int64)
    np.add.at(counts, (placements.job, racks.codes[placements.agent]), 1)
    return int((counts.max(axis=1) - counts.min(axis=1)).max(initial=0))


def main(words: Sequence[str] | None = None) -> None:
    """Print the measurement as one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.offers", description=__doc__)
    parser.add_argument("--agents", type=int, default=10_000)
    parser.add_argument("--tasks", type=int, default=50_000)
    parser.add_argument("--mode", choices=tuple(CONSTRAINTS), default="none")
    parser.add_argument("--distinct", action="store_true", help="every app has a demand of its own")
    parser.add_argument("--runs", type=int, default=5, help="the best of so many solves is reported")
    chosen = parser.parse_args(words)
    found = measure(chosen.agents, chosen.tasks, chosen.mode, distinct=chosen.distinct, runs=chosen.runs)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
