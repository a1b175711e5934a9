import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.packing import Packing, pack_bins
from solvers.packing.bins import Bins
from solvers.packing.budget import Budget, Meter
from solvers.packing.closing import Closing, Listed
from solvers.packing.compiled import AVAILABLE
from solvers.packing.engine import _Search
from solvers.packing.full import full_patterns
from solvers.packing.generation import Generation
from solvers.packing.pool import Pool
from solvers.packing.pricing import Pricer

EXAMPLES = 25
ENOUGH = 300_000_000
"""Steps, some ten seconds; small examples need a thousandth of it."""


def arrays(*lists):
    return tuple(np.array(one, np.int64) for one in lists)


def pack(size, demand, capacity, most=None, **more):
    size, demand, capacity, most = arrays(size, demand, capacity, demand if most is None else most)
    answer = pack_bins(size, demand, capacity, most, **{"work": ENOUGH, **more})
    check(answer, size, demand, capacity, most)
    return answer


def check(answer, size, demand, capacity, most):
    assert (answer.patterns @ size <= capacity).all()
    assert (answer.patterns >= 0).all()
    assert (answer.patterns <= most).all()
    assert (answer.times > 0).all()
    assert (answer.times @ answer.patterns).tolist() == demand.tolist()
    assert answer.bound <= answer.bins


def fewest_bins(size, demand, capacity, most):
    """The fewest bins, by trying every way: items one by one into each open bin or a new one."""
    items = [kind for kind, count in enumerate(demand) for _ in range(count)]
    best = len(items)
    bins: list[tuple[list[int], list[int]]] = []

    def place(at):
        nonlocal best
        if len(bins) >= best:
            return
        if at == len(items):
            best = len(bins)
            return
        kind = items[at]
        seen = set()
        for free, held in bins:
            key = (tuple(free), tuple(sorted(held)))
            if key in seen or held.count(kind) >= most[kind]:
                continue
            seen.add(key)
            if all(a >= b for a, b in zip(free, size[kind], strict=True)):
                for d, amount in enumerate(size[kind]):
                    free[d] -= amount
                held.append(kind)
                place(at + 1)
                held.pop()
                for d, amount in enumerate(size[kind]):
                    free[d] += amount
        bins.append(([a - b for a, b in zip(capacity, size[kind], strict=True)], [kind]))
        place(at + 1)
        bins.pop()

    place(0)
    return best


@st.composite
def small_packings(draw, most_types=5, most_demand=3):
    dimensions = draw(st.integers(1, 3))
    types = draw(st.integers(1, most_types))
    capacity = draw(st.lists(st.integers(4, 20), min_size=dimensions, max_size=dimensions))
    size = [[draw(st.integers(0, c)) for c in capacity] for _ in range(types)]
    demand = draw(st.lists(st.integers(0, most_demand), min_size=types, max_size=types))
    most = draw(st.lists(st.integers(1, 3), min_size=types, max_size=types))
    return size, demand, capacity, most


@given(small_packings())
@settings(max_examples=EXAMPLES, deadline=None)
def test_the_bound_never_exceeds_the_fewest_bins_and_small_ones_are_solved(problem):
    answer = pack(*problem)
    fewest = fewest_bins(*problem)
    assert answer.bound <= fewest <= answer.bins
    assert answer.proved


def test_instances_that_fit_together_share_a_bin():
    answer = pack([[6, 1], [4, 1], [5, 5]], [2, 2, 2], [10, 10])
    assert (answer.bins, answer.proved) == (3, True)
    assert sorted(answer.patterns.tolist()) == [[0, 0, 2], [1, 1, 0]]


def test_a_limit_on_a_type_in_one_bin_asks_for_more_bins():
    assert pack([[1]], [6], [10], [10]).bins == 1
    assert pack([[1]], [6], [10], [2]).bins == 3


def test_columns_prove_what_sums_of_sizes_do_not():
    """6, 6 and 7 come to 19, two bins of 10 by their sum, but no two of them fit together."""
    answer = pack([[6], [7]], [2, 1], [10])
    assert (answer.bins, answer.bound) == (3, 3)
    assert "column" in answer.engine


