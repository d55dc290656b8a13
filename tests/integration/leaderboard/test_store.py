from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import delete, insert, text, update
from sqlalchemy.exc import DBAPIError

from leaderboard import tables
from leaderboard.errors import StoreError
from leaderboard.model import Decision, JobState, Role, WaiverDecision
from leaderboard.ranking import private_board, public_board
from leaderboard.store import (
    Database,
    audit,
    events,
    open_database,
    people,
    reviews,
    submissions,
)
from leaderboard.store.submissions import GradedFinding, NewReport

Now = Callable[..., datetime]
FINDING = GradedFinding(
    code="TEST001",
    family="tests",
    verdict="fail",
    share=0.5,
    points=7,
    possible=14,
    message="2 of 4 tests fail.",
    path="tests/test_rules.py",
    line=3,
)


@dataclass(frozen=True)
class Held:
    """An event with one challenge and one team."""

    event: int
    challenge: int
    team: int
    ada: int
    lea: int


def graded(total: int | None = 900, outcome: str = "accepted", **changes: int | None) -> NewReport:
    public = changes.get("public_total", total)
    return NewReport(
        outcome=outcome,
        total=total,
        public_total=public,
        possible=1000,
        seconds=30.0,
        content=f'{{"total": {total}}}',
        findings=(FINDING,),
    )


@pytest.fixture
def held(database: Database, now: Now) -> Held:
    with database.write() as tx:
        unit = people.add_unit(tx, "Claims", at=now())
        ada = people.add_person(tx, "Ada@Example.org ", "Ada", at=now(), unit=unit.id)
        lea = people.add_person(tx, "lea@example.org", "Lea", at=now(), roles=[Role.LEADER])
        event = events.hold(
            tx,
            slug="spring",
            title="Spring",
            starts_at=now(),
            ends_at=now(48),
            freezes_at=now(40),
            daily_cap=3,
            at=now(-24),
        )
        challenge = events.publish_challenge(
            tx, slug="tariff", version="1", title="Tariff", digest="a" * 64, at=now()
        )
        events.add_challenge(tx, event.id, challenge.id, at=now())
        team, _ = events.found_team(tx, event.id, "Blue", by=ada.id, at=now())
    return Held(event=event.id, challenge=challenge.id, team=team.id, ada=ada.id, lea=lea.id)


def submit(database: Database, held: Held, commit: str, at: datetime) -> int:
    with database.write() as tx:
        sent, _ = submissions.submit(
            tx, team=held.team, challenge=held.challenge, commit=commit, by=held.ada, at=at
        )
    return sent.id


def record(database: Database, submission: int, report: NewReport, at: datetime) -> int:
    with database.write() as tx:
        return submissions.record(tx, submission, report, at=at)[0].id


def test_people_have_several_roles(database: Database, held: Held, now: Now) -> None:
    with database.write() as tx:
        people.set_roles(tx, held.lea, [Role.LEADER, Role.ADMIN], at=now(), by=None)
    with database.read() as tx:
        found = {person.email: person.roles for person in people.people(tx)}
    assert found == {
        "ada@example.org": {Role.MEMBER},
        "lea@example.org": {Role.LEADER, Role.ADMIN},
    }


@pytest.mark.usefixtures("held")
def test_address_is_taken_once(database: Database, now: Now) -> None:
    with pytest.raises(StoreError, match=r"ada@example\.org"), database.write() as tx:
        people.add_person(tx, "ADA@example.org", "Another", at=now())


@pytest.mark.usefixtures("held")
def test_units_make_a_chart(database: Database, now: Now) -> None:
    with database.write() as tx:
        (top,) = people.units(tx)
        people.add_unit(tx, "Motor claims", parent=top.id, at=now())
    with database.read() as tx:
        assert [(u.name, u.parent_id) for u in people.units(tx)] == [
            ("Claims", None),
            ("Motor claims", top.id),
        ]


@pytest.mark.usefixtures("held")
def test_chart_is_mended(database: Database, now: Now) -> None:
    with database.write() as tx:
        (top,) = people.units(tx)
        motor = people.add_unit(tx, "Motor", parent=top.id, at=now())
        trucks = people.add_unit(tx, "Trucks", parent=motor.id, at=now())
        with pytest.raises(StoreError, match="part of itself"):
            people.change_unit(tx, replace(top, parent_id=trucks.id), at=now())
        with pytest.raises(StoreError, match="already"):
            people.change_unit(tx, replace(motor, name="Trucks"), at=now())
        people.change_unit(tx, replace(motor, name="Vehicles", parent_id=None), at=now())
        for used, said in ((top, "people work"), (motor, "units are part")):
            with pytest.raises(StoreError, match=said):
                people.remove_unit(tx, used.id, at=now())
        people.remove_unit(tx, trucks.id, at=now())
    with database.read() as tx:
        assert [(u.name, u.parent_id) for u in people.units(tx)] == [
            ("Claims", None),
            ("Vehicles", None),
        ]


