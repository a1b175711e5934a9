"""Rows that must come together: gangs, all or nothing, and rows that require one another in a group.

Everything here is tried and taken back if it does not come out right; the placing itself is done by `rounds`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from solvers.greedy.rounds import Rounds
from solvers.greedy.states import RequiresState
from solvers.rules import Bool, Gang

TRIES = 16
"""Groups in which rows that require one another are tried before a row gives up."""


class Together:
    """Places bundles of rows of one run."""

    def __init__(self, rounds: Rounds) -> None:
        self.rounds = rounds
        self.run = rounds.run

    def place_bundle(self, rows: Sequence[int], *, relaxed: bool = False) -> None:
        """Place rows that share gangs (or one row without any); a gang that stays too small is taken back whole."""
        barred: set[int] = set()
        while True:
            mark = self.rounds.mark()
            for row in rows:
                if row not in barred:
                    self._place_with_targets(row, relaxed)
                    self.rounds.states.forget(row)
            failed = rows_of_small_gangs(self.rounds, mark)
            if not failed:
                break
            self.rounds.undo(mark)
            barred |= failed

    def _place_with_targets(self, row: int, relaxed: bool) -> None:
        """Place a row; where it lacks the rows it requires, bring these along."""
        self.rounds.place(row, relaxed=relaxed)
        attempt = _Attempt(self.rounds, relaxed)
        while self.run.left[row] and attempt.required(row) and attempt.bring(row):
            self.rounds.place(row, relaxed=relaxed)


class _Attempt:
    """Brings rows together that require one another.

    Attributes
    ----------
    rounds, relaxed
        Who places, and whether soft rules may be broken (soft requirements then need nobody).
    """

    def __init__(self, rounds: Rounds, relaxed: bool) -> None:
        self.rounds = rounds
        self.relaxed = relaxed

    def required(self, row: int) -> list[RequiresState]:
        """Return the states of the requirements of a row."""
        states = self.rounds.states.of(row)
        return [
            state
            for state in states
            if isinstance(state, RequiresState) and row in state.rows and not (self.relaxed and state.soft)
        ]

    def bring(self, row: int) -> bool:
        """Put a required row and this one into a group where the required one is not yet; tell whether any came."""
        required = self.required(row)
        inside = np.logical_and.reduce([state.codes >= 0 for state in required])
        room = self.rounds.open_room(row, [state.number for state in required], inside, relaxed=self.relaxed)
        for state in required:
            if not self._could_come(row, state):
                continue
            by_group = np.where(state.others == 0, state.room(room), 0)
            candidates = np.flatnonzero(by_group > 0)
            best = candidates[np.argsort(-by_group[candidates], kind="stable")][:TRIES]
            for group in best.tolist():
                if self._try_group(row, required, state.codes == group):
                    return True
        return False

    def _could_come(self, row: int, state: RequiresState) -> bool:
        """Tell whether some row that a rule requires has instances left, or is the row itself."""
        return row in state.other_rows or bool(self.rounds.run.left[state.rule.others].any())

    def _try_group(self, row: int, required: Sequence[RequiresState], within: Bool) -> bool:
        """Try a row with all it requires on some agents; take everything back if a rule of theirs does not hold then."""
        mark = self.rounds.mark()
        if self._place_with_required(row, required, within) and self._complete(mark):
            return True
        self.rounds.undo(mark)
        return False

    def _place_with_required(self, row: int, required: Sequence[RequiresState], within: Bool) -> bool:
        """Place what a row requires on some agents, then the row beside all that requires it; tell whether both came."""
        mark = self.rounds.mark()
        waived = [state.number for state in required]
        for state in required:
            group = self._group_for(row, state, waived, within)
            if group is None:
                return False
            within = within & (state.codes == group)
            if not state.others[group] and not self._seed(state, within, (row,)):
                return False
        for other, agents, _ in self.rounds.since(mark):
            for state in self.required(other):
                if row in state.other_rows:
                    within = within & (state.codes == state.codes[agents[0]])
        return self.rounds.place(row, within=within, waived=waived, relaxed=self.relaxed) > 0

    def _group_for(self, row: int, state: RequiresState, waived: Collection[int], within: Bool) -> int | None:
        """Return the group with most room for a row on some agents, None if there is no room."""
        by_group = state.room(self.rounds.open_room(row, waived, within, relaxed=self.relaxed))
        best = int(np.argmax(by_group)) if len(by_group) else 0
        return best if len(by_group) and by_group[best] > 0 else None

    def _seed(self, state: RequiresState, within: Bool, chain: tuple[int, ...]) -> bool:
        """Place one instance of a row that a rule requires on some agents, with what it requires itself in turn.

        A row of the chain need not be seeded: it is about to come, and `_complete` sees whether it did.
        """
        others = state.rule.others.tolist()
        if any(other in chain for other in others):
            return True
        for other in others:
            mark = self.rounds.mark()
            required = self.required(other)
            waived = [one.number for one in required]
            if self.rounds.place(other, wanted=1, within=within, waived=waived, relaxed=self.relaxed):
                agent = int(self.rounds.since(mark)[-1][1][0])
                if all(
                    one.others[one.codes[agent]] > 0 or self._seed(one, one.codes == one.codes[agent], (*chain, other))
                    for one in required
                    if one.codes[agent] >= 0
                ):
                    return True
                self.rounds.undo(mark)
        return False

    def _complete(self, mark: int) -> bool:
        """Fill up the gangs of all rows placed since a moment, and tell whether gangs and requirements hold then."""
        touched = {row for row, _, _ in self.rounds.since(mark)}
        for row in sorted({member for one in touched for member in self.rounds.run.traits.gangs.get(one, ())}):
            self.rounds.place(row, relaxed=self.relaxed)
        if rows_of_small_gangs(self.rounds, mark):
            return False
        return all(
            (state.others[state.codes[agents]] > 0).all() and (state.codes[agents] >= 0).all()
            for row, agents, _ in self.rounds.since(mark)
            for state in self.required(row)
        )


def rows_of_small_gangs(rounds: Rounds, mark: int) -> set[int]:
    """Return the rows of all gangs that have some instances but too few, among those touched since a moment."""
    found: set[int] = set()
    problem, left = rounds.run.problem, rounds.run.left
    for row in sorted({row for row, _, _ in rounds.since(mark)} & rounds.run.traits.gangs.keys()):
        for number in problem.rules_of[row]:
            rule = problem.rules[number]
            if isinstance(rule, Gang) and 0 < int((problem.wanted - left)[rule.rows].sum()) < rule.least:
                found |= set(rule.rows.tolist())
    return found
