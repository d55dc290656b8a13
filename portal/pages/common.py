"""What all pages share: who looks, what they may open, and how things are said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from grader.errors import DrydockError
from leaderboard.model import Event, Person, Session
from portal.access import Page, may_open
from portal.house import House, here
from portal.services import accounts, boards, challenges
from portal.web.identity import COOKIE

_TITLES: dict[Page, str] = {
    Page.HOME: "Home",
    Page.LESSONS: "Lessons",
    Page.CHALLENGES: "Challenges",
    Page.TEAM: "My team",
    Page.LEADERBOARD: "Leaderboard",
    Page.REVIEW: "Review",
    Page.ADOPTION: "Adoption",
    Page.DESK: "Champion's desk",
    Page.ADMINISTRATION: "Administration",
    Page.PROFILE: "Profile",
    Page.REPORT: "Report",
}
ARCHIVES = ("zip", "gz", "tgz", "tar", "xz", "bz2")
"""Endings of what can be uploaded as a whole folder."""
_LINKED_ONLY = {Page.REPORT}
"""Pages that are reached from others: they say nothing without their address's parameters."""
_MUTED = ("comment", "prolog", "doctype", "cdata", "punctuation", "unchanged.line")
_ON_A_PHONE = 4
"""Columns of a board."""
_STYLE = f"""<style>
{", ".join(f".stCode .token.{kind}" for kind in _MUTED)},
.stCode .linenumber {{ color: inherit !important; }}
.stPageLink a p {{ text-decoration: underline; }}
td, td * {{ overflow-wrap: anywhere !important; white-space: normal !important; }}
@media (max-width: 640px) {{
table td, table td * {{ overflow-wrap: break-word !important; }}
table td > div {{ max-width: 14rem !important; }}
.st-key-board :is(th, td):nth-child(n + {_ON_A_PHONE + 1}) {{ display: none; }}
}}
</style>"""
"""What no theme sets: greys of code that are too faint to read, links that look like none, cells
that no key scrolls; and on a phone, words that stay whole, for fingers push a table aside, and what
of a board has no room."""


def run() -> None:
    """Draw the page that was asked for, if whoever looks may see it."""
    st.set_page_config(page_title="Drydock", page_icon="⚓", layout="wide")
    st.html(_STYLE)
    st.logo(str(Path(__file__).with_name("drydock.svg")), size="large")
    session = current_session()
    if session is None:
        ended()
        return
    pages = [
        st.Page(
            f"portal/pages/{page.value}.py",
            title=title,
            url_path=page.value,
            default=page is Page.HOME,
            visibility="hidden" if page in _LINKED_ONLY else "visible",
        )
        for page, title in _TITLES.items()
        if may_open(session.person, page)
    ]
    st.navigation(pages, position="top").run()


def current_session() -> Session | None:
    """Return the session of whoever looks; asked anew at each rerun, so that it may end."""
    return accounts.session(here(), own_word())


def own_word() -> str:
    """Return the word of the session that this browser sends along; empty where it sends none."""
    word = st.context.cookies.get(COOKIE)
    return word if isinstance(word, str) else ""


def ended() -> None:
    """Say that nobody is signed in any more."""
    st.error("You are not signed in any more.")
    lead("Sign in", "/sign-in")


def lead(label: str, address: str) -> None:
    """Lead to a page that is none of Streamlit's, in the same tab; its own links open another."""
    st.html(f'<a href="{address}">{label}</a>')


def need(page: Page) -> tuple[House, Person]:
    """Return the house and who looks; what follows is drawn for nobody else.

    Each page begins with it, and each fragment, which runs without its page.
    """
    session = current_session()
    if session is None:
        ended()
        st.stop()
    if not may_open(session.person, page):
        st.error("This page is not for your role.")
        st.stop()
    return here(), session.person


def choose_event(house: House, person: Person, *, rehearsals: bool = True) -> Event:
    """Return the event that the address names, or the one most likely meant; offer the others.

    :param rehearsals: whether these are offered to champions
    """
    everything = challenges.all_events(house, person)
    known = [event for event in everything if rehearsals or not event.rehearsal]
    if not known:
        empty("No event has been announced yet.", "A champion announces one at the desk.")
        st.stop()
    current = challenges.current_event(house, person)
    by_slug = {event.slug: event for event in known}
    if len(known) == 1:
        return known[0]
    titles = {slug: event.title for slug, event in by_slug.items()}
    chosen = linked_choice("Event", titles, "event", current.slug if current else "")
    return by_slug[chosen]


