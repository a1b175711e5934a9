"""Expectations of Marathon cases."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from placement.cluster import Cluster
from placement.eligibility import Eligibility, eligible
from placement.engine import place
from placement.frameworks import read_workload
from placement.policies import marathon as policy
from placement.running import RunningInstance
from placement.workload import Job, Workload
from tests.conformance.clusters import cluster_of

SETTING_OF = {"enabled_features": "enable_features"}


def expectations(case: Mapping[str, Any]) -> Mapping[str, Callable[[Any], str | None]]:
    answer = _Answer(case)
    return {name.removeprefix("check_"): getattr(answer, name) for name in dir(answer) if name.startswith("check_")}


def settings_of(options: Mapping[str, Any]) -> dict[str, str]:
    return {
        SETTING_OF.get(name, name): ",".join(value) if isinstance(value, list) else str(value)
        for name, value in options.items()
    }


def differs(found: object, wanted: object) -> str | None:
    return None if found == wanted else f"found {found}, wanted {wanted}"


class _Answer:
    """Our answers to one case, each computed when asked for."""

    def __init__(self, case: Mapping[str, Any]) -> None:
        self.case = case
        document = io.BytesIO(json.dumps(case["workload"]).encode())
        # Strict, since the cases say what Marathon itself does: what we only doubt it refuses.
        settings = settings_of(case.get("options", {}))
        read = read_workload(["-"], format="marathon", settings=settings, strict=True, stdin=document)
        self.workload: Workload = read.workload
        self.cluster: Cluster = cluster_of(case)

    @property
    def job(self) -> Job:
        (job,) = self.workload.jobs
        return job

    @cached_property
    def eligibility(self) -> Eligibility:
        return eligible(self.cluster, self.job, self.workload)

    @property
    def running(self) -> list[RunningInstance]:
        rows = self.cluster.running.of(self.job.id)
        return [self.cluster.running.instances[row] for row in rows]

    @cached_property
    def scaling(self) -> policy.ScalingDecision:
        named = tuple(self.case.get("kill_first", ()))
        return policy.scale_down(self.job, self.running, self.cluster, self.case["scale_to"], named)

    def check_valid(self, wanted: bool) -> str | None:
        return None if wanted else "accepted"

    def check_eligible(self, wanted: list[str]) -> str | None:
        return differs(sorted(self.eligibility.agents), sorted(wanted))

    def check_reasons(self, wanted: dict[str, list[str]]) -> str | None:
        found = {agent: list(self.eligibility.reasons(self.cluster.index[agent])) for agent in wanted}
        return differs(found, wanted)

    def check_reject_summary(self, wanted: dict[str, int]) -> str | None:
        refused = [i for i in range(len(self.cluster)) if not self.eligibility.mask[i]]
        counted = Counter(policy.reject_reason(self.eligibility.reasons(i)) for i in refused)
        return differs({reason: count for reason, count in counted.items() if reason}, wanted)

    def check_host_ports(self, wanted: dict[str, list[int]]) -> str | None:
        return differs({agent: list(self._ports(agent)) for agent in wanted}, wanted)

    def check_host_port_count(self, wanted: dict[str, int]) -> str | None:
        return differs({agent: len(set(self._ports(agent))) for agent in wanted}, wanted)

    def _ports(self, agent: str) -> tuple[int, ...]:
        return self.eligibility.ports(self.cluster.index[agent]) or ()

    def check_disk_paths(self, wanted: dict[str, list[str]]) -> str | None:
        disks = {agent: self.eligibility.disks(self.cluster.index[agent]) or () for agent in wanted}
        return differs({agent: [path for path, _ in found] for agent, found in disks.items()}, wanted)

    def check_max_instances(self, wanted: int) -> str | None:
        answer = place(self.cluster, self.workload, solver="exact", deadline=20.0)
        return differs(len(answer.placements), wanted)

    def check_order(self, wanted: list[list[str]]) -> str | None:
        found = [sorted(layer) for layer in policy.layers(self.workload)]
        return differs(found, [sorted(layer) for layer in wanted])

    def check_kill(self, wanted: list[str]) -> str | None:
        return differs(list(self.scaling.kill), wanted)

    def check_start(self, wanted: int) -> str | None:
        return differs(self.scaling.start, wanted)

    def check_kill_per_agent(self, wanted: dict[str, int]) -> str | None:
        return differs(dict(Counter(one.agent for one in self._killed())), wanted)

    def check_kill_per_attribute(self, wanted: dict[str, dict[str, int]]) -> str | None:
        found = {}
        for name in wanted:
            column = self.cluster.column(name)
            codes = [int(column.codes[self.cluster.index[one.agent]]) for one in self._killed()]
            found[name] = dict(Counter(column.values[code] for code in codes))
        return differs(found, wanted)

    def _killed(self) -> list[RunningInstance]:
        return [one for one in self.running if one.name in self.scaling.kill]

    def check_upgrade(self, wanted: dict[str, int]) -> str | None:
        bounds = policy.upgrade_bounds(self.job, self.running)
        found = {"kill_immediately": bounds.kill_immediately, "max_capacity": bounds.max_capacity}
        return differs(found, wanted)

    def check_relaunch(self, wanted: dict[str, str]) -> str | None:
        return differs(dict(policy.relaunch(self.workload.jobs, self.cluster)), wanted)

    def check_first_relaunch(self, wanted: dict[str, Any]) -> str | None:
        record = self.cluster.records[self.cluster.index[wanted["agent"]]]
        waiting = [one for one in self.running if one.state == "reserved"]
        first = policy.first_relaunch(self.job, record, waiting)
        found = first and {"instance": first.name, "agent": record.id, "volumes": list(first.volumes)}
        return differs(found, wanted)
