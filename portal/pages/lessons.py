"""Lessons: the learning path, each lesson, and what came of what was handed in."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from grader.lessons import Lesson, notebooks
from leaderboard.model import JobState, LessonAttempt, Person
from portal.access import Page
from portal.house import House
from portal.pages.common import as_table, done, empty, moment, need, plain, show_done, told
from portal.services import learning
from portal.services.learning import State, Station

_EVERY = 2
_COLOURS = {State.PASSED: "#0b5cad", State.NEXT: "#6b7a89", State.LATER: "#6b7a89"}
_STYLES = {State.PASSED: "bold", State.NEXT: "solid", State.LATER: "dashed"}


def draw() -> None:
    """Draw the page."""
    house, person = need(Page.LESSONS)
    stations = learning.path(house, person)
    asked = st.query_params.get("lesson", "")
    chosen = next((item for item in stations if item.lesson.slug == asked), None)
    if chosen is not None:
        _lesson(house, person, chosen)
        return
    st.title("Lessons")
    show_done()
    if not stations:
        empty("There is no lesson yet.", "A champion writes one with 'drydock lesson new'.")
        return
    _map(stations)
    for station in stations:
        _entry(station)


# ------------------------------------------------------------------------------ the path


def _map(stations: Sequence[Station]) -> None:
    passed = sum(item.state is State.PASSED for item in stations)
    st.markdown(f"**{passed} of {len(stations)} passed.** A lesson leads to those its lines go to.")
    st.graphviz_chart(_graph(stations), width="content")


def _graph(stations: Sequence[Station]) -> str:
    """Return the path as a graph: lessons, what comes after them, and what they unlock."""
    lines = [
        'digraph { rankdir=LR; bgcolor="transparent"; node [shape=box, fontname="sans-serif"];'
    ]
    lines.append('edge [color="#6b7a89"];')
    for item in stations:
        name, colour = item.lesson.slug, _COLOURS[item.state]
        label = f"{item.lesson.title}\\n{item.state.value}".replace('"', "'")
        lines.append(
            f'"{name}" [label="{label}", style="{_STYLES[item.state]}", color="{colour}", '
            f'fontcolor="{colour}"];'
        )
        lines += [f'"{before}" -> "{name}";' for before in item.lesson.after]
    last = {item.lesson.slug for item in stations} - {
        before for item in stations for before in item.lesson.after
    }
    for item in stations:
        if item.lesson.slug in last:
            for challenge in item.lesson.unlocks:
                lines.append(
                    f'"challenge {challenge}" [shape=oval, color="#6b7a89", fontcolor="#6b7a89"];'
                )
                lines.append(f'"{item.lesson.slug}" -> "challenge {challenge}";')
    return "\n".join([*lines, "}"])


def _entry(station: Station) -> None:
    lesson = station.lesson
    with st.container(border=True):
        st.subheader(plain(lesson.title), anchor=False)
        st.markdown(plain(lesson.summary))
        st.caption(f"{lesson.level.value}, about {lesson.minutes} minutes. {_standing(station)}")
        label = {State.PASSED: "Look at it again", State.NEXT: "Open it"}.get(
            station.state, "Open it all the same"
        )
        # A link to the page that one is on leads nowhere in Streamlit; the address is set all the
        # same, so that it can be sent to others.
        if st.button(f"{label}: {plain(lesson.title)}", key=f"open-{lesson.slug}"):
            st.query_params["lesson"] = lesson.slug
            st.rerun()


def _standing(station: Station) -> str:
    if not station.tries:
        return station.state.value.capitalize() + "."
    tries = f"{station.tries} {'try' if station.tries == 1 else 'tries'}"
    return f"{station.state.value.capitalize()}: {_best(station.best)}, {tries}."


def _best(attempt: LessonAttempt | None) -> str:
    if attempt is None or attempt.result is None:
        return "nothing graded yet"
    return f"best {attempt.result.score:g} of {attempt.result.possible:g} points"


# ------------------------------------------------------------------------------ one lesson


def _lesson(house: House, person: Person, station: Station) -> None:
    lesson = station.lesson
    if st.button("All lessons"):
        st.query_params.clear()
        st.rerun()
    st.title(plain(lesson.title))
    show_done()
    st.markdown(plain(lesson.summary))
    st.caption(
        f"{lesson.level.value}, about {lesson.minutes} minutes, {lesson.passing:g} points pass. "
        f"{_standing(station)}"
    )
    if lesson.teaches:
        st.markdown(f"Helps with {', '.join(lesson.teaches)}.")
    if station.state is State.PASSED:
        st.success("You have passed this lesson.")
    left, right = st.columns(2, gap="large")
    with left:
        _take(house, lesson)
    with right:
        _hand_in(house, person, lesson.slug)
    _tries(lesson.slug)


def _take(house: House, lesson: Lesson) -> None:
    st.subheader("1. Take it", anchor=False)
    st.markdown(
        "Download the notebook, and open it in Jupyter, VS Code or whatever opens notebooks. It "
        "needs pandas, scikit-learn and pytest. What you get is a .zip: unpack it, and keep what "
        "lies in it together."
    )
    st.link_button("Download the notebook", f"/files/lessons/{lesson.slug}.zip")
    for name in notebooks(lesson.source):
        st.link_button(f"Read {name} here", f"/files/lessons/{lesson.slug}/{name}.html")
        hub = learning.hub_address(house, lesson.slug, name)
        if hub:
            st.link_button(f"Open {name} on JupyterHub", hub)


def _hand_in(house: House, person: Person, slug: str) -> None:
    st.subheader("2. Hand it in", anchor=False)
    with st.form("hand-in", clear_on_submit=True):
        files = st.file_uploader("The notebook, solved", type=["ipynb"], accept_multiple_files=True)
        if st.form_submit_button("Hand it in"):
            with told():
                handed_in = {file.name: file.getvalue() for file in files}
                learning.hand_in(house, person, slug, handed_in)
                done("Handed in; it is graded below.")
    st.caption("As often as you like: the best try counts.")


@st.fragment(run_every=_EVERY)
def _tries(slug: str) -> None:
    """Show what was handed in, live."""
    house, person = need(Page.LESSONS)
    st.subheader("3. Read what came of it", anchor=False)
    found = learning.attempts(house, person, slug)
    if not found:
        empty("You have handed nothing in yet.", "Your tries are listed here.")
        return
    for number, attempt in zip(range(len(found), 0, -1), found, strict=True):
        with st.expander(_title(number, attempt), expanded=attempt is found[0]):
            _try(attempt)


def _title(number: int, attempt: LessonAttempt) -> str:
    if attempt.result is None:
        said = {JobState.FAILED: "could not be graded", JobState.RUNNING: "is being graded"}
        state = said.get(attempt.state, "waits to be graded")
    else:
        verdict = "passed" if attempt.result.passed else "not passed yet"
        state = f"{attempt.result.score:g} of {attempt.result.possible:g} points, {verdict}"
    return f"Try {number}: {state}, {moment(attempt.received_at)}"


def _try(attempt: LessonAttempt) -> None:
    if attempt.state is JobState.FAILED:
        st.error(plain(attempt.message))
    given = learning.grade_of(attempt)
    if given is None:
        return
    for remark in given.remarks:
        st.warning(plain(remark))
    table = pd.DataFrame(
        {
            "Cell": cell.cell,
            "Points": "a person looks" if cell.waits else f"{cell.points:g} of {cell.possible:g}",
            "Why": cell.reason or cell.comment,
        }
        for cell in given.cells
    )
    as_table(table.set_index("Cell"))
    for name in dict.fromkeys(cell.notebook for cell in given.cells):
        st.link_button(f"Feedback on {name}", f"/files/feedback/{attempt.id}/{name}.html")


draw()
