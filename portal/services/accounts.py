"""Signing up, in and out, and what programs sign in with."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from leaderboard.model import AccessToken, Link, LinkPurpose, Person, Role, Session, Team
from leaderboard.store import accounts, events, people
from portal.errors import Forbidden, PortalError
from portal.house import House

SHORTEST_PASSWORD = 12
"""Characters; NIST SP 800-63B asks for length, and for no kinds of them."""
LONGEST_PASSWORD = 200
TOKEN_LASTS = timedelta(days=90)
LINK_LASTS = timedelta(days=7)
_hasher = PasswordHasher()
# Verified where there is no such account, so that nobody learns from the time it takes.
_nobody = _hasher.hash("nobody has this password")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_MINUTE = timedelta(minutes=1)
_LONGEST_ADDRESS = 320
_LONGEST_NAME = 200
_HOUR = timedelta(hours=1)
_TRIES = 5
_TRIES_FROM_ONE_PLACE = 50
_TOKENS_AN_HOUR = 20
_UPLOADS_A_MINUTE = 20


def sign_in(house: House, email: str, password: str, place: str) -> str:
    """Return the word of a new session.

    :param place: where the request comes from, for counting attempts
    :raises PortalError: there were too many attempts (slug ``too-many-attempts``)
    :raises Forbidden: no such account has this password (slug ``sign-in-refused``)
    """
    key = f"sign-in:{email.strip().lower()}"
    with house.database.write() as tx:
        at = house.now()
        allowed = accounts.allow(tx, f"from:{place}", _TRIES_FROM_ONE_PLACE, _MINUTE, at=at)
        if not (allowed and accounts.allow(tx, key, _TRIES, _MINUTE, at=at)):
            raise _too_many("Wait a minute")
        found = accounts.password_of(tx, email)
    if not _verified(found[1] if found else _nobody, password) or found is None:
        raise Forbidden("sign-in-refused", "No account has this address and password.")
    with house.database.write() as tx:
        accounts.forget_attempts(tx, key)
        return accounts.open_session(tx, found[0], at=house.now())


def purpose_of_link(house: House, word: str) -> LinkPurpose:
    """Return what a link that signs somebody in was handed out for.

    :raises Forbidden: it leads nowhere any more (slug ``link-void``)
    """
    with house.database.read() as tx:
        return _signs_in(accounts.find_link(tx, word, at=house.now()))[0]


def sign_in_by_link(house: House, word: str, password: str = "") -> str:
    """Return the word of a new session, for a link that was handed out.

    :param password: what its reader signs in with from then on; empty: as before
    :raises Forbidden: it leads nowhere any more (slug ``link-void``)
    :raises PortalError: the password will not do (slug ``bad-password``); the link still works
    """
    hashed = _hashed(password) if password else ""
    with house.database.write() as tx:
        at = house.now()
        purpose, person = _signs_in(accounts.use_link(tx, word, at=at))
        if hashed and purpose is LinkPurpose.SIGN_IN:
            accounts.set_password(tx, person, hashed, at=at, by=person)
        return accounts.open_session(tx, person, at=at)


def sign_in_vouched(
    house: House, subject: str, email: str, name: str, roles: Collection[Role] | None, unit: str
) -> str:
    """Return the word of a new session, for somebody the company's sign-on vouches for.

    :param subject: issuer and subject
    :param roles: those that the claims give, beside being a member; None where they say nothing.
        Administration is never taken away by a claim: somebody has to be left to mend one.
    :param unit: its name, as the claims give it; empty for none
    :raises StoreError: the address belongs to somebody else (slug ``subject-taken``), or the
        account is closed (slug ``person-inactive``)
    """
    check_named(email, name)
    with house.database.write() as tx:
        at = house.now()
        person, _ = accounts.know_subject(tx, subject, email, name, at=at)
        if roles is not None:
            given = {Role.MEMBER, *roles, *({Role.ADMIN} & person.roles)}
            if given != person.roles:
                people.set_roles(tx, person.id, given, at=at, by=None)
        if unit:
            known = {entry.name: entry.id for entry in people.units(tx)}
            unit_id = known.get(unit) or people.add_unit(tx, unit, at=at).id
            if unit_id != person.unit_id:
                people.move(tx, person.id, unit_id, at=at, by=None)
        return accounts.open_session(tx, person.id, at=at)


def set_up(house: House, word: str, email: str, name: str, password: str) -> str:
    """Create the first administrator, and return the word of their session.

    :raises Forbidden: the link leads nowhere any more (slug ``link-void``)
    :raises PortalError: the address or password will not do
    """
    hashed = _checked(email, name, password)
    with house.database.write() as tx:
        at = house.now()
        link = accounts.use_link(tx, word, at=at)
        if link is None or link.purpose is not LinkPurpose.SETUP:
            raise Forbidden("link-void", "The administrator was created already.")
        roles = (Role.ADMIN, Role.MEMBER)
        person = people.add_person(tx, email, name.strip(), at=at, roles=roles)
        accounts.set_password(tx, person.id, hashed, at=at, by=person.id)
        return accounts.open_session(tx, person.id, at=at)


def sign_up(
    house: House, word: str, email: str, name: str, password: str, unit: int | None = None
) -> str:
    """Create an account for somebody who was invited, and return the word of their session.

    Who came by a team's invitation is in that team.

    :param word: of a team's invitation, or of a link to sign up
    :raises Forbidden: nobody was invited by it (slug ``link-void``)
    :raises PortalError: the address or password will not do
    :raises StoreError: somebody has this address (slug ``person-exists``)
    """
    hashed = _checked(email, name, password)
    with house.database.write() as tx:
        at = house.now()
        team = events.invited_to(tx, word)
        if team is None and not _opens_sign_up(accounts.use_link(tx, word, at=at)):
            raise _uninvited()
        person = people.add_person(tx, email, name.strip(), at=at, unit=unit)
        accounts.set_password(tx, person.id, hashed, at=at, by=person.id)
        if team is not None:
            events.join(tx, word, person.id, at=at)
        return accounts.open_session(tx, person.id, at=at)


def invitation(house: House, word: str) -> Team | None:
    """Return the team that an invitation leads to; None where it leads to an account alone.

    :raises Forbidden: it leads nowhere (slug ``link-void``)
    """
    with house.database.read() as tx:
        team = events.invited_to(tx, word)
        if team is None and not _opens_sign_up(accounts.find_link(tx, word, at=house.now())):
            raise _uninvited()
        return team


def has_password(house: House, person: Person) -> bool:
    """Return whether somebody has a password; who came by a link or the sign-on may have none."""
    with house.database.read() as tx:
        return accounts.password_of(tx, person.email) is not None


def change_password(house: House, person: Person, now: str, new: str, *, kept: str) -> None:
    """Give somebody another password, and sign their other browsers out.

    :param now: the one they have; of no account where they have none
    :param kept: the word of the session that goes on
    :raises PortalError: there were too many attempts (slug ``too-many-attempts``), or the new one
        will not do (slug ``bad-password``)
    :raises Forbidden: it is not the one they have (slug ``sign-in-refused``)
    """
    hashed = _hashed(new)
    key = f"password:{person.id}"
    with house.database.write() as tx:
        if not accounts.allow(tx, key, _TRIES, _MINUTE, at=house.now()):
            raise _too_many("Wait a minute")
        found = accounts.password_of(tx, person.email)
    if found is not None and not _verified(found[1], now):
        raise Forbidden(
            "sign-in-refused",
            "That is not the password that you have.",
            remedy="If you have forgotten it, ask an administrator for a link that signs you in.",
        )
    with house.database.write() as tx:
        at = house.now()
        accounts.forget_attempts(tx, key)
        accounts.set_password(tx, person.id, hashed, at=at, by=person.id)
        accounts.end_sessions(tx, person.id, at=at, by=person.id, kept=kept)


def session(house: House, word: str | None) -> Session | None:
    """Return whose session a browser's word opens; None where it opens none."""
    if not word:
        return None
    with house.database.read() as tx:
        return accounts.session(tx, word, at=house.now())


