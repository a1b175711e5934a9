"""Plan by group, then fill each group alone: for rules across agents that live in one grouping, such as racks.

For prices of agents and for placing the most. What it leaves over is put in by a repair, or stays for other strategies.
"""

from __future__ import annotations

from solvers.plans.search import improve
from solvers.plans.sharing import unsuited

__all__ = ["improve", "unsuited"]
