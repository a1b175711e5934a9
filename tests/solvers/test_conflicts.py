"""Conflicts over arrays: what may be concluded, minimal sets, fewest changes; held against every assignment tried."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solvers.conflicts import (
    AmountPart,
    LeastPart,
    MaskPart,
    Part,
    Question,
    RulePart,
    UnitsPart,
    find_change,
    find_conflict,
    least_missing,
    most_placed,
)
from solvers.conflicts.cells import Cells
from solvers.conflicts.counting import shortage
from solvers.conflicts.engines import core_of, decide, second_opinion
from solvers.conflicts.search import Cut, least_cover
from solvers.conflicts.system import build, cells_of
from solvers.options import Options
from solvers.problem import ALL_AGENTS, Problem
from solvers.rules import EACH_AGENT, Balance, Gang, GroupCap, OneGroup
from tests.solvers.brute import assignments
from tests.solvers.problems import problems, problems_with_units, rows, small_problem


def soon() -> Options:
    """Options of a search that has time."""
    return Options(until=time.monotonic() + 30, seconds=30)


def question_of(problem: Problem) -> Question:
    """Every dimension, mask, rule and row's number of a problem as a reason of its own."""
    parts: list[Part] = []

    def reason() -> tuple[int]:
        return (len(parts),)

    for dimension in range(problem.capacity.shape[1]):
        everyone = np.arange(problem.rows, dtype=np.int32)
        parts.append(AmountPart(reasons=reason(), rows=everyone, dimensions=(dimension,)))
    for row in range(problem.rows):
        parts.append(MaskPart(reasons=reason(), row=row, mask=problem.allowed(row)))
        parts.append(LeastPart(reasons=reason(), rows=rows(row), number=int(problem.wanted[row])))
        if row in problem.unit_requests.by_row:
            parts.append(UnitsPart(reasons=reason(), row=row))
    for rule in problem.rules:
        if not rule.soft and not isinstance(rule, Gang):
            parts.append(RulePart(reasons=reason(), rule=rule))
    return Question(
        problem=replace(problem, mask=np.full(problem.rows, ALL_AGENTS, np.int32), masks=(), rules=()),
        parts=tuple(parts),
        weights=(1,) * len(parts),
        owners=(-1,) * len(parts),
    )


def possible(question: Question, held: frozenset[int]) -> bool:
    """Whether some assignment places everything needed, by trying all."""
    problem = question.problem_of(held, optional=True)
    need = question.needed(held)
    return any((one.placed(problem.rows) >= need).all() for one in assignments(problem))


tiny = problems(most_agents=3, most_rows=2, most_wanted=2, goals=False)
some = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@some
@given(tiny, st.data())
def test_the_system_says_what_the_rules_say(problem: Problem, data: st.DataObject) -> None:
    question = question_of(problem)
    held = frozenset(data.draw(st.lists(st.integers(0, question.reasons - 1), unique=True)))
    held |= question.everything if data.draw(st.booleans()) else frozenset()
    truth = possible(question, held)
    system = build(question, held, Cells.single(problem))
    assert decide(system, 30).possible == truth
    assert second_opinion(system, 30).possible == truth
    if truth:
        assert shortage(question.problem_of(held)) is None
        assert decide(build(question, held, cells_of(question, held)), 30).possible
    else:
        core = core_of(system, 30).core
        assert core is not None
        assert core <= held
        assert not possible(question, core)


@some
@given(st.one_of(tiny, problems_with_units()))
def test_a_conflict_is_impossible_and_minimal_and_none_is_found_where_all_fits(problem: Problem) -> None:
    question = question_of(replace(problem, wanted=np.minimum(problem.wanted, 2)))
    found = find_conflict(question, soon())
    if found.possible is None:
        assert len(problem.unit_requests.row)  # units are served in one order, which the engines do not know
        return
    assert found.possible == possible(question, question.everything)
    if found.conflict is not None:
        assert not possible(question, found.conflict.reasons)
        assert found.conflict.minimal
        for reason in found.conflict.reasons:
            assert possible(question, found.conflict.reasons - {reason})


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(tiny)
def test_the_change_is_the_smallest(problem: Problem) -> None:
    question = question_of(problem)
    change = find_change(question, soon())
    assert change.complete
    assert possible(question, question.everything - change.reasons)
    smaller = (
        frozenset(gone)
        for size in range(len(change.reasons))
        for gone in combinations(sorted(question.everything), size)
    )
    for gone in smaller:
        assert not possible(question, question.everything - gone)


