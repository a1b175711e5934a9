"""CSV snapshots: columns and cells."""

import pytest

from placement.errors import InputError
from placement.snapshots import read_cluster


def read(tmp_path, text, **more):
    file = tmp_path / "s.csv"
    file.write_text(text)
    return read_cluster(file, **more)


def test_known_columns_fill_the_model_and_all_others_are_attributes(tmp_path):
    found = read(
        tmp_path,
        "agent,hostname,@region,@zone,cpus,mem,resource:network,ports,cpus(prod),ports(prod),price,unavailable_from,"
        "unavailable_for,rack,zone,attribute:price\n"
        "a1,h1,eu,z9,4,1024,10,31000-32000;80,2,9000,1.5,2026-01-01T00:00:00Z,60,r1,hall,cheap\n",
    )
    (record,) = found.records
    assert (record.id, record.hostname, record.region, record.zone) == ("a1", "h1", "eu", "z9")
    assert dict(record.free) == {"cpus": 4000, "mem": 1_024_000, "network": 10_000}
    assert record.ports == ((31000, 32000), (80, 80))
    (reserved,) = record.reservations
    assert (reserved.role, dict(reserved.amounts), reserved.ports) == ("prod", {"cpus": 2000}, ((9000, 9000),))
    assert (record.price, record.unavailable_from, record.unavailable_for) == (1500, 1767225600.0, 60.0)
    assert [(name, value.text) for name, value in record.attributes] == [
        ("rack", "r1"),
        ("zone", "hall"),
        ("price", "cheap"),
    ]


def test_id_may_stand_for_agent_and_an_empty_cell_is_absent(tmp_path):
    found = read(tmp_path, "id,cpus,rack\na1,1,\na2,,r2\n")
    assert found.agents == ("a1", "a2")
    assert found.column("rack").codes.tolist() == [-1, 0]
    assert found.free[:, 0].tolist() == [1000, 0]


@pytest.mark.parametrize(
    ("cell", "kind", "text"),
    [("7.0", "scalar", "7"), ("\"'007'\"", "text", "007"), ('"{b,a}"', "set", "{a,b}"), ("[1-2]", "ranges", "[1-2]")],
)
def test_cells_follow_mesos_typing(tmp_path, cell, kind, text):
    (value,) = dict(read(tmp_path, f"agent,cpus,x\na,1,{cell}\n").records[0].attributes).values()
    assert (value.kind, value.text) == (kind, text)


def test_totals_are_kept_apart_from_what_is_free(tmp_path):
    found = read(tmp_path, "agent,cpus,cpus(prod)\na,4,1\n", total=True)
    assert (found.total[0, 0], found.free[0, 0]) == (5000, 4000)


def test_windows_line_ends_and_a_byte_order_mark_are_fine(tmp_path):
    file = tmp_path / "s.csv"
    file.write_bytes(b"\xef\xbb\xbfagent,cpus\r\na1,1\r\n")
    assert read_cluster(file).agents == ("a1",)


def test_an_unknown_format_names_the_nearest(tmp_path):
    with pytest.raises(InputError, match="did you mean 'jsonlines'"):
        read(tmp_path, "agent,cpus\na,1\n", format="jsonline")
