"""Networks and ports: from all of Marathon's forms to the host ports an instance asks for, in order.

Source: mesosphere/marathon, AppNormalization.scala and the network validation (docs/marathon.md 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from placement.documents import Record
from placement.frameworks.marathon.settings import MarathonSettings, Refused

HOST, BRIDGE, CONTAINER = "host", "container/bridge", "container"
OLD_MODES = {"HOST": HOST, "BRIDGE": BRIDGE, "USER": CONTAINER, "NONE": CONTAINER}
HIGHEST = 65535


@dataclass(eq=False)
class ServicePorts:
    """Gives service ports to definitions with port 0, each number once over all apps."""

    first: int
    last: int
    taken: set[int] = field(default_factory=set)

    def next(self) -> int:
        """Return the lowest free service port, 0 if none is left."""
        port = next((one for one in range(self.first, self.last + 1) if one not in self.taken), 0)
        self.taken.add(port)
        return port


@dataclass(frozen=True, slots=True)
class Network:
    """One network of an app: mode, and name for a container network."""

    mode: str
    name: str | None = None


def app_ports(app: Record, settings: MarathonSettings, service: ServicePorts) -> tuple[int, ...]:
    """Return the host ports an instance of an app asks for (0: any), in order.

    Raises
    ------
    Refused
        If networks or ports break Marathon's rules.
    """
    networks = _networks(app, settings)
    definitions = _definitions(app)
    mappings = _mappings(app, networks)
    if networks[0].mode == HOST:
        return _host_ports(app, definitions, service)
    if mappings is not None and definitions is not None and len(definitions) > len(mappings):
        mappings = [*mappings, *[Record.of({}, app.at("ports"))] * (len(definitions) - len(mappings))]
    if mappings is None:
        extra = len(definitions or []) or 1
        return (0,) * extra if networks[0].mode == BRIDGE else ()
    _check_names(mappings, "5.2")
    return _mapped_ports(mappings, networks, "networkNames")


def pod_ports(endpoints: Sequence[Record], networks: Sequence[Network]) -> tuple[int, ...]:
    """Return the host ports an instance of a pod asks for, container by container, endpoint by endpoint."""
    _check_names(endpoints, "5.2")
    fixed: set[int] = set()
    for endpoint in endpoints:
        if networks[0].mode == HOST and "containerPort" in endpoint:
            raise _refused(endpoint, "containerPort", "containerPort is not for host networks", "5.3")
        if networks[0].mode != HOST and "containerPort" not in endpoint:
            raise _refused(endpoint, "containerPort", "containerPort is missing", "5.3", "a port of the container")
        port = _port(endpoint, "hostPort") if "hostPort" in endpoint else None
        if port and port in fixed:
            raise _refused(endpoint, "hostPort", "host ports must be unique within the pod", "5.2")
        fixed.add(port or 0)
    return _mapped_ports(endpoints, networks, "networkNames", missing=None)


def pod_networks(pod: Record, settings: MarathonSettings) -> list[Network]:
    """Return the networks of a pod; host when it names none."""
    return _declared(pod, settings) or [Network(HOST)]


def _networks(app: Record, settings: MarathonSettings) -> list[Network]:
    """Return the networks of an app, whichever form it is written in."""
    declared = _declared(app, settings)
    container = app.record("container")
    docker = container.record("docker") if container is not None else None
    old = docker.text("network") if docker is not None else None
    if declared:
        if len(declared) > 1 and container is not None and _is_docker(container):
            raise _refused(app, "networks", "the Docker engine allows one container network", "5.3")
        return declared
    address = app.record("ipAddress")
    if address is not None and old not in ("HOST", "BRIDGE"):
        return [Network(CONTAINER, address.text("networkName") or settings.default_network_name)]
    if old is not None and old.upper() not in OLD_MODES:
        raise _refused(app, "container", "unknown docker network", "5.3", ", ".join(OLD_MODES))
    return [Network(OLD_MODES[(old or "HOST").upper()])]


def _is_docker(container: Record) -> bool:
    return (container.text("type") or "DOCKER").upper() == "DOCKER"


def _declared(spec: Record, settings: MarathonSettings) -> list[Network]:
    """Return the networks a spec declares, checked as a set."""
    found = []
    for one in spec.records("networks"):
        mode = (one.text("mode") or CONTAINER).lower()
        name = one.text("name")
        if mode not in (HOST, BRIDGE, CONTAINER):
            raise _refused(one, "mode", "unknown network mode", "5.3", "host, container/bridge or container")
        if mode != CONTAINER and name:
            raise _refused(one, "name", f"a {mode} network takes no name", "5.3")
        if mode == CONTAINER:
            name = name or settings.default_network_name
            if not name:
                raise _refused(
                    one, "name", "a container network needs a name", "5.3", "a name, or default_network_name"
                )
        found.append(Network(mode, name))
    modes = {one.mode for one in found}
    if len(found) > 1 and modes != {CONTAINER}:
        raise _refused(spec, "networks", "only container networks may be several", "5.3")
    if len({one.name for one in found}) < len(found):
        raise _refused(spec, "networks", "container networks must have distinct names", "5.3")
    return found


def _definitions(app: Record) -> list[tuple[int, Record | None]] | None:
    """Return (port, definition) of `portDefinitions` or the older `ports`; None if neither is given."""
    old, new = app.items("ports"), app.items("portDefinitions")
    found: list[tuple[int, Record | None]] | None = None
    if new is not None:
        found = [(_port(one, "port"), one) for one in app.records("portDefinitions")]
    if old is not None:
        ports = [(_port(Record({"port": one}, f"{app.at('ports')}[{i}]"), "port"), None) for i, one in enumerate(old)]
        if found is not None and [port for port, _ in ports] != [port for port, _ in found]:
            raise _refused(app, "ports", "ports and portDefinitions differ", "5.1", "one of the two")
        found = found if found is not None else list(ports)
    if found is not None:
        fixed = [port for port, _ in found if port]
        if len(set(fixed)) < len(fixed):
            raise _refused(app, "portDefinitions" if new is not None else "ports", "ports must be unique", "5.2")
        _check_names([one for _, one in found if one is not None], "5.2")
    return found


def _host_ports(
    app: Record, definitions: list[tuple[int, Record | None]] | None, service: ServicePorts
) -> tuple[int, ...]:
    """Return the ports of host mode: any ones, or with requirePorts the numbers given (0: a service port)."""
    if definitions is None:
        return (0,)
    numbers = [port or service.next() for port, _ in definitions]
    return tuple(numbers) if app.flag("requirePorts", False) else (0,) * len(numbers)


def _mappings(app: Record, networks: Sequence[Network]) -> list[Record] | None:
    """Return the port mappings; None if none are given."""
    container = app.record("container")
    if container is None:
        return None
    docker = container.record("docker")
    inner = docker is not None and "portMappings" in docker
    if inner and "portMappings" in container and docker is not None:
        if docker.get("portMappings") != container.get("portMappings"):
            raise _refused(container, "portMappings", "port mappings are given twice", "5.1", "one of the two")
        inner = False
    holder = docker if inner and docker is not None else container
    if "portMappings" not in holder:
        return None
    if networks[0].mode == HOST and app.items("networks") and holder.items("portMappings"):
        raise _refused(holder, "portMappings", "a host network takes no port mappings", "5.3")
    return list(holder.records("portMappings"))


def _mapped_ports(
    mappings: Sequence[Record], networks: Sequence[Network], names: str, missing: int | None = 0
) -> tuple[int, ...]:
    """Return the host ports of mappings or endpoints; a bridge mapping without one counts as `missing`."""
    known = {one.name for one in networks}
    ports = []
    for mapping in mappings:
        named = mapping.texts(names) or []
        if any(name not in known for name in named):
            raise _refused(mapping, names, "networkNames must name networks of the app", "5.3")
        given = "hostPort" in mapping
        if given and len(networks) > 1 and len(named) != 1:
            raise _refused(
                mapping, names, "with several container networks a hostPort needs exactly one networkName", "5.3"
            )
        if "containerPort" in mapping:
            _port(mapping, "containerPort")
        if given:
            ports.append(_port(mapping, "hostPort"))
        elif networks[0].mode == BRIDGE and missing is not None:
            ports.append(missing)
    return tuple(ports)


def _port(record: Record, name: str) -> int:
    number = record.whole(name, 0)
    if not 0 <= number <= HIGHEST:
        raise _refused(record, name, "is not a port", "5.2", f"0 to {HIGHEST}")
    return number


def _check_names(records: Sequence[Record], section: str) -> None:
    seen: set[str] = set()
    for one in records:
        name = one.text("name")
        if name and name in seen:
            raise _refused(one, "name", "port names must be unique", section)
        seen.add(name or "")


def _refused(record: Record, name: str, message: str, section: str, expected: str | None = None) -> Refused:
    return Refused(message, section=section, file=record.file, place=record.at(name), value=record.fields.get(name),
                   expected=expected)  # fmt: skip
