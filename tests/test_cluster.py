import numpy as np
import pytest

from placement.cluster import Agent, Cluster, Reservation
from placement.errors import InputError
from placement.running import RunningInstance
from tests.clusters import agent, cluster


def test_standard_resources_come_first_and_custom_ones_by_name():
    made = Cluster.build([Agent(id="a", free={"network": 5000, "cpus": 1000, "fpga": 2000})])
    assert made.resources == ("cpus", "mem", "disk", "gpus", "fpga", "network")
    assert made.free.tolist() == [[1000, 0, 0, 0, 2000, 5000]]


def test_two_agents_with_one_id_are_refused():
    with pytest.raises(InputError, match="same id"):
        Cluster.build([Agent(id="a"), Agent(id="a")])


def test_a_price_on_some_agents_only_is_refused():
    with pytest.raises(InputError, match="price"):
        Cluster.build([Agent(id="a", price=1000), Agent(id="b")])


def test_fields_are_the_first_attribute_of_a_name_or_facts_of_the_agent():
    made = cluster(agent("a1", hostname="h1", region="r", zone="z", rack="1.0"), agent("a2"))
    assert [made.column(name).values for name in ("hostname", "@hostname", "@region", "@zone", "rack")] == [
        ("h1", "a2"), ("h1", "a2"), ("r",), ("z",), ("1",),
    ]  # fmt: skip
    assert made.column("rack").codes.tolist() == [0, -1]
    assert made.column("nothing").codes.tolist() == [-1, -1]


def test_totals_are_what_is_stated_or_free_and_running():
    stated = Agent(id="a", free={"cpus": 1000}, total={"cpus": 4000})
    unstated = Agent(id="b", free={"cpus": 1000}, reservations=(Reservation(role="prod", amounts={"cpus": 500}),))
    runs = RunningInstance(job="/app", instance=0, agent="b", amounts={"cpus": 250})
    assert Cluster.build([stated, unstated], [runs]).total[:, 0].tolist() == [4000, 1750]


def test_a_role_has_its_unowned_reservations():
    reservations = (
        Reservation(role="prod", amounts={"cpus": 500}),
        Reservation(role="prod", amounts={"cpus": 250}),
        Reservation(role="prod", amounts={"cpus": 100}, owner="/db#0"),
    )
    made = Cluster.build([Agent(id="a", free={"cpus": 1000}, reservations=reservations)])
    assert made.pool("prod")[0, 0] == 750
    assert made.pool("*")[0, 0] == 1000
    assert made.roles == ("*", "prod")


def test_ports_that_running_instances_hold_are_not_free():
    runs = RunningInstance(job="/app", instance=0, agent="a", ports=(81,))
    assert Cluster.build([Agent(id="a", ports=((80, 82),))], [runs]).records[0].ports == ((80, 80), (82, 82))


def test_an_instance_on_an_agent_outside_the_snapshot_has_no_value():
    made = cluster(agent("a1", rack="r1"), running=["/app a1", "/app gone"])
    assert made.column("rack").lookup(made.running.agent).tolist() == [0, -1]
    assert np.array_equal(made.running.of("/app"), [0, 1])
