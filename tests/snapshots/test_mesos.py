"""Answers of a Mesos master, and offers."""

import json

import pytest

from placement.snapshots import read_cluster
from placement.snapshots.resources import app_id, instance_name

UUID = "0a1b2c3d-1111-2222-3333-444455556666"


def read(tmp_path, document):
    file = tmp_path / "state.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return read_cluster(file)


def scalar(name, value, **more):
    return {"name": name, "type": "SCALAR", "scalar": {"value": value}, **more}


def ports(first, last, **more):
    return {"name": "ports", "type": "RANGES", "ranges": {"range": [{"begin": first, "end": last}]}, **more}


STATE = {
    "slaves": [
        {
            "id": "S1",
            "hostname": "h1",
            "resources": {"cpus": 8, "mem": 1024, "ports": "[31000-31009]"},
            "unreserved_resources": {"cpus": 6, "mem": 1024, "ports": "[31000-31009]"},
            "reserved_resources": {"prod": {"cpus": 2}},
            "used_resources": {"cpus": 3, "mem": 100, "ports": "[31000-31001]"},
            "attributes": {"rack": "r1", "level": 2.0},
            "domain": {"fault_domain": {"region": {"name": "eu"}, "zone": {"name": "z"}}},
        }
    ],
    "frameworks": [
        {
            "name": "marathon",
            "tasks": [
                {"id": f"web_shop.instance-{UUID}._app.1", "slave_id": "S1", "state": "TASK_RUNNING",
                 "resources": {"cpus": 3, "mem": 100, "ports": "[31000-31001]"}},
                {"id": f"web_shop.{UUID}", "slave_id": "S1", "state": "TASK_FINISHED", "resources": {}},
            ],
        }
    ],
}  # fmt: skip


def test_state_gives_free_and_total_amounts_attributes_domains_and_tasks(tmp_path):
    found = read(tmp_path, STATE)
    (record,) = found.records
    assert (found.free[0, 0], found.total[0, 0], found.pool("prod")[0, 0]) == (3000, 8000, 2000)
    assert record.ports == ((31002, 31009),)
    assert [(name, value.kind, value.text) for name, value in record.attributes] == [
        ("rack", "text", "r1"), ("level", "scalar", "2"),
    ]  # fmt: skip
    assert (record.region, record.zone) == ("eu", "z")
    (task,) = found.running.instances
    assert (task.name, task.agent, task.ports, dict(task.amounts)) == (
        "/web/shop#0", "S1", (31000, 31001), {"cpus": 3000, "mem": 100_000},
    )  # fmt: skip


def test_the_full_lists_tell_which_reservation_is_used(tmp_path):
    labels = {"labels": [{"key": "marathon_task_id", "value": f"db.instance-{UUID}"}]}
    reserved = {"reservations": [{"role": "prod", "type": "DYNAMIC", "principal": "p", "labels": labels}]}
    volume = scalar("disk", 100, disk={"persistence": {"id": "v1"}, "volume": {"container_path": "data"}}, **reserved)
    path = scalar("disk", 500, disk={"source": {"type": "PATH", "path": {"root": "/p"}}})
    document = {"slaves": [{
        "id": "S1", "hostname": "h1", "resources": {},
        "unreserved_resources_full": [scalar("cpus", 4), ports(31000, 31009), path],
        "reserved_resources_full": {"prod": [scalar("cpus", 2, **reserved), volume]},
        "used_resources_full": [scalar("cpus", 1), scalar("cpus", 2, **reserved)],
    }]}  # fmt: skip
    (record,) = read(tmp_path, document).records
    assert dict(record.free) == {"cpus": 3000}
    (own,) = record.reservations
    assert (own.owner, dict(own.amounts), own.dynamic) == (f"/db#{UUID}", {"cpus": 0}, True)
    assert [(one.kind, one.path, one.size) for one in record.disks] == [("path", "/p", 500_000)]
    assert [(one.id, one.owner, one.container_path) for one in record.volumes] == [("v1", f"/db#{UUID}", "data")]


def test_get_agents_gives_what_is_not_allocated(tmp_path):
    info = {"id": {"value": "S1"}, "hostname": "h1",
            "attributes": [{"name": "rack", "type": "TEXT", "text": {"value": "r1"}}]}  # fmt: skip
    document = {"type": "GET_AGENTS", "get_agents": {"agents": [
        {"agent_info": info, "total_resources": [scalar("cpus", 4), ports(1, 9)],
         "allocated_resources": [scalar("cpus", 1.5), ports(1, 2)]}]}}  # fmt: skip
    found = read(tmp_path, document)
    assert (found.agents, found.free[0, 0], found.total[0, 0]) == (("S1",), 2500, 4000)
    assert found.records[0].ports == ((3, 9),)


def test_agents_that_are_not_active_are_left_out_with_a_warning(tmp_path):
    slaves = [{"id": name, "hostname": name, "resources": {"cpus": 1}, "active": name == "S1"} for name in ("S1", "S2")]
    with pytest.warns(UserWarning, match="1 agents are not active"):
        assert read(tmp_path, {"slaves": slaves}).agents == ("S1",)


def test_offers_of_one_agent_are_joined(tmp_path):
    offer = {"agent_id": {"value": "S1"}, "hostname": "h1"}
    lines = [
        {"id": {"value": "O1"}, **offer, "resources": [scalar("cpus", 1), ports(1, 2)]},
        {"id": {"value": "O2"}, **offer, "resources": [scalar("cpus", 2)]},
    ]
    found = read(tmp_path, "\n".join(json.dumps(line) for line in lines))
    assert (found.agents, found.free[0, 0]) == (("S1",), 3000)


@pytest.mark.parametrize(
    ("task", "app"),
    [(f"a_b.instance-{UUID}._app.1", "/a/b"), (f"a_b.{UUID}", "/a/b"), (f"x.marathon-{UUID}", "/x"), ("odd", "/odd")],
)
def test_marathons_task_ids_tell_their_app(task, app):
    assert app_id(task) == app
    assert instance_name(f"a_b.instance-{UUID}") == f"/a/b#{UUID}"


@pytest.mark.slow
def test_a_state_of_100_mb_is_read(tmp_path):
    slave = json.dumps(STATE["slaves"][0])
    filler = json.dumps({"version": "1.11.0", "active": True, "pid": "x" * 500})[1:-1]
    agents = ",".join(slave.replace('"S1"', f'"S{i}"').replace("{", "{" + filler + ",", 1) for i in range(100_000))
    file = tmp_path / "state.json"
    file.write_text('{"slaves":[' + agents + "]}")
    assert file.stat().st_size > 95e6
    told = []
    assert len(read_cluster(file, progress=told.append)) == 100_000
    assert told[-1] == "100000 agents read"
