"""Apps and pods: defaults, ports, roles, volumes, and what Marathon refuses (docs/marathon.md)."""

import pytest

from placement.constraints import FaultDomain, Maintenance, ScarceGpus, parse
from placement.errors import InputError
from placement.frameworks.marathon import Refused
from placement.workload import Upgrade, VolumeRequest
from tests.frameworks.documents import app, job, read

IMPLIED = (FaultDomain(), Maintenance(), ScarceGpus())


def resident(**volume):
    persistent = {"size": 10, **volume}
    return app(role="test", container={"type": "MESOS", "volumes": [
        {"containerPath": "data", "mode": "RW", "persistent": persistent}]})  # fmt: skip


def test_an_app_that_says_little_gets_marathons_defaults():
    found = job({"id": "a", "cmd": "x"})
    assert (found.id, found.instances, dict(found.demand)) == ("/a", 1, {"cpus": 1000, "mem": 128_000})
    assert (found.ports, found.role, found.accepted_roles) == ((0,), "*", ("*",))
    assert (found.constraints, found.upgrade) == (IMPLIED, Upgrade())


@pytest.mark.parametrize(
    ("fields", "ports"),
    [
        ({}, (0,)),
        ({"portDefinitions": []}, ()),
        ({"ports": []}, ()),
        ({"portDefinitions": [{"port": 80}, {"port": 0}]}, (0, 0)),
        ({"portDefinitions": [{"port": 80}, {"port": 81}], "requirePorts": True}, (80, 81)),
        ({"ports": [0], "requirePorts": True}, (10000,)),
        ({"networks": [{"mode": "container/bridge"}], "container": {}}, (0,)),
        (
            {"networks": [{"mode": "container/bridge"}], "container": {"portMappings": [{}, {"hostPort": 31000}]}},
            (0, 31000),
        ),
        ({"networks": [{"mode": "container/bridge"}], "container": {"portMappings": []}}, ()),
        (
            {"networks": [{"mode": "container", "name": "n"}], "container": {"portMappings": [{}, {"hostPort": 0}]}},
            (0,),
        ),
        ({"networks": [{"mode": "container", "name": "n"}], "container": {}}, ()),
        ({"container": {"docker": {"network": "BRIDGE", "portMappings": [{"containerPort": 80}]}}}, (0,)),
        ({"container": {"docker": {"network": "HOST", "portMappings": [{"containerPort": 80}]}}}, (0,)),
        ({"container": {"docker": {"network": "USER"}}, "ipAddress": {"networkName": "n"}}, ()),
    ],
)
def test_host_ports_follow_from_all_forms_of_networks(fields, ports):
    assert job(app(**fields)).ports == ports


def test_service_ports_are_given_once_over_all_apps():
    first, second = read([{**app(ports=[0], requirePorts=True), "id": f"/{name}"} for name in "ab"]).workload.jobs
    assert (first.ports, second.ports) == ((10000,), (10001,))


@pytest.mark.parametrize(
    ("fields", "settings", "accepted"),
    [
        ({"role": "prod"}, {"mesos_role": "prod"}, ("*", "prod")),
        ({}, {"mesos_role": "prod", "accepted_resource_roles_default_behavior": "unreserved"}, ("*",)),
        ({}, {"mesos_role": "prod", "accepted_resource_roles_default_behavior": "reserved"}, ("prod",)),
        ({"acceptedResourceRoles": ["prod"]}, {"mesos_role": "prod"}, ("prod",)),
    ],
)
def test_accepted_roles_follow_the_app_and_the_default(fields, settings, accepted):
    assert job(app(**fields), **settings).accepted_roles == accepted


def test_a_resident_app_accepts_unreserved_resources_and_upgrades_in_place():
    found = job(resident(type="mount", maxSize=20), mesos_role="test")
    assert found.volumes == (VolumeRequest(name="data", size=10_000, kind="mount", most=20_000),)
    assert found.accepted_roles == ("*",)
    assert found.upgrade == Upgrade(minimum_health_capacity=0.5, maximum_over_capacity=0.0)


def test_a_profile_makes_a_mount_volume():
    (volume,) = job(resident(profileName="fast"), mesos_role="test").volumes
    assert (volume.kind, volume.profile) == ("mount", "fast")


