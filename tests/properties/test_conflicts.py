"""Over random clusters and workloads: a conflict is named exactly where not everything fits, and placing agrees with it."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

import placement
from placement.conflicts import ask
from tests.conflicts.judge import can_hold
from tests.properties.worlds import clusters, workloads

SETTINGS = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


@SETTINGS
@given(clusters(most=4), workloads(most=2, instances=3))
def test_a_conflict_is_named_where_not_everything_fits_and_only_there(cluster, workload):
    answer = placement.place(cluster, workload, solver="exact", deadline=20)
    missing = sum(one.count - one.waiting for one in answer.unplaced)
    found = placement.conflict(cluster, workload, deadline=20)
    assert (found is not None) == (missing > 0)
    if found is not None:
        names = {str(reason) for reason in found.reasons}
        assert found.proved
        assert found.minimal
        assert not can_hold(cluster, workload, names)
        for name in sorted(names):
            assert can_hold(cluster, workload, names - {name}), f"not without {name}: {found.lines()}"


@SETTINGS
@given(clusters(most=4), workloads(most=2, instances=3))
def test_everything_fits_with_the_smallest_change(cluster, workload):
    change = placement.smallest_change(cluster, workload, deadline=20)
    every = {str(reason) for reason in ask(cluster, workload).reasons}
    if change is not None:
        assert change.changes
        assert can_hold(cluster, workload, every - {str(reason) for reason in change.reasons})
    else:
        assert can_hold(cluster, workload, every)
