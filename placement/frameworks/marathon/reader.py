"""Whole Marathon documents: groups with their dependencies, lists of apps, API answers with their tasks.

Source: mesosphere/marathon, state/RootGroup.scala and core/deployment/DeploymentPlan.scala (docs/marathon.md 1 to 4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from placement.documents import Record
from placement.errors import InputError, doubt
from placement.frameworks.found import Found
from placement.frameworks.marathon import ids
from placement.frameworks.marathon.networks import ServicePorts
from placement.frameworks.marathon.settings import MarathonSettings, Refused
from placement.frameworks.marathon.specs import Place, Spec, moment, read_app, read_pod
from placement.frameworks.marathon.volumes import check_shared
from placement.layers import layers_of
from placement.running import RunningInstance
from placement.workload import Job, LeftOut

OnRefusal = Callable[[Refused], None]
STATE_OF = {
    "TASK_STAGING": "staging", "TASK_STARTING": "starting", "TASK_RUNNING": "running", "TASK_KILLING": "killing",
    "TASK_UNREACHABLE": "unreachable", "TASK_UNREACHABLE_INACTIVE": "unreachable_inactive", "TASK_GONE": "gone",
    "TASK_GONE_BY_OPERATOR": "gone", "TASK_UNKNOWN": "unknown", "TASK_DROPPED": "dropped", "TASK_LOST": "lost",
    "TASK_ERROR": "error", "TASK_FAILED": "failed", "TASK_FINISHED": "finished", "TASK_KILLED": "killed",
}  # fmt: skip
"""Our word for each Mesos task state."""


def fits(document: Any) -> bool:
    """Tell whether a JSON value looks like one of Marathon's formats."""
    if isinstance(document, list):
        return bool(document) and all(isinstance(one, Mapping) and "id" in one for one in document)
    if not isinstance(document, Mapping):
        return False
    return (
        "id" in document
        or any(isinstance(document.get(name), list) for name in ("apps", "groups", "pods"))
        or (isinstance(document.get("app"), Mapping))
    )


def read(document: Any, *, file: str, settings: Mapping[str, str], strict: bool, skip_refused: bool) -> Found:
    """Return the jobs of a Marathon document, and the instances its API says run.

    Parameters
    ----------
    settings
        Marathon's settings by name.
    skip_refused
        Leave out, with the reason, what Marathon refuses instead of raising.

    Raises
    ------
    InputError
        If something has the wrong form, or Marathon refuses it.
    """
    return _Document(file, MarathonSettings.from_mapping(settings), strict, skip_refused).read(document)


@dataclass(eq=False)
class _Group:
    """A group met on the way down: its id, and the role it enforces."""

    id: str
    role: str | None = None


