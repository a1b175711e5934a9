"""The independent checker: judges placements from the domain objects alone, and says which rules they break.

It recomputes everything from plain records of agents, jobs and running instances and shares no code with what decides
placements. Rules are judged as not made worse: a violation that was there before and to which no new instance adds is
none (contracts of a right answer: the final state satisfies every rule, and each instance was eligible at its turn).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from placement.checking.amounts import shortages
from placement.checking.answer import NO_ROWS, WAITING, NewInstances
from placement.checking.disks import wrong_disks
from placement.checking.facts import AgentTable, Nowhere, RunningTable
from placement.checking.finding import Finding
from placement.checking.matter import Matter
from placement.checking.moves import Moves
from placement.checking.ports import wrong_ports
from placement.cluster import Cluster, Int64
from placement.constraints.affinity import Affinity
from placement.constraints.anti_affinity import AntiAffinity
from placement.constraints.base import Facts, View
from placement.constraints.judging import number
from placement.constraints.text import check_relax, relaxed
from placement.placements import Placements
from placement.running import ENDED, RunningInstance
from placement.workload import Job, Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the checker says.

    Attributes
    ----------
    breaches
        The rules that are broken; none when the placements hold.
    violations
        For each relaxed constraint that is broken: (job, constraint, new instances that would have to go).
    """

    breaches: tuple[Finding, ...] = ()
    violations: tuple[tuple[str, str, int], ...] = ()

    @property
    def holds(self) -> bool:
        """Whether no rule is broken that was not relaxed."""
        return not self.breaches


def verify(
    cluster: Cluster,
    workload: Workload,
    placements: Placements,
    *,
    relax: Sequence[str] = (),
    any_order: bool = False,
    in_order: bool = False,
) -> Verdict:
    """Judge placements.

    Parameters
    ----------
    cluster, workload
        What was to be decided, as it was before the round.
    placements
        New instances in the order in which each was eligible.
    relax
        Constraints that may be broken, as `JOB/FIELD:OPERATOR` (each part may be `*`).
    any_order
        Judge the final state only, whatever the order of the rows.
    in_order
        Dependency layers one after the other: none begins before the earlier ones are wholly placed.

    Raises
    ------
    InputError
        If a relaxed rule has not the form asked for.
    """
    for word in relax:
        check_relax(word)
    check = _Check(cluster, workload, placements, tuple(relax), ordered=not any_order)
    breaches = [*check.new.strangers, *check.moves.faults, *check.jobs()]
    if not any_order:
        breaches += [*check.moves.without_room(check.agents, check.new), *check.turns_beside_movers()]
    if in_order:
        breaches += check.layers()
    breaches += [
        *shortages(check.agents, check.new),
        *wrong_ports(check.agents, check.running, check.new),
        *wrong_disks(check.agents, check.new),
    ]
    broken, violations = check.constraints()
    return Verdict(breaches=(*breaches, *broken), violations=tuple(violations))


