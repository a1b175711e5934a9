"""Cells: sets of agents that nothing in a question tells apart, so that counts per cell are enough for a proof.

What cannot be placed on cells, each taken as one large agent, cannot be placed on the agents either.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from solvers.conflicts.question import MaskPart, Part, RulePart
from solvers.problem import Problem
from solvers.rules import EACH_AGENT, Balance, Counts, Int32, Int64, Rule


@dataclass(frozen=True, eq=False)
class Cells:
    """A partition of the agents.

    Attributes
    ----------
    of
        int32[agents]: the cell of each agent.
    """

    of: Int32

    @classmethod
    def single(cls, problem: Problem) -> Cells:
        """Return one cell for each agent."""
        return cls(np.arange(problem.agents, dtype=np.int32))

    @classmethod
    def equal(cls, problem: Problem, parts: list[Part], dimensions: Int64, units: bool) -> Cells:
        """Return the cells of agents that are equal in some dimensions, in all masks and in all groups.

        Parameters
        ----------
        units
            Units count, so that agents that own some are told apart.
        """
        keys: list[Int64] = [problem.capacity[:, dimension] for dimension in dimensions.tolist()]
        groupings: set[int] = set()
        for part in parts:
            if isinstance(part, MaskPart):
                keys.append(part.mask.astype(np.int64))
            elif isinstance(part, RulePart):
                grouping = getattr(part.rule, "grouping", EACH_AGENT)
                groupings.add(grouping)
                if grouping == EACH_AGENT:
                    keys += _told_by(part.rule, problem.agents)
        keys += [problem.groups(grouping).astype(np.int64) for grouping in sorted(groupings - {EACH_AGENT})]
        if units:
            owner = np.zeros(problem.agents, np.int64)
            owner[problem.units.agent] = problem.units.agent + 1
            keys.append(owner)
        if not keys:
            return cls(np.zeros(problem.agents, np.int32))
        distinct = list({key.tobytes(): key for key in keys}.values())
        _, of = np.unique(np.stack(distinct, axis=1), axis=0, return_inverse=True)
        return cls(of.reshape(-1).astype(np.int32))

    @property
    def number(self) -> int:
        """Number of cells."""
        return len(self.size)

    @cached_property
    def size(self) -> Int64:
        """int64[cells]: agents of each."""
        return np.bincount(self.of)

    @cached_property
    def first(self) -> Int64:
        """int64[cells]: the first agent of each."""
        return np.unique(self.of, return_index=True)[1]


def _told_by(rule: Rule, agents: int) -> list[Int64]:
    """Return what a rule over each agent says of single agents: counted instances, and which ones matter."""
    counts = [
        one.dense(agents)
        for name in ("counted", "others_counted")
        if isinstance(one := getattr(rule, name, None), Counts)
    ]
    return [*counts, rule.relevant.astype(np.int64)] if isinstance(rule, Balance) else counts
