"""The CP-SAT model of a problem: variables, one method a rule with its sentence first, and the levels as objectives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ortools.sat.python import cp_model

from solvers import objective
from solvers.exact.goals import goal_expression
from solvers.exact.rules import RuleWriter
from solvers.exact.variables import Pairs
from solvers.problem import Problem
from solvers.rules import Int64

Linear = cp_model.LinearExpr


class Model:
    """A CP-SAT model that can be solved level by level.

    Parameters
    ----------
    everything
        Every instance wanted must be placed.
    pairs, fixed
        The (row, agent) pairs to model, and int64[pairs] with the counts that some of them keep (-1: free). By default
        all pairs that fit, all free. A pair that is left out has count 0.

    Attributes
    ----------
    x
        Their variables; plain numbers where fixed.
    impossible
        Everything was asked to be placed and a row has not enough agents for that.
    """

    def __init__(
        self, problem: Problem, *, everything: bool = False, pairs: Pairs | None = None, fixed: Int64 | None = None
    ) -> None:
        self.problem = problem
        self.model = cp_model.CpModel()
        self.pairs = pairs or Pairs.of(problem)
        counts = [-1] * len(self.pairs) if fixed is None else fixed.tolist()
        self.x: list[Any] = [
            self.model.new_int_var(0, most, "") if count < 0 else count
            for most, count in zip(self.pairs.most.tolist(), counts, strict=True)
        ]
        self.is_free = np.array([count < 0 for count in counts], np.bool_)
        self.impossible = False
        self._place_each_row(everything)
        self._respect_capacity()
        self._serve_units()
        self.writer = RuleWriter(self, everything)
        for rule in problem.rules:
            self.writer.write(rule)
        self._levels: list[Any] = []

    # --- building ---------------------------------------------------------------------------------------------------

    def total(self, pairs: Int64 | Sequence[int], coefficients: Int64 | None = None) -> Any:
        """Return the weighted sum of the counts of pairs (weights 1 unless given); a number if all are fixed."""
        numbers = np.asarray(pairs, np.int64)
        weights = np.ones(len(numbers), np.int64) if coefficients is None else coefficients
        free = self.is_free[numbers]
        constant = sum(
            self.x[i] * int(w) for i, w in zip(numbers[~free].tolist(), weights[~free].tolist(), strict=True)
        )
        chosen = [self.x[number] for number in numbers[free].tolist()]
        if not chosen:
            return constant
        terms = Linear.sum(chosen) if coefficients is None else Linear.weighted_sum(chosen, weights[free].tolist())
        return terms + constant if constant else terms

    def bool_var(self) -> Any:
        """Return a new 0/1 variable."""
        return self.model.new_bool_var("")

    def int_var(self, low: int, high: int) -> Any:
        """Return a new integer variable."""
        return self.model.new_int_var(low, high, "")

    def _place_each_row(self, everything: bool) -> None:
        """Place at most the instances wanted of each row; all of them if everything must be placed."""
        for row in range(self.problem.rows):
            first, last = int(self.pairs.start[row]), int(self.pairs.start[row + 1])
            wanted = int(self.problem.wanted[row])
            most = int(self.pairs.most[first:last].sum())
            if everything and most < wanted:
                self.impossible = True
            elif wanted and self.is_free[first:last].any():
                placed = self.total(range(first, last))
                if everything:
                    self.model.add(placed == wanted)
                elif most > wanted:
                    self.model.add(placed <= wanted)

    def _respect_capacity(self) -> None:
        """Take from no agent more of any dimension than it has."""
        need = self.problem.demand[self.problem.shape[self.pairs.row]] if len(self.pairs) else self.problem.demand[:0]
        for dimension in range(self.problem.capacity.shape[1]):
            asking = np.flatnonzero(need[:, dimension]) if len(need) else np.empty(0, np.int64)
            for agent, mine in self.by_agent(asking):
                if not self.is_free[mine].any():
                    continue
                amounts = need[mine, dimension]
                capacity = int(self.problem.capacity[agent, dimension])
                if int((amounts * self.pairs.most[mine]).sum()) > capacity:
                    self.model.add(self.total(mine, amounts) <= capacity)

    def by_agent(self, pairs: Int64) -> list[tuple[int, Int64]]:
        """Return the pairs of each agent that has any, by agent."""
        order = pairs[np.argsort(self.pairs.agent[pairs], kind="stable")]
        agents = self.pairs.agent[order]
        cuts = np.flatnonzero(np.diff(agents)) + 1
        return [(int(self.pairs.agent[part[0]]), part) for part in np.split(order, cuts) if len(part)]

    def by_group(self, pairs: Int64, grouping: int) -> dict[int, Int64]:
        """Return the pairs of each group that has any (pairs outside all groups are left out)."""
        codes = self.problem.groups(grouping)[self.pairs.agent[pairs]]
        inside = pairs[codes >= 0]
        codes = codes[codes >= 0]
        order = np.argsort(codes, kind="stable")
        cuts = np.flatnonzero(np.diff(codes[order])) + 1
        parts = np.split(inside[order], cuts)
        starts = codes[order][np.r_[0, cuts].astype(np.int64)] if len(order) else []
        return {int(code): part for code, part in zip(starts, parts, strict=False) if len(part)}

    def most(self, pairs: Int64, rows: Sequence[int]) -> int:
        """Return the greatest sum the counts of some pairs of `rows` can have."""
        return int(min(self.pairs.most[pairs].sum(), self.problem.wanted[list(rows)].sum()))

    def _serve_units(self) -> None:
        """Serve each request of each instance from one unit of its agent; take no unit beyond what it has."""
        asked, units = self.problem.unit_requests, self.problem.units
        use: dict[int, list[tuple[Any, int]]] = {}
        for request, row in enumerate(asked.row.tolist()):
            suits = asked.masks[int(asked.eligible[request])] & (units.amount >= max(1, int(asked.amount[request])))
            for pair in range(int(self.pairs.start[row]), int(self.pairs.start[row + 1])):
                agent = int(self.pairs.agent[pair])
                first, last = np.searchsorted(units.agent, [agent, agent + 1])
                chosen = [unit for unit in range(int(first), int(last)) if suits[unit]]
                parts = [self.int_var(0, int(self.pairs.most[pair])) for _ in chosen]
                self.model.add(Linear.sum(parts) == self.x[pair] if parts else self.x[pair] == 0)
                for unit, part in zip(chosen, parts, strict=True):
                    use.setdefault(unit, []).append((part, 1 if units.whole[unit] else int(asked.amount[request])))
        for unit, parts_of in sorted(use.items()):
            most = 1 if units.whole[unit] else int(units.amount[unit])
            self.model.add(
                Linear.weighted_sum([part for part, _ in parts_of], [amount for _, amount in parts_of]) <= most
            )

    # --- levels -----------------------------------------------------------------------------------------------------

    def level(self, number: int) -> Any:
        """Return the expression of a level, built when first asked for; None where it has none."""
        while len(self._levels) <= number:
            self._levels.append(self._expression(len(self._levels)))
        return self._levels[number]

    def _expression(self, number: int) -> Any:
        name, priority, _ = objective.names(self.problem)[number]
        if name == "placed":
            pairs = np.flatnonzero(self.problem.priority[self.pairs.row] == priority)
            return self.total(pairs, self.problem.weight[self.pairs.row[pairs]])
        if name == "violations":
            return Linear.sum(self.writer.violations) if self.writer.violations else 0
        return goal_expression(self)

    def set_objective(self, number: int) -> bool:
        """Make a level the objective; return False if it is constant or cannot be stated exactly."""
        expression = self.level(number)
        if expression is None or isinstance(expression, int):
            return False
        if objective.names(self.problem)[number][2] > 0:
            self.model.maximize(expression)
        else:
            self.model.minimize(expression)
        return True

    def fix_level(self, number: int, value: int) -> None:
        """Hold a level at least as good as `value`."""
        expression = self.level(number)
        if expression is None or isinstance(expression, int):
            return
        sense = objective.names(self.problem)[number][2]
        self.model.add(expression >= value if sense > 0 else expression <= value)
