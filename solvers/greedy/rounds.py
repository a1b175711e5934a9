"""The general path: one row under any combination of rules, agents chosen in vector steps with the rules' state of now.

A step asks every rule what it still allows, fixes the shares of groups where rules need that, then fills the best
agents. Rows that must come together are arranged in `together`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from solvers.greedy.books import UnitBook
from solvers.greedy.dealing import deal
from solvers.greedy.kernel import Agents, Numbers, filled, ranked, small
from solvers.greedy.quotas import UNLIMITED
from solvers.greedy.run import Run
from solvers.greedy.states import BalanceState, State, States
from solvers.rules import EACH_AGENT, Avoid, Bool, Int64, Rule

Share = tuple[State[Rule], Int64]
"""A rule and what it allows each group."""


class Rounds:
    """Places single rows of one run and remembers how to take them back."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.states = States(run)
        self._book = UnitBook(run.problem)
        self._journal: list[tuple[int, Agents, Int64]] = []
        self._costs = _costs_by_row(run)

    def mark(self) -> int:
        """Return the present moment, for `undo` and `since`."""
        return len(self._journal)

    def since(self, mark: int) -> Sequence[tuple[int, Agents, Int64]]:
        """Return (row, agents, counts) placed since a moment."""
        return self._journal[mark:]

    def undo(self, mark: int) -> None:
        """Take back everything placed since a moment."""
        while len(self._journal) > mark:
            row, agents, counts = self._journal.pop()
            self.run.take_back()
            self._change(row, agents, -counts)

    def place(
        self,
        row: int,
        *,
        wanted: int | None = None,
        within: Bool | None = None,
        waived: Collection[int] = (),
        relaxed: bool = False,
    ) -> int:
        """Place instances of a row; return how many.

        Parameters
        ----------
        wanted
            Most of them; None: all that is left.
        within
            bool[agents] allowed beside the row's mask.
        waived
            Numbers of rules left out of account.
        relaxed
            Break soft rules where nothing else is possible, as few as can be on each agent.
        """
        goal = int(self.run.left[row])
        goal = goal if wanted is None else min(wanted, goal)
        placed, barred = 0, within
        while placed < goal:
            done, spent = self._step(row, goal - placed, barred, waived, relaxed)
            if len(spent):
                barred = np.ones(self.run.problem.agents, np.bool_) if barred is None else barred.copy()
                barred[spent] = False
            elif not done:
                break
            placed += done
        return placed

    def open_room(self, row: int, waived: Collection[int], within: Bool, *, relaxed: bool) -> Int64:
        """Return int64[agents]: instances of a row that could go to each agent now, some rules waived."""
        wanted = int(self.run.left[row])
        states = [state for state in self.states.of(row) if state.number not in waived and not (relaxed and state.soft)]
        room = self._room(row, wanted, within, relaxed)
        _leave_open(row, room, states)
        for state in sorted(states, key=_joint_last):
            np.minimum(room, state.by_agent(state.allowance(row, room), state.outside(row)), out=room)
        return room

    # --- a step -----------------------------------------------------------------------------------------------------

    def _step(
        self, row: int, wanted: int, within: Bool | None, waived: Collection[int], relaxed: bool
    ) -> tuple[int, Agents]:
        """Choose agents once; return how many instances were placed, and the agents whose units are spent."""
        states = [state for state in self.states.of(row) if state.number not in waived]
        room = self._room(row, wanted, within, relaxed)
        shares, exact = self._shares(row, room, states, wanted, relaxed)
        agents, counts = self._choose(row, room, shares, wanted if exact is None else exact)
        spent = np.empty(0, np.int64)
        if self._book.asks(row):
            agents, counts, spent = self._serve(row, agents, counts)
        self._commit(row, agents, counts)
        return int(counts.sum()), spent

    def _room(self, row: int, wanted: int, within: Bool | None, relaxed: bool) -> Int64:
        """Return int64[agents]: what each has room for, by capacity, masks and units."""
        run = self.run
        room = np.minimum(run.room.most(run.needs(row)), wanted).astype(np.int64)
        masks = [mask for mask in (run.mask(row), within) if mask is not None]
        if not relaxed:
            masks += [rule.mask for rule in self._avoids(row)]
        if self._book.asks(row):
            masks.append(self._book.suits(row))
        for mask in masks:
            room *= mask
        return room

    def _avoids(self, row: int) -> list[Avoid]:
        rules = self.run.problem.rules
        return [rule for number in self.run.problem.rules_of[row] if isinstance(rule := rules[number], Avoid)]

    def _shares(
        self, row: int, room: Int64, states: list[State[Rule]], wanted: int, relaxed: bool
    ) -> tuple[list[Share], int | None]:
        """Narrow `room` (in place) by every rule; return what groups may take, and the number that must be met exactly."""
        shares: list[Share] = []
        balances: list[BalanceState] = []
        if relaxed:
            self._leave_least_broken(row, room, states)
        else:
            _leave_open(row, room, states)
        for state in sorted(states, key=_joint_last):
            if isinstance(state, BalanceState) and not relaxed:
                balances.append(state)
                continue
            allowed, outside = state.allowance(row, room), state.outside(row)
            if relaxed and state.soft:
                allowed, outside = np.where(allowed > 0, allowed, UNLIMITED), UNLIMITED
            _narrow(room, state, allowed, outside, shares)
        if len(balances) == 1 and not self._book.asks(row) and _on_one_grouping(balances[0], shares):
            balance = balances[0]
            most = balance.room(room)
            for _, allowed in shares:
                np.minimum(most, allowed, out=most)
            taken = balance.shares(np.minimum(most, wanted), wanted)
            _narrow(room, balance, taken, 0, shares)
            return shares, int(taken.sum())
        for balance in balances:
            most = balance.room(room)
            allowed = _roomiest(balance.allowance(row, room), most, wanted)
            _narrow(room, balance, allowed, 0, shares)
        return shares, None

    def _leave_least_broken(self, row: int, room: Int64, states: list[State[Rule]]) -> None:
        """Keep room only on the agents where one more instance breaks the fewest soft rules.

        Agents outside all groups break none (a relaxed rule that wants a value says so by an `Avoid`).
        """
        broken = np.zeros(len(room), np.int64)
        for rule in self._avoids(row):
            broken += ~rule.mask
        for state in states:
            allowed = state.allowance(row, room)
            if state.soft:
                broken += state.by_agent(allowed, UNLIMITED) == 0
            else:
                room[state.by_agent(allowed, state.outside(row)) == 0] = 0
        open_to = room > 0
        if open_to.any():
            room[broken > broken[open_to].min()] = 0

    # --- choosing agents --------------------------------------------------------------------------------------------

    def _choose(self, row: int, room: Int64, shares: list[Share], wanted: int) -> tuple[Agents, Int64]:
        """Return the best agents and how many instances each takes, within room and shares."""
        fit = np.flatnonzero(room)
        if not len(fit) or not wanted:
            return fit[:0], room[:0]
        if self.run.score.levels:

            def choose(line: Agents, score: Numbers) -> Agents:
                order = line[self._order(row, score, line)]
                return order[_within_shares(order, np.ones(len(order), np.int64), shares, wanted) > 0]

            dealt = deal(self.run, self.run.needs(row), fit, room[fit], wanted, choose)
            if dealt is not None:
                return dealt
        score = self.run.score(self.run.room, self.run.needs(row))[fit]
        order = fit[self._order(row, score, fit)]
        counts = _within_shares(order, room[order], shares, wanted)
        return order[counts > 0], counts[counts > 0]

    def _order(self, row: int, score: Numbers, agents: Agents) -> Agents:
        """Return positions by cost to the row, then by score."""
        costs = self._costs.get(row)
        if costs is None:
            return ranked(score)
        order = ranked(score)
        return order[np.argsort(costs.at(agents)[order], kind="stable")]

    def _serve(self, row: int, agents: Agents, counts: Int64) -> tuple[Agents, Int64, Agents]:
        """Reduce counts to what units serve; return also the agents that serve no more."""
        served = np.array(
            [self._book.most(row, agent, count) for agent, count in zip(agents.tolist(), counts.tolist(), strict=True)],
            np.int64,
        ).reshape(len(agents))
        return agents[served > 0], served[served > 0], agents[served < counts]

    # --- keeping count ----------------------------------------------------------------------------------------------

    def _commit(self, row: int, agents: Agents, counts: Int64) -> None:
        if len(agents):
            self.run.record(row, agents, counts)
            self._change(row, agents, counts)
            self._journal.append((row, agents, counts))

    def _change(self, row: int, agents: Agents, counts: Int64) -> None:
        self.run.room.take(self.run.needs(row), agents, counts)
        self.states.add(row, agents, counts)
        if self._book.asks(row):
            for agent, count in zip(agents.tolist(), counts.tolist(), strict=True):
                self._book.add(row, agent, count)


