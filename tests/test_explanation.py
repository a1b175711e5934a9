"""Why instances were not placed, in words and numbers."""

import placement
from placement.constraints import Maintenance
from placement.workload import VolumeRequest
from tests.clusters import agent, cluster, job, workload


def explained(where, *jobs, **more):
    jobs_ = workload(*jobs)
    answer = placement.place(where, jobs_, solver="exact", deadline=10, **more)
    return {one.job: one for one in placement.explain(where, jobs_, answer, relax=more.get("relax", ()))}


def funnel(one):
    return [(removed.check, removed.reason, removed.removed, removed.alone) for removed in one.funnel]


def changes(one):
    return [(change.text, change.agents) for change in one.changes]


def test_nothing_is_explained_when_nothing_is_missing():
    assert explained(cluster(agent("a")), job()) == {}


def test_checks_stand_in_marathons_order_with_what_each_removes_alone():
    where = cluster(agent("a1", cpus=0.5, rack="r1"), agent("a2", rack="r2"), agent("a3", cpus=0.5, rack="r2"))
    one = explained(where, job(constraints="rack:IS:r1"))["/app"]
    assert funnel(one) == [
        ("cpus", "InsufficientCpus", 2, 2),
        ("rack:IS:r1", "UnfulfilledConstraint", 1, 2),
    ]


def test_the_nearest_agents_are_those_that_lack_least():
    where = cluster(
        agent("far", cpus=0.1, rack="r2"), agent("near", cpus=0.75, rack="r1"), agent("mid", cpus=0.5, rack="r1")
    )
    one = explained(where, job(constraints="rack:IS:r1"))["/app"]
    assert [(near.agent, near.lacks) for near in one.nearest][:2] == [("near", ("0.25 cpus",)), ("mid", ("0.5 cpus",))]


def test_asking_for_less_is_a_change():
    one = explained(cluster(agent("a", cpus=0.75)), job())["/app"]
    assert ("0.25 cpus less an instance (agent a)", 1) in changes(one)


def test_a_cap_can_be_loosened_or_dropped():
    where = cluster(agent("a1", rack="r1"), agent("a2", rack="r1"))
    one = explained(where, job(instances=3, constraints="rack:MAX_PER:2"))["/app"]
    assert changes(one)[0] == ("loosen rack:MAX_PER:2 to rack:MAX_PER:3", 2)
    assert ("drop rack:MAX_PER:2", 2) in changes(one)
    assert ("one more agent in another rack with 1 cpus free", 1) in changes(one)


def test_a_full_value_of_a_balance_asks_for_one_more_agent_there():
    where = cluster(agent("a1", cpus=9, rack="r1"), agent("a2", cpus=1, rack="r2"))
    one = explained(where, job(instances=5, constraints="rack:GROUP_BY"))["/app"]
    assert one.missing == 2
    assert ("one more agent in rack r2 with 1 cpus free", 1) in changes(one)
    assert any("over every value that matters" in check for check, *_ in funnel(one))


def test_the_answers_own_instances_count():
    where = cluster(agent("a1"), agent("a2"))
    one = explained(where, job(instances=3, constraints="hostname:UNIQUE"))["/app"]
    assert funnel(one) == [("hostname:UNIQUE", "UnfulfilledConstraint", 2, 2)]


def test_named_ports_and_disks_are_lacked_by_name():
    where = cluster(agent("a", ports=((31000, 31001),)))
    ports = explained(where, job(ports=(80,)))["/app"]
    assert ports.nearest[0].lacks == ("a port the job names (80)",)
    assert ("one more agent with 1 cpus, port 80 free", 1) in changes(ports)
    disk = explained(where, job(volumes=(VolumeRequest(name="v", size=1000, kind="mount"),)))["/app"]
    assert disk.nearest[0].lacks == ("a mount disk for its volumes",)


def test_a_gang_that_does_not_fit_says_so():
    one = explained(cluster(agent("a", cpus=2)), job(instances=3, minimum=3))["/app"]
    assert one.notes == ("fewer than min=3 instances fit, so none is placed",)


def test_a_relaxed_rule_stands_in_nobodys_way():
    where = cluster(agent("a", cpus=2, rack="r1"))
    one = explained(where, job(instances=3, constraints="rack:UNIQUE"), relax=["*/rack:UNIQUE"])["/app"]
    assert [check for check, *_ in funnel(one)] == ["cpus"]


def test_maintenance_is_named_in_marathons_word():
    from dataclasses import replace

    where = cluster(agent("a", unavailable_from=0.0), now=10.0)
    one = explained(where, replace(job(), constraints=(Maintenance(),)))["/app"]
    assert funnel(one) == [("MAINTENANCE", "AgentMaintenance", 1, 1)]


def test_lines_say_it_all():
    where = cluster(agent("a", cpus=0.75))
    lines = explained(where, job(constraints=""))["/app"].lines()
    assert lines[0] == "/app: 1 not placed"
    assert "  cpus removed 1 agents, alone 1 [InsufficientCpus]" in lines
    assert "  nearest: a lacks 0.25 cpus" in lines


def test_a_job_can_be_asked_for_alone():
    where, jobs = cluster(agent("a", cpus=0)), workload(job("/a"), job("/b"))
    answer = placement.place(where, jobs, solver="greedy")
    assert [one.job for one in placement.explain(where, jobs, answer, job="/b")] == ["/b"]
