"""The one exception that users see for wrong input, and the search for the name they probably meant.

Everything else that is raised is a defect of this package.
"""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placement.checker import Verdict


class InputError(ValueError):
    """Something the user gave is wrong: it names where, what was found and what is expected.

    Parameters
    ----------
    message
        What is wrong, in one sentence.
    file
        Name of the file as the user gave it, or None for input that came as objects.
    place
        JSON path, line, or row and column inside the file.
    value
        The offending value; shown shortened.
    expected
        What would have been accepted.
    nearest
        The valid name closest to the value, if one is close.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        place: str | None = None,
        value: object = None,
        expected: str | None = None,
        nearest: str | None = None,
    ) -> None:
        self.message = message
        self.file = file
        self.place = place
        self.value = value
        self.expected = expected
        self.nearest = nearest
        super().__init__(str(self))

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.file, self.place) if part)
        text = f"{where}: {self.message}" if where else self.message
        if self.value is not None:
            text += f" (found {shortened(self.value)})"
        if self.expected:
            text += f"; expected {self.expected}"
        if self.nearest:
            text += f"; did you mean {self.nearest!r}?"
        return text

    def inside(self, *, file: str | None = None, place: str | None = None) -> InputError:
        """Return the same error, told from further outside: the file is added, the place is prefixed."""
        if place and self.place:
            joined = place + self.place if self.place.startswith(("[", ".")) else f"{place}.{self.place}"
        else:
            joined = place or self.place or ""
        return InputError(
            self.message,
            file=self.file or file,
            place=joined or None,
            value=self.value,
            expected=self.expected,
            nearest=self.nearest,
        )


def shortened(value: object, limit: int = 60) -> str:
    """Return ``repr(value)`` on one line, cut to `limit` characters."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """Return the valid name closest to `name`, or None if none is close."""
    matches = difflib.get_close_matches(name, sorted(valid), n=1, cutoff=0.6)
    return matches[0] if matches else None


class UnverifiedError(RuntimeError):
    """The checker refused an answer: a defect of this package, never of the input. It holds the verdict."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        first = "; ".join(f"{one.job}: {one.message}" for one in verdict.breaches[:3])
        super().__init__(f"the answer found breaks {len(verdict.breaches)} rules and is withheld: {first}")


class InputWarning(UserWarning):
    """Something in the input was read with a doubt: an unknown key, a number written as text."""


def doubt(
    message: str,
    *,
    strict: bool,
    file: str | None = None,
    place: str | None = None,
    value: object = None,
    expected: str | None = None,
    nearest: str | None = None,
) -> None:
    """Warn of something doubtful in the input, or refuse it when `strict`.

    Raises
    ------
    InputError
        With the same text, when `strict`.
    """
    error = InputError(message, file=file, place=place, value=value, expected=expected, nearest=nearest)
    if strict:
        raise error
    warnings.warn(str(error), InputWarning, stacklevel=3)
