"""Buying agents by select, then pack: valid, never below its bound, the bound never above the true optimum."""

from __future__ import annotations

import itertools
import time
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.patterns import CoverMaster, Market, Purchase, buy, expressible
from solvers.patterns.buying import cheapened, greedy_purchase
from solvers.patterns.dive import Taken
from solvers.patterns.packing import fill_gaps
from solvers.patterns.pricing import Pricing, fractional_worth, missing_bound, price_bound, rounded_up
from solvers.patterns.selection import Row
from solvers.patterns.table import Grid, Tables, grid_of


def market(
    capacity: list[list[int]],
    price: list[int],
    count: list[int],
    size: list[list[int]],
    demand: list[int],
    most: list[int] | None = None,
    allowed: list[list[bool]] | None = None,
) -> Market:
    return Market(
        capacity=np.array(capacity, np.int64),
        price=np.array(price, np.int64),
        count=np.array(count, np.int64),
        size=np.array(size, np.int64),
        demand=np.array(demand, np.int64),
        most=np.array(demand if most is None else most, np.int64),
        allowed=None if allowed is None else np.array(allowed, np.bool_),
    )


def check(asked: Market, bought: Purchase) -> None:
    """Judge a purchase from the rules alone."""
    if not bought.complete:
        assert len(bought.kind) == 0
        return
    assert (bought.patterns.T @ bought.times == asked.demand).all()
    assert (bought.patterns >= 0).all()
    assert (bought.times > 0).all()
    assert (bought.patterns @ asked.size <= asked.capacity[bought.kind]).all()
    assert (bought.patterns <= asked.most).all()
    if asked.allowed is not None:
        assert (asked.allowed[bought.kind] | (bought.patterns == 0)).all()
    used = np.bincount(bought.kind, weights=bought.times, minlength=len(asked.price))
    assert (used <= asked.count).all()
    assert int((used * asked.price).sum()) == bought.value
    assert bought.bound <= bought.value


def cheapest(asked: Market) -> int | None:
    """Return the true least price by trying every choice of agents, None if nothing holds the demand."""
    best: int | None = None
    for chosen in itertools.product(*(range(c + 1) for c in asked.count.tolist())):
        price = int((np.array(chosen) * asked.price).sum())
        if best is not None and price >= best:
            continue
        agents = [k for k, times in enumerate(chosen) for _ in range(times)]
        if _holds(asked, agents, tuple(asked.demand.tolist()), set()):
            best = price
    return best


def _holds(asked: Market, agents: list[int], demand: tuple[int, ...], failed: set[tuple[int, tuple[int, ...]]]) -> bool:
    if not any(demand):
        return True
    if not agents or (len(agents), demand) in failed:
        return False
    kind, rest = agents[0], agents[1:]
    may = asked.permitted[kind]
    ranges = [range(min(d, int(asked.most[i])) if may[i] else 0, -1, -1) for i, d in enumerate(demand)]
    for pattern in itertools.product(*ranges):
        if (np.array(pattern) @ asked.size <= asked.capacity[kind]).all():
            left = tuple(d - p for d, p in zip(demand, pattern, strict=True))
            if _holds(asked, rest, left, failed):
                return True
    failed.add((len(agents), demand))
    return False


@st.composite
def markets(draw: st.DrawFn) -> Market:
    kinds, types, resources = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    unit = draw(st.sampled_from([1, 1, 3, 1000]))
    allowed = draw(
        st.none() | st.lists(st.lists(st.booleans(), min_size=types, max_size=types), min_size=kinds, max_size=kinds)
    )

    def table(rows: int, values: st.SearchStrategy[int]) -> list[list[int]]:
        return [[draw(values) for _ in range(resources)] for _ in range(rows)]

    return market(
        capacity=(np.array(table(kinds, st.integers(0, 12))) * unit).tolist(),
        price=[draw(st.integers(0, 7)) for _ in range(kinds)],
        count=[draw(st.integers(0, 3)) for _ in range(kinds)],
        size=(np.array(table(types, st.integers(0, 5))) * unit).tolist(),
        demand=[draw(st.integers(0, 3)) for _ in range(types)],
        most=[draw(st.integers(1, 3)) for _ in range(types)],
        allowed=allowed,
    )


