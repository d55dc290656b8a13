"""Home: what is on, what to do next, who is ahead."""

from __future__ import annotations

import streamlit as st

from leaderboard.model import Event, Person
from portal.access import Page
from portal.house import House
from portal.pages.common import choose_event, leading, moment, need, plain, until
from portal.services import challenges, joining, progress


def draw() -> None:
    """Draw the page."""
    house, person = need(Page.HOME)
    st.title(f"Welcome, {plain(person.name)}")
    event = choose_event(house, person)
    st.header(plain(event.title), anchor=False)
    _countdown(house, event)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _next(house, person, event)
    with right:
        _ahead(house, person, event)


def _countdown(house: House, event: Event) -> None:
    now = house.now()
    if now < event.starts_at:
        st.write(f"Starts in **{until(now, event.starts_at)}**, on {moment(event.starts_at)}.")
    elif now < event.ends_at:
        gone = (now - event.starts_at) / (event.ends_at - event.starts_at)
        left = f"Ends in **{until(now, event.ends_at)}**, on {moment(event.ends_at)}."
        st.progress(gone, text=left)
        if event.freezes_at:
            st.caption(f"The board stands still from {moment(event.freezes_at)}.")
    else:
        st.write(f"Ended on {moment(event.ends_at)}. The private board is open.")


def _next(house: House, person: Person, event: Event) -> None:
    st.subheader("What to do next", anchor=False)
    team = joining.team_of(house, person, event)
    steps = progress.steps(house, person, team)
    following = next((step for step in steps if not step.done), None)
    for step in steps:
        mark = "✓" if step.done else "→" if step is following else "○"
        state = "done" if step.done else "next" if step is following else "later"
        st.markdown(f"{mark} **{step.title}** ({state})  \n{step.how}")
    if following is None:
        st.success("All done: this model is ported, accepted and approved.")
    elif following.page is not None:
        st.page_link(f"portal/pages/{following.page.value}.py", label=following.action)


def _ahead(house: House, person: Person, event: Event) -> None:
    st.subheader("Who is ahead", anchor=False)
    for version in challenges.versions(house, event):
        st.markdown(f"**{plain(version.title)}**")
        leading(house, person, event, version.slug)
    st.page_link("portal/pages/leaderboard.py", label="The whole board")


draw()
