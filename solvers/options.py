"""How a solver is asked to work: time, seed, workers, and somebody to tell of progress."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from solvers.problem import Assignment


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of one solve.

    Attributes
    ----------
    until
        Moment on `time.monotonic()` by which the answer must be there; None: no limit.
    seconds
        Seconds asked for in all; budgets of work are derived from it, since the time left is never twice the same.
    seed
        Seed of every random choice.
    workers
        Threads or processes that may be used.
    deterministic
        Same answer for the same seed whatever `workers` is: budgets are counted in work, not in seconds.
    progress
        Called with each better answer and a word on where it came from.
    """

    until: float | None = None
    seconds: float = 10.0
    seed: int = 0
    workers: int = 1
    deterministic: bool = False
    progress: Callable[[Assignment, str], None] | None = None

    def left(self) -> float:
        """Return the seconds left, infinity without a limit."""
        return float("inf") if self.until is None else self.until - time.monotonic()

    def part(self, share: float) -> Options:
        """Return options with a share of the seconds: of those left by the clock, or of those asked for as a budget of work.

        With determinism only the budget shrinks; the clock stays what ends the whole search.
        """
        if self.deterministic:
            return replace(self, seconds=self.seconds * share)
        left = self.left()
        return self if left == float("inf") else replace(self, until=time.monotonic() + max(0.0, share * left))
