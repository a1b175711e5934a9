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
from placement.cluster import Bool
from placement.constraints.affinity import Affinity
from placement.constraints.anti_affinity import AntiAffinity
from placement.constraints.base import AgentRule, Constraint, Facts, View
from placement.constraints.group_by import GroupBy
from placement.workload import Job

Known = Callable[[str], Sequence[int]]
"""For a job id: agents of its counted running instances when the round began, -1 outside the snapshot."""


class Matter:
    """Answers which values matter, for all jobs of one check."""

    def __init__(self, agents: AgentTable, known: Known, now: float | None) -> None:
        self.agents = agents
        self.known = known
        self.now = now
        self._passing: dict[Hashable, Bool] = {}
        self._roomy: dict[Hashable, Bool] = {}
        self._ports: dict[tuple[str, ...], tuple[list[list[tuple[str, int, int]]], Bool]] = {}

    def of(self, job: Job, field: str, rules: Sequence[Constraint], fresh: bool) -> frozenset[str]:
        """Return the values of a field that matter for a job.

        Parameters
        ----------
        rules
            The job's rules that hold (relaxed ones left out); balances over all values are ignored here.
        fresh
            Whether any instance is wanted beside those that return to their volumes.
        """
        codes, values = self.agents.codes(field)
        matter = np.zeros(len(values) + 1, np.bool_)
        if fresh:
            could = self._room(job)
            for rule in rules:
                if not (isinstance(rule, GroupBy) and rule.count is None):
                    could = could & self._passes(job, rule)
            matter[codes[could]] = True
        for agent in self.known(job.id):
            matter[codes[agent] if agent >= 0 else -1] = True
        return frozenset(values[i] for i in np.flatnonzero(matter[:-1]).tolist())

    # --- rules ----------------------------------------------------------------------------------------------------

    def _passes(self, job: Job, rule: Constraint) -> Bool:
        """Return bool[agents]: where one further instance breaks no rule, by what ran when the round began."""
        alone = isinstance(rule, AgentRule)
        key: Hashable = rule if alone else (rule, job.instances, tuple(self.known(job.id)))
        if key not in self._passing:
            self._passing[key] = self._judged_alone(job, rule) if alone else self._judged_by_value(job, rule)
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

    def _room(self, job: Job) -> Bool:
        """Return bool[agents]: where one instance finds the amounts, ports and disks it needs."""
        wanted = needs(job)
        key = (tuple(sorted(wanted.items())), job.accepted_roles, job.ports, volumes_on_disks(job))
        if key not in self._roomy:
            room = np.ones(len(self.agents), np.bool_)
            for resource, amount in wanted.items():
                room &= self.agents.available(resource, job.accepted_roles) >= amount
            if job.ports:
                room &= self._has_ports(job)
            if volumes_on_disks(job):
                for agent in np.flatnonzero(room).tolist():
                    room[agent] = can_serve(self.agents.records[agent], job)
            self._roomy[key] = room
        return self._roomy[key]

    def _has_ports(self, job: Job) -> Bool:
        accepted = job.accepted_roles
        if accepted not in self._ports:
            ranges = [self.agents.offered_ports(agent, accepted) for agent in range(len(self.agents))]
            self._ports[accepted] = ranges, np.array([sum(b - a + 1 for _, a, b in one) for one in ranges], np.int64)
        ranges, counts = self._ports[accepted]
        named = {port for port in job.ports if port}
        enough = counts >= len(named) + job.ports.count(0)
        if named:
            for agent in np.flatnonzero(enough).tolist():
                enough[agent] = all(any(a <= port <= b for _, a, b in ranges[agent]) for port in named)
        return enough
