"""The story: plan, quotas by group, fill each group, repair; again with more or less room left on the agents."""

from __future__ import annotations

import time
from functools import partial

import numpy as np

from solvers import objective
from solvers.board import Board
from solvers.exact.variables import Pairs
from solvers.linear import Float, solve_linear
from solvers.options import Options
from solvers.plans.filling import Group, fill
from solvers.plans.planning import Plan, Planner
from solvers.plans.polishing import polish
from solvers.plans.repair import repair
from solvers.plans.sharing import Sharing, unsuited
from solvers.plans.state import State
from solvers.problem import Problem
from solvers.reductions.base import restrict
from solvers.rules import Int64
from solvers.sifting.agents import AgentModel
from solvers.waiting import side_by_side

NAME = "plan, then fill by group"
SIDE_BY_SIDE = 2
"""Groups filled at once, whatever the number of workers: what one leaves over goes to those after it."""
ROUNDED = 0.25
"""Share of the fractional counts rounded up between two relaxations."""
ROOM, PLANS = 0.35, 3
"""Room left on every agent by the first plan, in needs of a typical small instance (half of it in the next plan where
nothing was left over, twice as much where something was), and how many plans are tried."""
HURRIED = 1.0
"""The share rounded up where the time is too short for all groups otherwise."""
NOISE = 0.01
"""Worths are changed by up to this share, so that equal rows are not rounded alike."""
TIER = 30.0
"""What a priority counts for more than the next one while groups are filled."""
SHORTEST = 0.5
"""Seconds below which no plan is begun."""
WHOLE = 20_000
"""Agents times rows up to which everything is also placed by one model on the agents chosen."""
NODES = 200
"""Nodes of each whole-number run when budgets are counted in work."""


def improve(problem: Problem, board: Board, options: Options) -> str | None:
    """Post answers to the board until the plans to try or the time are used up; return what was done."""
    if unsuited(problem) is not None or not problem.agents:
        return None
    search = _Search(problem, board, options)
    tried = 0
    if not board.everything_placed:
        tried += search.place_most()
    if board.everything_placed and problem.goal == "pack":
        tried += search.place_whole()
        tried += search.place_cheaply()
    return f"{tried} plans for {search.sharing.groups - 1} groups of agents" if tried else None