def test_teams_are_made_up(database: Database, held: Held, now: Now) -> None:
    with database.write() as tx:
        ben = people.add_person(tx, "ben@example.org", "Ben", at=now()).id
        cy = people.add_person(tx, "cy@example.org", "Cy", at=now()).id
        red, _ = events.found_team(tx, held.event, "Red", by=held.lea, first=ben, at=now())
        assert red.members == (ben,)
        assert events.enter(tx, red.id, cy, by=held.lea, at=now()).members == (ben, cy)
        with pytest.raises(StoreError, match="in team 'Blue'"):
            events.enter(tx, red.id, held.ada, by=held.lea, at=now())
        with pytest.raises(StoreError, match="already"):
            events.rename_team(tx, red.id, "Blue", by=ben, at=now())
        renamed = events.rename_team(tx, red.id, "Crimson", by=ben, at=now())
    assert (renamed.name, renamed.slug) == ("Crimson", red.slug)


def test_invitation_leads_into_team(database: Database, held: Held, now: Now) -> None:
    with database.write() as tx:
        team, word = events.found_team(tx, held.event, "Red", by=held.lea, at=now())
        ben = people.add_person(tx, "ben@example.org", "Ben", at=now())
        joined = events.join(tx, word, ben.id, at=now())
    assert joined.members == (held.lea, ben.id)
    with database.read() as tx:
        assert events.team_of(tx, held.event, ben.id) == joined
        assert [found.name for found in events.teams(tx, held.event)] == ["Blue", "Red"]
    assert team.name == "Red"


def test_one_team_for_each_event(database: Database, held: Held, now: Now) -> None:
    with pytest.raises(StoreError, match="'Blue'"), database.write() as tx:
        events.found_team(tx, held.event, "Red", by=held.ada, at=now())


def test_wrong_invitation_is_refused(database: Database, held: Held, now: Now) -> None:
    with pytest.raises(StoreError, match="leads to no team"), database.write() as tx:
        events.join(tx, "guess", held.lea, at=now())


@pytest.mark.parametrize(("freeze", "end"), [(None, 0), (None, -1), (-1, 2), (3, 2)])
def test_event_dates_are_in_order(
    database: Database, now: Now, freeze: int | None, end: int
) -> None:
    freezes = None if freeze is None else now(freeze)
    with pytest.raises(StoreError, match="in this order"), database.write() as tx:
        events.hold(
            tx,
            slug="x",
            title="X",
            starts_at=now(),
            ends_at=now(end),
            freezes_at=freezes,
            at=now(),
        )


def test_newer_version_takes_place(database: Database, held: Held, now: Now) -> None:
    with database.write() as tx:
        newer = events.publish_challenge(
            tx, slug="tariff", version="2", title="Tariff", digest="b" * 64, at=now()
        )
        events.add_challenge(tx, held.event, newer.id, at=now())
        assert events.challenges(tx, held.event) == (newer,)


def test_submission_waits_with_its_job(database: Database, held: Held, now: Now) -> None:
    sent = submit(database, held, "c1", now(1))
    with database.read() as tx:
        ((waiting, job),) = submissions.waiting(tx)
        assert submissions.unfinished(tx, held.team) == 1
    assert (waiting.id, waiting.received_at, job.state) == (sent, now(1), JobState.QUEUED)


def test_same_commit_is_same_submission(database: Database, held: Held, now: Now) -> None:
    assert submit(database, held, "c1", now(1)) == submit(database, held, "c1", now(2))


def test_cap_ends_the_day(database: Database, held: Held, now: Now) -> None:
    for number in range(3):
        submit(database, held, f"c{number}", now(number))
    with pytest.raises(StoreError, match="3 submissions of today"):
        submit(database, held, "c4", now(4))
    submit(database, held, "c4", now(24))


@pytest.mark.parametrize("hours", [-1, 48])
def test_closed_event_takes_nothing(database: Database, held: Held, now: Now, hours: int) -> None:
    with pytest.raises(StoreError, match="takes submissions from 2026-03-02 09:00"):
        submit(database, held, "c1", now(hours))
    with database.read() as tx:
        assert submissions.of_team(tx, held.team) == ()


