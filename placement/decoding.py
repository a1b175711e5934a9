"""From a solver's counts to placements: an order in which each instance is eligible, numbers, concrete ports and disks.

The way there is `placement.compilation`. An instance for which no port, disk or turn is found is left out of the answer; it
is never moved silently.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from placement.cluster import Bool, Int32, Int64
from placement.compilation import Compiled
from placement.constraints.affinity import Affinity
from placement.counting import own_reservations
from placement.disks import assign, named_disks
from placement.placements import Placements
from placement.ports import PortPool
from placement.running import ENDED
from placement.turns import take_turns
from placement.workload import Workload
from solvers.problem import Assignment
from solvers.rules import Balance


@dataclass(frozen=True, eq=False, slots=True)
class _Instances:
    """Instances in order: row of the problem, and agent, each int32[n]."""

    row: Int32
    agent: Int32


def decode(compiled: Compiled, assignment: Assignment) -> Placements:
    """Return the placements of an assignment.

    The order is by job: jobs that others want to be beside first, then by layer and position in the workload; inside a
    job so that every instance is eligible at its turn.
    """
    ordered = _in_order(compiled, assignment)
    ports, kept = _give_ports(compiled, ordered)
    units, kept_units = _give_disks(compiled, ordered)
    keep = _whole_gangs(compiled, ordered, kept & kept_units)
    row, agent = ordered.row[keep], ordered.agent[keep]
    job = np.array([one.job for one in compiled.rows], np.int32)[row] if len(row) else row
    jobs = compiled.workload.jobs
    layers = np.array([one.layer for one in jobs], np.int32)
    relaunched = np.array([one.relaunch is not None for one in compiled.rows], np.bool_)
    return Placements(
        jobs=tuple(one.id for one in jobs),
        agents=compiled.cluster.agents,
        job=job,
        instance=_numbers(compiled, row, job),
        agent=agent,
        layer=layers[job] if len(job) else job,
        ports=None if ports is None else tuple(one for one, good in zip(ports, keep, strict=True) if good),
        units=None if units is None else tuple(one for one, good in zip(units, keep, strict=True) if good),
        relaunched=relaunched[row] if len(row) else np.empty(0, np.bool_),
        roles=tuple(one.role for one in jobs),
    )


def _whole_gangs(compiled: Compiled, instances: _Instances, keep: Bool) -> Bool:
    """Return `keep` without the instances of jobs of which then fewer than the minimum would be there."""
    if keep.all():
        return keep
    job = np.array([one.job for one in compiled.rows], np.int32)[instances.row]
    kept = np.bincount(job[keep], minlength=len(compiled.workload))
    for number, (one, todo) in enumerate(zip(compiled.workload.jobs, compiled.tallies, strict=True)):
        if todo.active + int(kept[number]) < one.minimum:
            keep = keep & (job != number)
    return keep


def job_order(workload: Workload) -> list[int]:
    """Return the jobs in the order in which they are placed: affinity targets first, then layer, then as read."""
    layers = [job.layer for job in workload.jobs]
    edges = [
        (workload.index[constraint.other], number)
        for number, job in enumerate(workload.jobs)
        for constraint in job.constraints
        if isinstance(constraint, Affinity) and constraint.other in workload.index
    ]
    if not edges:
        return sorted(range(len(workload)), key=lambda number: (layers[number], number))
    import networkx as nx  # takes a fifth of a second, and few workloads have affinities

    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(workload)))
    graph.add_edges_from(edges)
    circles = nx.condensation(graph)
    members = {circle: sorted(circles.nodes[circle]["members"]) for circle in circles}
    first = {circle: min((layers[one], one) for one in inside) for circle, inside in members.items()}
    return [one for circle in nx.lexicographical_topological_sort(circles, key=first.get) for one in members[circle]]


def _in_order(compiled: Compiled, assignment: Assignment) -> _Instances:
    """Return all instances in the order in which each is eligible."""
    if not len(assignment.row):
        return _Instances(np.empty(0, np.int32), np.empty(0, np.int32))
    job_of_row = np.array([one.job for one in compiled.rows], np.int32)
    rank = np.empty(len(compiled.workload), np.int64)
    rank[job_order(compiled.workload)] = np.arange(len(compiled.workload))
    runs = np.lexsort((assignment.agent, assignment.row, rank[job_of_row[assignment.row]]))
    row = np.repeat(assignment.row[runs], assignment.count[runs])
    agent = np.repeat(assignment.agent[runs], assignment.count[runs])
    balances = _balances(compiled)
    if not balances:
        return _Instances(row, agent)
    order, pieces = job_of_row[row], []
    again = np.array([one.relaunch is not None for one in compiled.rows], np.bool_)
    starts = np.flatnonzero(np.r_[True, order[1:] != order[:-1]])
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(order)], strict=True):
        rules = balances.get(int(order[start]), [])
        first = start + np.flatnonzero(again[row[start:end]])  # they count already, so the others take turns after them
        fresh = start + np.flatnonzero(~again[row[start:end]])
        pieces += [first, fresh[_turns(compiled, rules, agent[fresh])] if rules and len(fresh) else fresh]
    chosen = np.concatenate(pieces)
    return _Instances(row[chosen], agent[chosen])


def _balances(compiled: Compiled) -> dict[int, list[Balance]]:
    """Return the hard balance rules of each job."""
    found: dict[int, list[Balance]] = {}
    for rule in compiled.problem.rules:
        if isinstance(rule, Balance) and not rule.soft:
            found.setdefault(compiled.rows[int(rule.rows[0])].job, []).append(rule)
    return found


def _turns(compiled: Compiled, rules: Sequence[Balance], agents: Int32) -> Int64:
    problem = compiled.problem
    return take_turns(
        [problem.groups(rule.grouping)[agents] for rule in rules],
        [rule.counted.dense(problem.group_count(rule.grouping)) for rule in rules],
        [None if rule.at_least else rule.relevant for rule in rules],
    )


def _numbers(compiled: Compiled, row: Int32, job: Int32) -> Int32:
    """Return int32[n]: the instance numbers; new ones take the lowest free, relaunched ones keep theirs."""
    numbers = np.zeros(len(row), np.int32)
    if not len(row):
        return numbers
    running = compiled.cluster.running
    order = np.argsort(job, kind="stable")
    starts = np.flatnonzero(np.r_[True, job[order][1:] != job[order][:-1]])
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(order)], strict=True):
        mine = order[start:end]
        rows = running.of(compiled.workload.jobs[int(job[mine[0]])].id)
        if not len(rows):
            numbers[mine] = np.arange(end - start)
            continue
        used = {running.instances[i].instance for i in rows.tolist() if running.instances[i].state not in ENDED}
        free = _lowest_free(used)
        for i in mine.tolist():
            relaunch = compiled.rows[int(row[i])].relaunch
            numbers[i] = next(free) if relaunch is None else running.instances[relaunch.row].instance
    return numbers


def _lowest_free(used: set[int]) -> Iterator[int]:
    number = 0
    while True:
        if number not in used:
            yield number
        number += 1


def _give_ports(
    compiled: Compiled, instances: _Instances
) -> tuple[list[tuple[int, ...]] | None, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Return the host ports of each instance (None: nobody asks for any), and which instances got theirs."""
    jobs = compiled.workload.jobs
    kept = np.ones(len(instances.row), np.bool_)
    if not any(job.ports for job in jobs):
        return None, kept
    given: list[tuple[int, ...]] = [()] * len(instances.row)
    pools: dict[int, PortPool] = {}
    named: dict[int, set[int]] = {}
    for row, agent in zip(instances.row.tolist(), instances.agent.tolist(), strict=True):
        named.setdefault(agent, set()).update(jobs[compiled.rows[row].job].fixed_ports)
    for i in _ports_first(compiled, instances):
        origin, agent = compiled.rows[int(instances.row[i])], int(instances.agent[i])
        job = jobs[origin.job]
        accepted: Sequence[str] | None = job.accepted_roles
        if origin.relaunch is not None:
            name = compiled.cluster.running.instances[origin.relaunch.row].name
            pool, accepted = PortPool.of_reservations(own_reservations(compiled.cluster, agent, name)), None
        elif agent in pools:
            pool = pools[agent]
        else:
            pool = pools[agent] = PortPool.of(compiled.cluster, agent)
            pool.named = named[agent]
        ports = pool.take(job.ports, accepted)
        kept[i] = ports is not None
        given[i] = ports or ()
    return given, kept


