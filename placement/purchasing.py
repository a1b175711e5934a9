"""The cheapest agents to buy so that a workload fits: `place` on the cluster with enough candidates of every kind.

It states no model of its own: bounds come from the solver, and every purchase is judged by the checker without the
candidates that were not bought.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from placement.amounts import ONE
from placement.checker import verify
from placement.clock import LEAST, Clock
from placement.cluster import Agent, Bool, Cluster, Int32, Int64
from placement.compilation import Compiled, compile_problem
from placement.constraints.base import Constraint
from placement.disks import fits_one
from placement.eligibility import without_constraint
from placement.engine import place
from placement.errors import UnverifiedError
from placement.explanation import Explanation, explain
from placement.placements import Answer, LevelReport, Placements
from placement.snapshots.types import AgentType
from placement.workload import Job, Workload
from solvers.rules import EACH_AGENT, Balance, GroupCap

ROUNDS = (0.7, 0.2, 0.1)
"""Parts of a search's time for its solves: a second one, with more candidates, is needed only if some kind is used up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """Agents to buy of one type with one choice among its alternatives.

    Attributes
    ----------
    type, choice
        The type's name, and the columns with alternatives with the value chosen.
    agents
        How many.
    price
        What one costs (1 where types have no prices).
    """

    type: str
    choice: tuple[tuple[str, str], ...]
    agents: int
    price: float


@dataclass(frozen=True, eq=False)
class Kind:
    """One variant of a type: candidates of one kind are equal."""

    type: AgentType
    variant: int

    @property
    def agent(self) -> Agent:
        """The agent they are copies of."""
        return self.type.variants[self.variant]

    @property
    def price(self) -> int:
        """Thousandths; one each where types have no price."""
        return ONE if self.agent.price is None else self.agent.price


@dataclass(frozen=True, eq=False)
class Found:
    """An answer on the cluster with candidates.

    Attributes
    ----------
    counts, bought
        int64[kinds]: candidates there were, and those that hold an instance.
    kind
        int32[agents]: the kind of each agent, -1 for today's.
    bounds
        (candidates, thousandths): no answer with these candidates that places everything costs less.
    """

    cluster: Cluster
    answer: Answer
    counts: Int64
    bought: Int64
    kind: Int32
    cost: int
    bounds: tuple[tuple[Int64, int], ...] = ()

    @property
    def rank(self) -> tuple[float, float, int]:
        """Less is better: what is missing, violations, cost."""
        missing = sum(one.count - one.waiting for one in self.answer.unplaced)
        return missing, violations_of(self.answer), self.cost


@dataclass(frozen=True, eq=False, slots=True)
class Settled:
    """A purchase with nothing in the cluster but what is bought."""

    cluster: Cluster
    placements: Placements
    purchases: tuple[Purchase, ...]
    complete: bool


class Shop:
    """The search for the cheapest purchase: `place` on the cluster with enough candidates of every kind.

    Today's agents cost nothing there and candidates their price, so the goal `pack` is the price of what is bought.
    """

    def __init__(
        self, cluster: Cluster, workload: Workload, types: Sequence[AgentType], today: Answer, clock: Clock,
        solver: str, common: dict[str, Any],
    ) -> None:  # fmt: skip
        self.cluster = cluster
        self.workload = workload
        self.today = today
        self.clock = clock
        self.solver = solver
        self.common = common
        self.relax: tuple[str, ...] = common["relax"]
        self.types = types
        self.kinds = [Kind(one, i) for one in types for i in range(len(one.variants))]
        self.priced = any(kind.agent.price is not None for kind in self.kinds)
        self.compiled = compile_problem(cluster, workload, relax=self.relax)

    # --- how many candidates ----------------------------------------------------------------------------------------

    @cached_property
    def probe(self) -> Compiled:
        """The problem with one candidate of each kind."""
        cluster, _ = self.with_candidates(np.ones(len(self.kinds), np.int64))
        return compile_problem(cluster, self.workload, relax=self.relax)

    @cached_property
    def each(self) -> Int64:
        """int64[rows, kinds]: how many instances of a row one empty agent of a kind takes by itself."""
        problem, first = self.probe.problem, len(self.cluster)
        caps = _agent_caps(self.probe)
        room = np.zeros((problem.rows, len(self.kinds)), np.int64)
        for row, origin in enumerate(self.probe.rows):
            if origin.relaunch is not None:
                continue
            fits = np.minimum(problem.most_per_agent(int(problem.shape[row])), problem.wanted[row])
            fits = np.where(problem.allowed(row), np.minimum(fits, caps.get(row, problem.wanted[row])), 0)
            job = self.workload.jobs[origin.job]
            if job.volumes:
                fits = np.where(fits_one(self.probe.disks, self.probe.disks.requests(job)), fits, 0)
            room[row] = fits[first:]
        return room

    @cached_property
    def limits(self) -> Int64:
        """int64[kinds]: candidates that can be of use: one for each instance it could hold, and no more than the limit."""
        useful = (self.each > 0).T @ self.probe.problem.wanted
        most = [np.iinfo(np.int64).max if kind.type.limit is None else kind.type.limit for kind in self.kinds]
        return np.minimum(useful, np.array(most, np.int64))

    def first_guess(self) -> Int64:
        """Return int64[kinds]: what the missing instances need if each job is alone on agents of one type, dealt to its kinds.

        Where a missing job fits on no kind, others must make room for it, so all that is to be placed is counted.
        """
        missing = {one.job: one.count - one.waiting for one in self.today.unplaced}
        wanted = np.array([missing.get(self.workload.jobs[row.job].id, 0) for row in self.probe.rows], np.int64)
        wanted = np.minimum(wanted, self.probe.problem.wanted)
        if ((wanted > 0) & ~(self.each > 0).any(axis=1)).any():
            wanted = self.probe.problem.wanted
        agents = (-(-wanted[:, None] // np.maximum(self.each, 1)) * (self.each > 0)).sum(axis=0)
        return np.minimum(-(-agents // np.array([len(kind.type.variants) for kind in self.kinds])), self.limits)

    def enough(self, cost: int) -> Int64:
        """Return int64[kinds]: no answer that costs at most `cost` has use for more."""
        price = np.array([kind.price for kind in self.kinds], np.int64)
        affordable = np.where(price > 0, cost // np.maximum(price, 1), self.limits)
        return np.minimum(affordable, self.limits)

    # --- balances over values that a purchase adds ------------------------------------------------------------------

    @cached_property
    def added(self) -> list[tuple[Job, Constraint, frozenset[str]]]:
        """Balances over all values that matter, and the values that matter only once an agent is bought there."""
        before = dict(_balances(self.compiled))
        found = []
        for origin, rule in _balances(self.probe):
            job, constraint = self.workload.jobs[origin[0]], origin[1]
            old = _values(self.compiled, before[origin], constraint) if origin in before else frozenset()
            if new := _values(self.probe, rule, constraint) - old:
                found.append((job, constraint, new))
        return found

    def without_added(self) -> Bool:
        """Return bool[kinds]: the kinds that add no value to a balance."""
        good = np.ones(len(self.kinds), np.bool_)
        column_of = {constraint.field: self.probe.cluster.column(constraint.field) for _, constraint, _ in self.added}
        for _, constraint, values in self.added:
            column = column_of[constraint.field]
            for i in range(len(self.kinds)):
                code = int(column.codes[len(self.cluster) + i])
                good[i] &= code < 0 or column.values[code] not in values
        return good

    # --- the search -------------------------------------------------------------------------------------------------

    def nothing(self) -> Found:
        """Return today's answer as a purchase of nothing."""
        none = np.zeros(len(self.kinds), np.int64)
        kind = np.full(len(self.cluster), -1, np.int32)
        return Found(self.cluster, self.today, none, none, kind, 0)

    def search(self) -> Found:
        """Return the best purchase found.

        A balance over every value that matters is another rule when values are added: a value nobody buys an agent in
        does not matter, but as a candidate's it would. So the search runs twice then, with and without such kinds.
        """
        every = np.ones(len(self.kinds), np.bool_)
        choices = [every]
        if self.added and (few := self.without_added()).any():
            choices.append(few)
        found = [self._search(open_kinds, 1 / len(choices)) for open_kinds in choices]
        return min(found, key=lambda one: one.rank)

    def _search(self, open_kinds: Bool, share: float) -> Found:
        """Search with some kinds: a quick answer says how many candidates are enough, then the solver decides."""
        counts = self.first_guess() * open_kinds
        if not counts.any():
            return self.nothing()
        best, counts = self._quick(counts, open_kinds, share * ROUNDS[-1])
        bounds: tuple[tuple[Int64, int], ...] = ()
        for part in ROUNDS:
            found = self._attempt(counts, self.solver, share * part)
            bounds += found.bounds
            best = min(best, found, key=lambda one: one.rank)
            wanted = self._more(found) * open_kinds
            if (wanted <= counts).all() or self.clock.left() < LEAST:
                break
            counts = np.maximum(wanted, counts)
        return replace(best, bounds=bounds)

    def _quick(self, counts: Int64, open_kinds: Bool, share: float) -> tuple[Found, Int64]:
        """Return a greedy answer, with more candidates while they are used up, and the candidates to go on with."""
        while True:
            found = self._attempt(counts, "greedy", share)
            wanted = self._more(found) * open_kinds
            if is_whole(found.answer) or (wanted <= counts).all() or self.clock.left() < LEAST:
                return found, wanted
            counts = np.maximum(wanted, counts)

    def _more(self, found: Found) -> Int64:
        """Return the candidates to try next: twice as many of a kind that is used up, and none that cannot pay."""
        most = self.enough(found.cost) if is_whole(found.answer) else self.limits
        more = np.where(found.bought >= found.counts, 2 * np.maximum(found.counts, 1), found.counts)
        return np.minimum(more, most)

    def _attempt(self, counts: Int64, solver: str, share: float) -> Found:
        """Place with so many candidates; where all variants of a type exceed its limit together, deal it to them."""
        found = self._place(counts, solver, share)
        dealt = self._dealt(found)
        if (dealt == counts).all():
            return found
        return replace(self._place(dealt, solver, share), bounds=found.bounds)

    def _dealt(self, found: Found) -> Int64:
        """Return the candidates, those of types beyond their limit shared out as the answer used them."""
        counts = found.counts.copy()
        for one in self.types:
            mine = np.array([kind.type is one for kind in self.kinds])
            used = int(found.bought[mine].sum())
            if one.limit is not None and used > one.limit:
                counts[mine] = _shares(found.bought[mine], one.limit)
        return counts

    def _place(self, counts: Int64, solver: str, share: float, workload: Workload | None = None) -> Found:
        step = "buy" if workload is None else "bound"
        cluster, kind = self.with_candidates(counts)
        answer = place(
            cluster, workload or self.workload, solver=solver, deadline=self.clock.seconds(step, share), **self.common
        )
        used = np.unique(answer.placements.agent)
        bought = np.bincount(kind[used][kind[used] >= 0], minlength=len(self.kinds)).astype(np.int64)
        level = goal_of(answer)
        proof = is_whole(answer) and not violations_of(answer)
        bounds = ((counts, thousandths_of(level.bound)),) if proof else ()
        return Found(cluster, answer, counts, bought, kind, thousandths_of(level.value), bounds)

    def with_candidates(self, counts: Int64) -> tuple[Cluster, Int32]:
        """Return today's agents at no price with so many agents of each kind, and int32[agents]: their kinds."""
        today = [replace(record, price=0) for record in self.cluster.records]
        new, kind = self._new_agents(counts)
        return self.cluster.replace(records=[*today, *new]), np.r_[np.full(len(today), -1, np.int32), kind]

    def _new_agents(self, counts: Int64) -> tuple[list[Agent], Int32]:
        taken = {*self.cluster.agents, *self.cluster.hostnames}
        last: dict[str, int] = {}
        agents, kinds = [], []
        for number, (kind, count) in enumerate(zip(self.kinds, counts.tolist(), strict=True)):
            for _ in range(count):
                name = _next_name(kind.type.name, last, taken)
                agents.append(replace(kind.agent, id=name, hostname=name, price=kind.price))
                kinds.append(number)
        return agents, np.array(kinds, np.int32)

    # --- what it proves ---------------------------------------------------------------------------------------------

    def bound(self, found: Found) -> tuple[int, str]:
        """Return the least price in thousandths of any purchase with which everything fits, and what it rests on.

        A bound for some candidates holds for all purchases if no purchase at most as dear as the one found has use for
        more; if there were fewer, it is asked for with so many. Where balances change with what is bought, it is taken
        from the workload without them.
        """
        if not is_whole(found.answer) or violations_of(found.answer):
            return 0, "no bound: not everything was placed by the rules"
        if not found.cost:
            return 0, "nothing is cheaper than nothing"
        enough = self.enough(found.cost)
        holding = [] if self.added else [value for counts, value in found.bounds if (counts >= enough).all()]
        engine = goal_of(found.answer).engine
        if not holding:
            loosened = self._loosened(enough)
            holding = [value for _, value in loosened.bounds]
            engine = goal_of(loosened.answer).engine
        if not holding:
            return 0, "no bound: the search for one did not place everything"
        words = " without the balances over values that purchases add" if self.added else ""
        return min(max(holding), found.cost), (engine or "the solver's bound") + words

    def _loosened(self, counts: Int64) -> Found:
        jobs = {job.id: job for job in self.workload.jobs}
        for job, constraint, _ in self.added:
            jobs[job.id] = without_constraint(jobs[job.id], constraint)
        return self._place(counts, self.solver, 1.0, self.workload.replace_jobs(jobs.values()))

    # --- the answer -------------------------------------------------------------------------------------------------

    def settle(self, found: Found) -> Settled:
        """Return the cluster with only the agents bought, and the placements judged once more there."""
        new, _ = self._new_agents(found.bought)
        cluster = self.cluster.replace(records=self._bought(new))
        placements = self._on(cluster, found, found.bought)
        judge_again(cluster, self.workload, placements, self.relax)
        purchases = tuple(
            Purchase(type=one.type.name, choice=one.type.choices[one.variant], agents=count, price=one.price / ONE)
            for one, count in zip(self.kinds, found.bought.tolist(), strict=True)
            if count
        )
        return Settled(cluster, placements, purchases, is_whole(found.answer))

    def _bought(self, new: Sequence[Agent]) -> list[Agent]:
        """Return all agents, with prices if both today's and the new ones have them."""
        if self.priced and self.cluster.price is not None:
            return [*self.cluster.records, *new]
        return [replace(record, price=None) for record in (*self.cluster.records, *new)]

    def _on(self, cluster: Cluster, found: Found, counts: Int64) -> Placements:
        """Return the placements found on a cluster with so many new agents of each kind, at least those used."""
        place_of = np.full(len(found.cluster), -1, np.int32)
        place_of[: len(self.cluster)] = np.arange(len(self.cluster))
        used = np.unique(found.answer.placements.agent)
        first = len(self.cluster) + np.r_[0, np.cumsum(counts)]
        for number in range(len(self.kinds)):
            mine = used[found.kind[used] == number]
            place_of[mine] = first[number] + np.arange(len(mine))
        return moved_to(found.answer.placements, cluster, place_of)

    def reasons(self, found: Found) -> tuple[Explanation, ...]:
        """Explain what does not fit although it is bought, and one more of each kind that its limit allows is there."""
        if is_whole(found.answer):
            return ()
        bought = {one.name: 0 for one in self.types}
        for kind, count in zip(self.kinds, found.bought.tolist(), strict=True):
            bought[kind.type.name] += count
        more = [kind.type.limit is None or bought[kind.type.name] < kind.type.limit for kind in self.kinds]
        counts = found.bought + np.array(more, np.int64)
        cluster, _ = self.with_candidates(counts)
        answer = replace(found.answer, placements=self._on(cluster, found, counts))
        return explain(cluster, self.workload, answer, relax=self.relax)

    def tried(self, found: Found) -> dict[str, int]:
        """Return by type the candidates there were."""
        tried = dict.fromkeys((one.name for one in self.types), 0)
        for kind, count in zip(self.kinds, found.counts.tolist(), strict=True):
            tried[kind.type.name] += count
        return tried


