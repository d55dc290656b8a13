"""Adoption: which unit's people are trained, which models are converted, what holds the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

import altair as alt
import pandas as pd
import streamlit as st

from leaderboard.adoption import Funnel, ModelStage, PersonStage
from portal.access import Page
from portal.pages.adoption_register import register
from portal.pages.common import (
    as_csv,
    as_table,
    empty,
    linked_tabs,
    moment,
    need,
    show_done,
)
from portal.services import adopting, reading
from portal.services.adopting import Adoption

_WORST = 15


def draw() -> None:
    """Draw the page."""
    house, person = need(Page.ADOPTION)
    st.title("Adoption")
    show_done()
    found = adopting.adoption(house, person)
    everybody, trained, models, violations, importing = linked_tabs(
        ["People", "Trained", "Legacy models", "Standards missed", "Register"]
    )
    with everybody:
        _people(found)
    with trained:
        _trained(found)
    with models:
        _models(found)
    with violations:
        _heat(found)
    with importing:
        register(house, person, found)


def _people(found: Adoption) -> None:
    funnel = _funnel(found, found.people_funnels, "people")
    _over_time(found, found.people_over_time(funnel), list(PersonStage), "people")
    stage = _stage(list(PersonStage), "people")
    rows = [
        {
            "Name": found.people[row.id].name,
            "Unit": found.unit_name(found.people[row.id].unit_id),
            "Reached": moment(row.reached[stage]) if stage in row.reached else "not noted",
        }
        for row in found.people_progress
        if row.id in funnel.stages[stage]
    ]
    _rows(rows, "people")


def _trained(found: Adoption) -> None:
    whole = found.trained[0]
    if not whole.lessons:
        empty("There is no lesson yet.", "A champion writes one.")
        return
    left, right = st.columns(2)
    left.metric("Passed a lesson", len(whole.any))
    right.metric("People", len(whole.people))
    table = pd.DataFrame(
        {
            "Unit": found.unit_name(row.unit_id),
            "Trained": f"{len(row.any)} of {len(row.people)}",
            **{title: len(ids) for title, ids in row.lessons.items()},
        }
        for row in found.trained
    )
    as_table(table.set_index("Unit"))
    title = st.selectbox("Who has passed", list(whole.lessons), key="lesson-title")
    rows = [
        {"Name": found.people[number].name, "Unit": found.unit_name(found.people[number].unit_id)}
        for number in sorted(whole.lessons[title])
    ]
    _rows(rows, "trained")


def _models(found: Adoption) -> None:
    if not found.models:
        empty("No legacy model is registered yet.", "Import the list in the tab Register.")
        return
    funnel = _funnel(found, found.model_funnels, "models")
    _over_time(found, found.models_over_time(funnel), list(ModelStage), "models")
    stage = _stage(list(ModelStage), "models")
    rows = [
        {
            "Model": found.models[row.id].name,
            "Unit": found.unit_name(found.models[row.id].unit_id),
            "Language": found.models[row.id].language,
            "Owner": found.models[row.id].owner,
            "Reached": moment(row.reached[stage]) if stage in row.reached else "not noted",
        }
        for row in found.model_progress
        if row.id in funnel.stages[stage]
    ]
    _rows(rows, "models")


def _funnel(found: Adoption, funnels: Sequence[Funnel], what: str) -> Funnel:
    """Show all units, and return the funnel of the one that is looked at."""
    table = pd.DataFrame(
        {"Unit": found.unit_name(funnel.unit_id), **funnel.counts()} for funnel in funnels
    )
    as_table(table.set_index("Unit"))
    chosen = st.selectbox(
        "Unit, with all below it",
        range(len(funnels)),
        format_func=lambda number: found.unit_name(funnels[number].unit_id),
        key=f"{what}-unit",
    )
    counts = funnels[chosen].counts()
    for column, (stage, number) in zip(st.columns(len(counts)), counts.items(), strict=True):
        column.metric(stage.capitalize(), number)
    return funnels[chosen]


def _over_time(
    found: Adoption, times: Mapping[str, Sequence[int]], stages: Sequence[StrEnum], what: str
) -> None:
    drawn = pd.DataFrame(
        [
            {"when": when, "number": number, "stage": stage}
            for stage, numbers in times.items()
            for when, number in zip(found.moments, numbers, strict=True)
        ]
    )
    chart = (
        alt.Chart(drawn)
        .mark_line(interpolate="step-after")
        .encode(
            x=alt.X("when:T", title=None),
            y=alt.Y("number:Q", title=what, axis=alt.Axis(tickMinStep=1)),
            color=alt.Color("stage:N", sort=[stage.value for stage in stages]),
            strokeDash=alt.StrokeDash("stage:N", sort=[stage.value for stage in stages]),
        )
        .properties(height=260)
    )
    st.altair_chart(chart, alt=f"How many {what} had reached each stage, over time")


def _stage(stages: Sequence[StrEnum], what: str) -> StrEnum:
    st.subheader("Who they are" if what == "people" else "Which they are", anchor=False)
    return st.selectbox(
        "Have reached", stages, format_func=lambda known: known.value, key=f"{what}-stage"
    )


def _rows(rows: Sequence[Mapping[str, str]], what: str) -> None:
    if not rows:
        empty("Nobody here yet." if what == "people" else "None here yet.", "Choose others above.")
        return
    table = pd.DataFrame(rows)
    as_table(table.set_index(table.columns[0]))
    st.download_button(
        "Download as CSV", as_csv(table), f"{what}.csv", "text/csv", key=f"{what}-csv"
    )


def _heat(found: Adoption) -> None:
    if not found.heat:
        empty("Nothing was graded yet.", "Which checks fail in which unit is shown here.")
        return
    table = pd.DataFrame(
        {
            "unit": found.unit_name(heat.unit_id),
            "check": heat.code,
            "share": heat.share,
            "failed": len(heat.failed),
            "seen": heat.seen,
        }
        for heat in found.heat
    )
    worst = table.groupby("check")["share"].max().sort_values(ascending=False).head(_WORST).index
    shown = table[table["check"].isin(worst) & (table["failed"] > 0)]
    shown = shown.sort_values(["share", "failed"], ascending=False)
    if shown.empty:
        st.success("Nobody misses any standard.")
        return
    chart = (
        alt.Chart(shown)
        .mark_rect()
        .encode(
            x=alt.X("check:N", sort=list(worst)),
            y=alt.Y("unit:N", title=None),
            color=alt.Color("share:Q", scale=alt.Scale(scheme="oranges", domain=[0, 1])),
            tooltip=["unit", "check", alt.Tooltip("share", format=".0%"), "failed", "seen"],
        )
    )
    st.altair_chart(chart, alt="Share of last reports in which each check fails, by unit")
    named = shown.assign(
        share=shown["share"].map("{:.0%}".format), check=shown["check"].map(_titled)
    )
    as_table(named.set_index("unit"))
    st.download_button(
        "Download as CSV", as_csv(table), "standards.csv", "text/csv", key="heat-csv"
    )
    _heat_rows(found, list(worst))


def _heat_rows(found: Adoption, codes: Sequence[str]) -> None:
    """Open a figure down to the submissions that it counts."""
    st.subheader("Which submissions miss it", anchor=False)
    left, right = st.columns(2)
    units = list(dict.fromkeys(heat.unit_id for heat in found.heat))
    place = left.selectbox(
        "Unit",
        range(len(units)),
        format_func=lambda number: found.unit_name(units[number]),
        key="heat-unit",
    )
    code = right.selectbox("Check", codes, format_func=_titled, key="heat-check")
    failed = next(
        (h.failed for h in found.heat if (h.unit_id, h.code) == (units[place], code)), frozenset()
    )
    rows = [
        {
            "Submission": str(about.submission_id),
            "Team": about.team,
            "Challenge": about.challenge,
            "Graded": moment(about.at),
        }
        for report in sorted(failed)
        for about in (found.reports[report],)
    ]
    _rows(rows, "submissions")


def _titled(code: str) -> str:
    check = reading.explain(code)
    return f"{code} {check.title}" if check else code


draw()
