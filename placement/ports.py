"""Host ports: which agents offer the ones a job names, and which concrete ports an instance gets.

Source: mesosphere/marathon, PortsMatcher.scala. Any choice of distinct offered ports is right for ports that may be
any; the lowest free ones are taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from placement.cluster import UNRESERVED, Bool, Cluster, Ranges, Reservation


def offers_ports(cluster: Cluster, ports: Sequence[int], accepted: Sequence[str]) -> Bool:
    """Return bool[agents]: agents whose free ranges of the accepted roles hold every port given."""
    table = cluster.ports
    usable = [UNRESERVED in accepted] + [one.owner is None and one.role in accepted for one in cluster.reservations]
    open_to = np.array(usable, np.bool_)[table.reservation + 1] if len(table.agent) else np.empty(0, np.bool_)
    mask = np.ones(len(cluster), np.bool_)
    for port in ports:
        found = np.zeros(len(cluster), np.bool_)
        found[table.agent[open_to & (table.first <= port) & (port <= table.last)]] = True
        mask &= found
    return mask


def ranges_of(reservations: Iterable[Reservation]) -> Ranges:
    """Return the port ranges of several reservations in order."""
    return tuple(one for reservation in reservations for one in reservation.ports)


@dataclass(eq=False)
class PortPool:
    """The free ports of one agent by role, from which instances take theirs one after the other.

    Attributes
    ----------
    ranges
        (role, first, last), in offered order.
    taken
        Ports that are gone.
    named
        Ports that some instance here asks for by number: nobody else is given them while others are free.
    """

    ranges: list[tuple[str, int, int]]
    taken: set[int] = field(default_factory=set)
    named: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, cluster: Cluster, agent: int) -> PortPool:
        """Return the pool of an agent; ports reserved for one instance are not in it."""
        record = cluster.records[agent]
        ranges = [(UNRESERVED, first, last) for first, last in record.ports]
        for one in record.reservations:
            if one.owner is None:
                ranges += [(one.role, first, last) for first, last in one.ports]
        return cls(ranges)

    @classmethod
    def of_reservations(cls, reservations: Iterable[Reservation]) -> PortPool:
        """Return the pool of one instance's own reservations."""
        return cls([(one.role, first, last) for one in reservations for first, last in one.ports])

    def take(self, ports: Sequence[int], accepted: Sequence[str] | None) -> tuple[int, ...] | None:
        """Take the ports an instance asks for, in its order; 0 stands for any port that no number asked for names.

        `accepted` None accepts every role. Returns None, and takes nothing, if they are not all free.
        """
        fixed = {port for port in ports if port}
        if any(port in self.taken or not self._offered(port, accepted) for port in fixed):
            return None
        free = self._free(accepted, fixed)
        found: list[int] = []
        for port in ports:
            chosen = port or next(free, 0)
            if not port and (chosen == 0 and not self._zero_is_free(accepted, found)):
                return None
            found.append(chosen)
        self.taken.update(found)
        return tuple(found)

    def _zero_is_free(self, accepted: Sequence[str] | None, found: Sequence[int]) -> bool:
        return 0 not in self.taken and 0 not in found and self._offered(0, accepted)

    def _offered(self, port: int, accepted: Sequence[str] | None) -> bool:
        return any(first <= port <= last for role, first, last in self.ranges if accepted is None or role in accepted)

    def _free(self, accepted: Sequence[str] | None, fixed: set[int]) -> Iterator[int]:
        ranges = sorted((first, last) for role, first, last in self.ranges if accepted is None or role in accepted)
        spared = self.named - self.taken - fixed
        for first, last in ranges:
            for port in range(first, last + 1):
                if port and port not in self.taken and port not in fixed and port not in spared:
                    yield port
        yield from (port for port in sorted(spared) if any(first <= port <= last for first, last in ranges))