def _agent_caps(compiled: Compiled) -> dict[int, Int64]:
    """Return int64[agents] for rows that hard rules cap on every agent: how many they still take."""
    caps: dict[int, Int64] = {}
    for rule in compiled.problem.rules:
        if isinstance(rule, GroupCap) and rule.grouping == EACH_AGENT and not rule.soft:
            room = np.maximum(0, rule.limit - rule.counted.dense(compiled.problem.agents))
            for row in rule.rows.tolist():
                caps[row] = np.minimum(caps[row], room) if row in caps else room
    return caps


def _balances(compiled: Compiled) -> list[tuple[tuple[int, Constraint], Balance]]:
    """Return the balances over all values that matter, each with its job's number and its constraint."""
    found = []
    for rule, origin in zip(compiled.problem.rules, compiled.origins, strict=True):
        if isinstance(rule, Balance) and not rule.at_least and origin is not None and origin[1] is not None:
            found.append(((origin[0], origin[1]), rule))
    return found


def _values(compiled: Compiled, rule: Balance, constraint: Constraint) -> frozenset[str]:
    """Return the values that matter for a balance."""
    column = compiled.cluster.column(constraint.field)
    groups = compiled.problem.groups(rule.grouping)
    codes = column.codes[(groups >= 0) & np.append(rule.relevant, False)[groups]]
    return frozenset(column.values[code] for code in np.unique(codes).tolist())


