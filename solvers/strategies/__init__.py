"""The strategies of the exact engine, in the order in which they are tried: each says what it cannot express.

A strategy is chosen by the structure of a problem, never by where it comes from. Adding one is one file and one line here.
"""

from __future__ import annotations

from solvers.strategies.base import Strategy, pairs_of
from solvers.strategies.bounds import BOUNDS
from solvers.strategies.neighbourhoods import FIRST_NEIGHBOURHOODS, NEIGHBOURHOODS
from solvers.strategies.packing import PACKING
from solvers.strategies.patterns import PATTERNS
from solvers.strategies.selection import SELECTION
from solvers.strategies.sifting import LINEAR_GOAL, PLACE_EVERYTHING
from solvers.strategies.triage import TRIAGE
from solvers.strategies.whole import SMALL, WHOLE

STRATEGIES: tuple[Strategy, ...] = (
    PACKING,
    SMALL,
    PATTERNS,
    BOUNDS,
    PLACE_EVERYTHING,
    TRIAGE,
    SELECTION,
    LINEAR_GOAL,
    FIRST_NEIGHBOURHOODS,
    WHOLE,
    NEIGHBOURHOODS,
)

__all__ = ["STRATEGIES", "Strategy", "pairs_of"]
