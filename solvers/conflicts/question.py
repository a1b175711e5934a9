"""What is asked: an open problem, and parts of it that hold only while the reasons behind them are held.

A reason is anything that somebody could give up: a rule of a job, a resource's limit, a job's number of instances. This
module knows no names; it turns a set of reasons into the problem in which just these are held.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from solvers.problem import ALL_AGENTS, Problem, UnitRequests
from solvers.rules import Balance, Bool, Int32, Int64, Rule
from solvers.units import serve, units_of

Held = frozenset[int]
"""The numbers of the reasons that are held."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Part:
    """Something that holds while all of `reasons` (their numbers) are held."""

    reasons: tuple[int, ...]

    def holds(self, held: Held) -> bool:
        """Tell whether it holds when these reasons are held."""
        return all(reason in held for reason in self.reasons)


@dataclass(frozen=True, eq=False, kw_only=True)
class MaskPart(Part):
    """A row is only allowed on the agents of `mask`, bool[agents]."""

    row: int
    mask: Bool


@dataclass(frozen=True, eq=False, kw_only=True)
class RulePart(Part):
    """A hard rule.

    Attributes
    ----------
    first
        For a Balance: masks, bool[agents], of the agents that could take an instance when the round began, each with
        the reasons while which it matters; which groups are relevant follows from them, the masks and the amounts.
    """

    rule: Rule
    first: tuple[tuple[tuple[int, ...], Bool], ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class AmountPart(Part):
    """The demand of some rows, int32, in some dimensions counts."""

    rows: Int32
    dimensions: tuple[int, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class UnitsPart(Part):
    """The unit requests of a row must be served."""

    row: int


@dataclass(frozen=True, eq=False, kw_only=True)
class LeastPart(Part):
    """At least `number` instances of some rows, int32, are placed."""

    rows: Int32
    number: int


@dataclass(frozen=True, eq=False)
class Question:
    """Can everything be placed, and if not, which reasons forbid it.

    Attributes
    ----------
    problem
        Capacities, demands, groupings, units and instances wanted. Its masks, rules and unit requests are not held by
        themselves: what holds is said by the parts.
    parts
        Everything that holds because of some reasons.
    weights
        What it costs to give up each reason: of equally many, the cheapest are given up.
    owners
        Whose reason each is (a job's number), -1 for what nobody owns, such as a resource's limit.
    """

    problem: Problem
    parts: tuple[Part, ...]
    weights: tuple[int, ...]
    owners: tuple[int, ...]

    @property
    def reasons(self) -> int:
        """Number of reasons."""
        return len(self.weights)

    @property
    def everything(self) -> Held:
        """All reasons."""
        return frozenset(range(self.reasons))

    def of(self, held: Held) -> list[Part]:
        """Return the parts that hold."""
        return [part for part in self.parts if part.holds(held)]

    def needed(self, held: Held) -> Int64:
        """Return int64[rows]: instances that must be placed of each row where a part names one row alone.

        Parts over several rows are needed in sum only; where they ask for all instances, each row is needed whole.
        """
        needed = np.zeros(self.problem.rows, np.int64)
        for part in self.of(held):
            if isinstance(part, LeastPart):
                wanted = self.problem.wanted[part.rows]
                if part.number >= int(wanted.sum()):
                    needed[part.rows] = wanted
                elif len(part.rows) == 1:
                    needed[part.rows] = np.maximum(needed[part.rows], part.number)
        return needed

    def allowed(self, row: int, held: Held) -> Bool:
        """Return bool[agents]: where a row is allowed by the masks that are held."""
        mask = np.ones(self.problem.agents, np.bool_)
        for part in self.parts:
            if isinstance(part, MaskPart) and part.row == row and part.holds(held):
                mask &= part.mask
        return mask

    def demand(self, held: Held) -> Int64:
        """Return int64[rows, D]: what an instance of each row takes of the amounts that are held."""
        full = self.problem.demand[self.problem.shape]
        counted = np.zeros_like(full)
        for part in self.of(held):
            if isinstance(part, AmountPart):
                chosen = np.ix_(part.rows, np.array(part.dimensions, np.int32))
                counted[chosen] = full[chosen]
        return counted

    def rule(self, part: RulePart, held: Held) -> Rule:
        """Return the rule of a part as it reads while just these reasons are held."""
        rule = part.rule
        if not isinstance(rule, Balance) or not part.first:
            return rule
        takes = np.ones(self.problem.agents, np.bool_)
        for reasons, mask in part.first:
            if all(reason in held for reason in reasons):
                takes &= mask
        need = self.demand(held)
        for row in rule.rows.tolist():
            takes &= self.allowed(row, held) & (self.problem.capacity >= need[row]).all(axis=1)
        codes = self.problem.groups(rule.grouping)
        relevant = np.zeros(len(rule.relevant), np.bool_)
        relevant[codes[takes & (codes >= 0)]] = True
        relevant[rule.counted.group] |= rule.relevant[rule.counted.group]
        return replace(rule, relevant=relevant)

    def problem_of(self, held: Held, *, optional: bool = False) -> Problem:
        """Return the problem in which just these reasons are held.

        Parameters
        ----------
        optional
            Rows of which nothing is needed may still be placed (with a lower priority); else they are left out.
        """
        open_ = self.problem
        parts = self.of(held)
        need = self.needed(held)
        shapes, shape = np.unique(self.demand(held), axis=0, return_inverse=True)
        masks: list[Bool] = []
        number: list[int] = []
        for row in range(open_.rows):
            mask = self.allowed(row, held)
            number.append(ALL_AGENTS if mask.all() else len(masks))
            if not mask.all():
                masks.append(mask)
        served = {part.row for part in parts if isinstance(part, UnitsPart)}
        asked = open_.unit_requests
        keep = np.isin(asked.row, list(served))
        return replace(
            open_,
            demand=shapes.reshape(-1, open_.capacity.shape[1]),
            shape=shape.reshape(-1).astype(np.int32),
            wanted=open_.wanted if optional else need,
            mask=np.array(number, np.int32),
            masks=tuple(masks),
            priority=(need > 0).astype(np.int64),
            rules=tuple(self.rule(part, held) for part in parts if isinstance(part, RulePart)),
            unit_requests=UnitRequests(asked.row[keep], asked.amount[keep], asked.eligible[keep], asked.masks),
            goal="pack",
            preferences=None,
        )


def serving(problem: Problem, row: int) -> Bool:
    """Return bool[agents]: where the units can serve one instance of a row."""
    asked, units = problem.unit_requests, problem.units
    requests = asked.by_row.get(row, ())
    fits = np.ones(problem.agents, np.bool_)
    for request in requests:
        has = np.zeros(problem.agents, np.bool_)
        has[units.agent[asked.masks[int(asked.eligible[request])]]] = True
        fits &= has
    for agent in np.flatnonzero(fits).tolist() if requests else ():
        own = units_of(problem, agent)
        wanted = [(int(asked.amount[one]), asked.masks[int(asked.eligible[one])][own]) for one in requests]
        fits[agent] = serve(units.amount[own].copy(), units.whole[own], wanted) is not None
    return fits
