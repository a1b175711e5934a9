"""Balanced rows of unlike demands: the best agent of every group at once, from agents laid out group by group.

For rows whose only rule is a strict balance over one grouping, with few instances for each group.
"""

from __future__ import annotations

import numpy as np

from solvers.greedy.kernel import EXACT_IN_32, Needs, Numbers, ranked
from solvers.greedy.run import Run
from solvers.greedy.traits import Spread
from solvers.rules import Bool, Int64

DEEP = 3
"""From so many instances for each group on, a row is better placed by ordering all agents once."""


def is_deep(run: Run, rows: Int64, spread: Spread) -> Bool:
    """Return for each row whether it wants many instances for each group."""
    return np.asarray(run.left[rows] >= DEEP * int(spread.relevant.sum()))


def place_balanced(run: Run, rows: Int64, spread: Spread) -> None:
    """Place rows of one mask that are each balanced over one grouping, in the order given."""
    if spread.relevant.any():
        Racks(run, int(rows[0]), spread).place(rows)


class Racks:
    """A copy of the allowed agents, laid out as groups x width and padded with agents that have nothing free."""

    def __init__(self, run: Run, row: int, spread: Spread) -> None:
        self.run = run
        matters = np.flatnonzero(spread.relevant)
        position = np.full(run.problem.group_count(spread.grouping) + 1, -1, np.int64)
        position[matters] = np.arange(len(matters))
        group = position[run.problem.groups(spread.grouping)]
        mask = run.mask(row)
        if mask is not None:
            group = np.where(mask, group, -1)
        self.agents = np.flatnonzero(group >= 0)
        self.agents = self.agents[np.argsort(group[self.agents], kind="stable")]
        self.sizes = np.bincount(group[self.agents], minlength=len(matters))
        self.width = max(int(self.sizes.max(initial=0)), 1)
        begins = np.cumsum(self.sizes) - self.sizes
        inside = np.arange(len(self.agents)) - np.repeat(begins, self.sizes)
        self.cell = np.repeat(np.arange(len(matters)), self.sizes) * self.width + inside
        cells = len(matters) * self.width
        padded = np.zeros(cells, np.int64)
        padded[self.cell] = self.agents
        self.real = np.zeros(cells, np.bool_)
        self.real[self.cell] = True
        self.view = run.room.part(padded)
        for free in self.view.free:
            free *= self.real.astype(free.dtype)
        self.view.reciprocal *= self.real
        self.padded = padded
        self.placed = np.zeros(cells, np.int64)
        self.first = np.arange(len(matters)) * self.width

    def place(self, rows: Int64) -> None:
        """Place rows in the order given, and give the agents back to the run."""
        for row in rows.tolist():
            self._place(row, int(self.run.left[row]))
        self._put_back()

    def _place(self, row: int, wanted: int) -> None:
        """Fix what each group takes, then go to its best agent, one instance at a time."""
        needs = self.run.needs(row)
        shares = self._shares(self._room(needs), wanted)
        taking = np.flatnonzero(shares)
        while len(taking):
            self._take(row, needs, self._best(needs, taking))
            shares[taking] -= 1
            taking = np.flatnonzero(shares)

    def _room(self, needs: Needs) -> Numbers:
        """Return how many instances each group has room for."""
        room = self.view.most(needs)
        if not needs:
            room = room * self.real
        by_group = room.reshape(len(self.first), self.width).sum(axis=1)
        # a float32 sum is exact below 2^24; where it is not, it is large enough for any share
        return by_group if by_group.max(initial=0) < EXACT_IN_32 else np.minimum(by_group, EXACT_IN_32 / 2)

    def _shares(self, most: Numbers, wanted: int) -> Int64:
        """Return int64[groups]: instances of each group, differing by one at most; groups with most room take more."""
        groups = len(self.first)
        floor = int(min(wanted // groups, most.min()))
        shares = np.full(groups, floor, np.int64)
        extra = min(wanted - floor * groups, groups)
        if extra:
            able = np.flatnonzero(most > floor)
            shares[able[ranked(most[able])[:extra]]] += 1
        return shares

    def _best(self, needs: Needs, groups: Int64) -> Int64:
        """Return the best cell of each of some groups, an instance fitting in every one of these."""
        first = self.first[groups]
        if 2 * len(groups) < len(self.first):
            cells = (first[:, None] + np.arange(self.width)).reshape(-1)
            view, real = self.view.part(cells), self.real[cells]
        else:
            view, real = self.view, self.real
        fits = view.fits(needs) if needs else real
        best = (self.run.score(view, needs) * fits).reshape(-1, self.width).argmax(axis=1)
        return first + (best if view is not self.view else best[groups])

    def _take(self, row: int, needs: Needs, cells: Int64) -> None:
        ones = np.ones(len(cells), np.int64)
        self.run.record(row, self.padded[cells], ones)
        self.run.room.take_in(self.view, needs, cells, ones)
        self.placed[cells] += 1

    def _put_back(self) -> None:
        room, view = self.run.room, self.view
        for own, other in zip(room.free, view.free, strict=True):
            own[self.agents] = other[self.cell]
        room.reciprocal[self.agents] = view.reciprocal[self.cell]
        room.opened[self.agents] = view.opened[self.cell]
        room.load[self.agents] += self.placed[self.cell]
