"""From a cluster and a workload to a solver's problem: rows, dimensions, shared masks, rules over scopes.

The way back is `placement.decoding`. What a rule means is said by its constraint; here it only gets its rows and groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from placement.amounts import ONE
from placement.cluster import Bool, Cluster, Int32, Int64
from placement.constraints.affinity import Affinity
from placement.constraints.anti_affinity import AntiAffinity
from placement.constraints.base import AgentRule, Constraint, Scene
from placement.constraints.group_by import GroupBy
from placement.constraints.scarce_gpus import ScarceGpus
from placement.constraints.text import check_relax, relaxed
from placement.counting import Relaunch, Tally, known_agents, own_reservations, tally
from placement.disks import DiskTable, fits_one
from placement.errors import InputError, nearest
from placement.pools import Pools
from placement.ports import offers_ports, ranges_of
from placement.running import ENDED
from placement.workload import Job, Workload
from solvers.problem import ALL_AGENTS, Goal, Preferences, Problem, UnitRequests
from solvers.rules import (
    EACH_AGENT,
    NOTHING,
    Avoid,
    Balance,
    Counts,
    Excludes,
    Gang,
    GroupCap,
    OneGroup,
    Quota,
    Requires,
    Rule,
)


@dataclass(frozen=True, slots=True)
class Row:
    """Where a row of the problem comes from: its job, and the instance it launches again (None: fresh instances)."""

    job: int
    relaunch: Relaunch | None = None


@dataclass(frozen=True, eq=False)
class Compiled:
    """A problem and what is needed to read its answer.

    Attributes
    ----------
    cluster, workload, problem
        What was compiled, and into what.
    rows
        Origin of each row.
    tallies
        For each job, how its running instances count.
    disks
        The disks behind the problem's units.
    """

    cluster: Cluster
    workload: Workload
    problem: Problem
    rows: tuple[Row, ...]
    tallies: tuple[Tally, ...]
    disks: DiskTable


def compile_problem(
    cluster: Cluster,
    workload: Workload,
    *,
    goal: Goal = "pack",
    relax: Sequence[str] = (),
    preferences: Mapping[str, Mapping[str, int]] | None = None,
) -> Compiled:
    """Return the problem of placing `workload` on `cluster`.

    Parameters
    ----------
    goal
        The last objective level.
    relax
        Constraints that may be broken, as `JOB/FIELD:OPERATOR` (each part may be `*`).
    preferences
        Costs in thousandths by job id and agent id; pairs not named cost 0.

    Raises
    ------
    InputError
        If a constraint or preference names a job or agent that does not exist, or a relaxed rule has no such form.
    """
    for word in relax:
        check_relax(word)
    return _Compiler(cluster, workload, tuple(relax)).run(goal, preferences)


@dataclass(eq=False)
class _Masks:
    """Masks stored once per distinct content."""

    agents: int
    masks: list[Bool] = field(default_factory=list)
    _numbers: dict[bytes, int] = field(default_factory=dict)
    _joined: dict[tuple[int, ...], int] = field(default_factory=dict)

    def number(self, mask: Bool) -> int:
        """Return the number of a mask, `ALL_AGENTS` if it excludes nobody."""
        if mask.all():
            return ALL_AGENTS
        key = np.packbits(mask).tobytes()
        if key not in self._numbers:
            self._numbers[key] = len(self.masks)
            self.masks.append(mask)
        return self._numbers[key]

    def joined(self, numbers: Sequence[int]) -> int:
        """Return the number of the agents that all masks allow."""
        key = tuple(sorted({number for number in numbers if number != ALL_AGENTS}))
        if len(key) <= 1:
            return key[0] if key else ALL_AGENTS
        if key not in self._joined:
            self._joined[key] = self.number(np.logical_and.reduce([self.masks[number] for number in key]))
        return self._joined[key]

    def mask(self, number: int) -> Bool:
        """Return the mask of a number."""
        return np.ones(self.agents, np.bool_) if number == ALL_AGENTS else self.masks[number]


@dataclass(eq=False)
class _Groupings:
    """Groupings stored once per field."""

    cluster: Cluster
    codes: list[Int32] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """Return the number of a field's grouping; `EACH_AGENT` if no two agents share a value and none lacks one."""
        if name not in self._numbers:
            column = self.cluster.column(name)
            if len(column.values) == len(column.codes):
                self._numbers[name] = EACH_AGENT
            else:
                self._numbers[name] = len(self.codes)
                self.codes.append(column.codes)
                self.counts.append(len(column.values))
        return self._numbers[name]

    def with_one_more(self, name: str) -> int:
        """Return the number of a field's grouping with a further group that no agent belongs to."""
        key = f"{name} and one more"
        if key not in self._numbers:
            self._numbers[key] = len(self.codes)
            self.codes.append(self.of(name))
            self.counts.append(self.size(name) + 1)
        return self._numbers[key]

    def of(self, name: str) -> Int32:
        """Return int32[agents]: group codes of a field as the problem numbers them."""
        number = self.number(name)
        return np.arange(len(self.cluster), dtype=np.int32) if number == EACH_AGENT else self.codes[number]

    def size(self, name: str) -> int:
        """Return the number of groups of a field."""
        number = self.number(name)
        return len(self.cluster) if number == EACH_AGENT else self.counts[number]

    def counted(self, name: str, agents: Int32) -> Counts:
        """Return how many of the instances on `agents` (-1: outside the snapshot) stand in each group."""
        here = agents[agents >= 0]
        if not len(here):
            return NOTHING
        codes = self.of(name)[here]
        groups, count = np.unique(codes[codes >= 0], return_counts=True)
        return Counts(groups.astype(np.int32), count.astype(np.int64))


