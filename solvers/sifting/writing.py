"""The rules of `solvers.rules` as rows of a linear model over counts: one method a rule, its sentence first.

Relaxed rules are written as if they were not, but for agents outside all groups, which they are not about: the model is
of answers that break none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from solvers.exact.variables import Pairs
from solvers.linear import LinearModel
from solvers.problem import Problem
from solvers.rules import (
    EACH_AGENT,
    Avoid,
    Balance,
    Excludes,
    Gang,
    GroupCap,
    Int32,
    Int64,
    OneGroup,
    Quota,
    Requires,
    Rule,
)


@dataclass(frozen=True, eq=False)
class _Groups:
    """The pairs of a scope by group, only groups that have any.

    Attributes
    ----------
    code
        int64[g]: codes of the groups, ascending.
    pairs, place
        int64[k]: numbers of the pairs inside groups, and the place in `code` of each one's group.
    most
        int64[g]: the most instances there can be in each.
    """

    code: Int64
    pairs: Int64
    place: Int64
    most: Int64

    def __len__(self) -> int:
        return len(self.code)


class RuleBlocks:
    """Writes rules into a model, a block of rows for all groups of a rule at once."""

    def __init__(self, problem: Problem, pairs: Pairs, linear: LinearModel, everything: bool) -> None:
        self.problem = problem
        self.pairs = pairs
        self.linear = linear
        self.everything = everything

    def write(self, rule: Rule) -> None:
        """Write one rule."""
        writers: dict[type[Rule], Any] = {
            GroupCap: self._group_cap,
            OneGroup: self._one_group,
            Quota: self._quota,
            Balance: self._balance,
            Requires: self._requires,
            Excludes: self._excludes,
            Gang: self._gang,
            Avoid: self._avoid,
        }
        writers[type(rule)](rule)

    # --- parts ------------------------------------------------------------------------------------------------------

    def _groups(self, rows: Int32, grouping: int) -> _Groups:
        pairs = self.pairs.of_rows(rows)
        codes = self.problem.groups(grouping)[self.pairs.agent[pairs]]
        pairs, codes = pairs[codes >= 0], codes[codes >= 0]
        code, place = np.unique(codes, return_inverse=True)
        most = np.bincount(place, weights=self.pairs.most[pairs], minlength=len(code)).astype(np.int64)
        most = np.minimum(most, self.problem.wanted[rows].sum())
        return _Groups(code.astype(np.int64), pairs, place.astype(np.int64), most)

    def _counted(self, rule: Any) -> Int64:
        return rule.counted.dense(self.problem.group_count(rule.grouping))

    def _sums(self, groups: _Groups, *more: tuple[Any, Any], lower: Any = -np.inf, upper: Any = np.inf) -> None:
        """Add for each group a row: its instances and further (column, value) of each group between two numbers."""
        size = len(groups)
        row = [groups.place, *(np.arange(size) for _ in more)]
        column = [groups.pairs, *(np.broadcast_to(column, (size,)) for column, _ in more)]
        value = [np.ones(len(groups.pairs)), *(np.broadcast_to(np.asarray(value, float), (size,)) for _, value in more)]
        self.linear.add_rows(size, np.concatenate(row), np.concatenate(column), np.concatenate(value),
                             lower=lower, upper=upper)  # fmt: skip

    def _row(self, columns: Int64, value: Any = 1.0, *, lower: float = -np.inf, upper: float = np.inf) -> None:
        """Add one row."""
        self.linear.add_rows(1, np.zeros(len(columns)), columns, value, lower=lower, upper=upper)

    def _binaries(self, number: int) -> Int64:
        return self.linear.add_columns(number, upper=1, integer=True)

    def _forbid(self, pairs: Int64) -> None:
        """Allow none of some pairs."""
        if len(pairs):
            self._row(pairs, upper=0)

    def _inside(self, rule: Any) -> None:
        """Forbid agents outside all groups (a relaxed rule is not about them)."""
        if not rule.soft:
            pairs = self.pairs.of_rows(rule.rows)
            self._forbid(pairs[self.problem.groups(rule.grouping)[self.pairs.agent[pairs]] < 0])

    def _has_outside(self, rule: Any) -> bool:
        agents = self.pairs.agent[self.pairs.of_rows(rule.rows)]
        return bool((self.problem.groups(rule.grouping)[agents] < 0).any())

    # --- rules ------------------------------------------------------------------------------------------------------

    def _group_cap(self, rule: GroupCap) -> None:
        """At most `limit` instances, counted and new, in each group."""
        if rule.grouping == EACH_AGENT and len(rule.rows) == 1 and not rule.soft:
            return  # the columns' bounds say it already
        groups = self._groups(rule.rows, rule.grouping)
        self._sums(groups, upper=np.maximum(0, rule.limit - self._counted(rule))[groups.code])

    def _one_group(self, rule: OneGroup) -> None:
        """All new instances in one group."""
        self._inside(rule)
        groups = self._groups(rule.rows, rule.grouping)
        chosen = self._binaries(len(groups))
        self._row(chosen, upper=1)
        self._sums(groups, (chosen, -groups.most), upper=0)

    def _quota(self, rule: Quota) -> None:
        """At most `groups` groups used, at most `each` instances in each; `extra` of the groups may hold one more."""
        groups, every = self._groups(rule.rows, rule.grouping), self._counted(rule)
        counted = every[groups.code]
        spent = int(np.maximum(0, every - rule.each).sum() + np.maximum(0, rule.outside - rule.each).sum())
        fresh = max(0, rule.groups - int((every > 0).sum()) - int((rule.outside > 0).sum()))
        more = self.linear.add_columns(len(groups), upper=counted <= rule.each, integer=True)
        self._row(more, upper=max(0, rule.extra - spent))
        self._sums(groups, (more, -1), upper=np.maximum(0, rule.each - counted))
        if int((counted == 0).sum()) > fresh:
            used = self.linear.add_columns(len(groups), lower=counted > 0, upper=1, integer=True)
            self._row(used[counted == 0], upper=fresh)
            self._sums(groups, (used, -groups.most), upper=0)

    def _balance(self, rule: Balance) -> None:
        """Every group with a new instance holds at most one more than the least of the groups that matter."""
        self._inside(rule)
        groups = self._groups(rule.rows, rule.grouping)
        outside = ~rule.relevant[groups.code]
        self._forbid(groups.pairs[outside[groups.place]])
        windows = self._settled(rule)
        if windows is not None:
            self._sums(groups, lower=windows[0][groups.code], upper=windows[1][groups.code])
            if windows[0].sum() > windows[0][groups.code].sum():
                self._row(np.empty(0, np.int64), lower=1)  # a group that needs an instance can take none
        else:
            self._not_above_least(rule, groups, outside)

    def _settled(self, rule: Balance) -> tuple[Int64, Int64] | None:
        """Return least and most new instances of every group, int64[groups] each, where they are known beforehand.

        All instances are placed, one at a time where the count is least; so the counts are filled up like water: none
        of the groups that matter ends below the level up to which the instances suffice, none that got one above the
        next. (A final least below it would leave instances over, one above it would need more than there are.)
        """
        counted, total = self._counted(rule), int(self.problem.wanted[rule.rows].sum())
        matter = rule.relevant.copy()
        if rule.at_least:
            here = np.zeros(len(matter), np.bool_)
            here[self._groups(rule.rows, rule.grouping).code] = True
            matter &= here
            if counted.any() or rule.at_least != int(matter.sum()) or total < rule.at_least:
                return None
        if not self.everything or not total or not matter.any() or (rule.soft and self._has_outside(rule)):
            return None
        level = _water_level(counted[matter], total)
        least = np.where(matter, np.maximum(counted, level) - counted, 0)
        return least, np.where(matter, np.maximum(counted, level + 1) - counted, 0)

    def _not_above_least(self, rule: Balance, groups: _Groups, outside: Any) -> None:
        """State the least count as a column, and hold every group that gets an instance to one above it."""
        every = self._counted(rule)
        counted = every[groups.code]
        top = int(every.max(initial=0) + groups.most.max(initial=0))
        here = np.isin(np.arange(len(every)), groups.code)
        fixed = every[(every > 0) & ~here] if rule.at_least else every[rule.relevant & ~here]
        least = self.linear.add_columns(1, upper=min(top, int(fixed.min(initial=top))), integer=True)[0]
        if rule.at_least:
            self._least_in_use(rule, groups, least, top)
        else:
            bounding = np.where(outside, top, 0) - counted
            self._sums(groups, (least, np.where(outside, 0, -1)), lower=bounding.clip(max=0))
        taking = self._binaries(len(groups))
        self._sums(groups, (taking, -groups.most), upper=0)
        slack = np.where(counted <= 1, 0, top)
        self._sums(groups, (least, -1), (taking, slack), upper=1 + slack - counted)

    def _least_in_use(self, rule: Balance, groups: _Groups, least: int, top: int) -> None:
        """The least is taken over the groups in use; while these are too few, no group takes a second instance."""
        every = self._counted(rule)
        counted = every[groups.code]
        used = self.linear.add_columns(len(groups), lower=counted > 0, upper=1, integer=True)
        self._sums(groups, (used, -groups.most), upper=0)
        self._sums(groups, (used, np.where(counted > 0, 0, -1)), lower=0)
        self._sums(groups, (least, -1), (used, -top), lower=-top - counted)
        enough = self._binaries(1)
        others = int((every > 0).sum() - (counted > 0).sum())
        self._row(np.r_[used, enough], np.r_[np.ones(len(used)), -rule.at_least], lower=-others)
        self._row(np.r_[least, enough], np.array([1, -top]), upper=0)

    def _there(self, groups: _Groups, counted: Int64, others: Int32, grouping: int, *, at_most: bool) -> Int64:
        """Return a column for each group: whether the others have an instance there.

        `at_most` True: it may be 1 only where they have one; False: it must be 1 wherever they have one.
        """
        known = counted[groups.code] > 0
        theirs = self._groups(others, grouping)
        there = self.linear.add_columns(len(groups), lower=known, upper=1, integer=True)
        shared = np.isin(theirs.code[theirs.place], groups.code)
        place = np.searchsorted(groups.code, theirs.code[theirs.place][shared])
        most = np.zeros(len(groups), np.int64)
        mine = np.isin(theirs.code, groups.code)
        most[np.searchsorted(groups.code, theirs.code[mine])] = theirs.most[mine]
        block = _Groups(groups.code, theirs.pairs[shared], place, most)
        if at_most:
            self._sums(block, (there, -1.0), lower=-known.astype(float))
        else:
            self._sums(block, (there, -most), upper=0)
        return there

    def _requires(self, rule: Requires) -> None:
        """New instances only in groups where the others have an instance, counted or new."""
        self._inside(rule)
        groups = self._groups(rule.rows, rule.grouping)
        counted = rule.others_counted.dense(self.problem.group_count(rule.grouping))
        there = self._there(groups, counted, rule.others, rule.grouping, at_most=True)
        self._sums(groups, (there, -groups.most), upper=0)

    def _excludes(self, rule: Excludes) -> None:
        """At most `limit` instances in a group where the others have one; counted ones above the limit keep them out."""
        groups, counted = self._groups(rule.rows, rule.grouping), self._counted(rule)
        others_counted = rule.others_counted.dense(len(counted))
        there = self._there(groups, others_counted, rule.others, rule.grouping, at_most=False)
        room = np.maximum(0, rule.limit - counted)[groups.code]
        self._sums(groups, (there, groups.most), upper=room + groups.most)
        theirs = self._groups(rule.others, rule.grouping)
        self._forbid(theirs.pairs[(counted > rule.limit)[theirs.code][theirs.place]])

    def _gang(self, rule: Gang) -> None:
        """Either no new instance at all, or at least `least` in sum over the rows."""
        pairs, total = self.pairs.of_rows(rule.rows), int(self.problem.wanted[rule.rows].sum())
        if self.everything and (total >= rule.least or not total):
            return
        together = self._binaries(1)
        columns = np.r_[pairs, together]
        self._row(columns, np.r_[np.ones(len(pairs)), -rule.least], lower=0)
        self._row(columns, np.r_[np.ones(len(pairs)), -total], upper=0)

    def _avoid(self, rule: Avoid) -> None:
        """No new instance on an agent outside the mask."""
        pairs = self.pairs.of_rows(rule.rows)
        self._forbid(pairs[~rule.mask[self.pairs.agent[pairs]]])


def _water_level(counted: Int64, total: int) -> int:
    """Return the greatest level up to which `total` instances can fill all of some counts."""
    depth = np.sort(counted)
    filled = depth * np.arange(1, len(depth) + 1) - np.cumsum(depth)  # what it takes to lift all before to this one
    last = int(np.searchsorted(filled, total, side="right"))
    return int(depth[last - 1] + (total - filled[last - 1]) // last)
