"""What machines to buy, what can be given back, and how much more fits: questions put to `place` on other clusters.

It decides nothing by itself: every figure is an answer of `placement.place` with its bound, judged by the checker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from placement.amounts import ONE
from placement.clock import Clock
from placement.cluster import Bool, Cluster
from placement.engine import DEADLINE, place
from placement.errors import InputError
from placement.explanation import Explanation
from placement.headroom import Further, Room
from placement.placements import Answer, Placements, Unplaced
from placement.purchasing import Purchase, Shop, goal_of, is_whole, judge_again, moved_to, thousandths_of
from placement.snapshots.types import AgentType, read_types
from placement.workload import Workload

SHARES = {"today": 0.2, "buy": 0.45, "bound": 0.15, "further": 0.2}
"""Parts of the deadline: buying is the hard question; what an earlier step leaves goes to the later ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBack:
    """Agents that nothing needs once the workload runs.

    Attributes
    ----------
    agents
        Their ids: nothing runs on them and nothing was placed on them.
    needed, needed_at_least
        Agents that stay, and how many at least must stay in any answer (those that run something stay).
    """

    agents: tuple[str, ...]
    needed: int
    needed_at_least: int


@dataclass(frozen=True, eq=False, kw_only=True)
class CapacityAnswer:
    """What `placement.capacity` returns.

    Attributes
    ----------
    fits
        Whether the whole workload fits the cluster as it is.
    complete
        Whether it fits with what is bought.
    today
        The answer on the cluster as it is.
    purchases, price, bound, proved, engine
        What to buy, what it costs, what it costs at least, whether that is proved, and what the bound rests on.
    cluster, placements
        The cluster with the agents bought, and the verified placements of the workload on it.
    unplaced, reasons
        Jobs of which instances are missing even so, and why; `tried` says with how many candidates.
    tried
        For each type the candidates that the search could choose from.
    given_back
        When the workload fits: the agents that are free to go.
    further
        For each job how many more fit today.
    priced
        Whether types have prices; else a price is a number of agents.
    solver, seconds, cut_short
        Strategy of the purchase, wall seconds by step, and whether a clock ended a search.
    """

    fits: bool
    today: Answer
    purchases: tuple[Purchase, ...]
    price: float
    bound: float
    proved: bool
    engine: str
    cluster: Cluster
    placements: Placements
    unplaced: tuple[Unplaced, ...]
    reasons: tuple[Explanation, ...]
    tried: dict[str, int]
    given_back: GivenBack | None
    further: tuple[Further, ...]
    priced: bool
    solver: str
    seconds: dict[str, float] = field(default_factory=dict)
    cut_short: bool = False

    @property
    def complete(self) -> bool:
        """Whether everything fits with what is bought (instances that wait for old ones to leave need no agent)."""
        return all(one.count == one.waiting for one in self.unplaced)

    @property
    def gap(self) -> float:
        """(price - bound) / price, 0 when equal."""
        return (self.price - self.bound) / self.price if self.price > self.bound else 0.0


def capacity(
    cluster: Cluster,
    workload: Workload,
    types: Sequence[AgentType] | str | Path,
    *,
    solver: str = "auto",
    deadline: float = DEADLINE,
    relax: Sequence[str] = (),
    seed: int = 0,
    workers: int | None = None,
    deterministic: bool = False,
) -> CapacityAnswer:
    """Say which agents to buy so that a workload fits, or which can be given back, and how much more fits.

    Parameters
    ----------
    types
        The types that can be had, or the CSV file that lists them.
    solver, deadline, relax, seed, workers, deterministic
        As for `place`; the deadline is for all steps together, `solver` for the steps but a first quick one.

    Raises
    ------
    InputError
        If an option or a constraint names something that does not exist, or only some types have a price.
    UnverifiedError
        If the checker refuses an answer (a defect).
    """
    known = read_types(types) if isinstance(types, (str, Path)) else tuple(types)
    _check_types(known)
    clock = Clock(deadline, SHARES, fixed=deterministic)
    common: dict[str, Any] = {"relax": tuple(relax), "seed": seed, "workers": workers, "deterministic": deterministic}
    today = place(cluster, workload, solver=solver, deadline=clock.seconds("today"), **common)
    clock.done("today")
    shop = Shop(cluster, workload, known, today, clock, solver, common)
    fits = is_whole(today)
    found = shop.nothing() if fits else shop.search()
    clock.done("buy")
    bound, engine = shop.bound(found)
    settled = shop.settle(found)
    reasons = shop.reasons(found)
    given_back = _given_back(cluster, workload, today, shop.compiled.problem.held, relax) if fits else None
    clock.done("bound")  # after all that cannot be cut short: how much more fits is asked as long as time is left
    further = Room(cluster, workload, today, clock, solver, common).further()
    clock.done("further")
    return CapacityAnswer(
        fits=settled.complete and not settled.purchases,
        today=today,
        purchases=settled.purchases,
        price=found.cost / ONE,
        bound=bound / ONE,
        proved=settled.complete and bound >= found.cost,
        engine=engine,
        cluster=settled.cluster,
        placements=settled.placements,
        unplaced=found.answer.unplaced,
        reasons=reasons,
        tried=shop.tried(found),
        given_back=given_back,
        further=further,
        priced=shop.priced,
        solver=found.answer.solver,
        seconds=clock.spent,
        cut_short=today.cut_short or found.answer.cut_short or any(one.instances is None for one in further),
    )


def _check_types(types: Sequence[AgentType]) -> None:
    priced = [agent.price is not None for one in types for agent in one.variants]
    if any(priced) and not all(priced):
        lacking = next(one.name for one in types if any(agent.price is None for agent in one.variants))
        raise InputError("some types have a price and some have none", place=f"type {lacking}",
                         expected="a price for every type or for none")  # fmt: skip


# --- giving back ------------------------------------------------------------------------------------------------------


def _given_back(cluster: Cluster, workload: Workload, answer: Answer, held: Bool, relax: Sequence[str]) -> GivenBack:
    """Return the agents that can go; the placements are judged once more on the cluster without them."""
    stays = held.copy()
    stays[answer.placements.agent] = True
    kept = cluster.replace(records=[record for record, stay in zip(cluster.records, stays, strict=True) if stay])
    judge_again(kept, workload, moved_to(answer.placements, kept, (np.cumsum(stays) - 1).astype(np.int32)), relax)
    return GivenBack(
        agents=tuple(cluster.agents[i] for i in np.flatnonzero(~stays)),
        needed=int(stays.sum()),
        needed_at_least=int(held.sum()) + _fewest(cluster, held, thousandths_of(goal_of(answer).bound)),
    )


def _fewest(cluster: Cluster, held: Bool, price: int) -> int:
    """Return how many agents that hold nothing yet must be used at least if their prices sum up to `price` at least."""
    prices = np.full(len(cluster), ONE, np.int64) if cluster.price is None else cluster.price
    dearest = np.cumsum(np.sort(prices[~held])[::-1])
    return 0 if price <= 0 else int(np.searchsorted(dearest, price)) + 1
