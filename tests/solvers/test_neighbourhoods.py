"""Neighbourhoods: windows keep every rule, and freeing a few agents improves what one-by-one placing left."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solvers import greedy, neighbourhoods, objective
from solvers.board import Board
from solvers.neighbourhoods.windows import Writer, movable_rows
from solvers.options import Options
from solvers.problem import Assignment
from solvers.rules import Balance, Excludes, GroupCap, Quota
from tests.solvers.check import breaches
from tests.solvers.problems import problems, rows, small_problem


def options(seconds=2.0, **more):
    return Options(until=time.monotonic() + seconds, seconds=seconds, **more)


def windows(problem, answer, free):
    """(least, most) of each window when the pairs (row, agent) in `free` are free."""
    row, agent = rows(*(one for one, _ in free)), rows(*(one for _, one in free))
    held = {
        (r, a): c for r, a, c in zip(answer.row.tolist(), answer.agent.tolist(), answer.count.tolist(), strict=True)
    }
    count = np.array([held.get(pair, 0) for pair in free], np.int64)
    found = Writer(problem, answer, row, agent, count, np.random.default_rng(0)).windows()
    return [(one.least, one.most, one.extra) for one in found.windows], found.purses


def answer(agents, *triples):
    row, agent, count = (np.array([one[i] for one in triples], np.int64) for i in range(3))
    return Assignment.of_runs(row, agent, count, agents)


def test_a_cap_leaves_what_the_others_in_the_group_do_not_use():
    problem = small_problem([[9]] * 3, [[1]], [5], [GroupCap(rows=rows(0), grouping=0, limit=4)], groupings=[[0, 0, 1]])
    found, _ = windows(problem, answer(3, (0, 0, 1), (0, 1, 2)), [(0, 1)])
    assert found == [(0, 3, -1)]


def test_a_balance_keeps_to_the_least_and_one_above_it():
    rule = Balance(rows=rows(0), grouping=0, relevant=np.ones(3, np.bool_))
    problem = small_problem([[9]] * 3, [[1]], [9], [rule], groupings=[[0, 1, 2]])
    found, _ = windows(problem, answer(3, (0, 0, 2), (0, 1, 1), (0, 2, 1)), [(0, 1)])
    assert found == [(1, 2, -1)]


def test_an_extra_of_a_quota_that_nobody_uses_may_be_taken():
    rule = Quota(rows=rows(0), grouping=0, groups=2, each=1, extra=1)
    problem = small_problem([[9]] * 2, [[1]], [3], [rule], groupings=[[0, 1]])
    found, purses = windows(problem, answer(2, (0, 0, 1), (0, 1, 1)), [(0, 1)])
    assert (found, purses) == ([(0, 1, 0)], (1,))
    found, purses = windows(problem, answer(2, (0, 0, 2), (0, 1, 1)), [(0, 1)])
    assert (found, purses) == ([(0, 1, 0)], (0,))


def test_rows_that_exclude_others_are_held_fast_and_so_are_the_others():
    rule = Excludes(rows=rows(0), grouping=-1, others=rows(1), limit=0)
    problem = small_problem([[9]] * 2, [[1]] * 3, [1, 1, 1], [rule])
    assert movable_rows(problem).tolist() == [False, False, True]


@pytest.mark.parametrize("goal", ["pack", "spread", "balance", "prefer"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_the_answer_breaks_no_rule_and_is_never_worse(goal, data):
    problem = data.draw(problems().filter(lambda one: one.goal == goal))
    start = greedy.solve(problem, options())
    board = Board(problem, options(), start)
    neighbourhoods.improve(problem, board, options(0.3, deterministic=True))
    assert breaches(problem, board.best) == []
    assert not objective.better(problem, objective.values(problem, start), board.values)


def test_a_wasteful_answer_is_packed_into_fewer_agents():
    """Ten halves on ten agents fit on five."""
    problem = small_problem([[2]] * 10, [[1]], [10])
    board = Board(problem, options(), answer(10, *((0, agent, 1) for agent in range(10))))
    neighbourhoods.improve(problem, board, options(20))
    assert board.values == (10_000, 5_000)


def test_instances_left_over_are_placed_by_moving_others():
    """A row of size 3 needs a whole agent, and two small ones stand on one each."""
    problem = small_problem([[3], [3]], [[1], [3]], [2, 1])
    board = Board(problem, options(), answer(2, (0, 0, 1), (0, 1, 1)))
    neighbourhoods.improve(problem, board, options(20))
    assert board.values[0] == 3000
