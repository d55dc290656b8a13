"""The champion's desk: packages, events, and what they are held over."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from grader import package
from grader.checkout import check_out
from grader.errors import ChallengeError
from grader.model import Challenge
from leaderboard.model import ChallengeVersion, Counting, Event, Person, Role
from leaderboard.store import events
from portal.errors import Forbidden
from portal.house import House
from portal.services import accounts
from portal.settings import HOME


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A challenge package that lies where it could be published from."""

    slug: str
    own: bool
    """Whether it was uploaded, or put into the data folder, rather than come with Drydock."""
    challenge: Challenge | None
    error: ChallengeError | None
    """Why it cannot be loaded; None where it can."""


def packages(house: House) -> tuple[Package, ...]:
    """Return the challenge packages that could be published, and what is wrong with the others.

    By slug; one of the portal's own stands in for one of the same slug that came with Drydock.
    """
    found: dict[str, Package] = {}
    for folder, own in _folders(house):
        for file in sorted(folder.glob("*/challenge.toml")):
            found[file.parent.name] = _package(file.parent, own=own)
    return tuple(package for _, package in sorted(found.items()))


def find_package(house: House, slug: str) -> Challenge | None:
    """Return the package of a slug; None where there is none, or none that can be loaded."""
    for folder, own in reversed(_folders(house)):
        if (folder / slug / "challenge.toml").is_file():
            return _package(folder / slug, own=own).challenge
    return None


def take_package(house: House, person: Person, archive: Path, name: str) -> Challenge:
    """Keep an uploaded package beside those that came with Drydock: whole, or not at all.

    One of the same slug gives way; what was published of it stays published. Nothing in it is ever
    run but its references, in the sandbox.

    :param name: of the archive: the package's slug, and an ending
    :raises Forbidden: the person is no champion (slug ``not-yours``)
    :raises UserError: it is no archive, or no challenge package
    """
    _check(person)
    accounts.note_upload(house, person)
    slug = Path(name).name.partition(".")[0] or "?"
    own = _own(house)
    own.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=own) as folder:
        tree = check_out(str(archive), Path(folder) / "checkout").tree.root
        new = tree.rename(Path(folder) / slug)
        package.load_challenge(new)
        if (own / slug).exists():
            (own / slug).rename(Path(folder) / "before")
        new.rename(own / slug)
    return package.load_challenge(own / slug)


def drop_package(house: House, person: Person, slug: str) -> None:
    """Remove one of the portal's own packages; what was published of it stays published.

    :raises Forbidden: the person is no champion (slug ``not-yours``)
    """
    _check(person)
    known = {item.slug for item in packages(house) if item.own}
    if slug in known:
        shutil.rmtree(_own(house) / slug)


def _folders(house: House) -> tuple[tuple[Path, bool], ...]:
    """Return where packages lie, and whether these are the portal's own; the last one counts."""
    return (HOME / "challenges", False), (_own(house), True)


def _own(house: House) -> Path:
    return house.settings.data / "packages"


def _package(folder: Path, *, own: bool) -> Package:
    try:
        challenge, error = package.load_challenge(folder), None
    except ChallengeError as refused:
        challenge, error = None, refused
    return Package(slug=folder.name, own=own, challenge=challenge, error=error)


def versions(house: House) -> tuple[ChallengeVersion, ...]:
    """Return all published versions, the newest first."""
    with house.database.read() as tx:
        return events.published(tx)


def suggested_cap(house: House) -> int:
    """Return the least number of submissions a day that a published challenge asks to allow."""
    caps = [house.library.load(known.digest).leaderboard.daily_cap for known in versions(house)]
    return min((cap for cap in caps if cap), default=events.DAILY_CAP)


def hold(  # noqa: PLR0913 - an event is all of this
    house: House,
    person: Person,
    *,
    slug: str,
    title: str,
    starts_at: datetime,
    ends_at: datetime,
    freezes_at: datetime | None,
    counting: Counting,
    daily_cap: int,
    challenges: Sequence[int],
) -> Event:
    """Announce an event over some challenge versions.

    :raises Forbidden: the person is no champion (slug ``not-yours``)
    :raises StoreError: its dates or its slug will not do
    """
    _check(person)
    now = house.now()
    with house.database.write() as tx:
        event = events.hold(
            tx,
            slug=slug,
            title=title,
            starts_at=starts_at,
            ends_at=ends_at,
            freezes_at=freezes_at,
            counting=counting,
            daily_cap=daily_cap,
            at=now,
            by=person.id,
        )
        for challenge in challenges:
            events.add_challenge(tx, event.id, challenge, at=now, by=person.id)
    return event


def change(house: House, person: Person, changed: Event) -> Event:
    """Change an event's title, dates or rules; its address stays, for links lead to it.

    :param changed: the event as it should be from now on
    :raises Forbidden: the person is no champion (slug ``not-yours``)
    :raises StoreError: its dates will not do
    """
    _check(person)
    with house.database.write() as tx:
        return events.change(tx, changed, at=house.now(), by=person.id)


def add_challenge(house: House, person: Person, event: Event, version: ChallengeVersion) -> None:
    """Hold an event over a version too; another version of the same challenge gives way.

    :raises Forbidden: the person is no champion (slug ``not-yours``)
    """
    _check(person)
    with house.database.write() as tx:
        events.add_challenge(tx, event.id, version.id, at=house.now(), by=person.id)


def weights(house: House, event: Event) -> dict[str, int]:
    """Return how many times each challenge of an event counts, by slug."""
    with house.database.read() as tx:
        return events.weights(tx, event.id)


def weigh(house: House, person: Person, event: Event, given: Mapping[str, int]) -> None:
    """Say how many times each challenge counts where an event's points are added up.

    :param given: weights by slug
    :raises Forbidden: the person is no champion (slug ``not-yours``)
    :raises StoreError: one is not positive (slug ``event-weight``)
    """
    _check(person)
    with house.database.write() as tx:
        for slug, weight in given.items():
            events.weigh(tx, event.id, slug, weight, at=house.now(), by=person.id)


def _check(person: Person) -> None:
    if Role.CHAMPION not in person.roles:
        raise Forbidden("not-yours", "Champions hold events.")