class _Search:
    """Plans and fillings of one problem."""

    def __init__(self, problem: Problem, board: Board, options: Options) -> None:
        self.problem = problem
        self.board = board
        self.options = options
        self.sharing = Sharing.of(problem)
        self.random = np.random.default_rng(options.seed)
        self.nodes = NODES if options.deterministic else None

    def place_whole(self) -> bool:
        """Choose agents by price with no room to spare and place everything on them by one model, if it is small."""
        plan = self._planned(0.0, everything=True) if self.problem.agents * self.problem.rows <= WHOLE else None
        if plan is None:
            return False
        chosen = restrict(self.problem, np.arange(self.problem.rows), np.flatnonzero(plan.chosen))
        pairs = Pairs.of(chosen.problem)
        model = AgentModel.of(chosen.problem, pairs, self.board.values[:-1])
        found = solve_linear(model.linear, seconds=self._seconds(0.2), nodes=self.nodes, seed=self.options.seed)
        if found.x is not None:
            self.board.offer(chosen.back(model.answer(found.whole())), NAME)
        return True

    def _planned(self, room: float, *, everything: bool) -> Plan | None:
        planner = Planner(self.problem, self.sharing, everything=everything, seed=self.options.seed)
        return planner.plan(room, seconds=self._seconds(0.2), nodes=self.nodes)

    def place_cheaply(self) -> int:
        """Plan with more or less room, as many times as there is time for; return how many plans were tried."""
        room = ROOM
        for tried in range(PLANS):
            began = time.monotonic()
            if self.board.optimal(self.board.goal_level) or self.options.left() < SHORTEST:
                return tried
            left_over = self._place_with(room)
            if left_over is None or (not self.options.deterministic and time.monotonic() - began > self.options.left()):
                return tried + 1
            room *= 2.0 if left_over else 0.5
        return PLANS

    def _place_with(self, room: float) -> int | None:
        """Choose agents by price, fill them, and open others for what is left over; return how much that was."""
        plan = self._planned(room, everything=True)
        if plan is None:
            return None
        quota = self.sharing.quotas(plan.share, plan.total, plan.chosen)
        state = State(self.problem, self.sharing)
        missing = self._fill(state, plan, quota, quota, self._sizes(), drops=False)
        repair(state, missing, seconds=self._seconds(0.3), nodes=self.nodes, seed=self.options.seed)
        self.board.offer(state.assignment(), NAME)
        return int(missing.sum())

    def place_most(self) -> bool:
        """Fill all agents with what is worth most, then put in what still fits; tell whether there was a plan."""
        plan = self._planned(0.0, everything=False)
        if plan is None:
            return False
        quota = self.sharing.quotas(plan.share, plan.total, plan.chosen)
        state = State(self.problem, self.sharing)
        self._fill(state, plan, quota, np.minimum(quota, self._lows(plan.total)), self._worths(), drops=True)
        state.trim()
        self.board.offer(state.assignment(), NAME)
        return True

    def _lows(self, total: Int64) -> Int64:
        """Return int64[rows, groups]: what each row must have in each group for its rule to hold."""
        lows = np.zeros((self.problem.rows, self.sharing.groups), np.int64)
        for row in self.sharing.rules:
            lows[row] = self.sharing.window(row, int(total[row]))[0]
        return lows

    def _seconds(self, share: float) -> float:
        return float("inf") if self.options.deterministic else share * max(0.0, self.options.left())

    def _sizes(self) -> Float:
        """Return float64[rows]: large rows are worth more than their share, since small ones find room later."""
        unit = np.maximum(self.problem.capacity.mean(axis=0), 1.0)
        size = (self.problem.demand[self.problem.shape] / unit).max(axis=1, initial=0.0)
        size = np.maximum(size, 1e-6)
        return size * (1.0 + size / size.max(initial=1e-6))

    def _worths(self) -> Float:
        """Return float64[rows]: weights, those of a higher priority many times as much, a little changed at random."""
        worth = self.problem.weight / max(1, int(self.problem.weight.max(initial=1)))
        for rank, tier in enumerate(reversed(objective.priorities(self.problem))):
            worth = np.where(self.problem.priority == tier, worth * TIER**rank, worth)
        return worth * (1.0 + NOISE * self.random.random(self.problem.rows))

    def _fill(self, state: State, plan: Plan, quota: Int64, least: Int64, value: Float, *, drops: bool) -> Int64:
        """Fill all groups; return int64[rows, groups + 1]: what is missing in each, in the last column anywhere.

        What is left over of rows without a rule over groups is added to the quotas of the groups after.
        """
        tied = np.isin(np.arange(self.problem.rows), list(self.sharing.rules))
        quota, hurried = quota.copy(), False
        groups = [g for g in range(self.sharing.groups) if (plan.chosen & (self.sharing.codes == g)).any()]
        for first in range(0, len(groups), SIDE_BY_SIDE):
            some, after = groups[first : first + SIDE_BY_SIDE], groups[first + SIDE_BY_SIDE :]
            seconds = self._seconds(len(some) / (len(some) + len(after)))
            matters = np.where(tied[:, None], np.minimum(least, quota), 0 if after or drops else quota)
            parts = [state.group(g, plan.chosen, quota[:, g], matters[:, g], value) for g in some]
            began = time.monotonic()
            self._fill_parts(state, parts, began + seconds, drops, HURRIED if hurried else ROUNDED)
            if not self.options.deterministic:
                hurried |= (time.monotonic() - began) * len(after) / SIDE_BY_SIDE > self.options.left()
            if after:
                over = np.where(tied, 0, (quota - state.placed)[:, some].sum(axis=1))
                quota[:, some] = np.where(tied[:, None], quota[:, some], state.placed[:, some])
                each, more = np.divmod(over, len(after))
                quota[:, after] += each[:, None] + (np.arange(len(after)) < more[:, None])
        missing = np.zeros((self.problem.rows, self.sharing.groups + 1), np.int64)
        missing[:, :-1] = np.where(tied[:, None], quota - state.placed, 0)
        missing[:, -1] = np.where(tied, 0, plan.total - state.placed.sum(axis=1))
        return np.maximum(missing, 0)

    def _fill_parts(
        self, state: State, parts: list[tuple[Group, Int64, Int64]], until: float, drops: bool, share: float
    ) -> None:  # fmt: skip
        """Fill some groups side by side."""
        works = [partial(_filled, group, until, drops, share, self.options.seed) for group, _, _ in parts]
        for (_, rows, agents), counts in zip(parts, side_by_side(works, self.options.workers), strict=True):
            row, agent = np.nonzero(counts)
            state.add(rows[row], agents[agent], counts[row, agent])


def _filled(group: Group, until: float, drops: bool, share: float, seed: int) -> Int64:
    """Fill a group, and put in what is missing then."""
    counts = fill(group, share=share, until=until, seed=seed)
    return polish(group, counts, drops=drops, until=until, seed=seed)
