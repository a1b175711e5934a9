"""Arguments that several commands share, how inputs are read, and how errors and warnings are told."""

from __future__ import annotations

import os
import re
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from placement.errors import InputError, InputWarning, UnverifiedError

if TYPE_CHECKING:
    from rich.console import Console

    from placement.cluster import Cluster
    from placement.workload import Workload

WIDE = 200
"""Columns of a table that goes into a pipe."""
SHOWN_WARNINGS = 10
DEFECT = 70
INTERRUPTED = 130
DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|)")
SECONDS_OF = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}

ClusterFile = Annotated[str, typer.Argument(metavar="CLUSTER", help="Snapshot of the agents; `-` is standard input.")]
WorkloadFiles = Annotated[
    list[str], typer.Argument(metavar="WORKLOAD...", help="Files of jobs; `-` is standard input.")
]
OneWorkload = Annotated[str, typer.Argument(metavar="WORKLOAD", help="File of jobs; `-` is standard input.")]
RunningFile = Annotated[
    str | None, typer.Option("--running", metavar="FILE", help="CSV of instances that run already.")
]
Total = Annotated[bool, typer.Option("--total", help="Amounts are what agents have, not what is free.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting of the framework, by its flag's name."),
]
Now = Annotated[str | None, typer.Option("--now", metavar="ISO8601", help="The moment of the snapshot (default: now).")]
Strict = Annotated[bool, typer.Option("--strict", help="Unknown keys and numbers written as text are errors.")]
SnapshotFormat = Annotated[
    str | None,
    typer.Option("--snapshot-format", metavar="NAME", help="csv, jsonlines, mesos, openb (default: found out)."),
]
WorkloadFormat = Annotated[
    str | None, typer.Option("--workload-format", metavar="NAME", help="marathon, table (default: found out).")
]
PrefixFiles = Annotated[bool, typer.Option("--prefix-files", help="Put the file's name before each job id.")]
SkipRefused = Annotated[
    bool, typer.Option("--skip-refused", help="Leave out, and list, what the framework itself would refuse.")
]
Scale = Annotated[int, typer.Option("--scale", min=1, metavar="N", help="Multiply every job's instances.")]
Relax = Annotated[
    list[str] | None,
    typer.Option("--relax", metavar="JOB/FIELD:OPERATOR", help="A rule that may be broken (as little as possible); "
                 "each part may be `*`."),
]  # fmt: skip


@dataclass(frozen=True)
class Inputs:
    """What the arguments of a command name: files and how to read them."""

    cluster: str
    workloads: Sequence[str]
    running: str | None = None
    total: bool = False
    settings: Sequence[str] | None = None
    now: str | None = None
    strict: bool = False
    snapshot_format: str | None = None
    workload_format: str | None = None
    prefix_files: bool = False
    skip_refused: bool = False
    scale: int = 1

    def read(self) -> tuple[Cluster, Workload]:
        """Read the cluster, with everything that runs, and the workload.

        Raises
        ------
        InputError
            If anything cannot be read or does not fit together.
        """
        from placement.frameworks import read_workload
        from placement.snapshots import read_cluster
        from placement.snapshots.running import attach, read_running

        names = [self.cluster, *self.workloads, *([self.running] if self.running else [])]
        if names.count("-") > 1:
            raise InputError("standard input can be read once only", value="-", expected="one `-` at most")
        now = moment(self.now)
        with progress() as tell:
            cluster = read_cluster(self.cluster, format=self.snapshot_format, total=self.total, strict=self.strict,
                                   now=now, progress=tell)  # fmt: skip
            found = read_workload(
                self.workloads,
                format=self.workload_format,
                settings=pairs(self.settings),
                strict=self.strict,
                prefix_files=self.prefix_files,
                skip_refused=self.skip_refused,
                scale=self.scale,
            )
        running = [*found.running, *(read_running(self.running) if self.running else ())]
        if running or (self.total and len(cluster.running)):
            cluster = attach(cluster, running, found.workload, total=self.total)
        return cluster, found.workload


def moment(text: str | None) -> float:
    """Return an ISO 8601 moment as seconds since 1970; None is this very moment."""
    from placement.snapshots.cells import parse_moment

    if text is None:
        return time.time()
    try:
        return parse_moment(text)
    except ValueError:
        raise InputError("--now is no moment", value=text, expected="ISO 8601, such as 2026-01-31T12:00:00Z") from None


def pairs(words: Sequence[str] | None) -> dict[str, str]:
    """Return NAME=VALUE words as a mapping."""
    found = {}
    for word in words or ():
        name, sign, value = word.partition("=")
        if not sign or not name:
            raise InputError("is no setting", value=word, expected="NAME=VALUE")
        found[name.strip()] = value.strip()
    return found


def seconds(text: str) -> float:
    """Return a duration such as `4s`, `500ms`, `2m` in seconds."""
    found = DURATION.fullmatch(text.strip())
    if not found or float(found[1]) <= 0:
        raise InputError("is no duration", value=text, expected="a time such as 4s, 500ms or 2m")
    return float(found[1]) * SECONDS_OF[found[2]]


def started() -> float:
    """Return the moment on `time.monotonic()` at which this process began."""
    try:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        since_boot = float(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.monotonic() - (time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot)
    except (OSError, ValueError, IndexError, AttributeError):  # no /proc: the import of this module is close enough
        return _IMPORTED


_IMPORTED = time.monotonic()


# --- telling ----------------------------------------------------------------------------------------------------------


def console(*, stderr: bool = False) -> Console:
    """Return a console; into a pipe it is wide, so that no id is cut."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else WIDE, highlight=False, soft_wrap=False)


@contextmanager
def progress() -> Iterator[Any]:
    """Yield a function that shows a line of progress on a terminal after the first second; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    began = time.monotonic()
    status = console(stderr=True).status("working")
    shown = False

    def tell(text: str) -> None:
        nonlocal shown
        if time.monotonic() - began > 1 and not shown:
            status.start()
            shown = True
        status.update(text)

    try:
        yield tell
    finally:
        status.stop()


@contextmanager
def told_warnings() -> Iterator[None]:
    """Print the input warnings of a command on standard error when it ends, many alike as one."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InputWarning)
        try:
            yield
        finally:
            texts = Counter(str(one.message) for one in caught if issubclass(one.category, InputWarning))
            for text, count in list(texts.items())[:SHOWN_WARNINGS]:
                print(f"warning: {text}" + (f" ({count} times)" if count > 1 else ""), file=sys.stderr)
            if len(texts) > SHOWN_WARNINGS:
                print(f"warning: {len(texts) - SHOWN_WARNINGS} more of this kind", file=sys.stderr)
            for one in caught:
                if not issubclass(one.category, InputWarning):
                    warnings.showwarning(one.message, one.category, one.filename, one.lineno)


def run_app(app: typer.Typer) -> None:
    """Run the command line: one paragraph and exit 2 for bad input, 70 for a defect, 130 when interrupted."""
    _keep_output_clean()
    try:
        with told_warnings():
            app()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except UnverifiedError as error:
        print(f"internal error, please report it: {error}", file=sys.stderr)
        sys.exit(DEFECT)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # the reader of our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _keep_output_clean() -> None:
    """Let only this program write to standard output: engines in native code print to it at times."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError, AttributeError):  # not a file: nothing native writes to it
        return
    sys.stdout.flush()
    own = os.fdopen(os.dup(descriptor), "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors, buffering=1)
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, descriptor)
    os.close(silent)
    sys.stdout = own


def write_out(text: str) -> None:
    """Write data to standard output as it is."""
    sys.stdout.write(text)
    sys.stdout.flush()
