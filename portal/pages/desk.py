"""The champion's desk: prove and publish challenges, hold events, have them graded again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

import pandas as pd
import streamlit as st

from grader.model import Challenge
from leaderboard.model import ChallengeVersion, Counting, Event, Person
from portal.access import Page
from portal.errands import Errand
from portal.house import House
from portal.pages.common import (
    ARCHIVES,
    as_table,
    confirm,
    done,
    empty,
    linked_tabs,
    moment,
    need,
    plain,
    show_done,
    told,
    zone,
)
from portal.pages.desk_lessons import lessons
from portal.pages.desk_teams import teams
from portal.services import challenges, desk, proving, rehearsing, withdrawing
from portal.services.uploads import stored

_DAYS = 2
_EVERY = 3


def draw() -> None:
    """Draw the page."""
    house, person = need(Page.DESK)
    st.title("Champion's desk")
    show_done()
    packages, events, new, players, taught = linked_tabs(
        ["Challenges", "Events", "Hold an event", "Teams", "Lessons"]
    )
    with packages:
        _packages(house, person)
    with events:
        _events(house, person)
    with new:
        _hold(house, person)
    with players:
        teams(house, person)
    with taught:
        lessons(house, person)


# ------------------------------------------------------------------------------ challenges


def _packages(house: House, person: Person) -> None:
    known = {version.digest: version for version in desk.versions(house)}
    for package in desk.packages(house):
        if package.challenge is not None:
            _package(house, person, package.challenge, known.get(package.challenge.digest))
        elif package.error is not None:
            st.subheader(plain(package.slug), anchor=False)
            st.error(f"{plain(package.error.message)} {plain(package.error.remedy)}")
        if package.own:
            _drop(house, person, package.slug)
    _take(house, person)


def _package(
    house: House, person: Person, challenge: Challenge, version: ChallengeVersion | None
) -> None:
    st.subheader(plain(challenge.title), anchor=False)
    st.caption(f"{challenge.slug} {challenge.version}, {challenge.digest[:12]}")
    if version is not None:
        st.success(f"Published on {moment(version.published_at)}.")
    _proof(challenge.slug)
    if version is None:
        _publish(house, person, challenge)
    else:
        _rehearse(house, person, version)
        _withdraw_version(house, person, version)


def _drop(house: House, person: Person, slug: str) -> None:
    def drop() -> None:
        desk.drop_package(house, person, slug)
        done(f"{slug} is removed.")

    question = "Its folder goes; what was published of it stays published."
    confirm(f"Remove the package {slug}", question, drop, key=f"drop-{slug}")


def _take(house: House, person: Person) -> None:
    """Offer the way in for a package that was written elsewhere."""
    st.subheader("Bring a challenge", anchor=False)
    st.caption(
        "An archive of its folder, named like it: claims-score.zip. One of the same name gives way."
        " What it holds is run in the sandbox alone, so its recorded outputs are held against "
        "their digests; run its legacy engine where you have it: drydock challenge record --check."
    )
    with st.form("take-package", clear_on_submit=True):
        file = st.file_uploader("The package (.zip, .tar.gz)", type=list(ARCHIVES))
        if not st.form_submit_button("Take it in"):
            return
        if file is None:
            st.error("Choose an archive first.")
            return
        with told(), stored(file.name, file) as archive:
            challenge = desk.take_package(house, person, archive, file.name)
            done(f"{plain(challenge.title)} is here: prove it, and publish it.")


@st.fragment(run_every=_EVERY)
def _proof(slug: str) -> None:
    """Show the verification of a package, live."""
    house, person = need(Page.DESK)
    challenge = desk.find_package(house, slug)
    if challenge is None:
        return
    errand = proving.proof(house, challenge)
    if errand is None or not errand.running:
        if st.button("Prove that it grades fairly", key=f"prove-{challenge.digest}"):
            with told():
                proving.prove(house, person, challenge)
                st.rerun()
        st.caption("All its references are graded three times; that takes some minutes.")
    if errand is not None:
        _printed(errand, "Proven.", "Not proven: the table says where.")


def _printed(errand: Errand, good: str, bad: str) -> None:
    """Show what an errand has printed so far, and how it ended."""
    if errand.running:
        st.info("Under way; this page may be left.")
    elif errand.status == 0:
        st.success(good)
    elif errand.status is None:
        st.warning("The portal was ended meanwhile. Start it again.")
    else:
        st.error(bad)
    st.code("\n".join(errand.lines) or "Starting", language=None, height=300)


def _publish(house: House, person: Person, challenge: Challenge) -> None:
    errand = proving.proof(house, challenge)

    def publish() -> None:
        with told():
            challenges.publish(house, person, challenge)
            done(f"{plain(challenge.title)} is published: events can be held over it.")

    label = f"Publish {challenge.slug} {challenge.version}"
    if errand is not None and errand.status == 0:
        if st.button(label, key=challenge.digest):
            publish()
        return
    question = "It was not proven here. Publish it only if it was proven elsewhere as it is."
    confirm(label, question, publish, key=challenge.digest)


def _rehearse(house: House, person: Person, version: ChallengeVersion) -> None:
    if not st.button(f"Rehearse {version.slug} {version.version}", key=f"rehearse-{version.id}"):
        st.caption("An event of a day, for champions' eyes: each reference is a team that submits.")
        return
    with told():
        with st.spinner("The teams push"):
            event = rehearsing.rehearse(house, person, version)
        done(f"{plain(event.title)} is on: choose it on the leaderboard, and watch it fill.")


def _withdraw_version(house: House, person: Person, version: ChallengeVersion) -> None:
    def withdraw() -> None:
        with told():
            withdrawing.withdraw_version(house, person, version)
            done(f"{plain(version.slug)} {plain(version.version)} is not published any more.")

    question = "Only one that no event is held over can be; its package stays, and can be again."
    label = f"Withdraw {version.slug} {version.version}"
    confirm(label, question, withdraw, key=f"withdraw-version-{version.id}")


# ------------------------------------------------------------------------------ events


def _events(house: House, person: Person) -> None:
    known = challenges.all_events(house, person)
    if not known:
        empty("No event has been announced yet.", "Hold one in the next tab.")
        return
    for event in known:
        _event(house, person, event)


def _event(house: House, person: Person, event: Event) -> None:
    st.subheader(plain(event.title), anchor=False)
    held = challenges.versions(house, event)
    number = len(challenges.teams(house, event))
    st.markdown(
        f"{moment(event.starts_at)} to {moment(event.ends_at)}, {_frozen(event)}, teams: {number}, "
        f"{event.daily_cap} submissions a day, {event.counting.value} reports count"
    )
    as_table(
        pd.DataFrame(
            {"Challenge": version.title, "Version": _versioned(version)} for version in held
        ).set_index("Challenge")
        if held
        else pd.DataFrame({"Challenge": ["none yet"]})
    )
    with st.expander("Change its dates and rules"):
        _change(house, person, event)
    if len(held) > 1:
        with st.expander("Weigh its challenges"):
            _weigh(house, person, event)
    slugs = {version.slug for version in held}
    others = [version for version in desk.versions(house) if version not in held]
    for version in others:
        if version.slug in slugs:
            _newer(house, person, event, version)
        else:
            _add(house, person, event, version)
    _take_back(house, person, event, held)


def _frozen(event: Event) -> str:
    if event.freezes_at is None:
        return "the board never freezes"
    return f"the board freezes at {moment(event.freezes_at)}"


def _versioned(version: ChallengeVersion) -> str:
    """Name a version so that it can't be taken for another one of the same number."""
    return f"{version.slug} {version.version} ({version.digest[:8]})"


