"""Malformed snapshots and workloads: one clear error with file and place, soon, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from placement.errors import InputError
from placement.frameworks import read_workload
from placement.snapshots import read_cluster
from placement.snapshots.running import read_running

ROOT = Path(__file__).parent.parent
GOOD_SNAPSHOT = "agent,cpus,mem,rack\na1,4,1024,r1\n"
GOOD_WORKLOAD = "job,instances,cpus\na,1,1\n"


def app(**fields: object) -> str:
    return json.dumps({"id": "/a", "cmd": "x", **fields})


def agent_line(**fields: object) -> str:
    return json.dumps({"id": "a1", "resources": [], **fields})


SNAPSHOTS = {
    "empty file": (b"", ""),
    "blank file": (b"  \n \n", ""),
    "no agent column": (b"name,cpus\na,1\n", ""),
    "no agents": (b"agent,cpus\n", ""),
    "no resources": (b"agent,rack\na,r1\n", "line 1"),
    "a column twice": (b"agent,cpus,cpus\na,1,2\n", "line 1"),
    "a column without a name": (b"agent,cpus,\na,1,2\n", "line 1"),
    "a short row": (b"agent,cpus\na,1\nb\n", "line 3"),
    "a long row": (b"agent,cpus\na,1,2\n", "line 2"),
    "an agent twice": (b"agent,cpus\na,1\na,2\n", "line 3"),
    "an agent without id": (b"agent,cpus\n,1\n", "line 2"),
    "negative amount": (b"agent,cpus\na,-1\n", "line 2, column cpus"),
    "amount is a word": (b"agent,cpus\na,four\n", "line 2, column cpus"),
    "amount is not finite": (b"agent,cpus\na,nan\n", "line 2, column cpus"),
    "amount beyond all sense": (b"agent,cpus\na,1e30\n", "line 2, column cpus"),
    "a range runs backwards": (b"agent,cpus,ports\na,1,32000-31000\n", "line 2, column ports"),
    "a range of words": (b"agent,cpus,ports\na,1,low-high\n", "line 2, column ports"),
    "a port too high": (b"agent,cpus,ports\na,1,65000-70000\n", "line 2, column ports"),
    "brackets without ranges": (b"agent,cpus,x\na,1,[abc]\n", "line 2, column x"),
    "a moment that is none": (b"agent,cpus,unavailable_from\na,1,tomorrow\n", "line 2, column unavailable_from"),
    "price on some agents": (b"agent,cpus,price\na,1,2\nb,1,\n", "agent b"),
    "not UTF-8": (b"agent,cpus\n\xff\xfe,1\n", "line 2"),
    "UTF-16": ("agent,cpus\na,1\n".encode("utf-16"), "line 1"),
    "a NUL": (b"agent,cpus\na\x00,1\n", "line 2"),
    "an open quote": (b'agent,cpus\n"a,1\n', "line"),
    "JSON cut off": (b'{"slaves": [{"id": "S1"', "line 1"),
    "JSON nested 10,000 deep": (b'{"slaves":' + b"[" * 10_000 + b"]" * 10_000 + b"}", ""),
    "JSON with NaN": (b'{"slaves": [{"id": "S1", "resources": {"cpus": NaN}}]}', ""),
    "a key twice": (b'{"slaves": [], "slaves": []}', ""),
    "slaves is no list": (b'{"slaves": {}}', "slaves"),
    "an agent of state without id": (b'{"slaves": [{"hostname": "h"}]}', "slaves[0]"),
    "negative cpus in state": (b'{"slaves": [{"id": "S1", "resources": {"cpus": -1}}]}', "slaves[0].resources.cpus"),
    "bad ports in state": (b'{"slaves": [{"id": "S1", "resources": {"ports": "[9-1]"}}]}', "slaves[0].resources.ports"),
    "an agent line without id": (b'{"resources": []}\n', "line 1"),
    "a bad second line": ((agent_line() + "\n{nonsense\n").encode(), "line 2"),
    "agent lines twice": ((agent_line() + "\n" + agent_line() + "\n").encode(), "line 2"),
    "a resource without name": (agent_line(resources=[{"type": "SCALAR"}]).encode(), "resources[0]"),
    "a resource of no type": (agent_line(resources=[{"name": "cpus", "type": "TAPE"}]).encode(), "resources[0].type"),
    "ports beyond all": (
        agent_line(
            resources=[{"name": "ports", "type": "RANGES", "ranges": {"range": [{"begin": 9, "end": 1}]}}]
        ).encode(),
        "resources[0].ranges.range[0]",
    ),
}
WORKLOADS = {
    "empty workload": (b"", ""),
    "neither JSON nor CSV": (b"hello\nworld\n", ""),
    "JSON of nothing known": (b'{"kind": "Pod"}', ""),
    "a list of numbers": (b"[1, 2]", ""),
    "JSON cut off": (b'{"id": "/a"', "line 1"),
    "a huge number": (b'{"id": "/a", "cmd": "x", "cpus": 1e999}', ""),
    "nested 10,000 deep": (b'{"id": "/a", "env": ' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001, ""),
    "unknown operator": (app(constraints=[["rack", "NEAR", "x"]]).encode(), "constraints[0]"),
    "operator misspelt": (app(constraints=[["rack", "UNIQE"]]).encode(), "constraints[0]"),
    "look-ahead": (app(constraints=[["rack", "LIKE", "(?=a)a"]]).encode(), "constraints[0]"),
    "look-behind": (app(constraints=[["rack", "UNLIKE", "(?<!a)b"]]).encode(), "constraints[0]"),
    "back-reference": (app(constraints=[["rack", "LIKE", r"(a)\1"]]).encode(), "constraints[0]"),
    "atomic group": (app(constraints=[["rack", "LIKE", "(?>a+)b"]]).encode(), "constraints[0]"),
    "pattern does not compile": (app(constraints=[["rack", "LIKE", "*"]]).encode(), "constraints[0]"),
    "cpus is a word": (app(cpus="many").encode(), "cpus"),
    "negative mem": (app(mem=-1).encode(), "mem"),
    "half an instance": (app(instances=0.5).encode(), "instances"),
    "ids twice": (f"[{app()}, {app()}]".encode(), "[1].id"),
    "circle of dependencies": (
        json.dumps(
            [{"id": "/a", "cmd": "x", "dependencies": ["/b"]}, {"id": "/b", "cmd": "x", "dependencies": ["/a"]}]
        ).encode(),
        "",
    ),
    "no job column": (b"name,cpus\na,1\n", ""),
    "a job twice": (b"job,cpus\na,1\na,1\n", "line 3, column job"),
    "instances is a word": (b"job,instances\na,two\n", "line 2, column instances"),
    "min above instances": (b"job,instances,min\na,2,3\n", "line 2"),
    "constraint of no form": (b"job,constraints\na,rack\n", "line 2, column constraints"),
    "ports of no form": (b"job,ports\na,80;x\n", "line 2, column ports"),
    "dependencies in a circle": (b"job,dependencies\na,b\nb,a\n", "column dependencies"),
    "a task twice": (b"id,app,cpus\nt,a,1\nt,a,1\n", "line 3, column id"),
    "tasks that disagree": (b"id,app,cpus,constraint\nt,a,1,rack:UNIQUE\nu,a,1,\n", "line 3, column constraint"),
}


def refused(read, data: bytes, place: str, file: Path) -> None:
    file.write_bytes(data)
    began = time.monotonic()
    with pytest.raises(InputError) as error:
        read(file)
    assert time.monotonic() - began < 1
    text = str(error.value)
    assert str(file) in text or "agent b" in text
    assert place in text
    assert "\n" not in text
    assert len(text) < 800


@pytest.mark.parametrize(("data", "place"), SNAPSHOTS.values(), ids=SNAPSHOTS)
def test_a_bad_snapshot_is_one_clear_error(tmp_path, data, place):
    refused(read_cluster, data, place, tmp_path / "snapshot")


@pytest.mark.parametrize(("data", "place"), WORKLOADS.values(), ids=WORKLOADS)
def test_a_bad_workload_is_one_clear_error(tmp_path, data, place):
    refused(lambda file: read_workload([file]), data, place, tmp_path / "workload")


@pytest.mark.parametrize(
    ("row", "place"),
    [("a,-1,x", "line 2, column job"), ("a,0,x\na,0,x", "line 3, column instance"), (",0,x", "line 2, column job")],
)
def test_a_bad_running_file_is_one_clear_error(tmp_path, row, place):
    refused(read_running, f"job,instance,agent\n{row}\n".encode(), place, tmp_path / "running.csv")


def test_a_missing_file_is_one_clear_error(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_cluster(tmp_path / "nothing.csv")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "placement", *arguments], capture_output=True, text=True, cwd=ROOT,
                          env={**os.environ, "NO_COLOR": "1"}, check=False, timeout=60)  # fmt: skip


@pytest.mark.parametrize(
    "name", ["no agent column", "negative amount", "JSON nested 10,000 deep", "not UTF-8", "empty file"]
)
def test_the_command_line_prints_one_paragraph_exits_2_and_writes_nothing(tmp_path, name):
    snapshot, workload, output = tmp_path / "snapshot", tmp_path / "w.csv", tmp_path / "out.csv"
    snapshot.write_bytes(SNAPSHOTS[name][0])
    workload.write_text(GOOD_WORKLOAD)
    done = run("place", str(snapshot), str(workload), "-o", str(output))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {snapshot}")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert not output.exists()


@pytest.mark.parametrize("name", ["unknown operator", "look-ahead", "circle of dependencies"])
def test_a_bad_workload_on_the_command_line_exits_2(tmp_path, name):
    snapshot, workload = tmp_path / "s.csv", tmp_path / "workload.json"
    snapshot.write_text(GOOD_SNAPSHOT)
    workload.write_bytes(WORKLOADS[name][0])
    done = run("explain", str(snapshot), str(workload))
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_a_legal_but_catastrophic_pattern_is_answered_at_once(tmp_path):
    from placement.eligibility import eligible

    snapshot, workload = tmp_path / "s.csv", tmp_path / "w.json"
    rows = "".join(f"a{i},4,{'a' * 30}{'!' if i % 2 else ''}{i % 7 * 'a'}\n" for i in range(10_000))
    snapshot.write_text("agent,cpus,rack\n" + rows)
    workload.write_text(app(constraints=[["rack", "LIKE", "(a+)+$"]], portDefinitions=[], mem=0))
    cluster, jobs = read_cluster(snapshot), read_workload([workload]).workload
    began = time.monotonic()
    assert len(eligible(cluster, jobs.jobs[0]).agents) == 5000
    assert time.monotonic() - began < 1