@settings(max_examples=150, deadline=None)
@given(markets())
def test_a_purchase_is_valid_and_its_bound_is_never_above_the_optimum(asked: Market) -> None:
    optimum = cheapest(asked)
    bought = buy(asked, work=400)
    check(asked, bought)
    if optimum is None:
        assert not bought.complete
    else:
        assert bought.bound <= optimum
        assert bought.complete
        assert bought.value >= optimum


def coarse(asked: Market, times: int) -> Grid:
    """Return a grid so many times coarser than the exact one."""
    unit = np.maximum(np.gcd.reduce(asked.size, axis=0), 1) * times
    return Grid(kept=np.arange(asked.size.shape[1]), unit=unit, exact=False)


@settings(max_examples=100, deadline=None)
@given(markets(), st.integers(2, 4))
def test_a_coarse_grid_still_gives_valid_purchases_and_bounds(asked: Market, unit: int) -> None:
    optimum = cheapest(asked)
    with mock.patch("solvers.patterns.buying.grid_of", lambda market: coarse(market, unit)):
        bought = buy(asked, work=200)
    check(asked, bought)
    if optimum is None:
        assert not bought.complete
    else:
        assert bought.bound <= optimum


def best_by_trying(asked: Market, kind: int, worth: list[int]) -> int:
    ranges = [range(int(m) + 1) for m in np.minimum(asked.most, asked.demand)]
    return max(
        int(np.dot(pattern, worth))
        for pattern in itertools.product(*ranges)
        if (np.array(pattern) @ asked.size <= asked.capacity[kind]).all()
        and (asked.permitted[kind] | (np.array(pattern) == 0)).all()
    )


@settings(max_examples=150, deadline=None)
@given(markets(), st.lists(st.integers(0, 9), min_size=3, max_size=3), st.integers(1, 3))
def test_the_table_is_exact_and_a_coarse_one_is_never_below_it(asked: Market, worths: list[int], unit: int) -> None:
    worth = worths[: asked.types]
    grid = grid_of(asked)
    assert grid is not None
    exact = Tables(asked, *grid.relaxed(asked)).fill_whole(np.array(worth, np.int64), asked.ceiling)
    truth = [best_by_trying(asked, k, worth) for k in range(asked.kinds)]
    assert exact.best.tolist() == truth
    patterns = exact.patterns(np.arange(asked.kinds))
    assert (patterns @ exact.worth).tolist() == truth
    assert (patterns @ asked.size <= asked.capacity).all()
    rough = Pricing(asked, coarse(asked, unit)).fill_whole(np.array(worth, np.int64))
    assert (rough.best >= exact.best).all()
    assert (fractional_worth(asked, exact.worth, asked.ceiling) >= exact.best).all()


def test_each_instance_of_a_type_counts_once_in_the_table() -> None:
    # Five places, three instances of size 1 wanted: worth 3 of them, not 5.
    asked = market([[5]], [1], [1], [[1]], [3])
    filling = Tables(asked, asked.capacity, asked.size).fill_whole(np.array([7]), asked.ceiling)
    assert filling.best.tolist() == [21]
    assert filling.patterns(np.array([0])).tolist() == [[3]]


def test_the_bound_of_worths_is_computed_in_whole_numbers() -> None:
    # Two instances of size 2, agents of capacity 3 for 10 each: every agent holds one, so 20.
    asked = market([[3]], [10], [5], [[2]], [2])
    filling = Pricing(asked, Grid(np.arange(1), np.ones(1, np.int64), exact=True)).fill_whole(np.array([1]))
    assert price_bound(asked.price, asked.count, asked.demand, filling) == (20, 1)
    assert missing_bound(np.array([1]), asked.demand, filling) == 1
    assert missing_bound(np.array([2]), asked.demand, filling) == 0


def test_a_bound_is_rounded_up_to_a_multiple_of_the_step() -> None:
    assert rounded_up((41, 2), 5) == 25
    assert rounded_up((40, 2), 5) == 20


