from tests.clusters import agent, allowed, cluster, job

RACKS = [agent("a1", rack="r1"), agent("a2", rack="r1"), agent("a3", rack="r2"), agent("a4")]


def test_only_values_on_which_the_other_job_runs():
    where = cluster(*RACKS, running=["/db a1"])
    assert allowed(where, job(constraints="rack:AFFINITY:/db"), job("/db")) == ["a1", "a2"]


def test_nowhere_while_the_other_job_does_not_run():
    assert allowed(cluster(*RACKS), job(constraints="rack:AFFINITY:/db"), job("/db")) == []