class _Costs:
    """What an instance of one row costs on each agent, sparse."""

    def __init__(self, agents: Agents, costs: Int64) -> None:
        order = np.argsort(agents, kind="stable")
        self._agents = agents[order]
        self._costs = costs[order]

    def at(self, agents: Agents) -> Int64:
        """Return the costs on some agents."""
        found = np.minimum(np.searchsorted(self._agents, agents), len(self._agents) - 1)
        return np.where(self._agents[found] == agents, self._costs[found], 0)


def _costs_by_row(run: Run) -> dict[int, _Costs]:
    preferences = run.problem.preferences
    if run.problem.goal != "prefer" or preferences is None or not len(preferences.row):
        return {}
    order = np.argsort(preferences.row, kind="stable")
    starts = np.flatnonzero(np.diff(preferences.row[order])) + 1
    return {
        int(preferences.row[some[0]]): _Costs(preferences.agent[some].astype(np.int64), preferences.cost[some])
        for some in np.split(order, starts)
    }


def _joint_last(state: State[Rule]) -> bool:
    return state.joint


def _leave_open(row: int, room: Int64, states: Sequence[State[Rule]]) -> None:
    """Take room from agents that a balance bars, where another rule is about to choose groups by room."""
    joint = [state for state in states if state.joint]
    if len(joint) < 2:
        return
    for state in joint:
        if isinstance(state, BalanceState):
            room[state.by_agent(state.allowance(row, room), 0) == 0] = 0