def test_a_row_says_by_how_much_a_choice_breaks_it() -> None:
    row = Row(np.array([3, 5]), 12)
    assert row.lacks(np.array([1, 1])) == 4
    assert row.lacks(np.array([4, 0])) == 0


def test_the_cheapest_mix_is_bought_rather_than_the_cheapest_agent_per_size() -> None:
    # 7 units: one agent of 8 for 9 beats two of 4 for 5 each, and is dearer for its size than one of 4.
    bought = buy(market([[8], [4]], [9, 5], [1, 3], [[1]], [7]))
    assert (bought.value, bought.bound, bought.complete) == (9, 9, True)


def test_a_choice_that_cannot_be_packed_is_cut_off() -> None:
    # Three instances of size 2 on agents of capacity 3: by capacity two agents would do, by packing it takes three.
    bought = buy(market([[3], [4]], [10, 19], [5, 1], [[2]], [3]))
    assert (bought.value, bought.bound) == (29, 29)


def test_most_instances_of_a_type_on_one_agent_are_kept() -> None:
    bought = buy(market([[10]], [4], [5], [[1]], [3], most=[1]))
    assert bought.value == bought.bound == 12
    assert bought.patterns.tolist() == [[1]]


def test_a_type_stands_only_on_kinds_that_allow_it() -> None:
    asked = market([[10], [10]], [1, 9], [5, 5], [[1], [1]], [2, 2], allowed=[[True, False], [True, True]])
    bought = buy(asked)
    check(asked, bought)
    assert bought.value == bought.bound == 9


def test_agents_already_there_cost_nothing_and_are_used_first() -> None:
    bought = buy(market([[4], [4]], [0, 5], [1, 5], [[1]], [7]))
    assert bought.value == bought.bound == 5


def test_nothing_asked_costs_nothing() -> None:
    bought = buy(market([[4]], [3], [1], [[1]], [0]))
    assert (bought.value, bought.bound, bought.complete) == (0, 0, True)


def test_what_no_agents_can_hold_is_said_to_be_impossible() -> None:
    bought = buy(market([[4]], [3], [2], [[3]], [3]))
    assert not bought.complete
    assert bought.bound > 6
    assert "cannot hold" in bought.engine


def test_with_a_known_answer_at_the_bound_nothing_dearer_is_given() -> None:
    bought = buy(market([[8], [4]], [9, 5], [1, 3], [[1]], [7]), upper=9)
    assert not bought.complete
    assert bought.bound == 9


def random_market(seed: int, kinds: int, types: int, resources: int = 2) -> Market:
    rng = np.random.default_rng(seed)
    capacity = rng.integers(8, 25, (kinds, resources))
    return Market(
        capacity=capacity.astype(np.int64),
        price=(capacity.sum(axis=1) * 5 + rng.integers(0, 30, kinds)).astype(np.int64),
        count=np.full(kinds, 6, np.int64),
        size=rng.integers(1, 8, (types, resources)).astype(np.int64),
        demand=rng.integers(1, 4, types).astype(np.int64),
        most=np.full(types, 2, np.int64),
    )


def test_the_same_seed_and_work_give_the_same_purchase() -> None:
    asked = random_market(3, 6, 25)
    one, two = buy(asked, seed=5, work=300), buy(asked, seed=5, work=300)
    assert one.value == two.value
    assert one.bound == two.bound
    assert one.patterns.tolist() == two.patterns.tolist()
    assert one.kind.tolist() == two.kind.tolist()


@pytest.mark.parametrize("seed", range(4))
def test_middling_markets_are_bought_within_one_percent(seed: int) -> None:
    asked = random_market(seed, 6, 25)
    bought = buy(asked, work=2000)
    check(asked, bought)
    assert bought.complete
    assert bought.value <= 1.01 * bought.bound


def test_multiplying_all_amounts_and_prices_by_three_changes_nothing_else() -> None:
    asked = random_market(1, 5, 15)
    tripled = Market(asked.capacity * 3, asked.price * 3, asked.count, asked.size * 3, asked.demand, asked.most)
    one, three = buy(asked, work=1000), buy(tripled, work=1000)
    assert 3 * one.value == three.value
    assert 3 * one.bound == three.bound