def test_an_instance_too_great_for_a_bin_is_an_error():
    with pytest.raises(ValueError, match="does not fit"):
        pack([[11]], [1], [10])


def test_types_without_demand_do_not_matter():
    assert pack([[99], [4]], [0, 2], [10]).patterns.tolist() == [[0, 2]]


def test_nothing_to_pack_needs_no_bin():
    answer = pack([[4]], [0], [10])
    assert (answer.bins, answer.bound, answer.proved) == (0, 0, True)


def test_a_dimension_nobody_needs_and_an_instance_that_needs_nothing():
    assert pack([[0, 0], [3, 0]], [4, 2], [6, 0]).bins == 1


def test_units_do_not_change_the_answer():
    draw = np.random.default_rng(5)
    size = draw.integers(100, 500, (25, 3)) * 7
    plain = pack(size, [1] * 25, [7000] * 3)
    scaled = pack(size * 3000, [1] * 25, [7000 * 3000] * 3)
    assert plain.patterns.tolist() == scaled.patterns.tolist()
    assert plain.bound == scaled.bound


def triples(bins, dimensions, seed):
    """Three items at a time that fill a bin of 100 exactly."""
    draw = np.random.default_rng(seed)
    first, second = draw.integers(25, 40, (2, bins, dimensions))
    return np.concatenate([first, second, 100 - first - second])


def test_exactly_full_bins_are_found_where_greedy_fails():
    size = triples(20, 3, seed=1)
    sources = []
    answer = pack(size, [1] * 60, [100] * 3, progress=lambda best, source: sources.append((best.bins, source)))
    assert (answer.bins, answer.proved) == (20, True)
    assert sources[-1] == (20, "exact cover over full patterns")
    assert sources[-2][0] > 20


def test_full_patterns_are_those_that_fill_a_bin_and_leave_the_others_fillable():
    """6+4, 5+5 and 3+3+4 fill 10; two bins for five items hold three and two, so all three patterns may be used."""
    bins = Bins.of(*arrays([[6], [4], [5], [3]], [1, 1, 2, 0], [10], [1, 1, 2, 0]))
    assert sorted(sorted(one.tolist()) for one in full_patterns(bins)) == [[0, 1], [2, 2]]
    bins = Bins.of(*arrays([[6], [4], [3]], [1, 2, 2], [10], [1, 2, 2]))
    assert sorted(sorted(one.tolist()) for one in full_patterns(bins)) == [[0, 1], [1, 2, 2]]


def test_full_patterns_are_no_longer_than_the_shortest_allow():
    """Three bins of 10 for seven items, two each at least: 4+3+2+1 would leave three items for two bins."""
    bins = Bins.of(*arrays([[6], [4], [7], [3], [2], [1]], [1, 1, 2, 1, 1, 1], [10], [1, 1, 2, 1, 1, 1]))
    assert sorted(sorted(one.tolist()) for one in full_patterns(bins)) == [[0, 1], [0, 3, 5], [2, 3], [2, 4, 5]]


def test_no_exact_cover_proves_one_bin_more():
    """7, 6, 5 and 2 sum to two bins of 10, but nothing fills a bin with 7."""
    answer = pack([[7], [6], [5], [2]], [1, 1, 1, 1], [10])
    assert (answer.bins, answer.bound) == (3, 3)
    assert "full patterns" in answer.engine


def test_negative_sizes_make_room_for_others():
    """60 + 50 exceeds 100 but for the item of -10; all three fill the bin."""
    answer = pack([[60, 40], [50, 30], [-10, 30]], [1, 1, 1], [100, 100])
    assert (answer.bins, answer.bound) == (1, 1)


