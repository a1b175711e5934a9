"""Running instances and placements as CSV; totals less what runs."""

import pytest

from placement.cluster import Agent, Cluster, Reservation
from placement.errors import InputError
from placement.running import RunningInstance
from placement.snapshots.running import attach, read_placements, read_running, write_placements
from tests.clusters import agent, cluster, job, workload


def write(tmp_path, text):
    file = tmp_path / "running.csv"
    file.write_text(text)
    return file


def test_all_columns_of_a_running_instance_are_read(tmp_path):
    (found,) = read_running(write(
        tmp_path,
        "job,instance,agent,state,version,started_at,healthy,ports,volumes,units,role,cpus\n"
        "/a,3,a1,staging,2026-01-01T00:00:00Z,,true,31000;31001,v1;v2,/p=500,prod,0.5\n",
    ))  # fmt: skip
    assert (found.name, found.agent, found.state, found.healthy) == ("/a#3", "a1", "staging", True)
    assert (found.version, found.started_at, found.ports) == (1767225600.0, None, (31000, 31001))
    assert (found.volumes, found.units, found.role, found.amounts) == (
        ("v1", "v2"),
        (("/p", 500_000),),
        "prod",
        {"cpus": 500},
    )


def test_totals_are_reduced_by_what_runs_the_role_first():
    reserved = Reservation(role="prod", amounts={"cpus": 1000})
    total = Cluster.build([Agent(id="a", free={"cpus": 4000}, ports=((1, 9),), reservations=(reserved,))])
    runs = cluster(agent("a"), running=["/app a"]).running.instances
    one = job("/app", cpus=1.5, role="prod", accepted_roles=("*", "prod"))
    after = attach(total, runs, workload(one), total=True)
    assert (after.free[0, 0], after.pool("prod")[0, 0]) == (3500, 0)


def test_amounts_that_are_not_known_are_an_error_for_totals():
    where = cluster(agent("a"))
    runs = cluster(agent("a"), running=["/other a"]).running.instances
    with pytest.raises(InputError, match="not known"):
        attach(where, runs, workload(job()), total=True)
    assert len(attach(where, runs, workload(job())).running) == 1


def test_more_than_an_agent_has_is_an_error():
    runs = cluster(agent("a"), running=["/app a"]).running.instances
    with pytest.raises(InputError, match=r"agent a.*less cpus"):
        attach(cluster(agent("a", cpus=1)), runs, workload(job(cpus=2)), total=True)


def test_an_unknown_agent_names_the_nearest():
    runs = cluster(agent("agent-1"), running=["/app agent-1"]).running.instances
    with pytest.raises(InputError, match="did you mean 'agent-2'"):
        attach(cluster(agent("agent-2")), runs)


def test_an_unreachable_instance_may_be_on_an_agent_that_is_gone():
    lost = RunningInstance(job="/app", instance=0, agent="gone", state="unreachable")
    assert attach(cluster(agent("a")), [lost]).running.agent.tolist() == [-1]


def test_placements_written_are_read_back(tmp_path):
    from placement.engine import place

    where, jobs = cluster(agent("a1", ports=((80, 81),)), agent("a2")), workload(job("/a", 2), job("/b", ports=(80,)))
    before = place(where, jobs, solver="greedy").placements
    file = write(tmp_path, write_placements(before))
    after = read_placements(file, where, jobs)
    assert list(after.rows()) == list(before.rows())
    assert (after.ports, after.layer.tolist()) == (before.ports, before.layer.tolist())
