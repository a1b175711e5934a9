"""Classes of equal agents: a small linear model of the whole problem, and bounds of every level taken from it.

What it counts is how many instances a class of agents holds together, not on which of its agents they are.
"""

from __future__ import annotations

from solvers.classes.bounds import prove_bounds
from solvers.classes.merging import Classes
from solvers.classes.model import ClassModel, class_model

__all__ = ["ClassModel", "Classes", "class_model", "prove_bounds"]
