"""Which instance is on which agent, and everything an answer says beside: levels, what was not placed, times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Placements:
    """New instances in the order in which each was eligible; columns, one row an instance.

    Attributes
    ----------
    jobs, agents
        Ids; `job` and `agent` are indices into them.
    job, instance, agent, layer
        int32[n]: job, number of the instance inside its job, agent, and the job's dependency layer (from 1).
    ports
        Host ports of each row, in the job's order; None when no row has any.
    units
        Disks of each row as (root path, thousandths of MB), one for each path or mount volume in the job's order;
        None when no row has any.
    relaunched
        bool[n]: goes back to its own reservation and volumes.
    roles
        The role each job of `jobs` runs under.
    moved_from
        int32[n]: the agent an instance ran on until its turn, -1 for those that did not run; None when nothing moved.
    """

    jobs: tuple[str, ...]
    agents: tuple[str, ...]
    job: Int32
    instance: Int32
    agent: Int32
    layer: Int32
    ports: tuple[tuple[int, ...], ...] | None = None
    units: tuple[tuple[tuple[str, int], ...], ...] | None = None
    relaunched: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))
    roles: tuple[str, ...] = ()
    moved_from: Int32 | None = None

    def __len__(self) -> int:
        return len(self.job)

    @classmethod
    def empty(cls, jobs: Sequence[str] = (), agents: Sequence[str] = ()) -> Placements:
        """Return placements of nothing."""
        none = np.empty(0, np.int32)
        return cls(tuple(jobs), tuple(agents), none, none, none, none)

    def rows(self) -> Iterator[tuple[str, int, str]]:
        """Yield (job id, instance number, agent id) in order."""
        for job, instance, agent in zip(self.job.tolist(), self.instance.tolist(), self.agent.tolist(), strict=True):
            yield self.jobs[job], instance, self.agents[agent]

    @cached_property
    def placed_of(self) -> Mapping[str, int]:
        """Number of new instances by job id (jobs without any are left out); those that moved are not new."""
        new = self.job if self.moved_from is None else self.job[self.moved_from < 0]
        counts = np.bincount(new, minlength=len(self.jobs))
        return {self.jobs[i]: int(count) for i, count in enumerate(counts) if count}

    @property
    def moves(self) -> int:
        """Number of instances that moved."""
        return 0 if self.moved_from is None else int((self.moved_from >= 0).sum())

    def home(self, row: int) -> str | None:
        """Return the id of the agent an instance moved from, None if it did not run."""
        if self.moved_from is None or self.moved_from[row] < 0:
            return None
        return self.agents[self.moved_from[row]]

    def taken(self, rows: NDArray[np.integer]) -> Placements:
        """Return some of the rows, in the order given."""
        chosen = rows.tolist()
        return replace(
            self,
            job=self.job[rows],
            instance=self.instance[rows],
            agent=self.agent[rows],
            layer=self.layer[rows],
            ports=None if self.ports is None else tuple(self.ports[i] for i in chosen),
            units=None if self.units is None else tuple(self.units[i] for i in chosen),
            relaunched=self.relaunched[rows] if len(self.relaunched) else self.relaunched,
            moved_from=None if self.moved_from is None else self.moved_from[rows],
        )

    def to_dataframe(self) -> pd.DataFrame:
        """Return a frame with columns job, instance, agent, ports, role, units, layer; one row an instance.

        `moved_from` (an agent id, or nothing) is a further column when something moved.
        """
        import pandas as pd

        from placement.amounts import plain

        size = len(self)
        frame = pd.DataFrame(
            {
                "job": [self.jobs[i] for i in self.job],
                "instance": self.instance,
                "agent": [self.agents[i] for i in self.agent],
                "ports": self.ports or [()] * size,
                "role": [self.roles[i] for i in self.job] if self.roles else [""] * size,
                "units": [tuple((path, plain(amount)) for path, amount in row) for row in self.units]
                if self.units
                else [()] * size,
                "layer": self.layer,
            }
        )
        if self.moves:
            frame["moved_from"] = [self.home(i) for i in range(size)]
        return frame


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelReport:
    """One objective level in the user's units.

    Attributes
    ----------
    name
        'placed' with its priority, 'violations', 'moves', or the goal: 'pack', 'spread', 'balance', 'prefer'.
    value, bound
        What was reached, and what no answer beats.
    gap
        |bound - value| / max(|value|, |bound|), 0 when equal.
    proved
        Whether the value is proved optimal, given the levels before it.
    engine
        What the bound rests on.
    """

    name: str
    value: float
    bound: float
    gap: float
    proved: bool
    engine: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplaced:
    """Instances of one job that were not placed: how many, and those that were only waiting for old ones to leave."""

    job: str
    count: int
    waiting: int = 0


@dataclass(frozen=True, eq=False, kw_only=True)
class Answer:
    """What `placement.place` returns.

    Attributes
    ----------
    placements
        The new instances.
    unplaced
        Jobs of which instances are missing.
    levels
        The objective levels in order.
    asked
        Number of instances that were to be placed (wanted, less those that run).
    solver
        Strategy that gave the answer and why it was chosen.
    violations
        For each relaxed constraint that is broken: (job, constraint, instances), as the checker counts them.
    seconds
        Wall seconds by phase: read (when known), compile, solve, verify.
    cut_short
        A wall clock ended the search, so another run may differ.
    """

    placements: Placements
    unplaced: tuple[Unplaced, ...]
    levels: tuple[LevelReport, ...]
    asked: int
    solver: str
    violations: tuple[tuple[str, str, int], ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    cut_short: bool = False

    @property
    def placed(self) -> int:
        """Number of new instances placed; those that moved are not counted."""
        return len(self.placements) - self.placements.moves

    @property
    def complete(self) -> bool:
        """Whether every instance asked for was placed."""
        return not self.unplaced

    def to_dataframe(self) -> pd.DataFrame:
        """Return the placements as a frame; see `Placements.to_dataframe`."""
        return self.placements.to_dataframe()

    def summary(self) -> dict[str, Any]:
        """Return the answer's figures without its rows: asked, placed, levels, solver, seconds, cut_short."""
        return {
            "asked": self.asked,
            "placed": self.placed,
            "levels": [
                {
                    "name": level.name,
                    "value": level.value,
                    "bound": level.bound,
                    "gap": level.gap,
                    "proved": level.proved,
                }
                for level in self.levels
            ],
            "solver": self.solver,
            "seconds": dict(self.seconds),
            "cut_short": self.cut_short,
        }
