"""Problems for tests: a short way to write small ones, and a hypothesis strategy for random ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from solvers.problem import ALL_AGENTS, Preferences, Problem, UnitRequests, Units
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


def rows(*numbers: int) -> np.ndarray[Any, np.dtype[np.int32]]:
    """Row numbers, or group codes."""
    return np.array(numbers, np.int32)


def counted(**by_group: int) -> Counts:
    """Existing instances: `counted(g0=2, g3=1)`."""
    pairs = sorted((int(name[1:]), count) for name, count in by_group.items())
    return Counts(np.array([g for g, _ in pairs], np.int32), np.array([c for _, c in pairs], np.int64))


def small_problem(
    capacity: Sequence[Sequence[int]],
    demand: Sequence[Sequence[int]],
    wanted: Sequence[int],
    rules: Sequence[Rule] = (),
    *,
    allowed: Sequence[Sequence[int] | None] | None = None,
    groupings: Sequence[Sequence[int]] = (),
    **more: Any,
) -> Problem:
    """A problem with one demand vector a row; `allowed` holds agent numbers by row (None: all)."""
    agents, count = len(capacity), len(wanted)
    dimensions = len(demand[0]) if demand else 1
    free = np.array(capacity, np.int64).reshape(agents, dimensions)
    masks, number_of = [], []
    for numbers in allowed or [None] * count:
        if numbers is None:
            number_of.append(ALL_AGENTS)
        else:
            number_of.append(len(masks))
            masks.append(np.isin(np.arange(agents), numbers))
    settings = {
        "priority": np.zeros(count, np.int64),
        "weight": np.full(count, 1000, np.int64),
        "price": np.full(agents, 1000, np.int64),
        "held": np.zeros(agents, np.bool_),
        "total": free.copy(),
    }
    for name in tuple(settings):
        if name in more:
            settings[name] = np.array(more.pop(name), settings[name].dtype).reshape(settings[name].shape)
    return Problem(
        capacity=free,
        demand=np.array(demand, np.int64).reshape(count, dimensions),
        shape=np.arange(count, dtype=np.int32),
        wanted=np.array(wanted, np.int64),
        mask=np.array(number_of, np.int32),
        masks=tuple(masks),
        groupings=tuple(np.array(codes, np.int32) for codes in groupings),
        group_counts=tuple(max(codes, default=-1) + 1 for codes in groupings),
        rules=tuple(rules),
        **settings,
        **more,
    )


def placed_by_group(problem: Problem, assignment: Any, row: int, grouping: int) -> list[int]:
    """Instances of a row in each group."""
    codes, mine = problem.groups(grouping), assignment.row == row
    found = np.zeros(problem.group_count(grouping), np.int64)
    np.add.at(found, codes[assignment.agent[mine]], assignment.count[mine])
    return found.tolist()


@st.composite
def problems(
    draw: st.DrawFn, *, most_agents: int = 6, most_rows: int = 5, most_wanted: int = 6, goals: bool = True
) -> Problem:
    """A random problem with any rules, small enough for the slow judge."""
    agents = draw(st.integers(1, most_agents))
    count = draw(st.integers(1, most_rows))
    dimensions = draw(st.integers(1, 3))
    shapes = draw(st.integers(1, count))
    capacity = np.array(
        draw(st.lists(st.integers(0, 12), min_size=agents * dimensions, max_size=agents * dimensions)), np.int64
    ).reshape(agents, dimensions)
    demand = np.array(
        draw(st.lists(st.integers(0, 5), min_size=shapes * dimensions, max_size=shapes * dimensions)), np.int64
    ).reshape(shapes, dimensions)
    group_counts = (draw(st.integers(1, 4)), draw(st.integers(1, 3)))
    groupings = tuple(
        np.array(draw(st.lists(st.integers(-1, size - 1), min_size=agents, max_size=agents)), np.int32)
        for size in group_counts
    )
    masks = tuple(
        np.array(draw(st.lists(st.booleans(), min_size=agents, max_size=agents)))
        for _ in range(draw(st.integers(0, 2)))
    )
    each_row = st.lists(st.integers(0, 3), min_size=count, max_size=count)
    held = np.array(draw(st.lists(st.booleans(), min_size=agents, max_size=agents)))
    used = np.array(draw(st.lists(st.integers(0, 5), min_size=agents, max_size=agents)), np.int64)
    goal = draw(st.sampled_from(("pack", "spread", "balance", "prefer"))) if goals else "pack"
    return Problem(
        capacity=capacity,
        demand=demand,
        shape=np.array(draw(st.lists(st.integers(0, shapes - 1), min_size=count, max_size=count)), np.int32),
        wanted=np.array(draw(st.lists(st.integers(0, most_wanted), min_size=count, max_size=count)), np.int64),
        mask=np.array(
            draw(st.lists(st.integers(ALL_AGENTS, len(masks) - 1), min_size=count, max_size=count)), np.int32
        ),
        masks=masks,
        priority=np.array(draw(each_row), np.int64) // 2,
        weight=1000 * (1 + np.array(draw(each_row), np.int64)),
        groupings=groupings,
        group_counts=group_counts,
        rules=tuple(draw(st.lists(_rules(agents, count, group_counts), max_size=5))),
        units=_units(draw, agents),
        unit_requests=UnitRequests(),
        goal=goal,
        price=1000 * np.array(draw(st.lists(st.integers(0, 3), min_size=agents, max_size=agents)), np.int64),
        held=held,
        total=capacity + np.where(held, used, 0)[:, None],
        preferences=_preferences(draw, agents, count) if goal == "prefer" else None,
    )


@st.composite
def problems_with_units(draw: st.DrawFn) -> Problem:
    """A random problem in which some rows ask for units."""
    problem = draw(problems(most_agents=3, most_rows=3, most_wanted=3, goals=False))
    units = len(problem.units.agent)
    masks = tuple(np.array(draw(st.lists(st.booleans(), min_size=units, max_size=units)), np.bool_) for _ in range(2))
    found: list[tuple[int, int, int]] = []
    for row in range(problem.rows):
        for _ in range(draw(st.integers(0, 2))):
            found.append((row, draw(st.integers(0, 5)), draw(st.integers(0, 1))))
    found.sort(key=lambda one: (one[0], -one[1]))
    requests = UnitRequests(
        np.array([one[0] for one in found], np.int32),
        np.array([one[1] for one in found], np.int64),
        np.array([one[2] for one in found], np.int32),
        masks,
    )
    return replace(problem, unit_requests=requests)


def _units(draw: st.DrawFn, agents: int) -> Units:
    owners = sorted(draw(st.lists(st.integers(0, agents - 1), max_size=6)))
    amounts = draw(st.lists(st.integers(0, 8), min_size=len(owners), max_size=len(owners)))
    whole = draw(st.lists(st.booleans(), min_size=len(owners), max_size=len(owners)))
    return Units(np.array(owners, np.int32), np.array(amounts, np.int64), np.array(whole, np.bool_))


def _preferences(draw: st.DrawFn, agents: int, count: int) -> Preferences:
    pairs = draw(st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, agents - 1)), unique=True, max_size=8))
    return Preferences(
        row=np.array([row for row, _ in pairs], np.int32),
        agent=np.array([agent for _, agent in pairs], np.int32),
        cost=np.array([draw(st.integers(0, 9)) for _ in pairs], np.int64),
    )


@st.composite
def _rules(draw: st.DrawFn, agents: int, count: int, group_counts: tuple[int, ...]) -> Rule:
    grouping = draw(st.integers(EACH_AGENT, len(group_counts) - 1))
    groups = agents if grouping == EACH_AGENT else group_counts[grouping]

    def some_rows(most: int) -> np.ndarray[Any, np.dtype[np.int32]]:
        found = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=most, unique=True))
        return np.array(sorted(found), np.int32)

    def some_counts() -> Counts:
        full = draw(st.one_of(st.none(), st.lists(st.integers(0, 3), min_size=groups, max_size=groups)))
        if full is None:
            return Counts()
        here = [g for g, c in enumerate(full) if c]
        return Counts(np.array(here, np.int32), np.array([full[g] for g in here], np.int64))

    kind = draw(st.sampled_from((GroupCap, OneGroup, Quota, Balance, Requires, Excludes, Gang, Avoid)))
    soft = kind is Avoid or (kind is not Gang and draw(st.integers(0, 3)) == 0)
    scope: dict[str, Any] = {"rows": some_rows(2), "soft": soft}
    if kind is Gang:
        return Gang(rows=scope["rows"], least=draw(st.integers(1, 5)))
    if kind is Avoid:
        return Avoid(rows=scope["rows"], mask=np.array(draw(st.lists(st.booleans(), min_size=agents, max_size=agents))))
    scope["grouping"] = grouping
    if kind is GroupCap:
        return GroupCap(**scope, limit=draw(st.integers(0, 3)), counted=some_counts())
    if kind is OneGroup:
        return OneGroup(**scope)
    if kind is Quota:
        return Quota(
            **scope,
            groups=draw(st.integers(1, 3)),
            each=draw(st.integers(0, 2)),
            extra=draw(st.integers(0, 2)),
            counted=some_counts(),
            outside=np.array(draw(st.lists(st.integers(0, 2), max_size=1)), np.int64),
        )
    if kind is Balance:
        relevant = np.array(draw(st.lists(st.booleans(), min_size=groups, max_size=groups)))
        return Balance(**scope, relevant=relevant, at_least=draw(st.integers(0, 3)), counted=some_counts())
    if kind is Requires:
        return Requires(**scope, others=some_rows(2), others_counted=some_counts())
    return Excludes(
        **scope,
        others=some_rows(2),
        limit=draw(st.integers(0, 2)),
        counted=some_counts(),
        others_counted=some_counts(),
    )
