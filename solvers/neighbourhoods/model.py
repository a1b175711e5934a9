"""The CP-SAT model of one neighbourhood: counts on a few free agents, all else fixed, one objective level to improve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ortools.sat.python import cp_model

from solvers import objective
from solvers.neighbourhoods.windows import Windows
from solvers.problem import Problem
from solvers.rules import Bool, Int32, Int64

Linear = cp_model.LinearExpr
LARGEST = 2**60
"""Sums above this may overflow inside CP-SAT."""


@dataclass(frozen=True, eq=False)
class Free:
    """What a neighbourhood frees.

    Attributes
    ----------
    agents, room
        int32[a], int64[a, D]: the free agents and what they have for the free pairs.
    row, agent, most, count
        int32[pairs], int64[pairs] (position in `agents`), int64[pairs], int64[pairs]: pairs with the greatest count
        each may have and the one it has now.
    spare
        int64[rows]: instances of each row that are not placed.
    kept
        bool[a]: agents on which held rows have instances; they stay in use.
    """

    agents: Int32
    room: Int64
    row: Int32
    agent: Int64
    most: Int64
    count: Int64
    spare: Int64
    kept: Bool


class NeighbourhoodModel:
    """One neighbourhood with everything that must hold, ready for an objective."""

    def __init__(self, problem: Problem, free: Free, windows: Windows, hold: int, *, drops: bool) -> None:
        """Build the model.

        Parameters
        ----------
        hold
            Levels before this one may not get worse.
        drops
            Whether a row may lose instances for another's sake (the level to improve is what is placed).
        """
        self.problem = problem
        self.free = free
        self.model = cp_model.CpModel()
        self.x = [self.model.new_int_var(0, most, "") for most in free.most.tolist()]
        self._fit()
        self._keep_rows(drops)
        self._keep_windows(windows)
        if drops:
            self._keep_tiers(hold)

    def total(self, pairs: Int64, weights: Int64 | None = None) -> Any:
        """Return the sum of the counts of some pairs, weighted if weights are given."""
        chosen = [self.x[pair] for pair in pairs.tolist()]
        return Linear.sum(chosen) if weights is None else Linear.weighted_sum(chosen, weights.tolist())

    def _fit(self) -> None:
        """Take from no agent more than it has; amounts are divided by what they have in common."""
        free = self.free
        need = self.problem.demand[self.problem.shape[free.row]]
        for agent, mine in parts(free.agent):
            for dimension in np.flatnonzero(need[mine].any(axis=0)).tolist():
                amounts, room = need[mine, dimension], max(0, int(free.room[agent, dimension]))
                if int((amounts * free.most[mine]).sum()) > room:
                    step = int(np.gcd.reduce(amounts))
                    self.model.add(self.total(mine, amounts // step) <= room // step)

    def _keep_rows(self, drops: bool) -> None:
        """Place no more of a row than is wanted, and (unless rows may lose some) no fewer than now."""
        free = self.free
        for row, mine in parts(free.row):
            now, most = int(free.count[mine].sum()), int(free.count[mine].sum() + free.spare[row])
            self.model.add_linear_constraint(self.total(mine), 0 if drops else now, most)

    def _keep_windows(self, windows: Windows) -> None:
        purses: list[list[Any]] = [[] for _ in windows.purses]
        for window in windows.windows:
            if window.extra >= 0:
                one = self.model.new_bool_var("")
                purses[window.extra].append(one)
                self.model.add(self.total(window.pairs) <= window.most + one)
            elif window.least <= 0 and int(self.free.most[window.pairs].sum()) <= window.most:
                continue
            else:
                self.model.add_linear_constraint(self.total(window.pairs), window.least, window.most)
        for extras, purse in zip(windows.purses, purses, strict=True):
            if len(purse) > extras:
                self.model.add(Linear.sum(purse) <= extras)

    def _keep_tiers(self, hold: int) -> None:
        """Place in each earlier tier at least as much as now."""
        for level in range(hold):
            name, priority, _ = objective.names(self.problem)[level]
            if name == "placed":
                pairs = np.flatnonzero(self.problem.priority[self.free.row] == priority)
                weights = self.problem.weight[self.free.row[pairs]]
                if len(pairs):
                    self.model.add(self.total(pairs, weights) >= int((weights * self.free.count[pairs]).sum()))

    # --- objectives -------------------------------------------------------------------------------------------------

    def place_most(self, priority: int) -> bool:
        """Maximise what is placed of a tier."""
        pairs = np.flatnonzero(self.problem.priority[self.free.row] == priority)
        if not len(pairs):
            return False
        weights = self.problem.weight[self.free.row[pairs]]
        self.model.maximize(self.total(pairs, weights // max(1, int(np.gcd.reduce(weights)))))
        return True

    def improve_goal(self) -> bool:
        """Minimise the goal on the free agents; False if it cannot be said exactly in 64 bits."""
        goals = {"pack": self._pack, "prefer": self._prefer, "balance": self._balance, "spread": self._spread}
        return goals[self.problem.goal]()

    def _pack(self) -> bool:
        """Pay the price of each agent that gets an instance and is not in use anyway."""
        problem, free = self.problem, self.free
        used, prices = [], []
        for agent, mine in parts(free.agent):
            if problem.held[free.agents[agent]] or free.kept[agent]:
                continue
            one = self.model.new_bool_var("")
            used.append(one)
            prices.append(int(problem.price[free.agents[agent]]))
            need = problem.demand[problem.shape[free.row[mine]]]
            for dimension in np.flatnonzero(need.any(axis=0)).tolist():
                self.model.add(self.total(mine, need[:, dimension]) <= max(0, int(free.room[agent, dimension])) * one)
            for pair in mine.tolist():
                self.model.add(self.x[pair] <= int(free.most[pair]) * one)
        step = max(1, int(np.gcd.reduce(np.array(prices, np.int64)))) if prices else 1
        self.model.minimize(Linear.weighted_sum(used, [price // step for price in prices]))
        return bool(used)

    def _prefer(self) -> bool:
        """Pay the cost of each row on each agent."""
        costs = self.problem.costs(self.free.row, self.free.agents[self.free.agent])
        paying = np.flatnonzero(costs)
        step = max(1, int(np.gcd.reduce(costs)))
        self.model.minimize(self.total(paying, costs[paying] // step))
        return bool(len(paying))

    def _loads(self) -> list[tuple[int, list[tuple[int, int, Any, int]]]]:
        """Return by free agent (used by others, total, sum of free demand, its greatest value) of each resource."""
        problem, free = self.problem, self.free
        plain = problem.total.shape[1]
        need = problem.demand[problem.shape[free.row], :plain]
        loads = []
        for agent, mine in parts(free.agent):
            total = problem.total[free.agents[agent]]
            used = total - free.room[agent, :plain]
            mine_of = []
            for resource in np.flatnonzero(need[mine].any(axis=0) & (total > 0)).tolist():
                amounts = need[mine, resource]
                common = int(np.gcd.reduce(np.r_[amounts, total[resource], used[resource]])) or 1
                most = int((amounts * free.most[mine]).sum()) // common
                new = self.total(mine, amounts // common)
                mine_of.append((int(used[resource]) // common, int(total[resource]) // common, new, most))
            loads.append((agent, mine_of))
        return loads

    def _balance(self) -> bool:
        """Minimise the greatest used/total among the free agents, in millionths."""
        peak = self.model.new_int_var(0, objective.MILLION, "")
        for _, mine in self._loads():
            for used, total, new, most in mine:
                if max(objective.MILLION * (used + most), total * objective.MILLION) > LARGEST:
                    return False
                self.model.add(total * peak >= objective.MILLION * (new + used))
        self.model.minimize(peak)
        return True

    def _spread(self) -> bool:
        """Minimise the sum of squared dominant shares, in thousandths rounded down."""
        squares = []
        for _, mine in self._loads():
            share = self.model.new_int_var(0, objective.THOUSAND, "")
            for used, total, new, most in mine:
                if objective.THOUSAND * (used + most) > LARGEST:
                    return False
                self.model.add(total * share >= objective.THOUSAND * (new + used) - (total - 1))
            square = self.model.new_int_var(0, objective.THOUSAND**2, "")
            self.model.add_multiplication_equality(square, [share, share])
            squares.append(square)
        self.model.minimize(Linear.sum(squares))
        return bool(squares)

    # --- solving ----------------------------------------------------------------------------------------------------

    def solve(self, *, seconds: float, work: float | None, seed: int) -> tuple[Int64 | None, bool]:
        """Return int64[pairs] (None: nothing found) and whether the search was complete.

        Parameters
        ----------
        seconds, work
            Most wall-clock seconds, and most deterministic time (None: no such limit).
        """
        for pair, count in enumerate(self.free.count.tolist()):
            self.model.add_hint(self.x[pair], count)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.catch_sigint_signal = False
        solver.parameters.linearization_level = 2
        solver.parameters.random_seed = seed
        solver.parameters.max_time_in_seconds = seconds
        if work is not None:
            solver.parameters.max_deterministic_time = work
        status = solver.solve(self.model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return None, status == cp_model.INFEASIBLE
        return np.array([solver.value(one) for one in self.x], np.int64), status == cp_model.OPTIMAL


def parts(keys: Int32 | Int64) -> Sequence[tuple[int, Int64]]:
    """Return each key with the positions that have it, keys ascending."""
    order = np.argsort(keys, kind="stable")
    values, first = np.unique(keys[order], return_index=True)
    return list(zip(values.tolist(), np.split(order, first[1:]), strict=True))
