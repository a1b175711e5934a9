"""The default solver: greedy, then more while time is left; never worse."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from solvers import SOLVERS, auto, greedy, objective, solve
from solvers.options import Options
from solvers.rules import EACH_AGENT, GroupCap
from tests.solvers.check import breaches
from tests.solvers.problems import problems, rows, small_problem


def soon(seconds=10.0, **more):
    return Options(until=time.monotonic() + seconds, seconds=seconds, **more)


def values(assignment):
    return [level.value for level in assignment.levels]


def test_it_stops_with_greedy_when_that_reaches_every_bound():
    answer = auto.solve(small_problem([[4]], [[2]], [2]), soon())
    assert "nothing else was tried" in answer.strategy
    assert all(level.optimal for level in answer.levels)


def test_it_proves_what_greedy_could_not():
    problem = small_problem([[10], [10]], [[6], [5], [4], [3], [2]], [1, 1, 1, 1, 1])
    answer = auto.solve(problem, soon())
    assert values(answer)[0] == 5000
    assert all(level.optimal for level in answer.levels)


def test_without_time_it_returns_what_greedy_found():
    problem = small_problem([[10], [10], [7]], [[6], [5], [4], [3], [2]], [1, 1, 1, 1, 1])
    answer = auto.solve(problem, replace(soon(), until=time.monotonic()))
    assert values(answer) == values(greedy.solve(problem, soon()))


def test_neighbourhoods_improve_a_problem_too_large_for_one_model(monkeypatch):
    monkeypatch.setattr(auto, "WHOLE", 10)
    rng = np.random.default_rng(3)
    capacity = rng.integers(8, 20, size=(30, 2))
    demand = rng.integers(1, 8, size=(25, 2))
    cap = [GroupCap(rows=rows(row), grouping=EACH_AGENT, limit=2) for row in range(0, 25, 3)]
    problem = small_problem(capacity.tolist(), demand.tolist(), [3] * 25, cap)
    before = greedy.solve(problem, soon())
    after = auto.solve(problem, soon(4))
    assert "neighbourhoods" in after.strategy
    assert breaches(problem, after) == []
    assert objective.better(problem, values(after), values(before)) or values(after) == values(before)


@settings(max_examples=40, deadline=None)
@given(problems(most_agents=4, most_rows=4, most_wanted=3))
def test_it_is_never_worse_than_greedy_and_breaks_no_rule(problem):
    before, after = greedy.solve(problem, soon()), auto.solve(problem, soon())
    assert breaches(problem, after) == []
    assert not objective.better(problem, values(before), values(after))


@pytest.mark.parametrize("name", sorted(SOLVERS))
def test_every_solver_fills_the_levels(name):
    answer = solve(small_problem([[4]], [[2]], [3]), soon(), name)
    assert [(level.name, level.value, level.bound) for level in answer.levels] == [
        ("placed", 2000, 2000),
        ("pack", 1000, 1000),
    ]
