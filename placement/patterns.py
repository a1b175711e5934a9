r"""Java's regular expressions with full-match meaning, on RE2: linear time, whatever the pattern.

A pattern is parsed as Java parses it into a small tree (`pattern_syntax`) and written anew for RE2 (`pattern_writer`),
so that nothing is left to what the two languages happen to share. What has no exact counterpart is refused by name.
Word boundaries are the ASCII ones (Java 19 and later); Unicode categories are those of Python's `unicodedata`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import re2

from placement.errors import InputError
from placement.pattern_syntax import Parser
from placement.pattern_writer import Writer

LONGEST = 10_000
"""Longest pattern that is read, in characters."""


@dataclass(frozen=True)
class Pattern:
    """A compiled pattern.

    Attributes
    ----------
    text
        As the user wrote it, in Java's syntax.
    translated
        The same language in RE2's syntax.
    """

    text: str
    translated: str

    @classmethod
    def compile(cls, text: str) -> Pattern:
        """Return the pattern of `text`; equal texts are compiled once.

        Raises
        ------
        InputError
            With the position, if Java would refuse it, or if RE2 cannot express it exactly.
        """
        return _compiled(text)

    def matches(self, values: Sequence[str]) -> list[bool]:
        """Tell for each value whether the whole of it matches (case-sensitive), in time linear in its length."""
        matcher = _matcher(self.translated)
        return [matcher.fullmatch(_encoded(value)) is not None for value in values]


@lru_cache(maxsize=4096)
def _compiled(text: str) -> Pattern:
    if len(text) > LONGEST:
        raise InputError("pattern is too long", value=text, expected=f"at most {LONGEST} characters")
    translated = Writer(text).write(Parser(text).tree())
    try:
        _matcher(translated)
    except re2.error:
        raise InputError("pattern is too large", value=text, expected="fewer or smaller repeats") from None
    return Pattern(text, translated)


@lru_cache(maxsize=4096)
def _matcher(translated: str) -> re2._Regexp:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    return re2.compile(translated.encode(), options)


def _encoded(value: str) -> bytes:
    """Return UTF-8; surrogate pairs become one character as in Java, a lone surrogate the replacement character."""
    try:
        return value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
