"""The story of a run: compile, solve, decode, verify, report. Nothing unverified leaves."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from placement.checker import Verdict, verify
from placement.cluster import Cluster
from placement.compilation import Compiled, compile_problem
from placement.decoding import decode
from placement.errors import InputError, UnverifiedError, nearest
from placement.occupation import occupy
from placement.placements import Answer, LevelReport, Placements, Unplaced
from placement.workload import Workload
from solvers import SOLVERS, solve
from solvers.levels import with_levels
from solvers.options import Options
from solvers.problem import Assignment, Goal, Level

DEADLINE = 10.0
"""Seconds a run may take unless told otherwise."""

UNIT = {
    "placed": 1000.0,
    "violations": 1.0,
    "moves": 1.0,
    "pack": 1000.0,
    "prefer": 1000.0,
    "balance": 1e6,
    "spread": 1.0,
}
"""What a level's integer value is divided by for the user."""


def place(
    cluster: Cluster,
    workload: Workload,
    *,
    solver: str = "auto",
    goal: Goal = "pack",
    deadline: float = DEADLINE,
    relax: Sequence[str] = (),
    preferences: Mapping[str, Mapping[str, int]] | None = None,
    in_order: bool = False,
    max_moves: int = 0,
    seed: int = 0,
    workers: int | None = None,
    deterministic: bool = False,
    progress: Callable[[Assignment, str], None] | None = None,
) -> Answer:
    """Decide where the missing instances of a workload go, verify the answer and say how good it is.

    Parameters
    ----------
    solver
        'greedy', 'exact' or 'auto' (greedy first, then improved until the deadline).
    goal
        'pack', 'spread', 'balance' or 'prefer': the last objective level.
    deadline
        Seconds of wall clock for the whole call, verifying included.
    relax
        Constraints that may be broken, as `JOB/FIELD:OPERATOR` (each part may be `*`); breaking is minimised.
    preferences
        Costs in thousandths by job id and agent id (pairs not named cost 0), for the goal 'prefer'.
    in_order
        Place one dependency layer after the other and stop at the first that is not placed wholly, as Marathon does.
    max_moves
        Running instances that may move at most, and only so that more is placed or fewer relaxed rules are broken.
    seed, workers, deterministic
        Same seed, same answer; with `deterministic` for any number of workers (default: the processors at hand).
    progress
        Called with each better assignment and a word on where it came from.

    Returns
    -------
    Answer
        Verified placements with levels, bounds, and what was not placed.

    Raises
    ------
    InputError
        If an option or a constraint names something that does not exist.
    UnverifiedError
        If the checker refuses the answer (a defect).
    """
    if solver not in SOLVERS:
        raise InputError("no such solver", value=solver, expected="one of " + ", ".join(sorted(SOLVERS)),
                         nearest=nearest(solver, SOLVERS))  # fmt: skip
    layered = in_order and len({job.layer for job in workload.jobs}) > 1
    if max_moves < 0 or (max_moves and layered):
        raise InputError("max_moves is out of range", value=max_moves,
                         expected="0 layer by layer" if layered else "0 or more")  # fmt: skip
    options = Options(
        until=time.monotonic() + deadline,
        seconds=deadline,
        seed=seed,
        workers=workers or os.cpu_count() or 1,
        deterministic=deterministic,
        progress=progress,
    )
    run = _Run(cluster, workload, solver, goal, tuple(relax), preferences, options)
    if max_moves:
        return run.with_moves(max_moves)
    return run.by_layers() if layered else run.at_once()


