"""Waiting for engines: their solves run in threads of their own, so that an interrupt of the process is heard at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
TICK = 0.2
"""Seconds between two looks at whether the process was interrupted."""


class _Task(Generic[T]):
    """One piece of work in a thread, with its result or its exception."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._result: list[T] = []
        self._error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self._result.append(self._work())
        except BaseException as error:  # raised again in the thread that waits
            self._error = error

    def result(self) -> T:
        """Return the result, or raise what the work raised."""
        if self._error is not None:
            raise self._error
        return self._result[0]


def side_by_side(works: Sequence[Callable[[], T]], workers: int, stop: Callable[[], None] | None = None) -> list[T]:
    """Do pieces of work in up to `workers` threads and return their results in the order given.

    Parameters
    ----------
    stop
        Called when the process is interrupted, before the interrupt goes on: it should make the works end early.
        Works that do not listen end with the process.
    """
    tasks = [_Task(work) for work in works]
    try:
        for first in range(0, len(tasks), max(1, workers)):
            some = tasks[first : first + max(1, workers)]
            for task in some:
                task.thread.start()
            for task in some:
                while task.thread.is_alive():
                    task.thread.join(TICK)
    except KeyboardInterrupt:
        if stop is not None:
            stop()
        raise
    return [task.result() for task in tasks]


def waited(work: Callable[[], T], stop: Callable[[], None] | None = None) -> T:
    """Do one piece of work in a thread and return its result."""
    return side_by_side([work], 1, stop)[0]
