"""The checker: for every rule a right answer is accepted and a minimally wrong one refused."""

from collections.abc import Sequence

import numpy as np
import pytest

from placement.checker import Verdict, verify
from placement.cluster import Cluster, Disk, Reservation, Volume
from placement.constraints import FaultDomain, GroupBy, Like, Maintenance, ScarceGpus, Unlike
from placement.errors import InputError
from placement.patterns import Pattern
from placement.placements import Placements
from placement.running import RunningInstance
from placement.workload import Job, VolumeRequest, Workload
from tests.clusters import agent, cluster, job, workload


def answer(
    where: Cluster,
    jobs: Workload,
    *rows: str,
    numbers: Sequence[int] | None = None,
    layers: Sequence[int] | None = None,
    ports: Sequence[tuple[int, ...]] | None = None,
    units: Sequence[tuple[tuple[str, int], ...]] | None = None,
) -> Placements:
    """Placements from 'job agent' words, numbered from 0 by job behind those that run."""
    ids, agents, given = [row.split()[0] for row in rows], [row.split()[1] for row in rows], []
    used = {one.id: len(where.running.of(one.id)) for one in jobs.jobs}
    for name in ids:
        given.append(used.setdefault(name, 0))
        used[name] += 1
    known_jobs, known_agents = tuple(dict.fromkeys([*jobs.index, *ids])), tuple(dict.fromkeys([*where.agents, *agents]))
    layer = [jobs.job(name).layer if name in jobs.index else 1 for name in ids]
    return Placements(
        jobs=known_jobs,
        agents=known_agents,
        job=np.array([known_jobs.index(name) for name in ids], np.int32),
        instance=np.array(given if numbers is None else numbers, np.int32),
        agent=np.array([known_agents.index(name) for name in agents], np.int32),
        layer=np.array(layer if layers is None else layers, np.int32),
        ports=None if ports is None else tuple(ports),
        units=None if units is None else tuple(units),
    )


def judged(where: Cluster, jobs: Job | Workload, *rows: str, **options: object) -> Verdict:
    """The verdict on 'job agent' words; rows without a job are of the only job."""
    several = jobs if isinstance(jobs, Workload) else workload(jobs)
    words = [row if " " in row else f"{several.jobs[0].id} {row}" for row in rows]
    shape = {name: options.pop(name) for name in ("numbers", "layers", "ports", "units") if name in options}
    return verify(where, several, answer(where, several, *words, **shape), **options)  # type: ignore[arg-type]


def broken(verdict: Verdict) -> list[tuple[str, int]]:
    """Rules and counts of the breaches."""
    return [(one.rule, one.count) for one in verdict.breaches]


RACKS = [agent("a1", rack="r1"), agent("a2", rack="r2"), agent("a3", rack="r3"), agent("b1", rack="r1")]


# --- jobs and agents ------------------------------------------------------------------------------------------------


def test_nothing_placed_holds():
    assert judged(cluster(*RACKS), job(instances=3)) == Verdict()


def test_an_unknown_agent_or_job_is_refused():
    where = cluster(agent("a1"))
    assert broken(judged(where, job(), "a9")) == [("agent", 1)]
    assert broken(judged(where, job(), "/other a1")) == [("job", 1)]


def test_new_instances_take_the_lowest_free_numbers():
    where = cluster(agent("a1"), running=["/app a1"])
    assert judged(where, job(instances=3), "a1", "a1", numbers=[1, 2]).holds
    assert broken(judged(where, job(instances=3), "a1", "a1", numbers=[0, 1])) == [("numbers", 2)]
    assert broken(judged(where, job(instances=3), "a1", "a1", numbers=[1, 1])) == [("numbers", 1)]
    assert broken(judged(where, job(instances=3), "a1", "a1", numbers=[1, 3])) == [("numbers", 1)]


def test_the_number_of_an_ended_instance_is_free():
    gone = RunningInstance(job="/app", instance=0, agent="a1", state="failed")
    assert judged(Cluster.build([agent("a1")], [gone]), job(), "a1", numbers=[0]).holds


def test_not_more_than_wanted():
    where = cluster(agent("a1"), running=["/app a1"])
    assert judged(where, job(instances=2), "a1").holds
    assert broken(judged(where, job(instances=2), "a1", "a1")) == [("number of instances", 1)]