def sign_out(house: House, word: str | None) -> None:
    """End a browser's session."""
    if word:
        with house.database.write() as tx:
            accounts.end_session(tx, word, at=house.now())


def sign_out_everywhere(house: House, person: Person) -> int:
    """End all of somebody's sessions, and return how many there were."""
    with house.database.write() as tx:
        return accounts.end_sessions(tx, person.id, at=house.now(), by=person.id)


def bearer(house: House, word: str) -> Person | None:
    """Return whose access token this is; None where it opens nothing."""
    with house.database.read() as tx:
        person = accounts.bearer(tx, word, at=house.now())
    if person is not None:
        with house.database.write() as tx:
            accounts.note_use(tx, word, at=house.now())
    return person


def tokens(house: House, person: Person) -> tuple[AccessToken, ...]:
    """Return somebody's own tokens, the newest first."""
    with house.database.read() as tx:
        return accounts.tokens(tx, person.id, at=house.now())


def add_token(house: House, person: Person, name: str) -> str:
    """Return a new token of somebody's own; it is shown this once.

    :raises PortalError: too many were made in the last hour (slug ``too-many-attempts``)
    """
    with house.database.write() as tx:
        at = house.now()
        if not accounts.allow(tx, f"token:{person.id}", _TOKENS_AN_HOUR, _HOUR, at=at):
            raise _too_many("Revoke what you don't use, wait an hour")
        return accounts.add_token(tx, person.id, name, at=at, expires_at=at + TOKEN_LASTS)


