"""Over random clusters, jobs and constraints: every answer is accepted, auto never loses to greedy, names do not matter."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import placement
from placement.attributes import Attribute
from placement.cluster import Cluster
from placement.workload import Workload
from tests.properties.worlds import clusters, workloads

SOLVERS = ("greedy", "exact", "auto")
RELAX = st.sampled_from([(), (), ("*/*:*",), ("*/rack:*",), ("/j0/*:GROUP_BY",)])
SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def place(cluster, workload, solver="exact", **more):
    return placement.place(cluster, workload, solver=solver, deadline=20, **more)


def values(answer):
    return [level.value for level in answer.levels]


@pytest.mark.parametrize("solver", SOLVERS)
@SETTINGS
@given(clusters(), workloads(), RELAX, st.sampled_from(["pack", "spread", "balance"]))
def test_the_checker_accepts_every_answer(solver, cluster, workload, relax, goal):
    answer = place(cluster, workload, solver, relax=relax, goal=goal)  # raises when the checker refuses
    verdict = placement.verify(cluster, workload, answer.placements, relax=relax)
    assert verdict.holds
    broken = sum(count for _, _, count in verdict.violations)
    counted = [level.value for level in answer.levels if level.name == "violations"]
    assert counted in ([], [broken])


@SETTINGS
@given(clusters(), workloads())
def test_greedy_never_beats_a_proved_optimum_and_auto_never_loses_to_greedy(cluster, workload):
    greedy, exact, auto = (place(cluster, workload, solver) for solver in SOLVERS)
    assert all(level.proved for level in exact.levels)
    signs = [1 if level.name.startswith("placed") else -1 for level in exact.levels]
    ranked = [[sign * value for sign, value in zip(signs, values(one), strict=True)] for one in (greedy, auto, exact)]
    assert ranked[0] <= ranked[1] <= ranked[2]


@SETTINGS
@given(clusters(), workloads(), st.randoms(use_true_random=False))
def test_the_order_of_agents_changes_nothing_that_matters(cluster, workload, random):
    records = list(cluster.records)
    random.shuffle(records)
    shuffled = Cluster.build(records, cluster.running.instances, now=cluster.now)
    assert values(place(cluster, workload)) == values(place(shuffled, workload))


@SETTINGS
@given(clusters(), workloads())
def test_other_names_change_nothing_that_matters(cluster, workload):
    renamed = Cluster.build(
        [
            replace(
                one,
                attributes=tuple((f"x-{name}" if name == "rack" else name, value) for name, value in one.attributes),
            )
            for one in cluster.records
        ],
        cluster.running.instances,
        now=cluster.now,
    )
    jobs = [
        replace(
            job,
            constraints=tuple(replace(one, field="x-rack") if one.field == "rack" else one for one in job.constraints),
        )
        for job in workload.jobs
    ]
    assert values(place(cluster, workload)) == values(place(renamed, Workload(tuple(jobs))))


@SETTINGS
@given(clusters(), workloads())
def test_greedy_leaves_nobody_out_who_could_still_be_placed(cluster, workload):
    """Without minima and rules between jobs, in which one more instance may need others to move or to come."""
    jobs = [
        replace(job, minimum=0, constraints=tuple(one for one in job.constraints if "AFFINITY" not in one.operator))
        for job in workload.jobs
    ]
    plain = Workload(tuple(jobs))
    for why in placement.explain(cluster, plain, place(cluster, plain, "greedy")):
        assert not any("open to one more" in note for note in why.notes)


@pytest.mark.parametrize("solver", SOLVERS)
@SETTINGS
@given(clusters(), workloads(), RELAX)
def test_every_job_that_lacks_instances_is_explained(solver, cluster, workload, relax):
    answer = place(cluster, workload, solver, relax=relax)
    reasons = placement.explain(cluster, workload, answer, relax=relax)
    assert [(one.job, one.missing) for one in reasons] == [(one.job, one.count) for one in answer.unplaced]
    for one in reasons:
        assert sum(removed.removed for removed in one.funnel) <= one.agents
        assert all(removed.removed <= removed.alone for removed in one.funnel)
        assert one.funnel or one.notes
        assert one.lines()


@SETTINGS
@given(clusters(), workloads())
def test_a_useless_agent_changes_nothing_that_matters(cluster, workload):
    useless = placement.Agent(id="useless", attributes=(("rack", Attribute("text", "r1")),), unavailable_from=50.0)
    demanding = [
        replace(job, demand={**job.demand, "cpus": max(500, job.demand.get("cpus", 0))}) for job in workload.jobs
    ]
    wider = Cluster.build([*cluster.records, useless], cluster.running.instances, now=cluster.now)
    placed = [values(place(one, Workload(tuple(demanding))))[0] for one in (cluster, wider)]
    assert placed[0] == placed[1]


@pytest.mark.parametrize("solver", SOLVERS)
@settings(max_examples=25, deadline=None)
@given(clusters(), workloads())
def test_the_same_input_and_seed_give_the_same_answer(solver, cluster, workload):
    first, second = (place(cluster, workload, solver, deterministic=True, workers=n, seed=7) for n in (1, 2))
    assert list(first.placements.rows()) == list(second.placements.rows())
    assert first.placements.ports == second.placements.ports


@settings(max_examples=40, deadline=None)
@given(clusters(), workloads())
def test_layers_one_by_one_are_verified_and_stop_at_the_first_that_is_not_whole(cluster, workload):
    layered = Workload(tuple(replace(job, layer=i + 1) for i, job in enumerate(workload.jobs)))
    try:
        answer = place(cluster, layered, "greedy", in_order=True)
    except placement.InputError:
        return
    missing = {one.job for one in answer.unplaced}
    open_layer = min((job.layer for job in layered.jobs if job.id in missing), default=len(layered) + 1)
    assert all(layered.job(job).layer <= open_layer for job, _, _ in answer.placements.rows())
