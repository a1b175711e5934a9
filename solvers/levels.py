"""Answers with their levels: each value of the objective beside a bound and what the bound rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from solvers import objective
from solvers.bounds import cheap_bounds
from solvers.problem import Assignment, Level, Problem


def with_levels(problem: Problem, assignment: Assignment, bounds: Sequence[Level] | None = None) -> Assignment:
    """Return the assignment with its levels filled.

    Parameters
    ----------
    bounds
        Levels whose bounds and engines to take over; without them the bounds of `solvers.bounds` that need no engine.
    """
    found = objective.values(problem, assignment)
    known = [(one.bound, one.engine) for one in bounds] if bounds else cheap_bounds(problem, found)
    return replace(assignment, levels=as_levels(problem, found, known))


def as_levels(problem: Problem, found: Sequence[int], bounds: Sequence[tuple[int, str]]) -> tuple[Level, ...]:
    """Return the levels of an answer from its values, and the bounds and what they rest on."""
    return tuple(
        Level(name=name, priority=priority, sense=sense, value=value, bound=_at_least(value, bound, sense), engine=why)
        for (name, priority, sense), value, (bound, why) in zip(objective.names(problem), found, bounds, strict=True)
    )


def _at_least(value: int, bound: int, sense: int) -> int:
    """Return the bound as seen from a value reached: a level that trades with earlier ones may pass its bound."""
    return max(value, bound) if sense > 0 else min(value, bound)
