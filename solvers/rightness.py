"""Whether an assignment keeps every hard rule of a problem: the solvers' own last look before an answer is kept.

It is no replacement for the independent checker of `placement`, which knows the rules and not these arrays.
"""

from __future__ import annotations

import numpy as np

from solvers import objective
from solvers.problem import Assignment, Problem
from solvers.rules import EACH_AGENT, Balance, Gang, GroupCap, Int64, OneGroup, Requires, Rule
from solvers.units import take


def is_right(problem: Problem, assignment: Assignment) -> bool:
    """Tell whether an assignment keeps capacities, counts, masks, units and every hard rule."""
    return (
        bool((assignment.placed(problem.rows) <= problem.wanted).all())
        and not len(overloaded(problem, assignment))
        and _allowed(problem, assignment)
        and all(_kept(problem, assignment, rule) for rule in problem.rules if not rule.soft)
        and _units_served(problem, assignment)
    )


def overloaded(problem: Problem, assignment: Assignment) -> Int64:
    """Return int64[k]: the agents of which more is taken than they have."""
    used = np.zeros_like(problem.capacity)
    np.add.at(used, assignment.agent, problem.demand[problem.shape[assignment.row]] * assignment.count[:, None])
    return np.flatnonzero((used > np.maximum(problem.capacity, 0)).any(axis=1))


def _allowed(problem: Problem, assignment: Assignment) -> bool:
    number = problem.mask[assignment.row]
    return all(
        bool(problem.masks[one][assignment.agent[number == one]].all())
        for one in np.unique(number).tolist()
        if one >= 0
    )


def _kept(problem: Problem, assignment: Assignment, rule: Rule) -> bool:
    if isinstance(rule, Gang):
        placed = int(assignment.count[objective.runs_of(assignment, rule.rows)].sum())
        return placed == 0 or placed >= rule.least
    if isinstance(rule, GroupCap) and rule.grouping == EACH_AGENT:
        return _cap_kept(assignment, rule)
    if isinstance(rule, OneGroup | Requires | Balance) and _outside(problem, assignment, rule):
        return False
    return objective.violation(problem, assignment, rule) == 0


def _cap_kept(assignment: Assignment, rule: GroupCap) -> bool:
    """Judge a cap on each agent from its runs alone."""
    runs = objective.runs_of(assignment, rule.rows)
    agents = np.r_[assignment.agent[runs], rule.counted.group]
    counts = np.r_[assignment.count[runs], rule.counted.count]
    touched, inverse = np.unique(agents, return_inverse=True)
    total, new = np.zeros(len(touched), np.int64), np.zeros(len(touched), np.int64)
    np.add.at(total, inverse, counts)
    np.add.at(new, inverse[: len(runs)], assignment.count[runs])
    return bool(((total <= rule.limit) | (new == 0)).all())


def _outside(problem: Problem, assignment: Assignment, rule: OneGroup | Requires | Balance) -> bool:
    agents = assignment.agent[objective.runs_of(assignment, rule.rows)]
    return bool((problem.groups(rule.grouping)[agents] < 0).any())


def _units_served(problem: Problem, assignment: Assignment) -> bool:
    if not len(problem.unit_requests.row):
        return True
    left = problem.units.amount.copy()
    return all(
        take(problem, left, row, agent, count) == count
        for row, agent, count in zip(
            assignment.row.tolist(), assignment.agent.tolist(), assignment.count.tolist(), strict=True
        )
    )
