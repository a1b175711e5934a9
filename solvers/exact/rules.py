"""The rules of `solvers.rules` in CP-SAT: one method a rule, its sentence first. Soft rules pay for each violation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

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

if TYPE_CHECKING:
    from solvers.exact.model import Model


class RuleWriter:
    """Writes rules into a model.

    Attributes
    ----------
    violations
        Terms of the sum of violations of the soft rules.
    """

    def __init__(self, model: Model, everything: bool) -> None:
        self.owner = model
        self.model = model.model
        self.problem = model.problem
        self.everything = everything
        self.violations: list[Any] = []

    def write(self, rule: Rule) -> None:
        """Write one rule."""
        writers = {
            GroupCap: self._group_cap,
            OneGroup: self._one_group,
            Quota: self._quota,
            Balance: self._balance,
            Requires: self._requires,
            Excludes: self._excludes,
            Gang: self._gang,
            Avoid: self._avoid,
        }
        writers[type(rule)](rule)  # type: ignore[operator]

    def _groups(self, rule: Rule, grouping: int) -> dict[int, Int64]:
        return self.owner.by_group(self.owner.pairs.of_rows(rule.rows), grouping)

    def _inside(self, rule: Rule, grouping: int) -> None:
        """Forbid agents outside all groups (a soft rule is not about them)."""
        if rule.soft:
            return
        pairs = self.owner.pairs.of_rows(rule.rows)
        outside = pairs[self.problem.groups(grouping)[self.owner.pairs.agent[pairs]] < 0]
        if len(outside):
            self.model.add(self.owner.total(outside) == 0)

    def _kept(self, rule: Rule, pairs: Int64) -> Any:
        """Return the count that must obey the rule: all of it, or for a soft rule what is left without violations."""
        total = self.owner.total(pairs)
        if not rule.soft:
            return total
        gone = self.owner.int_var(0, self.owner.most(pairs, rule.rows.tolist()))
        self.violations.append(gone)
        return total - gone

    def _group_cap(self, rule: GroupCap) -> None:
        """At most `limit` instances, counted and new, in each group."""
        if rule.grouping == EACH_AGENT and len(rule.rows) == 1 and not rule.soft:
            return  # the variables' bounds say it already
        room = np.maximum(0, rule.limit - rule.counted.dense(self.problem.group_count(rule.grouping)))
        for group, pairs in self._groups(rule, rule.grouping).items():
            if int(self.owner.pairs.most[pairs].sum()) > room[group]:
                self.model.add(self._kept(rule, pairs) <= int(room[group]))

    def _one_group(self, rule: OneGroup) -> None:
        """All new instances in one group."""
        self._inside(rule, rule.grouping)
        groups = self._groups(rule, rule.grouping)
        chosen = {group: self.owner.bool_var() for group in groups}
        self.model.add_at_most_one(chosen.values())
        for group, pairs in groups.items():
            self.model.add(self._kept(rule, pairs) <= self.owner.most(pairs, rule.rows.tolist()) * chosen[group])

    def _quota(self, rule: Quota) -> None:
        """At most `groups` groups used, at most `each` instances in each; `extra` of the groups may hold one more."""
        counted = rule.counted.dense(self.problem.group_count(rule.grouping))
        spent = int(np.maximum(0, counted - rule.each).sum() + np.maximum(0, rule.outside - rule.each).sum())
        fresh = rule.groups - int((counted > 0).sum()) - int((rule.outside > 0).sum())
        used, extra = [], []
        for group, pairs in self._groups(rule, rule.grouping).items():
            kept = self._kept(rule, pairs)
            most = self.owner.most(pairs, rule.rows.tolist())
            more = 0
            if counted[group] <= rule.each:
                more = self.owner.bool_var()
                extra.append(more)
            self.model.add(kept <= max(0, rule.each - int(counted[group])) + more)
            if not counted[group]:
                use = self.owner.bool_var()
                used.append(use)
                self.model.add(kept <= most * use)
        self.model.add(sum(used) <= max(0, fresh))
        self.model.add(sum(extra) <= max(0, rule.extra - spent))

    def _balance(self, rule: Balance) -> None:
        """Every group with a new instance holds at most one more than the least of the groups that matter."""
        self._inside(rule, rule.grouping)
        size = self.problem.group_count(rule.grouping)
        counted = rule.counted.dense(size)
        groups = self._groups(rule, rule.grouping)
        for group in [one for one in groups if not rule.relevant[one]]:
            pairs = groups.pop(group)
            self.model.add(self._kept(rule, pairs) == 0)
        if not groups:
            return
        most = {group: self.owner.most(pairs, rule.rows.tolist()) for group, pairs in groups.items()}
        top = int(counted.max(initial=0)) + max(most.values())
        least = self.owner.int_var(0, top)
        final = {group: self.owner.total(pairs) + int(counted[group]) for group, pairs in groups.items()}
        if rule.at_least:
            self._least_in_use(rule, counted, groups, final, least, most, top)
        else:
            fixed = [int(counted[group]) for group in np.flatnonzero(rule.relevant).tolist() if group not in groups]
            if fixed:
                self.model.add(least <= min(fixed))
            for group in groups:
                self.model.add(least <= final[group])
        for group, pairs in groups.items():
            self._not_above(rule, pairs, int(counted[group]), least, top)
        self._shares(rule, counted, groups)

    def _not_above(self, rule: Balance, pairs: Int64, counted: int, least: Any, top: int) -> None:
        """A group's count is at most one more than the least, or what it was."""
        kept = self._kept(rule, pairs) + counted
        if counted <= 1:
            self.model.add(kept <= least + 1)
            return
        ceiling = self.owner.int_var(0, top + 1)
        self.model.add_max_equality(ceiling, [least + 1, counted])
        self.model.add(kept <= ceiling)

    def _least_in_use(
        self, rule: Balance, counted: Int64, groups: dict[int, Int64], final: dict[int, Any], least: Any,
        most: dict[int, int], top: int,
    ) -> None:  # fmt: skip
        """The least is taken over the groups in use; while these are too few, no group takes a second instance."""
        use: list[Any] = [1 for group in np.flatnonzero(counted).tolist() if group not in groups]
        for group in np.flatnonzero(counted).tolist():
            self.model.add(least <= (final[group] if group in groups else int(counted[group])))
        for group, pairs in groups.items():
            if counted[group]:
                use.append(1)
                continue
            used = self.owner.bool_var()
            total = self.owner.total(pairs)
            self.model.add(total <= most[group] * used)
            self.model.add(total >= used)
            self.model.add(least <= final[group] + top * (1 - used))
            use.append(used)
        enough = self.owner.bool_var()
        self.model.add(sum(use) >= rule.at_least * enough)
        self.model.add(least <= top * enough)

    def _shares(self, rule: Balance, counted: Int64, groups: dict[int, Int64]) -> None:
        """When all instances are placed over all groups from nothing, each group gets its share rounded up or down."""
        if not self.everything or rule.soft or rule.at_least or counted.any():
            return
        matter = int(rule.relevant.sum())
        each, more = divmod(int(self.problem.wanted[rule.rows].sum()), matter)
        for pairs in groups.values():
            self.model.add_linear_constraint(self.owner.total(pairs), each, each + (more > 0))

    def _there(self, others: Int32, grouping: int, counted: Int64, *, at_most: bool) -> dict[int, Any]:
        """Return for each group 0/1 (constant or variable): whether the others have an instance there.

        `at_most` True: it may be 1 only where they have one; False: it must be 1 wherever they have one.
        """
        pairs_of = self.owner.by_group(self.owner.pairs.of_rows(others), grouping)
        there: dict[int, Any] = {}
        for group in range(self.problem.group_count(grouping)):
            if counted[group]:
                there[group] = 1
            elif group in pairs_of:
                there[group] = self.owner.bool_var()
                total = self.owner.total(pairs_of[group])
                if at_most:
                    self.model.add(there[group] <= total)
                else:
                    self.model.add(total <= self.owner.most(pairs_of[group], others.tolist()) * there[group])
            else:
                there[group] = 0
        return there

    def _requires(self, rule: Requires) -> None:
        """New instances only in groups where the others have an instance, counted or new."""
        self._inside(rule, rule.grouping)
        counted = rule.others_counted.dense(self.problem.group_count(rule.grouping))
        there = self._there(rule.others, rule.grouping, counted, at_most=True)
        for group, pairs in self._groups(rule, rule.grouping).items():
            self.model.add(self._kept(rule, pairs) <= self.owner.most(pairs, rule.rows.tolist()) * there[group])

    def _excludes(self, rule: Excludes) -> None:
        """At most `limit` instances in a group where the others have one; counted ones above the limit keep them out."""
        size = self.problem.group_count(rule.grouping)
        counted, others_counted = rule.counted.dense(size), rule.others_counted.dense(size)
        there = self._there(rule.others, rule.grouping, others_counted, at_most=False)
        for group, pairs in self._groups(rule, rule.grouping).items():
            room = max(0, rule.limit - int(counted[group]))
            most = self.owner.most(pairs, rule.rows.tolist())
            self.model.add(self._kept(rule, pairs) <= room + most * (1 - there[group]))
        theirs = self.owner.by_group(self.owner.pairs.of_rows(rule.others), rule.grouping)
        for group, pairs in theirs.items():
            if counted[group] > rule.limit and rule.soft:
                self.violations.append(self.owner.total(pairs))
            elif counted[group] > rule.limit:
                self.model.add(self.owner.total(pairs) == 0)

    def _gang(self, rule: Gang) -> None:
        """Either no new instance at all, or at least `least` in sum over the rows."""
        pairs = self.owner.pairs.of_rows(rule.rows)
        total = self.owner.total(pairs)
        together = self.owner.bool_var()
        self.model.add(total >= rule.least * together)
        self.model.add(total <= self.owner.most(pairs, rule.rows.tolist()) * together)

    def _avoid(self, rule: Avoid) -> None:
        """Each new instance on an agent outside the mask is a violation."""
        pairs = self.owner.pairs.of_rows(rule.rows)
        outside = pairs[~rule.mask[self.owner.pairs.agent[pairs]]]
        if len(outside):
            self.violations.append(self.owner.total(outside))
