import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from placement.turns import take_turns


def follow(order, groups, counted, relevant):
    """Walk through an order by the rule's text: each goes, for every rule, to a group whose count is least."""
    counts = [list(map(int, one)) for one in counted]
    for instance in order:
        for rule, count in enumerate(counts):
            group = int(groups[rule][instance])
            among = [c for g, c in enumerate(count) if (relevant[rule] is None and c > 0) or
                     (relevant[rule] is not None and relevant[rule][g])]  # fmt: skip
            assert count[group] == min(among, default=count[group]) or (relevant[rule] is None and count[group] == 0)
        for rule, count in enumerate(counts):
            count[int(groups[rule][instance])] += 1


def test_one_balance_goes_round_the_groups():
    groups = np.array([0, 0, 1, 1, 2])
    order = take_turns([groups], [np.zeros(3, np.int64)], [np.ones(3, bool)])
    assert sorted(groups[order[:3]].tolist()) == [0, 1, 2]


def test_running_instances_let_the_others_go_first():
    groups = np.array([0, 1, 1])
    order = take_turns([groups], [np.array([1, 0])], [np.ones(2, bool)])
    assert groups[order].tolist() == [1, 0, 1]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_two_balances_from_empty_are_followed_by_all_instances(data):
    """Instances drawn turn by turn can be put in turn again, whatever order they are given in."""
    counts = [[0, 0, 0], [0, 0]]
    cells = []
    for _ in range(data.draw(st.integers(1, 8))):
        open_cells = [
            (i, j)
            for i in range(3)
            for j in range(2)
            if counts[0][i] == min(counts[0]) and counts[1][j] == min(counts[1])
        ]
        cell = data.draw(st.sampled_from(open_cells))
        counts[0][cell[0]] += 1
        counts[1][cell[1]] += 1
        cells.append(cell)
    shuffled = data.draw(st.permutations(cells))
    groups = [np.array([cell[rule] for cell in shuffled], np.int32) for rule in (0, 1)]
    relevant = [np.ones(3, bool), np.ones(2, bool)]
    counted = [np.zeros(3, np.int64), np.zeros(2, np.int64)]
    order = take_turns(groups, counted, relevant)
    assert sorted(order.tolist()) == list(range(len(cells)))
    follow(order.tolist(), groups, counted, relevant)
