"""The use cases, on both databases."""

from __future__ import annotations

import io
import json
import re
import shutil
import time
import zipfile
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import event

from grader import package, references
from grader.errors import UserError
from grader.model import CaseResult, Outcome, Verdict
from leaderboard.adoption import PersonStage
from leaderboard.errors import StoreError
from leaderboard.model import (
    ChallengeVersion,
    Counting,
    Decision,
    JobState,
    LegacyModel,
    LinkPurpose,
    Role,
    WaiverDecision,
)
from leaderboard.store import events, models, submissions
from portal import record, repositories
from portal.errors import Forbidden, PortalError
from portal.grading import ladder_loss
from portal.house import House
from portal.services import (
    accounts,
    administration,
    adopting,
    boards,
    challenges,
    desk,
    joining,
    progress,
    proving,
    reading,
    register,
    rehearsing,
    reviewing,
    submitting,
    withdrawing,
)
from tests.support.portal import PASSWORD, SLUG, Git, Held
from tests.support.reports import recorded, report


def word_of(link: str) -> str:
    return link.rpartition("/")[2]


@pytest.fixture
def submission(house: House, held: Held, project: tuple[Path, Git]) -> int:
    """Give a graded and accepted submission of Blue's."""
    folder, _ = project
    place = house.repositories.ensure("blue", SLUG)
    repositories.take_over(place, folder)
    sent, new = submitting.submit_head(house, held.people["Ada"], held.blue, held.version)
    assert new
    with house.database.write() as tx:
        submissions.start(tx, sent.id, at=house.now())
        submissions.record(tx, sent.id, recorded(held), at=house.now())
    return sent.id


def registered(house: House, held: Held) -> LegacyModel:
    """Register a legacy model."""
    content = b"name,unit,owner,language\nLapse,Claims,Ann,SAS\n"
    looked_over = register.preview(house, held.people["Gita"], "models.csv", content)
    register.take_in(house, held.people["Gita"], looked_over)
    return register.registered(house, held.people["Gita"])[0]


# ------------------------------------------------------------------------------ accounts


def test_sign_up_by_a_teams_invitation(house: House, held: Held) -> None:
    link = joining.invite(house, held.people["Ada"], held.blue)
    invited = accounts.invitation(house, word_of(link))
    assert invited is not None
    assert invited.name == "Blue"
    word = accounts.sign_up(house, word_of(link), "Zoe@example.org", "Zoe", PASSWORD)
    session = accounts.session(house, word)
    assert session is not None
    assert session.person.roles == {Role.MEMBER}
    team = joining.team_of(house, session.person, held.event)
    assert team is not None
    assert team.slug == "blue"
    accounts.sign_out(house, word)
    assert accounts.session(house, word) is None
    again = accounts.sign_in(house, "zoe@example.org", PASSWORD, "here")
    assert accounts.sign_out_everywhere(house, session.person) == 1
    assert accounts.session(house, again) is None


@pytest.mark.parametrize(
    ("email", "name", "password"),
    [("no address", "Zoe", PASSWORD), ("z@example.org", " ", PASSWORD), ("z@a", "Zoe", "short")],
)
def test_sign_up_says_what_will_not_do(
    house: House, held: Held, email: str, name: str, password: str
) -> None:
    link = joining.invite(house, held.people["Ada"], held.blue)
    with pytest.raises(PortalError):
        accounts.sign_up(house, word_of(link), email, name, password)


def test_nobody_signs_up_uninvited(house: House, held: Held) -> None:
    old = joining.invite(house, held.people["Ada"], held.blue)
    joining.invite(house, held.people["Ada"], held.blue)
    for word in ("made-up", word_of(old)):
        with pytest.raises(Forbidden):
            accounts.sign_up(house, word, "z@example.org", "Zoe", PASSWORD)
    with pytest.raises(Forbidden):
        joining.invite(house, held.people["Cleo"], held.blue)


def test_sign_in_is_throttled_by_account_and_place(house: House, held: Held) -> None:
    assert held.people["Ada"].active
    for _ in range(5):
        with pytest.raises(Forbidden):
            accounts.sign_in(house, "ada@example.org", "wrong", "here")
    with pytest.raises(PortalError, match="too many"):
        accounts.sign_in(house, "ada@example.org", "wrong", "elsewhere")


def test_administrator_is_created_once(house: House) -> None:
    word = word_of(accounts.hand_out(house, LinkPurpose.SETUP))
    with pytest.raises(PortalError):
        accounts.set_up(house, word, "root@example.org", "Root", "short")
    session = accounts.session(
        house, accounts.set_up(house, word, "root@example.org", "Root", PASSWORD)
    )
    assert session is not None
    assert Role.ADMIN in session.person.roles
    with pytest.raises(Forbidden):
        accounts.set_up(house, word, "eve@example.org", "Eve", PASSWORD)