def test_a_conflict_names_a_cap_its_row_and_nothing_else():
    cap = GroupCap(rows=rows(0), grouping=EACH_AGENT, limit=1)
    problem = small_problem([[9], [9]], [[1], [1]], [3, 2], [cap])
    question = question_of(problem)
    found = find_conflict(question, soon()).conflict
    assert found is not None
    assert found.reasons == {2, 5}
    assert found.proof == "counting"


def test_rows_that_share_an_agent_conflict_by_their_sum():
    problem = small_problem([[4], [4]], [[3], [2], [1]], [1, 1, 1], allowed=[[0], [0], None])
    found = find_conflict(question_of(problem), soon()).conflict
    assert found is not None
    assert found.shortage is not None
    assert (found.shortage.needed, found.shortage.there) == (5, 4)


def test_two_rules_that_only_together_forbid_need_an_engine_and_a_second_one():
    one = OneGroup(rows=rows(0), grouping=0)
    cap = GroupCap(rows=rows(0), grouping=1, limit=1)
    problem = small_problem([[9]] * 4, [[1]], [2], [one, cap], groupings=[[0, 0, 1, 1], [0, 0, 1, 1]])
    found = find_conflict(question_of(problem), soon()).conflict
    assert found is not None
    assert found.reasons == {2, 3, 4}
    assert found.proof.endswith("confirmed by HiGHS")


def test_a_group_stops_to_matter_when_what_opened_it_is_given_up():
    balance = Balance(rows=rows(0), grouping=0, relevant=np.array([True, False]))
    problem = small_problem([[3], [9]], [[1]], [5], [balance], groupings=[[0, 1]], allowed=[[0]])
    question = question_of(problem)
    everywhere = ((), np.ones(2, np.bool_))
    parts = [replace(one, first=(everywhere,)) if isinstance(one, RulePart) else one for one in question.parts]
    question = replace(question, parts=tuple(parts))
    assert not possible(question, question.everything)
    assert possible(question, question.everything - {1}), "without the mask the second group matters, and takes some"


def test_many_equal_agents_are_one_cell():
    problem = small_problem([[4]] * 50 + [[2]] * 50, [[1]], [1], groupings=[[0, 1] * 50])
    question = question_of(problem)
    assert cells_of(question, question.everything).number == 2
    capped = replace(problem, rules=(GroupCap(rows=rows(0), grouping=0, limit=3),))
    assert cells_of(question_of(capped), question_of(capped).everything).number == 4


def test_leaving_out_jobs_must_be_worth_what_is_short():
    assert least_cover([Cut({0: 3, 1: 2, 2: 2, 3: 5}, 5)], [1, 1, 1, 9]) == {3}
    assert least_cover([Cut({0: 3, 1: 2, 2: 2}, 5)], [1, 5, 4]) == {0, 2}
    assert least_cover([Cut({0: 1, 1: 1}, 1), Cut({1: 1, 2: 1}, 1)], [1, 9, 1]) == {1}


def test_it_says_how_many_fit_and_how_much_is_missing():
    problem = small_problem([[4], [3]], [[2]], [5])
    question = question_of(problem)
    assert most_placed(question, question.everything - {2}, np.array([0]), soon()) == (3, True)
    (missing,) = least_missing(question, question.everything - {0}, frozenset([0]), soon()) or ()
    assert (int(missing.amount.sum()), missing.least) == (3, True)


@pytest.mark.parametrize("agents", [500, 5000])
def test_counting_proves_an_over_full_cluster_of_any_size(agents: int) -> None:
    problem = small_problem([[4, 9]] * agents, [[2, 1], [1, 1]], [agents, 2 * agents + 1])
    began = time.process_time()
    found = find_conflict(question_of(problem), soon()).conflict
    assert found is not None
    assert found.proof == "counting"
    assert 0 in found.reasons, "the first dimension is short"
    assert 1 not in found.reasons
    assert time.process_time() - began < 5
