"""One bounded-knapsack table for all kinds of agents: the worthiest pattern of each kind for given worths of the types.

Every kind's capacity is a point of one grid over the resources, so one run of the dynamic programme answers for all
kinds that allow the same types. It is for few resources of moderate fineness; finer ones are made coarse (`Grid`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solvers.patterns.market import Market
from solvers.rules import Int64

STEPS = 300_000_000
"""Most cells times pieces of one table: some 0.3 s and 40 MB. A search asks for a few hundred tables."""
COARSE_STEPS = 60_000_000
"""The same for a grid that is coarse anyway: two tables are filled then, and quickness is worth more than fineness."""
COARSEST = 8
"""Grid points of a resource below which making it coarser loses so much that the table says nothing."""
SMALL, LARGE = 2**30, 2**50
"""Greatest value of a table in 32 and in 64 bits: half the range is left to rounding up, and floats stay exact."""
LOSS = 1e-7
"""Part of the whole worth that may be lost by rounding worths to whole numbers of 32 bits."""


@dataclass(frozen=True, eq=False)
class Grid:
    """How amounts become grid points: resource `kept[d]` is counted in units of `unit[d]`.

    `exact` says that every pattern on the grid fits and every fitting pattern is on it.
    """

    kept: Int64
    unit: Int64
    exact: bool

    def relaxed(self, market: Market) -> tuple[Int64, Int64]:
        """Return capacities and sizes in grid units that admit every pattern that fits, and maybe more.

        The sum of rounded-down sizes is at most the rounded-down capacity.
        """
        return market.capacity[:, self.kept] // self.unit, market.size[:, self.kept] // self.unit

    def safe(self, market: Market) -> tuple[Int64, Int64]:
        """Return capacities and sizes in grid units that admit only patterns that fit."""
        return market.capacity[:, self.kept] // self.unit, -(-market.size[:, self.kept] // self.unit)


def grid_of(market: Market, steps: int = STEPS, coarse_steps: int = COARSE_STEPS) -> Grid | None:
    """Return the exact grid if its table takes at most `steps` steps, else the finest with `coarse_steps`, else None."""
    kept = _binding(market)
    unit = np.array([np.gcd.reduce(market.size[:, r]) for r in kept.tolist()], np.int64).reshape(len(kept))
    exact = True
    while table_steps(market, Grid(kept, unit, exact)) > (steps if exact else coarse_steps):
        points = _reach(market)[kept] // unit
        coarser = np.flatnonzero(points >= 2 * COARSEST)
        if not len(coarser):
            return None
        # A coarser unit wastes up to half of it for each instance; that hurts least where most would stay free anyway.
        loss = unit[coarser] * _crowding(market)[kept[coarser]]
        unit[coarser[np.argmin(loss)]] *= 2
        exact = False
    return Grid(kept, unit, exact)


def table_steps(market: Market, grid: Grid) -> int:
    """Return the cells times pieces of a whole table on the grid, over all sets of kinds that allow the same types."""
    capacity, _ = grid.relaxed(market)
    pieces = np.array([len(_split(most)) for most in market.ceiling.tolist()], np.int64)
    total = 0
    for kinds, types in _sets(market):
        cells = 1
        for points in np.minimum(capacity[kinds].max(axis=0), _reach(market)[grid.kept] // grid.unit).tolist():
            cells *= points + 1
        total += cells * int(pieces[types].sum())
    return total


def _binding(market: Market) -> Int64:
    """Return the resources that must be looked at: the others are kept whenever these are."""
    kept = [r for r in range(market.size.shape[1]) if market.size[:, r].any()]
    for r in list(kept):
        need = market.size[:, r].astype(float)
        greatest = (market.fits_by(other for other in kept if other != r) * need).sum(axis=1)
        for other in kept:
            if other == r:
                continue
            if (market.size[need > 0, other] == 0).any():
                continue
            ratio = float((need[need > 0] / market.size[need > 0, other]).max())
            greatest = np.minimum(greatest, market.capacity[:, other] * ratio)
        if (greatest * (1 + 1e-9) <= market.capacity[:, r]).all():
            kept.remove(r)
    return np.array(kept, np.int64)


def _reach(market: Market) -> Int64:
    """Return int64[R]: no agent can be filled beyond this."""
    return np.minimum(market.capacity.max(axis=0, initial=0), (market.size * market.ceiling[:, None]).sum(axis=0))


def _crowding(market: Market) -> NDArray[np.float64]:
    """Return float64[R]: instances on all agents together, per unit of capacity, weighted by how scarce the unit is."""
    whole = np.maximum((market.capacity * market.count[:, None]).sum(axis=0).astype(float), 1e-9)
    scarce = (market.size * market.demand[:, None]).sum(axis=0) / whole
    return np.maximum(scarce, 1e-3) / whole


def _split(most: int) -> list[int]:
    """Return multiplicities whose subsets add up to every number from 0 to `most` and to none above it."""
    pieces, piece = [], 1
    while most > 0:
        piece = min(piece, most)
        pieces.append(piece)
        most -= piece
        piece *= 2
    return pieces


def _sets(market: Market) -> list[tuple[Int64, Int64]]:
    """Return (kinds, types) for every distinct set of types that some kinds allow."""
    useful = market.permitted & (market.ceiling > 0)
    distinct, number = np.unique(useful, axis=0, return_inverse=True)
    return [(np.flatnonzero(number.ravel() == s), np.flatnonzero(distinct[s])) for s in range(len(distinct))]


@dataclass(frozen=True, eq=False)
class Piece:
    """Some instances of one type, taken together or not at all."""

    type: int
    times: int
    worth: int
    shift: tuple[int, ...]


class Tables:
    """The tables of a market on one grid, relaxed (for bounds) or safe (for patterns)."""

    def __init__(self, market: Market, capacity: Int64, size: Int64) -> None:
        if not size.shape[1]:  # nothing binds: a grid of one point
            capacity, size = np.zeros((market.kinds, 1), np.int64), np.zeros((market.types, 1), np.int64)
        # The longest axis comes last: numpy's inner loops then run long.
        order = np.argsort(capacity.max(axis=0, initial=0), kind="stable")
        self.market = market
        self._size = size[:, order]
        self._tables = []
        for kinds, types in _sets(market):
            reach = (self._size[types] * market.ceiling[types, None]).sum(axis=0)
            corners = np.minimum(capacity[kinds][:, order], reach)
            self._tables.append(_Table(kinds, types, corners))

    def fill(self, worth: NDArray[np.float64], most: Int64 | None = None) -> Filling:
        """Return the worthiest patterns for worths, float64[n], with at most `most`, int64[n], of each type.

        The worths are rounded to whole numbers first; the filling is exact for those.
        """
        limit = self.market.ceiling if most is None else np.minimum(self.market.ceiling, most)
        rounded, kind_of_number = self._rounded(worth, limit)
        return self.fill_whole(rounded, limit, kind_of_number)

    def fill_whole(self, worth: Int64, most: Int64, number: type[np.signedinteger] = np.int64) -> Filling:
        """Return the worthiest patterns for whole worths, int64[n], whose sums the number type must hold."""
        best = np.zeros(self.market.kinds, np.int64)
        for table in self._tables:
            pieces = [
                Piece(i, times, int(worth[i]) * times, tuple((self._size[i] * times).tolist()))
                for i in table.types.tolist()
                if worth[i] > 0
                for times in _split(int(most[i]))
            ]
            best[table.kinds] = table.fill(pieces, number)
        return Filling(worth, best, self._tables)

    def _rounded(self, worth: NDArray[np.float64], most: Int64) -> tuple[Int64, type[np.signedinteger]]:
        """Return the worths as whole numbers, as fine as the number type allows, and the number type."""
        worth = np.maximum(worth, 0.0)
        greatest = self._greatest(worth, most)
        if greatest <= 0:
            return np.zeros(len(worth), np.int64), np.int32
        lost_in_32 = int(self.market.demand.sum()) * greatest / SMALL
        if lost_in_32 <= LOSS * float((worth * self.market.demand).sum()):
            return np.rint(worth * (SMALL / greatest)).astype(np.int64), np.int32
        return np.rint(worth * (LARGE / greatest)).astype(np.int64), np.int64

    def _greatest(self, worth: NDArray[np.float64], most: Int64) -> float:
        """Return a number that no pattern's worth exceeds: of all types, or by density in any one resource."""
        bound = float((worth * most).sum())
        for d in range(self._size.shape[1]):
            taking = self._size[:, d] > 0
            free = float((worth * most)[~taking].sum())
            if taking.any():
                dense = float((worth[taking] / self._size[taking, d]).max())
                room = max((int(table.corners[:, d].max(initial=0)) for table in self._tables), default=0)
                bound = min(bound, free + dense * room)
        return bound


