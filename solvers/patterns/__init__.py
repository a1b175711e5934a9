"""Patterns: the cheapest agents that hold everything, by select-then-pack with column generation.

For rules that live inside one agent (capacities, at most so many of a type, which types a kind allows); not for rules
between agents, and not for markets whose knapsack table is too large (`expressible`).
"""

from solvers.patterns.buying import buy, expressible
from solvers.patterns.market import Market, Purchase
from solvers.patterns.master import Cover, CoverMaster

__all__ = ["Cover", "CoverMaster", "Market", "Purchase", "buy", "expressible"]
