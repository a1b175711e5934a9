import numpy as np

from placement.cluster import Agent, Cluster, Disk, Reservation, Volume
from placement.compilation import compile_problem
from placement.decoding import decode, job_order
from placement.running import RunningInstance
from placement.workload import Job, VolumeRequest
from solvers.problem import Assignment
from tests.clusters import agent, cluster, job, workload

RACKS = [agent("a1", rack="r1"), agent("a2", rack="r2"), agent("a3", rack="r3")]


def decoded(where, jobs, *runs):
    """Placements of (row, agent, count) runs."""
    compiled = compile_problem(where, workload(*jobs))
    row, on, count = (np.array(column) for column in zip(*runs, strict=True))
    return decode(compiled, Assignment.of_runs(row, on, count, len(where)))


def test_new_instances_take_the_lowest_free_numbers():
    where = cluster(*RACKS, running=["/app a1", "/app a1"])
    where = where.replace(
        running=[one for one in where.running.instances if one.instance == 1] + [
            RunningInstance(job="/app", instance=3, agent="a2")
        ]
    )  # fmt: skip
    found = decoded(where, [job(instances=5)], (0, 0, 1), (0, 2, 2))
    assert list(found.rows()) == [("/app", 0, "a1"), ("/app", 2, "a3"), ("/app", 4, "a3")]


def test_a_balanced_job_goes_round_the_values():
    found = decoded(cluster(*RACKS), [job(instances=5, constraints="rack:GROUP_BY")], (0, 0, 2), (0, 1, 2), (0, 2, 1))
    assert [name for _, _, name in found.rows()] == ["a1", "a2", "a3", "a1", "a2"]


def test_a_job_comes_after_those_it_wants_to_be_beside():
    jobs = [job("/web", constraints="rack:AFFINITY:/db"), job("/db")]
    assert job_order(workload(*jobs)) == [1, 0]
    found = decoded(cluster(*RACKS), jobs, (0, 0, 1), (1, 0, 1))
    assert [name for name, _, _ in found.rows()] == ["/db", "/web"]


def test_jobs_that_want_each_other_stay_together_in_the_order_read():
    circle = [job("/a", constraints="rack:AFFINITY:/b"), job("/b", constraints="rack:AFFINITY:/a")]
    assert job_order(workload(*circle)) == [0, 1]


def test_layers_come_one_after_the_other():
    assert job_order(workload(job("/late", layer=2), job("/early", layer=1))) == [1, 0]


def test_instances_that_name_ports_get_them_before_those_that_take_any():
    where = cluster(agent("a1", ports=((31000, 31001),)))
    found = decoded(where, [job("/any", ports=(0,)), job("/named", ports=(31000,))], (0, 0, 1), (1, 0, 1))
    assert found.ports == ((31001,), (31000,))


def test_an_instance_without_ports_left_is_not_placed():
    where = cluster(agent("a1", ports=((31000, 31001),)))
    found = decoded(where, [job(instances=3, ports=(0,))], (0, 0, 3))
    assert len(found) == 2


def test_volumes_get_disks_in_the_jobs_order():
    disks = (Disk(kind="path", path="/p1", size=1000), Disk(kind="path", path="/p2", size=3000),
             Disk(kind="mount", path="/m1", size=5000))  # fmt: skip
    where = Cluster.build([Agent(id="a", disks=disks)])
    volumes = (
        VolumeRequest(name="small", size=500, kind="path"),
        VolumeRequest(name="whole", size=4000, kind="mount"),
        VolumeRequest(name="large", size=2800, kind="path"),
    )
    found = decoded(where, [Job(id="/db", volumes=volumes)], (0, 0, 1))
    assert found.units == ((("/p1", 500), ("/m1", 5000), ("/p2", 2800)),)


def test_a_relaunched_instance_keeps_its_number_and_uses_its_own_reservation():
    own = Reservation(role="test", amounts={"cpus": 1000}, ports=((9000, 9000),), owner="/db#3")
    back = Agent(id="a", reservations=(own,), volumes=(Volume(id="v", size=1000, role="test"),))
    waits = RunningInstance(job="/db", instance=3, agent="a", state="reserved", volumes=("v",))
    resident = Job(id="/db", demand={"cpus": 1000}, ports=(0,), volumes=(VolumeRequest(name="data", size=1000),))
    found = decoded(Cluster.build([back], [waits]), [resident], (0, 0, 1))
    assert (list(found.rows()), found.ports, found.relaunched.tolist()) == ([("/db", 3, "a")], ((9000,),), [True])
