"""The greedy solver: places whole rows in vector steps, several ways, and keeps the best answer.

It always has an answer soon and proves nothing about it. Rules mean what `solvers.rules` says; ties go to the lower agent.
"""

from __future__ import annotations

from solvers.greedy.portfolio import solve

__all__ = ["solve"]
