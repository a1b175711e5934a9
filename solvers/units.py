"""Serving requests from units: the one procedure by which instances take things that agents own one by one.

Source: mesosphere/marathon, ResourceMatcher.scala (disks): requests in order; of the shared units the one with most
left, of the whole units the first.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from solvers.problem import Problem
from solvers.rules import Bool, Int64


def serve(left: Int64, whole: Bool, requests: Iterable[tuple[int, Bool]]) -> tuple[int, ...] | None:
    """Serve the requests of one instance from the units of one agent.

    Parameters
    ----------
    left
        int64[k]: what is left of each unit; a whole unit in use has 0 left. Reduced as requests are served.
    whole
        bool[k]: units taken whole.
    requests
        (amount, bool[k] of the units that suit), in order.

    Returns
    -------
    The unit of each request, or None if one cannot be served (`left` is then of no further use).
    """
    chosen = []
    for amount, suits in requests:
        open_to = suits & (left >= max(amount, 1))
        if not open_to.any():
            return None
        unit = int(np.argmax(open_to)) if whole[open_to].all() else int(np.argmax(np.where(open_to & ~whole, left, -1)))
        left[unit] = 0 if whole[unit] else left[unit] - amount
        chosen.append(unit)
    return tuple(chosen)


def units_of(problem: Problem, agent: int) -> slice:
    """Return the units of an agent."""
    first, last = np.searchsorted(problem.units.agent, [agent, agent + 1])
    return slice(int(first), int(last))


def requests_of(problem: Problem, row: int, units: slice) -> list[tuple[int, Bool]]:
    """Return what one instance of a row asks of an agent's units, as `serve` takes it."""
    asked = problem.unit_requests
    return [
        (int(asked.amount[request]), asked.masks[int(asked.eligible[request])][units])
        for request in asked.by_row.get(row, ())
    ]


def take(problem: Problem, left: Int64, row: int, agent: int, count: int) -> int:
    """Serve up to `count` instances of a row on an agent from `left`, int64[units]; return how many were served.

    Only served instances change `left`.
    """
    units = units_of(problem, agent)
    requests = requests_of(problem, row, units)
    if not requests:
        return count
    for served in range(count):
        now = left[units].copy()
        if serve(now, problem.units.whole[units], requests) is None:
            return served
        left[units] = now
    return count
