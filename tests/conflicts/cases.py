"""The cases: a cluster, jobs, and the reasons that conflict. `headline` is what an operator reads, where it is pinned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from placement.amounts import thousandths
from placement.cluster import Cluster, Disk, Reservation, Volume
from placement.constraints import FaultDomain, GroupBy, Maintenance, ScarceGpus
from placement.running import RunningInstance
from placement.workload import Job, VolumeRequest
from tests.clusters import agent, cluster, job


@dataclass(frozen=True)
class Case:
    """An infeasible workload and its one minimal conflict."""

    name: str
    cluster: Callable[[], Cluster]
    jobs: tuple[Job, ...]
    conflict: frozenset[str]
    headline: str = ""


CASES: list[Case] = []


def case(name: str, where: Callable[[], Cluster], *jobs: Job, conflict: str, headline: str = "") -> None:
    """Note a case; `conflict` lists the reasons, separated by ' + '."""
    CASES.append(Case(name, where, jobs, frozenset(conflict.split(" + ")), headline))


def needing(one: Job, **amounts: float) -> Job:
    """A job with further amounts an instance."""
    return replace(one, demand={**one.demand, **{name: thousandths(amount) for name, amount in amounts.items()}})


def with_rule(one: Job, *rules: object) -> Job:
    """A job with further constraints, given as objects."""
    return replace(one, constraints=(*one.constraints, *rules))  # type: ignore[arg-type]


def fleet(count: int, public: int = 0, racks: int = 3, cpus: float = 4, **more: object) -> Callable[[], Cluster]:
    """Equal agents a0, a1, ... in racks r0, r1, ... in turn; the first few have type public, the others private."""

    def build() -> Cluster:
        return cluster(
            *(
                agent(f"a{i}", cpus=cpus, rack=f"r{i % racks}", type="public" if i < public else "private", **more)  # type: ignore[arg-type]
                for i in range(count)
            )
        )

    return build


# --- one job, one kind of rule after the other ------------------------------------------------------------------------

case(
    "unique hosts among too few public agents",
    fleet(40, public=9),
    job("/web", 12, "hostname:UNIQUE;type:LIKE:public"),
    conflict="/web instances=12 + /web hostname:UNIQUE + /web type:LIKE:public",
    headline="/web: hostname:UNIQUE needs 12 agents where type matches public for 12 instances; 9 exist",
)
case(
    "a cap on each rack leaves too few places",
    fleet(12),
    job("/web", 7, "rack:MAX_PER:2"),
    conflict="/web instances=7 + /web rack:MAX_PER:2",
    headline="/web: rack:MAX_PER:2 needs 4 values of rack for 7 instances; 3 exist",
)
case(
    "a pattern that no agent matches",
    fleet(5),
    job("/web", 2, "type:LIKE:gold.*"),
    job("/other", 3),
    conflict="/web instances=2 + /web type:LIKE:gold.*",
    headline="/web needs an agent where type matches gold.*; there is none among 5",
)
case(
    "one pattern forbids what the other demands",
    fleet(6, public=3),
    job("/web", 1, "type:LIKE:pub.*;type:UNLIKE:public"),
    conflict="/web instances=1 + /web type:LIKE:pub.* + /web type:UNLIKE:public",
    headline="/web needs an agent where type matches pub.* and type does not match public; there is none among 6",
)
case(
    "unlike alone, when every agent matches",
    fleet(4),
    job("/web", 1, "rack:UNLIKE:r[0-9]"),
    conflict="/web instances=1 + /web rack:UNLIKE:r[0-9]",
)
case(
    "is, and not enough cpus there",
    fleet(9, racks=3),
    job("/db", 4, "rack:IS:r1", cpus=3),
    conflict="/db instances=4 + /db rack:IS:r1 + cpus",
    headline="/db: 4 instances need 3 cpus each on one agent; the 3 agents where rack is r1 have room for 3",
)
case(
    "a cluster value, and not enough cpus there",
    fleet(9, racks=3),
    job("/db", 13, "rack:CLUSTER:r2"),
    conflict="/db instances=13 + /db rack:CLUSTER:r2 + cpus",
    headline="/db: 13 instances ask 13 cpus; 12 are free on the 3 agents where rack is r2",
)
case(
    "all on one rack, whichever it is",
    fleet(9, racks=3),
    job("/db", 13, "rack:CLUSTER"),
    conflict="/db instances=13 + /db rack:CLUSTER + cpus",
    headline="/db (13 instances): /db rack:CLUSTER; "
    "cpus: 36 cpus free on 9 agents, an instance takes /db 1; at most 12 of 13 fit",
)
case(
    "all on one rack, but each on another",
    fleet(9, racks=3),
    job("/db", 2, "rack:CLUSTER;rack:UNIQUE"),
    conflict="/db instances=2 + /db rack:CLUSTER + /db rack:UNIQUE",
    headline="/db (2 instances): /db rack:CLUSTER; /db rack:UNIQUE; at most 1 of 2 fit",
)
case(
    "shares on four racks, of which there are three",
    fleet(9, racks=3),
    job("/db", 8, "rack:GROUP_BY:4"),
    conflict="/db instances=8 + /db rack:GROUP_BY:4",
    headline="/db (8 instances): /db rack:GROUP_BY:4; at most 6 of 8 fit",
)
case(
    "a balance over at least four racks, of which there are three",
    fleet(9, racks=3),
    with_rule(job("/db", 4), GroupBy("rack", 4, "classic")),
    conflict="/db instances=4 + /db rack:GROUP_BY:4",
)
case(
    "a balance stops at the smallest rack",
    lambda: cluster(agent("a1", cpus=9, rack="r1"), agent("a2", cpus=1, rack="r2")),
    job("/db", 5, "rack:GROUP_BY"),
    conflict="/db instances=5 + /db rack:GROUP_BY + cpus",
)
case(
    "agents of another region",
    lambda: cluster(agent("a1", region="east"), agent("a2", region="east")),
    with_rule(job("/web", 1), FaultDomain(local_region="west")),
    conflict="/web instances=1 + /web @region:LOCAL_REGION:west",
    headline="/web needs an agent in the local region west; there is none among 2",
)
case(
    "every agent in maintenance",
    lambda: cluster(agent("a1", unavailable_from=0.0), agent("a2", unavailable_from=5.0), now=10.0),
    with_rule(job("/web", 1), Maintenance()),
    conflict="/web instances=1 + /web MAINTENANCE",
)
case(
    "gpus are kept for those who ask for some",
    lambda: cluster(agent("a1", free={"gpus": 1000}), agent("a2", cpus=1)),
    with_rule(job("/web", 2), ScarceGpus()),
    conflict="/web instances=2 + /web SCARCE_GPUS + cpus",
)
case(
    "more cpus than one agent has",
    fleet(5),
    job("/big", 1, cpus=9),
    job("/small", 2),
    conflict="/big instances=1 + cpus",
    headline="/big needs 9 cpus on one agent; the most free is 4",
)
case(
    "mem is there in sum but in pieces",
    fleet(3),
    needing(job("/cache", 4), mem=600),
    conflict="/cache instances=4 + mem",
    headline="/cache: 4 instances need 600 MB of mem each on one agent; the 3 agents have room for 3",
)
case(
    "a resource that no agent has",
    fleet(3),
    needing(job("/fpga", 1), fpga=1),
    conflict="/fpga instances=1 + fpga",
    headline="/fpga needs 1 fpga; no agent has any",
)
case(
    "gpus",
    fleet(3, free={"gpus": 1000}),
    needing(job("/train", 4), gpus=1),
    conflict="/train instances=4 + gpus",
    headline="/train: 4 instances ask 4 gpus; 3 are free on the 3 agents",
)
case(
    "more ports than are offered",
    fleet(2, ports=((31000, 31001),)),
    job("/web", 3, ports=(0, 0)),
    conflict="/web instances=3 + ports",
    headline="/web: 3 instances ask 6 ports; 4 are free on the 2 agents",
)
case(
    "a named port once an agent",
    fleet(2, ports=((80, 90),)),
    job("/web", 3, ports=(80,)),
    conflict="/web instances=3 + port 80",
)
case(
    "root disk for a volume",
    fleet(2, free={"disk": 500_000}),
    job("/db", 1, volumes=(VolumeRequest(name="data", size=600_000),)),
    conflict="/db instances=1 + disk",
    headline="/db needs 600 MB of disk on one agent; the most free is 500",
)
case(
    "a mount disk for each instance",
    lambda: cluster(agent("a1", disks=(Disk(kind="mount", size=100_000, path="/m"),)), agent("a2")),
    job("/db", 2, volumes=(VolumeRequest(name="data", size=50_000, kind="mount"),)),
    conflict="/db instances=2 + /db disks",
)
case(
    "a path disk that is too small for two",
    lambda: cluster(agent("a1", disks=(Disk(kind="path", size=100_000, path="/p"),))),
    job("/db", 2, volumes=(VolumeRequest(name="data", size=60_000, kind="path"),)),
    conflict="/db instances=2 + /db disks",
)
case(
    "resources that another role holds",
    lambda: cluster(
        agent("a1", cpus=1, reservations=(Reservation(role="ads", amounts={"cpus": 4000}),)),
        agent("a2", cpus=1, reservations=(Reservation(role="ads", amounts={"cpus": 4000}),)),
    ),
    job("/web", 3),
    conflict="/web instances=3 + /web role + cpus",
    headline="/web: 3 instances ask 3 cpus; 2 are free on the 2 agents for role *",
)
case(
    "a gang that does not fit whole",
    lambda: cluster(agent("a", cpus=2)),
    job("/mpi", 3, minimum=3),
    conflict="/mpi min=3 + cpus",
    headline="/mpi: 3 instances ask 3 cpus; 2 are free on the 1 agent",
)
case(
    "a minimum that fits, but not all",
    lambda: cluster(agent("a", cpus=2)),
    job("/mpi", 3, minimum=2),
    conflict="/mpi instances=3 + cpus",
)
case(
    "an instance whose volume is on an agent of the wrong rack",
    lambda: Cluster.build(
        [
            agent("a1", rack="r1", volumes=(Volume(id="v1", size=10_000, role="*"),),
                  reservations=(Reservation(role="*", amounts={"cpus": 1000}, owner="/db#0"),)),
            agent("a2", rack="r2"),
        ],
        [RunningInstance(job="/db", instance=0, agent="a1", state="reserved", volumes=("v1",))],
    ),
    job("/db", 1, "rack:IS:r2", volumes=(VolumeRequest(name="data", size=10_000),)),
    conflict="/db instances=1 + /db own volumes + /db rack:IS:r2",
)  # fmt: skip
case(
    "running instances take the values",
    lambda: cluster(*(agent(f"a{i}") for i in range(3)), running=["/web a0", "/web a1"]),
    job("/web", 4, "hostname:UNIQUE"),
    conflict="/web instances=2 + /web hostname:UNIQUE",
    headline="/web: hostname:UNIQUE needs 2 agents for 2 instances; 1 exists beside 2 with running instances",
)

# --- two jobs ---------------------------------------------------------------------------------------------------------

case(
    "two jobs ask more mem of the public agents than is free",
    fleet(20, public=3),
    needing(job("/a", 4, "type:LIKE:public"), mem=500),
    needing(job("/b", 3, "type:IS:public"), mem=500),
    job("/c", 5),
    conflict="/a instances=4 + /b instances=3 + /a type:LIKE:public + /b type:IS:public + mem",
    headline="mem: /a and /b ask 116.7 % of what is free on the 3 agents they may use (3500 of 3000 MB of mem)",
)
case(
    "two jobs name one port on one agent",
    lambda: cluster(agent("a1", ports=((80, 80),)), agent("a2", ports=((8080, 8080),))),
    job("/a", 1, ports=(80,)),
    job("/b", 1, ports=(80,)),
    conflict="/a instances=1 + /b instances=1 + port 80",
    headline="/a (1 instance) and /b (1 instance) do not fit together: "
    "port 80: named by /a and /b, given once an agent, offered by 1 agent; at most 1 of 2 fit",
)
case(
    "a job keeps off a job that is everywhere",
    fleet(3),
    job("/a", 1, "hostname:ANTI_AFFINITY:/b"),
    job("/b", 3, "hostname:UNIQUE"),
    conflict="/a instances=1 + /b instances=3 + /a hostname:ANTI_AFFINITY:/b + /b hostname:UNIQUE",
)
case(
    "a job follows a job that may not be where it must be",
    fleet(6, public=3),
    job("/a", 1, "hostname:AFFINITY:/b;type:IS:public"),
    job("/b", 1, "type:IS:private"),
    conflict="/a instances=1 + /a hostname:AFFINITY:/b + /a type:IS:public + /b type:IS:private",
)
case(
    "two jobs need the one agent that is large enough",
    lambda: cluster(agent("large", cpus=8), agent("s1", cpus=4), agent("s2", cpus=4)),
    job("/a", 1, cpus=6),
    job("/b", 1, cpus=5),
    job("/c", 2, cpus=1),
    conflict="/a instances=1 + /b instances=1 + cpus",
)
case(
    "together on one rack, with a job that fills it",
    lambda: cluster(agent("a1", cpus=4, rack="r1"), agent("a2", cpus=4, rack="r2")),
    job("/a", 2, "rack:AFFINITY:/b"),
    job("/b", 3, "rack:CLUSTER"),
    conflict="/a instances=2 + /b instances=3 + /a rack:AFFINITY:/b + /b rack:CLUSTER + cpus",
)

# --- more than 500 agents ---------------------------------------------------------------------------------------------

case(
    "unique hosts on a large snapshot",
    fleet(600, public=510),
    job("/web", 512, "hostname:UNIQUE;type:LIKE:public"),
    conflict="/web instances=512 + /web hostname:UNIQUE + /web type:LIKE:public",
    headline="/web: hostname:UNIQUE needs 512 agents where type matches public for 512 instances; 510 exist",
)
case(
    "pieces of three cpus on a large snapshot",
    fleet(550, cpus=3),
    job("/batch", 551, cpus=2),
    conflict="/batch instances=551 + cpus",
    headline="/batch: 551 instances need 2 cpus each on one agent; the 550 agents have room for 550",
)
case(
    "two jobs fill half of a large snapshot",
    fleet(800, public=400),
    job("/a", 900, "type:LIKE:public"),
    job("/b", 701, "type:LIKE:public"),
    job("/c", 1500),
    conflict="/a instances=900 + /b instances=701 + /a type:LIKE:public + /b type:LIKE:public + cpus",
)
case(
    "shares over the racks of a large snapshot, one of them with few public agents",
    lambda: cluster(
        *(agent(f"a{i}", cpus=1, rack=f"r{i % 4}", type="public" if i % 4 or i < 40 else "private") for i in range(520))
    ),
    job("/web", 80, "rack:GROUP_BY:4;type:IS:public", cpus=1),
    conflict="/web instances=80 + /web rack:GROUP_BY:4 + /web type:IS:public + cpus",
)
case(
    "a job keeps off the racks of a job that must be on every rack of a large snapshot",
    fleet(600, racks=10),
    job("/a", 1, "rack:ANTI_AFFINITY:/b"),
    job("/b", 10, "rack:UNIQUE"),
    conflict="/a instances=1 + /b instances=10 + /a rack:ANTI_AFFINITY:/b + /b rack:UNIQUE",
)
case(
    "two large jobs do not fit on the agents beside each other on a large snapshot",
    fleet(501, cpus=5),
    job("/a", 300, cpus=3),
    job("/b", 202, cpus=3),
    conflict="/a instances=300 + /b instances=202 + cpus",
)
