"""The rules that readers add by themselves: local region, maintenance, scarce gpus."""

from dataclasses import replace

import pytest

from placement.cluster import Reservation
from placement.constraints import FaultDomain, Maintenance, ScarceGpus
from tests.clusters import agent, allowed, cluster, job


@pytest.mark.parametrize(("region", "agents"), [("home", ["a0", "a1"]), (None, ["a0"]), ("other", ["a0"])])
def test_agents_without_a_domain_or_in_the_local_region(region, agents):
    where = cluster(agent("a0"), agent("a1", region="home"), agent("a2", region="far"))
    assert allowed(where, replace(job(), constraints=(FaultDomain(local_region=region),))) == agents


@pytest.mark.parametrize(
    ("now", "draining", "agents"),
    [(99.0, 0.0, ["a0", "a1", "a2"]), (99.0, 10.0, ["a0"]), (101.0, 0.0, ["a0"]), (161.0, 0.0, ["a0", "a1"])],
)
def test_no_agent_in_or_shortly_before_its_window(now, draining, agents):
    limited = agent("a1", unavailable_from=100.0, unavailable_for=60.0)
    endless = agent("a2", unavailable_from=100.0)
    where = cluster(agent("a0"), limited, endless, now=now)
    assert allowed(where, replace(job(), constraints=(Maintenance(draining_seconds=draining),))) == agents


def test_no_agent_with_free_gpus_of_any_role():
    where = cluster(
        agent("a0"),
        agent("a1", free={"gpus": 1000}),
        agent("a2", reservations=(Reservation(role="prod", amounts={"gpus": 1000}),)),
    )
    assert allowed(where, replace(job(), constraints=(ScarceGpus(),))) == ["a0"]
