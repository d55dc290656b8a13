"""What a code host calls when somebody pushes there: an address and a secret for each member."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass

from leaderboard.model import ChallengeVersion, Person, Submission, Team
from leaderboard.store import people
from portal.access import Action, may
from portal.errors import Forbidden, PortalError
from portal.hosts import HostKind, Push
from portal.house import House
from portal.services import submitting
from portal.settings import Settings

_BRANCHES = {"main", "master"}
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """What a member enters at the code host."""

    kind: HostKind
    address: str
    secret: str


def offered(
    house: House, person: Person, team: Team, version: ChallengeVersion
) -> tuple[Webhook, ...]:
    """Return the webhooks that a member may set up, one for each kind of host that is allowed.

    They submit in this member's name, for as long as they are in the team.

    :raises Forbidden: the person is not of the team (slug ``not-yours``)
    """
    if not may(person, Action.SUBMIT, team):
        raise Forbidden("not-yours", "Only its members submit for a team.")
    root = house.settings.public_address
    word = secret(house.settings, team.slug, version.slug, person.id)
    return tuple(
        Webhook(
            kind=kind,
            address=f"{root}/webhooks/{kind}/{team.slug}/{version.slug}/{person.id}",
            secret=word,
        )
        for kind in sorted({host.kind for host in house.settings.hosts})
    )


def secret(settings: Settings, team: str, challenge: str, person: int) -> str:
    """Return the secret of one webhook: derived, so that none has to be kept."""
    what = f"{team}/{challenge}/{person}".encode()
    return hmac.new(_key(settings), what, hashlib.sha256).hexdigest()


def submit(
    house: House, team: str, challenge: str, person: int, push: Push
) -> tuple[Submission, bool]:
    """Submit what was pushed to the main branch of a team's repository elsewhere.

    :raises PortalError: it is about something else (slug ``nothing-to-submit``), or as with any
        commit that is fetched
    :raises Forbidden: the member has left the team (slug ``not-yours``)
    """
    if push.branch not in _BRANCHES or not push.commit:
        raise PortalError(
            "nothing-to-submit",
            "Only pushes to main (or master) are submitted.",
            remedy="Nothing has to be done.",
        )
    entrant, _, version = submitting.find_entry(house, team, challenge)
    with house.database.read() as tx:
        member = people.find_person(tx, person)
    return submitting.submit_commit(house, member, entrant, version, push.url, push.commit)


def _key(settings: Settings) -> bytes:
    file = settings.data / "keys" / "webhooks"
    if not file.exists():
        file.parent.mkdir(mode=0o700, exist_ok=True)
        new = file.with_name(f".webhooks-{os.getpid()}-{secrets.token_hex(4)}")
        new.touch(mode=0o600)
        new.write_bytes(secrets.token_bytes(_KEY_BYTES))
        try:
            os.link(new, file)  # whoever is first, wins: the key stays what it is
        except FileExistsError:
            pass
        finally:
            new.unlink()
    return file.read_bytes()
