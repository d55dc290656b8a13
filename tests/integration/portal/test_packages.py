"""Challenge packages that champions bring."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.errors import ChallengeError
from portal.errors import Forbidden
from portal.house import House, open_house
from portal.services import challenges, desk
from portal.settings import HOME, Settings, checked
from tests.support.portal import SLUG, Held, hold


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    opened = open_house(checked(Settings(data=tmp_path / "data")))
    yield opened
    opened.close()


@pytest.fixture
def held(house: House) -> Held:
    return hold(house)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a challenge of a champion's own, small enough to look at."""
    whole = HOME / "challenges" / SLUG
    own = tmp_path / "own-tariff"
    shutil.copytree(whole, own, ignore=shutil.ignore_patterns("references"))
    return own


def packed(folder: Path) -> Path:
    kind, root = "gztar", folder.parent
    return Path(shutil.make_archive(str(root / "packed"), kind, root, folder.name))


def own(house: House) -> list[str]:
    return [item.slug for item in desk.packages(house) if item.own]


def test_package_is_brought_published_and_removed(house: House, held: Held, folder: Path) -> None:
    edda = held.people["Edda"]
    taken = desk.take_package(house, edda, packed(folder), "own-tariff.tar.gz")
    assert own(house) == [taken.slug] == ["own-tariff"]
    version = challenges.publish(house, edda, taken)
    desk.drop_package(house, edda, "own-tariff")
    assert own(house) == []
    assert house.library.load(version.digest).slug == "own-tariff"


def test_later_package_takes_the_place_of_its_slug(house: House, held: Held, folder: Path) -> None:
    edda = held.people["Edda"]
    first = desk.take_package(house, edda, packed(folder), "own-tariff.tar.gz")
    (folder / "brief.md").write_text("Said better.\n")
    second = desk.take_package(house, edda, packed(folder), "own-tariff.tar.gz")
    assert first.digest != second.digest
    assert (second.root / "brief.md").read_text() == "Said better.\n"
    assert own(house) == ["own-tariff"]


def test_broken_package_leaves_the_one_before(house: House, held: Held, folder: Path) -> None:
    edda = held.people["Edda"]
    desk.take_package(house, edda, packed(folder), "own-tariff.tar.gz")
    (folder / "challenge.toml").write_text("schema = 1\n")
    with pytest.raises(ChallengeError, match="challenge"):
        desk.take_package(house, edda, packed(folder), "own-tariff.tar.gz")
    assert desk.find_package(house, "own-tariff") is not None


@pytest.mark.parametrize("name", ["Own_Tariff.zip", ".zip", "../own.tar.gz/..", ""])
def test_name_has_to_be_a_slug(house: House, held: Held, folder: Path, name: str) -> None:
    with pytest.raises(ChallengeError, match="name"):
        desk.take_package(house, held.people["Edda"], packed(folder), name)
    assert own(house) == []


def test_package_that_lies_there_broken_is_shown_so(house: House) -> None:
    place = house.settings.data / "packages" / "half-done"
    place.mkdir(parents=True)
    (place / "challenge.toml").write_text("schema = [")
    (found,) = [item for item in desk.packages(house) if item.own]
    assert found.challenge is None
    assert "TOML" in str(found.error)
    assert [item.slug for item in desk.packages(house) if item.challenge] == [SLUG]


@pytest.mark.parametrize("name", ["Ada", "Finn", "Gita", "Hugo"])
def test_champions_alone_bring_packages(house: House, held: Held, folder: Path, name: str) -> None:
    with pytest.raises(Forbidden):
        desk.take_package(house, held.people[name], packed(folder), "own-tariff.tar.gz")
    with pytest.raises(Forbidden):
        desk.drop_package(house, held.people[name], "own-tariff")
