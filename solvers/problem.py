"""The problem a solver sees: capacities, rows of equal instances, shared masks, rules. Arrays only.

It knows no file format, no framework and no pandas. Amounts are int64 in any fixed point; all rows of one shape share
one demand vector, all rows with one rule set share one mask.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from solvers.rules import EACH_AGENT, Bool, Int32, Int64, Rule

Goal = Literal["pack", "spread", "balance", "prefer"]
ALL_AGENTS = -1
"""Mask number of a row that every agent is allowed for."""


@dataclass(frozen=True, eq=False)
class Units:
    """Things an agent owns one by one, ragged (sorted by agent, in the order they are offered).

    Attributes
    ----------
    agent, amount
        int32[u], int64[u]: owner and what is free of it.
    whole
        bool[u]: taken whole by one request, or shared by amount.
    """

    agent: Int32 = field(default_factory=lambda: np.empty(0, np.int32))
    amount: Int64 = field(default_factory=lambda: np.empty(0, np.int64))
    whole: Bool = field(default_factory=lambda: np.empty(0, np.bool_))


@dataclass(frozen=True, eq=False)
class UnitRequests:
    """What one instance of a row needs of units beside its demand, ragged (sorted by row, largest amount first).

    Each request is served by ONE unit of the instance's agent: a shared unit gives `amount` (several requests may
    share it), a whole unit serves one request and is gone. Requests are served in order: of the shared units the one
    with most left, of the whole units the first (mesosphere/marathon: ResourceMatcher.scala).

    Attributes
    ----------
    row, amount
        int32[q], int64[q].
    eligible
        int32[q]: number of the mask over units in `masks`: kind, size bounds and any further condition.
    masks
        bool[u] each.
    """

    row: Int32 = field(default_factory=lambda: np.empty(0, np.int32))
    amount: Int64 = field(default_factory=lambda: np.empty(0, np.int64))
    eligible: Int32 = field(default_factory=lambda: np.empty(0, np.int32))
    masks: tuple[Bool, ...] = ()

    @cached_property
    def by_row(self) -> dict[int, tuple[int, ...]]:
        """Return the request numbers of each row that has any, in order."""
        found: dict[int, list[int]] = {}
        for i, row in enumerate(self.row.tolist()):
            found.setdefault(row, []).append(i)
        return {row: tuple(requests) for row, requests in found.items()}


@dataclass(frozen=True, eq=False, kw_only=True)
class Preferences:
    """Sparse costs: an instance of `row[i]` on `agent[i]` costs `cost[i]`; pairs not named cost 0."""

    row: Int32
    agent: Int32
    cost: Int64


@dataclass(frozen=True, eq=False, kw_only=True)
class Problem:
    """A rows of equal instances, D dimensions of capacity, R <= D of them plain resources.

    Attributes
    ----------
    capacity
        int64[agents, D]: free amounts. Dimension d holds iff the sum of demands on the agent is at most this.
    demand
        int64[shapes, D]: the distinct demand vectors.
    shape
        int32[rows]: which of them a row has.
    wanted
        int64[rows]: most instances of the row.
    mask, masks
        int32[rows] into `masks` (bool[agents] each), `ALL_AGENTS` where nothing is excluded.
    priority, weight
        int64[rows]: tier (greater first) and worth of one instance in it.
    groupings
        int32[agents] each: group code per agent or -1.
    group_counts
        Number of groups of each grouping.
    rules
        See `solvers.rules`.
    units, unit_requests
        Things owned one by one, and what rows ask of them.
    goal
        'pack': least `price` of agents holding an instance; agents `held` already cost nothing further.
        'balance': least greatest used/total (millionths, rounded up) over agents and the first R dimensions.
        'spread': least sum over agents of (dominant used share in thousandths, rounded down) squared.
        'prefer': least sum of `preferences`.
    price
        int64[agents].
    held
        bool[agents]: agents that hold something when the round begins.
    total
        int64[agents, R]: what each agent has in all, for 'balance' and 'spread'; used is total minus capacity left.
    """

    capacity: Int64
    demand: Int64
    shape: Int32
    wanted: Int64
    mask: Int32
    masks: tuple[Bool, ...]
    priority: Int64
    weight: Int64
    groupings: tuple[Int32, ...] = ()
    group_counts: tuple[int, ...] = ()
    rules: tuple[Rule, ...] = ()
    units: Units = field(default_factory=Units)
    unit_requests: UnitRequests = field(default_factory=UnitRequests)
    goal: Goal = "pack"
    price: Int64
    held: Bool
    total: Int64
    preferences: Preferences | None = None

    @property
    def agents(self) -> int:
        """Number of agents."""
        return self.capacity.shape[0]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.wanted)

    def allowed(self, row: int) -> Bool:
        """Return bool[agents]: the agents the row's mask allows."""
        number = int(self.mask[row])
        return np.ones(self.agents, np.bool_) if number == ALL_AGENTS else self.masks[number]

    def groups(self, grouping: int) -> Int32:
        """Return int32[agents]: the group codes of a grouping."""
        return np.arange(self.agents, dtype=np.int32) if grouping == EACH_AGENT else self.groupings[grouping]

    def group_count(self, grouping: int) -> int:
        """Return the number of groups of a grouping."""
        return self.agents if grouping == EACH_AGENT else self.group_counts[grouping]

    @cached_property
    def rules_of(self) -> tuple[tuple[int, ...], ...]:
        """For each row, the numbers of the rules whose `rows` or `others` hold it."""
        found: list[list[int]] = [[] for _ in range(self.rows)]
        for i, rule in enumerate(self.rules):
            touched = set(rule.rows.tolist()) | set(getattr(rule, "others", np.empty(0, np.int32)).tolist())
            for row in sorted(touched):
                found[row].append(i)
        return tuple(tuple(numbers) for numbers in found)

    @cached_property
    def preference_keys(self) -> tuple[Int64, Int64]:
        """The preferences as (row * agents + agent, cost), sorted by the first."""
        if self.preferences is None:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        key = self.preferences.row.astype(np.int64) * self.agents + self.preferences.agent
        order = np.argsort(key, kind="stable")
        return key[order], self.preferences.cost[order]

    def costs(self, row: Int32, agent: Int32) -> Int64:
        """Return int64[k]: the preference cost of each pair of row and agent, 0 where none is named."""
        key, cost = self.preference_keys
        if not len(key):
            return np.zeros(len(row), np.int64)
        pair = row.astype(np.int64) * self.agents + agent
        place = np.minimum(np.searchsorted(key, pair), len(key) - 1)
        return np.where(key[place] == pair, cost[place], 0)

    def most_per_agent(self, shape: int) -> Int64:
        """Return int64[agents]: how many instances of a demand vector each agent has capacity for, by itself."""
        need = self.demand[shape]
        dims = np.flatnonzero(need)
        if not len(dims):
            return np.full(self.agents, np.iinfo(np.int32).max, np.int64)
        return np.maximum((self.capacity[:, dims] // need[dims]).min(axis=1), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level of the objective: its value, a bound that no answer beats, and whether the bound is proved exactly.

    Attributes
    ----------
    name
        'placed' (with `priority`), 'violations', or the goal.
    sense
        +1 maximise, -1 minimise.
    value, bound
        In the level's own integer unit.
    engine
        What the bound rests on.
    """

    name: str
    priority: int | None = None
    sense: int
    value: int
    bound: int
    engine: str = ""

    @property
    def optimal(self) -> bool:
        """Whether the value reaches the bound."""
        return self.value == self.bound


@dataclass(frozen=True, eq=False, kw_only=True)
class Assignment:
    """An answer: sparse runs, `count[i]` instances of `row[i]` on `agent[i]`, each pair once, sorted by row and agent.

    Attributes
    ----------
    levels
        Value and bound of every objective level, in order.
    strategy
        Which strategy gave it, and why that one.
    cut_short
        A wall clock ended the search, so another run may differ.
    """

    row: Int32
    agent: Int32
    count: Int64
    levels: tuple[Level, ...] = ()
    strategy: str = ""
    cut_short: bool = False

    @classmethod
    def nothing(cls) -> Assignment:
        """Return the assignment that places nothing."""
        return cls(row=np.empty(0, np.int32), agent=np.empty(0, np.int32), count=np.empty(0, np.int64))

    @classmethod
    def of_runs(
        cls, row: NDArray[np.integer], agent: NDArray[np.integer], count: NDArray[np.integer], agents: int
    ) -> Assignment:
        """Return the assignment of runs in any order; runs of one pair are added up, empty ones dropped."""
        key = row.astype(np.int64) * max(agents, 1) + agent
        pairs, inverse = np.unique(key, return_inverse=True)
        total = np.zeros(len(pairs), np.int64)
        np.add.at(total, inverse, count.astype(np.int64))
        pairs, total = pairs[total > 0], total[total > 0]
        return cls(
            row=(pairs // max(agents, 1)).astype(np.int32), agent=(pairs % max(agents, 1)).astype(np.int32), count=total
        )

    def placed(self, rows: int) -> Int64:
        """Return int64[rows]: instances placed of each row."""
        totals = np.zeros(rows, np.int64)
        np.add.at(totals, self.row, self.count)
        return totals
