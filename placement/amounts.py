"""Amounts of scalar resources as integers: thousandths of the unit, as Mesos keeps them.

One core is 1000, one megabyte is 1000. Nothing else in the package converts between the two forms.
"""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation

from placement.errors import InputError

ONE = 1000
LARGEST = 10**15
"""Largest amount that is read (thousandths): sums over a million agents still fit in int64."""


def thousandths(value: float | int | str | Decimal, *, what: str = "amount") -> int:
    """Return `value` (cores, MB, pieces) in thousandths, rounded half to even as Mesos rounds.

    Raises
    ------
    InputError
        If the value is not a finite number, is negative, or is beyond `LARGEST`.
    """
    try:
        number = Decimal(value) if isinstance(value, (str, int, Decimal)) else Decimal(repr(value))
    except (InvalidOperation, ValueError, TypeError):
        raise InputError(f"{what} is not a number", value=value, expected="a number such as 0.5 or 128") from None
    if isinstance(value, bool) or not number.is_finite():
        raise InputError(f"{what} is not a number", value=value, expected="a finite number such as 0.5 or 128")
    if number < 0:
        raise InputError(f"{what} is negative", value=value, expected="0 or more")
    if number * ONE > LARGEST:
        raise InputError(f"{what} is too large", value=value, expected=f"at most {LARGEST // ONE}")
    return int((number * ONE).to_integral_value(rounding="ROUND_HALF_EVEN"))


def plain(amount: int) -> int | float:
    """Return an amount in thousandths as the number a person would write: 1000 -> 1, 500 -> 0.5."""
    whole, rest = divmod(int(amount), ONE)
    return whole if rest == 0 else int(amount) / ONE


def text(amount: int) -> str:
    """Return an amount in thousandths as text without trailing zeros: 1500 -> '1.5'."""
    whole, rest = divmod(int(amount), ONE)
    return f"{whole}" if rest == 0 else f"{whole}.{rest:03d}".rstrip("0")


def missing(need: int, free: int) -> int:
    """Return by how much `free` falls short of `need` (both in thousandths), at least 0."""
    return max(0, int(need) - int(free))


def is_number(value: object) -> bool:
    """Tell whether `value` is a finite int or float and not a bool."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
