import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from solvers import greedy, objective
from solvers.greedy.portfolio import Traits, members
from solvers.options import Options
from solvers.problem import Preferences, UnitRequests, Units
from solvers.rules import (
    EACH_AGENT,
    Avoid,
    Balance,
    Excludes,
    Gang,
    GroupCap,
    OneGroup,
    Quota,
    Requires,
)
from tests.benchmarks.offers import agent_rows, apps_of
from tests.solvers.check import breaches
from tests.solvers.problems import counted, placed_by_group, problems, problems_with_units, rows, small_problem


def solved(problem, **options):
    """The greedy answer, after the judge has found nothing wrong."""
    answer = greedy.solve(problem, Options(**options))
    assert breaches(problem, answer) == []
    return answer


def placed(problem):
    """Instances placed of each row."""
    return solved(problem).placed(problem.rows).tolist()


def runs(problem):
    """The answer as {(row, agent): count}."""
    answer = solved(problem)
    return dict(zip(zip(answer.row.tolist(), answer.agent.tolist(), strict=True), answer.count.tolist(), strict=True))


# --- capacity, masks, priorities ----------------------------------------------------------------------------------------


def test_an_agent_takes_no_more_than_every_dimension_holds():
    assert placed(small_problem([[10, 4]], [[3, 1]], [9])) == [3]
    assert placed(small_problem([[10, 2]], [[3, 1]], [9])) == [2]


def test_big_rows_go_first_so_that_small_ones_fill_the_gaps():
    assert placed(small_problem([[10], [10]], [[3], [7]], [2, 2])) == [2, 2]


def test_a_row_stays_inside_its_mask():
    assert runs(small_problem([[9], [9]], [[3]], [9], allowed=[[1]])) == {(0, 1): 3}


def test_rows_that_few_agents_are_open_to_go_before_free_ones():
    capacity = [[4]] * 8
    problem = small_problem(capacity, [[4], [4]], [8, 1], allowed=[None, [0]])
    assert placed(problem) == [7, 1]


def test_a_higher_priority_is_served_before_any_number_of_lower_ones():
    assert placed(small_problem([[10]], [[1], [10]], [10, 1], priority=[0, 1])) == [0, 1]


def test_more_weight_is_placed_where_not_all_fits():
    assert placed(small_problem([[10]], [[10], [5]], [1, 2], weight=[1000, 1000])) == [0, 2]
    assert placed(small_problem([[10]], [[10], [5]], [1, 2], weight=[9000, 1000])) == [1, 0]


def test_rows_that_need_nothing_fit_everywhere_in_any_number():
    assert placed(small_problem([[0]], [[0]], [10**9])) == [10**9]


def test_nothing_to_do_and_nowhere_to_go_give_empty_answers():
    assert placed(small_problem([[5]], [[1]], [0])) == [0]
    assert placed(small_problem([[5]], [], [])) == []
    assert placed(small_problem([], [[1]], [3])) == [0]


# --- caps, one group, quotas --------------------------------------------------------------------------------------------


def test_a_cap_on_each_agent_holds_row_by_row():
    rules = [GroupCap(rows=rows(row), grouping=EACH_AGENT, limit=1) for row in (0, 1)]
    assert runs(small_problem([[9], [9]], [[1], [1]], [3, 2], rules)) == {
        (0, 0): 1, (0, 1): 1, (1, 0): 1, (1, 1): 1,
    }  # fmt: skip


def test_a_cap_on_groups_counts_what_stands_there_and_what_other_rows_of_its_scope_place():
    rule = GroupCap(rows=rows(0, 1), grouping=0, limit=2, counted=counted(g0=1))
    problem = small_problem([[9], [9]], [[1], [1]], [9, 9], [rule], groupings=[[0, 1]])
    assert sum(placed(problem)) == 3
    assert sum(np.array([placed_by_group(problem, solved(problem), row, 0) for row in (0, 1)])).tolist() == [1, 2]


def test_a_cap_does_not_touch_agents_outside_all_groups():
    rule = GroupCap(rows=rows(0), grouping=0, limit=1)
    assert runs(small_problem([[9], [9]], [[1]], [6], [rule], groupings=[[0, -1]])) == {(0, 0): 1, (0, 1): 5}


