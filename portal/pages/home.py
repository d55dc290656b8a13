"""Home: what is on, what to do next, who is ahead."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from leaderboard.model import Event, Person, Team
from portal.access import Page
from portal.house import House
from portal.pages.common import choose_event, leading, moment, need, plain, until
from portal.services import challenges, duties, joining, progress
from portal.services.duties import Duty


def draw() -> None:
    """Draw the page."""
    house, person = need(Page.HOME)
    st.title(f"Welcome, {plain(person.name)}")
    waiting = duties.duties(house, person)
    _waiting(waiting)
    event = choose_event(house, person, rehearsals=False)
    st.header(plain(event.title), anchor=False)
    _countdown(house, event)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _way(house, person, event, aside=bool(waiting))
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


def _waiting(waiting: Sequence[Duty]) -> None:
    """Tell what somebody's roles ask of them."""
    if not waiting:
        return
    st.header("For you to do", anchor=False)
    for duty in waiting:
        with st.container(border=True):
            st.markdown(f"**{plain(duty.title)}**  \n{duty.how}")
            page = f"portal/pages/{duty.page.value}.py"
            st.page_link(page, label=duty.action, query_params=dict(duty.query))


def _way(house: House, person: Person, event: Event, *, aside: bool) -> None:
    """Tell a member's way; who has other things to do and no team finds it folded away."""
    team = joining.team_of(house, person, event)
    if aside and team is None:
        with st.expander("Take part yourself"):
            _next(house, person, team)
    else:
        st.subheader("What to do next", anchor=False)
        _next(house, person, team)


def _next(house: House, person: Person, team: Team | None) -> None:
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
