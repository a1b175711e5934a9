"""One deadline for a question of several steps: each gets its share, and what it leaves goes to the later ones."""

from __future__ import annotations

import time
from collections.abc import Mapping

LEAST = 0.1
"""Seconds that a step gets at least, however late it begins."""


class Clock:
    """A deadline dealt to steps.

    Parameters
    ----------
    seconds, shares
        Length of the whole, and the part of each step in order.
    fixed
        Time left over does not go on to later steps: budgets of work are derived from times and must not vary.
    """

    def __init__(self, seconds: float, shares: Mapping[str, float], *, fixed: bool) -> None:
        self.whole = seconds
        self.fixed = fixed
        self.until = time.monotonic() + seconds
        self.shares = shares
        self.left_steps = dict(shares)
        self.began = time.monotonic()
        self.spent: dict[str, float] = {}

    def left(self) -> float:
        """Return the seconds left."""
        return self.until - time.monotonic()

    def seconds(self, step: str, share: float = 1.0) -> float:
        """Return the seconds for a share of a step."""
        part = self.left() / sum(self.left_steps.values()) if not self.fixed else self.whole
        return max(LEAST, part * self.shares[step] * share)

    def done(self, step: str) -> None:
        """Note that a step is over."""
        self.left_steps.pop(step)
        self.spent[step] = time.monotonic() - self.began
        self.began = time.monotonic()
