"""The batch cluster of `datasets`: part-used agents that all differ, hundreds of shapes, racks and unique hosts; fewest agents.

`python -m tests.benchmarks.batch --agents 1000 --instances 16000 --seed 1 --deadline 60` prints one JSON object, with the
number of agents that the greedy answer alone uses beside it.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasets.batch.__main__ import write
from placement import read_cluster, read_workload
from tests.benchmarks.measurement import measure, parser


def run(agents: int, instances: int, seed: int, **options: Any) -> dict[str, Any]:
    """Draw the instance, solve it, and return what the command prints."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), agents, instances, seed)
        cluster = read_cluster(Path(folder) / "agents.csv")
        workload = read_workload([Path(folder) / "jobs.csv"]).workload
    name = f"{agents}agents-{instances}instances-seed{seed}"
    alone = measure(name, cluster, workload, solver="greedy", seed=seed)
    found = measure(name, cluster, workload, seed=seed, **options)
    return {**found, "greedy_alone": alone["value"], "saved": alone["value"] - found["value"]}


def main(words: Sequence[str] | None = None) -> None:
    """Print the measurement as one JSON object."""
    arguments = parser("batch", __doc__)
    arguments.add_argument("--agents", type=int, default=1000)
    arguments.add_argument("--instances", type=int, default=16000)
    chosen = arguments.parse_args(words)
    found = run(
        chosen.agents, chosen.instances, chosen.seed, solver=chosen.solver, deadline=chosen.deadline,
        workers=chosen.workers,
    )  # fmt: skip
    print(json.dumps(found))


if __name__ == "__main__":
    main()
