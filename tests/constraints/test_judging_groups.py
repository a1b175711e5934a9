"""The checker's counting of GROUP_BY: the excess is the least number of instances that must go, tried one by one."""

from collections import Counter
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placement.constraints.judging_groups import Levels, Shares

FEW = st.dictionaries(st.sampled_from("abc"), st.integers(1, 3), max_size=3)


def least_to_go(new, holds):
    """The fewest of the new instances, by value, without which `holds` is true of the rest."""
    choices = product(*(range(count + 1) for count in new.values()))
    kept = [dict(zip(new, choice, strict=True)) for choice in choices]
    return sum(new.values()) - max(sum(one.values()) for one in kept if holds(Counter(one)))


@given(FEW, FEW, st.integers(1, 3), st.integers(0, 2), st.integers(0, 2))
def test_the_excess_over_shares_is_the_least_that_must_go(before, new, groups, each, extra):
    def holds(kept):
        opened = [value for value, count in kept.items() if count and value not in before]
        if opened and len(before) + len(opened) > groups:
            return False
        final = {value: before.get(value, 0) + kept[value] for value in {*before, *kept}}
        if any(kept[value] and final[value] > each + 1 for value in kept):
            return False
        more = [value for value in kept if kept[value] and final[value] == each + 1]
        return not more or len(more) + sum(max(0, count - each) for count in before.values()) <= extra

    assert Shares(Counter(before), groups, each, extra).excess(Counter(new)) == least_to_go(new, holds)


@given(FEW, FEW, st.sets(st.sampled_from("abcd"), min_size=1))
def test_the_excess_over_the_least_count_is_the_least_that_must_go(before, new, mattering):
    mattering = mattering | set(before) | set(new)

    def holds(kept):
        final = {value: before.get(value, 0) + kept[value] for value in mattering}
        return all(final[value] <= min(final.values()) + 1 for value in kept if kept[value])

    assert Levels(Counter(before), mattering).excess(Counter(new)) == least_to_go(new, holds)


@pytest.mark.parametrize(
    ("before", "new", "at_least", "excess"),
    [
        ({}, {"a": 2}, 2, 1),
        ({}, {"a": 1, "b": 1}, 3, 0),
        ({}, {"a": 2, "b": 1}, 2, 0),
        ({}, {"a": 3, "b": 1}, 2, 1),
        ({"a": 3}, {"a": 1}, 2, 1),
        ({"a": 3}, {"b": 3}, 2, 0),
        ({"a": 3}, {"b": 3, "a": 1}, 2, 0),
        ({None: 1}, {"a": 3}, 1, 1),
    ],
)
def test_among_values_in_use_there_must_be_enough(before, new, at_least, excess):
    assert Levels(Counter(before), None, at_least).excess(Counter(new)) == excess


def turns(groups, values):
    """For each value in turn, whether it was admitted; all are counted."""
    admitted = []
    for value in values:
        admitted.append(groups.admits(value))
        groups.add(value)
    return admitted


def test_shares_are_filled_in_any_order_and_extras_go_to_whoever_comes_first():
    """5 on 2 values: 2 each, one more on one of them (mesosphere/marathon, worked example 1)."""
    assert turns(Shares(Counter(), 2, 2, 1), "aaabb") == [True] * 5
    assert turns(Shares(Counter(), 2, 2, 1), "aaabbb") == [True] * 5 + [False]
    assert turns(Shares(Counter(), 2, 2, 1), "abc") == [True, True, False]


def test_levels_admit_the_least_and_values_that_nobody_counted():
    assert turns(Levels(Counter(), ["a", "b"]), "abba") == [True, True, True, True]
    assert turns(Levels(Counter(), ["a", "b"]), "aab") == [True, False, True]
    assert turns(Levels(Counter({"a": 2}), None, 1), "abb") == [True, True, True]
    assert turns(Levels(Counter(), None, 2), "aab") == [True, False, True]