def test_a_gap_of_the_relaxation_is_closed_by_cuts():
    """Any two of three items fit together, all three do not; the relaxation is 3/2 bins an odd number of times."""
    size = [[0, 1, 1], [1, 0, 1], [1, 1, 0]]
    rows = [np.array([[0, 1], [0, 2], [1, 2]])]
    closing = Closing(Listed.of(rows), *arrays([1, 1, 1], [0, 1, 2]), bins=1)
    assert not closing.impossible
    closing.run(Budget(Meter()))
    assert closing.impossible
    assert pack(size, [1, 1, 1], [1, 1, 1]).bins == 3


def test_cuts_never_exclude_a_packing_that_exists():
    """The three items above fit into two bins; and random ones into as many as they need."""
    closing = Closing(
        Listed.of([np.array([[0, 1], [0, 2], [1, 2]]), np.arange(3)[:, None]]), *arrays([1, 1, 1], [0, 1, 2]), 2
    )
    closing.run(Budget(Meter()))
    assert not closing.impossible
    assert closing.quotient == pytest.approx(2)
    for seed in range(30):
        bins, _ = random_bins(seed, types=7, dimensions=2)
        least = fewest_bins(bins.size.tolist(), bins.demand.tolist(), bins.capacity.tolist(), bins.most.tolist())
        patterns = [np.flatnonzero(one)[None, :] for one in every_pattern(bins) if one.any()]
        closing = Closing(Listed.of(patterns), bins.demand, np.arange(bins.types), least)
        closing.run(Budget(Meter()))
        assert not closing.impossible
        assert closing.quotient <= least + 1e-9


def test_negative_sizes_give_no_bound_by_columns():
    """Without what the last item gives, 60 and 50 need two bins; that is no proof, for with it one will do."""
    bins = Bins.of(*arrays([[60], [50], [-10]], [1, 1, 1], [100], [1, 1, 1]))
    pool = Pool(bins)
    pool.add_rows(np.eye(3, dtype=np.int64))
    generation = Generation(bins, pool, Pricer(bins, fast=False), bins.by_sums)
    generation.run(3, Budget(Meter()))
    assert generation.relaxed.value > 1.5
    assert generation.bound == 1


def test_bins_that_hold_more_than_is_demanded_are_cut_down_to_it():
    bins = Bins.of(*arrays([[4], [3]], [2, 1], [10], [2, 1]))
    search = _Search(bins, Budget(Meter()), 0, None, fast=False)
    search._offer(np.array([[1, 1], [1, 1]]), "test")
    assert search.rows.tolist() == [[1, 1], [1, 0]]
    assert search.answer().times.tolist() == [1, 1]


