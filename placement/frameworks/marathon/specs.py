"""One app or pod: from its JSON object to a job, with Marathon's defaults and refusals.

Source: mesosphere/marathon, app.raml, pod.raml and the validations (docs/marathon.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from placement.cluster import UNRESERVED
from placement.constraints.base import Constraint
from placement.constraints.fault_domain import FaultDomain
from placement.constraints.maintenance import Maintenance
from placement.constraints.scarce_gpus import ScarceGpus
from placement.constraints.text import MARATHON_OPERATORS, make, parse
from placement.documents import Record
from placement.errors import InputError, doubt
from placement.frameworks.marathon import networks, volumes
from placement.frameworks.marathon.networks import ServicePorts
from placement.frameworks.marathon.settings import MarathonSettings, Refused
from placement.workload import Job, KillSelection, Upgrade

CONSTRAINTS_LABEL = "placement.constraints"
"""Label that holds further constraints in the text form, for rules Marathon has not (affinity)."""
SINGLE_INSTANCE_LABEL = "MARATHON_SINGLE_INSTANCE_APP"
GPU_LABEL = "GPU_SCHEDULING_BEHAVIOR"
BAD_ROLE_CHARACTERS = frozenset("\t\n\v\f\r /\x7f")
KNOWN_APP = frozenset((
    "id", "acceptedResourceRoles", "args", "backoffFactor", "backoffSeconds", "check", "cmd", "constraints", "container",
    "cpus", "dependencies", "disk", "env", "executor", "executorResources", "fetch", "gpus", "healthChecks", "instances",
    "ipAddress", "killSelection", "labels", "maxLaunchDelaySeconds", "mem", "networks", "portDefinitions", "ports",
    "readinessChecks", "requirePorts", "residency", "resourceLimits", "role", "secrets", "storeUrls",
    "taskKillGracePeriodSeconds", "tty", "unreachableStrategy", "upgradeStrategy", "uris", "user", "version",
    "versionInfo", "tasks", "tasksHealthy", "tasksRunning", "tasksStaged", "tasksUnhealthy", "deployments",
    "lastTaskFailure", "readinessCheckResults", "taskStats",
))  # fmt: skip
"""Fields of an app that Marathon knows, whether or not they matter here."""
KNOWN_POD = frozenset((
    "id", "labels", "user", "environment", "containers", "volumes", "networks", "scaling", "scheduling", "secrets",
    "executorResources", "version", "legacySharedCgroups", "linuxInfo", "role", "status", "instances", "statusSince",
    "spec", "lastUpdated", "lastChanged", "terminationHistory",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where a spec stands: its resolved id, its role defaults, and the file for messages."""

    id: str
    default_role: str
    valid_roles: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Spec:
    """A job with what only the whole document can settle: its dependencies as written, its external volumes."""

    job: Job
    dependencies: tuple[str, ...]
    external: tuple[volumes.External, ...]
    is_pod: bool = False


