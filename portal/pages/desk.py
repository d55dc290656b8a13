"""The champion's desk: publish challenges, hold events."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pandas as pd
import streamlit as st

from leaderboard.model import Counting, Person
from portal.access import Page
from portal.house import House
from portal.pages.common import done, empty, moment, need, plain, show_done, told, zone
from portal.services import challenges, desk

_DAYS = 2


def draw() -> None:
    """Draw the page."""
    house, person = need(Page.DESK)
    st.title("Champion's desk")
    show_done()
    packages, events, new = st.tabs(["Challenges", "Events", "Hold an event"])
    with packages:
        _packages(house, person)
    with events:
        _events(house, person)
    with new:
        _hold(house, person)


def _packages(house: House, person: Person) -> None:
    known = {version.digest: version for version in desk.versions(house)}
    for challenge in desk.packages():
        st.subheader(plain(challenge.title), anchor=False)
        st.caption(f"{challenge.slug} {challenge.version}, {challenge.digest[:12]}")
        st.markdown("Prove that it grades fairly before anybody sees it:")
        st.code(f"drydock challenge verify {challenge.slug}", language=None)
        version = known.get(challenge.digest)
        if version is not None:
            st.success(f"Published on {moment(version.published_at)}.")
        elif st.button(f"Publish {challenge.slug} {challenge.version}", key=challenge.digest):
            with told():
                challenges.publish(house, person, challenge)
                done(f"{plain(challenge.title)} is published: events can be held over it.")


def _events(house: House, person: Person) -> None:
    known = challenges.all_events(house)
    if not known:
        empty("No event has been announced yet.", "Hold one in the next tab.")
        return
    for event in known:
        st.subheader(plain(event.title), anchor=False)
        held = challenges.versions(house, event)
        teams = challenges.teams(house, event)
        st.markdown(
            f"{moment(event.starts_at)} to {moment(event.ends_at)}, {len(teams)} teams, "
            f"{event.daily_cap} submissions a day, {event.counting.value} reports count"
        )
        st.table(
            pd.DataFrame(
                {"Challenge": version.title, "Version": version.version} for version in held
            )
        )
        newer = [
            version
            for version in desk.versions(house)
            if version.id not in {entry.id for entry in held}
        ]
        for version in newer:
            label = f"Hold it over {version.slug} {version.version} too"
            if st.button(label, key=f"add-{event.id}-{version.id}"):
                with told():
                    desk.add_challenge(house, person, event, version)
                    done(f"{plain(event.title)} is held over {plain(version.title)} too.")


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
        cap = st.number_input("Submissions a day, of each team to each challenge", 1, 1000, 30)
        counting = st.radio("What counts", [kind.value for kind in Counting])
        chosen = st.pills(
            "Challenges",
            list(known),
            selection_mode="multi",
            format_func=lambda number: f"{known[number].slug} {known[number].version}",
        )
        if st.form_submit_button("Hold it"):
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
