"""Small clusters and jobs for tests, readable at a glance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from placement.amounts import thousandths
from placement.attributes import parse
from placement.cluster import Agent, Cluster
from placement.constraints import Scene
from placement.constraints import parse as parse_constraints
from placement.counting import known_agents
from placement.running import RunningInstance
from placement.workload import Job, Workload


def agent(
    id: str, *, cpus: float = 4, mem: float = 1000, ports: tuple[tuple[int, int], ...] = (), **more: object
) -> Agent:
    """An agent; keywords that are no field of `Agent` are attributes in Mesos' text form."""
    fields = {name: value for name, value in more.items() if name in Agent.__dataclass_fields__}
    free = {"cpus": thousandths(cpus), "mem": thousandths(mem), **dict(fields.pop("free", {}))}  # type: ignore[call-overload]
    attributes = tuple(
        (name, parse(str(value))) for name, value in more.items() if name not in fields and name != "free"
    )
    return Agent(id=id, free=free, ports=ports, attributes=attributes, **fields)  # type: ignore[arg-type]


def cluster(*agents: Agent, running: Sequence[str] = (), now: float | None = None) -> Cluster:
    """A cluster; `running` holds 'job agent' pairs, numbered from 0 by job."""
    counts: dict[str, int] = {}
    instances = []
    for word in running:
        job_id, agent_id = word.split()
        instances.append(RunningInstance(job=job_id, instance=counts.get(job_id, 0), agent=agent_id))
        counts[job_id] = counts.get(job_id, 0) + 1
    return Cluster.build(agents, instances, now=now)


def job(id: str = "/app", instances: int = 1, constraints: str = "", *, cpus: float = 1, **more: object) -> Job:
    """A job that needs cpus only, with constraints as text."""
    return Job(
        id=id,
        instances=instances,
        demand={"cpus": thousandths(cpus)},
        constraints=parse_constraints(constraints),
        **more,  # type: ignore[arg-type]
    )


def workload(*jobs: Job) -> Workload:
    """A workload of the jobs given."""
    return Workload(jobs)


def allowed(where: Cluster, one: Job, *others: Job) -> list[str]:
    """Ids of the agents that the only constraint of a job allows now."""
    by_id = {other.id: other for other in (one, *others)}
    scene = Scene(where, one, known_agents(where, one.id, one), lambda name: known_agents(where, name, by_id.get(name)))
    (constraint,) = one.constraints
    return [where.agents[i] for i in np.flatnonzero(constraint.mask(scene))]
