"""A shape at a time: all rows with one demand, one mask and one simple mode are placed together.

The agents are scored and ordered once for all of them. Rows that differ, or have any other rule, are not placed here.
"""

from __future__ import annotations

import numpy as np

from solvers.greedy.kernel import Agents, Numbers, filled, ranked, small
from solvers.greedy.run import Run
from solvers.greedy.traits import Mode, Spread
from solvers.rules import Int64

SLACK = 64
"""A window is refilled by so many agents more than the next row needs."""


def place_shape(run: Run, rows: Int64, mode: Mode) -> None:
    """Place rows of one demand and one mask, the one with most instances first."""
    rows = rows[np.argsort(-run.left[rows], kind="stable")]
    if mode.spread is not None:
        _balanced(run, rows, mode.spread)
    else:
        agents, room = _ordered(run, rows)
        if mode.limit is None:
            _poured(run, rows, agents, room)
        else:
            _capped(run, rows, agents, room, mode.limit)


def _ordered(run: Run, rows: Int64) -> tuple[Agents, Int64]:
    """Return the agents that have capacity, best first, and for how many instances."""
    row = int(rows[0])
    room = _room(run, row)
    fit = np.flatnonzero(room)
    order = fit[ranked(run.score(run.room, run.needs(row))[fit])]
    return order, np.minimum(room[order], int(run.left[rows].sum())).astype(np.int64)


def _room(run: Run, row: int) -> Numbers:
    """Return how many instances each allowed agent has capacity for."""
    room = run.room.most(run.needs(row))
    mask = run.mask(row)
    return room if mask is None else room * mask


def _poured(run: Run, rows: Int64, agents: Agents, room: Int64) -> None:
    """Fill one agent after the other with one row after the other."""
    row_end, agent_end = np.cumsum(run.left[rows]), np.cumsum(room)
    total = min(int(row_end[-1]), int(agent_end[-1]) if len(agents) else 0)
    if not total:
        return
    used = agents[: int(np.searchsorted(agent_end, total)) + 1]
    agent_end = np.minimum(agent_end[: len(used)], total)
    ends = np.union1d(agent_end, np.minimum(row_end, total))
    starts = np.concatenate([[0], ends[:-1]])
    row = rows[np.searchsorted(row_end, starts, side="right")]
    agent = used[np.searchsorted(agent_end, starts, side="right")]
    run.record_rows(row, agent, ends - starts)
    run.room.take(run.needs(int(rows[0])), used, np.diff(agent_end, prepend=0))


def _capped(run: Run, rows: Int64, agents: Agents, room: Int64, limit: int) -> None:
    """Give each row at most `limit` instances of every agent, the best agents of a window first.

    Agents that are full fall out of the window, and it is refilled from the order: good agents are filled by many rows
    before another is opened.
    """
    before = room.copy()
    window = np.arange(0)
    refilled = 0
    row_of: list[int] = []
    taken: list[Agents] = []
    counts: list[Int64] = []
    for row, wanted in zip(rows.tolist(), run.left[rows].tolist(), strict=True):
        if len(window) < wanted and refilled < len(agents):
            end = min(len(agents), refilled + wanted - len(window) + SLACK)
            window = np.concatenate([window, np.arange(refilled, end)])
            refilled = end
        if limit == 1:
            chosen = window[:wanted]
            count = np.ones(len(chosen), np.int64)
        else:
            count = filled(np.minimum(room[window], limit), wanted)
            chosen, count = window[count > 0], count[count > 0]
        room[chosen] -= count
        row_of.append(row)
        taken.append(chosen)
        counts.append(count)
        if not room[chosen].all():
            window = window[room[window] > 0]
    lengths = [len(one) for one in taken]
    run.record_rows(np.repeat(row_of, lengths), agents[np.concatenate(taken)], np.concatenate(counts))
    changed = np.flatnonzero(room != before)
    run.room.take(run.needs(int(rows[0])), agents[changed], (before - room)[changed])


def _balanced(run: Run, rows: Int64, spread: Spread) -> None:
    """Spread each row over all groups that matter, counts differing by one at most.

    The agents' capacities, ordered by group and score, form one line of slots; each group's next free slot moves on.
    Every row takes an equal floor from each group, and one more from the groups with most room left.
    """
    matters = np.flatnonzero(spread.relevant)
    if not len(matters):
        return
    agents, room, sizes = _by_group(run, rows, spread.grouping, matters)
    end = np.cumsum(room)
    group_end = np.cumsum(sizes)
    next_slot = group_end - sizes
    # room and tie-break in one number: more room first, then the lower group
    groups = len(matters)
    key = np.minimum(sizes, int(run.left[rows].sum())) * groups + np.arange(groups)[::-1]
    row_of: list[int] = []
    starts: list[Int64] = []
    depth: list[int] = []
    for row, wanted in zip(rows.tolist(), run.left[rows].tolist(), strict=True):
        floor = wanted // groups
        if floor:
            floor = min(floor, int(key.min()) // groups)
        if floor:
            row_of.append(row)
            starts.append(next_slot.copy())
            depth.append(floor)
            next_slot += floor
            key -= floor * groups
        extra = min(wanted - floor * groups, groups)
        if extra and int(key.max()) >= groups:
            chosen = np.argpartition(key, groups - extra)[groups - extra :]
            if key[chosen].min() < groups:
                chosen = chosen[key[chosen] >= groups]
            row_of.append(row)
            starts.append(next_slot[chosen])
            depth.append(1)
            next_slot[chosen] += 1
            key[chosen] -= groups
    if not starts:
        return
    lengths = [len(one) for one in starts]
    row = np.repeat(row_of, lengths)
    _take_slots(run, row, np.concatenate(starts), np.repeat(depth, lengths), agents, end)


def _by_group(run: Run, rows: Int64, grouping: int, matters: Agents) -> tuple[Agents, Int64, Int64]:
    """Return the agents with capacity by group and score, their room, and the room of each group that matters."""
    row = int(rows[0])
    position = np.full(run.problem.group_count(grouping) + 1, -1, np.int64)
    position[matters] = np.arange(len(matters))
    where = position[run.problem.groups(grouping)]
    room = _room(run, row) * (where >= 0)
    fit = np.flatnonzero(room)
    order = fit[ranked(run.score(run.room, run.needs(row))[fit])]
    order = order[np.argsort(small(where[order], len(matters)), kind="stable")]
    room = np.minimum(room[order], int(run.left[rows].sum())).astype(np.int64)
    sizes = np.zeros(len(matters), np.int64)
    np.add.at(sizes, where[order], room)
    return order, room, sizes


def _take_slots(run: Run, row: Int64, start: Int64, depth: Int64, agents: Agents, end: Int64) -> None:
    """Place `depth[i]` instances of `row[i]` from slot `start[i]` on; slots below `end[j]` belong to agents up to j."""
    first = np.searchsorted(end, start, side="right")
    last = np.searchsorted(end, start + depth - 1, side="right")
    runs = last - first + 1
    which = np.repeat(np.arange(len(row)), runs)
    offset = np.arange(len(which)) - np.repeat(np.cumsum(runs) - runs, runs)
    agent = first[which] + offset
    begin = np.concatenate([[0], end[:-1]])
    count = np.minimum(end[agent], (start + depth)[which]) - np.maximum(begin[agent], start[which])
    run.record_rows(row[which], agents[agent], count)
    used = np.zeros(len(agents), np.int64)
    np.add.at(used, agent, count)
    changed = np.flatnonzero(used)
    run.room.take(run.needs(int(row[0])), agents[changed], used[changed])