def test_constraints_on_region_or_zone_open_remote_regions():
    found = job(app(constraints=[["@zone", "UNIQUE"]]), local_region="home")
    assert found.constraints == (*parse("@zone:UNIQUE"), Maintenance(), ScarceGpus())


def test_the_gpu_label_overrides_the_setting():
    labels = {"GPU_SCHEDULING_BEHAVIOR": "unrestricted"}
    assert job(app(labels=labels)).constraints == (FaultDomain(), Maintenance())
    assert job(app(), gpu_scheduling_behavior="unrestricted").constraints == (FaultDomain(), Maintenance())


def test_the_label_for_further_constraints_is_read():
    found = job(app(labels={"placement.constraints": "rack:AFFINITY:/db"}))
    assert found.constraints[0] == parse("rack:AFFINITY:/db")[0]


def test_group_by_takes_the_generation_of_the_settings():
    rules = [["rack", "GROUP_BY", "2"]]
    assert job(app(constraints=rules)).constraints[0].generation == "quota"
    assert job(app(constraints=rules), group_by="classic").constraints[0].generation == "classic"


def test_a_pod_needs_the_sum_of_its_containers_and_the_executor():
    pod = {"id": "/p", "containers": [{"name": "c", "resources": {"cpus": 1, "mem": 64}}] * 2,
           "scaling": {"kind": "fixed", "instances": 3}}  # fmt: skip
    found = job(pod)
    assert (found.instances, dict(found.demand)) == (3, {"cpus": 2100, "mem": 160_000, "disk": 10_000})


def test_a_pods_endpoints_take_host_ports_only_where_they_say_so():
    container = {"name": "c", "resources": {}, "endpoints": [{"name": "a", "containerPort": 1},
                                                             {"name": "b", "containerPort": 2, "hostPort": 0}]}  # fmt: skip
    assert job({"id": "/p", "containers": [container], "networks": [{"mode": "container/bridge"}]}).ports == (0,)


def test_tasks_of_an_api_answer_are_running_instances():
    task = {"id": "a.1", "slaveId": "S1", "state": "TASK_UNREACHABLE", "ports": [31000], "startedAt": "2020-01-01T00:00:00Z",
            "healthCheckResults": [{"alive": True}, {"alive": False}]}  # fmt: skip
    (instance,) = read({"apps": [app(tasks=[task])]}).running
    assert (instance.name, instance.agent, instance.state, instance.ports) == ("/a#0", "S1", "unreachable", (31000,))
    assert (instance.healthy, instance.started_at) == (False, 1577836800.0)


REFUSED = {
    "2.1 bad character": ("2.1", {"id": "/a!"}),
    "2.1 hyphen at the end": ("2.1", {"id": "/a-"}),
    "2.1 reserved word": ("2.1", {"id": "/a/restart"}),
    "4.2 empty list": ("4.2", {"acceptedResourceRoles": []}),
    "4.2 another role": ("4.2", {"acceptedResourceRoles": ["other"]}),
    "4.2 bad role name": ("4.2", {"acceptedResourceRoles": ["-x"]}),
    "5.2 ports twice": ("5.2", {"ports": [80, 80]}),
    "5.2 names twice": ("5.2", {"portDefinitions": [{"port": 0, "name": "x"}, {"port": 0, "name": "x"}]}),
    "5.1 ports differ": ("5.1", {"ports": [1], "portDefinitions": [{"port": 2}]}),
    "5.3 host with a name": ("5.3", {"networks": [{"mode": "host", "name": "n"}]}),
    "5.3 no name": ("5.3", {"networks": [{"mode": "container"}]}),
    "5.3 host and bridge": ("5.3", {"networks": [{"mode": "host"}, {"mode": "container/bridge"}]}),
    "5.3 equal names": ("5.3", {"networks": [{"mode": "container", "name": "n"}] * 2, "container": {"type": "MESOS"}}),
    "5.3 mappings in host mode": ("5.3", {"networks": [{"mode": "host"}], "container": {"portMappings": [{}]}}),
    "6.5 one element": ("6.5", {"constraints": [["rack"]]}),
    "6.5 four elements": ("6.5", {"constraints": [["rack", "LIKE", "a", "b"]]}),
    "6.5 unknown operator": ("6.5", {"constraints": [["rack", "NEAR", "a"]]}),
    "6.5 no list": ("6.5", {"constraints": "rack:UNIQUE"}),
    "6.5 AFFINITY is not Marathon's": ("6.5", {"constraints": [["rack", "AFFINITY", "/b"]]}),
    "1.1 limit below the request": ("1.1", {"cpus": 2, "resourceLimits": {"cpus": 1}}),
    "1.1 limit is a word": ("1.1", {"resourceLimits": {"mem": "Infinity"}}),
    "1.1 cmd and args": ("1.1", {"args": ["x"]}),
    "1.1 gpus without the feature": ("1.1", {"gpus": 1}),
    "1.1 upgrade above 1": ("1.1", {"upgradeStrategy": {"maximumOverCapacity": 2}}),
    "10.2 two single instances": ("10.2", {"instances": 2, "labels": {"MARATHON_SINGLE_INSTANCE_APP": "true"}}),
    "11 expunged before inactive": (
        "11", {"unreachableStrategy": {"inactiveAfterSeconds": 2, "expungeAfterSeconds": 1}}),
}  # fmt: skip


