"""The local region: a job that says nothing of regions or zones stays in the region of the masters.

Source: mesosphere/marathon, OfferMatcher / `RunSpecOfferMatcher` (fault domains).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from placement.constraints.base import AgentRule, Bool, Breach, Scene, View
from placement.constraints.judging import not_allowed


@dataclass(frozen=True)
class FaultDomain(AgentRule):
    """Only agents without a fault domain, or in `local_region` (None: unknown, so no agent with a domain)."""

    field: str = "@region"
    local_region: str | None = None
    operator: ClassVar[str] = "LOCAL_REGION"
    reason: ClassVar[str] = ""

    @property
    def value_text(self) -> str | None:
        """The local region."""
        return self.local_region

    def sentence(self) -> str:
        """Say the rule in words."""
        return "no fault domain" if self.local_region is None else f"in the local region {self.local_region}"

    def mask(self, scene: Scene) -> Bool:
        """Return the agents without a region and those of the local one."""
        column = scene.cluster.column("@region")
        code = -1 if self.local_region is None else column.code(self.local_region)
        return np.asarray((column.codes < 0) | (column.codes == code))

    def judge(self, view: View) -> Iterator[Breach]:
        """Yield the new instances on agents with a fault domain elsewhere."""
        yield from not_allowed(view, lambda facts: facts.region in (None, self.local_region), self.sentence())
