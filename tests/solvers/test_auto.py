"""The default solver: greedy, then more while time is left; never worse."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from solvers import SOLVERS, auto, greedy, objective, solve
from solvers.options import Options
from solvers.rules import EACH_AGENT, Balance, GroupCap
from solvers.strategies import Strategy
from solvers.strategies.neighbourhoods import NEIGHBOURHOODS
from tests.solvers.check import breaches
from tests.solvers.problems import problems, rows, small_problem


def soon(seconds=10.0, **more):
    return Options(until=time.monotonic() + seconds, seconds=seconds, **more)


def steady(workers):
    return Options(until=time.monotonic() + 300, seconds=1.0, seed=4, workers=workers, deterministic=True)


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


def test_neighbourhoods_improve_a_problem_that_no_other_strategy_takes(monkeypatch):
    monkeypatch.setattr(auto, "STRATEGIES", (NEIGHBOURHOODS,))
    rng = np.random.default_rng(3)
    capacity = rng.integers(8, 20, size=(30, 2))
    demand = rng.integers(1, 8, size=(25, 2))
    cap = [GroupCap(rows=rows(row), grouping=EACH_AGENT, limit=2) for row in range(0, 25, 3)]
    problem = small_problem(capacity.tolist(), demand.tolist(), [2] * 25, cap)
    before = greedy.solve(problem, soon())
    after = auto.solve(problem, soon(4))
    assert "neighbourhoods" in after.strategy
    assert breaches(problem, after) == []
    assert objective.better(problem, values(after), values(before))


def test_independent_parts_are_solved_and_proved_one_by_one():
    """Three sixes need three agents of ten, though two have as much as they ask for."""
    problem = small_problem([[10]] * 6, [[6], [6]], [3, 3], allowed=[[0, 1, 2], [3, 4, 5]])
    answer = auto.solve(problem, soon())
    assert "2 independent parts" in answer.strategy
    assert values(answer) == [6000, 6000]
    assert all(level.optimal for level in answer.levels)


def test_an_interrupt_returns_the_best_answer_so_far(monkeypatch):
    def interrupted(problem, board, options):
        raise KeyboardInterrupt

    rude = Strategy(name="rude", unsuited=lambda problem, board: None, improve=interrupted)
    monkeypatch.setattr(auto, "STRATEGIES", (rude,))
    problem = small_problem([[10]] * 3, [[6]], [3])
    answer = auto.solve(problem, soon())
    assert answer.cut_short
    assert "interrupted" in answer.strategy
    assert values(answer) == values(greedy.solve(problem, soon()))


@pytest.mark.parametrize("goal", ["pack", "spread", "balance", "prefer"])
def test_the_same_seed_gives_the_same_answer_with_any_number_of_workers(goal):
    rng = np.random.default_rng(5)
    capacity = rng.integers(8, 30, size=(16, 2))
    demand = rng.integers(1, 8, size=(24, 2))
    racks = Balance(rows=rows(0), grouping=0, relevant=np.ones(4, np.bool_))
    problem = small_problem(
        capacity.tolist(), demand.tolist(), [4] + [2] * 23, [racks], groupings=[[i % 4 for i in range(16)]], goal=goal,
        price=(1000 * rng.integers(1, 5, 16)).tolist(),
    )  # fmt: skip
    found = [auto.solve(problem, steady(workers)) for workers in (1, 3)]
    for one in found[1:]:
        assert (one.row.tolist(), one.agent.tolist(), one.count.tolist()) == (
            found[0].row.tolist(), found[0].agent.tolist(), found[0].count.tolist(),
        )  # fmt: skip


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
