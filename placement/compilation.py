"""From a cluster and a workload to a solver's problem: rows, dimensions, shared masks, rules over scopes.

The way back is `placement.decoding`. What a rule means is said by its constraint; here it only gets its rows and groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from placement.amounts import ONE
from placement.cluster import Bool, Cluster, Int32, Int64
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
from placement.scopes import JobScope
from placement.sharing import Groupings, Masks
from placement.workload import Job, Workload
from solvers.problem import ALL_AGENTS, Goal, Preferences, Problem, UnitRequests
from solvers.rules import (
    EACH_AGENT,
    Gang,
    GroupCap,
    Rule,
)

Origin = tuple[int, Constraint | None]
"""A job, by its number in the workload, and one of its constraints."""


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
    origins
        For each rule of the problem the job and constraint that wrote it; None for rules that follow from jobs themselves.
    """

    cluster: Cluster
    workload: Workload
    problem: Problem
    rows: tuple[Row, ...]
    tallies: tuple[Tally, ...]
    disks: DiskTable
    origins: tuple[Origin | None, ...]


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
    return Compiler(cluster, workload, tuple(relax)).run(goal, preferences)


class Compiler:
    """One compilation; its parts share what is stored once."""

    def __init__(self, cluster: Cluster, workload: Workload, relax: tuple[str, ...]) -> None:
        self.cluster = cluster
        self.workload = workload
        self.relax = relax
        self.masks = Masks(len(cluster))
        self.groupings = Groupings(cluster)
        self.rules: list[Rule] = []
        self.origins: list[Origin | None] = []
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
        problem = self._problem(goal, preferences)
        return Compiled(
            self.cluster, self.workload, problem, tuple(self.rows), self.tallies, self.disks, tuple(self.origins)
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
        mask = covering(self.cluster, job, relaunch)
        known = known_agents(self.cluster, job.id, job, but=relaunch.row)
        scene = Scene(self.cluster, job, known, self.known_of)
        for constraint in job.constraints:
            if not isinstance(constraint, ScarceGpus) and not relaxed(self.relax, job.id, constraint):
                mask &= constraint.mask(scene)
        return mask

    # --- rules ------------------------------------------------------------------------------------------------------

    def _add_rules(self, number: int, job: Job) -> None:
        scope = JobScope(self, number, job)
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
            self.add(Gang(rows=self.rows_of[number], least=least))

    def _add_port_rules(self) -> None:
        """Let each agent give each port once: rows that name the same port exclude each other on it."""
        rows_of: dict[int, list[int]] = {}
        for row, origin in enumerate(self.rows):
            if origin.relaunch is None and self.wanted[row]:
                for port in self.workload.jobs[origin.job].fixed_ports:
                    rows_of.setdefault(port, []).append(row)
        distinct = {tuple(rows): None for _, rows in sorted(rows_of.items())}
        for rows in distinct:
            self.add(GroupCap(rows=np.array(rows, np.int32), grouping=EACH_AGENT, limit=1))

    def add(self, rule: Rule, origin: Origin | None = None) -> None:
        """Add a rule, and say which constraint of which job wrote it."""
        self.rules.append(rule)
        self.origins.append(origin)

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

    def relevant(self, number: int, scope: JobScope, name: str) -> Bool:
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


def _demand(job: Job) -> Mapping[str, int]:
    return job.demand if not job.volumes else {**job.demand, "disk": job.root_disk}


def covering(cluster: Cluster, job: Job, relaunch: Relaunch) -> Bool:
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
