import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers import objective
from solvers.exact import solve
from solvers.options import Options
from solvers.problem import UnitRequests, Units
from solvers.rules import Balance, Counts, Excludes, Gang, GroupCap, Quota, Requires
from tests.solvers.brute import best_values
from tests.solvers.check import breaches
from tests.solvers.problems import problems, rows, small_problem


def soon(seconds: float = 20.0, **more: object) -> Options:
    return Options(until=time.monotonic() + seconds, seconds=seconds, **more)  # type: ignore[arg-type]


def level_values(assignment):
    return tuple(level.value for level in assignment.levels)


def test_the_most_weight_is_placed_and_proved():
    problem = small_problem([[10]], [[6], [5], [5]], [1, 1, 1], weight=[3000, 2000, 2000])
    answer = solve(problem, soon())
    assert level_values(answer)[0] == 4000
    assert answer.levels[0].optimal


def test_a_higher_priority_is_served_before_any_number_of_lower_ones():
    problem = small_problem([[10]], [[10], [1]], [1, 10], priority=[1, 0])
    assert solve(problem, soon()).placed(2).tolist() == [1, 0]


def test_pack_pays_for_the_cheapest_agents_that_hold_everything():
    problem = small_problem([[10], [6], [6]], [[5]], [2], price=[5000, 2000, 2000])
    answer = solve(problem, soon())
    assert (answer.agent.tolist(), answer.levels[-1].value, answer.levels[-1].optimal) == ([1, 2], 4000, True)


def test_agents_that_hold_something_cost_nothing_further():
    problem = small_problem([[10], [10]], [[5]], [2], price=[1000, 9000], held=[False, True])
    assert solve(problem, soon()).agent.tolist() == [1]


def test_balance_lowers_the_peak():
    problem = small_problem([[10], [10]], [[2]], [4], goal="balance")
    answer = solve(problem, soon())
    assert (answer.count.tolist(), answer.levels[-1].value) == ([2, 2], 400_000)


def test_a_balance_stops_at_one_above_the_group_that_is_full():
    rule = Balance(rows=rows(0), grouping=0, relevant=np.array([True, True]))
    problem = small_problem([[1], [9]], [[1]], [9], [rule], groupings=[[0, 1]])
    assert solve(problem, soon()).count.tolist() == [1, 2]


def test_a_quota_uses_no_more_groups_than_it_says():
    rule = Quota(rows=rows(0), grouping=0, groups=2, each=2, extra=1)
    problem = small_problem([[9], [9], [9]], [[1]], [5], [rule], groupings=[[0, 1, 2]])
    assert sorted(solve(problem, soon()).count.tolist()) == [2, 3]


def test_a_gang_is_placed_whole_or_not_at_all():
    problem = small_problem([[3]], [[1], [1]], [4, 1], [Gang(rows=rows(0), least=4)])
    assert solve(problem, soon()).placed(2).tolist() == [0, 1]


def test_rows_that_require_each_other_come_together():
    rules = [
        Requires(rows=rows(0), grouping=0, others=rows(1)),
        Requires(rows=rows(1), grouping=0, others=rows(0)),
    ]
    problem = small_problem([[1], [2]], [[1], [1]], [1, 1], rules, groupings=[[0, 1]])
    assert solve(problem, soon()).agent.tolist() == [1, 1]


def test_counted_instances_above_their_limit_keep_the_others_out():
    rule = Excludes(
        rows=rows(0), grouping=0, others=rows(1), limit=0, counted=Counts(np.array([0], np.int32), np.array([1]))
    )
    problem = small_problem([[9], [9]], [[1], [1]], [1, 2], [rule], groupings=[[0, 1]], allowed=[[0], [0, 1]])
    answer = solve(problem, soon())
    assert answer.placed(2).tolist() == [1, 2]
    assert answer.agent.tolist() == [0, 1]


def test_a_soft_cap_is_broken_as_little_as_possible():
    rule = GroupCap(rows=rows(0), grouping=-1, limit=1, soft=True)
    problem = small_problem([[9], [9]], [[1]], [3], [rule])
    answer = solve(problem, soon())
    assert level_values(answer)[:2] == (3000, 1)


def test_units_are_taken_as_the_procedure_hands_them_out():
    units = Units(np.array([0, 0], np.int32), np.array([5, 4]), np.array([False, False]))
    asked = UnitRequests(rows(0), np.array([4]), rows(0), (np.array([True, True]),))
    problem = small_problem([[9]], [[1]], [3], units=units, unit_requests=asked)
    assert solve(problem, soon()).placed(1).tolist() == [2]


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(problems(most_agents=3, most_rows=2, most_wanted=3), problems(most_agents=2, most_rows=3, most_wanted=2))
)
def test_every_level_equals_brute_force(problem):
    answer = solve(problem, soon())
    assert breaches(problem, answer) == []
    assert level_values(answer) == best_values(problem)
    assert all(level.optimal for level in answer.levels)


@settings(max_examples=25, deadline=None)
@given(problems(most_agents=3, most_rows=3, most_wanted=3))
def test_the_same_seed_gives_the_same_answer_with_any_number_of_workers(problem):
    one = solve(problem, soon(deterministic=True, workers=1))
    two = solve(problem, soon(deterministic=True, workers=2))
    assert [one.row.tolist(), one.agent.tolist(), one.count.tolist()] == [
        two.row.tolist(), two.agent.tolist(), two.count.tolist(),
    ]  # fmt: skip


def test_the_answer_to_start_from_is_never_made_worse():
    problem = small_problem([[10], [6], [6]], [[5]], [2], price=[5000, 2000, 2000])
    first = solve(problem, soon())
    again = solve(problem, replace(soon(), until=time.monotonic()), first)
    assert not objective.better(problem, level_values(first), level_values(again))


@pytest.mark.parametrize("goal", ["pack", "spread", "balance", "prefer"])
def test_an_empty_problem_has_an_empty_answer(goal):
    answer = solve(small_problem([[1]], [[1]], [0], goal=goal), soon())
    assert len(answer.row) == 0
