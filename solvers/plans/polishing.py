"""Put in what filling a group left over: free a few of its agents, solve them exactly, and again while it helps."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from solvers.plans.filling import MISSING, Group
from solvers.rules import Int64

Linear = cp_model.LinearExpr
AGENTS = 5
"""Agents freed at once: enough to bring the free room of several together."""
TRIES = 4
"""Trials for each instance that is missing, before the group is left as it is."""
MOST_TRIES = 40
"""Most trials for a group."""
WORK = 0.15
"""Deterministic time of one trial: about as many seconds."""
FINENESS = 1000
"""Values are whole numbers up to this in the exact model."""


def polish(group: Group, counts: Int64, *, drops: bool, until: float = float("inf"), seed: int = 0) -> Int64:
    """Return counts, int64[rows, agents], worth at least as much, with fewer of the instances missing that matter.

    Parameters
    ----------
    drops
        Whether rows may lose instances that do not matter for those that do.
    until
        Moment on `time.monotonic()` after which no trial is begun.
    """
    random = np.random.default_rng(seed)
    counts = counts.copy()
    value = np.maximum(1, np.rint(group.value * FINENESS / group.value.max(initial=1e-9))).astype(np.int64)
    tries = min(MOST_TRIES, TRIES * int(_short(group, counts).sum()))
    for _ in range(tries):
        short = _short(group, counts)
        if not short.any() or time.monotonic() >= until:
            break
        row = int(random.choice(np.flatnonzero(short)))
        agents = _choose(group, counts, row, random)
        if len(agents):
            _solve(group, counts, agents, value, drops, seed)
    return counts


def _short(group: Group, counts: Int64) -> Int64:
    """Return int64[rows]: instances missing that matter."""
    return np.maximum(0, np.minimum(group.least, group.quota) - counts.sum(axis=1))


def _choose(group: Group, counts: Int64, row: int, random: np.random.Generator) -> Int64:
    """Return a few agents that may take one more of a row, those with free room likelier."""
    room = (group.room - counts.T @ group.need) / np.maximum(group.room, 1)
    able = np.flatnonzero((group.most[row] > counts[row]) & (group.room >= group.need[row]).all(axis=1))
    weight = room[able][:, group.need[row] > 0].min(axis=1, initial=1.0) + 1e-3
    keys = random.random(len(able)) ** (1.0 / weight)
    return np.sort(able[np.argsort(-keys, kind="stable")[:AGENTS]])


def _solve(group: Group, counts: Int64, agents: Int64, value: Int64, drops: bool, seed: int) -> None:
    """Solve some agents exactly for the rows on them and those missing; keep the result in place if it is no worse."""
    here = counts[:, agents].sum(axis=1)
    elsewhere = counts.sum(axis=1) - here
    rows = np.flatnonzero((here > 0) | (_short(group, counts) > 0))
    most = np.minimum(group.most[np.ix_(rows, agents)], (group.quota - elsewhere)[rows][:, None])
    place, agent = np.nonzero(most > 0)
    model = cp_model.CpModel()
    x = [model.new_int_var(0, int(upper), "") for upper in most[place, agent].tolist()]
    for one, now in zip(x, counts[rows[place], agents[agent]].tolist(), strict=True):
        model.add_hint(one, now)
    _fit(model, group, rows, agents, place, agent, x)
    terms, worths = (list(x), value[rows[place]].tolist()) if drops else ([], [])
    for i, row in enumerate(rows.tolist()):
        mine = [x[k] for k in np.flatnonzero(place == i).tolist()]
        model.add_linear_constraint(
            Linear.sum(mine), 0 if drops else int(here[row]), int(group.quota[row] - elsewhere[row])
        )
        wanted = int(min(group.least[row], group.quota[row]) - elsewhere[row])
        if wanted > (0 if drops else here[row]):
            counted = model.new_int_var(0, wanted, "")
            model.add(counted <= Linear.sum(mine))
            terms.append(counted)
            worths.append(int(MISSING * value[row]))
    model.maximize(Linear.weighted_sum(terms, worths))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    solver.parameters.catch_sigint_signal = False
    solver.parameters.linearization_level = 2
    solver.parameters.max_deterministic_time = WORK
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return
    found = np.zeros((len(rows), len(agents)), np.int64)
    found[place, agent] = [solver.value(one) for one in x]
    before = counts[np.ix_(rows, agents)].copy()
    if _worth(group, rows, elsewhere, found, value) >= _worth(group, rows, elsewhere, before, value):
        counts[np.ix_(rows, agents)] = found


def _fit(
    model: cp_model.CpModel,
    group: Group,
    rows: Int64,
    agents: Int64,
    place: Int64,
    agent: Int64,
    x: list[cp_model.IntVar],
) -> None:
    """Take from no agent more than it has."""
    for j, number in enumerate(agents.tolist()):
        mine = np.flatnonzero(agent == j)
        for dimension in range(group.need.shape[1]):
            need = group.need[rows[place[mine]], dimension]
            step = max(1, int(np.gcd.reduce(need)))
            if need.any():
                chosen = [x[k] for k in mine.tolist()]
                model.add(
                    Linear.weighted_sum(chosen, (need // step).tolist()) <= int(group.room[number, dimension]) // step
                )


def _worth(group: Group, rows: Int64, elsewhere: Int64, counts: NDArray[np.int64], value: Int64) -> int:
    """Return what counts on the freed agents are worth."""
    held = counts.sum(axis=1)
    wanted = np.maximum(0, np.minimum(group.least, group.quota)[rows] - elsewhere[rows])
    return int((value[rows] * held).sum() + (np.rint(MISSING * value[rows]) * np.minimum(held, wanted)).sum())
