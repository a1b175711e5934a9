"""Documents changed at random: every reader gives a result or an InputError, never anything else, and soon."""

from __future__ import annotations

import copy
import io
import json
import time
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placement.errors import InputError
from placement.frameworks import read_workload
from placement.frameworks import table as workload_table
from placement.snapshots import jsonlines, mesos, table
from tests.snapshots.test_mesos import STATE

ROOT = Path(__file__).parent.parent.parent
SHOP = json.loads((ROOT / "datasets" / "webshop" / "shop.json").read_text())
LINES = [json.loads(line) for line in (ROOT / "datasets" / "webshop" / "agents.jsonl").read_text().splitlines()[8:11]]
CASES = [case["workload"] for case in json.loads((ROOT / "tests" / "conformance" / "marathon.json").read_text())]
JUNK = (None, True, 0, -1, 1.5, 1e300, 2**40, "", "x", "{a", "[1-", "∞", [], {}, [[]], [{}], "0.5", "*", "-x", "(?=a)",
        "a" * 5000, "TASK_RUNNING", "2020-01-01T00:00:00Z", {"value": "x"})  # fmt: skip
SNAPSHOT = "agent,cpus,ports,cpus(prod),price,unavailable_from,x\na,1,1-3;5,2,1,2026-01-01T00:00:00Z,[1-2]\n"
WORKLOAD = "job,instances,cpus,ports,constraints,role,dependencies\na,4,0.5,2,rack:GROUP_BY:3,prod,b\nb,1,1,80;443,,,\n"
NOISE = (*"abc,;:\"'\n-019.[]{}()\\\0é*?\t\r", "1e5", ",,", "::", "9" * 21, "NaN", "rack:LIKE:(")
pytestmark = pytest.mark.filterwarnings("ignore::placement.errors.InputWarning")


def changed(value, random: Random, share: float):
    """A copy in which some values are something else, and some keys are gone."""
    if random.random() < share:
        return copy.deepcopy(random.choice(JUNK))
    if isinstance(value, dict):
        return {key: changed(one, random, share) for key, one in value.items() if random.random() > share / 2}
    return [changed(one, random, share) for one in value] if isinstance(value, list) else value


def noisy(text: str, random: Random) -> bytes:
    """A text with some characters changed, added or cut out."""
    for _ in range(random.randint(1, 5)):
        place = random.randrange(len(text) + 1)
        text = text[:place] + random.choice((*NOISE, "")) + text[place + random.randint(0, 4) :]
    return text.encode()


def only_input_errors(read, data: bytes) -> None:
    began = time.monotonic()
    text = ""
    try:
        read(data)
    except InputError as error:
        text = str(error)
    assert "\n" not in text
    assert time.monotonic() - began < 1


SEEDS = st.integers(0, 2**32)
MANY = settings(max_examples=200, deadline=None)


@MANY
@given(SEEDS, st.sampled_from([0.01, 0.1]))
def test_marathon_documents(seed, share):
    random = Random(seed)
    document = json.dumps(changed(random.choice([SHOP, *CASES]), random, share)).encode()
    only_input_errors(lambda data: read_workload(["-"], format="marathon", stdin=io.BytesIO(data)), document)


@MANY
@given(SEEDS, st.sampled_from([0.01, 0.1]))
def test_answers_of_a_master_and_lines_of_agents(seed, share):
    random = Random(seed)
    only_input_errors(lambda data: mesos.read(data, file="f"), json.dumps(changed(STATE, random, share)).encode())
    lines = "\n".join(json.dumps(changed(line, random, share)) for line in LINES).encode()
    only_input_errors(lambda data: jsonlines.read(data, file="f"), lines)


@MANY
@given(SEEDS)
def test_csv_snapshots_and_workloads(seed):
    random = Random(seed)
    only_input_errors(lambda data: table.read(data, file="f"), noisy(SNAPSHOT, random))
    read = workload_table.read
    only_input_errors(
        lambda data: read(data, file="f", settings={}, strict=False, skip_refused=False), noisy(WORKLOAD, random)
    )
