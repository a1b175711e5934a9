"""What is to be placed: jobs, frozen and validated at the door.

A job says what one instance needs and which rules hold; it knows no file format, no agent and no solver.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Literal

from placement.cluster import UNRESERVED, DiskKind
from placement.constraints.base import Constraint
from placement.errors import InputError

KillSelection = Literal["YOUNGEST_FIRST", "OLDEST_FIRST"]
GREATEST_COUNT = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeRequest:
    """A persistent volume each instance needs on its agent.

    Attributes
    ----------
    name
        Name inside the job (the path in the container).
    kind
        'root' (from the root disk's pool), 'path' (a share of one path disk) or 'mount' (one whole mount disk).
    size, most
        Thousandths of MB; `most` bounds the size of the mount disk taken (None: no bound).
    profile
        Profile the disk must have; None takes only disks without one.
    path_rules
        Constraints on the disk's root path; each is a `Like` or `Unlike` on the field 'path'.
    """

    name: str
    size: int
    kind: DiskKind = "root"
    most: int | None = None
    profile: str | None = None
    path_rules: tuple[Constraint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """Bounds of a rolling upgrade, as shares of `instances`: least healthy, and most beyond it."""

    minimum_health_capacity: float = 1.0
    maximum_over_capacity: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Job:
    """An app, pod, request or service: what a user defines, with all its instances.

    Attributes
    ----------
    id
        Unique in the workload.
    instances, minimum
        Number wanted; fewer than `minimum` places none of the job (a gang: minimum = instances).
    demand
        Thousandths an instance by resource name (root-disk volumes not included).
    constraints
        The rules, all of which must hold.
    ports
        Host ports an instance takes, in order: a number, or 0 for any free one.
    volumes
        Persistent volumes an instance needs; a job with any is resident.
    role, accepted_roles
        The role it runs under, and the roles whose resources may be used ('*': unreserved).
    priority, weight
        Tier (higher first), and what one instance counts inside its tier (thousandths).
    dependencies
        Ids of jobs that must be up first.
    layer
        1 for a job without dependencies, else the longest chain that starts at it.
    version
        Seconds since 1970 of the last configuration change; instances of an older version do not count for
        constraints nor towards `instances`. None: all count.
    upgrade, kill_selection, has_checks
        How old instances are replaced, which go first, and whether health is checked.
    framework, source
        The reader it came from, and the file and place, for messages.
    """

    id: str
    instances: int = 1
    minimum: int = 0
    demand: Mapping[str, int] = field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()
    ports: tuple[int, ...] = ()
    volumes: tuple[VolumeRequest, ...] = ()
    role: str = UNRESERVED
    accepted_roles: tuple[str, ...] = (UNRESERVED,)
    priority: int = 0
    weight: int = 1000
    dependencies: tuple[str, ...] = ()
    layer: int = 1
    version: float | None = None
    upgrade: Upgrade = Upgrade()
    kill_selection: KillSelection = "YOUNGEST_FIRST"
    has_checks: bool = False
    framework: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        if not self.id:
            raise InputError("a job has no id", expected="a non-empty id")
        if not 0 <= self.instances <= GREATEST_COUNT:
            raise InputError("instances is out of range", place=f"job {self.id}", value=self.instances,
                             expected=f"0 to {GREATEST_COUNT}")  # fmt: skip
        if not 0 <= self.minimum <= self.instances:
            raise InputError("min is out of range", place=f"job {self.id}", value=self.minimum,
                             expected=f"0 to the number of instances, {self.instances}")  # fmt: skip
        for name, amount in self.demand.items():
            if amount < 0:
                raise InputError(f"{name} is negative", place=f"job {self.id}", value=amount, expected="0 or more")
        if not self.accepted_roles:
            raise InputError("no role is accepted", place=f"job {self.id}", expected="at least one role")
        object.__setattr__(self, "demand", MappingProxyType(dict(self.demand)))
        object.__setattr__(self, "accepted_roles", tuple(sorted(set(self.accepted_roles))))
        object.__setattr__(self, "constraints", tuple(dict.fromkeys(self.constraints)))

    @property
    def resident(self) -> bool:
        """Whether its instances own persistent volumes and stay with them."""
        return bool(self.volumes)

    @cached_property
    def fixed_ports(self) -> tuple[int, ...]:
        """The distinct host ports it names, ascending."""
        return tuple(sorted({port for port in self.ports if port}))

    @cached_property
    def port_count(self) -> int:
        """How many distinct host ports one instance takes."""
        return len(self.fixed_ports) + sum(1 for port in self.ports if not port)

    @cached_property
    def root_disk(self) -> int:
        """Thousandths of MB an instance takes from the root disk: its sandbox and its root volumes."""
        return self.demand.get("disk", 0) + sum(one.size for one in self.volumes if one.kind == "root")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Something in the input that is not part of the workload, and why."""

    id: str
    reason: str
    instances: int = 1
    source: str = ""


@dataclass(frozen=True, eq=False)
class Workload:
    """A list of jobs with distinct ids.

    Attributes
    ----------
    jobs
        In the order read.
    left_out
        What was read and deliberately not made a job.
    """

    jobs: tuple[Job, ...]
    left_out: tuple[LeftOut, ...] = ()

    def __post_init__(self) -> None:
        seen: dict[str, Job] = {}
        for job in self.jobs:
            if job.id in seen:
                raise InputError("two jobs have the same id", place=job.source or None, value=job.id,
                                 expected="distinct job ids")  # fmt: skip
            seen[job.id] = job

    def __len__(self) -> int:
        return len(self.jobs)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Index of each job by its id."""
        return {job.id: i for i, job in enumerate(self.jobs)}

    def job(self, id: str) -> Job:
        """Return the job with the id given.

        Raises
        ------
        InputError
            If there is none; the nearest id is named.
        """
        from placement.errors import nearest

        if id not in self.index:
            raise InputError("no such job", value=id, expected="the id of a job of the workload",
                             nearest=nearest(id, self.index))  # fmt: skip
        return self.jobs[self.index[id]]

    @property
    def instances(self) -> int:
        """Number of instances wanted over all jobs."""
        return sum(job.instances for job in self.jobs)

    def replace_jobs(self, jobs: Iterable[Job]) -> Workload:
        """Return a workload of other jobs that leaves out the same."""
        return replace(self, jobs=tuple(jobs))
