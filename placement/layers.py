"""Dependency layers: which jobs may start together.

Source: mesosphere/marathon, core/deployment/DeploymentPlan.scala: a job's layer is the number of jobs on the longest
chain of dependencies that starts at it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from placement.errors import InputError


def layers_of(dependencies: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return the layer of each job, from 1, given the jobs each depends on (all of them keys).

    Raises
    ------
    InputError
        If the dependencies run in a circle; one circle is named.
    """
    try:
        order = list(TopologicalSorter(dependencies).static_order())
    except CycleError as error:
        raise InputError("the dependencies run in a circle", value=" -> ".join(error.args[1][::-1]),
                         expected="dependencies without a circle") from None  # fmt: skip
    layers: dict[str, int] = {}
    for job in order:
        layers[job] = 1 + max((layers[one] for one in dependencies[job]), default=0)
    return layers
