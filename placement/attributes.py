"""Agent attributes: the four types Mesos knows, read from its text form, printed as frameworks compare them.

Source: mesos attributes text form (`docs/attributes-resources.md`) and mesosphere/marathon `Constraints.scala`,
where constraints compare the printed text of the first attribute of a name.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from placement.errors import InputError

Kind = Literal["text", "scalar", "ranges", "set"]

_SCALAR = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_RANGE = re.compile(r"\s*(\d{1,18})\s*-\s*(\d{1,18})\s*")


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute value of an agent.

    Attributes
    ----------
    kind
        'text', 'scalar', 'ranges' or 'set'.
    text
        The value as constraints see it: see `scalar_text`, `ranges_text`, `set_text`.
    """

    kind: Kind
    text: str

    def mesos(self) -> str:
        """Return text that `parse` reads back as this very attribute."""
        if self.kind == "text" and (parse_kind(self.text) != "text" or self.text.startswith(("'", '"'))):
            return f"'{self.text}'"
        return self.text


def scalar_text(value: float) -> str:
    """Print a scalar: at most 3 decimals, half-even on the binary value, no trailing zeros (7.0 -> '7')."""
    printed = format(value, ".3f").rstrip("0").rstrip(".")
    return "0" if printed == "-0" else printed


def ranges_text(ranges: list[tuple[int, int]]) -> str:
    """Print ranges sorted by begin: [(5, 6), (1, 2)] -> '[1-2,5-6]'."""
    return "[" + ",".join(f"{first}-{last}" for first, last in sorted(ranges)) + "]"


def set_text(items: list[str]) -> str:
    """Print a set with its items sorted as strings: ['1', '0'] -> '{0,1}'."""
    return "{" + ",".join(sorted(items)) + "}"


def parse_kind(text: str) -> Kind:
    """Tell which of the four types Mesos gives an attribute written as `text`."""
    stripped = text.strip()
    if stripped.startswith("{") and stripped.endswith("}"):
        return "set"
    if stripped.startswith("[") and stripped.endswith("]"):
        return "ranges"
    if _SCALAR.fullmatch(stripped) and math.isfinite(float(stripped)):
        return "scalar"
    return "text"


def parse(text: str) -> Attribute:
    """Read one attribute value in Mesos' text form: `{a,b}` set, `[1-2]` ranges, a number scalar, else text.

    A value in quotes (`'007'` or `"007"`) stays text without them.

    Raises
    ------
    InputError
        If a value in square brackets is not a list of ranges.
    """
    stripped = text.strip()
    if len(stripped) >= 2 and stripped[0] == stripped[-1] and stripped[0] in "'\"":
        return Attribute("text", stripped[1:-1])
    kind = parse_kind(stripped)
    if kind == "set":
        items = [item.strip() for item in stripped[1:-1].split(",")]
        return Attribute(kind, set_text([item for item in items if item]))
    if kind == "ranges":
        return Attribute(kind, ranges_text(parse_ranges(stripped[1:-1])))
    if kind == "scalar":
        return Attribute(kind, scalar_text(float(stripped)))
    return Attribute("text", text)


def parse_ranges(text: str, separator: str = ",", *, single: bool = False) -> list[tuple[int, int]]:
    """Read `1-2,5-6` as [(1, 2), (5, 6)]; with `single`, `80` stands for `80-80`.

    Raises
    ------
    InputError
        If a part is not a range or runs backwards.
    """
    ranges = []
    for part in text.split(separator):
        if not part.strip():
            continue
        found = _RANGE.fullmatch(f"{part}-{part}" if single and "-" not in part else part)
        if not found:
            raise InputError("not a range", value=part.strip(), expected="FIRST-LAST, for example 31000-32000")
        first, last = int(found[1]), int(found[2])
        if last < first:
            raise InputError("range runs backwards", value=part.strip(), expected="FIRST not above LAST")
        ranges.append((first, last))
    return ranges
