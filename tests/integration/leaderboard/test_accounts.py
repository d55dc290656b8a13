from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from leaderboard import tables
from leaderboard.errors import StoreError
from leaderboard.model import LinkPurpose
from leaderboard.store import Database, accounts, people

Now = Callable[..., datetime]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def ada(database: Database, now: Now) -> int:
    with database.write() as tx:
        return people.add_person(tx, "ada@example.org", "Ada", at=now()).id


def test_session_ends_by_sign_out_time_and_closed_account(
    database: Database, ada: int, now: Now
) -> None:
    with database.write() as tx:
        one, two = (accounts.open_session(tx, ada, at=now()) for _ in range(2))
        accounts.end_session(tx, one, at=now(1))
        assert accounts.session(tx, one, at=now(1)) is None
        found = accounts.session(tx, two, at=now(1))
        assert found is not None
        assert found.person.email == "ada@example.org"
        assert accounts.session(tx, two, at=now(13)) is None
        people.set_active(tx, ada, active=False, at=now(1), by=None)
        assert accounts.session(tx, two, at=now(1)) is None
        with pytest.raises(StoreError, match="closed"):
            accounts.open_session(tx, ada, at=now(1))


def test_sign_out_everywhere(database: Database, ada: int, now: Now) -> None:
    with database.write() as tx:
        words = [accounts.open_session(tx, ada, at=now()) for _ in range(3)]
        assert accounts.end_sessions(tx, ada, at=now(1), by=ada) == 3
        assert [accounts.session(tx, word, at=now(1)) for word in words] == [None] * 3


def test_words_are_kept_nowhere(database: Database, ada: int, now: Now) -> None:
    with database.write() as tx:
        words = [
            accounts.open_session(tx, ada, at=now()),
            accounts.add_token(tx, ada, "laptop", at=now()),
            accounts.hand_out(tx, LinkPurpose.SIGN_IN, at=now(), person=ada, expires_at=now(1)),
        ]
    with database.read() as tx:
        kept = [
            str(value)
            for table in (tables.session, tables.access_token, tables.one_time_link, tables.audit)
            for row in tx.execute(table.select())
            for value in row
        ]
    assert not [word for word in words for value in kept if word in value]


def test_token_opens_until_revoked_or_expired(database: Database, ada: int, now: Now) -> None:
    with database.write() as tx:
        word = accounts.add_token(tx, ada, "laptop", at=now(), expires_at=now(2))
        assert word.startswith("drydock_")
        found = accounts.bearer(tx, word, at=now(1))
        assert found is not None
        assert found.id == ada
        accounts.note_use(tx, word, at=now(1))
        (token,) = accounts.tokens(tx, ada, at=now(1))
        assert (token.name, token.used_at) == ("laptop", now(1))
        assert accounts.bearer(tx, word, at=now(3)) is None
        accounts.revoke_token(tx, ada, token.id, at=now(1))
        assert accounts.bearer(tx, word, at=now(1)) is None
        assert accounts.tokens(tx, ada, at=now(1)) == ()


def test_nobody_revokes_anothers_token(database: Database, ada: int, now: Now) -> None:
    with database.write() as tx:
        other = people.add_person(tx, "bob@example.org", "Bob", at=now()).id
        accounts.add_token(tx, ada, "laptop", at=now())
        (token,) = accounts.tokens(tx, ada, at=now())
        with pytest.raises(StoreError, match="void"):
            accounts.revoke_token(tx, other, token.id, at=now())


def test_link_works_once_however_many_come_at_once(database: Database, ada: int, now: Now) -> None:
    with database.write() as tx:
        word = accounts.hand_out(tx, LinkPurpose.SIGN_IN, at=now(), person=ada, expires_at=now(1))

    def use(_: int) -> bool:
        with database.write() as tx:
            return accounts.use_link(tx, word, at=now()) is not None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(use, range(8))) == 1


def test_sign_up_link_works_until_it_ends(database: Database, now: Now) -> None:
    with database.write() as tx:
        word = accounts.hand_out(tx, LinkPurpose.SIGN_UP, at=now(), expires_at=now(1))
        assert accounts.use_link(tx, word, at=now()) == accounts.use_link(tx, word, at=now())
        assert accounts.use_link(tx, word, at=now(2)) is None
        assert accounts.use_link(tx, "made up", at=now()) is None


def test_attempts_are_few_in_a_moving_window(database: Database, now: Now) -> None:
    with database.write() as tx:
        tried = [accounts.allow(tx, "sign-in:ada", 3, MINUTE, at=now()) for _ in range(4)]
        assert tried == [True, True, True, False]
        assert accounts.allow(tx, "sign-in:bob", 3, MINUTE, at=now())
        assert accounts.allow(tx, "sign-in:ada", 3, MINUTE, at=now(minutes=1))
        accounts.forget_attempts(tx, "sign-in:ada")
        tried = [accounts.allow(tx, "sign-in:ada", 3, MINUTE, at=now(minutes=1)) for _ in range(3)]
        assert tried == [True, True, True]


def test_single_sign_on_knows_people_by_subject(database: Database, ada: int, now: Now) -> None:
    with database.write() as tx:
        found, new = accounts.know_subject(tx, "idp|1", "Ada@Example.org", "Ada", at=now())
        assert (found.id, new) == (ada, False)
        again, new = accounts.know_subject(tx, "idp|1", "renamed@example.org", "Ada", at=now())
        assert (again.id, new) == (ada, False)
        other, new = accounts.know_subject(tx, "idp|2", "bob@example.org", "Bob", at=now())
        assert (other.email, new) == ("bob@example.org", True)
        with pytest.raises(StoreError, match="another account"):
            accounts.know_subject(tx, "idp|3", "ada@example.org", "Eve", at=now())


def test_password_is_told_of_open_accounts_alone(database: Database, ada: int, now: Now) -> None:
    with database.write() as tx:
        assert accounts.password_of(tx, "ada@example.org") is None
        accounts.set_password(tx, ada, "$argon2id$…", at=now(), by=ada)
        assert accounts.password_of(tx, " ADA@example.org") == (ada, "$argon2id$…")
        people.set_active(tx, ada, active=False, at=now(), by=None)
        assert accounts.password_of(tx, "ada@example.org") is None