class _Compiler:
    """One compilation; its parts share what is stored once."""

    def __init__(self, cluster: Cluster, workload: Workload, relax: tuple[str, ...]) -> None:
        self.cluster = cluster
        self.workload = workload
        self.relax = relax
        self.masks = _Masks(len(cluster))
        self.groupings = _Groupings(cluster)
        self.rules: list[Rule] = []
        self.tallies = tuple(tally(cluster, job) for job in workload.jobs)
        self.pools = Pools.of(cluster)
        accepted = [self.pools.bits(job.accepted_roles) for job in workload.jobs] or [1]
        self.accepted = accepted
        self.dimensions = self.pools.dimensions(accepted)
        self.capacity = self._capacity()
        self.disks = DiskTable.of(cluster)
        self.shapes: dict[tuple[int, ...], int] = {}
        self.rows: list[Row] = []
        self.rows_of: list[Int32] = []
        self.fresh_row: list[int | None] = []
        self.shape_of: list[int] = []
        self.wanted: list[int] = []
        self.mask_of: list[int] = []
        self.rule_masks: dict[Constraint, int] = {}
        self.presence: dict[str, int] = {}
        self.port_masks: dict[tuple[object, ...], int] = {}
        self.strongest: dict[tuple[int, str], tuple[Int64, Bool]] = {}
        self.shared: dict[bytes, Bool] = {}
        self.requests: list[tuple[int, int, int]] = []
        self.request_masks: dict[bytes, int] = {}
        self.unit_masks: list[Bool] = []

    def run(self, goal: Goal, preferences: Mapping[str, Mapping[str, int]] | None) -> Compiled:
        """Return the compiled problem."""
        for number in range(len(self.workload.jobs)):
            self._add_rows(number)
        self.vectors = np.array(list(self.shapes), np.int64).reshape(len(self.shapes), len(self.dimensions))
        self.demanded = np.flatnonzero(self.vectors.any(axis=0))
        for number, job in enumerate(self.workload.jobs):
            self._add_rules(number, job)
        self._add_port_rules()
        return Compiled(
            self.cluster, self.workload, self._problem(goal, preferences), tuple(self.rows), self.tallies, self.disks
        )

    def _problem(self, goal: Goal, preferences: Mapping[str, Mapping[str, int]] | None) -> Problem:
        jobs = [self.workload.jobs[row.job] for row in self.rows]
        demand = self.vectors
        used = self._used_dimensions()
        price = self.cluster.price
        return Problem(
            capacity=np.ascontiguousarray(self.capacity[:, used]),
            demand=np.ascontiguousarray(demand[:, used]),
            shape=np.array(self.shape_of, np.int32),
            wanted=np.array(self.wanted, np.int64),
            mask=np.array(self.mask_of, np.int32),
            masks=tuple(self.masks.masks),
            priority=np.array([job.priority for job in jobs], np.int64),
            weight=np.array([job.weight for job in jobs], np.int64),
            groupings=tuple(self.groupings.codes),
            group_counts=tuple(self.groupings.counts),
            rules=tuple(self.rules),
            units=self.disks.units,
            unit_requests=UnitRequests(
                np.array([one[0] for one in self.requests], np.int32),
                np.array([one[1] for one in self.requests], np.int64),
                np.array([one[2] for one in self.requests], np.int32),
                tuple(self.unit_masks),
            ),
            goal=goal,
            price=np.full(len(self.cluster), ONE, np.int64) if price is None else price,
            held=self._held(),
            total=self.cluster.total,
            preferences=self._preferences(preferences),
        )

    def _capacity(self) -> Int64:
        within = {dimension.roles: self.pools.within(dimension.roles) for dimension in self.dimensions}
        return np.stack([within[one.roles][:, one.resource] for one in self.dimensions], axis=1)

    def _used_dimensions(self) -> list[int]:
        """Return the dimensions to keep: all plain resources (for the goals), and what some row demands."""
        plain = range(len(self.cluster.resources))
        return [*plain, *(d for d in self.demanded.tolist() if d not in plain)]

    def _held(self) -> Bool:
        held = np.asarray((self.cluster.total > self._free_of_all_roles()).any(axis=1))
        for agent, instance in zip(self.cluster.running.agent, self.cluster.running.instances, strict=True):
            if agent >= 0 and instance.state not in ENDED:
                held[agent] = True
        return held

    def _free_of_all_roles(self) -> Int64:
        free = self.cluster.free.copy()
        np.add.at(free, self.cluster.reservation_agent, self.cluster.reservation_amounts)
        return free

    # --- rows -------------------------------------------------------------------------------------------------------

    def _add_rows(self, number: int) -> None:
        job, todo = self.workload.jobs[number], self.tallies[number]
        numbers = []
        for relaunch in todo.relaunches:
            mask = self.masks.number(self._relaunch_mask(job, relaunch))
            numbers.append(self._add_row(Row(number, relaunch), self._shape({}, 0, 0), 1, mask))
        if todo.fresh or not numbers:
            row = len(self.rows)
            shape = self._shape(_demand(job), job.port_count, self.accepted[number])
            numbers.append(self._add_row(Row(number), shape, todo.fresh, self._port_mask(job)))
            self._add_unit_requests(row, job)
        self.fresh_row.append(numbers[-1] if todo.fresh or not todo.relaunches else None)
        self.rows_of.append(np.array(numbers, np.int32))

    def _add_row(self, row: Row, shape: int, wanted: int, mask: int) -> int:
        self.rows.append(row)
        self.shape_of.append(shape)
        self.wanted.append(wanted)
        self.mask_of.append(mask)
        return len(self.rows) - 1

    def _shape(self, demand: Mapping[str, int], ports: int, accepted: int) -> int:
        """Return the number of the demand vector of an instance that accepts the roles in `accepted`."""
        amounts = [demand.get(name, 0) for name in self.cluster.resources] + [ports]
        vector = tuple(amounts[one.resource] if accepted & ~one.roles == 0 else 0 for one in self.dimensions)
        return self.shapes.setdefault(vector, len(self.shapes))

    def _port_mask(self, job: Job) -> int:
        """Return the mask of the agents that offer every port the job names, and every resource it asks for."""
        strange = tuple(name for name, amount in job.demand.items() if amount and name not in self.cluster.resources)
        if strange:
            return self.masks.number(np.zeros(len(self.cluster), np.bool_))
        if not job.fixed_ports:
            return ALL_AGENTS
        key = (job.fixed_ports, job.accepted_roles)
        if key not in self.port_masks:
            mask = offers_ports(self.cluster, job.fixed_ports, job.accepted_roles)
            self.port_masks[key] = self.masks.number(mask)
        return self.port_masks[key]

    def _add_unit_requests(self, row: int, job: Job) -> None:
        for request in self.disks.requests(job):
            key = np.packbits(request.eligible).tobytes()
            if key not in self.request_masks:
                self.request_masks[key] = len(self.unit_masks)
                self.unit_masks.append(request.eligible)
            self.requests.append((row, request.amount, self.request_masks[key]))

    def _relaunch_mask(self, job: Job, relaunch: Relaunch) -> Bool:
        """Return the agents that have an instance's volumes, whose reservation covers it, and that its rules allow."""
        mask = _covering(self.cluster, job, relaunch)
        known = known_agents(self.cluster, job.id, job, but=relaunch.row)
        scene = Scene(self.cluster, job, known, self.known_of)
        for constraint in job.constraints:
            if not isinstance(constraint, ScarceGpus) and not relaxed(self.relax, job.id, constraint):
                mask &= constraint.mask(scene)
        return mask

    # --- rules ------------------------------------------------------------------------------------------------------

    def _add_rules(self, number: int, job: Job) -> None:
        scope = _JobScope(self, number, job)
        late = []
        for constraint in job.constraints if len(scope.rows) else ():
            if isinstance(constraint, GroupBy) and constraint.generation == "classic":
                late.append(constraint)
            else:
                scope.write(constraint)
        for constraint in late:
            scope.write(constraint)
        least = job.minimum - self.tallies[number].active
        if least > 1:
            self.rules.append(Gang(rows=self.rows_of[number], least=least))

    def _add_port_rules(self) -> None:
        """Let each agent give each port once: rows that name the same port exclude each other on it."""
        rows_of: dict[int, list[int]] = {}
        for row, origin in enumerate(self.rows):
            if origin.relaunch is None and self.wanted[row]:
                for port in self.workload.jobs[origin.job].fixed_ports:
                    rows_of.setdefault(port, []).append(row)
        distinct = {tuple(rows): None for _, rows in sorted(rows_of.items())}
        for rows in distinct:
            self.rules.append(GroupCap(rows=np.array(rows, np.int32), grouping=EACH_AGENT, limit=1))

    def rule_mask(self, constraint: AgentRule, scene: Scene) -> int:
        """Return the number of the mask of a rule about agents alone (the same for every job)."""
        if constraint not in self.rule_masks:
            self.rule_masks[constraint] = self.masks.number(constraint.mask(scene))
        return self.rule_masks[constraint]

    def present(self, name: str) -> int:
        """Return the number of the mask of the agents that have a value of the field."""
        if name not in self.presence:
            self.presence[name] = self.masks.number(self.cluster.column(name).codes >= 0)
        return self.presence[name]

    def known_of(self, job_id: str) -> Int32:
        """Return the agents of the counted instances of any job, those that are launched again left out."""
        if job_id in self.workload.index:
            return self.tallies[self.workload.index[job_id]].known
        return known_agents(self.cluster, job_id, None)

    def other_rows(self, job_id: str, job: Job) -> Int32:
        """Return the rows of a job that a constraint of `job` names.

        Raises
        ------
        InputError
            If no job has this id, neither in the workload nor among the running.
        """
        if job_id in self.workload.index:
            return self.rows_of[self.workload.index[job_id]]
        if job_id in self.cluster.running.jobs:
            return np.empty(0, np.int32)
        names = (*self.workload.index, *self.cluster.running.jobs)
        raise InputError("a constraint names a job that does not exist", place=job.source or f"job {job.id}",
                         value=job_id, expected="the id of a job of the workload or of one that runs",
                         nearest=nearest(job_id, names))  # fmt: skip

    def relevant(self, number: int, scope: _JobScope, name: str) -> Bool:
        """Return bool[groups]: the values that matter for a balance over the field (contracts: groups that matter)."""
        job = self.workload.jobs[number]
        codes, size = self.groupings.of(name), self.groupings.size(name)
        row = self.fresh_row[number]
        assert row is not None, "only jobs with fresh instances are balanced"
        need = self.vectors[self.shape_of[row]]
        matter: Bool | None = None
        if not scope.restricted and not job.volumes:
            best, everywhere = self._strongest(self.mask_of[row], name, codes, size)
            if (best[everywhere] >= need).all():
                matter = everywhere.copy()
        if matter is None:
            takes = (self.capacity >= need).all(axis=1) & self.masks.mask(self.mask_of[row]) & scope.steps()
            if job.volumes:
                takes &= fits_one(self.disks, self.disks.requests(job))
            matter = np.zeros(size, np.bool_)
            matter[codes[takes & (codes >= 0)]] = True
        matter[self.groupings.counted(name, self.tallies[number].known).group] = True
        return self._shared(matter)

    def _strongest(self, mask: int, name: str, codes: Int32, size: int) -> tuple[Int64, Bool]:
        """Return int64[groups, D], bool[groups]: what one roomy agent of each group has, and which groups have any."""
        key = (mask, name)
        if key not in self.strongest:
            allowed = self.masks.mask(mask) & (codes >= 0)
            scale = np.maximum(self.capacity.max(axis=0, initial=1), 1)
            room = np.where(allowed, (self.capacity / scale)[:, self.demanded].min(axis=1, initial=1.0), -1.0)
            order = np.argsort(room, kind="stable")
            order = order[allowed[order]]
            best = np.zeros((size, self.capacity.shape[1]), np.int64)
            best[codes[order]] = self.capacity[order]
            everywhere = np.zeros(size, np.bool_)
            everywhere[codes[order]] = True
            self.strongest[key] = (best, everywhere)
        return self.strongest[key]

    def _shared(self, mask: Bool) -> Bool:
        """Return an equal array that was returned before, if there is one."""
        return self.shared.setdefault(mask.tobytes(), mask)

    # --- preferences ------------------------------------------------------------------------------------------------

    def _preferences(self, preferences: Mapping[str, Mapping[str, int]] | None) -> Preferences | None:
        if preferences is None:
            return None
        rows: list[int] = []
        agents: list[int] = []
        costs: list[int] = []
        for job_id, by_agent in preferences.items():
            number = self.workload.index[self.workload.job(job_id).id]
            for agent_id, cost in by_agent.items():
                if agent_id not in self.cluster.index:
                    raise InputError("a preference names an agent that does not exist", value=agent_id,
                                     expected="an agent of the snapshot",
                                     nearest=nearest(agent_id, self.cluster.index))  # fmt: skip
                for row in self.rows_of[number].tolist():
                    rows.append(row)
                    agents.append(self.cluster.index[agent_id])
                    costs.append(cost)
        return Preferences(
            row=np.array(rows, np.int32), agent=np.array(agents, np.int32), cost=np.array(costs, np.int64)
        )


