from tests.clusters import agent, allowed, cluster, job


def test_a_value_that_matches_is_refused_and_a_missing_one_is_not():
    where = cluster(agent("a6", jdk="6"), agent("a7", jdk="7"), agent("a0"))
    assert allowed(where, job(constraints="jdk:UNLIKE:7")) == ["a6", "a0"]


def test_an_empty_pattern_never_holds_where_the_attribute_is():
    where = cluster(agent("a6", jdk="6"), agent("a0"))
    assert allowed(where, job(constraints="jdk:UNLIKE:")) == ["a0"]