def test_other_challenge_is_refused(database: Database, held: Held, now: Now) -> None:
    with database.write() as tx:
        other = events.publish_challenge(
            tx, slug="other", version="1", title="Other", digest="c" * 64, at=now()
        )
    with pytest.raises(StoreError, match="not held over"), database.write() as tx:
        submissions.submit(
            tx, team=held.team, challenge=other.id, commit="c1", by=held.ada, at=now(1)
        )


def test_job_tells_its_steps(database: Database, held: Held, now: Now) -> None:
    sent = submit(database, held, "c1", now(1))
    with database.write() as tx:
        submissions.start(tx, sent, at=now(1, 1))
        submissions.tell_step(tx, sent, "train", at=now(1, 2))
    with database.read() as tx:
        job = submissions.job(tx, sent)
    assert (job.state, job.step, job.attempts) == (JobState.RUNNING, "train", 1)


def test_report_ends_its_job(database: Database, held: Held, now: Now) -> None:
    sent = submit(database, held, "c1", now(1))
    report = record(database, sent, graded(), now(2))
    with database.read() as tx:
        assert submissions.job(tx, sent).state is JobState.DONE
        assert submissions.findings(tx, report) == (FINDING,)
        assert submissions.waiting(tx) == ()


def test_second_report_changes_nothing(database: Database, held: Held, now: Now) -> None:
    sent = submit(database, held, "c1", now(1))
    first = record(database, sent, graded(900), now(2))
    with database.write() as tx:
        found, new = submissions.record(tx, sent, graded(100), at=now(3))
    assert (found.id, found.total, new) == (first, 900, False)


def test_giving_up_undoes_no_report(database: Database, held: Held, now: Now) -> None:
    sent = submit(database, held, "c1", now(1))
    record(database, sent, graded(), now(2))
    with database.write() as tx:
        assert submissions.give_up(tx, sent, "lost", at=now(3)).state is JobState.DONE


def test_given_up_says_why(database: Database, held: Held, now: Now) -> None:
    sent = submit(database, held, "c1", now(1))
    with database.write() as tx:
        job = submissions.give_up(tx, sent, "four workers died", at=now(3))
    assert (job.state, job.message) == (JobState.FAILED, "four workers died")


def test_twenty_workers_record_once(database: Database, held: Held, now: Now) -> None:
    sent = submit(database, held, "c1", now(1))
    with ThreadPoolExecutor(max_workers=20) as pool:
        made = set(pool.map(lambda n: record(database, sent, graded(n), now(2)), range(20)))
    assert len(made) == 1
    with database.read() as tx:
        assert audit.verify(tx).broken == ""


def test_twenty_pushes_of_one_commit_are_one(database: Database, held: Held, now: Now) -> None:
    with ThreadPoolExecutor(max_workers=20) as pool:
        made = set(pool.map(lambda _: submit(database, held, "c1", now(1)), range(20)))
    assert len(made) == 1


def test_board_is_made_of_reports(database: Database, held: Held, now: Now) -> None:
    first, second = (submit(database, held, f"c{n}", now(n)) for n in (1, 2))
    record(database, first, graded(700, public_total=400), now(3))
    record(database, second, graded(900, public_total=500), now(4))
    with database.write() as tx:
        reviews.choose_finals(tx, held.team, "tariff", [second], by=held.ada, at=now(5))
    with database.read() as tx:
        event = events.find_event(tx, held.event)
        entries = submissions.entries(tx, held.event, "tariff")
        chosen = reviews.finals(tx, held.event)
    assert [s.points for s in public_board(entries, event, now(5))] == [500]
    assert [s.points for s in private_board(entries, event, chosen)] == [900]


def test_noise_is_measured_in_rehearsals(database: Database, held: Held, now: Now) -> None:
    with database.write() as tx:
        stage = events.hold(
            tx,
            slug="rehearsal",
            title="Rehearsal",
            starts_at=now(),
            ends_at=now(24),
            rehearsal=True,
            at=now(),
        )
        events.add_challenge(tx, stage.id, held.challenge, at=now())
        teams = [
            events.found_team(
                tx,
                stage.id,
                f"Team {number}",
                by=people.add_person(tx, f"{number}@example.org", str(number), at=now()).id,
                at=now(),
            )[0].id
            for number in range(4)
        ]
    told = [("c1", graded(700)), ("c1", graded(704))]
    told += [("c2", graded(100, "rejected")), ("c2", graded(400, "rejected"))]
    for team, (commit, report) in zip(teams, told, strict=True):
        in_it = replace(held, team=team)
        record(database, submit(database, in_it, commit, now(1)), report, now(2))
    played = submit(database, held, "c1", now(1))
    record(database, played, graded(10), now(2))
    with database.read() as tx:
        assert submissions.noise(tx, [held.challenge]) == 4
        assert submissions.noise(tx, []) == 0


