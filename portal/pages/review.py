"""Review: what waits for a leader's word, and the place to say it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import streamlit as st

from leaderboard.model import Decision, Person, WaiverDecision, WaiverRuling
from portal.access import Page
from portal.house import House
from portal.pages.common import (
    done,
    empty,
    linked_choice,
    moment,
    need,
    plain,
    records,
    show_done,
    told,
    zone,
)
from portal.services import reviewing, submitting
from portal.services.reviewing import Waiting

_LONGEST_DIFF = 60_000


def draw() -> None:
    """Draw the page."""
    house, person = need(Page.REVIEW)
    st.title("Review")
    show_done()
    waiting = {item.submission.id: item for item in reviewing.queue(house, person)}
    if not waiting:
        empty("Nothing was submitted yet.", "Graded submissions are listed here.")
        return
    _one(house, person, waiting[_chosen(waiting)])


def _chosen(waiting: dict[int, Waiting]) -> int:
    """Return the submission that is reviewed, by its number: the list may move, that may not."""
    open_now = sum(item.open for item in waiting.values())
    st.markdown(f"**{open_now}** wait for a word of yours.")
    named = {str(number): _named(item) for number, item in waiting.items()}
    return int(linked_choice("Submission", named, "submission"))


def _named(item: Waiting) -> str:
    state = item.last.decision.value if item.last else "waits" if item.open else "not accepted"
    if item.asked:
        state += f", asks for {', '.join(asked.code for asked in item.asked)}"
    return (
        f"{item.submission.id}: {item.team.name}, {item.version.title}, "
        f"{submitting.points(item.report)} ({state})"
    )


def _one(house: House, person: Person, item: Waiting) -> None:
    number = item.submission.id
    st.header(f"Submission {number} of {plain(item.team.name)}", anchor=False)
    st.markdown(
        f"{plain(item.event.title)}, {plain(item.version.title)}: **{item.report.outcome}**, "
        f"{submitting.points(item.report)}, {moment(item.submission.received_at)}"
    )
    if item.last is not None:
        st.info(f"{item.last.decision.value}: {plain(item.last.reason)}")
        if item.last.decision is Decision.APPROVED:
            records(number)
    st.page_link(
        "portal/pages/report.py",
        label="The whole report",
        query_params={"submission": str(number)},
    )
    with st.expander("What the team changed"):
        _diff(house, person, number)
    for asked in item.asked:
        _waiver(house, person, item, asked.id)
    for granted in item.granted:
        _granted(house, person, item, granted)
    _decide(house, person, item)


def _diff(house: House, person: Person, number: int) -> None:
    with told():
        found = {item.since: item.text for item in reviewing.changes(house, person, number)}
        since = st.radio("Since", list(found), horizontal=True, key=f"since-{number}")
        text = found[since]
        st.code(text[:_LONGEST_DIFF] or "Nothing.", language="diff", height=500)
        if len(text) > _LONGEST_DIFF:
            st.caption("The rest is left out here; clone the repository to read it.")


def _granted(house: House, person: Person, item: Waiting, ruling: WaiverRuling) -> None:
    """Show a waiver in force, and the way to take it back."""
    place = f" for {ruling.path}" if ruling.path else ""
    until = f", until {moment(ruling.expires_at)}" if ruling.expires_at else ""
    with st.expander(f"Waiver in force: {ruling.code}{plain(place)}{until}"):
        st.markdown(plain(ruling.reason))
        with st.form(f"revoke-{ruling.id}"):
            reason = st.text_area("Why it ends", max_chars=2000, key=f"revoke-reason-{ruling.id}")
            if st.form_submit_button("Revoke, and grade again"):
                with told():
                    word = WaiverDecision.REVOKED
                    number = item.submission.id
                    reviewing.answer_waiver(house, person, ruling, word, reason, again=number)
                    done("Revoked, and graded again.")


def _waiver(house: House, person: Person, item: Waiting, ruling: int) -> None:
    asked = next(entry for entry in item.asked if entry.id == ruling)
    place = f" for {asked.path}" if asked.path else ""
    st.subheader(f"Waiver asked: {asked.code}{plain(place)}", anchor=False)
    st.markdown(plain(asked.reason))
    with st.form(f"waiver-{ruling}"):
        said = st.radio("Answer", ["Grant", "Refuse"], horizontal=True)
        reason = st.text_area("Reason", max_chars=2000, key=f"waiver-reason-{ruling}")
        last = st.date_input(
            "Last day that it holds", None, help="Empty: for good.", key=f"waiver-until-{ruling}"
        )
        if st.form_submit_button("Answer"):
            granted = said == "Grant"
            decision = WaiverDecision.GRANTED if granted else WaiverDecision.REFUSED
            with told():
                again = item.submission.id if granted else None
                end = _end_of(last)
                reviewing.answer_waiver(house, person, asked, decision, reason, end, again=again)
                done("Granted, and graded again." if granted else "Refused.")


def _end_of(day: date | None) -> datetime | None:
    """Return when a day is over on the clock of whoever looks."""
    return None if day is None else datetime.combine(day + timedelta(days=1), time(0), zone())


def _decide(house: House, person: Person, item: Waiting) -> None:
    st.subheader("Your word", anchor=False)
    number = item.submission.id
    # A form of its own after each word: so that it is empty then, and not where a word is refused.
    with st.form(f"decide-{number}-{item.last.id if item.last else 0}"):
        words = {"Approve": Decision.APPROVED, "Disapprove": Decision.DISAPPROVED}
        words["Hold"] = Decision.HELD
        said = st.radio("Decision", list(words), index=None, horizontal=True)
        reason = st.text_area("Reason", max_chars=2000, help="The team reads it.")
        if st.form_submit_button("Say it"):
            if said is None:
                st.error("Choose a decision first.")
                return
            with told():
                review = reviewing.decide(house, person, number, words[said], reason)
                done(f"Submission {number} is {review.decision.value}.")


draw()
