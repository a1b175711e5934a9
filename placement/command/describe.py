"""`placement describe`: what was understood of a file."""

from __future__ import annotations

from typing import Annotated

import typer

from placement.command import options


def describe(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A snapshot or a workload; `-` is standard input.")],
    total: options.Total = False,
    setting: options.Settings = None,
    now: options.Now = None,
    strict: options.Strict = False,
    snapshot_format: options.SnapshotFormat = None,
    workload_format: options.WorkloadFormat = None,
) -> None:
    """Say what was understood of a snapshot or a workload; what a framework would refuse is named with its rule."""
    import io

    from placement.command.render import cluster_tables, workload_tables
    from placement.documents import read_bytes
    from placement.frameworks import read_workload
    from placement.snapshots import read_cluster

    data = read_bytes(file)
    out = options.console()
    if snapshot_format is not None or (workload_format is None and is_snapshot(data)):
        cluster = read_cluster("-" if file == "-" else file, format=snapshot_format, total=total, strict=strict,
                               now=options.moment(now), stdin=io.BytesIO(data))  # fmt: skip
        for part in cluster_tables(cluster):
            out.print(part)
        return
    found = read_workload([file], format=workload_format, settings=options.pairs(setting), strict=strict,
                          skip_refused=True, stdin=io.BytesIO(data))  # fmt: skip
    for part in workload_tables(found.workload, len(found.running)):
        out.print(part)


def is_snapshot(data: bytes) -> bool:
    """Tell whether bytes look like a snapshot rather than a workload."""
    from placement.frameworks import FRAMEWORKS
    from placement.snapshots import FORMATS

    text = [one.load() for one in FRAMEWORKS.values() if one.text]
    if data.lstrip()[:1] not in (b"{", b"[") and any(one.fits(data) for one in text):
        return False
    return any(one.load().fits(data) for one in FORMATS.values()) and not _is_app(data)


def _is_app(data: bytes) -> bool:
    """Tell whether a one-line JSON object is a Marathon app rather than an agent."""
    first = data.lstrip().split(b"\n", 1)[0]
    return first.startswith(b"{") and b'"resources"' not in first and b'"slaves"' not in data[: 1 << 16]
