"""Other units, names, orders, resources, attributes and rules: the engine keeps its strategy or says which other it took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from placement.attributes import parse as attribute
from placement.cluster import Agent, Cluster
from placement.constraints import parse
from placement.workload import Job, Workload
from tests.benchmarks import antiaffinity, cloudbalancing
from tests.benchmarks.measurement import measure

Instance = tuple[Cluster, Workload]
BASES: dict[str, Instance] = {"cloud": cloudbalancing.draw(60, 11), "anti-affinity": antiaffinity.build(60, 11)}
GROUPS = 7
STRATEGIES = ("select, then pack", "choose agents, then greedy", "exact on the whole problem", "neighbourhoods")


def in_thirds(instance: Instance) -> Instance:
    cluster, workload = instance

    def times(amounts):
        return {name: 3 * amount for name, amount in amounts.items()}

    agents = [replace(one, free=times(one.free), price=3 * one.price) for one in cluster.records]
    return Cluster.build(agents), Workload(tuple(replace(job, demand=times(job.demand)) for job in workload.jobs))


def renamed_and_permuted(instance: Instance) -> Instance:
    cluster, workload = instance
    random = np.random.default_rng(2)
    agents = [cluster.records[i] for i in random.permutation(len(cluster))]
    jobs = [workload.jobs[i] for i in random.permutation(len(workload))]
    renamed = [replace(one, id=f"x{i}", hostname=f"h{i}") for i, one in enumerate(agents)]
    return Cluster.build(renamed), Workload(tuple(replace(job, id=f"y{i}") for i, job in enumerate(jobs)))


def with_a_useless_kind(instance: Instance) -> Instance:
    cluster, workload = instance
    more = [Agent(id=f"tiny{i}", free={"cpus": 1}, price=1000) for i in range(9)]
    return Cluster.build([*cluster.records, *more]), workload


def with_a_fourth_resource(instance: Instance) -> Instance:
    cluster, workload = instance
    agents = [
        replace(one, free={**one.free, "disk": 1000 * (50 + 10 * (i % 5))}) for i, one in enumerate(cluster.records)
    ]
    jobs = [replace(job, demand={**job.demand, "disk": 1000 * (1 + i % 3)}) for i, job in enumerate(workload.jobs)]
    return Cluster.build(agents), Workload(tuple(jobs))


def with_zones(instance: Instance) -> Instance:
    cluster, workload = instance
    agents = [
        replace(one, attributes=(("zone", attribute(f"z{i % GROUPS}")),)) for i, one in enumerate(cluster.records)
    ]
    return Cluster.build(agents), workload


def with_zones_and_a_balanced_job(instance: Instance) -> Instance:
    cluster, workload = with_zones(instance)
    balanced = Job(id="balanced", instances=9, demand={"cpus": 1000, "mem": 1000}, constraints=parse("zone:GROUP_BY"))
    return cluster, Workload((*workload.jobs, balanced))


SAME: dict[str, tuple[Callable[[Instance], Instance], float]] = {
    "in thirds": (in_thirds, 3.0),
    "renamed and permuted": (renamed_and_permuted, 1.0),
    "with a useless kind": (with_a_useless_kind, 1.0),
    "with an attribute": (with_zones, 1.0),
}
OTHER = {"with a fourth resource": with_a_fourth_resource, "with a balanced job": with_zones_and_a_balanced_job}


@pytest.fixture(scope="module", params=BASES)
def base(request):
    return BASES[request.param], measure(request.param, *BASES[request.param], deadline=60)


@pytest.mark.slow
def test_the_plain_instances_are_proved_by_select_then_pack(base):
    _, found = base
    assert (found["proved"], found["verified"]) == (True, True)
    assert "select, then pack (" in found["strategy"]


@pytest.mark.slow
@pytest.mark.parametrize("name", SAME)
def test_what_changes_nothing_that_matters_changes_neither_value_nor_strategy(base, name):
    instance, before = base
    change, factor = SAME[name]
    found = measure(name, *change(instance), deadline=60)
    assert (found["value"], found["proved"], found["verified"]) == (before["value"] * factor, True, True)
    assert "select, then pack (" in found["strategy"]


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHER)
def test_what_makes_another_problem_is_answered_bounded_and_told(base, name):
    instance, _ = base
    found = measure(name, *OTHER[name](instance), deadline=15)
    assert found["verified"]
    assert found["placed"] == found["asked"]
    assert 0 < found["bound"] <= found["value"]
    assert found["gap"] < 0.1
    assert any(strategy in found["strategy"] for strategy in STRATEGIES)
    if "balanced" in name:
        assert "under rules between agents placed after" in found["strategy"]
