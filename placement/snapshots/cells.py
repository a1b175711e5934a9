"""CSV cells and headers that several tables share: amounts, ports, moments, and rows with line numbers."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from placement.amounts import thousandths
from placement.attributes import parse_ranges
from placement.cluster import STANDARD, Ranges
from placement.documents import decode_text
from placement.errors import InputError

HIGHEST_PORT = 65535
RESOURCE = "resource:"
_ROLE = re.compile(r"(?P<name>[^()]+)\((?P<role>[^()]+)\)")


@dataclass(frozen=True)
class Rows:
    """The rows of a CSV text: header, and (line number, cells) of every row that is not blank."""

    header: tuple[str, ...]
    rows: Sequence[tuple[int, list[str]]]


def read_rows(data: bytes, *, file: str) -> Rows:
    """Return the rows of a CSV file.

    Raises
    ------
    InputError
        If it has no header, a name twice, or a row of another length.
    """
    reader = csv.reader(io.StringIO(decode_text(data, file=file), newline=""), strict=True)
    try:
        header = tuple(name.strip() for name in next(reader, []))
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise InputError(f"is not CSV: {error}", file=file, place=f"line {reader.line_num}") from None
    if not header or not any(header):
        raise InputError("has no header", file=file, place="line 1", expected="column names")
    for name in header:
        if not name or header.count(name) > 1:
            message = "has a column twice" if name else "has a column without a name"
            raise InputError(message, file=file, place="line 1", value=name, expected="distinct column names")
    width = len(header)
    for line, row in rows:
        if len(row) != width:
            raise InputError("has another number of cells than the header", file=file, place=f"line {line}",
                             value=len(row), expected=str(width))  # fmt: skip
    return Rows(header, rows)


def split_role(name: str) -> tuple[str, str | None]:
    """Return (resource, role) of a header: `cpus(prod)` -> ('cpus', 'prod')."""
    found = _ROLE.fullmatch(name)
    return (found["name"], found["role"]) if found else (name, None)


def resource_name(name: str) -> str | None:
    """Return the scalar resource a header names, None if it names none: `resource:network` -> 'network'."""
    if name in STANDARD:
        return name
    return name.removeprefix(RESOURCE) if name.startswith(RESOURCE) and name != RESOURCE else None


@dataclass(eq=False)
class CellReader:
    """Reads cells; equal cells are read once."""

    file: str
    _amounts: dict[str, int] = field(default_factory=dict)
    _ports: dict[str, Ranges] = field(default_factory=dict)

    def amount(self, cell: str, line: int, column: str) -> int:
        """Return an amount in thousandths; an empty cell is 0."""
        if cell not in self._amounts:
            try:
                self._amounts[cell] = thousandths(cell.strip(), what=column) if cell.strip() else 0
            except InputError as error:
                raise self.at(error, line, column) from None
        return self._amounts[cell]

    def whole(self, cell: str, line: int, column: str, default: int) -> int:
        """Return a whole number; an empty cell is the default."""
        text = cell.strip()
        if not text:
            return default
        body = text[1:] if text[0] in "+-" else text
        if not (body.isascii() and body.isdigit() and len(body) <= 18):
            raise self.wrong("is not a whole number", cell, line, column, "a whole number such as 3")
        return int(text)

    def ports(self, cell: str, line: int, column: str) -> Ranges:
        """Return port ranges: `31000-32000;8080`."""
        if cell not in self._ports:
            try:
                ranges = tuple(parse_ranges(cell, ";", single=True))
            except InputError as error:
                raise self.at(error, line, column) from None
            if any(last > HIGHEST_PORT for _, last in ranges):
                raise self.wrong("has a port beyond the highest", cell, line, column, f"0 to {HIGHEST_PORT}")
            self._ports[cell] = ranges
        return self._ports[cell]

    def moment(self, cell: str, line: int, column: str) -> float | None:
        """Return an ISO 8601 moment as seconds since 1970 (UTC unless it says otherwise); None for an empty cell."""
        if not cell.strip():
            return None
        try:
            return parse_moment(cell.strip())
        except ValueError:
            raise self.wrong("is no moment", cell, line, column, "ISO 8601, such as 2026-01-31T12:00:00Z") from None

    def wrong(self, message: str, value: object, line: int, column: str, expected: str) -> InputError:
        """Return an error about a cell."""
        return InputError(
            message, file=self.file, place=f"line {line}, column {column}", value=value, expected=expected
        )

    def at(self, error: InputError, line: int, column: str) -> InputError:
        """Return an error with the cell's place."""
        return error.inside(file=self.file, place=f"line {line}, column {column}")


def parse_moment(text: str) -> float:
    """Return an ISO 8601 moment as seconds since 1970; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def moment_text(seconds: float) -> str:
    """Return seconds since 1970 as ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def ports_text(ranges: Ranges) -> str:
    """Return port ranges as a cell."""
    return ";".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def write_rows(header: Sequence[str], rows: Iterator[Sequence[object]]) -> str:
    """Return a CSV text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()