def revoke_token(house: House, person: Person, token: int) -> None:
    """Make one of somebody's own tokens void."""
    with house.database.write() as tx:
        accounts.revoke_token(tx, person.id, token, at=house.now())


def hand_out(
    house: House,
    purpose: LinkPurpose,
    person: int | None = None,
    lasts: timedelta = LINK_LASTS,
    *,
    by: int | None = None,
) -> str:
    """Return the address of a new link.

    :param person: whom it signs in
    :param by: who hands it out; None where the machine does
    """
    with house.database.write() as tx:
        at = house.now()
        word = accounts.hand_out(tx, purpose, person=person, at=at, expires_at=at + lasts, by=by)
    room = {LinkPurpose.SETUP: "setup", LinkPurpose.SIGN_UP: "join"}.get(purpose, "enter")
    return f"{house.settings.public_address}/{room}/{word}"


def note_upload(house: House, person: Person) -> None:
    """Count an upload of somebody's: each is unpacked, looked over and kept, good or bad.

    :raises PortalError: there were too many in the last minute (slug ``too-many-attempts``)
    """
    with house.database.write() as tx:
        key = f"upload:{person.id}"
        if not accounts.allow(tx, key, _UPLOADS_A_MINUTE, _MINUTE, at=house.now()):
            raise _too_many("Wait a minute")


def anybody_here(house: House) -> bool:
    """Return whether there is an account."""
    with house.database.read() as tx:
        return bool(people.people(tx))


def check_named(email: str, name: str) -> None:
    """Check that an address and a name will do.

    :raises PortalError: one will not (slugs ``bad-address``, ``bad-name``)
    """
    if not _ADDRESS.fullmatch(email.strip()) or len(email) > _LONGEST_ADDRESS:
        raise PortalError("bad-address", f"{email!r} is no e-mail address.")
    if not name.strip() or len(name) > _LONGEST_NAME:
        raise PortalError("bad-name", "A name is needed, of up to 200 characters.")


def _signs_in(link: Link | None) -> tuple[LinkPurpose, int]:
    """Return what a link is for, and whom it signs in."""
    if link is None or link.person_id is None:
        raise Forbidden(
            "link-void",
            "This link was used already, or has expired.",
            remedy="Ask for a new one, or sign in with your password.",
        )
    return link.purpose, link.person_id


def _opens_sign_up(link: Link | None) -> bool:
    return link is not None and link.purpose is LinkPurpose.SIGN_UP


def _verified(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password[:LONGEST_PASSWORD])
    except (VerifyMismatchError, InvalidHashError):
        return False


def _checked(email: str, name: str, password: str) -> str:
    """Return the hash of a password that will do, for somebody whose address and name will."""
    check_named(email, name)
    return _hashed(password)


def _hashed(password: str) -> str:
    """Return the hash of a password that will do."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise PortalError(
            "bad-password",
            f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.",
            remedy="A few words in a row do.",
        )
    return _hasher.hash(password)


def _too_many(wait: str) -> PortalError:
    return PortalError(
        "too-many-attempts", "There were too many attempts.", remedy=f"{wait} and try again."
    )


def _uninvited() -> Forbidden:
    return Forbidden(
        "link-void",
        "This invitation leads nowhere any more.",
        remedy="Ask whoever sent it for a new one.",
    )
