"""The board keeps what is right and better, and bounds on their terms."""

from __future__ import annotations

import numpy as np

from solvers.board import Board
from solvers.options import Options
from solvers.problem import Assignment
from tests.solvers.problems import rows, small_problem


def board(**more):
    return Board(small_problem([[4], [4]], [[3]], [2], price=[5000, 2000]), Options(**more))


def runs(*triples: tuple[int, int, int]) -> Assignment:
    row, agent, count = (np.array([one[i] for one in triples], np.int64) for i in range(3))
    return Assignment.of_runs(row, agent, count, 2)


def test_a_better_answer_is_taken_and_a_worse_one_is_not():
    one = board()
    assert one.offer(runs((0, 0, 1)), "first")
    assert one.offer(runs((0, 1, 1)), "cheaper")
    assert not one.offer(runs((0, 0, 1)), "dearer")
    assert (one.values, one.source) == ((1000, 2000), "cheaper")


def test_a_wrong_answer_is_not_taken_however_good():
    one = board()
    assert not one.offer(runs((0, 1, 2)), "overfull")
    assert one.values == (0, 0)


def test_a_bound_counts_only_for_answers_as_good_in_the_levels_before():
    one = board()
    one.offer(runs((0, 0, 1), (0, 1, 1)), "all")
    one.prove(1, 6900, "for all placed", given=(2000,))
    one.prove(1, 6950, "for one placed", given=(1000,))
    one.prove(1, 6000, "always")
    assert one.bound(1) == (6900, "for all placed")
    one.prove(1, 7000, "later", given=(2000,))
    assert one.optimal(1)
    assert one.open_level is None


def test_progress_is_told_with_levels():
    told = []
    one = board(progress=lambda answer, source: told.append((source, [level.value for level in answer.levels])))
    one.offer(runs((0, 1, 1)), "first")
    assert told == [("first", [1000, 2000])]


def test_the_open_level_is_the_first_that_is_not_proved():
    one = Board(small_problem([[9], [9]], [[4], [5]], [2, 2]), Options())
    one.offer(Assignment.of_runs(rows(0, 1), rows(0, 0), np.array([1, 1]), 2), "half")
    assert one.open_level == 0
    assert not one.everything_placed