def _ports_first(compiled: Compiled, instances: _Instances) -> list[int]:
    """Return the instances that take ports: those that name ports first, then those that accept the fewest roles."""
    jobs = compiled.workload.jobs

    def urgency(i: int) -> tuple[bool, int, int]:
        job = jobs[compiled.rows[int(instances.row[i])].job]
        return not job.fixed_ports, len(job.accepted_roles), i

    asking = [i for i, row in enumerate(instances.row.tolist()) if jobs[compiled.rows[row].job].ports]
    return sorted(asking, key=urgency)


def _give_disks(
    compiled: Compiled, instances: _Instances
) -> tuple[list[tuple[tuple[str, int], ...]] | None, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Return the disks of each instance in the order of its volumes (None: nobody asks), and which got theirs."""
    kept = np.ones(len(instances.row), np.bool_)
    asked = {number: compiled.disks.requests(job) for number, job in enumerate(compiled.workload.jobs) if job.volumes}
    if not any(asked.values()):
        return None, kept
    given: list[tuple[tuple[str, int], ...]] = [()] * len(instances.row)
    left = compiled.disks.units.amount.copy()
    for i, (row, agent) in enumerate(zip(instances.row.tolist(), instances.agent.tolist(), strict=True)):
        origin = compiled.rows[row]
        requests = asked.get(origin.job, ())
        if not requests or origin.relaunch is not None:
            continue
        chosen = assign(compiled.disks, requests, agent, left)
        kept[i] = chosen is not None
        if chosen is not None:
            given[i] = named_disks(compiled.disks, requests, chosen)
    return given, kept
