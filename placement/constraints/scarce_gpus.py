"""Scarce gpus: a job that asks for none stays away from agents that offer some.

Source: mesosphere/marathon, `gpu_scheduling_behavior` restricted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from placement.constraints.base import AgentRule, Bool, Breach, Scene, View
from placement.constraints.judging import number


@dataclass(frozen=True)
class ScarceGpus(AgentRule):
    """Only agents that have no gpu free, of any role. It does not bind an instance that returns to its volumes."""

    field: str = ""
    operator: ClassVar[str] = "SCARCE_GPUS"
    reason: ClassVar[str] = "DeclinedScarceResources"

    def __str__(self) -> str:
        return self.operator

    def sentence(self) -> str:
        """Say the rule in words."""
        return "no free gpus, since the job asks for none"

    def mask(self, scene: Scene) -> Bool:
        """Return the agents without a free gpu."""
        cluster = scene.cluster
        gpus = cluster.resource("gpus")
        free = cluster.free[:, gpus].copy()
        np.add.at(free, cluster.reservation_agent, cluster.reservation_amounts[:, gpus])
        return np.asarray(free == 0)

    def judge(self, view: View) -> Iterator[Breach]:
        """Yield the new instances on agents with free gpus, except those that return to their volumes."""
        turns = zip(view.placed, view.relaunched, strict=True)
        count = sum(1 for facts, returns in turns if facts.gpus > 0 and not returns)
        if count:
            yield Breach(count, f"{number(count)} on agents that are not allowed: {self.sentence()}")
