"""Small relaxations for problems with too many pairs of row and class: sums over agents, or over rows.

They keep capacities and what balances ask of each group; which row goes where they do not know.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.classes.goals import goal_step
from solvers.linear import LinearModel
from solvers.problem import Problem
from solvers.rules import EACH_AGENT, Balance, GroupCap, Int64


def knapsack_model(problem: Problem, reach: Sequence[tuple[int, int]], tier: int, step: int) -> LinearModel:
    """Return the model of the most weight of a tier that all agents together have room for, as a minimum.

    Parameters
    ----------
    reach
        (priority, value) of other tiers in which at least this weight is placed.
    step
        Weights are divided by it.
    """
    most = np.minimum(problem.wanted, _most_alone(problem))
    mine = problem.priority == tier
    linear = LinearModel()
    columns = linear.add_columns(problem.rows, cost=np.where(mine, -(problem.weight // step), 0), upper=most)
    need = problem.demand[problem.shape]
    for dimension in np.flatnonzero(need.any(axis=0)).tolist():
        common = max(1, int(np.gcd.reduce(need[:, dimension])))
        room = int((np.maximum(problem.capacity[:, dimension], 0) // common).sum())
        linear.add_rows(1, np.zeros(problem.rows), columns, need[:, dimension] // common, upper=room)
    for other, value in reach:
        chosen = np.flatnonzero(problem.priority == other)
        linear.add_rows(1, np.zeros(len(chosen)), chosen, problem.weight[chosen], lower=value)
    return linear


def _most_alone(problem: Problem) -> Int64:
    """Return int64[rows]: the most instances of each row that fit if it has the agents to itself."""
    most = np.zeros(problem.rows, np.int64)
    for shape in np.unique(problem.shape).tolist():
        fits = problem.most_per_agent(shape)
        for row in np.flatnonzero(problem.shape == shape).tolist():
            most[row] = fits[problem.allowed(row)].sum()
    return most


def cover_model(problem: Problem) -> tuple[LinearModel, float]:
    """Return the model of the cheapest agents on which everything wanted has room in sum, and the unit of its cost.

    The agents of each group of the grouping that most balances are over must hold the balanced instances' share; the
    others are free to go where there is room.
    """
    step = goal_step(problem)
    linear = LinearModel()
    fixed = problem.held | (problem.price == 0)
    use = linear.add_columns(problem.agents, cost=np.where(problem.held, 0, problem.price // step),
                             lower=fixed, upper=1.0, integer=True)  # fmt: skip
    total = _demand_of(problem, np.arange(problem.rows))
    found = _balanced_shares(problem)
    for dimension in np.flatnonzero(total).tolist():
        capacity = np.maximum(problem.capacity[:, dimension], 0) / max(1, int(total[dimension]))
        if found is None:
            linear.add_rows(1, np.zeros(problem.agents), use, capacity, lower=1.0)
            continue
        codes, least = found
        groups = len(least)
        extra = linear.add_columns(groups)
        inside = np.flatnonzero(codes >= 0)
        held_back = least[:, dimension] / max(1, int(total[dimension]))
        linear.add_rows(groups, np.r_[codes[inside], np.arange(groups)], np.r_[use[inside], extra],
                        np.r_[capacity[inside], -np.ones(groups)], lower=held_back)  # fmt: skip
        rest = 1.0 - float(held_back.sum())
        outside = np.flatnonzero(codes < 0)
        columns = np.r_[extra, use[outside]]
        linear.add_rows(1, np.zeros(len(columns)), columns, np.r_[np.ones(groups), capacity[outside]], lower=rest)
    fewest = _fewest(problem)
    linear.add_rows(1, np.zeros(problem.agents), use, 1.0, lower=fewest)
    return linear, float(step)


def _fewest(problem: Problem) -> int:
    """Return how many agents caps on each of them ask for."""
    caps = [
        -(-int(problem.wanted[rule.rows].sum()) // max(1, rule.limit))
        for rule in problem.rules
        if isinstance(rule, GroupCap) and rule.grouping == EACH_AGENT and not rule.soft
    ]
    return max(caps, default=int(problem.wanted.any()))


def _demand_of(problem: Problem, rows: Int64) -> Int64:
    return np.asarray((problem.demand[problem.shape[rows]] * problem.wanted[rows][:, None]).sum(axis=0))


def _balanced_shares(problem: Problem) -> tuple[Int64, Int64] | None:
    """Return group codes and int64[groups, D] what each group holds at least when balanced rows are all placed."""
    rules = [
        rule
        for rule in problem.rules
        if isinstance(rule, Balance) and not (rule.soft or rule.at_least or len(rule.counted.group))
        and rule.grouping != EACH_AGENT and len(rule.rows) == 1
    ]  # fmt: skip
    if not rules:
        return None
    uses = np.bincount([rule.grouping for rule in rules])
    grouping = int(uses.argmax())
    least = np.zeros((problem.group_count(grouping), problem.demand.shape[1]), np.int64)
    done: set[int] = set()
    for rule in rules:
        row, matter = int(rule.rows[0]), int(rule.relevant.sum())
        if rule.grouping == grouping and matter and row not in done:
            done.add(row)
            each = int(problem.wanted[row]) // matter
            least[rule.relevant] += each * problem.demand[problem.shape[row]]
    return problem.groups(grouping).astype(np.int64), least
