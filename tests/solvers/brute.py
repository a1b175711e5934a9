"""Every assignment of a tiny problem tried in turn: the truth that solvers are held against."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from solvers import objective
from solvers.problem import Assignment, Problem
from tests.solvers.check import breaches


def assignments(problem: Problem) -> Iterator[Assignment]:
    """All assignments that break no hard rule."""
    for counts in product(*(list(_spreads(problem, row)) for row in range(problem.rows))):
        runs = [(row, agent, count) for row, spread in enumerate(counts) for agent, count in enumerate(spread) if count]
        row, agent, count = (np.array([run[i] for run in runs], np.int64) for i in range(3))
        candidate = Assignment.of_runs(row, agent, count, problem.agents)
        if not breaches(problem, candidate):
            yield candidate


def _spreads(problem: Problem, row: int) -> Iterator[tuple[int, ...]]:
    """All ways to spread at most the instances wanted over the agents."""
    wanted = int(problem.wanted[row])
    for spread in product(range(wanted + 1), repeat=problem.agents):
        if sum(spread) <= wanted:
            yield spread


def best_values(problem: Problem) -> tuple[int, ...]:
    """The lexicographically best level values."""
    best: tuple[int, ...] | None = None
    for candidate in assignments(problem):
        values = objective.values(problem, candidate)
        if best is None or objective.better(problem, values, best):
            best = values
    assert best is not None, "placing nothing is always allowed"
    return best
