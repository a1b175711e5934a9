"""Reductions: a problem made smaller without losing a best answer, each with its way there and back in one file.

`reduce(problem)` runs them in order. Equal agents are merged by `solvers.classes`, where counts by class are wanted.
"""

from __future__ import annotations

from solvers.problem import Problem
from solvers.reductions import equal_rows, forced, useless
from solvers.reductions.base import Reduced, unchanged
from solvers.reductions.components import components

CHAIN = (useless.apply, forced.apply, equal_rows.apply)


def reduce(problem: Problem) -> Reduced:
    """Return the problem after all reductions that apply, with the way of answers there and back."""
    found = unchanged(problem)
    for apply in CHAIN:
        found = found.then(apply(found.problem))
    return found


__all__ = ["Reduced", "components", "reduce"]
