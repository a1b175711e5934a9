import numpy as np
import pytest

from placement.compilation import compile_problem
from placement.constraints import parse
from placement.errors import InputError
from placement.workload import Job
from solvers.problem import ALL_AGENTS
from solvers.rules import EACH_AGENT, Avoid, Balance, Excludes, Gang, GroupCap, OneGroup, Quota, Requires
from tests.clusters import agent, cluster, job, workload

RACKS = [agent("a1", rack="r1"), agent("a2", rack="r1"), agent("a3", rack="r2"), agent("a4")]


def rules_of(constraints, *others, running=(), relax=(), instances=5):
    where = cluster(*RACKS, running=running)
    compiled = compile_problem(where, workload(job(instances=instances, constraints=constraints), *others), relax=relax)
    return compiled.problem, compiled.problem.rules


def test_a_field_that_names_every_agent_becomes_a_cap_on_each_agent():
    problem, (rule,) = rules_of("hostname:UNIQUE")
    assert isinstance(rule, GroupCap)
    assert (rule.grouping, rule.limit, problem.groupings) == (EACH_AGENT, 1, ())


def test_running_instances_are_counted_by_group():
    _, (rule,) = rules_of("rack:MAX_PER:2", running=["/app a1", "/app a2", "/app a4"])
    assert isinstance(rule, GroupCap)
    assert (rule.counted.group.tolist(), rule.counted.count.tolist()) == ([0], [2])


def test_agents_without_the_field_are_masked_out():
    problem, _ = rules_of("rack:MAX_PER:2")
    assert problem.allowed(0).tolist() == [True, True, True, False]


def test_a_quota_knows_the_instances_that_stand_outside_all_groups():
    _, (rule,) = rules_of("rack:GROUP_BY:2", running=["/app a4"])
    assert isinstance(rule, Quota)
    assert (rule.groups, rule.each, rule.extra, rule.outside.tolist()) == (2, 2, 1, [1])


def test_a_balance_is_over_the_values_of_agents_that_could_take_an_instance():
    full = agent("a3", rack="r2", cpus=0.5)
    where = cluster(RACKS[0], full, agent("a5", rack="r3", type="private"))
    compiled = compile_problem(where, workload(job(constraints="rack:GROUP_BY;type:UNLIKE:private")))
    (rule,) = (one for one in compiled.problem.rules if isinstance(one, Balance))
    assert rule.relevant.tolist() == [True, False, False]


def test_a_value_where_the_job_runs_matters_though_its_agents_are_full():
    where = cluster(RACKS[0], agent("a3", rack="r2", cpus=0), running=["/app a3"])
    compiled = compile_problem(where, workload(job(instances=3, constraints="rack:GROUP_BY")))
    (rule,) = compiled.problem.rules
    assert isinstance(rule, Balance)
    assert rule.relevant.tolist() == [True, True]


def test_cluster_follows_running_instances_by_mask_and_else_asks_for_one_group():
    _, (rule,) = rules_of("rack:CLUSTER")
    assert isinstance(rule, OneGroup)
    problem, rules = rules_of("rack:CLUSTER", running=["/app a3"])
    assert (rules, problem.allowed(0).tolist()) == ((), [False, False, True, False])


def test_rules_between_jobs_name_the_rows_of_both():
    _, (need, ban) = rules_of("rack:AFFINITY:/db;rack:ANTI_AFFINITY:/web:1", job("/db"), job("/web"))
    assert isinstance(need, Requires)
    assert isinstance(ban, Excludes)
    assert (need.rows.tolist(), need.others.tolist(), ban.others.tolist(), ban.limit) == ([0], [1], [2], 1)


def test_a_constraint_that_names_no_job_is_refused():
    with pytest.raises(InputError, match=r"does not exist.*did you mean '/db'"):
        rules_of("rack:AFFINITY:/bd", job("/db"))


def test_a_relaxed_rule_is_soft_and_a_relaxed_mask_is_counted():
    problem, (avoid, cap) = rules_of("rack:MAX_PER:2", relax=["*/rack:MAX_PER"])
    assert isinstance(avoid, Avoid)
    assert isinstance(cap, GroupCap)
    assert cap.soft
    assert (avoid.mask.tolist(), int(problem.mask[0])) == ([True, True, True, False], ALL_AGENTS)


def test_a_minimum_is_a_gang_of_what_is_still_missing():
    where = cluster(*RACKS, running=["/app a1"])
    compiled = compile_problem(where, workload(job(instances=4, minimum=4)))
    (rule,) = compiled.problem.rules
    assert isinstance(rule, Gang)
    assert (rule.least, compiled.problem.wanted.tolist()) == (3, [3])


def test_jobs_that_name_one_port_exclude_each_other_on_an_agent():
    where = cluster(agent("a1", ports=((80, 80),)), agent("a2", ports=((8080, 8081),)))
    compiled = compile_problem(where, workload(job("/a", ports=(80,)), job("/b", ports=(80,)), job("/c", ports=(0,))))
    (rule,) = compiled.problem.rules
    assert isinstance(rule, GroupCap)
    assert (rule.rows.tolist(), rule.grouping, rule.limit) == ([0, 1], EACH_AGENT, 1)
    assert [compiled.problem.allowed(row).tolist() for row in range(3)] == [[True, False], [True, False], [True, True]]


def test_equal_rules_share_one_mask_and_equal_demands_one_shape():
    jobs = [Job(id=f"/{i}", demand={"cpus": 1000}, constraints=parse("rack:LIKE:r1")) for i in range(5)]
    problem = compile_problem(cluster(*RACKS), workload(*jobs)).problem
    assert (len(problem.masks), len(problem.demand)) == (1, 1)


def test_a_resource_that_no_agent_has_excludes_all():
    problem = compile_problem(cluster(*RACKS), workload(Job(id="/a", demand={"fpga": 1000}))).problem
    assert not problem.allowed(0).any()


def test_agents_that_run_something_are_held():
    problem = compile_problem(cluster(*RACKS, running=["/other a2"]), workload(job())).problem
    assert np.flatnonzero(problem.held).tolist() == [1]
