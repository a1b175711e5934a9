"""Which instance runs on which agent: the placement engine of the Mesos framework zoo.

`place(cluster, workload)` decides, verifies and reports; `explain` says why something was not placed. Names are imported
when first used, so that small commands start quickly.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from placement.checker import verify
    from placement.cluster import Agent, Cluster
    from placement.eligibility import eligible
    from placement.engine import place
    from placement.errors import InputError, InputWarning
    from placement.explanation import explain
    from placement.frameworks import read_workload
    from placement.occupation import occupy
    from placement.placements import Answer, Placements
    from placement.running import RunningInstance
    from placement.snapshots import read_cluster, write_cluster
    from placement.snapshots.frames import from_frames, to_frames
    from placement.workload import Job, Workload

_HOME = {
    "Agent": "cluster", "Answer": "placements", "Cluster": "cluster", "InputError": "errors", "InputWarning": "errors",
    "Job": "workload", "Placements": "placements", "RunningInstance": "running", "Workload": "workload",
    "eligible": "eligibility", "explain": "explanation", "from_frames": "snapshots.frames", "occupy": "occupation",
    "place": "engine", "read_cluster": "snapshots", "read_workload": "frameworks", "to_frames": "snapshots.frames",
    "verify": "checker", "write_cluster": "snapshots",
}  # fmt: skip

__all__ = [
    "Agent", "Answer", "Cluster", "InputError", "InputWarning", "Job", "Placements", "RunningInstance", "Workload",
    "eligible", "explain", "from_frames", "occupy", "place", "read_cluster", "read_workload", "to_frames", "verify",
    "write_cluster",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'placement' has no attribute {name!r}")
    value = getattr(import_module(f"placement.{_HOME[name]}"), name)
    globals()[name] = value
    return value
