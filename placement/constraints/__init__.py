"""The constraint vocabulary: one file a rule, each saying everything about it in one place."""

from placement.constraints.affinity import Affinity
from placement.constraints.anti_affinity import AntiAffinity
from placement.constraints.base import Breach, Constraint, Facts, Scene, Scope, View
from placement.constraints.cluster import ClusterValue, OneValue
from placement.constraints.fault_domain import FaultDomain
from placement.constraints.group_by import GroupBy
from placement.constraints.is_ import Is
from placement.constraints.like import Like
from placement.constraints.maintenance import Maintenance
from placement.constraints.max_per import MaxPer
from placement.constraints.scarce_gpus import ScarceGpus
from placement.constraints.text import parse
from placement.constraints.unique import Unique
from placement.constraints.unlike import Unlike

__all__ = [
    "Affinity", "AntiAffinity", "Breach", "ClusterValue", "Constraint", "Facts", "FaultDomain", "GroupBy", "Is", "Like",
    "Maintenance", "MaxPer", "OneValue", "ScarceGpus", "Scene", "Scope", "Unique", "Unlike", "View", "parse",
]  # fmt: skip