def test_one_group_is_the_one_that_holds_all_and_the_tightest_of_these():
    rule = OneGroup(rows=rows(0), grouping=0)
    problem = small_problem([[3], [4], [4], [3], [2]], [[1]], [4], [rule], groupings=[[0, 1, 1, 2, 2]])
    assert placed_by_group(problem, solved(problem), 0, 0) == [0, 0, 4]


def test_a_quota_opens_so_many_groups_and_gives_one_the_extra():
    rule = Quota(rows=rows(0), grouping=0, groups=2, each=2, extra=1)
    problem = small_problem([[9], [9], [9]], [[1]], [5], [rule], groupings=[[0, 1, 2]])
    assert sorted(placed_by_group(problem, solved(problem), 0, 0)) == [0, 2, 3]


def test_a_quota_opens_the_groups_with_room():
    rule = Quota(rows=rows(0), grouping=0, groups=2, each=2, extra=1)
    problem = small_problem([[1], [3], [2]], [[1]], [5], [rule], groupings=[[0, 1, 2]])
    assert placed_by_group(problem, solved(problem), 0, 0) == [0, 3, 2]


def test_counted_instances_use_groups_and_extras_of_a_quota():
    rule = Quota(rows=rows(0), grouping=0, groups=2, each=2, extra=1, counted=counted(g0=3), outside=np.array([1]))
    problem = small_problem([[9], [9]], [[1]], [5], [rule], groupings=[[0, 1]])
    assert placed(problem) == [0]
    assert placed(replace(problem, rules=(replace(rule, outside=np.empty(0, np.int64)),))) == [2]


# --- balance ------------------------------------------------------------------------------------------------------------


def balance(row=0, **more):
    return Balance(rows=rows(row), grouping=0, **{"relevant": np.ones(3, np.bool_), **more})


def by_group(capacity, wanted, rule, groupings=((0, 1, 2),)):
    problem = small_problem([[c] for c in capacity], [[1]], [wanted], [rule], groupings=groupings)
    return placed_by_group(problem, solved(problem), 0, 0)


def test_a_balance_spreads_over_all_groups():
    assert by_group([9, 9, 9], 7, balance()) == [3, 2, 2]


def test_a_group_that_fills_up_stops_the_others_one_above_it():
    assert by_group([1, 5, 5], 9, balance()) == [1, 2, 2]
    assert by_group([0, 5, 5], 9, balance()) == [0, 1, 1]


def test_a_group_that_does_not_matter_takes_nothing_and_stops_nobody():
    assert by_group([0, 5, 5], 4, balance(relevant=np.array([False, True, True]))) == [0, 2, 2]


def test_what_stands_there_is_filled_up_to_a_level():
    assert by_group([9, 9, 9], 6, balance(counted=counted(g0=3))) == [0, 3, 3]
    assert by_group([9, 9, 9], 8, balance(counted=counted(g0=3, g1=1))) == [1, 3, 4]


def test_the_extra_ones_go_where_most_room_is_left():
    assert by_group([4, 9, 6], 10, balance()) == [3, 4, 3]


def test_too_few_groups_in_use_take_one_each():
    assert by_group([5, 5, 0], 6, balance(at_least=3)) == [1, 1, 0]
    assert by_group([5, 5, 5], 6, balance(at_least=3)) == [2, 2, 2]


def test_a_balance_over_some_groups_may_leave_a_full_one_unused():
    assert by_group([1, 5, 5], 10, balance(at_least=2)) == [0, 5, 5]


def test_two_balances_hold_at_once():
    rules = [balance(), replace(balance(), grouping=1, relevant=np.ones(2, np.bool_))]
    capacity = [[9]] * 6
    problem = small_problem(capacity, [[1]], [6], rules, groupings=[[0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1]])
    answer = solved(problem)
    assert placed_by_group(problem, answer, 0, 0) == [2, 2, 2]
    assert placed_by_group(problem, answer, 0, 1) == [3, 3]


