"""Why instances were not placed: what each rule removed, what the nearest agents lack, what single change would help.

It looks at the cluster as the answer leaves it, and asks for one further instance of each job that lacks some.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from placement.amounts import text
from placement.cluster import HOSTNAME_FIELDS, Bool, Cluster
from placement.compilation import Compiled, compile_problem
from placement.constraints.base import AgentRule, Constraint, Scene
from placement.constraints.text import relaxed
from placement.counting import known_agents
from placement.eligibility import Check, Eligibility, eligible, without_constraint
from placement.occupation import occupy
from placement.placements import Answer, Unplaced
from placement.workload import Workload
from solvers.rules import Balance, Gang

NEAREST = 3
"""How many of the nearest agents are shown."""

UNIT = {"cpus": "cpus", "mem": "MB of mem", "disk": "MB of disk", "gpus": "gpus", "ports": "ports"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What one check did: agents it removed of those left by the checks before it, and by itself alone."""

    check: str
    reason: str
    removed: int
    alone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """An agent that fails the fewest checks, and what it lacks, in words."""

    agent: str
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change that would place one more instance, in words, and on how many agents it then could go."""

    text: str
    agents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why instances of one job are missing.

    Attributes
    ----------
    job, missing
        Job id and number of instances not placed.
    agents
        Number of agents looked at.
    funnel
        The checks in the order of evaluation.
    nearest
        The agents that come closest.
    changes
        Single changes that would place one more instance, the smallest first.
    notes
        What else stood in the way.
    """

    job: str
    missing: int
    agents: int
    funnel: tuple[Removed, ...]
    nearest: tuple[Near, ...]
    changes: tuple[Change, ...]
    notes: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return the explanation as plain lines."""
        lines = [f"{self.job}: {self.missing} not placed"]
        lines += [f"  {note}" for note in self.notes]
        for one in self.funnel:
            reason = f" [{one.reason}]" if one.reason else ""
            lines.append(f"  {one.check} removed {one.removed} agents, alone {one.alone}{reason}")
        lines += [f"  nearest: {one.agent} lacks {'; '.join(one.lacks)}" for one in self.nearest]
        lines += [f"  would place one more: {one.text} ({one.agents} agents)" for one in self.changes]
        return lines


def explain(
    cluster: Cluster, workload: Workload, answer: Answer, *, relax: Sequence[str] = (), job: str | None = None
) -> tuple[Explanation, ...]:
    """Explain every job of which instances are missing in an answer, or the one named.

    Parameters
    ----------
    relax
        The constraints that were relaxed for the answer; they stand in nobody's way.

    Raises
    ------
    InputError
        If the job named does not exist.
    """
    named = None if job is None else workload.job(job).id
    missing = [one for one in answer.unplaced if named in (None, one.job)]
    if not missing:
        return ()
    before = compile_problem(cluster, workload, relax=relax)
    after = occupy(cluster, workload, answer.placements)
    return tuple(_Why(before, after, workload, one, relax, answer).explanation() for one in missing)


class _Why:
    """The explanation of one job."""

    def __init__(
        self,
        before: Compiled,
        after: Cluster,
        workload: Workload,
        missing: Unplaced,
        relax: Sequence[str],
        answer: Answer,
    ) -> None:
        full = workload.job(missing.job)
        hard = tuple(one for one in full.constraints if not relaxed(relax, full.id, one))
        self.job = replace(full, constraints=hard)
        self.before = before
        self.after = after
        self.workload = workload
        self.missing = missing
        self.answer = answer
        found = eligible(after, self.job, workload)
        self.now = Eligibility(after, self.job, (*found.checks, *self._balances()), found.idle, found.returning)

    def explanation(self) -> Explanation:
        """Return the explanation."""
        return Explanation(
            job=self.job.id,
            missing=self.missing.count,
            agents=len(self.after),
            funnel=self._funnel(),
            nearest=self._nearest(),
            changes=self._changes(),
            notes=self._notes(),
        )

    # --- what removed agents ----------------------------------------------------------------------------------------

    def _balances(self) -> list[Check]:
        """Return the balances over all values that matter, of which Marathon's step rule knows only those in use."""
        number = self.workload.index[self.job.id]
        checks = []
        for rule, origin in zip(self.before.problem.rules, self.before.origins, strict=True):
            if origin is not None and origin[0] == number and isinstance(rule, Balance) and not rule.soft:
                name = f"{origin[1]} over every value that matters"
                checks.append(Check(name=name, reasons=("UnfulfilledConstraint",), passes=self._least(rule),
                                    constraint=origin[1]))  # fmt: skip
        return checks

    def _least(self, rule: Balance) -> Bool:
        """Return bool[agents]: whose group, as the answer leaves it, has a least count among those that matter."""
        groups = self.before.problem.groups(rule.grouping)
        known = known_agents(self.after, self.job.id, self.job)
        here = groups[known[known >= 0]]
        counts = np.bincount(here[here >= 0], minlength=len(rule.relevant))
        among = counts[counts > 0] if rule.at_least else counts[rule.relevant]
        least = int(among.min()) if len(among) else 0
        opened = rule.relevant & ((counts == least) | ((counts == 0) & (rule.at_least > 0)))
        return np.append(opened, False)[groups]

    def _funnel(self) -> tuple[Removed, ...]:
        left = np.ones(len(self.after), np.bool_)
        removed = []
        for check in self.now.checks:
            alone = int((~check.passes).sum())
            gone = int((left & ~check.passes).sum())
            left &= check.passes
            if alone:
                reason = check.reasons[-1] if check.reasons else ""
                removed.append(Removed(check=check.name, reason=reason, removed=gone, alone=alone))
        return tuple(removed)

    def _notes(self) -> tuple[str, ...]:
        notes = []
        if self.missing.waiting:
            notes.append(f"{self.missing.waiting} wait for old instances to leave, or for their volumes to be offered")
        if self.now.idle.any():
            notes.append("every missing instance waits for its own volumes, which no agent offers now")
        number = self.workload.index[self.job.id]
        for rule in self.before.problem.rules:
            if isinstance(rule, Gang) and self.before.rows[int(rule.rows[0])].job == number:
                notes.append(f"fewer than min={self.job.minimum} instances fit, so none is placed")
        if self.now.mask.any() and not notes:
            count = int(self.now.mask.sum())
            notes.append(f"{count} agents are open to one more; the search did not find a better answer")
        return tuple(notes)

    # --- who comes closest ------------------------------------------------------------------------------------------

    def _nearest(self) -> tuple[Near, ...]:
        if self.now.mask.any() or not self.now.checks:
            return ()
        failed = np.sum([~check.passes for check in self.now.checks], axis=0)
        short = np.zeros(len(self.after))
        for check in self.now.checks:
            if check.free is not None and check.need:
                short += np.maximum(0, check.need - check.free) / check.need
        order = np.lexsort((np.arange(len(failed)), short, failed))[:NEAREST]
        return tuple(Near(agent=self.after.agents[i], lacks=self._lacks(i)) for i in order.tolist())

    def _lacks(self, agent: int) -> tuple[str, ...]:
        words = []
        for check in self.now.failures(agent):
            if check.free is not None and check.need > check.free[agent]:
                lack = check.need - int(check.free[agent])
                words.append(f"{lack if check.name == 'ports' else text(lack)} {UNIT.get(check.name, check.name)}")
            elif check.name == "ports":
                words.append("a port the job names (" + ", ".join(map(str, self.job.fixed_ports)) + ")")
            elif check.name == "role":
                words.append("resources of role " + " or ".join(self.job.accepted_roles))
            elif check.constraint is not None:
                words.append(self._breaks(check.constraint, agent))
            else:
                words.append(f"a {check.name} for its volumes")
        return tuple(words)

    def _breaks(self, constraint: Constraint, agent: int) -> str:
        if not constraint.field:
            return constraint.sentence()
        column = self.after.column(constraint.field)
        code = int(column.codes[agent])
        value = f"{constraint.field} is {column.values[code]}" if code >= 0 else f"it has no {constraint.field}"
        return f"{constraint} ({value})"

    # --- what would help --------------------------------------------------------------------------------------------

    def _changes(self) -> tuple[Change, ...]:
        """Return single changes, smallest first: loosen a rule, ask for less, one more agent, drop a rule."""
        if self.now.mask.any() or self.now.idle.all():
            return ()
        loosened, dropped = [], []
        for constraint in dict.fromkeys(check.constraint for check in self.now.checks if check.constraint):
            weaker = constraint.loosened()
            if weaker is not None and (count := self._agents_with(constraint, weaker)):
                loosened.append(Change(text=f"loosen {constraint} to {weaker}", agents=count))
            if count := self._agents_with(constraint, None):
                dropped.append(Change(text=f"drop {constraint}", agents=count))
        return (*loosened, *self._smaller(), *self._one_more_agent(), *dropped)

    def _agents_with(self, constraint: Constraint, weaker: Constraint | None) -> int:
        """Return on how many agents one more could go if a constraint were weaker (None: gone)."""
        others = self._all_but([check for check in self.now.checks if check.constraint == constraint])
        if weaker is None:
            return int(others.sum())
        job = without_constraint(self.job, constraint)
        known = known_agents(self.after, job.id, job)
        scene = Scene(self.after, job, known, lambda other: known_agents(self.after, other, None))
        return int((others & weaker.mask(scene)).sum())

    def _all_but(self, skipped: Sequence[Check]) -> Bool:
        """Return the agents that pass all checks but those to skip."""
        passes = [check.passes for check in self.now.checks if all(check is not one for one in skipped)]
        return np.logical_and.reduce([~self.now.idle, *passes])

    def _smaller(self) -> list[Change]:
        """Return for each amount the least reduction that makes an agent eligible."""
        changes = []
        for check in self.now.checks:
            if check.free is None or check.name == "ports":
                continue
            others = self._all_but([check])
            if not others.any():
                continue
            best = int(np.argmax(np.where(others, check.free, -1)))
            least = check.need - int(check.free[best])
            if 0 < least < check.need:
                agents = int((others & (check.free >= check.free[best])).sum())
                words = f"{text(least)} {UNIT.get(check.name, check.name)} less an instance"
                change = Change(text=f"{words} (agent {self.after.agents[best]})", agents=agents)
                changes.append((least / check.need, change))
        return [change for _, change in sorted(changes, key=lambda pair: pair[0])]

    def _one_more_agent(self) -> list[Change]:
        """Return the agent to add: of which values, for the rules that bind to values, and with what free."""
        wanted = []
        for constraint in self.job.constraints:
            words = self._value_for_new_agent(constraint)
            if words is None:
                return []
            if words and words not in wanted:
                wanted.append(words)
        amounts = [f"{text(amount)} {UNIT.get(name, name)}" for name, amount in
                   {**self.job.demand, "disk": self.job.root_disk}.items() if amount]  # fmt: skip
        if self.job.fixed_ports:
            amounts.append("port " + ", ".join(map(str, self.job.fixed_ports)))
        places = " and ".join(wanted)
        free = ", ".join(amounts)
        with_free = f" with {free} free" if free else ""
        return [Change(text=f"one more agent{' ' + places if places else ''}{with_free}", agents=1)]

    def _value_for_new_agent(self, constraint: Constraint) -> str | None:
        """Return in words which value of the constraint's field a new agent needs; None if no value would do."""
        if isinstance(constraint, AgentRule):
            return f"where {constraint.sentence()}" if constraint.operator in ("LIKE", "CLUSTER", "IS") else ""
        checks = [check for check in self.now.checks if check.constraint == constraint]
        open_to = np.logical_and.reduce([check.passes for check in checks])
        column = self.after.column(constraint.field)
        codes = np.unique(column.codes[open_to & (column.codes >= 0)])
        new_value_helps = constraint.operator in ("UNIQUE", "MAX_PER")
        if len(codes) == len(column.values) or (new_value_helps and constraint.field in HOSTNAME_FIELDS):
            return ""
        names = [column.values[code] for code in codes[:3].tolist()]
        if not names:
            return f"in another {constraint.field}" if new_value_helps else None
        return f"in {constraint.field} {' or '.join([*names, 'another'] if new_value_helps else names)}"
