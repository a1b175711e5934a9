"""Which agents to free: a few ways of choosing them, of which those that help are used more often."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from solvers import objective
from solvers.problem import Assignment, Problem
from solvers.rules import EACH_AGENT, Balance, Bool, GroupCap, Int32, Int64, Quota

Float = NDArray[np.float64]
FIRST, FEWEST, MOST = 8.0, 2.0, 80.0
"""Agents freed at once: to begin with, at least, at most."""
WIDER, NARROWER = 1.15, 0.8
"""What the number of agents is multiplied by after a complete search without gain, and after one cut off."""
LEAST_CREDIT, FADING = 0.1, 0.9
"""Least credit of a way of choosing, and what is left of its credit after each use."""


class Choices:
    """Ways of choosing agents, with the credit each has earned and the number of agents it frees."""

    def __init__(self, problem: Problem, random: np.random.Generator) -> None:
        self.problem = problem
        self.random = random
        self.grouping = _main_grouping(problem)
        self.ways: list[Callable[[int], Float]] = [self._anywhere, self._worst, self._roomy, self._costly]
        reach = (False,) if self.grouping is None else (False, True)
        self.kinds = [(way, near) for way in range(len(self.ways)) for near in reach]
        self.credit = np.ones(len(self.kinds))
        self.size = np.full(len(self.kinds), FIRST)

    def look(self, current: Assignment, room: Int64, spare: Int64) -> None:
        """Take note of the current answer: its runs, int64[agents, D] what is free, int64[rows] what is missing."""
        self.current = current
        self.spare = spare
        self.used = np.zeros(self.problem.agents, np.bool_)
        self.used[current.agent] = True
        capacity = np.maximum(self.problem.capacity, 1)
        self.emptiness = np.clip(room / capacity, 0.0, 1.0).mean(axis=1)

    def agents(self, level: int, taken: Bool) -> tuple[int, Int32]:
        """Choose a way and agents by it, none of those taken; return the way's number and int32[k], ascending."""
        weight = np.maximum(self.credit, LEAST_CREDIT)
        kind = int(self.random.choice(len(self.kinds), p=weight / weight.sum()))
        way, near = self.kinds[kind]
        score = self.ways[way](level)
        open_to = ~taken
        if near and self.grouping is not None:
            codes = self.problem.groupings[self.grouping]
            open_to &= codes == self.random.integers(self.problem.group_counts[self.grouping])
        candidates = np.flatnonzero(open_to & (score > 0))
        number = min(len(candidates), max(1, round(self.size[kind])))
        if not number:
            candidates = np.flatnonzero(~taken)
            number, score = min(len(candidates), max(1, round(self.size[kind]))), np.ones(self.problem.agents)
        # drawn without replacement in proportion to the score (Efraimidis and Spirakis 2006: keys u^(1/w))
        keys = self.random.random(len(candidates)) ** (1.0 / score[candidates])
        return kind, np.sort(candidates[np.argsort(-keys, kind="stable")[:number]]).astype(np.int32)

    def learn(self, kind: int, gained: bool, complete: bool, agents: int) -> None:
        """Give credit for a gain; free more agents after a complete search without one, fewer after one cut off."""
        self.credit[kind] = FADING * self.credit[kind] + gained
        if not complete:
            self.size[kind] = max(FEWEST, self.size[kind] * NARROWER)
        elif not gained and agents >= self.size[kind] - 1:
            self.size[kind] = min(MOST, self.size[kind] * WIDER)

    def shrink(self, kind: int) -> None:
        """Free fewer agents: what was chosen had too many pairs."""
        self.size[kind] = max(FEWEST, self.size[kind] * NARROWER)

    # --- scores: float64[agents], greater is likelier, 0 never --------------------------------------------------------

    def _anywhere(self, level: int) -> Float:
        return np.ones(self.problem.agents)

    def _worst(self, level: int) -> Float:
        """Agents in use that hold little for their price, and some that are not in use."""
        price = self.problem.price / max(1, int(self.problem.price.max(initial=1)))
        bad = (0.05 + self.emptiness) ** 2 * (0.1 + price)
        unused = (~self.used).mean()
        return np.where(self.used, bad, bad.mean() * min(1.0, 0.3 / max(unused, 1e-9)))

    def _roomy(self, level: int) -> Float:
        """Agents with much left, where a little shifting makes room for one more."""
        return (0.02 + self.emptiness) ** 2

    def _costly(self, level: int) -> Float:
        """Agents that weigh on the goal, with some that could take from them."""
        problem = self.problem
        if problem.goal == "prefer":
            cost = problem.costs(self.current.row, self.current.agent) * self.current.count
            mine = np.zeros(problem.agents)
            np.add.at(mine, self.current.agent, np.maximum(0, cost))
            return mine / max(1.0, mine.max(initial=0.0)) + 0.1
        if problem.goal in ("balance", "spread"):
            share = objective.dominant_share(objective.used_after(problem, self.current), problem.total)
            return np.abs(share - np.median(share)) ** 2.0 + 1.0
        return self._worst(level)


def _main_grouping(problem: Problem) -> int | None:
    """Return the grouping that most rules over groups use, None if there is none."""
    uses: dict[int, int] = {}
    for rule in problem.rules:
        if isinstance(rule, Quota | Balance | GroupCap) and rule.grouping != EACH_AGENT:
            uses[rule.grouping] = uses.get(rule.grouping, 0) + 1
    return max(uses, key=lambda one: (uses[one], -one)) if uses else None
