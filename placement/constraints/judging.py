"""What several judgements have in common: counting instances by value, and sentences for what is broken.

It serves the checker only. Nothing here is called by a mask or a compilation, and nothing here calls one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

import re2

from placement.constraints.base import Breach, Facts, View


def by_value(instances: Iterable[Facts], field: str) -> Counter[str | None]:
    """Return how many instances there are on each value of a field, None for those without one."""
    return Counter([facts.value(field) for facts in instances])


def new_by_value(view: View, field: str) -> Counter[str]:
    """Return how many new instances there are on each value of a field; those without one are left out."""
    return Counter([value for facts in view.placed if (value := facts.value(field)) is not None])


def number(count: int, what: str = "instance") -> str:
    """Return the number with its noun: '1 instance', '2 instances'."""
    return f"{count} {what}" + ("" if count == 1 else "s")


def without_value(view: View, field: str) -> Iterator[Breach]:
    """Yield the new instances on agents that have no value of the field."""
    count = sum(1 for facts in view.placed if facts.value(field) is None)
    if count:
        yield Breach(count, f"{number(count)} on agents without {field}")


def not_allowed(view: View, allowed: Callable[[Facts], bool], sentence: str) -> Iterator[Breach]:
    """Yield the new instances on agents that are not allowed by themselves."""
    count = sum(1 for facts in view.placed if not allowed(facts))
    if count:
        yield Breach(count, f"{number(count)} on agents that are not allowed: {sentence}")


def above_cap(view: View, field: str, limit: int) -> Iterator[Breach]:
    """Yield for each value the new instances beyond `limit`; where more are already, every new one is beyond it."""
    before = by_value(view.running, field)
    for value, new in new_by_value(view, field).items():
        count = min(new, before[value] + new - limit)
        if count > 0:
            yield Breach(count, f"{number(before[value] + new)} on {field} {value}, {limit} allowed")


def earliest(view: View, other: str, field: str) -> dict[str, int]:
    """Return the position from which on another job has an instance on each value of a field (-1: it runs there)."""
    running, placed = view.others(other)
    since = {value: -1 for facts in running if (value := facts.value(field)) is not None}
    for position, facts in placed:
        value = facts.value(field)
        if value is not None:
            since[value] = min(position, since.get(value, position))
    return since


def out_of_turn(count: int, rule: str) -> Breach:
    """Return the breach of instances that were not allowed at their turn, though the final state is right."""
    return Breach(count, f"{number(count)} not eligible in the order given: {rule}")


@lru_cache(maxsize=100_000)
def matches(translated: str, value: str) -> bool:
    """Tell whether a translated pattern matches the whole of `value`."""
    return _expression(translated).fullmatch(value.encode("utf-8", "replace")) is not None


@lru_cache(maxsize=1024)
def _expression(translated: str) -> re2._Regexp:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(translated.encode(), options)
