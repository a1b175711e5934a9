from dataclasses import replace

from placement.cluster import Agent, Cluster, Disk, Reservation, Volume
from placement.constraints import FaultDomain, Maintenance, ScarceGpus
from placement.eligibility import eligible
from placement.running import RunningInstance
from placement.workload import Job, VolumeRequest
from tests.clusters import agent, cluster, job


def reasons(where: Cluster, one: Job) -> list[tuple[str, ...]]:
    found = eligible(where, one)
    return [found.reasons(i) for i in range(len(where))]


def test_every_shortage_is_named_in_the_order_cpus_mem_gpus_disk():
    needs = Job(id="/a", demand={"disk": 2000, "gpus": 2000, "cpus": 2000, "mem": 2000})
    small = Agent(id="a", free={"cpus": 1000, "mem": 1000, "gpus": 1000, "disk": 1000})
    assert reasons(Cluster.build([small]), needs) == [
        ("InsufficientCpus", "InsufficientMemory", "InsufficientGpus", "InsufficientDisk")
    ]


def test_nothing_of_an_accepted_role_is_a_reason_of_its_own():
    reserved = Agent(id="a", reservations=(Reservation(role="dev", amounts={"cpus": 4000}),))
    assert reasons(Cluster.build([reserved]), job()) == [("InsufficientCpus", "UnfulfilledRole")]


def test_all_constraints_together_are_one_reason_and_maintenance_adds_its_own():
    where = cluster(agent("a", rack="r1", unavailable_from=0.0), now=10.0)
    rules = job(constraints="rack:IS:r2;zone:UNIQUE").constraints
    assert reasons(where, replace(job(), constraints=rules)) == [("UnfulfilledConstraint",)]
    assert reasons(where, replace(job(), constraints=(Maintenance(),))) == [
        ("UnfulfilledConstraint", "AgentMaintenance")
    ]


def test_a_refusal_by_region_has_no_reason():
    one = replace(job(), constraints=(FaultDomain(local_region="home"),))
    found = eligible(cluster(agent("a", region="far")), one)
    assert (found.agents, found.reasons(0)) == ((), ())


def test_scarce_gpus_are_declined():
    one = replace(job(), constraints=(ScarceGpus(),))
    assert reasons(cluster(agent("a", free={"gpus": 1000})), one) == [("DeclinedScarceResources",)]


def test_ports_are_looked_at_only_when_all_else_passes():
    where = cluster(agent("a", cpus=0.5), agent("b"))
    assert reasons(where, job(ports=(0,))) == [("InsufficientCpus",), ("InsufficientPorts",)]


def test_each_kind_of_disk_that_fails_is_named():
    volumes = (VolumeRequest(name="p", size=2000, kind="path"), VolumeRequest(name="m", size=2000, kind="mount"))
    disks = (Disk(kind="path", path="/p", size=1000), Disk(kind="mount", path="/m", size=1000))
    where = Cluster.build([Agent(id="a", free={"cpus": 1000}, disks=disks)])
    assert reasons(where, Job(id="/db", volumes=volumes)) == [("InsufficientDisk", "InsufficientDisk")]


def test_a_waiting_instance_is_served_where_its_volumes_are_and_nobody_elsewhere():
    own = Reservation(role="test", amounts={"cpus": 1000}, owner="/db#0")
    home = Agent(id="home", reservations=(own,), volumes=(Volume(id="v", size=1000, role="test"),))
    other = Agent(id="other", free={"cpus": 4000, "disk": 9000})
    waits = RunningInstance(job="/db", instance=0, agent="home", state="reserved", volumes=("v",))
    resident = Job(id="/db", demand={"cpus": 1000}, volumes=(VolumeRequest(name="data", size=1000),))
    found = eligible(Cluster.build([home, other], [waits]), resident)
    assert (found.agents, found.reasons(1)) == (("home",), ("NoCorrespondingReservationFound",))


def test_the_ports_and_disks_an_instance_would_get_are_told():
    disks = (Disk(kind="path", path="/p1", size=1000), Disk(kind="path", path="/p2", size=2000))
    where = Cluster.build([Agent(id="a", free={"cpus": 1000}, ports=((31000, 31001),), disks=disks)])
    one = Job(id="/db", ports=(31001, 0), volumes=(VolumeRequest(name="data", size=500, kind="path"),))
    found = eligible(where, one)
    assert (found.ports(0), found.disks(0)) == ((31001, 31000), (("/p2", 500),))
