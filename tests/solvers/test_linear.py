"""Linear models as arrays: what is added is what is solved, and bounds move to the safe side."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.linear import INFINITY, LinearModel, dual_bound, safe_bound, solve_linear


def knapsack(integer: bool) -> LinearModel:
    """Maximise 5a + 4b (so minimise its negative) under 6a + 4b <= 24 and a + 2b <= 6."""
    model = LinearModel()
    x = model.add_columns(2, cost=[-5, -4], integer=integer)
    model.add_rows(2, [0, 0, 1, 1], [x[0], x[1], x[0], x[1]], [6, 4, 1, 2], upper=[24, 6])
    return model


@pytest.mark.parametrize("engine", ["highs", "glop", "scip"])
def test_a_linear_programme_is_solved_by_every_engine(engine):
    found = solve_linear(knapsack(integer=False), engine)
    assert found.status == "optimal"
    assert found.value == pytest.approx(-21)
    assert found.x == pytest.approx([3, 1.5])


def test_whole_numbers_are_whole():
    found = solve_linear(knapsack(integer=True))
    assert (found.whole().tolist(), safe_bound(found.bound)) == ([4, 0], -20)


def test_what_cannot_be_is_infeasible():
    model = LinearModel()
    x = model.add_columns(1, upper=1)
    model.add_rows(1, [0], x, 1.0, lower=2)
    assert solve_linear(model).status == "infeasible"


def test_equal_entries_are_added_up_and_blocks_follow_each_other():
    model = LinearModel()
    first, second = model.add_columns(2), model.add_columns(1, cost=3)
    model.add_rows(1, [0, 0], [first[0], first[0]], [1, 2])
    model.add_rows(2, [0, 1], [second[0], first[1]], [5, 6])
    row, column, value = model.matrix()
    assert list(zip(row.tolist(), column.tolist(), value.tolist(), strict=True)) == [(0, 0, 3), (1, 2, 5), (2, 1, 6)]
    assert model.cost.tolist() == [0, 0, 3]


def test_without_time_nothing_is_begun():
    assert solve_linear(knapsack(integer=False), seconds=0.0).status == "unknown"


def test_a_stated_bound_is_lowered_before_it_is_rounded_up():
    assert safe_bound(10.0000001) == 10
    assert safe_bound(10.1) == 11
    assert safe_bound(9.99999999) == 10
    assert safe_bound(1001, step=1000) == 2000


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_dual_vector_gives_a_bound(data):
    number = st.integers(-5, 5)
    model = LinearModel()
    x = model.add_columns(3, cost=[data.draw(number) for _ in range(3)], upper=4, integer=True)
    entries = [data.draw(number) for _ in range(6)]
    model.add_rows(2, np.repeat([0, 1], 3), np.tile(x, 2), entries, lower=[-3, -INFINITY], upper=[INFINITY, 6])
    dual = np.array([data.draw(st.floats(-3, 3)) for _ in range(2)])
    grid = np.array(np.meshgrid(*[range(5)] * 3)).reshape(3, -1).T
    rows = grid @ np.array(entries).reshape(2, 3).T
    right = (rows[:, 0] >= -3) & (rows[:, 1] <= 6)
    best = min((grid @ model.cost)[right], default=INFINITY)
    assert dual_bound(model, dual) <= best + 1e-9
