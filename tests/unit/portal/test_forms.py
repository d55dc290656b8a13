"""What people fill in and press, page by page, without a browser."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from leaderboard.model import Decision, Event, JobState, Person, Role
from leaderboard.store import events, models, people, reviews, submissions
from leaderboard.store.submissions import NewReport
from portal.access import Page
from portal.grading import new_report
from portal.house import House, occupy, open_house
from portal.pages.common import as_csv
from portal.services import boards, duties, joining, submitting
from portal.settings import Settings
from tests.support.pages import drawn, named
from tests.support.portal import SLUG, Held, hold
from tests.support.reports import recorded, report


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = open_house(Settings(data=tmp_path_factory.mktemp("data")))
    occupy(opened)
    yield opened
    opened.close()


@pytest.fixture
def held(house: House) -> Held:
    return hold(house)


def said(app: AppTest) -> str:
    """Return what a page says was done, or why it was not."""
    assert not app.exception
    return "\n".join(shown.value for shown in [*app.success, *app.error])


def pressed(app: AppTest, key: str) -> AppTest:
    return app.button(key=key).click().run()


def all_events(house: House) -> dict[str, Event]:
    with house.database.read() as tx:
        return {event.slug: event for event in events.events(tx)}


def everybody(house: House) -> dict[str, Person]:
    with house.database.read() as tx:
        return {person.name: person for person in people.people(tx)}


def graded(house: House, held: Held, total: int = 900, new: NewReport | None = None) -> int:
    """Have a submission of Blue's graded, and return its number."""
    sent, _ = submitting.submit(house, held.people["Ada"], held.blue, held.version, f"{total:040d}")
    with house.database.write() as tx:
        submissions.start(tx, sent.id, at=house.now())
        submissions.record(tx, sent.id, new or recorded(held, total), at=house.now())
    return sent.id


# ------------------------------------------------------------------------------ home


def home(monkeypatch: pytest.MonkeyPatch, held: Held, name: str) -> str:
    app = drawn(monkeypatch, held, name, Page.HOME)
    assert not app.exception
    return "\n".join(shown.value for shown in app.markdown).replace("\\", "")


def test_home_tells_roles_what_waits(
    monkeypatch: pytest.MonkeyPatch, house: House, held: Held
) -> None:
    assert "wait" not in home(monkeypatch, held, "Finn")
    graded(house, held)
    assert "1 submission waits for your word" in home(monkeypatch, held, "Finn")
    assert "No worker runs, and 0 wait" in home(monkeypatch, held, "Hugo")
    assert "No legacy model is registered" in home(monkeypatch, held, "Gita")
    assert "for your word" not in home(monkeypatch, held, "Ada")


def test_first_administrator_is_told_where_to_begin(house: House) -> None:
    with house.database.write() as tx:
        people.add_person(tx, "h@x.org", "Hugo", at=house.now(), roles=[Role.ADMIN, Role.CHAMPION])
    (hugo,) = everybody(house).values()
    titles = [duty.title for duty in duties.duties(house, hugo)]
    assert titles[1:] == [
        "Draw the company's units",
        "Nobody is leader or manager yet",
        "No challenge is published",
    ]


def test_export_holds_no_formula() -> None:
    frame = pd.DataFrame({"Model": ['=HYPERLINK("x")', "Tariff"], "Points": [1, -2]})
    assert as_csv(frame) == 'Model,Points\n"\'=HYPERLINK(""x"")",1\nTariff,-2\n'


def test_home_shows_no_rehearsal(monkeypatch: pytest.MonkeyPatch, house: House, held: Held) -> None:
    with house.database.write() as tx:
        events.hold(
            tx,
            slug="try",
            title="Rehearsal",
            starts_at=held.event.starts_at,
            ends_at=held.event.ends_at,
            rehearsal=True,
            at=house.now(),
        )
    app = drawn(monkeypatch, held, "Edda", Page.HOME)
    assert not app.exception
    assert [box.label for box in app.selectbox] == []
    assert "Spring" in [shown.value for shown in app.header]


# ------------------------------------------------------------------------------ the desk


