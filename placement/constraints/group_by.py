"""GROUP_BY: spread the instances of the job over the values of the field; both generations of Marathon's rule.

Source: mesosphere/marathon, Constraints.scala: `quota` is the rule since commit ddd6b19b1 (October 2020, in no tagged
release), `classic` the one of all tagged releases. Without a number only `classic` is a rule (quota divides by zero).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from placement.constraints.base import Bool, Breach, Constraint, Scene, Scope, View, counts_of, require_field
from placement.constraints.judging import by_value, number, out_of_turn, without_value
from placement.constraints.judging_groups import Groups, Levels, Shares

Generation = Literal["quota", "classic"]


@dataclass(frozen=True)
class GroupBy(Constraint):
    """Spread over values of `field`.

    Attributes
    ----------
    count
        Number of values: in `quota` exactly so many at most, each with its share of the job's instances; in `classic`
        at least so many. None (always `classic`): all values that matter.
    generation
        'quota' or 'classic'.
    """

    count: int | None = None
    generation: Generation = "quota"
    operator: ClassVar[str] = "GROUP_BY"

    def __post_init__(self) -> None:
        require_field(self.field, self.operator)
        if self.count is not None and self.count <= 0:
            object.__setattr__(self, "count", None)
        if self.count is None:
            object.__setattr__(self, "generation", "classic")

    @property
    def value_text(self) -> str | None:
        """The number as text, None without one."""
        return None if self.count is None else str(self.count)

    def sentence(self) -> str:
        """Say the rule in words."""
        if self.count is None:
            return f"evenly over every {self.field}"
        if self.generation == "classic":
            return f"evenly over at least {self.count} values of {self.field}"
        return f"in equal shares on {self.count} values of {self.field}"

    def mask(self, scene: Scene) -> Bool:
        """Return the agents on which one further instance may go, as the generation's step rule says."""
        column = scene.cluster.column(self.field)
        codes = column.lookup(scene.known)
        counts = counts_of(codes, len(column.values) + 1)
        here = counts[column.codes]
        absent = int((codes < 0).sum())
        used = np.append(counts[counts > 0], absent) if absent else counts[counts > 0]
        if self.generation == "classic":
            grows = (len(used) >= (self.count or 0)) & (here == used.min(initial=np.iinfo(np.int64).max))
            return (column.codes >= 0) & ((here == 0) | grows)
        groups, each, extra = self._share(scene.job.instances)
        spent = int(np.maximum(used - each, 0).sum())
        grows = (here < each) | ((here == each) & (extra - spent > 0))
        return (column.codes >= 0) & np.where(here == 0, len(used) < groups, grows)

    def compile(self, scope: Scope) -> None:
        """Ask for shares (quota) or for a balance (classic)."""
        if self.generation == "quota":
            scope.quota(self.field, *self._share(scope.scene.job.instances))
        else:
            scope.balance(self.field, self.count or 0)

    def judge(self, view: View) -> Iterator[Breach]:
        """Yield the new instances beyond the shares, or above one more than the least count that matters."""
        yield from without_value(view, self.field)
        values = [value for facts in view.placed if (value := facts.value(self.field)) is not None]
        groups = self._groups(view)
        count = groups.excess(Counter(values))
        if count:
            yield Breach(count, f"{number(count)} too many on some {self.field}: {self.sentence()}")
        elif view.ordered:
            late = 0
            for value in values:
                late += not groups.admits(value)
                groups.add(value)
            if late:
                yield out_of_turn(late, self.sentence())

    def _groups(self, view: View) -> Groups:
        before = by_value(view.running, self.field)
        if self.count is None:
            return Levels(before, view.matter(self.field))
        if self.generation == "classic":
            return Levels(before, None, self.count)
        each, extra = divmod(view.job.instances, self.count)
        return Shares(before, self.count, each, extra)

    def loosened(self) -> GroupBy | None:
        """Return the rule with one group more; without a number there is none."""
        return None if self.count is None else GroupBy(self.field, self.count + 1, self.generation)

    def _share(self, instances: int) -> tuple[int, int, int]:
        """Return (groups, instances in each, groups with one more) for the job's number of instances."""
        groups = self.count or 1
        return groups, instances // groups, instances % groups