def test_a_resource_that_is_always_kept_leaves_the_grid() -> None:
    # The second resource takes at most twice the first, and every agent has more than twice as much of it.
    asked = market([[6, 20], [4, 9]], [1, 1], [1, 1], [[1, 2], [2, 3]], [3, 3])
    grid = grid_of(asked)
    assert grid is not None
    assert grid.kept.tolist() == [0]
    check(asked, buy(asked))


def test_a_market_too_fine_is_told_why_not() -> None:
    rng = np.random.default_rng(0)
    asked = Market(
        capacity=np.full((1, 9), 10**6, np.int64),
        price=np.ones(1, np.int64),
        count=np.ones(1, np.int64),
        size=rng.integers(1, 10**6, (50, 9)).astype(np.int64),
        demand=np.ones(50, np.int64),
        most=np.ones(50, np.int64),
    )
    assert "knapsack table" in str(expressible(asked))
    with pytest.raises(ValueError, match="knapsack table"):
        buy(asked)


def test_a_deadline_already_past_still_returns_something_valid() -> None:
    asked = random_market(0, 6, 25)
    bought = buy(asked, until=time.monotonic())
    check(asked, bought)
    assert bought.cut_short


def test_progress_only_ever_improves() -> None:
    seen: list[Purchase] = []
    asked = random_market(2, 6, 25)
    last = buy(asked, work=500, progress=seen.append)
    values = [p.value for p in seen if p.complete]
    bounds = [p.bound for p in seen]
    assert values == sorted(values, reverse=True)
    assert bounds == sorted(bounds)
    assert values[-1] == last.value
    for purchase in seen:
        check(asked, purchase)


@settings(max_examples=60, deadline=None)
@given(markets())
def test_greedy_buying_is_valid(asked: Market) -> None:
    taken, left = greedy_purchase(asked, asked.demand, asked.count)
    held = np.array(taken.patterns, np.int64).reshape(-1, asked.types)
    kinds = np.array(taken.kinds, np.int64)
    assert (held.T @ np.array(taken.times, np.int64) + left == asked.demand).all()
    assert (held @ asked.size <= asked.capacity[kinds]).all()
    assert (held <= asked.most).all()
    assert (taken.agents(asked.kinds) <= asked.count).all()


def test_gaps_are_filled_and_agents_that_differ_then_are_told_apart() -> None:
    asked = market([[5]], [1], [3], [[2], [1]], [6, 2])
    taken = Taken([0], [np.array([2, 0])], [3])
    left = fill_gaps(asked, taken, np.array([0, 2]))
    assert left.tolist() == [0, 0]
    assert sorted(zip((p.tolist() for p in taken.patterns), taken.times, strict=True)) == [([2, 0], 1), ([2, 1], 2)]


def test_patterns_move_to_cheaper_agents_that_hold_them() -> None:
    asked = market([[5], [4]], [9, 2], [3, 1], [[2]], [4])
    taken = Taken([0], [np.array([2])], [2])
    cheapened(asked, taken)
    assert sorted(zip(taken.kinds, taken.times, strict=True)) == [(0, 1), (1, 1)]


def test_the_covering_programme_takes_the_cheapest_patterns_and_leaves_out_what_costs_more() -> None:
    master = CoverMaster(np.array([3.0, 5.0]), np.array([2, 9]), np.array([4, 1]), np.array([10.0, 1.0]))
    master.add(0, np.array([1, 0]))
    master.add(1, np.array([1, 0]))
    cover = master.solve()
    assert cover is not None
    assert cover.value == pytest.approx(2 * 3 + 2 * 5 + 1)
    assert cover.times.tolist() == pytest.approx([2, 2])
    assert cover.missing.tolist() == pytest.approx([0, 1])
    assert cover.worth.tolist() == pytest.approx([5, 1])
    assert cover.rent.tolist() == pytest.approx([2, 0])
    master.close(1)
    closed = master.solve()
    assert closed is not None
    assert closed.missing.tolist() == pytest.approx([2, 1])
