"""Which instance runs on which agent: the placement engine of the Mesos framework zoo.

`place(cluster, workload)` decides, verifies and reports; `explain` says why something was not placed, `conflict` which
rules forbid that everything is. Names are imported when first used, so that small commands start quickly.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from placement.checker import verify
    from placement.cluster import Agent, Cluster
    from placement.conflicts import Conflict, SmallestChange, conflict, smallest_change
    from placement.eligibility import eligible
    from placement.engine import place
    from placement.errors import InputError, InputWarning
    from placement.explanation import explain
    from placement.frameworks import read_workload
    from placement.occupation import occupy
    from placement.placements import Answer, Placements
    from placement.running import RunningInstance
    from placement.sizing import CapacityAnswer, capacity
    from placement.snapshots import read_cluster, write_cluster
    from placement.snapshots.frames import from_frames, to_frames
    from placement.snapshots.types import AgentType, read_types
    from placement.workload import Job, Workload

_HOME = {
    "Agent": "cluster", "AgentType": "snapshots.types", "Answer": "placements", "CapacityAnswer": "sizing",
    "Cluster": "cluster", "Conflict": "conflicts", "InputError": "errors", "InputWarning": "errors", "Job": "workload",
    "Placements": "placements", "RunningInstance": "running", "SmallestChange": "conflicts", "Workload": "workload",
    "capacity": "sizing", "conflict": "conflicts",
    "eligible": "eligibility", "explain": "explanation", "from_frames": "snapshots.frames", "occupy": "occupation",
    "place": "engine", "read_cluster": "snapshots", "read_types": "snapshots.types", "read_workload": "frameworks",
    "smallest_change": "conflicts", "to_frames": "snapshots.frames", "verify": "checker", "write_cluster": "snapshots",
}  # fmt: skip

__all__ = [
    "Agent", "AgentType", "Answer", "CapacityAnswer", "Cluster", "Conflict", "InputError", "InputWarning", "Job",
    "Placements", "RunningInstance", "SmallestChange", "Workload", "capacity", "conflict", "eligible", "explain",
    "from_frames", "occupy", "place", "read_cluster", "read_types", "read_workload", "smallest_change", "to_frames",
    "verify", "write_cluster",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'placement' has no attribute {name!r}")
    value = getattr(import_module(f"placement.{_HOME[name]}"), name)
    globals()[name] = value
    return value
