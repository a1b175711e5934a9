"""`placement capacity` on files small enough to count by hand."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.command.test_command import run

AGENTS = "agent,cpus,rack\na1,4,r1\na2,4,r2\n"
TYPES = "type,price,cpus,rack\nsmall,2,4,r1|r2\nbig,5,16,r1\n"


@pytest.fixture
def files(tmp_path):
    (tmp_path / "agents.csv").write_text(AGENTS)
    (tmp_path / "types.csv").write_text(TYPES)
    (tmp_path / "jobs.csv").write_text("job,instances,cpus,constraints\nweb,4,3,hostname:UNIQUE\n")
    return tmp_path


def ask(files, *more):
    return run("capacity", "agents.csv", "jobs.csv", "--types", "types.csv", *more, cwd=files)


def test_a_purchase_exits_0_and_tells_price_and_bound(files):
    done = ask(files)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 instances do not fit" in done.stdout
    assert "in all 4, at least 4 (proved: no purchase is cheaper)" in done.stdout


def test_a_workload_that_fits_tells_what_can_go_and_how_much_more_fits(files):
    (files / "jobs.csv").write_text("job,instances,cpus\nweb,1,3\n")
    document = json.loads(ask(files, "--format", "json").stdout)
    assert document["fits"]
    assert document["buy"] == []
    assert document["give_back"]["needed"] == document["give_back"]["needed_at_least"] == 1
    assert len(document["give_back"]["agents"]) == 1
    assert document["further"] == [{"job": "web", "instances": 1, "bound": 1, "at_least": False}]


def test_csv_has_a_row_for_each_purchase_and_job(files):
    done = ask(files, "--format", "csv", "-o", "out.csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert sum(int(row["agents"]) for row in rows if row["question"] == "buy") == 2
    assert [row["name"] for row in rows if row["question"] == "further"] == ["web"]
    assert list(csv.DictReader((files / "out.csv").open())) == rows


def test_what_nothing_helps_exits_1_with_the_reason(files):
    (files / "jobs.csv").write_text("job,instances,cpus\nweb,1,99\n")
    done = ask(files)
    assert done.returncode == 1
    assert "no purchase was found" in done.stdout
    assert "lacks 83 cpus" in done.stdout


def test_bad_types_and_endings_exit_2(files):
    assert ask(files, "-o", "out.txt").returncode == 2
    (files / "types.csv").write_text("cpus\n4\n")
    done = ask(files)
    assert done.returncode == 2
    assert "no column type" in done.stderr
