"""An independent judge of assignments for tests: every rule read from its docstring, over plain Python numbers.

It shares nothing with the solvers but the classes that hold a problem. It is slow and meant for small problems.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from solvers.problem import Assignment, Problem
from solvers.rules import (
    EACH_AGENT,
    Avoid,
    Balance,
    Counts,
    Excludes,
    Gang,
    GroupCap,
    OneGroup,
    Quota,
    Requires,
    Rule,
)

Placed = dict[tuple[int, int], int]
"""Instances placed by (row, agent)."""


def breaches(problem: Problem, assignment: Assignment, *, soft_too: bool = False) -> list[str]:
    """Everything that is wrong with an assignment, one sentence each; relaxed rules only with `soft_too`."""
    found = list(_form(problem, assignment))
    if found:
        return found
    placed = {
        (row, agent): count
        for row, agent, count in zip(
            assignment.row.tolist(), assignment.agent.tolist(), assignment.count.tolist(), strict=True
        )
    }
    found += _plain(problem, placed)
    found += _units(problem, placed)
    for number, rule in enumerate(problem.rules):
        if isinstance(rule, Avoid) and not soft_too:
            continue
        if soft_too or not rule.soft:
            found += [f"rule {number} ({type(rule).__name__}): {one}" for one in judge(problem, rule, placed)]
    return found


def _form(problem: Problem, assignment: Assignment) -> Iterable[str]:
    pairs = list(zip(assignment.row.tolist(), assignment.agent.tolist(), strict=True))
    if pairs != sorted(set(pairs)):
        yield "runs are not sorted, or a pair occurs twice"
    if any(count <= 0 for count in assignment.count.tolist()):
        yield "a run without instances"
    if any(not (0 <= row < problem.rows and 0 <= agent < problem.agents) for row, agent in pairs):
        yield "a run outside the problem"


def _plain(problem: Problem, placed: Placed) -> Iterable[str]:
    """Capacity, masks and numbers wanted."""
    by_row: Counter[int] = Counter()
    used: Counter[tuple[int, int]] = Counter()
    for (row, agent), count in placed.items():
        by_row[row] += count
        if problem.mask[row] >= 0 and not problem.masks[int(problem.mask[row])][agent]:
            yield f"row {row} on agent {agent}, which its mask excludes"
        for dimension, need in enumerate(problem.demand[int(problem.shape[row])].tolist()):
            used[agent, dimension] += need * count
    for row, count in by_row.items():
        if count > int(problem.wanted[row]):
            yield f"row {row} has {count} instances of {int(problem.wanted[row])} wanted"
    for (agent, dimension), amount in used.items():
        if amount > 0 and amount > int(problem.capacity[agent, dimension]):
            yield f"agent {agent} gives {amount} of {int(problem.capacity[agent, dimension])} in dimension {dimension}"


def _units(problem: Problem, placed: Placed) -> Iterable[str]:
    """Whether the instances on each agent can be served from its units in some order."""
    asking = set(problem.unit_requests.row.tolist())
    for agent in range(problem.agents):
        rows: list[int] = []
        for (row, where), count in placed.items():
            if where == agent and row in asking:
                rows += [row] * count
        mine = [i for i, owner in enumerate(problem.units.agent.tolist()) if owner == agent]
        if rows and not _servable(problem, rows, {unit: int(problem.units.amount[unit]) for unit in mine}):
            yield f"the units of agent {agent} do not serve rows {rows}"


def _servable(problem: Problem, rows: list[int], left: dict[int, int]) -> bool:
    if not rows:
        return True
    for row in sorted(set(rows)):
        after = _serve(problem, row, left)
        if after is not None:
            rest = list(rows)
            rest.remove(row)
            if _servable(problem, rest, after):
                return True
    return False


def _serve(problem: Problem, row: int, left: dict[int, int]) -> dict[int, int] | None:
    """What is left after one instance took its requests in order; None if one cannot be served."""
    left = dict(left)
    asked = problem.unit_requests
    for i, owner in enumerate(asked.row.tolist()):
        if owner != row:
            continue
        amount, suits = int(asked.amount[i]), asked.masks[int(asked.eligible[i])]
        able = [unit for unit, free in left.items() if suits[unit] and free >= max(amount, 1)]
        shared = [unit for unit in able if not problem.units.whole[unit]]
        if shared:
            best = max(left[unit] for unit in shared)
            left[next(unit for unit in shared if left[unit] == best)] -= amount
        elif able:
            left[able[0]] = 0
        else:
            return None
    return left


def judge(problem: Problem, rule: Rule, placed: Placed) -> list[str]:
    """How an assignment breaks one rule."""
    judges: dict[type[Rule], Callable[..., Iterable[str]]] = {
        GroupCap: _group_cap,
        OneGroup: _one_group,
        Quota: _quota,
        Balance: _balance,
        Requires: _requires,
        Excludes: _excludes,
        Gang: _gang,
        Avoid: _avoid,
    }
    return list(judges[type(rule)](problem, rule, placed))


def _codes(problem: Problem, grouping: int) -> list[int]:
    return list(range(problem.agents)) if grouping == EACH_AGENT else problem.groupings[grouping].tolist()


def _by_group(problem: Problem, rows: Iterable[int], grouping: int, placed: Placed) -> Counter[int]:
    """New instances of rows by group; -1 holds those on agents outside all groups."""
    scope, codes, new = set(map(int, rows)), _codes(problem, grouping), Counter[int]()
    for (row, agent), count in placed.items():
        if row in scope:
            new[codes[agent]] += count
    return new


def _known(counts: Counts) -> Counter[int]:
    return Counter({g: c for g, c in zip(counts.group.tolist(), counts.count.tolist(), strict=True) if c})


def _group_cap(problem: Problem, rule: GroupCap, placed: Placed) -> Iterable[str]:
    known = _known(rule.counted)
    for group, new in _by_group(problem, rule.rows, rule.grouping, placed).items():
        if group >= 0 and known[group] + new > rule.limit:
            yield f"group {group} has {known[group]} + {new} instances, at most {rule.limit}"


def _one_group(problem: Problem, rule: OneGroup, placed: Placed) -> Iterable[str]:
    groups = set(_by_group(problem, rule.rows, rule.grouping, placed))
    if len(groups) > 1 or -1 in groups:
        yield f"instances in groups {sorted(groups)}, not in one"


def _quota(problem: Problem, rule: Quota, placed: Placed) -> Iterable[str]:
    known, new = _known(rule.counted), _by_group(problem, rule.rows, rule.grouping, placed)
    new.pop(-1, None)
    outside = [count for count in rule.outside.tolist() if count > 0]
    opened = [group for group in new if not known[group]]
    used = set(known) | set(new)
    if opened and len(used) + len(outside) > rule.groups:
        yield f"{len(used) + len(outside)} groups are used, at most {rule.groups}"
    raised = 0
    for group, count in new.items():
        if known[group] + count > rule.each + 1:
            yield f"group {group} has {known[group]} + {count} instances, its share is {rule.each} and perhaps one"
        raised += known[group] <= rule.each < known[group] + count
    spent = sum(max(0, count - rule.each) for count in [*known.values(), *outside])
    if raised and spent + raised > rule.extra:
        yield f"{spent + raised} extras are used, at most {rule.extra}"


def _balance(problem: Problem, rule: Balance, placed: Placed) -> Iterable[str]:
    """With fewer than `at_least` groups in use the least count is that of an unused group, 0."""
    new = _by_group(problem, rule.rows, rule.grouping, placed)
    relevant = rule.relevant.tolist()
    final = _known(rule.counted) + new
    for group in new:
        if group < 0 or not relevant[group]:
            yield f"an instance in group {group}, which does not matter"
    if rule.at_least == 0:
        least = min((final[group] for group, matters in enumerate(relevant) if matters), default=0)
    else:
        least = min(final.values(), default=0) if len(final) >= rule.at_least else 0
    for group in new:
        if final[group] > least + 1:
            yield f"group {group} has {final[group]} instances, the least is {least}"


def _requires(problem: Problem, rule: Requires, placed: Placed) -> Iterable[str]:
    there = _known(rule.others_counted) + _by_group(problem, rule.others, rule.grouping, placed)
    for group in _by_group(problem, rule.rows, rule.grouping, placed):
        if group < 0 or not there[group]:
            yield f"an instance in group {group}, where none of rows {rule.others.tolist()} is"


def _excludes(problem: Problem, rule: Excludes, placed: Placed) -> Iterable[str]:
    new = _by_group(problem, rule.rows, rule.grouping, placed)
    new_others = _by_group(problem, rule.others, rule.grouping, placed)
    mine, others = _known(rule.counted) + new, _known(rule.others_counted) + new_others
    for group in sorted((set(new) | set(new_others)) - {-1}):
        if others[group] and mine[group] > rule.limit:
            yield f"group {group} has {mine[group]} instances beside {others[group]} others, at most {rule.limit}"


def _gang(problem: Problem, rule: Gang, placed: Placed) -> Iterable[str]:
    scope = set(rule.rows.tolist())
    total = sum(count for (row, _), count in placed.items() if row in scope)
    if 0 < total < rule.least:
        yield f"{total} instances, none or at least {rule.least}"


def _avoid(problem: Problem, rule: Avoid, placed: Placed) -> Iterable[str]:
    scope = set(rule.rows.tolist())
    for (row, agent), count in placed.items():
        if row in scope and not rule.mask[agent]:
            yield f"{count} instances of row {row} on agent {agent}"
