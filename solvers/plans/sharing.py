"""Whole quotas of every row in every group, from the shares of a plan and what the row's rule over groups allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.exact.variables import agent_caps
from solvers.linear import Float
from solvers.problem import Problem
from solvers.rules import EACH_AGENT, Balance, Bool, Counts, GroupCap, Int64, Quota, Rule

GROUP_SIZE = 40
"""Agents of a group where no rule has any: as many as are quickly filled by relaxations."""
MOST_CELLS = 20_000_000
"""Rows times groups above which no quotas are made."""
UNLIMITED = np.iinfo(np.int64).max // 4


def unsuited(problem: Problem) -> str | None:
    """Return why a problem cannot be planned by groups, None if it can."""
    if len(problem.unit_requests.row):
        return "disks are taken one by one"
    why = next((reason for rule in problem.rules if (reason := _unsaid(problem, rule)) is not None), None)
    if why is not None:
        return why
    about = [rule for rule in problem.rules if getattr(rule, "grouping", EACH_AGENT) != EACH_AGENT]
    if len({rule.grouping for rule in about}) > 1:  # type: ignore[attr-defined]
        return "rules are over several groupings"
    rows = [int(rule.rows[0]) for rule in about]
    if len(rows) > len(set(rows)):
        return "a row is under two rules over groups"
    groups = problem.group_count(about[0].grouping) if about else problem.agents // GROUP_SIZE + 1  # type: ignore[attr-defined]
    return "there are too many rows and groups" if groups * problem.rows > MOST_CELLS else None


def _unsaid(problem: Problem, rule: Rule) -> str | None:
    """Return what about a rule cannot be said by quotas of single rows."""
    if rule.soft:
        return "a rule is relaxed"
    if not isinstance(rule, GroupCap | Quota | Balance) or len(rule.rows) != 1:
        return "a rule ties rows together"
    if isinstance(rule, Quota | Balance) and rule.grouping == EACH_AGENT:
        return "a share is over single agents"
    if isinstance(rule, Balance) and rule.at_least:
        here = np.unique(problem.groupings[rule.grouping])
        if len(rule.counted.group) or rule.at_least != int((rule.relevant[here[here >= 0]]).sum()):
            return "a balance is over the groups in use"
    return None


@dataclass(frozen=True, eq=False)
class Sharing:
    """The grouping a problem is planned by, and the rule of each row over it.

    Attributes
    ----------
    codes
        int64[agents]: the group of each agent, groups - 1 for those outside all groups.
    groups
        Number of groups, with the one for agents outside all.
    rules
        The rule over groups of each row that has one.
    """

    problem: Problem
    codes: Int64
    groups: int
    rules: dict[int, Rule]

    @classmethod
    def of(cls, problem: Problem) -> Sharing:
        """Return the grouping of a problem; without rules over groups agents are dealt into groups of like capacity."""
        rules = {
            int(rule.rows[0]): rule
            for rule in problem.rules
            if getattr(rule, "grouping", EACH_AGENT) != EACH_AGENT
        }  # fmt: skip
        if rules:
            grouping = next(iter(rules.values())).grouping  # type: ignore[attr-defined]
            groups = problem.group_count(grouping) + 1
            codes = problem.groups(grouping).astype(np.int64)
            return cls(problem, np.where(codes < 0, groups - 1, codes), groups, rules)
        groups = max(1, round(problem.agents / GROUP_SIZE))
        order = np.lexsort((problem.price, *problem.capacity.T))
        codes = np.empty(problem.agents, np.int64)
        codes[order] = np.arange(problem.agents) % groups
        return cls(problem, codes, groups + 1, {})

    def quotas(self, share: Float, total: Int64, chosen: Bool) -> Int64:
        """Return int64[rows, groups]: whole quotas near the shares, `total` of each row as far as its rule allows.

        Extra instances go where the fraction is greatest, and where earlier rows (the larger come first) have made the
        group hold less than planned.

        Parameters
        ----------
        share
            float64[rows, groups]: the plan.
        total
            int64[rows].
        chosen
            bool[agents]: the agents there are; no group gets more of a row than they hold of it alone.
        """
        problem = self.problem
        caps = agent_caps(problem)
        unit = np.maximum(problem.capacity.mean(axis=0), 1.0)
        need = problem.demand[problem.shape] / unit
        quota = np.zeros(share.shape, np.int64)
        error = np.zeros((self.groups, need.shape[1]))
        for row in np.argsort(-need.max(axis=1, initial=0.0), kind="stable").tolist():
            if not total[row]:
                continue
            low, high = self.window(row, int(total[row]))
            high = np.minimum(high, self._most(row, chosen, caps))
            low = np.minimum(low, high)
            size = max(float((need[row] ** 2).sum()), 1e-12)
            lean = np.clip(error @ need[row] / size, -1.0, 1.0)
            quota[row] = _whole(share[row], int(total[row]), low, high, lean)
            error += np.outer(quota[row] - share[row], need[row])
        return quota

    def _most(self, row: int, chosen: Bool, caps: dict[int, Int64]) -> Int64:
        """Return int64[groups]: how many instances of a row the chosen agents of each group hold by themselves."""
        most = np.where(
            chosen & self.problem.allowed(row), self.problem.most_per_agent(int(self.problem.shape[row])), 0
        )
        most = np.minimum(np.minimum(most, caps[row]) if row in caps else most, self.problem.wanted[row])
        return np.bincount(self.codes, weights=most, minlength=self.groups).astype(np.int64)

    def window(self, row: int, total: int) -> tuple[Int64, Int64]:
        """Return int64[groups] each: the least and most new instances of a row when `total` are placed."""
        low, high = np.zeros(self.groups, np.int64), np.full(self.groups, UNLIMITED)
        rule = self.rules.get(row)
        if rule is None:
            return low, high
        counted = _dense(rule.counted, self.groups)  # type: ignore[attr-defined]
        if isinstance(rule, GroupCap):
            high[:-1] = np.maximum(0, rule.limit - counted)[:-1]
        elif isinstance(rule, Quota):
            high[:-1] = np.maximum(0, rule.each + 1 - counted)[:-1]
        elif isinstance(rule, Balance):
            matter = np.r_[rule.relevant, False]
            matter &= np.bincount(self.codes, minlength=self.groups) > 0 if rule.at_least else True
            level = water_level(counted[matter], total)
            low = np.where(matter, np.maximum(0, level - counted), 0)
            high = np.where(matter, np.maximum(0, level + 1 - counted), 0)
        return low, high

    def trimmed(self, row: int, counts: Int64) -> Int64:
        """Return int64[groups]: how many of the new instances in each group may stay under the row's rule."""
        rule = self.rules.get(row)
        if rule is None:
            return counts
        counted = _dense(rule.counted, self.groups)  # type: ignore[attr-defined]
        if isinstance(rule, Balance):
            matter = np.r_[rule.relevant, False]
            final = counted + counts
            least = int(final[matter].min(initial=UNLIMITED)) if matter.any() else 0
            return np.where(matter, np.minimum(counts, np.maximum(0, least + 1 - counted)), 0)
        if isinstance(rule, Quota):
            return np.r_[_quota_kept(rule, counted[:-1], counts[:-1]), counts[-1]]
        if isinstance(rule, GroupCap):
            return np.r_[np.minimum(counts, np.maximum(0, rule.limit - counted))[:-1], counts[-1]]
        return counts


