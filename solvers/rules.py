"""The few shapes that rules take as arrays: each over a scope of rows, none dense in rows x agents.

A *grouping* puts every agent into one group (code >= 0) or none (-1); grouping `EACH_AGENT` makes every agent its own
group. Instances that exist already enter as sparse counts by group. What each shape means is said in its docstring once
and for all; greedy, exact and objective follow it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

EACH_AGENT = -1
"""Number of the grouping in which every agent is a group of its own (its code is its index)."""


@dataclass(frozen=True, eq=False)
class Counts:
    """Existing instances by group, sparse: `count[i]` instances in group `group[i]` (distinct groups)."""

    group: Int32 = field(default_factory=lambda: np.empty(0, np.int32))
    count: Int64 = field(default_factory=lambda: np.empty(0, np.int64))

    def dense(self, groups: int) -> Int64:
        """Return int64[groups]."""
        full = np.zeros(groups, np.int64)
        full[self.group] = self.count
        return full


NOTHING = Counts()


@dataclass(frozen=True, eq=False, kw_only=True)
class Rule:
    """A rule over the rows of its scope.

    Attributes
    ----------
    rows
        int32: the rows whose instances it is about.
    soft
        A relaxed rule: it may be broken; each instance that would have to go for it to hold counts one violation.
    """

    rows: Int32
    soft: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class GroupCap(Rule):
    """At most `limit` instances, counted and new, in each group.

    A group that holds more already takes none. Agents outside all groups are not touched by the rule.
    """

    grouping: int
    limit: int
    counted: Counts = NOTHING


@dataclass(frozen=True, eq=False, kw_only=True)
class OneGroup(Rule):
    """All new instances in one group (which one is free)."""

    grouping: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Quota(Rule):
    """At most `groups` groups used, at most `each` instances in each; `extra` of the groups may hold one more.

    Counted instances use groups and extras too; `outside` groups are used by counted instances on agents without a
    code. A group above its share takes no new instance. An existing excess is no one's fault: it only leaves less.
    """

    grouping: int
    groups: int
    each: int
    extra: int
    counted: Counts = NOTHING
    outside: Int64 = field(default_factory=lambda: np.empty(0, np.int64))
    """Counts of the counted groups that no agent of the problem belongs to."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Balance(Rule):
    """Each new instance went to a group whose count was least.

    With f the final counts (counted and new): every group g that got a new instance has f[g] <= m + 1, where m is the
    least final count among the groups that matter. `at_least` 0: those are the `relevant` ones. `at_least` k > 0: those
    are the groups in use (f > 0), of which there are at least min(k, instances counted and new).
    New instances only go to relevant groups.
    """

    grouping: int
    relevant: Bool
    """bool[groups]"""
    at_least: int = 0
    counted: Counts = NOTHING


@dataclass(frozen=True, eq=False, kw_only=True)
class Requires(Rule):
    """New instances only in groups where the `others` have an instance, counted or new."""

    grouping: int
    others: Int32
    others_counted: Counts = NOTHING


@dataclass(frozen=True, eq=False, kw_only=True)
class Excludes(Rule):
    """At most `limit` instances (counted and new) in a group where the `others` have an instance.

    Counted ones above the limit stay: then no new one of `rows` comes to a group where the others are, and no new one
    of the others comes to the group.
    """

    grouping: int
    others: Int32
    limit: int
    counted: Counts = NOTHING
    others_counted: Counts = NOTHING


@dataclass(frozen=True, eq=False, kw_only=True)
class Gang(Rule):
    """Either no new instance at all, or at least `least` in sum over the rows. Never soft."""

    least: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Avoid(Rule):
    """Each new instance on an agent outside `mask` counts one violation. Always soft."""

    mask: Bool
    """bool[agents]"""
    soft: bool = True
