"""UNIQUE: no two instances of the job share a value of the field.

Source: mesosphere/marathon, Constraints.scala.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from placement.constraints.base import Bool, Breach, Constraint, Scene, Scope, View, counts_of, require_field
from placement.constraints.judging import above_cap, without_value


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
        return np.asarray((column.codes >= 0) & (taken[column.codes] == 0))

    def compile(self, scope: Scope) -> None:
        """Cap every value at one instance."""
        scope.cap(self.field, 1)

    def judge(self, view: View) -> Iterator[Breach]:
        """Yield the new instances whose value another instance has."""
        yield from without_value(view, self.field)
        yield from above_cap(view, self.field, 1)
