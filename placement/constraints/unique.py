"""UNIQUE: no two instances of the job share a value of the field.

Source: mesosphere/marathon, Constraints.scala.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from placement.constraints.base import Bool, Constraint, Scene, Scope, counts_of, require_field


@dataclass(frozen=True)
class Unique(Constraint):
    """No two instances on one value of `field`; agents without a value take none."""

    operator: ClassVar[str] = "UNIQUE"

    def __post_init__(self) -> None:
        require_field(self.field, self.operator)

    def sentence(self) -> str:
        """Say the rule in words."""
        return f"every instance on another {self.field}"

    def mask(self, scene: Scene) -> Bool:
        """Return the agents whose value no known instance has."""
        column = scene.cluster.column(self.field)
        taken = counts_of(column.lookup(scene.known), len(column.values) + 1)
        return (column.codes >= 0) & (taken[column.codes] == 0)

    def compile(self, scope: Scope) -> None:
        """Cap every value at one instance."""
        scope.cap(self.field, 1)