def test_a_balance_and_a_cap_on_each_agent_hold_together():
    rules = [balance(), GroupCap(rows=rows(0), grouping=EACH_AGENT, limit=1)]
    assert runs(small_problem([[9]] * 4, [[1]], [6], rules, groupings=[[0, 0, 1, 2]])) == {
        (0, 0): 1, (0, 1): 1, (0, 2): 1, (0, 3): 1,
    }  # fmt: skip


# --- rules between rows -------------------------------------------------------------------------------------------------


def test_a_required_row_comes_first_although_it_is_smaller():
    rule = Requires(rows=rows(0), grouping=EACH_AGENT, others=rows(1))
    assert runs(small_problem([[9], [9]], [[5], [1]], [1, 1], [rule])).keys() == {(0, 0), (1, 0)}


def test_a_row_follows_only_where_the_required_one_stands():
    rule = Requires(rows=rows(0), grouping=0, others=rows(), others_counted=counted(g1=1))
    assert runs(small_problem([[9], [2]], [[1]], [9], [rule], groupings=[[0, 1]])) == {(0, 1): 2}


def test_rows_that_require_each_other_come_together_or_not_at_all():
    rules = [
        Requires(rows=rows(0), grouping=0, others=rows(1)),
        Requires(rows=rows(1), grouping=0, others=rows(0)),
    ]
    problem = small_problem([[3], [5]], [[3], [2]], [1, 1], rules, groupings=[[0, 1]])
    assert runs(problem) == {(0, 1): 1, (1, 1): 1}
    assert runs(replace(problem, capacity=np.array([[3], [4]]))) == {}


def test_a_circle_of_three_comes_together():
    rules = [Requires(rows=rows(row), grouping=0, others=rows((row + 1) % 3)) for row in range(3)]
    problem = small_problem([[2], [3]], [[1], [1], [1]], [1, 1, 1], rules, groupings=[[0, 1]])
    assert runs(problem) == {(0, 1): 1, (1, 1): 1, (2, 1): 1}


def test_a_row_of_high_priority_brings_the_low_one_it_requires():
    rule = Requires(rows=rows(0), grouping=0, others=rows(1))
    problem = small_problem([[4]], [[3], [1]], [1, 4], [rule], groupings=[[0]], priority=[1, 0])
    assert placed(problem) == [1, 1]


def test_an_exclusion_holds_in_both_directions():
    for excluded, other in ((0, 1), (1, 0)):
        rule = Excludes(rows=rows(excluded), grouping=EACH_AGENT, others=rows(other), limit=0)
        assert runs(small_problem([[9], [9]], [[2], [1]], [4, 4], [rule])) == {(0, 0): 4, (1, 1): 4}


def test_up_to_its_limit_a_row_may_stand_beside_the_others():
    rule = Excludes(rows=rows(0), grouping=EACH_AGENT, others=rows(), limit=2, others_counted=counted(g0=1))
    assert runs(small_problem([[9]], [[1]], [9], [rule])) == {(0, 0): 2}


def test_others_stay_away_from_a_group_where_too_many_stand_already():
    rule = Excludes(rows=rows(0), grouping=EACH_AGENT, others=rows(1), limit=1, counted=counted(g0=2))
    assert runs(small_problem([[9], [9]], [[5], [1]], [0, 9], [rule])) == {(1, 1): 9}


# --- gangs --------------------------------------------------------------------------------------------------------------


def test_a_gang_that_does_not_fit_leaves_its_room_to_others():
    problem = small_problem([[10]], [[4], [1]], [3, 10], [Gang(rows=rows(0), least=3)], weight=[9000, 1000])
    assert placed(problem) == [0, 10]
    assert placed(replace(problem, capacity=np.array([[12]]))) == [3, 0]


def test_a_gang_over_two_rows_counts_both():
    problem = small_problem([[4], [4]], [[4], [2]], [1, 2], [Gang(rows=rows(0, 1), least=3)])
    assert placed(problem) == [1, 2]
    assert placed(replace(problem, capacity=np.array([[4], [3]]))) == [0, 0]


def test_what_a_gang_brought_along_goes_with_it():
    rules = [
        Gang(rows=rows(0), least=2),
        Requires(rows=rows(0), grouping=0, others=rows(1)),
        Requires(rows=rows(1), grouping=0, others=rows(0)),
    ]
    assert placed(small_problem([[6]], [[3], [1]], [2, 1], rules, groupings=[[0]])) == [0, 0]
    assert placed(small_problem([[7]], [[3], [1]], [2, 1], rules, groupings=[[0]])) == [2, 1]


