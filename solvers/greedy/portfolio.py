"""Several greedy runs over one problem, each with its own score and order, and the choice among their answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from solvers.greedy.orders import Order
from solvers.greedy.passes import run_through
from solvers.greedy.run import Run
from solvers.greedy.scores import BestFit, Cosine, Dot, LeastShare, Priced, Score, WorstFit, opening_order
from solvers.greedy.traits import Traits
from solvers.objective import better, values, with_levels
from solvers.options import Options
from solvers.problem import Assignment, Problem

BONUS = 0.05
"""By how much an opened agent counts for more in the cosine."""
EXPONENTS = (1.2, 1.1, 1.3, 1.0)
"""Agents are opened by price / capacity^exponent."""


@dataclass(frozen=True, eq=False)
class Member:
    """One way of running greedily: how agents are ranked, and in which order rows come."""

    name: str
    score: Score
    order: Order
    bonus: float = 0.0

    def run(self, traits: Traits) -> Assignment:
        """Return the assignment this way gives."""
        return run_through(Run(traits, self.score, self.bonus), self.order)


def solve(problem: Problem, options: Options) -> Assignment:
    """Place as much as several greedy runs can, and return the best of their answers by the objective.

    The first run always completes. The others follow only while instances are left over that some agent could take, or
    while prices make further runs worth it, and never after `options.until`.

    Returns
    -------
    Assignment
        With levels; their bounds are the cheap ones.
    """
    traits = Traits.of(problem)
    wanted = int(problem.wanted.sum())
    best: Assignment | None = None
    best_values: tuple[int, ...] = ()
    cut_short, tried = False, 0
    for member in members(traits):
        if best is not None and options.left() <= 0:
            cut_short = True
            break
        assignment = replace(member.run(traits), strategy=f"greedy: {member.name}, {member.order} order")
        tried += 1
        if int(assignment.count.sum()) == wanted and best is None and not _priced(problem):
            best = assignment
            break
        found = values(problem, assignment)
        if best is None or better(problem, found, best_values):
            best, best_values = assignment, found
            if options.progress is not None:
                options.progress(assignment, assignment.strategy)
    assert best is not None
    return with_levels(problem, replace(best, cut_short=cut_short, strategy=f"{best.strategy} (of {tried} tried)"))


def members(traits: Traits) -> Iterator[Member]:
    """Yield the ways of running, the most promising first."""
    problem = traits.problem
    if problem.goal in ("spread", "balance"):
        yield Member("least share", LeastShare(), "size")
    if problem.goal == "pack" and _priced(problem):
        yield from _priced_members(traits)
    for order in ("size", "rules first"):
        yield Member("cosine", Cosine(), order)
        yield Member("cosine with bonus", Cosine(), order, BONUS)
        yield Member("worst fit", WorstFit(), order)
        yield Member("dot product", Dot(), order)
        yield Member("best fit", BestFit(), order)
    yield Member("cosine", Cosine(), "worth")
    yield Member("worst fit", WorstFit(), "worth")


def _priced_members(traits: Traits) -> Iterator[Member]:
    for exponent in EXPONENTS:
        place = opening_order(traits.problem, traits.frame, exponent)
        yield Member(f"cheapest by capacity^{exponent}, cosine", Priced(Cosine(), place), "size")
        yield Member(f"cheapest by capacity^{exponent}, worst fit", Priced(WorstFit(), place), "size")


def _priced(problem: Problem) -> bool:
    """Tell whether agents differ in price."""
    return problem.agents > 0 and int(problem.price.min()) != int(problem.price.max())
