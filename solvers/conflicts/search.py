"""From "not everything fits" to a minimal set of conflicting reasons, and to the fewest that must be given up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from solvers.conflicts.counting import Shortage
from solvers.conflicts.engines import SHORTEST, core_of
from solvers.conflicts.oracle import MOST_COLUMNS, SHARE, Oracle
from solvers.conflicts.question import AmountPart, Held, LeastPart, MaskPart, Question, RulePart
from solvers.conflicts.system import build, cells_of
from solvers.options import Options

RESERVED = 0.6
"""Share of the time that is kept for saying how much of what is given up is enough."""
MOST_ALTERNATIVES = 3
"""Most other single changes that are looked for."""
MOST_NAMED = 5
"""Most owners that a conflict names one by one: of more, it says what all of them ask together."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Conflict:
    """Reasons that cannot all be held.

    Attributes
    ----------
    reasons
        Held alone, they leave no way to place what they ask for.
    together
        Those of `reasons` that stand for many jobs at once: they were not taken away one by one.
    minimal
        Without any one of the others the rest is possible.
    proof
        What says that they conflict, and what confirms it.
    shortage
        The sum that proves it, if counting did.
    """

    reasons: Held
    together: Held
    minimal: bool
    proof: str
    shortage: Shortage | None = None


@dataclass(frozen=True, eq=False)
class Cut:
    """What any change must do to end a conflict: the `worth` of the reasons given up is at least `least`.

    For most conflicts one reason is enough (all worth 1, at least 1); where a sum is short, leaving out a job is worth
    what its instances ask.
    """

    worth: Mapping[int, int]
    least: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Finding:
    """Whether everything fits (None: not decided in the time), and if not, one conflict."""

    possible: bool | None
    conflict: Conflict | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Change:
    """The fewest reasons to give up.

    Attributes
    ----------
    complete
        Whether it was found in the time: without `reasons` all the others are possible, and no fewer will do.
    reasons
        What to give up; if not complete, what the conflicts found so far ask for at least.
    conflicts
        The conflicts found on the way: every change must end each of them.
    alternatives
        Other single reasons that would do instead of a single one.
    """

    complete: bool
    reasons: Held
    conflicts: tuple[Conflict, ...]
    alternatives: tuple[int, ...] = ()


def find_conflict(question: Question, options: Options, within: Held | None = None) -> Finding:
    """Decide whether all reasons (or those `within`) can be held, and find a minimal conflict if not."""
    return Search(question, options).conflict(question.everything if within is None else within)


def find_change(question: Question, options: Options) -> Change:
    """Return the fewest reasons to give up so that everything fits.

    Every conflict must be ended, so the least set that ends all conflicts found so far is a lower bound; when holding
    all other reasons is possible, it is the answer (implicit hitting sets: Davies and Bacchus, CP 2011).
    """
    return Search(question, options).change()