def _add(house: House, person: Person, event: Event, version: ChallengeVersion) -> None:
    label = f"Hold it over {version.slug} {version.version} too"
    if st.button(label, key=f"add-{event.id}-{version.id}"):
        with told():
            desk.add_challenge(house, person, event, version)
            done(f"{plain(event.title)} is held over {plain(version.title)} too.")


def _newer(house: House, person: Person, event: Event, version: ChallengeVersion) -> None:
    """Offer another version of a challenge that teams have submitted to."""
    named = _versioned(version)
    with st.expander(f"Grade by {named} instead"):
        _trial(event.slug, version.id)
        why = st.text_input("Why is it graded again?", key=f"why-{event.id}-{version.id}")

        def again() -> None:
            with told():
                number = proving.grade_all_again(house, person, event, version, why)
                done(f"Graded again: {number}. The old reports are kept.")

        confirm(
            "Grade all again",
            "Every submission to this challenge gets a new report, and the board moves.",
            again,
            key=f"again-{event.id}-{version.id}",
        )


def _take_back(
    house: House, person: Person, event: Event, held: Sequence[ChallengeVersion]
) -> None:
    """Offer to undo what nothing was submitted to."""
    with st.expander("Take it back"):
        st.caption("What nothing was submitted to can be taken back; the rest stays, as a record.")
        for version in held:
            if st.button(f"Let go of {version.slug}", key=f"let-go-{event.id}-{version.id}"):
                with told():
                    withdrawing.let_go(house, person, event, version)
                    done(f"{plain(event.title)} goes on without {plain(version.title)}.")

        def withdraw() -> None:
            with told():
                withdrawing.withdraw_event(house, person, event)
                done(f"{plain(event.title)} is withdrawn.")

        question = "Its teams go too, and what they pushed is set aside in the data folder."
        confirm("Withdraw the event", question, withdraw, key=f"withdraw-event-{event.id}")