@pytest.mark.parametrize(("section", "fields"), REFUSED.values(), ids=REFUSED)
def test_what_marathon_refuses_is_refused_by_the_section_that_says_so(section, fields):
    with pytest.raises(Refused) as error:
        job(app(**fields))
    assert error.value.section == section


@pytest.mark.parametrize(
    "volume",
    [
        {"size": 0}, {"size": -1}, {"type": "tape"}, {"maxSize": 20}, {"type": "mount", "maxSize": 10},
        {"constraints": [["path", "LIKE", ".*"]]}, {"type": "path", "constraints": [["path", "IS", "/a"]]},
        {"type": "path", "constraints": [["host", "LIKE", "/a"]]}, {"type": "path", "constraints": [["path", "LIKE", "*"]]},
    ],
)  # fmt: skip
def test_bad_persistent_volumes_are_refused(volume):
    with pytest.raises(Refused) as error:
        job(resident(**volume), mesos_role="test")
    assert error.value.section == "8.2"


@pytest.mark.parametrize(
    ("path", "mode"), [("", "RW"), (".", "RW"), ("..", "RW"), ("/a", "RW"), ("a/b", "RW"), ("a", "RO")]
)
def test_bad_paths_and_modes_of_volumes_are_refused(path, mode):
    volume = {"containerPath": path, "mode": mode, "persistent": {"size": 1}}
    with pytest.raises(Refused):
        job(app(container={"type": "MESOS", "volumes": [volume]}))


def external(name, instances=1, **more):
    details = {"name": name, "provider": "dvdi", "options": {"dvdi/driver": "rexray"}, **more}
    return app(instances=instances, container={"type": "MESOS", "volumes": [
        {"containerPath": "x", "mode": "RW", "external": details}]})  # fmt: skip


def test_an_external_volume_has_one_user_unless_all_share_it():
    settings = {"enable_features": "external_volumes"}
    with pytest.raises(Refused) as error:
        read([external("v"), {**external("v"), "id": "/b"}], **settings)
    assert error.value.section == "8.4"
    assert len(read([external("v", shared=True), {**external("v", shared=True), "id": "/b"}], **settings).workload) == 2
    with pytest.raises(Refused):
        job(external("v", instances=2), **settings)


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (app(cpus="many"), "cpus"),
        (app(cpus=-1), "cpus"),
        (app(instances=1.5), "instances"),
        (app(instances=-1), "instances"),
        ({"cmd": "x", "apps": [{"id": "a"}, {"cmd": "x"}]}, r"apps\[1\]|apps\[0\]"),
        (app(constraints=[["a", "UNIQUE"], ["b"]]), r"constraints\[1\]"),
        (app(container={"volumes": [{"containerPath": 1, "persistent": {"size": 1}}]}), r"volumes\[0\]"),
        (app(version="yesterday"), "version"),
    ],
)
def test_an_error_names_the_json_path(document, place):
    with pytest.raises(InputError, match=place):
        read(document)


def test_an_unknown_setting_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'mesos_role'"):
        job(app(), mesos_rolle="x")
