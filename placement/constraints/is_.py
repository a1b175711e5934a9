"""IS: the agent's value equals a text or a number.

Source: mesosphere/marathon, Constraints.scala.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import ClassVar

import numpy as np

from placement.attributes import scalar_text
from placement.constraints.base import AgentRule, Bool, Breach, Scene, View, require_field
from placement.constraints.judging import not_allowed
from placement.errors import InputError

_VALUE = re.compile(r"[a-zA-Z0-9_/.-]*")
_WIDE = Context(prec=400)
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True)
class Is(AgentRule):
    """Only agents whose `field` equals `value`; a number is rounded to 3 decimals first (`0.8001` is `0.8`).

    Without a value it equals only an empty text.
    """

    value: str
    operator: ClassVar[str] = "IS"

    def __post_init__(self) -> None:
        require_field(self.field, self.operator)
        if not _VALUE.fullmatch(self.value):
            raise InputError("IS takes only text and numbers", value=self.value,
                             expected="letters, digits and _ / . - only")  # fmt: skip

    @property
    def value_text(self) -> str:
        """The value as written."""
        return self.value

    @property
    def printed(self) -> str:
        """The value as an agent would print it."""
        return scalar_text(float(self.value)) if _NUMBER.fullmatch(self.value) else self.value

    def sentence(self) -> str:
        """Say the rule in words."""
        return f"{self.field} is {self.value}"

    def mask(self, scene: Scene) -> Bool:
        """Return the agents whose printed value is the one wanted."""
        column = scene.cluster.column(self.field)
        code = column.code(self.printed)
        return np.asarray((column.codes == code) & (code >= 0))

    def judge(self, view: View) -> Iterator[Breach]:
        """Yield the new instances on agents with another value, or none."""
        wanted = self.value
        if re.fullmatch(r"[0-9]+([.][0-9]+)?", wanted):
            rounded = Decimal(float(wanted)).quantize(Decimal("0.001"), ROUND_HALF_EVEN, _WIDE)
            wanted = f"{rounded.normalize(_WIDE):f}"
        yield from not_allowed(view, lambda facts: facts.value(self.field) == wanted, self.sentence())
