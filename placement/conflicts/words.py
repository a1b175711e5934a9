"""Conflicts and changes in the words of an operator, with the numbers that show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from placement.amounts import text
from placement.cluster import HOSTNAME_FIELDS, Bool
from placement.conflicts.reasons import Asked, Reason
from placement.constraints.base import AgentRule, Constraint
from placement.constraints.max_per import MaxPer
from placement.constraints.text import IMPLIED_OPERATORS
from placement.constraints.unique import Unique
from placement.pools import PORTS
from placement.workload import Job
from solvers import conflicts
from solvers.conflicts import AmountPart, Held
from solvers.options import Options
from solvers.rules import Int64

UNIT = {"cpus": "cpus", "mem": "MB of mem", "disk": "MB of disk", "gpus": "gpus", PORTS: "ports"}
MOST_LISTED = 3
"""Agents or jobs named before 'and so many more'."""


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """A minimal set of reasons that cannot all hold.

    Attributes
    ----------
    headline
        What conflicts, in one sentence with numbers.
    reasons
        The conflicting set: held alone it cannot be satisfied.
    jobs
        Ids of the jobs it is about.
    details
        A line for each reason.
    proved
        Whether it is proved; otherwise nothing is known, and there are no reasons.
    minimal
        Without any one of the reasons the others can be satisfied (many jobs named together count as one).
    proof
        What the proof rests on.
    """

    headline: str
    reasons: tuple[Reason, ...] = ()
    jobs: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    proved: bool = True
    minimal: bool = True
    proof: str = ""

    def lines(self) -> list[str]:
        """Return the conflict as plain lines."""
        if not self.proved:
            return [self.headline]
        told = "the rest fits without any one of these" if self.minimal else "perhaps not all of these are needed"
        return [
            f"impossible: {self.headline}",
            *(f"  - {line}" for line in self.details),
            f"  ({told}; by {self.proof})",
        ]


@dataclass(frozen=True, kw_only=True)
class SmallestChange:
    """The fewest things to give up so that the rest of the workload fits.

    Attributes
    ----------
    changes
        What to do, one sentence each; empty if none was found in the time.
    reasons
        What is given up.
    alternatives
        Other single changes that would do instead of a single one.
    conflicts
        The conflicts that these changes end.
    """

    changes: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    alternatives: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()

    def lines(self) -> list[str]:
        """Return the changes as plain lines."""
        if not self.changes:
            return ["smallest change: not found in the time"]
        number = f"{len(self.changes)} changes" if len(self.changes) > 1 else "one change"
        proved = ", fewer will not do" if len(self.changes) > 1 else ""
        return [
            f"with {number} everything else fits{proved}:",
            *(f"  - {change}" for change in self.changes),
            *(f"  or {change}" for change in self.alternatives),
        ]


def undecided(seconds: float) -> Conflict:
    """Return the answer when nothing was proved."""
    return Conflict(
        headline=f"not proved: in {seconds:g} s neither a way to place everything nor a conflict was found", proved=False,
        minimal=False,
    )  # fmt: skip


def conflict_in_words(asked: Asked, found: conflicts.Conflict, options: Options) -> Conflict:
    """Return a conflict in words."""
    words = _Words(asked, found, options)
    return Conflict(
        headline=words.headline(),
        reasons=tuple(asked.reasons[number] for number in sorted(found.reasons)),
        jobs=tuple(job.id for job in words.jobs),
        details=tuple(words.details()),
        minimal=found.minimal,
        proof=found.proof,
    )


class _Words:
    """One conflict and the facts behind it."""

    def __init__(self, asked: Asked, found: conflicts.Conflict, options: Options) -> None:
        self.asked = asked
        self.found = found
        self.options = options
        self.reasons = [asked.reasons[number] for number in sorted(found.reasons)]
        workload = asked.compiled.workload
        named = {reason.job for reason in self.reasons if reason.job is not None}
        self.jobs: list[Job] = [job for job in workload.jobs if job.id in named]
        self.wanting = [job for job in self.jobs if self.number(job)]

    def of(self, kind: str, job: Job | None = None) -> list[Reason]:
        """Return the reasons of a kind, of one job or of all."""
        return [one for one in self.reasons if one.kind == kind and (job is None or one.job == job.id)]

    def number(self, job: Job) -> int:
        """Return how many further instances of a job the conflict asks for."""
        numbers = [one.number for one in self.of("instances", job)]
        for one in self.of("min", job):
            index = self.asked.compiled.workload.index[job.id]
            numbers.append(one.number - self.asked.compiled.tallies[index].active)
        return max(numbers, default=0)

    def constraints(self, job: Job) -> list[Constraint]:
        """Return the job's constraints in the conflict."""
        return [one.constraint for one in self.of("constraint", job) if one.constraint is not None]

    # --- facts ------------------------------------------------------------------------------------------------------

    def agents(self, job: Job) -> Bool:
        """Return bool[agents]: where the masks of the conflict allow some row of a job."""
        question = self.asked.question
        allowed = [question.allowed(int(row), self.found.reasons) for row in self.asked.rows(job.id)]
        return np.logical_or.reduce(allowed)

    @cached_property
    def usable(self) -> Bool:
        """bool[agents]: where some job of the conflict may be."""
        if not self.wanting:
            return np.ones(len(self.asked.cluster), np.bool_)
        return np.logical_or.reduce([self.agents(job) for job in self.wanting])

    def free(self, name: str) -> tuple[int, Int64]:
        """Return the dimension of a resource that is tightest for the jobs of the conflict, int64[agents] free of it."""
        question, best = self.asked.question, -1
        rows = np.concatenate([self.asked.rows(job.id) for job in self.wanting])
        tightest = (np.inf, 0)
        for part in question.of(self.found.reasons):
            if isinstance(part, AmountPart):
                for dimension in part.dimensions:
                    if self.asked.resource(dimension) == name and np.isin(part.rows, rows).any():
                        total = float(question.problem.capacity[self.usable, dimension].sum())
                        tightest = min(tightest, (total, dimension))
                        best = tightest[1]
        return best, np.zeros(0, np.int64) if best < 0 else np.maximum(question.problem.capacity[:, best], 0)

    def need(self, job: Job, dimension: int) -> int:
        """Return what one instance of a job takes in a dimension."""
        problem = self.asked.question.problem
        rows = self.asked.rows(job.id)
        return int(problem.demand[problem.shape[rows], dimension].max())

    def most(self, *jobs: Job) -> int | None:
        """Return how many instances of some jobs fit in sum under the other reasons; None: not known."""
        asking = set().union(*(self.of(kind, job) for job in jobs for kind in ("instances", "min")))
        held = frozenset(number for number in self.found.reasons if self.asked.reasons[number] not in asking)
        rows = np.concatenate([self.asked.rows(job.id) for job in jobs])
        found = conflicts.most_placed(self.asked.question, held, rows, self.options)
        return found[0] if found is not None and found[1] else None

    # --- the headline -----------------------------------------------------------------------------------------------

    def headline(self) -> str:
        """Say the conflict in one sentence."""
        resources = self.of("resource")
        if len(self.wanting) == 1:
            return self._one_job(self.wanting[0])
        if len(resources) == 1 and len(self.reasons) > 1 and self._only_masks_and(resources[0]):
            told = self._sum(resources[0])
            if told:
                return told
        jobs = _listed([self._asks(job) for job in self.wanting])
        rules = [self._short(one) for one in self.reasons if one.kind not in ("instances", "min")]
        return f"{jobs} do not fit together: {'; '.join(rules)}{self._at_most(*self.wanting)}"

    def _only_masks_and(self, resource: Reason) -> bool:
        return all(
            one == resource
            or one.kind in ("instances", "min", "role")
            or (one.kind == "constraint" and isinstance(one.constraint, AgentRule))
            for one in self.reasons
        )

    def _one_job(self, job: Job) -> str:
        rules = [one for one in self.constraints(job) if not isinstance(one, AgentRule)]
        resources = [one for one in self.reasons if one.kind == "resource"]
        others = [one for one in self.reasons if one.kind in ("port", "disks", "own volumes", "role")]
        elsewhere = [one for one in self.reasons if one.kind == "constraint" and one.job != job.id]
        if not rules and not resources and not others and not elsewhere:
            return f"{job.id} needs an agent {self._where(job)}; there is none among {len(self.asked.cluster)}"
        if len(rules) == 1 and not resources and not others and not elsewhere:
            told = self._values(job, rules[0])
            if told:
                return told
        if len(resources) == 1 and not rules and not elsewhere and not [one for one in others if one.kind != "role"]:
            return self._amount(job, resources[0])
        parts = [self._short(one) for one in self.reasons if one.kind not in ("instances", "min")]
        return f"{self._asks(job)}: {'; '.join(parts)}{self._at_most(job)}"

    def _at_most(self, *jobs: Job) -> str:
        if len(jobs) > conflicts.MOST_NAMED:
            return ""
        most = self.most(*jobs)
        if most is None:
            return ""
        return f"; at most {most} of {sum(map(self.number, jobs))} fit" if most else "; none fits"

    def _asks(self, job: Job) -> str:
        number = self.number(job)
        words = f"{job.id} ({_number(number, 'instance')}"
        return words + (f", all or none: min={job.minimum})" if self.of("min", job) and number > 1 else ")")

    def _values(self, job: Job, rule: Constraint) -> str | None:
        """Say how many values a cap needs and how many there are."""
        if not isinstance(rule, Unique | MaxPer):
            return None
        each = max(1, rule.limit) if isinstance(rule, MaxPer) else 1
        column = self.asked.cluster.column(rule.field)
        codes = column.codes[self.agents(job) & (column.codes >= 0)]
        known = column.lookup(self.asked.compiled.tallies[self.asked.compiled.workload.index[job.id]].known)
        taken = np.bincount(known[known >= 0], minlength=len(column.values))
        values = np.unique(codes)
        free, full = int((taken[values] == 0).sum()), int((taken[values] >= each).sum())
        part = int((each - taken[values])[(taken[values] > 0) & (taken[values] < each)].sum())
        if part or free * each >= self.number(job):
            return None
        needs, number = -(-self.number(job) // each), self.number(job)
        on_agents = rule.field in HOSTNAME_FIELDS
        what = f"{needs} agents" if on_agents else f"{needs} values of {rule.field}"
        where = self._where(job) if on_agents or not self._where(job) else f"on agents {self._where(job)}"
        running = f" beside {full} with running instances" if full else ""
        asked = f"{rule} needs {what}{' ' if where else ''}{where} for {number} instances"
        return f"{job.id}: {asked}; {free} exist{'s' if free == 1 else ''}{running}"

    def _amount(self, job: Job, resource: Reason) -> str:
        """Say which amount of one job is missing."""
        dimension, free = self.free(resource.name)
        unit = UNIT.get(resource.name, resource.name)
        number, where = self.number(job), self._where(job)
        if dimension < 0:
            return f"{job.id} needs {text(job.demand.get(resource.name, 0))} {unit}; no agent has any"
        need, here = self.need(job, dimension), free[self.agents(job)]
        roles = self._roles(job)
        if not len(here) or int(here.max()) < need:
            most = int(here.max(initial=0))
            return (f"{job.id} needs {self.say(need, resource.name)} {unit} on one agent{' ' + where if where else ''}{roles}; "
                    f"the most free is {self.say(most, resource.name)}")  # fmt: skip
        whole = int(here.sum())
        if number * need > whole:
            return (f"{job.id}: {_number(number, 'instance')} ask {self.say(number * need, resource.name)} {unit}; "
                    f"{self.say(whole, resource.name)} are free on {self._them(job)}{roles}")  # fmt: skip
        fit = int((here // need).sum())
        return (f"{job.id}: {_number(number, 'instance')} need {self.say(need, resource.name)} {unit} each on one agent; "
                f"{self._them(job)} have room for {fit}{roles}")  # fmt: skip

    def _sum(self, resource: Reason) -> str | None:
        """Say by how much some jobs together ask more than is free for them."""
        dimension, free = self.free(resource.name)
        if dimension < 0:
            return None
        needed = sum(self.number(job) * self.need(job, dimension) for job in self.wanting)
        whole = int(free[self.usable].sum())
        if needed <= whole:
            return None
        share = f"{100 * needed / whole:.4g} % of" if whole else "more than"
        unit, place = UNIT.get(resource.name, resource.name), self._count(self.usable)
        total = "all" if self.usable.all() else f"the {place}"
        jobs = _listed([job.id for job in self.wanting]) if len(self.wanting) <= MOST_LISTED else (
            f"{len(self.wanting)} jobs")  # fmt: skip
        return (f"{resource.name}: {jobs} ask {share} what is free on {total} agents they may use "
                f"({self.say(needed, resource.name)} of {self.say(whole, resource.name)} {unit})")  # fmt: skip

    def say(self, amount: int, name: str) -> str:
        """Return an amount as text; ports are counted in pieces."""
        return str(amount) if name == PORTS else text(amount)

    def _where(self, job: Job) -> str:
        """Return 'not in maintenance where type matches public' for the rules about agents alone."""
        rules = [one for one in self.constraints(job) if isinstance(one, AgentRule)]
        implied = [_such(one) for one in rules if one.operator in IMPLIED_OPERATORS]
        values = [one.sentence() for one in rules if one.operator not in IMPLIED_OPERATORS]
        return " ".join([*implied, *(["where " + " and ".join(values)] if values else [])])

    def _roles(self, job: Job) -> str:
        return f" for role {' or '.join(job.accepted_roles)}" if self.of("role", job) else ""

    def _them(self, job: Job) -> str:
        where = self._where(job)
        agents = _number(self._count(self.agents(job)), "agent")
        return f"the {agents} {where}" if where else f"the {agents}"

    def _count(self, mask: Bool) -> int:
        return int(mask.sum())

    # --- line by line -----------------------------------------------------------------------------------------------

    def details(self) -> list[str]:
        """Return a line for each reason; many jobs together are one."""
        together = self.found.together
        lines = [
            self._detail(self.asked.reasons[number]) for number in sorted(self.found.reasons) if number not in together
        ]
        if together:
            jobs = [self.asked.reasons[number] for number in sorted(together)]
            ids = [str(one.job) for one in jobs]
            instances = sum(self.number(job) for job in self.wanting if job.id in ids)
            lines.append(f"{len(set(ids))} jobs: all their {instances} instances ({_shortened(ids)})")
        return lines

    def _detail(self, reason: Reason) -> str:
        job = None if reason.job is None else self.asked.compiled.workload.job(reason.job)
        if reason.constraint is not None and job is not None:
            words = f"{job.id} {reason.constraint}: {reason.constraint.sentence()}"
            if isinstance(reason.constraint, AgentRule):
                words += f" ({self._alone(reason, job)} of {len(self.asked.cluster)} agents)"
            return words
        if reason.kind == "min" and job is not None:
            return f"{job.id}: at least {job.minimum} instances or none (min={job.minimum})"
        if reason.kind == "instances" and job is not None:
            return f"{job.id}: {_number(reason.number, 'instance')}"
        return self._short(reason)

    def _alone(self, reason: Reason, job: Job) -> int:
        number = self.asked.reasons.index(reason)
        masks = [self.asked.question.allowed(int(row), frozenset([number])) for row in self.asked.rows(job.id)]
        return self._count(np.logical_or.reduce(masks))

    def _short(self, reason: Reason) -> str:
        """Say a reason in few words."""
        job = None if reason.job is None else self.asked.compiled.workload.job(reason.job)
        if job is None:
            return self._port(reason) if reason.kind == "port" else self._limit(reason)
        if reason.kind == "role":
            return f"{job.id} uses only resources of role {' or '.join(job.accepted_roles)}"
        if reason.kind == "disks":
            volumes = [f"{one.kind} {text(one.size)} MB" for one in job.volumes if one.kind != "root"]
            disks = len(self.asked.question.problem.units.agent)
            return f"{job.id} needs disks for its volumes ({', '.join(volumes)}), {disks} such disks are offered"
        if reason.kind == "own volumes":
            return f"{job.id} goes back to the volumes it has"
        return str(reason)

    def _limit(self, reason: Reason) -> str:
        """Say how much of a resource is free, and how much is asked."""
        dimension, free = self.free(reason.name)
        if dimension < 0:
            return f"{reason.name}: no agent has any"
        whole, agents = int(free[self.usable].sum()), _number(self._count(self.usable), "agent")
        asking = [job for job in self.wanting if self.need(job, dimension)]
        each = [f"{job.id} {self.say(self.need(job, dimension), reason.name)}" for job in asking[:MOST_LISTED]]
        told = f"{reason.name}: {self.say(whole, reason.name)} {UNIT.get(reason.name, reason.name)} free on {agents}"
        return f"{told}, an instance takes {_listed(each)}" if len(asking) <= MOST_LISTED else told

    def _port(self, reason: Reason) -> str:
        jobs = [job.id for job in self.wanting if int(reason.name) in job.fixed_ports]
        offered = self._offering(reason)
        return f"port {reason.name}: named by {_listed(jobs)}, given once an agent, offered by {offered}"

    def _offering(self, reason: Reason) -> str:
        from placement.ports import offers_ports

        cluster = self.asked.cluster
        count = self._count(offers_ports(cluster, (int(reason.name),), ("*", *cluster.roles)) & self.usable)
        return _number(count, "agent")


# --- changes ----------------------------------------------------------------------------------------------------------


def change_in_words(asked: Asked, found: conflicts.Change, options: Options) -> SmallestChange:
    """Return the fewest changes in words."""
    ended = tuple(conflict_in_words(asked, one, options) for one in found.conflicts)
    if not found.complete:
        return SmallestChange(conflicts=ended)
    gone = [asked.reasons[number] for number in sorted(found.reasons)]
    words = _ChangeWords(asked, found.reasons, options)
    others = [_ChangeWords(asked, frozenset([one]), options).line(asked.reasons[one]) for one in found.alternatives]
    return SmallestChange(
        changes=tuple(words.line(reason) for reason in gone),
        reasons=tuple(gone),
        alternatives=tuple(others),
        conflicts=ended,
    )


class _ChangeWords:
    """What is given up, said one by one."""

    def __init__(self, asked: Asked, gone: Held, options: Options) -> None:
        self.asked = asked
        self.gone = gone
        self.held = asked.question.everything - gone
        self.options = options

    def line(self, reason: Reason) -> str:
        """Return the sentence for one reason."""
        if reason.kind == "constraint":
            return f"drop {reason.job} {reason.constraint}"
        if reason.kind in ("instances", "min"):
            return self._left_out(reason)
        if reason.kind == "resource":
            return self._more(reason)
        if reason.kind == "port":
            return f"let the jobs that name port {reason.name} take any port"
        if reason.kind == "role":
            return f"let {reason.job} use resources of every role"
        if reason.kind == "disks":
            return f"add disks for the volumes of {reason.job}, or keep these on the root disk"
        return f"let {reason.job} start anew elsewhere, without the volumes it has"

    def _left_out(self, reason: Reason) -> str:
        job = str(reason.job)
        rows = self.asked.rows(job)
        wanted = int(self.asked.question.problem.wanted[rows].sum())
        found = conflicts.most_placed(self.asked.question, self.held, rows, self.options)
        if found is None:
            return f"leave out instances of {job}"
        words = f"leave out {'' if found[1] else 'at most '}{wanted - found[0]} of the {wanted} instances of {job}"
        return words + (f" (below its min={reason.number})" if reason.kind == "min" else "")

    def _more(self, reason: Reason) -> str:
        number = self.asked.reasons.index(reason)
        found = conflicts.least_missing(self.asked.question, self.held, frozenset([number]), self.options)
        unit = UNIT.get(reason.name, reason.name)
        if not found:
            return f"add more {unit}"
        worst = max(found, key=lambda one: int(one.amount.sum()))
        amount = int(worst.amount.sum())
        agents = [self.asked.cluster.agents[i] for i in np.flatnonzero(worst.amount).tolist()]
        said = str(amount) if reason.name == PORTS else text(amount)
        least = "" if worst.least else "at most "
        return f"add {least}{said} {unit} (on {_shortened(agents)})"


def _such(rule: Constraint) -> str:
    """Return what an agent must be for a rule that readers imply, as it stands behind 'an agent'."""
    return "without free gpus" if rule.operator == "SCARCE_GPUS" else rule.sentence()


def _number(count: int, thing: str) -> str:
    """Return '1 agent' or '3 agents'."""
    return f"{count} {thing}" + ("" if count == 1 else "s")


def _listed(words: Sequence[str]) -> str:
    """Return 'a, b and c'."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else ""


def _shortened(words: Iterable[str]) -> str:
    """Return the first words, and how many more there are."""
    every = list(dict.fromkeys(words))
    more = len(every) - MOST_LISTED
    return ", ".join(every[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
