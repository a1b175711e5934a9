"""What to buy, what to give back and how much more fits, on clusters small enough to count by hand."""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import placement
from placement import AgentType, InputError, capacity, read_types, verify
from placement.cluster import Agent
from tests.clusters import agent, cluster, job, workload

SECONDS = 5


def type_of(name: str, *variants: Agent, limit: int | None = None, field: str = "rack") -> AgentType:
    """A type whose variants differ in one field."""
    values = [{key: value.text for key, value in one.attributes}.get(field, "") for one in variants]
    choices = tuple(((field, value),) for value in values) if len(variants) > 1 else ((),)
    return AgentType(name=name, variants=variants, choices=choices, limit=limit)


def kind(cpus: float, price: float | None = None, **more: object) -> Agent:
    return agent("x", cpus=cpus, price=None if price is None else round(price * 1000), **more)


def bought(answer: placement.CapacityAnswer) -> dict[tuple[str, str], int]:
    return {(one.type, "".join(value for _, value in one.choice)): one.agents for one in answer.purchases}


def ask(where, what, *types: AgentType, **more):
    return capacity(where, what, types, deadline=SECONDS, **more)


# --- what to buy ------------------------------------------------------------------------------------------------------


def test_the_cheaper_mix_is_bought_and_proved():
    """9 of 2 cpus, 1 fits today. 8 are left: two big ones (5 each) cost 10, a big and two small 11, four small 12."""
    found = ask(cluster(agent("a", cpus=2)), workload(job(instances=9, cpus=2)),
                type_of("small", kind(4, 3)), type_of("big", kind(10, 5)))  # fmt: skip
    assert not found.fits
    assert found.complete
    assert bought(found) == {("big", ""): 2}
    assert (found.price, found.bound, found.proved) == (10, 10, True)


def test_the_placements_hold_on_the_cluster_with_what_is_bought():
    jobs = workload(job(instances=5, cpus=2, constraints="hostname:UNIQUE"))
    found = ask(cluster(agent("a", cpus=2)), jobs, type_of("small", kind(4)))
    assert found.cluster.agents == ("a", "small-1", "small-2", "small-3", "small-4")
    assert verify(found.cluster, jobs, found.placements).holds
    assert len(found.placements) == 5


def test_without_prices_the_fewest_agents_are_bought():
    found = ask(
        cluster(agent("a", cpus=1)), workload(job(instances=9)), type_of("small", kind(2)), type_of("big", kind(4))
    )
    assert bought(found) == {("big", ""): 2}
    assert not found.priced


def test_what_is_there_is_used_before_anything_is_bought():
    """Alone the first job would take the place the second needs: today's agent goes to the gpu job."""
    where = cluster(agent("a", cpus=2, free={"gpus": 1000}))
    jobs = workload(job("/plain", cpus=2), placement.Job(id="/gpu", demand={"cpus": 2000, "gpus": 1000}))
    found = ask(where, jobs, type_of("small", kind(2, 1)))
    assert bought(found) == {("small", ""): 1}
    assert ("/gpu", 0, "a") in list(found.placements.rows())


def test_a_name_that_is_taken_is_not_given_again():
    where = cluster(agent("small-1", cpus=1), agent("b", cpus=1, hostname="small-2"))
    found = ask(where, workload(job(instances=4)), type_of("small", kind(1)))
    assert found.cluster.agents == ("small-1", "b", "small-3", "small-4")


def test_a_limit_is_kept_over_all_variants_together():
    """Nine are left: three small ones (4 each) would be cheapest, two are to be had; with a big one it costs 6 or 7."""
    where = cluster(agent("a", cpus=1, rack="r1"))
    small = type_of("small", kind(4, 1, rack="r1"), kind(4, 1, rack="r2"), limit=2)
    found = ask(where, workload(job(instances=10)), small, type_of("big", kind(8, 5, rack="r1")))
    assert sum(count for (name, _), count in bought(found).items() if name == "small") <= 2
    assert found.complete
    assert found.price in (6, 7)  # dealing the limit to the racks may cost one
    assert found.bound <= 6


