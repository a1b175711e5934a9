from tests.clusters import agent, allowed, cluster, job


def test_without_a_value_the_first_instance_chooses_among_agents_that_have_the_attribute():
    where = cluster(agent("a1", rack="r1"), agent("a2", rack="r2"), agent("a3"))
    assert allowed(where, job(constraints="rack:CLUSTER")) == ["a1", "a2"]


def test_without_a_value_later_instances_follow():
    where = cluster(agent("a1", rack="r1"), agent("a2", rack="r1"), agent("a3", rack="r2"), running=["/app a1"])
    assert allowed(where, job(constraints="rack:CLUSTER")) == ["a1", "a2"]


def test_instances_that_stand_apart_already_leave_no_value():
    where = cluster(agent("a1", rack="r1"), agent("a2", rack="r2"), running=["/app a1", "/app a2"])
    assert allowed(where, job(constraints="rack:CLUSTER")) == []


def test_a_named_value_is_compared_as_text():
    where = cluster(agent("a1", level="1.0"), agent("a2", level="1.5"))
    assert allowed(where, job(constraints="level:CLUSTER:1.0")) == []
    assert allowed(where, job(constraints="level:CLUSTER:1")) == ["a1"]
