"""Profile: who one is here, tokens, signing out."""

from __future__ import annotations

import streamlit as st

from leaderboard.model import Person
from portal.access import Page
from portal.house import House
from portal.pages.common import (
    confirm,
    done,
    lead,
    need,
    own_word,
    plain,
    show_done,
    told,
)
from portal.pages.tokens import tokens
from portal.services import accounts, learning


def draw() -> None:
    """Draw the page."""
    house, person = need(Page.PROFILE)
    st.title("Profile")
    show_done()
    roles = ", ".join(sorted(role.value for role in person.roles))
    st.markdown(f"**{plain(person.name)}**, {plain(person.email)}. Roles: {roles}.")
    titles = learning.passed(house).get(person.id, ())
    if titles:
        st.markdown(f"Lessons passed: {', '.join(plain(title) for title in titles)}.")
    lead("Sign out", "/sign-out")
    confirm(
        "Sign out everywhere",
        "Every browser that you are signed in with is signed out, this one too.",
        _everywhere,
        key="everywhere",
    )
    _password(house, person)
    tokens(house, person)


def _password(house: House, person: Person) -> None:
    st.subheader("Password", anchor=False)
    has_one = accounts.has_password(house, person)
    if not has_one:
        st.caption("You have none yet: you came by a link, or by the company's account.")
    with st.form("password", clear_on_submit=True):
        now = st.text_input("The one that you have", type="password") if has_one else ""
        new = st.text_input(
            "A new one",
            type="password",
            autocomplete="new-password",
            help="12 characters or more; a few words in a row do.",
        )
        if st.form_submit_button("Change it" if has_one else "Set it"):
            with told():
                accounts.change_password(house, person, now, new, kept=own_word())
                done("The password is changed; your other browsers are signed out.")


def _everywhere() -> None:
    house, person = need(Page.PROFILE)
    accounts.sign_out_everywhere(house, person)
    st.rerun()


draw()
