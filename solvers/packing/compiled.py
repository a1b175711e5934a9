"""Compiles a loop with numba where that is installed (the optional extra `fast`), and says whether it is.

It holds no algorithm: each compiled loop stands beside a numpy function that gives the same answer.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

AVAILABLE = find_spec("numba") is not None
"""Whether loops can be compiled here."""


def compiled(function: Function) -> Function:
    """Return the function compiled, or as it is without numba; no fast-math, so numbers come out as in numpy."""
    if not AVAILABLE:
        return function
    result: Function = import_module("numba").njit(cache=True, nogil=True)(function)
    return result
