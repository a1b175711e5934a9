"""Instances that filling left over: into free room by a whole-number model, opening further agents where they must."""

from __future__ import annotations

import numpy as np

from solvers.classes.goals import goal_step
from solvers.classes.merging import Classes
from solvers.linear import LinearModel, solve_linear
from solvers.plans.state import State
from solvers.rules import Bool, Int64

COPIES = 3
"""Unused agents of one class in one group that may be opened: what is left over is little."""
MOST_PAIRS = 60_000
"""Pairs of leftover and agent up to which the model is solved."""


def repair(state: State, missing: Int64, *, seconds: float, nodes: int | None, seed: int) -> None:
    """Place leftovers, the most of them first, then at the least price of further agents.

    Parameters
    ----------
    missing
        int64[rows, groups + 1]: what is missing of each row in each group, in the last column in any group.
    """
    row, place = np.nonzero(missing)
    if not len(row) or seconds <= 0:
        return
    problem, codes = state.problem, state.sharing.codes
    used = state.used()
    agents = np.flatnonzero(used | _candidates(state, used))
    most = np.minimum(state.most(row, agents), missing[row, place][:, None])
    anywhere = place == state.sharing.groups
    most[~anywhere[:, None] & (place[:, None] != codes[agents][None, :])] = 0
    item, position = np.nonzero(most)
    if not len(item) or len(item) > MOST_PAIRS:
        return
    linear = LinearModel()
    linear.add_columns(len(item), upper=most[item, position], integer=True)
    step = goal_step(problem)
    price = np.where(used, 0, problem.price // step)[agents]
    left = linear.add_columns(len(row), cost=2.0 * max(1, int(price.max(initial=0))), upper=missing[row, place])
    rows = np.arange(len(row))
    linear.add_rows(len(row), np.r_[item, rows], np.r_[np.arange(len(item)), left], 1.0,
                    lower=missing[row, place], upper=missing[row, place])  # fmt: skip
    new = np.flatnonzero(~used[agents])
    opened = linear.add_columns(len(new), cost=price[new], upper=1, integer=True)
    at = np.full(len(agents), -1, np.int64)
    at[new] = np.arange(len(new))
    _fit(state, linear, row[item], agents, position, at, opened)
    _open(linear, most, item, position, at, opened)
    found = solve_linear(linear, seconds=seconds, gap=0.01, nodes=nodes, seed=seed)
    if found.x is not None:
        count = np.rint(found.x[: len(item)]).astype(np.int64)
        some = np.flatnonzero(count)
        state.add(row[item[some]], agents[position[some]], count[some])


def _candidates(state: State, used: Bool) -> Bool:
    """Return bool[agents]: a few unused agents of each class in each group."""
    problem = state.problem
    unused = np.flatnonzero(~used)
    key = Classes.of(problem).class_of[unused] * state.sharing.groups + state.sharing.codes[unused]
    order = np.argsort(key, kind="stable")
    first = np.searchsorted(key[order], key[order], side="left")
    chosen = np.zeros(problem.agents, np.bool_)
    chosen[unused[order[np.arange(len(order)) - first < COPIES]]] = True
    return chosen


def _fit(
    state: State, linear: LinearModel, row: Int64, agents: Int64, position: Int64, at: Int64, opened: Int64
) -> None:
    """Take no more than an agent has left; of a new one only if it is opened."""
    new = np.flatnonzero(at >= 0)
    for dimension in np.flatnonzero(state.need.any(axis=0)).tolist():
        need = state.need[row, dimension]
        common = max(1, int(np.gcd.reduce(need)))
        room = state.room[agents, dimension] // common
        upper = np.where(at >= 0, 0, room)
        linear.add_rows(len(agents), np.r_[position, new], np.r_[np.arange(len(row)), opened[at[new]]],
                        np.r_[need // common, -room[new]], upper=upper)  # fmt: skip


def _open(linear: LinearModel, most: Int64, item: Int64, position: Int64, at: Int64, opened: Int64) -> None:
    """An agent that is not opened holds nothing."""
    new = np.flatnonzero(at[position] >= 0)
    rows = np.arange(len(new))
    linear.add_rows(len(new), np.r_[rows, rows], np.r_[new, opened[at[position[new]]]],
                    np.r_[np.ones(len(new)), -most[item[new], position[new]]], upper=0)  # fmt: skip
