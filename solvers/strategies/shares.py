"""Search for the least share by which a programme over sums must ask for more (or have less) than it says is enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator

FIRST, LEAST, MOST = 0.064, 0.0005, 1.0
"""Share asked for beyond what is needed: the first tried, the least difference that is looked for, and the greatest."""
FACTOR = 2.0
"""What the share is divided by while everything finds a place, and multiplied by while it does not."""


def shares(works: Callable[[float], bool]) -> Iterator[float]:
    """Try shares: ever halved ones until one fails (or doubled until one does not), then halves of the interval, then none.

    From above, as a choice with room to spare is placed many times faster than one without. Yields after each try.
    """
    high = FIRST
    while not works(high):
        yield high
        high *= FACTOR
        if high > MOST:
            return
    yield high
    low = 0.0
    while high - low >= LEAST:
        middle = (low + high) / 2 if low else high / FACTOR
        if works(middle):
            high = middle
        else:
            low = middle
        yield middle
    if not low:
        works(0.0)
        yield 0.0
