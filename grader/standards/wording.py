"""Small things that texts are made of: lists of words, enumerations, counts."""

from __future__ import annotations

from collections.abc import Iterable


def words(text: str) -> frozenset[str]:
    """Give the words of a text as a set: a table of names that reads as a paragraph."""
    return frozenset(text.split())


def listing(items: Iterable[str], most: int = 3) -> str:
    """Name a few things and count the rest: ``a, b, c and 4 more``."""
    names = list(items)
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def count(number: int, noun: str, plural: str = "") -> str:
    """Say how many there are: ``1 file``, ``2 files``."""
    return f"{number} {noun}" if number == 1 else f"{number} {plural or noun + 's'}"