def test_administration_is_for_administrators(house: House, held: Held) -> None:
    hugo = held.people["Hugo"]
    unit = administration.add_unit(house, hugo, "Fraud", None)
    link = administration.invite(
        house, hugo, email="ida@example.org", name="Ida", roles=[Role.LEADER], unit=unit.id
    )
    session = accounts.session(house, accounts.sign_in_by_link(house, word_of(link)))
    assert session is not None
    ida = session.person
    assert ida.unit_id == unit.id
    assert ida.roles == {Role.LEADER}
    with pytest.raises(Forbidden):
        accounts.sign_in_by_link(house, word_of(link))
    administration.set_active(house, hugo, ida.id, active=False)
    for refused in (
        lambda: administration.set_roles(house, hugo, hugo.id, [Role.MEMBER]),
        lambda: administration.set_active(house, hugo, hugo.id, active=False),
        lambda: administration.everybody(house, held.people["Gita"]),
        lambda: administration.lines(house, held.people["Edda"], newest=1),
        lambda: administration.sign_up_link(house, held.people["Finn"]),
        lambda: administration.move(house, held.people["Gita"], ida.id, None),
        lambda: administration.change_unit(house, held.people["Gita"], unit),
        lambda: administration.remove_unit(house, held.people["Edda"], unit),
        lambda: administration.change_unit(house, hugo, replace(unit, name=" ")),
    ):
        with pytest.raises(UserError):
            refused()
    assert administration.prove(house, hugo).broken == ""


# ------------------------------------------------------------------------------ submitting


def test_backup_is_taken_from_the_page(house: House, held: Held) -> None:
    hugo = held.people["Hugo"]
    assert administration.backups(house, hugo) == ()
    with pytest.raises(Forbidden):
        administration.back_up(house, held.people["Edda"])
    administration.back_up(house, hugo)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        errand = administration.backing_up(house, hugo)
        if errand is not None and not errand.running:
            break
        time.sleep(0.1)
    assert errand is not None
    assert errand.status == 0, errand.lines
    (taken,) = administration.backups(house, hugo)
    assert taken.size_mb > 0


def test_submission_and_its_place_in_the_queue_are_one(house: House, held: Held) -> None:
    ada = held.people["Ada"]
    first, new = submitting.submit(house, ada, held.blue, held.version, "a" * 40)
    assert new
    assert submitting.submit(house, ada, held.blue, held.version, "a" * 40) == (first, False)
    second, _ = submitting.submit(house, ada, held.blue, held.version, "b" * 40)
    other, _ = submitting.submit(house, held.people["Cleo"], held.red, held.version, "c" * 40)
    assert submitting.status(house, ada, second.id).before == 2
    assert submitting.status(house, held.people["Cleo"], other.id).before == 1
    said = submitting.status(house, ada, first.id).said
    assert "no worker runs" in said


def test_nobody_sees_or_submits_for_another_team(house: House, held: Held, submission: int) -> None:
    cleo, gita = held.people["Cleo"], held.people["Gita"]
    for act in (
        lambda: submitting.submit(house, cleo, held.blue, held.version, "d" * 40),
        lambda: submitting.status(house, cleo, submission),
        lambda: submitting.of_team(house, gita, held.blue),
        lambda: reading.read(house, cleo, submission),
        lambda: reading.told(house, gita, submission, "json"),
        lambda: reviewing.changes(house, cleo, submission),
        lambda: reviewing.queue(house, cleo),
        lambda: reviewing.ask_waiver(house, cleo, submission, "TEST005", "", "Because."),
        lambda: reviewing.grade_again(house, held.people["Ada"], submission, "Please."),
        lambda: adopting.adoption(house, cleo),
        lambda: register.registered(house, cleo),
        lambda: boards.board(house, cleo, "spring", SLUG, private=True),
        lambda: challenges.publish(house, cleo, held.challenge),
        lambda: joining.invite(house, cleo, held.blue),
        lambda: joining.rename(house, cleo, held.blue, "Ours"),
        lambda: joining.enter(house, held.people["Finn"], held.blue, gita.id),
        lambda: joining.take_out(house, held.people["Ada"], held.blue, held.people["Bob"].id),
        lambda: joining.found_for(house, gita, held.event, "Ours", gita.id),
        lambda: joining.without_team(house, held.people["Hugo"], held.event),
    ):
        with pytest.raises(Forbidden):
            act()