def _narrow(room: Int64, state: State[Rule], allowed: Int64, outside: int, shares: list[Share]) -> None:
    """Apply what a rule allows its groups to `room` (in place): to each agent at once, to sums over groups later."""
    np.minimum(room, state.by_agent(allowed, outside), out=room)
    if state.grouping != EACH_AGENT and bool(((allowed > 0) & (allowed < UNLIMITED)).any()):
        shares.append((state, allowed))


def _on_one_grouping(balance: BalanceState, shares: list[Share]) -> bool:
    return all(state.grouping == balance.grouping for state, _ in shares)


def _roomiest(allowed: Int64, room: Int64, wanted: int) -> Int64:
    """Keep an allowance of one only in the `wanted` groups with most room."""
    open_to = np.flatnonzero((allowed > 0) & (room > 0))
    kept = np.zeros(len(allowed), np.int64)
    kept[open_to[np.argsort(-room[open_to], kind="stable")[:wanted]]] = 1
    return kept


def _within_shares(agents: Agents, room: Int64, shares: list[Share], wanted: int) -> Int64:
    """Return how many instances each agent takes, the first agents first, no group more than its share."""
    taken = room
    for state, allowed in shares:
        group = state.codes[agents]
        order = np.argsort(small(group, state.groups), kind="stable")
        in_order, group = taken[order], group[order]
        before = np.cumsum(in_order) - in_order
        first = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))
        before -= np.repeat(before[first], np.diff(np.append(first, len(group))))
        limit = np.append(allowed, UNLIMITED)[group]
        taken = np.empty_like(room)
        taken[order] = np.clip(limit - before, 0, in_order)
    return filled(taken, wanted)
