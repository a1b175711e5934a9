"""`python -m datasets.batch --agents N --instances M --seed S --output DIRECTORY` writes agents.csv and jobs.csv.

Four kinds of agents in racks, each 0 to 50 % used; at least 200 shapes of jobs whose cpu to mem ratios differ; a third of
the jobs with GROUP_BY over the racks, a fifth with UNIQUE hosts; together .85 of the scarcer resource that is free.
"""

from __future__ import annotations

import argparse
import random
from dataclasses import dataclass
from pathlib import Path

from placement.snapshots.cells import write_rows

KINDS = ((8, 32), (16, 32), (16, 128), (32, 128), (64, 256))
"""(cpus, GiB of mem) of the kinds of agents."""
SHARE = (0.25, 0.5, 0.7, 0.9, 1.0)
"""Cumulated share of each kind."""
FILL = 0.85
AGENTS_A_RACK = 40
LEAST_SHAPES = 200


@dataclass
class BatchJob:
    """One job while it is drawn: instances, cpus in hundredths, mem in MB, and its constraint."""

    instances: int
    cpus: int
    mem: int
    constraint: str


def agents(count: int, seed: int) -> list[tuple[str, float, int, int, str]]:
    """(id, free cpus, free mem in MB, disk in MB, rack) of each agent."""
    draw = random.Random(seed).random
    racks = max(2, count // AGENTS_A_RACK)
    rows = []
    for i in range(count):
        x = draw()
        kind = next(k for k, share in enumerate(SHARE) if x < share)
        cpus, mem = KINDS[kind]
        left = 1 - draw() / 2
        rows.append((f"b{i:05d}", int(cpus * left * 10) / 10, int(mem * 1024 * left), 500_000, f"r{i % racks:03d}"))
    return rows


def jobs(count: int, rows: list[tuple[str, float, int, int, str]], seed: int) -> list[BatchJob]:
    """Jobs of `count` instances in all, scaled to fill the scarcer resource."""
    draw = random.Random(seed + 1_000_003).random
    number = max(LEAST_SHAPES, count // 40)
    sizes = [0.2 + draw() ** 2 * 3 for _ in range(number)]
    share = sum(sizes)
    found = []
    given = 0
    for i, size in enumerate(sizes):
        given_before, given = given, given + size
        instances = int(count * given / share) - int(count * given_before / share)
        cpus = (0.25, 0.5, 1, 2, 4)[int(5 * draw() ** 1.5)] * (0.8 + 0.4 * draw())
        mem = cpus * 1024 * (1, 2, 4, 8)[int(4 * draw())] * (0.8 + 0.4 * draw())
        found.append((instances, cpus, mem, _constraint(i, instances, len(rows))))
    factor = _factor(found, rows)
    return [
        BatchJob(n, max(1, int(cpus * factor * 100)), max(1, int(mem * factor)), rule)
        for n, cpus, mem, rule in found
        if n
    ]


def _constraint(number: int, instances: int, agents_: int) -> str:
    """A third GROUP_BY, a fifth UNIQUE where so many hosts exist, the rest free."""
    if number % 15 in (0, 3, 6, 9, 12):
        return "rack:GROUP_BY"
    return "hostname:UNIQUE" if number % 15 in (1, 7, 13) and instances <= agents_ // 2 else ""


def _factor(found: list[tuple[int, float, float, str]], rows: list[tuple[str, float, int, int, str]]) -> float:
    """The factor on all demands that fills the scarcer of cpus and mem to `FILL`."""
    cpus = sum(n * cpu for n, cpu, _, _ in found) / sum(row[1] for row in rows)
    mem = sum(n * mem for n, _, mem, _ in found) / sum(row[2] for row in rows)
    return FILL / max(cpus, mem)


def write(directory: Path, agents_: int, instances: int, seed: int) -> None:
    """Write agents.csv and jobs.csv."""
    rows = agents(agents_, seed)
    (directory / "agents.csv").write_text(
        write_rows(("agent", "cpus", "mem", "disk", "rack"), iter(rows)), encoding="utf-8"
    )
    lines = (
        (f"job-{i:04d}", job.instances, job.cpus / 100, job.mem, job.constraint)
        for i, job in enumerate(jobs(instances, rows, seed))
    )
    header = ("job", "instances", "cpus", "mem", "constraints")
    (directory / "jobs.csv").write_text(write_rows(header, lines), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m datasets.batch", description=__doc__)
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--instances", type=int, default=16000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent)
    chosen = parser.parse_args()
    write(chosen.output, chosen.agents, chosen.instances, chosen.seed)


if __name__ == "__main__":
    main()
