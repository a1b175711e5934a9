"""What kind each row is: which rules touch it, whether it belongs to a batch, how big and how restricted it is.

Computed once for a problem, for all greedy runs over it. It places nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from solvers.greedy.kernel import Frame
from solvers.problem import ALL_AGENTS, Problem
from solvers.rules import EACH_AGENT, Avoid, Balance, Bool, Excludes, Gang, GroupCap, Int32, Int64, Requires, Rule

SMALLEST = 1e-12
NEAR = 0.06
"""Demands are alike if their directions differ by less than this (radians)."""
ANGLES = 27
"""Steps of `NEAR` in a right angle."""
GENERAL = -1
"""Mode of a row that is placed by the general path."""


@dataclass(frozen=True, eq=False)
class Spread:
    """A strict balance of one row for itself: its grouping, and bool[groups] that matter."""

    grouping: int
    relevant: Bool


@dataclass(frozen=True, eq=False)
class Mode:
    """The one simple rule that all rows of a batch have, each for itself.

    Attributes
    ----------
    limit
        Most instances of a row on one agent, or None.
    spread
        The balance of each row, or None.
    """

    limit: int | None = None
    spread: Spread | None = None


FREE = Mode()
"""No rule at all."""


@dataclass(frozen=True, eq=False)
class Traits:
    """Facts about the rows of a problem.

    Attributes
    ----------
    problem, frame
        The problem, and its capacities in working units.
    modes
        The distinct simple modes; `modes[0]` is `FREE`.
    mode
        int32[rows]: number of the row's mode, or `GENERAL`.
    tier
        int64[rows]: 0 for the highest priority that occurs, then 1, ...
    scarcity
        int64[rows]: how few agents the mask allows, in powers of four; 0 for rows that a quarter of them is open to.
    size
        float64[rows]: dominant share of one instance in the roomiest agent.
    step
        int64[rows]: the same in quarter powers of two.
    direction
        int64[rows]: demands that point nearly the same way have the same number.
    """

    problem: Problem
    frame: Frame
    modes: tuple[Mode, ...]
    mode: Int32
    tier: Int64
    scarcity: Int64
    size: NDArray[np.float64]
    step: Int64
    direction: Int64

    @classmethod
    def of(cls, problem: Problem) -> Traits:
        """Return the facts about a problem's rows."""
        frame = Frame.of(problem)
        modes, mode = _modes(problem)
        size = frame.scaled.max(axis=1, initial=0)[problem.shape]
        _, tier = np.unique(-problem.priority, return_inverse=True)
        return cls(
            problem=problem,
            frame=frame,
            modes=modes,
            mode=mode,
            tier=tier.reshape(-1).astype(np.int64),
            scarcity=_scarcity(problem),
            size=size,
            step=np.floor(4 * np.log2(np.maximum(size, SMALLEST))).astype(np.int64),
            direction=_directions(frame.scaled)[problem.shape],
        )

    def freedom(self, row: int) -> int:
        """Return how little ties a row: 0 a rule over groups, 1 a cap on each agent, 2 nothing."""
        tied = [_ties(self.problem.rules[number]) for number in self.problem.rules_of[row]]
        return min(tied, default=2)

    @cached_property
    def requirements(self) -> dict[int, tuple[int, ...]]:
        """For each row with hard or soft requirements, the rows required (itself left out)."""
        found: dict[int, set[int]] = {}
        for rule in self.problem.rules:
            if isinstance(rule, Requires):
                for row in rule.rows.tolist():
                    found.setdefault(row, set()).update(rule.others.tolist())
        return {row: tuple(sorted(others - {row})) for row, others in found.items()}

    @cached_property
    def gangs(self) -> dict[int, tuple[int, ...]]:
        """For each row of a gang, all rows that must be placed in one go with it (itself included), ascending."""
        parent: dict[int, int] = {}

        def root(row: int) -> int:
            while parent.setdefault(row, row) != row:
                row = parent[row]
            return row

        for rule in self.problem.rules:
            if isinstance(rule, Gang) and len(rule.rows):
                first = int(rule.rows[0])
                for row in rule.rows.tolist():
                    low, high = sorted((root(first), root(row)))
                    parent[high] = low
        members: dict[int, list[int]] = {}
        for row in sorted(parent):
            members.setdefault(root(row), []).append(row)
        return {row: tuple(rows) for rows in members.values() for row in rows}

    @cached_property
    def any_soft(self) -> bool:
        """Whether some rule is soft."""
        return any(rule.soft for rule in self.problem.rules)


