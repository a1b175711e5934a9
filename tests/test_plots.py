"""Pictures show what the answer says."""

import pytest

import placement
from placement.errors import InputError
from placement.plots import draw_agents, plot_agents, plot_spread, save_figure
from tests.clusters import agent, cluster, job, workload

RACKS = [agent("a1", cpus=4, rack="r1"), agent("a2", cpus=2, rack="r2"), agent("a3", cpus=2, rack="r1")]


def placed():
    where, jobs = cluster(*RACKS, running=["/app a1"]), workload(job(instances=4, constraints="rack:GROUP_BY"))
    return where, jobs, placement.place(where, jobs, solver="greedy").placements


def test_a_jobs_spread_is_its_counts_by_value():
    where, jobs, found = placed()
    axes = plot_spread(where, jobs, found, "/app")
    before, new = axes.containers
    assert [bar.get_height() for bar in before] == [1, 0]
    assert [one + bar.get_height() for one, bar in zip([1, 0], new, strict=True)] == [2, 2]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["r1", "r2"]


def test_agents_are_grouped_and_filled_by_what_they_hold():
    where, jobs, found = placed()
    axes = plot_agents(where, found, jobs, resource="cpus", by="rack")
    _, _, new = axes.containers
    share = {"a1": 4, "a2": 2, "a3": 2}
    heights = dict(zip(("a1", "a3", "a2"), (bar.get_height() for bar in new), strict=True))  # grouped by rack
    taken = {name: sum(agent_id == name for _, _, agent_id in found.rows()) for name in share}
    assert heights == {name: taken[name] / share[name] for name in heights}


def test_pictures_are_drawn_without_placements_and_for_many_agents(tmp_path):
    many = cluster(*(agent(f"a{i}", rack=f"r{i}") for i in range(60)))
    assert len(draw_agents(many).axes) == 2
    save_figure(many, workload(), placement.Placements.empty(), tmp_path / "p.svg")
    assert (tmp_path / "p.svg").stat().st_size > 1000


def test_an_unknown_resource_is_an_error():
    with pytest.raises(InputError, match="no agent has this resource"):
        plot_agents(cluster(*RACKS), resource="gpus")
