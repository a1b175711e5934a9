"""Marathon's step procedures: scale-down, upgrade bounds, relaunch on volumes, deployment order, reject summary.

Source: mesosphere/marathon (docs/marathon.md 2.3, 8.3, 9, 10, 15). Pure functions; nothing is launched or killed here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from placement.cluster import Agent, Cluster
from placement.constraints.group_by import GroupBy
from placement.counting import counts_as_instance
from placement.eligibility import eligible
from placement.running import ENDED, OFF, RunningInstance
from placement.workload import Job, Workload

FUNNEL = (
    "UnfulfilledRole", "UnfulfilledConstraint", "NoCorrespondingReservationFound", "AgentMaintenance",
    "InsufficientCpus", "InsufficientMemory", "InsufficientDisk", "InsufficientGpus", "InsufficientPorts",
    "DeclinedScarceResources",
)  # fmt: skip
"""Reasons in the order in which the queue's summary looks for the one it counts."""

STATE_WEIGHT = {"unreachable": 1, "staging": 2, "starting": 3, "running": 4}
"""Which instances go first on a scale-down, by state; all others weigh 5."""


@dataclass(frozen=True, slots=True)
class ScalingDecision:
    """Instances to kill, in order, and how many to start."""

    kill: tuple[str, ...]
    start: int


@dataclass(frozen=True, slots=True)
class UpgradeBounds:
    """Old instances that may be killed at once, and the most that may exist."""

    kill_immediately: int
    max_capacity: int


def reject_reason(reasons: Iterable[str]) -> str | None:
    """Return the reason under which one refused offer is counted, None if under none."""
    found = set(reasons)
    return next((one for one in FUNNEL if one in found), None)


def layers(workload: Workload) -> list[list[str]]:
    """Return the job ids layer by layer, each layer in the order read."""
    numbers = sorted({job.layer for job in workload.jobs})
    return [[job.id for job in workload.jobs if job.layer == number] for number in numbers]


def scale_down(
    job: Job,
    running: Sequence[RunningInstance],
    cluster: Cluster,
    target: int,
    kill_first: Sequence[str] = (),
) -> ScalingDecision:
    """Return which instances go, and how many start, for a new number of instances.

    Parameters
    ----------
    running
        The job's instances.
    kill_first
        Names of instances a user wants killed; unknown ones are ignored.
    """
    candidates = [one for one in running if one.state != "unreachable_inactive" and one.state not in ENDED]
    candidates = [one for one in candidates if one.state not in ("reserved", "stopped")]
    named = [one for one in candidates if one.name in kill_first]
    kills = max(len(candidates) - target, len(named))
    rest = [one for one in candidates if one not in named]
    grouped = _by_group(job, cluster, rest, kills - len(named))
    others = sorted((one for one in rest if one not in grouped), key=lambda one: _turn(one, job))
    order = [*sorted(named, key=lambda one: list(kill_first).index(one.name)), *grouped, *others]
    return ScalingDecision(tuple(one.name for one in order[:kills]), max(0, target - len(candidates) + kills))


def _turn(instance: RunningInstance, job: Job) -> tuple[int, float, str]:
    """Return the sort key of an instance: state, then age as the job's kill selection wants, none before some."""
    weight = STATE_WEIGHT.get(instance.state, 5)
    if instance.started_at is None:
        return weight, -math.inf, instance.name
    youngest_first = job.kill_selection == "YOUNGEST_FIRST"
    return weight, -instance.started_at if youngest_first else instance.started_at, instance.name


def _by_group(job: Job, cluster: Cluster, running: Sequence[RunningInstance], wanted: int) -> list[RunningInstance]:
    """Return the instances that GROUP_BY chooses: from the largest groups, as long as no field becomes less even."""
    fields = list(dict.fromkeys(one.field for one in job.constraints if isinstance(one, GroupBy)))
    if not fields or wanted <= 0 or wanted >= len(running):
        return [] if wanted < len(running) or wanted <= 0 else sorted(running, key=lambda one: _turn(one, job))
    value_of = {one.name: [_value(cluster, one, field) for field in fields] for one in running}
    counts = [Counter(value_of[one.name][i] for one in running) for i in range(len(fields))]
    original = [_uneven(count) for count in counts]
    left = sorted(running, key=lambda one: _turn(one, job))
    chosen: list[RunningInstance] = []
    while len(chosen) < wanted:
        pick = next((one for one in _candidates(left, counts, value_of) if _keeps_even(one, counts, value_of, original)),
                    None)  # fmt: skip
        if pick is None:
            break
        chosen.append(pick)
        left.remove(pick)
        for count, value in zip(counts, value_of[pick.name], strict=True):
            count[value] -= 1
    return chosen


