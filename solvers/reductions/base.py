"""What a reduction gives: a smaller problem, and how answers go there and come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from solvers.problem import ALL_AGENTS, Assignment, Preferences, Problem, UnitRequests, Units
from solvers.rules import EACH_AGENT, Avoid, Balance, Bool, Counts, Int32, Int64, Rule

Way = Callable[[Assignment], Assignment]


@dataclass(frozen=True, eq=False)
class Reduced:
    """A smaller problem.

    Attributes
    ----------
    problem
        Its best answers, taken back, are best answers of the one it was made from. The values of all levels differ from
        the original's by constants.
    forward, back
        A right answer of the original as one of the problem, at least as good; and the other way round, just as good.
    notes
        What was done, in words.
    """

    problem: Problem
    forward: Way
    back: Way
    notes: tuple[str, ...] = ()

    def then(self, other: Reduced) -> Reduced:
        """Return this reduction followed by another one of its problem."""
        return Reduced(
            other.problem,
            lambda answer: other.forward(self.forward(answer)),
            lambda answer: self.back(other.back(answer)),
            self.notes + other.notes,
        )


def unchanged(problem: Problem) -> Reduced:
    """Return the reduction that does nothing."""
    return Reduced(problem, lambda answer: answer, lambda answer: answer)


def restrict(problem: Problem, rows: Int64, agents: Int64) -> Reduced:
    """Return the problem of some rows on some agents, both ascending: the others take and give nothing.

    Rules keep their groups and what they count; a rule without rows is dropped. Groups of single agents cannot be
    restricted for a balance or quota over them, so callers keep all agents then.
    """
    new_row = _positions(problem.rows, rows)
    new_agent = _positions(problem.agents, agents)
    rules = [_restricted(rule, new_row, new_agent, agents) for rule in problem.rules]
    smaller = replace(
        problem,
        capacity=problem.capacity[agents],
        shape=problem.shape[rows],
        wanted=problem.wanted[rows],
        mask=problem.mask[rows],
        masks=tuple(mask[agents] for mask in problem.masks),
        priority=problem.priority[rows],
        weight=problem.weight[rows],
        groupings=tuple(codes[agents] for codes in problem.groupings),
        rules=tuple(rule for rule in rules if rule is not None),
        units=_units(problem, new_agent),
        unit_requests=_requests(problem, new_row, new_agent),
        price=problem.price[agents],
        held=problem.held[agents],
        total=problem.total[agents],
        preferences=_preferences(problem, new_row, new_agent),
    )

    def forward(answer: Assignment) -> Assignment:
        row, agent = new_row[answer.row], new_agent[answer.agent]
        inside = (row >= 0) & (agent >= 0)
        return replace(answer, row=row[inside], agent=agent[inside], count=answer.count[inside])

    def back(answer: Assignment) -> Assignment:
        return replace(answer, row=rows[answer.row].astype(np.int32), agent=agents[answer.agent].astype(np.int32))

    return Reduced(smaller, forward, back)


def _positions(size: int, kept: Int64) -> Int32:
    """Return int32[size]: the position of each number among those kept, -1 for the others."""
    positions = np.full(size, -1, np.int32)
    positions[kept] = np.arange(len(kept), dtype=np.int32)
    return positions


def _restricted(rule: Rule, new_row: Int32, new_agent: Int32, agents: Int64) -> Rule | None:
    rows = _kept(new_row, rule.rows)
    if not len(rows):
        return None
    fields: dict[str, Any] = {"rows": rows}
    if isinstance(rule, Avoid):
        fields["mask"] = rule.mask[agents]
    if hasattr(rule, "others"):
        fields["others"] = _kept(new_row, rule.others)
    if getattr(rule, "grouping", None) == EACH_AGENT:
        for name in ("counted", "others_counted"):
            if hasattr(rule, name):
                fields[name] = _counts(getattr(rule, name), new_agent)
        if isinstance(rule, Balance):
            fields["relevant"] = rule.relevant[agents]
    return replace(rule, **fields)


def _kept(new: Int32, old: Int32) -> Int32:
    found = new[old]
    return found[found >= 0]


def _counts(counts: Counts, new_agent: Int32) -> Counts:
    group = new_agent[counts.group]
    return Counts(group[group >= 0], counts.count[group >= 0])


def _units(problem: Problem, new_agent: Int32) -> Units:
    agent = new_agent[problem.units.agent]
    kept = agent >= 0
    return Units(agent[kept], problem.units.amount[kept], problem.units.whole[kept])


def _requests(problem: Problem, new_row: Int32, new_agent: Int32) -> UnitRequests:
    asked = problem.unit_requests
    row = new_row[asked.row]
    kept = row >= 0
    units = new_agent[problem.units.agent] >= 0
    masks = tuple(mask[units] for mask in asked.masks)
    return UnitRequests(row[kept], asked.amount[kept], asked.eligible[kept], masks)


def _preferences(problem: Problem, new_row: Int32, new_agent: Int32) -> Preferences | None:
    if problem.preferences is None:
        return None
    row, agent = new_row[problem.preferences.row], new_agent[problem.preferences.agent]
    kept = (row >= 0) & (agent >= 0)
    return Preferences(row=row[kept], agent=agent[kept], cost=problem.preferences.cost[kept])


MOST_LISTED = 50_000_000
"""Kinds of rows times agents up to which it is listed who is open to whom: 50 MB for a moment, and half a second."""


def can_list(problem: Problem) -> bool:
    """Tell whether `open_agents` is affordable."""
    kinds = len(np.unique(problem.shape.astype(np.int64) * (len(problem.masks) + 1) + problem.mask))
    return kinds * problem.agents <= MOST_LISTED


def open_agents(problem: Problem) -> dict[tuple[int, int], Bool]:
    """Return for each (shape, mask) of a row that wants instances bool[agents]: where one of them fits by itself."""
    found = {}
    for shape, mask in dict.fromkeys(zip(problem.shape.tolist(), problem.mask.tolist(), strict=True)):
        fits = problem.most_per_agent(shape) > 0
        found[shape, mask] = fits if mask == ALL_AGENTS else fits & problem.masks[mask]
    return found