class _Reader:
    """What apps and pods have in common."""

    def __init__(self, record: Record, place: Place, settings: MarathonSettings, service: ServicePorts) -> None:
        self.record = record
        self.place = place
        self.settings = settings
        self.service = service

    def refused(self, name: str, message: str, section: str, expected: str | None = None) -> Refused:
        """Return a refusal about a field."""
        return Refused(message, section=section, file=self.record.file, place=self.record.at(name),
                       value=self.record.fields.get(name), expected=expected)  # fmt: skip

    def role(self, resident: bool) -> str:
        """Return the role the spec runs under (4.1)."""
        role = self.record.text("role") or self.place.default_role
        check_role(role, self.record, "role")
        if role not in self.place.valid_roles:
            doubt("Marathon allows other roles only here", strict=self.record.strict, file=self.record.file,
                  place=self.record.at("role"), value=role, expected=" or ".join(self.place.valid_roles))  # fmt: skip
        if resident and role == UNRESERVED:
            doubt("Marathon reserves volumes for a role only", strict=self.record.strict, file=self.record.file,
                  place=self.record.at("role"), value=role, expected="a role, or --set mesos_role=ROLE")  # fmt: skip
        return role

    def accepted(self, holder: Record | None, role: str, resident: bool) -> tuple[str, ...]:
        """Return the roles whose resources may be used (4.2)."""
        named = holder.texts("acceptedResourceRoles") if holder is not None else None
        if named is not None and holder is not None:
            if not named:
                raise self._bad_accepted(holder, "acceptedResourceRoles must not be empty", role)
            for one in named:
                check_role(one, holder, "acceptedResourceRoles")
            if any(one not in (UNRESERVED, role) for one in named):
                raise self._bad_accepted(holder, "acceptedResourceRoles names a role that is not the app's", role)
            if resident and set(named) != {UNRESERVED}:
                raise self._bad_accepted(holder, "a resident app accepts unreserved resources only", UNRESERVED)
            return tuple(named)
        if resident:
            return (UNRESERVED,)
        behavior = self.settings.accepted_resource_roles_default_behavior
        return {"any": (role, UNRESERVED), "unreserved": (UNRESERVED,), "reserved": (role,)}[behavior]

    def _bad_accepted(self, holder: Record, message: str, role: str) -> Refused:
        return Refused(message, section="4.2", file=holder.file, place=holder.at("acceptedResourceRoles"),
                       value=holder.fields.get("acceptedResourceRoles"), expected=f"* or {role}")  # fmt: skip

    def constraint(self, field: object, operator: object, value: object, place: str) -> Constraint:
        """Return one constraint (6.5)."""
        for one in (field, operator, value):
            if one is not None and not isinstance(one, str):
                if isinstance(one, bool) or not isinstance(one, int | float):
                    raise Refused(
                        "a constraint holds texts", section="6.5", file=self.record.file, place=place, value=one
                    )
                doubt("a constraint holds a number", strict=self.record.strict, file=self.record.file, place=place,
                      value=one, expected="a text")  # fmt: skip
        try:
            text = None if value is None else str(value)
            return make(str(field), str(operator), text, group_by=self.settings.group_by, operators=MARATHON_OPERATORS)
        except InputError as error:
            raise Refused(error.message, section="6.5", file=self.record.file, place=place, value=error.value,
                          expected=error.expected, nearest=error.nearest) from None  # fmt: skip

    def implied(self, constraints: Sequence[Constraint], labels: Record | None, gpus: int) -> tuple[Constraint, ...]:
        """Return the rules that hold without being written: local region (7), maintenance (14), scarce gpus (13)."""
        found: list[Constraint] = []
        if not any(one.field in ("@region", "@zone") for one in constraints):
            found.append(FaultDomain(local_region=self.settings.local_region))
        if self.settings.maintenance_mode:
            found.append(Maintenance(draining_seconds=self.settings.draining_seconds))
        behavior = labels.text(GPU_LABEL) if labels is not None else None
        if behavior not in ("restricted", "unrestricted"):
            behavior = self.settings.gpu_scheduling_behavior
        if behavior == "restricted" and not gpus:
            found.append(ScarceGpus())
        return tuple(found)

    def labelled(self, labels: Record | None) -> tuple[Constraint, ...]:
        """Return the constraints of the label `placement.constraints`."""
        text = labels.text(CONSTRAINTS_LABEL) if labels is not None else None
        try:
            return parse(text, group_by=self.settings.group_by) if text else ()
        except InputError as error:
            assert labels is not None
            raise error.inside(file=self.record.file, place=labels.at(CONSTRAINTS_LABEL)) from None

    def upgrade(self, holder: Record | None, name: str, stateful: bool, resident: bool) -> Upgrade:
        """Return the bounds of an upgrade (1.1, 8.3)."""
        default = Upgrade(minimum_health_capacity=0.5, maximum_over_capacity=0.0) if stateful else Upgrade()
        given = holder.record(name) if holder is not None else None
        if given is None:
            return default
        bounds = Upgrade(
            minimum_health_capacity=given.number("minimumHealthCapacity", default.minimum_health_capacity),
            maximum_over_capacity=given.number("maximumOverCapacity", default.maximum_over_capacity),
        )
        for field, value in (("minimumHealthCapacity", bounds.minimum_health_capacity),
                             ("maximumOverCapacity", bounds.maximum_over_capacity)):  # fmt: skip
            if not 0 <= value <= 1:
                raise Refused("is out of range", section="1.1", file=given.file, place=given.at(field), value=value,
                              expected="0 to 1")  # fmt: skip
        if resident and bounds.maximum_over_capacity:
            raise self.refused(name, "a resident app takes maximumOverCapacity 0", "8.3")
        return bounds

    def unreachable(self, holder: Record | None, resident: bool) -> None:
        """Check the unreachable strategy (8.3, 11)."""
        value = holder.get("unreachableStrategy") if holder is not None else None
        if value is None or value == "disabled":
            return
        if resident:
            raise self.refused(
                "unreachableStrategy", "a resident app takes unreachableStrategy disabled", "8.3", "disabled"
            )
        assert holder is not None
        given = holder.record("unreachableStrategy")
        assert given is not None
        inactive = given.number("inactiveAfterSeconds", 0)
        if given.number("expungeAfterSeconds", inactive) < inactive:
            raise self.refused("unreachableStrategy", "expungeAfterSeconds is below inactiveAfterSeconds", "11")

    def kill_selection(self, holder: Record | None) -> KillSelection:
        """Return which instances go first on a scale-down."""
        word = holder.text("killSelection") if holder is not None else None
        if word is None or word.upper() == "YOUNGEST_FIRST":
            return "YOUNGEST_FIRST"
        if word.upper() == "OLDEST_FIRST":
            return "OLDEST_FIRST"
        raise self.refused("killSelection", "unknown kill selection", "1.1", "YOUNGEST_FIRST or OLDEST_FIRST")

    def version(self) -> float | None:
        """Return the moment of the last configuration change (6.1)."""
        info = self.record.record("versionInfo")
        changed = info.text("lastConfigChangeAt") if info is not None else None
        word = changed or self.record.text("version")
        return None if word is None else moment(word, self.record, "version")

    def count(self, record: Record, name: str) -> int:
        """Return a number of instances."""
        instances = record.whole(name, 1)
        if instances < 0:
            raise record.error(name, "is negative", expected="0 or more")
        return instances