def test_chosen_final_stays_chosen_when_graded_again(
    database: Database, held: Held, now: Now
) -> None:
    sent = submit(database, held, "c1", now(1))
    record(database, sent, graded(700), now(2))
    with database.write() as tx:
        reviews.choose_finals(tx, held.team, "tariff", [sent], by=held.ada, at=now(3))
        submissions.again(tx, sent, "mended", by=held.lea, at=now(4))
        submissions.start(tx, sent, at=now(4))
    newer = record(database, sent, graded(800), now(5))
    with database.write() as tx:
        assert reviews.finals(tx, held.event) == {held.team: (newer,)}
        reviews.choose_finals(tx, held.team, "tariff", [], by=held.ada, at=now(6))
        assert reviews.finals(tx, held.event) == {}


def test_finals_are_own_and_few(database: Database, held: Held, now: Now) -> None:
    sent = [submit(database, held, f"c{number}", now(number)) for number in range(3)]
    for number in sent:
        record(database, number, graded(), now(4))
    waiting = submit(database, held, "c9", now(26))
    for chosen, slug in ((sent, "tariff"), ([waiting], "tariff"), (sent[:1], "other")):
        with pytest.raises(StoreError, match="up to 2"), database.write() as tx:
            reviews.choose_finals(tx, held.team, slug, chosen, by=held.ada, at=now(5))


def test_approval_needs_acceptance_and_reason(database: Database, held: Held, now: Now) -> None:
    sent = submit(database, held, "c1", now(1))
    report = record(database, sent, graded(450, "rejected"), now(2))
    with database.write() as tx:
        with pytest.raises(StoreError, match="rejected"):
            reviews.review(tx, report, Decision.APPROVED, "Fine.", by=held.lea, at=now(3))
        with pytest.raises(StoreError, match="needs a reason"):
            reviews.review(tx, report, Decision.HELD, " ", by=held.lea, at=now(3))


def test_reviews_follow_one_another(database: Database, held: Held, now: Now) -> None:
    sent = submit(database, held, "c1", now(1))
    report = record(database, sent, graded(), now(2))
    with database.write() as tx:
        reviews.review(tx, report, Decision.HELD, "Ask the actuary.", by=held.lea, at=now(3))
        reviews.review(tx, report, Decision.APPROVED, "She agrees.", by=held.lea, at=now(4))
        said = [review.decision for review in reviews.reviews(tx, report)]
    assert said == [Decision.HELD, Decision.APPROVED]


def test_same_words_ask_once(database: Database, held: Held, now: Now) -> None:
    def ask(reason: str, path: str = "") -> bool:
        with database.write() as tx:
            asked = reviews.ask_once(
                tx,
                team=held.team,
                challenge_slug="tariff",
                code="STYL004",
                path=path,
                reason=reason,
                by=held.ada,
                at=now(1),
            )
        return asked is not None

    assert ask("The table keeps its branches.")
    assert not ask("The table keeps its branches.")
    assert ask("The table keeps its branches.", "src/table.py")
    assert ask("Auditors read it side by side.")


def test_last_ruling_on_waiver_counts(database: Database, held: Held, now: Now) -> None:
    def rule(code: str, decision: WaiverDecision, hours: int, until: int | None = None) -> None:
        with database.write() as tx:
            reviews.rule_waiver(
                tx,
                team=held.team,
                challenge_slug="tariff",
                code=code,
                decision=decision,
                reason="As agreed.",
                by=held.lea,
                at=now(hours),
                expires_at=None if until is None else now(until),
            )

    rule("STYL004", WaiverDecision.GRANTED, 1)
    rule("MODU004", WaiverDecision.GRANTED, 1)
    rule("MODU004", WaiverDecision.REVOKED, 2)
    rule("DOCS005", WaiverDecision.GRANTED, 1, until=3)
    with database.read() as tx:
        soon = reviews.waivers_in_force(tx, held.team, "tariff", at=now(2))
        later = reviews.waivers_in_force(tx, held.team, "tariff", at=now(3))
    assert [ruling.code for ruling in soon] == ["DOCS005", "STYL004"]
    assert [ruling.code for ruling in later] == ["STYL004"]


