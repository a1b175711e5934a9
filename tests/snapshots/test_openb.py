"""The openb trace."""

import gzip

import pytest

from placement.constraints import Like
from placement.patterns import Pattern
from placement.snapshots import read_cluster
from placement.snapshots.openb import read_pods
from tests.shared import needs_shared, shared


def test_nodes_become_agents_and_what_is_added_is_said(tmp_path):
    file = tmp_path / "nodes.csv"
    file.write_text("sn,cpu_milli,memory_mib,gpu,model\nn1,32500,1024,0,\nn2,64000,2048,2,T4\n")
    with pytest.warns(UserWarning, match="ports 31000-32000 and 1000000 MB"):
        found = read_cluster(file)
    assert found.free.tolist() == [[32500, 1_024_000, 10**9, 0], [64000, 2_048_000, 10**9, 2000]]
    assert found.column("model").values == ("T4",)
    assert found.records[0].ports == ((31000, 32000),)


def test_pods_are_grouped_by_shape_and_shares_of_a_gpu_are_left_out(tmp_path):
    file = tmp_path / "pods.csv.gz"
    rows = ["name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec", "p1,1000,512,0,0,", "p2,1000,512,0,0,",
            "p3,4000,512,2,1000,T4|P100", "p4,4000,512,1,460,"]  # fmt: skip
    file.write_bytes(gzip.compress("\n".join(rows).encode()))
    found = read_pods(file)
    assert [(one.instances, dict(one.demand)) for one in found.jobs] == [
        (2, {"cpus": 1000, "mem": 512_000}),
        (1, {"cpus": 4000, "mem": 512_000, "gpus": 2000}),
    ]
    assert found.jobs[1].constraints == (Like("model", Pattern.compile("T4|P100")),)
    (left,) = found.left_out
    assert (left.instances, left.reason) == (1, "asks for 460/1000 of one gpu")


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore::placement.errors.InputWarning")
@needs_shared
def test_the_real_trace_is_read():
    folder = shared("data", "openb-gpu-2023")
    cluster = read_cluster(folder / "openb_node_list_all_node.csv")
    assert (len(cluster), cluster.free[:, cluster.resource("gpus")].sum()) == (1523, 6_212_000)
    pods = read_pods(folder / "openb_pod_list_default.csv.gz")
    assert pods.instances + sum(one.instances for one in pods.left_out) == 8152
    assert sum(one.instances for one in pods.left_out) == 3078