@pytest.mark.parametrize(("state", "version", "wanted"), [
    ("running", 20.0, 1), ("unreachable", 20.0, 1), ("unreachable_inactive", 20.0, 2), ("running", 10.0, 2),
])  # fmt: skip
def test_running_instances_count_towards_the_number_wanted_by_state_and_version(state, version, wanted):
    there = RunningInstance(job="/app", instance=0, agent="a1", state=state, version=version)
    where = Cluster.build([agent("a1"), agent("a2")], [there])
    one = job(instances=2, version=20.0)
    assert judged(where, one, *["a2"] * wanted, numbers=range(1, wanted + 1)).holds
    assert not judged(where, one, *["a2"] * (wanted + 1), numbers=range(1, wanted + 2)).holds


def test_fewer_than_the_minimum_are_none():
    where = cluster(agent("a1"), running=["/app a1"])
    gang = job(instances=4, minimum=3)
    assert judged(where, gang, "a1", "a1").holds
    assert broken(judged(where, gang, "a1")) == [("least number of instances", 1)]


# --- amounts --------------------------------------------------------------------------------------------------------


def test_an_agent_gives_what_it_has_and_no_more():
    where = cluster(agent("a1", cpus=2))
    assert judged(where, job(instances=3), "a1", "a1").holds
    assert broken(judged(where, job(instances=3), "a1", "a1", "a1")) == [("cpus", 3)]


def test_jobs_share_an_agent():
    where = cluster(agent("a1", cpus=2))
    jobs = workload(job("/a", cpus=1), job("/b", cpus=1.001))
    assert judged(where, jobs, "/a a1").holds
    assert broken(judged(where, jobs, "/a a1", "/b a1")) == [("cpus", 2)]


def test_a_resource_that_no_agent_has_is_missing():
    where = cluster(agent("a1"))
    assert broken(judged(where, Job(id="/app", demand={"licences": 1}), "a1")) == [("licences", 1)]


def test_sums_beyond_64_bits_are_still_too_much():
    where = cluster(agent("a1"))
    huge = Job(id="/app", instances=3, demand={"cpus": 2**62})
    assert broken(judged(where, huge, "a1", "a1", "a1")) == [("cpus", 3)]


def test_accepted_roles_are_served_together():
    """2 unreserved cpus and 1 reserved for prod serve a 3-cpu job of prod; 1 reserved for dev does not help."""
    prod = agent("a1", cpus=2, reservations=(Reservation(role="prod", amounts={"cpus": 1000}),))
    dev = agent("a2", cpus=2, reservations=(Reservation(role="dev", amounts={"cpus": 1000}),))
    one = job(cpus=3, role="prod", accepted_roles=("*", "prod"))
    assert judged(cluster(prod, dev), one, "a1").holds
    assert broken(judged(cluster(prod, dev), one, "a2")) == [("cpus", 1)]


def test_two_roles_do_not_both_get_what_is_unreserved():
    """2 unreserved, 1 for p, 1 for q: /p may take 3 or /q may, not both 2.5; 2 each is right."""
    both = agent("a1", cpus=2, reservations=(
        Reservation(role="p", amounts={"cpus": 1000}), Reservation(role="q", amounts={"cpus": 1000}),
    ))  # fmt: skip

    def jobs(cpus: float) -> Workload:
        return workload(job("/p", cpus=cpus, accepted_roles=("*", "p")), job("/q", cpus=2, accepted_roles=("*", "q")))

    assert judged(cluster(both), jobs(2), "/p a1", "/q a1").holds
    assert broken(judged(cluster(both), jobs(2.5), "/p a1", "/q a1")) == [("cpus", 2)]


def test_only_reserved_means_only_reserved():
    one = agent("a1", cpus=4, reservations=(Reservation(role="p", amounts={"cpus": 1000}),))
    assert judged(cluster(one), job(cpus=1, accepted_roles=("p",)), "a1").holds
    assert broken(judged(cluster(one), job(cpus=2, accepted_roles=("p",)), "a1")) == [("cpus", 1)]


def test_a_reservation_of_one_instance_serves_nobody_else():
    own = Reservation(role="p", amounts={"cpus": 4000}, owner="/db#0")
    one = agent("a1", cpus=0, reservations=(own,))
    assert broken(judged(cluster(one), job(accepted_roles=("p",)), "a1")) == [("cpus", 1)]


