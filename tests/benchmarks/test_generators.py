import hashlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks import antiaffinity, cloudbalancing, fleet, offers
from tests.benchmarks.measurement import measure
from tests.shared import needs_shared, shared

ROOT = Path(__file__).parent.parent.parent


def fingerprint(header, rows):
    return hashlib.sha256(offers.csv_bytes(header, rows)).hexdigest()[:16]


def test_offers_are_the_published_bytes():
    assert fingerprint(offers.AGENT_HEADER, offers.agent_rows(10_000)) == "666ec8249c8ce328"
    apps = offers.apps_of(10_000, 50_000)
    assert fingerprint(offers.TASK_HEADER, offers.task_rows(apps)) == "10d0d28a1d9ba199"
    apps = offers.apps_of(10_000, 50_000, distinct=True)
    assert fingerprint(offers.TASK_HEADER, offers.task_rows(apps)) == "3de691615e060467"


def test_fleets_ask_for_the_published_numbers_of_instances():
    assert int(fleet.make_fleet(50, 200).count.sum()) == 1837
    assert int(fleet.make_fleet(200, 1000).count.sum()) == 9218
    assert int(fleet.make_fleet(50, 200, 1, 0.97).count.sum()) == 2491
    assert int(fleet.make_fleet(50, 200, 2, 0.90).count.sum()) == 2381


@needs_shared
@pytest.mark.integration
def test_fleets_are_the_published_arrays():
    spec = importlib.util.spec_from_file_location("published_fleet", shared("bench", "fleet.py"))
    published = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(published)
    for arguments in ((50, 200, 1, 0.97), (50, 200, 2, 0.90), (200, 1000, 1, 0.70)):
        theirs, ours = published.fleet(*arguments), fleet.make_fleet(*arguments)
        for name, own in (
            ("free", ours.free), ("rack", ours.rack), ("price", ours.price), ("need", ours.need),
            ("count", ours.count), ("max_per_host", ours.most_on_host), ("balanced", ours.balanced),
            ("prefer", ours.prefer), ("weight", ours.weight),
        ):  # fmt: skip
            assert np.array_equal(theirs[name], own), name


def test_lifting_caps_keeps_only_those_of_one():
    plain, lifted = fleet.make_fleet(50, 200), fleet.make_fleet(50, 200, lift_caps=True)
    assert set(plain.most_on_host.tolist()) == {1, 2, 4}
    assert np.array_equal(lifted.most_on_host == 1, plain.most_on_host == 1)
    assert set(lifted.most_on_host.tolist()) == {0, 1}


def test_a_fleet_as_files_says_units_and_rules(tmp_path):
    agents, jobs = fleet.write_csv(fleet.make_fleet(3, 4), tmp_path)
    assert agents.read_text().splitlines()[0] == "agent,cpus,mem,rack,price"
    one = jobs.read_text().splitlines()
    assert one[0] == "job,instances,cpus,mem,constraints,weight"
    assert len(one) == 4


@pytest.mark.parametrize("mode", ["none", "unique", "balanced"])
def test_the_offers_benchmark_places_and_verifies(mode):
    found = offers.measure(1000, 10_000, mode, runs=1)
    assert (found["placed"], found["verified"]) == (10_000, True)
    assert mode != "balanced" or found["rack_spread"] <= 1


def test_the_fleet_benchmark_places_the_tight_fleets():
    for seed, fill in ((1, 0.97), (2, 0.90)):
        found = fleet.measure(fleet.make_fleet(50, 200, seed, fill, lift_caps=True))
        assert (found["placed"], found["verified"]) == (found["asked"], True)


def test_the_anti_affinity_instances_are_the_published_ones():
    agents, apps = antiaffinity.draw(100, 7)
    assert (sum(price for _, _, price in agents), len(apps), sum(size for size, _, _ in apps)) == (22275, 92, 300)


@needs_shared
@pytest.mark.integration
def test_the_smallest_cloud_balancing_files_are_solved_to_their_published_optima():
    for name, optimum in (
        ("2computers-6processes", 5460),
        ("3computers-9processes", 5460),
        ("4computers-12processes", 7410),
    ):
        cluster, workload = cloudbalancing.read(shared("data", "cloudbalancing", f"{name}.json.gz"))
        found = measure(name, cluster, workload, deadline=10)
        assert (found["value"], found["proved"], found["verified"]) == (optimum, True, True)


def test_drawn_cloud_balancing_instances_have_three_processes_a_computer():
    cluster, workload = cloudbalancing.draw(20, 3)
    assert (len(cluster), len(workload)) == (20, 60)
    assert cluster.resources == ("cpus", "mem", "disk", "gpus", "network")


def test_instances_written_as_files_give_the_same_answer_on_the_command_line(tmp_path, capsys):
    cloudbalancing.main(["--computers", "12", "--seed", "4", "--folder", str(tmp_path), "--deadline", "10"])
    found = json.loads(capsys.readouterr().out)
    files = (str(tmp_path / "agents.csv"), str(tmp_path / "jobs.csv"))
    command = [sys.executable, "-m", "placement", "place", *files, "--format", "json", "--deadline", "10s"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    goal = json.loads(done.stdout)["levels"][-1]
    assert (goal["value"], goal["proved"], found["proved"]) == (found["value"], True, True)
