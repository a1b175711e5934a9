"""Reading untrusted files: bytes, safe JSON, and records whose fields are asked for by name and type.

Nothing here knows what a document means. Everything wrong becomes one `InputError` with file and JSON path.
"""

from __future__ import annotations

import gc
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from placement.amounts import is_number, thousandths
from placement.errors import InputError, doubt, nearest

DEEPEST = 64
"""Levels of nesting that are read."""
STDIN = "-"
_CHUNK = 1 << 22
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def read_bytes(path: str | Path, stdin: BinaryIO | None = None) -> bytes:
    """Return the content of a file; `-` is standard input.

    Raises
    ------
    InputError
        If the file cannot be read or is empty.
    """
    name = name_of(path)
    try:
        data = (stdin or sys.stdin.buffer).read() if str(path) == STDIN else Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", file=name) from None
    if not data.strip():
        raise InputError("is empty", file=name, expected="a document")
    return data


def name_of(path: str | Path) -> str:
    """Return how messages call a file."""
    return "standard input" if str(path) == STDIN else str(path)


def decode_text(data: bytes, *, file: str) -> str:
    """Return bytes as text (UTF-8, with or without a byte order mark).

    Raises
    ------
    InputError
        If they are not UTF-8, or hold a NUL.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError("is not UTF-8", file=file, place=f"line {line}", value=data[error.start : error.end],
                         expected="text in UTF-8") from None  # fmt: skip
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise InputError("holds a NUL character", file=file, place=f"line {line}", expected="text")
    return text


def load_json(data: bytes, *, file: str) -> Any:
    """Return the value of a JSON document.

    Raises
    ------
    InputError
        If it is no JSON, nests deeper than `DEEPEST`, repeats a key, or holds NaN, Infinity or half a character.
    """
    text = decode_text(data, file=file)
    depth = nesting(data)
    if depth > DEEPEST:
        raise InputError("nests too deep", file=file, value=depth, expected=f"at most {DEEPEST} levels")
    try:
        with _no_collection():
            value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InputError(f"is not JSON: {error.msg}", file=file, place=place) from None
    except InputError as error:
        raise error.inside(file=file) from None
    except ValueError as error:  # a number of thousands of digits
        raise InputError(f"is not JSON that can be read: {error}", file=file) from None
    if _SURROGATE.search(data):
        _check_surrogates(value, file)
    return value


def _check_surrogates(value: Any, file: str) -> None:
    """Refuse texts that no encoding can write: half of a pair of surrogates."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InputError("holds half a character", file=file, value=error.object[error.start : error.end],
                         expected="pairs of surrogates") from None  # fmt: skip