def test_archive_becomes_a_commit(house: House, held: Held, tmp_path: Path) -> None:
    def pack(text: str) -> Path:
        archive = tmp_path / "upload.zip"
        with zipfile.ZipFile(archive, "w") as packed:
            packed.writestr("README.md", text)
        return archive

    ada = held.people["Ada"]
    first, _ = submitting.submit_archive(house, ada, held.blue, held.version, pack("1"), "p.zip")
    again, new = submitting.submit_archive(house, ada, held.blue, held.version, pack("1"), "p.zip")
    assert (again, new) == (first, False)
    second, _ = submitting.submit_archive(house, ada, held.blue, held.version, pack("2"), "p.zip")
    place = house.repositories.place("blue", SLUG)
    assert repositories.file_lines(place, first.commit, "README.md") == ["1"]
    assert repositories.head(place) == second.commit
    assert "-1" in repositories.difference(place, first.commit, second.commit)


def test_report_is_told_in_every_form(house: House, held: Held, submission: int) -> None:
    told = {
        form: reading.told(house, held.people["Ada"], submission, form)
        for form in ("html", "json", "junit", "sarif", "md")
    }
    assert all("TEST005" in text for text in told.values())
    found = reading.read(house, held.people["Finn"], submission)
    assert reading.lines_of(house, found)("README.md", 1) == [(1, "A project.")]
    assert found.before is None


def test_steps_follow_what_was_done(house: House, held: Held, submission: int) -> None:
    done = [step.done for step in progress.steps(house, held.people["Ada"], held.blue)]
    assert done == [True, True, True, True, True, False]
    done = [step.done for step in progress.steps(house, held.people["Bob"], held.blue)]
    assert done == [True, True, False, True, True, False]  # he has no token yet
    reviewing.decide(house, held.people["Finn"], submission, Decision.APPROVED, "Good.")
    assert all(step.done for step in progress.steps(house, held.people["Bob"], held.blue))
    assert not any(step.done for step in progress.steps(house, held.people["Gita"], None))


# ------------------------------------------------------------------------------ reviewing


def test_approval_tags_the_commit_and_signs_a_record(
    house: House, held: Held, submission: int, tmp_path: Path
) -> None:
    finn = held.people["Finn"]
    (waiting,) = reviewing.queue(house, finn)
    assert waiting.open
    with pytest.raises(StoreError, match="reason"):
        reviewing.decide(house, finn, submission, Decision.APPROVED, " ")
    (begun,) = reviewing.changes(house, finn, submission)
    assert "+A project." in begun.text
    review = reviewing.decide(house, finn, submission, Decision.APPROVED, "As it should be.")
    assert not reviewing.queue(house, finn)[0].open

    place = house.repositories.place("blue", SLUG)
    commit = repositories.head(place)
    tag = repositories.git("rev-parse", f"drydock/approved-{submission}^{{}}", at=place)
    assert tag.strip() == commit

    file = house.settings.data / "records" / f"submission-{submission}-review-{review.id}.json"
    key = record.public_key(house.settings.data)
    statement = record.verify(file, key)
    assert statement["subject"][0]["digest"]["gitCommit"] == commit
    assert statement["predicate"]["approval"]["by"] == "finn@example.org"
    for what in ("challenge", "data", "rubric", "environment", "report"):
        assert re.fullmatch("[0-9a-f]{64}", statement["predicate"][what]["digest"]["sha256"])

    envelope = json.loads(file.read_text())
    forged = tmp_path / "forged.json"
    envelope["payload"] = envelope["payload"][:-8] + "AAAAAAA="
    forged.write_text(json.dumps(envelope))
    with pytest.raises(PortalError, match="not signed"):
        record.verify(forged, key)
    with pytest.raises(PortalError, match="no record"):
        record.verify(key, file)
    assert (house.settings.data / "keys" / "records.key").stat().st_mode & 0o077 == 0


def test_withdrawn_teams_leave_nothing_to_the_next(
    house: House, held: Held, project: tuple[Path, Git]
) -> None:
    edda, place = held.people["Edda"], house.repositories.ensure("blue", SLUG)
    kept = repositories.take_over(place, project[0])
    withdrawing.withdraw_team(house, edda, held.blue)
    again, _ = joining.found(house, held.people["Ada"], held.event, "Blue")
    assert again.slug == "blue"
    assert repositories.head(house.repositories.ensure("blue", SLUG)) is None
    (aside,) = house.repositories.root.glob(f".withdrawn/blue-*/blue/{SLUG}.git")
    assert repositories.head(aside) == kept
    withdrawing.withdraw_event(house, edda, held.event)
    assert not house.repositories.place("blue", SLUG).exists()


