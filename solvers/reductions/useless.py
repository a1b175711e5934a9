"""Drop agents that no row can use, and rows that no agent can take or that want nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solvers.problem import Problem
from solvers.reductions.base import Reduced, can_list, open_agents, restrict, unchanged
from solvers.rules import EACH_AGENT, Balance, Quota


def apply(problem: Problem) -> Reduced:
    """Return the problem without useless agents and rows.

    The goals balance and spread are about every agent, and so are balances and quotas over single agents: then agents
    stay.
    """
    if not can_list(problem):
        return unchanged(problem)
    used = np.zeros(problem.agents, np.bool_)
    takes = np.zeros(problem.rows, np.bool_)
    of_kind = open_agents(problem)
    some = {kind: bool(mask.any()) for kind, mask in of_kind.items()}
    kinds = list(zip(problem.shape.tolist(), problem.mask.tolist(), strict=True))
    for row in np.flatnonzero(problem.wanted > 0).tolist():
        takes[row] = some[kinds[row]]
    for kind in {kinds[row] for row in np.flatnonzero(takes).tolist()}:
        used |= of_kind[kind]
    if problem.goal in ("balance", "spread") or _about_each_agent(problem):
        used[:] = True
    if takes.all() and used.all():
        return unchanged(problem)
    found = restrict(problem, np.flatnonzero(takes), np.flatnonzero(used))
    agents, rows = int((~used).sum()), int((~takes & (problem.wanted > 0)).sum())
    notes = []
    if agents:
        notes.append(f"{agents} agents that no job can use left out")
    if rows:
        notes.append(f"{rows} jobs that no agent can take left out")
    return replace(found, notes=tuple(notes))


def _about_each_agent(problem: Problem) -> bool:
    return any(isinstance(rule, Balance | Quota) and rule.grouping == EACH_AGENT for rule in problem.rules)
