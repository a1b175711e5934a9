"""From a problem whose rules live inside one agent to kinds of agents and types of instances, and back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from solvers.board import Board
from solvers.patterns import Market
from solvers.problem import ALL_AGENTS, Assignment, Problem
from solvers.rules import EACH_AGENT, Gang, GroupCap, Int32, Int64, Rule


@dataclass(frozen=True, eq=False)
class Stall:
    """A problem seen as a market: everything wanted must be placed, on the cheapest agents.

    Attributes
    ----------
    market
        The kinds and types; the types are the rows.
    agents_of
        For each kind its agents, ascending.
    """

    problem: Problem
    market: Market
    agents_of: tuple[Int64, ...]

    @classmethod
    def of(cls, problem: Problem) -> Stall:
        """Return the market of a problem that `beyond` has nothing against."""
        demand = problem.demand[problem.shape]
        asked = np.flatnonzero(demand.any(axis=0))
        capacity = np.maximum(problem.capacity[:, asked], 0)
        price = np.where(problem.held, 0, problem.price)
        numbers = sorted(set(problem.mask.tolist()) - {ALL_AGENTS})
        membership = [problem.masks[number].astype(np.int64) for number in numbers]
        kinds, kind_of = np.unique(np.column_stack([capacity, price, *membership]), axis=0, return_inverse=True)
        width = len(asked)
        allowed = None
        if numbers:
            of_mask = {number: kinds[:, width + 1 + i] > 0 for i, number in enumerate(numbers)}
            of_mask[ALL_AGENTS] = np.ones(len(kinds), np.bool_)
            allowed = np.stack([of_mask[number] for number in problem.mask.tolist()], axis=1)
        most = problem.wanted.copy()
        for rule in problem.rules:
            if isinstance(rule, GroupCap):
                most[rule.rows] = np.minimum(most[rule.rows], rule.limit)
        order = np.argsort(kind_of, kind="stable")
        count = np.bincount(kind_of, minlength=len(kinds))
        market = Market(
            capacity=kinds[:, :width], price=kinds[:, width], count=count, size=demand[:, asked],
            demand=problem.wanted, most=most, allowed=allowed,
        )  # fmt: skip
        return cls(problem, market, tuple(np.split(order, np.cumsum(count)[:-1])))

    def assignment(self, patterns: Int64, kind: Int32 | Int64, times: Int64) -> Assignment:
        """Return the assignment in which `times[j]` agents of `kind[j]` hold `patterns[j]` each."""
        agent_parts, pattern_parts = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for number in np.unique(kind).tolist():
            mine = np.repeat(np.flatnonzero(kind == number), times[kind == number])
            agent_parts.append(self.agents_of[number][: len(mine)])
            pattern_parts.append(mine)
        agent, pattern = np.concatenate(agent_parts), np.concatenate(pattern_parts)
        place, row = np.nonzero(patterns[pattern])
        return Assignment.of_runs(row, agent[place], patterns[pattern[place], row], self.problem.agents)


MOST_PAIRS = 200_000_000
"""Rows times agents up to which it is listed which kinds of agents a row may stand on."""
FEW = 0.25
"""Greatest share of what is asked for, by rows under rules between agents, at which these can be placed after the others."""


def beyond(problem: Problem, *, few: bool = False) -> str | None:
    """Return what in a problem is more than rules inside one agent and the price of agents; None if nothing is.

    Parameters
    ----------
    few
        Rules between agents are no objection as long as they are about few of the instances.
    """
    if problem.goal != "pack":
        return f"the goal is {problem.goal}"
    if len(problem.masks) and problem.rows * problem.agents > MOST_PAIRS:
        return f"{problem.rows} kinds of instances times {problem.agents} agents are too many to list"
    if len(problem.unit_requests.row):
        return "disks are taken one by one"
    if any(rule.soft for rule in problem.rules):
        return "a rule is relaxed"
    outer = outer_rows(problem)
    if len(outer) and not few:
        return "a rule is about several agents"
    asked = (problem.demand[problem.shape] * problem.wanted[:, None]).astype(np.float64)
    share = (asked[outer].sum(axis=0) / np.maximum(asked.sum(axis=0), 1.0)).max(initial=0.0)
    return f"rules between agents are about {share:.0%} of what is asked for" if share > FEW else None


def outer_rows(problem: Problem) -> Int64:
    """Return the rows under rules that are about several agents, ascending."""
    touched = [
        np.r_[rule.rows, getattr(rule, "others", np.empty(0, np.int32))]
        for rule in problem.rules
        if not _inside(problem, rule)
    ]
    return np.unique(np.concatenate([np.empty(0, np.int64), *touched]))


def inner_problem(problem: Problem) -> Problem:
    """Return the problem without its rules between agents: a relaxation."""
    return replace(problem, rules=tuple(rule for rule in problem.rules if _inside(problem, rule)))


def _inside(problem: Problem, rule: Rule) -> bool:
    """Tell whether a rule is about each agent alone (a gang is, as everything is to be placed)."""
    if isinstance(rule, Gang):
        return int(problem.wanted[rule.rows].sum()) >= rule.least
    single = isinstance(rule, GroupCap) and rule.grouping == EACH_AGENT and len(rule.rows) == 1
    return single and not len(rule.counted.group)  # type: ignore[attr-defined]


def everything(problem: Problem, board: Board) -> tuple[int, ...]:
    """Return the values of the levels before the goal when everything wanted is placed and no rule is broken."""
    worth = problem.wanted * problem.weight
    return tuple(
        int(worth[problem.priority == priority].sum()) if name == "placed" else 0
        for name, priority, _ in board.names[:-1]
    )
