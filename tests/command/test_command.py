"""The command line on the bundled web shop."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from placement.command import EXAMPLES, app
from placement.command.options import DEFECT, run_app, seconds
from placement.constraints import Unique
from placement.errors import InputError

ROOT = Path(__file__).parent.parent.parent
SHOP = ("datasets/webshop/agents.jsonl", "datasets/webshop/shop.json")
SMALL = ("agent,cpus,rack\na1,4,r1\na2,4,r2\n", "job,instances,cpus,constraints\nweb,2,1,hostname:UNIQUE\n")


def run(*arguments: str, stdin: str | None = None, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "placement", *arguments], capture_output=True, text=True, cwd=cwd,
                          input=stdin, env={**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}, check=False,
                          timeout=120)  # fmt: skip


@pytest.fixture
def small(tmp_path):
    (tmp_path / "agents.csv").write_text(SMALL[0])
    (tmp_path / "jobs.csv").write_text(SMALL[1])
    return tmp_path


def place(small: Path, *more: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return run("place", "agents.csv", "jobs.csv", *more, cwd=small, stdin=stdin)


def test_everything_placed_exits_0_and_tells_how_good_it_is(small):
    done = place(small)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 of 2 instances placed on 2 of 2 agents, verified" in done.stdout
    assert "web" in done.stdout
    assert "proved" in done.stdout


def test_not_everything_placed_exits_1_and_explains(small):
    (small / "jobs.csv").write_text(SMALL[1].replace("web,2", "web,3"))
    done = place(small)
    assert done.returncode == 1
    assert "web: 1 not placed" in done.stdout
    assert "would place one more" in done.stdout


def test_csv_on_standard_output_is_the_placements_file(small):
    rows = list(csv.DictReader(io.StringIO(place(small, "--format", "csv", "-o", "out.csv").stdout)))
    assert [(row["job"], row["instance"], row["layer"]) for row in rows] == [("web", "0", "1"), ("web", "1", "1")]
    assert {row["agent"] for row in rows} == {"a1", "a2"}
    assert list(csv.DictReader((small / "out.csv").open())) == rows


def test_json_holds_what_the_contract_says(small):
    document = json.loads(place(small, "--format", "json").stdout)
    assert {"placed", "unplaced", "levels", "solver", "seconds", "cut_short", "placements", "reasons"} <= set(document)
    assert set(document["seconds"]) == {"read", "compile", "solve", "verify"}
    assert document["placed"] == 2
    assert document["levels"][0] == {"name": "placed", "value": 2.0, "bound": 2.0, "gap": 0.0, "proved": True}
    assert len(document["placements"]) == 2


def test_standard_input_may_be_either_file_but_not_both(small):
    assert run("place", "-", "jobs.csv", cwd=small, stdin=SMALL[0]).returncode == 0
    assert run("place", "agents.csv", "-", cwd=small, stdin=SMALL[1]).returncode == 0
    assert run("place", "-", "-", cwd=small, stdin=SMALL[1]).returncode == 2


def test_verify_holds_and_names_what_does_not(small):
    place(small, "-o", "out.csv")
    assert run("verify", "agents.csv", "jobs.csv", "out.csv", cwd=small).returncode == 0
    text = (small / "out.csv").read_text()
    (small / "out.csv").write_text(text.replace("a2", "a1"))
    done = run("verify", "agents.csv", "jobs.csv", "out.csv", cwd=small)
    assert done.returncode == 1
    assert "hostname:UNIQUE" in done.stdout


def test_running_instances_from_a_file_count(small):
    (small / "running.csv").write_text("job,instance,agent\nweb,0,a1\n")
    document = json.loads(place(small, "--running", "running.csv", "--format", "json").stdout)
    assert [(one["instance"], one["agent"]) for one in document["placements"]] == [(1, "a2")]


def test_relaxed_rules_are_broken_as_little_as_possible_and_reported(small):
    (small / "jobs.csv").write_text(SMALL[1].replace("web,2", "web,3"))
    done = place(small, "--relax", "web/hostname:UNIQUE")
    assert done.returncode == 0
    assert "relaxed: web: hostname:UNIQUE is broken by 1" in done.stdout


def test_preferences_are_followed(small):
    (small / "jobs.csv").write_text("job,instances,cpus\nweb,1,1\n")
    (small / "costs.csv").write_text("job,agent,cost\nweb,a1,5\n")
    document = json.loads(place(small, "--goal", "prefer", "--preferences", "costs.csv", "--format", "json").stdout)
    assert [one["agent"] for one in document["placements"]] == ["a2"]
    (small / "costs.csv").write_text("job,agent,cost\nweb,a9,5\n")
    assert place(small, "--goal", "prefer", "--preferences", "costs.csv").returncode == 2


def test_eligible_lists_agents_and_reasons(small):
    (small / "running.csv").write_text("job,instance,agent\nweb,0,a1\n")
    done = run("eligible", "agents.csv", "jobs.csv", "--job", "web", "--running", "running.csv", cwd=small)
    assert done.returncode == 0
    assert "1 of 2 agents are eligible" in done.stdout
    assert "UnfulfilledConstraint (hostname:UNIQUE)" in done.stdout


def test_an_unknown_job_names_the_nearest(small):
    done = run("eligible", "agents.csv", "jobs.csv", "--job", "wep", cwd=small)
    assert done.returncode == 2
    assert "did you mean 'web'?" in done.stderr


def test_describe_tells_what_was_understood(small):
    assert "snapshot of 2 agents" in run("describe", "agents.csv", cwd=small).stdout
    workload = run("describe", "jobs.csv", cwd=small).stdout
    assert "workload of 1 jobs, 2 instances" in workload
    assert "every instance on another hostname" in workload


def test_describe_names_the_rule_that_refuses_an_app(small):
    (small / "apps.json").write_text('[{"id": "/a", "cmd": "x"}, {"id": "/B", "cmd": "x"}]')
    done = run("describe", "apps.json", cwd=small)
    assert done.returncode == 0
    assert "Marathon's rule 2.1" in done.stdout


def test_convert_goes_both_ways_and_refuses_to_lose(small):
    assert run("convert", "agents.csv", "agents.jsonl", cwd=small).returncode == 0
    assert run("convert", "agents.jsonl", "back.csv", cwd=small).returncode == 0
    assert (small / "back.csv").read_text().splitlines()[1] == "a1,4,,r1"
    done = run("convert", str(ROOT / SHOP[0]), "shop.csv", cwd=small)
    assert done.returncode == 2
    assert "would lose disks" in done.stderr
    assert not (small / "shop.csv").exists()


def test_in_order_stops_at_the_first_layer_that_is_not_whole(small):
    (small / "jobs.csv").write_text("job,instances,cpus,dependencies\nfirst,9,1,\nsecond,1,1,first\n")
    document = json.loads(place(small, "--in-order", "--format", "json").stdout)
    assert {one["job"] for one in document["placements"]} == {"first"}
    assert [one["job"] for one in document["unplaced"]] == ["first", "second"]


def test_a_plot_is_drawn(small):
    assert place(small, "--plot", "p.png").returncode == 0
    assert (small / "p.png").read_bytes().startswith(b"\x89PNG")
    assert place(small, "--plot", "p.nothing").returncode == 2


def test_the_deadline_counts_from_the_start_of_the_process():
    began = time.monotonic()
    done = run("place", "datasets/batch/agents.csv", "datasets/batch/jobs.csv", "--deadline", "4s", "--format", "json")
    assert time.monotonic() - began < 5.5
    assert json.loads(done.stdout)["placed"] == 16_000


@pytest.mark.parametrize(("text", "wanted"), [("4s", 4), ("500ms", 0.5), ("2m", 120), ("1.5", 1.5)])
def test_deadlines_have_units(text, wanted):
    assert seconds(text) == wanted


@pytest.mark.parametrize("text", ["soon", "-1s", "0s", ""])
def test_a_deadline_that_is_none_is_refused(text):
    with pytest.raises(InputError):
        seconds(text)


@pytest.mark.parametrize("command", EXAMPLES, ids=lambda command: command.__name__)
def test_the_example_in_a_commands_help_runs(tmp_path, command):
    words = shlex.split(EXAMPLES[command])
    shown = CliRunner().invoke(app, [words[0], "--help"], terminal_width=300).output
    assert "Example:" in shown[shown.rindex("╯") :]
    done = run(*[str(ROOT / word) if word.startswith("datasets/") else word for word in words], cwd=tmp_path)
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr


def test_help_is_quick():
    def once() -> float:
        began = time.monotonic()
        run("--help")
        return time.monotonic() - began

    assert min(once() for _ in range(5)) < 0.5


def test_unknown_keys_warn_on_standard_error_and_fail_when_strict(small):
    (small / "jobs.csv").write_text("job,instances,cpus,colour\nweb,2,1,red\n")
    done = place(small, "--format", "csv")
    assert done.returncode == 0
    assert "warning:" in done.stderr
    assert "colour" in done.stderr
    assert place(small, "--strict").returncode == 2


def test_an_answer_that_the_checker_refuses_is_a_defect_and_not_written(small, monkeypatch, capsys):
    """UNIQUE that compiles to nothing lets both instances onto one agent; what is written then is an apology."""
    monkeypatch.setattr(Unique, "compile", lambda self, scope: None)
    monkeypatch.setattr(sys, "argv", ["placement", "place", "agents.csv", "jobs.csv", "-o", "out.csv"])
    monkeypatch.chdir(small)
    (small / "agents.csv").write_text("agent,cpus\na1,4\n")
    with pytest.raises(SystemExit) as end:
        run_app(app)
    out, err = capsys.readouterr()
    assert (end.value.code, out) == (DEFECT, "")
    assert "internal error, please report it" in err
    assert not (small / "out.csv").exists()
