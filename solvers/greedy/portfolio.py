"""Several greedy runs over one problem, each with its own score and order, and the choice among their answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from solvers.greedy.orders import Order, repeated_shapes
from solvers.greedy.passes import run_through
from solvers.greedy.rounds import Rounds
from solvers.greedy.run import Run
from solvers.greedy.scores import BestFit, Cosine, Dot, LeastShare, Priced, Score, WorstFit, opening_order
from solvers.greedy.traits import Traits
from solvers.levels import with_levels
from solvers.objective import better, values
from solvers.options import Options
from solvers.problem import Assignment, Problem

SMALL_BONUS, BONUS = 0.05, 0.15
"""By how much an opened agent counts for more in the cosine."""
EXPONENTS = (1.1, 1.3, 0.9)
"""Agents are opened by price / capacity^exponent."""
WORK_TO_IMPROVE = 15 * 10**6
"""Agents x rows over all runs up to which an answer that places everything is improved by further runs."""
WORK_TO_PLACE = 2 * 10**9
"""The same while some instance is left over."""
FEW_ROWS = 64
"""Up to so many rows left over are looked at to see whether they could be placed at all."""


@dataclass(frozen=True, eq=False)
class Member:
    """One way of running greedily.

    Attributes
    ----------
    name, score, order, bonus
        How agents are ranked, and in which order rows come.
    improves
        Whether it is worth running when everything is placed already.
    lenient
        Whether soft rules are broken for one row before the next is looked at.
    """

    name: str
    score: Score
    order: Order
    bonus: float = 0.0
    improves: bool = False
    lenient: bool = False

    def run(self, traits: Traits) -> Assignment:
        """Return the assignment this way gives."""
        found = run_through(Run(traits, self.score, self.bonus), self.order, lenient=self.lenient)
        return replace(found, strategy=f"greedy: {self.name}, ordered by {self.order}")


def solve(problem: Problem, options: Options) -> Assignment:
    """Place as much as several greedy runs can, and return the best of their answers by the objective.

    The first run always completes. Further ones follow while instances are left over that could be placed, and, on small
    problems, while they promise a better goal; never after `options.until`.

    Returns
    -------
    Assignment
        With levels; their bounds are the cheap ones.
    """
    traits = Traits.of(problem)
    work = problem.agents * problem.rows
    best: Assignment | None = None
    best_values: tuple[int, ...] = ()
    tried, complete, cut_short = 0, False, False
    for member in members(traits):
        if best is not None:
            if (complete and not member.improves) or work * (tried + 1) > _most_work(complete):
                continue
            if options.left() <= 0:
                cut_short = True
                break
        assignment = member.run(traits)
        tried += 1
        found = values(problem, assignment)
        if best is None or better(problem, found, best_values):
            best, best_values = assignment, found
            complete = _complete(traits, assignment)
            if options.progress is not None:
                options.progress(assignment, assignment.strategy)
    assert best is not None
    return with_levels(problem, replace(best, cut_short=cut_short, strategy=f"{best.strategy} (of {tried} tried)"))


def members(traits: Traits) -> Iterator[Member]:
    """Yield the ways of running, the most promising first."""
    problem = traits.problem
    if problem.goal in ("spread", "balance"):
        yield Member("least share", LeastShare(), "size")
        yield Member("least share", LeastShare(), "volume", improves=True)
    elif problem.goal == "prefer":
        yield Member("cosine", Cosine(), "size")
        yield Member("cosine", Cosine(), "volume", improves=True)
        yield Member("cosine", Cosine(), "count", improves=True)
    elif _priced(problem):
        yield from _priced_members(traits)
    packs = problem.goal == "pack"
    plain = Member("cosine", Cosine(), "size", improves=packs)
    opened_first = Member("cosine with bonus", Cosine(), "size", BONUS, improves=packs)
    # where rows share shapes the bonus opens more agents, else fewer (measured)
    yield from (plain, opened_first) if repeated_shapes(traits, np.arange(problem.rows)) else (opened_first, plain)
    for bonus in (SMALL_BONUS, BONUS) if packs else ():
        yield Member("cosine with bonus", Cosine(), "volume", bonus, improves=True)
    yield Member("worst fit", WorstFit(), "rules first")
    yield Member("dot product", Dot(), "rules first")
    yield Member("cosine", Cosine(), "rules first")
    yield Member("cosine with bonus", Cosine(), "rules first", BONUS)
    yield Member("worst fit", WorstFit(), "size")
    yield Member("dot product", Dot(), "size")
    yield Member("worst fit", WorstFit(), "worth")
    yield Member("cosine", Cosine(), "worth")
    if traits.any_soft:
        yield Member("cosine, rules broken at once", Cosine(), "size", lenient=True)
        yield Member("cosine, rules broken at once", Cosine(), "worth", lenient=True)
    yield Member("best fit", BestFit(), "size")
    yield Member("best fit", BestFit(), "rules first")


def _priced_members(traits: Traits) -> Iterator[Member]:
    for exponent in EXPONENTS:
        place = opening_order(traits.problem, traits.frame, exponent)
        orders: tuple[Order, ...] = ("volume", "size", "count")
        for order in orders:
            for name, inner in (("cosine", Cosine()), ("best fit", BestFit())):
                name = f"cheapest by capacity^{exponent}, {name}"
                yield Member(name, Priced(inner, place), order, improves=True)


def _priced(problem: Problem) -> bool:
    """Tell whether agents differ in price."""
    return problem.agents > 0 and int(problem.price.min()) != int(problem.price.max())


def _most_work(complete: bool) -> int:
    return WORK_TO_IMPROVE if complete else WORK_TO_PLACE


def _complete(traits: Traits, assignment: Assignment) -> bool:
    """Tell whether as much is placed of every row as there would be if it had the cluster for itself."""
    problem = traits.problem
    placed = assignment.placed(problem.rows)
    short = np.flatnonzero(placed < problem.wanted)
    if len(short) > FEW_ROWS:
        return False
    for row in short.tolist():
        if problem.rules_of[row] and traits.requirements.get(row):
            return False
        if Rounds(Run(traits, Cosine())).place(row, relaxed=traits.any_soft) > placed[row]:
            return False
    return True
