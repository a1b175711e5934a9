"""Place what only one agent can take and nobody else can need the room of; the rest is a smaller problem."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solvers.problem import Assignment, Problem
from solvers.reductions.base import Reduced, can_list, open_agents, restrict, unchanged
from solvers.rules import Bool, Int64


def apply(problem: Problem) -> Reduced:
    """Return the problem without the rows that are placed by force.

    A row is forced onto its only agent when no rule is about it, it asks for no units, its weight is above zero, and that
    agent has room for everything that could ever come to it. Such an agent then holds something already.
    """
    if problem.goal not in ("pack", "prefer") or not can_list(problem):
        return unchanged(problem)
    rows, agents = _candidates(problem)
    if not len(rows):
        return unchanged(problem)
    most = np.minimum(problem.wanted[rows], [problem.most_per_agent(int(problem.shape[row]))[agent]
                                             for row, agent in zip(rows.tolist(), agents.tolist(), strict=True)])  # fmt: skip
    capacity = problem.capacity.copy()
    np.subtract.at(capacity, agents, problem.demand[problem.shape[rows]] * most[:, None])
    held = problem.held.copy()
    held[agents] = True
    left = np.setdiff1d(np.arange(problem.rows), rows)
    inner = restrict(replace(problem, capacity=capacity, held=held), left, np.arange(problem.agents))

    def back(answer: Assignment) -> Assignment:
        some = inner.back(answer)
        joined = Assignment.of_runs(
            np.r_[some.row, rows], np.r_[some.agent, agents], np.r_[some.count, most], problem.agents
        )
        return replace(answer, row=joined.row, agent=joined.agent, count=joined.count)

    return Reduced(inner.problem, inner.forward, back, (f"{len(rows)} jobs with one agent each placed by force",))


def _candidates(problem: Problem) -> tuple[Int64, Int64]:
    """Return int64[k] rows and int64[k] their only agents, where all that may come to the agent fits together."""
    of_kind = open_agents(problem)
    alone = {kind: int(np.argmax(mask)) for kind, mask in of_kind.items() if int(mask.sum()) == 1}
    kinds = list(zip(problem.shape.tolist(), problem.mask.tolist(), strict=True))
    asking = set(problem.unit_requests.row.tolist())
    chosen = [
        (row, alone[kinds[row]])
        for row in np.flatnonzero((problem.wanted > 0) & (problem.weight > 0)).tolist()
        if kinds[row] in alone and not problem.rules_of[row] and row not in asking
    ]
    if not chosen:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    rows, agents = np.array([row for row, _ in chosen]), np.array([agent for _, agent in chosen])
    roomy = {agent: _room_for_all(problem, of_kind, kinds, agent) for agent in set(agents.tolist())}
    kept = np.array([roomy[agent] for agent in agents.tolist()])
    return rows[kept], agents[kept]


def _room_for_all(
    problem: Problem, of_kind: dict[tuple[int, int], Bool], kinds: list[tuple[int, int]], agent: int
) -> bool:
    load = np.zeros(problem.capacity.shape[1], np.int64)
    for row in np.flatnonzero(problem.wanted > 0).tolist():
        if of_kind[kinds[row]][agent]:
            shape = int(problem.shape[row])
            load += problem.demand[shape] * min(int(problem.wanted[row]), int(problem.most_per_agent(shape)[agent]))
    return bool((load <= problem.capacity[agent]).all())