def test_event_is_withdrawn(monkeypatch: pytest.MonkeyPatch, house: House, held: Held) -> None:
    app = drawn(monkeypatch, held, "Edda", Page.DESK)
    pressed(app, f"withdraw-event-{held.event.id}")
    assert "Spring is withdrawn" in said(app)
    assert all_events(house) == {}


def test_event_with_submissions_stays(
    monkeypatch: pytest.MonkeyPatch, house: House, held: Held
) -> None:
    graded(house, held)
    app = drawn(monkeypatch, held, "Edda", Page.DESK)
    pressed(app, f"withdraw-event-{held.event.id}")
    assert "1 submission tells of it" in said(app)
    pressed(app, f"withdraw-team-{held.blue.id}")
    assert "Take its members out" in said(app)
    assert list(all_events(house)) == ["spring"]


def test_version_is_let_go_and_withdrawn(
    monkeypatch: pytest.MonkeyPatch, house: House, held: Held
) -> None:
    app = drawn(monkeypatch, held, "Edda", Page.DESK)
    pressed(app, f"withdraw-version-{held.version.id}")
    assert "1 event is held over it" in said(app)
    pressed(app, f"let-go-{held.event.id}-{held.version.id}")
    assert "goes on without" in said(app)
    pressed(app, f"withdraw-version-{held.version.id}")
    assert "is not published any more" in said(app)
    with house.database.read() as tx:
        assert events.published(tx) == ()


def test_cap_is_what_the_challenge_asks_for(monkeypatch: pytest.MonkeyPatch, held: Held) -> None:
    asked = held.challenge.leaderboard.daily_cap
    assert asked == 30
    monkeypatch.setattr(events, "DAILY_CAP", 7)
    app = drawn(monkeypatch, held, "Edda", Page.DESK)
    label = "Submissions a day, of each team to each challenge"
    assert [box.value for box in app.number_input if box.label == label][-1] == asked


def test_event_is_held(monkeypatch: pytest.MonkeyPatch, house: House, held: Held) -> None:
    app = drawn(monkeypatch, held, "Edda", Page.DESK)
    app.text_input[1].set_value("Autumn")
    named(app.text_input, "Address").set_value("autumn")
    named(app.pills, "Challenges").set_value([held.version.id])
    pressed(app, "FormSubmitter:hold-Hold it")
    assert "Autumn is announced" in said(app)
    event = all_events(house)["autumn"]
    with house.database.read() as tx:
        assert [version.slug for version in events.challenges(tx, event.id)] == [SLUG]


def test_event_needs_an_address(monkeypatch: pytest.MonkeyPatch, house: House, held: Held) -> None:
    app = drawn(monkeypatch, held, "Edda", Page.DESK)
    app.text_input[1].set_value("Autumn")
    pressed(app, "FormSubmitter:hold-Hold it")
    assert "Choose a challenge first" in said(app)
    named(app.pills, "Challenges").set_value([held.version.id])
    pressed(app, "FormSubmitter:hold-Hold it")
    assert "can't be the address" in said(app).replace("\\", "")
    assert list(all_events(house)) == ["spring"]
    assert app.text_input[1].value == "Autumn"


def test_rules_are_changed(monkeypatch: pytest.MonkeyPatch, house: House, held: Held) -> None:
    app = drawn(monkeypatch, held, "Edda", Page.DESK)
    app.text_input[0].set_value("Spring, longer")
    app.number_input[0].set_value(7)
    pressed(app, f"FormSubmitter:change-{held.event.id}-Change it")
    assert "Spring, longer is changed" in said(app)
    event = all_events(house)["spring"]
    assert (event.title, event.daily_cap) == ("Spring, longer", 7)


