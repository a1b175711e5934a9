from tests.clusters import agent, allowed, cluster, job


def test_a_value_that_is_taken_is_refused():
    where = cluster(agent("a1", rack="r1"), agent("a2", rack="r2"), running=["/app a1"])
    assert allowed(where, job(constraints="rack:UNIQUE")) == ["a2"]


def test_an_agent_without_the_attribute_is_refused_and_blocks_nobody():
    where = cluster(agent("a0"), agent("a1", rack="r1"), running=["/app a0"])
    assert allowed(where, job(constraints="rack:UNIQUE")) == ["a1"]


def test_instances_of_other_jobs_do_not_count():
    where = cluster(agent("a1"), running=["/other a1"])
    assert allowed(where, job(constraints="hostname:UNIQUE")) == ["a1"]
