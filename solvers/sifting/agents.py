"""A problem as a linear model over counts x[row, agent], built in blocks of arrays, for given values of earlier levels.

Rules stand in `writing`. It states what must hold, not how good an answer is: goals add their own costs and columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solvers import objective
from solvers.exact.variables import Pairs
from solvers.linear import LinearModel
from solvers.problem import Assignment, Problem
from solvers.rules import Int64
from solvers.sifting.writing import RuleBlocks


def unsuited_values(problem: Problem, values: Sequence[int]) -> str | None:
    """Return why answers with these values of the levels before the goal cannot be stated, None if they can."""
    broken = any(name == "violations" and value for (name, _, _), value in zip(_levels(problem), values, strict=True))
    return "relaxed rules are broken, and which instances break them is not stated" if broken else None


def places_everything(problem: Problem, values: Sequence[int]) -> bool:
    """Tell whether every answer with these values of the levels before the goal places all instances wanted."""
    full = [
        int((problem.wanted * problem.weight)[problem.priority == tier].sum()) for tier in objective.priorities(problem)
    ]
    worthless = (problem.weight <= 0) & (problem.wanted > 0)
    return list(values[: len(full)]) == full and not worthless.any()


@dataclass(frozen=True, eq=False)
class AgentModel:
    """The model of the answers that reach given values in the levels before the goal.

    Attributes
    ----------
    pairs
        The pairs that have a column, in the order of the columns; columns after them are auxiliary.
    linear
        Its statement, as yet without a cost. Every column is a whole number.
    """

    problem: Problem
    pairs: Pairs
    linear: LinearModel

    @classmethod
    def of(cls, problem: Problem, pairs: Pairs, values: Sequence[int]) -> AgentModel:
        """Return the model of a problem over some pairs.

        Parameters
        ----------
        values
            The values of the levels before the goal; violations are 0 (see `unsuited_values`). Answers that are at least as
            good in all of them are stated, so a bound taken from the model holds for these.
        """
        linear = LinearModel()
        linear.add_columns(len(pairs), upper=pairs.most, integer=True)
        everything = places_everything(problem, values)
        _place_rows(problem, pairs, linear, everything)
        if not everything:
            _reach_tiers(problem, pairs, linear, values)
        _respect_capacity(problem, pairs, linear)
        blocks = RuleBlocks(problem, pairs, linear, everything)
        for rule in problem.rules:
            blocks.write(rule)
        return cls(problem, pairs, linear)

    def answer(self, counts: Int64) -> Assignment:
        """Return the assignment of whole counts, int64[columns] or int64[pairs]."""
        mine = np.maximum(counts[: len(self.pairs)], 0)
        return Assignment.of_runs(self.pairs.row, self.pairs.agent, mine, self.problem.agents)


def _levels(problem: Problem) -> tuple[tuple[str, int | None, int], ...]:
    """Return the levels before the goal."""
    return objective.names(problem)[:-1]


def _place_rows(problem: Problem, pairs: Pairs, linear: LinearModel, everything: bool) -> None:
    """Place at most the instances wanted of each row; all of them if everything must be placed."""
    least = problem.wanted if everything else -np.inf
    linear.add_rows(problem.rows, pairs.row, np.arange(len(pairs)), 1.0, lower=least, upper=problem.wanted)


def _reach_tiers(problem: Problem, pairs: Pairs, linear: LinearModel, values: Sequence[int]) -> None:
    """Place in each tier at least the weight reached."""
    weight = problem.weight[pairs.row]
    for tier, value in zip(objective.priorities(problem), values, strict=False):
        mine = np.flatnonzero(problem.priority[pairs.row] == tier)
        common = max(1, int(np.gcd.reduce(weight[mine])))
        linear.add_rows(1, np.zeros(len(mine)), mine, weight[mine] // common, lower=-(-value // common))


def _respect_capacity(problem: Problem, pairs: Pairs, linear: LinearModel) -> None:
    """Take from no agent more of any dimension than it has, in units of what all demands have in common."""
    shape = problem.shape[pairs.row]
    for dimension in range(problem.capacity.shape[1]):
        need = problem.demand[shape, dimension]
        common = int(np.gcd.reduce(need))
        if not common:
            continue
        room = np.maximum(problem.capacity[:, dimension], 0) // common
        need = need // common
        asked = np.bincount(pairs.agent, weights=need * pairs.most, minlength=problem.agents)
        number = np.cumsum(asked > room) - 1
        tight = np.flatnonzero((asked > room)[pairs.agent] & (need > 0))
        linear.add_rows(int((asked > room).sum()), number[pairs.agent[tight]], tight, need[tight],
                        upper=room[asked > room])  # fmt: skip
