"""ANTI_AFFINITY: at most so many instances where another job has one, on the same value of the field.

Asked for by Marathon's users for long (`rack:ANTI_AFFINITY:/db:1`); Marathon itself has no such rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from placement.constraints.base import Bool, Breach, Constraint, Scene, Scope, View, counts_of, require_field
from placement.constraints.judging import by_value, earliest, new_by_value, number, out_of_turn
from placement.errors import InputError


@dataclass(frozen=True)
class AntiAffinity(Constraint):
    """At most `limit` instances on a value of `field` where job `other` has one.

    It binds this job only; for a rule that holds both ways both jobs state it.
    """

    other: str
    limit: int = 0
    operator: ClassVar[str] = "ANTI_AFFINITY"

    def __post_init__(self) -> None:
        require_field(self.field, self.operator)
        if not self.other:
            raise InputError("ANTI_AFFINITY names no job", expected="FIELD:ANTI_AFFINITY:JOB or ...:JOB:NUMBER")
        if self.limit < 0:
            raise InputError("ANTI_AFFINITY has a negative number", value=self.limit, expected="0 or more")

    @property
    def value_text(self) -> str:
        """The other job's id, and the number unless it is 0."""
        return f"{self.other}:{self.limit}" if self.limit else self.other

    def sentence(self) -> str:
        """Say the rule in words."""
        most = f"at most {self.limit} instances" if self.limit else "none"
        return f"{most} on a {self.field} where {self.other} has an instance"

    def mask(self, scene: Scene) -> Bool:
        """Return the agents whose value the other job is not on, or where this job is below its limit."""
        column = scene.cluster.column(self.field)
        there = counts_of(column.lookup(scene.known_of(self.other)), len(column.values) + 1)
        here = counts_of(column.lookup(scene.known), len(column.values) + 1)
        return (column.codes < 0) | (there[column.codes] == 0) | (here[column.codes] < self.limit)

    def compile(self, scope: Scope) -> None:
        """Exclude the other job."""
        scope.exclude(self.field, self.other, self.limit)

    def judge(self, view: View) -> Iterator[Breach]:
        """Yield the new instances beyond the limit where the other job is, and those of the other that come too close.

        Where more than the limit run already, no new instance of either job may join the other.
        """
        before, new = by_value(view.running, self.field), new_by_value(view, self.field)
        running, placed = view.others(self.other)
        there = by_value(running, self.field)
        coming = by_value([facts for _, facts in placed], self.field)
        held = True
        for value in sorted({*new, *(one for one in coming if one is not None)}):
            if not there[value] and not coming[value]:
                continue
            count = max(0, min(new[value], before[value] + new[value] - self.limit))
            count += coming[value] if before[value] > self.limit else 0
            if count:
                held = False
                total = number(before[value] + new[value])
                yield Breach(count, f"{total} on {self.field} {value} where {self.other} is, {self.limit} allowed")
        if held and view.ordered:
            yield from self._judge_turns(view, before)

    def _judge_turns(self, view: View, counts: Counter[str | None]) -> Iterator[Breach]:
        """Yield the instances that came to the other job's value when the limit was reached there."""
        since, late = earliest(view, self.other, self.field), 0
        for position, facts in zip(view.positions, view.placed, strict=True):
            value = facts.value(self.field)
            if value is None:
                continue
            late += since.get(value, position) < position and counts[value] >= self.limit
            counts[value] += 1
        if late:
            yield out_of_turn(late, self.sentence())

    def loosened(self) -> AntiAffinity:
        """Return the rule with one instance more beside the other job."""
        return AntiAffinity(self.field, self.other, self.limit + 1)
