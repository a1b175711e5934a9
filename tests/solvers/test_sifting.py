"""Linear models over counts: they state the rules exactly, their bounds are never above the truth, their answers are right."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers import objective, sifting
from solvers.board import Board
from solvers.exact.variables import Pairs
from solvers.linear import solve_linear
from solvers.options import Options
from solvers.problem import Assignment, Preferences, UnitRequests, Units
from solvers.rules import Balance, Excludes, GroupCap, Quota, Requires
from solvers.sifting import peaks, preferring, spreading
from solvers.sifting.agents import AgentModel, places_everything
from solvers.sifting.columns import Columns, sift
from solvers.sifting.placing import find, full_values
from solvers.sifting.writing import _water_level
from tests.solvers.brute import assignments
from tests.solvers.check import breaches
from tests.solvers.problems import counted, problems, rows, small_problem

OPTIONS = Options(seconds=10)
SMALL = {"most_agents": 3, "most_rows": 3, "most_wanted": 3}


def with_costs(problem, *costs):
    """The problem with the goal 'prefer' and costs given as (row, agent, cost)."""
    row, agent, cost = (np.array([one[i] for one in costs]) for i in range(3))
    named = Preferences(row=row.astype(np.int32), agent=agent.astype(np.int32), cost=cost.astype(np.int64))
    return replace(problem, goal="prefer", preferences=named)


def assignment(problem, *triples):
    row, agent, count = (np.array([one[i] for one in triples], np.int64) for i in range(3))
    return Assignment.of_runs(row, agent, count, problem.agents)


def board_of(problem, *triples):
    start = assignment(problem, *triples)
    assert breaches(problem, start) == []
    return Board(problem, OPTIONS, start)


def goals_at(problem, values):
    """The goal values of all right answers with these values of the levels before."""
    found = (objective.values(problem, one) for one in assignments(problem))
    return [each[-1] for each in found if each[:-1] == values]


def some_answer(problem):
    """The right answer that is best before the goal, and worst in the goal."""
    signs = [sense for _, _, sense in objective.names(problem)]

    def key(one):
        values = [sign * value for sign, value in zip(signs, objective.values(problem, one), strict=True)]
        return (*values[:-1], -values[-1])

    return max(assignments(problem), key=key)


# --- the model --------------------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(problems(), st.data())
def test_the_model_holds_just_the_right_answers_that_are_as_good_before_the_goal(problem, data):
    pairs = Pairs.of(problem)
    counts = np.array([data.draw(st.sampled_from([0, 0, 1, 1, int(most)])) for most in pairs.most.tolist()], np.int64)
    if data.draw(st.booleans()):
        problem = replace(problem, wanted=np.bincount(pairs.row, counts, minlength=problem.rows).astype(np.int64))
    found = Assignment.of_runs(pairs.row, pairs.agent, counts, problem.agents)
    goods = len(objective.priorities(problem))
    reached = objective.values(problem, found)[:goods]
    asked = reached if data.draw(st.booleans()) else full_values(problem)[:goods]
    given_values = (*asked, *(0 for name, _, _ in objective.names(problem) if name == "violations"))
    kept = breaches(problem, found) == [] and objective.violations(problem, found) == 0
    right = kept and all(np.array(reached) >= np.array(asked))
    model = AgentModel.of(problem, pairs, given_values).linear
    lower, upper = model.lower, model.upper
    lower[: len(pairs)] = upper[: len(pairs)] = counts
    assert (solve_linear(model.copy(lower=lower, upper=upper)).status == "optimal") == right


@settings(max_examples=120, deadline=None)
@given(problems(**SMALL).filter(lambda problem: problem.rules), st.booleans(), st.data())
def test_gains_are_had_up_to_where_a_rule_binds_and_no_further(problem, everything, data):
    """Every instance gains or costs something, so the best counts lie where rules stop them."""
    pairs = Pairs.of(problem)
    if everything:
        problem = replace(problem, wanted=some_answer(problem).placed(problem.rows))
    none = [0 if sense < 0 or not everything else None for _, _, sense in objective.names(problem)[:-1]]
    values = [value if known is None else known for known, value in zip(none, full_values(problem), strict=True)]
    cost = np.array(data.draw(st.lists(st.integers(-9, 3), min_size=len(pairs), max_size=len(pairs))), np.int64)
    model = AgentModel.of(problem, pairs, values).linear
    found = solve_linear(model.copy(cost=np.r_[cost, np.zeros(model.columns - len(pairs))]), gap=0.0)
    gains = []
    for one in assignments(problem):
        reached = objective.values(problem, one)[: len(objective.priorities(problem))]
        if objective.violations(problem, one) == 0 and all(np.array(reached) >= values[: len(reached)]):
            gains.append(int((cost * pairs.counts(problem, one)).sum()))
    assert (found.status == "optimal") == bool(gains)
    assert not gains or found.value == pytest.approx(min(gains))


BOTH = np.array([True, True])


@pytest.mark.parametrize(
    ("rule", "row", "most"),
    [
        (Balance(rows=rows(0), grouping=0, relevant=BOTH), 0, 3),  # one in group 1, which has no room for more, and two
        (Balance(rows=rows(0), grouping=0, relevant=BOTH, counted=counted(g1=2)), 0, 5),  # three there, and four in all
        (Quota(rows=rows(0), grouping=0, groups=2, each=1, extra=0), 0, 2),
        (Quota(rows=rows(0), grouping=0, groups=1, each=3, extra=1), 0, 4),
        (Requires(rows=rows(0), grouping=0, others=rows(1)), 0, 0),  # nothing is placed of the others
        (Requires(rows=rows(0), grouping=0, others=rows(1), others_counted=counted(g1=1)), 0, 1),
        (Excludes(rows=rows(0), grouping=0, others=rows(1), limit=1, counted=counted(g0=2)), 1, 1),  # not in group 0
        (GroupCap(rows=rows(0), grouping=0, limit=2, counted=counted(g0=1)), 0, 2),
    ],
)
def test_a_rule_leaves_room_for_just_so_many(rule, row, most):
    """Agent 0, group 0, has room for 6 and agent 1, group 1, for 1; only one row is worth placing."""
    problem = small_problem([[6], [1]], [[1], [1]], [7, 7], [rule], groupings=[[0, 1]])
    pairs = Pairs.of(problem)
    model = AgentModel.of(problem, pairs, (0,)).linear
    worth = np.r_[np.where(pairs.row == row, -1, 20), np.zeros(model.columns - len(pairs))]
    assert solve_linear(model.copy(cost=worth)).value == -most


def test_all_instances_of_a_balanced_row_are_within_one():
    """Five over three groups are 2, 2 and 1: three of them must pay 5, though agent 0 would take them all for nothing."""
    rule = Balance(rows=rows(0), grouping=0, relevant=np.array([True] * 3))
    problem = with_costs(small_problem([[9]] * 3, [[1]], [5], [rule], groupings=[[0, 1, 2]]), (0, 1, 5), (0, 2, 5))
    board = board_of(problem, (0, 0, 1), (0, 1, 2), (0, 2, 2))
    sifting.improve(problem, board, OPTIONS)
    assert board.values == (5000, 15)
    assert board.optimal(1)


def test_everything_placed_is_told_from_the_values():
    problem = small_problem([[9]], [[1], [1]], [2, 1], weight=[1000, 3000], priority=[1, 0])
    assert places_everything(problem, (2000, 3000))
    assert not places_everything(problem, (2000, 0))
    assert not places_everything(replace(problem, weight=np.array([0, 3000])), (0, 3000))


@pytest.mark.parametrize(
    ("counts", "total", "level"), [([0, 0], 4, 2), ([0, 0], 5, 2), ([3, 0, 1], 4, 2), ([3, 0, 1], 5, 3), ([7], 0, 7)]
)
def test_instances_fill_up_the_least_counts_like_water(counts, total, level):
    """[3, 0, 1] takes three to become [3, 2, 2]; the fourth begins level 3, the fifth completes it."""
    assert _water_level(np.array(counts), total) == level


# --- columns ----------------------------------------------------------------------------------------------------------


def costed(problem):
    pairs = Pairs.of(problem)
    model = AgentModel.of(problem, pairs, full_values(problem)).linear
    costs = problem.costs(pairs.row, pairs.agent)
    return pairs, Columns(model.copy(cost=np.r_[costs, np.zeros(model.columns - len(pairs))]))


def test_sifting_from_one_answer_reaches_the_whole_relaxation():
    """Three rows want the one agent that is cheap for all: one gets it, the others pay 5 and 4."""
    problem = with_costs(
        small_problem([[1]] * 3, [[1]] * 3, [1] * 3), *[(r, a, 9 - r) for r in range(3) for a in (1, 2)]
    )
    pairs, columns = costed(problem)
    found = sift(columns, pairs.agent == pairs.row)
    assert found.complete
    assert found.bound == pytest.approx(8 + 7)


@settings(max_examples=60, deadline=None)
@given(problems(**SMALL), st.data())
def test_a_bound_of_any_dual_vector_holds_and_so_do_its_reduced_costs(problem, data):
    problem = replace(
        problem, goal="prefer", preferences=problem.preferences or with_costs(problem, (0, 0, 3)).preferences
    )
    pairs, columns = costed(problem)
    dual = data.draw(st.lists(st.floats(-5, 5), min_size=columns.rows, max_size=columns.rows))
    bound, reduced = columns.priced(np.array(dual))
    assert np.isfinite(bound)
    values = full_values(problem)
    for one in assignments(problem):
        found = objective.values(problem, one)
        if found[:-1] == values:
            counts = pairs.counts(problem, one)
            assert found[-1] >= bound - 1e-6
            assert found[-1] >= bound + np.maximum(reduced[: len(pairs)], 0)[counts > 0].max(initial=0) - 1e-6


# --- preferences ------------------------------------------------------------------------------------------------------


def test_the_cheapest_way_is_found_and_proved():
    """Two agents for one instance each: row 0 saves 5 on agent 0, row 1 saves 9, so row 1 gets it."""
    problem = with_costs(small_problem([[1], [1]], [[1], [1]], [1, 1]), (0, 1, 5), (1, 1, 9))
    board = board_of(problem, (0, 0, 1), (1, 1, 1))
    assert sifting.improve(problem, board, OPTIONS) is None
    assert board.values == (2000, 5)
    assert board.optimal(1)


def test_balance_over_racks_is_kept_while_costs_fall():
    """Agents 0 and 1 are rack 0, agent 2 is rack 1: one of two instances must pay 7 there."""
    rule = Balance(rows=rows(0), grouping=0, relevant=np.array([True, True]))
    problem = with_costs(small_problem([[2]] * 3, [[1]], [2], [rule], groupings=[[0, 0, 1]]), (0, 2, 7), (0, 0, 3))
    board = board_of(problem, (0, 0, 1), (0, 2, 1))
    sifting.improve(problem, board, OPTIONS)
    assert board.values == (2000, 7)
    assert board.optimal(1)


def test_costs_below_nothing_are_a_gain():
    problem = with_costs(small_problem([[2], [2]], [[1]], [3]), (0, 1, -4))
    board = board_of(problem, (0, 0, 2), (0, 1, 1))
    sifting.improve(problem, board, OPTIONS)
    assert board.values == (3000, -8)
    assert board.optimal(1)


@settings(max_examples=80, deadline=None)
@given(problems(**SMALL), st.integers(0, 6), st.sampled_from([0, 2]))
def test_least_cost_is_that_of_brute_force(problem, less, first_columns):
    """Also from the columns of one answer alone, when every bound rests on what is left out."""
    named = problem.preferences or with_costs(problem, (0, 0, 3)).preferences
    named = replace(named, cost=named.cost - less)
    problem = replace(problem, goal="prefer", preferences=named)
    board = Board(problem, OPTIONS, some_answer(problem))
    before = board.values[:-1]
    with patch.object(preferring, "FIRST_COLUMNS", first_columns):
        declined = sifting.improve(problem, board, OPTIONS)
    if declined is None and len(board.best.row):
        assert board.values == (*before, min(goals_at(problem, before)))
        assert board.optimal(board.goal_level)
    assert breaches(problem, board.best) == []


# --- peak and spread --------------------------------------------------------------------------------------------------


def test_the_peak_falls_to_the_least_possible_and_is_proved():
    """Instances of 3, 3, 2 and 2 on two agents of 10: no way is below 5 and 5."""
    problem = replace(small_problem([[10], [10]], [[3], [2]], [2, 2]), goal="balance")
    board = board_of(problem, (0, 0, 2), (1, 0, 2))
    sifting.improve(problem, board, OPTIONS)
    assert board.values == (4000, 500_000)
    assert board.optimal(1)


def test_a_peak_that_whole_instances_cannot_reach_is_not_promised():
    """Three instances of 3 on two agents of 10: the average is 45 %, but one agent holds two."""
    problem = replace(small_problem([[10], [10]], [[3]], [3]), goal="balance")
    board = board_of(problem, (0, 0, 3))
    sifting.improve(problem, board, OPTIONS)
    assert board.values == (3000, 600_000)
    assert board.optimal(1)


def test_what_was_used_before_counts_for_the_peak():
    """Agent 0 has 4 of 10 free: two instances of 2 leave it at 80 % if any go there, so both go to agent 1."""
    problem = replace(small_problem([[4], [10]], [[2]], [2], total=[[10], [10]]), goal="balance")
    board = board_of(problem, (0, 0, 2))
    sifting.improve(problem, board, OPTIONS)
    assert board.values == (2000, 600_000)
    assert board.best.agent.tolist() == [1]


def test_the_spread_is_least_where_shares_are_equal():
    """Four instances of 2 on two agents of 10: 0.4 and 0.4, so 2 * 400 squared."""
    problem = replace(small_problem([[10], [10]], [[2]], [4]), goal="spread")
    board = board_of(problem, (0, 0, 4))
    sifting.improve(problem, board, OPTIONS)
    assert board.values == (4000, 2 * 400**2)
    assert board.bound(1)[0] > 0.99 * 2 * 400**2


@settings(max_examples=50, deadline=None)
@given(problems(**SMALL), st.sampled_from(["balance", "spread"]))
def test_no_bound_of_peak_and_spread_is_above_brute_force(problem, goal):
    problem = replace(problem, goal=goal)
    board = Board(problem, OPTIONS, some_answer(problem))
    before, level = board.values[:-1], board.goal_level
    sifting.improve(problem, board, OPTIONS)
    assert board.values[:-1] == before
    best = min(goals_at(problem, before))
    assert board.bound(level)[0] <= best <= board.values[level]
    assert breaches(problem, board.best) == []


def test_a_limit_on_what_is_used_leaves_what_was_used_before_alone():
    problem = small_problem([[4, 1], [10, 10]], [[1, 1]], [1], total=[[10, 0], [10, 10]])
    assert peaks.limited(problem, np.array([[7, 0], [9, 12]])).capacity.tolist() == [[1, 1], [9, 10]]


def test_an_agent_holds_at_a_share_what_rounds_down_to_it():
    """0.333 of an agent of 3 is 1 (333 thousandths, rounded down), and so is 0.4; of 0.666 it is 2."""
    problem = replace(small_problem([[3]], [[1]], [3]), goal="spread")
    agents = spreading._Agents.of(problem)
    found = [int(agents.most_used(np.array([[share]]))[0, 0, 0]) for share in (332, 333, 400, 666)]
    assert found == [0, 1, 1, 2]


# --- placing ----------------------------------------------------------------------------------------------------------


def test_everything_is_placed_where_it_just_fits():
    """6, 5, 4, 3, 3 and 3 fill two agents of 12 to the last: 6 + 3 + 3 and 5 + 4 + 3."""
    problem = small_problem([[12], [12]], [[6], [5], [4], [3]], [1, 1, 1, 3])
    board = Board(problem, OPTIONS)
    assert sifting.improve_placed(problem, board, OPTIONS)
    assert breaches(problem, board.best) == []


def test_what_cannot_be_placed_is_said_to_be_impossible():
    problem = small_problem([[5], [5]], [[3], [2]], [2, 3])
    found = find(problem, full_values(problem), OPTIONS, Pairs.of(problem))
    assert found.assignment is None
    assert found.impossible
    assert not sifting.improve_placed(problem, Board(problem, OPTIONS), OPTIONS)


# --- how it is asked --------------------------------------------------------------------------------------------------


def test_units_and_too_many_pairs_and_other_goals_are_declined_with_a_reason(monkeypatch):
    units = Units(rows(0), np.array([5]), np.array([True]))
    asked = UnitRequests(rows(0), np.array([4]), rows(0), (np.array([True]),))
    problem = small_problem([[9]], [[1]], [1], units=units, unit_requests=asked)
    assert "units one by one" in sifting.unsuited(problem)
    plain = small_problem([[9], [9]], [[1], [1]], [1, 1], allowed=[[0], None])
    assert sifting.unsuited(plain) is None
    assert "'pack'" in sifting.improve(plain, Board(plain, OPTIONS), OPTIONS)
    monkeypatch.setattr(sifting, "MOST_PAIRS", 2)
    assert sifting.unsuited(plain).startswith("3 pairs")


def test_broken_relaxed_rules_are_declined_with_a_reason():
    cap = GroupCap(rows=rows(0), grouping=0, limit=1, soft=True, counted=counted(g0=1))
    problem = with_costs(small_problem([[9]], [[1]], [1], [cap], groupings=[[0]]), (0, 0, 3))
    board = board_of(problem, (0, 0, 1))
    assert "relaxed rules are broken" in sifting.improve(problem, board, OPTIONS)


@pytest.mark.parametrize("goal", ["prefer", "balance", "spread"])
def test_the_same_seed_gives_the_same_answer(goal):
    draw = np.random.default_rng(5)
    capacity = draw.integers(5, 20, size=(8, 2)).tolist()
    problem = small_problem(capacity, draw.integers(1, 4, size=(6, 2)).tolist(), [3] * 6)
    costs = draw.integers(0, 9, size=(6, 8))
    problem = with_costs(problem, *[(r, a, int(costs[r, a])) for r in range(6) for a in range(8)])
    problem = replace(problem, goal=goal)
    start = find(problem, full_values(problem), OPTIONS, Pairs.of(problem)).assignment
    options = Options(seconds=2, seed=3, deterministic=True)
    boards = [Board(problem, options, start) for _ in range(2)]
    for board in boards:
        sifting.improve(problem, board, options)
    one, other = (board.best for board in boards)
    assert np.array_equal(one.agent, other.agent)
    assert np.array_equal(one.count, other.count)
    assert boards[0].bound(1) == boards[1].bound(1)
