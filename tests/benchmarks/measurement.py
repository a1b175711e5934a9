"""One measured solve, as every benchmark command prints it: value, bound, times, strategy, and the checker's verdict."""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from placement import verify
from placement.cluster import Cluster
from placement.compilation import compile_problem
from placement.decoding import decode
from placement.engine import UNIT
from placement.workload import Workload
from solvers import Options, solve
from solvers.problem import Goal, Level

Result = TypeVar("Result")


def measure(
    instance: str,
    cluster: Cluster,
    workload: Workload,
    *,
    goal: Goal = "pack",
    preferences: Mapping[str, Mapping[str, int]] | None = None,
    level: str | None = None,
    solver: str = "auto",
    deadline: float | None = None,
    workers: int = 2,
    seed: int = 1,
    deterministic: bool = False,
) -> dict[str, Any]:
    """Compile, solve, decode and verify, and return what the command prints.

    Parameters
    ----------
    level
        Name of the level whose value is printed: the goal unless told otherwise.
    deadline
        Seconds of the solve; None: no limit.
    """
    compiled, compiling = timed(lambda: compile_problem(cluster, workload, goal=goal, preferences=preferences))

    def solve_it() -> Any:
        limit = None if deadline is None else time.monotonic() + deadline
        options = Options(
            until=limit, seconds=deadline or 10.0, seed=seed, workers=workers, deterministic=deterministic
        )
        return solve(compiled.problem, options, solver)

    assignment, solving = timed(solve_it)
    placements = decode(compiled, assignment)
    verdict, verifying = timed(lambda: verify(cluster, workload, placements))
    numbers = [i for i, one in enumerate(assignment.levels) if one.name == (level or goal)]
    chosen = assignment.levels[numbers[0]]
    return {
        "instance": instance,
        **as_numbers(chosen),
        "proved": all(one.optimal for one in assignment.levels[: numbers[0] + 1]),
        "engine": chosen.engine,
        "placed": len(placements),
        "asked": workload.instances,
        "seconds": {"compile": compiling, "solve": solving, "verify": verifying},
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "strategy": assignment.strategy,
        "cut_short": assignment.cut_short,
        "verified": verdict.holds and len(placements) == int(assignment.count.sum()),
    }


def as_numbers(level: Level) -> dict[str, float]:
    """Value, bound and gap of a level in the user's unit."""
    unit = UNIT[level.name]
    largest = max(abs(level.value), abs(level.bound))
    gap = abs(level.bound - level.value) / largest if largest else 0.0
    return {"value": level.value / unit, "bound": level.bound / unit, "gap": round(gap, 6)}


def timed(work: Callable[[], Result]) -> tuple[Result, dict[str, float]]:
    """Return what a function returns with its wall and CPU seconds, those of threads and ended children included."""
    before = (time.perf_counter(), _cpu())
    found = work()
    return found, {"wall": round(time.perf_counter() - before[0], 3), "cpu": round(_cpu() - before[1], 3)}


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def parser(command: str, description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options that all commands share."""
    found = argparse.ArgumentParser(prog=f"python -m tests.benchmarks.{command}", description=description)
    found.add_argument("--deadline", type=float, help="seconds of the solve (default: until it ends by itself)")
    found.add_argument("--workers", type=int, default=2)
    found.add_argument("--seed", type=int, default=1)
    found.add_argument("--solver", default="auto", choices=("greedy", "exact", "auto"))
    return found