def test_demands_move_from_pool_to_pool_until_all_are_served():
    """/ab is served from b only because /a needs all of a: 2 of a, 1 of b, 1 of c for a:2, ab:1, bc:1."""
    pools = agent("a1", cpus=0, reservations=tuple(
        Reservation(role=role, amounts={"cpus": amount}) for role, amount in (("a", 2000), ("b", 1000), ("c", 1000))
    ))  # fmt: skip
    ab, bc, a = (
        job(f"/{roles}", cpus=cpus, accepted_roles=tuple(roles)) for roles, cpus in (("ab", 1), ("bc", 1), ("a", 2))
    )
    assert judged(cluster(pools), workload(ab, bc, a), "/ab a1", "/bc a1", "/a a1").holds
    more = workload(ab, bc, job("/a", cpus=2.001, accepted_roles=("a",)))
    assert broken(judged(cluster(pools), more, "/ab a1", "/bc a1", "/a a1")) == [("cpus", 3)]


# --- ports ----------------------------------------------------------------------------------------------------------

PORTS = ((31000, 31002),)


@pytest.mark.parametrize(("asked", "given", "holds"), [
    ((0,), (31002,), True),
    ((0,), (31003,), False),
    ((0,), (), False),
    ((0, 0), (31000, 31001), True),
    ((0, 0), (31000, 31000), False),
    ((31001,), (31001,), True),
    ((31001,), (31002,), False),
    ((0, 31000), (31001, 31000), True),
    ((0, 31000), (31000, 31000), False),
    ((31000, 31000), (31000, 31000), True),
    ((31003,), (31003,), False),
    ((), (31000,), False),
])  # fmt: skip
def test_ports_are_those_asked_for_and_offered(asked, given, holds):
    verdict = judged(cluster(agent("a1", ports=PORTS)), job(ports=asked), "a1", ports=[given])
    assert broken(verdict) == ([] if holds else [("ports", 1)])


def test_a_port_is_given_once_on_an_agent():
    where = cluster(agent("a1", ports=PORTS), agent("a2", ports=PORTS))
    two = job(instances=2, ports=(31000,))
    assert judged(where, two, "a1", "a2", ports=[(31000,), (31000,)]).holds
    assert broken(judged(where, two, "a1", "a1", ports=[(31000,), (31000,)])) == [("ports", 1)]


def test_a_port_that_a_running_instance_holds_is_taken():
    holder = RunningInstance(job="/old", instance=0, agent="a1", ports=(31000,))
    where = Cluster.build([agent("a1", ports=PORTS)], [holder])
    assert judged(where, job(ports=(0,)), "a1", ports=[(31001,)]).holds
    assert broken(judged(where, job(ports=(0,)), "a1", ports=[(31000,)])) == [("ports", 1)]


def test_ports_come_from_accepted_roles_only():
    one = agent("a1", ports=PORTS, reservations=(Reservation(role="p", ports=((80, 80),)),))
    assert judged(cluster(one), job(ports=(80,), accepted_roles=("*", "p")), "a1", ports=[(80,)]).holds
    assert not judged(cluster(one), job(ports=(80,)), "a1", ports=[(80,)]).holds


def test_without_ports_named_there_must_be_enough_of_them():
    where = cluster(agent("a1", ports=PORTS))
    jobs = workload(job("/named", ports=(31001,)), job("/any", 3, ports=(0,)))
    assert judged(where, jobs, "/any a1", "/named a1", "/any a1").holds
    assert broken(judged(where, jobs, "/any a1", "/named a1", "/any a1", "/any a1")) == [("ports", 1)]
    assert broken(judged(where, job(instances=2, ports=(31001,)), "a1", "a1")) == [("ports", 1)]


# --- volumes --------------------------------------------------------------------------------------------------------


def disks(*many: Disk) -> Cluster:
    return cluster(agent("a1", free={"disk": 1000_000}, disks=many))


def volume(kind: str, size: int, **more: object) -> VolumeRequest:
    return VolumeRequest(name="data", kind=kind, size=size * 1000, **more)  # type: ignore[arg-type]


def test_root_volumes_and_sandbox_share_the_root_disk():
    fits, not_quite = (job(volumes=(volume("root", size), volume("root", 400))) for size in (600, 601))
    assert judged(disks(), fits, "a1").holds
    assert broken(judged(disks(), not_quite, "a1")) == [("disk", 1)]


PATH = Disk(kind="path", size=1024_000, path="/p1")
MOUNT = Disk(kind="mount", size=1024_000, path="/m1")


