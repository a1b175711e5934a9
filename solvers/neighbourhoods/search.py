"""The search: which agents to free next, how many at a time, and what to do with what comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from solvers import objective
from solvers.board import Board
from solvers.neighbourhoods.choices import Choices
from solvers.neighbourhoods.model import Free, NeighbourhoodModel
from solvers.neighbourhoods.windows import Writer, movable_rows
from solvers.options import Options
from solvers.problem import Assignment, Problem
from solvers.rightness import is_right
from solvers.rules import EACH_AGENT, GroupCap, Int32, Int64
from solvers.waiting import side_by_side

NAME = "neighbourhoods"
SIDE_BY_SIDE = 2
"""Neighbourhoods of one round when determinism is asked for, whatever the number of workers."""
SECONDS = 2.0
"""Most seconds for one neighbourhood."""
WORK = 0.1
"""Most deterministic time for one neighbourhood when determinism is asked for: some half a second."""
ROUNDS_A_SECOND = 0.5
"""Rounds for each second asked for then."""
LEAST_TIME = 0.1
"""Seconds before the end at which no round is begun."""
PAIRS = 6_000
"""Most pairs that are free at once."""
PATIENCE = 400
"""Rounds without a gain after which the search ends."""


def unsuited(problem: Problem) -> str | None:
    """Return why the search cannot be used, None if it can."""
    if not problem.agents or not movable_rows(problem).any():
        return "every row is under a rule that is held fast"
    return None


def improve(problem: Problem, board: Board, options: Options) -> int:
    """Improve the board's answer until everything is proved, the time is up, or nothing helps; return the rounds run."""
    return _Search(problem, board, options).run()


@dataclass(frozen=True, eq=False)
class _Trial:
    """One neighbourhood about to be solved."""

    free: Free
    model: NeighbourhoodModel
    kind: int


