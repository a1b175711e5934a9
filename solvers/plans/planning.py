"""A plan: which agents to use, and how much of each row each group is to hold. By classes where these are few, else by sums.

Plans are for packing well afterwards: some room is left on every agent, since no group can be filled to the last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from solvers import objective
from solvers.classes.cover import cover_model, knapsack_model
from solvers.classes.goals import goal_step
from solvers.classes.merging import Classes
from solvers.classes.model import ClassModel, class_model
from solvers.linear import Float, LinearModel, solve_linear
from solvers.plans.sharing import Sharing
from solvers.problem import Problem
from solvers.rules import EACH_AGENT, Bool, GroupCap, Int64

MOST_PAIRS = 60_000
"""Pairs of row and class above which the plan is made by sums: the class model then takes minutes."""
LOOSE = 0.002
"""Gap at which the choice of agents is good enough: what filling loses is more."""
QUANTILE = 0.1
"""Margins are counted in the need that this share of the instances is below: a typical small instance."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What to do.

    Attributes
    ----------
    chosen
        bool[agents]: the agents to use.
    share
        float64[rows, groups]: instances of each row in each group.
    total
        int64[rows]: instances to place of each row.
    """

    chosen: Bool
    share: Float
    total: Int64


class Planner:
    """Makes plans for one problem.

    Parameters
    ----------
    everything
        Whether all instances wanted are to be placed, on agents chosen by price; else the most weight, on any agents.
    """

    def __init__(self, problem: Problem, sharing: Sharing, *, everything: bool, seed: int) -> None:
        self.problem = problem
        self.sharing = sharing
        self.everything = everything
        self.seed = seed
        self.classes = _split(Classes.of(problem), sharing)
        self.by_classes = len(self.classes) * int((problem.wanted > 0).sum()) <= MOST_PAIRS

    def plan(self, room: float, *, seconds: float, nodes: int | None) -> Plan | None:
        """Return a plan that leaves `room` typical small instances' need free on every agent; None: none was found."""
        problem = self.problem
        if not self.everything:
            return self._most_by_classes(seconds) if self.by_classes else self._most_by_sums(seconds)
        margin = room * _small_need(problem)
        return (
            self._cheapest_by_classes(margin, seconds, nodes)
            if self.by_classes
            else self._by_sums(margin, seconds, nodes)
        )

    # --- by classes -------------------------------------------------------------------------------------------------

    def _cheapest_by_classes(self, margin: Float, seconds: float, nodes: int | None) -> Plan | None:
        model = class_model(self.problem, self.classes, everything=True, priced=True, margin=margin)
        assert model.use is not None
        cost = np.zeros(model.linear.columns)
        cost[model.use] = np.where(model.problem.held, 0, model.problem.price // goal_step(self.problem))
        found = solve_linear(model.linear.copy(cost=cost), seconds=seconds, gap=LOOSE, nodes=nodes, seed=self.seed)
        if found.x is None:
            return None
        used = np.rint(found.x[model.use]).astype(np.int64)
        chosen = np.zeros(self.problem.agents, np.bool_)
        members = np.argsort(self.classes.class_of, kind="stable")
        first = np.cumsum(self.classes.count) - self.classes.count
        for cls in np.flatnonzero(used).tolist():
            chosen[members[first[cls] : first[cls] + used[cls]]] = True
        return Plan(chosen, self._shares(model, found.x), self.problem.wanted)

    def _most_by_classes(self, seconds: float) -> Plan | None:
        """Place the most weight, priority by priority; the sums are rounded down to whole instances."""
        reach: list[tuple[int, int]] = []
        found = None
        for tier in objective.priorities(self.problem):
            model = class_model(self.problem, self.classes, everything=False, priced=False, reach=reach)
            mine = self.problem.priority[model.pairs.row] == tier
            cost = np.zeros(model.linear.columns)
            cost[: len(mine)] = np.where(mine, -self.problem.weight[model.pairs.row], 0)
            found = solve_linear(model.linear.copy(cost=cost, continuous=True), seconds=seconds, seed=self.seed)
            if found.x is None:
                return None
            reach.append((tier, int(np.floor(-found.value * (1 - 1e-6)))))
        if found is None or found.x is None:
            return None
        share = self._shares(model, found.x)
        total = np.minimum(np.floor(share.sum(axis=1) + 1e-6).astype(np.int64), self.problem.wanted)
        return Plan(np.ones(self.problem.agents, np.bool_), share, total)

    def _shares(self, model: ClassModel, x: Float) -> Float:
        share = np.zeros((self.problem.rows, self.sharing.groups))
        group = self.sharing.codes[self.classes.head]
        np.add.at(share, (model.pairs.row, group[model.pairs.agent]), model.counts(x))
        return share

    # --- by sums ----------------------------------------------------------------------------------------------------

    def _by_sums(self, margin: Float, seconds: float, nodes: int | None) -> Plan | None:
        smaller = _with_less(self.problem, margin)
        linear, _ = cover_model(smaller)
        self._open_enough(linear)
        found = solve_linear(linear, seconds=seconds, gap=LOOSE / 4, nodes=nodes, seed=self.seed)
        if found.x is None:
            return None
        chosen = np.rint(found.x[: self.problem.agents]).astype(np.bool_)
        return Plan(chosen, self._transport(chosen, self.problem.wanted), self.problem.wanted)

    def _open_enough(self, linear: LinearModel) -> None:
        """Choose in every group as many agents as caps on each of them need for the group's balanced rows."""
        fewest = np.zeros(self.sharing.groups, np.int64)
        for row, cap in _caps(self.problem).items():
            low, _ = self.sharing.window(row, int(self.problem.wanted[row]))
            fewest = np.maximum(fewest, -(-low // cap))
        groups = np.flatnonzero(fewest)
        if len(groups):
            position = np.full(self.sharing.groups, -1, np.int64)
            position[groups] = np.arange(len(groups))
            agents = np.flatnonzero(position[self.sharing.codes] >= 0)
            linear.add_rows(len(groups), position[self.sharing.codes[agents]], agents, 1.0, lower=fewest[groups])

    def _most_by_sums(self, seconds: float) -> Plan | None:
        reach: list[tuple[int, int]] = []
        found = None
        for tier in objective.priorities(self.problem):
            linear = knapsack_model(self.problem, reach, tier, 1)
            found = solve_linear(linear, seconds=seconds, seed=self.seed)
            if found.x is None:
                return None
            reach.append((tier, int(np.floor(-found.value * (1 - 1e-6)))))
        if found is None or found.x is None:
            return None
        total = np.floor(found.x + 1e-6).astype(np.int64)
        chosen = np.ones(self.problem.agents, np.bool_)
        return Plan(chosen, self._transport(chosen, total), total)

    def _transport(self, chosen: Bool, total: Int64) -> Float:
        """Return float64[rows, groups]: balanced rows evenly, the others where there is room of their kind, large first."""
        problem, sharing = self.problem, self.sharing
        room = np.zeros((sharing.groups, problem.capacity.shape[1]))
        np.add.at(room, sharing.codes[chosen], np.maximum(problem.capacity[chosen], 0))
        size = np.bincount(sharing.codes[chosen], minlength=sharing.groups)
        share = np.zeros((problem.rows, sharing.groups))
        need = problem.demand[problem.shape]
        caps = _caps(problem)
        unit = np.maximum(problem.capacity.mean(axis=0), 1.0)
        order = np.argsort(-(need / unit).max(axis=1, initial=0.0), kind="stable")
        tied = np.array([row in sharing.rules for row in range(problem.rows)], np.bool_)
        for row in [*order[tied[order]].tolist(), *order[~tied[order]].tolist()]:
            if not total[row]:
                continue
            low, high = sharing.window(row, int(total[row]))
            allowed = np.bincount(sharing.codes[chosen & problem.allowed(row)], minlength=sharing.groups)
            high = np.minimum(high, np.minimum(allowed, size) * caps.get(row, int(total[row])))
            share[row] = _shared(room, need[row], int(total[row]), np.minimum(low, high), high)
            room -= share[row][:, None] * need[row]
        return share


def _shared(room: Float, need: Int64, total: int, low: Int64, high: Int64) -> Float:
    """Return float64[groups]: `total` between low and high, in proportion to how many there is room for."""
    asking = np.flatnonzero(need)
    fits = (np.maximum(room[:, asking], 0.0) / need[asking]).min(axis=1) if len(asking) else np.ones(len(room))
    share = low.astype(np.float64)
    for _ in range(len(room)):
        open_to = (share < high - 1e-9) & (fits > 0)
        missing = total - share.sum()
        if missing <= 1e-9 or not open_to.any():
            break
        part = np.where(open_to, fits, 0.0)
        share = np.minimum(share + missing * part / part.sum(), high)
    return share


def _small_need(problem: Problem) -> Float:
    """Return float64[D]: in each dimension the need that a tenth of the instances is below or at."""
    found = np.zeros(problem.demand.shape[1])
    for dimension in np.flatnonzero(problem.demand.any(axis=0)).tolist():
        need = problem.demand[problem.shape, dimension]
        order = np.argsort(need, kind="stable")
        ahead = np.cumsum(problem.wanted[order])
        found[dimension] = need[order[int(np.searchsorted(ahead, QUANTILE * ahead[-1]))]]
    return found


def _caps(problem: Problem) -> dict[int, int]:
    """Return the greatest number of each row on one agent, for rows that have such a cap."""
    caps: dict[int, int] = {}
    for rule in problem.rules:
        if isinstance(rule, GroupCap) and rule.grouping == EACH_AGENT and not rule.soft:
            for row in rule.rows.tolist():
                caps[row] = min(caps.get(row, rule.limit), rule.limit)
    return {row: max(1, cap) for row, cap in caps.items()}


def _with_less(problem: Problem, margin: Float) -> Problem:
    """Return the problem with a margin left free on every agent."""
    return replace(problem, capacity=np.maximum(0, np.floor(problem.capacity - margin)).astype(np.int64))


def _split(classes: Classes, sharing: Sharing) -> Classes:
    """Return the classes with none across two groups of the sharing."""
    key = classes.class_of * sharing.groups + sharing.codes
    _, head, inverse, count = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    return Classes(inverse.reshape(-1).astype(np.int64), head.astype(np.int64), count.astype(np.int64))
