"""Balanced rows of unlike demands: the best agent of every group at once, from agents laid out group by group.

For rows whose only rule is a strict balance over one grouping, with few instances for each group; the others go through
`shapes`.
"""

from __future__ import annotations

import numpy as np

from solvers.greedy.kernel import Needs, Numbers, View
from solvers.greedy.run import Run
from solvers.greedy.shapes import place_shape
from solvers.greedy.traits import Mode
from solvers.rules import Bool, Int64

DEEP = 3
"""From so many instances for each group on, a row is placed by ordering all agents once."""


def place_balanced(run: Run, rows: Int64, mode: Mode) -> None:
    """Place rows of one mask that are each balanced over one grouping, in the order given."""
    assert mode.relevant is not None
    groups = int(mode.relevant.sum())
    if not groups:
        return
    deep = run.left[rows] >= DEEP * groups
    starts = np.flatnonzero(deep[1:] | deep[:-1]) + 1
    for some in np.split(rows, starts):
        if len(some) == 1:
            place_shape(run, some, mode)
        else:
            Racks(run, int(some[0]), mode).place(some)


class Racks:
    """A copy of the allowed agents, laid out as groups x width and padded with agents that have nothing free."""

    def __init__(self, run: Run, row: int, mode: Mode) -> None:
        assert mode.relevant is not None and mode.grouping is not None
        self.run = run
        matters = np.flatnonzero(mode.relevant)
        position = np.full(run.problem.group_count(mode.grouping) + 1, -1, np.int64)
        position[matters] = np.arange(len(matters))
        group = position[run.problem.groups(mode.grouping)]
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
        self.sums = [free.reshape(len(matters), -1).sum(axis=1, dtype=np.float64) for free in self.view.free]
        self.first = np.arange(len(matters)) * self.width

    def place(self, rows: Int64) -> None:
        """Place rows in the order given, and give the agents back to the run."""
        for row in rows.tolist():
            self._place(row, int(self.run.left[row]))
        self._put_back()

    def _place(self, row: int, wanted: int) -> None:
        needs, groups = self.run.needs(row), len(self.first)
        while wanted:
            best, able = self._best(needs)
            if wanted >= groups and able.all():
                chosen = best
            else:
                chosen = best[self._roomiest(needs, able, min(wanted, groups))]
            self._take(row, needs, chosen)
            wanted -= len(chosen)
            if len(chosen) < groups:
                return

    def _best(self, needs: Needs) -> tuple[Int64, Bool]:
        """Return the best cell of each group, and in which groups an instance fits."""
        fits: Bool = self.view.fits(needs)
        if not needs:
            fits &= self.real
        score: Numbers = self.run.score(self.view, needs) * fits
        best = self.first + score.reshape(len(self.first), self.width).argmax(axis=1)
        return best, score[best] > 0

    def _roomiest(self, needs: Needs, able: Bool, count: int) -> Int64:
        """Return the `count` groups with most room among those where an instance fits (all of them if fewer)."""
        found = np.flatnonzero(able)
        if len(found) <= count:
            return found
        room = np.full(len(found), np.inf)
        for d, need in needs:
            np.minimum(room, self.sums[d][found] / need, out=room)
        return found[np.argsort(-room, kind="stable")[:count]]

    def _take(self, row: int, needs: Needs, cells: Int64) -> None:
        if not len(cells):
            return
        ones = np.ones(len(cells), np.int64)
        self.run.record(row, self.padded[cells], ones)
        self.run.room.take_in(self.view, needs, cells, ones)
        self.placed[cells] += 1
        groups = cells // self.width
        for d, need in needs:
            self.sums[d][groups] -= need

    def _put_back(self) -> None:
        room, view = self.run.room, self.view
        for own, other in zip(room.free, view.free, strict=True):
            own[self.agents] = other[self.cell]
        room.reciprocal[self.agents] = view.reciprocal[self.cell]
        room.opened[self.agents] = view.opened[self.cell]
        room.load[self.agents] += self.placed[self.cell]
