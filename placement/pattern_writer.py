"""A pattern's tree written in RE2's syntax, the same language exactly or refused.

What needs a proof is decided here: an end before a final line end, a possessive quantifier, repeats beyond RE2's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from placement.charsets import NOTHING, CharSet
from placement.errors import InputError
from placement.pattern_syntax import Assertion, Chars, Choice, Node, Repeat, Sequence, refusal

_LONGEST_TRANSLATED = 500_000
_LARGEST = 100_000
"""Most instructions, by a rough count, that RE2 is given to compile."""
_MOST_REPEATS = 1000
"""RE2's own bound on a repeat, and on the product of nested ones."""


@dataclass(frozen=True, slots=True)
class _Written:
    """RE2's text of a node, about how many instructions it takes, and its greatest product of nested repeats."""

    text: str
    size: int
    product: int = 1


class Writer:
    """Writes a tree in RE2's syntax. `follow` is the set of characters that could be taken next, where that matters."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sensitivities: dict[int, bool] = {}
        self.firsts: dict[int, CharSet] = {}
        self.empties: dict[int, bool] = {}

    def write(self, tree: Node) -> str:
        """Return RE2's text of the whole tree."""
        return self._node(tree, NOTHING).text

    def _node(self, node: Node, follow: CharSet) -> _Written:
        if isinstance(node, Chars):
            return _Written(_class_text(node.chars), 1 + len(node.chars.ranges))
        if isinstance(node, Assertion):
            return self._assertion(node, follow)
        if isinstance(node, Sequence):
            return self._sequence(node, follow)
        if isinstance(node, Choice):
            parts = [self._node(one, follow) for one in node.alternatives]
            return self._joined(parts, "|")
        return self._repeat(node, follow)

    def _assertion(self, node: Assertion, follow: CharSet) -> _Written:
        """An end before a final line end is the very end, unless that line end could still be taken."""
        if node.before.meets(follow):
            raise refusal(self.text, node.position, "an end ($ or \\Z) before something that may be a line end")
        return _Written(node.written, 1)

    def _sequence(self, node: Sequence, follow: CharSet) -> _Written:
        parts: list[_Written] = []
        begin = next((i for i, item in enumerate(node.items) if self._sensitive(item)), len(node.items))
        for i, item in reversed(list(enumerate(node.items))):
            parts.append(self._node(item, follow))
            if i > begin:
                follow = self._first(item) | follow if self._empty(item) else self._first(item)
        return self._joined(parts[::-1], "")

    def _joined(self, parts: list[_Written], separator: str) -> _Written:
        text = separator.join(part.text for part in parts)
        product = max((part.product for part in parts), default=1)
        return self._bounded(_Written(f"(?:{text})", 1 + sum(part.size for part in parts), product))

    def _repeat(self, node: Repeat, follow: CharSet) -> _Written:
        if node.possessive and node.least != node.most:
            self._check_possessive(node, follow)
        again = node.most not in (0, 1) and self._sensitive(node.item)
        inside = self._first(node.item) | follow if again else follow
        item = self._node(node.item, inside)
        sign = {(0, None): "*", (1, None): "+", (0, 1): "?"}.get((node.least, node.most))
        if sign:
            return _Written(f"(?:{item.text}{sign})", item.size + 2, item.product)
        rest = 1 if node.most is None else node.most - node.least
        self._bounded(_Written("", item.size * (node.least + rest)))
        text, product = _times(item, node.least, "")
        if node.most is None:
            text += f"{item.text}*"
        elif rest:
            optional, further = _times(item, rest, "0,")
            text, product = text + optional, max(product, further)
        return self._bounded(_Written(f"(?:{text})", item.size * (node.least + rest) + 2, product))

    def _check_possessive(self, node: Repeat, follow: CharSet) -> None:
        """A possessive repeat of one character is an ordinary one if nothing that may follow could take it too."""
        if not isinstance(node.item, Chars) or node.item.chars.meets(follow):
            raise refusal(self.text, node.position, "a possessive quantifier that differs from an ordinary one")

    def _bounded(self, written: _Written) -> _Written:
        if written.size > _LARGEST or len(written.text) > _LONGEST_TRANSLATED:
            raise InputError("pattern is too large", value=self.text, expected="fewer or smaller repeats")
        return written

    def _sensitive(self, node: Node) -> bool:
        """Tell whether the node holds anything whose meaning depends on what follows."""
        if id(node) not in self.sensitivities:
            self.sensitivities[id(node)] = self._make_sensitive(node)
        return self.sensitivities[id(node)]

    def _make_sensitive(self, node: Node) -> bool:
        if isinstance(node, Sequence):
            return any(self._sensitive(item) for item in node.items)
        if isinstance(node, Choice):
            return any(self._sensitive(one) for one in node.alternatives)
        if isinstance(node, Repeat):
            return node.possessive or self._sensitive(node.item)
        return isinstance(node, Assertion) and bool(node.before)

    def _empty(self, node: Node) -> bool:
        """Tell whether the node can match without taking a character."""
        if id(node) not in self.empties:
            self.empties[id(node)] = self._make_empty(node)
        return self.empties[id(node)]

    def _make_empty(self, node: Node) -> bool:
        if isinstance(node, Chars):
            return False
        if isinstance(node, Sequence):
            return all(self._empty(item) for item in node.items)
        if isinstance(node, Choice):
            return any(self._empty(one) for one in node.alternatives)
        return isinstance(node, Assertion) or node.least == 0 or self._empty(node.item)

    def _first(self, node: Node) -> CharSet:
        """Return the characters the node can take first."""
        if id(node) not in self.firsts:
            self.firsts[id(node)] = CharSet.of(one for chars in self._first_parts(node) for one in chars.ranges)
        return self.firsts[id(node)]

    def _first_parts(self, node: Node) -> Iterator[CharSet]:
        if isinstance(node, Chars):
            yield node.chars
        elif isinstance(node, Sequence):
            for item in node.items:
                yield self._first(item)
                if not self._empty(item):
                    return
        elif isinstance(node, Choice):
            for one in node.alternatives:
                yield self._first(one)
        elif isinstance(node, Repeat):
            yield self._first(node.item)


def _times(item: _Written, count: int, least: str) -> tuple[str, int]:
    """Return `item` repeated `count` times (`least` '0,': up to so many) in pieces RE2 accepts, and their product."""
    step = max(1, min(count, _MOST_REPEATS // item.product))
    pieces, rest = divmod(count, step)
    text = f"{item.text}{{{least}{step}}}" * pieces + (f"{item.text}{{{least}{rest}}}" if rest else "")
    return text, step * item.product


@lru_cache(maxsize=1024)
def _class_text(chars: CharSet) -> str:
    if len(chars.ranges) == 1 and chars.ranges[0][0] == chars.ranges[0][1]:
        return _point_text(chars.ranges[0][0])
    if not chars:
        return "[^\\x{0}-\\x{10ffff}]"
    return "[" + "".join(f"{_point_text(first)}-{_point_text(last)}" for first, last in chars.ranges) + "]"


def _point_text(point: int) -> str:
    return chr(point) if point < 128 and chr(point).isalnum() else f"\\x{{{point:x}}}"