@pytest.mark.parametrize("name", ["Ada", "Finn", "Gita", "Hugo"])
def test_champions_alone_withdraw(house: House, held: Held, name: str) -> None:
    person = held.people[name]
    refusals: tuple[Callable[[], None], ...] = (
        lambda: withdrawing.withdraw_event(house, person, held.event),
        lambda: withdrawing.withdraw_team(house, person, held.red),
        lambda: withdrawing.withdraw_version(house, person, held.version),
        lambda: withdrawing.let_go(house, person, held.event, held.version),
    )
    for refused in refusals:
        with pytest.raises(Forbidden):
            refused()


@pytest.mark.parametrize("name", ["Ada", "Edda", "Finn"])
def test_managers_alone_change_the_register(house: House, held: Held, name: str) -> None:
    model = registered(house, held)
    with pytest.raises(Forbidden):
        register.change(house, held.people[name], model, live=True)
    with pytest.raises(Forbidden):
        register.remove(house, held.people[name], model)


def test_model_is_changed_within_bounds(house: House, held: Held) -> None:
    gita, model = held.people["Gita"], registered(house, held)
    for wrong in (
        replace(model, language="R" * 41),
        replace(model, owner=" "),
        replace(model, unit_id=999),
    ):
        with pytest.raises(PortalError, match=model.name):
            register.change(house, gita, wrong, live=False)
    register.remove(house, gita, model)
    with pytest.raises(StoreError, match="registered"):
        register.remove(house, gita, model)


def test_queue_of_many_teams_takes_no_more_queries(house: House, held: Held) -> None:
    asked: list[str] = []
    event.listen(
        house.database.engine, "before_cursor_execute", lambda *told: asked.append(told[2])
    )
    taken = []
    for team, name in ((held.blue, "Ada"), (held.red, "Cleo")):
        for number in range(3):
            commit = f"{team.id}{number}".zfill(40)
            person = held.people[name]
            sent, _ = submitting.submit(house, person, team, held.version, commit)
            with house.database.write() as tx:
                submissions.start(tx, sent.id, at=house.now())
                submissions.record(tx, sent.id, recorded(held, 900 + number), at=house.now())
        asked.clear()
        waiting = reviewing.queue(house, held.people["Finn"])
        taken.append(len(asked))
    assert [item.report.total for item in waiting] == [902, 902]
    assert taken[0] == taken[1]
    assert not any("content" in statement for statement in asked)


def test_estimate_shrinks_as_grading_goes_on(house: House, held: Held) -> None:
    ada = held.people["Ada"]
    sent, _ = submitting.submit(house, ada, held.blue, held.version, "a" * 40)
    left = [submitting.status(house, ada, sent.id).seconds]
    with house.database.write() as tx:
        submissions.start(tx, sent.id, at=house.now())
    for step in ("wheel", "score hidden/traps", "mutants"):
        with house.database.write() as tx:
            submissions.tell_step(tx, sent.id, step, at=house.now())
        left.append(submitting.status(house, ada, sent.id).seconds)
    assert left == sorted(left, reverse=True)
    assert left[-1] < left[0] / 3
    assert submitting.status(house, ada, sent.id).about == "about 10 s"


def test_links_are_in_the_audit(house: House, held: Held) -> None:
    hugo, ada = held.people["Hugo"], held.people["Ada"]
    administration.sign_in_link(house, hugo, ada.id)
    line = administration.lines(house, hugo, newest=1)[0].entry
    assert (line.action, line.subject, line.actor_id) == ("link.made", f"person:{ada.id}", hugo.id)


def test_nobody_is_left_without_a_role(house: House, held: Held) -> None:
    hugo = held.people["Hugo"]
    with pytest.raises(PortalError, match="no page"):
        administration.set_roles(house, hugo, held.people["Ada"].id, [])
    with pytest.raises(PortalError, match="no page"):
        administration.invite(house, hugo, email="i@x.org", name="Ida", roles=[], unit=None)


def test_gate_is_not_waived(house: House, held: Held, submission: int) -> None:
    gate = held.challenge.standards[0].gate[0]
    with pytest.raises(PortalError, match="gate"):
        reviewing.ask_waiver(house, held.people["Ada"], submission, gate, "", "Because.")