@pytest.mark.parametrize(("asked", "given", "holds"), [
    (volume("path", 1024), ("/p1", 1024_000), True),
    (volume("path", 1025), ("/p1", 1025_000), False),
    (volume("path", 1000), ("/p1", 1024_000), False),
    (volume("path", 1000), ("/p2", 1000_000), False),
    (volume("path", 1000), ("/m1", 1000_000), False),
    (volume("path", 1000, profile="fast"), ("/p1", 1000_000), False),
    (volume("path", 1000, path_rules=(Like("path", Pattern.compile("/p.")),)), ("/p1", 1000_000), True),
    (volume("path", 1000, path_rules=(Unlike("path", Pattern.compile("/p.")),)), ("/p1", 1000_000), False),
    (volume("mount", 500), ("/m1", 1024_000), True),
    (volume("mount", 500), ("/m1", 500_000), False),
    (volume("mount", 500, most=1024_000), ("/m1", 1024_000), True),
    (volume("mount", 500, most=750_000), ("/m1", 1024_000), False),
    (volume("mount", 1025), ("/m1", 1024_000), False),
])  # fmt: skip
def test_a_volume_lies_on_a_disk_that_suits_it(asked, given, holds):
    verdict = judged(disks(PATH, MOUNT), job(volumes=(asked,)), "a1", units=[(given,)])
    assert broken(verdict) == ([] if holds else [("volumes", 1)])


def test_shares_of_a_path_add_up_and_a_mount_disk_is_used_once():
    shares = job(instances=2, volumes=(volume("path", 512),))
    assert judged(disks(PATH), shares, "a1", "a1", units=[(("/p1", 512_000),)] * 2).holds
    assert not judged(disks(PATH), job(instances=2, volumes=(volume("path", 513),)), "a1", "a1",
                      units=[(("/p1", 513_000),)] * 2).holds  # fmt: skip
    whole = job(instances=2, volumes=(volume("mount", 10),))
    assert judged(disks(MOUNT, MOUNT), whole, "a1", "a1", units=[(("/m1", 1024_000),)] * 2).holds
    assert broken(judged(disks(MOUNT), whole, "a1", "a1", units=[(("/m1", 1024_000),)] * 2)) == [("volumes", 1)]


def test_two_disks_of_one_path_serve_one_volume_together():
    parts = disks(PATH, Disk(kind="path", size=500_000, path="/p1"))
    assert judged(parts, job(volumes=(volume("path", 1500),)), "a1", units=[(("/p1", 1500_000),)]).holds


def test_reserved_and_raw_disks_serve_no_volume():
    raw, reserved = Disk(kind="raw", size=10**6, path="/r"), Disk(kind="path", size=10**6, path="/r", role="p")
    assert not judged(disks(raw, reserved), job(volumes=(volume("path", 1),)), "a1", units=[(("/r", 1000),)]).holds


def test_every_volume_needs_its_disk_named():
    assert not judged(disks(PATH), job(volumes=(volume("path", 1),)), "a1").holds


def resident_cluster(**own: object) -> Cluster:
    """Instance 0 of /db waits on a1; a2 is free."""
    amounts = {"cpus": 1000, **own}
    own_reservation = Reservation(role="p", amounts=amounts, ports=((9000, 9000),), owner="/db#0")
    held = agent("a1", cpus=0, volumes=(Volume(id="v", size=1000, role="p"),), reservations=(own_reservation,))
    waiting = RunningInstance(job="/db", instance=0, agent="a1", state="reserved", volumes=("v",))
    return Cluster.build([held, agent("a2", cpus=9, free={"disk": 9000})], [waiting])


def resident(instances: int = 1, **more: object) -> Job:
    return job("/db", instances, volumes=(volume("root", 1),), **more)  # type: ignore[arg-type]


def test_a_waiting_instance_returns_to_its_volumes_and_keeps_its_number():
    where = resident_cluster()
    assert judged(where, resident(), "a1", numbers=[0]).holds
    assert broken(judged(where, resident(), "a2", numbers=[0])) == [("cpus", 1), ("volumes", 1)]
    assert broken(judged(where, resident(), "a2", numbers=[1])) == [("volumes", 1)]
    assert judged(where, resident(2), "a2", numbers=[1]).holds
    assert broken(judged(where, resident(2), "a2", "a2", numbers=[1, 2])) == [("volumes", 1)]


def test_a_returning_instance_lives_on_its_own_reservation():
    assert judged(resident_cluster(cpus=1000), resident(), "a1", numbers=[0]).holds
    assert broken(judged(resident_cluster(cpus=999), resident(), "a1", numbers=[0])) == [("cpus", 1)]


def test_a_returning_instance_takes_its_own_ports():
    where = resident_cluster()
    assert judged(where, resident(ports=(9000,)), "a1", numbers=[0], ports=[(9000,)]).holds
    assert broken(judged(where, resident(ports=(9001,)), "a1", numbers=[0], ports=[(9001,)])) == [("ports", 1)]