class _Check:
    """One call of `verify`: the tables it looks things up in, and the rules about jobs."""

    def __init__(
        self, cluster: Cluster, workload: Workload, placements: Placements, relax: tuple[str, ...], *, ordered: bool
    ) -> None:
        self.moves = Moves(cluster, workload, placements)
        cluster = self.moves.left()
        self.now = cluster.now
        self.workload = workload
        self.relax = relax
        self.ordered = ordered
        self.agents = AgentTable(cluster)
        self.running = RunningTable(cluster.running.instances)
        self.new = NewInstances(self.agents, self.running, workload, placements)
        self.circles = _circles(workload)
        self._known: dict[str, list[int]] = {}
        self.matter = Matter(self.agents, self.known, self._grows, self.now)

    # --- numbers ----------------------------------------------------------------------------------------------------

    def jobs(self) -> Iterator[Finding]:
        """Yield what is wrong with how many instances of a job there are, their numbers and layer."""
        for index, job in enumerate(self.workload.jobs):
            rows = self.new.of_job(index)
            if len(rows):
                yield from self._numbers(job, rows)
                yield from self._wanted(job, rows)
                yield from self._layer(job, rows)

    def _numbers(self, job: Job, rows: Int64) -> Iterator[Finding]:
        """New instances take the lowest free numbers; those that return or move keep theirs."""
        movers = [one for one in self.moves.movers.values() if one.job == job.id]
        rows = rows if not movers else rows[[row not in self.moves.movers for row in self.new.position[rows].tolist()]]
        present = [one for one in (*self.running.of(job.id), *movers) if one.state not in ENDED]
        returning = self.new.returning(self.workload.index[job.id])
        given = self.new.instance[rows]
        if not present:
            wrong = int((np.sort(given) != np.arange(len(rows))).sum())
        else:
            held = {one.instance for one in present}
            numbers = sorted(given.tolist())
            free = (i for i in range(len(held) + len(numbers)) if i not in held)
            fresh = [next(free) for _ in range(len(numbers) - len(returning))]
            again = {one.instance for one in present if one.name in returning}
            wrong = sum(one != other for one, other in zip(numbers, sorted([*fresh, *again]), strict=True))
        if wrong:
            yield Finding(job=job.id, rule="numbers", count=wrong,
                          message=f"{number(wrong)} not numbered with the lowest free numbers")  # fmt: skip

    def _wanted(self, job: Job, rows: Int64) -> Iterator[Finding]:
        """Not more than are missing, not fewer than the least; no new one where an old one waits on its volumes."""
        active, new = self.running.towards_target(job), len(rows)
        missing = max(0, job.instances - active)
        if new > missing:
            message = f"{number(new, 'new instance')}, {missing} wanted"
            yield Finding(job=job.id, rule="number of instances", count=new - missing, message=message)
        if active + new < job.minimum:
            message = f"{number(active + new)} in all, at least {job.minimum} or none are wanted"
            yield Finding(job=job.id, rule="least number of instances", count=new, message=message)
        fresh = new - len(self.new.returning(self.workload.index[job.id]))
        over = fresh - self.fresh_wanted(job)
        if over > 0 and new <= missing:
            message = f"{number(over, 'new instance')} in place of those that wait to return to their volumes"
            yield Finding(job=job.id, rule="volumes", count=over, message=message)

    def fresh_wanted(self, job: Job) -> int:
        """Return how many instances are wanted beside those that wait to return to their volumes."""
        waiting = sum(1 for one in self.running.of(job.id) if one.state in WAITING and self._comes_first(one))
        return max(0, job.instances - self.running.towards_target(job) - waiting)

    def _grows(self, job_id: str) -> bool:
        return job_id in self.workload.index and self.fresh_wanted(self.workload.job(job_id)) > 0

    def _comes_first(self, instance: RunningInstance) -> bool:
        """Tell whether a waiting instance takes the place of a new one: always, or if its volumes are offered."""
        offered = any(set(instance.volumes) <= volumes for volumes in self.agents.volume_sets)
        return instance.state == "reserved" or (bool(instance.volumes) and offered)

    def _layer(self, job: Job, rows: Int64) -> Iterator[Finding]:
        wrong = int((self.new.placements.layer[self.new.position[rows]] != job.layer).sum())
        if wrong:
            yield Finding(job=job.id, rule="layer", count=wrong,
                          message=f"{number(wrong)} with another layer than {job.layer}")  # fmt: skip

    def layers(self) -> Iterator[Finding]:
        """Yield the jobs that begin before an earlier layer is wholly placed."""
        jobs = self.workload.jobs
        lacking = [
            job.layer
            for index, job in enumerate(jobs)
            if self.running.towards_target(job) + len(self.new.of_job(index)) < job.instances
        ]
        last = min(lacking, default=max((job.layer for job in jobs), default=0))
        for index, job in enumerate(jobs):
            rows = self.new.of_job(index)
            if len(rows) and job.layer > last:
                yield Finding(job=job.id, rule="layer", count=len(rows),
                              message=f"layer {job.layer} begins though layer {last} is not wholly placed")  # fmt: skip
        layer = np.array([job.layer for job in jobs], np.int64)[self.new.job]
        late = np.flatnonzero(np.diff(layer) < 0) + 1
        if self.ordered and len(late):
            yield Finding(job=jobs[self.new.job[late[0]]].id, rule="layer", count=len(late),
                          message="the rows are not in the order of the layers")  # fmt: skip

    # --- constraints ------------------------------------------------------------------------------------------------

    def constraints(self) -> tuple[list[Finding], list[tuple[str, str, int]]]:
        """Return the constraints that are broken, and the relaxed ones with the instances that break them."""
        broken: list[Finding] = []
        violations: list[tuple[str, str, int]] = []
        for index, job in enumerate(self.workload.jobs):
            rows = self.new.of_job(index)
            if not len(rows) and not any(isinstance(rule, AntiAffinity) for rule in job.constraints):
                continue
            firm = self._view(job, rows, ordered=self.ordered and not _is_gang(job))
            loose = self._view(job, rows, ordered=False)
            for rule in job.constraints:
                if relaxed(self.relax, job.id, rule):
                    count = sum(breach.count for breach in rule.judge(loose))
                    violations += [(job.id, str(rule), count)] if count else []
                else:
                    broken += [
                        Finding(job=job.id, rule=str(rule), count=breach.count, message=breach.message)
                        for breach in rule.judge(firm)
                    ]
        return broken, violations

    def turns_beside_movers(self) -> Iterator[Finding]:
        """Yield the rules that an instance breaks at its turn because others that move have not left yet.

        All else about turns is judged by `constraints`, as if those that move had left before.
        """
        pending = dict(sorted(self.moves.movers.items()))
        earlier: dict[str, list[int]] = {}
        for i, position in enumerate(self.new.position.tolist()):
            if not pending:
                return
            pending.pop(position, None)
            job, agent = self.workload.jobs[self.new.job[i]], int(self.new.agent[i])
            there: dict[str, list[int]] = {name: list(agents) for name, agents in earlier.items()}
            for one in pending.values():
                there.setdefault(one.job, []).append(self.agents.index[one.agent])
            others = {rule.other for rule in job.constraints if isinstance(rule, Affinity | AntiAffinity)}
            if {one.job for one in pending.values()} & {job.id, *others} and not _is_gang(job):
                yield from self._turn(job, agent, there)
            earlier.setdefault(job.id, []).append(agent)

    def _turn(self, job: Job, agent: int, there: Mapping[str, Sequence[int]]) -> Iterator[Finding]:
        """Judge one instance alone, with `there` beside those that stay: agents by job."""
        rules = [rule for rule in job.constraints if not relaxed(self.relax, job.id, rule)]
        facts = self.agents.facts
        view = View(
            job=job,
            running=self._facts([*self.known(job.id), *there.get(job.id, ())]),
            placed=(facts[agent],),
            relaunched=(False,),
            positions=(0,),
            ordered=True,
            matter=lambda field: self.matter.of(job, field, rules, self.fresh_wanted(job) > 0),
            others=lambda other: (self._facts([*self.known(other), *there.get(other, ())]), ()),
            now=self.now,
        )
        for rule in rules:
            for breach in rule.judge(view):
                yield Finding(job=job.id, rule=str(rule), count=breach.count,
                              message=f"{breach.message}, while others that move have not left")  # fmt: skip

    def _view(self, job: Job, rows: Int64, *, ordered: bool) -> View:
        facts = self.agents.facts
        rules = [rule for rule in job.constraints if not relaxed(self.relax, job.id, rule)]
        return View(
            job=job,
            running=self._facts(self.known(job.id)),
            placed=[facts[agent] for agent in self.new.agent[rows].tolist()],
            relaunched=[row in self.new.returns for row in rows.tolist()] if self.new.returns else [False] * len(rows),
            positions=self.new.position[rows].tolist(),
            ordered=ordered,
            matter=lambda field: self.matter.of(job, field, rules, self.fresh_wanted(job) > 0),
            others=lambda other: (self._facts(self.known(other)), self._placed_of(other, beside=job)),
            now=self.now,
        )

    def known(self, job_id: str) -> list[int]:
        """Return the agents of the instances of a job that count for rules and stay; -1 outside the snapshot."""
        if job_id not in self._known:
            index = self.workload.index.get(job_id)
            job = None if index is None else self.workload.jobs[index]
            again = frozenset() if index is None else self.new.returning(index)
            counted = [one for one in self.running.counted(job_id, job) if one.name not in again]
            self._known[job_id] = [self.agents.index.get(one.agent, -1) for one in counted]
        return self._known[job_id]

    def _facts(self, agents: Sequence[int]) -> list[Facts]:
        return [self.agents.facts[agent] if agent >= 0 else Nowhere() for agent in agents]

    def _placed_of(self, other: str, beside: Job) -> list[tuple[int, Facts]]:
        """Return the new instances of another job; what goes in one step with them, or all at once, is as early."""
        index = self.workload.index.get(other)
        rows = NO_ROWS if index is None else self.new.of_job(index)
        if not len(rows) or index is None:
            return []
        positions = self.new.position[rows].tolist()
        if other in self.circles.get(beside.id, ()):
            positions = [-1] * len(rows)
        elif _is_gang(self.workload.jobs[index]):
            positions = [positions[0]] * len(rows)
        facts = self.agents.facts
        return [(at, facts[agent]) for at, agent in zip(positions, self.new.agent[rows].tolist(), strict=True)]


def _is_gang(job: Job) -> bool:
    """Tell whether all instances of a job go in one step."""
    return job.minimum == job.instances > 1


def _circles(workload: Workload) -> dict[str, frozenset[str]]:
    """Return for each job the jobs that want to be where it is while it wants to be where they are."""
    wants = {
        job.id: [rule.other for rule in job.constraints if isinstance(rule, Affinity)]
        for job in workload.jobs
        if any(isinstance(rule, Affinity) for rule in job.constraints)
    }
    reached: dict[str, set[str]] = {}
    for start in wants:
        found: set[str] = set()
        stack = list(wants[start])
        while stack:
            job = stack.pop()
            if job not in found:
                found.add(job)
                stack += wants.get(job, [])
        reached[start] = found
    return {job: frozenset(other for other in found if job in reached.get(other, ())) for job, found in reached.items()}
