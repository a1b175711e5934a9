"""What is written is read back: JSON lines and DataFrames without loss, CSV the pooled model."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placement.cluster import Cluster, Disk
from placement.errors import InputError
from placement.snapshots import jsonlines, read_cluster, table, write_cluster
from placement.snapshots.frames import from_frames, to_frames
from tests.clusters import agent, cluster
from tests.snapshots.records import agents, instances


def sorted_running(found):
    return sorted(found.running.instances, key=lambda one: one.instance)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_json_lines_lose_nothing(data):
    records = data.draw(agents())
    before = Cluster.build(records, data.draw(instances([one.id for one in records])))
    after = jsonlines.read(jsonlines.write(before).encode(), file="f")
    assert after.records == before.records
    assert sorted_running(after) == sorted_running(before)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_frames_lose_nothing(data):
    records = data.draw(agents())
    before = Cluster.build(records, data.draw(instances([one.id for one in records])))
    after = from_frames(**vars(to_frames(before)))
    for one, other in zip(after.records, before.records, strict=True):
        assert {k: v for k, v in one.free.items() if v} == {k: v for k, v in other.free.items() if v}
        for name in ("id", "hostname", "ports", "region", "zone", "disks", "volumes", "price", "unavailable_from"):
            assert getattr(one, name) == getattr(other, name)
        assert sorted(one.attributes, key=str) == sorted(other.attributes, key=str)
        assert [(r.role, dict(r.amounts), r.ports, r.owner, r.labels, r.dynamic) for r in one.reservations] == [
            (r.role, dict(r.amounts), r.ports, r.owner, r.labels, r.dynamic) for r in other.reservations
        ]
    assert sorted_running(after) == sorted_running(before)


@settings(max_examples=60, deadline=None)
@given(agents(pooled=True))
def test_csv_keeps_the_pooled_model(records):
    before = Cluster.build(records)
    assert table.lost(before) == []
    after = table.read(table.write(before).encode(), file="f")
    assert after.agents == before.agents
    assert after.hostnames == before.hostnames
    assert [dict(one.attributes) for one in after.records] == [dict(one.attributes) for one in before.records]
    for name in ("ports", "region", "zone", "price", "unavailable_from", "unavailable_for"):
        assert [getattr(one, name) for one in after.records] == [getattr(one, name) for one in before.records]
    for name in before.resources:
        assert after.free[:, after.resource(name)].tolist() == before.free[:, before.resource(name)].tolist() or (
            not before.free[:, before.resource(name)].any()
        )


def test_a_csv_that_would_lose_something_is_refused_by_name_and_leaves_nothing(tmp_path):
    with_disk = cluster(agent("a", disks=(Disk(kind="path", path="/p", size=1000),)), running=["/app a"])
    target = tmp_path / "out.csv"
    with pytest.raises(InputError, match="lose disks, running instances"):
        write_cluster(with_disk, target, format="csv")
    assert list(tmp_path.iterdir()) == []
    write_cluster(with_disk, target, format="csv", lossy=True)
    assert read_cluster(target).agents == ("a",)