def test_waiver_is_granted_and_graded_again_or_neither(
    house: House, held: Held, submission: int
) -> None:
    ada, finn = held.people["Ada"], held.people["Finn"]
    asked = reviewing.ask_waiver(house, ada, submission, "STYL004", "", "Auditors read it.")
    reviewing.grade_again(house, finn, submission, "Once more.")
    granted = WaiverDecision.GRANTED
    with pytest.raises(StoreError, match="already"):
        reviewing.answer_waiver(house, finn, asked, granted, "Good.", again=submission)
    assert reading.read(house, finn, submission).waivers[-1].decision is WaiverDecision.ASKED


def test_link_gives_a_password_for_the_next_time(house: House, held: Held) -> None:
    hugo, ada = held.people["Hugo"], held.people["Ada"]
    word = word_of(administration.sign_in_link(house, hugo, ada.id))
    with pytest.raises(PortalError, match="12 to 200"):
        accounts.sign_in_by_link(house, word, "short")
    assert not accounts.has_password(house, ada)
    accounts.sign_in_by_link(house, word, PASSWORD)
    assert accounts.sign_in(house, ada.email, PASSWORD, "here")
    shown = accounts.hand_out(house, LinkPurpose.DEMO, ada.id)
    accounts.sign_in_by_link(house, word_of(shown), "a demonstration's guest")
    assert accounts.sign_in(house, ada.email, PASSWORD, "here")


def test_password_is_changed_by_who_knows_it(house: House, held: Held) -> None:
    ada, new = held.people["Ada"], "other words in a row"
    here, there = (
        accounts.sign_in_by_link(house, word_of(accounts.hand_out(house, LinkPurpose.DEMO, ada.id)))
        for _ in range(2)
    )
    accounts.change_password(house, ada, "", PASSWORD, kept=here)
    assert accounts.session(house, here)
    assert accounts.session(house, there) is None
    with pytest.raises(Forbidden, match="not the password"):
        accounts.change_password(house, ada, "a wrong one, clearly", new, kept=here)
    accounts.change_password(house, ada, PASSWORD, new, kept=here)
    assert accounts.sign_in(house, ada.email, new, "here")

    def refused() -> str:
        with pytest.raises(PortalError) as caught:
            accounts.change_password(house, ada, "a wrong one, clearly", new, kept=here)
        return caught.value.slug

    assert {refused() for _ in range(10)} == {"sign-in-refused", "too-many-attempts"}


def test_record_is_handed_to_who_may_read(house: House, held: Held, submission: int) -> None:
    ada, finn = held.people["Ada"], held.people["Finn"]
    with pytest.raises(PortalError, match="not approved"):
        reviewing.conversion_record(house, ada, submission)
    reviewing.decide(house, finn, submission, Decision.APPROVED, "As it should be.")
    file = reviewing.conversion_record(house, ada, submission)
    signed = record.verify(file, record.public_key(house.settings.data))
    with pytest.raises(Forbidden):
        reviewing.conversion_record(house, held.people["Cleo"], submission)

    file.unlink()  # as where the portal was killed between the word and the record
    made_up = reviewing.conversion_record(house, finn, submission)
    assert record.verify(made_up, record.public_key(house.settings.data)) == signed
    reviewing.decide(house, finn, submission, Decision.DISAPPROVED, "It was a slip.")
    with pytest.raises(PortalError, match="not approved"):
        reviewing.conversion_record(house, ada, submission)


def test_nobody_reviews_their_own_team(house: House, held: Held, submission: int) -> None:
    hugo = held.people["Hugo"]
    ada = administration.set_roles(house, hugo, held.people["Ada"].id, [Role.MEMBER, Role.LEADER])
    with pytest.raises(Forbidden):
        reviewing.decide(house, ada, submission, Decision.APPROVED, "Mine.")
    asked = reviewing.ask_waiver(house, ada, submission, "TEST005", "", "Flaky machine.")
    with pytest.raises(Forbidden):
        reviewing.answer_waiver(house, ada, asked, WaiverDecision.GRANTED, "Mine.")


def test_waiver_is_asked_granted_and_graded_again(
    house: House, held: Held, submission: int
) -> None:
    ada, finn = held.people["Ada"], held.people["Finn"]
    with pytest.raises(PortalError, match=r"has no tests/absent\.py"):
        reviewing.ask_waiver(house, ada, submission, "TEST005", "tests/absent.py", "Slow.")
    reviewing.ask_waiver(house, ada, submission, "TEST005", "./README.md", "The machine is slow.")
    (waiting,) = reviewing.queue(house, finn)
    (asked,) = waiting.asked
    reviewing.answer_waiver(house, finn, asked, WaiverDecision.GRANTED, "It is.")
    reviewing.grade_again(house, finn, submission, "TEST005 was waived")
    status = submitting.status(house, ada, submission)
    assert (status.job.state, status.job.round) == (JobState.QUEUED, 2)
    assert reviewing.queue(house, finn)[0].asked == ()
    assert [ruling.decision.value for ruling in reading.read(house, ada, submission).waivers] == [
        "asked",
        "granted",
    ]
    (granted,) = reviewing.queue(house, finn)[0].granted
    with pytest.raises(StoreError, match="reason"):
        reviewing.answer_waiver(house, finn, granted, WaiverDecision.REVOKED, "")
    reviewing.answer_waiver(house, finn, granted, WaiverDecision.REVOKED, "A faster one is here.")
    assert reviewing.queue(house, finn)[0].granted == ()


