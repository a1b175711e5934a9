"""The openb GPU cluster trace: its node list as a snapshot, its pod lists as a workload.

Source: alibaba/clusterdata, cluster-trace-gpu-v2023. Nodes have no ports and no disk in the trace; every agent is given
some, and an `InputWarning` says so. Pods that ask for a share of one GPU are listed as left out, never rounded.
"""

from __future__ import annotations

import gzip
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from placement.amounts import ONE
from placement.attributes import Attribute, parse_ranges
from placement.cluster import Agent, Cluster
from placement.constraints.like import Like
from placement.documents import read_bytes
from placement.errors import InputError, InputWarning
from placement.patterns import Pattern
from placement.snapshots.cells import CellReader, Rows, read_rows
from placement.workload import Job, LeftOut, Workload

NODE_COLUMNS = ("sn", "cpu_milli", "memory_mib", "gpu", "model")
POD_COLUMNS = ("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli")
PORTS = "31000-32000"
DISK = 1_000_000
WHOLE_GPU = 1000


def fits(data: bytes) -> bool:
    """Tell whether bytes look like the node list."""
    return data.lstrip(b"\xef\xbb\xbf").split(b"\n", 1)[0].strip() == ",".join(NODE_COLUMNS).encode()


def read(
    data: bytes,
    *,
    file: str,
    total: bool = False,
    strict: bool = False,
    now: float | None = None,
    progress: Callable[[str], None] | None = None,
    ports: str = PORTS,
    disk: int = DISK,
) -> Cluster:
    """Return the cluster of the node list.

    Parameters
    ----------
    ports, disk
        Port ranges and MB of disk that every agent is given.
    """
    rows = _checked(read_rows(data, file=file), NODE_COLUMNS, file)
    cells = CellReader(file)
    offered = tuple(parse_ranges(ports, ";", single=True))
    agents = []
    for line, (name, cpus, mem, gpus, model) in rows.rows:
        free = {
            "cpus": cells.whole(cpus, line, "cpu_milli", 0),
            "mem": cells.amount(mem, line, "memory_mib"),
            "disk": disk * ONE,
            "gpus": cells.amount(gpus, line, "gpu"),
        }
        attributes = (("model", Attribute("text", model)),) if model else ()
        agents.append(Agent(id=name, free=free, total=free if total else None, ports=offered, attributes=attributes))
    warnings.warn(f"{file}: the trace has no ports and disks; every agent is given ports {ports} and {disk} MB of disk",
                  InputWarning, stacklevel=2)  # fmt: skip
    return Cluster.build(agents, now=now)


def _checked(rows: Rows, columns: tuple[str, ...], file: str) -> Rows:
    if rows.header[: len(columns)] != columns:
        raise InputError("has other columns", file=file, place="line 1", value=",".join(rows.header),
                         expected=",".join(columns))  # fmt: skip
    return rows


def read_pods(path: str | Path) -> Workload:
    """Return the workload of a pod list (.csv or .csv.gz): a job for each shape of pod.

    Pods that ask for a part of one GPU become `LeftOut`s, grouped by shape.
    """
    data = read_bytes(path)
    rows = _checked(read_rows(gzip.decompress(data) if str(path).endswith(".gz") else data, file=str(path)),
                    POD_COLUMNS, str(path))  # fmt: skip
    cells = CellReader(str(path))
    spec = rows.header.index("gpu_spec") if "gpu_spec" in rows.header else None
    shapes: Counter[tuple[int, int, int, int, str]] = Counter()
    for line, row in rows.rows:
        gpus = cells.whole(row[3], line, "num_gpu", 0)
        milli = cells.whole(row[4], line, "gpu_milli", 0)
        share = milli if gpus and milli != WHOLE_GPU else 0
        mem = cells.amount(row[2], line, "memory_mib")
        shapes[cells.whole(row[1], line, "cpu_milli", 0), mem, gpus, share, row[spec] if spec else ""] += 1
    jobs, left_out = [], []
    for (cpus, mem, gpus, share, models), count in sorted(shapes.items()):
        name = (
            f"pod-{cpus}m-{mem // ONE}mib-{gpus}gpu"
            + (f"-{share}m" if share else "")
            + (f"-{models}" if models else "")
        )
        if share:
            reason = f"asks for {share}/1000 of one gpu"
            left_out.append(LeftOut(id=name, reason=reason, instances=count, source=str(path)))
            continue
        demand = {"cpus": cpus, "mem": mem, "gpus": gpus * ONE}
        rules = (Like("model", Pattern.compile(models)),) if models else ()
        jobs.append(Job(id=name, instances=count, demand={k: v for k, v in demand.items() if v}, constraints=rules,
                        framework="openb", source=str(path)))  # fmt: skip
    return Workload(tuple(jobs), tuple(left_out))
