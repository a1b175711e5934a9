import pytest

from placement.cluster import Agent, Cluster, Volume
from placement.counting import tally
from placement.running import RunningInstance
from placement.workload import Job, Upgrade, VolumeRequest


def instance(number: int, state: str = "running", **more: object) -> RunningInstance:
    return RunningInstance(job="/app", instance=number, agent="a", state=state, **more)  # type: ignore[arg-type]


def on_one_agent(*instances: RunningInstance, volumes: tuple[str, ...] = ()) -> Cluster:
    owned = tuple(Volume(id=name, size=1000, role="test") for name in volumes)
    return Cluster.build([Agent(id="a", volumes=owned)], instances)


@pytest.mark.parametrize(
    ("state", "known", "active"),
    [
        ("running", 1, 1),
        ("staging", 1, 1),
        ("unreachable", 0, 1),
        ("unreachable_inactive", 1, 0),
        ("gone", 0, 0),
        ("lost", 0, 0),
        ("failed", 0, 0),
    ],
)
def test_states_count_for_rules_and_for_the_target_each_in_its_way(state, known, active):
    todo = tally(on_one_agent(instance(0, state)), Job(id="/app", instances=3))
    assert (len(todo.known), todo.active, todo.fresh) == (known, active, 3 - active)


def test_instances_of_an_older_configuration_count_for_nothing_but_bound_what_may_start():
    cluster = on_one_agent(*(instance(i, version=1.0) for i in range(3)))
    free = tally(cluster, Job(id="/app", instances=3, version=2.0))
    assert (len(free.known), free.active, free.fresh, free.waiting) == (0, 0, 3, 0)
    bounded = Job(id="/app", instances=3, version=2.0, upgrade=Upgrade(minimum_health_capacity=0.5,
                                                                       maximum_over_capacity=0.4))  # fmt: skip
    assert (tally(cluster, bounded).fresh, tally(cluster, bounded).waiting) == (1, 2)


def test_an_instance_goes_back_to_the_agent_that_has_its_volumes():
    resident = Job(id="/app", instances=2, volumes=(VolumeRequest(name="data", size=1000),))
    waiting = instance(0, "reserved", volumes=("v0",))
    todo = tally(on_one_agent(waiting, volumes=("v0",)), resident)
    assert [one.agents for one in todo.relaunches] == [(0,)]
    assert (todo.fresh, todo.waiting, len(todo.known)) == (1, 0, 1)


def test_an_instance_whose_volumes_nobody_offers_waits_for_them():
    resident = Job(id="/app", instances=2, volumes=(VolumeRequest(name="data", size=1000),))
    todo = tally(on_one_agent(instance(0, "reserved", volumes=("v0",))), resident)
    assert (todo.relaunches, todo.fresh, todo.waiting) == ((), 1, 1)


def test_a_stopped_instance_is_launched_again_only_if_one_is_wanted():
    resident = Job(id="/app", instances=1, volumes=(VolumeRequest(name="data", size=1000),))
    runs, stopped = instance(0, volumes=("v0",)), instance(1, "stopped", volumes=("v1",))
    assert tally(on_one_agent(runs, stopped, volumes=("v1",)), resident).relaunches == ()
