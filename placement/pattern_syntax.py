"""The syntax of Java's regular expressions: a hand-written parser from text to a small tree.

It follows java.util.regex.Pattern (sequence, atom, closure, clazz, range, group0); what Java's versions read
differently, or what no automaton can match, it refuses by name. It does not know RE2.
"""

from __future__ import annotations

from dataclasses import dataclass

from placement.charsets import CASED, ESCAPED, EVERYTHING, LINE_ENDS, NOTHING, VERTICAL, CharSet, named
from placement.errors import InputError

DEEPEST = 100
"""Deepest nesting of groups and classes."""
_GREATEST_REPEAT = 2**31 - 1
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}
_FLAGS = "idmsuxU"
_HEX = frozenset("0123456789abcdefABCDEF")
_OCTAL = frozenset("01234567")
_DIGITS = frozenset("0123456789")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def refusal(text: str, position: int, construct: str, expected: str | None = None) -> InputError:
    """Return the error for a construct at a place of the pattern (from 0)."""
    return InputError(f"pattern holds {construct} at position {position + 1}", value=text, expected=expected)


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of a set."""

    chars: CharSet


@dataclass(frozen=True, slots=True)
class Assertion:
    """A condition on a position, as RE2 writes it; `before` are line ends it also holds in front of, if final."""

    written: str
    position: int
    before: CharSet = NOTHING


@dataclass(frozen=True, slots=True)
class Sequence:
    """All of these, one after the other."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Any one of these."""

    alternatives: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`item` from `least` to `most` times (None: without bound)."""

    item: Node
    least: int
    most: int | None
    possessive: bool
    position: int


Node = Chars | Assertion | Sequence | Choice | Repeat


@dataclass(frozen=True, slots=True)
class _Token:
    r"""One character of the pattern; `quoted` inside `\Q..\E`, where it stands for itself."""

    char: str
    position: int
    quoted: bool = False


_END = _Token("", -1)


def _tokens(text: str) -> list[_Token]:
    r"""Return the characters of a pattern with `\Q..\E` taken out, as Java does before it parses."""
    tokens, i, quoted = [], 0, False
    while i < len(text):
        pair = text[i : i + 2]
        if quoted and pair == "\\E":
            quoted, i = False, i + 2
        elif quoted:
            tokens.append(_Token(text[i], i, quoted=True))
            i += 1
        elif pair == "\\Q":
            quoted, i = True, i + 2
        elif text[i] == "\\":
            tokens += [_Token(char, i + offset) for offset, char in enumerate(pair)]
            i += 2
        else:
            tokens.append(_Token(text[i], i))
            i += 1
    return tokens


class Parser:
    """Reads Java's syntax, one method a construct."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.next = 0
        self.flags = frozenset[str]()
        self.names: set[str] = set()
        self.depth = 0

    def tree(self) -> Node:
        """Return the tree of the whole pattern."""
        node = self._choice()
        if self.next < len(self.tokens):
            raise self._error("an unmatched )")
        return node

    # Walking over tokens

    def _peek(self, ahead: int = 0) -> _Token:
        at = self.next + ahead
        return self.tokens[at] if at < len(self.tokens) else _END

    def _sees(self, syntax: str, ahead: int = 0) -> bool:
        """Tell whether the next tokens are these characters, unquoted."""
        return all(
            self._peek(ahead + i).char == char and not self._peek(ahead + i).quoted for i, char in enumerate(syntax)
        )

    def _takes(self, syntax: str) -> bool:
        if not self._sees(syntax):
            return False
        self.next += len(syntax)
        return True

    def _take(self) -> _Token:
        token = self._peek()
        if token is _END:
            raise self._error("an unfinished construct")
        self.next += 1
        return token

    def _take_while(self, allowed: frozenset[str], most: int | None = None) -> str:
        taken = ""
        while self._peek().char in allowed and not self._peek().quoted and (most is None or len(taken) < most):
            taken += self._take().char
        return taken

    def _error(self, construct: str, position: int | None = None, expected: str | None = None) -> InputError:
        if position is None:
            position = self._peek().position if self._peek() is not _END else len(self.text)
        return refusal(self.text, position, construct, expected)

    def _enter(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._error(f"groups or classes nested deeper than {DEEPEST}")

    # Groups, alternatives, repeats

    def _choice(self) -> Node:
        alternatives = [self._sequence()]
        while self._takes("|"):
            alternatives.append(self._sequence())
        return alternatives[0] if len(alternatives) == 1 else Choice(tuple(alternatives))

    def _sequence(self) -> Node:
        items: list[Node] = []
        while self._peek() is not _END and not self._sees("|") and not self._sees(")"):
            if any(self._sees(char) for char in "*+?{"):
                raise self._error(f"{self._peek().char} with nothing to repeat")
            atom = self._atom()
            if atom is not None:
                items.append(self._repeated(atom))
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _atom(self) -> Node | None:
        start = self._peek().position
        if self._sees("("):
            return self._group()
        if self._takes("["):
            return Chars(self._class(start))
        if self._takes("."):
            return Chars(EVERYTHING if "s" in self.flags else ~self._line_ends())
        if self._takes("^"):
            return self._anchor("\\A", start, NOTHING)
        if self._takes("$"):
            return self._anchor("\\z", start, self._line_ends())
        if self._sees("\\"):
            return self._escape()
        return self._single(ord(self._take().char))

    def _line_ends(self) -> CharSet:
        return CharSet.chars("\n") if "d" in self.flags else LINE_ENDS

    def _anchor(self, written: str, position: int, before: CharSet) -> Assertion:
        if "m" in self.flags:
            raise self._error("a line anchor (^ or $ with the flag m)", position)
        return Assertion(written, position, before)

    def _single(self, point: int) -> Chars:
        chars = CharSet(((point, point),))
        return Chars(chars.ascii_folded() if "i" in self.flags else chars)

    def _repeated(self, atom: Node) -> Node:
        start = self._peek().position
        bounds = self._bounds()
        if bounds is None:
            return atom
        possessive = not self._takes("?") and self._takes("+")
        if any(self._sees(char) for char in "*+?{"):
            raise self._error("a quantifier after a quantifier")
        return Repeat(atom, *bounds, possessive, start)

    def _bounds(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._takes(sign):
                return bounds
        return self._counted_bounds() if self._sees("{") else None

    def _counted_bounds(self) -> tuple[int, int | None]:
        start = self._take().position
        least = self._take_while(_DIGITS)
        most: str | None = least
        if least and self._takes(","):
            most = self._take_while(_DIGITS) or None
        if not least or not self._takes("}"):
            raise self._error("an illegal repeat", start, "{n}, {n,} or {n,m}")
        bounds = int(least[:12]), None if most is None else int(most[:12])
        if (bounds[1] is not None and bounds[1] < bounds[0]) or max(bounds[0], bounds[1] or 0) > _GREATEST_REPEAT:
            raise self._error("an illegal repeat", start, "{n,m} with n not above m, both within 32 bits")
        return bounds

    def _group(self) -> Node | None:
        """Read a group; None for flags that hold from here on."""
        start = self._take().position
        saved = self.flags
        if self._takes("?"):
            if self._takes("<"):
                self._group_name(start)
            elif not self._takes(":") and self._inline_flags(start):
                return None
        self._enter()
        node = self._choice()
        if not self._takes(")"):
            raise self._error("an unclosed group", start)
        self.depth -= 1
        self.flags = saved
        return node

    def _group_name(self, start: int) -> None:
        if self._sees("=") or self._sees("!"):
            raise self._error("a look-behind", start)
        name = self._take_while(_LETTERS | _DIGITS)
        if not name or name[0] in _DIGITS or not self._takes(">"):
            raise self._error("an illegal group name", start, "(?<name>...), a letter and then letters and digits")
        if name in self.names:
            raise self._error("a group name that is used twice", start)
        self.names.add(name)

    def _inline_flags(self, start: int) -> bool:
        """Read `flags)` or `flags:` after `(?`; tell whether it was the former."""
        for sign, construct in (("=", "a look-ahead"), ("!", "a look-ahead"), (">", "an atomic group")):
            if self._sees(sign):
                raise self._error(construct, start)
        on = self._take_while(frozenset(_FLAGS))
        off = self._take_while(frozenset(_FLAGS)) if self._takes("-") else ""
        for flag, construct in (
            ("x", "comments (flag x)"),
            ("u", "Unicode case (flag u)"),
            ("U", "Unicode classes (flag U)"),
        ):
            if flag in on:
                raise self._error(construct, start)
        self.flags = (self.flags | set(on)) - set(off)
        if self._takes(")"):
            return True
        if not self._takes(":"):
            raise self._error("an unknown group", start, "(?:...), (?<name>...) or (?flags:...)")
        return False

    # Escapes

    def _escape(self) -> Node:
        start = self._take().position
        token = self._peek()
        letter = token.char
        if letter in _DIGITS - {"0"} or letter == "k":
            raise self._error("a back-reference", start)
        if letter in ("A", "G"):
            self.next += 1
            return Assertion("\\A", start)
        if letter in ("z", "Z"):
            self.next += 1
            return Assertion("\\z", start, self._line_ends() if letter == "Z" else NOTHING)
        if letter in ("b", "B"):
            self.next += 1
            if self._sees("{"):
                raise self._error("a boundary of its own kind (\\b{...})", start)
            return Assertion(f"\\{letter}", start)
        if letter == "R":
            self.next += 1
            both = Sequence((Chars(CharSet.chars("\r")), Chars(CharSet.chars("\n"))))
            return Choice((both, Chars(VERTICAL)))
        chars = self._class_escape(start)
        return Chars(chars) if chars is not None else self._single(self._char_escape(start))

    def _class_escape(self, start: int) -> CharSet | None:
        r"""Read what follows a backslash if it names a set (`\d`, `\p{..}`)."""
        letter = self._peek().char
        if letter in ESCAPED:
            self.next += 1
            return ESCAPED[letter]
        if letter in ("p", "P"):
            self.next += 1
            chars = self._property(start)
            return ~chars if letter == "P" else chars
        return None

    def _property(self, start: int) -> CharSet:
        name = ""
        if self._takes("{"):
            while not self._sees("}"):
                name += self._take().char
            self.next += 1
        else:
            name = self._take().char
        if "i" in self.flags and name.removeprefix("Is").rpartition("=")[2] in CASED:
            raise self._error(f"\\p{{{name}}} without regard to case", start)
        chars = named(name)
        if chars is None:
            raise self._error(f"a class that is not known here, \\p{{{name}}}", start,
                              "a POSIX class such as Alpha or a general category such as Lu")  # fmt: skip
        return chars

    def _char_escape(self, start: int) -> int:
        """Read what follows a backslash as one character."""
        letter = self._take().char
        if letter in _CONTROLS:
            return ord(_CONTROLS[letter])
        if letter == "0":
            return self._octal(start)
        if letter == "x":
            return self._hexadecimal(start)
        if letter == "u":
            return self._utf16(start)
        if letter == "c":
            return ord(self._take().char) ^ 64
        if letter in _LETTERS:
            raise self._error(f"an escape that is not supported, \\{letter}", start)
        return ord(letter)

    def _octal(self, start: int) -> int:
        digits = self._take_while(_OCTAL, 3)
        if not digits:
            raise self._error("an illegal octal escape", start, "\\0n, \\0nn or \\0mnn with m up to 3")
        if len(digits) == 3 and digits[0] > "3":
            self.next -= 1
            digits = digits[:2]
        return int(digits, 8)

    def _hexadecimal(self, start: int) -> int:
        if self._takes("{"):
            digits = self._take_while(_HEX)
            if digits and self._takes("}") and int(digits, 16) <= 0x10FFFF:
                return self._scalar(int(digits, 16), start)
        else:
            digits = self._take_while(_HEX, 2)
            if len(digits) == 2:
                return int(digits, 16)
        raise self._error("an illegal hexadecimal escape", start, "\\xhh or \\x{h...h}")

    def _utf16(self, start: int) -> int:
        unit = self._four_digits(start)
        if 0xD800 <= unit < 0xDC00 and self._sees("\\u"):
            back = self.next
            self.next += 2
            low = self._four_digits(start)
            if 0xDC00 <= low < 0xE000:
                return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)
            self.next = back
        return self._scalar(unit, start)

    def _four_digits(self, start: int) -> int:
        digits = self._take_while(_HEX, 4)
        if len(digits) < 4:
            raise self._error("an illegal Unicode escape", start, "\\uhhhh")
        return int(digits, 16)

    def _scalar(self, point: int, start: int) -> int:
        if 0xD800 <= point < 0xE000:
            raise self._error("half a surrogate pair", start)
        return point

    # Classes

    def _class(self, start: int) -> CharSet:
        """Read a class after its [, to its ]: operands joined by && into an intersection."""
        self._enter()
        negated = self._takes("^")
        chars, nested = self._operand(start, leading=True)
        while self._takes("&&"):
            chars &= self._right_operand(start)
            nested = True
        if negated and nested:
            raise self._error("a class or && in a negated class (Java's versions differ in it)", start)
        if not self._takes("]"):
            raise self._error("an unclosed class", start)
        self.depth -= 1
        return ~chars if negated else chars

    def _right_operand(self, start: int) -> CharSet:
        if any(self._sees(char) for char in "&^]"):
            raise self._error("&& with an unclear operand", start)
        begins_nested = self._sees("[")
        chars, _ = self._operand(start, leading=False, only_nested=begins_nested)
        return chars

    def _operand(self, start: int, *, leading: bool, only_nested: bool = False) -> tuple[CharSet, bool]:
        """Read the union of items up to && or ]; tell whether it holds a nested class."""
        parts: list[CharSet] = []
        nested = False
        while not (self._sees("&&") or (self._sees("]") and (parts or not leading))):
            if self._peek() is _END:
                raise self._error("an unclosed class", start)
            if self._sees("["):
                nested = True
                parts.append(self._class(self._take().position))
            elif only_nested:
                raise self._error("&& with an unclear operand", start)
            else:
                parts.append(self._item())
        if not parts:
            raise self._error("&& with an unclear operand", start)
        return CharSet.of(one for part in parts for one in part.ranges), nested

    def _item(self) -> CharSet:
        """Read one character, predefined class or range."""
        start = self._peek().position
        if self._takes("\\"):
            chars = self._class_escape(start)
            if chars is not None:
                if self.text[start + 1] == "v" and self._sees("-"):
                    raise self._error("\\v before a - in a class", start)
                return chars
            first = self._class_char_escape(start)
        else:
            first = ord(self._take().char)
        last = first
        if self._sees("-") and not (self._sees("]", 1) or self._sees("[", 1)):
            self.next += 1
            last = self._range_end(start)
        chars = CharSet(((first, last),))
        if last < first:
            raise self._error("a range that runs backwards", start)
        return chars.ascii_folded() if "i" in self.flags else chars

    def _range_end(self, start: int) -> int:
        if self._sees("&&"):
            raise self._error("&& with an unclear operand", start)
        if not self._takes("\\"):
            return ord(self._take().char)
        if self._peek().char in ESCAPED or self._peek().char in ("p", "P"):
            raise self._error("a range that ends in a class", start)
        return self._class_char_escape(start)

    def _class_char_escape(self, start: int) -> int:
        if self._peek().char in _DIGITS - {"0"}:
            raise self._error("a back-reference", start)
        return self._char_escape(start)