def test_rules_decide_where_new_agents_stand():
    """One instance on each rack, r1 has the only agent: the others need one each."""
    where = cluster(agent("a", cpus=8, rack="r1"))
    new = type_of("small", kind(2, 1, rack="r1"), kind(2, 1, rack="r2"), kind(2, 1, rack="r3"))
    found = ask(where, workload(job(instances=3, constraints="rack:UNIQUE")), new)
    assert bought(found) == {("small", "r2"): 1, ("small", "r3"): 1}
    assert found.proved


def test_a_new_value_may_save_agents_under_a_balance():
    """12 over r1 and r2 need 6 each, two more agents; with r3 there are 4 each, and one is enough."""
    where = cluster(agent("a", cpus=4, rack="r1"), agent("b", cpus=4, rack="r2"))
    new = type_of("small", kind(4, 1, rack="r1"), kind(4, 1, rack="r2"), kind(4, 1, rack="r3"))
    found = ask(where, workload(job(instances=12, constraints="rack:GROUP_BY")), new)
    assert bought(found) == {("small", "r3"): 1}
    assert found.proved


def test_a_value_that_nobody_buys_an_agent_in_is_not_balanced_over():
    """r2 is full and does not matter: one agent in r1 is enough. Were r2 to matter it would need two."""
    where = cluster(agent("a", cpus=4, rack="r1"), agent("b", cpus=0, rack="r2"))
    new = type_of("tiny", kind(1, 1, rack="r1"), kind(1, 1, rack="r2"))
    found = ask(where, workload(job(instances=5, constraints="rack:GROUP_BY")), new)
    assert bought(found) == {("tiny", "r1"): 1}
    assert (found.bound, found.proved) == (1, True)


def test_what_no_number_of_agents_helps_is_named_with_the_reason():
    jobs = workload(job("/small", instances=3, cpus=2), job("/huge", cpus=16))
    found = ask(cluster(agent("a", cpus=2)), jobs, type_of("small", kind(4, 1)))
    assert not found.complete
    assert [one.job for one in found.unplaced] == ["/huge"]
    assert bought(found) == {("small", ""): 1}
    assert not found.proved
    lines = "\n".join(found.reasons[0].lines())
    assert "small-2 lacks 12 cpus" in lines


def test_candidates_are_added_while_they_are_all_used():
    """The rule is on racks: the first guess, one agent a job, is doubled until the gang of six fits."""
    new = type_of("small", *(kind(1, 1, rack=f"r{i}") for i in range(6)))
    gang = job(instances=6, minimum=6, constraints="rack:UNIQUE")
    found = ask(cluster(agent("a", cpus=0, rack="r9")), workload(gang), new)
    assert found.complete
    assert found.price == 6


