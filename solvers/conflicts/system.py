"""A question as linear rows over whole numbers, each row with the reasons behind it: one form for every engine.

Over single agents it says exactly what the rules say; over cells of several agents it says less, so only "impossible"
may be concluded from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from solvers.conflicts.cells import Cells
from solvers.conflicts.question import AmountPart, Held, LeastPart, MaskPart, Part, Question, RulePart, UnitsPart
from solvers.problem import Problem
from solvers.rules import (
    EACH_AGENT,
    Balance,
    Bool,
    Counts,
    Excludes,
    GroupCap,
    Int32,
    Int64,
    OneGroup,
    Quota,
    Requires,
)

NO_ROWS = np.empty(0, np.int32)


@dataclass(frozen=True, eq=False, slots=True)
class LinearRow:
    """low <= sum of value * column <= high, while all reasons are held. None: no side."""

    columns: list[int]
    values: list[int]
    low: int | None
    high: int | None
    reasons: tuple[int, ...]


@dataclass
class System:
    """The rows and columns of a question in which some reasons are held.

    Attributes
    ----------
    lower, upper
        Bounds of every column; all columns are whole numbers.
    rows
        The rows.
    row_of, cell_of
        Row of the problem and cell of the columns that count instances (they come first).
    extra
        For each dimension that is loosened, the columns of what is taken beyond capacity, by cell.
    """

    question: Question
    cells: Cells
    lower: list[int] = field(default_factory=list)
    upper: list[int] = field(default_factory=list)
    rows: list[LinearRow] = field(default_factory=list)
    row_of: Int32 = field(default_factory=lambda: np.empty(0, np.int32))
    cell_of: Int32 = field(default_factory=lambda: np.empty(0, np.int32))
    extra: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

    def column(self, upper: int, lower: int = 0) -> int:
        """Add a column and return its number."""
        self.lower.append(lower)
        self.upper.append(upper)
        return len(self.lower) - 1

    def add(
        self, columns: list[int], values: list[int], reasons: tuple[int, ...], *, low: int | None = None,
        high: int | None = None,
    ) -> None:  # fmt: skip
        """Add a row."""
        self.rows.append(LinearRow(columns, values, low, high, reasons))


def build(
    question: Question, held: Held, cells: Cells, *, also: Int32 = NO_ROWS, loosened: Held = frozenset()
) -> System:
    """Return the system of the reasons held, over some cells.

    Parameters
    ----------
    also
        Rows that may be placed though nothing asks for them.
    loosened
        Reasons held whose amounts may be exceeded, at the price of columns that say by how much.
    """
    return _Builder(question, held, cells, also, loosened).run()


class _Builder:
    """Builds one system; one method for each kind of part."""

    def __init__(self, question: Question, held: Held, cells: Cells, also: Int32, loosened: Held) -> None:
        self.question = question
        self.also = also
        self.loosened = loosened
        self.problem: Problem = question.problem
        self.held = held
        self.cells = cells
        self.system = System(question, cells)
        self.parts = question.of(held)
        self.whole = bool((cells.size == 1).all())

    def run(self) -> System:
        """Return the system."""
        self._count_columns()
        self._amounts()
        for part in self.parts:
            if isinstance(part, MaskPart):
                self._mask(part)
            elif isinstance(part, LeastPart):
                self._least(part)
            elif isinstance(part, UnitsPart):
                self._units(part)
            elif isinstance(part, RulePart):
                self._rule(part)
        self._unit_limits()
        return self.system

    # --- counts -----------------------------------------------------------------------------------------------------

    def _count_columns(self) -> None:
        """Give every wanted row a column in every cell."""
        rows = np.flatnonzero(self._taking()).astype(np.int32)
        number = self.cells.number
        self.system.row_of = np.repeat(rows, number)
        self.system.cell_of = np.tile(np.arange(number, dtype=np.int32), len(rows))
        self.column_of = np.full((self.problem.rows, number), -1, np.int64)
        self.column_of[rows] = np.arange(len(rows) * number).reshape(len(rows), number)
        for row in rows.tolist():
            self.system.lower += [0] * number
            self.system.upper += [int(self.problem.wanted[row])] * number
        for row in rows.tolist():
            self.system.add(self.column_of[row].tolist(), [1] * number, (), high=int(self.problem.wanted[row]))
        self.use_of_unit: dict[int, list[tuple[int, int]]] = {}

    def _taking(self) -> Bool:
        """Return bool[rows]: rows that are needed, or that may be placed for the sake of others."""
        taking = np.zeros(self.problem.rows, np.bool_)
        taking[self.also] = True
        for part in self.parts:
            if isinstance(part, LeastPart):
                taking[part.rows] = True
        grew = True
        while grew:
            grew = False
            for part in self.parts:
                if isinstance(part, RulePart) and isinstance(part.rule, Requires) and taking[part.rule.rows].any():
                    grew |= not taking[part.rule.others].all()
                    taking[part.rule.others] = True
        return taking & (self.problem.wanted > 0)

    def _columns(self, rows: Int32, cells: Int64) -> list[int]:
        found = self.column_of[np.ix_(rows, cells)].reshape(-1)
        return found[found >= 0].tolist()

    def _most(self, rows: Int32) -> int:
        """Return the most instances of some rows there can be."""
        return int(self.problem.wanted[rows].sum())

    def _amounts(self) -> None:
        """Take from no cell more of any dimension than it has; from no agent of it more than one has."""
        full = self.problem.demand[self.problem.shape]
        for dimension in range(full.shape[1]):
            by_reasons: dict[tuple[int, ...], list[int]] = {}
            for part in self.parts:
                if isinstance(part, AmountPart) and dimension in part.dimensions:
                    by_reasons.setdefault(part.reasons, []).extend(part.rows[full[part.rows, dimension] > 0].tolist())
            asking = {reasons: rows for reasons, rows in by_reasons.items() if rows}
            if asking:
                self._amount(dimension, full[:, dimension], asking)

    def _amount(self, dimension: int, need: Int64, asking: dict[tuple[int, ...], list[int]]) -> None:
        """One dimension: the demand counts while the reasons are held, so rows without them count as nothing."""
        reasons = tuple(sorted({reason for some in asking for reason in some}))
        rows = np.array(sorted(row for some in asking.values() for row in some), np.int32)
        rows = rows[self.column_of[rows, 0] >= 0] if self.cells.number else rows
        if not len(rows):
            return
        capacity = np.maximum(self.problem.capacity[self.cells.first, dimension], 0)
        size = self.cells.size
        most = int((self.problem.wanted[rows] * need[rows]).sum())
        for cell in range(self.cells.number):
            columns, values = self.column_of[rows, cell].tolist(), need[rows].tolist()
            if self.loosened & set(reasons):
                beyond = self.system.column(most)
                self.system.extra.setdefault(dimension, []).append((beyond, cell))
                self.system.add([*columns, beyond], [*values, -1], reasons, high=int(capacity[cell] * size[cell]))
                continue
            if most > int(capacity[cell] * size[cell]):
                self.system.add(columns, values, reasons, high=int(capacity[cell] * size[cell]))
            for column, value in zip(columns, values, strict=True):
                fits = int(capacity[cell]) // value * int(size[cell])
                if size[cell] > 1 or fits == 0:
                    self.system.add([column], [1], reasons, high=fits)

    def _mask(self, part: MaskPart) -> None:
        """None of a row on agents outside a mask."""
        outside = np.flatnonzero(~part.mask[self.cells.first])
        columns = self._columns(np.array([part.row], np.int32), outside)
        if columns:
            self.system.add(columns, [1] * len(columns), part.reasons, high=0)

    def _least(self, part: LeastPart) -> None:
        """So many instances of some rows at least."""
        columns = self._columns(part.rows, np.arange(self.cells.number))
        self.system.add(columns, [1] * len(columns), part.reasons, low=part.number)

    # --- units ------------------------------------------------------------------------------------------------------

    def _units(self, part: UnitsPart) -> None:
        """Each request of each instance is served by one unit of its agent (cells of several agents own none)."""
        asked, units = self.problem.unit_requests, self.problem.units
        for request in asked.by_row.get(part.row, ()):
            amount = int(asked.amount[request])
            suits = asked.masks[int(asked.eligible[request])] & (units.amount >= max(1, amount))
            for cell in range(self.cells.number):
                column = int(self.column_of[part.row, cell])
                if column < 0:
                    continue
                own = np.flatnonzero(suits & (self.cells.of[units.agent] == cell)).tolist()
                served = [self.system.column(int(self.problem.wanted[part.row])) for _ in own]
                self.system.add([column, *served], [1] + [-1] * len(served), part.reasons, high=0)
                for unit, one in zip(own, served, strict=True):
                    self.use_of_unit.setdefault(unit, []).append((one, 1 if units.whole[unit] else amount))

    def _unit_limits(self) -> None:
        """Take no unit beyond what it has."""
        units = self.problem.units
        for unit, uses in sorted(self.use_of_unit.items()):
            high = 1 if units.whole[unit] else int(units.amount[unit])
            self.system.add([one for one, _ in uses], [amount for _, amount in uses], (), high=high)

    # --- rules ------------------------------------------------------------------------------------------------------

    def _rule(self, part: RulePart) -> None:
        rule = self.question.rule(part, self.held)
        if isinstance(rule, GroupCap):
            self._group_cap(part, rule)
        elif isinstance(rule, OneGroup):
            self._one_group(part, rule)
        elif isinstance(rule, Quota):
            self._quota(part, rule)
        elif isinstance(rule, Balance):
            self._balance(part, rule)
        elif isinstance(rule, Requires):
            self._requires(part, rule)
        elif isinstance(rule, Excludes):
            self._excludes(part, rule)

    def _groups(self, rows: Int32, grouping: int) -> dict[int, tuple[list[int], int]]:
        """Return the columns of rows in each group, and how many groups alike stand behind (1 unless cells are groups).

        Over `EACH_AGENT` a cell of m agents is m groups alike, known by its first agent.
        """
        first, size = self.cells.first, self.cells.size
        codes = self.problem.groups(grouping)[first]
        found = {}
        for code in np.unique(codes[codes >= 0]).tolist():
            cells = np.flatnonzero(codes == code)
            columns = self._columns(rows, cells)
            if columns:
                found[code] = (columns, int(size[cells[0]]) if grouping == EACH_AGENT else 1)
        return found

    def _outside(self, part: RulePart, grouping: int) -> None:
        """None of the rows on agents outside all groups."""
        outside = np.flatnonzero(self.problem.groups(grouping)[self.cells.first] < 0)
        columns = self._columns(part.rule.rows, outside)
        if columns:
            self.system.add(columns, [1] * len(columns), part.reasons, high=0)

    def _counted(self, counts: Counts, grouping: int) -> Int64:
        return counts.dense(self.problem.group_count(grouping))

    def _group_cap(self, part: RulePart, rule: GroupCap) -> None:
        """At most `limit` instances, counted and new, in each group."""
        room = np.maximum(0, rule.limit - self._counted(rule.counted, rule.grouping))
        for group, (columns, alike) in self._groups(rule.rows, rule.grouping).items():
            self.system.add(columns, [1] * len(columns), part.reasons, high=int(room[group]) * alike)

    def _one_group(self, part: RulePart, rule: OneGroup) -> None:
        """All new instances in one group."""
        self._outside(part, rule.grouping)
        most, chosen = self._most(rule.rows), []
        for columns, alike in self._groups(rule.rows, rule.grouping).values():
            use = self.system.column(alike)
            chosen.append(use)
            self.system.add([*columns, use], [1] * len(columns) + [-most], part.reasons, high=0)
        self.system.add(chosen, [1] * len(chosen), part.reasons, high=1)

    def _quota(self, part: RulePart, rule: Quota) -> None:
        """At most `groups` groups used, at most `each` instances in each; `extra` of the groups may hold one more."""
        counted = self._counted(rule.counted, rule.grouping)
        spent = int(np.maximum(0, counted - rule.each).sum() + np.maximum(0, rule.outside - rule.each).sum())
        fresh = rule.groups - int((counted > 0).sum()) - int((rule.outside > 0).sum())
        most, used, extra = self._most(rule.rows), [], []
        for group, (columns, alike) in self._groups(rule.rows, rule.grouping).items():
            ones, room = [1] * len(columns), max(0, rule.each - int(counted[group])) * alike
            if counted[group] <= rule.each:
                more = self.system.column(alike)
                extra.append(more)
                self.system.add([*columns, more], [*ones, -1], part.reasons, high=room)
            else:
                self.system.add(columns, ones, part.reasons, high=room)
            if not counted[group]:
                use = self.system.column(alike)
                used.append(use)
                self.system.add([*columns, use], [*ones, -most], part.reasons, high=0)
        self.system.add(used, [1] * len(used), part.reasons, high=max(0, fresh))
        self.system.add(extra, [1] * len(extra), part.reasons, high=max(0, rule.extra - spent))

    def _balance(self, part: RulePart, rule: Balance) -> None:
        """Every group with a new instance holds at most one more than the least of the groups that matter."""
        self._outside(part, rule.grouping)
        counted = self._counted(rule.counted, rule.grouping)
        groups = self._groups(rule.rows, rule.grouping)
        for group in [one for one in groups if not rule.relevant[one]]:
            columns, _ = groups.pop(group)
            self.system.add(columns, [1] * len(columns), part.reasons, high=0)
        most = self._most(rule.rows)
        top = int(counted.max(initial=0)) + most
        least = self.system.column(top)
        if rule.at_least:
            self._least_in_use(part, rule, counted, groups, least, top)
        else:
            here = set(groups)
            if self.problem.group_count(rule.grouping) and rule.grouping != EACH_AGENT:
                others = [int(counted[g]) for g in np.flatnonzero(rule.relevant).tolist() if g not in here]
                if others:
                    self.system.add([least], [1], part.reasons, high=min(others))
            for group, (columns, alike) in groups.items():
                self._at_most_final(part, least, columns, alike, int(counted[group]))
        for group, (columns, alike) in groups.items():
            self._not_above(part, columns, alike, int(counted[group]), least, top, most)

    def _at_most_final(self, part: RulePart, least: int, columns: list[int], alike: int, counted: int) -> None:
        """The least is at most what the group holds in the end."""
        values = [alike] + [-1] * len(columns)
        self.system.add([least, *columns], values, part.reasons, high=counted * alike)

    def _not_above(
        self, part: RulePart, columns: list[int], alike: int, counted: int, least: int, top: int, most: int
    ) -> None:
        """A group's count is at most one more than the least, or what it was."""
        ones = [1] * len(columns)
        if counted <= 1:
            self.system.add([*columns, least], [*ones, -alike], part.reasons, high=(1 - counted) * alike)
            return
        grows = self.system.column(1)
        self.system.add([*columns, grows], [*ones, -most], part.reasons, high=0)
        beyond = (top + counted) * alike
        self.system.add(
            [*columns, least, grows], [*ones, -alike, beyond], part.reasons, high=(1 - counted) * alike + beyond
        )

    def _least_in_use(
        self,
        part: RulePart,
        rule: Balance,
        counted: Int64,
        groups: dict[int, tuple[list[int], int]],
        least: int,
        top: int,
    ) -> None:
        """The least is over the groups in use; while these are too few, no group takes a second instance."""
        use, fixed = [], 0
        for group in np.flatnonzero(counted).tolist():
            if group in groups:
                self._at_most_final(part, least, *groups[group], int(counted[group]))
                fixed += groups[group][1]
            elif rule.grouping != EACH_AGENT:
                self.system.add([least], [1], part.reasons, high=int(counted[group]))
                fixed += 1
        most = self._most(rule.rows)
        for group, (columns, alike) in groups.items():
            if counted[group]:
                continue
            used = self.system.column(alike)
            use.append(used)
            ones = [1] * len(columns)
            self.system.add([*columns, used], [*ones, -most], part.reasons, high=0)
            self.system.add([*columns, used], [*ones, -1], part.reasons, low=0)
            if alike == 1:
                self.system.add([least, *columns, used], [1, *[-1] * len(columns), top], part.reasons, high=top)
        enough = self.system.column(1)
        self.system.add([*use, enough], [*[1] * len(use), -rule.at_least], part.reasons, low=-fixed)
        self.system.add([least, enough], [1, -top], part.reasons, high=0)

    def _requires(self, part: RulePart, rule: Requires) -> None:
        """New instances only in groups where the others have an instance, counted or new."""
        self._outside(part, rule.grouping)
        counted = self._counted(rule.others_counted, rule.grouping)
        theirs, most = self._groups(rule.others, rule.grouping), self._most(rule.rows)
        for group, (columns, alike) in self._groups(rule.rows, rule.grouping).items():
            ones = [1] * len(columns)
            if counted[group]:
                continue
            if group not in theirs:
                self.system.add(columns, ones, part.reasons, high=0)
                continue
            there = self.system.column(alike)
            self.system.add([*columns, there], [*ones, -most], part.reasons, high=0)
            self.system.add([*theirs[group][0], there], [*[1] * len(theirs[group][0]), -1], part.reasons, low=0)

    def _excludes(self, part: RulePart, rule: Excludes) -> None:
        """At most `limit` instances in a group where the others have one; counted ones above it keep them out."""
        counted = self._counted(rule.counted, rule.grouping)
        others_counted = self._counted(rule.others_counted, rule.grouping)
        theirs, most = self._groups(rule.others, rule.grouping), self._most(rule.rows)
        for group, (columns, alike) in self._groups(rule.rows, rule.grouping).items():
            ones, room = [1] * len(columns), max(0, rule.limit - int(counted[group])) * alike
            if others_counted[group]:
                self.system.add(columns, ones, part.reasons, high=room)
            elif group in theirs:
                there = self.system.column(alike)
                self.system.add(
                    [*theirs[group][0], there],
                    [*[1] * len(theirs[group][0]), -self._most(rule.others)],
                    part.reasons,
                    high=0,
                )
                self.system.add([*columns, there], [*ones, most], part.reasons, high=room + most * alike)
        for group, (columns, _) in theirs.items():
            if counted[group] > rule.limit:
                self.system.add(columns, [1] * len(columns), part.reasons, high=0)


def dimensions_of(parts: list[Part]) -> Int64:
    """Return the dimensions in which some demand counts."""
    found = {dimension for part in parts if isinstance(part, AmountPart) for dimension in part.dimensions}
    return np.array(sorted(found), np.int64)


def cells_of(question: Question, held: Held) -> Cells:
    """Return the cells of the agents as far as the reasons held tell them apart."""
    parts = question.of(held)
    units = any(isinstance(part, UnitsPart) for part in parts)
    written = [
        RulePart(reasons=part.reasons, rule=question.rule(part, held)) if isinstance(part, RulePart) else part
        for part in parts
    ]
    return Cells.equal(question.problem, written, dimensions_of(parts), units)