def _value(cluster: Cluster, instance: RunningInstance, field: str) -> str | None:
    agent = cluster.index.get(instance.agent)
    if agent is None:
        return None
    column = cluster.column(field)
    code = int(column.codes[agent])
    return column.values[code] if code >= 0 else None


def _uneven(count: Counter[str | None]) -> int:
    """Return the largest less the smallest group; emptied groups count as 0."""
    return max(count.values()) - min(count.values())


def _candidates(
    left: Sequence[RunningInstance], counts: Sequence[Counter[str | None]], value_of: dict[str, list[str | None]]
) -> list[RunningInstance]:
    """Return the members of the largest groups, the most uneven field first, then all others."""
    fields = sorted(range(len(counts)), key=lambda i: (-_uneven(counts[i]), i))
    found: dict[str, RunningInstance] = {}
    for i in fields:
        if _uneven(counts[i]):
            largest = max(counts[i].values())
            found |= {one.name: one for one in left if counts[i][value_of[one.name][i]] == largest}
    return list((found | {one.name: one for one in left}).values())


def _keeps_even(
    one: RunningInstance,
    counts: Sequence[Counter[str | None]],
    value_of: dict[str, list[str | None]],
    original: Sequence[int],
) -> bool:
    for count, value, before in zip(counts, value_of[one.name], original, strict=True):
        after = Counter(count)
        after[value] -= 1
        if not (_uneven(after) <= 1 or _uneven(after) < before):
            return False
    return True


def upgrade_bounds(job: Job, running: Sequence[RunningInstance]) -> UpgradeBounds:
    """Return how a restart of a job with the given instances is bounded."""
    wanted = job.instances
    present = [one for one in running if one.state not in OFF]
    healthy = sum(1 for one in present if not job.has_checks or one.healthy)
    least = math.ceil(wanted * job.upgrade.minimum_health_capacity)
    most = math.floor(wanted * (1 + job.upgrade.maximum_over_capacity))
    kill = max(0, healthy - least)
    if least == most and most <= healthy:
        if job.resident:
            kill = healthy - least + 1
        else:
            most += 1
    if wanted < len(present):
        kill = max(len(present) - wanted, kill)
    return UpgradeBounds(kill, most)


def relaunch(jobs: Iterable[Job], cluster: Cluster) -> dict[str, str]:
    """Return for each waiting instance that can go back to its volumes the agent that takes it.

    Each agent serves the first waiting instance all of whose volumes it has; whether that matches is final.
    """
    found: dict[str, str] = {}
    for job in jobs:
        for number, record in enumerate(cluster.records):
            while (name := _returns(job, cluster, number)) is not None:
                found[name] = record.id
                cluster = cluster.replace(running=[_started(one, name) for one in cluster.running.instances])
    return found


def _returns(job: Job, cluster: Cluster, agent: int) -> str | None:
    """Return the instance that an agent launches again next, None if none is wanted or it does not match."""
    instances = [cluster.running.instances[row] for row in cluster.running.of(job.id)]
    if sum(counts_as_instance(one, job) for one in instances) >= job.instances:
        return None
    match = eligible(cluster, job)
    return match.returning.get(agent) if match.mask[agent] else None


def _started(instance: RunningInstance, name: str) -> RunningInstance:
    return replace(instance, state="staging") if instance.name == name else instance


def first_relaunch(job: Job, agent: Agent, waiting: Sequence[RunningInstance]) -> RunningInstance | None:
    """Return the waiting instance that an agent serves first: the first all of whose volumes it has."""
    there = {volume.id for volume in agent.volumes}
    mine = (one for one in waiting if one.job == job.id and one.volumes and set(one.volumes) <= there)
    return next(mine, None)
