"""Free resources by role as dimensions of a solver's problem, exact for any mix of roles that jobs accept.

A launch may combine resources of all roles its job accepts, so demands fit an agent exactly when for every union T of
accepted role sets the demand of the jobs that accept nothing outside T is within the agent's resources of the roles in
T (Hall's condition; resources are divisible). Each such (resource, T) is one dimension.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from placement.cluster import UNRESERVED, Cluster, Int64

PORTS = "ports"


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension: a resource's number (R stands for ports), and the roles T as a bit set over `Pools.roles`."""

    resource: int
    roles: int


@dataclass(frozen=True, eq=False)
class Pools:
    """What each agent has free by role.

    Attributes
    ----------
    roles
        The roles that hold anything, '*' first.
    amounts
        int64[roles, agents, R + 1]: thousandths by scalar resource, and the number of ports in the last column.
    """

    roles: tuple[str, ...]
    amounts: Int64

    @classmethod
    def of(cls, cluster: Cluster) -> Pools:
        """Return the pools of a cluster; reservations owned by an instance serve nobody else and are left out."""
        roles = [UNRESERVED, *(role for role in cluster.roles if role != UNRESERVED)]
        amounts = np.zeros((len(roles), len(cluster), len(cluster.resources) + 1), np.int64)
        number = {role: i for i, role in enumerate(roles)}
        for role in roles:
            amounts[number[role], :, :-1] = cluster.pool(role)
        _count_ports(cluster, number, amounts)
        keep = [i for i, role in enumerate(roles) if role == UNRESERVED or amounts[i].any()]
        return cls(tuple(roles[i] for i in keep), amounts[keep])

    def bits(self, accepted: Iterable[str]) -> int:
        """Return the accepted roles as a bit set; roles that hold nothing anywhere do not matter."""
        return sum(1 << i for i, role in enumerate(self.roles) if role in set(accepted))

    def within(self, roles: int) -> Int64:
        """Return int64[agents, R + 1]: what the roles of a bit set have free together."""
        chosen = [i for i in range(len(self.roles)) if roles >> i & 1]
        if chosen == [0] and len(self.roles) == 1:
            return self.amounts[0]
        return np.asarray(self.amounts[chosen].sum(axis=0))

    def dimensions(self, accepted: Sequence[int]) -> tuple[Dimension, ...]:
        """Return the dimensions needed for jobs with the accepted role sets given (bit sets).

        The first R + 1 are the plain ones: each resource, and ports, over all roles that any job accepts.
        """
        everything = 0
        for roles in accepted:
            everything |= roles
        columns = self.amounts.shape[2]
        plain = tuple(Dimension(column, everything) for column in range(columns))
        whole = self.within(everything)
        further = []
        for roles in sorted(self._unions(sorted(set(accepted)), everything) - {everything}):
            less = (self.within(roles) < whole).any(axis=0)
            further += [Dimension(column, roles) for column in np.flatnonzero(less).tolist()]
        return plain + tuple(further)

    def _unions(self, accepted: Sequence[int], everything: int) -> set[int]:
        """Return the unions T that can bind on some agent, each as large as it can be without changing anything."""
        present = sum((self.amounts[i].any(axis=1).astype(np.int64) << i for i in range(len(self.roles))),
                      start=np.zeros(self.amounts.shape[1], np.int64))  # fmt: skip
        found: set[int] = set()
        for here in np.unique(present | 1).tolist():
            unions = {0}
            for roles in accepted:
                unions |= {union | (roles & here) for union in unions}
            if all(roles & here for roles in accepted):
                unions.discard(0)
            found |= {union | (everything & ~here) for union in unions}
        return found


def _count_ports(cluster: Cluster, number: dict[str, int], amounts: Int64) -> None:
    ports = cluster.ports
    for agent, first, last, row in zip(
        ports.agent.tolist(), ports.first.tolist(), ports.last.tolist(), ports.reservation.tolist(), strict=True
    ):
        if row < 0:
            amounts[0, agent, -1] += last - first + 1
        elif cluster.reservations[row].owner is None:
            amounts[number[cluster.reservations[row].role], agent, -1] += last - first + 1
