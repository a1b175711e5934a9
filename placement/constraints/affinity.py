"""AFFINITY: instances only where another job has one, on the same value of the field.

Asked for by Marathon's users for long (`rack:AFFINITY:/db`); Marathon itself has no such rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from placement.constraints.base import Bool, Breach, Constraint, Scene, Scope, View, counts_of, require_field
from placement.constraints.judging import earliest, number, out_of_turn, without_value
from placement.errors import InputError


@dataclass(frozen=True)
class Affinity(Constraint):
    """Only on values of `field` where job `other` runs or is placed in the same answer."""

    other: str
    operator: ClassVar[str] = "AFFINITY"

    def __post_init__(self) -> None:
        require_field(self.field, self.operator)
        if not self.other:
            raise InputError("AFFINITY names no job", expected="FIELD:AFFINITY:JOB")

    @property
    def value_text(self) -> str:
        """The other job's id."""
        return self.other

    def sentence(self) -> str:
        """Say the rule in words."""
        return f"only on a {self.field} where {self.other} has an instance"

    def mask(self, scene: Scene) -> Bool:
        """Return the agents whose value the other job has an instance on."""
        column = scene.cluster.column(self.field)
        there = counts_of(column.lookup(scene.known_of(self.other)), len(column.values) + 1)
        return (column.codes >= 0) & (there[column.codes] > 0)

    def compile(self, scope: Scope) -> None:
        """Require the other job."""
        scope.require(self.field, self.other)

    def judge(self, view: View) -> Iterator[Breach]:
        """Yield the new instances on values where the other job has none; in order: has none yet."""
        yield from without_value(view, self.field)
        since = earliest(view, self.other, self.field)
        values = [facts.value(self.field) for facts in view.placed]
        alone = sum(1 for value in values if value is not None and value not in since)
        if alone:
            yield Breach(alone, f"{number(alone)} on a {self.field} where {self.other} has none")
        elif view.ordered:
            turns = zip(view.positions, values, strict=True)
            early = sum(1 for position, value in turns if value is not None and since[value] > position)
            if early:
                yield out_of_turn(early, self.sentence())
