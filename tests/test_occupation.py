from dataclasses import replace

import numpy as np

from placement.cluster import Agent, Cluster, Disk, Reservation, without
from placement.occupation import occupy
from placement.placements import Placements
from placement.workload import Job
from tests.clusters import workload


def placements(jobs, *rows, ports=None, units=None):
    """Placements of (job number, instance, agent number) rows on agents 'a'."""
    job, instance, agent = (np.array(column, np.int32) for column in zip(*rows, strict=True))
    empty = Placements.empty([one.id for one in jobs], ["a"])
    return replace(empty, job=job, instance=instance, agent=agent, layer=np.ones(len(job), np.int32), ports=ports,
                   units=units, relaunched=np.zeros(len(job), bool))  # fmt: skip


def test_reserved_resources_are_taken_before_unreserved_ones():
    reserved = Reservation(role="prod", amounts={"cpus": 1500})
    where = Cluster.build([Agent(id="a", free={"cpus": 2000}, reservations=(reserved,))])
    jobs = [Job(id="/p", demand={"cpus": 1000}, role="prod", accepted_roles=("*", "prod"), instances=2)]
    after = occupy(where, workload(*jobs), placements(jobs, (0, 0, 0), (0, 1, 0)))
    assert after.free[0, 0] == 1500
    assert after.pool("prod")[0, 0] == 0
    assert after.total[0, 0] == 3500


def test_jobs_with_less_choice_are_served_first():
    reserved = Reservation(role="prod", amounts={"cpus": 1000})
    where = Cluster.build([Agent(id="a", free={"cpus": 1000}, reservations=(reserved,))])
    both = Job(id="/both", demand={"cpus": 1000}, role="prod", accepted_roles=("*", "prod"))
    only = Job(id="/only", demand={"cpus": 1000}, role="prod", accepted_roles=("prod",))
    after = occupy(where, workload(both, only), placements([both, only], (0, 0, 0), (1, 0, 0)))
    assert (after.free[0, 0], after.pool("prod")[0, 0]) == (0, 0)


def test_ports_and_disks_are_gone_and_the_instances_run():
    disks = (Disk(kind="path", path="/p", size=1000), Disk(kind="mount", path="/m", size=500))
    where = Cluster.build([Agent(id="a", ports=((80, 82),), disks=disks)])
    jobs = [Job(id="/db", ports=(81,))]
    taken = placements(jobs, (0, 0, 0), ports=((81,),), units=((("/p", 400), ("/m", 500)),))
    after = occupy(where, workload(*jobs), taken)
    assert after.records[0].ports == ((80, 80), (82, 82))
    assert [(disk.path, disk.size) for disk in after.records[0].disks] == [("/p", 600)]
    assert [one.name for one in after.running.instances] == ["/db#0"]


def test_ranges_are_cut_at_the_ports_taken():
    assert without(((1, 5), (8, 8)), (1, 3, 8)) == ((2, 2), (4, 5))
