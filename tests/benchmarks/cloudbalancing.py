"""Cloud balancing: processes onto computers with three resources, at the least cost of the computers used.

`python -m tests.benchmarks.cloudbalancing FILE.json[.gz] ...` reads the published form and prints one JSON object a
file; `--computers N --seed S` draws an instance of the same fields and value ranges instead.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from placement.amounts import ONE, thousandths
from placement.cluster import Agent, Cluster
from placement.workload import Job, Workload
from tests.benchmarks.measurement import measure, parser
from tests.benchmarks.offers import Row, csv_bytes

CPUS = ((3, 110), (4, 140), (6, 180), (8, 270), (12, 400), (16, 1000), (24, 3000))
MEMORY = ((2, 140), (4, 180), (8, 220), (16, 300), (32, 400), (64, 600), (96, 1000))
NETWORK = ((2, 100), (4, 200), (6, 300), (8, 400), (12, 600), (16, 800), (20, 1000))
"""(amount, price) of the parts of a computer, by size class."""
NEIGHBOURS = 2
"""By how many size classes the memory and network of a computer may differ from its processors."""
LARGEST = (12, 32, 12)
"""Greatest need of a process of each resource."""
STEEPNESS = 2000.0
"""Needs are 1 + most * (steepness^u - 1) / (steepness - 1), u uniform: two in three are 1."""


def read(path: Path) -> tuple[Cluster, Workload]:
    """Return the cluster and workload of a published file."""
    data = path.read_bytes()
    document = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    computers = [
        (one["cpuPower"], one["memory"], one["networkBandwidth"], one["cost"]) for one in document["computerList"]
    ]
    processes = [
        (one["requiredCpuPower"], one["requiredMemory"], one["requiredNetworkBandwidth"])
        for one in document["processList"]
    ]
    return build(computers, processes)


def draw(computers: int, seed: int) -> tuple[Cluster, Workload]:
    """Draw computers and three times as many processes: small needs are the likeliest."""
    random = np.random.default_rng(seed)

    def computer() -> tuple[int, int, int, int]:
        middle = int(random.integers(len(CPUS)))
        near = [int(np.clip(middle + random.integers(-NEIGHBOURS, NEIGHBOURS + 1), 0, len(CPUS) - 1)) for _ in range(2)]
        parts = (CPUS[middle], MEMORY[near[0]], NETWORK[near[1]])
        return (parts[0][0], parts[1][0], parts[2][0], sum(price for _, price in parts))

    def process() -> tuple[int, ...]:
        return tuple(1 + int(most * (STEEPNESS ** random.random() - 1) / (STEEPNESS - 1)) for most in LARGEST)

    return build([computer() for _ in range(computers)], [process() for _ in range(3 * computers)])


def build(computers: Sequence[tuple[int, ...]], processes: Sequence[tuple[int, ...]]) -> tuple[Cluster, Workload]:
    """Return agents with cpus, mem and network, and one job a process."""
    names = ("cpus", "mem", "network")

    def amounts(row: Sequence[int]) -> dict[str, int]:
        return {name: thousandths(amount) for name, amount in zip(names, row, strict=False)}

    agents = [
        Agent(id=f"computer{i:05d}", free=amounts(row), price=thousandths(row[3])) for i, row in enumerate(computers)
    ]
    jobs = [Job(id=f"process{i:05d}", demand=amounts(row)) for i, row in enumerate(processes)]
    return Cluster.build(agents), Workload(tuple(jobs))


def write_csv(cluster: Cluster, workload: Workload, folder: Path) -> None:
    """Write an instance as agents.csv and jobs.csv."""
    names = ("cpus", "mem", "network")
    columns = ("cpus", "mem", "resource:network")
    agents: list[Row] = [
        (one.id, *(one.free[name] // ONE for name in names), (one.price or 0) // ONE) for one in cluster.records
    ]
    (folder / "agents.csv").write_bytes(csv_bytes(("agent", *columns, "price"), agents))
    jobs: list[Row] = [(job.id, *(job.demand[name] // ONE for name in names)) for job in workload.jobs]
    (folder / "jobs.csv").write_bytes(csv_bytes(("job", *columns), jobs))


def main(words: Sequence[str] | None = None) -> None:
    """Print one JSON object an instance."""
    arguments = parser("cloudbalancing", __doc__)
    arguments.add_argument("files", nargs="*", type=Path, metavar="FILE.json[.gz]")
    arguments.add_argument("--computers", type=int, help="draw so many computers instead of reading files")
    arguments.add_argument("--folder", type=Path, help="also write the last instance as CSV files there")
    chosen = arguments.parse_args(words)
    instances: list[tuple[str, Any]] = [(file.name.split(".")[0], read(file)) for file in chosen.files]
    if chosen.computers:
        instances.append((f"{chosen.computers}computers-seed{chosen.seed}", draw(chosen.computers, chosen.seed)))
    for name, (cluster, workload) in instances:
        if chosen.folder:
            write_csv(cluster, workload, chosen.folder)
        found = measure(
            name, cluster, workload, solver=chosen.solver, deadline=chosen.deadline, workers=chosen.workers,
            seed=chosen.seed,
        )  # fmt: skip
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