class _Placed(NamedTuple):
    """What one decision gave: see `_answer`."""

    compiled: Compiled
    assignment: Assignment
    placements: Placements
    verdict: Verdict | None
    seconds: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class _Run:
    """One call of `place` and the clock it is under."""

    cluster: Cluster
    workload: Workload
    solver: str
    goal: Goal
    relax: tuple[str, ...]
    preferences: Mapping[str, Mapping[str, int]] | None
    options: Options

    def at_once(self) -> Answer:
        """Place everything in one problem."""
        return _answer(*self._placed())

    def _placed(self) -> _Placed:
        started = time.perf_counter()
        compiled = self._compile(self.cluster, self.workload)
        compiled_at = time.perf_counter()
        assignment = solve(compiled.problem, self._solving_options(compiled), self.solver)
        solved_at = time.perf_counter()
        placements = decode(compiled, assignment)
        assignment = _as_decoded(compiled, assignment, placements)
        verdict = verify(self.cluster, self.workload, placements, relax=self.relax)
        if not verdict.holds:
            raise UnverifiedError(verdict)
        seconds = {
            "compile": compiled_at - started,
            "solve": solved_at - compiled_at,
            "verify": time.perf_counter() - solved_at,
        }
        return _Placed(compiled, assignment, placements, verdict, seconds)

    def with_moves(self, most: int) -> Answer:
        """Place without moves; if something is missing or broken then, look for an answer that moves a few.

        What the checker would not pass, or what has no room one at a time, is left: the answer without moves stands.
        """
        first = replace(self, options=_halved(self.options))._placed()
        if _nothing_lacks(first):
            return _answer(*_with_level(first, "nothing is missing, so nothing moves"))
        from placement.moving import Mover  # CP-SAT takes half a second to import

        started = time.perf_counter()
        mover = Mover(lambda cluster: self._compile(cluster, self.workload), first.compiled, first.placements, most)
        if not len(mover.rows):
            return _answer(*_with_level(first, "nothing that runs may move"))
        found = mover.search(self._solving_options(first.compiled))
        seconds = {**first.seconds, "solve": first.seconds["solve"] + time.perf_counter() - started}
        words = "no better answer with moves was found"
        placements, verdict = first.placements, first.verdict
        if found.better:
            judged = ((one, verify(self.cluster, self.workload, one, relax=self.relax)) for one in mover.decoded(found))
            good = next((pair for pair in judged if pair[1].holds), None)
            words = "then improved with moves by CP-SAT"
            if good is None:
                words = "a better answer with moves could not be carried out one at a time"
                found = replace(found, values=found.start)
            else:
                placements, verdict = good
        assignment = replace(
            first.assignment,
            levels=mover.levels(found),
            strategy=f"{first.assignment.strategy}; {words}",
            cut_short=first.assignment.cut_short or found.cut_short,
        )
        return _answer(first.compiled, assignment, placements, verdict, seconds)

    def by_layers(self) -> Answer:
        """Place one layer after the other on what the earlier ones left; stop at the first that is not whole."""
        cluster, parts = self.cluster, []
        seconds = {"compile": 0.0, "solve": 0.0, "verify": 0.0}
        for layer in sorted({job.layer for job in self.workload.jobs}):
            jobs = [job if job.layer <= layer else replace(job, instances=0, minimum=0) for job in self.workload.jobs]
            part = _Run(
                cluster, self.workload.replace_jobs(jobs), self.solver, self.goal, self.relax, self.preferences,
                self.options,
            ).at_once()  # fmt: skip
            parts.append(part)
            seconds = {phase: seconds[phase] + part.seconds[phase] for phase in seconds}
            if not part.complete:
                break
            cluster = occupy(cluster, self.workload, part.placements)
        return self._joined(parts, seconds)

    def _joined(self, parts: Sequence[Answer], seconds: Mapping[str, float]) -> Answer:
        """Return the parts of a layered run as one answer; levels are valued on the whole problem."""
        placements = _concatenated([part.placements for part in parts])
        compiled = self._compile(self.cluster, self.workload)
        assignment = with_levels(compiled.problem, _counted(compiled, placements))
        assignment = replace(
            assignment,
            strategy=f"{parts[-1].solver}; layer by layer, {len(parts)} layers",
            cut_short=any(part.cut_short for part in parts),
        )
        violations = tuple(one for part in parts for one in part.violations)
        answer = _answer(compiled, assignment, placements, None, dict(seconds))
        return replace(answer, violations=violations)

    def _compile(self, cluster: Cluster, workload: Workload) -> Compiled:
        return compile_problem(cluster, workload, goal=self.goal, relax=self.relax, preferences=self.preferences)

    def _solving_options(self, compiled: Compiled) -> Options:
        """Keep some of the time for decoding and verifying: measured at 20 microseconds an instance, at least 50 ms."""
        reserve = 0.05 + 2e-5 * float(compiled.problem.wanted.sum())
        until = self.options.until
        return self.options if until is None else replace(self.options, until=until - reserve)


def _halved(options: Options) -> Options:
    """Return options with half the time: the other half is for moves."""
    if options.until is None:
        return options
    return replace(options, until=options.until - options.left() / 2, seconds=options.seconds / 2)


