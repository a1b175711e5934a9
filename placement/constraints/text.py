"""Constraints as text, `FIELD:OPERATOR[:VALUE]` joined by `;`, and the one place that makes a constraint from words.

Also which constraints a `--relax` word names.
"""

from __future__ import annotations

from collections.abc import Sequence

from placement.constraints.affinity import Affinity
from placement.constraints.anti_affinity import AntiAffinity
from placement.constraints.base import Constraint, integer
from placement.constraints.cluster import ClusterValue, OneValue
from placement.constraints.group_by import Generation, GroupBy
from placement.constraints.is_ import Is
from placement.constraints.like import Like
from placement.constraints.max_per import MaxPer
from placement.constraints.unique import Unique
from placement.constraints.unlike import Unlike
from placement.errors import InputError, nearest
from placement.patterns import Pattern

MARATHON_OPERATORS = ("UNIQUE", "CLUSTER", "GROUP_BY", "LIKE", "MAX_PER", "UNLIKE", "IS")
OPERATORS = (*MARATHON_OPERATORS, "AFFINITY", "ANTI_AFFINITY")
IMPLIED_OPERATORS = ("LOCAL_REGION", "MAINTENANCE", "SCARCE_GPUS")
"""Rules that readers add by themselves; they can be named in `--relax`, not written."""


def make(
    field: str,
    operator: str,
    value: str | None = None,
    *,
    group_by: Generation = "quota",
    operators: Sequence[str] = OPERATORS,
) -> Constraint:
    """Return the constraint of an operator (any letter case), field and value.

    Parameters
    ----------
    group_by
        Generation of GROUP_BY with a number.
    operators
        Operators allowed here.

    Raises
    ------
    InputError
        For an unknown operator, a missing or superfluous value, or a wrong one (marathon.md 6.5).
    """
    name = operator.upper()
    if name not in operators:
        raise InputError("unknown operator", value=operator, expected="one of " + ", ".join(operators),
                         nearest=nearest(name, operators))  # fmt: skip
    if not field:
        raise InputError("constraint names no field", value=f"{field}:{operator}", expected="FIELD:OPERATOR[:VALUE]")
    if name == "UNIQUE":
        if value is not None:
            raise InputError("UNIQUE takes no value", value=value, expected="FIELD:UNIQUE")
        return Unique(field)
    if name == "CLUSTER":
        return ClusterValue(field, value) if value else OneValue(field)
    if name == "GROUP_BY":
        return GroupBy(field, None if value is None else integer(value, name), group_by)
    if name == "IS":
        return Is(field, value or "")
    if value is None:
        raise InputError(f"{name} needs a value", value=f"{field}:{operator}", expected=f"FIELD:{name}:VALUE")
    if name == "MAX_PER":
        return MaxPer(field, integer(value, name))
    if name == "LIKE":
        return Like(field, Pattern.compile(value))
    if name == "UNLIKE":
        return Unlike(field, Pattern.compile(value))
    if name == "AFFINITY":
        return Affinity(field, value)
    other, colon, limit = value.rpartition(":")
    return AntiAffinity(field, other, integer(limit, name)) if colon else AntiAffinity(field, value)


def parse(text: str, *, group_by: Generation = "quota") -> tuple[Constraint, ...]:
    r"""Read `rack:GROUP_BY:3;hostname:UNIQUE`; a `;` inside a value is written `\;`.

    Raises
    ------
    InputError
        If a part is not FIELD:OPERATOR[:VALUE] or says something impossible.
    """
    constraints = []
    for part in _split(text):
        pieces = part.split(":", 2)
        if len(pieces) < 2:
            raise InputError("not a constraint", value=part, expected="FIELD:OPERATOR or FIELD:OPERATOR:VALUE")
        value = pieces[2] if len(pieces) == 3 else None
        constraints.append(make(pieces[0].strip(), pieces[1].strip(), value, group_by=group_by))
    return tuple(constraints)


def write(constraints: Sequence[Constraint]) -> str:
    """Return text that `parse` reads back as these constraints (rules that readers imply are left out)."""
    return ";".join(str(one).replace(";", "\\;") for one in constraints if one.operator in OPERATORS)


def _split(text: str) -> list[str]:
    parts = [part.replace("\0", ";").strip() for part in text.replace("\\;", "\0").split(";")]
    return [part for part in parts if part]


def relaxed(relax: Sequence[str], job: str, constraint: Constraint) -> bool:
    """Tell whether one of the words `JOB/FIELD:OPERATOR` (each part may be `*`) names this constraint of this job."""
    return any(_names(word, job, constraint) for word in relax)


def check_relax(word: str) -> None:
    """Raise an InputError unless the word has the form `JOB/FIELD:OPERATOR` and names a rule that can be relaxed."""
    rule = word.rpartition("/")[2]
    field, colon, operator = rule.rpartition(":")
    known = (*OPERATORS, *IMPLIED_OPERATORS, "*")
    if "/" not in word or not colon or not field or operator.upper() not in known:
        raise InputError("not a rule that can be relaxed", value=word, nearest=nearest(operator.upper(), known),
                         expected="JOB/FIELD:OPERATOR, each part may be *; no capacity, ports or pins")  # fmt: skip


def _names(word: str, job: str, constraint: Constraint) -> bool:
    owner, _, rule = word.rpartition("/")
    field, _, operator = rule.rpartition(":")
    return owner in ("*", job) and field in ("*", constraint.field) and operator.upper() in ("*", constraint.operator)
