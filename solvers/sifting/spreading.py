"""Least sum of squared dominant shares: a bound from prices of the resources, and answers near the shares it names.

For prices >= 0 of what is used, each agent by itself takes the share that costs least less what it is paid; that is a
Lagrangean bound. Limiting every agent to a little more than that share leaves a question without a goal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from solvers import objective
from solvers.board import Board
from solvers.exact.variables import Pairs
from solvers.linear import Float, safe_bound
from solvers.objective import THOUSAND
from solvers.options import Options
from solvers.problem import Assignment, Problem
from solvers.rules import Int64
from solvers.sifting.agents import places_everything
from solvers.sifting.peaks import SHORTEST, limited
from solvers.sifting.placing import find

NAME = "shares near those of the bound"
BY_PRICES = "each agent by itself under prices of what is used"
STEPS = 60
"""Steps of the search for the best prices; each costs kinds of agents x resources x shares."""
AT_ONCE = 500
"""Kinds of agents that are looked at in one array: some 10 MB."""
TRY_SHARE = 0.4
"""Share of the time left for the search for an answer with one room above the shares of the bound."""


def improve(problem: Problem, board: Board, options: Options) -> None:
    """Prove a bound of the spread, and look for answers that come near it.

    Parameters
    ----------
    board
        Its best answer settles what the levels before the goal must reach; a bound is known if that is everything.
    """
    level = board.goal_level
    given = board.values[:level]
    if not places_everything(problem, given) or not (problem.total > 0).any():
        return
    agents = _Agents.of(problem)
    bound, share = agents.best()
    board.prove(level, safe_bound(bound), BY_PRICES, given=given)
    low, high = 0, int((_shares(problem, board.best) - share).max())
    while high - low > 1 and not board.optimal(level) and options.left() > SHORTEST:
        room = (low + high) // 2
        near = limited(problem, agents.most_used((share + room)[:, None])[:, 0])
        found = find(near, given, options.part(TRY_SHARE), Pairs.of(near))
        if found.assignment is None:
            low = room
            board.cut_short |= not found.impossible and not options.deterministic
        else:
            high = room
            board.offer(found.assignment, NAME)


def _shares(problem: Problem, assignment: Assignment) -> Int64:
    """Return int64[agents]: dominant shares after an assignment."""
    return objective.dominant_share(objective.used_after(problem, assignment), problem.total)


@dataclass(frozen=True, eq=False)
class _Agents:
    """What every agent can take at every share.

    Attributes
    ----------
    base, top
        int64[agents]: dominant share before anything is placed, and when it is full, in thousandths rounded down.
    total, full
        int64[agents, R]: what each has, and what of it can be used at most.
    needed
        int64[R]: what is used in all when everything is placed.
    """

    base: Int64
    top: Int64
    total: Int64
    full: Int64
    needed: Int64

    @classmethod
    def of(cls, problem: Problem) -> _Agents:
        """Return the agents of a problem of which everything is placed."""
        plain = problem.total.shape[1]
        before = objective.used_after(problem, Assignment.nothing())
        full = before + np.maximum(problem.capacity[:, :plain], 0)
        new = (problem.demand[problem.shape, :plain] * problem.wanted[:, None]).sum(axis=0)
        return cls(
            base=objective.dominant_share(before, problem.total),
            top=objective.dominant_share(full, problem.total),
            total=problem.total,
            full=full,
            needed=before.sum(axis=0) + new,
        )

    def most_used(self, share: Int64) -> Int64:
        """Return int64[agents, k, R]: the most that can be used at dominant shares (rounded down), int64[agents, k]."""
        total, full = self.total[:, None, :], self.full[:, None, :]
        most = ((np.minimum(share, self.top[:, None])[:, :, None] + 1) * total - 1) // THOUSAND
        return np.where(total > 0, np.minimum(most, full), full)

    def priced(self, price: Float) -> tuple[float, Int64, Float]:
        """Return the bound of prices, float64[R], the shares it names, and what is still needed there, float64[R]."""
        first, kind = self._kinds
        parts = [self._some(one)._cheapest(price) for one in np.array_split(first, -(-len(first) // AT_ONCE))]
        value, best = (np.concatenate(one)[kind] for one in zip(*parts, strict=True))
        missing = self.needed - self.most_used(best[:, None])[:, 0].sum(axis=0)
        return float(value.sum() + self.needed @ price), best, missing.astype(np.float64)

    def _some(self, agents: Int64) -> _Agents:
        return _Agents(self.base[agents], self.top[agents], self.total[agents], self.full[agents], self.needed)

    def _cheapest(self, price: Float) -> tuple[Float, Int64]:
        """Return the least of square less payment of every agent, and the share where it is."""
        share = np.arange(int(self.base.min()), int(self.top.max()) + 1)
        grid = np.broadcast_to(share, (len(self.base), len(share)))
        value = grid * grid - self.most_used(grid) @ price
        value = np.where((grid >= self.base[:, None]) & (grid <= self.top[:, None]), value, np.inf)
        best = value.argmin(axis=1)
        return value[np.arange(len(best)), best], share[best]

    @cached_property
    def _kinds(self) -> tuple[Int64, Int64]:
        """Return one agent of each kind of equal agents, and the kind of every agent."""
        table = np.c_[self.base, self.top, self.total, self.full]
        _, first, kind = np.unique(table, axis=0, return_index=True, return_inverse=True)
        return first, kind.ravel()

    def best(self) -> tuple[float, Int64]:
        """Return the best bound found and the shares it names, by steps along what is missing at the shares named."""
        scale = 2.0 * THOUSAND * THOUSAND / np.maximum(self.total.mean(axis=0), 1.0)
        load = self.needed / np.maximum(self.total.sum(axis=0), 1)
        price = np.where(load >= load.max(initial=0), scale * load, 0.0)
        found = (-np.inf, self.base)
        for step in range(STEPS):
            bound, share, missing = self.priced(price)
            if bound > found[0]:
                found = (bound, share)
            direction = missing / np.maximum(self.total.sum(axis=0), 1)
            price = np.maximum(0.0, price + scale * direction / (1 + step))
        return found
