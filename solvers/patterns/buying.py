"""Buying the cheapest agents that hold everything: select which, pack them, and learn from what does not fit.

The selection is an integer programme whose value is a proved bound; if its choice can be packed, that is an optimal
purchase. Otherwise the packing tells the selection why not (Benders 1962), or, where only whole packings fail, the
search goes on among dearer choices.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from solvers.patterns.budget import Budget
from solvers.patterns.dive import PACES, Taken, dive
from solvers.patterns.generation import Generation, Pool, first_worths
from solvers.patterns.market import Market, Purchase
from solvers.patterns.packing import SMOOTHING, Packer, fill_gaps
from solvers.patterns.pricing import Pricing, price_bound, rounded_up, top_up
from solvers.patterns.selection import Selection
from solvers.patterns.table import Grid, grid_of
from solvers.rules import Int64

MOST_TYPES = 4_000
"""Types above which the covering programme alone takes some ten minutes (715 types: 30 s)."""
MOST_PAIRS = 20_000_000
"""Kinds times types that are tabulated: 160 MB."""
CONVERGED = 1e-4
"""Gap of the pattern programme at which it is not worked on any more."""
CUTS_BEFORE_PRICES = 3
"""Cuts of single choices after which one cut from the prices of all agents is looked for, which answers for many."""
ALIKE = 1.05
"""Agents whose price for what they take is within so much of the least are bought in one step of greedy buying."""
NOISY_TRIES = 8
"""Tries with disturbed dives at the least price, once nothing else is left to try."""

CAREFUL = PACES[2]
"""Pace of these tries: the slower ones gain little more."""
STARTING = 0.2
"""Share of the time for the greedy purchase."""
IMPOSSIBLE = "impossible"

Progress = Callable[[Purchase], None]


def expressible(market: Market) -> str | None:
    """Return why a market is too large for patterns, in words; None if it is not."""
    if market.types > MOST_TYPES:
        return f"{market.types} types of instances; a covering programme over more than {MOST_TYPES} takes too long"
    if market.kinds * market.types > MOST_PAIRS:
        return f"{market.kinds} kinds of agents times {market.types} types are more than {MOST_PAIRS} pairs"
    if grid_of(market) is None:
        return (
            f"{market.size.shape[1]} resources and the sets of kinds that are allowed make too large a knapsack table"
        )
    return None


def buy(
    market: Market,
    *,
    seed: int = 0,
    until: float | None = None,
    work: int | None = None,
    progress: Progress | None = None,
    upper: int | None = None,
) -> Purchase:
    """Return the cheapest purchase found that holds all demand, with a bound.

    Parameters
    ----------
    until
        Moment on `time.monotonic()` at which the search ends.
    work
        Rounds of pricing after which it ends; nothing else then depends on a clock, unless `until` comes first.
    progress
        Called with every better purchase, and with every better bound (the purchase is incomplete while none is known).
    upper
        Price of an answer already known: only cheaper ones are looked for.

    Raises
    ------
    ValueError
        The market is not `expressible`.
    """
    reason = expressible(market)
    if reason is not None:
        raise ValueError(reason)
    grid = grid_of(market)
    assert grid is not None
    return _Search(market, grid, seed, Budget(until, work), progress, upper).run()


class _Search:
    """One search: the best purchase and the best bound so far, and the parts that improve them."""

    def __init__(
        self, market: Market, grid: Grid, seed: int, budget: Budget, progress: Progress | None, upper: int | None
    ) -> None:
        self.market, self.budget, self.progress = market, budget, progress
        self.pool = Pool()
        self.pricing = Pricing(market, grid)
        self.selection = Selection(market, self.pricing, seed)
        self.packer = Packer(market, self.pricing, self.pool, budget, seed)
        self.grid_text = "" if grid.exact else f" on a grid coarsened to units of {grid.unit.tolist()}"
        self.everything = int((market.price * market.count).sum())
        self.best: Taken | None = None
        # What must be undercut; a purchase of everything must still be allowed.
        self.value = self.everything + market.step if upper is None else upper
        self.bound = 0
        self.cuts = 0
        self.source = "selection"

    def run(self) -> Purchase:
        """Search until the value meets the bound or nothing is left to try."""
        if not self.market.demand.any():
            self.best, self.value = Taken(), 0
            return self._purchase(cut_short=False)
        if any(row.lacks(self.market.count) > 0 for row in self.selection.rows):
            return self._impossible()
        self._start()
        failed = self._select_and_pack()
        if any(row.lacks(self.market.count) > 0 for row in self.selection.rows):
            return self._impossible()
        if failed is not None and not self._done:
            self._spend_more(failed)
            self._try_again(failed)
        if self.best is None and not self._done:
            self._buy_straight(Taken(), self.market.demand, self.market.count)
        return self._purchase(cut_short=self.budget.late)

    def _start(self) -> None:
        """Keep a greedy purchase, so that there is one whenever the search ends."""
        begun = self.budget.part(STARTING)
        taken, left = greedy_purchase(
            self.market, self.market.demand, self.market.count, lambda: self.budget.late or begun.over
        )
        if not left.any():
            self._keep(taken, left)

    @property
    def _done(self) -> bool:
        return self.bound >= self.value or self.budget.over

    def _select_and_pack(self) -> Int64 | None:
        """Select, pack, cut, until a choice is packed (None) or one cannot be packed though no cut says so."""
        while not self._done:
            choice = self.selection.cheapest(self.budget)
            if choice.bound is not None:
                self._raise(choice.bound)
            if choice.chosen is None or self._done:
                return None
            packing = self.packer.pack(choice.chosen)
            if packing.proof is None:
                if packing.taken is not None and packing.left is not None:
                    self._keep(packing.taken, packing.left)
                return choice.chosen
            row = self.selection.cut(packing.proof, choice.chosen)
            if row.lacks(self.market.count) > 0:
                return None
            if row.lacks(choice.chosen) <= 0:
                return choice.chosen
            self.cuts += 1
            if self.cuts == CUTS_BEFORE_PRICES:
                self._cut_by_prices()
        return None

    def _spend_more(self, failed: Int64) -> None:
        """Look for the least price at which the roomiest choice can be packed, between the bound and the best value.

        First a little more than what failed, then twice as much; once something was packed, half of what lies between.
        """
        step = self.market.step
        low, more = self._price(failed) - step, 1
        tried = {failed.tobytes()}
        while not self._done and low + step < self.value:
            price = low + more * step
            if self.best is not None:
                price = min(price, low + max(1, (self.value - low) // (2 * step)) * step)
            price = min(price, self.value - step)
            chosen = self.selection.roomiest(self.budget, price)
            if chosen is None or chosen.tobytes() in tried:
                low, more = price, 2 * more
                continue
            tried.add(chosen.tobytes())
            packing = self.packer.pack(chosen)
            if packing.proof is not None:
                self.selection.cut(packing.proof, chosen)
                continue
            if packing.taken is not None and packing.left is not None:
                self._keep(packing.taken, packing.left)
            if self.value > price:
                low, more = price, 2 * more

    def _try_again(self, failed: Int64) -> None:
        """Pack the choice that failed again, with disturbed dives."""
        for _ in range(NOISY_TRIES):
            if self._done or self._price(failed) >= self.value:
                return
            packing = self.packer.pack(failed, (CAREFUL,), noisy=True)
            if packing.taken is None or packing.left is None:
                return
            self._keep(packing.taken, packing.left)

    def _keep(self, taken: Taken, left: Int64) -> None:
        """Keep a packing if it is better than the best; buy further agents for what it leaves out."""
        if left.any():
            self._buy_straight(taken, left, self.market.count - taken.agents(self.market.kinds))
            return
        cheapened(self.market, taken)
        value = self._price(taken.agents(self.market.kinds))
        if value < self.value:
            self.best, self.value = taken, value
            self._tell()

    def _buy_straight(self, taken: Taken, demand: Int64, count: Int64) -> None:
        """Buy agents for demand that is left, from the prices alone, beside those already taken."""
        if self.budget.over and self.best is not None:
            return
        more, still_left = greedy_purchase(self.market, demand, count)
        if not still_left.any():
            self._keep(taken.joined(more), still_left)
        if self.budget.over:
            return
        generation = self._priced(demand, count)
        self._converge(generation)
        more, left = dive(generation, PACES[0])
        together = taken.joined(more)
        left = fill_gaps(self.market, together, left)
        if not left.any():
            self._keep(together, left)

    def _cut_by_prices(self) -> None:
        """Cut by the worths at which the pattern programme over all agents and prices ends."""
        generation = self._priced(self.market.demand, self.market.count)
        self._converge(generation)
        if generation.best is not None:
            self.selection.cut(generation.best)
            bound = price_bound(self.market.price, self.market.count, self.market.demand, generation.best)
            self._raise(rounded_up(bound, self.market.step), "pattern prices")

    def _priced(self, demand: Int64, count: Int64) -> Generation:
        dearest = float(self.market.price.max(initial=1))
        generation = Generation(
            self.market,
            self.pricing,
            self.pool,
            price=self.market.price.astype(float),
            count=count,
            demand=demand,
            penalty=np.full(self.market.types, 2 * dearest),
            budget=self.budget,
        )
        generation.begin_at(first_worths(self.market))
        return generation

    def _converge(self, generation: Generation) -> None:
        while not self.budget.over:
            now = generation.round(SMOOTHING)
            if now is None or not now.added or generation.centre_bound >= (1 - CONVERGED) * now.cover.value:
                return

    def _price(self, chosen: Int64) -> int:
        return int((self.market.price * chosen).sum())

    def _raise(self, bound: int, source: str = "selection") -> None:
        bound = min(bound, self.value)
        if bound > self.bound:
            self.bound, self.source = bound, source
            self._tell()

    def _impossible(self) -> Purchase:
        """Return that all agents together cannot hold the demand, which a row proves in whole numbers."""
        self.value = self.bound = self.everything + self.market.step
        self.source = IMPOSSIBLE
        return self._purchase(cut_short=False)

    def _tell(self) -> None:
        if self.progress is not None:
            self.progress(self._purchase(cut_short=False))

    def _purchase(self, *, cut_short: bool) -> Purchase:
        if self.best is None:
            nothing = np.empty((0, self.market.types), np.int64)
            return Purchase(nothing, np.empty(0, np.int32), np.empty(0, np.int64), self.value, self.bound,
                            self._engine(), cut_short, complete=False)  # fmt: skip
        return Purchase(
            np.array(self.best.patterns, np.int64).reshape(-1, self.market.types),
            np.array(self.best.kinds, np.int32),
            np.array(self.best.times, np.int64),
            self.value,
            min(self.bound, self.value),
            self._engine(),
            cut_short,
            complete=True,
        )

    def _engine(self) -> str:
        """Return what the bound rests on, in words."""
        if self.source == IMPOSSIBLE:
            return "worths in whole numbers: all agents together cannot hold the demand"
        if self.source == "pattern prices":
            return f"pattern worths in whole numbers{self.grid_text}"
        cuts = f" and {self.cuts} cuts from packing" if self.cuts else ""
        return (
            f"selection programme by HiGHS, lowered by 1e-6; rows of resources{cuts} in whole numbers{self.grid_text}"
        )


def greedy_purchase(
    market: Market, demand: Int64, count: Int64, is_late: Callable[[], bool] = lambda: False
) -> tuple[Taken, Int64]:
    """Buy, again and again, the agent that is cheapest for the size of what it takes of the demand.

    Parameters
    ----------
    is_late
        Whether to give up; what was bought by then is returned.

    Returns
    -------
    taken, left
        What was bought, and the demand, int64[n], that nothing left to buy can take.
    """
    taken, demand, count = Taken(), demand.copy(), count.copy()
    while demand.any() and not is_late():
        kinds = np.flatnonzero(count > 0)
        patterns = np.zeros((len(kinds), market.types), np.int64)
        # Worth more than in proportion, so that large instances, which few agents take, come first.
        top_up(market, patterns, kinds, market.weight**2, demand)
        worth = patterns @ market.weight
        if not worth.any():
            break
        price = np.where(worth > 0, market.price[kinds] / np.maximum(worth, 1e-300), np.inf)
        whole = np.flatnonzero((patterns == demand).all(axis=1))
        if len(whole):
            order = [int(whole[np.argmin(market.price[kinds[whole]])])]
        else:
            order = np.argsort(price, kind="stable")[: np.count_nonzero(price <= ALIKE * price.min())].tolist()
        for at in order:
            held = np.flatnonzero(patterns[at])
            times = min(int(count[kinds[at]]), int((demand[held] // patterns[at][held]).min(initial=demand.sum())))
            if times:
                taken.put(int(kinds[at]), patterns[at], times)
                demand -= times * patterns[at]
                count[kinds[at]] -= times
    return taken, demand


def cheapened(market: Market, taken: Taken) -> None:
    """Move patterns to cheaper kinds that hold them and are not used up, the dearest agents first."""
    free = market.count - taken.agents(market.kinds)
    for entry in sorted(range(len(taken.kinds)), key=lambda e: (-int(market.price[taken.kinds[e]]), e)):
        pattern, kind = taken.patterns[entry], taken.kinds[entry]
        holds = (market.capacity >= pattern @ market.size).all(axis=1)
        holds &= (free > 0) & (market.price < market.price[kind])
        holds &= ~(pattern.astype(np.bool_) & ~market.permitted).any(axis=1)
        for cheaper in sorted(np.flatnonzero(holds).tolist(), key=lambda k: (int(market.price[k]), k)):
            agents = min(int(free[cheaper]), taken.times[entry])
            if not agents:
                break
            free[cheaper] -= agents
            free[kind] += agents
            taken.put(cheaper, pattern, agents)
            taken.times[entry] -= agents
    kept = [e for e, times in enumerate(taken.times) if times > 0 and taken.patterns[e].any()]
    taken.kinds = [taken.kinds[e] for e in kept]
    taken.patterns = [taken.patterns[e] for e in kept]
    taken.times = [taken.times[e] for e in kept]
