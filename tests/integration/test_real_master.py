"""A real Mesos master with simulated agents: what it answers is read, and the same in all three forms."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest

import placement
from placement.cluster import Cluster
from placement.constraints import parse
from tests.clusters import workload
from tests.shared import needs_shared, shared

RESOURCES = "cpus:4;mem:4096;disk:10000;ports:[31000-32000];cpus(web):2"
pytestmark = [pytest.mark.integration, needs_shared]


def tool(name: str, *arguments: str) -> list[str]:
    return [str(shared("mesos-master", name)), *arguments]


def line_that_starts(process: subprocess.Popen[str], start: str) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(start):
            return line.removeprefix(start).strip()
    raise AssertionError(f"ended before it said {start!r}")


@pytest.fixture(scope="module")
def master() -> Iterator[str]:
    """The address of a master with six agents in three racks."""
    ready = subprocess.run(tool("setup"), capture_output=True, text=True, timeout=300, check=False)
    if ready.returncode:
        reason = ready.stdout.strip().rpartition("\n")[2] or ready.stderr.strip().rpartition("\n")[2]
        if os.environ.get("CI"):
            pytest.fail(f"the master cannot be set up: {reason}")
        pytest.skip(f"the master cannot be set up: {reason}")
    running = subprocess.Popen(tool("start", "--port", "0", "--until-stdin-closes"), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # fmt: skip
    address = line_that_starts(running, "listening:")
    command = [sys.executable, *tool("simulated_agents.py", "--master", address, "--count", "6", "--racks", "3",
                                     "--resources", RESOURCES)]  # fmt: skip
    agents = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    line_that_starts(agents, "registered:")
    yield address
    for process in (agents, running):
        process.terminate()
        process.wait(timeout=20)


def fetched(address: str, path: str, body: dict[str, str] | None = None) -> bytes:
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(f"http://{address}{path}", data, headers), timeout=20) as answer:
        return bytes(answer.read())


@pytest.fixture(scope="module")
def clusters(master, tmp_path_factory) -> dict[str, Cluster]:
    answers = {
        "state": fetched(master, "/state"),
        "slaves": fetched(master, "/slaves"),
        "get_agents": fetched(master, "/api/v1", {"type": "GET_AGENTS"}),
    }
    found = {}
    for name, data in answers.items():
        file = tmp_path_factory.mktemp("master") / f"{name}.json"
        file.write_bytes(data)
        found[name] = placement.read_cluster(file)
    return found


def test_free_amounts_reservations_ports_and_attributes_come_out_as_the_agents_have_them(clusters):
    for cluster in clusters.values():
        assert len(cluster) == 6
        assert cluster.free[:, :3].tolist() == [[4000, 4_096_000, 10_000_000]] * 6
        assert cluster.pool("web")[:, 0].tolist() == [2000] * 6
        assert cluster.total[:, 0].tolist() == [6000] * 6
        assert {one.ports for one in cluster.records} == {((31000, 32000),)}
        assert sorted(cluster.column("rack").values) == ["rack-1", "rack-2", "rack-3"]


def test_all_three_answers_tell_the_same(clusters):
    told = [{one.id: (one.attributes, one.ports, one.hostname) for one in each.records} for each in clusters.values()]
    assert told[0] == told[1] == told[2]
    free = [dict(zip(each.agents, each.free.tolist(), strict=True)) for each in clusters.values()]
    assert free[0] == free[1] == free[2]


def test_a_workload_is_placed_on_what_the_master_told(clusters):
    rules = parse("rack:GROUP_BY;hostname:MAX_PER:3")
    web = placement.Job(id="/web", instances=12, demand={"cpus": 3000}, constraints=rules, role="web",
                        accepted_roles=("web", "*"))  # fmt: skip
    answer = placement.place(clusters["state"], workload(web), deadline=10)
    assert answer.complete
    assert len(set(answer.placements.agent.tolist())) == 6
