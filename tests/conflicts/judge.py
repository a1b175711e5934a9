"""Whether a set of reasons can hold, judged by placing: a workload in which only they hold is made, placed and verified.

It knows reasons by their text alone and shares nothing with the search for conflicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import placement
from placement.cluster import Cluster
from placement.counting import counts_as_instance
from placement.workload import Job, VolumeRequest, Workload


def can_hold(cluster: Cluster, workload: Workload, reasons: Iterable[str], seconds: float = 20) -> bool:
    """Whether the jobs whose instances are named can all be placed while just these reasons hold."""
    names = set(reasons)
    least = {job.id: _needed(job, names) for job in workload.jobs}
    jobs = [_reduced(job, names, cluster, 1 if least[job.id] else 0) for job in workload.jobs]
    gone = {job.id for job in workload.jobs if f"{job.id} own volumes" not in names}
    running = [one for one in cluster.running.instances if not (one.state == "reserved" and one.job in gone)]
    where = cluster.replace(running=running)
    answer = placement.place(where, workload.replace_jobs(jobs), solver="exact", deadline=seconds)
    active = _active(where, workload)
    return all(answer.placements.placed_of.get(job, 0) + active[job] >= number for job, number in least.items())


def _needed(job: Job, names: set[str]) -> int:
    """Instances, running ones included, of which the reasons ask for; 0 where they ask for none."""
    if any(name.startswith(f"{job.id} instances=") for name in names):
        return job.instances
    return job.minimum if f"{job.id} min={job.minimum}" in names else 0


def _active(cluster: Cluster, workload: Workload) -> Mapping[str, int]:
    instances = cluster.running.instances
    return {
        job.id: sum(counts_as_instance(instances[row], job) for row in cluster.running.of(job.id))
        for job in workload.jobs
    }


def _reduced(job: Job, names: set[str], cluster: Cluster, priority: int) -> Job:
    """The job with only those of its rules that are named."""
    ports = [port if f"port {port}" in names else 0 for port in job.ports]
    if "ports" not in names:
        ports = [port for port in ports if port]
    return replace(
        job,
        constraints=tuple(one for one in job.constraints if f"{job.id} {one}" in names),
        demand={name: amount for name, amount in job.demand.items() if name in names},
        ports=tuple(ports),
        volumes=tuple(one for one in job.volumes if _stays(one, job, names)),
        accepted_roles=job.accepted_roles if f"{job.id} role" in names else ("*", *cluster.roles),
        minimum=job.minimum if f"{job.id} min={job.minimum}" in names else 0,
        priority=priority,
    )


def _stays(volume: VolumeRequest, job: Job, names: set[str]) -> bool:
    return "disk" in names if volume.kind == "root" else f"{job.id} disks" in names
