import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from solvers import greedy
from solvers.greedy.kernel import Frame, Room, View, filled, leaders, ranked, steps, working_type
from solvers.greedy.quotas import balance_holds, balanced
from solvers.greedy.scores import Cosine
from solvers.options import Options
from tests.solvers.check import breaches
from tests.solvers.problems import small_problem

AROUND_THE_LIMITS = [limit + step for limit in (2**24, 2**50) for step in (-2, -1, 0, 1)]


@pytest.mark.parametrize(
    ("greatest", "kind"),
    [(2**24 - 1, np.float32), (2**24, np.float64), (2**50 - 1, np.float64), (2**50, np.int64)],
)
def test_amounts_are_held_in_the_smallest_exact_type(greatest, kind):
    assert working_type(greatest) == kind
    assert Frame.of(small_problem([[greatest]], [[1]], [1])).capacity.dtype == kind


def test_amounts_are_divided_by_what_all_demands_share_and_capacities_rounded_down():
    frame = Frame.of(small_problem([[2**26 + 5, 7]], [[12, 0], [18, 0]], [1, 1]))
    assert frame.dimensions == (0,)
    assert frame.capacity.tolist() == [[(2**26 + 5) // 6]]
    assert frame.needs == (((0, 2),), ((0, 3),))


def test_a_demand_that_nobody_wants_shapes_nothing():
    assert Frame.of(small_problem([[8, 8]], [[4, 0], [0, 3]], [1, 0])).dimensions == (0,)


@pytest.mark.parametrize("greatest", AROUND_THE_LIMITS)
def test_fit_is_exact_on_both_sides_of_both_limits(greatest):
    """One less than a multiple of a demand holds one instance less, and the rest to the last unit."""
    need = next(d for d in range(2, 10**6) if (greatest + 1) % d == 0)
    problem = small_problem([[greatest]], [[need], [1]], [greatest, 10**6], weight=[10**7, 1])
    answer = greedy.solve(problem, Options())
    assert breaches(problem, answer) == []
    assert answer.placed(2).tolist() == [(greatest + 1) // need - 1, need - 1]


@given(st.integers(1, 2**24 - 1), st.integers(1, 2**24 - 1))
def test_rounded_quotients_have_the_exact_floor_in_float32(free, need):
    frame = Frame.of(small_problem([[free]], [[need], [1]], [1, 1]))
    room = Room(frame, np.zeros(1, np.bool_))
    assert frame.capacity.dtype == np.float32
    assert room.most(frame.needs[0]).tolist() == [free // need]


@given(st.integers(2, 2**12), st.integers(1, 2**12))
def test_one_less_than_a_multiple_is_never_rounded_up(need, times):
    free = np.array([need * times - 1], np.float32)
    view = View(Frame.of(small_problem([[1]], [[1]], [1])), slice(None), [free], free, np.zeros(1, np.bool_))
    assert view.most(((0, need),)).tolist() == [times - 1]


def test_taking_and_giving_back_leaves_no_trace():
    frame = Frame.of(small_problem([[10, 7], [9, 8]], [[3, 2], [1, 1]], [9, 9]))
    room, untouched = Room(frame, np.array([True, False]), 0.5), Room(frame, np.array([True, False]), 0.5)
    agents = np.array([0, 1])
    room.take(frame.needs[0], agents, np.array([2, 1]))
    assert [free.tolist() for free in room.free] == [[4, 6], [3, 6]]
    assert room.opened.tolist() == [True, True]
    room.take(frame.needs[0], agents, np.array([-2, -1]))
    assert [free.tolist() for free in room.free] == [free.tolist() for free in untouched.free]
    assert room.opened.tolist() == [True, False]
    assert room.reciprocal.tolist() == untouched.reciprocal.tolist()


def test_ranking_is_descending_and_ties_go_to_the_lower_position():
    assert ranked(np.array([0.5, 0.9, 0.5, 0.1])).tolist() == [1, 0, 2, 3]
    assert ranked(np.ones(3)).tolist() == [0, 1, 2]
    assert steps(np.array([1.0, 0.0])).tolist() == [0, 65535]


@given(arrays.arrays(np.float32, st.integers(1, 6000), elements=st.integers(0, 50).map(float)), st.integers(1, 300))
def test_leaders_hold_the_best_positive_scores(score, count):
    found = leaders(score, count)
    positive = int((score > 0).sum())
    assert (score[found] > 0).all()
    assert len(found) >= min(count, positive)
    others = np.delete(score, found)
    assert len(found) == 0 or others.max(initial=0) <= score[found].min()


def test_filling_pours_from_the_first_on():
    assert filled(np.array([3, 0, 2, 4]), 6).tolist() == [3, 0, 2, 1]
    assert filled(np.array([3, 2]), 9).tolist() == [3, 2]


counts = st.lists(st.integers(0, 4), min_size=4, max_size=4).map(np.array)


@given(counts, counts, st.lists(st.booleans(), min_size=4, max_size=4).map(np.array), st.integers(0, 12))
def test_a_balance_is_filled_as_far_as_any_choice_of_counts_could(count, room, relevant, wanted):
    """Compared with every vector of shares there is."""
    new = np.zeros(4, np.int64)
    shares = balanced(count, new, room, relevant, 0, wanted)
    assert balance_holds(count + shares, shares, relevant, 0)
    assert (shares <= np.where(relevant, room, 0)).all()
    assert shares.sum() <= wanted
    every = np.array(np.meshgrid(*[np.arange(limit + 1) for limit in np.where(relevant, room, 0)])).reshape(4, -1).T
    allowed = [one for one in every if one.sum() <= wanted and balance_holds(count + one, one, relevant, 0)]
    assert shares.sum() == max(int(one.sum()) for one in allowed)


def test_the_cosine_prefers_agents_that_have_what_is_asked():
    frame = Frame.of(small_problem([[8, 2], [2, 8]], [[4, 1], [1, 1]], [1, 1]))
    score = Cosine()(Room(frame, np.zeros(2, np.bool_)), frame.needs[0])
    assert score[0] == pytest.approx(1.0)
    assert score[1] == pytest.approx(16 / 34)
