"""Networks of an app or pod, from today's form and the older ones, checked as a set.

Source: mesosphere/marathon, AppNormalization.scala and NetworkValidation.scala (docs/marathon.md 5.1, 5.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from placement.documents import Record
from placement.frameworks.marathon.settings import MarathonSettings, Refused

HOST, BRIDGE, CONTAINER = "host", "container/bridge", "container"
OLD_MODES = {"HOST": HOST, "BRIDGE": BRIDGE, "USER": CONTAINER}
"""Modes of `container.docker.network`."""


@dataclass(frozen=True, slots=True)
class Network:
    """One network of a spec: mode, and name for a container network."""

    mode: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Networks:
    """The networks of a spec; never none, and all of one mode.

    Attributes
    ----------
    declared
        Whether they stand in `networks`, rather than in an older form or nowhere.

    """

    members: tuple[Network, ...]
    declared: bool

    @property
    def mode(self) -> str:
        """The mode of all of them."""
        return self.members[0].mode

    @property
    def names(self) -> frozenset[str]:
        """Names of the container networks."""
        return frozenset(one.name for one in self.members if one.name is not None)

    @property
    def are_several(self) -> bool:
        """Whether there is more than one."""
        return len(self.members) > 1


def app_networks(app: Record, settings: MarathonSettings) -> Networks:
    """Return the networks of an app, whichever form it is written in; host if in none.

    Raises
    ------
    Refused
        If they break 5.3.

    """
    declared = _declared(app, settings)
    container = app.record("container")
    docker = container.record("docker") if container is not None else None
    if not declared:
        return Networks((_older(app, docker, settings),), declared=False)
    if len(declared) > 1 and container is not None and is_docker(container):
        raise Refused.at(app, "networks", "the Docker engine allows one container network", "5.3")
    if docker is not None and "network" in docker:
        docker.doubt("network", "stands beside networks, which counts")
    if "ipAddress" in app:
        app.doubt("ipAddress", "stands beside networks, which counts")
    return Networks(tuple(declared), declared=True)


def pod_networks(pod: Record, settings: MarathonSettings) -> Networks:
    """Return the networks of a pod; host when it names none."""
    declared = _declared(pod, settings)
    return Networks(tuple(declared or [Network(HOST)]), declared=bool(declared))


def is_docker(container: Record) -> bool:
    """Tell whether a container runs under the Docker engine."""
    return (container.text("type") or "DOCKER").upper() == "DOCKER"


def _older(app: Record, docker: Record | None, settings: MarathonSettings) -> Network:
    """Return the network of the forms before `networks`: `container.docker.network` and `ipAddress`."""
    word = docker.text("network") if docker is not None else None
    address = app.record("ipAddress")
    if docker is not None and word is not None and word.upper() not in OLD_MODES:
        raise Refused.at(docker, "network", "unknown docker network", "5.1", ", ".join(OLD_MODES))
    if word is not None:
        mode = OLD_MODES[word.upper()]
    else:
        mode = CONTAINER if address is not None else HOST
    if mode != CONTAINER:
        return Network(mode)
    holder, field = (address, "networkName") if address is not None else (app, "ipAddress")
    name = address.text("networkName") if address is not None else None
    return Network(CONTAINER, _named(holder, field, name, settings))


def _named(holder: Record, field: str, name: str | None, settings: MarathonSettings) -> str:
    """Return the name of a container network, the default one where none is given."""
    found = name or settings.default_network_name
    if not found:
        raise Refused.at(holder, field, "a container network needs a name", "5.3",
                         "a name, or --set default_network_name=NAME")  # fmt: skip
    return found


def _declared(spec: Record, settings: MarathonSettings) -> list[Network]:
    """Return the networks of the field `networks`."""
    found = []
    for one in spec.records("networks"):
        mode = (one.text("mode") or CONTAINER).lower()
        name = one.text("name")
        if mode not in (HOST, BRIDGE, CONTAINER):
            raise Refused.at(one, "mode", "unknown network mode", "5.3", ", ".join((HOST, BRIDGE, CONTAINER)))
        if mode != CONTAINER and name:
            raise Refused.at(one, "name", f"a {mode} network takes no name", "5.3")
        found.append(Network(mode, _named(one, "name", name, settings) if mode == CONTAINER else None))
    _check_set(spec, found)
    return found


def _check_set(spec: Record, networks: Sequence[Network]) -> None:
    """At most one host or one bridge network, or container networks with distinct names."""
    if len(networks) > 1 and any(one.mode != CONTAINER for one in networks):
        raise Refused.at(spec, "networks", "only container networks may be several", "5.3")
    if len({one.name for one in networks}) < len(networks):
        raise Refused.at(spec, "networks", "container networks must have distinct names", "5.3")
