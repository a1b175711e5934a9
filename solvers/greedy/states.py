"""The current state of each rule: instances by group, and what the rule still allows a row in each group.

A state is built when a row under its rule is placed, kept while that is cheap, and follows every instance placed. Which
agents are chosen is decided elsewhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

import numpy as np

from solvers.greedy import quotas
from solvers.greedy.kernel import Agents
from solvers.greedy.quotas import UNLIMITED
from solvers.greedy.run import Run
from solvers.problem import Problem
from solvers.rules import (
    EACH_AGENT,
    Avoid,
    Balance,
    Excludes,
    Gang,
    GroupCap,
    Int32,
    Int64,
    OneGroup,
    Quota,
    Requires,
    Rule,
)

KEPT = 20_000_000
"""Numbers that states may hold in all before the oldest are dropped (to be built again when needed)."""
AnyRule = TypeVar("AnyRule", bound=Rule, covariant=True)


class State(ABC, Generic[AnyRule]):
    """What one rule has counted so far.

    Attributes
    ----------
    number, rule
        The rule and its number in the problem.
    grouping, codes
        Its grouping, and int32[agents] the group of each agent (-1: none).
    new
        int64[groups]: new instances of the rule's rows.
    """

    joint: ClassVar[bool] = False
    """Whether shares of groups must be fixed together before agents are chosen."""

    def __init__(self, problem: Problem, number: int, rule: AnyRule, grouping: int) -> None:
        self.number = number
        self.rule = rule
        self.grouping = grouping
        self.codes: Int32 = problem.groups(grouping)
        self.groups = problem.group_count(grouping)
        self.new = np.zeros(self.groups, np.int64)
        self.rows = frozenset(rule.rows.tolist())

    @property
    def soft(self) -> bool:
        """Whether the rule may be broken."""
        return self.rule.soft

    def add(self, row: int, agents: Agents, counts: Int64) -> None:
        """Count instances (negative: taken back) of a row."""
        if row in self.rows:
            self._count(self.new, agents, counts)

    def _count(self, into: Int64, agents: Agents, counts: Int64) -> None:
        codes = self.codes[agents]
        if self.grouping == EACH_AGENT:
            into[codes] += counts
        else:
            inside = codes >= 0
            np.add.at(into, codes[inside], counts[inside])

    @abstractmethod
    def allowance(self, row: int, room: Int64) -> Int64:
        """Return int64[groups]: further instances of a row each group may take; any part of it may be used.

        Parameters
        ----------
        room
            int64[agents]: instances of the row there is room for.
        """

    def outside(self, row: int) -> int:
        """Return what the rule allows a row on each agent outside all groups."""
        return 0

    def by_agent(self, by_group: Int64, outside: int) -> Int64:
        """Return int64[agents] from an allowance by group, and what agents outside all groups are allowed."""
        return by_group if self.grouping == EACH_AGENT else np.append(by_group, outside)[self.codes]

    def room(self, room: Int64) -> Int64:
        """Return int64[groups] from room by agent."""
        if self.grouping == EACH_AGENT:
            return room
        inside = self.codes >= 0
        total = np.bincount(self.codes[inside], weights=room[inside], minlength=self.groups)
        return total.astype(np.int64)


class CapState(State[GroupCap]):
    """A cap on each group; it does not touch agents outside."""

    def __init__(self, problem: Problem, number: int, rule: GroupCap) -> None:
        super().__init__(problem, number, rule, rule.grouping)
        self._free = rule.limit - rule.counted.dense(self.groups)

    def outside(self, row: int) -> int:
        """Return no limit."""
        return UNLIMITED

    def allowance(self, row: int, room: Int64) -> Int64:
        """Return what is left below the cap."""
        return np.maximum(self._free - self.new, 0)


class OneGroupState(State[OneGroup]):
    """All in one group."""

    joint = True

    def __init__(self, problem: Problem, number: int, rule: OneGroup, run: Run) -> None:
        super().__init__(problem, number, rule, rule.grouping)
        self._left = run.left

    def allowance(self, row: int, room: Int64) -> Int64:
        """Allow the group that is used, or the one that holds most of what is left."""
        return quotas.one_group(self.new, self.room(room), int(self._left[self.rule.rows].sum()))


class QuotaState(State[Quota]):
    """Shares of a number of groups; it does not touch agents outside."""

    joint = True

    def __init__(self, problem: Problem, number: int, rule: Quota) -> None:
        super().__init__(problem, number, rule, rule.grouping)
        self._counted = rule.counted.dense(self.groups)

    def outside(self, row: int) -> int:
        """Return no limit."""
        return UNLIMITED

    def allowance(self, row: int, room: Int64) -> Int64:
        """Return shares that can be filled in any order."""
        return quotas.quota(self.rule, self._counted + self.new, self.room(room))


class BalanceState(State[Balance]):
    """Counts that differ by one at most."""

    joint = True

    def __init__(self, problem: Problem, number: int, rule: Balance) -> None:
        super().__init__(problem, number, rule, rule.grouping)
        self._counted = rule.counted.dense(self.groups)

    def allowance(self, row: int, room: Int64) -> Int64:
        """Return one instance for each group whose turn it is."""
        rule = self.rule
        count = self._counted + self.new
        return quotas.balance_step(count, self.new, rule.relevant, rule.at_least, self.room(room))

    def shares(self, room: Int64, wanted: int) -> Int64:
        """Return int64[groups]: shares that must be filled exactly."""
        rule = self.rule
        return quotas.balanced(self._counted + self.new, self.new, room, rule.relevant, rule.at_least, wanted)


class _PairState(State[AnyRule]):
    """A rule between rows and others."""

    def __init__(
        self, problem: Problem, number: int, rule: AnyRule, grouping: int, others: Int32, there: Int64
    ) -> None:
        super().__init__(problem, number, rule, grouping)
        self.other_rows = frozenset(others.tolist())
        self.others = there

    def add(self, row: int, agents: Agents, counts: Int64) -> None:
        """Count instances on either side."""
        super().add(row, agents, counts)
        if row in self.other_rows:
            self._count(self.others, agents, counts)


class RequiresState(_PairState[Requires]):
    """Only beside others."""

    def __init__(self, problem: Problem, number: int, rule: Requires) -> None:
        there = rule.others_counted.dense(problem.group_count(rule.grouping))
        super().__init__(problem, number, rule, rule.grouping, rule.others, there)

    def allowance(self, row: int, room: Int64) -> Int64:
        """Allow the groups where the others are; a row is free where others require it."""
        if row not in self.rows:
            return np.full(self.groups, UNLIMITED, np.int64)
        return np.where(self.others > 0, UNLIMITED, 0)

    def outside(self, row: int) -> int:
        """Return no limit for those that others require."""
        return 0 if row in self.rows else UNLIMITED


class ExcludesState(_PairState[Excludes]):
    """At most so many beside others; it does not touch agents outside."""

    def __init__(self, problem: Problem, number: int, rule: Excludes) -> None:
        groups = problem.group_count(rule.grouping)
        there = rule.others_counted.dense(groups)
        super().__init__(problem, number, rule, rule.grouping, rule.others, there)
        self._counted = rule.counted.dense(groups)

    def outside(self, row: int) -> int:
        """Return no limit."""
        return UNLIMITED

    def allowance(self, row: int, room: Int64) -> Int64:
        """Return what each side may still add."""
        mine = self._counted + self.new
        left = np.maximum(self.rule.limit - mine, 0)
        if row in self.rows and row in self.other_rows:
            return left
        if row in self.rows:
            return np.where(self.others > 0, left, UNLIMITED)
        return np.where(mine > self.rule.limit, 0, UNLIMITED)


def make_state(run: Run, number: int) -> State[Rule] | None:
    """Return the state of a rule with what has been placed so far; None for rules that are not about groups."""
    problem, rule = run.problem, run.problem.rules[number]
    state: State | None  # type: ignore[type-arg]
    if isinstance(rule, GroupCap):
        state = CapState(problem, number, rule)
    elif isinstance(rule, OneGroup):
        state = OneGroupState(problem, number, rule, run)
    elif isinstance(rule, Quota):
        state = QuotaState(problem, number, rule)
    elif isinstance(rule, Balance):
        state = BalanceState(problem, number, rule)
    elif isinstance(rule, Requires):
        state = RequiresState(problem, number, rule)
    elif isinstance(rule, Excludes):
        state = ExcludesState(problem, number, rule)
    else:
        assert isinstance(rule, Avoid | Gang)
        return None
    for row in sorted(_all_rows(rule)):
        for agents, counts in run.runs_of(row):
            state.add(row, agents, counts)
    return state


def _all_rows(rule: Rule) -> set[int]:
    rows = set(rule.rows.tolist())
    return rows | set(rule.others.tolist()) if isinstance(rule, Requires | Excludes) else rows


class States:
    """The states of all rules of the general path, built when asked for."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._states: dict[int, State[Rule]] = {}
        self._held = 0

    def of(self, row: int) -> list[State[Rule]]:
        """Return the states of the rules about groups that touch a row."""
        found = []
        for number in self._run.problem.rules_of[row]:
            state = self._states.get(number) or self._build(number)
            if state is not None:
                found.append(state)
        return found

    def add(self, row: int, agents: Agents, counts: Int64) -> None:
        """Count instances of a row in every state that is kept."""
        for number in self._run.problem.rules_of[row]:
            if number in self._states:
                self._states[number].add(row, agents, counts)

    def forget(self, row: int) -> None:
        """Drop the states that no row but this one needs, and the oldest ones if too much is held."""
        for number in self._run.problem.rules_of[row]:
            if number in self._states and len(_all_rows(self._run.problem.rules[number])) == 1:
                self._drop(number)
        while self._held > KEPT:
            self._drop(next(iter(self._states)))

    def _build(self, number: int) -> State[Rule] | None:
        state = make_state(self._run, number)
        if state is not None:
            self._states[number] = state
            self._held += state.groups
        return state

    def _drop(self, number: int) -> None:
        self._held -= self._states.pop(number).groups
