"""`placement convert`: snapshots between CSV and JSON lines, workloads to CSV."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated

import typer

from placement.command import options
from placement.command.describe import is_snapshot
from placement.errors import InputError

FORMAT_OF = {".csv": "csv", ".jsonl": "jsonlines", ".ndjson": "jsonlines"}


def convert(
    source: Annotated[str, typer.Argument(metavar="IN", help="A snapshot or a workload; `-` is standard input.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="`.csv`, or `.jsonl` for snapshots without loss.")],
    lossy: Annotated[bool, typer.Option("--lossy", help="Write although something is lost; it is named.")] = False,
    total: options.Total = False,
    setting: options.Settings = None,
    strict: options.Strict = False,
    snapshot_format: options.SnapshotFormat = None,
    workload_format: options.WorkloadFormat = None,
) -> None:
    """Convert a snapshot (any format read) to CSV or JSON lines, or a workload to CSV. Whole or not at all."""
    from placement.documents import read_bytes
    from placement.frameworks import read_workload, table
    from placement.snapshots import read_cluster, write_cluster, write_text

    form = FORMAT_OF.get(target.suffix)
    if form is None:
        raise InputError("no format has this ending", file=str(target), value=target.suffix, expected=".csv or .jsonl")
    data = read_bytes(source)
    if snapshot_format is not None or (workload_format is None and is_snapshot(data)):
        cluster = read_cluster(source, format=snapshot_format, total=total, strict=strict, stdin=io.BytesIO(data))
        write_cluster(cluster, target, format=form, lossy=lossy)
        return
    found = read_workload([source], format=workload_format, settings=options.pairs(setting), strict=strict,
                          stdin=io.BytesIO(data))  # fmt: skip
    if form != "csv":
        raise InputError("workloads are written as CSV only", file=str(target), value=target.suffix, expected=".csv")
    lost = table.lost(found.workload)
    if lost and not lossy:
        raise InputError("CSV would lose " + ", ".join(lost), file=str(target), expected="--lossy")
    write_text(target, table.write_workload(found.workload))