def _ties(rule: Rule) -> int:
    if isinstance(rule, Avoid):
        return 2
    return 1 if isinstance(rule, GroupCap) and rule.grouping == EACH_AGENT else 0


def _scopes(rule: Rule) -> Sequence[Int32]:
    return (rule.rows, rule.others) if isinstance(rule, Requires | Excludes) else (rule.rows,)


def _modes(problem: Problem) -> tuple[tuple[Mode, ...], Int32]:
    """Return the simple modes and each row's, looking at every rule once."""
    modes: list[Mode] = [FREE]
    numbers: dict[tuple[object, ...], int] = {}
    scopes: list[Int32] = []
    kinds: list[int] = []
    for rule in problem.rules:
        number = GENERAL
        simple = _simple(rule)
        if simple is not None:
            number = numbers.setdefault(simple[0], len(modes))
            if number == len(modes):
                modes.append(simple[1])
        for rows in _scopes(rule):
            scopes.append(rows)
            kinds.append(number)
    mode = np.zeros(problem.rows, np.int32)
    if scopes:
        touched = np.concatenate(scopes)
        kind = np.repeat(np.array(kinds, np.int32), [len(rows) for rows in scopes])
        mode[touched] = kind
        mode[touched[kind == GENERAL]] = GENERAL
        mode[np.bincount(touched, minlength=problem.rows) > 1] = GENERAL
    mode[problem.unit_requests.row] = GENERAL
    if problem.goal == "prefer" and problem.preferences is not None:
        mode[problem.preferences.row] = GENERAL
    return tuple(modes), mode


def _simple(rule: Rule) -> tuple[tuple[object, ...], Mode] | None:
    """Return a rule's simple mode and what is equal for rules of that mode; None if it needs the general path."""
    if rule.soft or len(rule.rows) != 1:
        return None
    if isinstance(rule, GroupCap) and rule.grouping == EACH_AGENT and not len(rule.counted.group) and rule.limit > 0:
        return ("cap", rule.limit), Mode(limit=rule.limit)
    if isinstance(rule, Balance) and not rule.at_least and rule.grouping != EACH_AGENT and not len(rule.counted.group):
        spread = Spread(rule.grouping, rule.relevant)
        return ("balance", rule.grouping, id(rule.relevant)), Mode(spread=spread)
    return None


def _scarcity(problem: Problem) -> Int64:
    """Return `Traits.scarcity`."""
    allowed = np.array([max(int(mask.sum()), 1) for mask in problem.masks], np.float64)
    level = np.floor(np.log2(max(problem.agents, 1) / allowed) / 2 + 1e-9).astype(np.int64)
    scarcity = np.zeros(problem.rows, np.int64)
    restricted = problem.mask != ALL_AGENTS
    scarcity[restricted] = level[problem.mask[restricted]]
    return scarcity


def _directions(scaled: NDArray[np.float64]) -> Int64:
    """Return int64[shapes]: the angles of each scaled demand to the axes, one after the other, in steps of `NEAR`."""
    found = np.zeros(len(scaled), np.int64)
    before = scaled[:, 0] if scaled.shape[1] else np.zeros(len(scaled))
    for d in range(1, scaled.shape[1]):
        found = found * ANGLES + np.floor(np.arctan2(scaled[:, d], before) / NEAR).astype(np.int64)
        before = np.hypot(before, scaled[:, d])
    return found
