"""Rehearsals: an event that simulated teams fill with a challenge's own references."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

from grader import references
from grader.model import Challenge, Outcome
from leaderboard.model import ChallengeVersion, Counting, Event, Person, Role, Team
from leaderboard.store import events, people
from portal import repositories
from portal.errors import Forbidden
from portal.house import House
from portal.services import joining, submitting

_LASTS = timedelta(days=1)
_ADDRESS = "rehearsal.invalid"
"""No mail ever reaches it (RFC 2606)."""


def made_up(person: Person) -> bool:
    """Return whether a rehearsal made somebody up."""
    return person.email.endswith(f".{_ADDRESS}")


def rehearse(house: House, person: Person, version: ChallengeVersion) -> Event:
    """Hold an event over a version, with a team for each of its references, which submits it.

    An accepted one is submitted by a second team as well: by how much their totals differ is the
    noise of the challenge's grading. Only champions see the event. Its people can't sign in, and
    count nowhere.

    :raises Forbidden: the person is no champion (slug ``not-yours``)
    """
    if Role.CHAMPION not in person.roles:
        raise Forbidden("not-yours", "Champions rehearse events.")
    now = house.now()
    with house.database.write() as tx:
        event = events.hold(
            tx,
            slug=f"rehearsal-{version.slug}-{now:%Y%m%d-%H%M%S}",
            title=f"Rehearsal of {version.title}",
            starts_at=now - timedelta(minutes=1),
            ends_at=now + _LASTS,
            rehearsal=True,
            # All references are on its board, those that must be rejected as well.
            counting=Counting.BEST,
            at=now,
            by=person.id,
        )
        events.add_challenge(tx, event.id, version.id, at=now, by=person.id)
    challenge = house.library.load(version.digest)
    for reference in references.list_references(challenge):
        twice = reference.outcome is Outcome.ACCEPTED
        for name in (reference.name, f"{reference.name} again")[: 1 + twice]:
            actor = _actor(house, person, event, name)
            team, _ = joining.found(house, actor, event, name)
            submit_reference(house, challenge, version, team, actor, reference.name)
            with house.database.write() as tx:
                people.set_active(tx, actor.id, active=False, at=house.now(), by=person.id)
    return event


def submit_reference(
    house: House,
    challenge: Challenge,
    version: ChallengeVersion,
    team: Team,
    founder: Person,
    reference: str,
) -> None:
    """Store a reference in the team's repository as its next commits, and put it forward."""
    known = {item.name: item for item in references.list_references(challenge)}
    place = house.repositories.ensure(team.slug, version.slug)
    with tempfile.TemporaryDirectory(prefix="drydock-reference-") as folder:
        source = references.build(known[reference], challenge, Path(folder) / "port")
        if known[reference].history == "none":
            repositories.commit_archive(place, source, "Upload", founder.name)
        else:
            repositories.take_over(place, source)
    submitting.submit_head(house, founder, team, version)


def _actor(house: House, person: Person, event: Event, name: str) -> Person:
    email = f"{name.replace('/', '.').replace(' ', '.')}@{event.id}.{_ADDRESS}"
    with house.database.write() as tx:
        return people.add_person(
            tx, email, f"Rehearsal, {name}", roles=[Role.MEMBER], at=house.now(), by=person.id
        )
