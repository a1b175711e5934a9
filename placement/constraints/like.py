"""LIKE: the agent's value matches a pattern in full.

Source: mesosphere/marathon, Constraints.scala (Java patterns, full match).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from placement.constraints.base import AgentRule, Bool, Scene, require_field
from placement.patterns import Pattern


@dataclass(frozen=True)
class Like(AgentRule):
    """Only agents whose value of `field` matches `pattern` in full; agents without a value never do."""

    pattern: Pattern
    operator: ClassVar[str] = "LIKE"

    def __post_init__(self) -> None:
        require_field(self.field, self.operator)

    @property
    def value_text(self) -> str:
        """The pattern as written."""
        return self.pattern.text

    def sentence(self) -> str:
        """Say the rule in words."""
        return f"{self.field} matches {self.pattern.text}"

    def mask(self, scene: Scene) -> Bool:
        """Return the agents whose value matches."""
        column = scene.cluster.column(self.field)
        matching = np.array([*self.pattern.matches(column.values), False], bool)
        return matching[column.codes]
