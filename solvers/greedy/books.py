"""Units in use: what rows that ask for units hold on each agent, and how many more instances an agent can serve.

Instances on one agent are served in the order of their rows, as a decoder will do it; how one is served stands in
`solvers.units`.
"""

from __future__ import annotations

import numpy as np

from solvers.problem import Problem
from solvers.rules import Bool, Int64
from solvers.units import requests_of, serve, units_of


class UnitBook:
    """Instances of rows that ask for units, by agent."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._asking = problem.unit_requests.by_row
        self._held: dict[int, dict[int, int]] = {}
        self._suits: dict[int, Bool] = {}

    def asks(self, row: int) -> bool:
        """Tell whether a row asks for units."""
        return row in self._asking

    def suits(self, row: int) -> Bool:
        """Return bool[agents]: those with a unit for each request, were all units free."""
        if row not in self._suits:
            problem, asked = self._problem, self._problem.unit_requests
            found = np.ones(problem.agents, np.bool_)
            for request in self._asking[row]:
                amount = max(int(asked.amount[request]), 1)
                good = asked.masks[int(asked.eligible[request])] & (problem.units.amount >= amount)
                found &= np.bincount(problem.units.agent[good], minlength=problem.agents) > 0
            self._suits[row] = found
        return self._suits[row]

    def most(self, row: int, agent: int, wanted: int) -> int:
        """Return how many more instances of a row, at most `wanted`, the units of an agent serve."""
        held = self._held.get(agent, {})
        left = self._problem.units.amount[units_of(self._problem, agent)].copy()
        earlier = [(one, held[one]) for one in sorted(held) if one <= row]
        later = [(one, held[one]) for one in sorted(held) if one > row]
        self._serve(agent, earlier, left)
        served = 0
        while served < wanted and self._serve(agent, [(row, 1)], left):
            if later and not self._serve(agent, later, left.copy()):
                break
            served += 1
        return served

    def add(self, row: int, agent: int, count: int) -> None:
        """Note instances (negative: taken back) of a row on an agent."""
        held = self._held.setdefault(agent, {})
        held[row] = held.get(row, 0) + count
        if not held[row]:
            del held[row]

    def _serve(self, agent: int, instances: list[tuple[int, int]], left: Int64) -> bool:
        """Serve (row, count) in order from what is left of an agent's units; tell whether all were served."""
        units = units_of(self._problem, agent)
        whole = self._problem.units.whole[units]
        for row, count in instances:
            requests = requests_of(self._problem, row, units)
            for _ in range(count):
                if serve(left, whole, requests) is None:
                    return False
        return True
