from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from leaderboard.adoption import ModelStage, PersonStage
from leaderboard.errors import StoreError
from leaderboard.model import Decision, JobState
from leaderboard.store import Database, events, models, people, reviews, submissions, workers
from leaderboard.store.models import NewModel
from leaderboard.store.submissions import GradedFinding, NewReport

Now = Callable[..., datetime]
REPORT = NewReport(
    outcome="accepted",
    total=900,
    public_total=300,
    possible=1000,
    seconds=30.0,
    content="{}",
    findings=[
        GradedFinding(
            code="TEST001",
            family="tests",
            verdict="fail",
            share=0.0,
            points=0,
            possible=5,
            message="There are no tests.",
        )
    ],
)


@pytest.fixture
def submission(database: Database, now: Now) -> int:
    """Give a submission of Ada's team, to the challenge that asks for the tariff's port."""
    with database.write() as tx:
        claims = people.add_unit(tx, "Claims", at=now())
        ada = people.add_person(tx, "ada@example.org", "Ada", at=now(), unit=claims.id)
        people.add_person(tx, "bob@example.org", "Bob", at=now())
        event = events.hold(
            tx, slug="spring", title="Spring", starts_at=now(), ends_at=now(48), at=now()
        )
        version = events.publish_challenge(
            tx, slug="tariff", version="1", title="Tariff", digest="a" * 64, at=now()
        )
        events.add_challenge(tx, event.id, version.id, at=now())
        team, _ = events.found_team(tx, event.id, "Blue", by=ada.id, at=now())
        tariff = NewModel(
            name="Tariff", unit_id=claims.id, owner="Ada", language="R", challenge_slug="tariff"
        )
        lapse = NewModel(name="Lapse", unit_id=claims.id, owner="Bob", language="SAS")
        assert models.register(tx, [tariff, lapse], at=now(), by=None) == (2, 0)
        sent, _ = submissions.submit(
            tx, team=team.id, challenge=version.id, commit="c1", by=ada.id, at=now(1)
        )
    return sent.id


@pytest.mark.usefixtures("submission")
def test_registering_again_changes_what_differs(database: Database, now: Now) -> None:
    with database.write() as tx:
        before = models.models(tx)
        same = [
            NewModel(
                name=model.name,
                unit_id=model.unit_id,
                owner=model.owner,
                language=model.language,
                challenge_slug=model.challenge_slug,
            )
            for model in before
        ]
        assert models.register(tx, same, at=now(2), by=None) == (0, 0)
        live = NewModel(
            name="Lapse", unit_id=before[0].unit_id, owner="Eve", language="SAS", live_since=now(2)
        )
        assert models.register(tx, [live], at=now(2), by=None) == (0, 1)
        assert [model.owner for model in models.models(tx)] == ["Eve", "Ada"]


def test_progress_is_when_each_stage_was_reached_first(
    database: Database, submission: int, now: Now
) -> None:
    with database.write() as tx:
        report, _ = submissions.record(tx, submission, REPORT, at=now(2))
        reviews.review(tx, report.id, Decision.APPROVED, "Fine.", by=1, at=now(3))
        ada, bob = models.people_progress(tx)
        lapse, tariff = models.model_progress(tx)
        (found,) = models.violations(tx)
    assert ada.reached == {
        PersonStage.INVITED: now(),
        PersonStage.SUBMITTED: now(1),
        PersonStage.ACCEPTED: now(2),
        PersonStage.APPROVED: now(3),
    }
    assert bob.reached == {PersonStage.INVITED: now()}
    assert tariff.reached == {
        ModelStage.REGISTERED: now(),
        ModelStage.IN_PORT: now(1),
        ModelStage.ACCEPTED: now(2),
        ModelStage.APPROVED: now(3),
    }
    assert lapse.reached == {ModelStage.REGISTERED: now()}
    assert (found.unit_id, found.code, found.failed) == (ada.unit_id, "TEST001", True)


def test_grading_again_adds_a_report_and_the_last_counts(
    database: Database, submission: int, now: Now
) -> None:
    with database.write() as tx:
        with pytest.raises(StoreError, match="queued already"):
            submissions.again(tx, submission, "a waiver", by=1, at=now(2))
        first, _ = submissions.record(tx, submission, REPORT, at=now(2))
        job = submissions.again(tx, submission, "a waiver", by=1, at=now(3))
        assert (job.round, job.state) == (2, JobState.QUEUED)
        second, new = submissions.record(tx, submission, REPORT, at=now(4))
        assert new
        assert second.round == 2
        assert submissions.record(tx, submission, REPORT, at=now(5)) == (second, False)
        assert submissions.report_of(tx, submission) == second
        assert submissions.find_report(tx, first.id) == first
        (entry,) = submissions.entries(tx, 1, "tariff")
        assert entry.report_id == second.id


def test_worker_is_alive_while_it_is_heard_of(database: Database) -> None:
    with database.write() as tx:
        workers.beat(tx, "one/0")
        workers.beat(tx, "one/1")
        workers.beat(tx, "one/0")
        assert workers.alive(tx) == {"one/0", "one/1"}
        assert all(abs(ago) < timedelta(seconds=5) for ago in workers.heard_of(tx).values())
        workers.leave(tx, "one/0")
        assert workers.alive(tx) == {"one/1"}


def test_team_keeps_its_address_and_renews_its_invitation(database: Database, now: Now) -> None:
    with database.write() as tx:
        for slug in ("spring", "autumn"):
            events.hold(tx, slug=slug, title=slug, starts_at=now(), ends_at=now(48), at=now())
        ada = people.add_person(tx, "ada@example.org", "Ada", at=now())
        bob = people.add_person(tx, "bob@example.org", "Bob", at=now())
        one, old = events.found_team(tx, 1, "Léa's Crew!", by=ada.id, at=now())
        two, _ = events.found_team(tx, 2, "Lea s crew", by=ada.id, at=now())
        assert (one.slug, two.slug) == ("lea-s-crew", "lea-s-crew-2")
        assert events.team_at(tx, "lea-s-crew-2") == two
        new = events.renew_invitation(tx, one.id, by=ada.id, at=now())
        assert events.invited_to(tx, old) is None
        assert events.join(tx, new, bob.id, at=now()).members == (ada.id, bob.id)
        events.leave(tx, one.id, bob.id, at=now(), by=bob.id)
        assert events.find_team(tx, one.id).members == (ada.id,)


def test_place_in_the_queue_is_fair_to_other_teams(
    database: Database, submission: int, now: Now
) -> None:
    with database.write() as tx:
        eve = people.add_person(tx, "eve@example.org", "Eve", at=now())
        other, _ = events.found_team(tx, 1, "Red", by=eve.id, at=now())
        own = events.teams(tx, 1)[0]
        more = [
            submissions.submit(tx, team=own.id, challenge=1, commit=f"m{n}", by=1, at=now(1, n))[0]
            for n in range(1, 6)
        ]
        late, _ = submissions.submit(
            tx, team=other.id, challenge=1, commit="r1", by=eve.id, at=now(2)
        )
        assert submissions.place(tx, submission) == 0
        assert [submissions.place(tx, sent.id) for sent in more] == [2, 3, 4, 5, 6]
        assert submissions.place(tx, late.id) == 1
        assert submissions.usual_seconds(tx) is None
        submissions.start(tx, submission, at=now(2))
        submissions.record(tx, submission, REPORT, at=now(2))
        assert submissions.place(tx, late.id) == 0
        assert submissions.usual_seconds(tx) == 30.0
