"""Dives: round the relaxation step by step to whole bins, with new patterns priced for what remains.

A dive ends as soon as it cannot beat the best packing known; it proves nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers.packing.budget import Budget
from solvers.packing.generation import ROUNDING, Generation
from solvers.rules import Int64

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Style:
    """How a dive rounds.

    Attributes
    ----------
    share
        Part of the fractional bins that one step may round up.
    rounds
        Rounds of pricing a step.
    noise
        Relative disturbance of the fractions when they are ranked.
    """

    share: float
    rounds: int
    noise: float


STYLES = (Style(0.1, 3, 0.0), Style(0.05, 3, 0.05), Style(0.2, 3, 0.05), Style(0.02, 3, 0.05))
"""Tried in turn, again and again: big steps are quick, small ones careful."""


def dive(
    generation: Generation, style: Style, best: int, budget: Budget, random: np.random.Generator
) -> list[int] | None:
    """Return the numbers of the patterns of a packing with fewer than `best` bins, or None."""
    left = generation.bins.demand.copy()
    taken: list[int] = []
    while left.any():
        relaxed = generation.remaining(left, style.rounds, budget)
        if relaxed is None or budget.over or len(taken) + math.ceil(relaxed.value - ROUNDING) >= best:
            return None
        taken += _rounded(generation, relaxed.level, left, style, random)
    return taken


def _rounded(
    generation: Generation, level: Float64, left: Int64, style: Style, random: np.random.Generator
) -> list[int]:
    """Take whole bins at the levels' floors and some of the greatest fractions; lower `left` accordingly."""
    pool = generation.pool
    level = np.maximum(level, 0.0)
    chosen: list[int] = []
    for number in np.flatnonzero(level >= 1 - ROUNDING).tolist():
        times = min(int(level[number] + ROUNDING), int((left[pool.item[number]] // pool.count[number]).min()))
        left[pool.item[number]] -= times * pool.count[number]
        chosen += [number] * times
    fraction = level - np.floor(level + ROUNDING)
    used = np.flatnonzero(fraction > ROUNDING)
    rank = fraction[used] * (1 + style.noise * random.standard_normal(len(used)))
    quota = max(0 if chosen else 1, math.floor(style.share * float(level.sum())))
    for number in used[np.argsort(-rank, kind="stable")].tolist():
        if quota <= 0:
            break
        if (left[pool.item[number]] >= pool.count[number]).all():
            left[pool.item[number]] -= pool.count[number]
            chosen.append(number)
            quota = 0 if fraction[number] < 0.5 else quota - 1
    return chosen
