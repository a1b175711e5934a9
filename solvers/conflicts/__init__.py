"""Why not everything fits: minimal sets of conflicting reasons, and the fewest that must be given up. Arrays only.

It names nothing: a reason is a number, and whoever asks knows what stands behind it.
"""

from solvers.conflicts.amounts import Missing, least_missing, most_placed, rows_of
from solvers.conflicts.question import (
    AmountPart,
    Held,
    LeastPart,
    MaskPart,
    Part,
    Question,
    RulePart,
    UnitsPart,
    serving,
)
from solvers.conflicts.search import MOST_NAMED, Change, Conflict, Finding, find_change, find_conflict

__all__ = [
    "MOST_NAMED", "AmountPart", "Change", "Conflict", "Finding", "Held", "LeastPart", "MaskPart", "Missing", "Part", "Question",
    "RulePart", "UnitsPart", "find_change", "find_conflict", "least_missing", "most_placed", "rows_of", "serving",
]  # fmt: skip
