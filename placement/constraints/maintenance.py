"""Maintenance: agents in, or shortly before, their unavailability window take no new instance.

Source: mesosphere/marathon, Availability.scala.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from placement.constraints.base import AgentRule, Bool, Breach, Facts, Scene, View
from placement.constraints.judging import not_allowed


@dataclass(frozen=True)
class Maintenance(AgentRule):
    """No agent at time t with `t > start - draining_seconds` unless its window has ended (`t > start + length`)."""

    field: str = ""
    draining_seconds: float = 0.0
    operator: ClassVar[str] = "MAINTENANCE"
    reason: ClassVar[str] = "AgentMaintenance"

    def __str__(self) -> str:
        return self.operator

    def sentence(self) -> str:
        """Say the rule in words."""
        return "not in maintenance"

    def mask(self, scene: Scene) -> Bool:
        """Return the agents available at the moment of the snapshot (all, when that is unknown)."""
        now = scene.cluster.now
        if now is None:
            return np.ones(len(scene.cluster), bool)
        start, length = scene.cluster.unavailable_from, scene.cluster.unavailable_for
        return ~((now > start - self.draining_seconds) & ~(now > start + length))

    def judge(self, view: View) -> Iterator[Breach]:
        """Yield the new instances on agents whose window, or the time to drain before it, holds the present moment."""

        def allowed(facts: Facts) -> bool:
            if view.now is None or facts.window is None:
                return True
            start, length = facts.window
            begun = view.now > start - self.draining_seconds
            return not begun or (length is not None and view.now > start + length)

        yield from not_allowed(view, allowed, self.sentence())
