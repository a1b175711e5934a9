import pytest

from placement.constraints import MaxPer
from tests.clusters import agent, allowed, cluster, job


def test_a_value_takes_as_many_as_the_limit():
    racks = cluster(agent("a1", rack="r1"), agent("a2", rack="r2"), running=["/app a1", "/app a1", "/app a2"])
    assert allowed(racks, job(constraints="rack:MAX_PER:2")) == ["a2"]


def test_scalars_that_print_alike_are_one_value():
    racks = cluster(agent("a1", rack="1.0"), agent("a2", rack="1"), agent("a3", rack="2"), running=["/app a1"])
    assert allowed(racks, job(constraints="rack:MAX_PER:1")) == ["a3"]


@pytest.mark.parametrize("limit", [0, -3])
def test_a_limit_below_one_acts_like_one(limit):
    where = cluster(agent("a1", rack="r1"), agent("a2", rack="r2"), running=["/app a1"])
    assert allowed(where, job(constraints=f"rack:MAX_PER:{limit}")) == ["a2"]


def test_loosening_adds_one_to_the_limit():
    assert MaxPer("rack", 2).loosened() == MaxPer("rack", 3)