@dataclass(eq=False)
class _Document:
    """One document being read."""

    file: str
    settings: MarathonSettings
    strict: bool
    skip_refused: bool
    service: ServicePorts = field(init=False)
    specs: list[Spec] = field(default_factory=list)
    groups: set[str] = field(default_factory=set)
    group_dependencies: list[tuple[str, str]] = field(default_factory=list)
    running: list[RunningInstance] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.service = ServicePorts(self.settings.local_port_min, self.settings.local_port_max)

    def read(self, document: Any) -> Found:
        """Read the document, whatever its shape."""
        self.service.taken.update(_service_ports(document))
        root = _Group(ids.ROOT)
        if isinstance(document, list):
            for i, one in enumerate(document):
                self._spec(self._record(one, f"[{i}]"), root)
        else:
            self._document(self._record(document, ""), root)
        check_shared([(one.job.id, one.external) for one in self.specs])
        return Found(self._layered(), tuple(self.running), tuple(self.left_out))

    def _record(self, value: Any, place: str) -> Record:
        return Record.of(value, place, strict=self.strict, file=self.file)

    def _document(self, record: Record, root: _Group) -> None:
        """Read one object: an API answer about an app, a group, or an app or pod."""
        if isinstance(record.fields.get("app"), Mapping) and "id" not in record:
            inner = record.record("app")
            assert inner is not None
            self._spec(inner, root)
        elif "containers" in record:
            self._spec(record, root)
        elif any(name in record.fields for name in ("apps", "groups", "pods", "scaleBy")):
            self._group(record, root)
        else:
            self._spec(record, root)

    # --- groups -----------------------------------------------------------------------------------------------------

    def _group(self, record: Record, above: _Group) -> None:
        """Read a group, everything below it, and its dependencies."""
        if "scaleBy" in record:
            raise self._refused(record, "scaleBy", "scaleBy is no part of a group definition", "1.3")
        path = ids.app_id(record.text("id") or above.id, above.id) if "id" in record else above.id
        if above.id != ids.ROOT and ids.parent(path) != above.id:
            raise self._refused(record, "id", "a group must lie directly under its parent", "2.1")
        if above.id == ids.ROOT and record.place and ids.parent(path) != ids.ROOT:
            raise self._refused(record, "id", "a group must lie directly under its parent", "2.1")
        self.groups.add(path)
        group = _Group(path, self._enforced(record, path, above))
        for name in record.texts("dependencies") or ():
            self.group_dependencies.append((path, ids.resolve(name, above.id if name.startswith("/") else path)))
        for app in record.records("apps"):
            self._spec(app, group, within=path)
        for pod in record.records("pods"):
            self._spec(pod, group, within=path)
        for inner in record.records("groups"):
            self._group(inner, group)

    def _enforced(self, record: Record, path: str, above: _Group) -> str | None:
        """Return the role a group enforces on what lies below it (2.2, 4.1)."""
        is_top = path != ids.ROOT and ids.parent(path) == ids.ROOT
        if "enforceRole" in record and not is_top:
            raise self._refused(record, "enforceRole", "only top-level groups may enforce their role", "2.2")
        if not is_top:
            return above.role
        enforces = record.flag("enforceRole", self.settings.new_group_enforce_role == "top")
        return ids.top(path) if enforces else None

    # --- apps and pods ----------------------------------------------------------------------------------------------

    def _spec(self, record: Record, group: _Group, within: str | None = None) -> None:
        try:
            spec = self._read_spec(record, group, within)
        except Refused as refusal:
            if not self.skip_refused:
                raise
            name = record.fields.get("id")
            self.left_out.append(LeftOut(id=str(name), reason=str(refusal), source=self.file,
                                         instances=_instances(record.fields)))  # fmt: skip
            return
        self.specs.append(spec)
        self._tasks(record, spec)

    def _read_spec(self, record: Record, group: _Group, within: str | None) -> Spec:
        path = ids.app_id(record.needed_text("id"), group.id)
        if path == ids.ROOT:
            raise self._refused(record, "id", "an app needs an id of its own", "2.1")
        if within is not None and ids.parent(path) != within:
            raise self._refused(record, "id", "an app must lie directly under the group that lists it", "2.1")
        if any(one.job.id == path for one in self.specs):
            raise InputError("two apps have the same id", file=self.file, place=record.at("id"), value=path,
                             expected="distinct ids")  # fmt: skip
        source = ", ".join(part for part in (self.file, record.place) if part)
        place = Place(path, *self._roles(path, group), source)
        read_one = read_pod if "containers" in record else read_app
        spec = read_one(record, place, self.settings, self.service)
        dependencies = tuple(ids.resolve(name, group.id) for name in spec.dependencies)
        return replace(spec, dependencies=dependencies)

    def _roles(self, path: str, group: _Group) -> tuple[str, tuple[str, ...]]:
        """Return the default role of a spec, and the roles valid for it (4.1)."""
        if ids.parent(path) == ids.ROOT:
            return self.settings.mesos_role, (self.settings.mesos_role,)
        if group.role is not None:
            return group.role, (group.role,)
        return self.settings.mesos_role, (self.settings.mesos_role, ids.top(path))

    def _tasks(self, record: Record, spec: Spec) -> None:
        """Read the tasks an API answer lists with an app."""
        for number, task in enumerate(record.records("tasks")):
            state = task.text("state") or "TASK_RUNNING"
            if state not in STATE_OF:
                raise task.error("state", "is no state of a task", expected="TASK_RUNNING, ...")
            checks = [one.flag("alive", False) for one in task.records("healthCheckResults")]
            started = task.text("startedAt") or task.text("stagedAt")
            version = task.text("version")
            self.running.append(
                RunningInstance(
                    job=spec.job.id,
                    instance=number,
                    agent=task.text("slaveId") or task.text("host") or "",
                    state=STATE_OF[state],
                    version=None if version is None else moment(version, task, "version"),
                    started_at=None if started is None else moment(started, task, "startedAt"),
                    healthy=all(checks) if checks else None,
                    ports=tuple(int(port) for port in task.items("ports") or ()),
                    volumes=tuple(one.needed_text("persistenceId") for one in task.records("localVolumes")),
                    amounts={**spec.job.demand, "disk": spec.job.root_disk},
                    role=task.text("role"),
                )
            )

    # --- dependencies -----------------------------------------------------------------------------------------------

    def _layered(self) -> tuple[Job, ...]:
        """Return the jobs with their dependencies on other jobs, and the layers that follow from them (2.3)."""
        apps = [one.job.id for one in self.specs if not one.is_pod]
        edges = {one.job.id: dict.fromkeys(self._targets(one, apps)) for one in self.specs}
        for source, target in self.group_dependencies:
            if target in self.groups:
                for app in _below(source, apps):
                    edges[app].update(dict.fromkeys(_below(target, apps)))
        named = {one.job.id: tuple(edges[one.job.id]) for one in self.specs}
        try:
            layers = layers_of(named)
        except InputError as error:
            raise Refused(error.message, section="2.3", file=self.file, value=error.value,
                          expected=error.expected) from None  # fmt: skip
        return tuple(replace(one.job, dependencies=named[one.job.id], layer=layers[one.job.id]) for one in self.specs)

    def _targets(self, spec: Spec, apps: list[str]) -> Iterator[str]:
        """Yield the apps a spec depends on; an app wins over a group of the same path, unknown names are no edge."""
        for name in spec.dependencies:
            if name in apps:
                yield name
            elif name in self.groups:
                yield from _below(name, apps)
            else:
                doubt("a dependency names nothing in this document", strict=False, file=self.file,
                      place=spec.job.id, value=name)  # fmt: skip

    def _refused(self, record: Record, name: str, message: str, section: str) -> Refused:
        return Refused(message, section=section, file=self.file, place=record.at(name), value=record.fields.get(name))


def _below(group: str, apps: list[str]) -> list[str]:
    prefix = ids.ROOT if group == ids.ROOT else group + "/"
    return [app for app in apps if app.startswith(prefix)]


def _instances(fields: Mapping[str, Any]) -> int:
    value = fields.get("instances", 1)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 1


def _service_ports(value: Any) -> Iterator[int]:
    """Yield every service port that some app of a document names."""
    if isinstance(value, list):
        for one in value:
            yield from _service_ports(one)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name in ("port", "servicePort") and isinstance(inner, int):
                yield inner
            elif name == "ports" and isinstance(inner, list):
                yield from (one for one in inner if isinstance(one, int))
            if isinstance(inner, list | Mapping):
                yield from _service_ports(inner)
