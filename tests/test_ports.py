from placement.cluster import Agent, Cluster, Reservation
from placement.ports import PortPool, offers_ports

AGENT = Agent(
    id="a",
    ports=((80, 80), (31000, 31001)),
    reservations=(
        Reservation(role="prod", ports=((9000, 9001),)),
        Reservation(role="prod", ports=((7000, 7000),), owner="/db#0"),
    ),
)


def pool() -> PortPool:
    return PortPool.of(Cluster.build([AGENT]), 0)


def test_named_ports_are_given_in_the_order_asked():
    assert pool().take((31000, 80), ("*",)) == (31000, 80)


def test_any_ports_are_the_lowest_free_ones_that_the_instance_does_not_name():
    assert pool().take((0, 80), ("*",)) == (31000, 80)


def test_ports_of_all_accepted_roles_are_one_pool():
    assert pool().take((0, 0, 0, 0, 0), ("*", "prod")) == (80, 9000, 9001, 31000, 31001)
    assert pool().take((9000,), ("*",)) is None


def test_any_ports_spare_those_that_others_name():
    ports = pool()
    ports.named = {31000}
    assert ports.take((0,), ("*",)) == (80,)
    assert ports.take((0,), ("*",)) == (31001,)
    assert ports.take((0,), ("*",)) == (31000,)


def test_a_port_is_given_once():
    ports = pool()
    assert ports.take((80,), ("*",)) == (80,)
    assert ports.take((80,), ("*",)) is None
    assert ports.take((0, 0), ("*",)) == (31000, 31001)
    assert ports.take((0,), ("*",)) is None


def test_a_number_named_twice_by_one_instance_is_one_port():
    assert pool().take((80, 80), ("*",)) == (80, 80)


def test_nothing_is_taken_when_one_port_is_missing():
    ports = pool()
    assert ports.take((80, 81), ("*",)) is None
    assert ports.take((80,), ("*",)) == (80,)


def test_port_0_can_be_given_where_it_is_offered():
    assert PortPool([("*", 0, 0)]).take((0,), ("*",)) == (0,)
    assert PortPool([("*", 0, 0)]).take((0, 0), ("*",)) is None


def test_an_agent_offers_ports_of_the_accepted_roles_only():
    cluster = Cluster.build([AGENT, Agent(id="b")])
    assert offers_ports(cluster, (80,), ("*",)).tolist() == [True, False]
    assert offers_ports(cluster, (80, 9001), ("*", "prod")).tolist() == [True, False]
    assert offers_ports(cluster, (9001,), ("*",)).tolist() == [False, False]
    assert offers_ports(cluster, (7000,), ("*", "prod")).tolist() == [False, False]
