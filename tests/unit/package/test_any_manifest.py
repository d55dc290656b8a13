"""Whatever is done to a manifest: it loads, or one error says what is wrong."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import ChallengeError
from grader.package import load_challenge

from .conftest import MANIFEST, make

Place = tuple[str | int, ...]


def toml(value: object) -> str:
    """Write a value as TOML, tables inline."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool | str):
        return json.dumps(value)
    return str(value)


def places(value: object, base: Place = ()) -> Iterator[Place]:
    inner: Iterator[tuple[str | int, object]] = iter(())
    if isinstance(value, dict):
        inner = iter(value.items())
    elif isinstance(value, list):
        inner = iter(enumerate(value))
    for key, found in inner:
        yield (*base, key)
        yield from places(found, (*base, key))


PLACES = list(places(tomllib.loads(MANIFEST)))
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=9),
    st.dates().map(date.isoformat),
    st.just([]),
    st.just({}),
    st.lists(st.integers() | st.text("ab", max_size=2), max_size=3),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("challenges") / "tiny")


def is_sound_or_refused(root: Path) -> bool:
    """Load a package; whatever is raised but the one kind of error, is a bug."""
    try:
        challenge = load_challenge(root)
    except ChallengeError:
        return True
    points = [group.points for group in challenge.groups]
    points += [standard.points for standard in challenge.standards]
    return sum(points) == 1000


@settings(max_examples=150, deadline=None)
@given(place=st.sampled_from(PLACES), value=VALUES, rename=st.booleans())
def test_mutation_loads_or_is_refused(
    shared: Path, place: Place, value: object, *, rename: bool
) -> None:
    mutant = tomllib.loads(MANIFEST)
    holder = mutant
    for key in place[:-1]:
        holder = holder[key]  # type: ignore[index]  # a place leads through tables and lists
    kept = holder.pop(place[-1])  # type: ignore[arg-type]  # likewise
    if rename and isinstance(holder, dict):
        holder[f"{place[-1]}x"] = kept
    elif value is not None and isinstance(holder, dict):
        holder[str(place[-1])] = value
    text = "".join(f"{json.dumps(key)} = {toml(found)}\n" for key, found in mutant.items())
    (shared / "challenge.toml").write_text(text, encoding="utf-8")
    assert is_sound_or_refused(shared)


@settings(max_examples=100, deadline=None)
@given(
    at=st.integers(0, len(MANIFEST.encode()) - 1),
    length=st.integers(0, 30),
    new=st.binary(max_size=10),
)
def test_bytes_load_or_are_refused(shared: Path, at: int, length: int, new: bytes) -> None:
    content = MANIFEST.encode()
    (shared / "challenge.toml").write_bytes(content[:at] + new + content[at + length :])
    assert is_sound_or_refused(shared)
