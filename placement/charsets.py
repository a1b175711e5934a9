"""Sets of code points, as sorted disjoint ranges, and the sets that Java's patterns have names for.

It knows nothing of pattern syntax; `placement.patterns` combines these sets and writes them for RE2.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

LAST = 0x10FFFF


@dataclass(frozen=True, slots=True)
class CharSet:
    """A set of code points: `ranges` are inclusive, ascending and neither touch nor overlap."""

    ranges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, ranges: Iterable[tuple[int, int]]) -> CharSet:
        """Return the set of the ranges given, in any order and overlapping as they may."""
        merged: list[tuple[int, int]] = []
        for first, last in sorted(ranges):
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], last))
            else:
                merged.append((first, last))
        return cls(tuple(merged))

    @classmethod
    def chars(cls, text: str) -> CharSet:
        """Return the set of the characters of `text`."""
        return cls.of((ord(char), ord(char)) for char in text)

    def __or__(self, other: CharSet) -> CharSet:
        small, large = sorted((self, other), key=lambda one: len(one.ranges))
        if 8 * len(small.ranges) >= len(large.ranges):
            return CharSet.of((*small.ranges, *large.ranges))
        for first, last in small.ranges:
            large = large._with(first, last)
        return large

    def _with(self, first: int, last: int) -> CharSet:
        """Return the set with one more range: few steps, however many ranges there are."""
        begin, end = self._near(first - 1, last + 1)
        if begin < end:
            first, last = min(first, self.ranges[begin][0]), max(last, self.ranges[end - 1][1])
        return CharSet((*self.ranges[:begin], (first, last), *self.ranges[end:]))

    def _near(self, first: int, last: int) -> tuple[int, int]:
        """Return the slice of the ranges that meet `first`..`last`."""
        begin = bisect_left(self.ranges, first, key=lambda one: one[1])
        return begin, bisect_right(self.ranges, last, lo=begin, key=lambda one: one[0])

    def meets(self, other: CharSet) -> bool:
        """Tell whether the two sets have a character in common."""
        small, large = sorted((self, other), key=lambda one: len(one.ranges))
        return any(begin < end for begin, end in (large._near(*one) for one in small.ranges))

    def __invert__(self) -> CharSet:
        gaps, start = [], 0
        for first, last in self.ranges:
            if start < first:
                gaps.append((start, first - 1))
            start = last + 1
        if start <= LAST:
            gaps.append((start, LAST))
        return CharSet(tuple(gaps))

    def __and__(self, other: CharSet) -> CharSet:
        return ~(~self | ~other)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def ascii_folded(self) -> CharSet:
        """Return the set with the other case of every ASCII letter in it (Java's flag i without u)."""
        letters = [(0x41, 0x5A, 0x20), (0x61, 0x7A, -0x20)]
        added = [
            (max(first, low) + shift, min(last, high) + shift)
            for first, last in self.ranges
            for low, high, shift in letters
            if max(first, low) <= min(last, high)
        ]
        return CharSet.of((*self.ranges, *added))


NOTHING = CharSet()
EVERYTHING = CharSet(((0, LAST),))
DIGIT = CharSet.of([(0x30, 0x39)])
WORD = DIGIT | CharSet.of([(0x41, 0x5A), (0x61, 0x7A), (0x5F, 0x5F)])
SPACE = CharSet.chars(" \t\n\x0b\f\r")
HORIZONTAL = CharSet.chars(" \t\xa0\u1680\u180e\u202f\u205f\u3000") | CharSet.of([(0x2000, 0x200A)])
VERTICAL = CharSet.chars("\n\x0b\f\r\x85\u2028\u2029")
LINE_ENDS = CharSet.chars("\n\r\x85\u2028\u2029")

_LOWER = CharSet.of([(0x61, 0x7A)])
_UPPER = CharSet.of([(0x41, 0x5A)])
_PUNCT = CharSet.of([(0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E)])
_ALNUM = _LOWER | _UPPER | DIGIT

ESCAPED = {
    "d": DIGIT, "D": ~DIGIT, "w": WORD, "W": ~WORD, "s": SPACE, "S": ~SPACE,
    "h": HORIZONTAL, "H": ~HORIZONTAL, "v": VERTICAL, "V": ~VERTICAL,
}  # fmt: skip
"""Predefined classes by their letter (java.util.regex.Pattern, `Predefined character classes`)."""

_POSIX = {
    "Lower": _LOWER, "Upper": _UPPER, "ASCII": CharSet.of([(0, 0x7F)]), "Alpha": _LOWER | _UPPER, "Digit": DIGIT,
    "Alnum": _ALNUM, "Punct": _PUNCT, "Graph": _ALNUM | _PUNCT, "Print": _ALNUM | _PUNCT | CharSet.chars(" "),
    "Blank": CharSet.chars(" \t"), "Cntrl": CharSet.of([(0, 0x1F), (0x7F, 0x7F)]),
    "XDigit": DIGIT | CharSet.of([(0x41, 0x46), (0x61, 0x66)]), "Space": SPACE, "L1": CharSet.of([(0, 0xFF)]),
    "all": CharSet.of([(0, LAST)]),
}  # fmt: skip

_JAVA = {
    "javaDigit": "Nd", "javaLetter": "L", "javaLetterOrDigit": "LD", "javaTitleCase": "Lt", "javaSpaceChar": "Z",
}  # fmt: skip
_GROUPS = {"LC": ("Lu", "Ll", "Lt"), "LD": ("Lu", "Ll", "Lt", "Lm", "Lo", "Nd")}

CASED = frozenset({"Lower", "Upper", "Lu", "Ll", "Lt", "LC", "javaTitleCase"})
"""Names whose meaning without regard to case depends on the version of Java."""


@cache
def named(name: str) -> CharSet | None:
    r"""Return the set that Java's `\p{name}` stands for, None for a name that is not known here.

    Known are the POSIX classes (ASCII only), the general categories with or without `Is`, `gc=` or
    `general_category=`, and the `java...` classes that follow from categories.
    """
    if name in _POSIX:
        return _POSIX[name]
    if name in _JAVA:
        return _category(_JAVA[name])
    prefix, equals, value = name.partition("=")
    if equals:
        return _category(value) if prefix.lower() in ("gc", "general_category") else None
    return _category(name.removeprefix("Is"))


def _category(name: str) -> CharSet | None:
    table = _categories()
    if name in _GROUPS:
        parts = [table[part] for part in _GROUPS[name]]
    elif len(name) == 1:
        parts = [found for category, found in table.items() if category[0] == name]
    else:
        parts = [table[name]] if name in table else []
    return CharSet.of(one for part in parts for one in part.ranges) if parts else None


@cache
def _categories() -> dict[str, CharSet]:
    runs: dict[str, list[tuple[int, int]]] = {}
    start, current = 0, unicodedata.category("\0")
    for point in range(1, LAST + 2):
        category = unicodedata.category(chr(point)) if point <= LAST else ""
        if category != current:
            runs.setdefault(current, []).append((start, point - 1))
            start, current = point, category
    return {category: CharSet.of(ranges) for category, ranges in runs.items()}
