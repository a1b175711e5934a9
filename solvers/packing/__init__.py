"""Vector bin packing: few equal bins for many instances, with a proved bound. Knows no agents, rows or rules."""

from __future__ import annotations

from solvers.packing.bins import Packing
from solvers.packing.engine import pack_bins

__all__ = ["Packing", "pack_bins"]
