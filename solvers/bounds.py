"""Bounds that need no engine: sums of capacity, rounded to the safe side in integers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers import objective
from solvers.problem import Assignment, Problem
from solvers.rules import Int64

BY_CAPACITY = "sums of capacity"


def cheap_bounds(problem: Problem, values: Sequence[int]) -> list[tuple[int, str]]:
    """Return (bound, what it rests on) of every level for an answer with the level values given.

    Bounds of later levels hold for answers that reach the same values in the earlier ones.
    """
    bounds: list[tuple[int, str]] = []
    everything = True
    for (name, priority, _), value in zip(objective.names(problem), values, strict=True):
        if name == "placed":
            tier = problem.priority == priority
            wanted = int((problem.wanted * problem.weight)[tier].sum())
            everything &= value == wanted
            bounds.append((wanted if value == wanted else _most_placed(problem, np.flatnonzero(tier)), BY_CAPACITY))
        elif name == "violations":
            bounds.append((0, BY_CAPACITY))
        else:
            bounds.append((_least_goal(problem, everything), BY_CAPACITY))
    return bounds


def _most_placed(problem: Problem, rows: Int64) -> int:
    """Return the most weight of the rows that could be placed if they had the cluster for themselves."""
    if not len(rows):
        return 0
    each = np.array([_most_of_row(problem, int(row)) for row in rows], np.int64)
    best = int((each * problem.weight[rows]).sum())
    capacity = problem.capacity.sum(axis=0)
    for dimension in range(problem.capacity.shape[1]):
        need = problem.demand[problem.shape[rows], dimension]
        best = min(best, _knapsack(each, problem.weight[rows], need, int(capacity[dimension])))
    return best


def _most_of_row(problem: Problem, row: int) -> int:
    fits = problem.most_per_agent(int(problem.shape[row]))
    return int(min(problem.wanted[row], fits[problem.allowed(row)].sum()))


def _knapsack(count: Int64, weight: Int64, need: Int64, capacity: int) -> int:
    """Return the fractional knapsack bound: most weight per need first, rounded down."""
    free = need == 0
    total = int((count * weight)[free].sum())
    order = np.flatnonzero(~free)
    order = order[np.argsort(-(weight[order] / need[order]), kind="stable")]
    for i in order.tolist():
        taken = min(int(count[i]), capacity // int(need[i]))
        total += taken * int(weight[i])
        capacity -= taken * int(need[i])
        if taken < count[i]:
            return total + capacity * int(weight[i]) // int(need[i])
    return total


def _least_goal(problem: Problem, everything: bool) -> int:
    """Return the least the goal can be; more than what stands already only if everything is placed."""
    nothing = Assignment.of_runs(*[np.empty(0, np.int64)] * 3, problem.agents)
    if problem.goal == "prefer":
        cheapest = 0 if problem.preferences is None else int(min(0, problem.preferences.cost.min(initial=0)))
        return cheapest * int(problem.wanted.sum())
    before = objective.goal_value(problem, nothing)
    if not everything:
        return before
    if problem.goal == "pack":
        return _least_price(problem)
    if problem.goal == "balance":
        return max(before, _average_load(problem))
    return before


def _needed(problem: Problem) -> Int64:
    """Return int64[D]: what all instances wanted demand together."""
    return np.asarray((problem.demand[problem.shape] * problem.wanted[:, None]).sum(axis=0))


def _least_price(problem: Problem) -> int:
    """Return the least price of further agents that have, with those held already, what all instances demand."""
    needed = _needed(problem)
    step = int(np.gcd.reduce(problem.price)) or 1
    best = 0
    for dimension in np.flatnonzero(needed).tolist():
        missing = int(needed[dimension] - problem.capacity[problem.held, dimension].sum())
        if missing > 0:
            capacity = problem.capacity[~problem.held, dimension]
            best = max(best, _cheapest_cover(missing, capacity, problem.price[~problem.held]))
    return -(-best // step) * step


def _cheapest_cover(missing: int, capacity: Int64, price: Int64) -> int:
    """Return the fractional covering bound: least price per capacity first, rounded up."""
    useful = capacity > 0
    capacity, price = capacity[useful], price[useful]
    order = np.argsort(price / capacity, kind="stable")
    total = np.cumsum(capacity[order])
    whole = int(np.searchsorted(total, missing))
    if whole >= len(order):
        return int(price.sum())
    before = int(total[whole - 1]) if whole else 0
    last = order[whole]
    part = -(-(missing - before) * int(price[last]) // int(capacity[last]))
    return int(price[order[:whole]].sum()) + part


def _average_load(problem: Problem) -> int:
    """Return the greatest over the resources of used/total over all agents together, in millionths rounded up."""
    plain = problem.total.shape[1]
    used = (problem.total - problem.capacity[:, :plain]).sum(axis=0) + _needed(problem)[:plain]
    total = problem.total.sum(axis=0)
    there = total > 0
    return int((-(-used[there] * objective.MILLION // total[there])).max(initial=0))
