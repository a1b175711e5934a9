"""Whether the wanted can be placed while some reasons are held: counting first, then greedy, then cells, then agents.

"Yes" rests on an assignment that was looked at; "no" on counting or an engine; without either the answer is "not decided".
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from solvers import greedy
from solvers.conflicts.cells import Cells
from solvers.conflicts.counting import Shortage, shortage
from solvers.conflicts.engines import SHORTEST, decide, second_opinion
from solvers.conflicts.question import Held, LeastPart, Question, RulePart
from solvers.conflicts.system import build, cells_of
from solvers.options import Options
from solvers.problem import Assignment, Problem
from solvers.rightness import is_right
from solvers.rules import Requires

SHARE = 0.4
"""Share of the time left that one decision may take: a few more must always be possible."""
GREEDY_SHARE = 0.2
SMALL = 2_000
"""Columns up to which CP-SAT is asked at once: it decides these in a fraction of a second."""
MOST_COLUMNS = 60_000
"""Most columns of a system that is handed to an engine: about a second to build, and what CP-SAT still decides."""

By = Literal["counting", "greedy", "CP-SAT over cells of equal agents", "CP-SAT", "HiGHS", "nothing"]


@dataclass(frozen=True, eq=False)
class Decision:
    """An answer: possible (None: not decided), what it rests on, the shortage that proves it, or how it is done."""

    possible: bool | None
    by: By
    shortage: Shortage | None = None
    counts: Assignment | None = None


class Oracle:
    """Decides sets of reasons of one question under one deadline, each set once."""

    def __init__(self, question: Question, options: Options) -> None:
        self.question = question
        self.options = options
        self._known: dict[Held, Decision] = {}
        self._tried: dict[Held, Decision] = {}

    def ask(self, held: Held) -> Decision:
        """Decide whether everything needed can be placed while just these reasons are held."""
        if held not in self._known:
            self._known[held] = self._decide(held)
        return self._known[held]

    def possible(self, held: Held) -> bool | None:
        """Return the bare answer."""
        return self.ask(held).possible

    def confirm(self, held: Held) -> str:
        """Return what else says that these reasons conflict; '' if nothing does."""
        if self.ask(held).by == "counting":
            return "counting"
        for some in (cells_of(self.question, held), Cells.single(self.question.problem)):
            if some.number * self.question.problem.rows > MOST_COLUMNS:
                continue
            system = build(self.question, held, some)
            if second_opinion(system, self.options.left() * SHARE, self.options.seed).possible is False:
                return "HiGHS"
        return ""

    def quick(self, held: Held) -> Decision:
        """Decide by counting or greedy alone; if neither does, `counts` is how far greedy came."""
        if held in self._known:
            return self._known[held]
        if held not in self._tried:
            self._tried[held] = self._try(held)
        return self._tried[held]

    def _try(self, held: Held) -> Decision:
        if not any(isinstance(part, LeastPart) for part in self.question.of(held)):
            return Decision(True, "greedy", counts=Assignment.nothing())
        optional = self._has_optional(held)
        problem = self.question.problem_of(held, optional=optional)
        short = shortage(self.question.problem_of(held) if optional else problem)
        if short is not None:
            return Decision(False, "counting", short)
        if self.options.left() < SHORTEST:
            return Decision(None, "nothing")
        found = greedy.solve(problem, self._part())
        return Decision(True if self._suffices(held, found, problem) else None, "greedy", counts=found)

    def _decide(self, held: Held) -> Decision:
        first = self.quick(held)
        if first.possible is not None or self.options.left() < SHORTEST:
            return first
        problem = self.question.problem_of(held, optional=self._has_optional(held))
        cells = cells_of(self.question, held)
        if cells.number < self.question.problem.agents and self._possible_on(held, cells) is False:
            return Decision(False, "CP-SAT over cells of equal agents")
        return self._decide_agents(held, problem)

    def _possible_on(self, held: Held, cells: Cells) -> bool | None:
        if cells.number * self.question.problem.rows > MOST_COLUMNS or self.options.left() < SHORTEST:
            return None
        return decide(build(self.question, held, cells), self.options.left() * SHARE, self.options.seed).possible

    def _decide_agents(self, held: Held, problem: Problem) -> Decision:
        cells = Cells.single(self.question.problem)
        if cells.number * self.question.problem.rows > MOST_COLUMNS or self.options.left() < SHORTEST:
            return Decision(None, "nothing")
        system = build(self.question, held, cells)
        if (
            len(system.row_of) > SMALL
        ):  # HiGHS finds full placements in a fraction of the time, but is not believed alone
            verdict = second_opinion(system, self.options.left() * SHARE, self.options.seed)
            if verdict.counts is not None and self._suffices(held, verdict.counts, problem):
                return Decision(True, "HiGHS", counts=verdict.counts)
        verdict = decide(system, self.options.left() * SHARE, self.options.seed)
        if verdict.counts is not None and not self._suffices(held, verdict.counts, problem):
            return Decision(None, "nothing")
        return Decision(verdict.possible, "nothing" if verdict.possible is None else "CP-SAT", counts=verdict.counts)

    def _suffices(self, held: Held, found: Assignment, problem: Problem) -> bool:
        """Tell whether an assignment places all that is needed, and is right."""
        placed = found.placed(problem.rows)
        enough = all(
            int(placed[part.rows].sum()) >= part.number
            for part in self.question.of(held)
            if isinstance(part, LeastPart)
        )
        if not enough:
            return False
        allowing = replace(problem, wanted=np.maximum(problem.wanted, placed))
        return is_right(allowing, found)

    def _has_optional(self, held: Held) -> bool:
        """Tell whether rows that are not needed whole may matter: those others want to be beside, or a least sum."""
        need, parts = self.question.needed(held), self.question.of(held)
        for part in parts:
            if isinstance(part, RulePart) and isinstance(part.rule, Requires):
                if (need[part.rule.others] < self.question.problem.wanted[part.rule.others]).any():
                    return True
            elif isinstance(part, LeastPart) and int(need[part.rows].sum()) < part.number:
                return True
        return False

    def _part(self) -> Options:
        """Return the options of one greedy run."""
        left = self.options.left()
        if left == float("inf"):
            return self.options
        return replace(self.options, until=time.monotonic() + max(0.0, left * GREEDY_SHARE), progress=None)
