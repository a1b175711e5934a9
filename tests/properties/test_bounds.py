"""Bounds are safe: on small random problems no strategy's bound is better than the best there is, found by brute force."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings

from solvers import greedy, objective
from solvers.board import Board
from solvers.options import Options
from solvers.strategies import STRATEGIES
from tests.solvers.brute import assignments
from tests.solvers.check import breaches
from tests.solvers.problems import problems, problems_with_units

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
SMALL = problems(most_agents=2, most_rows=3, most_wanted=2)


def options():
    """Room for a handful of rounds, counted in work."""
    return Options(until=time.monotonic() + 60, seconds=0.5, deterministic=True)


def check_every_strategy(problem):
    """Run each strategy by itself on a board of its own, from greedy's answer, and hold its bounds against the truth."""
    truth = [objective.values(problem, one) for one in assignments(problem)]
    start = greedy.solve(problem, options())
    for strategy in STRATEGIES:
        board = Board(problem, options(), start)
        if strategy.unsuited(problem, board) is None:
            strategy.improve(problem, board, options())
            assert breaches(problem, board.best) == [], strategy.name
        for level, (name, _, sense) in enumerate(board.names):
            reached = [values[level] for values in truth if values[:level] == board.values[:level]]
            best = max(sense * value for value in reached)
            bound, engine = board.bound(level)
            assert sense * bound >= best, f"{strategy.name}: {name} can be {sense * best}, bound {bound} from {engine}"


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(SMALL)
def test_no_bound_is_better_than_the_best_answer(problem):
    check_every_strategy(problem)


@settings(max_examples=30, deadline=None, suppress_health_check=SLOW)
@given(problems_with_units())
def test_nor_where_units_are_taken_one_by_one(problem):
    check_every_strategy(problem)


@pytest.mark.slow
@settings(max_examples=10_000, deadline=None, suppress_health_check=SLOW)
@given(SMALL)
def test_no_bound_is_better_than_the_best_answer_in_ten_thousand_problems(problem):
    check_every_strategy(problem)
