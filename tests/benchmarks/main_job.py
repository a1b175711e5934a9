"""`python -m tests.benchmarks.main_job [--deadline 4s] [--scale 20]`: real Marathon files on the openb agents.

Runs the command line as a user would and prints one JSON object: placed, asked, what some agent could take alone, wall
seconds from the start of the process to its end. Needs PLACEMENT_SHARED.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

from placement.eligibility import eligible
from placement.errors import InputWarning
from placement.frameworks import read_workload
from placement.snapshots import read_cluster

NODES = Path("data/openb-gpu-2023/openb_node_list_all_node.csv")
APPS = Path("data/real-apps/marathon")
SETTING = "gpu_scheduling_behavior=unrestricted"


def command(folder: Path, deadline: str, scale: int) -> list[str]:
    """The command line that is measured."""
    files = sorted(map(str, (folder / APPS).glob("*.json")))
    options = ["--prefix-files", "--skip-refused", "--scale", str(scale), "--set", SETTING]
    return [
        "place",
        str(folder / NODES),
        *files,
        *options,
        "--solver",
        "auto",
        "--deadline",
        deadline,
        "--format",
        "json",
    ]


def alone(folder: Path, scale: int) -> dict[str, bool]:
    """For each job, whether some agent could take one instance by itself."""
    files = sorted((folder / APPS).glob("*.json"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        cluster = read_cluster(folder / NODES)
        name, _, value = SETTING.partition("=")
        found = read_workload(files, prefix_files=True, skip_refused=True, scale=scale, settings={name: value})
    return {job.id: bool(eligible(cluster, job, found.workload).mask.any()) for job in found.workload.jobs}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.main_job", description=__doc__)
    parser.add_argument("--deadline", default="4s")
    parser.add_argument("--scale", type=int, default=20)
    chosen = parser.parse_args()
    if "PLACEMENT_SHARED" not in os.environ:
        print("PLACEMENT_SHARED must name the folder with the data sets", file=sys.stderr)
        return 2
    folder = Path(os.environ["PLACEMENT_SHARED"])
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "placement", *command(folder, chosen.deadline, chosen.scale)],
                          capture_output=True, text=True, check=False)  # fmt: skip
    wall = time.monotonic() - began
    if done.returncode not in (0, 1):
        print(done.stderr, file=sys.stderr)
        return 2
    answer = json.loads(done.stdout)
    placeable = alone(folder, chosen.scale)
    missing = {one["job"]: one["count"] for one in answer["unplaced"]}
    hopeless = sum(count for job, count in missing.items() if not placeable[job])
    report = {
        "agents": 1523,
        "jobs": len(placeable),
        "left_out": len(answer["left_out"]),
        "asked": answer["asked"],
        "placed": answer["placed"],
        "no_agent_could_take_alone": hopeless,
        "share_of_the_others": round(answer["placed"] / (answer["asked"] - hopeless), 4),
        "reasons_given": len({one["job"] for one in answer["reasons"]} & set(missing)) == len(missing),
        "wall_seconds": round(wall, 2),
        "seconds": {phase: round(value, 2) for phase, value in answer["seconds"].items()},
        "levels": answer["levels"],
        "solver": answer["solver"],
    }
    print(json.dumps(report, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
