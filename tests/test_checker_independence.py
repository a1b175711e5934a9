"""The checker does not rest on what it checks: with a mask or a compilation broken, wrong answers are refused."""

import numpy as np
import pytest

from placement.cluster import Cluster
from placement.constraints import (
    Affinity,
    AntiAffinity,
    ClusterValue,
    Constraint,
    FaultDomain,
    GroupBy,
    Is,
    Like,
    Maintenance,
    MaxPer,
    OneValue,
    ScarceGpus,
    Unique,
    Unlike,
)
from placement.engine import place
from placement.errors import UnverifiedError
from placement.patterns import Pattern
from placement.workload import Job, Workload
from tests.clusters import agent, cluster

R1 = Pattern.compile("r1")

WRONG = [
    (Unique("rack"), cluster(agent("a1", cpus=2, rack="r1")), 2),
    (MaxPer("rack", 1), cluster(agent("a1", cpus=2, rack="r1")), 2),
    (OneValue("rack"), cluster(agent("a1", cpus=1, rack="r1"), agent("a2", cpus=1, rack="r2")), 2),
    (OneValue("rack"), cluster(agent("a1", rack="r1"), agent("a2", cpus=0, rack="r2"), running=["/app a2"]), 2),
    (ClusterValue("rack", "r1"), cluster(agent("a1", rack="r2")), 1),
    (GroupBy("rack", 2), cluster(agent("a1", cpus=2, rack="r1")), 2),
    (GroupBy("rack", 2, "classic"), cluster(agent("a1", cpus=2, rack="r1")), 2),
    (GroupBy("rack"), cluster(agent("a1", cpus=3, rack="r1"), agent("a2", cpus=1, rack="r2")), 4),
    (Like("rack", R1), cluster(agent("a1", rack="r2")), 1),
    (Unlike("rack", R1), cluster(agent("a1", rack="r1")), 1),
    (Is("rack", "r1"), cluster(agent("a1", rack="r2")), 1),
    (Affinity("rack", "/db"), cluster(agent("a1", rack="r1"), agent("a2", cpus=0, rack="r2"), running=["/db a2"]), 1),
    (AntiAffinity("rack", "/db"), cluster(agent("a1", rack="r1"), running=["/db a1"]), 1),
    (FaultDomain(local_region="home"), cluster(agent("a1", region="away")), 1),
    (Maintenance(), cluster(agent("a1", unavailable_from=100.0), now=101.0), 1),
    (ScarceGpus(), cluster(agent("a1", free={"gpus": 1000})), 1),
]
"""A rule, and a cluster with a number of instances of which placing all breaks it."""

NAMES = [f"{type(rule).__name__}-{rule}" for rule, _, _ in WRONG]


def wanting(rule: Constraint, instances: int) -> Workload:
    return Workload((Job(id="/app", instances=instances, demand={"cpus": 1000}, constraints=(rule,)),))


@pytest.fixture
def broken(monkeypatch):
    """Functions that break the mask or the compilation of a rule's class."""

    def break_mask(rule: Constraint) -> None:
        monkeypatch.setattr(type(rule), "mask", lambda self, scene: np.ones(len(scene.cluster), np.bool_))

    def break_compilation(rule: Constraint) -> None:
        monkeypatch.setattr(type(rule), "compile", lambda self, scope: None)

    return {"mask": break_mask, "compile": break_compilation}


@pytest.mark.parametrize(("rule", "where", "instances"), WRONG, ids=NAMES)
@pytest.mark.parametrize("parts", [("compile",), ("mask", "compile")], ids="+".join)
@pytest.mark.parametrize("solver", ["greedy", "exact"])
def test_an_answer_of_a_broken_compilation_is_withheld(
    rule: Constraint, where: Cluster, instances: int, parts: tuple[str, ...], solver: str, broken
):
    for part in parts:
        broken[part](rule)
    with pytest.raises(UnverifiedError) as refusal:
        place(where, wanting(rule, instances), solver=solver)
    assert {one.rule for one in refusal.value.verdict.breaches} == {str(rule)}


@pytest.mark.parametrize(("rule", "where", "instances"), WRONG, ids=NAMES)
def test_an_answer_of_a_broken_mask_is_right_or_withheld(rule: Constraint, where: Cluster, instances, broken):
    broken["mask"](rule)
    try:
        complete = place(where, wanting(rule, instances), solver="greedy").complete
    except UnverifiedError:
        complete = False
    assert not complete


@pytest.mark.parametrize(("rule", "where", "instances"), WRONG, ids=NAMES)
def test_the_examples_are_placed_rightly_by_the_whole_rule(rule: Constraint, where: Cluster, instances):
    assert not place(where, wanting(rule, instances), solver="greedy").complete


def test_every_constraint_has_an_example():
    def concrete(kind: type[Constraint]) -> set[type[Constraint]]:
        below = kind.__subclasses__()
        own = {kind} if not below and kind.__module__.startswith("placement.") else set()
        return own | {one for sub in below for one in concrete(sub)}

    assert {type(rule) for rule, _, _ in WRONG} == concrete(Constraint)