# --- soft rules ---------------------------------------------------------------------------------------------------------


def test_agents_to_avoid_are_used_when_nothing_else_is_left():
    rule = Avoid(rows=rows(0), mask=np.array([False, True]))
    assert runs(small_problem([[9], [2]], [[1]], [2], [rule])) == {(0, 1): 2}
    assert runs(small_problem([[9], [2]], [[1]], [5], [rule])) == {(0, 0): 3, (0, 1): 2}


def test_a_soft_cap_is_broken_no_more_than_needed():
    rule = GroupCap(rows=rows(0), grouping=0, limit=1, soft=True)
    problem = small_problem([[1], [1], [9]], [[1]], [4], [rule], groupings=[[0, 1, 2]])
    assert runs(problem) == {(0, 0): 1, (0, 1): 1, (0, 2): 2}


def test_a_soft_balance_gives_way_to_placing_more():
    rule = replace(balance(), soft=True)
    assert by_group([1, 5, 5], 9, rule) in ([1, 4, 4], [1, 5, 3], [1, 3, 5])


def test_of_two_soft_rules_as_few_as_possible_are_broken():
    rules = [
        Avoid(rows=rows(0), mask=np.array([False, False])),
        GroupCap(rows=rows(0), grouping=EACH_AGENT, limit=0, soft=True, counted=counted(g0=1)),
    ]
    problem = small_problem([[5], [5]], [[1]], [2], [rules[0], replace(rules[1], limit=1)])
    assert objective.values(problem, solved(problem))[1] == 3


# --- units --------------------------------------------------------------------------------------------------------------


def with_units(problem, units, requests):
    """Units as (agent, amount, whole), requests as (row, amount), all eligible."""
    return replace(
        problem,
        units=Units(
            np.array([u[0] for u in units], np.int32),
            np.array([u[1] for u in units], np.int64),
            np.array([u[2] for u in units], np.bool_),
        ),
        unit_requests=UnitRequests(
            np.array([r[0] for r in requests], np.int32),
            np.array([r[1] for r in requests], np.int64),
            np.zeros(len(requests), np.int32),
            (np.ones(len(units), np.bool_),),
        ),
    )


def test_a_shared_unit_serves_as_often_as_its_amount_lasts():
    problem = small_problem([[9], [9]], [[1]], [9])
    assert runs(with_units(problem, [(0, 7, False), (1, 2, False)], [(0, 3)])) == {(0, 0): 2}


def test_a_whole_unit_serves_one_request_and_two_requests_take_two():
    problem = small_problem([[9], [9]], [[1]], [9])
    units = [(0, 5, True), (0, 5, True), (0, 5, True), (1, 5, True)]
    assert runs(with_units(problem, units, [(0, 3)])) == {(0, 0): 3, (0, 1): 1}
    assert runs(with_units(problem, units, [(0, 3), (0, 2)])) == {(0, 0): 1}


def test_rows_share_the_units_of_an_agent():
    problem = small_problem([[9]], [[2], [1]], [1, 9], weight=[9000, 1000])
    assert runs(with_units(problem, [(0, 5, False)], [(0, 3), (1, 1)])) == {(0, 0): 1, (1, 0): 2}


# --- goals --------------------------------------------------------------------------------------------------------------


def test_pack_fills_agents_before_opening_others():
    assert len(runs(small_problem([[9], [9], [9]], [[3]], [3]))) == 1


def test_pack_opens_agents_by_price_and_those_held_already_first():
    problem = small_problem([[10], [10], [10]], [[5]], [2], price=[5000, 2000, 9000])
    assert runs(problem) == {(0, 1): 2}
    assert runs(replace(problem, held=np.array([False, False, True]))) == {(0, 2): 2}


def test_spread_and_balance_level_the_agents():
    for goal in ("spread", "balance"):
        assert runs(small_problem([[12], [12], [12]], [[2]], [6], goal=goal)) == {(0, 0): 2, (0, 1): 2, (0, 2): 2}
    uneven = small_problem([[12], [6]], [[2]], [4], goal="balance", total=[[12], [12]])
    assert runs(uneven) == {(0, 0): 4}


