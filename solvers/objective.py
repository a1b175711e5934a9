"""The objective's levels as exact integers, computed from an assignment and nothing else.

Lexicographic: instances placed by priority (by weight inside one), violations of soft rules, then the goal. What a
violation is stands in `solvers.rules`, what a goal measures in `solvers.problem`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers.problem import Assignment, Goal, Problem
from solvers.rules import (
    Avoid,
    Balance,
    Excludes,
    GroupCap,
    Int32,
    Int64,
    OneGroup,
    Quota,
    Requires,
    Rule,
)

MILLION = 1_000_000
THOUSAND = 1000


def priorities(problem: Problem) -> tuple[int, ...]:
    """Return the priorities of rows that want anything, greatest first."""
    return tuple(sorted(set(problem.priority[problem.wanted > 0].tolist()), reverse=True))


def values(problem: Problem, assignment: Assignment) -> tuple[int, ...]:
    """Return the value of every level in order: 'placed' for each priority, 'violations' if a rule is soft, the goal."""
    placed = assignment.placed(problem.rows)
    found = [int((placed * problem.weight)[problem.priority == tier].sum()) for tier in priorities(problem)]
    if any(rule.soft for rule in problem.rules):
        found.append(violations(problem, assignment))
    return (*found, goal_value(problem, assignment))


def names(problem: Problem) -> tuple[tuple[str, int | None, int], ...]:
    """Return (name, priority, sense) of every level, in the order of `values`."""
    tiers: list[tuple[str, int | None, int]] = [("placed", tier, 1) for tier in priorities(problem)]
    if any(rule.soft for rule in problem.rules):
        tiers.append(("violations", None, -1))
    return (*tiers, (problem.goal, None, -1))


def better(problem: Problem, one: Sequence[int], other: Sequence[int]) -> bool:
    """Tell whether the level values `one` are lexicographically better than `other`."""
    signs = [sense for _, _, sense in names(problem)]
    return [sign * value for sign, value in zip(signs, one, strict=True)] > [
        sign * value for sign, value in zip(signs, other, strict=True)
    ]


# --- violations -------------------------------------------------------------------------------------------------------


def violations(problem: Problem, assignment: Assignment) -> int:
    """Return by how many instances the soft rules are broken, in sum."""
    return sum(violation(problem, assignment, rule) for rule in problem.rules if rule.soft)


def violation(problem: Problem, assignment: Assignment, rule: Rule) -> int:
    """Return by how many new instances one rule is broken: as many would have to go for it to hold."""
    if isinstance(rule, Avoid):
        chosen = np.isin(assignment.row, rule.rows)
        return int(assignment.count[chosen & ~rule.mask[assignment.agent]].sum())
    if isinstance(rule, GroupCap):
        new = group_counts(problem, assignment, rule.rows, rule.grouping)
        room = np.maximum(0, rule.limit - rule.counted.dense(len(new)))
        return int(np.maximum(0, new - room).sum())
    if isinstance(rule, OneGroup):
        new = group_counts(problem, assignment, rule.rows, rule.grouping)
        return int(new.sum() - new.max(initial=0))
    if isinstance(rule, Quota):
        return _quota_excess(problem, assignment, rule)
    if isinstance(rule, Balance):
        new = group_counts(problem, assignment, rule.rows, rule.grouping)
        return int(balance_excess(rule, new).sum())
    if isinstance(rule, Requires):
        new = group_counts(problem, assignment, rule.rows, rule.grouping)
        there = group_counts(problem, assignment, rule.others, rule.grouping) + rule.others_counted.dense(len(new))
        return int(new[there == 0].sum())
    if isinstance(rule, Excludes):
        new = group_counts(problem, assignment, rule.rows, rule.grouping)
        there = group_counts(problem, assignment, rule.others, rule.grouping) + rule.others_counted.dense(len(new))
        room = np.maximum(0, rule.limit - rule.counted.dense(len(new)))
        late = group_counts(problem, assignment, rule.others, rule.grouping)
        kept_out = rule.counted.dense(len(new)) > rule.limit
        return int(np.maximum(0, new - room)[there > 0].sum() + late[kept_out].sum())
    raise TypeError(f"{type(rule).__name__} cannot be soft")


def group_counts(problem: Problem, assignment: Assignment, rows: Int32, grouping: int) -> Int64:
    """Return int64[groups]: new instances of the rows in each group (those outside all groups are not counted)."""
    chosen = runs_of(assignment, rows)
    codes = problem.groups(grouping)[assignment.agent[chosen]]
    counts = np.zeros(problem.group_count(grouping), np.int64)
    inside = codes >= 0
    np.add.at(counts, codes[inside], assignment.count[chosen][inside])
    return counts


def runs_of(assignment: Assignment, rows: Int32) -> Int64:
    """Return int64[k]: the numbers of the runs of some rows, found by the order of the runs."""
    first = np.searchsorted(assignment.row, rows, side="left").tolist()
    last = np.searchsorted(assignment.row, rows, side="right").tolist()
    return np.concatenate([np.empty(0, np.int64), *map(np.arange, first, last)])


def balance_excess(rule: Balance, new: Int64) -> Int64:
    """Return int64[groups]: new instances above one more than the least final count among the groups that matter."""
    counted = rule.counted.dense(len(new))
    final = counted + new
    among = final[final > 0] if rule.at_least else final[rule.relevant]
    least = int(among.min()) if len(among) else 0
    if rule.at_least and int((final > 0).sum()) < min(rule.at_least, int(final.sum())):
        least = 0  # too few groups in use: none may hold a second instance
    excess = np.where(new > 0, np.maximum(0, final - np.maximum(counted, least + 1)), 0)
    return np.where(rule.relevant, excess, new)


def _quota_excess(problem: Problem, assignment: Assignment, rule: Quota) -> int:
    """Return the least number of new instances that must go for a quota to hold."""
    new = group_counts(problem, assignment, rule.rows, rule.grouping)
    counted = rule.counted.dense(len(new))
    return int(new.sum()) - _quota_most(rule, counted, new)


def _quota_most(rule: Quota, counted: Int64, new: Int64) -> int:
    """Return the most new instances that can stay under a quota: full shares first, then where an extra one stays."""
    outside_used = int((rule.outside > 0).sum())
    spent = int(np.maximum(0, counted - rule.each).sum() + np.maximum(0, rule.outside - rule.each).sum())
    extras = max(0, rule.extra - spent)
    groups_left = max(0, rule.groups - int((counted > 0).sum()) - outside_used)
    plain = np.minimum(new, np.maximum(0, rule.each - counted))
    more = (new > plain) & (counted + plain == rule.each)
    old = counted > 0
    return _best_choice(plain[old], more[old], plain[~old], more[~old], groups_left, extras)


def _best_choice(
    old_plain: Int64, old_more: Int64, fresh_plain: Int64, fresh_more: Int64, groups: int, extras: int
) -> int:
    """Return the most instances kept when `groups` fresh groups may be used and `extras` groups hold one more."""
    best = 0
    order = np.argsort(-(fresh_plain * 2 + fresh_more), kind="stable")
    for with_more in range(min(extras, int(fresh_more.sum()), groups) + 1):
        gains = fresh_plain.astype(np.int64).copy()
        candidates = order[fresh_more[order].astype(bool)][:with_more]
        gains[candidates] += 1
        kept = np.sort(np.delete(gains, candidates))[::-1][: groups - with_more].sum() + gains[candidates].sum()
        best = max(best, int(kept) + min(extras - with_more, int(old_more.sum())))
    return int(old_plain.sum()) + best


# --- goals ------------------------------------------------------------------------------------------------------------


def goal_value(problem: Problem, assignment: Assignment) -> int:
    """Return the value of the goal; see `Problem.goal`."""
    return GOALS[problem.goal](problem, assignment)


def used_after(problem: Problem, assignment: Assignment) -> Int64:
    """Return int64[agents, R]: what is used of the plain resources after the assignment."""
    plain = problem.total.shape[1]
    used = problem.total - problem.capacity[:, :plain]
    need = problem.demand[problem.shape[assignment.row], :plain] * assignment.count[:, None]
    np.add.at(used, assignment.agent, need)
    return used


def _pack(problem: Problem, assignment: Assignment) -> int:
    used = np.zeros(problem.agents, np.bool_)
    used[assignment.agent] = True
    return int(problem.price[used & ~problem.held].sum())


def _balance(problem: Problem, assignment: Assignment) -> int:
    used, total = used_after(problem, assignment), problem.total
    there = total > 0
    if not there.any():
        return 0
    return int((-(-used[there] * MILLION // total[there])).max())


def dominant_share(used: Int64, total: Int64) -> Int64:
    """Return int64[agents]: greatest used/total over the resources in thousandths, rounded down (0 where none is)."""
    share = np.where(total > 0, used * THOUSAND // np.maximum(total, 1), 0)
    return np.asarray(share.max(axis=1, initial=0))


def _spread(problem: Problem, assignment: Assignment) -> int:
    share = dominant_share(used_after(problem, assignment), problem.total)
    return int((share * share).sum())


def _prefer(problem: Problem, assignment: Assignment) -> int:
    return int((problem.costs(assignment.row, assignment.agent) * assignment.count).sum())


GOALS = {"pack": _pack, "balance": _balance, "spread": _spread, "prefer": _prefer}
assert set(GOALS) == set(Goal.__args__)  # type: ignore[attr-defined]
