"""From a cluster and a workload to a question of `solvers.conflicts`: which rule of which job stands behind what.

The words for what comes back are in `placement.conflicts.words`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from placement.cluster import Bool, Cluster, Int32, Int64
from placement.compilation import Compiled, Compiler, Row, covering
from placement.constraints.affinity import Affinity
from placement.constraints.base import AgentRule, Constraint, Scene
from placement.constraints.group_by import GroupBy
from placement.constraints.scarce_gpus import ScarceGpus
from placement.constraints.text import check_relax, relaxed
from placement.counting import known_agents
from placement.pools import PORTS, Dimension
from placement.ports import offers_ports
from placement.workload import Job, Workload
from solvers.conflicts import AmountPart, LeastPart, MaskPart, Part, Question, RulePart, UnitsPart, serving
from solvers.problem import ALL_AGENTS
from solvers.rules import EACH_AGENT, Balance, Gang, GroupCap

Kind = Literal["constraint", "min", "role", "port", "disks", "own volumes", "instances", "resource"]
WEIGHTS: dict[Kind, int] = {"constraint": 1, "min": 2, "role": 2, "port": 2, "disks": 3, "own volumes": 3, "instances": 4,
                            "resource": 5}  # fmt: skip
"""Of equally many things to give up, those of small sum are given up: rules, then instances, then more capacity."""


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Something that could be given up so that more fits.

    Attributes
    ----------
    kind
        'constraint': a constraint of a job. 'instances': all its instances are wanted; 'min': at least so many, or none.
        'role': it uses only resources of its accepted roles. 'disks': its volumes want disks of their own.
        'own volumes': instances go back to the volumes they have. 'port': every job that names this host port gets it.
        'resource': nobody takes more of it than there is.
    job
        The job's id, None for what belongs to no single job.
    constraint
        Of kind 'constraint'.
    name
        Of a resource ('ports' for their number) or a port.
    number
        Instances wanted, for 'instances' and 'min'.
    """

    kind: Kind
    job: str | None = None
    constraint: Constraint | None = None
    name: str = ""
    number: int = 0

    def __str__(self) -> str:
        if self.kind == "constraint":
            return f"{self.job} {self.constraint}"
        if self.kind == "resource":
            return self.name
        if self.kind == "port":
            return f"port {self.name}"
        return f"{self.job} {self.kind}" + (f"={self.number}" if self.number else "")


@dataclass(frozen=True, eq=False)
class Asked:
    """A question with the names behind its numbers.

    Attributes
    ----------
    reasons
        The reason behind each number.
    compiled
        The problem as it was compiled, all rules held.
    dimensions
        Of each dimension of the question's problem, the resource and the roles.
    """

    question: Question
    reasons: tuple[Reason, ...]
    compiled: Compiled
    dimensions: tuple[Dimension, ...]

    @property
    def cluster(self) -> Cluster:
        """The agents."""
        return self.compiled.cluster

    def resource(self, dimension: int) -> str:
        """Return the name of a dimension's resource."""
        number = self.dimensions[dimension].resource
        return self.cluster.resources[number] if number < len(self.cluster.resources) else PORTS

    def rows(self, job: str) -> Int64:
        """Return the rows of a job."""
        number = self.compiled.workload.index[job]
        return np.array([i for i, row in enumerate(self.compiled.rows) if row.job == number], np.int64)


def ask(cluster: Cluster, workload: Workload, relax: Sequence[str] = ()) -> Asked:
    """Return the question whether everything wanted can be placed.

    Raises
    ------
    InputError
        If a constraint names a job that does not exist, or a relaxed rule has no such form.
    """
    for word in relax:
        check_relax(word)
    return _Asker(cluster, workload, tuple(relax)).asked()


