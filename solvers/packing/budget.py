"""How long packing may go on: a moment on the wall clock, one on the CPU clock, or an amount of work.

Work is counted in elementary steps (table entries, partial patterns times dimensions, simplex iterations times rows),
so it is the same in every run; clocks are not.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

STEPS_A_SECOND = 30_000_000
"""Steps that take about a second in compiled loops; turns CP-SAT's deterministic seconds into steps and back."""


@dataclass
class Meter:
    """The limits of one run and the steps done in it.

    Attributes
    ----------
    until, cpu_until
        Moments on `time.monotonic()` and `time.process_time()`; None: no such limit.
    work
        Steps allowed; None: no such limit.
    done
        Steps done.
    """

    until: float | None = None
    cpu_until: float | None = None
    work: int | None = None
    done: int = 0

    def left(self) -> float:
        """Return about how many seconds are left, infinity without a limit."""
        steps = math.inf if self.work is None else (self.work - self.done) / STEPS_A_SECOND
        return min(self.left_by_clock(), steps)

    def left_by_clock(self) -> float:
        """Return how many seconds the clocks leave, infinity without one."""
        wall = math.inf if self.until is None else self.until - time.monotonic()
        cpu = math.inf if self.cpu_until is None else self.cpu_until - time.process_time()
        return min(wall, cpu)


@dataclass(frozen=True)
class Budget:
    """A run's meter, of which the last `keep` seconds are for others."""

    meter: Meter
    keep: float = 0.0

    def spend(self, steps: float) -> None:
        """Count steps as done."""
        self.meter.done += int(steps)

    def left(self) -> float:
        """Return about how many seconds are left, infinity without a limit."""
        left = self.meter.left()
        return left if math.isinf(left) else left - self.keep

    @property
    def over(self) -> bool:
        """Whether nothing is left."""
        return self.left() <= 0

    @property
    def by_clock(self) -> bool:
        """Whether a clock, not the work, has ended the search."""
        return self.meter.left_by_clock() <= self.keep

    @property
    def deterministic(self) -> bool:
        """Whether only work is limited, so that no clock may decide anything."""
        return self.meter.until is None and self.meter.cpu_until is None

    def part(self, share: float) -> Budget:
        """Return a budget for a share of what is left now."""
        left = self.left()
        return self if math.isinf(left) else Budget(self.meter, self.keep + (1 - share) * max(left, 0.0))
