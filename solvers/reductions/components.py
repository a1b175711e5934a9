"""Split a problem into parts that share no agent and no rule: each can be solved by itself."""

from __future__ import annotations

import numpy as np

from solvers.problem import Problem
from solvers.reductions.base import Reduced, can_list, open_agents, restrict
from solvers.rules import EACH_AGENT, Balance, Int64, Quota


def components(problem: Problem) -> list[Reduced]:
    """Return the parts of a problem, those with the most rows first; one part if it cannot be split.

    A best answer of the whole is one best answer of each part; what the parts' levels say adds up. (For the goals
    balance and spread, and balances over single agents, agents outside a part matter too: no split.)
    """
    about_all = any(isinstance(rule, Balance | Quota) and rule.grouping == EACH_AGENT for rule in problem.rules)
    if problem.goal in ("balance", "spread") or about_all or not problem.rows or not can_list(problem):
        return [restrict(problem, np.arange(problem.rows), np.arange(problem.agents))]
    label_of_row, label_of_agent = _labels(problem)
    sizes = np.bincount(label_of_row)
    order = np.argsort(-sizes, kind="stable")
    return [
        restrict(problem, np.flatnonzero(label_of_row == label), np.flatnonzero(label_of_agent == label))
        for label in order[sizes[order] > 0].tolist()
    ]


def _labels(problem: Problem) -> tuple[Int64, Int64]:
    """Return int64[rows], int64[agents] (-1: of no part): the part each belongs to."""
    parent = list(range(problem.rows))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    def join(one: int, other: int) -> None:
        one, other = root(one), root(other)
        parent[max(one, other)] = min(one, other)

    for rule in problem.rules:
        together = [*rule.rows.tolist(), *getattr(rule, "others", np.empty(0, np.int32)).tolist()]
        for row in together[1:]:
            join(together[0], row)
    first_row = np.full(problem.agents, -1, np.int64)
    of_kind = open_agents(problem)
    head: dict[tuple[int, int], int] = {}
    for row, kind in enumerate(zip(problem.shape.tolist(), problem.mask.tolist(), strict=True)):
        if kind in head:
            if of_kind[kind].any():
                join(row, head[kind])
            continue
        head[kind] = row
        for other in _distinct(first_row[of_kind[kind]]):
            if other >= 0:
                join(row, other)
        first_row[of_kind[kind] & (first_row < 0)] = row
    labels = np.array([root(row) for row in range(problem.rows)], np.int64)
    return labels, np.where(first_row >= 0, labels[first_row], -1)


def _distinct(labels: Int64) -> list[int]:
    """Return the distinct labels; they are mostly one, and then need no sorting."""
    if not len(labels):
        return []
    least = int(labels.min())
    return [least] if least == int(labels.max()) else np.unique(labels).tolist()