# --- constraints ----------------------------------------------------------------------------------------------------

ACCEPTED = [
    ("rack:UNIQUE", ["a1", "a2", "a3"]),
    ("rack:MAX_PER:2", ["a1", "b1", "a2"]),
    ("rack:MAX_PER:0", ["a1", "a2"]),
    ("rack:CLUSTER", ["a1", "b1", "a1"]),
    ("rack:CLUSTER:r2", ["a2", "a2"]),
    ("rack:LIKE:r[12]", ["a1", "a2"]),
    ("rack:UNLIKE:r[12]", ["a3", "plain"]),
    ("rack:UNLIKE:", ["plain"]),
    ("rack:IS:r3", ["a3"]),
    ("rack:GROUP_BY:2", ["a1", "a2", "a1", "a2", "b1"]),
    ("rack:GROUP_BY", ["a1", "a2", "a3", "b1"]),
    ("@hostname:UNIQUE", ["a1", "plain"]),
]
REFUSED = [
    ("rack:UNIQUE", ["a1", "a2", "b1"], 1),
    ("rack:UNIQUE", ["plain"], 1),
    ("rack:MAX_PER:2", ["a1", "b1", "a1"], 1),
    ("rack:MAX_PER:0", ["a1", "b1"], 1),
    ("rack:MAX_PER:1", ["plain"], 1),
    ("rack:CLUSTER", ["a1", "b1", "a2"], 1),
    ("rack:CLUSTER", ["plain"], 1),
    ("rack:CLUSTER:r2", ["a2", "a1"], 1),
    ("rack:CLUSTER:r2", ["plain"], 1),
    ("rack:LIKE:r[12]", ["a1", "a3"], 1),
    ("rack:LIKE:r[12]", ["plain"], 1),
    ("rack:LIKE:", ["a1"], 1),
    ("rack:UNLIKE:r[12]", ["a3", "a1"], 1),
    ("rack:UNLIKE:", ["a1"], 1),
    ("rack:IS:r3", ["a2"], 1),
    ("rack:IS:r3", ["plain"], 1),
    ("rack:GROUP_BY:2", ["a1", "a2", "a1", "a2", "a3"], 1),
    ("rack:GROUP_BY:2", ["a1", "a1", "a1", "b1"], 1),
    ("rack:GROUP_BY:2", ["plain"], 1),
    ("rack:GROUP_BY", ["a1", "b1"], 1),
    ("rack:GROUP_BY", ["plain"], 1),
    ("@hostname:UNIQUE", ["a1", "a1"], 1),
]


@pytest.mark.parametrize(("rule", "rows"), ACCEPTED)
def test_what_a_constraint_allows_is_accepted(rule, rows):
    assert judged(cluster(*RACKS, agent("plain")), job(instances=5, constraints=rule), *rows) == Verdict()


@pytest.mark.parametrize(("rule", "rows", "count"), REFUSED)
def test_what_a_constraint_forbids_is_refused(rule, rows, count):
    verdict = judged(cluster(*RACKS, agent("plain")), job(instances=5, constraints=rule), *rows)
    assert broken(verdict) == [(rule, count)]


@pytest.mark.parametrize(("value", "attribute", "holds"), [
    ("0.8001", "0.8", True), ("0.80", "0.8", True), ("1.0005", "1", True), ("7.0", "7", True), ("100", "100", True),
    ("0.801", "0.8", False), ("1", "'1.0'", False),
])  # fmt: skip
def test_is_compares_numbers_as_they_are_printed(value, attribute, holds):
    verdict = judged(cluster(agent("a1", level=attribute)), job(constraints=f"level:IS:{value}"), "a1")
    assert verdict.holds is holds


def test_the_first_attribute_of_a_name_is_the_value():
    twice = agent("a1", rack="r1")
    twice = type(twice)(id="a1", free=twice.free, attributes=twice.attributes + agent("x", rack="r2").attributes)
    assert judged(cluster(twice), job(constraints="rack:IS:r1"), "a1").holds
    assert not judged(cluster(twice), job(constraints="rack:IS:r2"), "a1").holds


def test_the_local_region():
    where = cluster(agent("home", region="home"), agent("away", region="away"), agent("none"))
    here = Job(id="/app", instances=3, constraints=(FaultDomain(local_region="home"),))
    assert judged(where, here, "home", "none").holds
    assert broken(judged(where, here, "home", "away")) == [("@region:LOCAL_REGION:home", 1)]
    unknown = Job(id="/app", instances=3, constraints=(FaultDomain(),))
    assert judged(where, unknown, "none").holds
    assert not judged(where, unknown, "home").holds


