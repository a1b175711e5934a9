"""Groups: relative ids, dependencies, layers, roles; and several files together."""

import json

import pytest

from placement.errors import InputError
from placement.frameworks import read_workload
from placement.frameworks.marathon import Refused
from tests.frameworks.documents import app, read


def named(name, **more):
    return {**app(**more), "id": name}


def layers(document):
    return {job.id: job.layer for job in read(document).workload.jobs}


def test_ids_and_dependencies_are_relative_to_the_enclosing_group():
    group = {"id": "/", "groups": [{"id": "g", "apps": [named("a"), named("b", dependencies=["a"])]}]}
    assert layers(group) == {"/g/a": 1, "/g/b": 2}


def test_a_dependency_may_climb_and_the_root_is_the_end():
    group = {"id": "/product", "groups": [
        {"id": "database", "apps": [named("db")]},
        {"id": "service", "apps": [named("s", dependencies=["specific/../../database"]),
                                   named("t", dependencies=["../../../../product/database/db"])]}]}  # fmt: skip
    assert layers(group) == {"/product/database/db": 1, "/product/service/s": 2, "/product/service/t": 2}


def test_a_layer_is_the_longest_chain_and_groups_bind_all_apps_below():
    group = {"id": "/g", "groups": [
        {"id": "one", "apps": [named("a")]},
        {"id": "two", "apps": [named("b")], "dependencies": ["/g/one"]},
        {"id": "three", "apps": [named("c")], "dependencies": ["/g/one", "/g/two"]}]}  # fmt: skip
    assert layers(group) == {"/g/one/a": 1, "/g/two/b": 2, "/g/three/c": 3}


def test_a_circle_is_refused():
    apps = [named("/a", dependencies=["/b"]), named("/b", dependencies=["/a"])]
    with pytest.raises(Refused, match=r"circle.*/a -> /b|/b -> /a"):
        read(apps)


def test_a_dependency_on_nothing_is_no_edge():
    with pytest.warns(UserWarning, match="names nothing"):
        assert layers([named("/a", dependencies=["/nobody"])]) == {"/a": 1}


@pytest.mark.parametrize(
    ("document", "section"),
    [
        ({"id": "/g", "apps": [named("/other/a")]}, "2.1"),
        ({"id": "/", "groups": [{"id": "/a", "groups": [{"id": "/b"}]}]}, "2.1"),
        ({"id": "/", "apps": [named("/foo/bla")]}, "2.1"),
        ({"id": "/g", "scaleBy": 2}, "1.3"),
        ({"id": "/g", "groups": [{"id": "h", "enforceRole": True}]}, "2.2"),
    ],
)
def test_misplaced_parts_of_a_group_are_refused(document, section):
    with pytest.raises(Refused) as error:
        read(document)
    assert error.value.section == section


def test_an_enforced_role_is_the_default_below_its_group():
    group = {"id": "/prod", "enforceRole": True, "apps": [named("a")], "groups": [{"id": "h", "apps": [named("b")]}]}
    assert {job.id: job.role for job in read(group).workload.jobs} == {"/prod/a": "prod", "/prod/h/b": "prod"}


def test_what_is_refused_can_be_left_out_with_the_reason(tmp_path):
    file = tmp_path / "apps.json"
    file.write_text(json.dumps([named("/good"), named("/BAD", instances=3)]))
    found = read_workload([file], skip_refused=True).workload
    assert [job.id for job in found.jobs] == ["/good"]
    (left,) = found.left_out
    assert (left.id, left.instances) == ("/BAD", 3)
    assert "2.1" in left.reason


def write(tmp_path, name, *apps):
    file = tmp_path / name
    file.write_text(json.dumps(list(apps)))
    return file


def test_equal_jobs_of_two_files_are_one_and_different_ones_an_error(tmp_path):
    one, same = write(tmp_path, "one.json", named("/a")), write(tmp_path, "same.json", named("/a"))
    other = write(tmp_path, "other.json", named("/a", cpus=2))
    assert len(read_workload([one, same]).workload) == 1
    with pytest.raises(InputError, match=r"other\.json.*one\.json"):
        read_workload([one, other])


def test_files_can_be_kept_apart_by_their_names(tmp_path):
    one = write(tmp_path, "one.json", named("/a"), named("/b", dependencies=["/a"]))
    other = write(tmp_path, "Other.json", named("/a", cpus=2))
    found = read_workload([one, other], prefix_files=True).workload
    assert [job.id for job in found.jobs] == ["/one/a", "/one/b", "/other/a"]
    assert found.job("/one/b").dependencies == ("/one/a",)


def test_instances_can_be_scaled(tmp_path):
    assert read_workload([write(tmp_path, "a.json", named("/a", instances=3))], scale=20).workload.instances == 60
