"""Access tokens: what git and a person's own programs sign in with."""

from __future__ import annotations

import streamlit as st

from leaderboard.model import Person
from portal.house import House
from portal.pages.common import done, moment, plain, told
from portal.services import accounts


def tokens(house: House, person: Person) -> None:
    """Draw somebody's own tokens, and the way to a new one."""
    st.subheader("Tokens", anchor=False)
    st.caption("git asks for a token as the password; any name does as the user.")
    with st.form("new-token", clear_on_submit=True):
        name = st.text_input("Where is it used?", placeholder="my laptop")
        if st.form_submit_button("Make a token"):
            with told():
                st.session_state["shown-token"] = accounts.add_token(house, person, name)
                st.rerun()
    word = st.session_state.pop("shown-token", "")
    if word:
        st.markdown("Copy it now; it is shown this once:")
        st.code(word, language=None, wrap_lines=True)
    for token in accounts.tokens(house, person):
        used = f"used {moment(token.used_at)}" if token.used_at else "never used"
        expires = f", until {moment(token.expires_at)}" if token.expires_at else ""
        st.markdown(f"{plain(token.name)}: {used}{expires}")
        if st.button("Revoke", key=f"revoke-{token.id}", help=f"Makes {token.name} void."):
            accounts.revoke_token(house, person, token.id)
            done("The token is void.")