@pytest.mark.parametrize(("now", "draining", "length", "holds"), [
    (99.0, 0.0, None, True), (100.0, 0.0, None, True), (101.0, 0.0, None, False), (99.0, 2.0, None, False),
    (110.0, 0.0, 10.0, False), (111.0, 0.0, 10.0, True), (None, 0.0, None, True),
])  # fmt: skip
def test_maintenance(now, draining, length, holds):
    where = cluster(agent("a1", unavailable_from=100.0, unavailable_for=length), now=now)
    verdict = judged(where, Job(id="/app", constraints=(Maintenance(draining_seconds=draining),)), "a1")
    assert verdict.holds is holds


def test_scarce_gpus_bind_all_but_those_that_return_to_their_volumes():
    where = cluster(agent("plain"), agent("free", free={"gpus": 1000}),
                    agent("reserved", reservations=(Reservation(role="p", amounts={"gpus": 1000}),)))  # fmt: skip
    one = Job(id="/app", instances=3, constraints=(ScarceGpus(),))
    assert judged(where, one, "plain").holds
    assert broken(judged(where, one, "plain", "free", "reserved")) == [("SCARCE_GPUS", 2)]
    back = resident_cluster(gpus=1000)
    assert judged(back, Job(id="/db", demand={"cpus": 1000}, constraints=(ScarceGpus(),)), "a1", numbers=[0]).holds


def test_affinity_and_anti_affinity():
    where = cluster(*RACKS, running=["/db a1"])
    beside = workload(job(instances=2, constraints="rack:AFFINITY:/db"), job("/db", 2))
    assert judged(where, beside, "/app b1").holds
    assert broken(judged(where, beside, "/app a2")) == [("rack:AFFINITY:/db", 1)]
    assert judged(where, beside, "/db a2", "/app a2").holds
    apart = workload(job(instances=2, constraints="rack:ANTI_AFFINITY:/db:1"), job("/db", 2))
    assert judged(where, apart, "/app b1").holds
    assert broken(judged(where, apart, "/app b1", "/app a1")) == [("rack:ANTI_AFFINITY:/db:1", 1)]
    assert broken(judged(where, apart, "/app a2", "/app a2", "/db a2")) == [("rack:ANTI_AFFINITY:/db:1", 1)]
    assert judged(cluster(agent("a0"), running=["/db a0"]), apart, "/app a0", "/app a0").holds


def test_the_other_job_does_not_come_to_where_more_than_the_limit_run():
    where = cluster(*RACKS, running=["/app a1", "/app b1"])
    apart = workload(job(instances=2, constraints="rack:ANTI_AFFINITY:/db:1"), job("/db"))
    assert judged(where, apart, "/db a2").holds
    assert broken(judged(where, apart, "/db a1")) == [("rack:ANTI_AFFINITY:/db:1", 1)]


# --- not made worse, and what counts --------------------------------------------------------------------------------

WORSE = [
    ("rack:UNIQUE", ["a1", "b1"], ["a2"], ["a1"]),
    ("rack:MAX_PER:1", ["a1", "b1"], ["a2"], ["b1"]),
    ("rack:GROUP_BY:1", ["a1", "a2"], [], ["a3"]),
    ("rack:GROUP_BY", ["a1", "b1"], ["a2", "a3"], ["a2", "b1"]),
    ("rack:CLUSTER", ["a1"], ["b1"], ["a2"]),
    ("rack:CLUSTER", ["a1", "a2"], [], ["a1"]),
]


@pytest.mark.parametrize(("rule", "running", "right", "wrong"), WORSE)
def test_a_violation_that_was_there_before_is_no_breach_unless_made_worse(rule, running, right, wrong):
    where = cluster(*RACKS, running=[f"/app {one}" for one in running])
    one = job(instances=len(running) + 2, constraints=rule)
    assert judged(where, one, *right).holds
    assert not judged(where, one, *wrong).holds


