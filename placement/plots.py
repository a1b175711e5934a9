"""Pictures: how full the agents are, and how a job is spread. Each is one function that takes `ax=None`.

matplotlib is the optional extra `plot` and is imported when a picture is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from placement.cluster import Cluster, Int64
from placement.counting import known_agents
from placement.errors import InputError
from placement.placements import Placements
from placement.workload import Workload

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BEFORE, NEW, FREE = "#4d4d4d", "#e08214", "#eeeeee"
"""Dark, middle and light: also told apart in greyscale."""
MOST_LABELS = 40


def _pyplot() -> Any:
    try:
        import matplotlib

        matplotlib.use("Agg", force=False)
        from matplotlib import pyplot
    except ImportError:
        raise InputError("pictures need matplotlib", expected="pip install 'placement-engine[plot]'") from None
    return pyplot


def plot_agents(
    cluster: Cluster,
    placements: Placements | None = None,
    workload: Workload | None = None,
    *,
    resource: str = "cpus",
    by: str = "rack",
    ax: Axes | None = None,
) -> Axes:
    """Draw how full each agent is of a resource: used before, new, free; agents side by side, grouped by a field.

    Parameters
    ----------
    placements, workload
        New instances and their jobs, if any.
    resource
        A scalar resource.
    by
        Field to group by; agents without a value come last.

    Raises
    ------
    InputError
        If no agent has the resource, or matplotlib is missing.
    """
    column = cluster.resource(resource)
    if column < 0 or not cluster.total[:, column].any():
        raise InputError(
            "no agent has this resource", value=resource, expected="one of " + ", ".join(cluster.resources)
        )
    axes = ax if ax is not None else _pyplot().subplots(figsize=(10, 2.6))[1]
    order, borders, names = _grouped(cluster, by)
    total = np.maximum(cluster.total[order, column], 1)
    before = (cluster.total[:, column] - _free(cluster)[:, column])[order] / total
    new = _new(cluster, placements, workload, column)[order] / total
    place = np.arange(len(order))
    axes.bar(place, np.ones(len(order)), width=1.0, color=FREE, label="free")
    axes.bar(place, before, width=0.9, color=BEFORE, label="used before")
    axes.bar(place, new, bottom=before, width=0.9, color=NEW, label="new")
    for border in borders[1:]:
        axes.axvline(border - 0.5, color="white", linewidth=2)
    ends = [*borders[1:], len(order)]
    if len(names) <= MOST_LABELS:
        middle = [(start + end - 1) / 2 for start, end in zip(borders, ends, strict=True)]
        axes.set_xticks(middle, names, rotation=0 if len(names) <= 12 else 90)
    else:
        axes.set_xticks([])
    axes.set_xlim(-0.5, len(order) - 0.5)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    axes.set_ylabel(resource)
    axes.set_xlabel(f"{len(order)} agents by {by}")
    return axes


def plot_spread(
    cluster: Cluster,
    workload: Workload,
    placements: Placements,
    job: str,
    *,
    field: str = "rack",
    ax: Axes | None = None,
) -> Axes:
    """Draw how many instances of a job stand on each value of a field: running before, and new.

    Raises
    ------
    InputError
        If the job does not exist, or matplotlib is missing.
    """
    chosen = workload.job(job)
    axes = ax if ax is not None else _pyplot().subplots(figsize=(6, 3))[1]
    column = cluster.column(field)
    size = len(column.values)
    running = column.lookup(known_agents(cluster, job, chosen))
    before = np.bincount(running[running >= 0], minlength=size)
    mine = placements.agent[placements.job == workload.index[job]]
    codes = column.codes[mine]
    new = np.bincount(codes[codes >= 0], minlength=size)
    order = np.argsort(np.array(column.values, dtype=object), kind="stable")
    place = np.arange(size)
    axes.bar(place, before[order], color=BEFORE, label="running before")
    axes.bar(place, new[order], bottom=before[order], color=NEW, label="new")
    axes.set_xticks(place, [column.values[i] for i in order], rotation=0 if size <= 8 else 90)
    axes.locator_params(axis="y", integer=True)
    axes.set_ylabel("instances")
    axes.set_xlabel(field)
    axes.set_title(f"{job}: {', '.join(map(str, chosen.constraints[:3])) or 'no constraint'}", fontsize=10)
    axes.legend(frameon=False)
    return axes


def draw_agents(
    cluster: Cluster, placements: Placements | None = None, workload: Workload | None = None, *, by: str | None = None
) -> Figure:
    """Return a figure with one row for each resource of which something is used; cpus and mem in any case."""
    pyplot = _pyplot()
    chosen = by or ("rack" if "rack" in cluster.attribute_names else "hostname")
    names = [name for i, name in enumerate(cluster.resources) if _drawn(cluster, placements, workload, i)]
    figure, rows = pyplot.subplots(len(names), 1, figsize=(11, 1 + 2 * len(names)), squeeze=False, layout="constrained")
    for name, axes in zip(names, rows[:, 0], strict=True):
        plot_agents(cluster, placements, workload, resource=name, by=chosen, ax=axes)
    for axes in rows[:-1, 0]:
        axes.set_xlabel("")
    handles, labels = rows[0, 0].get_legend_handles_labels()
    order = [labels.index(name) for name in ("used before", "new", "free")]
    figure.legend(
        [handles[i] for i in order], [labels[i] for i in order], loc="outside upper right", ncols=3, frameon=False
    )
    count = 0 if placements is None else len(placements)
    figure.suptitle(f"{count} new instances on {len(cluster)} agents", x=0.01, ha="left")
    return figure


def save_figure(cluster: Cluster, workload: Workload, placements: Placements, file: Path) -> None:
    """Draw the agents before and after into a file; its ending says in which format.

    Raises
    ------
    OSError, ValueError
        If the file cannot be written, or has an ending matplotlib does not know.
    """
    figure = draw_agents(cluster, placements, workload)
    figure.savefig(file, dpi=120)
    _pyplot().close(figure)


def _drawn(cluster: Cluster, placements: Placements | None, workload: Workload | None, column: int) -> bool:
    if not cluster.total[:, column].any():
        return False
    used = (cluster.total[:, column] > _free(cluster)[:, column]).any() or _new(
        cluster, placements, workload, column
    ).any()
    return bool(used) or cluster.resources[column] in ("cpus", "mem")


def _free(cluster: Cluster) -> Int64:
    free = cluster.free.copy()
    np.add.at(free, cluster.reservation_agent, cluster.reservation_amounts)
    return free


def _new(cluster: Cluster, placements: Placements | None, workload: Workload | None, column: int) -> Int64:
    """Return int64[agents]: what new instances take of a resource."""
    taken = np.zeros(len(cluster), np.int64)
    if placements is None or workload is None or not len(placements):
        return taken
    name = cluster.resources[column]
    need = [job.root_disk if name == "disk" else job.demand.get(name, 0) for job in workload.jobs]
    fresh = ~placements.relaunched if len(placements.relaunched) else np.ones(len(placements), np.bool_)
    amount = np.array(need, np.int64)[placements.job]
    np.add.at(taken, placements.agent[fresh], amount[fresh])
    if placements.moved_from is not None:
        moved = placements.moved_from >= 0
        np.subtract.at(taken, placements.moved_from[moved], amount[moved])
    return taken


def _grouped(cluster: Cluster, by: str) -> tuple[Int64, Sequence[int], Sequence[str]]:
    """Return agents ordered by a field's value, where each group starts, and the groups' names."""
    column = cluster.column(by)
    names = np.array([*column.values, "none"], dtype=object)
    keys = np.where(column.codes >= 0, column.codes, len(column.values))
    rank = np.empty(len(names), np.int64)
    rank[np.argsort(names[:-1], kind="stable")] = np.arange(len(names) - 1)
    rank[-1] = len(names) - 1
    order = np.argsort(rank[keys], kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(rank[keys[order]]) != 0]) if len(order) else np.empty(0, np.int64)
    return order, starts.tolist(), [str(names[keys[order[start]]]) for start in starts]
