"""Whether the host ports are right: those the job names, offered in its roles, each given once.

Source: mesosphere/marathon, PortsMatcher.scala.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from placement.checking.amounts import served
from placement.checking.answer import NewInstances
from placement.checking.facts import AgentTable, RunningTable
from placement.checking.finding import Finding
from placement.workload import Job

NOBODY: frozenset[int] = frozenset()


def wrong_ports(agents: AgentTable, running: RunningTable, new: NewInstances) -> Iterator[Finding]:
    """Yield the instances whose ports are not what they asked for, not offered, or taken already."""
    asking = [bool(job.ports) for job in new.workload.jobs]
    given = new.placements.ports
    if given is None:
        if any(asking):
            yield from _too_few(agents, running, new, [row for row in range(len(new)) if asking[new.job[row]]])
        return
    taken: dict[int, set[int]] = {}
    for row, position in enumerate(new.position.tolist()):
        job = new.workload.jobs[new.job[row]]
        if not job.ports and not given[position]:
            continue
        agent = int(new.agent[row])
        if agent not in taken:
            taken[agent] = set(running.held_ports.get(agents.records[agent].id, NOBODY))
        fault = _fault(job.ports, given[position], _ranges(agents, new, row), taken[agent])
        taken[agent].update(given[position])
        if fault:
            yield _finding(job, f"{job.id}#{new.instance[row]} on agent {agents.records[agent].id}: {fault}")


def _ranges(agents: AgentTable, new: NewInstances, row: int) -> list[tuple[str, int, int]]:
    """Return the ranges an instance may take ports from: of the accepted roles, or of its own reservation."""
    agent = int(new.agent[row])
    if row in new.returns:
        own = agents.own(agent, new.returns[row].name)
        return [(one.role, first, last) for one in own for first, last in one.ports]
    return agents.offered_ports(agent, new.workload.jobs[new.job[row]].accepted_roles)


def _fault(
    asked: Sequence[int], given: Sequence[int], ranges: Sequence[tuple[str, int, int]], taken: set[int]
) -> str | None:
    """Return what is wrong with the ports of one instance."""
    if len(asked) != len(given):
        return f"{len(given)} ports given, {len(asked)} asked for"
    for wanted, port in zip(asked, given, strict=True):
        if wanted and wanted != port:
            return f"port {port} given instead of {wanted}"
        if not any(first <= port <= last for _, first, last in ranges):
            return f"port {port} is not offered to it"
        if port in taken:
            return f"port {port} is taken already"
    any_port = [port for wanted, port in zip(asked, given, strict=True) if not wanted]
    named = {wanted for wanted in asked if wanted}
    if len(set(any_port)) < len(any_port) or named & set(any_port):
        return "one port is given twice"
    return None


def _too_few(agents: AgentTable, running: RunningTable, new: NewInstances, rows: Sequence[int]) -> Iterator[Finding]:
    """Yield the agents that cannot give the ports asked for, when none are named in the placements."""
    by_agent: dict[int, list[int]] = {}
    for row in rows:
        by_agent.setdefault(int(new.agent[row]), []).append(row)
    for agent, here in by_agent.items():
        taken = set(running.held_ports.get(agents.records[agent].id, NOBODY))
        fresh = [row for row in here if row not in new.returns]
        groups = [[row] for row in here if row in new.returns] + ([fresh] if fresh else [])
        if not all(_can_serve(agents, new, group, taken) for group in groups):
            job = new.workload.jobs[new.job[here[-1]]]
            yield _finding(job, f"agent {agents.records[agent].id} has not the ports for {len(here)} new instances")


def _can_serve(agents: AgentTable, new: NewInstances, rows: Sequence[int], taken: set[int]) -> bool:
    """Tell whether distinct ports for all instances exist; named ones first, the others by number."""
    demands: dict[tuple[str, ...], int] = {}
    ranges: dict[tuple[str, int, int], None] = {}
    for row in rows:
        job, offered = new.workload.jobs[new.job[row]], _ranges(agents, new, row)
        ranges.update(dict.fromkeys(offered))
        named = {port for port in job.ports if port}
        if named & taken or not all(any(low <= port <= high for _, low, high in offered) for port in named):
            return False
        taken |= named
        roles = tuple(sorted({role for role, _, _ in offered}))
        demands[roles] = demands.get(roles, 0) + job.ports.count(0)
    pools: dict[str, int] = {}
    for role, first, last in ranges:
        gone = sum(1 for port in taken if first <= port <= last)
        pools[role] = pools.get(role, 0) + last - first + 1 - gone
    return served(demands, pools) == sum(demands.values())


def _finding(job: Job, message: str) -> Finding:
    return Finding(job=job.id, rule="ports", count=1, message=message)
