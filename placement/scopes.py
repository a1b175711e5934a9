"""How the constraints of one job become rules over its row; see `placement.constraints.base.Scope`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from placement.cluster import Bool
from placement.constraints.affinity import Affinity
from placement.constraints.anti_affinity import AntiAffinity
from placement.constraints.base import AgentRule, Constraint, Scene
from placement.constraints.group_by import GroupBy
from placement.constraints.text import relaxed
from placement.workload import Job
from solvers.rules import Avoid, Balance, Counts, Excludes, GroupCap, OneGroup, Quota, Requires

if TYPE_CHECKING:
    from placement.compilation import Compiler


class JobScope:
    """Writes the constraints of one job as rules over its fresh row (implements `constraints.base.Scope`).

    Instances that are launched again count already and have masks of their own, so no rule is about their rows.
    """

    def __init__(self, compiler: Compiler, number: int, job: Job) -> None:
        self.compiler = compiler
        self.number = number
        self.job = job
        fresh = compiler.fresh_row[number]
        self.rows = np.array([] if fresh is None else [fresh], np.int32)
        self.scene = Scene(compiler.cluster, job, compiler.tallies[number].known, compiler.known_of)
        self.soft = False
        self.constraint: Constraint | None = None
        self.hard: list[Constraint] = []

    @property
    def restricted(self) -> bool:
        """Whether some hard rule beside the balances may forbid an agent at the beginning by what runs already."""
        return any(not isinstance(one, AgentRule) and self._bites(one) for one in self.hard)

    def _bites(self, constraint: Constraint) -> bool:
        between = isinstance(constraint, Affinity | AntiAffinity) and not self._unknown_yet(constraint)
        return bool(len(self.scene.known)) or between

    def _unknown_yet(self, constraint: Constraint) -> bool:
        index = self.compiler.workload.index
        return (
            isinstance(constraint, Affinity)
            and constraint.other in index
            and self.compiler.tallies[index[constraint.other]].fresh > 0
        )

    def steps(self) -> Bool:
        """Return bool[agents]: where every hard rule but the balances allows one further instance.

        An affinity to a job that grows is left out as well: where it will be is not known when the round begins.
        """
        allowed = np.ones(len(self.compiler.cluster), np.bool_)
        for constraint in self.hard:
            if not isinstance(constraint, AgentRule) and not self._unknown_yet(constraint):
                allowed &= constraint.mask(self.scene)
        return allowed

    def write(self, constraint: Constraint) -> None:
        """Write one constraint, hard or relaxed."""
        self.constraint = constraint
        self.soft = relaxed(self.compiler.relax, self.job.id, constraint)
        if not self.soft and not (isinstance(constraint, GroupBy) and constraint.count is None):
            self.hard.append(constraint)
        if isinstance(constraint, AgentRule) and not self.soft and type(constraint).compile is AgentRule.compile:
            self._restrict(self.compiler.rule_mask(constraint, self.scene))
        else:
            constraint.compile(self)

    def allow(self, mask: Bool) -> None:
        """Allow only the agents in a mask; relaxed: count the instances elsewhere."""
        if self.soft:
            if not mask.all():
                self.compiler.add(Avoid(rows=self.rows, mask=mask), (self.number, self.constraint))
        else:
            self._restrict(self.compiler.masks.number(mask))

    def cap(self, field: str, limit: int) -> None:
        """At most `limit` on each value."""
        self._with_value(field)
        groupings = self.compiler.groupings
        counted = groupings.counted(field, self.scene.known)
        rule = GroupCap(rows=self.rows, soft=self.soft, grouping=groupings.number(field), limit=limit, counted=counted)
        self.compiler.add(rule, (self.number, self.constraint))

    def one_value(self, field: str) -> None:
        """All on one value."""
        self._with_value(field)
        rule = OneGroup(rows=self.rows, soft=self.soft, grouping=self.compiler.groupings.number(field))
        self.compiler.add(rule, (self.number, self.constraint))

    def quota(self, field: str, groups: int, each: int, extra: int) -> None:
        """Shares on a number of values."""
        self._with_value(field)
        groupings, known = self.compiler.groupings, self.scene.known
        absent = int((self.compiler.cluster.column(field).lookup(known) < 0).sum())
        rule = Quota(
            rows=self.rows,
            soft=self.soft,
            grouping=groupings.number(field),
            groups=groups,
            each=each,
            extra=extra,
            counted=groupings.counted(field, known),
            outside=np.array([absent] if absent else [], np.int64),
        )
        self.compiler.add(rule, (self.number, self.constraint))

    def balance(self, field: str, at_least: int) -> None:
        """Each new instance to a value whose count is least."""
        self._with_value(field)
        groupings, known = self.compiler.groupings, self.scene.known
        number, counted = groupings.number(field), groupings.counted(field, known)
        relevant = self.compiler.relevant(self.number, self, field)
        absent = int((self.compiler.cluster.column(field).lookup(known) < 0).sum())
        if at_least and absent:  # instances without a value are a group in use, which no agent belongs to
            number = groupings.with_one_more(field)
            counted = Counts(np.append(counted.group, np.int32(len(relevant))), np.append(counted.count, absent))
            relevant = np.append(relevant, False)
        rule = Balance(
            rows=self.rows, soft=self.soft, grouping=number, relevant=relevant, at_least=at_least, counted=counted
        )
        self.compiler.add(rule, (self.number, self.constraint))

    def require(self, field: str, other: str) -> None:
        """Only where the other job is."""
        self._with_value(field)
        groupings = self.compiler.groupings
        rule = Requires(
            rows=self.rows,
            soft=self.soft,
            grouping=groupings.number(field),
            others=self.compiler.other_rows(other, self.job),
            others_counted=groupings.counted(field, self.compiler.known_of(other)),
        )
        self.compiler.add(rule, (self.number, self.constraint))

    def exclude(self, field: str, other: str, limit: int) -> None:
        """At most `limit` where the other job is."""
        groupings = self.compiler.groupings
        rule = Excludes(
            rows=self.rows,
            soft=self.soft,
            grouping=groupings.number(field),
            others=self.compiler.other_rows(other, self.job),
            limit=limit,
            counted=groupings.counted(field, self.scene.known),
            others_counted=groupings.counted(field, self.compiler.known_of(other)),
        )
        self.compiler.add(rule, (self.number, self.constraint))

    def _with_value(self, field: str) -> None:
        """Keep off agents without a value of the field."""
        if self.soft:
            self.allow(self.compiler.cluster.column(field).codes >= 0)
        else:
            self._restrict(self.compiler.present(field))

    def _restrict(self, mask: int) -> None:
        for row in self.rows.tolist():
            self.compiler.mask_of[row] = self.compiler.masks.joined((self.compiler.mask_of[row], mask))
