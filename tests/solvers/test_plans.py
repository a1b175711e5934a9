"""Plans by group: quotas keep the rules, groups are filled within their room, answers are right."""

import time

import numpy as np
import pytest
from hypothesis import given, settings

from solvers import greedy, objective
from solvers.board import Board
from solvers.options import Options
from solvers.plans import improve, unsuited
from solvers.plans.filling import Group, fill
from solvers.plans.polishing import polish
from solvers.plans.sharing import Sharing, water_level
from solvers.rules import EACH_AGENT, Balance, GroupCap, OneGroup
from tests.solvers.check import breaches
from tests.solvers.problems import counted, problems, rows, small_problem


def soon(seconds=20.0, **more):
    return Options(until=time.monotonic() + seconds, seconds=seconds, **more)


def balance(groups, row=0, **more):
    return Balance(rows=rows(row), grouping=0, relevant=np.ones(groups, np.bool_), **more)


def racks(seed=2, agents=24, count=14):
    rng = np.random.default_rng(seed)
    capacity = rng.integers(12, 40, size=(agents, 2))
    demand = rng.integers(1, 8, size=(count, 2))
    rules = [balance(4, row) for row in range(0, count, 2)]
    rules += [GroupCap(rows=rows(row), grouping=EACH_AGENT, limit=1) for row in range(0, count, 3)]
    return small_problem(
        capacity.tolist(), demand.tolist(), rng.integers(2, 7, count).tolist(), rules,
        groupings=[[i % 4 for i in range(agents)]], price=(1000 * rng.integers(1, 5, agents)).tolist(),
    )  # fmt: skip


def test_rules_that_tie_rows_together_are_for_others():
    problem = small_problem([[4]], [[1], [1]], [1, 1], [OneGroup(rows=rows(0, 1), grouping=EACH_AGENT)])
    assert unsuited(problem) == "a rule ties rows together"


@pytest.mark.parametrize(
    ("have", "more", "level"), [([0, 0, 0], 7, 2), ([5, 0, 0], 4, 2), ([3, 1], 1, 2), ([3, 1], 3, 3)]
)
def test_instances_fill_groups_up_like_water(have, more, level):
    assert water_level(np.array(have), more) == level


def test_a_balanced_row_gets_its_share_rounded_and_the_extra_where_planned():
    problem = small_problem([[9]] * 3, [[1]], [7], [balance(3)], groupings=[[0, 1, 2]])
    quota = Sharing.of(problem).quotas(np.array([[2.0, 3.0, 2.0, 0.0]]), problem.wanted, np.ones(3, np.bool_))
    assert quota.tolist() == [[2, 3, 2, 0]]


def test_what_runs_already_counts_in_the_shares():
    problem = small_problem([[9]] * 3, [[1]], [4], [balance(3, counted=counted(g0=2))], groupings=[[0, 1, 2]])
    quota = Sharing.of(problem).quotas(np.full((1, 4), 1.0), problem.wanted, np.ones(3, np.bool_))
    assert quota.tolist() == [[0, 2, 2, 0]]


def test_trimming_leaves_no_group_more_than_one_above_the_least():
    problem = small_problem([[9]] * 3, [[1]], [9], [balance(3)], groupings=[[0, 1, 2]])
    assert Sharing.of(problem).trimmed(0, np.array([4, 1, 2, 0])).tolist() == [2, 1, 2, 0]


def group(room, need, quota, most=9):
    room, need = np.array(room)[:, None], np.array(need)[:, None]
    return Group(room, need, np.full((len(need), len(room)), most), np.array(quota), np.array(quota), need[:, 0] * 1.0)


def test_large_rows_are_placed_before_small_ones_strand_them():
    one = group([10, 10], [6, 2], [2, 4])
    assert fill(one, share=0.25).sum(axis=1).tolist() == [2, 4]


def test_polishing_puts_in_what_was_stranded():
    one = group([10, 10], [6, 4], [2, 2])
    stranded = np.array([[1, 0], [0, 2]])
    assert polish(one, stranded, drops=False).sum(axis=1).tolist() == [2, 2]


def test_it_opens_fewer_agents_than_greedy_and_breaks_no_rule():
    problem = racks()
    board = Board(problem, soon(), greedy.solve(problem, soon()))
    before = board.values
    improve(problem, board, soon())
    assert breaches(problem, board.best) == []
    assert objective.better(problem, board.values, before)


def test_the_number_of_workers_changes_nothing():
    problem, found = racks(5), []
    for workers in (1, 2, 3):
        options = soon(200.0, workers=workers, deterministic=True)
        board = Board(problem, options)
        improve(problem, board, options)
        found.append((board.best.row.tolist(), board.best.agent.tolist(), board.best.count.tolist()))
    assert found[0] == found[1] == found[2]


@settings(max_examples=60, deadline=None)
@given(problems())
def test_every_answer_it_takes_is_right_and_better(problem):
    first = greedy.solve(problem, Options())
    board = Board(problem, soon(), first)
    improve(problem, board, soon())
    assert breaches(problem, board.best) == []
    assert not objective.better(problem, [level.value for level in first.levels], board.values)
