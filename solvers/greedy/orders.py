"""The order in which rows are placed, cut into segments that one way of placing handles together.

Priority always comes first, then scarcity (rows that few agents are open to); what follows is the portfolio's choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from solvers.greedy.traits import GENERAL, SMALLEST, Traits
from solvers.rules import Int64

Order = Literal["size", "volume", "count", "rules first", "worth"]
"""What comes first inside a priority and scarcity.

size: rows of big instances; volume: rows that are big as a whole; count: rows of many instances; rules first: rows with a
rule over groups, then with a cap on agents, then the others, each by size; worth: rows of much weight for their size.
"""
REPEATED = 3
"""From so many rows a shape on average, rows are ordered by exact size, so that equal shapes stand together."""
WORTH_STEPS = 8
"""Steps of worth in a factor of two."""


@dataclass(frozen=True, eq=False)
class Segment:
    """Rows placed together: of one tier and, unless the mode is `GENERAL`, of one mode and one mask."""

    tier: int
    mode: int
    rows: Int64


def segments(traits: Traits, order: Order) -> list[Segment]:
    """Return all rows that want instances, in order, cut into segments."""
    rows = _ordered(traits, order)
    if not len(rows):
        return []
    if traits.requirements:
        rows = np.array(list(_targets_first(traits, rows)), np.int64)
    mode, mask, tier = traits.mode[rows], traits.problem.mask[rows], traits.tier[rows]
    change = (mode[1:] != mode[:-1]) | ((mask[1:] != mask[:-1]) & (mode[1:] != GENERAL)) | (tier[1:] != tier[:-1])
    starts = np.flatnonzero(np.concatenate([[True], change])).tolist()
    return [
        Segment(tier=int(tier[begin]), mode=int(mode[begin]), rows=rows[begin:end])
        for begin, end in zip(starts, [*starts[1:], len(rows)], strict=True)
    ]


def repeated_shapes(traits: Traits, rows: Int64) -> bool:
    """Tell whether rows share shapes enough for placing a shape at a time."""
    shapes = np.unique(traits.problem.shape[rows])
    return len(rows) >= REPEATED * len(shapes)


def _ordered(traits: Traits, order: Order) -> Int64:
    problem = traits.problem
    rows = np.flatnonzero(problem.wanted > 0)
    size, wanted = traits.size[rows], problem.wanted[rows]
    # keys from the last to the first
    keys: list[NDArray[np.number]] = [-wanted, problem.shape[rows], -size]
    if order == "volume":
        keys.append(-size * wanted)
    elif order == "count":
        keys.append(-wanted)
    elif repeated_shapes(traits, rows):
        keys = [-wanted, problem.mask[rows], traits.mode[rows], problem.shape[rows], -size]
    else:
        keys += [traits.direction[rows], problem.mask[rows], traits.mode[rows], -traits.step[rows]]
    if order == "rules first":
        keys.append(_freedom(traits)[rows])
    elif order == "worth":
        worth = np.log2(problem.weight[rows] / np.maximum(size, SMALLEST) + SMALLEST)
        keys.append(-np.floor(WORTH_STEPS * worth))
    keys += [-traits.scarcity[rows], traits.tier[rows]]
    return rows[np.lexsort(keys)]


def _freedom(traits: Traits) -> Int64:
    """Return int64[rows]: 0 for rows with a rule over groups, 1 for those with a cap on each agent, 2 without a rule."""
    of_mode = np.array([0 if mode.spread else 1 if mode.limit else 2 for mode in traits.modes], np.int64)
    freedom = of_mode[traits.mode]
    general = traits.mode == GENERAL
    freedom[general] = [traits.freedom(row) for row in np.flatnonzero(general).tolist()]
    return freedom


def _targets_first(traits: Traits, rows: Int64) -> Iterator[int]:
    """Yield the rows with those that a row requires before it, if they are of no lower priority."""
    done: set[int] = set()
    wanted = traits.problem.wanted
    for start in rows.tolist():
        stack = [(start, False)]
        entered: set[int] = set()
        while stack:
            row, ready = stack.pop()
            if row in done:
                continue
            if ready:
                done.add(row)
                yield row
                continue
            if row in entered:
                continue
            entered.add(row)
            stack.append((row, True))
            for other in reversed(traits.requirements.get(row, ())):
                if wanted[other] > 0 and traits.tier[other] <= traits.tier[row]:
                    stack.append((other, False))
