"""Placing more by moving: instances that run already may change their agent, few of them, each as an instance of its row.

An answer holds the instances of a row that stay, that moved and that are new alike; how many moved follows from how many
are left at home. Everybody at home is an answer, so the search starts from one and never ends below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from solvers import objective
from solvers.exact.engine import Engine, Outcome
from solvers.exact.model import Linear, Model
from solvers.exact.variables import Pairs
from solvers.options import Options
from solvers.problem import Assignment, Problem
from solvers.rightness import is_right
from solvers.rules import Bool, Int32, Int64

WHOLE = 60_000
"""Pairs of row and agent up to which one model holds everything (the same as where `auto` stops trying the whole)."""
FEW = 4
"""Agents at most from which a window lets instances leave: it begins with one."""
SMALL = 40
"""A window frees this part of `WHOLE` at most: some thousand pairs are solved in about a second by one worker."""
ROUNDS = 40
"""Windows when budgets are counted in work: about as many as fit into the default deadline."""
WINDOW = 2.0
"""Seconds of one level of a window at most, so that every missing row gets its turn."""
MOVES = "moves"


@dataclass(frozen=True, eq=False)
class Homes:
    """Where instances run that may move: `count[i]` instances of `row[i]` on `agent[i]`, each pair once.

    All of a row's must be placed whatever happens. At most `most` in sum may be elsewhere.
    """

    row: Int32
    agent: Int32
    count: Int64
    most: int

    def moved(self, problem: Problem, assignment: Assignment) -> int:
        """Return how many are not at home in an assignment."""
        return int(np.maximum(0, self.count - self.here(problem, assignment)).sum())

    def here(self, problem: Problem, assignment: Assignment) -> Int64:
        """Return int64[i]: instances that an assignment has of each row at home."""
        key = assignment.row.astype(np.int64) * problem.agents + assignment.agent
        wanted = self.row.astype(np.int64) * problem.agents + self.agent
        place = np.minimum(np.searchsorted(key, wanted), max(len(key) - 1, 0))
        if not len(key):
            return np.zeros(len(wanted), np.int64)
        return np.where(key[place] == wanted, assignment.count[place], 0)

    def kept(self, problem: Problem, assignment: Assignment) -> bool:
        """Tell whether every instance that ran is placed, and no more than allowed elsewhere."""
        least = np.zeros(problem.rows, np.int64)
        np.add.at(least, self.row, self.count)
        whole = bool((assignment.placed(problem.rows) >= least).all())
        return whole and self.moved(problem, assignment) <= self.most


@dataclass(frozen=True, eq=False)
class MovingAnswer:
    """An assignment with its level values and bounds.

    Attributes
    ----------
    names
        (name, priority, sense) of each level: those of the problem with 'moves' before the goal.
    values, bounds, start
        In the levels' own units; `bounds` also says what each rests on; `start` are the values of the start.
    """

    assignment: Assignment
    names: tuple[tuple[str, int | None, int], ...]
    values: tuple[int, ...]
    bounds: tuple[tuple[int, str], ...]
    start: tuple[int, ...]
    cut_short: bool

    @property
    def better(self) -> bool:
        """Whether it is better than what the search started from."""
        return self.values != self.start


def solve(problem: Problem, homes: Homes, options: Options, start: Assignment) -> MovingAnswer:
    """Return the best answer found by the deadline.

    Parameters
    ----------
    start
        A right answer; usually what was placed without moves, and everybody at home.
    """
    return _Search(problem, homes, options, start).run()


@dataclass(frozen=True, eq=False)
class _Part:
    """What one model holds: some rows with the rules that touch them, all else is fixed.

    Attributes
    ----------
    pairs, fixed
        The pairs in the model, and int64[pairs] with what some of them keep (-1: free; None: all are).
    less
        int64[levels]: what everything else adds to each level.
    """

    problem: Problem
    homes: Homes
    pairs: Pairs
    fixed: Int64 | None
    less: tuple[int, ...]


class _Search:
    """One solve, level by level, each held before the next is looked at."""

    def __init__(self, problem: Problem, homes: Homes, options: Options, start: Assignment) -> None:
        self.problem = problem
        self.homes = homes
        self.engine = Engine(options)
        self.options = options
        self.best = start
        names = objective.names(problem)
        self.names = (*names[:-1], (MOVES, None, -1), names[-1])
        self.values = self.start = self._values(start)
        self.bounds = [self._cheap(level) for level in range(len(self.names))]
        self.cut_short = False

    def run(self) -> MovingAnswer:
        """Search the whole, or where that is too large, one window of agents after the other."""
        pairs = Pairs.of(self.problem)
        try:
            if len(pairs) <= WHOLE:
                whole = _Part(self.problem, self.homes, pairs, None, (0,) * len(self.names))
                self._place_everything(whole)
                self._level_by_level(whole, prove=True)
            else:
                self._windows(pairs)
        except KeyboardInterrupt:
            self.cut_short = True
        return MovingAnswer(self.best, self.names, self.values, tuple(self.bounds), self.start, self.cut_short)

    def _values(self, assignment: Assignment) -> tuple[int, ...]:
        return _values(self.problem, self.homes, assignment)

    def _cheap(self, level: int) -> tuple[int, str]:
        """Return a bound that needs no engine: everything wanted is placed, nothing is broken, nobody moves."""
        name, priority, _ = self.names[level]
        if name == "placed":
            mine = self.problem.priority == priority
            return int((self.problem.wanted * self.problem.weight)[mine].sum()), "the number wanted"
        return 0, "nothing is less than nothing"

    # --- models -----------------------------------------------------------------------------------------------------

    def _model(self, part: _Part, *, everything: bool = False) -> tuple[Model, Any]:
        """Return a model in which all that ran is placed and few enough move, and the expression of the moves."""
        homes, pairs = part.homes, part.pairs
        model = Model(part.problem, everything=everything, pairs=pairs, fixed=part.fixed)
        key = pairs.row.astype(np.int64) * self.problem.agents + pairs.agent
        moved: list[Any] = []
        for row, agent, count in zip(homes.row.tolist(), homes.agent.tolist(), homes.count.tolist(), strict=True):
            wanted = row * self.problem.agents + agent
            pair = int(np.searchsorted(key, wanted))
            here = model.x[pair] if pair < len(key) and key[pair] == wanted else 0  # left out: nobody is there
            if isinstance(here, int):
                moved.append(max(0, count - here))
                continue
            away = model.int_var(0, count)
            model.model.add(away >= count - here)
            moved.append(away)
        for row in np.unique(homes.row).tolist():
            least = int(homes.count[homes.row == row].sum())
            placed = model.total(pairs.of_rows(np.array([row], np.int32)))
            if not isinstance(placed, int):
                model.model.add(placed >= least)
        moves = Linear.sum(moved) if moved else 0
        if not isinstance(moves, int):
            model.model.add(moves <= homes.most)
        return model, moves

    def _place_everything(self, whole: _Part) -> None:
        """Try to place every instance: without an objective that is solved far faster."""
        if (self.best.placed(self.problem.rows) == self.problem.wanted).all():
            return
        model, _ = self._model(whole, everything=True)
        if not model.impossible:
            self._accept(self.engine.solve(model, self.best, share=0.4), model.pairs)

    def _level_by_level(self, part: _Part, *, prove: bool) -> None:
        """Optimise one level after the other, all but the goal where nothing is proved."""
        model, moves = self._model(part)
        goal = len(self.names) - 1
        known = {name[:2]: number for number, name in enumerate(objective.names(part.problem))}
        for level in range(len(self.names) if prove else goal):
            number = known.get(self.names[level][:2])
            expression = moves if self.names[level][0] == MOVES else None if number is None else model.level(number)
            if expression is None or isinstance(expression, int):
                if prove and expression is not None:
                    self.bounds[level] = (self.values[level], "nothing to choose")
                continue
            if self.values[level] != self.bounds[level][0]:
                self._improve(model, expression, level, prove=prove, share=1.0 if level == goal else 0.5)
            value = self.values[level] - part.less[level]
            model.model.add(expression >= value if self.names[level][2] > 0 else expression <= value)

    def _improve(self, model: Model, expression: Any, level: int, *, prove: bool, share: float) -> None:
        sense = self.names[level][2]
        if sense > 0:
            model.model.maximize(expression)
        else:
            model.model.minimize(expression)
        if prove:
            outcome = self.engine.solve(model, self.best, share=share)
        else:
            left = self.options.left()
            outcome = self.engine.repair(model, self.best, left if self.options.deterministic else min(WINDOW, left))
        self.cut_short |= outcome.cut_short
        self._accept(outcome, model.pairs)
        if prove and outcome.bound is not None and sense * outcome.bound < sense * self.bounds[level][0]:
            self.bounds[level] = (outcome.bound, "CP-SAT")

    def _accept(self, outcome: Outcome, pairs: Pairs) -> None:
        """Take what a model found, and what stands on the rows it does not hold, if it is better and right."""
        if outcome.assignment is None:
            return
        found = self._joined(outcome.assignment, pairs)
        if not is_right(self.problem, found) or not self.homes.kept(self.problem, found):
            return
        values = self._values(found)
        if self._better(values, self.values):
            self.best, self.values = found, values

    def _joined(self, found: Assignment, pairs: Pairs) -> Assignment:
        inside = np.zeros(self.problem.rows, np.bool_)
        inside[pairs.row] = True
        rest = ~inside[self.best.row]
        return Assignment.of_runs(
            np.r_[found.row, self.best.row[rest]],
            np.r_[found.agent, self.best.agent[rest]],
            np.r_[found.count, self.best.count[rest]],
            self.problem.agents,
        )

    def _better(self, one: Sequence[int], other: Sequence[int]) -> bool:
        signs = [sense for _, _, sense in self.names]
        return [s * v for s, v in zip(signs, one, strict=True)] > [s * v for s, v in zip(signs, other, strict=True)]

    # --- windows ----------------------------------------------------------------------------------------------------

    def _windows(self, pairs: Pairs) -> None:
        """Free what is missing and what stands on a few agents, on these and many others; hold all else.

        The few are those that lack least for one more instance of a missing row, the missing rows taking turns; the
        others are drawn by chance. No bound comes from it, and the goal is left as it is.
        """
        generator = np.random.default_rng(self.options.seed)
        self.cut_short = True
        rounds = 0
        while self.options.left() > 0 and not (self.options.deterministic and rounds >= ROUNDS):
            missing = np.flatnonzero(self.best.placed(self.problem.rows) < self.problem.wanted)
            if not len(missing):
                return
            row = int(missing[rounds % len(missing)])
            part = self._window(pairs, row, missing, generator, 1 + rounds // len(missing) % FEW)
            self._level_by_level(part, prove=False)
            rounds += 1

    def _window(self, pairs: Pairs, row: int, missing: Int64, generator: np.random.Generator, few: int) -> _Part:
        """Return the part in which the missing rows and those on the `few` nearest agents are free on some agents."""
        problem = self.problem
        order = self._nearest(row, generator)
        rows = np.zeros(problem.rows, np.bool_)
        rows[missing] = True
        rows[self.best.row[np.isin(self.best.agent, order[:few])]] = True
        agents = np.zeros(problem.agents, np.bool_)
        agents[order[:few]] = True
        agents[generator.permutation(problem.agents)[: max(1, WHOLE // SMALL // int(rows.sum()))]] = True
        fixed = np.where(rows[pairs.row] & agents[pairs.agent], -1, pairs.counts(problem, self.best))
        return self._part(pairs, fixed, rows)

    def _part(self, pairs: Pairs, fixed: Int64, rows: Bool) -> _Part:
        """Return the part of some rows: the rules that touch them, and in these further rows as they are."""
        problem, best = self.problem, self.best
        touched = sorted({rule for row in np.flatnonzero(rows).tolist() for rule in problem.rules_of[row]})
        inside = rows.copy()
        for number in touched:
            rule = problem.rules[number]
            inside[rule.rows] = True
            inside[getattr(rule, "others", rule.rows)] = True
        out = ~inside[best.row]
        capacity = problem.capacity.copy()
        np.subtract.at(capacity, best.agent[out], (problem.demand[problem.shape[best.row]] * best.count[:, None])[out])
        part = replace(problem, capacity=capacity, rules=tuple(problem.rules[number] for number in touched))
        mine = inside[self.homes.row]
        some = replace(best, row=best.row[~out], agent=best.agent[~out], count=best.count[~out])
        homes = replace(
            self.homes, row=self.homes.row[mine], agent=self.homes.agent[mine], count=self.homes.count[mine]
        )
        elsewhere = self.homes.moved(problem, best) - homes.moved(problem, some)
        homes = replace(homes, most=homes.most - elsewhere)
        keep = inside[pairs.row] & (fixed != 0)
        return _Part(part, homes, pairs.some(keep), fixed[keep], self._less(part, homes, some))

    def _less(self, part: Problem, homes: Homes, some: Assignment) -> tuple[int, ...]:
        """Return what the rows and rules outside a part add to each level (the goal is not asked for)."""
        names = [one[:2] for one in objective.names(part)]
        inside = dict(zip(names, objective.values(part, some), strict=True)) | {(MOVES, None): homes.moved(part, some)}
        return tuple(value - inside.get(name[:2], 0) for name, value in zip(self.names, self.values, strict=True))

    def _nearest(self, row: int, generator: np.random.Generator) -> Int64:
        """Return the agents by what they lack for one more instance of a row (in shares of its need), a little shuffled."""
        problem = self.problem
        need = problem.demand[int(problem.shape[row])]
        dims = np.flatnonzero(need)
        free = problem.capacity.copy()
        np.subtract.at(free, self.best.agent, problem.demand[problem.shape[self.best.row]] * self.best.count[:, None])
        lack = (np.maximum(0, need[dims] - free[:, dims]) / np.maximum(need[dims], 1)).sum(axis=1)
        allowed = problem.allowed(row)
        lack = lack + generator.random(problem.agents) * (np.ptp(lack[allowed]) if allowed.any() else 0.0) / 2
        return np.argsort(np.where(allowed, lack, np.inf), kind="stable")


def _values(problem: Problem, homes: Homes, assignment: Assignment) -> tuple[int, ...]:
    """Return the value of every level, the moves before the goal."""
    values = objective.values(problem, assignment)
    return (*values[:-1], homes.moved(problem, assignment), values[-1])
