"""A problem as a linear model over counts x[row, class of equal agents], and y[class] agents in use where these cost.

It is a relaxation: what one agent of a class holds is not said, nor are rules over each agent but caps. So a bound of the
model is a bound of the problem; an answer of it is only a plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solvers import objective
from solvers.classes.merging import Classes
from solvers.exact.variables import Pairs
from solvers.linear import Float, LinearModel
from solvers.problem import Problem
from solvers.reductions.base import restrict
from solvers.rules import EACH_AGENT, GroupCap, Int64, Rule
from solvers.sifting.writing import RuleBlocks


@dataclass(frozen=True, eq=False)
class ClassModel:
    """The model, without a cost.

    Attributes
    ----------
    problem
        The problem in which each class is one agent, the class's first.
    pairs
        The pairs of row and class that have a column, in the order of the columns; `most` is of the whole class.
    each
        int64[pairs]: the most instances of the row on one agent of the class.
    use
        int64[classes]: the columns that say how many agents are in use; None if it does not matter.
    linear
        The statement. Counts are continuous, the columns of `use` whole numbers.
    left_out
        Rules it does not state.
    """

    problem: Problem
    classes: Classes
    pairs: Pairs
    each: Int64
    use: Int64 | None
    linear: LinearModel
    left_out: tuple[Rule, ...]

    def counts(self, x: Float) -> Float:
        """Return float64[pairs]: the counts in a solution."""
        return np.asarray(x[: len(self.pairs)])


def class_pairs(inner: Problem, classes: Classes) -> tuple[Pairs, Int64]:
    """Return the pairs of row and class, and int64[pairs] the most instances on one agent."""
    pairs = Pairs.of(inner)
    most = np.minimum(pairs.most * classes.count[pairs.agent], inner.wanted[pairs.row])
    return Pairs(pairs.row, pairs.agent, most, pairs.start), pairs.most


def class_problem(problem: Problem, classes: Classes) -> Problem:
    """Return the problem of the first agent of every class."""
    return restrict(problem, np.arange(problem.rows), classes.head).problem


def class_model(
    problem: Problem,
    classes: Classes,
    *,
    everything: bool,
    priced: bool,
    broken: bool = False,
    reach: Sequence[tuple[int, int]] = (),
) -> ClassModel:
    """Return the class model of a problem.

    Parameters
    ----------
    everything
        All instances wanted must be placed (else at most these).
    priced
        Whether the agents in use are counted.
    broken
        Whether relaxed rules may be broken: then they are left out.
    reach
        (priority, value) of tiers in which at least this weight must be placed.
    """
    inner = class_problem(problem, classes)
    pairs, each = class_pairs(inner, classes)
    linear = LinearModel()
    columns = linear.add_columns(len(pairs), upper=pairs.most)
    use = None
    if priced:
        free = inner.held | (inner.price == 0)
        use = linear.add_columns(
            len(classes), lower=np.where(free, classes.count, 0), upper=classes.count, integer=True
        )
    least = inner.wanted if everything else -np.inf
    linear.add_rows(inner.rows, pairs.row, columns, 1.0, lower=least, upper=inner.wanted)
    for tier, value in reach:
        _reach(inner, pairs, linear, tier, value)
    _capacity(inner, classes, pairs, linear, use)
    if use is not None:
        _held_up_by_use(inner, pairs, each, linear, use)
    left_out = _write_rules(inner, classes, pairs, linear, use, everything, broken)
    return ClassModel(inner, classes, pairs, each, use, linear, left_out)


def _reach(inner: Problem, pairs: Pairs, linear: LinearModel, tier: int, value: int) -> None:
    """Place in a tier at least some weight."""
    mine = np.flatnonzero(inner.priority[pairs.row] == tier)
    weight = inner.weight[pairs.row[mine]]
    common = max(1, int(np.gcd.reduce(weight)))
    linear.add_rows(1, np.zeros(len(mine)), mine, weight // common, lower=-(-value // common))


def _capacity(inner: Problem, classes: Classes, pairs: Pairs, linear: LinearModel, use: Int64 | None) -> None:
    """Take from a class at most what its agents (in use) have together."""
    shape, size = inner.shape[pairs.row], len(classes)
    for dimension in np.flatnonzero(inner.demand.any(axis=0)).tolist():
        need = inner.demand[shape, dimension]
        common = max(1, int(np.gcd.reduce(need)))
        asking = np.flatnonzero(need)
        room = np.maximum(inner.capacity[:, dimension], 0) // common
        row, column, value = pairs.agent[asking], asking, need[asking] // common
        if use is None:
            linear.add_rows(size, row, column, value, upper=room * classes.count)
        else:
            linear.add_rows(size, np.r_[row, np.arange(size)], np.r_[column, use], np.r_[value, -room], upper=0)


def _held_up_by_use(inner: Problem, pairs: Pairs, each: Int64, linear: LinearModel, use: Int64) -> None:
    """A class in which k agents are in use holds at most k times what fits on one of each row."""
    paying = np.flatnonzero(~(inner.held | (inner.price == 0))[pairs.agent])
    rows = np.arange(len(paying))
    value = np.r_[np.ones(len(paying)), -each[paying]]
    linear.add_rows(len(paying), np.r_[rows, rows], np.r_[paying, use[pairs.agent[paying]]], value, upper=0)


def _write_rules(
    inner: Problem, classes: Classes, pairs: Pairs, linear: LinearModel, use: Int64 | None, everything: bool,
    broken: bool,
) -> tuple[Rule, ...]:  # fmt: skip
    """Write the rules that sums by class can state, and return the others."""
    blocks = RuleBlocks(inner, pairs, linear, everything)
    left_out: list[Rule] = []
    for rule in inner.rules:
        if broken and rule.soft:
            left_out.append(rule)
        elif getattr(rule, "grouping", None) != EACH_AGENT:
            blocks.write(rule)
        elif isinstance(rule, GroupCap):
            _cap(inner, classes, pairs, linear, use, rule)
        else:
            left_out.append(rule)
    return tuple(left_out)


def _cap(
    inner: Problem, classes: Classes, pairs: Pairs, linear: LinearModel, use: Int64 | None, rule: GroupCap
) -> None:
    """At most as many instances of several rows in a class as its agents (in use) may hold together."""
    if len(rule.rows) == 1 and not rule.soft:
        return  # the columns' bounds say it already
    mine = pairs.of_rows(rule.rows)
    room = np.maximum(0, rule.limit - rule.counted.dense(inner.agents))
    size = len(classes)
    if use is None:
        linear.add_rows(size, pairs.agent[mine], mine, 1.0, upper=room * classes.count)
    else:
        value = np.r_[np.ones(len(mine)), -room]
        linear.add_rows(size, np.r_[pairs.agent[mine], np.arange(size)], np.r_[mine, use], value, upper=0)


def settled_values(problem: Problem, values: Sequence[int]) -> list[tuple[int, int]]:
    """Return (priority, value) of the 'placed' levels among the values of the first levels."""
    named = objective.names(problem)[: len(values)]
    return [
        (int(tier), value)
        for (name, tier, _), value in zip(named, values, strict=True)
        if name == "placed" and tier is not None
    ]
