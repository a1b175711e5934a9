"""The values that matter for a balance over all values: where the job may run and could have run when the round began.

These are the values on agents that pass the job's other rules, by what ran then, and could take one instance, and the
values where it runs. Answers are shared between jobs that ask alike.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np

from placement.checking.amounts import needs
from placement.checking.disks import can_serve, volumes_on_disks
from placement.checking.facts import AgentFacts, AgentTable, Nowhere
from placement.cluster import Bool, Int64
from placement.constraints.affinity import Affinity
from placement.constraints.anti_affinity import AntiAffinity
from placement.constraints.base import AgentRule, Constraint, Facts, View
from placement.constraints.group_by import GroupBy
from placement.workload import Job

Known = Callable[[str], Sequence[int]]
"""For a job id: agents of its counted running instances when the round began, -1 outside the snapshot."""

MASKS_KEPT = 256


class Matter:
    """Answers which values matter, for all jobs of one check."""

    def __init__(self, agents: AgentTable, known: Known, grows: Callable[[str], bool], now: float | None) -> None:
        self.agents = agents
        self.known = known
        self.grows = grows
        self.now = now
        self._everywhere = np.arange(len(agents))
        self._passing: dict[Hashable, Bool] = {}
        self._roomy: dict[Hashable, Bool] = {}
        self._witnesses: dict[str, Int64] = {}
        self._ports: dict[tuple[str, ...], tuple[list[list[tuple[str, int, int]]], Int64]] = {}

    def of(self, job: Job, field: str, rules: Sequence[Constraint], fresh: bool) -> frozenset[str]:
        """Return the values of a field that matter for a job.

        Parameters
        ----------
        rules
            The job's rules that hold (relaxed ones left out). Balances over all values are ignored here, and affinities
            to jobs that grow in this round: where these will be is not known when it begins.
        fresh
            Whether any instance is wanted beside those that return to their volumes.
        """
        codes, values = self.agents.codes(field)
        matter = np.zeros(len(values) + 1, np.bool_)
        if fresh:
            others = [rule for rule in rules if not self._open_at_first(rule)]
            matter[:-1] = self._could_take(job, field, [self._passes(job, rule) for rule in others])
        for agent in self.known(job.id):
            matter[codes[agent] if agent >= 0 else -1] = True
        return frozenset(values[i] for i in np.flatnonzero(matter[:-1]).tolist())

    def _open_at_first(self, rule: Constraint) -> bool:
        if isinstance(rule, Affinity):
            return self.grows(rule.other)
        return isinstance(rule, GroupBy) and rule.count is None

    def _could_take(self, job: Job, field: str, passes: Sequence[Bool]) -> Bool:
        """Return bool[values]: those on some agent that passes and has room.

        One agent of each value is asked first, the last that was found fit; all are asked only if one of them is not.
        """
        codes, values = self.agents.codes(field)
        if field not in self._witnesses:
            self._witnesses[field] = np.zeros(len(values), np.int64)
            self._witnesses[field][codes[codes >= 0]] = np.flatnonzero(codes >= 0)
        witnesses = self._witnesses[field]
        found = np.logical_and.reduce([self._room(job, witnesses), *(one[witnesses] for one in passes)])
        if not found.all():
            fit = np.logical_and.reduce([self._room_everywhere(job), codes >= 0, *passes])
            found[codes[fit]] = True
            witnesses[codes[fit]] = np.flatnonzero(fit)
        return np.asarray(found)

    # --- rules ----------------------------------------------------------------------------------------------------

    def _passes(self, job: Job, rule: Constraint) -> Bool:
        """Return bool[agents]: where one further instance breaks no rule, by what ran when the round began."""
        alone = isinstance(rule, AgentRule)
        key: Hashable = rule if alone else (rule, job.instances, tuple(self.known(job.id)))
        if key not in self._passing:
            mask = self._judged_alone(job, rule) if alone else self._judged_by_value(job, rule)
            _keep(self._passing, key, mask)
        return self._passing[key]

    def _judged_alone(self, job: Job, rule: Constraint) -> Bool:
        """Judge each kind of agent once: all that a rule can see of an agent is in its facts."""
        seen: dict[Hashable, bool] = {}
        passes = np.empty(len(self.agents), np.bool_)
        for i, facts in enumerate(self.agents.facts):
            kind = (facts.value(rule.field) if rule.field else None, facts.region, facts.gpus, facts.window)
            if kind not in seen:
                seen[kind] = self._holds(job, rule, facts)
            passes[i] = seen[kind]
        return passes

    def _judged_by_value(self, job: Job, rule: Constraint) -> Bool:
        """Judge each value on which an instance that the rule counts is, and one for all values without any."""
        codes, values = self.agents.codes(rule.field)
        others = self.known(rule.other) if isinstance(rule, Affinity | AntiAffinity) else ()
        touched = {int(codes[agent]) for agent in (*self.known(job.id), *others) if agent >= 0} | {-1}
        passes = np.zeros(len(values) + 1, np.bool_)
        first = np.full(len(values) + 1, -1, np.int64)
        first[codes[::-1]] = np.arange(len(codes))[::-1]
        untouched = next((code for code in range(len(values)) if code not in touched), None)
        if untouched is not None:
            passes[:-1] = self._holds(job, rule, self.agents.facts[first[untouched]])
        for code in sorted(touched):
            if first[code] >= 0:
                passes[code] = self._holds(job, rule, self.agents.facts[first[code]])
        return passes[codes]

    def _holds(self, job: Job, rule: Constraint, facts: AgentFacts) -> bool:
        view = View(
            job=job,
            running=self._facts(self.known(job.id)),
            placed=(facts,),
            relaunched=(False,),
            positions=(0,),
            ordered=True,
            matter=lambda _: frozenset(),
            others=lambda other: (self._facts(self.known(other)), ()),
            now=self.now,
        )
        return next(rule.judge(view), None) is None

    def _facts(self, agents: Sequence[int]) -> list[Facts]:
        return [self.agents.facts[agent] if agent >= 0 else Nowhere() for agent in agents]

    # --- room -----------------------------------------------------------------------------------------------------

    def _room_everywhere(self, job: Job) -> Bool:
        """Return bool[agents]: where one instance finds the amounts, ports and disks it needs."""
        key = (tuple(sorted(needs(job).items())), job.accepted_roles, job.ports, volumes_on_disks(job))
        if key not in self._roomy:
            _keep(self._roomy, key, self._room(job, self._everywhere))
        return self._roomy[key]

    def _room(self, job: Job, where: Int64) -> Bool:
        """Return bool[k]: whether one instance finds what it needs on each of k agents."""
        room = np.ones(len(where), np.bool_)
        for resource, amount in needs(job).items():
            room &= self.agents.available(resource, job.accepted_roles)[where] >= amount
        if job.ports:
            room &= self._has_ports(job, where)
        if volumes_on_disks(job):
            for i in np.flatnonzero(room).tolist():
                room[i] = can_serve(self.agents.records[where[i]], job)
        return room

    def _has_ports(self, job: Job, where: Int64) -> Bool:
        accepted = job.accepted_roles
        if accepted not in self._ports:
            ranges = [self.agents.offered_ports(agent, accepted) for agent in range(len(self.agents))]
            self._ports[accepted] = ranges, np.array([sum(b - a + 1 for _, a, b in one) for one in ranges], np.int64)
        ranges, counts = self._ports[accepted]
        named = {port for port in job.ports if port}
        enough = counts[where] >= len(named) + job.ports.count(0)
        if named:
            for i in np.flatnonzero(enough).tolist():
                enough[i] = all(any(a <= port <= b for _, a, b in ranges[where[i]]) for port in named)
        return np.asarray(enough)


def _keep(masks: dict[Hashable, Bool], key: Hashable, mask: Bool) -> None:
    """Remember a mask; forget all others when there are too many of them."""
    if len(masks) >= MASKS_KEPT:
        masks.clear()
    masks[key] = mask
