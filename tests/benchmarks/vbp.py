"""Vector bin packing with known optima: `python -m tests.benchmarks.vbp --data DIR --sample 50 --seed 1 [--deadline 20]`.

Reads New, Panigrahy and Triplet from DIR (FAMILY.tar.gz with .vbp files beside FAMILY_known.csv, as published by the
authors of "Classification and evaluation of the algorithms for vector bin packing"), draws instances of known optimum,
prints one JSON object an instance and one a family. The deadline counts CPU seconds of the solve.
"""

from __future__ import annotations

import argparse
import csv
import json
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers.packing import pack_bins

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


def solve_instance(instance: Instance, deadline: float, seed: int, workers: int, *, fast: bool = True) -> Solved:
    """Return what the solver answers within a deadline in CPU seconds; `workers` is for solvers that have some."""
    compiling: dict[str, float] = {}
    solving: dict[str, float] = {}
    with measured(compiling):
        size, demand, capacity, most = instance.size, instance.demand, instance.capacity, instance.demand
    with measured(solving):
        until = time.process_time() + deadline
        answer = pack_bins(size, demand, capacity, most, seed=seed, cpu_until=until, fast=fast)
    return Solved(answer.patterns, answer.times, answer.bound, answer.engine, compiling, solving)


@contextmanager
def measured(seconds: dict[str, float]) -> Iterator[None]:
    """Fill in wall and CPU seconds (all threads) of what is done inside."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    seconds["wall"] = round(time.perf_counter() - wall, 4)
    seconds["cpu"] = round(time.process_time() - cpu, 4)


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


def measure(instance: Instance, deadline: float, seed: int, workers: int, *, fast: bool = True) -> dict[str, Any]:
    """Solve and judge one instance; return what the command prints."""
    answer = solve_instance(instance, deadline, seed, workers, fast=fast)
    verifying: dict[str, float] = {}
    with measured(verifying):
        holds = verified(instance, answer.patterns, answer.times)
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


def warm_up(*, fast: bool) -> None:
    """Have everything imported and compiled before anything is measured."""
    size = np.random.default_rng(0).integers(20, 60, (12, 2))
    measure(Instance("", size, np.ones(12, np.int64), np.array([100, 100]), 0), 60.0, 0, 1, fast=fast)


def main(words: Sequence[str] | None = None) -> None:
    """Print one JSON object an instance, and one a family."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.vbp", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with FAMILY.tar.gz and FAMILY_known.csv")
    parser.add_argument("--sample", type=int, default=50, help="instances of each family")
    parser.add_argument("--seed", type=int, default=1, help="of the draw and of the solver")
    parser.add_argument("--deadline", type=float, default=20.0, help="CPU seconds for one instance")
    parser.add_argument("--family", choices=FAMILIES, action="append", help="default: all three")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--plain", action="store_true", help="numpy alone, no compiled loops")
    chosen = parser.parse_args(words)
    warm_up(fast=not chosen.plain)
    for family in chosen.family or FAMILIES:
        reports = []
        for instance in draw(chosen.data, family, chosen.sample, chosen.seed):
            reports.append(measure(instance, chosen.deadline, chosen.seed, chosen.workers, fast=not chosen.plain))
            print(json.dumps(reports[-1]), flush=True)
        print(json.dumps(summary(family, reports)), flush=True)


if __name__ == "__main__":
    main()