@pytest.mark.parametrize("name", tables.APPEND_ONLY)
def test_appended_rows_stay(database: Database, held: Held, now: Now, name: str) -> None:
    sent = submit(database, held, "c1", now(1))
    report = record(database, sent, graded(), now(2))
    with database.write() as tx:
        reviews.review(tx, report, Decision.HELD, "Wait.", by=held.lea, at=now(3))
        reviews.rule_waiver(
            tx,
            team=held.team,
            challenge_slug="tariff",
            code="STYL004",
            decision=WaiverDecision.GRANTED,
            reason="Fine.",
            by=held.lea,
            at=now(3),
        )
        lesson = {"person_id": held.ada, "lesson": "one", "score": 1, "possible": 2, "at": now()}
        tx.execute(insert(tables.lesson_result).values(lesson))
    table = tables.metadata.tables[name]
    column = next(c for c in table.c if not c.primary_key and not c.foreign_keys)
    for change in (update(table).values({column.name: column}), delete(table)):
        with pytest.raises(DBAPIError, match=f"{name} is append-only"), database.write() as tx:
            tx.execute(change)


def test_audit_tells_what_was_done(database: Database, held: Held, now: Now) -> None:
    sent = submit(database, held, "c1", now(1))
    with database.read() as tx:
        newest = audit.entries(tx, newest=1)[0]
    assert (newest.action, newest.subject, newest.actor_id) == (
        "submission.received",
        f"submission:{sent}",
        held.ada,
    )


def test_audit_chain_holds(database: Database, held: Held, now: Now) -> None:
    with database.read() as tx:
        last = audit.verify(tx).last
    submit(database, held, "c1", now(1))
    with database.read() as tx:
        proof = audit.verify(tx, known=last)
        assert (proof.entries, proof.broken) == (audit.count(tx), "")


def _unguard(database: Database) -> None:
    """Do what a thief with the database's password would do first."""
    triggers = {
        "sqlite": ("DROP TRIGGER keep_audit_update", "DROP TRIGGER keep_audit_delete"),
        "postgresql": ("DROP TRIGGER keep_audit ON audit",),
    }
    with database.write() as tx:
        for statement in triggers[tx.dialect.name]:
            tx.execute(text(statement))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            update(tables.audit).where(tables.audit.c.number == 2).values(action="x"),
            "2 was changed",
        ),
        (delete(tables.audit).where(tables.audit.c.number == 2), "2 is missing"),
        (delete(tables.audit).where(tables.audit.c.number > 2), "no longer in the chain"),
        (
            update(tables.audit).where(tables.audit.c.number == 3).values(previous="0" * 64),
            "3 does not follow",
        ),
    ],
)
@pytest.mark.usefixtures("held")
def test_tampering_breaks_the_chain(database: Database, change: object, told: str) -> None:
    with database.read() as tx:
        last = audit.verify(tx).last
    _unguard(database)
    with database.write() as tx:
        tx.execute(change)  # type: ignore[call-overload]
    with database.read() as tx:
        assert told in audit.verify(tx, known=last).broken


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (update(tables.report).values(total=1000), "the report of line"),
        (update(tables.report).values(content="{}"), "the report of line"),
        (update(tables.review).values(decision="disapproved"), "reviews are not those"),
        (delete(tables.review), "reviews are not those"),
    ],
)
def test_tampering_with_what_lines_tell_of_is_noticed(
    database: Database, held: Held, now: Now, change: object, told: str
) -> None:
    sent = submit(database, held, "c1", now(1))
    report = record(database, sent, graded(), now(2))
    with database.write() as tx:
        reviews.review(tx, report, Decision.APPROVED, "Good.", by=held.ada, at=now(3))
        assert audit.verify(tx).broken == ""
        for name in ("report", "review"):
            kinds = ("_update", "_delete") if tx.dialect.name == "sqlite" else (f" ON {name}",)
            for kind in kinds:
                tx.execute(text(f"DROP TRIGGER keep_{name}{kind}"))
        tx.execute(change)  # type: ignore[call-overload]
        assert told in audit.verify(tx).broken


def test_opening_again_keeps_everything(url: str, now: Now) -> None:
    first = open_database(url)
    with first.write() as tx:
        people.add_unit(tx, "Claims", at=now())
    first.close()
    again = open_database(url)
    with again.read() as tx:
        assert [unit.name for unit in people.units(tx)] == ["Claims"]
    again.close()


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ("mysql://host/x", "not one that Drydock can use"),
        ("nonsense", "not one that Drydock can use"),
        ("sqlite:////no/such/folder/x.db", "cannot be used"),
        ("postgresql://nobody@/x?host=/no/such/socket", "cannot be used"),
    ],
)
def test_unusable_url_is_told(bad: str, told: str) -> None:
    with pytest.raises(StoreError, match=told):
        open_database(bad)


def test_tables_are_those_of_migrations(database: Database) -> None:
    with database.write() as tx:
        assert compare_metadata(MigrationContext.configure(tx), tables.metadata) == []
