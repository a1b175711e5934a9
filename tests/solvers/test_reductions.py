"""Each reduction loses nothing: a best answer of the smaller problem, taken back, is a best answer of the larger one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solvers import objective
from solvers.problem import Assignment
from solvers.reductions import components, equal_rows, forced, reduce, useless
from solvers.rules import GroupCap
from tests.solvers.brute import assignments, best_values
from tests.solvers.check import breaches
from tests.solvers.problems import problems, rows, small_problem

SMALL = problems(most_agents=2, most_rows=3, most_wanted=2)
TWINS = problems(most_agents=2, most_rows=2, most_wanted=2)
WAYS = {"useless": useless.apply, "forced": forced.apply, "equal rows": equal_rows.apply, "all": reduce}
SETTINGS = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def best_answer(problem):
    best = None
    for candidate in assignments(problem):
        values = objective.values(problem, candidate)
        if best is None or objective.better(problem, values, best[0]):
            best = (values, candidate)
    return best[1]


@st.composite
def problems_with_twins(draw):
    """A random problem in which rows repeat, each with a cap of its own or none."""
    problem = draw(TWINS)
    twins = 1
    order = np.r_[np.arange(problem.rows), np.arange(twins)]
    caps = []
    for row in range(twins):
        if draw(st.booleans()):
            limit, grouping = draw(st.integers(1, 2)), draw(st.sampled_from([-1, -1, 0]))
            caps += [GroupCap(rows=rows(one), grouping=grouping, limit=limit) for one in (row, problem.rows + row)]
    fields = {name: getattr(problem, name)[order] for name in ("shape", "wanted", "mask", "priority", "weight")}
    fields["wanted"] = np.minimum(fields["wanted"], 2)
    return replace(problem, **fields, rules=tuple(caps), preferences=None)


@pytest.mark.parametrize(
    "apply", [useless.apply, forced.apply, equal_rows.apply, reduce], ids=["useless", "forced", "equal rows", "all"]
)
@SETTINGS
@given(st.one_of(SMALL, problems_with_twins()))
def test_the_best_answer_comes_back_as_a_best_answer(apply, problem):
    reduced = apply(problem)
    found = reduced.back(best_answer(reduced.problem))
    assert breaches(problem, found) == []
    assert objective.values(problem, found) == best_values(problem)


@pytest.mark.parametrize(
    "apply", [useless.apply, forced.apply, equal_rows.apply, reduce], ids=["useless", "forced", "equal rows", "all"]
)
@SETTINGS
@given(st.one_of(SMALL, problems_with_twins()), st.randoms(use_true_random=False))
def test_an_answer_goes_there_and_back_and_is_no_worse(apply, problem, random):
    some = list(assignments(problem))
    answer = random.choice(some)
    reduced = apply(problem)
    there = reduced.forward(answer)
    assert breaches(reduced.problem, there) == []
    home = reduced.back(there)
    assert breaches(problem, home) == []
    tiers = sum(name == "placed" for name, _, _ in objective.names(problem))
    assert objective.values(problem, home)[:tiers] >= objective.values(problem, answer)[:tiers]


@SETTINGS
@given(SMALL)
def test_the_parts_together_are_a_best_answer_of_the_whole(problem):
    found = [part.back(best_answer(part.problem)) for part in components(problem)]
    joined = Assignment.of_runs(
        *(np.concatenate([getattr(one, name) for one in found]) for name in ("row", "agent", "count")), problem.agents
    )
    assert breaches(problem, joined) == []
    assert objective.values(problem, joined) == best_values(problem)


def test_an_agent_that_nobody_can_use_is_left_out():
    found = useless.apply(small_problem([[1], [5]], [[2]], [1]))
    assert (found.problem.agents, found.notes) == (1, ("1 agents that no job can use left out",))


def test_a_row_that_fits_nowhere_is_left_out():
    found = useless.apply(small_problem([[5]], [[2], [9]], [1, 3]))
    assert (found.problem.rows, found.notes) == (1, ("1 jobs that no agent can take left out",))


def test_rows_without_rules_merge_whatever_they_want():
    problem = small_problem([[9]], [[2], [2], [3]], [1, 2, 1])
    problem = replace(problem, shape=rows(0, 0, 2))
    found = equal_rows.apply(problem).problem
    assert found.wanted.tolist() == [3, 1]


def test_rows_with_a_cap_merge_if_they_want_equally_many_and_are_dealt_in_turn():
    caps = [GroupCap(rows=rows(row), grouping=-1, limit=1) for row in range(3)]
    problem = replace(small_problem([[9], [9]], [[1]] * 3, [2, 2, 1], caps), shape=rows(0, 0, 0))
    found = equal_rows.apply(problem)
    assert found.problem.wanted.tolist() == [4, 1]
    assert [rule.limit for rule in found.problem.rules] == [2, 1]
    whole = Assignment.of_runs(rows(0, 0, 1), rows(0, 1, 1), np.array([2, 2, 1]), 2)
    home = found.back(whole)
    assert breaches(problem, home) == []
    assert home.placed(3).tolist() == [2, 2, 1]


def test_a_row_with_one_agent_that_nobody_else_needs_is_placed_by_force():
    problem = small_problem([[9], [9]], [[2], [2]], [1, 3], allowed=[[0], [0, 1]])
    found = forced.apply(problem)
    assert found.problem.rows == 1
    assert found.back(Assignment.nothing()).placed(2).tolist() == [1, 0]


def test_rows_on_other_agents_are_parts_of_their_own():
    problem = small_problem([[5], [5], [5]], [[1], [1], [1]], [1, 1, 1], allowed=[[0], [1, 2], [2]])
    assert [part.problem.rows for part in components(problem)] == [2, 1]


def test_a_rule_holds_its_rows_together():
    cap = GroupCap(rows=rows(0, 1), grouping=0, limit=1)
    problem = small_problem([[5], [5]], [[1], [1]], [1, 1], [cap], allowed=[[0], [1]], groupings=[[0, 0]])
    assert [part.problem.rows for part in components(problem)] == [2]


def test_a_row_is_not_forced_where_others_may_need_the_room():
    problem = small_problem([[5], [9]], [[2], [2]], [1, 3], allowed=[[0], [0, 1]])
    assert forced.apply(problem).problem.rows == 2
