"""Anti-affinity: the cheapest agents that hold everything, at most one instance of an app on each.

`python -m tests.benchmarks.antiaffinity --machines 100 --seed 7` prints one JSON object; `--folder DIR` also writes the
instance as agents.csv and jobs.csv.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from placement.amounts import thousandths
from placement.cluster import Agent, Cluster
from placement.constraints import parse
from placement.workload import Job, Workload
from tests.benchmarks.measurement import measure, parser
from tests.benchmarks.offers import Row, csv_bytes

KINDS = (
    (4, 8, 40),
    (8, 16, 75),
    (8, 32, 95),
    (16, 32, 145),
    (16, 64, 180),
    (32, 64, 270),
    (32, 128, 340),
    (64, 128, 520),
)
"""(cores, GiB, price) of the kinds of agents."""
INSTANCES_A_MACHINE = 3
GIB = 1024


def draw(machines: int, seed: int) -> tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]:
    """Return agents (cores, GiB, price) and apps (instances, cores, GiB)."""
    random = np.random.default_rng(seed)
    agents = [KINDS[k] for k in random.integers(0, 8, size=machines)]
    wanted = INSTANCES_A_MACHINE * machines
    apps: list[tuple[int, int, int]] = []
    total = 0
    while total < wanted:
        size = min(int(random.choice([1, 2, 3, 5, 8], p=[0.3, 0.25, 0.2, 0.15, 0.1])), wanted - total)
        total += size
        cpus = int(random.choice([1, 2, 3, 4, 6, 8], p=[0.25, 0.25, 0.15, 0.15, 0.1, 0.1]))
        apps.append((size, cpus, min(32, cpus * int(random.choice([1, 2, 4], p=[0.3, 0.4, 0.3])))))
    return agents, apps


def build(machines: int, seed: int) -> tuple[Cluster, Workload]:
    """Return the instance as a cluster and a workload."""
    agents, apps = draw(machines, seed)
    records = [
        Agent(id=f"m{i:05d}", free={"cpus": thousandths(cpus), "mem": thousandths(mem * GIB)}, price=thousandths(price))
        for i, (cpus, mem, price) in enumerate(agents)
    ]
    jobs = [
        Job(id=f"app{i:05d}", instances=size, demand={"cpus": thousandths(cpus), "mem": thousandths(mem * GIB)},
            constraints=parse("hostname:UNIQUE"))
        for i, (size, cpus, mem) in enumerate(apps)
    ]  # fmt: skip
    return Cluster.build(records), Workload(tuple(jobs))


def write_csv(machines: int, seed: int, folder: Path) -> None:
    """Write the instance as agents.csv and jobs.csv."""
    agents, apps = draw(machines, seed)
    rows: list[Row] = [(f"m{i:05d}", cpus, mem * GIB, price) for i, (cpus, mem, price) in enumerate(agents)]
    (folder / "agents.csv").write_bytes(csv_bytes(("agent", "cpus", "mem", "price"), rows))
    rows = [(f"app{i:05d}", size, cpus, mem * GIB, "hostname:UNIQUE") for i, (size, cpus, mem) in enumerate(apps)]
    (folder / "jobs.csv").write_bytes(csv_bytes(("job", "instances", "cpus", "mem", "constraints"), rows))


def main(words: Sequence[str] | None = None) -> None:
    """Print the measurement as one JSON object."""
    arguments = parser("antiaffinity", __doc__)
    arguments.set_defaults(seed=7)
    arguments.add_argument("--machines", type=int, default=100)
    arguments.add_argument("--folder", type=Path, help="also write the instance as CSV files there")
    chosen = arguments.parse_args(words)
    if chosen.folder:
        write_csv(chosen.machines, chosen.seed, chosen.folder)
    cluster, workload = build(chosen.machines, chosen.seed)
    found = measure(
        f"{chosen.machines}machines-seed{chosen.seed}", cluster, workload, solver=chosen.solver,
        deadline=chosen.deadline, workers=chosen.workers, seed=chosen.seed,
    )  # fmt: skip
    print(json.dumps(found))


if __name__ == "__main__":
    main()
