"""Random clusters and workloads, small enough to judge and odd enough to break something."""

from __future__ import annotations

from hypothesis import strategies as st

from placement.attributes import parse
from placement.cluster import Agent, Cluster, Disk, Reservation
from placement.constraints import (
    Affinity,
    AntiAffinity,
    ClusterValue,
    GroupBy,
    Is,
    Like,
    Maintenance,
    MaxPer,
    OneValue,
    ScarceGpus,
    Unique,
    Unlike,
)
from placement.patterns import Pattern
from placement.running import RunningInstance
from placement.workload import Job, VolumeRequest, Workload

FIELDS = ("rack", "type", "hostname")
FIELD = st.sampled_from(FIELDS)
RULES = st.one_of(
    st.builds(Unique, FIELD),
    st.builds(MaxPer, FIELD, st.integers(1, 3)),
    st.builds(OneValue, FIELD),
    st.builds(ClusterValue, st.just("rack"), st.sampled_from(["r1", "r2"])),
    st.builds(GroupBy, FIELD, st.sampled_from([None, 1, 2, 3]), st.sampled_from(["quota", "classic"])),
    st.builds(Like, FIELD, st.sampled_from(["r[12]", ".*", "a.*"]).map(Pattern.compile)),
    st.builds(Unlike, FIELD, st.sampled_from(["r1", "x"]).map(Pattern.compile)),
    st.builds(Is, st.just("type"), st.sampled_from(["x", "y"])),
    st.builds(Affinity, FIELD, st.sampled_from(["/j0", "/j1"])),
    st.builds(AntiAffinity, FIELD, st.sampled_from(["/j0", "/j1"]), st.integers(0, 1)),
    st.just(Maintenance()),
    st.just(ScarceGpus()),
)
ROLES = st.sampled_from([("*", ("*",)), ("prod", ("*", "prod")), ("prod", ("prod",))])


@st.composite
def clusters(draw, *, most=6, jobs=2):
    """A cluster with some of everything, on which instances of the jobs may run."""
    records = []
    for i in range(draw(st.integers(1, most))):
        attributes = [
            ("rack", draw(st.sampled_from(["r1", "r2", "r3", None]))),
            ("type", draw(st.sampled_from(["x", "y", None]))),
        ]
        reserved = draw(st.sampled_from([0, 0, 1000]))
        disks = draw(st.lists(st.sampled_from([("path", "/p", 300), ("path", "/q", 500), ("mount", "/m", 400)]), max_size=2,
                              unique=True))  # fmt: skip
        records.append(
            Agent(
                id=f"a{i}",
                free={"cpus": draw(st.sampled_from([0, 1000, 2500, 4000])), "mem": draw(st.integers(0, 8)) * 1000,
                      "gpus": draw(st.sampled_from([0, 0, 0, 1000]))},
                ports=draw(st.sampled_from([(), ((1, 2),), ((1, 1), (5, 6))])),
                attributes=tuple((name, parse(value)) for name, value in attributes if value),
                reservations=(Reservation(role="prod", amounts={"cpus": reserved}),) if reserved else (),
                disks=tuple(Disk(kind=kind, path=path, size=size) for kind, path, size in disks),
                unavailable_from=draw(st.sampled_from([None, None, None, 50.0])),
            )
        )  # fmt: skip
    running = []
    for number in range(jobs):
        for instance in range(draw(st.integers(0, 2))):
            agent = draw(st.sampled_from([*[one.id for one in records], "gone"]))
            state = draw(st.sampled_from(["running", "running", "unreachable"]))
            running.append(RunningInstance(job=f"/j{number}", instance=instance, agent=agent, state=state))
    return Cluster.build(records, running, now=100.0)


@st.composite
def workloads(draw, *, most=3, instances=4):
    """A workload of jobs /j0, /j1, ... with random rules."""
    jobs = []
    for number in range(draw(st.integers(2, most))):
        role, accepted = draw(ROLES)
        count = draw(st.integers(0, instances))
        volumes = draw(st.sampled_from([(), (), (), (VolumeRequest(name="v", size=300, kind="path"),),
                                        (VolumeRequest(name="v", size=300, kind="mount"),)]))  # fmt: skip
        rules = draw(st.lists(RULES, max_size=2))
        jobs.append(
            Job(
                id=f"/j{number}",
                instances=count,
                minimum=draw(st.sampled_from([0, 0, 0, count])),
                demand={"cpus": draw(st.sampled_from([0, 500, 1000])), "mem": draw(st.integers(0, 3)) * 1000},
                constraints=tuple(one for one in rules if getattr(one, "other", "") != f"/j{number}"),
                ports=draw(st.sampled_from([(), (), (0,), (1,), (0, 5)])),
                volumes=volumes,
                role=role,
                accepted_roles=("*",) if volumes else accepted,
                priority=draw(st.sampled_from([0, 0, 1])),
            )
        )
    return Workload(tuple(jobs))