# ------------------------------------------------------------------------------ boards, adoption


def test_board_marks_ones_own_team_and_hides_what_is_private(
    house: House, held: Held, submission: int
) -> None:
    assert submission
    board = boards.board(house, held.people["Bob"], "spring", SLUG)
    (row,) = board.rows
    assert (row.own, row.moved) == (True, None)
    assert row.units == {"Claims"}
    assert row.standing.points == 900 - 360
    assert row.loss == -0.01
    assert [points for _, points in board.history["Blue"]] == [540]
    private = boards.board(house, held.people["Edda"], "spring", SLUG, private=True)
    assert private.rows[0].standing.points == 900


def test_unmeasured_case_leaves_no_loss(held: Held) -> None:
    failed = CaseResult(
        case="hidden/portfolio",
        group="quality",
        verdict=Verdict.FAIL,
        share=0.0,
        message="It crashed.",
    )
    told = report(held)
    assert ladder_loss(told, held.challenge) == (-0.01, 0.004)
    assert ladder_loss(replace(told, cases=(failed,), losses=()), held.challenge) is None
    two = replace(told, cases=(failed, failed))
    assert ladder_loss(two, held.challenge) is None


def test_frozen_board_stands_still(house: House, held: Held, submission: int) -> None:
    now = house.now()
    edda = held.people["Edda"]
    desk.hold(
        house,
        edda,
        slug="frozen",
        title="Frozen",
        starts_at=now - timedelta(hours=2),
        ends_at=now + timedelta(hours=2),
        freezes_at=now - timedelta(hours=1),
        counting=held.event.counting,
        daily_cap=5,
        challenges=[held.version.id],
    )
    assert submission
    event = boards.find_event(house, "frozen")
    team, _ = joining.found(house, held.people["Gita"], event, "Green")
    with house.database.write() as tx:
        sent, _ = submissions.submit(
            tx,
            team=team.id,
            challenge=held.version.id,
            commit="f" * 40,
            by=held.people["Gita"].id,
            at=now,
        )
        submissions.record(tx, sent.id, recorded(held), at=now)
    board = boards.board(house, held.people["Gita"], "frozen", SLUG)
    assert (board.frozen, board.rows, dict(board.history)) == (True, (), {})


def test_finals_are_chosen_until_the_end(house: House, held: Held, submission: int) -> None:
    ada, cleo = held.people["Ada"], held.people["Cleo"]
    assert boards.finals(house, ada, held.blue, SLUG).chosen == frozenset()
    boards.choose_finals(house, ada, held.blue, SLUG, [submission])
    assert boards.finals(house, ada, held.blue, SLUG).chosen == {submission}
    with pytest.raises(Forbidden):
        boards.choose_finals(house, cleo, held.blue, SLUG, [])
    with pytest.raises(Forbidden):
        boards.finals(house, cleo, held.blue, SLUG)
    later = replace(house, now=lambda: held.event.ends_at + timedelta(hours=1))
    with pytest.raises(Forbidden) as caught:
        boards.choose_finals(later, ada, held.blue, SLUG, [])
    assert caught.value.slug == "event-over"


def test_season_adds_up_what_has_ended(house: House, held: Held, submission: int) -> None:
    assert boards.season(house) == {}
    later = replace(house, now=lambda: held.event.ends_at + timedelta(hours=1))
    with house.database.read() as tx:
        told = submissions.report_of(tx, submission)
    assert told is not None
    assert boards.season(later) == {"Blue": told.total}
    assert boards.season(later, by_unit=True) == {"Claims": told.total}


def test_event_most_likely_meant_is_ones_own(house: House, held: Held) -> None:
    now = house.now()
    with house.database.write() as tx:
        events.hold(
            tx,
            slug="newer",
            title="Newer",
            starts_at=now - timedelta(minutes=1),
            ends_at=now + timedelta(days=1),
            at=now,
        )
    meant = [challenges.current_event(house, held.people[name]) for name in ("Ada", "Gita")]
    assert [event.slug for event in meant if event] == ["spring", "newer"]


