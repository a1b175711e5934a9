"""Ports of an app or pod: from all of Marathon's forms to the host ports an instance asks for, in order.

Source: mesosphere/marathon, AppNormalization.scala, AppValidation.scala and PodsValidation.scala (docs/marathon.md 5).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from placement.documents import Record
from placement.errors import InputError
from placement.frameworks.marathon.networks import BRIDGE, CONTAINER, HOST, Networks
from placement.frameworks.marathon.settings import MarathonSettings, Refused

HIGHEST = 65535


@dataclass(frozen=True, slots=True)
class PortRequest:
    """What an instance asks for.

    Attributes
    ----------
    ports
        Host ports in order, 0 for any.
    drawn
        Positions in `ports` that wait for a service port, which then is the host port asked for.
    services
        Service ports that the spec names itself.

    """

    ports: tuple[int, ...]
    drawn: tuple[int, ...] = ()
    services: tuple[int, ...] = ()


def draw_service_ports(requests: Sequence[PortRequest], settings: MarathonSettings) -> Iterator[tuple[int, ...]]:
    """Yield the host ports of each request, with service ports drawn where it waits for them, unique over all.

    Raises
    ------
    Refused
        If there are fewer service ports than wanted.

    """
    named = {port for one in requests for port in one.services}
    free = (port for port in range(settings.local_port_min, settings.local_port_max + 1) if port and port not in named)
    for request in requests:
        ports = list(request.ports)
        for position in request.drawn:
            ports[position] = next(free, 0)
            if not ports[position]:
                raise Refused("no service port is left", section="5.1",
                              expected="a wider range from local_port_min to local_port_max")  # fmt: skip
        yield tuple(ports)


def app_ports(app: Record, networks: Networks) -> PortRequest:
    """Return the host ports an instance of an app asks for.

    Raises
    ------
    Refused
        If they break 5.2 or 5.3.

    """
    definitions = _definitions(app)
    mappings = _mappings(app, networks)
    if networks.mode == HOST:
        return _of_definitions(app, definitions)
    if mappings is None:
        mappings = [Record.of({}, app.at("container"))]
    missing = len(definitions or ()) - len(mappings)
    mappings = [*mappings, *[Record.of({}, app.at("portDefinitions"))] * missing]
    _check_names(mappings)
    services = tuple(port for one in mappings if (port := _port(one, "servicePort")))
    return PortRequest(tuple(_of_mappings(mappings, networks)), services=services)


def pod_ports(endpoints: Sequence[Record], networks: Networks) -> PortRequest:
    """Return the host ports an instance of a pod asks for, container by container, endpoint by endpoint.

    Raises
    ------
    Refused
        If they break 5.2 or 5.3.

    """
    _check_names(endpoints)
    for endpoint in endpoints:
        if networks.mode == HOST and "containerPort" in endpoint:
            raise Refused.at(endpoint, "containerPort", "containerPort is not for host networks", "5.3")
        if networks.mode == CONTAINER and "containerPort" not in endpoint:
            raise Refused.at(endpoint, "containerPort", "containerPort is missing", "5.3", "a port of the container")
    _check_distinct(endpoints, "hostPort", "host ports must be unique within the pod", "5.2")
    _check_distinct(endpoints, "containerPort", "container ports must be unique within the pod", "5.3")
    return PortRequest(tuple(_of_mappings(endpoints, networks, always=False)))


def _of_definitions(app: Record, definitions: Sequence[int] | None) -> PortRequest:
    """Return the request in host mode: any ports, or with requirePorts the numbers given (0: a service port)."""
    required = app.flag("requirePorts", False)
    if definitions is None:
        definitions = (0,)
    services = tuple(port for port in definitions if port)
    if not required:
        return PortRequest((0,) * len(definitions), services=services)
    waiting = tuple(i for i, port in enumerate(definitions) if not port)
    return PortRequest(tuple(definitions), waiting, services)


def _definitions(app: Record) -> list[int] | None:
    """Return the numbers of `portDefinitions` or of the older `ports`; None if neither is given."""
    old, new = app.items("ports"), app.items("portDefinitions")
    if new is None and old is None:
        return None
    defined = [_port(one, "port") for one in app.records("portDefinitions")]
    listed = [_listed(app, i, one) for i, one in enumerate(old or ())]
    if new is not None and old is not None and listed != defined:
        raise Refused.at(app, "ports", "ports and portDefinitions differ", "5.1", "one of the two")
    found = listed if new is None else defined
    fixed = [port for port in found if port]
    if len(set(fixed)) < len(fixed):
        raise Refused.at(app, "ports" if new is None else "portDefinitions", "ports must be unique", "5.2")
    _check_names(list(app.records("portDefinitions")))
    return found


def _listed(app: Record, number: int, value: object) -> int:
    """Return one number of the list `ports`."""
    place = f"{app.at('ports')}[{number}]"
    try:
        return _port(Record.of({"port": value}, "", strict=app.strict), "port")
    except InputError as error:
        outer = InputError(error.message, file=app.file, place=place, value=value, expected=error.expected)
        raise outer from None


def _mappings(app: Record, networks: Networks) -> list[Record] | None:
    """Return the port mappings; None if none are given, or the older forms drop them in host mode."""
    container = app.record("container")
    if container is None:
        return None
    docker = container.record("docker")
    inner = docker.items("portMappings") if docker is not None else None
    outer = container.items("portMappings")
    if inner and outer and inner != outer:
        raise Refused.at(container, "portMappings", "port mappings are given twice", "5.1", "one of the two")
    holder = docker if docker is not None and inner is not None and not outer else container
    if holder.items("portMappings") is None:
        return None
    if networks.mode == HOST and networks.declared and holder.items("portMappings"):
        raise Refused.at(holder, "portMappings", "a host network takes no port mappings", "5.3")
    return list(holder.records("portMappings"))


def _of_mappings(mappings: Iterable[Record], networks: Networks, *, always: bool = True) -> Iterator[int]:
    """Yield the host ports of mappings or endpoints; on a bridge a mapping has `always` one, an endpoint if it says."""
    for mapping in mappings:
        names = mapping.texts("networkNames") or []
        if any(name not in networks.names for name in names):
            raise Refused.at(mapping, "networkNames", "networkNames must name networks of the app", "5.3",
                             ", ".join(sorted(networks.names)) or None)  # fmt: skip
        given = "hostPort" in mapping
        if given and networks.are_several and len(names) != 1:
            message = "with several container networks a hostPort needs exactly one networkName"
            raise Refused.at(mapping, "networkNames", message, "5.3")
        _port(mapping, "containerPort")
        if given or (always and networks.mode == BRIDGE):
            yield _port(mapping, "hostPort")


def _port(record: Record, name: str) -> int:
    number = record.whole(name, 0)
    if not 0 <= number <= HIGHEST:
        raise Refused.at(record, name, "is not a port", "5.2", f"0 to {HIGHEST}")
    return number


def _check_names(records: Sequence[Record]) -> None:
    names: set[str] = set()
    for one in records:
        name = one.text("name")
        if name and name in names:
            raise Refused.at(one, "name", "port names must be unique", "5.2")
        names.add(name or "")


def _check_distinct(records: Sequence[Record], field: str, message: str, section: str) -> None:
    """Refuse a port that stands twice, 0 excepted."""
    seen: set[int] = set()
    for one in records:
        port = _port(one, field)
        if port and port in seen:
            raise Refused.at(one, field, message, section)
        seen.add(port)
