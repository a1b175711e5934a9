"""What a framework reader finds in one document."""

from __future__ import annotations

from dataclasses import dataclass

from placement.running import RunningInstance
from placement.workload import Job, LeftOut


@dataclass(frozen=True, slots=True)
class Found:
    """Jobs with their layers set, the instances that run of them, and what was left out."""

    jobs: tuple[Job, ...]
    running: tuple[RunningInstance, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
