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

    def part(self, share: float) -> Part:
        """Return a part of what is left, which is used up while the whole is."""
        rounds = None if self.rounds is None else self.spent + int(share * max(0, self.rounds - self.spent))
        return Part(self, None if self.until is None else time.monotonic() + share * self.seconds(), rounds)

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


@dataclass(frozen=True)
class Part:
    """A part of a budget."""

    whole: Budget
    until: float | None
    rounds: int | None

    @property
    def over(self) -> bool:
        """Whether the part is used up."""
        late = self.until is not None and time.monotonic() >= self.until
        return late or (self.rounds is not None and self.whole.spent >= self.rounds)
