"""Cheap bounds: by hand, and never beaten by brute force."""

from hypothesis import given, settings

from solvers import objective
from solvers.bounds import cheap_bounds
from solvers.rules import GroupCap
from tests.solvers.brute import best_values
from tests.solvers.problems import problems, rows, small_problem


def bounds(problem, *values):
    return [bound for bound, _ in cheap_bounds(problem, values)]


def test_no_more_is_placed_than_agents_can_hold_one_by_one():
    assert bounds(small_problem([[3], [3]], [[2]], [5]), 0, 0)[0] == 2000


def test_no_more_is_placed_than_all_agents_have_together():
    assert bounds(small_problem([[4]], [[2], [2]], [2, 2]), 0, 0)[0] == 2000


def test_the_price_is_at_least_that_of_the_cheapest_capacity():
    problem = small_problem([[4], [4], [4]], [[2]], [3], price=[5000, 2000, 2000])
    assert bounds(problem, 3000, 0)[1] == 3000


def test_caps_ask_for_so_many_agents():
    problem = small_problem([[9], [9], [9]], [[1]], [3], [GroupCap(rows=rows(0), grouping=-1, limit=1)])
    assert bounds(problem, 3000, 0)[1] == 3000


def test_the_peak_is_at_least_the_average():
    assert bounds(small_problem([[4], [4]], [[1]], [4], goal="balance"), 4000, 0)[1] == 500_000


@settings(max_examples=150, deadline=None)
@given(problems(most_agents=3, most_rows=2, most_wanted=3))
def test_no_bound_is_beaten(problem):
    best = best_values(problem)
    for (_, _, sense), value, bound in zip(objective.names(problem), best, bounds(problem, *best), strict=True):
        assert sense * value <= sense * bound