def test_register_is_taken_in_whole_or_not(house: House, held: Held) -> None:
    gita = held.people["Gita"]
    bad = b"name,unit,owner,language,live\nA,Claims,X,SAS,no\nA,Nowhere,,R,perhaps\n"
    looked_over = register.preview(house, gita, "models.csv", bad)
    assert looked_over.rows[0].problems == ()
    assert looked_over.rows[1].number == 3
    assert looked_over.rows[1].problems == (
        "owner is empty",
        "there is no unit 'Nowhere'",
        "'A' stands in a row above too",
        "live is neither yes nor no",
    )
    with pytest.raises(PortalError):
        register.take_in(house, gita, looked_over)
    for name, content in (("x.xlsx", b"no"), ("x.csv", b"a;b\n1;2\n"), ("x.csv", b"\xff\xfe\x00")):
        with pytest.raises(PortalError):
            register.preview(house, gita, name, content)
    sheet = io.BytesIO()
    table = {"Name": ["A"], "Unit": ["Claims"], "Owner": ["X"], "Language": ["SAS"]}
    pd.DataFrame({**table, "Challenge": [SLUG], "Live": ["yes"]}).to_excel(sheet, index=False)
    good = register.preview(house, gita, "models.xlsx", sheet.getvalue())
    assert register.take_in(house, gita, good) == (1, 0)
    (model,) = register.registered(house, gita)
    assert (model.challenge_slug, model.live_since is not None) == (SLUG, True)


def test_register_reads_what_spreadsheets_write(house: House, held: Held) -> None:
    gita = held.people["Gita"]
    text = "\ufeffname,unit,owner,language,challenge,live\nNA,Claims,None,SAS,,yes\n,,,,,\n"
    first = register.preview(house, gita, "models.csv", text.encode())
    assert [row.problems for row in first.rows] == [()]
    register.take_in(house, gita, first)
    (live,) = register.registered(house, gita)
    assert (live.name, live.owner) == ("NA", "None")
    again = register.preview(house, gita, "m.csv", b"name,unit,owner,language\nNA,Claims,X,SAS\n")
    register.take_in(house, gita, again)
    (kept,) = register.registered(house, gita)
    assert (kept.owner, kept.live_since) == ("X", live.live_since)
    unknown = b"name,unit,owner,language,challenge\nB,Claims,X,SAS,no-such\n"
    (row,) = register.preview(house, gita, "models.csv", unknown).rows
    assert "no challenge 'no-such' is published" in row.problems[0]


def test_adoption_opens_down_to_its_rows(house: House, held: Held, submission: int) -> None:
    assert submission
    with house.database.write() as tx:
        unit = held.people["Ada"].unit_id or 0
        new = models.NewModel(
            name="Tariff", unit_id=unit, owner="Ada", language="R", challenge_slug=SLUG
        )
        models.register(tx, [new], at=house.now(), by=None)
    found = adopting.adoption(house, held.people["Gita"])
    assert found.people_funnels[0].counts()["first accepted"] == 2
    assert found.model_funnels[0].counts()["accepted"] == 1
    (company, claims) = found.heat
    assert [found.reports[report].team for report in company.failed] == ["Blue"]
    assert (company.code, company.share, claims.share) == ("TEST005", 1.0, 1.0)
    assert found.unit_name(None) == "The company"
    whole = found.people_over_time(found.people_funnels[0])
    assert len(found.moments) == len(whole["invited"])
    assert whole["invited"][-1] == len(found.people_funnels[0].stages[PersonStage.INVITED])


def test_rejected_submission_cannot_be_approved(house: House, held: Held, submission: int) -> None:
    assert submission
    sent, _ = submitting.submit(house, held.people["Cleo"], held.red, held.version, "e" * 40)
    with house.database.write() as tx:
        report = recorded(held, 300, Outcome.REJECTED)
        submissions.record(tx, sent.id, report, at=house.now())
    with pytest.raises(StoreError, match="only an accepted"):
        reviewing.decide(house, held.people["Finn"], sent.id, Decision.APPROVED, "Please.")


# ------------------------------------------------------------------------------ the desk


def mended(
    house: House, held: Held, folder: Path, *, keep: Collection[str] = ()
) -> ChallengeVersion:
    """Publish another version of the challenge, which differs in a word of its brief.

    :param keep: references that stay; none for all
    """
    root = folder / SLUG
    shutil.copytree(held.challenge.root, root)
    for reference in references.list_references(held.challenge):
        if keep and reference.name not in keep:
            shutil.rmtree(root / "references" / reference.name)
    brief = root / "brief.md"
    brief.write_text(brief.read_text(encoding="utf-8") + "\nMended.\n", encoding="utf-8")
    manifest = root / "challenge.toml"
    text = manifest.read_text(encoding="utf-8")
    old = f'version = "{held.challenge.version}"'
    manifest.write_text(text.replace(old, 'version = "9.9.9"', 1), encoding="utf-8")
    return challenges.publish(house, held.people["Edda"], package.load_challenge(root))