def check_role(role: str, record: Record, name: str) -> None:
    """Refuse role names that Mesos refuses (4.2)."""
    if role in ("", ".", "..") or role.startswith("-") or BAD_ROLE_CHARACTERS & set(role):
        raise Refused("is no role name", section="4.2", file=record.file, place=record.at(name), value=role,
                      expected="a name without blanks or slashes that does not start with -")  # fmt: skip


def moment(text: str, record: Record, name: str) -> float:
    """Return an ISO 8601 moment as seconds since 1970."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise record.error(name, "is no moment", expected="ISO 8601, such as 2020-01-01T00:00:00Z") from None


def read_app(record: Record, place: Place, settings: MarathonSettings, service: ServicePorts) -> Spec:
    """Return the spec of an app.

    Raises
    ------
    InputError
        If a field has the wrong type.
    Refused
        If Marathon refuses the app.
    """
    return _App(record, place, settings, service).spec()


class _App(_Reader):
    """Reads one app."""

    def spec(self) -> Spec:
        """Return the app's spec."""
        record, labels = self.record, self.record.record("labels")
        record.unknown(KNOWN_APP)
        written = self._constraints()
        container = record.record("container")
        requests = volumes.persistent(container.records("volumes")) if container is not None else ()
        role = self.role(bool(requests))
        accepted = self.accepted(record, role, bool(requests))
        external = volumes.external(container.records("volumes")) if container is not None else ()
        self._check_external(external)
        ports = networks.app_ports(record, self.settings, self.service)
        demand = self._demand(container)
        constraints = (*written, *self.labelled(labels))
        upgrade = self.upgrade(record, "upgradeStrategy", bool(requests or external), bool(requests))
        self.unreachable(record, bool(requests))
        self._check_single_instance(labels)
        self._check_command(container)
        job = Job(
            id=self.place.id,
            instances=self.count(record, "instances"),
            demand={name: amount for name, amount in demand.items() if amount},
            constraints=(*constraints, *self.implied(constraints, labels, demand["gpus"])),
            ports=ports,
            volumes=requests,
            role=role,
            accepted_roles=accepted,
            version=self.version(),
            upgrade=upgrade,
            kill_selection=self.kill_selection(record),
            has_checks=any(record.get(name) for name in ("healthChecks", "check", "readinessChecks")),
            framework="marathon",
            source=self.place.source,
        )
        return Spec(job, tuple(record.texts("dependencies") or ()), external)

    def _constraints(self) -> tuple[Constraint, ...]:
        value = self.record.get("constraints")
        if value is not None and not isinstance(value, list):
            raise self.refused("constraints", "constraints is not a list", "6.5", "a list of lists")
        found = []
        for i, one in enumerate(value or []):
            place = f"{self.record.at('constraints')}[{i}]"
            if not isinstance(one, list) or len(one) not in (2, 3):
                raise Refused("a constraint has 2 or 3 elements", section="6.5", file=self.record.file, place=place,
                              value=one, expected='["FIELD", "OPERATOR"] or ["FIELD", "OPERATOR", "VALUE"]')  # fmt: skip
            found.append(self.constraint(one[0], one[1], one[2] if len(one) == 3 else None, place))
        return tuple(found)

    def _demand(self, container: Record | None) -> dict[str, int]:
        record = self.record
        demand = {
            "cpus": record.amount("cpus", 1),
            "mem": record.amount("mem", 128),
            "disk": record.amount("disk", 0),
            "gpus": record.whole("gpus", 0) * 1000,
        }
        if demand["gpus"] < 0:
            raise record.error("gpus", "is negative", expected="0 or more")
        if demand["cpus"] < 1 and "cpus" in record:
            raise self.refused("cpus", "cpus is below the least", "1.1", "0.001 or more")
        if demand["gpus"]:
            if "gpu_resources" not in self.settings.enable_features:
                raise self.refused(
                    "gpus", "gpus need the feature gpu_resources", "1.1", "--set enable_features=gpu_resources"
                )
            if container is not None and (container.text("type") or "DOCKER").upper() == "DOCKER":
                raise self.refused("gpus", "gpus are not for containers of type DOCKER", "1.1", "type MESOS")
        check_limits(record, demand)
        return demand

    def _check_external(self, external: Sequence[volumes.External]) -> None:
        if external and "external_volumes" not in self.settings.enable_features:
            doubt("external volumes need a feature", strict=self.record.strict, file=self.record.file,
                  place=self.record.at("container.volumes"), expected="--set enable_features=external_volumes")  # fmt: skip
        if any(one.single for one in external) and self.count(self.record, "instances") > 1:
            raise self.refused("instances", "an external volume of this kind allows one instance", "8.4", "at most 1")

    def _check_single_instance(self, labels: Record | None) -> None:
        if labels is None or labels.get(SINGLE_INSTANCE_LABEL) != "true":
            return
        if self.count(self.record, "instances") > 1:
            raise self.refused("instances", "a single-instance app has at most one instance", "10.2", "at most 1")
        given = self.record.record("upgradeStrategy")
        if given is not None and (given.number("minimumHealthCapacity", 1) or given.number("maximumOverCapacity", 1)):
            raise self.refused("upgradeStrategy", "a single-instance app takes both capacities 0", "10.2", "0 and 0")

    def _check_command(self, container: Record | None) -> None:
        has_cmd, has_args = bool(self.record.get("cmd")), bool(self.record.get("args"))
        if has_cmd and has_args:
            raise self.refused("cmd", "cmd and args exclude each other", "1.1", "one of the two")
        if not has_cmd and not has_args and container is None:
            raise self.refused("cmd", "nothing to run", "1.1", "cmd, args or a container")