class _Table:
    """The table of the kinds that allow one set of types; kept between fillings to use its memory again."""

    def __init__(self, kinds: Int64, types: Int64, corners: Int64) -> None:
        self.kinds, self.types, self.corners = kinds, types, corners
        self.shape = tuple((corners.max(axis=0, initial=0) + 1).tolist())
        self.cells = int(np.prod(self.shape, dtype=np.int64))
        self._weights = np.array(
            [int(np.prod(self.shape[d + 1 :], dtype=np.int64)) for d in range(len(self.shape))], np.int64
        )
        self.pieces: list[Piece] = []
        self._taken: list[NDArray[np.uint8]] = []

    def fill(self, pieces: list[Piece], number: type[np.signedinteger]) -> Int64:
        """Run the dynamic programme over the pieces; return the best worth of each kind, int64[kinds]."""
        shape = self.shape
        best = np.zeros(shape, number)
        scratch = np.empty(self.cells, number)
        flags = np.empty(shape, np.bool_)
        self.pieces, self._taken = [], []
        for piece in pieces:
            inner = tuple(points - shift for points, shift in zip(shape, piece.shift, strict=True))
            if min(inner, default=1) <= 0:
                continue
            source = best[tuple(slice(0, points) for points in inner)]
            upper = tuple(slice(shift, None) for shift in piece.shift)
            target = best[upper]
            candidate = scratch[: source.size].reshape(source.shape)
            # The candidate is complete before the target changes, so that a piece is used once.
            np.add(source, number(piece.worth), out=candidate)
            flags[...] = False
            np.greater(candidate, target, out=flags[upper])
            np.maximum(target, candidate, out=target)
            self.pieces.append(piece)
            self._taken.append(np.packbits(flags.reshape(-1), bitorder="little"))
        return best.reshape(-1)[self._flat(self.corners)].astype(np.int64)

    def patterns(self, chosen: Int64, types: int) -> Int64:
        """Return int64[len(chosen), types]: a best pattern of each of the kinds numbered within this table."""
        position = self._flat(self.corners[chosen])
        patterns = np.zeros((len(chosen), types), np.int64)
        for piece, taken in zip(reversed(self.pieces), reversed(self._taken), strict=True):
            took = (taken[position >> 3] >> (position & 7).astype(np.uint8)) & 1
            if took.any():
                patterns[:, piece.type] += took * np.int64(piece.times)
                position = position - took * self._flat(np.array(piece.shift, np.int64))
        return patterns

    def _flat(self, points: Int64) -> Int64:
        flat: Int64 = points @ self._weights
        return flat


@dataclass(frozen=True, eq=False)
class Filling:
    """The worth of the best pattern of every kind; patterns can be asked for until the tables are filled again.

    Attributes
    ----------
    worth
        int64[n]: the whole worths it is exact for.
    best
        int64[K].
    """

    worth: Int64
    best: Int64
    tables: list[_Table]

    def patterns(self, kinds: Int64) -> Int64:
        """Return int64[len(kinds), n]: a best pattern of each kind."""
        patterns = np.zeros((len(kinds), len(self.worth)), np.int64)
        for table in self.tables:
            rows = np.flatnonzero(np.isin(kinds, table.kinds))
            if len(rows):
                patterns[rows] = table.patterns(np.searchsorted(table.kinds, kinds[rows]), len(self.worth))
        return patterns
