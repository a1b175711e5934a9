"""The covering problem over the patterns known, in whole bins, by CP-SAT: what dives miss by a bin.

Also the exact cover over full patterns, where it may prove that there is none.
"""

from __future__ import annotations

import math

import numpy as np
from ortools.sat.python import cp_model

from solvers.packing.budget import STEPS_A_SECOND, Budget
from solvers.packing.pool import Pool
from solvers.rules import Int64


def fewest(
    pool: Pool, numbers: Int64, demand: Int64, bound: int, best: int, seed: int, budget: Budget
) -> list[int] | None:
    """Return pattern numbers with repetition that cover a demand in fewer than `best` bins, or None.

    Parameters
    ----------
    numbers
        int64[k]: the patterns that may be used.
    demand
        int64[n].
    bound
        No cover has fewer bins.
    """
    model = cp_model.CpModel()
    uses = _covering(model, pool, numbers, demand, np.flatnonzero(demand), exact=False)
    total = sum(uses)
    model.add_linear_constraint(total, min(bound, best - 1), best - 1)
    status, values = _solve(model, uses, seed, budget, level=2)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return np.repeat(numbers, values).tolist()


def exact_cover(pool: Pool, kinds: Int64, most: int, seed: int, budget: Budget) -> tuple[list[int] | None, bool]:
    """Return at most `most` pattern numbers that meet the demand of some types exactly, and if none, whether proved.

    Parameters
    ----------
    kinds
        int64[t]: the types; patterns of the pool hold no others.
    most
        Most bins.
    """
    numbers = np.arange(len(pool))
    model = cp_model.CpModel()
    uses = _covering(model, pool, numbers, pool.bins.demand, kinds, exact=True)
    model.add(sum(uses) <= most)
    status, values = _solve(model, uses, seed, budget, level=1)
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return np.repeat(numbers, values).tolist(), False
    return None, status == cp_model.INFEASIBLE


def _covering(
    model: cp_model.CpModel, pool: Pool, numbers: Int64, demand: Int64, kinds: Int64, *, exact: bool
) -> list[cp_model.IntVar]:
    """Add how often each pattern is used, and that types are covered."""
    uses = []
    holders: list[list[tuple[cp_model.IntVar, int]]] = [[] for _ in range(pool.bins.types)]
    for number in numbers.tolist():
        item, count = pool.item[number], pool.count[number]
        times = demand[item] // count if exact else -(-demand[item] // count)
        use = model.new_int_var(0, int(times.min() if exact else times.max()), "")
        uses.append(use)
        for kind, each in zip(item.tolist(), count.tolist(), strict=True):
            holders[kind].append((use, each))
    for kind in kinds.tolist():
        held = sum(use * each for use, each in holders[kind])
        if exact and demand[kind] == 1:
            model.add_exactly_one(use for use, _ in holders[kind])
        elif exact:
            model.add(held == int(demand[kind]))
        else:
            model.add(held >= int(demand[kind]))
    return uses


def _solve(
    model: cp_model.CpModel, uses: list[cp_model.IntVar], seed: int, budget: Budget, level: int
) -> tuple[int, Int64]:
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    solver.parameters.linearization_level = level
    left = budget.left()
    if math.isfinite(left):
        if budget.deterministic:
            solver.parameters.max_deterministic_time = max(left, 0.0)
        else:
            solver.parameters.max_time_in_seconds = max(left, 0.0)
    status = solver.solve(model)
    budget.spend(solver.response_proto.deterministic_time * STEPS_A_SECOND)
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    return int(status), np.array([solver.value(use) for use in uses] if found else [], np.int64)
