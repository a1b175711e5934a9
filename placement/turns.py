"""The order in which the instances of one job take their turns, so that each goes to a value whose count is least.

Source: mesosphere/marathon, Constraints.scala (GROUP_BY as a step rule).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from placement.cluster import Bool, Int32, Int64

ATTEMPTS = 20_000
"""Most turns that are tried for a job with several balances before the longest order found is taken."""


def take_turns(groups: Sequence[Int32], counted: Sequence[Int64], relevant: Sequence[Bool | None]) -> NDArray[np.int64]:
    """Return the instances in an order in which each goes, for every rule, to a group whose count is least.

    Parameters
    ----------
    groups
        For each rule, int32[n]: group of each instance.
    counted
        For each rule, int64[groups]: instances that are there already.
    relevant
        For each rule, bool[groups]: groups that matter; None: those in use.

    Returns
    -------
    int64[m]: instance numbers; m < n if no order of all was found.
    """
    if len(groups) == 1:
        return _by_level(groups[0], counted[0])
    return _search(groups, counted, relevant)


def _by_level(groups: Int32, counted: Int64) -> NDArray[np.int64]:
    """Order by the count each instance finds in its group; for one rule this is right whenever any order is."""
    order = np.argsort(groups, kind="stable")
    sorted_groups = groups[order]
    starts = np.flatnonzero(np.r_[True, sorted_groups[1:] != sorted_groups[:-1]])
    sizes = np.diff(np.r_[starts, len(order)])
    level = np.empty(len(groups), np.int64)
    level[order] = np.arange(len(order)) - np.repeat(starts, sizes) + counted[sorted_groups]
    return np.argsort(level, kind="stable")


def _search(groups: Sequence[Int32], counted: Sequence[Int64], relevant: Sequence[Bool | None]) -> NDArray[np.int64]:
    """Try turns depth first over the kinds of instances (equal groups in every rule), the kind with most left first."""
    kinds, kind_of = np.unique(np.stack(groups, axis=1), axis=0, return_inverse=True)
    kind_of = kind_of.reshape(-1)
    left = np.bincount(kind_of, minlength=len(kinds))
    counts = [one.copy() for one in counted]
    path: list[int] = []
    best: list[int] = []
    choices = [_open_kinds(kinds, left, counts, relevant)]
    for _ in range(ATTEMPTS):
        if len(path) > len(best):
            best = list(path)
        if len(path) == len(kind_of):
            break
        if choices[-1]:
            kind = choices[-1].pop(0)
            _step(kinds[kind], counts, left, kind, 1)
            path.append(kind)
            choices.append(_open_kinds(kinds, left, counts, relevant))
        elif path:
            choices.pop()
            kind = path.pop()
            _step(kinds[kind], counts, left, kind, -1)
        else:
            break
    waiting = [np.flatnonzero(kind_of == kind).tolist()[::-1] for kind in range(len(kinds))]
    return np.array([waiting[kind].pop() for kind in best], np.int64)


def _step(kind: Int32, counts: Sequence[Int64], left: NDArray[np.int64], number: int, by: int) -> None:
    left[number] -= by
    for count, group in zip(counts, kind.tolist(), strict=True):
        count[group] += by


def _open_kinds(
    kinds: NDArray[np.int32], left: NDArray[np.int64], counts: Sequence[Int64], relevant: Sequence[Bool | None]
) -> list[int]:
    """Return the kinds of which an instance may go now, the one with most left first."""
    allowed = left > 0
    for rule, (count, matter) in enumerate(zip(counts, relevant, strict=True)):
        here = count[kinds[:, rule]]
        among = count[matter] if matter is not None else count[count > 0]
        least = among.min(initial=np.iinfo(np.int64).max)
        allowed &= (here == least) | ((here == 0) & (matter is None))
    return sorted(np.flatnonzero(allowed).tolist(), key=lambda kind: (-int(left[kind]), kind))
