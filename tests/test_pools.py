"""Roles as dimensions: compared with every way of serving demands from the pools by hand."""

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from placement.cluster import Agent, Cluster, Reservation
from placement.pools import Pools

ROLES = ("*", "dev", "prod")
ACCEPTED = [("*",), ("dev",), ("*", "dev"), ("prod",), ("*", "prod")]


def cluster_of(free: int, dev: int, prod: int) -> Cluster:
    reservations = (Reservation(role="dev", amounts={"cpus": dev}), Reservation(role="prod", amounts={"cpus": prod}))
    return Cluster.build([Agent(id="a", free={"cpus": free}, reservations=reservations)])


def servable(pools: dict[str, int], demands: list[tuple[tuple[str, ...], int]]) -> bool:
    """Try every split of every demand over the roles it accepts."""
    if not demands:
        return True
    accepted, need = demands[0]
    for parts in product(*(range(min(need, pools[role]) + 1) for role in accepted)):
        if sum(parts) == need:
            rest = dict(pools)
            for role, part in zip(accepted, parts, strict=True):
                rest[role] -= part
            if servable(rest, demands[1:]):
                return True
    return False


@settings(max_examples=200, deadline=None)
@given(
    st.tuples(*[st.integers(0, 3)] * 3),
    st.lists(st.tuples(st.sampled_from(ACCEPTED), st.integers(0, 3)), min_size=1, max_size=4),
)
def test_dimensions_hold_exactly_when_the_demands_can_be_served_from_the_pools(amounts, demands):
    pools = Pools.of(cluster_of(*amounts))
    bits = [pools.bits(accepted) for accepted, _ in demands]
    holds = True
    for dimension in pools.dimensions(bits):
        if dimension.resource == 0:
            capacity = pools.within(dimension.roles)[0, 0]
            need = sum(
                need for (_, need), accepted in zip(demands, bits, strict=True) if not accepted & ~dimension.roles
            )
            holds &= need <= capacity
    # Roles that hold nothing serve nothing.
    assert holds == servable(dict(zip(ROLES, amounts, strict=True)), demands)


def test_without_reservations_there_is_one_dimension_a_resource():
    pools = Pools.of(Cluster.build([Agent(id="a", free={"cpus": 1000})]))
    assert len(pools.dimensions([pools.bits(("*",)), pools.bits(("*", "prod"))])) == 5  # four resources and ports


def test_owned_reservations_serve_nobody_else():
    own = Reservation(role="prod", amounts={"cpus": 1000}, owner="/db#0")
    pools = Pools.of(Cluster.build([Agent(id="a", free={"cpus": 1000}, reservations=(own,))]))
    assert pools.roles == ("*",)
    assert np.array_equal(pools.within(1)[:, 0], [1000])
