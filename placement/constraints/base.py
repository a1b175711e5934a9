"""What every constraint is: validated at the door, a mask of agents now, rules for the solver, a judgement, words.

A constraint is one frozen data class in one file. `mask` and `compile` serve the engine; `judge` serves the checker and
is written from the rule's text over plain values, calling nothing that the other two call.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from placement.errors import InputError

if TYPE_CHECKING:
    from placement.cluster import Cluster
    from placement.workload import Job

Bool = NDArray[np.bool_]
Int32 = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Scene:
    """The moment in which a job's constraints are asked which agents they allow.

    Attributes
    ----------
    cluster, job
        The agents, and the job that wants one further instance.
    known
        int32[n]: agents of the job's instances that count for constraints, in order; -1 for an agent outside the
        snapshot (its values are all absent).
    known_of
        The same for any other job, by id.
    """

    cluster: Cluster
    job: Job
    known: Int32
    known_of: Callable[[str], Int32]


class Scope(Protocol):
    """Where a constraint writes itself into a solver's problem, for all rows of one job.

    Every method states one array shape of `solvers.rules`; a relaxed constraint is written with the same calls and
    becomes soft behind them.
    """

    @property
    def scene(self) -> Scene:
        """The moment the round began."""

    def allow(self, mask: Bool) -> None:
        """Allow only the agents in `mask`, bool[agents]."""

    def cap(self, field: str, limit: int) -> None:
        """At most `limit` counted and new instances on each value of `field`; agents without a value take none."""

    def one_value(self, field: str) -> None:
        """All counted and new instances on one value of `field`."""

    def quota(self, field: str, groups: int, each: int, extra: int) -> None:
        """At most `groups` values used, `each` instances on each, and `extra` of the values one more."""

    def balance(self, field: str, at_least: int) -> None:
        """Each new instance goes to a value whose count is least.

        `at_least` 0: among all values that matter. Otherwise among the values in use, of which there must be at
        least so many before any takes a second one.
        """

    def require(self, field: str, other: str) -> None:
        """Only on values of `field` where job `other` has an instance."""

    def exclude(self, field: str, other: str, limit: int) -> None:
        """At most `limit` instances on a value of `field` where job `other` has an instance."""


class Facts(Protocol):
    """What the checker knows of one agent, from its plain record."""

    def value(self, field: str) -> str | None:
        """Return the printed value of a constraint field, None if absent."""

    @property
    def region(self) -> str | None:
        """Region of the agent's fault domain."""

    @property
    def gpus(self) -> int:
        """Free gpus of all roles when the round began, thousandths."""

    @property
    def window(self) -> tuple[float, float | None] | None:
        """Start and length (None: endless) of the maintenance window in seconds, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the checker lays before a constraint: plain facts, no arrays.

    Attributes
    ----------
    job
        The job whose constraint it is.
    running, placed
        Agents of the instances that count already, and of the new ones in the answer's order.
    relaunched
        Whether each new instance returns to its own volumes.
    positions
        Position of each new instance in the whole answer.
    ordered
        Whether each new instance must have been allowed at its turn (else only the final state is judged).
    matter
        The values of a field that matter for a balance (contracts: values on agents that pass the job's other rules
        and could take an instance when the round began, plus the values where it runs).
    others
        For another job: agents of its counted running instances; positions and agents of its new ones.
    now
        The moment of the snapshot, seconds since 1970, or None.
    """

    job: Job
    running: Sequence[Facts]
    placed: Sequence[Facts]
    relaunched: Sequence[bool]
    positions: Sequence[int]
    ordered: bool
    matter: Callable[[str], frozenset[str]]
    others: Callable[[str], tuple[Sequence[Facts], Sequence[tuple[int, Facts]]]]
    now: float | None


@dataclass(frozen=True, slots=True)
class Breach:
    """A constraint broken by `count` new instances, said in one sentence."""

    count: int
    message: str


@dataclass(frozen=True)
class Constraint(ABC):
    """One rule about where the instances of a job may be.

    Attributes
    ----------
    field
        Attribute name, `hostname` or `@hostname`, `@region`, `@zone`; '' for rules about no field.
    """

    field: str
    operator: ClassVar[str] = ""
    reason: ClassVar[str] = "UnfulfilledConstraint"
    """Word for a refusal, in Marathon's vocabulary; '' where Marathon records none."""

    @property
    def value_text(self) -> str | None:
        """The constraint's value as text, None if it has none."""
        return None

    def __str__(self) -> str:
        value = self.value_text
        return f"{self.field}:{self.operator}" + ("" if value is None else f":{value}")

    @abstractmethod
    def sentence(self) -> str:
        """Say the rule in words, for explanations."""

    @abstractmethod
    def mask(self, scene: Scene) -> Bool:
        """Return bool[agents]: where one further instance may go now (the framework's step rule)."""

    @abstractmethod
    def compile(self, scope: Scope) -> None:
        """Write the rule into a solver's problem."""

    @abstractmethod
    def judge(self, view: View) -> Iterator[Breach]:
        """Yield how the answer breaks the rule; breaches that were there before the answer are not yielded."""

    def loosened(self) -> Constraint | None:
        """Return the next weaker form of this rule (one more per value, one group more), None if there is none."""
        return None


@dataclass(frozen=True)
class AgentRule(Constraint):
    """A rule about each agent alone: what is placed elsewhere does not matter."""

    def compile(self, scope: Scope) -> None:
        """Allow only the agents that the mask allows."""
        scope.allow(self.mask(scope.scene))


def require_field(field: str, operator: str) -> None:
    """Raise an InputError unless the constraint names a field."""
    if not isinstance(field, str) or not field:
        raise InputError(f"{operator} names no field", value=field, expected="an attribute name, hostname, @region ...")


def counts_of(codes: Int32, size: int) -> NDArray[np.int64]:
    """Return int64[size]: how often each code >= 0 occurs."""
    return np.bincount(codes[codes >= 0], minlength=size)


def integer(text: str | int | None, operator: str) -> int:
    """Return the whole number a constraint value holds.

    Raises
    ------
    InputError
        If it is not one (Java's Integer.parseInt: optional sign and ASCII digits, 32 bits).
    """
    digits = str(text).strip() if text is not None else ""
    body = digits[1:] if digits[:1] in "+-" else digits
    if not (body.isascii() and body.isdigit() and len(body) <= 10 and -(2**31) <= int(digits) < 2**31):
        raise InputError(f"{operator} needs a whole number", value=text, expected="a whole number such as 3")
    return int(digits)