def test_teams_are_made_up(monkeypatch: pytest.MonkeyPatch, house: House, held: Held) -> None:
    gita = held.people["Gita"]
    app = drawn(monkeypatch, held, "Edda", Page.DESK)
    named(app.text_input, "Name of the team").set_value("Green")
    named(app.selectbox, "First member").set_value(gita.id)
    pressed(app, "FormSubmitter:found-for-Found it")
    assert "Green is founded" in said(app)
    named(app.selectbox, "Team").set_value(held.blue.id).run()
    named(app.text_input, "New name").set_value("Azure")
    pressed(app, f"FormSubmitter:rename-{held.blue.id}-Rename it")
    assert "called Azure" in said(app)
    named(app.selectbox, "Somebody without a team").set_value(held.people["Hugo"].id)
    pressed(app, f"FormSubmitter:enter-{held.blue.id}-Put them in")
    assert "Hugo is in Azure now" in said(app)
    named(app.selectbox, "A member").set_value(held.people["Bob"].id)
    pressed(app, f"FormSubmitter:take-out-{held.blue.id}-Take them out")
    assert "Bob is in Azure no more" in said(app)
    with house.database.read() as tx:
        members = {team.name: team.members for team in events.teams(tx, held.event.id)}
    assert members["Azure"] == (held.people["Ada"].id, held.people["Hugo"].id)
    assert members["Green"] == (gita.id,)


# ------------------------------------------------------------------------------ administration


def test_somebody_is_added(monkeypatch: pytest.MonkeyPatch, house: House, held: Held) -> None:
    app = drawn(monkeypatch, held, "Hugo", Page.ADMINISTRATION)
    named(app.text_input, "Name").set_value("Ida")
    named(app.text_input, "E-mail address").set_value("ida@example.org")
    app.pills[0].set_value(["leader", "member"])
    pressed(app, f"FormSubmitter:invite-{len(held.people)}-Add")
    assert "/enter/" in app.code[0].value
    assert everybody(house)["Ida"].roles == {Role.LEADER, Role.MEMBER}


def test_address_is_taken(monkeypatch: pytest.MonkeyPatch, held: Held) -> None:
    app = drawn(monkeypatch, held, "Hugo", Page.ADMINISTRATION)
    named(app.text_input, "Name").set_value("Ada again")
    named(app.text_input, "E-mail address").set_value("ada@example.org")
    pressed(app, f"FormSubmitter:invite-{len(held.people)}-Add")
    assert "is here already" in said(app).replace("\\", "")


def test_somebody_is_found_and_moved(
    monkeypatch: pytest.MonkeyPatch, house: House, held: Held
) -> None:
    with house.database.write() as tx:
        fraud = people.add_unit(tx, "Fraud", at=house.now())
    app = drawn(monkeypatch, held, "Hugo", Page.ADMINISTRATION)
    named(app.text_input, "Find").set_value("cleo").run()
    number = held.people["Cleo"].id
    person = named(app.selectbox, "Person")
    assert (person.options, person.value) == (["Cleo (cleo@example.org)"], number)
    named(app.selectbox, "Works in").set_value(fraud.id)
    pressed(app, "FormSubmitter:unit-of-person-Set the unit")
    assert "Cleo's unit: Fraud" in said(app)
    assert everybody(house)["Cleo"].unit_id == fraud.id
    named(app.text_input, "Find").set_value("nobody of this name").run()
    assert any("Nobody is found" in shown.value for shown in app.info)


def test_chart_is_mended(monkeypatch: pytest.MonkeyPatch, held: Held) -> None:
    (claims,) = {person.unit_id for person in held.people.values()}
    app = drawn(monkeypatch, held, "Hugo", Page.ADMINISTRATION)
    named(app.text_input, "Name of the unit").set_value("Motor")
    app.selectbox(key="new-unit-part-of").set_value(claims)
    pressed(app, "FormSubmitter:unit-Add")
    assert "Motor is there" in said(app)
    app.selectbox(key=f"unit-part-of-{claims}").set_value(claims)
    pressed(app, f"FormSubmitter:change-unit-{claims}-Change it")
    assert "a part of itself" in said(app)
    named(app.button, "Remove the unit").click().run()
    assert "7 people work in it" in said(app)


def test_account_is_closed_and_opened(
    monkeypatch: pytest.MonkeyPatch, house: House, held: Held
) -> None:
    app = drawn(monkeypatch, held, "Hugo", Page.ADMINISTRATION)
    named(app.selectbox, "Person").set_value(held.people["Bob"].id).run()
    pressed(app, f"close-{held.people['Bob'].id}")
    assert not everybody(house)["Bob"].active
    named(app.button, "Open the account again").click().run()
    assert everybody(house)["Bob"].active


# ------------------------------------------------------------------------------ a team's page