def check_limits(record: Record, demand: dict[str, int]) -> None:
    """Refuse resource limits that are no numbers or below the request (1.1)."""
    limits = record.record("resourceLimits")
    if limits is None:
        return
    for name in ("cpus", "mem"):
        value = limits.get(name)
        if value is None or value == "unlimited":
            continue
        if isinstance(value, str):
            raise Refused("a limit is a number or 'unlimited'", section="1.1", file=limits.file, place=limits.at(name),
                          value=value)  # fmt: skip
        if limits.amount(name, 0) < demand[name]:
            raise Refused("a limit is below the request", section="1.1", file=limits.file, place=limits.at(name),
                          value=value)  # fmt: skip


def read_pod(record: Record, place: Place, settings: MarathonSettings, service: ServicePorts) -> Spec:
    """Return the spec of a pod; see `read_app`."""
    return _Pod(record, place, settings, service).spec()


class _Pod(_Reader):
    """Reads one pod."""

    def spec(self) -> Spec:
        """Return the pod's spec."""
        record, labels = self.record, self.record.record("labels")
        record.unknown(KNOWN_POD)
        containers = list(record.records("containers"))
        if not containers:
            raise self.refused("containers", "a pod needs containers", "1.2")
        scheduling = record.record("scheduling")
        placing = scheduling.record("placement") if scheduling is not None else None
        written = self._constraints(placing)
        requests = volumes.persistent(record.records("volumes"))
        role = self.role(bool(requests))
        accepted = self.accepted(placing, role, bool(requests))
        demand = self._demand(containers)
        constraints = (*written, *self.labelled(labels))
        self.unreachable(scheduling, bool(requests))
        endpoints = [one for container in containers for one in container.records("endpoints")]
        job = Job(
            id=self.place.id,
            instances=self._instances(),
            demand={name: amount for name, amount in demand.items() if amount},
            constraints=(*constraints, *self.implied(constraints, labels, demand["gpus"])),
            ports=networks.pod_ports(endpoints, networks.pod_networks(record, self.settings)),
            volumes=requests,
            role=role,
            accepted_roles=accepted,
            version=self.version(),
            upgrade=self.upgrade(scheduling, "upgrade", bool(requests), bool(requests)),
            kill_selection=self.kill_selection(scheduling),
            has_checks=any(one.get("healthCheck") for one in containers),
            framework="marathon",
            source=self.place.source,
        )
        return Spec(job, (), (), is_pod=True)

    def _constraints(self, placing: Record | None) -> tuple[Constraint, ...]:
        found = []
        for one in placing.records("constraints") if placing is not None else ():
            if not one.get("fieldName") or not one.get("operator"):
                raise Refused(
                    "a constraint needs fieldName and operator", section="6.5", file=one.file, place=one.place
                )
            found.append(self.constraint(one.get("fieldName"), one.get("operator"), one.get("value"), one.place))
        return tuple(found)

    def _demand(self, containers: Sequence[Record]) -> dict[str, int]:
        """Return the sum over the containers and the executor (1.2)."""
        demand = dict.fromkeys(("cpus", "mem", "disk", "gpus"), 0)
        for container in containers:
            resources = container.record("resources")
            if resources is None:
                raise Refused("a container of a pod needs resources", section="1.2", file=container.file,
                              place=container.at("resources"))  # fmt: skip
            own = {name: resources.amount(name, {"cpus": 1, "mem": 128}.get(name, 0)) for name in demand}
            check_limits(container, own)
            demand = {name: demand[name] + own[name] for name in demand}
        if demand["gpus"] and "gpu_resources" not in self.settings.enable_features:
            raise self.refused("containers", "gpus need the feature gpu_resources", "1.1")
        executor = self.record.record("executorResources") or Record.of({}, self.record.at("executorResources"))
        for name, default in (("cpus", 0.1), ("mem", 32), ("disk", 10)):
            demand[name] += executor.amount(name, default)
        return demand

    def _instances(self) -> int:
        scaling = self.record.record("scaling")
        if scaling is None:
            return 1
        if (scaling.text("kind") or "fixed") != "fixed":
            raise self.refused("scaling", "unknown kind of scaling", "1.2", "fixed")
        return self.count(scaling, "instances")
