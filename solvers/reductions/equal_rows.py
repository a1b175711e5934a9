"""Merge rows that are alike into one; its instances are dealt back to them in turn.

Rows without any rule merge whatever they want. Rows under a cap of q instances a group merge if they want equally many:
m of them together may have m times q in a group. Dealt in turn, group by group and agent by agent, an agent's (and a
group's) instances are neighbours in the deal, so each of the m rows gets at most q of them, and none more than it wants.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

import numpy as np

from solvers.problem import Assignment, Problem
from solvers.reductions.base import Reduced, restrict, unchanged
from solvers.rules import EACH_AGENT, GroupCap, Int64, Rule


def apply(problem: Problem) -> Reduced:
    """Return the problem with equal rows merged."""
    members = _classes(problem)
    if len(members) == problem.rows:
        return unchanged(problem)
    heads = np.array([rows[0] for rows in members], np.int64)
    order = np.argsort(heads)
    members, heads = [members[i] for i in order.tolist()], heads[order]
    inner = restrict(problem, heads, np.arange(problem.agents)).problem
    size = np.array([len(rows) for rows in members], np.int64)
    merged = replace(
        inner,
        wanted=np.array([int(problem.wanted[rows].sum()) for rows in members], np.int64),
        rules=tuple(_scaled(rule, size) for rule in inner.rules),
    )
    class_of = np.empty(problem.rows, np.int32)
    for number, rows in enumerate(members):
        class_of[rows] = number
    grouping = [_grouping(problem, int(head)) for head in heads.tolist()]

    def forward(answer: Assignment) -> Assignment:
        found = Assignment.of_runs(class_of[answer.row], answer.agent, answer.count, problem.agents)
        return replace(answer, row=found.row, agent=found.agent, count=found.count)

    def back(answer: Assignment) -> Assignment:
        first = np.searchsorted(answer.row, np.arange(len(members) + 1))
        pieces = []
        for number, rows in enumerate(members):
            runs = slice(int(first[number]), int(first[number + 1]))
            pieces.append(
                _dealt(problem, rows, grouping[number], answer.agent[runs].astype(np.int64), answer.count[runs])
            )
        row, agent, count = (np.concatenate(part) for part in zip(*pieces, strict=True))
        found = Assignment.of_runs(row, agent, count, problem.agents)
        return replace(answer, row=found.row, agent=found.agent, count=found.count)

    return Reduced(merged, forward, back, (f"{problem.rows} kinds of instances merged into {len(members)}",))


def _classes(problem: Problem) -> list[Int64]:
    """Return the rows of each class, ascending; rows that cannot merge are alone."""
    found: dict[Hashable, list[int]] = {}
    asking = set(problem.unit_requests.row.tolist())
    for row in range(problem.rows):
        key = None if row in asking else _signature(problem, row)
        found.setdefault(("alone", row) if key is None else key, []).append(row)
    return [np.array(rows, np.int64) for rows in found.values()]


def _signature(problem: Problem, row: int) -> Hashable | None:
    """Return what rows must have in common to merge; None if this one cannot."""
    caps: list[tuple[int, int, bytes, bytes]] = []
    for number in problem.rules_of[row]:
        rule = problem.rules[number]
        if not isinstance(rule, GroupCap) or rule.soft or len(rule.rows) != 1 or len(rule.counted.group):
            return None
        caps.append((rule.grouping, rule.limit, b"", b""))
    if len({grouping for grouping, *_ in caps if grouping != EACH_AGENT}) > 1:
        return None
    wanted = int(problem.wanted[row]) if caps else -1
    own = (int(problem.shape[row]), int(problem.mask[row]), int(problem.priority[row]), int(problem.weight[row]))
    return (*own, wanted, tuple(sorted(caps)), _costs(problem, row))


def _costs(problem: Problem, row: int) -> bytes:
    """Return the preferences of a row as a key; they matter only for the goal prefer."""
    if problem.preferences is None or problem.goal != "prefer":
        return b""
    key, cost = problem.preference_keys
    first, last = np.searchsorted(key, [row * problem.agents, (row + 1) * problem.agents])
    paying = cost[first:last] != 0
    return (key[first:last][paying] - row * problem.agents).tobytes() + cost[first:last][paying].tobytes()


def _scaled(rule: Rule, size: Int64) -> Rule:
    if isinstance(rule, GroupCap) and len(rule.rows) == 1:
        return replace(rule, limit=rule.limit * int(size[int(rule.rows[0])]))
    return rule


def _grouping(problem: Problem, row: int) -> int:
    """Return the grouping in whose order instances of a row's class are dealt."""
    found = [problem.rules[number] for number in problem.rules_of[row]]
    return next(
        (rule.grouping for rule in found if isinstance(rule, GroupCap) and rule.grouping != EACH_AGENT), EACH_AGENT
    )


def _dealt(problem: Problem, rows: Int64, grouping: int, agent: Int64, count: Int64) -> tuple[Int64, Int64, Int64]:
    """Deal runs of a class to its rows: (row, agent, count) with possibly several runs of one pair."""
    if len(rows) == 1:
        return np.full(len(agent), rows[0]), agent, count
    if grouping != EACH_AGENT:
        order = np.argsort(problem.groupings[grouping][agent], kind="stable")
        agent, count = agent[order], count[order]
    each = np.repeat(agent, count)
    if problem.rules_of[int(rows[0])]:
        to = np.arange(len(each)) % len(rows)
    else:
        to = np.searchsorted(np.cumsum(problem.wanted[rows]), np.arange(len(each)), side="right")
    return rows[to], each, np.ones(len(each), np.int64)
