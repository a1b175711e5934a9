"""Level values by hand."""

import numpy as np
import pytest

from solvers import objective
from solvers.problem import Assignment, Preferences
from solvers.rules import Avoid, Balance, Counts, Excludes, GroupCap, OneGroup, Quota, Requires
from tests.solvers.problems import rows, small_problem


def assigned(problem, *runs):
    row, agent, count = (np.array(column) for column in zip(*runs, strict=True))
    return Assignment.of_runs(row, agent, count, problem.agents)


def test_placed_counts_weight_by_priority():
    problem = small_problem([[9]], [[1], [1]], [2, 2], priority=[0, 5], weight=[1000, 3000])
    assert objective.values(problem, assigned(problem, (0, 0, 2), (1, 0, 1)))[:2] == (3000, 2000)
    assert list(objective.names(problem)) == [("placed", 5, 1), ("placed", 0, 1), ("pack", None, -1)]


@pytest.mark.parametrize(
    ("goal", "value"),
    [("pack", 2000), ("balance", 750_000), ("spread", 500**2 + 750**2)],
)
def test_goals(goal, value):
    """Agent 0: 1 of 4 used before, 2 after; agent 1: 0 of 4 before, 3 after. Agent 0 is held and costs nothing."""
    problem = small_problem([[3], [4]], [[1]], [4], goal=goal, total=[[4], [4]], held=[True, False], price=[9000, 2000])
    assert objective.goal_value(problem, assigned(problem, (0, 0, 1), (0, 1, 3))) == value


def test_preferences_cost_by_pair():
    costs = Preferences(row=rows(0, 0), agent=rows(0, 1), cost=np.array([5, 7]))
    problem = small_problem([[9], [9], [9]], [[1]], [6], goal="prefer", preferences=costs)
    assert objective.goal_value(problem, assigned(problem, (0, 0, 1), (0, 1, 2), (0, 2, 3))) == 19


GROUPS = [[0, 0, 1]]
CASES = {
    "cap": (GroupCap(rows=rows(0), grouping=0, limit=2, soft=True), 3),
    "cap with counted": (
        GroupCap(rows=rows(0), grouping=0, limit=2, soft=True, counted=Counts(rows(0), np.array([1]))), 4),
    "one group": (OneGroup(rows=rows(0), grouping=0, soft=True), 2),
    "quota of one group": (Quota(rows=rows(0), grouping=0, groups=1, each=3, extra=0, soft=True), 4),
    "quota with extras": (Quota(rows=rows(0), grouping=0, groups=2, each=2, extra=1, soft=True), 2),
    "balance": (Balance(rows=rows(0), grouping=0, relevant=np.array([True, True]), soft=True), 2),
    "balance over too few groups": (
        Balance(rows=rows(0), grouping=0, relevant=np.array([True, True]), at_least=3, soft=True), 5),
    "requires": (Requires(rows=rows(0), grouping=0, others=rows(1), soft=True), 5),
    "excludes": (Excludes(rows=rows(0), grouping=0, others=rows(1), limit=1, soft=True), 1),
    "avoid": (Avoid(rows=rows(0), mask=np.array([True, False, True])), 2),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "violation"), CASES.values(), ids=CASES)
def test_violations_are_instances_that_would_have_to_go(rule, violation):
    """Row 0 has 5 instances in group 0 (3 and 2 on its agents) and 2 in group 1; row 1 has one in group 1."""
    problem = small_problem([[9], [9], [9]], [[1], [1]], [9, 9], [rule], groupings=GROUPS)
    answer = assigned(problem, (0, 0, 3), (0, 1, 2), (0, 2, 2), (1, 2, 1))
    assert objective.violations(problem, answer) == violation
