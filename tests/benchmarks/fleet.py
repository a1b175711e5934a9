"""A part-used fleet: capacities, caps on each host and balance over racks, sometimes so tight that order matters.

`python -m tests.benchmarks.fleet --apps 50 --agents 200 --seed 1 --fill .7 --goal U` prints one JSON object. Goals: F place
everything, L least preference cost, U least price of the agents used, M most weight placed. `--lift-caps`: caps of 2 and
4 on a host are no limit. `write_csv` writes the same fleet as files.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from placement import read_cluster, read_workload
from placement.amounts import ONE
from tests.benchmarks.measurement import measure as measure_one
from tests.benchmarks.measurement import parser
from tests.benchmarks.offers import Row, csv_bytes

RACKS = 10
SIZES = np.array([[80, 256], [160, 512], [320, 1024]])
"""The kinds of agents: tenths of a core, units of 128 MB."""
PRICES = np.array([10, 18, 33])
AGENT_HEADER = ("agent", "cpus", "mem", "rack", "price")
JOB_HEADER = ("job", "instances", "cpus", "mem", "constraints", "weight")
FleetGoal = Literal["F", "L", "U", "M"]
FILL, OVERFILL = 0.7, 1.1
"""What is asked of what is there unless told otherwise: for goals F, L, U, and for goal M."""
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
    prefer, weight
        int[apps, agents]: cost of an instance of an app on an agent; int[apps]: what one instance is worth.
    """

    free: Int
    rack: Int
    price: Int
    need: Int
    count: Int
    most_on_host: Int
    balanced: NDArray[np.bool_]
    prefer: Int
    weight: Int


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
        prefer=np.random.default_rng(seed + 99).integers(0, 10, size=(apps, agents)),
        weight=np.random.default_rng(seed + 7).integers(1, 6, size=apps),
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
        (_agent(i), cpus / 10, mem * 128, f"r{rack}", price)
        for i, ((cpus, mem), rack, price) in enumerate(
            zip(fleet.free.tolist(), fleet.rack.tolist(), fleet.price.tolist(), strict=True)
        )
    ]
    return csv_bytes(AGENT_HEADER, rows)


def jobs_csv(fleet: Fleet, *, weighted: bool = False) -> bytes:
    """The apps as a workload CSV, one row a job; `weighted`: with what an instance is worth, else all are worth 1."""
    rows: list[Row] = [
        (_app(i), count, cpus / 10, mem * 128, _constraints(most, balanced), weight if weighted else 1)
        for i, (count, (cpus, mem), most, balanced, weight) in enumerate(
            zip(
                fleet.count.tolist(),
                fleet.need.tolist(),
                fleet.most_on_host.tolist(),
                fleet.balanced.tolist(),
                fleet.weight.tolist(),
                strict=True,
            )
        )
    ]
    return csv_bytes(JOB_HEADER, rows)


def preferences(fleet: Fleet) -> dict[str, dict[str, int]]:
    """Costs in thousandths by app and agent."""
    return {
        _app(i): {_agent(j): cost * ONE for j, cost in enumerate(costs)}
        for i, costs in enumerate(fleet.prefer.tolist())
    }


def _app(number: int) -> str:
    return f"app{number:05d}"


def _agent(number: int) -> str:
    return f"agent{number:05d}"


def _constraints(most: int, balanced: bool) -> str:
    words = ["rack:GROUP_BY"] if balanced else []
    if most:
        words.append("hostname:UNIQUE" if most == 1 else f"hostname:MAX_PER:{most}")
    return ";".join(words)


def write_csv(fleet: Fleet, folder: Path, *, weighted: bool = False) -> tuple[Path, Path]:
    """Write agents.csv and jobs.csv into a folder and return their paths."""
    agents, jobs = folder / "agents.csv", folder / "jobs.csv"
    agents.write_bytes(agents_csv(fleet))
    jobs.write_bytes(jobs_csv(fleet, weighted=weighted))
    return agents, jobs


def measure(fleet: Fleet, goal: FleetGoal = "F", *, name: str = "fleet", **options: Any) -> dict[str, Any]:
    """Place a fleet's apps through the public path and return what the command prints."""
    cluster = read_cluster("-", stdin=io.BytesIO(agents_csv(fleet)))
    workload = read_workload(["-"], stdin=io.BytesIO(jobs_csv(fleet, weighted=goal == "M"))).workload
    if goal == "U":
        return measure_one(name, cluster, workload, goal="pack", **options)
    # without preferences the goal `prefer` is the same for every answer: what counts then is how much is placed
    costs = preferences(fleet) if goal == "L" else None
    level = "prefer" if goal == "L" else "placed"
    return measure_one(name, cluster, workload, goal="prefer", preferences=costs, level=level, **options)


def main(words: Sequence[str] | None = None) -> None:
    """Print the measurement as one JSON object."""
    arguments = parser("fleet", __doc__)
    arguments.add_argument("--apps", type=int, default=50)
    arguments.add_argument("--agents", type=int, default=200)
    arguments.add_argument("--fill", type=float, help=f"share asked of what is there ({FILL}; for goal M {OVERFILL})")
    arguments.add_argument("--goal", choices=("F", "L", "U", "M"), default="F")
    arguments.add_argument("--lift-caps", action="store_true", help="caps of 2 and 4 on a host are no limit")
    arguments.add_argument("--folder", type=Path, help="also write the fleet as CSV files there")
    chosen = arguments.parse_args(words)
    fill = chosen.fill or (OVERFILL if chosen.goal == "M" else FILL)
    fleet = make_fleet(chosen.apps, chosen.agents, chosen.seed, fill, lift_caps=chosen.lift_caps)
    if chosen.folder:
        write_csv(fleet, chosen.folder, weighted=chosen.goal == "M")
    name = f"{chosen.apps}apps-{chosen.agents}agents-seed{chosen.seed}-fill{fill}-{chosen.goal}"
    found = measure(
        fleet, chosen.goal, name=name, solver=chosen.solver, deadline=chosen.deadline, workers=chosen.workers,
        seed=chosen.seed,
    )  # fmt: skip
    print(json.dumps(found))


if __name__ == "__main__":
    main()
