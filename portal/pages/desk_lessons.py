"""The desk's part about lessons: what waits for a person's eye, and who fails where."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from leaderboard.model import Person
from portal.house import House
from portal.pages.common import as_table, done, empty, moment, plain, told
from portal.services import learning
from portal.services.learning import ToJudge


def lessons(house: House, person: Person) -> None:
    """Draw it."""
    for name, error in learning.broken_lessons(house).items():
        st.error(f"{name} cannot be loaded: {plain(error.message)} {plain(error.remedy)}")
    st.subheader("Answers to read", anchor=False)
    waiting = learning.to_judge(house, person)
    if not waiting:
        empty("No answer waits for you.", "What tests cannot grade is listed here.")
    for item in waiting:
        _judge(house, person, item)
    st.subheader("Who fails where", anchor=False)
    st.download_button(
        "All results (JSON)",
        lambda: learning.results(house, person),
        "lessons.json",
        help="'drydock lesson export' makes nbgrader's gradebook and table of it.",
    )
    with st.expander("Take in results of a course"):
        _take_in(house, person)
    for lesson in learning.all_lessons(house):
        st.markdown(f"**{plain(lesson.title)}**")
        _figures(house, person, lesson.slug)


def _take_in(house: House, person: Person) -> None:
    st.caption("'drydock lesson import --results' writes a course's scores into such a file.")
    with st.form("take-in", clear_on_submit=True):
        file = st.file_uploader("Results (JSON)", type=["json"])
        if not st.form_submit_button("Take them in") or file is None:
            return
        with told():
            taken = learning.take_in(house, person, file.getvalue().decode(errors="replace"))
            said = [f"{taken.new} results are taken in, and {taken.known} were there."]
            if taken.strangers:
                said.append(f"Nobody here: {plain(', '.join(taken.strangers))}.")
            if taken.unknown_lessons:
                said.append(f"No such lesson: {plain(', '.join(taken.unknown_lessons))}.")
            done(" ".join(said))


def _judge(house: House, person: Person, item: ToJudge) -> None:
    title = f"{item.lesson.title}: {item.person.name}, {moment(item.attempt.received_at)}"
    with st.expander(plain(title)), st.form(f"judge-{item.attempt.id}"):
        words = {}
        for cell, text in item.cells:
            key = f"{item.attempt.id}-{cell.notebook}-{cell.cell}"
            st.markdown(f"**{plain(cell.cell)}**, {cell.possible:g} points")
            st.code(text, language=None, wrap_lines=True)
            points = st.number_input(
                f"Points for {cell.cell}", 0.0, cell.possible, step=0.5, key=f"points-{key}"
            )
            comment = st.text_input(f"A word on {cell.cell}", max_chars=1000, key=f"word-{key}")
            words[cell.notebook, cell.cell] = (points, comment)
        if st.form_submit_button("Give them"):
            with told():
                learning.judge(house, person, item.attempt.id, words)
                done(f"{plain(item.person.name)} has them.")


def _figures(house: House, person: Person, slug: str) -> None:
    found = learning.figures(house, person, slug)
    if not found:
        st.caption("Nobody has handed it in yet.")
        return
    table = pd.DataFrame(
        {
            "Cell": item.cell,
            "People": item.people,
            "Lost points": item.lost,
            "Share of points": f"{item.share:.0%}",
            "Why, most often": item.reasons[0] if item.reasons else "",
        }
        for item in found
    )
    as_table(table.set_index("Cell"))
