"""A part-used fleet: capacities, caps on each host and balance over racks, sometimes so tight that order matters.

`python -m tests.benchmarks.fleet --apps 50 --agents 200 --seed 1 --fill .97 --lift-caps` prints one JSON object; with
`--deadline 10` by the default solver, else by the greedy one. `write_csv` writes the same fleet as files.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from placement import read_cluster, read_workload, verify
from placement.compilation import compile_problem
from placement.decoding import decode
from solvers import Options, solve
from tests.benchmarks.offers import Row, csv_bytes

RACKS = 10
SIZES = np.array([[80, 256], [160, 512], [320, 1024]])
"""The kinds of agents: tenths of a core, units of 128 MB."""
PRICES = np.array([10, 18, 33])
AGENT_HEADER = ("agent", "cpus", "mem", "rack", "price")
JOB_HEADER = ("job", "instances", "cpus", "mem", "constraints")
Int = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Fleet:
    """Agents with what is free of them, and apps.

    Attributes
    ----------
    free, rack, price
        int[agents, 2] (tenths of a core, units of 128 MB), int[agents] from 0 to 9, int[agents].
    need, count
        int[apps, 2], int[apps]: what an instance takes, and how many there are.
    most_on_host
        int[apps]: instances on one agent at most; 0 no limit.
    balanced
        bool[apps]: counts over all racks differ by one at most.
    """

    free: Int
    rack: Int
    price: Int
    need: Int
    count: Int
    most_on_host: Int
    balanced: NDArray[np.bool_]


def make_fleet(apps: int, agents: int, seed: int = 1, fill: float = 0.70, *, lift_caps: bool = False) -> Fleet:
    """Draw a fleet of which the apps ask `fill` of the scarcer resource; `lift_caps`: caps of 2 and 4 are no limit."""
    draw = np.random.default_rng(seed)
    kind = draw.choice(3, size=agents, p=[0.5, 0.3, 0.2])
    in_use = draw.integers(0, 6, size=agents) / 10
    free = (SIZES[kind] * (1 - in_use[:, None])).astype(int)
    cpus = draw.choice([1, 2, 5, 10, 20, 40], size=apps, p=[0.1, 0.15, 0.3, 0.25, 0.15, 0.05])
    mem = (cpus * draw.choice([1, 2, 3, 4, 6], size=apps, p=[0.1, 0.2, 0.3, 0.25, 0.15])).astype(int)
    need = np.stack([cpus, mem], axis=1)
    weight = draw.lognormal(0, 1, size=apps)
    count = np.minimum(_counts(weight, need, free.sum(axis=0), fill), agents)
    cap = np.where(draw.random(apps) < 0.3, 1, np.where(draw.random(apps) < 0.5, 2, 4))
    balanced = draw.random(apps) < 0.5
    return Fleet(
        free=free,
        rack=np.arange(agents) % RACKS,
        price=PRICES[kind],
        need=need,
        count=count,
        most_on_host=np.where(cap > 1, 0, cap) if lift_caps else cap,
        balanced=balanced,
    )


def _counts(weight: NDArray[np.float64], need: Int, there: Int, fill: float) -> Int:
    """Return the instances of each app, in proportion to its weight, so that they ask just `fill` of what is there."""

    def scaled(factor: float) -> Int:
        return np.maximum(1, np.round(weight * factor)).astype(int)

    low, high = 0.01, 1e5
    for _ in range(60):
        middle = (low + high) / 2
        asked = max(float((scaled(middle) * need[:, d]).sum() / there[d]) for d in range(2))
        low, high = (low, middle) if asked > fill else (middle, high)
    return scaled(low)


def agents_csv(fleet: Fleet) -> bytes:
    """The agents as a snapshot CSV: cores and MB free, rack, price."""
    rows: list[Row] = [
        (f"agent{i:05d}", cpus / 10, mem * 128, f"r{rack}", price)
        for i, ((cpus, mem), rack, price) in enumerate(
            zip(fleet.free.tolist(), fleet.rack.tolist(), fleet.price.tolist(), strict=True)
        )
    ]
    return csv_bytes(AGENT_HEADER, rows)


def jobs_csv(fleet: Fleet) -> bytes:
    """The apps as a workload CSV, one row a job."""
    rows: list[Row] = [
        (f"app{i:05d}", count, cpus / 10, mem * 128, _constraints(most, balanced))
        for i, (count, (cpus, mem), most, balanced) in enumerate(
            zip(
                fleet.count.tolist(),
                fleet.need.tolist(),
                fleet.most_on_host.tolist(),
                fleet.balanced.tolist(),
                strict=True,
            )
        )
    ]
    return csv_bytes(JOB_HEADER, rows)


def _constraints(most: int, balanced: bool) -> str:
    words = [f"rack:GROUP_BY:{RACKS}"] if balanced else []
    if most:
        words.append("hostname:UNIQUE" if most == 1 else f"hostname:MAX_PER:{most}")
    return ";".join(words)


def write_csv(fleet: Fleet, folder: Path) -> tuple[Path, Path]:
    """Write agents.csv and jobs.csv into a folder and return their paths."""
    agents, jobs = folder / "agents.csv", folder / "jobs.csv"
    agents.write_bytes(agents_csv(fleet))
    jobs.write_bytes(jobs_csv(fleet))
    return agents, jobs


def measure(fleet: Fleet, deadline: float | None = None) -> dict[str, Any]:
    """Place a fleet's apps through the public path and return what the command prints."""
    cluster = read_cluster("-", stdin=io.BytesIO(agents_csv(fleet)))
    workload = read_workload(["-"], stdin=io.BytesIO(jobs_csv(fleet))).workload
    times = [time.perf_counter()]
    problem = (compiled := compile_problem(cluster, workload)).problem
    times.append(time.perf_counter())
    if deadline is None:
        assignment = solve(problem, Options(), "greedy")
    else:
        assignment = solve(problem, Options(until=time.monotonic() + deadline), "auto")
    times.append(time.perf_counter())
    placements = decode(compiled, assignment)
    verdict = verify(cluster, workload, placements)
    times.append(time.perf_counter())
    compiling, solving, verifying = (round(after - before, 4) for before, after in pairwise(times))
    return {
        "instances": workload.instances,
        "placed": len(placements),
        "seconds": {"compile": compiling, "solve": solving, "verify": verifying},
        "levels": [{"name": level.name, "value": level.value, "bound": level.bound} for level in assignment.levels],
        "strategy": assignment.strategy,
        "verified": verdict.holds,
    }


def main(words: Sequence[str] | None = None) -> None:
    """Print the measurement as one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.fleet", description=__doc__)
    parser.add_argument("--apps", type=int, default=50)
    parser.add_argument("--agents", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fill", type=float, default=0.70)
    parser.add_argument("--lift-caps", action="store_true", help="caps of 2 and 4 on a host are no limit")
    parser.add_argument("--deadline", type=float, help="seconds for the solver auto; without it greedy alone")
    chosen = parser.parse_args(words)
    fleet = make_fleet(chosen.apps, chosen.agents, chosen.seed, chosen.fill, lift_caps=chosen.lift_caps)
    print(json.dumps(measure(fleet, chosen.deadline), indent=2))


if __name__ == "__main__":
    main()