def test_team_is_founded_renamed_and_left(monkeypatch: pytest.MonkeyPatch, held: Held) -> None:
    app = drawn(monkeypatch, held, "Gita", Page.TEAM)
    pressed(app, "FormSubmitter:found-Found it")
    assert "needs a name" in said(app)
    named(app.text_input, "Name of the team").set_value("Green")
    pressed(app, "FormSubmitter:found-Found it")
    assert "Green is founded" in said(app)
    assert any("/join/" in shown.value for shown in app.code)
    named(app.text_input, "New name").set_value("Olive")
    pressed(app, "FormSubmitter:rename-Rename it")
    assert [shown.value for shown in app.header] == ["Olive"]
    pressed(app, "leave")
    assert "You have left" in said(app)


def test_nothing_is_uploaded_unchosen(monkeypatch: pytest.MonkeyPatch, held: Held) -> None:
    app = drawn(monkeypatch, held, "Ada", Page.TEAM)
    pressed(app, f"FormSubmitter:upload-{held.version.id}-Submit it")
    assert "Choose an archive first" in said(app)


def test_finals_are_chosen(monkeypatch: pytest.MonkeyPatch, house: House, held: Held) -> None:
    first, second = graded(house, held), graded(house, held, 950)
    assert first != second
    app = drawn(monkeypatch, held, "Ada", Page.TEAM)
    app.pills[0].set_value([first])
    pressed(app, f"FormSubmitter:finals-{held.version.id}-Choose")
    assert "The choice is kept" in said(app)
    assert boards.finals(house, held.people["Ada"], held.blue, SLUG).chosen == {first}


def test_token_is_made_and_revoked(monkeypatch: pytest.MonkeyPatch, held: Held) -> None:
    app = drawn(monkeypatch, held, "Ada", Page.TEAM)
    named(app.text_input, "Where is it used?").set_value("laptop")
    pressed(app, "FormSubmitter:new-token-Make a token")
    assert any(shown.value.startswith("drydock_") for shown in app.code)
    named(app.button, "Revoke").click().run()
    assert "The token is void" in said(app)


# ------------------------------------------------------------------------------ leaders, managers


def test_decision_is_asked_for(monkeypatch: pytest.MonkeyPatch, house: House, held: Held) -> None:
    number = graded(house, held)
    app = drawn(monkeypatch, held, "Finn", Page.REVIEW)
    pressed(app, f"FormSubmitter:decide-{number}-0-Say it")
    assert "Choose a decision first" in said(app)
    named(app.radio, "Decision").set_value("Hold")
    named(app.text_area, "Reason").set_value("The README names no owner.")
    pressed(app, f"FormSubmitter:decide-{number}-0-Say it")
    assert "is held" in said(app)
    with house.database.read() as tx:
        report = submissions.report_of(tx, number)
        assert report is not None
        assert [review.decision for review in reviews.reviews(tx, report.id)] == [Decision.HELD]


def test_waiver_is_asked_and_granted(
    monkeypatch: pytest.MonkeyPatch, house: House, held: Held
) -> None:
    number = graded(house, held)
    app = drawn(monkeypatch, held, "Ada", Page.REPORT)
    app.query_params["submission"] = str(number)
    app.run()
    named(app.text_area, "Reason").set_value("The machine is slow.")
    pressed(app, "FormSubmitter:waiver-0-Ask for it")
    assert "A leader will answer" in said(app)
    leader = drawn(monkeypatch, held, "Finn", Page.REVIEW)
    (form,) = [item for item in leader.button if item.label == "Answer"]
    leader.text_area[0].set_value("It is.")
    form.click().run()
    assert "Granted, and graded again" in said(leader)
    with house.database.read() as tx:
        assert submissions.job(tx, number).state is JobState.QUEUED


def test_register_is_imported(monkeypatch: pytest.MonkeyPatch, house: House, held: Held) -> None:
    table = pd.DataFrame(
        {
            "name": ["Lapse", "Fraud score"],
            "unit": ["Claims", "Nowhere"],
            "owner": ["Ann", "Bo"],
            "language": ["SAS", "R"],
        }
    )
    app = drawn(monkeypatch, held, "Gita", Page.ADOPTION)
    upload = app.file_uploader[0]
    upload.set_value(("models.csv", table.to_csv(index=False).encode(), "text/csv")).run()
    assert "1 of 2 rows have problems" in said(app)
    excel = io.BytesIO()
    table.assign(unit="Claims").to_excel(excel, index=False)
    upload = app.file_uploader[0]
    upload.set_value(("models.xlsx", excel.getvalue(), "application/vnd.ms-excel")).run()
    named(app.button, "Take in 2 models").click().run()
    assert "2 models are new" in said(app)
    with house.database.read() as tx:
        assert {model.name for model in models.models(tx)} == {"Lapse", "Fraud score"}


