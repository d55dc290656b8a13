"""Reading a TOML table strictly: typed values, no key left over, errors that say where."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from grader.errors import ChallengeError

_KINDS: Final[Mapping[type, str]] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


class _Required:
    """Marks a key without a default."""


_REQUIRED = _Required()


@dataclass(slots=True)
class Section:
    """One table of a TOML file that is being read.

    Each accessor notes the key as known; ``finish`` then complains of any that is left.
    """

    file: Path
    name: str
    """How the file spells the table, as ``[submission]``."""
    table: Mapping[str, object]
    _known: set[str] = field(default_factory=set)

    def text(self, key: str, default: str | _Required = _REQUIRED) -> str:
        """Return a text."""
        return str(self._value(key, str, default))

    def whole(self, key: str, default: int | _Required = _REQUIRED) -> int:
        """Return a whole number."""
        found = self._value(key, int, default)
        return found if isinstance(found, int) else 0

    def number(self, key: str, default: float | _Required = _REQUIRED) -> float:
        """Return a number, whole or not."""
        found = self._value(key, float, default)
        return float(found) if isinstance(found, int | float) else 0.0

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Return true or false."""
        return bool(self._value(key, bool, default))

    def texts(self, key: str, default: tuple[str, ...] | _Required = ()) -> tuple[str, ...]:
        """Return a list of texts."""
        found = self._list(key, default)
        if not all(isinstance(item, str) for item in found):
            raise self.error(key, "must be a list of texts")
        return tuple(map(str, found))

    def numbers(self, key: str) -> tuple[float, ...]:
        """Return a list of numbers, empty where the key is missing."""
        found = self._list(key, ())
        kept = [float(x) for x in found if isinstance(x, int | float) and not isinstance(x, bool)]
        if len(kept) != len(found):
            raise self.error(key, "must be a list of numbers")
        return tuple(kept)

    def section(self, key: str, default: Mapping[str, object] | _Required = _REQUIRED) -> Section:
        """Return a table within this one."""
        found = self._value(key, dict, default)
        inner = found if isinstance(found, dict) else {}
        return Section(self.file, f"{self.name}.{key}", inner)

    def sections(self, key: str) -> tuple[Section, ...]:
        """Return a list of tables, empty where the key is missing."""
        found = self._list(key, ())
        if not all(isinstance(item, dict) for item in found):
            raise self.error(key, "must be a list of tables")
        return tuple(
            Section(self.file, f"{self.name}.{key}[{number}]", item)
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
                    f"{self.file}: {self.name} lacks the key {key!r}.",
                    remedy="The guide for champions lists what a challenge needs.",
                )
            return default
        value = self.table[key]
        fits = isinstance(value, int | float) if kind is float else isinstance(value, kind)
        if not fits or (isinstance(value, bool) and kind is not bool):
            was = _KINDS.get(type(value), type(value).__name__)
            raise self.error(key, f"must be {_KINDS[kind]}, not {was}")
        return value

    def _where(self, key: str) -> str:
        """Name the file and, where the key stands on a line of its own, the first such line."""
        text = self.file.read_text(encoding="utf-8")
        found = re.search(rf"^\s*(?:\[+[\w.]*)?{re.escape(key)}\b", text, re.MULTILINE)
        line = f":{text.count(chr(10), 0, found.end()) + 1}" if found else ""
        return f"{self.file}{line}"
