"""How long a search for a purchase may go on: until a moment, or for so many rounds of pricing."""

from __future__ import annotations

import time
from dataclasses import dataclass

SELECTION_NODES = 2_000
"""Nodes of one selection programme where the clock may not decide; with some hundred variables a matter of seconds."""


@dataclass
class Budget:
    """Counts rounds of pricing; with `rounds` given, nothing but `until` depends on the clock.

    Attributes
    ----------
    until
        Moment on `time.monotonic()`.
    rounds
        Most rounds of pricing.
    spent
        Rounds so far.
    """

    until: float | None = None
    rounds: int | None = None
    spent: int = 0

    def spend(self) -> None:
        """Count one round."""
        self.spent += 1

    @property
    def over(self) -> bool:
        """Whether the search must end."""
        return self.late or (self.rounds is not None and self.spent >= self.rounds)

    @property
    def late(self) -> bool:
        """Whether the clock ends the search."""
        return self.seconds() <= 0

    def seconds(self) -> float:
        """Return the seconds left, infinity without a moment to end at."""
        return float("inf") if self.until is None else self.until - time.monotonic()

    @property
    def nodes(self) -> int | None:
        """Most nodes of one selection programme; None: the clock limits it."""
        return SELECTION_NODES if self.rounds is not None or self.until is None else None
