"""Conflicts and smallest changes in words, on the hand-made cases and through the public functions."""

from __future__ import annotations

import io
import time
from dataclasses import replace

import pytest

import placement
from placement.command.render import conflict_document, conflict_lines
from placement.conflicts import conflict, smallest_change
from placement.constraints.text import IMPLIED_OPERATORS, OPERATORS
from tests.benchmarks.fleet import agents_csv, jobs_csv, make_fleet
from tests.clusters import agent, cluster, job, workload
from tests.conflicts.cases import CASES, Case
from tests.conflicts.judge import can_hold

LARGE = 500
"""Agents of a snapshot from which on placing again and again takes long."""
each_case = pytest.mark.parametrize("one", CASES, ids=[one.name for one in CASES])


@each_case
def test_the_conflicting_set_is_the_one_worked_out_by_hand(one: Case) -> None:
    found = conflict(one.cluster(), workload(*one.jobs), deadline=20)
    assert found is not None
    assert found.proved
    assert found.minimal
    assert {str(reason) for reason in found.reasons} == one.conflict
    if one.headline:
        assert found.headline == one.headline


@pytest.mark.parametrize(
    "one",
    [pytest.param(one, id=one.name, marks=[pytest.mark.slow] if len(one.cluster()) > LARGE else []) for one in CASES],
)
def test_placing_agrees_that_the_set_is_impossible_and_without_any_one_of_it_possible(one: Case) -> None:
    where, jobs = one.cluster(), workload(*one.jobs)
    assert not can_hold(where, jobs, one.conflict, seconds=5)
    for reason in sorted(one.conflict):
        assert can_hold(where, jobs, one.conflict - {reason}), f"the rest does not fit without {reason}"


def test_there_is_a_case_for_every_kind_of_rule_and_enough_of_them():
    assert len(CASES) >= 25
    operators = {one.operator for case in CASES for job in case.jobs for one in job.constraints}
    assert operators == {*OPERATORS, *IMPLIED_OPERATORS}
    assert sum(len({name.split()[0] for name in case.conflict if name[0] == "/"}) == 2 for case in CASES) >= 5
    assert sum(len(case.cluster()) > LARGE for case in CASES) >= 5


def test_no_conflict_where_everything_fits():
    where = cluster(agent("a", cpus=2))
    assert conflict(where, workload(job(instances=2))) is None
    assert smallest_change(where, workload(job(instances=2))) is None


@pytest.mark.parametrize(("seed", "fill"), [(1, 1.02), (3, 1.06), (4, 1.08), (5, 1.10), (6, 1.02)])
def test_an_over_full_fleet_is_proved_impossible_by_what_is_short(seed: int, fill: float) -> None:
    fleet = make_fleet(50, 200, seed, fill, lift_caps=True)
    where = placement.read_cluster("-", stdin=io.BytesIO(agents_csv(fleet)))
    jobs = placement.read_workload(["-"], stdin=io.BytesIO(jobs_csv(fleet))).workload
    began = time.process_time()
    found = conflict(where, jobs, deadline=60)
    assert time.process_time() - began < 5
    asked = (fleet.need * fleet.count[:, None]).sum(axis=0) / fleet.free.sum(axis=0)
    assert found is not None
    assert found.proof == "counting"
    (short,) = (reason.name for reason in found.reasons if reason.kind == "resource")
    share = asked[("cpus", "mem").index(short)]
    assert share > 1
    assert found.headline.startswith(f"{short}: 50 jobs ask {100 * share:.4g} % of what is free on all agents")


def test_two_conflicts_that_share_a_rule_need_one_change():
    where = cluster(*(agent(f"a{i}", mem=1000) for i in range(4)))
    jobs = [replace(job(name, 3), demand={"mem": 700_000}) for name in ("/a", "/b")]
    change = smallest_change(where, workload(*jobs))
    assert change is not None
    assert len(change.changes) == 1
    assert change.lines()[0] == "with one change everything else fits:"


def test_two_conflicts_that_share_nothing_need_two_changes():
    where = cluster(agent("a", rack="r1"), agent("b", rack="r1"))
    change = smallest_change(where, workload(job("/a", 2, "rack:UNIQUE"), job("/b", 1, "rack:IS:r2")))
    assert change is not None
    assert set(change.changes) == {"drop /a rack:UNIQUE", "drop /b rack:IS:r2"}
    assert [one.jobs for one in change.conflicts] == [("/a",), ("/b",)]
    assert change.lines()[0] == "with 2 changes everything else fits, fewer will not do:"


def test_a_change_says_how_much_is_enough():
    where = cluster(agent("a", cpus=3), agent("b", cpus=3))
    change = smallest_change(where, workload(job("/a", 4, cpus=2)))
    assert change is not None
    assert change.changes == ("leave out 2 of the 4 instances of /a",)
    assert change.alternatives == ("add 2 cpus (on a, b)",)


def test_a_relaxed_rule_conflicts_with_nothing():
    where = cluster(agent("a", rack="r1"))
    jobs = workload(job("/a", 2, "rack:UNIQUE"))
    assert conflict(where, jobs) is not None
    assert conflict(where, jobs, relax=["/a/rack:UNIQUE"]) is None


def test_without_a_proof_it_says_so_and_guesses_nothing():
    where = cluster(*(agent(f"a{i}", cpus=5) for i in range(3)))
    jobs = workload(job("/a", 3, cpus=3), job("/b", 2, cpus=2.5))
    found = conflict(where, jobs, deadline=0.0)
    assert found is not None
    assert not found.proved
    assert found.lines() == ["not proved: in 0 s neither a way to place everything nor a conflict was found"]


def test_the_lines_of_a_conflict_name_each_rule_with_its_numbers():
    where = cluster(*(agent(f"a{i}", type="public" if i < 2 else "private") for i in range(5)))
    found = conflict(where, workload(job("/web", 3, "hostname:UNIQUE;type:LIKE:public")))
    assert found is not None
    assert found.lines() == [
        "impossible: /web: hostname:UNIQUE needs 3 agents where type matches public for 3 instances; 2 exist",
        "  - /web: 3 instances",
        "  - /web hostname:UNIQUE: every instance on another hostname",
        "  - /web type:LIKE:public: type matches public (2 of 5 agents)",
        "  (the rest fits without any one of these; by counting)",
    ]


def test_the_command_line_and_json_show_conflicts_and_changes():
    where = cluster(agent("a", rack="r1"), agent("b", rack="r1"))
    change = smallest_change(where, workload(job("/a", 2, "rack:UNIQUE"), job("/b", 1, "rack:IS:r2")))
    assert change is not None
    lines = conflict_lines(change, "/b")
    assert lines[0] == "impossible: /b needs an agent where rack is r2; there is none among 2"
    assert "  - drop /a rack:UNIQUE" in lines
    assert conflict_document(change)["conflicts"][0]["rules"] == ["/a instances=2", "/a rack:UNIQUE"]
    assert conflict_lines(None)[0].startswith("everything could be placed")


def test_the_same_question_has_the_same_answer():
    one = next(case for case in CASES if case.name.startswith("a job keeps off a job"))
    told = {tuple(conflict(one.cluster(), workload(*one.jobs)).lines()) for _ in range(3)}  # type: ignore[union-attr]
    assert len(told) == 1