def test_event_is_changed_within_its_rules(house: House, held: Held) -> None:
    rules = replace(
        held.event,
        title="Spring, longer",
        ends_at=held.event.ends_at + timedelta(days=1),
        freezes_at=held.event.ends_at,
        counting=Counting.BEST,
        daily_cap=5,
    )
    assert desk.change(house, held.people["Edda"], rules) == rules
    late = replace(rules, ends_at=held.event.starts_at - timedelta(hours=1))
    with pytest.raises(StoreError) as caught:
        desk.change(house, held.people["Edda"], late)
    assert caught.value.slug == "event-dates"
    with pytest.raises(Forbidden):
        desk.change(house, held.people["Ada"], rules)


def test_mended_challenge_grades_all_again(
    house: House, held: Held, submission: int, tmp_path: Path
) -> None:
    version = mended(house, held, tmp_path)
    ((team, sent, _),) = proving.best(house, held.event, SLUG)
    assert (team.slug, sent.id) == ("blue", submission)
    with pytest.raises(Forbidden):
        proving.grade_all_again(house, held.people["Ada"], held.event, version, "no")
    number = proving.grade_all_again(house, held.people["Edda"], held.event, version, "a word")
    assert number == 1
    with house.database.read() as tx:
        assert submissions.job(tx, submission).state is JobState.QUEUED
        assert events.in_force(tx, held.event.id, held.version.id).id == version.id
        assert submissions.report_of(tx, submission) is not None
    # Once more at once: what waits already is left alone.
    assert proving.grade_all_again(house, held.people["Edda"], held.event, version, "x") == 0


def test_rehearsal_is_for_champions_and_counts_nowhere(
    house: House, held: Held, tmp_path: Path
) -> None:
    few = {"accepted/statsmodels", "standards/no-repository", "wrong_value/rounded-parts"}
    version = mended(house, held, tmp_path, keep=few)
    with pytest.raises(Forbidden):
        rehearsing.rehearse(house, held.people["Ada"], version)
    before = adopting.adoption(house, held.people["Gita"])
    event = rehearsing.rehearse(house, held.people["Edda"], version)
    teams = {team.name: team for team in challenges.teams(house, event)}
    assert set(teams) == few | {"accepted/statsmodels again"}
    edda = held.people["Edda"]
    once, twice = (
        submitting.of_team(house, edda, teams[name])[0].submission
        for name in ("accepted/statsmodels", "accepted/statsmodels again")
    )
    assert once.commit == twice.commit
    with house.database.write() as tx:
        assert len(submissions.waiting(tx)) == len(teams)
        for sent, total in ((once, 903), (twice, 900)):
            submissions.start(tx, sent.id, at=house.now())
            submissions.record(tx, sent.id, recorded(held, total), at=house.now())
    assert event in challenges.all_events(house, held.people["Edda"])
    assert event not in challenges.all_events(house, held.people["Ada"])
    with pytest.raises(Forbidden):
        boards.board(house, held.people["Ada"], event.slug, SLUG)
    board = boards.board(house, edda, event.slug, SLUG)
    assert [row.standing.rank for row in board.rows] == [1, 1]
    assert board.noise == 3
    assert boards.board(house, edda, held.event.slug, SLUG).noise == 0
    after = adopting.adoption(house, held.people["Gita"])
    assert after.people_progress == before.people_progress
    assert challenges.current_event(house, held.people["Edda"]) == held.event


def test_challenges_are_weighed(house: House, held: Held, submission: int) -> None:
    assert submission
    edda = held.people["Edda"]
    assert desk.weights(house, held.event) == {SLUG: 1}
    (row,) = boards.overall(house, held.people["Ada"], "spring")
    assert (row.place.points, row.own) == (540, True)
    desk.weigh(house, edda, held.event, {SLUG: 3})
    (row,) = boards.overall(house, held.people["Cleo"], "spring")
    assert (row.place.points, row.own) == (3 * 540, False)
    with pytest.raises(StoreError, match="once at least"):
        desk.weigh(house, edda, held.event, {SLUG: 0})
    with pytest.raises(Forbidden):
        desk.weigh(house, held.people["Ada"], held.event, {SLUG: 2})
