"""The registry of snapshot formats, and the one way from a file to a cluster and back.

A format is one module with `fits` and `read`; adding one is that and one line of `FORMATS`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

from placement.cluster import Cluster
from placement.documents import decode_text, name_of, read_bytes
from placement.errors import InputError, nearest

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Format:
    """A snapshot format.

    Attributes
    ----------
    name, title
        For `--snapshot-format`, and what is read.
    module
        Holds `fits(data: bytes) -> bool` and `read(data, *, file, total, strict, now, progress) -> Cluster`.
    """

    name: str
    title: str
    module: str

    def load(self) -> ModuleType:
        """Return the format's module."""
        return import_module(self.module)


FORMATS: Mapping[str, Format] = {
    one.name: one
    for one in (
        Format("openb", "node list of the openb GPU cluster trace (CSV)", "placement.snapshots.openb"),
        Format("mesos", "answers of a Mesos master: /state, /slaves, GET_AGENTS (JSON)", "placement.snapshots.mesos"),
        Format("jsonlines", "one Mesos-form agent or offer a line", "placement.snapshots.jsonlines"),
        Format("csv", "one row an agent", "placement.snapshots.table"),
    )
}
"""In the order in which they are tried; the first that fits reads."""


def read_cluster(
    path: str | Path,
    *,
    format: str | None = None,
    total: bool = False,
    strict: bool = False,
    now: float | None = None,
    stdin: BinaryIO | None = None,
    progress: Progress | None = None,
) -> Cluster:
    """Return the cluster of a snapshot file.

    Parameters
    ----------
    path
        The file; `-` is standard input.
    format
        A name of `FORMATS`; None finds out from the content.
    total
        Amounts are what agents have in all, not what is free; running instances are subtracted later
        (`placement.snapshots.running.attach`).
    now
        The moment of the snapshot, seconds since 1970.

    Raises
    ------
    InputError
        If the file cannot be read or understood.
    """
    if format is not None and format not in FORMATS:
        raise InputError("no such snapshot format", value=format, expected="one of " + ", ".join(FORMATS),
                         nearest=nearest(format, FORMATS))  # fmt: skip
    data = read_bytes(path, stdin)
    file = name_of(path)
    chosen = FORMATS[format].load() if format else next((m for m in map(Format.load, FORMATS.values()) if m.fits(data)),
                                                        None)  # fmt: skip
    if chosen is None:
        decode_text(data, file=file)  # what is no text at all is told as such
        raise InputError("is in no snapshot format that is known", file=file,
                         expected="--snapshot-format with one of " + ", ".join(FORMATS))  # fmt: skip
    try:
        cluster: Cluster = chosen.read(data, file=file, total=total, strict=strict, now=now, progress=progress)
    except InputError as error:
        raise error.inside(file=file) from None
    if not len(cluster):
        raise InputError("holds no agent", file=file, expected="at least one agent")
    return cluster


def write_cluster(cluster: Cluster, path: str | Path, *, format: str, lossy: bool = False) -> None:
    """Write a cluster as 'csv' or 'jsonlines', whole or not at all.

    Parameters
    ----------
    lossy
        Write CSV although disks, volumes, owned reservations or running instances are lost.

    Raises
    ------
    InputError
        If something would be lost and `lossy` is not set; it is named.
    """
    from placement.snapshots import jsonlines, table

    if format == "jsonlines":
        write_text(path, jsonlines.write(cluster))
        return
    if format != "csv":
        raise InputError("snapshots are not written in this format", value=format, expected="csv or jsonlines")
    lost = table.lost(cluster)
    if lost and not lossy:
        raise InputError("CSV would lose " + ", ".join(lost), file=str(path), expected="JSON lines, or --lossy")
    write_text(path, table.write(cluster))


def write_text(path: str | Path, text: str) -> None:
    """Write a text file whole or not at all."""
    target = Path(path)
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent or ".", prefix=f".{target.name}.")
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", file=str(path)) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
            out.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise InputError(f"cannot be written: {error.strerror or error}", file=str(path)) from None
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


__all__ = ["FORMATS", "Format", "Progress", "read_cluster", "write_cluster", "write_text"]
