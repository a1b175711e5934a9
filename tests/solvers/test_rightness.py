"""The solvers' own last look agrees with the slow judge on random assignments, right and wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.problem import Assignment, UnitRequests, Units
from solvers.rightness import is_right, overloaded
from solvers.rules import Gang, GroupCap
from tests.solvers.check import breaches
from tests.solvers.problems import problems, rows, small_problem


def runs(*triples: tuple[int, int, int]) -> Assignment:
    row, agent, count = (np.array([one[i] for one in triples], np.int64) for i in range(3))
    return Assignment.of_runs(row, agent, count, 100)


@settings(max_examples=400, deadline=None)
@given(problems(), st.data())
def test_it_agrees_with_the_slow_judge(problem, data):
    pair = st.tuples(
        st.integers(0, problem.rows - 1), st.integers(0, problem.agents - 1), st.sampled_from([1, 1, 1, 2])
    )
    triples = data.draw(st.lists(pair, max_size=5))
    row, agent, count = (np.array([one[i] for one in triples], np.int64) for i in range(3))
    found = Assignment.of_runs(row, agent, count, problem.agents)
    assert is_right(problem, found) == (breaches(problem, found) == [])


def test_an_agent_that_gives_more_than_it_has_is_named():
    problem = small_problem([[3], [2]], [[2]], [2])
    assert overloaded(problem, runs((0, 0, 2))).tolist() == [0]
    assert overloaded(problem, runs((0, 0, 1), (0, 1, 1))).tolist() == []


def test_counted_instances_above_a_cap_do_not_matter_until_one_is_added():
    from tests.solvers.problems import counted

    problem = small_problem(
        [[9], [9]], [[1]], [2], [GroupCap(rows=rows(0), grouping=-1, limit=1, counted=counted(g0=3))]
    )
    assert is_right(problem, runs((0, 1, 1)))
    assert not is_right(problem, runs((0, 0, 1)))


@pytest.mark.parametrize(("count", "right"), [(0, True), (1, False), (2, True)])
def test_a_gang_is_there_or_not(count, right):
    problem = small_problem([[9]], [[1]], [3], [Gang(rows=rows(0), least=2)])
    assert is_right(problem, runs((0, 0, count))) == right


def test_units_are_taken_once():
    units = Units(rows(0), np.array([5]), np.array([True]))
    asked = UnitRequests(rows(0), np.array([4]), rows(0), (np.array([True]),))
    problem = small_problem([[9]], [[1]], [3], units=units, unit_requests=asked)
    assert is_right(problem, runs((0, 0, 1)))
    assert not is_right(problem, runs((0, 0, 2)))
