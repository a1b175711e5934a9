"""Whether volumes have their disks: path disks shared by amount, mount disks taken whole, and volumes found again.

Root volumes are part of the root disk's amount; see `placement.checking.amounts`.
Source: mesosphere/marathon, ResourceMatcher.scala and InstanceOpFactoryImpl.scala.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from placement.amounts import text
from placement.checking.answer import NewInstances
from placement.checking.facts import UNRESERVED, AgentTable
from placement.checking.finding import Finding
from placement.cluster import Agent, Disk
from placement.constraints.judging import matches
from placement.constraints.like import Like
from placement.constraints.unlike import Unlike
from placement.workload import Job, VolumeRequest

OWN_DISK = ("path", "mount")


def wrong_disks(agents: AgentTable, new: NewInstances) -> Iterator[Finding]:
    """Yield the instances whose volumes are not on disks that suit them, or share what cannot be shared."""
    yield from _lost_volumes(agents, new)
    wanting = [volumes_on_disks(job) for job in new.workload.jobs]
    if not any(wanting):
        return
    left: dict[int, list[tuple[Disk, int]]] = {}
    for row, position in enumerate(new.position.tolist()):
        volumes = wanting[new.job[row]]
        if not volumes or row in new.returns:
            continue
        job, agent = new.workload.jobs[new.job[row]], int(new.agent[row])
        given = new.placements.units[position] if new.placements.units is not None else ()
        if agent not in left:
            left[agent] = usable(agents.records[agent])
        fault = _fault(volumes, given, left[agent])
        if fault:
            where = agents.records[agent].id
            yield _finding(job, f"{job.id}#{new.instance[row]} on agent {where}: {fault}")


def volumes_on_disks(job: Job) -> tuple[VolumeRequest, ...]:
    """Return the volumes of a job that lie on disks of their own, in its order."""
    return tuple(one for one in job.volumes if one.kind in OWN_DISK)


def usable(record: Agent) -> list[tuple[Disk, int]]:
    """Return the unreserved path and mount disks of an agent with what is left of each."""
    return [(disk, disk.size) for disk in record.disks if disk.kind in OWN_DISK and disk.role == UNRESERVED]


def suits(disk: Disk, volume: VolumeRequest) -> bool:
    """Tell whether a disk is of the kind, profile and path that a volume asks for."""
    if disk.kind != volume.kind or disk.profile != volume.profile:
        return False
    path = disk.path or ""
    for rule in volume.path_rules:
        if isinstance(rule, Like | Unlike) and matches(rule.pattern.translated, path) == isinstance(rule, Unlike):
            return False
    return True


def can_serve(record: Agent, job: Job) -> bool:
    """Tell whether an agent's disks serve all volumes of one instance: largest first, on the path with most left."""
    left = usable(record)
    for volume in sorted(volumes_on_disks(job), key=lambda one: -one.size):
        chosen = _first_mount(volume, left) if volume.kind == "mount" else _roomiest_path(volume, left)
        if chosen is None or _fault([volume], [chosen], left):
            return False
    return True


def _first_mount(volume: VolumeRequest, left: Sequence[tuple[Disk, int]]) -> tuple[str, int] | None:
    return next(((disk.path or "", disk.size) for disk, rest in left if _mount_fits(disk, rest, volume)), None)


def _roomiest_path(volume: VolumeRequest, left: Sequence[tuple[Disk, int]]) -> tuple[str, int] | None:
    room: dict[str, int] = {}
    for disk, rest in left:
        if suits(disk, volume):
            room[disk.path or ""] = room.get(disk.path or "", 0) + rest
    return (max(room, key=lambda path: room[path]), volume.size) if room else None


def _fault(
    volumes: Sequence[VolumeRequest], given: Sequence[tuple[str, int]], left: list[tuple[Disk, int]]
) -> str | None:
    """Return what is wrong with the disks of one instance; else take them from `left`."""
    if len(volumes) != len(given):
        return f"{len(given)} disks named for {len(volumes)} volumes"
    for volume, (path, amount) in zip(volumes, given, strict=True):
        fault = (
            _mount_fault(volume, path, amount, left)
            if volume.kind == "mount"
            else _path_fault(volume, path, amount, left)
        )
        if fault:
            return f"volume {volume.name}: {fault}"
    return None


def _mount_fits(disk: Disk, rest: int, volume: VolumeRequest) -> bool:
    """Tell whether a whole free mount disk suits a volume in kind, profile, path and size."""
    return rest > 0 and suits(disk, volume) and volume.size <= disk.size <= (volume.most or disk.size)


def _mount_fault(volume: VolumeRequest, path: str, amount: int, left: list[tuple[Disk, int]]) -> str | None:
    for i, (disk, rest) in enumerate(left):
        if (disk.path or "") == path and disk.size == amount and _mount_fits(disk, rest, volume):
            left[i] = (disk, 0)
            return None
    return f"there is no free mount disk {path} of {text(amount)} MB that suits it"


def _path_fault(volume: VolumeRequest, path: str, amount: int, left: list[tuple[Disk, int]]) -> str | None:
    """Take a share of the disks of one path, which add up."""
    if amount != volume.size:
        return f"{text(amount)} MB given, {text(volume.size)} asked for"
    mine = [i for i, (disk, _) in enumerate(left) if (disk.path or "") == path and suits(disk, volume)]
    there = sum(left[i][1] for i in mine)
    if there < amount:
        return f"path disk {path} has {text(there)} MB left that suit it, {text(amount)} needed"
    for i in mine:
        share = min(amount, left[i][1])
        left[i] = (left[i][0], left[i][1] - share)
        amount -= share
    return None


def _lost_volumes(agents: AgentTable, new: NewInstances) -> Iterator[Finding]:
    """Yield the returning instances that go elsewhere than to all of their volumes."""
    for row, instance in new.returns.items():
        record = agents.records[new.agent[row]]
        if not instance.volumes or not set(instance.volumes) <= {one.id for one in record.volumes}:
            job = new.workload.jobs[new.job[row]]
            yield _finding(job, f"{instance.name} on agent {record.id}: its volumes are not there")


def _finding(job: Job, message: str) -> Finding:
    return Finding(job=job.id, rule="volumes", count=1, message=message)
