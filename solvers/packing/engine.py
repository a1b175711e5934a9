"""The story of a packing: bounds by sums, greedy, full patterns, column generation, dives, the restricted cover.

Each step ends when the bins used are the bins proved to be needed, or the budget is over.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from solvers.packing import greedy
from solvers.packing.bins import BY_SUMS, Bins, Packing
from solvers.packing.budget import Budget, Meter
from solvers.packing.closing import Closing, Listed
from solvers.packing.compiled import AVAILABLE
from solvers.packing.dives import STYLES, Style, dive
from solvers.packing.full import full_patterns
from solvers.packing.generation import Generation
from solvers.packing.pool import Pool
from solvers.packing.pricing import Pricer
from solvers.packing.restricted import exact_cover, fewest
from solvers.rules import Int64

Progress = Callable[[Packing, str], None]
FULL_SHARE = 0.5
"""Part of the time for the exact cover over full patterns."""
ROOT_SHARE = 0.35
"""Part of the time left for column generation before it gives way to dives."""
COVER_SHARE = 0.2
"""Part of the time left for one restricted cover."""
MOST_COLUMNS = 6000
"""Columns of least reduced cost in a restricted cover: CP-SAT takes seconds to read more."""
COVERS_AFTER = (2, 6, 12)
"""Dives after which the restricted cover is tried; then after every so many as the last says."""
CLOSING_SHARE = 0.5
"""Part of the time left for the proof that one bin less is impossible, by cuts and then by an exact cover."""
MOST_LISTED = 1_000_000
"""Patterns that are listed for that: some 100 MB."""
MOST_COVERED = 30_000
"""Patterns over which an exact cover is tried."""
PATIENCE = 64
"""Dives without a gain after which the search ends, where no budget ends it before."""
BY_COLUMNS = "column generation, duals rounded to integers"
BY_CUTS = "all patterns of small reduced cost with subset-row cuts, duals rounded to integers"
BY_LISTED = "exact cover over all patterns of small reduced cost (CP-SAT)"
BY_FULL = "exact cover over all full patterns (CP-SAT)"


def pack_bins(
    size: Int64,
    demand: Int64,
    capacity: Int64,
    most: Int64,
    *,
    seed: int = 0,
    until: float | None = None,
    cpu_until: float | None = None,
    work: int | None = None,
    progress: Progress | None = None,
    fast: bool = True,
) -> Packing:
    """Pack all instances into few equal bins and prove how few are needed.

    Parameters
    ----------
    size
        int64[n, D]: what one instance of each type takes; negative sizes make room for others, which only costs the bound.
    demand
        int64[n] >= 0: instances of each type.
    capacity
        int64[D] >= 0: what every bin has.
    most
        int64[n] >= 0: most instances of a type in one bin.
    seed
        Of every random choice.
    until, cpu_until
        Moments on `time.monotonic()` and `time.process_time()` at which to stop; None: no such limit.
    work
        Steps (`solvers.packing.budget`) after which to stop; with this alone equal calls give equal answers.
    progress
        Called with each better packing or bound and a word on where it came from.
    fast
        Use compiled loops where they can be had; the answer does not depend on it, unless a clock decides.

    Raises
    ------
    ValueError
        If an instance does not fit into a bin by itself.
    """
    bins = Bins.of(*(np.asarray(array, np.int64) for array in (size, demand, capacity, most)))
    budget = Budget(Meter(until, cpu_until, work))
    search = _Search(bins, budget, seed, progress, fast=fast and AVAILABLE)
    search.run()
    return search.answer()


class _Search:
    """One run: the best packing so far, the bound so far, and the steps that improve them."""

    def __init__(self, bins: Bins, budget: Budget, seed: int, progress: Progress | None, *, fast: bool) -> None:
        self.bins, self.budget, self.seed, self.progress, self.fast = bins, budget, seed, progress, fast
        self.random = np.random.default_rng(seed)
        self.pool = Pool(bins)
        self.rows = np.eye(bins.types, dtype=np.int64).repeat(bins.demand, axis=0)
        self.bound, self.engine = bins.by_sums, BY_SUMS
        self.tried = 0

    def run(self) -> None:
        """Go through the steps until one closes the gap or the budget is over."""
        for step in (self._greedy, self._full, self._columns):
            if not self.finished:
                step()

    @property
    def finished(self) -> bool:
        """Whether the best packing is proved to be best, or nothing may be spent any more."""
        return len(self.rows) == self.bound or self.budget.over

    def answer(self) -> Packing:
        """Return the best packing with what is proved."""
        patterns, times = np.unique(self.rows, axis=0, return_counts=True)
        cut_short = len(self.rows) > self.bound and self.budget.by_clock
        return Packing(patterns, times.astype(np.int64), self.bound, self.engine, cut_short)

    def _greedy(self) -> None:
        for rows in greedy.packings(self.bins):
            self.pool.add_rows(rows)
            self.budget.spend(rows.size)
            self._offer(rows, "greedy")
            if self.finished:
                return

    def _full(self) -> None:
        if not self.bins.without_slack or (patterns := full_patterns(self.bins)) is None:
            return
        pool = Pool(self.bins)
        for pattern in patterns:
            pool.add(pattern)
        kinds = np.flatnonzero(self.bins.demand)
        chosen, impossible = exact_cover(pool, kinds, self.bound, self.seed, self.budget.part(FULL_SHARE))
        if chosen is not None:
            self._offer(pool.dense(chosen), "exact cover over full patterns")
        if impossible:
            self._prove(self.bound + 1, BY_FULL)

    def _columns(self) -> None:
        """Alternate column generation, while it has not converged, with dives and restricted covers."""
        self.pool.add_rows(np.eye(self.bins.types, dtype=np.int64)[self.bins.demand > 0])
        generation = Generation(self.bins, self.pool, Pricer(self.bins, fast=self.fast), self.bound)
        dives = idle = 0
        while not self.finished and idle < PATIENCE:
            generation.run(len(self.rows), self.budget.part(ROOT_SHARE))
            self._prove(generation.bound, BY_COLUMNS)
            for style in STYLES:
                if self.finished:
                    return
                before = len(self.rows)
                self._dive(generation, style)
                dives += 1
                if dives in COVERS_AFTER or dives % COVERS_AFTER[-1] == 0:
                    self._cover(generation)
                idle = 0 if len(self.rows) < before else idle + 1
            if generation.converged:
                self._close(generation)

    def _close(self, generation: Generation) -> None:
        """Try one bin less with all patterns that it may use: an exact cover proves that there is none, or is one."""
        fewer = len(self.rows) - 1
        if self.finished or fewer == self.tried:
            return
        self.tried = fewer
        listed = generation.all_within(fewer, MOST_LISTED, self.budget.part(CLOSING_SHARE))
        if self.finished or listed is None:
            return
        closing = Closing(Listed.of(listed[0]), self.bins.demand, listed[1], fewer)
        closing.run(self.budget.part(CLOSING_SHARE))
        if closing.impossible:
            self._prove(fewer + 1, BY_CUTS)
        elif len(closing.listed) <= MOST_COVERED:
            self._cover_exactly(closing, fewer)

    def _cover_exactly(self, closing: Closing, fewer: int) -> None:
        pool = Pool(self.bins)
        for number in range(len(closing.listed)):
            pool.add(closing.listed.pattern(number))
        chosen, impossible = exact_cover(pool, closing.kinds, fewer, self.seed, self.budget.part(CLOSING_SHARE))
        if chosen is not None and (pool.dense(chosen).sum(axis=0) >= self.bins.demand).all():
            self._offer(pool.dense(chosen), "exact cover over the patterns within the gap")
        if impossible:
            self._prove(fewer + 1, BY_LISTED)

    def _dive(self, generation: Generation, style: Style) -> None:
        chosen = dive(generation, style, len(self.rows), self.budget, self.random)
        if chosen is not None:
            self._offer(self.pool.dense(chosen), "dive")

    def _cover(self, generation: Generation) -> None:
        if self.finished or generation.relaxed is None:
            return
        reduced = 1 - self.pool.worth(generation.relaxed.dual)
        numbers = np.sort(np.argsort(reduced, kind="stable")[:MOST_COLUMNS])
        chosen = fewest(
            self.pool, numbers, self.bins.demand, self.bound, len(self.rows), self.seed, self.budget.part(COVER_SHARE)
        )
        if chosen is not None:
            self._offer(self.pool.dense(chosen), "restricted cover")

    def _offer(self, rows: Int64, source: str) -> None:
        """Take bins that hold at least the demand, cut down to it, if they are fewer."""
        held = np.cumsum(rows, axis=0)
        before = np.minimum(held - rows, self.bins.demand)
        rows = np.minimum(held, self.bins.demand) - before
        rows = rows[rows.any(axis=1)]
        if len(rows) < len(self.rows):
            self.rows = rows
            self._tell(source)

    def _prove(self, bound: int, engine: str) -> None:
        if bound > self.bound:
            self.bound, self.engine = bound, engine
            self._tell(engine)

    def _tell(self, source: str) -> None:
        if self.progress is not None:
            self.progress(self.answer(), source)