class Search:
    """One question under one deadline."""

    def __init__(self, question: Question, options: Options) -> None:
        self.question = question
        self.options = options
        self.oracle = Oracle(question, options)

    # --- one conflict -----------------------------------------------------------------------------------------------

    def conflict(self, held: Held) -> Finding:
        """Find a minimal conflict within some reasons."""
        if self.oracle.quick(held).possible is None:
            held = self._narrowed(held)
        first = self.oracle.ask(held)
        if first.possible is not False:
            return Finding(possible=first.possible)
        held = self._involved(held, first.shortage) if first.shortage is not None else self._core(held)
        held, together = self._fewer_owners(held)
        held, minimal = self._minimal(held, together)
        last = self.oracle.ask(held)
        second = self.oracle.confirm(held)
        if not second:
            return Finding(possible=None)
        proof = last.by if last.by == second else f"{last.by}, confirmed by {second}"
        found = Conflict(reasons=held, together=together & held, minimal=minimal, proof=proof, shortage=last.shortage)
        return Finding(possible=False, conflict=found)

    def _narrowed(self, held: Held) -> Held:
        """Return a conflict of few owners: one that greedy did not place whole, alone or with those its rules name."""
        counts = self.oracle.quick(held).counts
        if counts is None:
            return held
        placed, need = counts.placed(self.question.problem.rows), self.question.needed(held)
        owner_of = self._owners_of_rows(held)
        lacking = dict.fromkeys(owner_of[row] for row in np.flatnonzero(placed < need).tolist() if row in owner_of)
        for scope in [frozenset([owner]) for owner in lacking] + [self._linked(held, owner) for owner in lacking]:
            few = frozenset(one for one in held if self.question.owners[one] in scope or self.question.owners[one] < 0)
            if few < held and self.oracle.possible(few) is False:
                return few
        return held

    def _owners_of_rows(self, held: Held) -> dict[int, int]:
        """Return who asks for each row."""
        return {
            row: self.question.owners[part.reasons[0]]
            for part in self.question.of(held)
            if isinstance(part, LeastPart)
            for row in part.rows.tolist()
        }

    def _linked(self, held: Held, owner: int) -> frozenset[int]:
        """Return an owner and all whom a rule between jobs binds to it, directly or through others."""
        owner_of = self._owners_of_rows(held)
        together = []
        for part in self.question.of(held):
            if isinstance(part, RulePart):
                rows = [*part.rule.rows.tolist(), *getattr(part.rule, "others", np.empty(0, np.int32)).tolist()]
                together.append({owner_of[row] for row in rows if row in owner_of})
        linked, grew = {owner}, True
        while grew:
            wider = linked.union(*(some for some in together if some & linked))
            grew, linked = len(wider) > len(linked), wider
        return frozenset(linked)

    def _involved(self, held: Held, short: Shortage) -> Held:
        """Return the reasons that touch the rows of a shortage, if counting still proves it with these alone."""
        rows = short.rows
        if short.dimension is not None:
            asked = self.question.problem.demand[self.question.problem.shape[rows], short.dimension]
            sums = asked * self.question.problem.wanted[rows]
            order = np.argsort(-sums, kind="stable")
            few = int(np.searchsorted(np.cumsum(sums[order]), short.there, side="right")) + 1
            rows = rows[order[:few]] if few <= MOST_NAMED else rows
        involved = self._touching(held, rows, short.dimension)
        return involved if self.oracle.possible(involved) is False else held

    def _touching(self, held: Held, rows: Iterable[int], dimension: int | None) -> Held:
        """Return the reasons behind what counting looked at: masks and numbers, and a dimension or the row's rules."""
        wanted = set(map(int, rows))
        found: set[int] = set()
        for part in self.question.of(held):
            if isinstance(part, MaskPart):
                touches = part.row in wanted
            elif isinstance(part, LeastPart):
                touches = set(part.rows.tolist()) <= wanted
            elif isinstance(part, AmountPart):
                touches = dimension in (None, *part.dimensions) and bool(wanted & set(part.rows.tolist()))
            else:
                touches = (
                    dimension is None and isinstance(part, RulePart) and bool(wanted & set(part.rule.rows.tolist()))
                )
            if touches:
                found.update(part.reasons)
        return frozenset(found)

    def _core(self, held: Held) -> Held:
        """Return a core of assumptions, if it is a conflict by itself."""
        cells = cells_of(self.question, held)
        if cells.number * self.question.problem.rows > MOST_COLUMNS:
            return held
        verdict = core_of(build(self.question, held, cells), self.options.left() * SHARE, self.options.seed)
        core = verdict.core
        return core if core is not None and core < held and self.oracle.possible(core) is False else held

    def _fewer_owners(self, held: Held) -> tuple[Held, Held]:
        """Leave out owners with all their reasons; too many of them stay together as one."""
        owners = sorted({self.question.owners[reason] for reason in held} - {-1})
        asking = [
            owner
            for owner in owners
            if any(
                isinstance(part, LeastPart) and any(self.question.owners[one] == owner for one in part.reasons)
                for part in self.question.of(held)
            )
        ]
        if len(asking) > MOST_NAMED and self.oracle.ask(held).by == "counting":
            least = {
                reason for part in self.question.of(held) if isinstance(part, LeastPart) for reason in part.reasons
            }
            return held, frozenset(least & held)
        chunks = [frozenset(one for one in held if self.question.owners[one] == owner) for owner in owners]
        return self._shrunk(held, chunks), frozenset()

    def _shrunk(self, held: Held, chunks: Sequence[Held]) -> Held:
        """Take away chunks, half of them at a time, as long as a conflict is left."""
        if not chunks or self.options.left() < SHORTEST:
            return held
        less = held.difference(*chunks)
        if less != held and self.oracle.possible(less) is False:
            return less
        if len(chunks) == 1:
            return held
        middle = len(chunks) // 2
        return self._shrunk(self._shrunk(held, chunks[:middle]), chunks[middle:])

    def _minimal(self, held: Held, together: Held) -> tuple[Held, bool]:
        """Take reasons away one by one, the dearest first, until each that is left is needed."""
        order = sorted(held - together, key=lambda reason: (-self.question.weights[reason], -reason))
        held = self._shrunk(held, [frozenset([reason]) for reason in order])
        sure = False
        while not sure:
            sure, minimal = True, True
            for reason in [one for one in order if one in held]:
                if self.options.left() < SHORTEST:
                    return held, False
                possible = self.oracle.possible(held - {reason})
                minimal &= possible is True
                if possible is False:
                    held, sure = held - {reason}, False
        return held, minimal

    # --- the fewest changes -----------------------------------------------------------------------------------------

    def change(self) -> Change:
        """Give up a least set that ends every conflict found, until the others are possible."""
        conflicts: list[Conflict] = []
        gone: Held = frozenset()
        while True:
            found = self.conflict(self.question.everything - gone)
            if found.possible:
                others = self._alternatives(gone, conflicts)
                return Change(complete=True, reasons=gone, conflicts=tuple(conflicts), alternatives=others)
            if found.conflict is None:
                return Change(complete=False, reasons=gone, conflicts=tuple(conflicts))
            conflicts.append(found.conflict)
            gone = least_cover([self._cut(one) for one in conflicts], self.question.weights)

    def _cut(self, conflict: Conflict) -> Cut:
        """Return what a change must do to end a conflict."""
        short = conflict.shortage
        if short is None or short.dimension is None:
            return Cut(dict.fromkeys(sorted(conflict.reasons), 1), 1)
        problem, least = self.question.problem, short.needed - short.there
        worth = dict.fromkeys(sorted(conflict.reasons), 0)
        asking: set[int] = set()
        for part in self.question.of(conflict.reasons):
            if isinstance(part, LeastPart):
                rows = part.rows[np.isin(part.rows, short.rows)]
                need = problem.demand[problem.shape[rows], short.dimension]
                for reason in part.reasons:
                    asking.add(reason)
                    worth[reason] += int((need * problem.wanted[rows]).sum())
        return Cut({reason: min(worth[reason], least) if reason in asking else least for reason in worth}, least)

    def _alternatives(self, gone: Held, conflicts: Sequence[Conflict]) -> tuple[int, ...]:
        """Return other single reasons without which everything fits, as far as time allows."""
        if len(gone) != 1:
            return ()
        cuts = [self._cut(one) for one in conflicts]
        able = [one for one in cuts[0].worth if all(cut.worth.get(one, 0) >= cut.least for cut in cuts)]
        able.sort(key=lambda one: (self.question.weights[one], one))
        found: list[int] = []
        for reason in able:
            if len(found) == MOST_ALTERNATIVES or self.options.left() < self.options.seconds * RESERVED:
                break
            if reason not in gone and self.oracle.possible(self.question.everything - {reason}):
                found.append(reason)
        return tuple(found)


def least_cover(cuts: Sequence[Cut], weights: Sequence[int]) -> Held:
    """Return the fewest reasons that satisfy every cut, of equally few the lightest."""
    from ortools.sat.python import cp_model

    members = sorted(set().union(*(cut.worth for cut in cuts)))
    model = cp_model.CpModel()
    taken = {member: model.new_bool_var("") for member in members}
    for cut in cuts:
        model.add(sum(worth * taken[member] for member, worth in cut.worth.items()) >= cut.least)
    one_more = 1 + sum(weights[member] for member in members)
    costs = [one_more + weights[member] for member in members]
    model.minimize(cp_model.LinearExpr.weighted_sum([taken[member] for member in members], costs))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    if solver.solve(model) != cp_model.OPTIMAL:
        raise RuntimeError("a least cover was not found")
    return frozenset(member for member in members if solver.boolean_value(taken[member]))