class _Places:
    """Takes down on which agents a constraint allows a row at all (a `constraints.base.Scope` that writes no rules)."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.masks: list[Bool] = []

    def allow(self, mask: Bool) -> None:
        """Take down a mask."""
        self.masks.append(mask)

    def _with_value(self, field: str) -> None:
        self.masks.append(self.scene.cluster.column(field).codes >= 0)

    def cap(self, field: str, limit: int) -> None:
        """Agents without a value take none."""
        self._with_value(field)

    def one_value(self, field: str) -> None:
        """Agents without a value take none."""
        self._with_value(field)

    def quota(self, field: str, groups: int, each: int, extra: int) -> None:
        """Agents without a value take none."""
        self._with_value(field)

    def balance(self, field: str, at_least: int) -> None:
        """Agents without a value take none."""
        self._with_value(field)

    def require(self, field: str, other: str) -> None:
        """Agents without a value take none."""
        self._with_value(field)

    def exclude(self, field: str, other: str, limit: int) -> None:
        """It is about agents with a value only."""


class _Asker:
    """Makes one question."""

    def __init__(self, cluster: Cluster, workload: Workload, relax: tuple[str, ...]) -> None:
        self.cluster = cluster
        self.workload = workload
        self.relax = relax
        self.compiler = Compiler(cluster, _with_every_role(cluster, workload), relax)
        self.compiled = self.compiler.run("pack", None)
        self.reasons: dict[Reason, int] = {}
        self.parts: list[Part] = []

    def asked(self) -> Asked:
        """Return the question."""
        for number, job in enumerate(self.workload.jobs):
            self._instances(number, job)
        for row, origin in enumerate(self.compiled.rows):
            if self.compiled.problem.wanted[row]:
                self._row(row, origin)
        self._rules()
        dimensions = self._amounts()
        index = self.workload.index
        question = Question(
            problem=replace(
                self.compiled.problem,
                mask=np.full(self.compiled.problem.rows, ALL_AGENTS, np.int32),
                masks=(),
                rules=(),
            ),
            parts=tuple(self.parts),
            weights=tuple(WEIGHTS[reason.kind] for reason in self.reasons),
            owners=tuple(-1 if reason.job is None else index[reason.job] for reason in self.reasons),
        )
        return Asked(question, tuple(self.reasons), self.compiled, dimensions)

    def _number(self, reason: Reason) -> int:
        return self.reasons.setdefault(reason, len(self.reasons))

    def _of(self, job: Job, constraint: Constraint) -> int:
        return self._number(Reason(kind="constraint", job=job.id, constraint=constraint))

    def _hard(self, job: Job) -> list[Constraint]:
        return [one for one in job.constraints if not relaxed(self.relax, job.id, one)]

    # --- what is wanted ---------------------------------------------------------------------------------------------

    def _instances(self, number: int, job: Job) -> None:
        rows = self.compiler.rows_of[number]
        wanted = int(self.compiled.problem.wanted[rows].sum())
        least = min(job.minimum - self.compiled.tallies[number].active, wanted)
        if least > 0:
            reason = Reason(kind="min", job=job.id, number=job.minimum)
            self.parts.append(LeastPart(reasons=(self._number(reason),), rows=rows, number=least))
        if wanted > max(least, 0):
            reason = Reason(kind="instances", job=job.id, number=wanted)
            self.parts.append(LeastPart(reasons=(self._number(reason),), rows=rows, number=wanted))

    # --- where a row may be -----------------------------------------------------------------------------------------

    def _row(self, row: int, origin: Row) -> None:
        job = self.workload.jobs[origin.job]
        if origin.relaunch is not None:
            known = known_agents(self.cluster, job.id, job, but=origin.relaunch.row)
            scene = Scene(self.cluster, job, known, self.compiler.known_of)
            pinned = self._number(Reason(kind="own volumes", job=job.id))
            self._allow(row, covering(self.cluster, job, origin.relaunch), pinned)
            for constraint in self._hard(job):
                if not isinstance(constraint, ScarceGpus):
                    self._allow(row, constraint.mask(scene), self._of(job, constraint))
            return
        for constraint in self._hard(job):
            places = _Places(self._scene(origin.job))
            constraint.compile(places)
            for mask in places.masks:
                self._allow(row, mask, self._of(job, constraint))
        self._strange(row, job)
        self._named_ports(row, job)
        if row in self.compiled.problem.unit_requests.by_row:
            self.parts.append(UnitsPart(reasons=(self._number(Reason(kind="disks", job=job.id)),), row=row))

    def _scene(self, number: int) -> Scene:
        job = self.workload.jobs[number]
        return Scene(self.cluster, job, self.compiled.tallies[number].known, self.compiler.known_of)

    def _allow(self, row: int, mask: Bool, *reasons: int) -> None:
        if not mask.all():
            self.parts.append(MaskPart(reasons=reasons, row=row, mask=mask))

    def _strange(self, row: int, job: Job) -> None:
        """A resource that no agent of the snapshot has."""
        for name, amount in job.demand.items():
            if amount and name not in self.cluster.resources:
                nobody = np.zeros(len(self.cluster), np.bool_)
                self._allow(row, nobody, self._number(Reason(kind="resource", name=name)))

    def _named_ports(self, row: int, job: Job) -> None:
        """Each port the job names must be offered, in the roles it accepts."""
        for port in job.fixed_ports:
            reason = self._number(Reason(kind="port", name=str(port)))
            self._allow(row, offers_ports(self.cluster, (port,), _every_role(self.cluster)), reason)
            mine = offers_ports(self.cluster, (port,), job.accepted_roles)
            self._allow(row, mine, reason, self._number(Reason(kind="role", job=job.id)))

    # --- rules ------------------------------------------------------------------------------------------------------

    def _rules(self) -> None:
        for rule, origin in zip(self.compiled.problem.rules, self.compiled.origins, strict=True):
            if rule.soft or isinstance(rule, Gang) or origin is None or origin[1] is None:
                continue
            job = self.workload.jobs[origin[0]]
            first = self._first(origin[0], origin[1]) if isinstance(rule, Balance) else ()
            self.parts.append(RulePart(reasons=(self._of(job, origin[1]),), rule=rule, first=first))
        self._ports_once()

    def _first(self, number: int, balance: Constraint) -> tuple[tuple[tuple[int, ...], Bool], ...]:
        """Return where the job's other rules allowed an instance when the round began, each with its reason.

        As in the compilation: balances without a number are left out, and affinities to jobs that grow.
        """
        job, scene = self.workload.jobs[number], self._scene(number)
        found = []
        for constraint in self._before(job, balance):
            if not isinstance(constraint, AgentRule) and not self._grows(constraint):
                found.append(((self._of(job, constraint),), constraint.mask(scene)))
        row = self.compiler.fresh_row[number]
        if row is not None and row in self.compiled.problem.unit_requests.by_row:
            serves = serving(self.compiled.problem, row)
            found.append(((self._number(Reason(kind="disks", job=job.id)),), serves))
        return tuple(found)

    def _before(self, job: Job, balance: Constraint) -> list[Constraint]:
        """Return the hard rules written before a balance, itself included if it has a number."""
        late = [one for one in job.constraints if isinstance(one, GroupBy) and one.generation == "classic"]
        upto = late[: late.index(balance) + 1] if isinstance(balance, GroupBy) else []
        early = [one for one in job.constraints if one not in late]
        hard = set(self._hard(job))
        return [one for one in [*early, *upto] if one in hard and not (isinstance(one, GroupBy) and one.count is None)]

    def _grows(self, constraint: Constraint) -> bool:
        index = self.workload.index
        return (
            isinstance(constraint, Affinity)
            and constraint.other in index
            and self.compiled.tallies[index[constraint.other]].fresh > 0
        )

    def _ports_once(self) -> None:
        """Each agent gives each port once."""
        rows_of: dict[int, list[int]] = {}
        for row, origin in enumerate(self.compiled.rows):
            if origin.relaunch is None and self.compiled.problem.wanted[row]:
                for port in self.compiled.workload.jobs[origin.job].fixed_ports:
                    rows_of.setdefault(port, []).append(row)
        for port, rows in sorted(rows_of.items()):
            rule = GroupCap(rows=np.array(rows, np.int32), grouping=EACH_AGENT, limit=1)
            self.parts.append(RulePart(reasons=(self._number(Reason(kind="port", name=str(port))),), rule=rule))

    # --- amounts ----------------------------------------------------------------------------------------------------

    def _amounts(self) -> tuple[Dimension, ...]:
        """Let every demand count while its resource's limit is held, in narrow dimensions also the job's roles."""
        plain = range(len(self.cluster.resources))
        used = [*plain, *(one for one in self.compiler.demanded.tolist() if one not in plain)]
        dimensions = tuple(self.compiler.dimensions[one] for one in used)
        problem = self.compiled.problem
        need = problem.demand[problem.shape]
        everything = self.compiler.dimensions[0].roles
        for number, dimension in enumerate(dimensions):
            rows = np.flatnonzero((need[:, number] > 0) & (problem.wanted > 0)).astype(np.int32)
            if not len(rows):
                continue
            size = len(self.cluster.resources)
            name = self.cluster.resources[dimension.resource] if dimension.resource < size else PORTS
            limit = self._number(Reason(kind="resource", name=name))
            if dimension.roles == everything:
                self.parts.append(AmountPart(reasons=(limit,), rows=rows, dimensions=(number,)))
            else:
                self._by_role(rows, number, limit)
        return dimensions

    def _by_role(self, rows: Int32, dimension: int, limit: int) -> None:
        for row in rows.tolist():
            job = self.workload.jobs[self.compiled.rows[row].job]
            reasons = (limit, self._number(Reason(kind="role", job=job.id)))
            self.parts.append(AmountPart(reasons=reasons, rows=np.array([row], np.int32), dimensions=(dimension,)))


def _every_role(cluster: Cluster) -> tuple[str, ...]:
    return ("*", *(role for role in cluster.roles if role != "*"))


def _with_every_role(cluster: Cluster, workload: Workload) -> Workload:
    """Return the workload and a job of no instances that accepts every role.

    With it the problem has dimensions for what all roles hold together, in which a job counts that gave up its own.
    """
    if all(set(_every_role(cluster)) <= set(job.accepted_roles) for job in workload.jobs):
        return workload
    name = "every role"
    while name in workload.index:
        name += "'"
    return workload.replace_jobs([*workload.jobs, Job(id=name, instances=0, accepted_roles=_every_role(cluster))])
