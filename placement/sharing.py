"""What a problem stores once and shares: masks by content, groupings by field.

Nothing is dense in jobs x agents: a mask stands once for all jobs with the same rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from placement.cluster import Bool, Cluster, Int32
from solvers.problem import ALL_AGENTS
from solvers.rules import EACH_AGENT, NOTHING, Counts


@dataclass(eq=False)
class Masks:
    """Masks stored once per distinct content."""

    agents: int
    masks: list[Bool] = field(default_factory=list)
    _numbers: dict[bytes, int] = field(default_factory=dict)
    _joined: dict[tuple[int, ...], int] = field(default_factory=dict)

    def number(self, mask: Bool) -> int:
        """Return the number of a mask, `ALL_AGENTS` if it excludes nobody."""
        if mask.all():
            return ALL_AGENTS
        key = np.packbits(mask).tobytes()
        if key not in self._numbers:
            self._numbers[key] = len(self.masks)
            self.masks.append(mask)
        return self._numbers[key]

    def joined(self, numbers: Sequence[int]) -> int:
        """Return the number of the agents that all masks allow."""
        key = tuple(sorted({number for number in numbers if number != ALL_AGENTS}))
        if len(key) <= 1:
            return key[0] if key else ALL_AGENTS
        if key not in self._joined:
            self._joined[key] = self.number(np.logical_and.reduce([self.masks[number] for number in key]))
        return self._joined[key]

    def mask(self, number: int) -> Bool:
        """Return the mask of a number."""
        return np.ones(self.agents, np.bool_) if number == ALL_AGENTS else self.masks[number]


@dataclass(eq=False)
class Groupings:
    """Groupings stored once per field."""

    cluster: Cluster
    codes: list[Int32] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """Return the number of a field's grouping; `EACH_AGENT` if no two agents share a value and none lacks one."""
        if name not in self._numbers:
            column = self.cluster.column(name)
            if len(column.values) == len(column.codes):
                self._numbers[name] = EACH_AGENT
            else:
                self._numbers[name] = len(self.codes)
                self.codes.append(column.codes)
                self.counts.append(len(column.values))
        return self._numbers[name]

    def with_one_more(self, name: str) -> int:
        """Return the number of a field's grouping with a further group that no agent belongs to."""
        key = f"{name} and one more"
        if key not in self._numbers:
            self._numbers[key] = len(self.codes)
            self.codes.append(self.of(name))
            self.counts.append(self.size(name) + 1)
        return self._numbers[key]

    def of(self, name: str) -> Int32:
        """Return int32[agents]: group codes of a field as the problem numbers them."""
        number = self.number(name)
        return np.arange(len(self.cluster), dtype=np.int32) if number == EACH_AGENT else self.codes[number]

    def size(self, name: str) -> int:
        """Return the number of groups of a field."""
        number = self.number(name)
        return len(self.cluster) if number == EACH_AGENT else self.counts[number]

    def counted(self, name: str, agents: Int32) -> Counts:
        """Return how many of the instances on `agents` (-1: outside the snapshot) stand in each group."""
        here = agents[agents >= 0]
        if not len(here):
            return NOTHING
        codes = self.of(name)[here]
        groups, count = np.unique(codes[codes >= 0], return_counts=True)
        return Counts(groups.astype(np.int32), count.astype(np.int64))