def linked_choice(label: str, options: Mapping[str, str], key: str, default: str = "") -> str:
    """Return what is chosen of some options; the address says it, so that links lead to it.

    :param options: what is shown, by what the address says
    :param default: what is chosen where the address says nothing; else the first
    """
    names = list(options)
    asked = st.query_params.get(key, default)
    index = names.index(asked) if asked in options else 0
    chosen = st.selectbox(label, names, index=index, format_func=options.__getitem__, key=key)
    st.query_params[key] = chosen
    return chosen


def linked_tabs(names: Sequence[str], key: str = "tab") -> Sequence[DeltaGenerator]:
    """Return tabs; the address says which is open, so that links lead to it.

    :param key: what the address calls them; another one for each group of tabs on a page
    """
    return st.tabs(names, key=key, bind="query-params")


def empty(what: str, next_step: str) -> None:
    """Say that there is nothing here yet, and what to do about it."""
    st.info(f"**{what}** {next_step}")


@contextmanager
def told() -> Iterator[None]:
    """Say what was refused, where it is drawn, instead of failing."""
    try:
        yield
    except DrydockError as error:
        st.error(f"{plain(error.message)} {plain(error.remedy)}")


def done(message: str) -> None:
    """Say what was done, after the rerun that shows it."""
    st.session_state["done"] = message
    st.rerun()


def show_done() -> None:
    """Show what was done before this rerun, once.

    Its place stays when it has gone: else what is below would move, and fold itself away.
    """
    place = st.container()
    message = st.session_state.pop("done", "")
    if message:
        place.success(message)


def plain(text: str) -> str:
    """Keep text of others from being read as Markdown."""
    return "".join(f"\\{sign}" if sign in r"\`*_{}[]()#+-.!|<>~$:" else sign for sign in text)


def records(submission: int) -> None:
    """Lead to the signed record of an approved submission, and to what it is checked with."""
    left, right = st.columns(2)
    left.link_button("Signed conversion record", f"/files/records/{submission}.json")
    right.link_button("Public key of this portal", "/files/records/portal.pem")
    st.caption("Anybody checks it, without this portal: drydock record verify FILE --key KEY")


def leading(house: House, person: Person, event: Event, challenge: str) -> None:
    """Say who is ahead in a challenge."""
    rows = boards.board(house, person, event.slug, challenge).rows[:3]
    if not rows:
        st.caption("Nobody yet: the first accepted submission leads.")
    for row in rows:
        own = " (you)" if row.own else ""
        st.markdown(
            f"{row.standing.rank}. {plain(row.team.name)}{own}: {row.standing.points} points"
        )


def as_table(frame: pd.DataFrame) -> None:
    """Draw a table; Streamlit reads its cells as Markdown, and names and notes are others' text."""
    shown = frame.map(_plain_cell)
    shown.index = frame.index.map(_plain_cell)
    st.table(shown)


def as_csv(frame: pd.DataFrame) -> str:
    """Return a table as CSV in which no cell is a formula to a spreadsheet.

    Names are others' text; see https://owasp.org/www-community/attacks/CSV_Injection
    """
    return frame.map(_no_formula).to_csv(index=False)


def _no_formula(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(tuple("=+-@\t\r")) else cell


def _plain_cell(cell: object) -> object:
    return plain(cell) if isinstance(cell, str) else cell


def moment(when: datetime) -> str:
    """Return a time as whoever looks has it on their clock."""
    return f"{when.astimezone(zone()):%d %b %Y, %H:%M %Z}"


def until(now: datetime, when: datetime) -> str:
    """Return how long it is until a time, as people say it."""
    left = when - now
    if left <= timedelta():
        return "no time"
    days, hours = left.days, left.seconds // 3600
    if days:
        return f"{days} d {hours} h"
    minutes = (left.seconds % 3600) // 60
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def zone() -> ZoneInfo:
    """Return the time zone of whoever looks; UTC where their browser does not say."""
    try:
        return ZoneInfo(str(st.context.timezone or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def confirm(label: str, question: str, act: Callable[[], None], *, key: str) -> None:
    """Offer what cannot be undone, and ask once more."""
    with st.popover(label):
        st.write(question)
        if st.button("Yes, do it", key=key):
            act()