def water_level(counted: Int64, total: int) -> int:
    """Return the greatest level up to which `total` instances can raise all of some counts."""
    if not len(counted):
        return 0
    depth = np.sort(counted)
    filled = depth * np.arange(1, len(depth) + 1) - np.cumsum(depth)
    last = int(np.searchsorted(filled, total, side="right"))
    return int(depth[last - 1] + (total - filled[last - 1]) // last)


def _dense(counted: Counts, groups: int) -> Int64:
    """Return int64[groups]; the last group, of agents outside all, has none."""
    return np.r_[counted.dense(groups - 1), 0]


def _whole(share: Float, total: int, low: Int64, high: Int64, lean: Float) -> Int64:
    """Return whole numbers near the shares between low and high, `total` in sum if that can be had."""
    floor = np.clip(np.floor(share + 1e-6).astype(np.int64), low, high)
    while (missing := total - int(floor.sum())) > 0:
        open_to = np.flatnonzero((floor < high) & ((share > 0) | (low > 0) | (high < UNLIMITED)))
        if not len(open_to):
            open_to = np.flatnonzero(floor < high)
        if not len(open_to):
            break
        gain = (share - floor - lean)[open_to]
        floor[open_to[np.argsort(-gain, kind="stable")][:missing]] += 1
    while (over := int(floor.sum()) - total) > 0:
        above = np.flatnonzero(floor > low)
        if not len(above):
            break
        loss = (share - floor - lean)[above]
        floor[above[np.argsort(loss, kind="stable")][:over]] -= 1
    return floor


def _quota_kept(rule: Quota, counted: Int64, new: Int64) -> Int64:
    """Return int64[groups]: new instances that may stay under a quota, the fullest groups first."""
    spent = int(np.maximum(0, counted - rule.each).sum() + np.maximum(0, rule.outside - rule.each).sum())
    extras = max(0, rule.extra - spent)
    fresh = max(0, rule.groups - int((counted > 0).sum()) - int((rule.outside > 0).sum()))
    kept = np.minimum(new, np.maximum(0, rule.each - counted))
    more = (new > kept) & (counted + kept == rule.each)
    order = np.argsort(-(2 * kept + more), kind="stable")
    opened = order[(counted[order] == 0) & (new[order] > 0)]
    kept[opened[fresh:]] = 0
    more[opened[fresh:]] = False
    kept[order[more[order]][:extras]] += 1
    return kept
