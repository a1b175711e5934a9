"""CLUSTER: all instances of the job on one value of the field, either a named one or whichever the first takes.

Source: mesosphere/marathon, Constraints.scala. Marathon looks at the first known instance only; here all must be equal
(where they are not, no value is allowed, since no value is shared).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from placement.constraints.base import AgentRule, Bool, Breach, Constraint, Scene, Scope, View, require_field
from placement.constraints.judging import by_value, new_by_value, not_allowed, number, without_value


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

    def judge(self, view: View) -> Iterator[Breach]:
        """Yield the new instances on another value than the one that most are on, or that the running ones share."""
        before = by_value(view.running, self.field)
        if before:
            shared = next(iter(before)) if len(before) == 1 else None
            told = f"on the {self.field} of those that run"
            yield from not_allowed(view, lambda facts: shared is not None and facts.value(self.field) == shared, told)
            return
        yield from without_value(view, self.field)
        new = new_by_value(view, self.field)
        count = new.total() - max(new.values(), default=0)
        if count:
            yield Breach(count, f"{number(new.total())} on {number(len(new), 'value')} of {self.field}, one is allowed")


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
        return np.asarray((column.codes == code) & (code >= 0))

    def judge(self, view: View) -> Iterator[Breach]:
        """Yield the new instances on agents with another value, or none."""
        yield from not_allowed(view, lambda facts: facts.value(self.field) == self.value, self.sentence())