@pytest.mark.parametrize(("state", "version", "counts"), [
    ("running", 20.0, True), ("killing", 20.0, True), ("unreachable_inactive", 20.0, True), ("running", 10.0, False),
    ("unreachable", 20.0, False), ("gone", 20.0, False), ("failed", 20.0, False),
])  # fmt: skip
def test_running_instances_count_for_constraints_by_state_and_version(state, version, counts):
    there = RunningInstance(job="/app", instance=0, agent="a1", state=state, version=version)
    one = job(instances=2, constraints="hostname:UNIQUE", version=20.0)
    verdict = judged(Cluster.build([agent("a1")], [there]), one, "a1", numbers=[0 if state == "failed" else 1])
    assert verdict.holds is not counts


def test_an_instance_outside_the_snapshot_has_no_value():
    lost = RunningInstance(job="/app", instance=0, agent="elsewhere")
    where = Cluster.build([agent("a1", rack="r1")], [lost])
    assert judged(where, job(instances=2, constraints="rack:UNIQUE"), "a1").holds
    assert not judged(where, job(instances=2, constraints="rack:CLUSTER"), "a1").holds
    assert not judged(where, job(instances=2, constraints="rack:GROUP_BY:1"), "a1").holds


# --- the values that matter -----------------------------------------------------------------------------------------


def test_a_value_matters_only_if_an_agent_there_could_take_an_instance():
    full = cluster(agent("a1", rack="r1"), agent("a2", rack="r2", cpus=0.5))
    roomy = cluster(agent("a1", rack="r1"), agent("a2", rack="r2", cpus=1))
    one = job(instances=2, constraints="rack:GROUP_BY")
    assert judged(full, one, "a1", "a1").holds
    assert broken(judged(roomy, one, "a1", "a1")) == [("rack:GROUP_BY", 1)]


def test_a_value_where_the_job_runs_matters_though_it_is_full():
    where = cluster(agent("a1", rack="r1"), agent("a2", rack="r2", cpus=0), running=["/app a2"])
    one = job(instances=9, constraints="rack:GROUP_BY")
    assert judged(where, one, "a1", "a1").holds
    assert not judged(where, one, "a1", "a1", "a1").holds


@pytest.mark.parametrize("other", [
    "area:LIKE:z1", "area:CLUSTER:z1", "area:IS:z1", "area:UNLIKE:z2", "area:AFFINITY:/db", "area:ANTI_AFFINITY:/web",
])  # fmt: skip
def test_a_value_matters_only_if_the_other_rules_allow_an_agent_there(other):
    where = cluster(agent("a1", rack="r1", area="z1"), agent("a2", rack="r2", area="z2"),
                    running=["/db a1", "/web a2"])  # fmt: skip
    assert judged(where, job(instances=2, constraints=f"rack:GROUP_BY;{other}"), "a1", "a1").holds
    assert not judged(where, job(instances=2, constraints="rack:GROUP_BY"), "a1", "a1").holds


def test_a_value_taken_under_unique_does_not_matter():
    where = cluster(*[agent(f"a{i}", rack="r1", area="z1") for i in range(3)], agent("b", rack="r2", area="z2"),
                    agent("c", rack="r3", area="z3"), running=["/app b"])  # fmt: skip
    one = job(instances=3, constraints="rack:GROUP_BY;area:MAX_PER:1")
    assert judged(where, one, "a0", "c").holds
    assert broken(judged(where, one, "a0", "a1"))[0] == ("rack:GROUP_BY", 1)


def test_a_relaxed_rule_takes_no_value_away():
    where = cluster(agent("a1", rack="r1", area="z1"), agent("a2", rack="r2", area="z2"))
    one = job(instances=2, constraints="rack:GROUP_BY;area:LIKE:z1")
    assert judged(where, one, "a1", "a1").holds
    verdict = judged(where, one, "a1", "a1", relax=["*/area:LIKE"])
    assert broken(verdict) == [("rack:GROUP_BY", 1)]


def test_ports_and_disks_decide_whether_a_value_matters():
    where = cluster(agent("a1", rack="r1", ports=((1, 4),)), agent("a2", rack="r2", ports=((1, 1),)))
    two = job(instances=2, constraints="rack:GROUP_BY", ports=(0, 0))
    assert judged(where, two, "a1", "a1", ports=[(1, 2), (3, 4)]).holds
    named = job(instances=3, constraints="rack:GROUP_BY", ports=(4,))
    assert judged(cluster(agent("a1", rack="r1", ports=((4, 4),)), agent("a2", rack="r2", ports=((1, 1),)),
                          agent("b1", rack="r1", ports=((4, 4),))), named, "a1", "b1").holds  # fmt: skip
    held = cluster(agent("a1", rack="r1", disks=(PATH,)), agent("a2", rack="r2"))
    stored = job(instances=2, constraints="rack:GROUP_BY", volumes=(volume("path", 512),))
    assert judged(held, stored, "a1", "a1", units=[(("/p1", 512_000),)] * 2).holds


