"""The champion's desk: who plays in which team."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from leaderboard.model import Event, Person, Team
from portal.house import House
from portal.pages.common import as_table, confirm, done, empty, plain, told
from portal.services import challenges, joining, withdrawing


def teams(house: House, person: Person) -> None:
    """Draw the tab."""
    known = {event.id: event for event in challenges.all_events(house, person)}
    if not known:
        empty("No event has been announced yet.", "Teams are made up for one that is.")
        return
    number = st.selectbox(
        "Event", list(known), format_func=lambda n: known[n].title, key="event-of-teams"
    )
    event = known[number]
    made = challenges.teams(house, event)
    free = {other.id: other for other in joining.without_team(house, person, event)}
    if made:
        _table(house, made)
    else:
        empty("This event has no team yet.", "Found one for somebody, or let people do it.")
    _found(house, person, event, free)
    if made:
        _change(house, person, made, free)


def _table(house: House, made: tuple[Team, ...]) -> None:
    table = pd.DataFrame(
        {
            "Team": team.name,
            "Members": ", ".join(member.name for member in joining.members(house, team)) or "none",
        }
        for team in made
    )
    as_table(table.set_index("Team"))


def _found(house: House, person: Person, event: Event, free: dict[int, Person]) -> None:
    st.subheader("Found a team for somebody", anchor=False)
    if not free:
        st.caption("Everybody is in a team already.")
        return
    with st.form("found-for", clear_on_submit=True):
        name = st.text_input("Name of the team", max_chars=100)
        first = _choose("First member", free, "first-member")
        if st.form_submit_button("Found it"):
            with told():
                team = joining.found_for(house, person, event, name, first)
                done(f"{plain(team.name)} is founded.")


def _change(house: House, person: Person, made: tuple[Team, ...], free: dict[int, Person]) -> None:
    st.subheader("Change a team", anchor=False)
    named = {team.id: team for team in made}
    number = st.selectbox(
        "Team", list(named), format_func=lambda n: named[n].name, key="team-to-change"
    )
    team = named[number]
    with st.form(f"rename-{number}"):
        name = st.text_input("New name", team.name, max_chars=100)
        if st.form_submit_button("Rename it"):
            with told():
                joining.rename(house, person, team, name)
                done(f"{plain(team.name)} is called {plain(name.strip())} from now on.")
    members = {member.id: member for member in joining.members(house, team)}
    _move(
        f"enter-{number}",
        ("Somebody without a team", "Put them in", f"is in {plain(team.name)} now."),
        free,
        lambda member: joining.enter(house, person, team, member),
    )
    _move(
        f"take-out-{number}",
        ("A member", "Take them out", f"is in {plain(team.name)} no more."),
        members,
        lambda member: joining.take_out(house, person, team, member),
    )
    if st.button("Make a new invitation", help="The old one leads nowhere from then on."):
        with told():
            link = joining.invite(house, person, team)
            st.markdown("Send this to those who shall join; it is shown this once:")
            st.code(link, language=None, wrap_lines=True)
    _withdraw(house, person, team)


def _withdraw(house: House, person: Person, team: Team) -> None:
    def withdraw() -> None:
        with told():
            withdrawing.withdraw_team(house, person, team)
            done(f"{plain(team.name)} is withdrawn.")

    question = "Only one that has submitted nothing can be; what it pushed is set aside."
    confirm("Withdraw the team", question, withdraw, key=f"withdraw-team-{team.id}")


def _move(
    key: str,
    words: tuple[str, str, str],
    offered: dict[int, Person],
    act: Callable[[int], object],
) -> None:
    """Offer to move one of some people.

    :param words: what they are, what is done to them, and what is said of them afterwards
    """
    if not offered:
        return
    label, button, after = words
    with st.form(key):
        number = _choose(label, offered, f"{key}-who")
        if st.form_submit_button(button):
            with told():
                act(number)
                done(f"{plain(offered[number].name)} {after}")


def _choose(label: str, offered: dict[int, Person], key: str) -> int:
    return st.selectbox(
        label,
        list(offered),
        format_func=lambda number: f"{offered[number].name} ({offered[number].email})",
        key=key,
    )
