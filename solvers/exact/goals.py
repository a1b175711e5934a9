"""The goals as CP-SAT expressions: pack, balance, spread, prefer. Definitions: `solvers.problem.Problem`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from ortools.sat.python import cp_model

from solvers.objective import MILLION, THOUSAND, dominant_share, used_after
from solvers.problem import Assignment

if TYPE_CHECKING:
    from solvers.exact.model import Model

Linear = cp_model.LinearExpr
LARGEST = 2**61
"""Sums above this may overflow inside CP-SAT."""


def goal_expression(model: Model) -> Any:
    """Return the goal as an expression to minimise; None if it cannot be stated exactly in 64 bits."""
    return {"pack": _pack, "balance": _balance, "spread": _spread, "prefer": _prefer}[model.problem.goal](model)


def _pack(model: Model) -> Any:
    """Pay the price of each agent that gets an instance and held nothing before."""
    problem = model.problem
    terms, prices = [], []
    for agent, pairs in model.by_agent(np.arange(len(model.pairs))):
        if problem.held[agent] or not problem.price[agent]:
            continue
        used = model.bool_var()
        terms.append(used)
        prices.append(int(problem.price[agent]))
        need = problem.demand[problem.shape[model.pairs.row[pairs]]]
        for dimension in np.flatnonzero(need.any(axis=0)).tolist():
            capacity = int(problem.capacity[agent, dimension])
            model.model.add(model.total(pairs, need[:, dimension]) <= capacity * used)
        single = model.pairs.most[pairs] == 1
        for pair in pairs[single | ~need.any(axis=1)].tolist():
            model.model.add(model.x[pair] <= int(model.pairs.most[pair]) * used)
    return Linear.weighted_sum(terms, prices) if terms else 0


def _loads(model: Model) -> list[tuple[int, list[tuple[int, int, Any, int]]]]:
    """Return by agent (used before, total, sum of new demand, greatest new demand) of each resource it has.

    All amounts of one agent and resource are divided by their greatest common divisor.
    """
    problem = model.problem
    plain = problem.total.shape[1]
    before = used_after(problem, Assignment.nothing())
    loads = []
    for agent, pairs in model.by_agent(np.arange(len(model.pairs))):
        need = problem.demand[problem.shape[model.pairs.row[pairs]], :plain]
        mine = []
        for resource in range(plain):
            total, used = int(problem.total[agent, resource]), int(before[agent, resource])
            if not total or not need[:, resource].any():
                continue
            common = math.gcd(total, used, *need[:, resource].tolist())
            amounts = need[:, resource] // common
            new = model.total(pairs, amounts)
            mine.append((used // common, total // common, new, int((amounts * model.pairs.most[pairs]).sum())))
        loads.append((agent, mine))
    return loads


def _balance(model: Model) -> Any:
    """The peak is at least every used/total, in millionths."""
    problem = model.problem
    before = used_after(problem, Assignment.nothing())
    there = problem.total > 0
    low = int((-(-before[there] * MILLION // problem.total[there])).max()) if there.any() else 0
    peak = model.int_var(low, max(low, MILLION))
    for _, mine in _loads(model):
        for used, total, new, most in mine:
            if MILLION * (used + most) > LARGEST or total * max(low, MILLION) > LARGEST:
                return None
            model.model.add(total * peak >= MILLION * (new + used))
    return peak


def _spread(model: Model) -> Any:
    """Each agent's dominant share in thousandths, squared and summed."""
    problem = model.problem
    before = used_after(problem, Assignment.nothing())
    shares = dominant_share(before, problem.total)
    squares = []
    constant = int((shares * shares).sum())
    for agent, mine in _loads(model):
        low = int(shares[agent])
        share = model.int_var(low, max(low, THOUSAND))
        for used, total, new, most in mine:
            if THOUSAND * (used + most) > LARGEST:
                return None
            model.model.add(total * share >= THOUSAND * (new + used) - (total - 1))
        square = model.int_var(low * low, max(low, THOUSAND) ** 2)
        model.model.add_multiplication_equality(square, [share, share])
        squares.append(square)
        constant -= low * low
    return Linear.sum(squares) + constant if squares else 0


def _prefer(model: Model) -> Any:
    """Each instance pays the cost of its row on its agent."""
    costs = model.problem.costs(model.pairs.row, model.pairs.agent)
    paying = np.flatnonzero(costs)
    return model.total(paying, costs[paying]) if len(paying) else 0
