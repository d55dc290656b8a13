"""A report: the verdict, the points, what to fix first, the pictures, the way to a waiver."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import pandas as pd
import streamlit as st

from grader import report as reports
from grader.model import Check, ColumnParity, Finding, Outcome, Score
from leaderboard.model import Decision, Person
from portal.access import Action, Page, may
from portal.house import House
from portal.pages.common import (
    as_table,
    done,
    empty,
    linked_tabs,
    moment,
    need,
    plain,
    records,
    show_done,
    told,
)
from portal.services import learning, reading, reviewing, submitting, summary
from portal.services.reading import Read

_EVERY = 2
_FIRST = 5
_COLOURS = {Outcome.ACCEPTED: "green", Outcome.REJECTED: "red"}


def draw() -> None:
    """Draw the page."""
    house, person = need(Page.REPORT)
    number = st.query_params.get("submission", "")
    if not number.isdecimal():
        st.title("Report")
        empty("No submission is named.", "Open one from your team's page or the review queue.")
        return
    with told():
        status = submitting.status(house, person, int(number))
        if status.report is None:
            st.title(f"Submission {number}")
            _wait(int(number))
            return
        _report(house, person, reading.read(house, person, int(number)))


@st.fragment(run_every=_EVERY)
def _wait(submission: int) -> None:
    house, person = need(Page.REPORT)
    status = submitting.status(house, person, submission)
    if status.report is not None:
        st.rerun()
    if status.job.state.terminal:
        st.error(plain(status.said))
    else:
        st.progress(submitting.share(status), text=plain(status.said))
        st.caption("This page follows it by itself.")


def _report(house: House, person: Person, found: Read) -> None:
    scores = found.report.scores
    st.title(f"Submission {found.submission.id}")
    show_done()
    colour = _COLOURS.get(scores.outcome, "orange")
    st.header(
        f":{colour}[{scores.outcome.value}], {submitting.points(found.recorded)}", anchor=False
    )
    st.caption(
        f"{plain(found.team.name)}, {plain(found.version.title)} {found.version.version}, "
        f"commit {found.submission.commit[:10]}, {moment(found.submission.received_at)}"
    )
    if found.recorded.round > 1:
        st.caption(
            f"Graded again: this is report {found.recorded.round} of the same commit, by version "
            f"{found.report.challenge_version} ({found.report.challenge_digest[:8]})."
        )
    _difference(found)
    for reason in (*scores.reasons, *found.report.notes):
        st.markdown(f"- {plain(reason)}")
    _reviews(found)
    _downloads(found.submission.id)
    fix, points, pictures, waivers = linked_tabs(
        ["What to fix first", "Points", "Parity", "Waivers"]
    )
    with fix:
        _to_fix(house, found)
    with points:
        _points(found)
    with pictures:
        _parity(found)
    with waivers:
        _waivers(house, person, found)


def _difference(found: Read) -> None:
    if found.before is None or found.before.total is None or found.recorded.total is None:
        return
    gained = found.recorded.total - found.before.total
    st.markdown(f"**{gained:+d} points** since submission {found.before.submission_id}.")
    moved = summary.moved(found.before, found.report)
    if moved:
        with st.expander(f"What moved ({len(moved)})"):
            table = pd.DataFrame({"What": _titled(name), "Points": f"{n:+d}"} for n, name in moved)
            as_table(table.set_index("What"))


def _titled(name: str) -> str:
    check = reading.explain(name)
    return f"{name} {check.title}" if check else name


def _reviews(found: Read) -> None:
    for review in found.reviews:
        st.info(f"**{review.decision.value}**, {moment(review.at)}: {plain(review.reason)}")
    if found.reviews and found.reviews[-1].decision is Decision.APPROVED:
        records(found.submission.id)


def _downloads(submission: int) -> None:
    forms = {"Whole report (HTML)": "html", "JSON": "json", "JUnit": "junit", "SARIF": "sarif"}
    for column, (label, form) in zip(st.columns(len(forms)), forms.items(), strict=True):
        column.link_button(label, f"/files/reports/{submission}.{form}")


def _to_fix(house: House, found: Read) -> None:
    gains = reports.gains(found.report)
    if not gains:
        st.success("Nothing is left to fix.")
    if found.report.scores.gated:
        gates = ", ".join(found.report.scores.gated)
        st.warning(f"The total is halved until this passes: {gates}. It comes first.")
    by_code = {finding.code: finding for finding in found.report.findings}
    for number, gain in enumerate(gains):
        check = reading.explain(gain.name)
        title = f"{gain.name} ({summary.worth(gain)}) {check.title if check else ''}"
        with st.expander(plain(title), expanded=gain.decisive or number < _FIRST):
            if gain.name in by_code:
                _finding(house, found, by_code[gain.name], check)
            else:
                _cases(found, gain.name)


def _cases(found: Read, group: str) -> None:
    """Say which cases of a group fall short."""
    for case in found.report.cases:
        if case.group == group and case.share < 1:
            st.markdown(f"**{plain(case.case)}**: {plain(case.message)}")
    st.caption(f"Alone: drydock grade . --only {plain(group)}")


def _finding(house: House, found: Read, finding: Finding, check: Check | None) -> None:
    st.markdown(plain(finding.message))
    if finding.where is not None:
        _lines(house, found, finding.where.path, finding.where.line)
    if finding.fix and not (check and check.fix == finding.fix):
        st.markdown(f"**Here:** {plain(finding.fix)}")
    _taught(house, finding.code)
    if check is not None:
        _explained(check)


def _taught(house: House, code: str) -> None:
    """Lead to the lesson that helps with a check."""
    lesson = learning.teaches(house, code)
    if lesson is not None:
        st.page_link(
            "portal/pages/lessons.py",
            label=f"Lesson: {plain(lesson.title)}, {lesson.minutes} minutes",
            query_params={"lesson": lesson.slug},
        )


def _lines(house: House, found: Read, path: str, line: int | None) -> None:
    st.markdown(f"`{path.replace('`', '')}`" + (f", line {line}" if line else ""))
    shown = reading.lines_of(house, found)(path, line) if line else []
    if shown:
        text = "\n".join(f"{number:5d}  {content}" for number, content in shown)
        st.code(text, language=None)


def _explained(check: Check) -> None:
    st.markdown(f"**Why:** {plain(check.why)}")
    st.markdown(f"**Fix:** {plain(check.fix)}")
    if check.example:
        st.code(check.example, language=None)
    st.caption(f"Source: {plain(check.source)}. Alone: drydock grade . --only {check.code}")


def _points(found: Read) -> None:
    scores = found.report.scores
    for title, parts in (("Accuracy", scores.groups), ("Standards", scores.families)):
        st.subheader(title, anchor=False)
        _bars(title, parts)
        as_table(_table(parts))
    if scores.weakest:
        st.caption(f"Weakest family: {scores.weakest}.")


def _bars(title: str, parts: Mapping[str, Score]) -> None:
    """Draw which share of its points each part has earned."""
    table = pd.DataFrame(
        {"what": name, "share": score.earned / score.possible, "points": f"{score.earned}"}
        for name, score in parts.items()
        if score.earned is not None and score.possible
    )
    if table.empty:
        return
    chart = (
        alt.Chart(table)
        .mark_bar()
        .encode(
            x=alt.X(
                "share:Q", title=None, axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])
            ),
            y=alt.Y("what:N", title=None, sort="x"),
            tooltip=["what", alt.Tooltip("share", format=".0%"), "points"],
        )
    )
    st.altair_chart(chart, alt=f"{title}: share of its points that each part has earned")


def _table(parts: Mapping[str, Score]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "What": name,
            "Earned": "not scored" if score.earned is None else str(score.earned),
            "Possible": score.possible,
        }
        for name, score in parts.items()
    ).set_index("What")


def _parity(found: Read) -> None:
    if not found.report.columns:
        empty("Nothing was compared.", "The cases did not run; the first tab says why.")
    for column in found.report.columns:
        st.markdown(
            f"**{plain(column.case)}, {plain(column.column)}**: {column.within:.1%} of the rows "
            f"agree; least in {plain(column.worst_segment)} ({column.worst_segment_within:.1%})"
        )
        if column.within < 1:
            _segments(column)
        if column.points:
            _picture(column)


def _segments(column: ColumnParity) -> None:
    """Show in which kinds of rows a column is off, and by how much."""
    median, largest = column.median_difference, column.largest_difference
    if median is not None and largest is not None:
        st.caption(f"Off by {median:.3g} in the middle, by {largest:.3g} at most.")
    if column.segments:
        worst_first = sorted(column.segments.items(), key=lambda item: (item[1], item[0]))
        table = pd.DataFrame({"Rows": name, "Agree": f"{w:.1%}"} for name, w in worst_first)
        as_table(table.set_index("Rows"))


def _picture(column: ColumnParity) -> None:
    table = pd.DataFrame(column.points, columns=["legacy", "ported"])
    ends = [table["legacy"].min(), table["legacy"].max()]
    diagonal = (
        alt.Chart(pd.DataFrame({"legacy": ends, "ported": ends}))
        .mark_line(strokeDash=[4, 4], color="gray")
        .encode(x="legacy:Q", y="ported:Q")
    )
    rows = (
        alt.Chart(table)
        .mark_circle(size=24, opacity=0.6)
        .encode(
            x=alt.X("legacy:Q", scale=alt.Scale(zero=False)),
            y=alt.Y("ported:Q", scale=alt.Scale(zero=False)),
            tooltip=["legacy", "ported"],
        )
    )
    chart = (diagonal + rows).properties(height=260)
    said = f"Ported against legacy {column.column}; on the diagonal, both agree"
    st.altair_chart(chart, alt=said)


def _waivers(house: House, person: Person, found: Read) -> None:
    for ruling in found.waivers:
        place = f" for {ruling.path}" if ruling.path else ""
        said = f"{ruling.decision.value} {ruling.code}{place}: {ruling.reason}"
        st.markdown(f"- {moment(ruling.at)}: {plain(said)}")
    failed = summary.waivable(found.report)
    if not failed or not may(person, Action.ASK, found.team):
        return
    st.markdown("A deviation that has a good reason can be waived by a leader; a gate can't.")
    with st.form(f"waiver-{len(found.waivers)}"):
        code = st.selectbox("Check", failed)
        path = st.text_input("File or folder", help="Leave it empty for the whole check.")
        reason = st.text_area("Reason", max_chars=2000)
        if st.form_submit_button("Ask for it") and code:
            with told():
                reviewing.ask_waiver(house, person, found.submission.id, code, path, reason)
                done("A leader will answer; the answer is shown here.")


draw()
