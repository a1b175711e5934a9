"""The default: greedy first, then a portfolio of strategies under one deadline, each where the problem's rules allow it.

Always an answer by the deadline, never worse than greedy. The problem is reduced and split into independent parts; on each
part the strategies run in the order of `STRATEGIES` until everything is proved or the time is up. What a strategy cannot
express falls through to the next; the answer says which ran, and why others did not.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solvers import greedy, objective
from solvers.board import Board
from solvers.options import Options
from solvers.problem import Assignment, Problem
from solvers.reductions import Reduced, components, reduce
from solvers.strategies import STRATEGIES, pairs_of

LEAST_TIME = 0.1
"""Seconds below which nothing is tried after greedy."""


def solve(problem: Problem, options: Options) -> Assignment:
    """Return the best assignment found by the deadline, or at an interrupt the best so far."""
    first = greedy.solve(problem, options)
    board = Board(problem, options, first)
    if board.open_level is None:
        return board.answer(f"{first.strategy}; it reaches every bound, so nothing else was tried")
    if options.left() < LEAST_TIME:
        board.cut_short = True
        return board.answer(f"{first.strategy}; no time left for more")
    story = _Story(first.strategy)
    try:
        _improve(problem, board, story)
    except KeyboardInterrupt:
        board.cut_short = True
        story.add("interrupted")
    return board.answer(story.told(board))


class _Story:
    """What was done, for the user: reductions, strategies that ran, and why others did not."""

    def __init__(self, first: str) -> None:
        self.first = first
        self.steps: dict[str, None] = {}
        self.ran: set[str] = set()
        self.skipped: dict[str, str] = {}

    def add(self, step: str) -> None:
        self.steps[step] = None

    def run(self, name: str, note: str | None) -> None:
        self.ran.add(name)
        if note:
            self.add(note)

    def skip(self, name: str, why: str) -> None:
        self.skipped[name] = why

    def told(self, board: Board) -> str:
        found = f", the answer is from {board.source}" if board.source != self.first else ""
        words = f"{self.first}, then {', '.join(self.steps) or 'nothing'}{found}"
        return words + "".join(f"; not {name}: {why}" for name, why in self.skipped.items() if name not in self.ran)


def _improve(problem: Problem, board: Board, story: _Story) -> None:
    """Reduce, split, and run the strategies on each part; post what they find to the board of the whole."""
    reduced = reduce(problem)
    for note in reduced.notes:
        story.add(note)
    parts = [one for one in components(reduced.problem) if one.problem.wanted.any()]
    if len(parts) > 1:
        story.add(f"{len(parts)} independent parts")
    whole = _Whole(problem, board, reduced, parts)
    sizes = np.array([pairs_of(part.problem) for part in parts], np.float64)
    for number in range(len(parts)):
        share = float(sizes[number] / max(1.0, sizes[number:].sum()))
        whole.solve_part(number, board.part(share), story)


class _Whole:
    """The answer of the whole problem, put together from the boards of its parts."""

    def __init__(self, problem: Problem, board: Board, reduced: Reduced, parts: list[Reduced]) -> None:
        self.problem = problem
        self.board = board
        self.reduced = reduced
        self.parts = parts
        start = reduced.forward(board.best)
        self.boards = [Board(part.problem, board.options, part.forward(start)) for part in parts]
        self.constants = self._constants()

    def solve_part(self, number: int, options: Options, story: _Story) -> None:
        """Run the strategies on one part and post its bounds and answers."""
        own = self.boards[number]
        own.options = replace(options, progress=lambda answer, source: self._offer(number, answer, source))
        for strategy in STRATEGIES:
            if own.open_level is None or own.left() < LEAST_TIME:
                break
            why = strategy.unsuited(own.problem, own)
            if why is not None:
                story.skip(strategy.name, why)
                continue
            note = strategy.improve(own.problem, own, own.part(strategy.share))
            story.run(strategy.name, note)
            self._offer(number, own.best, own.source)
            self._prove()
        if own.open_level is not None and (own.left() < LEAST_TIME or own.cut_short):
            self.board.cut_short = True

    def _offer(self, number: int, answer: Assignment, source: str) -> None:
        """Offer the whole answer in which one part has a new one."""
        answers = [answer if i == number else own.best for i, own in enumerate(self.boards)]
        self.board.offer(self._joined(answers), source)

    def _joined(self, answers: list[Assignment]) -> Assignment:
        some = [part.back(answer) for part, answer in zip(self.parts, answers, strict=True)]
        none = np.empty(0, np.int32)
        row = np.concatenate([none, *(one.row for one in some)])
        agent = np.concatenate([none, *(one.agent for one in some)])
        count = np.concatenate([np.empty(0, np.int64), *(one.count for one in some)])
        return self.reduced.back(Assignment.of_runs(row, agent, count, self.reduced.problem.agents))

    def _constants(self) -> list[int]:
        """Return by how much each level of the whole exceeds the parts' together."""
        values = objective.values(self.problem, self._joined([own.best for own in self.boards]))
        return [
            value - self._together(level, [own.values[own_level] for own, own_level in self._levels(level)])
            for level, value in enumerate(values)
        ]

    def _levels(self, level: int) -> list[tuple[Board, int]]:
        """Return the boards that have a level of the whole, each with the number the level has there."""
        wanted = self.board.names[level][:2]
        names = [[one[:2] for one in own.names] for own in self.boards]
        return [(own, of.index(wanted)) for own, of in zip(self.boards, names, strict=True) if wanted in of]

    def _together(self, level: int, values: list[int]) -> int:
        """Return the values of a level of all parts as one: their sum, or the greatest where the level is a peak."""
        return max(values, default=0) if self.board.names[level][0] == "balance" else sum(values)

    def _prove(self) -> None:
        """Post the parts' bounds together, level by level while every part is proved in the levels before.

        (A part that is not could let the whole have the same value with less of it, and more of another.)
        """
        values = objective.values(self.problem, self._joined([own.best for own in self.boards]))
        for level in range(len(values)):
            mine = self._levels(level)
            bounds = [own.bound(own_level) for own, own_level in mine]
            value = self._together(level, [bound for bound, _ in bounds]) + self.constants[level]
            self.board.prove(level, value, " and ".join(dict.fromkeys(why for _, why in bounds)), given=values[:level])
            if not all(own.optimal(own_level) for own, own_level in mine):
                break