class _Search:
    """The current answer, and what the freed parts need to know of it."""

    def __init__(self, problem: Problem, board: Board, options: Options) -> None:
        self.problem = problem
        self.board = board
        self.options = options
        self.random = np.random.default_rng(options.seed)
        self.movable = movable_rows(problem)
        self.choices = Choices(problem, self.random)
        self.current = board.best
        self.values = board.values
        self.rounds = 0

    def run(self) -> int:
        """Run rounds until one of the ends is reached."""
        idle = 0
        while (level := self.board.open_level) is not None and idle < PATIENCE and self.rounds < self._most_rounds():
            if self.options.left() < LEAST_TIME:
                self.board.cut_short = True
                break
            if objective.better(self.problem, self.board.values, self.values):
                self.current, self.values = self.board.best, self.board.values
            idle = 0 if self._round(level) else idle + 1
            self.rounds += 1
        return self.rounds

    def _most_rounds(self) -> float:
        """Return how many rounds may be run: with determinism a number that follows from the seconds asked for."""
        return max(1.0, self.options.seconds * ROUNDS_A_SECOND) if self.options.deterministic else float("inf")

    def _round(self, level: int) -> bool:
        """Solve some neighbourhoods side by side; tell whether the best answer became better."""
        number = SIDE_BY_SIDE if self.options.deterministic else max(1, self.options.workers)
        trials: list[_Trial] = []
        taken = np.zeros(self.problem.agents, np.bool_)
        self._look()
        for _ in range(number):
            trial = self._trial(level, taken)
            if trial is not None:
                trials.append(trial)
                taken[trial.free.agents] = True
        work = WORK if self.options.deterministic else None
        most = SECONDS if work is None else float("inf")
        seconds = max(LEAST_TIME, min(most, self.options.left() - LEAST_TIME / 2))
        solves: list[Callable[[], tuple[Int64 | None, bool]]] = [
            partial(trial.model.solve, seconds=seconds, work=work, seed=int(self.random.integers(2**31)))
            for trial in trials
        ]
        gained = False
        for trial, (counts, complete) in zip(trials, side_by_side(solves, self.options.workers), strict=True):
            better = counts is not None and self._take(trial.free, counts)
            self.choices.learn(trial.kind, better, complete, len(trial.free.agents))
            gained |= better
        return gained

    def _look(self) -> None:
        """Note what is free, what is missing, and where everything is."""
        problem, current = self.problem, self.current
        self.spare = problem.wanted - current.placed(problem.rows)
        self.room = problem.capacity.copy()
        need = problem.demand[problem.shape[current.row]] * current.count[:, None]
        np.subtract.at(self.room, current.agent, need)
        self.by_agent = np.argsort(current.agent, kind="stable")
        self.first = np.searchsorted(current.agent[self.by_agent], np.arange(problem.agents + 1))
        self.choices.look(current, self.room, self.spare)

    def _trial(self, level: int, taken: np.ndarray) -> _Trial | None:
        """Choose agents, free what can move on them, and build the model for a level."""
        kind, agents = self.choices.agents(level, taken)
        free = self._free(level, agents)
        if free is None:
            return None
        if len(free.row) > PAIRS:
            self.choices.shrink(kind)
            return None
        windows = Writer(
            self.problem, self.current, free.row, free.agents[free.agent], free.count, self.random
        ).windows()
        name, priority, _ = self.board.names[level]
        model = NeighbourhoodModel(self.problem, free, windows, level, drops=name == "placed")
        useful = model.place_most(int(priority or 0)) if name == "placed" else model.improve_goal()
        return _Trial(free, model, kind) if useful else None

    def _free(self, level: int, agents: Int32) -> Free | None:
        """Free the movable rows on some agents, and the missing ones; None where nothing could change."""
        problem, current = self.problem, self.current
        runs = np.concatenate(
            [np.empty(0, np.int64), *(self.by_agent[self.first[a] : self.first[a + 1]] for a in agents.tolist())]
        )
        moving = self.movable[current.row[runs]]
        kept = np.isin(agents, current.agent[runs[~moving]])
        runs = runs[moving]
        rows = np.unique(current.row[runs])
        if level < self.board.goal_level:
            missing = np.flatnonzero((self.spare > 0) & self.movable)
            rows = np.union1d(rows, missing)
        room = self.room[agents]
        place = {agent: i for i, agent in enumerate(agents.tolist())}
        at = np.array([place[a] for a in current.agent[runs].tolist()], np.int64)
        np.add.at(room, at, problem.demand[problem.shape[current.row[runs]]] * current.count[runs][:, None])
        most = self._most(rows, agents, room)
        most[np.searchsorted(rows, current.row[runs]), at] = np.maximum(
            most[np.searchsorted(rows, current.row[runs]), at], current.count[runs]
        )
        pair_row, pair_agent = np.nonzero(most)
        if not len(pair_row):
            return None
        count = np.zeros(most.shape, np.int64)
        count[np.searchsorted(rows, current.row[runs]), at] = current.count[runs]
        return Free(
            agents=agents, room=room, row=rows[pair_row].astype(np.int32), agent=pair_agent.astype(np.int64),
            most=most[pair_row, pair_agent], count=count[pair_row, pair_agent], spare=self.spare, kept=kept,
        )  # fmt: skip

    def _most(self, rows: Int64, agents: Int32, room: Int64) -> Int64:
        """Return int64[rows, agents]: the greatest count of each pair by mask, capacity and caps on each agent."""
        problem = self.problem
        need = problem.demand[problem.shape[rows]]
        most = np.full((len(rows), len(agents)), np.iinfo(np.int32).max, np.int64)
        for dimension in range(need.shape[1]):
            some = np.flatnonzero(need[:, dimension])
            fits = np.maximum(room[:, dimension], 0)[None, :] // need[some, dimension][:, None]
            most[some] = np.minimum(most[some], fits)
        for i, row in enumerate(rows.tolist()):
            most[i] = np.minimum(most[i], problem.wanted[row])
            if problem.mask[row] >= 0:
                most[i] *= problem.masks[problem.mask[row]][agents]
            for number in problem.rules_of[row]:
                rule = problem.rules[number]
                if isinstance(rule, GroupCap) and rule.grouping == EACH_AGENT:
                    most[i] = np.minimum(most[i], _room_under(rule, agents))
        return most

    def _take(self, free: Free, counts: Int64) -> bool:
        """Replace what was free; keep the answer if it is right and not worse; tell whether the best became better."""
        current = self.current
        changed = np.isin(current.agent, free.agents) & self.movable[current.row]
        row = np.r_[current.row[~changed], free.row]
        agent = np.r_[current.agent[~changed], free.agents[free.agent]]
        found = Assignment.of_runs(row, agent, np.r_[current.count[~changed], counts], self.problem.agents)
        values = objective.values(self.problem, found)
        if objective.better(self.problem, self.values, values) or not is_right(self.problem, found):
            return False
        self.current, self.values = found, values
        return self.board.offer(found, NAME)


def _room_under(rule: GroupCap, agents: Int32) -> Int64:
    """Return int64[agents]: what a cap on each agent leaves besides what is counted."""
    counted = np.zeros(len(agents), np.int64)
    if len(rule.counted.group):
        order = np.argsort(rule.counted.group)
        place = np.minimum(np.searchsorted(rule.counted.group[order], agents), len(order) - 1)
        hit = rule.counted.group[order][place] == agents
        counted[hit] = rule.counted.count[order][place][hit]
    return np.maximum(0, rule.limit - counted)
