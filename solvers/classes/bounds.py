"""Bounds of every level from the class model, or where there are too many classes from sums over agents.

Each is recomputed from a dual vector, or stated by an integer engine, then moved to the safe side and rounded to the next
attainable value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.board import Board
from solvers.classes.cover import cover_model, knapsack_model
from solvers.classes.goals import goal_step, set_goal
from solvers.classes.merging import Classes
from solvers.classes.model import ClassModel, class_model, class_problem, settled_values
from solvers.linear import LinearModel, dual_bound, safe_bound, solve_linear
from solvers.options import Options
from solvers.problem import Problem
from solvers.reductions.base import can_list, open_agents
from solvers.sifting.agents import places_everything

BY_DUALS = "classes of equal agents: linear relaxation, dual values recomputed (HiGHS)"
BY_TREE = "classes of equal agents: whole agents (HiGHS)"
BY_SUMS = "sums over rows and agents: linear relaxation, dual values recomputed (HiGHS)"
BY_COVER = "agents that cover what each group of them must hold: whole agents (HiGHS)"
MOST_PAIRS = 120_000
"""Pairs of row and class above which the class model is left alone: its relaxation then takes minutes."""
SCALE = 10**9
"""Dual values are rounded to multiples of 1 / SCALE."""
CLOSE = 1e-9
"""Gap at which a whole-number run may end: bounds of whole prices are rounded up anyway."""
SHORTEST = 0.1
"""Seconds below which no run is begun."""
TREE_SHARE = 0.1
"""Share of the time left for the run over whole agents: where it pays, the bound has moved by then (measured)."""
NODES_A_SECOND = 20
"""Nodes of a run for each second asked for, when determinism is."""


def prove_bounds(problem: Problem, board: Board, options: Options) -> str | None:
    """Post bounds of the levels that are not proved yet, for answers with the board's values in the levels before.

    Returns
    -------
    str or None
        What was done.
    """
    if not problem.agents or not problem.wanted.any():
        return None
    return _Prover(problem, board, options).run()


@dataclass(frozen=True, eq=False)
class _Statement:
    """A linear model of one level whose greatest or least value is wanted, as a minimum.

    `unit` is what one unit of its objective is worth; `constant` is added after.
    """

    linear: LinearModel
    unit: float
    constant: int
    words: tuple[str, str]


class _Prover:
    """One run over the levels."""

    def __init__(self, problem: Problem, board: Board, options: Options) -> None:
        self.problem = problem
        self.board = board
        self.options = options
        self.classes = Classes.of(problem)
        self.small = self._pairs() <= MOST_PAIRS

    def _pairs(self) -> int:
        """Return how many pairs of row and class there are, counted without listing them."""
        rows = np.flatnonzero(self.problem.wanted > 0).tolist()
        inner = class_problem(self.problem, self.classes)
        if not can_list(inner):
            return len(self.classes) * len(rows)
        size = {kind: int(mask.sum()) for kind, mask in open_agents(inner).items()}
        return sum(size[int(inner.shape[row]), int(inner.mask[row])] for row in rows)

    def run(self) -> str | None:
        """Go through the levels, those of what is placed first."""
        words: list[str] = []
        for level, (name, tier, _) in enumerate(self.board.names):
            if self.board.optimal(level) or self.options.left() < SHORTEST:
                continue
            if name == "placed":
                assert tier is not None
                words.append(self._prove_placed(level, tier))
            elif name == self.problem.goal:
                words.append(self._prove_goal(level))
        return ", ".join(dict.fromkeys(words)) or None

    # --- levels -----------------------------------------------------------------------------------------------------

    def _prove_placed(self, level: int, tier: int) -> str:
        """Bound the weight placed in a tier, those before it being placed as now."""
        given = self.board.values[:level]
        reach = settled_values(self.problem, given)
        step = max(1, int(np.gcd.reduce(self.problem.weight[self.problem.priority == tier])))
        if self.small:
            model = class_model(self.problem, self.classes, everything=False, priced=False, broken=True, reach=reach)
            mine = self.problem.priority[model.pairs.row] == tier
            worth = np.where(mine, self.problem.weight[model.pairs.row] // step, 0)
            linear, words = _with_cost(model, -worth), (BY_DUALS, f"{len(self.classes)} classes of agents")
        else:
            linear, words = knapsack_model(self.problem, reach, tier, step), (BY_SUMS, "sums over agents")
        bound = self._relaxed(linear)
        if bound is not None:
            self.board.prove(level, -safe_bound(bound * step, step), words[0], given if level else None)
        return words[1]

    def _prove_goal(self, level: int) -> str:
        """Bound the goal, the levels before it having the values they have now."""
        given = self.board.values[:level]
        everything = places_everything(self.problem, given)
        if not self.small:
            return self._prove_cover(level, given, everything)
        reach = () if everything else settled_values(self.problem, given)
        broken = any(
            name == "violations" and value for (name, _, _), value in zip(self.board.names, given, strict=False)
        )
        priced = self.problem.goal == "pack"
        model = class_model(
            self.problem, self.classes, everything=everything, priced=priced, broken=broken, reach=reach
        )
        unit, constant = set_goal(model, self.problem)
        self._post_goal(level, given, _Statement(model.linear, unit, constant, (BY_DUALS, BY_TREE)), whole=priced)
        return f"{len(self.classes)} classes of agents"

    def _prove_cover(self, level: int, given: tuple[int, ...], everything: bool) -> str:
        if self.problem.goal == "pack" and everything:
            linear, unit = cover_model(self.problem)
            self._post_goal(level, given, _Statement(linear, unit, 0, (BY_SUMS, BY_COVER)), whole=True)
        return "sums over agents"

    def _post_goal(self, level: int, given: tuple[int, ...], said: _Statement, *, whole: bool) -> None:
        step = goal_step(self.problem)
        bound = self._relaxed(said.linear)
        if bound is None:
            return
        self.board.prove(level, safe_bound(bound * said.unit + said.constant, step), said.words[0], given)
        if not whole or self.board.optimal(level):
            return
        nodes = max(1, int(NODES_A_SECOND * self.options.seconds)) if self.options.deterministic else None
        seconds = float("inf") if self.options.deterministic else TREE_SHARE * self.options.left()
        found = solve_linear(said.linear, seconds=seconds, gap=CLOSE, nodes=nodes, seed=self.options.seed)
        if np.isfinite(found.bound):
            self.board.prove(level, safe_bound(found.bound * said.unit + said.constant, step), said.words[1], given)
        if found.status != "optimal" and nodes is None:
            self.board.cut_short = True

    def _relaxed(self, linear: LinearModel) -> float | None:
        """Return the relaxation's bound recomputed from its dual vector, None if there is none in time."""
        seconds = float("inf") if self.options.deterministic else self.options.left()
        loose = linear.copy(continuous=True)
        found = solve_linear(loose, seconds=seconds, seed=self.options.seed)
        if found.dual is None:
            return None
        bound = dual_bound(loose, found.dual, SCALE)
        return bound if np.isfinite(bound) else None


def _with_cost(model: ClassModel, cost: np.ndarray) -> LinearModel:
    """Return the model with a cost of its counts."""
    full = np.zeros(model.linear.columns)
    full[: len(cost)] = cost
    return model.linear.copy(cost=full)
