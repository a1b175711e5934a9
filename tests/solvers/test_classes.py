"""Classes of equal agents: merging loses nothing, and no bound beats the truth."""

import time

import numpy as np
from hypothesis import given, settings

from solvers import greedy, objective
from solvers.board import Board
from solvers.classes import Classes, class_model, prove_bounds
from solvers.classes import bounds as class_bounds
from solvers.options import Options
from solvers.rules import EACH_AGENT, Balance, GroupCap
from tests.solvers.brute import best_values
from tests.solvers.check import breaches
from tests.solvers.problems import counted, problems, rows, small_problem


def soon():
    return Options(until=time.monotonic() + 60, seconds=60.0)


def proved(problem, start=None):
    board = Board(problem, soon(), start)
    prove_bounds(problem, board, soon())
    return board


def test_agents_alike_in_capacity_price_and_group_are_one_class():
    problem = small_problem(
        [[4], [4], [4], [5]], [[1]], [3],
        [Balance(rows=rows(0), grouping=0, relevant=np.ones(2, np.bool_))],
        groupings=[[0, 0, 1, 0]],
    )  # fmt: skip
    classes = Classes.of(problem)
    assert classes.class_of.tolist() == [0, 0, 1, 2]
    assert classes.head.tolist() == [0, 2, 3]
    assert classes.count.tolist() == [2, 1, 1]


def test_agents_differ_where_a_cap_counts_other_numbers_on_them():
    cap = GroupCap(rows=rows(0), grouping=EACH_AGENT, limit=2, counted=counted(g1=1))
    assert Classes.of(small_problem([[4], [4], [4]], [[1]], [3], [cap])).class_of.tolist() == [0, 1, 0]


def test_a_capacity_nobody_asks_for_tells_no_agents_apart():
    assert len(Classes.of(small_problem([[4, 7], [4, 9]], [[1, 0]], [3]))) == 1


@settings(max_examples=150, deadline=None)
@given(problems())
def test_an_answer_merged_and_expanded_is_right_and_as_good(problem):
    answer = greedy.solve(problem, Options())
    classes = Classes.of(problem)
    back = classes.expand(classes.merge(answer))
    assert breaches(problem, back) == []
    assert objective.values(problem, back) == objective.values(problem, answer)


def test_half_agents_are_not_sold():
    problem = small_problem([[10], [10]], [[6]], [2], price=[3000, 3000])
    assert proved(problem, greedy.solve(problem, Options())).bound(1)[0] == 6000


def test_a_balance_limits_what_can_be_placed():
    rule = Balance(rows=rows(0), grouping=0, relevant=np.ones(2, np.bool_))
    problem = small_problem([[1], [9]], [[1]], [8], [rule], groupings=[[0, 1]])
    assert proved(problem).bound(0)[0] == 3000


def test_the_model_names_what_it_leaves_out():
    problem = small_problem(
        [[4], [4]], [[1]], [3], [Balance(rows=rows(0), grouping=EACH_AGENT, relevant=np.ones(2, np.bool_))]
    )
    model = class_model(problem, Classes.of(problem), everything=False, priced=False)
    assert [type(rule) for rule in model.left_out] == [Balance]


def holds_against_brute_force(problem):
    best = best_values(problem)
    board = proved(problem, greedy.solve(problem, Options()))
    for level, (name, _, sense) in enumerate(board.names):
        assert sense * board.bound(level)[0] >= sense * best[level], name
        if board.values[level] != best[level]:
            break


@settings(max_examples=120, deadline=None)
@given(problems(most_agents=3, most_rows=3, most_wanted=3))
def test_no_bound_beats_the_best_answer(problem):
    holds_against_brute_force(problem)


@settings(max_examples=60, deadline=None)
@given(problems(most_agents=3, most_rows=3, most_wanted=3))
def test_no_bound_by_sums_beats_the_best_answer(problem):
    most, class_bounds.MOST_PAIRS = class_bounds.MOST_PAIRS, -1
    try:
        holds_against_brute_force(problem)
    finally:
        class_bounds.MOST_PAIRS = most