@settings(max_examples=25, deadline=None)
@given(
    wanted=st.integers(1, 12),
    need=st.sampled_from([1, 2, 3]),
    shapes=st.lists(st.tuples(st.integers(1, 8), st.integers(1, 9)), min_size=1, max_size=2),
)
def test_the_price_is_the_least_of_all_mixes(wanted, need, shapes):
    """One job without rules: agents of c cpus take c // need instances; every mix is tried."""
    types = [type_of(f"t{i}", kind(cpus, price)) for i, (cpus, price) in enumerate(shapes)]
    found = ask(cluster(agent("a", cpus=need)), workload(job(instances=wanted, cpus=need)), *types)
    left = wanted - 1
    mixes = product(*(range(ceil(left / max(1, cpus // need)) + 1) for cpus, _ in shapes))
    prices = [sum(n * price for n, (_, price) in zip(mix, shapes, strict=True)) for mix in mixes
              if sum(n * (cpus // need) for n, (cpus, _) in zip(mix, shapes, strict=True)) >= left]  # fmt: skip
    assert found.complete == bool(prices)
    if prices:
        assert found.bound <= min(prices) <= found.price
        assert not found.proved or found.price == min(prices)


def test_prices_on_some_types_only_are_refused():
    with pytest.raises(InputError, match="type b"):
        ask(cluster(agent("a")), workload(job()), type_of("a", kind(1, 1)), type_of("b", kind(1)))


# --- what can be given back -------------------------------------------------------------------------------------------


def test_agents_that_nothing_needs_can_be_given_back():
    where = cluster(agent("a"), agent("b"), agent("c"), agent("d"), running=["/old d"])
    found = ask(where, workload(job(instances=5)), type_of("small", kind(1)))
    back = found.given_back
    assert found.fits
    assert not found.purchases
    assert back is not None
    assert "d" not in back.agents
    assert len(back.agents) == 4 - back.needed
    assert (back.needed, back.needed_at_least) == (2, 2)


def test_dear_agents_are_the_first_to_go():
    where = cluster(agent("dear", price=9000), agent("cheap", price=1000))
    found = ask(where, workload(job()), type_of("small", kind(1, 1)))
    assert found.given_back is not None
    assert found.given_back.agents == ("dear",)
    assert found.given_back.needed_at_least == 1


# --- how much more fits -----------------------------------------------------------------------------------------------


def further(found: placement.CapacityAnswer) -> dict[str, tuple[int | None, int | None]]:
    return {one.job: (one.instances, one.bound) for one in found.further}


def test_each_job_is_asked_alone_after_the_workload_is_placed():
    """8 cpus, 3 are taken: five more of 1 cpu, or two more of 2; UNIQUE leaves one agent of two."""
    where = cluster(agent("a", cpus=4), agent("b", cpus=4))
    jobs = workload(job("/one", cpus=1), job("/two", cpus=2), job("/alone", cpus=0, constraints="hostname:UNIQUE"))
    found = further(ask(where, jobs, type_of("small", kind(1))))
    assert found["/one"] == (5, 5)
    assert found["/alone"] == (1, 1)
    assert found["/two"][0] in (1, 2)


def test_shares_are_those_of_all_instances_and_not_of_those_asked_for():
    """Two racks in equal shares, r2 holds one: three in all (2 + 1), so two more, although r1 holds four."""
    where = cluster(agent("a", cpus=4, rack="r1"), agent("b", cpus=1, rack="r2"))
    found = ask(where, workload(job(instances=1, constraints="rack:GROUP_BY:2")), type_of("small", kind(1, rack="r1")))
    assert further(found) == {"/app": (2, 2)}


def test_a_gang_grows_whole_or_not_at_all():
    """min 3: two places are not enough, so nothing more can be said to fit."""
    found = ask(cluster(agent("a", cpus=2)), workload(job(instances=3, minimum=3)), type_of("small", kind(1)))
    assert further(found) == {"/app": (0, 0)}


def test_more_than_is_asked_for_is_told_as_at_least(monkeypatch):
    monkeypatch.setattr("placement.headroom.MOST_FURTHER", 5)
    found = ask(cluster(agent("a", cpus=100)), workload(job()), type_of("small", kind(1)))
    assert [(one.instances, one.capped) for one in found.further] == [(5, True)]


# --- types as a file --------------------------------------------------------------------------------------------------

TYPES = (
    "type,price,limit,cpus,mem,ports,rack,attribute:type\nsmall,3,2,4,1000,80;443,r1|r2,private\nbig,5,,8,1000,,r1,\n"
)


def test_types_are_read_with_alternatives_prices_and_limits(tmp_path):
    (tmp_path / "types.csv").write_text(TYPES)
    small, big = read_types(tmp_path / "types.csv")
    assert (small.name, small.limit, small.choices) == ("small", 2, ((("rack", "r1"),), (("rack", "r2"),)))
    assert [[(name, value.text) for name, value in one.attributes] for one in small.variants] == [
        [("rack", "r1"), ("type", "private")],
        [("rack", "r2"), ("type", "private")],
    ]
    assert small.variants[0].ports == ((80, 80), (443, 443))
    assert (big.limit, big.choices, big.variants[0].price) == (None, ((),), 5000)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("cpus\n4\n", "no column type"),
        ("type,agent,cpus\nx,a,4\n", "types have no such column"),
        ("type,cpus\nx,4\nx,8\n", "line 3"),
        ("type,cpus\n,4\n", "has no type"),
        ("type,cpus,limit\nx,4,-1\n", "column limit"),
        ("type,cpus\nx,many\n", "line 2"),
        ("type,cpus\n", "holds no type"),
    ],
)
def test_a_wrong_file_of_types_is_told_with_its_place(tmp_path, text, word):
    (tmp_path / "types.csv").write_text(text)
    with pytest.raises(InputError, match=word):
        read_types(tmp_path / "types.csv")


def test_the_function_stays_a_function_whatever_is_imported_first():
    code = (
        "import placement; from placement.sizing import Purchase; import placement.sizing; placement.capacity.__name__"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