@st.fragment(run_every=_EVERY)
def _trial(slug: str, version_id: int) -> None:
    """Show what another version would change, live."""
    house, person = need(Page.DESK)
    event = next(item for item in challenges.all_events(house, person) if item.slug == slug)
    version = next(item for item in desk.versions(house) if item.id == version_id)
    found = proving.trial(house, event, version)
    if found is None or not found[0].running:
        if st.button("See what would change", key=f"try-{event.id}-{version.id}"):
            with told():
                proving.try_version(house, person, event, version)
                st.rerun()
        st.caption("Each team's best submission is graded by it; nothing is recorded.")
    if found is None:
        return
    errand, changes = found
    if changes:
        table = pd.DataFrame(
            {
                "Team": change.team,
                "Now": _points(change.outcome, change.total),
                "Then": _points(change.new_outcome, change.new_total),
            }
            for change in changes
        )
        as_table(table.set_index("Team"))
    if errand.running:
        st.info("Under way; this page may be left.")
    elif errand.status:
        st.error("It ended early.")
        st.code("\n".join(errand.lines), language=None)


def _points(outcome: str, total: int | None) -> str:
    return f"{outcome}, {'no' if total is None else total} points"


def _change(house: House, person: Person, event: Event) -> None:
    with st.form(f"change-{event.id}"):
        title = st.text_input("Title", event.title, max_chars=200)
        starts = _moment("Starts", event.starts_at, f"starts-{event.id}")
        ends = _moment("Ends", event.ends_at, f"ends-{event.id}")
        frozen = event.freezes_at or event.ends_at
        freezes = _moment("Board freezes (at the end: never)", frozen, f"freezes-{event.id}")
        cap = st.number_input(
            "Submissions a day, of each team to each challenge",
            1,
            max(1000, event.daily_cap),
            event.daily_cap,
        )
        kinds = [kind.value for kind in Counting]
        counting = st.radio("What counts", kinds, index=kinds.index(event.counting.value))
        if st.form_submit_button("Change it"):
            with told():
                changed = replace(
                    event,
                    title=title.strip(),
                    starts_at=starts,
                    ends_at=ends,
                    freezes_at=None if freezes >= ends else freezes,
                    counting=Counting(counting),
                    daily_cap=int(cap),
                )
                desk.change(house, person, changed)
                done(f"{plain(title)} is changed.")


def _weigh(house: House, person: Person, event: Event) -> None:
    st.caption("How many times the points of each count on the board over all challenges.")
    with st.form(f"weigh-{event.id}"):
        given = {
            slug: int(st.number_input(slug, 1, 100, weight, key=f"weight-{event.id}-{slug}"))
            for slug, weight in desk.weights(house, event).items()
        }
        if st.form_submit_button("Weigh them"):
            with told():
                desk.weigh(house, person, event, given)
                done(f"The challenges of {plain(event.title)} are weighed.")


def _moment(label: str, default: datetime, key: str) -> datetime:
    """Ask for a day and a time, as whoever looks has them on their clock."""
    local = default.astimezone(zone())
    left, right = st.columns(2)
    day = left.date_input(f"{label}: day", local.date(), key=f"{key}-day")
    clock = right.time_input(f"{label}: time", local.time(), key=f"{key}-time")
    return datetime.combine(day, clock, zone())


def _hold(house: House, person: Person) -> None:
    known = {version.id: version for version in desk.versions(house)}
    if not known:
        empty("No challenge is published yet.", "Publish one in the first tab.")
        return
    now = house.now().astimezone(zone())
    with st.form("hold"):
        title = st.text_input("Title", max_chars=200)
        slug = st.text_input("Address", max_chars=100, help="Small letters, figures, dashes.")
        left, right = st.columns(2)
        starts = left.date_input("First day", now.date())
        ends = right.date_input("Last day", now.date() + timedelta(days=_DAYS))
        freeze = st.number_input("Hours before its end that the board freezes", 0, 240, 4)
        cap = st.number_input(
            "Submissions a day, of each team to each challenge",
            1,
            1000,
            min(1000, desk.suggested_cap(house)),
            help="At first what the challenges ask for in their leaderboard.daily_cap.",
        )
        counting = st.radio("What counts", [kind.value for kind in Counting])
        chosen = st.pills(
            "Challenges",
            list(known),
            selection_mode="multi",
            format_func=lambda number: _versioned(known[number]),
        )
        if st.form_submit_button("Hold it"):
            if not chosen:
                st.error("Choose a challenge first: an event is held over one at least.")
                return
            end = datetime.combine(ends, time(23, 59), zone())
            with told():
                event = desk.hold(
                    house,
                    person,
                    slug=slug.strip(),
                    title=title.strip(),
                    starts_at=datetime.combine(starts, time(0), zone()),
                    ends_at=end,
                    freezes_at=end - timedelta(hours=int(freeze)) if freeze else None,
                    counting=Counting(counting),
                    daily_cap=int(cap),
                    challenges=chosen,
                )
                done(f"{plain(event.title)} is announced.")


draw()