class _JobScope:
    """Writes the constraints of one job as rules over its fresh row (implements `constraints.base.Scope`).

    Instances that are launched again count already and have masks of their own, so no rule is about their rows.
    """

    def __init__(self, compiler: _Compiler, number: int, job: Job) -> None:
        self.compiler = compiler
        self.number = number
        self.job = job
        fresh = compiler.fresh_row[number]
        self.rows = np.array([] if fresh is None else [fresh], np.int32)
        self.scene = Scene(compiler.cluster, job, compiler.tallies[number].known, compiler.known_of)
        self.soft = False
        self.hard: list[Constraint] = []

    @property
    def restricted(self) -> bool:
        """Whether some hard rule beside the balances may forbid an agent at the beginning by what runs already."""
        return any(not isinstance(one, AgentRule) and self._bites(one) for one in self.hard)

    def _bites(self, constraint: Constraint) -> bool:
        between = isinstance(constraint, Affinity | AntiAffinity) and not self._unknown_yet(constraint)
        return bool(len(self.scene.known)) or between

    def _unknown_yet(self, constraint: Constraint) -> bool:
        index = self.compiler.workload.index
        return (
            isinstance(constraint, Affinity)
            and constraint.other in index
            and self.compiler.tallies[index[constraint.other]].fresh > 0
        )

    def steps(self) -> Bool:
        """Return bool[agents]: where every hard rule but the balances allows one further instance.

        An affinity to a job that grows is left out as well: where it will be is not known when the round begins.
        """
        allowed = np.ones(len(self.compiler.cluster), np.bool_)
        for constraint in self.hard:
            if not isinstance(constraint, AgentRule) and not self._unknown_yet(constraint):
                allowed &= constraint.mask(self.scene)
        return allowed

    def write(self, constraint: Constraint) -> None:
        """Write one constraint, hard or relaxed."""
        self.soft = relaxed(self.compiler.relax, self.job.id, constraint)
        if not self.soft and not (isinstance(constraint, GroupBy) and constraint.count is None):
            self.hard.append(constraint)
        if isinstance(constraint, AgentRule) and not self.soft and type(constraint).compile is AgentRule.compile:
            self._restrict(self.compiler.rule_mask(constraint, self.scene))
        else:
            constraint.compile(self)

    def allow(self, mask: Bool) -> None:
        """Allow only the agents in a mask; relaxed: count the instances elsewhere."""
        if self.soft:
            if not mask.all():
                self.compiler.rules.append(Avoid(rows=self.rows, mask=mask))
        else:
            self._restrict(self.compiler.masks.number(mask))

    def cap(self, field: str, limit: int) -> None:
        """At most `limit` on each value."""
        self._with_value(field)
        groupings = self.compiler.groupings
        counted = groupings.counted(field, self.scene.known)
        rule = GroupCap(rows=self.rows, soft=self.soft, grouping=groupings.number(field), limit=limit, counted=counted)
        self.compiler.rules.append(rule)

    def one_value(self, field: str) -> None:
        """All on one value."""
        self._with_value(field)
        rule = OneGroup(rows=self.rows, soft=self.soft, grouping=self.compiler.groupings.number(field))
        self.compiler.rules.append(rule)

    def quota(self, field: str, groups: int, each: int, extra: int) -> None:
        """Shares on a number of values."""
        self._with_value(field)
        groupings, known = self.compiler.groupings, self.scene.known
        absent = int((self.compiler.cluster.column(field).lookup(known) < 0).sum())
        rule = Quota(
            rows=self.rows,
            soft=self.soft,
            grouping=groupings.number(field),
            groups=groups,
            each=each,
            extra=extra,
            counted=groupings.counted(field, known),
            outside=np.array([absent] if absent else [], np.int64),
        )
        self.compiler.rules.append(rule)

    def balance(self, field: str, at_least: int) -> None:
        """Each new instance to a value whose count is least."""
        self._with_value(field)
        groupings, known = self.compiler.groupings, self.scene.known
        number, counted = groupings.number(field), groupings.counted(field, known)
        relevant = self.compiler.relevant(self.number, self, field)
        absent = int((self.compiler.cluster.column(field).lookup(known) < 0).sum())
        if at_least and absent:  # instances without a value are a group in use, which no agent belongs to
            number = groupings.with_one_more(field)
            counted = Counts(np.append(counted.group, np.int32(len(relevant))), np.append(counted.count, absent))
            relevant = np.append(relevant, False)
        rule = Balance(
            rows=self.rows, soft=self.soft, grouping=number, relevant=relevant, at_least=at_least, counted=counted
        )
        self.compiler.rules.append(rule)

    def require(self, field: str, other: str) -> None:
        """Only where the other job is."""
        self._with_value(field)
        groupings = self.compiler.groupings
        rule = Requires(
            rows=self.rows,
            soft=self.soft,
            grouping=groupings.number(field),
            others=self.compiler.other_rows(other, self.job),
            others_counted=groupings.counted(field, self.compiler.known_of(other)),
        )
        self.compiler.rules.append(rule)

    def exclude(self, field: str, other: str, limit: int) -> None:
        """At most `limit` where the other job is."""
        groupings = self.compiler.groupings
        rule = Excludes(
            rows=self.rows,
            soft=self.soft,
            grouping=groupings.number(field),
            others=self.compiler.other_rows(other, self.job),
            limit=limit,
            counted=groupings.counted(field, self.scene.known),
            others_counted=groupings.counted(field, self.compiler.known_of(other)),
        )
        self.compiler.rules.append(rule)

    def _with_value(self, field: str) -> None:
        """Keep off agents without a value of the field."""
        if self.soft:
            self.allow(self.compiler.cluster.column(field).codes >= 0)
        else:
            self._restrict(self.compiler.present(field))

    def _restrict(self, mask: int) -> None:
        for row in self.rows.tolist():
            self.compiler.mask_of[row] = self.compiler.masks.joined((self.compiler.mask_of[row], mask))


def _demand(job: Job) -> Mapping[str, int]:
    return job.demand if not job.volumes else {**job.demand, "disk": job.root_disk}


def _covering(cluster: Cluster, job: Job, relaunch: Relaunch) -> Bool:
    """Return the agents that have an instance's volumes and whose reservation for it covers what it needs."""
    name = cluster.running.instances[relaunch.row].name
    mask = np.zeros(len(cluster), np.bool_)
    for agent in relaunch.agents:
        own = own_reservations(cluster, agent, name)
        enough = all(sum(one.amounts.get(what, 0) for one in own) >= need for what, need in job.demand.items() if need)
        ports = ranges_of(own)
        count = sum(last - first + 1 for first, last in ports)
        named = all(any(first <= port <= last for first, last in ports) for port in job.fixed_ports)
        mask[agent] = enough and named and count >= job.port_count
    return mask
