"""Fill one group of agents: relax, keep what is whole, round some of the rest up, relax what is left; large rows first.

Without the stages the roundings of small rows strand large ones. It knows rows, rooms and quotas, and no rules.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from solvers.linear import Float, LinearModel, solve_linear
from solvers.rules import Int64

STAGES = (0.2, 0.45, 0.7, 1.0)
"""Shares of the rows, largest first, whose counts are made whole by the end of each stage."""
TINY = 1e-6
"""A float this near to a whole number is one."""
MISSING = 20.0
"""How many times its value a missing instance costs that a balance needs: other rows lose instances with it."""


@dataclass(frozen=True, eq=False)
class Group:
    """One group to be filled.

    Attributes
    ----------
    room
        int64[agents, D].
    need
        int64[rows, D].
    most
        int64[rows, agents]: greatest counts.
    quota, least
        int64[rows]: most instances, and how many of these matter more.
    value
        float64[rows]: what an instance is worth.
    """

    room: Int64
    need: Int64
    most: Int64
    quota: Int64
    least: Int64
    value: Float


def fill(group: Group, *, share: float, until: float = float("inf"), seed: int = 0) -> Int64:
    """Return int64[rows, agents]: counts that fit, of as much value as the rounding leaves.

    Parameters
    ----------
    share
        Share of the fractional counts that is rounded up between two relaxations.
    until
        Moment on `time.monotonic()` after which no relaxation is begun.
    """
    return _Filling(group, share, until, seed).run()


class _Filling:
    """One filling in progress: what has been placed, and what is left."""

    def __init__(self, group: Group, share: float, until: float, seed: int) -> None:
        self.group = group
        self.share = share
        self.until = until
        self.seed = seed
        self.room = group.room.copy()
        self.left = group.quota.copy()
        self.least = np.minimum(group.least, group.quota)
        self.counts = np.zeros_like(group.most)
        self.need = [np.flatnonzero(one) for one in group.need]
        self.unit = np.maximum(group.room.mean(axis=0), 1.0)

    def run(self) -> Int64:
        """Go through the stages."""
        size = (self.group.need / self.unit).max(axis=1, initial=0.0)
        order = np.argsort(-size, kind="stable")
        for stage in STAGES:
            chosen = np.zeros(len(order), np.bool_)
            chosen[order[: int(np.ceil(stage * len(order)))]] = True
            while self._step(chosen):
                pass
        for row in order.tolist():
            self._put_in(row)
        return self.counts

    def _step(self, chosen: np.ndarray) -> bool:
        """Relax what is left and place some of the chosen rows; tell whether any were placed."""
        most = self._most_left()
        row, agent = np.nonzero(most)
        if not len(row):
            return False
        x = self._relaxed(row, agent, most[row, agent])
        if x is None:
            return False
        mine = chosen[row]
        whole = np.floor(x + TINY).astype(np.int64)
        placed = self._place(row[mine], agent[mine], whole[mine])
        fraction = np.where(mine, x - whole, 0.0)
        candidates = np.flatnonzero(fraction > TINY)
        candidates = candidates[np.argsort(-fraction[candidates], kind="stable")]
        number = int(np.ceil(self.share * len(candidates)))
        return self._round_up(row[candidates], agent[candidates], number) or placed

    def _put_in(self, row: int) -> None:
        """Place what is left of a row where it fits, on the fullest agents first (relaxations may have run out of time)."""
        dims = self.need[row]
        while self.left[row] > 0:
            fits = self.group.most[row] - self.counts[row]
            if len(dims):
                fits = np.minimum(fits, (self.room[:, dims] // self.group.need[row, dims]).min(axis=1))
            able = np.flatnonzero(fits > 0)
            if not len(able):
                return
            tightest = able[int(np.argmin((self.room[able] / self.unit).sum(axis=1)))]
            count = np.minimum(fits[[tightest]], self.left[row])
            self._place(np.array([row]), np.array([tightest]), count)

    def _most_left(self) -> Int64:
        """Return int64[rows, agents]: the greatest further counts."""
        most = np.minimum(self.group.most - self.counts, self.left[:, None])
        for dimension in range(self.room.shape[1]):
            need = self.group.need[:, dimension]
            asking = np.flatnonzero(need)
            if len(asking):
                most[asking] = np.minimum(most[asking], self.room[:, dimension] // need[asking][:, None])
        return most

    def _relaxed(self, row: Int64, agent: Int64, most: Int64) -> Float | None:
        """Return the best fractional counts of the pairs, None if the engine found none."""
        group = self.group
        linear = LinearModel()
        linear.add_columns(len(row), cost=-group.value[row], upper=most)
        for dimension in np.flatnonzero(group.need.any(axis=0)).tolist():
            need = group.need[row, dimension] / self.unit[dimension]
            linear.add_rows(len(self.room), agent, np.arange(len(row)), need,
                            upper=self.room[:, dimension] / self.unit[dimension])  # fmt: skip
        linear.add_rows(len(self.left), row, np.arange(len(row)), 1.0, upper=self.left)
        wanting = np.flatnonzero(self.least > 0)
        if len(wanting):
            missing = linear.add_columns(len(wanting), cost=MISSING * group.value[wanting])
            position = np.full(len(self.left), -1, np.int64)
            position[wanting] = np.arange(len(wanting))
            inside = np.flatnonzero(position[row] >= 0)
            linear.add_rows(len(wanting), np.r_[position[row[inside]], np.arange(len(wanting))],
                            np.r_[inside, missing], 1.0, lower=self.least[wanting])  # fmt: skip
        found = solve_linear(linear, seconds=self.until - time.monotonic(), seed=self.seed)
        return None if found.x is None else found.x[: len(row)]

    def _place(self, row: Int64, agent: Int64, count: Int64) -> bool:
        """Place whole counts, which fit together as far as floats do not mislead."""
        some = np.flatnonzero(count)
        row, agent, count = row[some], agent[some], count[some]
        taken = np.zeros_like(self.room)
        np.add.at(taken, agent, self.group.need[row] * count[:, None])
        over = np.bincount(row, weights=count, minlength=len(self.left)) > self.left
        if (taken > self.room).any() or over.any():
            return self._round_up(row, agent, len(row))
        self.room -= taken
        self.counts[row, agent] += count
        self._took(row, count)
        return bool(len(some))

    def _round_up(self, row: Int64, agent: Int64, number: int) -> bool:
        """Place one more of the first pairs that allow it."""
        done = 0
        for r, a in zip(row.tolist(), agent.tolist(), strict=True):
            if done >= number:
                break
            done += self._one(r, a)
        return done > 0

    def _one(self, row: int, agent: int) -> bool:
        dims = self.need[row]
        fits = (self.room[agent, dims] >= self.group.need[row, dims]).all()
        if not fits or self.left[row] <= 0 or self.counts[row, agent] >= self.group.most[row, agent]:
            return False
        self.room[agent] -= self.group.need[row]
        self.counts[row, agent] += 1
        self._took(np.array([row]), np.array([1]))
        return True

    def _took(self, row: Int64, count: Int64) -> None:
        np.subtract.at(self.left, row, count)
        np.subtract.at(self.least, row, count)
        np.maximum(self.least, 0, out=self.least)
