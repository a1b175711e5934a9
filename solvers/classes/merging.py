"""Agents that no rule, no capacity and no goal can tell apart, merged into classes, and answers taken there and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.problem import ALL_AGENTS, Assignment, Problem
from solvers.rules import EACH_AGENT, Avoid, Balance, Counts, Int64


@dataclass(frozen=True, eq=False)
class Merged:
    """An answer by class: `times[p]` agents of class `cls[p]` hold pattern p each.

    Attributes
    ----------
    cls, times
        int64[patterns].
    pattern, row, count
        int64[k]: `count[i]` instances of `row[i]` in `pattern[i]`, sorted by pattern and row.
    """

    cls: Int64
    times: Int64
    pattern: Int64
    row: Int64
    count: Int64


@dataclass(frozen=True, eq=False)
class Classes:
    """The classes of a problem's agents.

    Attributes
    ----------
    class_of
        int64[agents].
    head, count
        int64[classes]: the first agent of each, and how many agents it has.
    """

    class_of: Int64
    head: Int64
    count: Int64

    @classmethod
    def of(cls, problem: Problem) -> Classes:
        """Return the classes: agents are in one if exchanging them changes neither rightness nor any level."""
        if not problem.agents:
            none = np.empty(0, np.int64)
            return cls(none, none, none)
        signature = np.column_stack(_signature(problem))
        _, head, inverse, count = np.unique(
            signature, axis=0, return_index=True, return_inverse=True, return_counts=True
        )
        order = np.argsort(head, kind="stable")
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        return cls(place[inverse.reshape(-1)], head[order].astype(np.int64), count[order].astype(np.int64))

    def __len__(self) -> int:
        return len(self.head)

    def merge(self, answer: Assignment) -> Merged:
        """Return an answer by class."""
        first = np.argsort(answer.agent, kind="stable")
        row, agent, count = answer.row[first], answer.agent[first], answer.count[first]
        found: dict[tuple[int, bytes, bytes], int] = {}
        ends = np.flatnonzero(np.r_[agent[1:] != agent[:-1], True][: len(agent)]) + 1
        for start, end in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=False):
            key = (int(self.class_of[agent[start]]), row[start:end].tobytes(), count[start:end].tobytes())
            found[key] = found.get(key, 0) + 1
        rows = [np.frombuffer(key[1], row.dtype).astype(np.int64) for key in found]
        counts = [np.frombuffer(key[2], count.dtype).astype(np.int64) for key in found]
        none = np.empty(0, np.int64)
        return Merged(
            cls=np.array([key[0] for key in found], np.int64),
            times=np.array(list(found.values()), np.int64),
            pattern=np.repeat(np.arange(len(found)), [len(one) for one in rows]),
            row=np.concatenate([none, *rows]),
            count=np.concatenate([none, *counts]),
        )

    def expand(self, merged: Merged) -> Assignment:
        """Return the answer in which the first agents of each class hold its patterns, in the order given."""
        members = np.argsort(self.class_of, kind="stable")
        first = np.cumsum(self.count) - self.count
        pattern = np.repeat(np.arange(len(merged.cls)), merged.times)
        cls = merged.cls[pattern]
        order = np.argsort(cls, kind="stable")
        taken = np.bincount(cls, minlength=len(self))
        inside = np.arange(len(cls)) - np.repeat(np.cumsum(taken) - taken, taken)
        agent = members[first[cls[order]] + inside]
        size = np.bincount(merged.pattern, minlength=len(merged.cls))
        start = np.cumsum(size) - size
        mine = size[pattern[order]]
        run = np.repeat(start[pattern[order]], mine) + np.arange(mine.sum()) - np.repeat(np.cumsum(mine) - mine, mine)
        return Assignment.of_runs(merged.row[run], np.repeat(agent, mine), merged.count[run], len(self.class_of))


def _signature(problem: Problem) -> list[Int64]:
    """Return int64[agents] columns that agents of one class have in common."""
    asked = np.flatnonzero(problem.demand[problem.shape[problem.wanted > 0]].any(axis=0))
    found = [np.maximum(problem.capacity[:, dimension], 0) for dimension in asked.tolist()]
    used = sorted({int(number) for number in problem.mask.tolist()} - {ALL_AGENTS})
    found += [problem.masks[number].astype(np.int64) for number in used]
    found += [codes.astype(np.int64) for codes in _rule_columns(problem)]
    found += _goal_columns(problem)
    if len(problem.unit_requests.row):
        owner = np.isin(np.arange(problem.agents), problem.units.agent)
        found.append(np.where(owner, np.arange(problem.agents), -1))
    return found or [np.zeros(problem.agents, np.int64)]


def _rule_columns(problem: Problem) -> list[Int64]:
    """Return what rules see of agents: groups, and for rules over each agent what is counted there."""
    found: list[Int64] = []
    groupings = {getattr(rule, "grouping", EACH_AGENT) for rule in problem.rules} - {EACH_AGENT}
    found += [problem.groupings[number].astype(np.int64) for number in sorted(groupings)]
    for rule in problem.rules:
        if isinstance(rule, Avoid):
            found.append(rule.mask.astype(np.int64))
        elif getattr(rule, "grouping", None) == EACH_AGENT:
            counts = [getattr(rule, name, Counts()) for name in ("counted", "others_counted")]
            found += [one.dense(problem.agents) for one in counts if len(one.group)]
            if isinstance(rule, Balance):
                found.append(rule.relevant.astype(np.int64))
    return found


def _goal_columns(problem: Problem) -> list[Int64]:
    """Return what the goal sees of agents."""
    if problem.goal == "pack":
        return [np.where(problem.held, 0, problem.price)]
    if problem.goal == "prefer":
        return [_cost_kinds(problem)]
    plain = problem.total.shape[1]
    return [*problem.total.T, *problem.capacity[:, :plain].T]


def _cost_kinds(problem: Problem) -> Int64:
    """Return int64[agents]: equal for agents on which every row has the same preference cost."""
    key, cost = problem.preference_keys
    row, agent = np.divmod(key[cost != 0], problem.agents)
    order = np.lexsort((row, agent))
    pairs = np.column_stack([row[order], cost[cost != 0][order]])
    ends = np.searchsorted(agent[order], np.arange(problem.agents + 1))
    kinds: dict[bytes, int] = {}
    return np.array(
        [kinds.setdefault(pairs[ends[a] : ends[a + 1]].tobytes(), len(kinds)) for a in range(problem.agents)], np.int64
    )
