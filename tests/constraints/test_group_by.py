from dataclasses import replace

import pytest

from placement.constraints import GroupBy
from tests.clusters import agent, allowed, cluster, job

RACKS = [agent("a1", rack="r1"), agent("a2", rack="r2"), agent("a3", rack="r3")]


@pytest.mark.parametrize(
    ("running", "open_racks"),
    [
        ([], ["a1", "a2", "a3"]),
        (["a1", "a1"], ["a1", "a2", "a3"]),
        (["a1", "a1", "a1"], ["a2", "a3"]),
        (["a1", "a1", "a1", "a2"], ["a2"]),
    ],
)
def test_quota_fills_as_many_groups_as_the_number_says(running, open_racks):
    where = cluster(*RACKS, running=[f"/app {one}" for one in running])
    assert allowed(where, job(instances=5, constraints="rack:GROUP_BY:2")) == open_racks


@pytest.mark.parametrize(
    ("running", "open_racks"),
    [
        (["a1"], ["a2", "a3"]),
        (["a1", "a2"], ["a1", "a2", "a3"]),
        (["a1", "a1", "a2"], ["a2", "a3"]),
    ],
)
def test_classic_grows_only_the_smallest_group_once_enough_are_used(running, open_racks):
    where = cluster(*RACKS, running=[f"/app {one}" for one in running])
    classic = replace(job(instances=9), constraints=(GroupBy("rack", 2, "classic"),))
    assert allowed(where, classic) == open_racks


def test_an_agent_without_the_attribute_is_a_group_that_takes_nobody():
    where = cluster(agent("a0"), *RACKS[:2], running=["/app a0", "/app a1"])
    assert allowed(where, job(instances=4, constraints="rack:GROUP_BY:2")) == ["a1"]


@pytest.mark.parametrize("number", [0, -1, None])
def test_without_a_positive_number_the_classic_rule_holds(number):
    assert GroupBy("rack", number) == GroupBy("rack", None, "classic")
