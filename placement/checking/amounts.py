"""Whether the amounts suffice: each agent's free resources by role, and each returning instance's own reservation.

Instances may draw on all roles their job accepts, mixed freely, so an agent suffices exactly when all demands can be
served from its pools at once (a flow from demands by accepted roles to pools by role).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np

from placement.amounts import text
from placement.checking.answer import NewInstances
from placement.checking.facts import UNRESERVED, AgentTable
from placement.checking.finding import Finding
from placement.cluster import Bool, Int64
from placement.workload import Job

SAFE = 2**62
"""Sums that may come near this are added up as Python's integers."""


def needs(job: Job) -> dict[str, int]:
    """Return what an instance that is placed anew needs, thousandths by resource; root volumes stand under 'disk'."""
    wanted = dict(job.demand)
    volumes = sum(one.size for one in job.volumes if one.kind == "root")
    if volumes:
        wanted["disk"] = wanted.get("disk", 0) + volumes
    return {name: amount for name, amount in wanted.items() if amount}


def shortages(agents: AgentTable, new: NewInstances) -> Iterator[Finding]:
    """Yield for each agent and resource that more is taken of than there is."""
    used = np.unique(new.job).tolist()
    wanted = {number: needs(new.workload.jobs[number]) for number in used}
    for resource in sorted({name for one in wanted.values() for name in one}):
        each = np.zeros(len(new.workload.jobs), np.int64)
        for number, one in wanted.items():
            each[number] = one.get(resource, 0)
        rows = new.fresh[each[new.job[new.fresh]] > 0]
        for agent in np.flatnonzero(_doubtful(agents, new, resource, rows, each)).tolist():
            yield from _shortage(agents, new, resource, agent, each)
    yield from _reservation_shortages(agents, new)


def _doubtful(agents: AgentTable, new: NewInstances, resource: str, rows: Int64, each: Int64) -> Bool:
    """Return bool[agents]: where the unreserved amount alone does not settle it."""
    jobs, where = new.job[rows], new.agent[rows]
    if len(rows) and int(each.max()) >= SAFE // len(rows):
        doubtful = np.zeros(len(agents), np.bool_)
        doubtful[where] = True
        return doubtful
    taken = np.zeros(len(agents), np.int64)
    np.add.at(taken, where, each[jobs])
    doubtful = taken > agents.free(resource)
    choosy = np.array([UNRESERVED not in job.accepted_roles for job in new.workload.jobs], np.bool_)
    doubtful[where[choosy[jobs]]] = True
    return doubtful


def _shortage(agents: AgentTable, new: NewInstances, resource: str, agent: int, each: Int64) -> Iterator[Finding]:
    """Decide one agent and resource exactly."""
    rows = [row for row in new.on_agent(agent).tolist() if each[new.job[row]] and row not in new.returns]
    demands: dict[tuple[str, ...], int] = {}
    for row in rows:
        job = new.workload.jobs[new.job[row]]
        demands[job.accepted_roles] = demands.get(job.accepted_roles, 0) + int(each[new.job[row]])
    pools = {UNRESERVED: int(agents.free(resource)[agent]), **agents.reserved(agent, resource)}
    short = sum(demands.values()) - served(demands, pools)
    if short:
        roles = sorted({role for accepted in demands for role in accepted})
        free = sum(pools.get(role, 0) for role in roles)
        asked = f"{len(rows)} new instances need {text(sum(demands.values()))}"
        there = f"{text(free)} free for roles {' '.join(roles)}"
        yield Finding(
            job=new.workload.jobs[new.job[rows[-1]]].id,
            rule=resource,
            count=len(rows),
            message=f"agent {agents.records[agent].id}: {text(short)} {resource} missing; {asked}, {there}",
        )


def _reservation_shortages(agents: AgentTable, new: NewInstances) -> Iterator[Finding]:
    """Yield the returning instances whose own reservation does not cover what they need."""
    for row, instance in new.returns.items():
        job = new.workload.jobs[new.job[row]]
        own = agents.own(int(new.agent[row]), instance.name)
        for resource, amount in job.demand.items():
            held = sum(one.amounts.get(resource, 0) for one in own)
            if held < amount:
                where = agents.records[new.agent[row]].id
                yield Finding(
                    job=job.id,
                    rule=resource,
                    count=1,
                    message=f"{instance.name} returns to agent {where}, where its reservation holds "
                    f"{text(held)} {resource}; it needs {text(amount)}",
                )


def served(demands: Mapping[tuple[str, ...], int], pools: Mapping[str, int]) -> int:
    """Return how much of the demands, by accepted roles, the pools can serve at once (a greatest flow).

    Source: augmenting paths, shortest first (Edmonds and Karp 1972).
    """
    left = dict(pools)
    given: dict[tuple[tuple[str, ...], str], int] = {}
    total = 0
    for accepted, amount in demands.items():
        missing = amount
        while missing:
            path = _shortest_path(accepted, left, given)
            if not path:
                break
            step = min(missing, left[path[-1][1]], *(given[taker, role] for taker, role in _taken_back(path)))
            for taker, role in path:
                given[taker, role] = given.get((taker, role), 0) + step
            for taker, role in _taken_back(path):
                given[taker, role] -= step
            left[path[-1][1]] -= step
            missing -= step
            total += step
    return total


def _shortest_path(
    accepted: tuple[str, ...], left: Mapping[str, int], given: Mapping[tuple[tuple[str, ...], str], int]
) -> list[tuple[tuple[str, ...], str]]:
    """Return who draws on which role instead, from `accepted` to a role that has something left; empty if none has."""
    came: dict[str, tuple[tuple[str, ...], str | None]] = {role: (accepted, None) for role in accepted if role in left}
    queue = list(came)
    for role in queue:
        if left[role]:
            path, at = [], role
            while True:
                taker, before = came[at]
                path.append((taker, at))
                if before is None:
                    return path[::-1]
                at = before
        for (taker, drawn), amount in given.items():
            if drawn == role and amount:
                for other in taker:
                    if other in left and other not in came:
                        came[other] = (taker, role)
                        queue.append(other)
    return []


def _taken_back(path: list[tuple[tuple[str, ...], str]]) -> list[tuple[tuple[str, ...], str]]:
    """Return what each further taker on a path draws less: on the role that the one before it takes over."""
    return [(taker, role) for (_, role), (taker, _) in pairwise(path)]