def _shares(used: Int64, limit: int) -> Int64:
    """Return `limit` shared out in proportion to what was used, the largest remainders first."""
    whole = limit * used // used.sum()
    order = np.argsort(-(limit * used % used.sum()), kind="stable")
    whole[order[: limit - int(whole.sum())]] += 1
    return whole


def _next_name(name: str, last: dict[str, int], taken: set[str]) -> str:
    """Return `NAME-1`, `NAME-2` ..., the next that no agent has."""
    number = last.get(name, 0) + 1
    while f"{name}-{number}" in taken:
        number += 1
    last[name] = number
    taken.add(f"{name}-{number}")
    return f"{name}-{number}"


def goal_of(answer: Answer) -> LevelReport:
    """Return the last level."""
    return answer.levels[-1]


def is_whole(answer: Answer) -> bool:
    """Tell whether everything was placed that may start now."""
    return all(one.count == one.waiting for one in answer.unplaced)


def violations_of(answer: Answer) -> float:
    """Return by how many instances relaxed rules are broken."""
    return sum(level.value for level in answer.levels if level.name == "violations")


def thousandths_of(value: float) -> int:
    """Return a price in thousandths again."""
    return round(value * ONE)


def moved_to(placements: Placements, cluster: Cluster, place_of: Int32) -> Placements:
    """Return placements on another cluster; `place_of` gives the agents' numbers there."""
    return replace(placements, agents=cluster.agents, agent=place_of[placements.agent].astype(np.int32))


def judge_again(cluster: Cluster, workload: Workload, placements: Placements, relax: Sequence[str]) -> None:
    """Raise an UnverifiedError unless the checker accepts placements on another cluster than they were made for."""
    verdict = verify(cluster, workload, placements, relax=relax)
    if not verdict.holds:
        raise UnverifiedError(verdict)
