"""The goals as costs of the class model, each an under-estimate that is exact where sums by class can say it."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers import objective
from solvers.classes.model import ClassModel
from solvers.linear import LinearModel
from solvers.problem import Assignment, Problem
from solvers.rules import Int64

TANGENTS = 24
"""Lines under the squares of 'spread' for each class."""


def goal_step(problem: Problem) -> int:
    """Return a number that all values of the goal are multiples of."""
    if problem.goal == "pack":
        return max(1, int(np.gcd.reduce(problem.price[~problem.held])))
    if problem.goal == "prefer" and problem.preferences is not None:
        return max(1, int(np.gcd.reduce(problem.preferences.cost)))
    return 1


def set_goal(model: ClassModel, problem: Problem) -> tuple[float, int]:
    """Give the model its cost in place; return (unit, constant): the goal is at least unit * objective + constant."""
    goals = {"pack": _pack, "prefer": _prefer, "balance": _balance, "spread": _spread}
    return goals[problem.goal](model)


def _pack(model: ClassModel) -> tuple[float, int]:
    """Pay the price of each agent in use that held nothing before."""
    assert model.use is not None
    step = goal_step(model.problem)
    paying = np.where(model.problem.held, 0, model.problem.price // step)
    _charge(model.linear, model.use, paying)
    return float(step), 0


def _prefer(model: ClassModel) -> tuple[float, int]:
    """Pay the cost of each row on each class."""
    step = goal_step(model.problem)
    cost = model.problem.costs(model.pairs.row, model.pairs.agent) // step
    _charge(model.linear, np.arange(len(cost)), cost)
    return float(step), 0


def _balance(model: ClassModel) -> tuple[float, int]:
    """The peak is at least the mean used/total of every class, and every peak there was before."""
    problem = model.problem
    before = objective.goal_value(problem, Assignment.nothing())
    peak = model.linear.add_columns(1, cost=1.0, lower=before / objective.MILLION)[0]
    for place, (row, column, value, used) in _mean_shares(model):
        size = len(place)
        rows, columns = np.r_[row, np.arange(size)], np.r_[column, np.full(size, peak)]
        model.linear.add_rows(size, rows, columns, np.r_[value, np.full(size, -1.0)], upper=-used)
    return float(objective.MILLION), 0


def _spread(model: ClassModel) -> tuple[float, int]:
    """Each class's mean share s, in thousandths, costs at least the lines between the squares of whole numbers below it.

    floor(s)^2 has the lower envelope of the lines through (k + 1, k^2) and (k + 2, (k + 1)^2), which is convex, so the
    mean over a class costs at least the envelope at the mean.
    """
    classes = len(model.classes)
    share = model.linear.add_columns(classes)
    square = model.linear.add_columns(classes, cost=model.classes.count)
    most = np.zeros(classes)
    for place, (row, column, value, used) in _mean_shares(model):
        size = len(place)
        scaled = np.r_[value * objective.THOUSAND, np.full(size, -1.0)]
        model.linear.add_rows(size, np.r_[row, np.arange(size)], np.r_[column, share[place]], scaled,
                              upper=-used * objective.THOUSAND)  # fmt: skip
        most[place] = np.maximum(most[place], used * objective.THOUSAND)
    top = max(objective.THOUSAND, int(np.ceil(most.max(initial=0.0))))
    for k in np.unique(np.linspace(0, top, TANGENTS).astype(np.int64)).tolist():
        rows = np.arange(classes)
        slope = float(2 * k + 1)
        model.linear.add_rows(classes, np.r_[rows, rows], np.r_[square, share],
                              np.r_[np.ones(classes), np.full(classes, -slope)],
                              lower=float(k * k) - slope * (k + 1))  # fmt: skip
    return 1.0, 0


def _mean_shares(model: ClassModel) -> list[tuple[Any, tuple[Any, Any, Any, Any]]]:
    """Return for each resource (classes that have it, (row, column, value, used)): the mean share of used/total.

    Row i of a block is of class `place[i]`: sum of value * x[column] + used.
    """
    problem, pairs = model.problem, model.pairs
    need = problem.demand[problem.shape[pairs.row]]
    found: list[tuple[Any, tuple[Any, Any, Any, Any]]] = []
    for resource in range(problem.total.shape[1]):
        total = problem.total[:, resource]
        place = np.flatnonzero(total > 0)
        position = np.full(len(total), -1, np.int64)
        position[place] = np.arange(len(place))
        asking = np.flatnonzero((need[:, resource] > 0) & (position[pairs.agent] >= 0))
        agent = pairs.agent[asking]
        value = need[asking, resource] / total[agent] / model.classes.count[agent]
        used = (total - problem.capacity[:, resource])[place] / total[place]
        found.append((place, (position[agent], asking, value, used)))
    return found


def _charge(linear: LinearModel, columns: Int64, cost: Int64) -> None:
    """Set the cost of some columns, in place."""
    full = linear.cost
    full[columns] = cost
    linear.set_cost(full)