def registered(house: House, held: Held) -> int:
    """Register a legacy model, and return its number."""
    new = models.NewModel(
        name="Lapse", unit_id=held.people["Ada"].unit_id or 0, owner="Ann", language="SAS"
    )
    with house.database.write() as tx:
        models.register(tx, [new], at=house.now(), by=None)
        return models.models(tx)[0].id


def test_model_goes_live(monkeypatch: pytest.MonkeyPatch, house: House, held: Held) -> None:
    registered(house, held)
    app = drawn(monkeypatch, held, "Gita", Page.ADOPTION)
    named(app.text_input, "Owner").set_value("Bo")
    named(app.selectbox, "Challenge that asks for its port").set_value(SLUG)
    named(app.checkbox, "Its port is live").check()
    named(app.button, "Change it").click().run()
    assert "Lapse is changed" in said(app)
    with house.database.read() as tx:
        (model,) = models.models(tx)
    assert (model.owner, model.challenge_slug, model.language) == ("Bo", SLUG, "SAS")
    assert model.live_since is not None


def test_model_needs_an_owner(monkeypatch: pytest.MonkeyPatch, house: House, held: Held) -> None:
    registered(house, held)
    app = drawn(monkeypatch, held, "Gita", Page.ADOPTION)
    named(app.text_input, "Owner").set_value(" ")
    named(app.button, "Change it").click().run()
    assert "owner is empty" in said(app)


def test_model_is_removed(monkeypatch: pytest.MonkeyPatch, house: House, held: Held) -> None:
    number = registered(house, held)
    app = drawn(monkeypatch, held, "Gita", Page.ADOPTION)
    pressed(app, f"remove-model-{number}")
    assert "removed from the register" in said(app)
    with house.database.read() as tx:
        assert models.models(tx) == ()


def test_audit_is_searched(monkeypatch: pytest.MonkeyPatch, held: Held) -> None:
    app = drawn(monkeypatch, held, "Hugo", Page.ADMINISTRATION)
    app.text_input(key="audit-find").set_value("team.JOINED").run()
    assert not app.exception
    assert list(app.table[-1].value["What"]) == [r"team\.joined"]
    app.text_input(key="audit-find").set_value("cleo").run()
    rows = app.table[-1].value
    assert all(
        "Cleo" in by or "cleo" in why for by, why in zip(rows["By"], rows["Details"], strict=True)
    )
    assert "Cleo" in set(rows["By"])
    app.text_input(key="audit-find").set_value("100%").run()
    assert "No line is found" in "\n".join(shown.value for shown in app.info)


def test_names_are_no_markdown(monkeypatch: pytest.MonkeyPatch, house: House, held: Held) -> None:
    joining.rename(house, held.people["Ada"], held.blue, "*B* ![](https://evil.example.org/x.png)")
    graded(house, held)
    board = drawn(monkeypatch, held, "Cleo", Page.LEADERBOARD)
    (shown,) = board.table[0].value["Team"]
    assert shown.startswith(r"\*B\* \!\[\]\(https")


def test_report_says_what_moved(monkeypatch: pytest.MonkeyPatch, house: House, held: Held) -> None:
    first = graded(house, held)
    told = report(held, 907)
    mended = replace(
        told.scores, checks={"TEST005": replace(told.scores.checks["TEST005"], earned=7)}
    )
    new = new_report(replace(told, scores=mended), held.challenge, 30.0)
    second = graded(house, held, 907, new)
    app = drawn(monkeypatch, held, "Ada", Page.REPORT)
    app.query_params["submission"] = str(second)
    app.run()
    assert not app.exception
    assert f"**+7 points** since submission {first}." in [text.value for text in app.markdown]
    assert list(app.table[0].value["Points"]) == [r"\+7"]
