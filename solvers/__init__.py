"""Solvers for counts of equal instances on agents: arrays in, counts out. Knows no Mesos, no file format, no pandas.

`solve(problem, options, name)` runs the solver of a name; adding one is one file and one line of `SOLVERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

from solvers.options import Options
from solvers.problem import Assignment, Level, Problem

SOLVERS: Mapping[str, str] = {"greedy": "solvers.greedy", "exact": "solvers.exact", "auto": "solvers.auto"}
"""Module of each solver; its `solve(problem, options)` is imported when first used (CP-SAT takes half a second)."""


def solve(problem: Problem, options: Options, name: str = "auto") -> Assignment:
    """Return an assignment with the value and bound of every level.

    Raises
    ------
    KeyError
        If no solver has this name.
    """
    solver: Callable[[Problem, Options], Assignment] = import_module(SOLVERS[name]).solve
    return solver(problem, options)


__all__ = ["SOLVERS", "Assignment", "Level", "Options", "Problem", "solve"]
