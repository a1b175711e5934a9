"""The two readings of GROUP_BY as the checker sees them: fixed shares, and no value above one more than the least.

Written from the rule's text over counts by value; it serves the checker only.
Source: mesosphere/marathon, Constraints.scala.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Protocol


class Groups(Protocol):
    """Instances by value, and what the rule says of further ones."""

    def excess(self, new: Counter[str]) -> int:
        """Return how many of the new instances, taken together, would have to go for the rule to hold."""

    def admits(self, value: str) -> bool:
        """Tell whether the next instance may go to `value`."""

    def add(self, value: str) -> None:
        """Count one instance more on `value`."""


class Shares:
    """At most `groups` values in use, `each` instances on each, and one more on `extra` of them.

    `before` counts the running instances by value; those without a value (None) are a value of their own.
    """

    def __init__(self, before: Counter[str | None], groups: int, each: int, extra: int) -> None:
        self.counts = Counter(before)
        self.groups = groups
        self.each = each
        self.extra = extra
        self.spent = sum(max(0, count - each) for count in before.values())

    def excess(self, new: Counter[str]) -> int:
        """Return how many new instances would have to go: whole values first, then those above their share."""
        opened = sorted((count for value, count in new.items() if not self.counts[value]), reverse=True)
        opened = opened[: max(0, self.groups - len(self.counts))]
        room = [(count, self.each - self.counts[value]) for value, count in new.items() if self.counts[value]]
        room += [(count, self.each) for count in opened]
        within = sum(min(count, max(0, left)) for count, left in room)
        asking = sum(1 for count, left in room if count > left >= 0)
        return new.total() - within - min(asking, max(0, self.extra - self.spent))

    def admits(self, value: str) -> bool:
        """Tell whether the next instance may go to `value`."""
        here = self.counts[value]
        if not here:
            return len(self.counts) < self.groups
        return here < self.each or (here == self.each and self.extra > self.spent)

    def add(self, value: str) -> None:
        """Count one instance more on `value`."""
        self.spent += self.counts[value] >= self.each
        self.counts[value] += 1


class Levels:
    """No new instance above one more than the least count: among all values that matter, or among those in use.

    Parameters
    ----------
    before
        Running instances by value (None: without one).
    mattering
        Values that matter whether in use or not; None: only values in use do, of which `at_least` there must be
        before any takes a second instance. Among those, 'no value' is one; among values that matter it is none.
    """

    def __init__(self, before: Counter[str | None], mattering: Iterable[str] | None, at_least: int = 0) -> None:
        self.at_least = at_least
        self.counts = {value: count for value, count in before.items() if mattering is None or value is not None}
        for value in mattering or ():
            self.counts.setdefault(value, 0)
        self.levels = Counter(self.counts.values())
        self.least = min(self.levels, default=0)

    def excess(self, new: Counter[str]) -> int:
        """Return how many new instances stand above one more than the least final count."""
        final = dict(self.counts)
        for value, count in new.items():
            final[value] = final.get(value, 0) + count
        least = min(final.values(), default=0) if len(final) >= self.at_least else 0
        return sum(max(0, final[value] - max(self.counts.get(value, 0), least + 1)) for value in new)

    def admits(self, value: str) -> bool:
        """Tell whether the next instance may go to `value`."""
        here = self.counts.get(value)
        return here is None or (here == self.least and len(self.counts) >= self.at_least)

    def add(self, value: str) -> None:
        """Count one instance more on `value`."""
        here = self.counts.get(value)
        if here is not None:
            self.levels[here] -= 1
        self.counts[value] = count = (here or 0) + 1
        self.levels[count] += 1
        self.least = min(self.least, count)
        while not self.levels[self.least]:
            self.least += 1
