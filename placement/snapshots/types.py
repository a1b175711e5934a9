"""Types of agents that can be bought, as CSV: one row a type, with the columns of a CSV snapshot.

`type` names the type (an attribute of that name is written `attribute:type`), `limit` bounds how many of it there are
(empty: no bound), `price` is what one costs. The cell of an attribute, of `@region` or of `@zone` may list alternatives,
`r1|r2|r3`: a new agent takes one of them. Types have no ids and no host names; every new agent gets its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import BinaryIO

from placement.cluster import Agent
from placement.documents import name_of, read_bytes
from placement.errors import InputError
from placement.snapshots.cells import CellReader, Rows, read_rows, resource_name, split_role
from placement.snapshots.table import agents_of

TYPE, LIMIT = "type", "limit"
NOT_A_TYPES = ("agent", "id", "hostname")
"""Columns of a snapshot that say which agent it is, and so nothing of a type."""
ONE_VALUE = ("price", "unavailable_from", "unavailable_for")
"""Columns whose cells list no alternatives, besides those of amounts and ports."""
BETWEEN = "|"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentType:
    """A type of agents that can be had.

    Attributes
    ----------
    name
        Distinct among the types.
    variants
        One agent for each choice among the alternatives, in the order of the cells; its id is the type's name.
    choices
        For each variant the columns with alternatives and the value chosen: `(('rack', 'r1'),)`.
    limit
        Most agents of the type over all its variants; None: any number.
    """

    name: str
    variants: tuple[Agent, ...]
    choices: tuple[tuple[tuple[str, str], ...], ...] = ((),)
    limit: int | None = None

    def __post_init__(self) -> None:
        if not self.variants or len(self.variants) != len(self.choices):
            raise InputError("a type needs one agent for each choice", place=f"type {self.name}")
        if self.limit is not None and self.limit < 0:
            raise InputError("limit is negative", place=f"type {self.name}", value=self.limit, expected="0 or more")


def read_types(path: str | Path, *, stdin: BinaryIO | None = None) -> tuple[AgentType, ...]:
    """Return the types of a CSV file (`-` is standard input).

    Raises
    ------
    InputError
        If the file cannot be read, or a column or cell is none of a type.
    """
    file = name_of(path)
    rows = read_rows(read_bytes(path, stdin), file=file)
    _check_columns(rows, file)
    types = tuple(_types(rows, CellReader(file)))
    if not types:
        raise InputError("holds no type", file=file, expected="at least one row")
    return types


def _check_columns(rows: Rows, file: str) -> None:
    if TYPE not in rows.header:
        raise InputError("has no column type", file=file, place="line 1", value=",".join(rows.header),
                         expected="a column type with the name of each type")  # fmt: skip
    for name in NOT_A_TYPES:
        if name in rows.header:
            raise InputError("types have no such column: every new agent gets its own", file=file, place="line 1",
                             value=name, expected="the other columns of a snapshot")  # fmt: skip


def _types(rows: Rows, cells: CellReader) -> Iterator[AgentType]:
    name_at = rows.header.index(TYPE)
    limit_at = rows.header.index(LIMIT) if LIMIT in rows.header else None
    columns = [i for i in range(len(rows.header)) if i != limit_at]
    header = ["agent" if i == name_at else rows.header[i] for i in columns]
    seen: dict[str, int] = {}
    for line, row in rows.rows:
        name = row[name_at].strip()
        if not name:
            raise InputError("has no type", file=cells.file, place=f"line {line}", expected="a name in column type")
        if name in seen:
            raise cells.wrong(
                "two types have the same name", name, line, TYPE, f"a name other than line {seen[name]}'s"
            )
        seen[name] = line
        limit = None if limit_at is None or not row[limit_at].strip() else _limit(row[limit_at], line, cells)
        options = [_alternatives(header[k], row[i]) for k, i in enumerate(columns)]
        variants: list[Agent] = []
        choices: list[tuple[tuple[str, str], ...]] = []
        for chosen in product(*options):
            variants += agents_of(header, [(line, chosen)], file=cells.file, total=True)
            choices.append(tuple(_named(header, options, chosen)))
        yield AgentType(name=name, variants=tuple(variants), choices=tuple(choices), limit=limit)


def _limit(cell: str, line: int, cells: CellReader) -> int:
    limit = cells.whole(cell, line, LIMIT, 0)
    if limit < 0:
        raise cells.wrong("is negative", cell, line, LIMIT, "0 or more, or nothing for any number")
    return limit


def _alternatives(column: str, cell: str) -> list[str]:
    """Return the values that a cell offers: several for attributes and fault domains only."""
    base = split_role(column)[0]
    if column in ("agent", *ONE_VALUE) or base == "ports" or resource_name(base):
        return [cell]
    return list(dict.fromkeys(part.strip() for part in cell.split(BETWEEN)))


def _named(header: Sequence[str], options: Sequence[Sequence[str]], chosen: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield (column, value) of the cells that had a choice."""
    for column, offered, value in zip(header, options, chosen, strict=True):
        if len(offered) > 1:
            yield column, value
