"""Rules as windows: what the rows may hold on a few free agents while all else stays as it is.

Each window is a set of pairs whose counts in sum stay between two numbers. Any counts inside all windows keep every hard
rule, so a neighbourhood needs no other statement of them. A row under a rule that windows cannot say is held fast.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from solvers import objective
from solvers.problem import Assignment, Problem
from solvers.rules import EACH_AGENT, Avoid, Balance, Bool, Excludes, Gang, GroupCap, Int32, Int64, Quota, Rule


@dataclass(frozen=True, eq=False)
class Window:
    """The counts of some pairs stay in sum between `least` and `most`; with `extra` they may, at a price, be one more.

    Attributes
    ----------
    pairs
        int64[k]: numbers of free pairs.
    extra
        Number of the purse of extras that one more is taken from, -1 for none.
    """

    pairs: Int64
    least: int
    most: int
    extra: int = -1


@dataclass(frozen=True, eq=False)
class Windows:
    """All windows of a neighbourhood, and how many extras each purse holds."""

    windows: tuple[Window, ...]
    purses: tuple[int, ...]


def movable_rows(problem: Problem) -> Bool:
    """Return bool[rows]: rows whose rules can be said as windows, and which ask for no units."""
    movable = np.ones(problem.rows, np.bool_)
    movable[problem.unit_requests.row] = False
    for rule in problem.rules:
        if rule.soft or not isinstance(rule, GroupCap | Quota | Balance | Gang | Avoid):
            movable[rule.rows] = False
            if isinstance(rule, Excludes) or hasattr(rule, "others"):
                movable[rule.others] = False
    return movable


class Writer:
    """Writes the windows of one neighbourhood.

    Parameters
    ----------
    current
        The answer of which a part is freed.
    row, agent, count
        int32[pairs], int32[pairs], int64[pairs]: the free pairs and the counts they have now.
    """

    def __init__(
        self, problem: Problem, current: Assignment, row: Int32, agent: Int32, count: Int64,
        random: np.random.Generator,
    ) -> None:  # fmt: skip
        self.problem = problem
        self.current = current
        self.row = row
        self.agent = agent
        self.count = count
        self.random = random
        self.purses: list[int] = []
        order = np.argsort(row, kind="stable")
        rows, first = np.unique(row[order], return_index=True)
        self.pairs_of = dict(zip(rows.tolist(), np.split(order, first[1:]), strict=True))

    def windows(self) -> Windows:
        """Return the windows of every rule that has a free row."""
        touched: dict[int, None] = {}
        for row in self.pairs_of:
            touched.update(dict.fromkeys(self.problem.rules_of[row]))
        found: list[Window] = []
        for number in touched:
            found += self._of_rule(self.problem.rules[number])
        return Windows(tuple(found), tuple(self.purses))

    def _of_rule(self, rule: Rule) -> Iterator[Window]:
        parts = [self.pairs_of[row] for row in rule.rows.tolist() if row in self.pairs_of]
        pairs = np.concatenate(parts)
        if isinstance(rule, GroupCap):
            yield from self._of_cap(rule, pairs)
        elif isinstance(rule, Quota):
            yield from self._of_quota(rule, pairs)
        elif isinstance(rule, Balance):
            yield from self._of_balance(rule, pairs)
        elif isinstance(rule, Gang):
            yield self._of_gang(rule, pairs)

    def _groups(self, pairs: Int64, grouping: int) -> Iterator[tuple[int, Int64]]:
        """Yield each group with its pairs; pairs outside all groups have the code -1."""
        codes = self.agent[pairs] if grouping == EACH_AGENT else self.problem.groupings[grouping][self.agent[pairs]]
        order = np.argsort(codes, kind="stable")
        values, first = np.unique(codes[order], return_index=True)
        yield from zip(values.tolist(), np.split(pairs[order], first[1:]), strict=True)

    def _new(self, rule: GroupCap | Quota | Balance) -> Int64:
        """Return int64[groups]: new instances of the rule's rows in each group, free ones included."""
        return objective.group_counts(self.problem, self.current, rule.rows, rule.grouping)

    def _of_cap(self, rule: GroupCap, pairs: Int64) -> Iterator[Window]:
        """At most `limit` in each group: the free pairs get what the others leave."""
        if rule.grouping == EACH_AGENT and len(rule.rows) == 1:
            return  # the bounds of the pairs say it
        new = self._new(rule)
        counted = rule.counted.dense(len(new))
        for group, mine in self._groups(pairs, rule.grouping):
            if group >= 0:
                now = int(self.count[mine].sum())
                yield Window(mine, 0, max(now, rule.limit - int(counted[group]) - (int(new[group]) - now)))

    def _of_quota(self, rule: Quota, pairs: Int64) -> Iterator[Window]:
        """Every group keeps its share; extras that nobody else uses may be taken; no group too many is opened."""
        new = self._new(rule)
        counted = rule.counted.dense(len(new))
        final = new + counted
        spent = int(np.maximum(0, counted - rule.each).sum() + np.maximum(0, rule.outside - rule.each).sum())
        raised = (new > 0) & (counted <= rule.each) & (final > rule.each)
        groups = list(self._groups(pairs, rule.grouping))
        here = [group for group, _ in groups if group >= 0]
        purse = self._purse(max(0, rule.extra - spent - int(raised.sum()) + int(raised[here].sum())))
        closed = self._closed(rule, new, counted, here)
        for group, mine in groups:
            others = int(new[group]) - int(self.count[mine].sum()) if group >= 0 else 0
            if group < 0:
                continue
            if group in closed or counted[group] > rule.each:
                yield Window(mine, 0, 0)
            else:
                yield Window(mine, 0, rule.each - int(counted[group]) - others, purse)

    def _closed(self, rule: Quota, new: Int64, counted: Int64, here: list[int]) -> set[int]:
        """Return the groups among `here` that stay unused, so that not too many groups are used."""
        used = (new > 0) | (counted > 0)
        free = rule.groups - int(used.sum()) - int((rule.outside > 0).sum())
        unused = [group for group in here if not used[group]]
        opened = set(self.random.permutation(unused)[: max(0, free)].tolist()) if unused else set()
        return set(unused) - opened

    def _of_balance(self, rule: Balance, pairs: Int64) -> Iterator[Window]:
        """Every group ends at a level or one above it: the least level that holds now, sometimes one below."""
        new = self._new(rule)
        counted = rule.counted.dense(len(new))
        groups = [(group, mine) for group, mine in self._groups(pairs, rule.grouping)]
        here = np.zeros(len(new), np.bool_)
        here[[group for group, _ in groups if group >= 0]] = True
        among = counted + new > 0 if rule.at_least else rule.relevant
        final = counted + new
        level = int(final[among].min()) if among.any() else 0
        few = rule.at_least and int(among.sum()) < min(rule.at_least, int(final.sum()) + 1)
        if few:
            level = 0
        elif level > 0 and not rule.at_least and bool((final[~here & (new > 0)] <= level).all()):
            level -= int(self.random.integers(2))
        for group, mine in groups:
            if group < 0 or not rule.relevant[group]:
                yield Window(mine, 0, 0)
                continue
            others = int(new[group]) - int(self.count[mine].sum())
            most = max(0, level + 1 - int(counted[group]))
            least = 0 if few or not among[group] else max(0, level - int(counted[group]))
            if not among[group] and level > 1:
                most = 0
            yield Window(mine, least - others, max(most - others, 0))

    def _of_gang(self, rule: Gang, pairs: Int64) -> Window:
        """A gang that is there stays there; one that is not stays away."""
        total = int(self.current.count[objective.runs_of(self.current, rule.rows)].sum())
        now = int(self.count[pairs].sum())
        if total < rule.least:
            return Window(pairs, 0, 0)
        return Window(pairs, rule.least - (total - now), int(self.problem.wanted[rule.rows].sum()))

    def _purse(self, extras: int) -> int:
        self.purses.append(extras)
        return len(self.purses) - 1
