"""CSV workloads."""

import pytest

from placement.constraints import parse
from placement.errors import InputError
from placement.frameworks import read_workload
from placement.frameworks.table import lost, write_workload
from tests.clusters import job, workload


def read(tmp_path, text):
    file = tmp_path / "w.csv"
    file.write_text(text)
    return read_workload([file]).workload


def test_one_row_a_job(tmp_path):
    (found,) = read(
        tmp_path,
        "job,instances,min,cpus,mem,resource:network,ports,constraints,role,priority,weight\n"
        "a,4,2,0.5,128,10,2,rack:GROUP_BY:3;hostname:UNIQUE,prod,7,2.5\n",
    ).jobs
    assert (found.id, found.instances, found.minimum, found.ports) == ("a", 4, 2, (0, 0))
    assert dict(found.demand) == {"cpus": 500, "mem": 128_000, "network": 10_000}
    assert found.constraints == parse("rack:GROUP_BY:3;hostname:UNIQUE")
    assert (found.role, found.accepted_roles, found.priority, found.weight) == ("prod", ("*", "prod"), 7, 2500)


@pytest.mark.parametrize(("cell", "ports"), [("", ()), ("3", (0, 0, 0)), ("80;443", (80, 443)), ("80;", (80,))])
def test_ports_are_a_count_or_fixed_ones(tmp_path, cell, ports):
    assert read(tmp_path, f"job,cpus,ports\na,1,{cell}\n").jobs[0].ports == ports


def test_dependencies_make_layers(tmp_path):
    found = read(tmp_path, "job,cpus,dependencies\na,1,b;c\nb,1,c\nc,1,\n")
    assert {one.id: one.layer for one in found.jobs} == {"a": 3, "b": 2, "c": 1}


def test_one_row_a_task_is_grouped_by_app(tmp_path):
    text = "id,app,cpus,mem,constraint\n" + "".join(f"t{i},web,1,64,rack:GROUP_BY\n" for i in range(3))
    (found,) = read(tmp_path, text).jobs
    assert (found.id, found.instances, found.constraints) == ("web", 3, parse("rack:GROUP_BY"))


def test_tasks_of_one_app_that_differ_become_jobs_of_their_own(tmp_path):
    with pytest.warns(UserWarning, match="differ"):
        found = read(tmp_path, "id,app,cpus\nt1,web,1\nt2,web,2\nt3,web,1\n")
    assert [(one.id, one.instances) for one in found.jobs] == [("web", 2), ("web~2", 1)]


def test_a_workload_written_is_read_back(tmp_path):
    jobs = workload(
        job("/a", 3, "rack:GROUP_BY:3", ports=(80, 443), priority=2),
        job("/b", 2, "hostname:UNIQUE", dependencies=("/a",)),
    )
    assert lost(jobs) == []
    found = read(tmp_path, write_workload(jobs)).jobs
    assert [(one.id, one.instances, one.constraints, one.ports, one.priority) for one in found] == [
        (one.id, one.instances, one.constraints, one.ports, one.priority) for one in jobs.jobs
    ]
    assert [one.layer for one in found] == [1, 2]


def test_what_a_table_cannot_hold_is_named():
    assert lost(workload(job(ports=(0, 80)))) == ["several ports of which some may be any"]


def test_an_unknown_column_is_a_doubt(tmp_path):
    with pytest.warns(UserWarning, match="did you mean 'priority'"):
        read(tmp_path, "job,cpus,prioritty\na,1,2\n")
    file = tmp_path / "w.csv"
    with pytest.raises(InputError, match="unknown column"):
        read_workload([file], strict=True)