@contextmanager
def _no_collection() -> Iterator[None]:
    """Collect no garbage meanwhile: a document being read holds none, and looking for it doubles the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise InputError("a key stands twice in one object", value=twice, expected="distinct keys")
    return found


def _constant(word: str) -> Any:
    raise InputError("is no JSON number", value=word, expected="a finite number")


def nesting(data: bytes) -> int:
    """Return how deep brackets nest outside strings, by one linear scan."""
    deepest = depth = 0
    inside = False
    rest = b""
    for start in range(0, len(data), _CHUNK):
        chunk = rest + data[start : start + _CHUNK]
        # An escape cut in two by the end of a chunk is looked at with the next one.
        cut = len(chunk) - len(chunk.rstrip(b"\\"))
        rest, chunk = (chunk[len(chunk) - cut :], chunk[: len(chunk) - cut]) if cut else (b"", chunk)
        plain = np.frombuffer(chunk.replace(b"\\\\", b"").replace(b'\\"', b""), np.uint8)
        quotes = plain == 0x22
        in_string = (np.cumsum(quotes) + inside) & 1 == 1
        steps = np.zeros(len(plain), np.int32)
        steps[(plain == 0x5B) | (plain == 0x7B)] = 1
        steps[(plain == 0x5D) | (plain == 0x7D)] = -1
        steps[in_string] = 0
        levels = np.cumsum(steps) + depth
        if len(levels):
            deepest = max(deepest, int(levels.max()))
            depth = int(levels[-1])
            inside = bool(in_string[-1])
    return deepest


@dataclass(frozen=True, eq=False)
class Record:
    """A JSON object whose fields are asked for by name and type; `place` is its JSON path.

    Attributes
    ----------
    strict
        Whether doubts (numbers written as text, unknown keys) are errors.
    """

    fields: Mapping[str, Any]
    place: str = ""
    strict: bool = False
    file: str | None = None
    asked: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, value: Any, place: str, *, strict: bool = False, file: str | None = None) -> Record:
        """Return a record of a value that must be an object."""
        if not isinstance(value, Mapping):
            raise InputError("is not an object", file=file, place=place, value=value, expected="a JSON object")
        return cls(value, place, strict, file)

    def __contains__(self, name: str) -> bool:
        return self.fields.get(name) is not None

    def at(self, name: str) -> str:
        """Return the JSON path of a field."""
        return f"{self.place}.{name}" if self.place else name

    def error(self, name: str, message: str, **more: Any) -> InputError:
        """Return an error about a field."""
        return InputError(message, file=self.file, place=self.at(name), value=self.fields.get(name), **more)

    def doubt(self, name: str, message: str, **more: Any) -> None:
        """Doubt a field: a warning, or an error where the reading is strict."""
        value = more.pop("value", self.fields.get(name))
        doubt(message, strict=self.strict, file=self.file, place=self.at(name), value=value, **more)

    def get(self, name: str) -> Any:
        """Return a field as it is; None if absent or null."""
        self.asked.add(name)
        return self.fields.get(name)

    def text(self, name: str, default: str | None = None) -> str | None:
        """Return a text field."""
        value = self.get(name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise self.error(name, "is not text", expected="a text")
        return value

    def needed_text(self, name: str) -> str:
        """Return a text field that must be there."""
        value = self.text(name)
        if value is None:
            raise InputError(f"has no {name}", file=self.file, place=self.place or None, expected=f"a field {name!r}")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """Return a true/false field."""
        value = self.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.error(name, "is not true or false", expected="true or false")
        return value

    def number(self, name: str, default: float) -> float:
        """Return a number field; one written as text is read with a doubt."""
        value = self.get(name)
        if value is None:
            return default
        if isinstance(value, str):
            return self._from_text(name, value)
        if not is_number(value):
            raise self.error(name, "is not a number", expected="a finite number")
        return float(value)

    def _from_text(self, name: str, value: str) -> float:
        try:
            number = float(value)
        except ValueError:
            raise self.error(name, "is not a number", expected="a number") from None
        if not np.isfinite(number):
            raise self.error(name, "is not a number", expected="a finite number")
        self.doubt(name, "is a number written as text")
        return number

    def whole(self, name: str, default: int) -> int:
        """Return a whole number field (8000.0 is one)."""
        value = self.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        number = self.number(name, default)
        if number != int(number):
            raise self.error(name, "is not a whole number", expected="a whole number")
        return int(number)

    def amount(self, name: str, default: float) -> int:
        """Return a scalar amount in thousandths."""
        self.number(name, default)
        value = self.get(name)
        try:
            return thousandths(default if value is None else value, what=name)
        except InputError as error:
            raise error.inside(file=self.file, place=self.at(name)) from None

    def items(self, name: str) -> list[Any] | None:
        """Return a list field; None if absent."""
        value = self.get(name)
        if value is not None and not isinstance(value, list):
            raise self.error(name, "is not a list", expected="a list")
        return value

    def texts(self, name: str) -> list[str] | None:
        """Return a field that is a list of texts; None if absent."""
        value = self.items(name)
        for i, one in enumerate(value or []):
            if not isinstance(one, str):
                raise InputError("is not text", file=self.file, place=f"{self.at(name)}[{i}]", value=one,
                                 expected="a text")  # fmt: skip
        return value

    def record(self, name: str) -> Record | None:
        """Return an object field; None if absent."""
        value = self.get(name)
        return None if value is None else Record.of(value, self.at(name), strict=self.strict, file=self.file)

    def records(self, name: str) -> Iterator[Record]:
        """Yield the objects of a list field."""
        for i, value in enumerate(self.items(name) or []):
            yield Record.of(value, f"{self.at(name)}[{i}]", strict=self.strict, file=self.file)

    def unknown(self, known: frozenset[str]) -> None:
        """Doubt every field whose name is not known."""
        for name in self.fields:
            if name not in known and name not in self.asked:
                self.doubt(name, "unknown key", value=None, nearest=nearest(name, known))
