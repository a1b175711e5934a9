"""Why not everything fits, in words: a minimal set of rules that conflict, and the fewest things to give up.

`explain` looks at one further instance after an answer; this asks whether the whole workload can be placed at all.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from placement.cluster import Cluster
from placement.conflicts.reasons import Asked, Reason, ask
from placement.conflicts.words import Conflict, SmallestChange, change_in_words, conflict_in_words, undecided
from placement.workload import Workload
from solvers.conflicts import find_change, find_conflict
from solvers.options import Options

DEADLINE = 5.0
"""Seconds a question may take unless told otherwise."""


def conflict(
    cluster: Cluster, workload: Workload, *, relax: Sequence[str] = (), deadline: float = DEADLINE, seed: int = 0
) -> Conflict | None:
    """Say which rules of a workload conflict, if not everything wanted can be placed.

    Parameters
    ----------
    relax
        Constraints that may be broken, as `JOB/FIELD:OPERATOR`; they are in nobody's way.
    deadline
        Seconds of wall clock.

    Returns
    -------
    Conflict | None
        None: everything can be placed. A conflict that is not `proved` says that neither was shown in the time.

    Raises
    ------
    InputError
        If a constraint names a job that does not exist, or a relaxed rule has no such form.
    """
    options = Options(until=time.monotonic() + deadline, seconds=deadline, seed=seed)
    asked = ask(cluster, workload, relax)
    found = find_conflict(asked.question, options)
    if found.possible:
        return None
    return undecided(deadline) if found.conflict is None else conflict_in_words(asked, found.conflict, options)


def smallest_change(
    cluster: Cluster, workload: Workload, *, relax: Sequence[str] = (), deadline: float = DEADLINE, seed: int = 0
) -> SmallestChange | None:
    """Say the fewest things to give up so that the whole rest of a workload fits.

    Of equally many, rules are given up rather than instances, and instances rather than asking for more capacity.

    Returns
    -------
    SmallestChange | None
        None: everything fits as it is. A change without `changes` says that none was found in the time; the conflicts
        found by then are in it all the same.

    Raises
    ------
    InputError
        As `conflict`.
    """
    options = Options(until=time.monotonic() + deadline, seconds=deadline, seed=seed)
    asked = ask(cluster, workload, relax)
    found = find_change(asked.question, options)
    if found.complete and not found.reasons:
        return None
    return change_in_words(asked, found, options)


__all__ = ["Asked", "Conflict", "Reason", "SmallestChange", "ask", "conflict", "smallest_change"]
