"""Rows of unlike demands: rows that are nearly alike share one pass over all agents and the candidates it finds.

For rows without a rule, or with a cap on each agent, that belong to one mask. Balanced rows are placed in `racks`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solvers.greedy.dealing import deal
from solvers.greedy.kernel import Agents, Needs, Numbers, View, filled, leaders, ranked
from solvers.greedy.run import Run
from solvers.greedy.traits import Mode
from solvers.rules import Int64

TOGETHER = 64
"""Most rows that share candidates."""
SPARE = 1.6
"""Candidates taken, as a multiple of what is thought to be needed."""
EXTRA = 32
"""Candidates taken beyond that."""
SAMPLE = 256
"""Agents looked at to guess how many instances one takes."""


def place_singles(run: Run, rows: Int64, mode: Mode) -> None:
    """Place rows of one mask and one mode (no balance) in the order given; neighbours should be alike."""
    if run.score.levels:
        for row in rows.tolist():
            _place_alone(run, row, mode.limit)
        return
    for batch in np.split(rows, _batch_starts(run, rows)):
        _place_batch(run, batch, mode.limit)


def _batch_starts(run: Run, rows: Int64) -> list[int]:
    """Return where a new batch begins: where the demand changes much, or enough rows are together."""
    step, direction = run.traits.step[rows], run.traits.direction[rows]
    change = np.flatnonzero((step[1:] != step[:-1]) | (direction[1:] != direction[:-1])) + 1
    starts: list[int] = []
    for begin, end in zip([0, *change.tolist()], [*change.tolist(), len(rows)], strict=True):
        starts.extend(range(begin, end, TOGETHER))
    return starts[1:]


def _place_batch(run: Run, rows: Int64, limit: int | None) -> None:
    """Place rows that are alike; rows left short share further passes if no agent is barred to them."""
    while len(rows) > 1:
        before = int(run.left[rows].sum())
        _share_candidates(run, rows, limit)
        rows = rows[run.left[rows] > 0]
        if limit is not None or (len(rows) and int(run.left[rows].sum()) == before):
            break
    for row in rows.tolist():
        _place_alone(run, row, limit)


def _share_candidates(run: Run, rows: Int64, limit: int | None) -> None:
    """Find agents that suit all rows, and place the rows on a copy of these agents."""
    need = run.frame.need[run.problem.shape[rows]]
    greatest, mean = _as_needs(need.max(axis=0)), _as_needs(need.mean(axis=0))
    fits = run.room.fits(greatest)
    mask = run.mask(int(rows[0]))
    if mask is not None:
        fits &= mask
    score = run.score(run.room, mean) * fits
    wanted = run.left[rows]
    guess = int(wanted.sum()) / _taken_by_one(run, mean, fits)
    most = int(wanted.max()) if limit is not None else 0
    candidates = leaders(score, int(SPARE * max(guess, most)) + EXTRA)
    part = run.room.part(candidates)
    placed = np.zeros(len(candidates), np.int64)
    for row, count in zip(rows.tolist(), wanted.tolist(), strict=True):
        _place_on_part(run, part, placed, row, count, limit)
    run.room.put(part, placed)


def _as_needs(amounts: NDArray[np.int64] | NDArray[np.float64]) -> Needs:
    return tuple((d, float(amount)) for d, amount in enumerate(amounts) if amount)


def _taken_by_one(run: Run, needs: Needs, fits: Numbers) -> float:
    """Guess how many instances an agent takes, from some of those that fit."""
    fitting = np.flatnonzero(fits)
    sample = fitting[:: len(fitting) // SAMPLE + 1]
    return max(float(run.room.part(sample).most(needs).mean()), 1.0) if len(sample) else 1.0


def _place_on_part(run: Run, part: View, placed: Int64, row: int, wanted: int, limit: int | None) -> None:
    """Place up to `wanted` instances of a row on the agents of a copy, best first."""
    needs = run.needs(row)
    room = part.most(needs)
    fit = np.flatnonzero(room)
    if not len(fit):
        return
    order = fit[ranked(run.score(part, needs)[fit])]
    if limit == 1:
        chosen = order[:wanted]
        counts = np.ones(len(chosen), np.int64)
    else:
        most = wanted if limit is None else min(limit, wanted)
        counts = filled(np.minimum(room[order], most).astype(np.int64), wanted)
        used = int(np.count_nonzero(counts))
        chosen, counts = order[:used], counts[:used]
    agents = part.index
    assert not isinstance(agents, slice)
    run.record(row, agents[chosen], counts)
    run.room.take_in(part, needs, chosen, counts)
    placed[chosen] += counts


def _place_alone(run: Run, row: int, limit: int | None) -> None:
    """Place what is left of one row, looking at all agents."""
    needs, mask, wanted = run.needs(row), run.mask(row), int(run.left[row])
    room = np.minimum(run.room.most(needs), wanted)
    if mask is not None:
        room = room * mask
    if limit is not None:
        room = np.minimum(room, limit - _held(run, row))
    score = run.score(run.room, needs) * (room > 0)
    candidates = leaders(score, wanted)
    if not len(candidates):
        return
    most = room[candidates].astype(np.int64)
    dealt = _dealt(run, needs, candidates, most, wanted) if run.score.levels else None
    if dealt is None:
        order = ranked(score[candidates])
        counts = filled(most[order], wanted)
        used = int(np.count_nonzero(counts))
        dealt = candidates[order[:used]], counts[:used]
    run.record(row, *dealt)
    run.room.take(needs, *dealt)


def _dealt(run: Run, needs: Needs, agents: Agents, room: Int64, wanted: int) -> tuple[Agents, Int64] | None:
    return deal(run, needs, agents, room, wanted, lambda line, score: line[ranked(score)[:wanted]])


def _held(run: Run, row: int) -> Int64:
    """Return int64[agents]: instances of a row on each agent."""
    held = np.zeros(run.problem.agents, np.int64)
    for agents, counts in run.runs_of(row):
        held[agents] += counts
    return held
