"""CLUSTER: all instances of the job on one value of the field, either a named one or whichever the first takes.

Source: mesosphere/marathon, Constraints.scala. Marathon looks at the first known instance only; here all must be equal
(where they are not, no value is allowed, since no value is shared).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from placement.constraints.base import AgentRule, Bool, Constraint, Scene, Scope, require_field


@dataclass(frozen=True)
class OneValue(Constraint):
    """CLUSTER without a value: all instances on one value of `field`, whichever it is."""

    operator: ClassVar[str] = "CLUSTER"

    def __post_init__(self) -> None:
        require_field(self.field, self.operator)

    def sentence(self) -> str:
        """Say the rule in words."""
        return f"all instances on one {self.field}"

    def mask(self, scene: Scene) -> Bool:
        """Return the agents whose value is that of every known instance; any value while there is none."""
        column = scene.cluster.column(self.field)
        used = np.unique(column.lookup(scene.known))
        if len(used) == 0:
            return column.codes >= 0
        return (column.codes >= 0) & (column.codes == used[0]) if len(used) == 1 else np.zeros(len(column.codes), bool)

    def compile(self, scope: Scope) -> None:
        """Ask for one value; known instances fix which."""
        if len(scope.scene.known):
            scope.allow(self.mask(scope.scene))
        else:
            scope.one_value(self.field)


@dataclass(frozen=True)
class ClusterValue(AgentRule):
    """CLUSTER with a value: only agents whose printed value is exactly `value` (`1.0` is not the scalar 1)."""

    value: str
    operator: ClassVar[str] = "CLUSTER"

    def __post_init__(self) -> None:
        require_field(self.field, self.operator)

    @property
    def value_text(self) -> str:
        """The value."""
        return self.value

    def sentence(self) -> str:
        """Say the rule in words."""
        return f"{self.field} is {self.value}"

    def mask(self, scene: Scene) -> Bool:
        """Return the agents with that value."""
        column = scene.cluster.column(self.field)
        code = column.code(self.value)
        return (column.codes == code) & (code >= 0)
