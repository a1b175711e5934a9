"""Moving instances that run, so that more can be placed: the problem in which they may, its search, and who went where.

The search is `solvers.moving`. A job's instances that may move are asked for again, like its missing ones, on the cluster
without them; those that the answer has at home have stayed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from placement.cluster import Cluster, Int32, Int64
from placement.compilation import Compiled, Origin
from placement.decoding import decode
from placement.leaving import leave, movable
from placement.placements import Placements
from placement.running import ENDED
from solvers import objective
from solvers.moving import Homes, MovingAnswer
from solvers.moving import solve as search
from solvers.options import Options
from solvers.problem import Assignment, Level
from solvers.rightness import is_right
from solvers.rules import EACH_AGENT, Balance, Rule

CompileProblem = Callable[[Cluster], Compiled]


class Mover:
    """The problem in which whoever may move is asked for again.

    Parameters
    ----------
    compile
        Compiles a cluster as it was done for the answer without moves.
    before, placements
        The problem without moves and its answer.
    """

    def __init__(self, compile: CompileProblem, before: Compiled, placements: Placements, most: int) -> None:
        self.compile = compile
        self.before = before
        self.placements = placements
        self.cluster = before.cluster
        self.workload = before.workload
        self.most = most
        self.rows = movable(self.cluster, self.workload)
        self._settle()

    def _settle(self) -> None:
        """Compile; leave alone the jobs that break a rule where they are, until everybody at home is an answer."""
        while len(self.rows):
            self.compiled = self._as_before(self.compile(leave(self.cluster, self.workload, self.rows)))
            self.homes = self._homes()
            self.start = self._start()
            broken = self._broken()
            if broken is None:
                return
            job = [self.workload.index[self.cluster.running.instances[row].job] for row in self.rows.tolist()]
            stays = np.isin(np.array(job), np.array(sorted(broken), np.int64))
            self.rows = self.rows[~stays] if stays.any() else self.rows[:0]

    def _as_before(self, compiled: Compiled) -> Compiled:
        """Return the problem with what depends on the moment the round began as it was then: values that matter, held."""
        known = {
            (origin, rule.at_least): rule
            for rule, origin in zip(self.before.problem.rules, self.before.origins, strict=True)
            if isinstance(rule, Balance)
        }

        def as_before(rule: Rule, origin: Origin | None) -> Rule:
            old = known.get((origin, rule.at_least)) if isinstance(rule, Balance) else None
            if old is None or not isinstance(rule, Balance) or len(old.relevant) != len(rule.relevant):
                return rule
            return replace(rule, relevant=old.relevant)

        rules = tuple(as_before(*pair) for pair in zip(compiled.problem.rules, compiled.origins, strict=True))
        return replace(compiled, problem=replace(compiled.problem, rules=rules, held=self.before.problem.held))

    def _homes(self) -> Homes:
        fresh = _fresh_rows(self.compiled)
        pairs: dict[tuple[int, int], int] = {}
        for number in self.rows.tolist():
            job = self.workload.index[self.cluster.running.instances[number].job]
            pair = fresh[job], int(self.cluster.running.agent[number])
            pairs[pair] = pairs.get(pair, 0) + 1
        keys = sorted(pairs)
        return Homes(
            row=np.array([row for row, _ in keys], np.int32),
            agent=np.array([agent for _, agent in keys], np.int32),
            count=np.array([pairs[key] for key in keys], np.int64),
            most=self.most,
        )

    def _start(self) -> Assignment:
        """Return what was placed without moves, and everybody at home."""
        rows = _rows_of(self.compiled, self.placements)
        return Assignment.of_runs(
            np.r_[rows, self.homes.row],
            np.r_[self.placements.agent, self.homes.agent],
            np.r_[np.ones(len(rows), np.int64), self.homes.count],
            len(self.cluster),
        )

    def _broken(self) -> set[int] | None:
        """Return the jobs of which the start breaks something; None if it is right."""
        problem = self.compiled.problem
        if is_right(problem, self.start):
            return None
        broken: set[int] = set()
        for rule in problem.rules:
            if not rule.soft and not is_right(replace(problem, rules=(rule,)), self.start):
                broken |= {self.compiled.rows[row].job for row in rule.rows.tolist()}
        for row, agent in zip(self.homes.row.tolist(), self.homes.agent.tolist(), strict=True):
            if not problem.allowed(row)[agent]:
                broken.add(self.compiled.rows[row].job)
        return broken

    def search(self, options: Options) -> MovingAnswer:
        """Search for an answer that places more, or breaks fewer relaxed rules, with few enough moves."""
        return search(self.compiled.problem, self.homes, options, self.start)

    def levels(self, found: MovingAnswer) -> tuple[Level, ...]:
        """Return the levels of an answer: of those placed only the new ones count, in all else those that may move too."""
        problem, levels = self.compiled.problem, []
        tiers = objective.priorities(self.before.problem)
        for (name, priority, sense), value, (bound, why) in zip(found.names, found.values, found.bounds, strict=True):
            mine = problem.priority[self.homes.row] == priority
            ran = int((self.homes.count * problem.weight[self.homes.row])[mine].sum()) if name == "placed" else 0
            least = max(value, bound) if sense > 0 else min(value, bound)
            if name != "placed" or priority in tiers:
                levels.append(Level(name=name, priority=priority, sense=sense, value=value - ran, bound=least - ran,
                                    engine=why))  # fmt: skip
        return tuple(levels)

    # --- who went where ---------------------------------------------------------------------------------------------

    def decoded(self, found: MovingAnswer) -> Iterator[Placements]:
        """Yield the placements of an answer in orders in which everybody has room: moves first, then as rules ask.

        There is none where ports are lacking, or where some wait for each other.
        """
        gone = self._gone(found.assignment)
        compiled = self._as_before(self.compile(leave(self.cluster, self.workload, gone)))
        assignment = self._arrivals(found.assignment, compiled)
        placements = decode(compiled, assignment)
        if len(placements) != int(assignment.count.sum()):
            return
        placements = self._labelled(compiled, placements, gone)
        given = np.arange(len(placements))
        assert placements.moved_from is not None, "they were labelled"
        for wish in (np.argsort(placements.moved_from < 0, kind="stable"), given):
            order = self._turns(compiled, placements, wish.tolist())
            if order is not None:
                yield placements.taken(order)

    def _turns(self, compiled: Compiled, placements: Placements, waiting: list[int]) -> Int64 | None:
        """Return an order, as near to that of `waiting` as can be, in which every instance has room at its turn.

        Moves go one at a time: an instance is killed when its turn comes, and starts elsewhere. Until then it holds its
        place and its ports. None: some wait for each other.
        """
        problem = compiled.problem
        need = problem.demand[problem.shape[_rows_of(compiled, placements)]]
        moved_from = placements.moved_from
        assert moved_from is not None, "only answers with moves are put in turns"
        free = problem.capacity.copy()
        movers = np.flatnonzero(moved_from >= 0)
        np.subtract.at(free, moved_from[movers], need[movers])
        held = {int(i): set(self._ports_at_home(placements, int(i))) for i in movers}
        order: list[int] = []
        while waiting:
            ready = next((i for i in waiting if self._has_room(placements, i, need[i], free, held)), None)
            if ready is None:
                return None
            waiting.remove(ready)
            order.append(ready)
            free[placements.agent[ready]] -= need[ready]
            if ready in held:
                free[moved_from[ready]] += need[ready]
                held.pop(ready)
        return np.array(order, np.int64)

    def _has_room(self, placements: Placements, i: int, need: Int64, free: Int64, held: dict[int, set[int]]) -> bool:
        agent = int(placements.agent[i])
        ports = set(placements.ports[i]) if placements.ports else set()
        moved_from = placements.moved_from
        assert moved_from is not None
        busy = [mine for other, mine in held.items() if int(moved_from[other]) == agent]
        return not busy or (bool((need <= free[agent]).all()) and not any(ports & mine for mine in busy))

    def _ports_at_home(self, placements: Placements, i: int) -> tuple[int, ...]:
        job = placements.jobs[placements.job[i]]
        running = self.cluster.running
        return next(running.instances[row].ports for row in running.of(job).tolist()
                    if running.instances[row].instance == placements.instance[i])  # fmt: skip

    def _gone(self, assignment: Assignment) -> Int64:
        """Return the rows of the running that moved: at each home those of the highest numbers."""
        away = np.maximum(0, self.homes.count - self.homes.here(self.compiled.problem, assignment))
        fresh = _fresh_rows(self.compiled)
        left = {
            pair: int(count)
            for pair, count in zip(
                zip(self.homes.row.tolist(), self.homes.agent.tolist(), strict=True), away.tolist(), strict=True
            )
        }
        running = self.cluster.running
        gone = []
        for number in sorted(self.rows.tolist(), key=lambda row: -running.instances[row].instance):
            pair = fresh[self.workload.index[running.instances[number].job]], int(running.agent[number])
            if left[pair]:
                left[pair] -= 1
                gone.append(number)
        return np.array(sorted(gone), np.int64)

    def _arrivals(self, assignment: Assignment, compiled: Compiled) -> Assignment:
        """Return the assignment without those that stayed, over the rows of another problem of the same jobs."""
        stay = np.minimum(self.homes.count, self.homes.here(self.compiled.problem, assignment))
        number = {_key(compiled, row): row for row in range(len(compiled.rows))}
        same = np.array([number.get(_key(self.compiled, row), -1) for row in range(len(self.compiled.rows))], np.int32)
        rest = Assignment.of_runs(
            np.r_[assignment.row, self.homes.row],
            np.r_[assignment.agent, self.homes.agent],
            np.r_[assignment.count, -stay],
            len(self.cluster),
        )
        return Assignment.of_runs(same[rest.row], rest.agent, rest.count, len(self.cluster))

    def _labelled(self, compiled: Compiled, placements: Placements, gone: Int64) -> Placements:
        """Return the placements with those that moved among the arrivals of each job, under their own numbers.

        Whoever can stays in the groups of its job's rules, so that counts by group do not change while it moves.
        """
        running = self.cluster.running
        moved_from = np.full(len(placements), -1, np.int32)
        instance = placements.instance.copy()
        waiting: dict[int, list[int]] = {}
        for number in gone.tolist():
            waiting.setdefault(self.workload.index[running.instances[number].job], []).append(number)
        again = placements.relaunched if len(placements.relaunched) else np.zeros(len(placements), np.bool_)
        for job, numbers in waiting.items():
            mine = np.flatnonzero((placements.job == job) & ~again)
            mover_at = self._matched(compiled, job, placements, mine.tolist(), numbers)
            for i, number in mover_at.items():
                moved_from[i] = running.agent[number]
                instance[i] = running.instances[number].instance
            name = self.workload.jobs[job].id
            there = [running.instances[row] for row in running.of(name).tolist()]
            held = {one.instance for one in there if one.state not in ENDED}
            free = (k for k in range(len(held) + len(mine)) if k not in held)
            for i in mine.tolist():
                if i not in mover_at:
                    instance[i] = next(free)
        return replace(placements, instance=instance, moved_from=moved_from)

    def _matched(
        self, compiled: Compiled, job: int, placements: Placements, arrivals: list[int], movers: list[int]
    ) -> dict[int, int]:
        """Return which arrival is which mover: the first in the same groups, then the first left."""
        row = _fresh_rows(compiled)[job]
        numbers = [
            getattr(compiled.problem.rules[rule], "grouping", EACH_AGENT) for rule in compiled.problem.rules_of[row]
        ]
        groupings = [compiled.problem.groups(number) for number in dict.fromkeys(numbers) if number != EACH_AGENT]

        def place_of(agent: int) -> tuple[int, ...]:
            return tuple(int(codes[agent]) for codes in groupings)

        left: dict[tuple[int, ...], list[int]] = {}
        for mover in movers:
            left.setdefault(place_of(int(self.cluster.running.agent[mover])), []).append(mover)
        found = {}
        for i in arrivals:
            same = left.get(place_of(int(placements.agent[i])))
            if same:
                found[i] = same.pop(0)
        rest = [mover for some in left.values() for mover in some]
        found.update(zip([i for i in arrivals if i not in found], rest, strict=False))
        return found


def _fresh_rows(compiled: Compiled) -> dict[int, int]:
    """Return by job the row of its instances that are placed anew."""
    return {row.job: number for number, row in enumerate(compiled.rows) if row.relaunch is None}


def _key(compiled: Compiled, row: int) -> tuple[int, str]:
    """Return what a row is in every problem of the same jobs: its job, and the instance it launches again."""
    origin = compiled.rows[row]
    name = "" if origin.relaunch is None else compiled.cluster.running.instances[origin.relaunch.row].name
    return origin.job, name


def _rows_of(compiled: Compiled, placements: Placements) -> Int32:
    """Return int32[n]: the row of each placement."""
    number = {_key(compiled, row): row for row in range(len(compiled.rows))}
    rows = np.zeros(len(placements), np.int32)
    for i, (job, instance, _) in enumerate(placements.rows()):
        again = bool(len(placements.relaunched)) and bool(placements.relaunched[i])
        rows[i] = number[int(placements.job[i]), f"{job}#{instance}" if again else ""]
    return rows
