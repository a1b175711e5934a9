"""Whether moves are right: who moved ran there and may move, and everybody has room when moves go one at a time.

A move kills an instance when its turn comes and starts it elsewhere; until then it holds its place. All else is judged
as if those that moved had left before the first turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from placement.checking.amounts import needs, served
from placement.checking.answer import NewInstances
from placement.checking.facts import UNRESERVED, AgentTable, outdated
from placement.checking.finding import Finding
from placement.cluster import Agent, Cluster
from placement.placements import Placements
from placement.running import LOST, OFF, RunningInstance
from placement.workload import Job, Workload


class Moves:
    """The moves of an answer.

    Attributes
    ----------
    movers
        By row of the placements, the instance that moves.
    faults
        Findings on rows that name no instance which may move.
    """

    def __init__(self, cluster: Cluster, workload: Workload, placements: Placements) -> None:
        self.before = cluster
        self.workload = workload
        self.placements = placements
        self.movers: dict[int, RunningInstance] = {}
        self.faults: list[Finding] = []
        moved = () if placements.moved_from is None else placements.moved_from.tolist()
        there = {one.name: one for one in cluster.running.instances} if any(home >= 0 for home in moved) else {}
        seen: set[str] = set()
        for row, ((job, number, _), home) in enumerate(zip(placements.rows(), moved, strict=False)):
            if home < 0:
                continue
            name = f"{job}#{number}"
            fault = self._fault(there.get(name), placements.agents[home], seen)
            if fault:
                self.faults.append(Finding(job=job, rule="moves", count=1, message=f"{name} {fault}"))
            else:
                self.movers[row] = there[name]
            seen.add(name)

    def _fault(self, one: RunningInstance | None, home: str, seen: set[str]) -> str | None:
        """Return why an instance cannot have moved from an agent; None if it can."""
        if one is None or one.agent != home:
            return f"does not run on {home}"
        if one.name in seen:
            return "moves twice"
        if one.job not in self.workload.index:
            return "is of no job of the workload"
        job = self.workload.job(one.job)
        if one.state in LOST or one.state in OFF or one.state == "killing" or outdated(one, job):
            return "is lost, old or about to end"
        if job.volumes or one.volumes or one.units:
            return "has volumes and stays with them"
        record = next(record for record in self.before.records if record.id == home)
        if UNRESERVED not in job.accepted_roles or any(r.role in job.accepted_roles for r in record.reservations):
            return "may hold reserved resources"
        return None

    def left(self) -> Cluster:
        """Return the cluster after everybody who moves has left."""
        if not self.movers:
            return self.before
        gone = {one.name for one in self.movers.values()}
        by_agent: dict[str, list[RunningInstance]] = {}
        for one in self.movers.values():
            by_agent.setdefault(one.agent, []).append(one)
        records = [self._freed(record, by_agent.get(record.id, ())) for record in self.before.records]
        stays = [one for one in self.before.running.instances if one.name not in gone]
        return Cluster.build(records, stays, now=self.before.now)

    def _freed(self, record: Agent, gone: Sequence[RunningInstance]) -> Agent:
        free = dict(record.free)
        ports = list(record.ports)
        for one in gone:
            for name, amount in self._held(one).items():
                free[name] = free.get(name, 0) + amount
            ports += [(port, port) for port in one.ports]
        return replace(record, free=free, ports=tuple(ports)) if gone else record

    def _held(self, one: RunningInstance) -> dict[str, int]:
        return needs(self.workload.job(one.job)) if one.amounts is None else dict(one.amounts)

    # --- one at a time ----------------------------------------------------------------------------------------------

    def without_room(self, agents: AgentTable, new: NewInstances) -> Iterator[Finding]:
        """Yield the agents on which, at some turn, more is taken than there is while some have yet to leave.

        Parameters
        ----------
        agents, new
            The agents after all have left, and the rows on them.
        """
        leaving: dict[str, list[int]] = {}
        for row, one in sorted(self.movers.items()):
            leaving.setdefault(one.agent, []).append(row)
        for home, rows in leaving.items():
            agent = agents.index[home]
            arrivals = [(int(new.position[i]), int(i)) for i in new.on_agent(agent).tolist()]
            turns = [-1, *rows]
            for gone, (_, turn) in enumerate(pairwise(turns)):
                still = [self.movers[row] for row in rows[gone:]]
                there = [i for position, i in arrivals if position < turn]
                if there and not self._room(agents, new, agent, there, still):
                    job = new.workload.jobs[new.job[there[-1]]].id
                    yield Finding(job=job, rule="moves", count=1,
                                  message=f"agent {home} has no room at its turn: {still[0].name} has not left yet")  # fmt: skip
                    break

    def _room(
        self, agents: AgentTable, new: NewInstances, agent: int, rows: Sequence[int], still: Sequence[RunningInstance]
    ) -> bool:
        """Tell whether rows fit on an agent beside those that are still there."""
        given = new.placements.ports
        taken = {port for i in rows for port in (given[int(new.position[i])] if given is not None else ())}
        if any(set(one.ports) & taken for one in still):
            return False
        jobs: list[Job] = [new.workload.jobs[new.job[i]] for i in rows]
        for resource in sorted({name for job in jobs for name in needs(job)}):
            demands: dict[tuple[str, ...], int] = {}
            for job in jobs:
                demands[job.accepted_roles] = demands.get(job.accepted_roles, 0) + needs(job).get(resource, 0)
            held = sum(self._held(one).get(resource, 0) for one in still)
            pools = {UNRESERVED: int(agents.free(resource)[agent]) - held, **agents.reserved(agent, resource)}
            if pools[UNRESERVED] < 0 or served(demands, pools) < sum(demands.values()):
                return False
        return True
