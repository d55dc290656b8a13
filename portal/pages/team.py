"""My team: its members, where it pushes to, what it submitted."""

from __future__ import annotations

import streamlit as st

from leaderboard.model import ChallengeVersion, Event, JobState, Person, Team
from leaderboard.ranking import FINALS
from portal.access import Page
from portal.house import House
from portal.pages.common import (
    ARCHIVES,
    choose_event,
    confirm,
    done,
    empty,
    moment,
    need,
    plain,
    show_done,
    told,
)
from portal.pages.tokens import tokens
from portal.services import boards, challenges, joining, learning, submitting, webhooks
from portal.services.submitting import Status
from portal.services.uploads import stored

_EVERY = 3


def draw() -> None:
    """Draw the page."""
    house, person = need(Page.TEAM)
    st.title("My team")
    show_done()
    event = choose_event(house, person)
    team = joining.team_of(house, person, event)
    if team is None:
        _found(house, person, event)
        return
    st.header(plain(team.name), anchor=False)
    left, right = st.columns([3, 2], gap="large")
    with right:
        _members(house, person, team)
        tokens(house, person)
    with left:
        for version in challenges.versions(house, event):
            _challenge(house, person, team, version)
        _submissions(team.id)


def _found(house: House, person: Person, event: Event) -> None:
    empty(
        "You are in no team of this event yet.",
        "Open the invitation that a colleague sends you, or found one:",
    )
    with st.form("found"):
        name = st.text_input("Name of the team", max_chars=100)
        if st.form_submit_button("Found it"):
            with told():
                team, link = joining.found(house, person, event, name)
                st.session_state["invitation"] = link
                done(f"{plain(team.name)} is founded.")


def _members(house: House, person: Person, team: Team) -> None:
    st.subheader("Members", anchor=False)
    learnt = learning.passed(house)
    for member in joining.members(house, team):
        own = " (you)" if member.id == person.id else ""
        titles = ", ".join(plain(title) for title in learnt.get(member.id, ()))
        st.markdown(f"- {plain(member.name)}{own}" + (f"  \n  passed: {titles}" if titles else ""))
    link = st.session_state.pop("invitation", "")
    if link:
        st.markdown("Send this to your colleagues; it is shown this once:")
        st.code(link, language=None, wrap_lines=True)
    _rename(house, person, team)
    if st.button("Make a new invitation", help="The old one leads nowhere from then on."):
        with told():
            st.session_state["invitation"] = joining.invite(house, person, team)
            st.rerun()
    confirm(
        "Leave the team",
        "You can come back by an invitation alone.",
        lambda: _leave(house, person, team),
        key="leave",
    )


def _rename(house: House, person: Person, team: Team) -> None:
    with st.popover("Rename the team"), st.form("rename"):
        name = st.text_input("New name", team.name, max_chars=100)
        if st.form_submit_button("Rename it"):
            with told():
                joining.rename(house, person, team, name)
                done("The team has a new name; the address that you push to stays.")


def _leave(house: House, person: Person, team: Team) -> None:
    joining.leave(house, person, team)
    done("You have left the team.")


def _challenge(house: House, person: Person, team: Team, version: ChallengeVersion) -> None:
    st.subheader(f"Submit: {version.title}", anchor=False)
    st.markdown("In your project's folder, once:")
    address = submitting.address_of(house, team, version)
    st.code(f"git remote add drydock {address}", language=None, wrap_lines=True)
    st.markdown("And each time, after committing:")
    st.code("git push drydock HEAD:main", language=None)
    with st.expander("No git at hand?"):
        _upload(house, person, team, version)
    _elsewhere(house, person, team, version)
    _finals(house, person, team, version)
    if st.button("Submit what was pushed last", key=f"head-{version.id}"):
        with told():
            sent, new = submitting.submit_head(house, person, team, version)
            done(f"Submission {sent.id} {'waits for grading' if new else 'was there already'}.")


def _finals(house: House, person: Person, team: Team, version: ChallengeVersion) -> None:
    found = boards.finals(house, person, team, version.slug)
    if not found.graded:
        return
    named = {sent.id: f"{sent.id}, {submitting.points(told)}" for sent, told in found.graded}
    with st.expander("Choose what counts in the end"), st.form(f"finals-{version.id}"):
        chosen = st.pills(
            f"Up to {FINALS} submissions. Where none is chosen, your two best count.",
            list(named),
            selection_mode="multi",
            default=sorted(found.chosen),
            format_func=named.__getitem__,
        )
        if st.form_submit_button("Choose"):
            with told():
                boards.choose_finals(house, person, team, version.slug, chosen)
                done("The choice is kept; it can be changed until the event ends.")


def _elsewhere(house: House, person: Person, team: Team, version: ChallengeVersion) -> None:
    """Offer the way from a code host of the company's own."""
    for webhook in webhooks.offered(house, person, team, version):
        name = {"github": "GitHub", "gitlab": "GitLab"}[webhook.kind.value]
        with st.expander(f"Your repository is on {name}?"):
            st.markdown(
                f"Add a webhook to it at {name}, for push events, sent as JSON. Whatever is pushed "
                "to main is then submitted in your name, for as long as you are in the team."
            )
            st.code(webhook.address, language=None, wrap_lines=True)
            st.markdown("Its secret:")
            st.code(webhook.secret, language=None, wrap_lines=True)


def _upload(house: House, person: Person, team: Team, version: ChallengeVersion) -> None:
    with st.form(f"upload-{version.id}", clear_on_submit=True):
        file = st.file_uploader("An archive of your project (.zip, .tar.gz)", type=list(ARCHIVES))
        if st.form_submit_button("Submit it"):
            if file is None:
                st.error("Choose an archive first.")
                return
            with told(), stored(file.name, file) as archive:
                sent, _ = submitting.submit_archive(
                    house, person, team, version, archive, file.name[:100]
                )
                done(
                    f"Submission {sent.id} is your repository's newest commit. Before the next "
                    "push: git pull --rebase drydock main"
                )


@st.fragment(run_every=_EVERY)
def _submissions(team_id: int) -> None:
    house, person = need(Page.TEAM)
    st.subheader("Submissions", anchor=False)
    team = next(
        (
            known
            for event in challenges.all_events(house, person)
            if (known := joining.team_of(house, person, event)) and known.id == team_id
        ),
        None,
    )
    if team is None:
        return
    found = submitting.of_team(house, person, team)
    if not found:
        empty("Nothing was submitted yet.", "Push, and watch it being graded here.")
    for status in found[:20]:
        _submission(status)
    if len(found) > 20:  # noqa: PLR2004 - as many as are read
        st.caption(f"And {len(found) - 20} older ones.")


def _submission(status: Status) -> None:
    sent = status.submission
    with st.container(border=True):
        st.markdown(f"**Submission {sent.id}** `{sent.commit[:10]}` {moment(sent.received_at)}")
        if status.job.state.terminal:
            st.markdown(plain(status.said))
        else:
            running = status.job.state is JobState.RUNNING and status.workers
            left = f", {status.about} left" if running else ""
            st.progress(submitting.share(status), text=plain(status.said + left))
        if status.report is not None:
            st.page_link(
                "portal/pages/report.py",
                label=f"Report of submission {sent.id}",
                query_params={"submission": str(sent.id)},
            )


draw()