def _nothing_lacks(first: _Placed) -> bool:
    """Tell whether all that may start was placed and no relaxed rule is broken: moves could do no better."""
    broken = any(one.name == "violations" and one.value for one in first.assignment.levels)
    return not broken and bool(
        (first.assignment.placed(first.compiled.problem.rows) == first.compiled.problem.wanted).all()
    )


def _with_level(first: _Placed, why: str) -> _Placed:
    """Return an answer without moves with the level that says so: with nobody moving its own bounds hold."""
    levels = first.assignment.levels
    moves = Level(name="moves", sense=-1, value=0, bound=0, engine=why)
    assignment = replace(first.assignment, levels=(*levels[:-1], moves, levels[-1]),
                         strategy=f"{first.assignment.strategy}; {why}")  # fmt: skip
    return first._replace(assignment=assignment)


def _as_decoded(compiled: Compiled, assignment: Assignment, placements: Placements) -> Assignment:
    """Return the assignment without the instances that decoding had to leave out."""
    if len(placements) == int(assignment.count.sum()):
        return assignment
    counted = with_levels(compiled.problem, _counted(compiled, placements), bounds=assignment.levels)
    note = (
        f"{assignment.strategy}; {int(assignment.count.sum()) - len(placements)} without ports, disks or turn left out"
    )
    return replace(counted, strategy=note, cut_short=assignment.cut_short)


def _counted(compiled: Compiled, placements: Placements) -> Assignment:
    """Return placements as counts over the rows of a problem."""
    relaunch_row = {}
    fresh_row = np.zeros(len(compiled.workload), np.int32)
    for number, row in enumerate(compiled.rows):
        if row.relaunch is None:
            fresh_row[row.job] = number
        else:
            instance = compiled.cluster.running.instances[row.relaunch.row]
            relaunch_row[row.job, instance.instance] = number
    rows = fresh_row[placements.job] if len(placements) else np.empty(0, np.int32)
    if len(placements.relaunched):
        for i in np.flatnonzero(placements.relaunched).tolist():
            rows[i] = relaunch_row[int(placements.job[i]), int(placements.instance[i])]
    return Assignment.of_runs(rows, placements.agent, np.ones(len(placements), np.int64), compiled.problem.agents)


def _concatenated(parts: Sequence[Placements]) -> Placements:
    first = parts[0]
    total = sum(len(part) for part in parts)

    def joined(name: str) -> Any:
        rows = [getattr(part, name) or ((),) * len(part) for part in parts]
        return tuple(one for part in rows for one in part) if any(getattr(part, name) for part in parts) else None

    return replace(
        first,
        job=np.concatenate([part.job for part in parts]),
        instance=np.concatenate([part.instance for part in parts]),
        agent=np.concatenate([part.agent for part in parts]),
        layer=np.concatenate([part.layer for part in parts]),
        ports=joined("ports"),
        units=joined("units"),
        relaunched=np.concatenate([part.relaunched for part in parts]) if total else first.relaunched,
    )


def _answer(
    compiled: Compiled,
    assignment: Assignment,
    placements: Placements,
    verdict: Verdict | None,
    seconds: Mapping[str, float],
) -> Answer:
    placed = placements.placed_of
    unplaced = []
    asked = 0
    for job, todo in zip(compiled.workload.jobs, compiled.tallies, strict=True):
        wanted = todo.fresh + len(todo.relaunches) + todo.waiting
        asked += wanted
        if wanted > placed.get(job.id, 0):
            unplaced.append(Unplaced(job=job.id, count=wanted - placed.get(job.id, 0), waiting=todo.waiting))
    return Answer(
        placements=placements,
        unplaced=tuple(unplaced),
        levels=tuple(_report(level, assignment.levels, i) for i, level in enumerate(assignment.levels)),
        asked=asked,
        solver=assignment.strategy,
        violations=verdict.violations if verdict else (),
        seconds=seconds,
        cut_short=assignment.cut_short,
    )


def _report(level: Level, levels: Sequence[Level], position: int) -> LevelReport:
    """Return a level in the user's unit; it is proved when it and all levels before it reach their bounds."""
    unit = UNIT[level.name]
    tiers = sum(1 for one in levels if one.name == "placed")
    name = f"placed, priority {level.priority}" if level.name == "placed" and tiers > 1 else level.name
    largest = max(abs(level.value), abs(level.bound))
    return LevelReport(
        name=name,
        value=level.value / unit,
        bound=level.bound / unit,
        gap=abs(level.bound - level.value) / largest if largest else 0.0,
        proved=all(one.optimal for one in levels[: position + 1]),
        engine=level.engine,
    )
