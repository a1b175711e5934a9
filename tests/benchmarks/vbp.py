"""Vector bin packing with known optima: `python -m tests.benchmarks.vbp --data DIR --sample 50 --seed 1 [--deadline 20]`.

Reads New, Panigrahy and Triplet from DIR (FAMILY.tar.gz with .vbp files beside FAMILY_known.csv, as published by the
authors of "Classification and evaluation of the algorithms for vector bin packing"), draws instances of known optimum,
prints one JSON object an instance and one a family.
"""

from __future__ import annotations

import argparse
import csv
import json
import tarfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers import Options, Problem, solve
from solvers.packing import Packing, pack_bins
from solvers.packing.bins import Bins
from solvers.packing.compiled import AVAILABLE
from solvers.packing.pricing import Pricer
from solvers.problem import ALL_AGENTS
from tests.benchmarks.measurement import timed

FAMILIES = ("New", "Panigrahy", "Triplet")
Int = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Instance:
    """Types of equal items, each to be packed as often as `demand` says into bins of one capacity.

    Attributes
    ----------
    name
        As in the file names, without ending.
    size, demand, capacity
        int64[n, D] (some published ones have sizes of -1 and -2), int64[n], int64[D].
    optimum
        Fewest bins, as published.
    """

    name: str
    size: Int
    demand: Int
    capacity: Int
    optimum: int


@dataclass(frozen=True)
class Settings:
    """How to solve: seconds (of the wall clock; of the CPU for the packing layer alone), seed, workers, and by what."""

    deadline: float = 20.0
    seed: int = 1
    workers: int = 1
    alone: bool = False
    fast: bool = True


@dataclass(frozen=True, eq=False)
class Solved:
    """What a solver answered: bins as patterns int64[p, n] with times int64[p], its bound and its words."""

    patterns: Int
    times: Int
    bound: int
    strategy: str
    compiling: dict[str, float]
    solving: dict[str, float]


def parse(name: str, text: str, optimum: int) -> Instance:
    """Read a .vbp file: dimensions, capacities, number of lines, then sizes and count of each; equal lines are merged."""
    numbers = np.array(text.split(), np.int64)
    dimensions = int(numbers[0])
    capacity, lines = numbers[1 : 1 + dimensions], int(numbers[1 + dimensions])
    table = numbers[2 + dimensions : 2 + dimensions + lines * (dimensions + 1)].reshape(lines, dimensions + 1)
    size, which = np.unique(table[:, :-1], axis=0, return_inverse=True)
    demand = np.zeros(len(size), np.int64)
    np.add.at(demand, which.reshape(-1), table[:, -1])
    return Instance(name, size, demand, capacity, optimum)


def draw(folder: Path, family: str, sample: int, seed: int) -> list[Instance]:
    """Return up to `sample` instances of a family whose optimum is known, drawn from the seed."""
    with (folder / f"{family}_known.csv").open() as file:
        optima = {row["instance"]: int(row["OPT"]) for row in csv.DictReader(file) if row["OPT"]}
    names = sorted(optima)
    chosen = np.random.default_rng(seed).choice(len(names), min(sample, len(names)), replace=False)
    with tarfile.open(folder / f"{family}.tar.gz") as archive:
        members = {Path(one.name).stem: one for one in archive.getmembers() if one.name.endswith(".vbp")}
        found = []
        for name in (names[i] for i in sorted(chosen.tolist())):
            file_in_it = archive.extractfile(members[name])
            assert file_in_it is not None, f"{name} is no plain file"
            found.append(parse(name, file_in_it.read().decode(), optima[name]))
    return found


def problem_of(instance: Instance) -> Problem:
    """Return the instance as a placement problem: as many equal agents as items, and the fewest of them wanted."""
    agents, rows = int(instance.demand.sum()), len(instance.demand)
    capacity = np.tile(instance.capacity, (agents, 1))
    return Problem(
        capacity=capacity,
        demand=instance.size,
        shape=np.arange(rows, dtype=np.int32),
        wanted=instance.demand,
        mask=np.full(rows, ALL_AGENTS, np.int32),
        masks=(),
        priority=np.zeros(rows, np.int64),
        weight=np.ones(rows, np.int64),
        price=np.ones(agents, np.int64),
        held=np.zeros(agents, np.bool_),
        total=capacity.copy(),
    )


def solve_instance(instance: Instance, chosen: Settings) -> Solved:
    """Return what the solver `auto` answers; the packing layer alone if asked, or if some sizes are negative.

    A problem's demands are amounts of resources, so they cannot be negative; the packing layer does not mind.
    """
    if chosen.alone or (instance.size < 0).any():
        return pack_alone(instance, chosen)
    problem, compiling = timed(lambda: problem_of(instance))
    until = time.monotonic() + chosen.deadline
    options = Options(until=until, seconds=chosen.deadline, seed=chosen.seed, workers=chosen.workers)
    answer, solving = timed(lambda: solve(problem, options, "auto"))
    held = np.zeros((problem.agents, problem.rows), np.int64)
    held[answer.agent, answer.row] = answer.count
    patterns, times = np.unique(held[held.any(axis=1)], axis=0, return_counts=True)
    bound = next(level.bound for level in answer.levels if level.name == "pack")
    return Solved(patterns, times, bound, answer.strategy, compiling, solving)


