from placement.constraints import AntiAffinity, parse
from tests.clusters import agent, allowed, cluster, job

RACKS = [agent("a1", rack="r1"), agent("a2", rack="r2"), agent("a3")]


def test_no_value_on_which_the_other_job_runs():
    where = cluster(*RACKS, running=["/db a1"])
    assert allowed(where, job(constraints="rack:ANTI_AFFINITY:/db"), job("/db")) == ["a2", "a3"]


def test_so_many_beside_the_other_job_as_the_number_says():
    rule = job(constraints="rack:ANTI_AFFINITY:/db:1")
    assert allowed(cluster(*RACKS, running=["/db a1"]), rule, job("/db")) == ["a1", "a2", "a3"]
    assert allowed(cluster(*RACKS, running=["/db a1", "/app a1"]), rule, job("/db")) == ["a2", "a3"]


def test_the_number_is_part_of_the_text():
    assert parse("rack:ANTI_AFFINITY:/db:2") == (AntiAffinity("rack", "/db", 2),)
    assert str(AntiAffinity("rack", "/db", 2)) == "rack:ANTI_AFFINITY:/db:2"