# --- order ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "right", "wrong"), [
    (GroupBy("rack"), ["a1", "a2", "a3", "b1"], ["a1", "b1", "a2", "a3"]),
    (GroupBy("rack", 3, "classic"), ["a1", "a2", "a3", "b1"], ["a1", "a2", "b1", "a3"]),
])  # fmt: skip
def test_only_the_order_is_wrong(rule, right, wrong):
    where = cluster(*RACKS)
    one = Job(id="/app", instances=4, constraints=(rule,))
    assert judged(where, one, *right).holds
    verdict = judged(where, one, *wrong)
    assert broken(verdict) == [(str(rule), 1)]
    assert "order" in verdict.breaches[0].message
    assert judged(where, one, *wrong, any_order=True).holds


def test_affinity_needs_the_other_job_first_unless_they_go_in_one_step():
    where = cluster(*RACKS)
    jobs = workload(job(constraints="rack:AFFINITY:/db"), job("/db"))
    assert judged(where, jobs, "/db a1", "/app b1").holds
    assert broken(judged(where, jobs, "/app b1", "/db a1")) == [("rack:AFFINITY:/db", 1)]
    assert judged(where, jobs, "/app b1", "/db a1", any_order=True).holds
    circle = workload(job(constraints="rack:AFFINITY:/db"), job("/db", constraints="rack:AFFINITY:/app"))
    assert judged(where, circle, "/app b1", "/db a1").holds
    gang = workload(job(instances=2, minimum=2, constraints="rack:AFFINITY:/db"), job("/db"))
    assert judged(where, gang, "/app b1", "/app a1", "/db a1").holds


def test_a_value_in_use_grows_only_when_enough_are_in_use():
    where = cluster(*RACKS)
    one = Job(id="/app", instances=4, constraints=(GroupBy("rack", 2, "classic"),))
    assert judged(where, one, "a1").holds
    assert broken(judged(where, one, "a1", "b1")) == [(str(one.constraints[0]), 1)]


def test_layers_are_recorded_and_kept_in_order():
    where = cluster(*RACKS)
    jobs = workload(job("/db", 2), job("/app", layer=2, dependencies=("/db",)))
    assert judged(where, jobs, "/db a1", "/app a1").holds
    assert broken(judged(where, jobs, "/db a1", "/app a1", layers=[1, 1])) == [("layer", 1)]
    assert broken(judged(where, jobs, "/db a1", "/app a1", in_order=True)) == [("layer", 1)]
    assert judged(where, jobs, "/db a1", "/db a1", "/app a1", in_order=True).holds
    late = judged(where, jobs, "/db a1", "/app a1", "/db a1", in_order=True)
    assert broken(late) == [("layer", 1)]
    assert judged(where, jobs, "/db a1", "/app a1", "/db a1", in_order=True, any_order=True).holds


# --- relaxed rules --------------------------------------------------------------------------------------------------


def test_relaxed_constraints_are_counted_instead_of_refused():
    where = cluster(*RACKS, agent("plain"))
    one = job(instances=5, constraints="rack:UNIQUE;hostname:LIKE:a.*")
    rows = ["a1", "a1", "b1", "plain"]
    assert broken(judged(where, one, *rows)) == [("rack:UNIQUE", 1), ("rack:UNIQUE", 2), ("hostname:LIKE:a.*", 2)]
    verdict = judged(where, one, *rows, relax=["/app/rack:UNIQUE", "*/hostname:*"])
    assert verdict.holds
    assert verdict.violations == (("/app", "rack:UNIQUE", 3), ("/app", "hostname:LIKE:a.*", 2))
    assert not judged(where, one, *rows, relax=["/other/rack:UNIQUE", "*/hostname:*"]).holds


def test_a_relaxed_balance_is_judged_by_its_final_state():
    where = cluster(*RACKS)
    one = job(instances=4, constraints="rack:GROUP_BY")
    verdict = judged(where, one, "a1", "b1", "a1", relax=["*/rack:GROUP_BY"])
    assert verdict.violations == (("/app", "rack:GROUP_BY", 2),)
    assert judged(where, one, "a1", "b1", "a2", "a3", relax=["*/rack:GROUP_BY"]).violations == ()


def test_an_unknown_shape_of_rule_in_relax_is_an_input_error():
    with pytest.raises(InputError):
        judged(cluster(*RACKS), job(), relax=["rack"])
