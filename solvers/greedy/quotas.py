"""How many instances each group is to take, decided before any agent is chosen: by what the rule allows and by room.

Pure functions over counts and room of groups; every rule is read from its docstring in `solvers.rules`.
"""

from __future__ import annotations

import numpy as np

from solvers.rules import Bool, Int64, Quota

UNLIMITED = np.iinfo(np.int64).max // 4
"""More instances than there are."""


def one_group(new: Int64, room: Int64, wanted: int) -> Int64:
    """Return int64[groups]: unlimited for the one group that is used already or else holds most, the tightest of equals."""
    shares = np.zeros(len(room), np.int64)
    if new.any():
        shares[int(np.argmax(new))] = UNLIMITED
    elif len(room):
        held = np.minimum(room, wanted)
        best = np.flatnonzero(held == held.max())
        shares[best[int(np.argmin(room[best]))]] = UNLIMITED
    return shares


def quota(rule: Quota, count: Int64, room: Int64) -> Int64:
    """Return int64[groups]: what groups may take under a quota when `count` instances stand in them.

    Unused groups are opened by what they can take, as many as the rule leaves; extras go to the groups with most room.
    """
    used = count > 0
    opened = max(0, rule.groups - int(used.sum()) - int((rule.outside > 0).sum()))
    extras = _extras_left(rule, count)
    plain = np.minimum(np.maximum(rule.each - count, 0), room)
    more = (count + plain == rule.each) & (room > plain)
    value = 2 * plain + (more if extras else 0)
    fresh = np.flatnonzero(~used & (value > 0))
    fresh = fresh[np.lexsort((-room[fresh], -value[fresh]))][:opened]
    kept = used.copy()
    kept[fresh] = True
    shares = np.where(kept, plain, 0)
    candidates = np.flatnonzero(kept & more)
    shares[candidates[np.argsort(-(room - plain)[candidates], kind="stable")][:extras]] += 1
    return shares


def quota_open(rule: Quota, count: Int64) -> Bool:
    """Return bool[groups]: where one more instance may stand under a quota."""
    used = count > 0
    groups_left = rule.groups > int(used.sum()) + int((rule.outside > 0).sum())
    below = (count < rule.each) | ((count == rule.each) & (_extras_left(rule, count) > 0))
    return below & (used | groups_left)


def _extras_left(rule: Quota, count: Int64) -> int:
    spent = int(np.maximum(count - rule.each, 0).sum()) + int(np.maximum(rule.outside - rule.each, 0).sum())
    return max(0, rule.extra - spent)


def balanced(count: Int64, new: Int64, room: Int64, relevant: Bool, at_least: int, wanted: int) -> Int64:
    """Return int64[groups]: how many instances each group takes so that most are placed and the balance holds.

    Unlike other shares these must be taken exactly, or the balance may break.

    Parameters
    ----------
    count, new
        int64[groups]: instances counted and new, and the new ones alone.
    room
        int64[groups]: instances there is room for.
    relevant, at_least
        See `solvers.rules.Balance`.
    wanted
        Instances to place.
    """
    room = np.where(relevant, room, 0)
    if at_least == 0:
        return _even(count, room, np.flatnonzero(relevant), wanted)
    used = np.flatnonzero(count > 0)
    fresh = np.flatnonzero((count == 0) & (room > 0))
    fresh = fresh[np.argsort(-room[fresh], kind="stable")]
    best = np.zeros(len(count), np.int64)
    if len(used) + len(fresh) < at_least:
        best[fresh[:wanted]] = 1
        return best
    for opened in range(len(fresh), max(0, at_least - len(used)) - 1, -1):
        shares = _even(count, room, np.concatenate([used, fresh[:opened]]), wanted)
        if shares.sum() > best.sum() and balance_holds(count + shares, new + shares, relevant, at_least):
            best = shares
        if best.sum() >= min(wanted, room.sum()):
            break
    return best


def _even(count: Int64, room: Int64, among: Int64, wanted: int) -> Int64:
    """Raise the groups in `among` to one level, and some of them one above it."""
    shares = np.zeros(len(count), np.int64)
    if not len(among):
        return shares
    here, there = count[among], room[among]
    level = min(_level(here, wanted), int((here + there).min()))
    rise = np.maximum(level - here, 0)
    left = there - rise
    extra = np.flatnonzero((here <= level) & (left > 0))
    extra = extra[np.argsort(-left[extra], kind="stable")][: max(0, wanted - int(rise.sum()))]
    rise[extra] += 1
    shares[among] = rise
    return shares


def _level(count: Int64, wanted: int) -> int:
    """Return the highest level to which `wanted` instances raise all counts."""
    ascending = np.sort(count)
    needed = ascending * np.arange(len(count)) - (np.cumsum(ascending) - ascending)
    reached = int(np.searchsorted(needed, wanted, side="right"))
    return int((wanted + ascending[:reached].sum()) // reached)


def balance_step(count: Int64, new: Int64, relevant: Bool, at_least: int, room: Int64) -> Int64:
    """Return int64[groups]: 1 where one more instance may go; any part of these may be taken."""
    if at_least == 0:
        least = count[relevant].min(initial=UNLIMITED)
        return (relevant & (count == least)).astype(np.int64)
    used = count > 0
    if int(used.sum()) < at_least or not used.any():
        return (relevant & ~used).astype(np.int64)
    least = int(count[used].min())
    step: Int64 = (relevant & used & (count == least)).astype(np.int64)
    if least == 1 or (int(count[new > 0].max(initial=0)) <= 2 and not (step & (room > 0)).any()):
        step[relevant & ~used] = 1
    return step


def balance_holds(count: Int64, new: Int64, relevant: Bool, at_least: int) -> bool:
    """Tell whether a balance holds for final counts, of which `new` are new."""
    among = count[relevant] if at_least == 0 else count[count > 0]
    least = int(among.min()) if len(among) >= max(at_least, 1) else 0
    return bool((count[new > 0] <= least + 1).all())
