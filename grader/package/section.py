"""Reading a TOML table strictly: typed values, no key left over, errors that say where."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from grader.errors import ChallengeError

Trail = tuple[str | int, ...]
"""How a table or a key is reached: names, and numbers from 1 for the tables of a list."""

_LARGEST = 2**53
"""Whole numbers beyond it have no place in a challenge, and none among the decimal fractions."""
_KINDS: Final[Mapping[type, str]] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
}
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]")
_NAME = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_KEY = re.compile(rf"\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*=")


class _Required:
    """Marks a key without a default."""


_REQUIRED = _Required()


@dataclass(slots=True)
class Section:
    """One table of a TOML file that is being read.

    Each accessor notes the key as known; ``finish`` then complains of any that is left. All of
    them raise ``ChallengeError`` for a key that is missing or of another type.
    """

    file: Path
    table: Mapping[str, object]
    trail: Trail = ()
    _known: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """How errors name the table, as ``group[2].segments[1]``."""
        parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.trail)
        return "".join(parts).removeprefix(".") or self.file.name

    def text(self, key: str, default: str | _Required = _REQUIRED) -> str:
        """Return a text, which is not blank where the key is needed."""
        found = str(self._value(key, str, default))
        if default is _REQUIRED and not found.strip():
            raise self.error(key, "must not be blank")
        return found

    def whole(self, key: str, default: int | _Required = _REQUIRED) -> int:
        """Return a whole number."""
        found = self._value(key, int, default)
        return found if isinstance(found, int) else 0

    def number(self, key: str, default: float | _Required = _REQUIRED) -> float:
        """Return a finite number, whole or not."""
        found = self._value(key, float, default)
        return float(found) if isinstance(found, int | float) else 0.0

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Return true or false."""
        return bool(self._value(key, bool, default))

    def texts(self, key: str, default: tuple[str, ...] | _Required = ()) -> tuple[str, ...]:
        """Return a list of texts, none of them twice."""
        found = self._list(key, default)
        if not all(isinstance(item, str) and item.strip() for item in found):
            raise self.error(key, "must be a list of texts that are not blank")
        if len(set(map(str, found))) != len(found):
            raise self.error(key, "must not name the same thing twice")
        return tuple(map(str, found))

    def numbers(self, key: str) -> tuple[float, ...]:
        """Return a list of finite numbers, empty where the key is missing."""
        found = self._list(key, ())
        if not all(_fits(item, float) and _is_usual(item) for item in found):
            raise self.error(key, "must be a list of finite numbers")
        return tuple(float(item) for item in found if isinstance(item, int | float))

    def section(self, key: str, default: Mapping[str, object] | _Required = _REQUIRED) -> Section:
        """Return a table within this one."""
        found = self._value(key, dict, default)
        return Section(self.file, found if isinstance(found, dict) else {}, (*self.trail, key))

    def sections(self, key: str) -> tuple[Section, ...]:
        """Return a list of tables, empty where the key is missing."""
        found = self._list(key, ())
        if not all(isinstance(item, dict) for item in found):
            raise self.error(key, "must be a list of tables")
        return tuple(
            Section(self.file, item, (*self.trail, key, number))
            for number, item in enumerate(found, start=1)
            if isinstance(item, dict)
        )

    def has(self, key: str) -> bool:
        """Say whether the key is there, and count it as known."""
        self._known.add(key)
        return key in self.table

    def finish(self) -> None:
        """Complain of the first key that nobody asked for.

        :raises ChallengeError: it names the nearest known key, and the line
        """
        for key in self.table:
            if key not in self._known:
                near = difflib.get_close_matches(key, sorted(self._known), n=1, cutoff=0.5)
                meant = f"Did you mean {near[0]!r}? " if near else ""
                raise ChallengeError(
                    "unknown-key",
                    f"{self._where(key)}: {self.name} has no key {key!r}.",
                    remedy=f"{meant}The keys are: {', '.join(sorted(self._known))}.",
                )

    def error(self, key: str, problem: str, remedy: str = "") -> ChallengeError:
        """Return an error about the value of a key."""
        return ChallengeError(
            "bad-value", f"{self._where(key)}: {key!r} in {self.name} {problem}.", remedy=remedy
        )

    def _list(self, key: str, default: tuple[str, ...] | _Required) -> list[object]:
        found = self._value(key, list, default)
        return list(found) if isinstance(found, list | tuple) else []

    def _value(self, key: str, kind: type, default: object) -> object:
        self._known.add(key)
        if key not in self.table:
            if default is _REQUIRED:
                raise ChallengeError(
                    "missing-key",
                    f"{self._where(key)}: {self.name} lacks the key {key!r}.",
                    remedy="The guide for champions lists what a challenge needs.",
                )
            return default
        value = self.table[key]
        if not _fits(value, kind):
            was = _KINDS.get(type(value), type(value).__name__)
            raise self.error(key, f"must be {_KINDS[kind]}, not {was}")
        if not _is_usual(value):
            raise self.error(key, "must be a finite number of usual size")
        return value

    def _where(self, key: str) -> str:
        """Name the file, and the line that the key stands on, or else its table."""
        line = line_of(self.file.read_text(encoding="utf-8"), (*self.trail, key))
        return f"{self.file}:{line}" if line else str(self.file)


def line_of(text: str, target: Trail) -> int:
    """Return the line of a TOML text that leads furthest to a key; 0 where none does.

    TOML's own parser tells no lines. This reads headers and the beginnings of lines alone, so a key
    of an inline table is given the line that the table begins on.
    """
    where: Trail = ()
    lists: dict[Trail, int] = {}
    best, line_of_best = 0, 0
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            found = where = _table(header[2], lists, item=header[1] == "[[")
        elif key := _KEY.match(line):
            found = (*where, *_parts(key[1]))
        else:
            continue
        if len(found) > best and target[: len(found)] == found:
            best, line_of_best = len(found), number
    return line_of_best


def _table(name: str, lists: dict[Trail, int], *, item: bool) -> Trail:
    """Return how a header's table is reached, the number of each list's current item included."""
    *outer, last = _parts(name)
    trail: Trail = ()
    for part in outer:
        trail = (*trail, part)
        trail = (*trail, lists[trail]) if trail in lists else trail
    trail = (*trail, last)
    if item:
        lists[trail] = lists.get(trail, 0) + 1
        trail = (*trail, lists[trail])
    return trail


def _parts(name: str) -> list[str]:
    return [part.strip("\"'") for part in re.findall(_NAME, name)]


def _fits(value: object, kind: type) -> bool:
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def _is_usual(value: object) -> bool:
    """Say whether a value is no number, or one to reckon with."""
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or abs(value) <= _LARGEST
