"""The committed files are what the generators give, and hold what they promise."""

from collections import Counter
from pathlib import Path

import pytest

import placement
from datasets.batch.__main__ import write as write_batch
from datasets.webshop.__main__ import main as write_webshop

ROOT = Path(__file__).parent.parent.parent / "datasets"


@pytest.mark.parametrize("name", ["agents.jsonl", "agents.csv", "shop.json"])
def test_the_web_shop_is_what_its_generator_gives(tmp_path, name):
    write_webshop(tmp_path)
    assert (tmp_path / name).read_text() == (ROOT / "webshop" / name).read_text()


@pytest.mark.parametrize("name", ["agents.csv", "jobs.csv"])
def test_the_batch_cluster_is_what_its_generator_gives(tmp_path, name):
    write_batch(tmp_path, 1000, 16_000, 1)
    assert (tmp_path / name).read_text() == (ROOT / "batch" / name).read_text()


def test_the_web_shop_has_60_agents_in_5_racks_and_12_apps_in_layers():
    cluster = placement.read_cluster(ROOT / "webshop" / "agents.jsonl")
    workload = placement.read_workload([ROOT / "webshop" / "shop.json"]).workload
    assert (len(cluster), len(cluster.column("rack").values)) == (60, 5)
    assert (len(workload), max(job.layer for job in workload.jobs)) == (12, 4)
    assert sum(job.resident for job in workload.jobs) == 2


@pytest.mark.parametrize("seed", [1, 2])
def test_a_batch_cluster_has_many_shapes_a_third_grouped_and_a_fifth_unique(tmp_path, seed):
    write_batch(tmp_path, 1000, 16_000, seed)
    cluster = placement.read_cluster(tmp_path / "agents.csv")
    workload = placement.read_workload([tmp_path / "jobs.csv"]).workload
    assert (len(cluster), workload.instances) == (1000, 16_000)
    assert len({tuple(sorted(job.demand.items())) for job in workload.jobs}) >= 200
    rules = Counter(str(job.constraints[0]) if job.constraints else "" for job in workload.jobs)
    assert abs(rules["rack:GROUP_BY"] / len(workload) - 1 / 3) < 0.05
    assert abs(rules["hostname:UNIQUE"] / len(workload) - 1 / 5) < 0.05
    fill = [sum(job.instances * job.demand[name] for job in workload.jobs) / cluster.free[:, cluster.resource(name)].sum()
            for name in ("cpus", "mem")]  # fmt: skip
    assert 0.83 < max(fill) <= 0.86


def test_the_bundled_placements_hold():
    from placement.snapshots.running import read_placements

    cluster = placement.read_cluster(ROOT / "webshop" / "agents.jsonl", now=1.8e9)
    workload = placement.read_workload([ROOT / "webshop" / "shop.json"]).workload
    placements = read_placements(ROOT / "webshop" / "placements.csv", cluster, workload)
    assert placement.verify(cluster, workload, placements).holds
    assert len(placements) == 65
