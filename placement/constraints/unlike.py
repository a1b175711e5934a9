"""UNLIKE: the agent's value does not match a pattern in full.

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
class Unlike(AgentRule):
    """Only agents whose value of `field` does not match `pattern` in full; agents without a value are allowed."""

    pattern: Pattern
    operator: ClassVar[str] = "UNLIKE"

    def __post_init__(self) -> None:
        require_field(self.field, self.operator)

    @property
    def value_text(self) -> str:
        """The pattern as written."""
        return self.pattern.text

    def sentence(self) -> str:
        """Say the rule in words."""
        return f"{self.field} does not match {self.pattern.text}"

    def mask(self, scene: Scene) -> Bool:
        """Return the agents whose value does not match, and those without one.

        An empty pattern is a defect of Marathon's: it never holds on an agent that has the attribute.
        """
        column = scene.cluster.column(self.field)
        if not self.pattern.text:
            return column.codes < 0
        allowed = np.array([*(not match for match in self.pattern.matches(column.values)), True], bool)
        return allowed[column.codes]

    def judge(self, view: View) -> Iterator[Breach]:
        """Yield the new instances on agents whose value matches; an empty pattern refuses every value."""

        def allowed(facts: Facts) -> bool:
            value = facts.value(self.field)
            return value is None or (self.pattern.text != "" and not matches(self.pattern.translated, value))

        yield from not_allowed(view, allowed, self.sentence())