def test_prefer_takes_the_cheapest_agents_first():
    preferences = Preferences(row=rows(0, 0, 0), agent=rows(0, 1, 2), cost=np.array([3, 1, 2]))
    problem = small_problem([[2], [2], [2]], [[1]], [3], goal="prefer", preferences=preferences)
    assert runs(problem) == {(0, 1): 2, (0, 2): 1}


# --- time and repetition ------------------------------------------------------------------------------------------------


def test_the_first_run_completes_whatever_the_clock_says_and_the_answer_says_it_was_cut_short():
    late = time.monotonic() - 1
    problem = small_problem([[10]], [[4], [1]], [2, 9])
    assert solved(problem, until=late).cut_short
    assert int(solved(problem, until=late).count.sum()) > 0
    assert not solved(problem).cut_short


def test_better_answers_are_told_of():
    told = []
    problem = small_problem([[10]], [[6], [5]], [1, 2])
    answer = solved(problem, progress=lambda one, _: told.append(int(one.count.sum())))
    assert told == sorted(told)
    assert told[-1] == int(answer.count.sum()) == 2


def offers_problem(mode, agents=1000, tasks=10_000, order=None):
    """The offers workload as a problem, agents in any order."""
    table = agent_rows(agents)
    table = table if order is None else [table[i] for i in order]
    apps = apps_of(agents, tasks, distinct=True)
    racks = sorted({row[4] for row in table})
    relevant = np.ones(len(racks), np.bool_)
    per_row = {
        "none": lambda row: [],
        "unique": lambda row: [GroupCap(rows=rows(row), grouping=EACH_AGENT, limit=1)],
        "balanced": lambda row: [Balance(rows=rows(row), grouping=0, relevant=relevant)],
    }[mode]
    return small_problem(
        [(row[1] * 1000, row[2]) for row in table],
        [(round(app.cpus * 1000), app.mem) for app in apps],
        [app.size for app in apps],
        [rule for row in range(len(apps)) for rule in per_row(row)],
        groupings=[[racks.index(row[4]) for row in table]],
    )


@pytest.mark.parametrize("mode", ["none", "unique", "balanced"])
def test_the_number_placed_does_not_depend_on_the_order_of_agents(mode):
    shuffled = np.random.default_rng(5).permutation(1000)
    found = {int(solved(offers_problem(mode, order=order)).count.sum()) for order in (None, shuffled, shuffled[::-1])}
    assert found == {10_000}


@pytest.mark.parametrize("mode", ["none", "unique", "balanced"])
def test_batches_place_as_many_as_the_general_path(mode):
    problem = offers_problem(mode)
    one_by_one = replace(
        problem, rules=(*problem.rules, *(Gang(rows=rows(row), least=1) for row in range(problem.rows)))
    )
    assert (Traits.of(problem).mode >= 0).all()
    assert (Traits.of(one_by_one).mode < 0).all()
    assert solved(problem).count.sum() == solved(one_by_one).count.sum() == 10_000


@pytest.mark.parametrize("mode", ["none", "unique", "balanced"])
def test_the_same_problem_gives_the_same_answer(mode):
    one, other = solved(offers_problem(mode)), solved(offers_problem(mode))
    for name in ("row", "agent", "count"):
        assert (getattr(one, name) == getattr(other, name)).all()
    assert one.levels == other.levels


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems())
def test_every_way_of_running_respects_every_rule(problem):
    traits = Traits.of(problem)
    for member in members(traits):
        assert breaches(problem, member.run(traits)) == [], member.name


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems_with_units())
def test_every_answer_can_be_served_from_the_units(problem):
    solved(problem)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems())
def test_no_answer_of_a_single_run_is_better_than_the_one_returned(problem):
    traits = Traits.of(problem)
    best = objective.values(problem, solved(problem))
    placed_only = len(objective.priorities(problem))
    for member in members(traits):
        found = objective.values(problem, member.run(traits))
        assert found[:placed_only] <= best[:placed_only], member.name
