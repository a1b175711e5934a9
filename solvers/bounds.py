"""Bounds that need no engine: sums of capacity, rounded to the safe side in integers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers import objective
from solvers.problem import Assignment, Problem
from solvers.rules import EACH_AGENT, GroupCap, Int64

BY_CAPACITY = "sums of capacity"


def cheap_bounds(problem: Problem, values: Sequence[int]) -> list[tuple[int, str]]:
    """Return (bound, what it rests on) of every level for an answer with the level values given.

    Bounds of later levels hold for answers that reach the same values in the earlier ones.
    """
    bounds: list[tuple[int, str]] = []
    settled: Int64 | None = np.zeros(problem.rows, np.int64)
    for (name, priority, _), value in zip(objective.names(problem), values, strict=True):
        if name == "placed":
            rows = np.flatnonzero(problem.priority == priority)
            each = _most_of_rows(problem, rows, value)
            alone = int((each * problem.weight[rows]).sum())
            bounds.append((alone if value == alone else _most_placed(problem, rows, each), BY_CAPACITY))
            if settled is not None and value == alone:
                settled[rows] = each
            else:
                settled = None
        elif name == "violations":
            bounds.append((0, BY_CAPACITY))
        else:
            bounds.append((_least_goal(problem, settled), BY_CAPACITY))
    return bounds


def _most_of_rows(problem: Problem, rows: Int64, value: int) -> Int64:
    """Return int64[k]: the most instances of each row that could be placed if it had the cluster for itself."""
    wanted = problem.wanted[rows]
    if value == int((wanted * problem.weight[rows]).sum()):
        return wanted
    return np.array([_most_of_row(problem, int(row)) for row in rows], np.int64)


def _most_placed(problem: Problem, rows: Int64, each: Int64) -> int:
    """Return the most weight of the rows that could be placed if they had the cluster for themselves."""
    step = int(np.gcd.reduce(problem.weight[rows])) or 1 if len(rows) else 1
    best = int((each * problem.weight[rows]).sum())
    capacity = problem.capacity.sum(axis=0)
    for dimension in range(problem.capacity.shape[1]):
        need = problem.demand[problem.shape[rows], dimension]
        best = min(best, _knapsack(each, problem.weight[rows], need, int(capacity[dimension])))
    return best // step * step


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


def _least_goal(problem: Problem, settled: Int64 | None) -> int:
    """Return the least the goal can be.

    `settled`, int64[rows], is how many of each row every answer as good in the earlier levels places; None: not known.
    """
    nothing = Assignment.nothing()
    if problem.goal == "prefer":
        cheapest = 0 if problem.preferences is None else int(min(0, problem.preferences.cost.min(initial=0)))
        return cheapest * int(problem.wanted.sum())
    before = objective.goal_value(problem, nothing)
    if settled is None:
        return before
    needed = np.asarray((problem.demand[problem.shape] * settled[:, None]).sum(axis=0))
    if problem.goal == "pack":
        return max(_least_price(problem, needed), _price_of_caps(problem, settled))
    if problem.goal == "balance":
        return max(before, _average_load(problem, needed))
    return before


def _least_price(problem: Problem, needed: Int64) -> int:
    """Return the least price of further agents that have, with those held already, what is needed, int64[D]."""
    step = int(np.gcd.reduce(problem.price)) or 1
    best = 0
    for dimension in np.flatnonzero(needed).tolist():
        missing = int(needed[dimension] - problem.capacity[problem.held, dimension].sum())
        if missing > 0:
            capacity = problem.capacity[~problem.held, dimension]
            best = max(best, _cheapest_cover(missing, capacity, problem.price[~problem.held]))
    return -(-best // step) * step


def _price_of_caps(problem: Problem, settled: Int64) -> int:
    """Return the least price of the agents that caps on each agent ask for: n instances, at most k on one."""
    agents = max(
        (
            -(-int(settled[rule.rows].sum()) // max(1, rule.limit))
            for rule in problem.rules
            if isinstance(rule, GroupCap) and rule.grouping == EACH_AGENT and not rule.soft
        ),
        default=0,
    )
    further = max(0, agents - int(problem.held.sum()))
    return int(np.sort(problem.price[~problem.held])[:further].sum())


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


def _average_load(problem: Problem, needed: Int64) -> int:
    """Return the greatest over the resources of used/total over all agents together, in millionths rounded up."""
    plain = problem.total.shape[1]
    used = (problem.total - problem.capacity[:, :plain]).sum(axis=0) + needed[:plain]
    total = problem.total.sum(axis=0)
    there = total > 0
    return int((-(-used[there] * objective.MILLION // total[there])).max(initial=0))
