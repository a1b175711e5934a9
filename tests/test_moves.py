"""Moving running instances: only when more is placed by it, few, and in an order in which everybody has room."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placement import InputError, Workload, explain, occupy, place, verify
from placement.cluster import Cluster, Reservation
from placement.leaving import leave, movable
from placement.placements import Placements
from placement.running import RunningInstance
from placement.snapshots.running import read_placements, write_placements
from tests.clusters import agent, cluster, job, workload
from tests.command.test_command import run

SECONDS = 5


def ask(where: Cluster, what: Workload, most: int, **more: object):
    return place(where, what, max_moves=most, deadline=SECONDS, **more)


def told(answer) -> list[tuple[str, int, str, str | None]]:
    """Rows of an answer with where they came from."""
    found = answer.placements
    return [(*row, found.home(i)) for i, row in enumerate(found.rows())]


def level(answer, name: str):
    return next(one for one in answer.levels if one.name == name)


ROOM = cluster(agent("a", cpus=3), agent("b", cpus=2), running=["/small a"])
"""/small holds 1 cpu of a; /big needs 4, so it fits only where /small is."""
BIG = workload(job("/small", 1), job("/big", 1, cpus=4))


def test_nothing_moves_unless_it_is_asked_for():
    answer = place(ROOM, BIG, deadline=SECONDS)
    assert len(answer.placements) == 0
    assert answer.placements.moved_from is None
    assert [one.name for one in answer.levels] == ["placed", "pack"]


def test_one_moves_so_that_another_fits():
    answer = ask(ROOM, BIG, 1)
    assert told(answer) == [("/small", 0, "b", "a"), ("/big", 0, "a", None)]
    assert answer.complete
    assert answer.placed == 1
    assert answer.placements.placed_of == {"/big": 1}
    assert level(answer, "placed").value == level(answer, "moves").value == 1
    assert level(answer, "moves").proved


def test_nothing_moves_when_everything_fits_anyhow():
    answer = ask(ROOM, workload(job("/small", 3)), 5)
    assert answer.placements.moves == 0
    assert level(answer, "moves").value == 0
    assert level(answer, "moves").proved


def test_nothing_moves_for_the_goal_alone():
    """Together on one agent would be packed better; nobody moves for that."""
    where = cluster(agent("a", cpus=3), agent("b", cpus=3), running=["/app a", "/app b"])
    assert ask(where, workload(job("/app", 2)), 5).placements.moves == 0


def test_no_more_move_than_allowed():
    """/big needs 4 on a, which two hold: both would have to go."""
    where = cluster(agent("a", cpus=2), agent("b", cpus=2), running=["/small a", "/small a"])
    what = workload(job("/small", 2), job("/big", 1, cpus=4))
    assert ask(where, what, 1).placements.moves == 0
    answer = ask(where, what, 2)
    assert answer.placements.moves == 2
    assert answer.complete
    assert level(ask(where, what, 1), "placed").bound == 0


def test_the_fewest_move():
    """/new goes to a only, where one large or three small ones make the room: the large one goes."""
    where = cluster(agent("a", cpus=0), agent("b", cpus=3), running=["/large a", "/s a", "/s a", "/s a"])
    answer = ask(where, workload(job("/large", 1, cpus=3), job("/s", 3), job("/new", 1, "hostname:LIKE:a", cpus=3)), 4)
    assert answer.complete
    assert [row for row in told(answer) if row[3]] == [("/large", 0, "b", "a")]


def test_a_move_waits_for_the_place_of_another():
    """/new goes to a only, from where /one goes to b, which /two has to leave for c before."""
    where = cluster(agent("a", cpus=1), agent("b", cpus=1), agent("c", cpus=1), running=["/one a", "/two b"])
    what = workload(job("/one", 1, cpus=2), job("/two", 1), job("/new", 1, "hostname:LIKE:a", cpus=3))
    assert told(ask(where, what, 2)) == [("/two", 0, "c", "b"), ("/one", 0, "b", "a"), ("/new", 0, "a", None)]


def test_rules_hold_after_a_move():
    """/small may be on r1 only: with no other agent there it stays."""
    where = cluster(agent("a", cpus=3, rack="r1"), agent("b", cpus=2, rack="r2"), running=["/small a"])
    what = workload(job("/small", 1, "rack:LIKE:r1"), job("/big", 1, cpus=4))
    assert ask(where, what, 1).placements.moves == 0


def test_a_new_instance_stays_within_rules_that_count_the_moved_once():
    """UNIQUE on three agents: the two that run and the new one end on three."""
    where = cluster(agent("a", cpus=1), agent("b", cpus=0), agent("c", cpus=1), running=["/u a", "/u b", "/x c"])
    answer = ask(where, workload(job("/u", 3, "hostname:UNIQUE"), job("/x", 1), job("/two", 1, cpus=2)), 2)
    after = occupy(where, workload(job("/u", 3), job("/x", 1), job("/two", 1, cpus=2)), answer.placements)
    agents = [one.agent for one in after.running.instances if one.job == "/u"]
    assert len(agents) == len(set(agents))


def test_an_instance_that_breaks_its_rule_where_it_is_stays():
    where = cluster(agent("a", cpus=3, rack="r9"), agent("b", cpus=2, rack="r1"), running=["/small a"])
    what = workload(job("/small", 1, "rack:LIKE:r1"), job("/big", 1, cpus=4))
    assert ask(where, what, 1).placements.moves == 0


def test_moves_that_wait_for_each_other_are_not_made():
    """/new needs the mem of b, which /two holds; /two fits on a only without /one, and /one on b only without /two."""
    where = cluster(agent("a", cpus=0, mem=5), agent("b", cpus=0, mem=0), running=["/one a", "/two b"])
    one = replace(job("/one", 1, cpus=2), demand={"cpus": 2000})
    two = replace(job("/two", 1, cpus=2), demand={"cpus": 2000, "mem": 5000})
    new = replace(job("/new", 1), demand={"mem": 5000}, constraints=job("/x", 1, "hostname:LIKE:b").constraints)
    answer = ask(where, workload(one, two, new), 2)
    assert answer.placements.moves == 0
    assert len(answer.placements) == 0
    assert "one at a time" in answer.solver
    assert level(answer, "placed").bound == 1


def test_ports_and_numbers_go_with_the_one_that_moves():
    first = RunningInstance(job="/web", instance=4, agent="a", ports=(80,))
    where = Cluster.build([agent("a", cpus=3, ports=((80, 80),)), agent("b", cpus=2, ports=((80, 80),))], [first])
    what = workload(job("/web", 1, ports=(80,)), job("/big", 1, cpus=4, ports=(80,)))
    answer = ask(where, what, 1)
    assert told(answer) == [("/web", 4, "b", "a"), ("/big", 0, "a", None)]
    assert answer.placements.ports == ((80,), (80,))


def test_who_may_move():
    """Not one of another job, an old one, one that is lost or killed, one with volumes, one that may hold a reservation."""
    kinds = [
        RunningInstance(job="/app", instance=0, agent="a", version=2.0),
        RunningInstance(job="/app", instance=1, agent="a", version=1.0),
        RunningInstance(job="/app", instance=2, agent="a", version=2.0, state="unreachable"),
        RunningInstance(job="/app", instance=3, agent="a", version=2.0, state="killing"),
        RunningInstance(job="/app", instance=4, agent="a", version=2.0, volumes=("v",)),
        RunningInstance(job="/other", instance=0, agent="a"),
        RunningInstance(job="/role", instance=0, agent="r"),
        RunningInstance(job="/many", instance=0, agent="a"),
        RunningInstance(job="/many", instance=1, agent="a"),
    ]
    reserved = (Reservation(role="shop", amounts={"cpus": 1000}),)
    where = Cluster.build([agent("a"), agent("r", reservations=reserved)], kinds)
    what = workload(
        job("/app", 5, version=2.0), job("/role", 1, role="shop", accepted_roles=("*", "shop")), job("/many", 1)
    )
    assert movable(where, what).tolist() == [0]


def test_what_leaves_is_free_again():
    where = Cluster.build([agent("a", cpus=1)], [RunningInstance(job="/app", instance=0, agent="a", ports=(80,))])
    after = leave(where, workload(job("/app", 1, cpus=2, ports=(0,))), [0])
    assert after.free[0, after.resource("cpus")] == 3000
    assert after.records[0].ports == ((80, 80),)
    assert len(after.running) == 0


def test_the_cluster_after_moves_holds_everybody_once():
    answer = ask(ROOM, BIG, 1)
    after = occupy(ROOM, BIG, answer.placements)
    assert [(one.name, one.agent) for one in after.running.instances] == [("/small#0", "b"), ("/big#0", "a")]
    assert after.free[:, after.resource("cpus")].tolist() == [0, 1000]


def test_what_is_missing_is_explained_after_the_moves():
    what = workload(job("/small", 1), job("/big", 2, cpus=4))
    answer = ask(ROOM, what, 1)
    assert answer.placements.moves == 1
    assert "2 cpus" not in explain(ROOM, what, answer)[0].lines()[0]
    assert explain(ROOM, what, answer)[0].missing == 1


def test_placements_with_moves_are_written_and_read_back(tmp_path):
    answer = ask(ROOM, BIG, 1)
    (tmp_path / "p.csv").write_text(write_placements(answer.placements))
    assert (tmp_path / "p.csv").read_text().splitlines()[:2] == [
        "job,instance,agent,ports,role,units,layer,moved_from",
        "/small,0,b,,*,,1,a",
    ]
    back = read_placements(tmp_path / "p.csv", ROOM, BIG)
    assert back.moved_from is not None
    assert back.moved_from.tolist() == [0, -1]
    assert verify(ROOM, BIG, back).holds
    assert answer.to_dataframe()["moved_from"].tolist()[0] == "a"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda found: replace(found, moved_from=np.array([1, -1], np.int32)), "does not run on b"),
        (lambda found: found.taken(np.array([1, 0])), "has no room at its turn"),
        (lambda found: replace(found, moved_from=None), "1 new instance, 0 wanted"),
        (lambda found: found.taken(np.array([1])), "cpus missing"),
        (lambda found: replace(found, agent=np.array([0, 0], np.int32)), "cpus missing"),
        (lambda found: found.taken(np.array([0, 0, 1])), "moves twice"),
    ],
)
def test_wrong_moves_are_refused(change, word):
    found = ask(ROOM, BIG, 1).placements
    verdict = verify(ROOM, BIG, change(found))
    assert not verdict.holds
    assert any(word in one.message for one in verdict.breaches), verdict.breaches


def test_a_rule_is_kept_at_every_turn_also_beside_those_that_have_yet_to_leave():
    """One on a rack: the first may go to r2 only when the second has left it."""
    where = cluster(agent("a", rack="r1"), agent("b", rack="r2"), agent("c", rack="r3"), agent("d", rack="r2"),
                    running=["/u a", "/u b"])  # fmt: skip
    what = workload(job("/u", 2, "rack:UNIQUE"))
    none = Placements.empty(("/u",), where.agents)
    found = replace(none, job=np.zeros(2, np.int32), instance=np.array([0, 1], np.int32), agent=np.array([3, 2], np.int32),
                    layer=np.ones(2, np.int32), moved_from=np.array([0, 1], np.int32))  # fmt: skip
    assert [one.rule for one in verify(where, what, found).breaches] == ["rack:UNIQUE"]
    assert verify(where, what, found.taken(np.array([1, 0]))).holds


def test_any_order_judges_the_final_state_of_moves():
    found = ask(ROOM, BIG, 1).placements.taken(np.array([1, 0]))
    assert verify(ROOM, BIG, found, any_order=True).holds


def test_moves_go_with_all_layers_at_once_only():
    what = workload(job("/a"), job("/b", dependencies=("/a",), layer=2))
    with pytest.raises(InputError, match="max_moves"):
        ask(ROOM, what, 1, in_order=True)


def test_a_large_problem_is_searched_window_by_window(monkeypatch):
    monkeypatch.setattr("solvers.moving.WHOLE", 1)
    answer = ask(ROOM, BIG, 1)
    assert answer.placements.moves == 1
    assert answer.complete
    assert answer.cut_short


# --- against every way of moving --------------------------------------------------------------------------------------


@st.composite
def crowded(draw):
    """Up to three agents, one to four that run, one or two missing jobs; cpus only."""
    agents = draw(st.lists(st.integers(0, 3), min_size=2, max_size=3))
    running = draw(st.lists(st.tuples(st.integers(0, len(agents) - 1), st.integers(1, 2)), min_size=1, max_size=4))
    missing = draw(st.lists(st.integers(1, 5), min_size=1, max_size=2))
    return agents, running, missing, draw(st.integers(1, 3))


@settings(max_examples=40, deadline=None)
@given(crowded())
def test_the_most_is_placed_with_the_fewest_moves(case):
    agents, running, missing, most = case
    where = cluster(*(agent(f"a{i}", cpus=free) for i, free in enumerate(agents)),
                    running=[f"/r{i} a{home}" for i, (home, _) in enumerate(running)])  # fmt: skip
    jobs = [job(f"/r{i}", 1, cpus=cpus) for i, (_, cpus) in enumerate(running)]
    what = workload(*jobs, *(job(f"/new{i}", 1, cpus=cpus) for i, cpus in enumerate(missing)))
    answer = ask(where, what, most)
    assert verify(where, what, answer.placements).holds
    assert answer.placements.moves <= most
    best = best_by_hand(agents, running, missing, most)
    placed = level(answer, "placed")
    assert placed.value <= best[0] <= placed.bound
    assert answer.placed >= len(place(where, what, deadline=SECONDS).placements)
    if placed.value == best[0]:
        assert answer.placements.moves == -best[1]
        assert level(answer, "moves").bound <= -best[1]


def best_by_hand(agents, running, missing, most) -> tuple[int, int]:
    """Try every agent for everybody: the most placed, and then the fewest moves (negative)."""
    total = list(agents)
    for home, cpus in running:
        total[home] += cpus
    best = (-1, 0)
    places = range(len(agents))
    for where in product(places, repeat=len(running)):
        moves = sum(now != home for now, (home, _) in zip(where, running, strict=True))
        left = list(total)
        for now, (_, cpus) in zip(where, running, strict=True):
            left[now] -= cpus
        if moves > most or min(left) < 0:
            continue
        for new in product([None, *places], repeat=len(missing)):
            room = list(left)
            for now, cpus in zip(new, missing, strict=True):
                if now is not None:
                    room[now] -= cpus
            if min(room) >= 0:
                best = max(best, (sum(now is not None for now in new), -moves))
    return best


# --- the command line -------------------------------------------------------------------------------------------------


def test_the_command_moves_writes_and_verifies(tmp_path):
    (tmp_path / "agents.csv").write_text("agent,cpus\na,3\nb,2\n")
    (tmp_path / "jobs.csv").write_text("job,instances,cpus\nsmall,1,1\nbig,1,4\n")
    (tmp_path / "running.csv").write_text("job,instance,agent\nsmall,0,a\n")
    files = ("agents.csv", "jobs.csv")
    assert run("place", *files, "--running", "running.csv", cwd=tmp_path).returncode == 1
    done = run("place", *files, "--running", "running.csv", "--max-moves", "1", "-o", "out.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 1 instances placed on 2 of 2 agents, 1 moved, verified" in done.stdout
    assert "move small#0 from a to b" in done.stdout
    assert run("verify", *files, "out.csv", "--running", "running.csv", cwd=tmp_path).returncode == 0
    document = run("place", *files, "--running", "running.csv", "--max-moves", "1", "--format", "json", cwd=tmp_path)
    assert json.loads(document.stdout)["placements"][0]["moved_from"] == "a"
    assert json.loads(document.stdout)["placed"] == 1
