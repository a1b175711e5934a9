"""MAX_PER: at most so many instances of the job on one value of the field.

Source: mesosphere/marathon, Constraints.scala.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from placement.constraints.base import Bool, Breach, Constraint, Scene, Scope, View, counts_of, require_field
from placement.constraints.judging import above_cap, without_value


@dataclass(frozen=True)
class MaxPer(Constraint):
    """At most `limit` instances on one value of `field`; a limit below 1 acts like 1, as in Marathon."""

    limit: int
    operator: ClassVar[str] = "MAX_PER"

    def __post_init__(self) -> None:
        require_field(self.field, self.operator)

    @property
    def value_text(self) -> str:
        """The limit as text."""
        return str(self.limit)

    def sentence(self) -> str:
        """Say the rule in words."""
        return f"at most {max(1, self.limit)} instances on one {self.field}"

    def mask(self, scene: Scene) -> Bool:
        """Return the agents whose value has fewer known instances than the limit."""
        column = scene.cluster.column(self.field)
        taken = counts_of(column.lookup(scene.known), len(column.values) + 1)
        return (column.codes >= 0) & (taken[column.codes] < max(1, self.limit))

    def compile(self, scope: Scope) -> None:
        """Cap every value at the limit."""
        scope.cap(self.field, max(1, self.limit))

    def judge(self, view: View) -> Iterator[Breach]:
        """Yield the new instances beyond the limit of their value."""
        yield from without_value(view, self.field)
        yield from above_cap(view, self.field, self.limit if self.limit > 0 else 1)

    def loosened(self) -> MaxPer:
        """Return the rule with one more instance on each value."""
        return MaxPer(self.field, max(1, self.limit) + 1)