def random_bins(seed, types=30, dimensions=3, capacity=100, demand=1):
    draw = np.random.default_rng(seed)
    size = draw.integers(capacity // 12, capacity // 2, (types, dimensions))
    wanted = draw.integers(1, demand + 1, types)
    return Bins.of(size, wanted, np.full(dimensions, capacity), np.maximum(wanted // 2, 1)), draw


@pytest.mark.parametrize("width", [3, 10_000])
@pytest.mark.parametrize("capacity", [100, 5000])
@pytest.mark.skipif(not AVAILABLE, reason="needs numba")
def test_compiled_pricing_gives_the_same_patterns_as_numpy(width, capacity):
    for seed in range(4):
        bins, draw = random_bins(seed, capacity=capacity, demand=4)
        dual = draw.random(bins.types)
        quick = Pricer(bins, fast=True).price(dual, bins.most, bins.demand, width)
        plain = Pricer(bins, fast=False).price(dual, bins.most, bins.demand, width)
        assert [one.tolist() for one in quick.patterns] == [one.tolist() for one in plain.patterns]
        assert (quick.bound, quick.complete, quick.steps) == (plain.bound, plain.complete, plain.steps)


@pytest.mark.skipif(not AVAILABLE, reason="needs numba")
def test_compiled_loops_give_the_same_packing_as_numpy():
    bins, _ = random_bins(8, types=40)
    work = 3_000_000
    quick = pack(bins.size, bins.demand, bins.capacity, bins.most, work=work, fast=True)
    plain = pack(bins.size, bins.demand, bins.capacity, bins.most, work=work, fast=False)
    assert same(quick, plain)


def same(one: Packing, other: Packing) -> bool:
    arrays_equal = np.array_equal(one.patterns, other.patterns) and np.array_equal(one.times, other.times)
    return arrays_equal and (one.bound, one.engine) == (other.bound, other.engine)


def test_complete_pricing_finds_the_pattern_of_greatest_worth():
    bins, draw = random_bins(3, types=9, demand=3)
    dual = draw.random(bins.types)
    priced = Pricer(bins, fast=False).price(dual, bins.most, bins.demand, 10_000)
    best = max(float(dual @ pattern) for pattern in every_pattern(bins))
    assert priced.complete
    assert dual[priced.patterns[0]].sum() == pytest.approx(best)
    assert priced.quotient == pytest.approx(float(dual @ bins.demand) / best)


def test_narrow_pricing_gives_a_lower_but_valid_bound():
    bins, draw = random_bins(4, types=40)
    dual = draw.random(bins.types)
    narrow = Pricer(bins, fast=False).price(dual, bins.most, bins.demand, 1)
    wide = Pricer(bins, fast=False).price(dual, bins.most, bins.demand, 100_000)
    assert not narrow.complete
    assert narrow.quotient <= wide.quotient


def every_pattern(bins):
    """All patterns that fit, by counting through."""
    found = []

    def extend(pattern, kind):
        if kind == bins.types:
            found.append(np.array(pattern))
            return
        for count in range(int(bins.most[kind]) + 1):
            longer = [*pattern, count]
            if (np.array(longer) @ bins.size[: kind + 1] <= bins.capacity).all():
                extend(longer, kind + 1)

    extend([], 0)
    return found


def test_all_patterns_within_the_gap_are_listed():
    bins, draw = random_bins(6, types=8, demand=2)
    dual = draw.random(bins.types) / 3
    worths = np.array([float(dual @ pattern) for pattern in every_pattern(bins)])
    allowed = int(np.ceil(float(dual @ bins.demand) / max(1.0, worths.max()))) + 1
    least = float(dual @ bins.demand) - (allowed - 1) * max(1.0, worths.max())
    listed = Pricer(bins, fast=False).all_within(dual, allowed, 10**6, 10_000)
    assert listed is not None
    assert sum(len(rows) for rows in listed[0]) == int((worths > max(least, 0) + 1e-9).sum())
    assert Pricer(bins, fast=False).all_within(dual, allowed, 3, 10_000) is None


def test_column_generation_stops_at_the_relaxation_rounded_up():
    bins, _ = random_bins(2, types=20)
    pool = Pool(bins)
    pool.add_rows(np.eye(bins.types, dtype=np.int64))
    generation = Generation(bins, pool, Pricer(bins, fast=False), bins.by_sums)
    generation.run(10**6, Budget(Meter()))
    assert generation.converged
    assert generation.bound == int(np.ceil(generation.relaxed.value - 1e-6))


def test_equal_seeds_and_work_give_equal_answers():
    bins, _ = random_bins(11, types=60, dimensions=5)
    runs = [
        pack(bins.size, bins.demand, bins.capacity, bins.most, work=2_000_000, seed=seed, fast=False) for seed in (1, 1)
    ]
    assert same(*runs)
    assert not runs[0].cut_short


def test_the_answer_comes_by_the_deadline_and_says_that_a_clock_ended_it():
    bins, _ = random_bins(12, types=200, dimensions=5)
    began = time.process_time()
    answer = pack(bins.size, bins.demand, bins.capacity, bins.most, work=None, cpu_until=began + 0.3)
    assert time.process_time() - began < 2.0
    assert answer.cut_short == (not answer.proved)


def test_progress_tells_only_of_better_packings_and_bounds():
    bins, _ = random_bins(13, types=50)
    told = []
    pack(bins.size, bins.demand, bins.capacity, bins.most, progress=lambda best, _: told.append(best))
    assert told
    assert all(b.bins <= a.bins and b.bound >= a.bound for a, b in pairwise(told))
    assert all(b.bins < a.bins or b.bound > a.bound for a, b in pairwise(told))
