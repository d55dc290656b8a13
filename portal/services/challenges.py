"""What is on: events, the challenges they are held over, and what teams may know of these."""

from __future__ import annotations

from dataclasses import dataclass

from grader.model import Challenge
from leaderboard.model import ChallengeVersion, Event, Person, Role, Team
from leaderboard.store import events
from portal.errors import Forbidden, PortalError
from portal.house import House


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One challenge of an event, as its page shows it."""

    version: ChallengeVersion
    challenge: Challenge

    def text(self, name: str) -> str:
        """Return a public text of the package, such as ``brief.md``; empty where it has none."""
        file = self.challenge.root / name
        return file.read_text(encoding="utf-8") if file.is_file() else ""

    def legacy(self) -> dict[str, str]:
        """Return the legacy model's sources, by path."""
        folder = self.challenge.root / "legacy"
        found = {}
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            try:
                found[str(file.relative_to(folder))] = file.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # an engine's own binary format says nothing to readers
        return found


def all_events(house: House, person: Person) -> tuple[Event, ...]:
    """Return the events that somebody may see, the newest first: rehearsals are for champions."""
    with house.database.read() as tx:
        known = events.events(tx)
    champion = Role.CHAMPION in person.roles
    return tuple(event for event in known if champion or not event.rehearsal)


def current_event(house: House, person: Person) -> Event | None:
    """Return the event that somebody most likely means.

    The one that is on and that they are in; else one that is on; else the newest. None where there
    is none.
    """
    now = house.now()
    known = [event for event in all_events(house, person) if not event.rehearsal]
    with house.database.read() as tx:
        running = [event for event in known if event.starts_at <= now < event.ends_at]
        own = [event for event in running if events.team_of(tx, event.id, person.id)]
    return next(iter([*own, *running, *known]), None)


def versions(house: House, event: Event) -> tuple[ChallengeVersion, ...]:
    """Return the versions that an event is held over, by slug."""
    with house.database.read() as tx:
        return events.challenges(tx, event.id)


def offers(house: House, event: Event) -> tuple[Offer, ...]:
    """Return the challenges of an event, with their packages."""
    return tuple(
        Offer(version=version, challenge=house.library.load(version.digest))
        for version in versions(house, event)
    )


def published(house: House, person: Person, slug: str) -> Challenge:
    """Return the newest version of a challenge that some event is held over.

    Who is no champion sees none before its event has begun.

    :raises Forbidden: there is none for this person (slug ``not-yours``)
    """
    with house.database.read() as tx:
        for event in events.events(tx):
            begun = event.starts_at <= house.now() or Role.CHAMPION in person.roles
            for version in events.challenges(tx, event.id) if begun else ():
                if version.slug == slug:
                    return house.library.load(version.digest)
    raise Forbidden("not-yours", f"No challenge {slug!r} is open to you.")


def publish(house: House, person: Person, challenge: Challenge) -> ChallengeVersion:
    """Keep a package and publish it as a version.

    :raises Forbidden: the person is no champion (slug ``not-yours``)
    :raises PortalError: it is a public export, which holds nothing to grade by (slug
        ``nothing-hidden``)
    """
    if Role.CHAMPION not in person.roles:
        raise Forbidden("not-yours", "Champions publish challenges.")
    if challenge.public_export:
        raise PortalError("nothing-hidden", "A public export holds no hidden case to grade by.")
    house.library.keep(challenge)
    with house.database.write() as tx:
        return events.publish_challenge(
            tx,
            slug=challenge.slug,
            version=challenge.version,
            title=challenge.title,
            digest=challenge.digest,
            at=house.now(),
            by=person.id,
        )


def teams(house: House, event: Event) -> tuple[Team, ...]:
    """Return an event's teams, by name."""
    with house.database.read() as tx:
        return events.teams(tx, event.id)
