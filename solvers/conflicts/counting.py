"""Proofs by counting: sums of capacity and of places, in integers, without any engine.

They decide over-full clusters of any size in milliseconds; what they cannot prove is left to the engines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.problem import Problem
from solvers.rules import EACH_AGENT, Balance, Bool, GroupCap, Int64, OneGroup, Quota

MOST_MASKS = 256
"""Most distinct sets of agents that are compared with each other."""


@dataclass(frozen=True, eq=False)
class Shortage:
    """A proof that not everything needed can be placed.

    Attributes
    ----------
    rows
        int64[k]: the rows that cannot all be placed whole.
    agents
        bool[agents]: the agents they may use.
    dimension
        The dimension that is short, None: places are short for a single row.
    needed, there
        What the rows need, and the most there is: amounts in the dimension, or instances.
    """

    rows: Int64
    agents: Bool
    dimension: int | None
    needed: int
    there: int


def shortage(problem: Problem) -> Shortage | None:
    """Return a proof that the instances wanted cannot all be placed, None if counting finds none."""
    wanting = np.flatnonzero((problem.wanted > 0) & (problem.priority > 0))
    masks = {int(row): problem.allowed(int(row)) for row in wanting}
    for row in wanting.tolist():
        most = most_alone(problem, row)
        if most < problem.wanted[row]:
            return Shortage(np.array([row]), masks[row], None, int(problem.wanted[row]), most)
    return _short_sum(problem, wanting, masks)


def most_alone(problem: Problem, row: int) -> int:
    """Return an upper bound of the instances of a row that could be placed if it had the cluster for itself."""
    room = np.where(problem.allowed(row), problem.most_per_agent(int(problem.shape[row])), 0)
    room = np.minimum(room, problem.wanted[row])
    rules = [problem.rules[number] for number in problem.rules_of[row] if row in problem.rules[number].rows]
    for rule in rules:
        if isinstance(rule, GroupCap) and rule.grouping == EACH_AGENT:
            room = np.minimum(room, np.maximum(0, rule.limit - rule.counted.dense(problem.agents)))
    best = int(room.sum())
    for rule in rules:
        if isinstance(rule, GroupCap | OneGroup | Quota | Balance):
            best = min(best, _most_in_groups(problem, rule, room))
    return best


def _most_in_groups(problem: Problem, rule: GroupCap | OneGroup | Quota | Balance, room: Int64) -> int:
    codes, size = problem.groups(rule.grouping), problem.group_count(rule.grouping)
    by_group = np.zeros(size, np.int64)
    np.add.at(by_group, codes[codes >= 0], room[codes >= 0])
    outside = int(room[codes < 0].sum())
    if isinstance(rule, GroupCap):
        return int(np.minimum(by_group, np.maximum(0, rule.limit - rule.counted.dense(size))).sum()) + outside
    if isinstance(rule, OneGroup):
        return int(by_group.max(initial=0))
    counted = rule.counted.dense(size)
    if isinstance(rule, Quota):
        spent = int(np.maximum(0, counted - rule.each).sum() + np.maximum(0, rule.outside - rule.each).sum())
        fresh = max(0, rule.groups - int((counted > 0).sum()) - int((rule.outside > 0).sum()))
        plain = np.minimum(by_group, np.maximum(0, rule.each - counted))
        new = np.sort(plain[counted == 0])[::-1][:fresh]
        return int(plain[counted > 0].sum() + new.sum()) + max(0, rule.extra - spent) + outside
    by_group = np.where(rule.relevant, by_group, 0)
    if rule.at_least or not rule.relevant.any():
        return int(by_group.sum())
    least = int((counted + by_group)[rule.relevant].min())
    return int(np.minimum(by_group, np.maximum(0, least + 1 - counted)).sum())


def _short_sum(problem: Problem, wanting: Int64, masks: dict[int, Bool]) -> Shortage | None:
    """Compare, for each set of agents that some row may use, what all rows confined to it need with what is there."""
    numbers = problem.mask[wanting]
    sets = {int(number): wanting[numbers == number] for number in np.unique(numbers)}
    if not sets or len(sets) > MOST_MASKS:
        return None
    everywhere = np.ones(problem.agents, np.bool_)
    tried = [masks[int(rows[0])] for rows in sets.values()]
    for agents in [*sorted(tried, key=lambda mask: int(mask.sum())), everywhere]:
        confined = [rows for rows in sets.values() if not (masks[int(rows[0])] & ~agents).any()]
        if not confined:
            continue
        rows = np.sort(np.concatenate(confined))
        for dimension in range(problem.capacity.shape[1]):
            found = _short_in(problem, rows, agents, dimension)
            if found is not None:
                return found
    return None


def _short_in(problem: Problem, rows: Int64, agents: Bool, dimension: int) -> Shortage | None:
    need = problem.demand[problem.shape[rows], dimension]
    asking = need > 0
    if not asking.any():
        return None
    rows, need = rows[asking], need[asking]
    needed = int((need * problem.wanted[rows]).sum())
    there = int(usable(problem.capacity[agents, dimension], need).sum())
    return Shortage(rows, agents, dimension, needed, there) if needed > there else None


def usable(capacity: Int64, need: Int64) -> Int64:
    """Return int64[agents]: the part of a capacity that demands can use: whole multiples of their common divisor."""
    step = int(np.gcd.reduce(need))
    return np.where(capacity < need.min(), 0, capacity // step * step)
