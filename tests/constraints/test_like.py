from tests.clusters import agent, allowed, cluster, job


def test_the_whole_value_must_match():
    where = cluster(agent("a1", rack="rack-1"), agent("a2", rack="rack-12"), agent("a3", rack="my-rack-1"))
    assert allowed(where, job(constraints="rack:LIKE:rack-1")) == ["a1"]


def test_an_agent_without_the_attribute_never_matches():
    assert allowed(cluster(agent("a1"), agent("a2", rack="x")), job(constraints="rack:LIKE:.*")) == ["a2"]


def test_ranges_and_sets_are_matched_as_printed():
    where = cluster(agent("a1", gpu="{1,0}"), agent("a2", gpu="{2,1}"))
    assert allowed(where, job(constraints=r"gpu:LIKE:\{0,1\}")) == ["a1"]
