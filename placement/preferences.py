"""Preferences of jobs for agents, from a CSV file: `job,agent,cost`; a pair that is not named costs 0."""

from __future__ import annotations

from pathlib import Path

from placement.cluster import Cluster
from placement.documents import name_of, read_bytes
from placement.errors import InputError, nearest
from placement.snapshots.cells import CellReader, read_rows
from placement.workload import Workload

HEADER = ("job", "agent", "cost")


def read_preferences(path: str | Path, cluster: Cluster, workload: Workload) -> dict[str, dict[str, int]]:
    """Return costs in thousandths by job id and agent id.

    Raises
    ------
    InputError
        For a missing column, an unknown job or agent, or a cost that is no number of 0 or more.
    """
    file = name_of(path)
    rows = read_rows(read_bytes(path), file=file)
    if set(rows.header) != set(HEADER):
        raise InputError("has other columns", file=file, place="line 1", value=",".join(rows.header),
                         expected=",".join(HEADER))  # fmt: skip
    cells = CellReader(file)
    costs: dict[str, dict[str, int]] = {}
    for line, row in rows.rows:
        cell = dict(zip(rows.header, row, strict=True))
        for column, known in (("job", workload.index), ("agent", cluster.index)):
            if cell[column] not in known:
                raise InputError(f"no such {column}", file=file, place=f"line {line}, column {column}",
                                 value=cell[column], expected=f"a known {column}",
                                 nearest=nearest(cell[column], known))  # fmt: skip
        by_agent = costs.setdefault(cell["job"], {})
        if cell["agent"] in by_agent:
            raise cells.wrong("the pair stands twice", cell["agent"], line, "agent", "each pair once")
        by_agent[cell["agent"]] = cells.amount(cell["cost"], line, "cost")
    return costs
