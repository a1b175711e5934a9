import json
import tarfile
from io import BytesIO

import numpy as np
import pytest

from tests.benchmarks import vbp
from tests.shared import needs_shared, shared

TEXT = """2
10 8
4
6 1 1
4 7 1
6 1 1
2 2 3
"""


def instance():
    return vbp.parse("hand", TEXT, 2)


def write_data(folder, family="New"):
    """One instance of known optimum and one of unknown."""
    (folder / f"{family}_known.csv").write_text("instance,n,dims,LB,OPT\nhand,6,2,2,3\nopen,6,2,2,\n")
    with tarfile.open(folder / f"{family}.tar.gz", "w:gz") as archive:
        for name in ("hand", "open"):
            member = tarfile.TarInfo(f"{family}/{name}.vbp")
            member.size = len(TEXT)
            archive.addfile(member, BytesIO(TEXT.encode()))


def test_a_file_is_read_and_equal_items_are_merged():
    read = instance()
    assert read.size.tolist() == [[2, 2], [4, 7], [6, 1]]
    assert read.demand.tolist() == [3, 1, 2]
    assert read.capacity.tolist() == [10, 8]


def test_only_instances_of_known_optimum_are_drawn(tmp_path):
    write_data(tmp_path)
    assert [(one.name, one.optimum) for one in vbp.draw(tmp_path, "New", 50, seed=1)] == [("hand", 3)]


@pytest.mark.parametrize(
    ("patterns", "times", "holds"),
    [
        ([[0, 1, 1], [2, 0, 1], [1, 0, 0]], [1, 1, 1], True),
        ([[0, 1, 1], [3, 0, 1]], [1, 1], False),  # 3 x (2, 2) + (6, 1) exceeds both capacities
        ([[0, 1, 1], [2, 0, 1]], [1, 1], False),  # one item is missing
        ([[0, 1, 1], [2, 0, 1], [1, 0, 0]], [1, 1, 2], False),  # one item is packed twice
        ([[0, 1, 1], [2, 0, 1], [2, 0, 0], [-1, 0, 0]], [1, 1, 1, 1], False),
    ],
)
def test_a_packing_is_judged_item_by_item(patterns, times, holds):
    assert vbp.verified(instance(), np.array(patterns), np.array(times)) is holds


def test_the_command_prints_an_object_an_instance_and_one_a_family(tmp_path, capsys):
    write_data(tmp_path)
    vbp.main(["--data", str(tmp_path), "--family", "New", "--sample", "5", "--seed", "1", "--deadline", "5"])
    report, total = map(json.loads, capsys.readouterr().out.splitlines())
    assert {key: report[key] for key in ("instance", "value", "bound", "gap", "proved", "placed", "optimum")} == {
        "instance": "hand", "value": 3, "bound": 3, "gap": 0.0, "proved": True, "placed": 6, "optimum": 3,
    }  # fmt: skip
    assert report["verified"]
    assert set(report["seconds"]) == {"compile", "solve", "verify"}
    assert (total["number"], total["reached"], total["proved"], total["below"]) == (1, 1, 1, 0)


def test_every_item_is_packed_whether_sizes_are_negative_or_not():
    size, one, room = np.array([[60, 40], [50, 30], [-10, 30]]), np.ones(3, np.int64), np.array([100, 100])
    for given in (size, abs(size)):
        report = vbp.measure(vbp.Instance("hand", given, one, room, 0), vbp.Settings(deadline=5.0))
        assert (report["placed"], report["verified"], report["proved"]) == (3, True, True)


@needs_shared
@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.parametrize("family", vbp.FAMILIES)
def test_known_optima_are_reached_and_never_undercut(family):
    drawn = vbp.draw(shared("data", "vbp"), family, 5, seed=1)
    reports = [vbp.measure(one, vbp.Settings(deadline=20.0)) for one in drawn]
    total = vbp.summary(family, reports)
    assert (total["below"], total["verified"]) == (0, 5)
    assert total["reached"] >= 4
