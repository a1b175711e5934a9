"""LIKE: the agent's value matches a pattern in full.

Source: mesosphere/marathon, Constraints.scala (Java patterns, full match).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from placement.constraints.base import AgentRule, Bool, Breach, Facts, Scene, View, require_field
from placement.constraints.judging import matches, not_allowed
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
        """Return the agents whose value matches; an empty pattern is a defect of Marathon's: it never holds."""
        column = scene.cluster.column(self.field)
        matching = np.array([*self.pattern.matches(column.values), False], bool)
        return matching[column.codes] if self.pattern.text else np.zeros(len(column.codes), np.bool_)

    def judge(self, view: View) -> Iterator[Breach]:
        """Yield the new instances on agents whose value does not match; an empty pattern matches none."""

        def allowed(facts: Facts) -> bool:
            value = facts.value(self.field)
            return value is not None and self.pattern.text != "" and matches(self.pattern.translated, value)

        yield from not_allowed(view, allowed, self.sentence())
