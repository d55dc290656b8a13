"""Challenges: what to port, from what, by which rules."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from leaderboard.model import Event, Person
from portal.access import Page
from portal.house import House
from portal.pages.common import (
    as_table,
    choose_event,
    empty,
    leading,
    linked_tabs,
    moment,
    need,
    plain,
)
from portal.services import challenges
from portal.services.challenges import Offer

_LANGUAGES = {".r": "r", ".py": "python", ".sql": "sql", ".sas": "sas", ".md": "markdown"}
_PREVIEW = 20


def draw() -> None:
    """Draw the page."""
    house, person = need(Page.CHALLENGES)
    st.title("Challenges")
    event = choose_event(house, person)
    if house.now() < event.starts_at:
        empty("This event has not begun yet.", f"It starts on {moment(event.starts_at)}.")
        return
    offers = challenges.offers(house, event)
    if not offers:
        empty("This event has no challenge yet.", "A champion adds one at the desk.")
    for offer in offers:
        _offer(house, person, event, offer)


def _offer(house: House, person: Person, event: Event, offer: Offer) -> None:
    challenge = offer.challenge
    st.header(plain(challenge.title), anchor=False)
    st.markdown(plain(challenge.summary))
    st.caption(
        f"{challenge.language.upper()}, {challenge.level.value}, version {challenge.version}, "
        f"{challenge.passing_points} points pass"
    )
    slug = challenge.slug
    left, right = st.columns(2)
    left.link_button("Download the starter kit", f"/files/kits/{slug}.zip")
    right.link_button("Download data and legacy model", f"/files/challenges/{slug}.zip")
    brief, legacy, data, rules, ahead = linked_tabs(
        ["Brief", "Legacy source", "Data", "Points and rules", "Who is ahead"], f"tab-{slug}"
    )
    with brief:
        st.markdown(offer.text("brief.md"))
    with legacy:
        _legacy(offer)
    with data:
        _data(offer)
    with rules:
        _rules(offer)
    with ahead:
        leading(house, person, event, slug)
        st.page_link("portal/pages/leaderboard.py", label="The whole board")


def _legacy(offer: Offer) -> None:
    for path, text in offer.legacy().items():
        suffix = path[path.rfind(".") :].lower()
        with st.expander(path, expanded=suffix in {".r", ".sas", ".sql"}):
            st.code(text, language=_LANGUAGES.get(suffix), line_numbers=True)


def _data(offer: Offer) -> None:
    for file in sorted(offer.challenge.training.glob("*.csv")):
        table = pd.read_csv(file)
        st.markdown(f"**{file.name}**: {len(table)} rows, {len(table.columns)} columns")
        as_table(table.head(_PREVIEW))


def _rules(offer: Offer) -> None:
    challenge = offer.challenge
    standards = [
        {"What": family.family, "Points": family.points, "Gates": ", ".join(family.gate) or "none"}
        for family in challenge.standards
    ]
    groups = [
        {
            "What": group.name,
            "Points": group.points,
            "Needed": f"{group.minimum:.0%}" if group.minimum else "no minimum",
        }
        for group in challenge.groups
    ]
    st.subheader("Accuracy", anchor=False)
    as_table(pd.DataFrame(groups).set_index("What"))
    st.subheader("Standards", anchor=False)
    as_table(pd.DataFrame(standards).set_index("What"))
    hidden = ", ".join(challenge.leaderboard.private_groups) or "nothing"
    st.markdown(f"The board reveals at the end: {hidden}.")


draw()