def pack_alone(instance: Instance, chosen: Settings) -> Solved:
    """Return what the packing layer answers by itself within a deadline in CPU seconds."""

    def packed() -> Packing:
        until = time.process_time() + chosen.deadline
        size, demand, capacity = instance.size, instance.demand, instance.capacity
        return pack_bins(size, demand, capacity, demand, seed=chosen.seed, cpu_until=until, fast=chosen.fast)

    answer, solving = timed(packed)
    strategy = f"packing layer alone: {answer.engine}"
    return Solved(answer.patterns, answer.times, answer.bound, strategy, {"wall": 0.0, "cpu": 0.0}, solving)


def verified(instance: Instance, patterns: Int, times: Int) -> bool:
    """Whether all items are in bins, each once, and no bin exceeds its capacity in any dimension; item by item."""
    packed = [0] * len(instance.demand)
    for pattern, often in zip(patterns.tolist(), times.tolist(), strict=True):
        used = [0] * len(instance.capacity)
        for kind, count in enumerate(pattern):
            if count < 0:
                return False
            packed[kind] += count * often
            used = [a + count * int(b) for a, b in zip(used, instance.size[kind], strict=True)] if count else used
        if often < 0 or any(a > b for a, b in zip(used, instance.capacity.tolist(), strict=True)):
            return False
    return packed == instance.demand.tolist()


def measure(instance: Instance, chosen: Settings) -> dict[str, Any]:
    """Solve and judge one instance; return what the command prints."""
    answer = solve_instance(instance, chosen)
    holds, verifying = timed(lambda: verified(instance, answer.patterns, answer.times))
    value = int(answer.times.sum())
    return {
        "instance": instance.name,
        "value": value,
        "bound": answer.bound,
        "gap": round((value - answer.bound) / max(value, 1), 6),
        "proved": value == answer.bound,
        "placed": int((answer.times @ answer.patterns).sum()),
        "optimum": instance.optimum,
        "seconds": {"compile": answer.compiling, "solve": answer.solving, "verify": verifying},
        "strategy": answer.strategy,
        "verified": holds,
    }


def summary(family: str, reports: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the counts of a family; `below` must be 0: answers under, or bounds over, a known optimum."""
    cpu = [one["seconds"]["solve"]["cpu"] for one in reports]
    return {
        "family": family,
        "number": len(reports),
        "reached": sum(one["value"] == one["optimum"] for one in reports),
        "proved": sum(one["proved"] for one in reports),
        "verified": sum(one["verified"] for one in reports),
        "below": sum(not one["bound"] <= one["optimum"] <= one["value"] for one in reports),
        "cpu": {"median": float(np.median(cpu)), "most": max(cpu), "sum": round(sum(cpu), 2)},
    }


def warm_up(chosen: Settings) -> None:
    """Have everything imported and compiled before anything is measured."""
    size = np.random.default_rng(0).integers(20, 60, (12, 2))
    instance = Instance("", size, np.ones(12, np.int64), np.array([100, 100]), 0)
    measure(instance, chosen)
    bins = Bins.of(size, instance.demand, instance.capacity, instance.demand)
    Pricer(bins, fast=chosen.fast and AVAILABLE).price(np.ones(12), bins.most, bins.demand, 8)


def main(words: Sequence[str] | None = None) -> None:
    """Print one JSON object an instance, and one a family."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.vbp", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with FAMILY.tar.gz and FAMILY_known.csv")
    parser.add_argument("--sample", type=int, default=50, help="instances of each family")
    parser.add_argument("--seed", type=int, default=1, help="of the draw and of the solver")
    parser.add_argument("--deadline", type=float, default=20.0, help="seconds for one instance")
    parser.add_argument("--family", choices=FAMILIES, action="append", help="default: all three")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--alone", action="store_true", help="the packing layer without the solver around it")
    parser.add_argument("--plain", action="store_true", help="numpy only, no compiled loops (with --alone)")
    words_read = parser.parse_args(words)
    chosen = Settings(
        words_read.deadline,
        words_read.seed,
        words_read.workers,
        words_read.alone or words_read.plain,
        not words_read.plain,
    )
    warm_up(chosen)
    for family in words_read.family or FAMILIES:
        reports = []
        for instance in draw(words_read.data, family, words_read.sample, words_read.seed):
            reports.append(measure(instance, chosen))
            print(json.dumps(reports[-1]), flush=True)
        print(json.dumps(summary(family, reports)), flush=True)


if __name__ == "__main__":
    main()
