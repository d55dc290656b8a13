from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pytest
from sqlalchemy import func, select

from leaderboard import tables
from leaderboard.errors import StoreError
from leaderboard.store import Database, audit, events, people, submissions, withdrawing

Now = Callable[..., datetime]


@dataclass(frozen=True)
class Held:
    """An event over one challenge, weighed, with one team of one."""

    event: int
    challenge: int
    team: int
    ada: int


@pytest.fixture
def held(database: Database, now: Now) -> Held:
    with database.write() as tx:
        ada = people.add_person(tx, "ada@example.org", "Ada", at=now()).id
        event = events.hold(
            tx, slug="spring", title="Spring", starts_at=now(), ends_at=now(48), at=now()
        ).id
        challenge = events.publish_challenge(
            tx, slug="tariff", version="1", title="Tariff", digest="a" * 64, at=now()
        ).id
        events.add_challenge(tx, event, challenge, at=now())
        events.weigh(tx, event, "tariff", 3, at=now(), by=ada)
        team, _ = events.found_team(tx, event, "Blue", by=ada, at=now())
    return Held(event=event, challenge=challenge, team=team.id, ada=ada)


def submit(database: Database, held: Held, at: datetime) -> None:
    with database.write() as tx:
        submissions.submit(
            tx, team=held.team, challenge=held.challenge, commit="c" * 40, by=held.ada, at=at
        )


def test_event_goes_with_all_that_is_its_own(database: Database, held: Held, now: Now) -> None:
    with database.write() as tx:
        gone = withdrawing.withdraw_event(tx, held.event, at=now(1), by=held.ada)
        assert gone == ("blue",)
    with database.read() as tx:
        for table in ("event", "event_challenge", "event_weight", "team", "membership"):
            known = select(func.count()).select_from(tables.metadata.tables[table])
            assert tx.execute(known).scalar_one() == 0
        assert [version.slug for version in events.published(tx)] == ["tariff"]
        assert audit.entries(tx, newest=1)[0].action == "event.withdrawn"
        assert audit.verify(tx).broken == ""


def test_team_makes_way_for_another(database: Database, held: Held, now: Now) -> None:
    with database.write() as tx:
        assert withdrawing.withdraw_team(tx, held.team, at=now(1), by=held.ada) == "blue"
        team, _ = events.found_team(tx, held.event, "Blue", by=held.ada, at=now(1))
        assert team.slug == "blue"


def test_what_was_submitted_to_stays(database: Database, held: Held, now: Now) -> None:
    submit(database, held, now(1))
    for refused in (
        lambda tx: withdrawing.withdraw_event(tx, held.event, at=now(2), by=held.ada),
        lambda tx: withdrawing.withdraw_team(tx, held.team, at=now(2), by=held.ada),
        lambda tx: withdrawing.withdraw_challenge(tx, held.challenge, at=now(2), by=held.ada),
        lambda tx: withdrawing.let_go(tx, held.event, held.challenge, at=now(2), by=held.ada),
    ):
        with pytest.raises(StoreError, match="1 submission tells"), database.write() as tx:
            refused(tx)
    with database.read() as tx:
        assert events.find_team(tx, held.team).members == (held.ada,)


def test_version_of_an_event_stays_until_let_go(database: Database, held: Held, now: Now) -> None:
    with pytest.raises(StoreError, match="1 event is held"), database.write() as tx:
        withdrawing.withdraw_challenge(tx, held.challenge, at=now(1), by=held.ada)
    with database.write() as tx:
        withdrawing.let_go(tx, held.event, held.challenge, at=now(1), by=held.ada)
        assert events.challenges(tx, held.event) == ()
        withdrawing.withdraw_challenge(tx, held.challenge, at=now(1), by=held.ada)
        assert events.published(tx) == ()


def test_older_versions_submissions_keep_a_challenge(
    database: Database, held: Held, now: Now
) -> None:
    submit(database, held, now(1))
    with database.write() as tx:
        newer = events.publish_challenge(
            tx, slug="tariff", version="2", title="Tariff", digest="b" * 64, at=now(2)
        )
        events.add_challenge(tx, held.event, newer.id, at=now(2))
        with pytest.raises(StoreError, match="can't be withdrawn"):
            withdrawing.let_go(tx, held.event, newer.id, at=now(3), by=held.ada)


@pytest.mark.parametrize(
    ("withdraw", "slug"),
    [
        (withdrawing.withdraw_event, "event-unknown"),
        (withdrawing.withdraw_team, "team-unknown"),
        (withdrawing.withdraw_challenge, "challenge-unpublished"),
        (withdrawing.remove_model, "model-unknown"),
    ],
)
def test_what_is_not_there_is_named(
    database: Database, held: Held, now: Now, withdraw: Callable[..., object], slug: str
) -> None:
    with pytest.raises(StoreError) as refused, database.write() as tx:
        withdraw(tx, 999, at=now(), by=held.ada)
    assert refused.value.slug == slug


def test_audit_is_looked_through(database: Database, held: Held, now: Now) -> None:
    with database.write() as tx:
        people.add_unit(tx, "50% Sales", at=now())
        people.add_unit(tx, "500 Others", at=now())
    with database.read() as tx:
        weighed = audit.Wanted(text="EVENT.WEIGHT")
        assert [line.action for line in audit.entries(tx, weighed)] == ["event.weight"]
        of_ada = audit.Wanted(text="nothing of this", actors=frozenset({held.ada}))
        assert audit.count(tx, of_ada) == sum(
            line.actor_id == held.ada for line in audit.entries(tx, newest=None)
        )
        assert audit.count(tx, audit.Wanted(text="%")) <= 1
        newest = audit.entries(tx, newest=None)
        assert audit.entries(tx, newest=2, skipped=1) == newest[1:3]
