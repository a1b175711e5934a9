"""Marathon's step procedures; the published cases hold many more."""

import pytest

from placement.policies.marathon import UpgradeBounds, layers, reject_reason, scale_down, upgrade_bounds
from placement.running import RunningInstance
from placement.workload import Job, Upgrade, VolumeRequest
from tests.clusters import agent, cluster, job, workload


def instance(number, agent_id="a", state="running", started=None, **more):
    return RunningInstance(job="/app", instance=number, agent=agent_id, state=state, started_at=started, **more)


def test_an_even_spread_stays_even_on_the_way_down():
    running = [instance(i, "h1") for i in range(20)] + [instance(20 + i, "h2") for i in range(10)]
    one = job(instances=20, constraints="hostname:GROUP_BY")
    killed = scale_down(one, running, cluster(agent("h1"), agent("h2")), 20).kill
    assert set(killed) <= {f"/app#{i}" for i in range(20)}
    assert len(killed) == 10


def test_states_go_before_ages_and_the_youngest_first():
    running = [instance(0, started=1.0), instance(1, started=5.0), instance(2, state="staging", started=2.0)]
    assert scale_down(job(instances=3), running, cluster(agent("a")), 1).kill == ("/app#2", "/app#1")


def test_instances_named_by_the_user_go_first_and_are_replaced():
    decision = scale_down(job(instances=2), [instance(0), instance(1)], cluster(agent("a")), 2, ["/app#1", "/app#9"])
    assert (decision.kill, decision.start) == (("/app#1",), 1)


@pytest.mark.parametrize(
    ("instances", "least", "over", "resident", "healthy", "bounds"),
    [
        (1, 0.5, 0, False, 1, (0, 2)),
        (1, 0.5, 0, True, 1, (1, 1)),
        (5, 0.5, 0, True, 5, (2, 5)),
        (5, 1, 0, True, 5, (1, 5)),
        (10, 0.1, 1, False, 10, (9, 20)),
        (10, 1, 1, False, 10, (0, 20)),
    ],
)
def test_upgrades_are_bounded_as_the_table_says(instances, least, over, resident, healthy, bounds):
    volumes = (VolumeRequest(name="v", size=1),) if resident else ()
    strategy = Upgrade(minimum_health_capacity=least, maximum_over_capacity=over)
    one = Job(id="/app", instances=instances, volumes=volumes, upgrade=strategy)
    assert upgrade_bounds(one, [instance(i) for i in range(healthy)]) == UpgradeBounds(*bounds)


def test_one_reason_is_counted_for_each_refusal():
    assert reject_reason(["InsufficientCpus", "UnfulfilledConstraint"]) == "UnfulfilledConstraint"
    assert reject_reason([]) is None


def test_layers_are_listed_in_order():
    assert layers(workload(job("/b", layer=2), job("/a"), job("/c", layer=2))) == [["/a"], ["/b", "/c"]]
