"""Leaderboard: who is where, and how that came about."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from leaderboard.model import Event, Person, Role
from portal.access import Page
from portal.house import House
from portal.pages.common import (
    as_table,
    choose_event,
    empty,
    linked_choice,
    linked_tabs,
    moment,
    need,
)
from portal.services import boards, challenges, desk
from portal.services.boards import Board

_DRAWN = 10
_ALL = "all"
_EQUAL = 5e-5
"""Relative loss that would be shown as 0.00 %."""
_LINES = {
    "mark": {"type": "line", "point": True, "interpolate": "step-after"},
    "encoding": {
        "x": {
            "field": "when",
            "type": "temporal",
            "title": None,
            "axis": {"format": "%d %b %H:%M", "labelOverlap": True, "tickCount": 6},
        },
        "y": {"field": "points", "type": "quantitative"},
        "color": {"field": "team", "type": "nominal", "legend": {"orient": "bottom"}},
        "shape": {"field": "team", "type": "nominal"},
    },
}
"""Written out: this page is looked at by everybody, and Altair checks a chart for 20 ms."""


def draw() -> None:
    """Draw the page."""
    house, person = need(Page.LEADERBOARD)
    st.title("Leaderboard")
    event_tab, season_tab = linked_tabs(["Event", "Season"])
    with event_tab:
        _event(house, person)
    with season_tab:
        _season(house)


def _season(house: House) -> None:
    kind = st.segmented_control("Who plays", ["Teams", "Units"], default="Teams")
    points = boards.season(house, by_unit=kind == "Units")
    if not points:
        empty("No event has ended yet.", "Final points of all events are added up here.")
        return
    st.caption("Final points of all events that have ended, each challenge's best team for a name.")
    table = pd.DataFrame(
        {"Place": place, "Name": name, "Points": total}
        for place, (name, total) in enumerate(points.items(), 1)
    )
    as_table(table.set_index("Place"))


def _event(house: House, person: Person) -> None:
    event = choose_event(house, person)
    versions = {version.slug: version for version in challenges.versions(house, event)}
    if not versions:
        empty("This event has no challenge yet.", "A champion adds one at the desk.")
        return
    slug = next(iter(versions))
    if len(versions) > 1:
        titles = {version.slug: version.title for version in versions.values()}
        slug = linked_choice("Challenge", {**titles, _ALL: "All challenges"}, "challenge")
    private = _private(house, person, event)
    if slug == _ALL:
        _overall(house, person, event, private=private)
        return
    board = boards.board(house, person, event.slug, slug, private=private)
    _state(board)
    if not board.rows:
        empty("Nobody is on this board yet.", "The first accepted submission leads.")
        return
    _table(board)
    _equal(board.noise)
    _chart(board)


def _overall(house: House, person: Person, event: Event, *, private: bool) -> None:
    rows = boards.overall(house, person, event.slug, private=private)
    if not rows:
        empty("Nobody is on this board yet.", "The first accepted submission leads.")
        return
    weights = desk.weights(house, event)
    st.caption("Points of each challenge, times its weight, added up.")
    table = pd.DataFrame(
        {
            "Rank": row.place.rank,
            "Team": f"{row.team.name} (yours)" if row.own else row.team.name,
            "Points": row.place.points,
            **{
                f"{slug} (x{weight})": str(row.place.by_challenge.get(slug, "none"))
                for slug, weight in weights.items()
            },
        }
        for row in rows
    )
    as_table(table.set_index("Rank"))


def _private(house: House, person: Person, event: Event) -> bool:
    if house.now() < event.ends_at and Role.CHAMPION not in person.roles:
        return False
    kind = st.segmented_control(
        "Board", ["Public", "Private"], default="Public", key="board", bind="query-params"
    )
    return kind == "Private"


def _state(board: Board) -> None:
    if board.private:
        st.caption("All points, of the reports that each team chose.")
    elif board.frozen:
        st.warning(f"The board stands still: it shows what came in until {moment(board.until)}.")
    else:
        st.caption("Public points: what is hidden until the end is not in them, so they are fewer.")


def _table(board: Board) -> None:
    units = sorted({unit for row in board.rows for unit in row.units})
    wanted = st.pills("Units", units, selection_mode="multi") if units else []
    rows = [row for row in board.rows if not wanted or row.units & set(wanted)]
    measured = any(row.loss is not None for row in board.rows)
    table = pd.DataFrame(
        {
            "Rank": row.standing.rank,
            "Team": f"{row.team.name} (yours)" if row.own else row.team.name,
            "Points": row.standing.points,
            **({"Against legacy": _against(row.loss)} if measured else {}),
            "Moved": _moved(row.moved),
            "Submissions": row.standing.submissions,
            "Reached": moment(row.standing.reached_at),
            "Units": ", ".join(sorted(row.units)) or "not known",
        }
        for row in rows
    )
    if table.empty:
        empty("No team of these units is on the board.", "Choose others.")
        return
    with st.container(key="board"):
        as_table(table.set_index("Rank"))
    if measured:
        st.caption(
            "Against legacy: quality on hidden labels next to the legacy model's. It moves only on "
            "gains that chance does not explain."
        )


def _equal(noise: int) -> None:
    if noise:
        st.caption(
            f"Totals within {noise} points share a rank: by as much differed the same port, graded "
            "twice in a rehearsal."
        )


def _against(loss: float | None) -> str:
    if loss is None:
        return "not measured"
    if abs(loss) < _EQUAL:
        return "equal"
    return f"{abs(loss):.2%} {'worse' if loss > 0 else 'better'}"


def _moved(ranks: int | None) -> str:
    if ranks is None:
        return "new"
    if ranks == 0:
        return "same"
    return f"up {ranks}" if ranks > 0 else f"down {-ranks}"


def _chart(board: Board) -> None:
    st.subheader("Points over time", anchor=False)
    leading = {row.team.name for row in board.rows[:_DRAWN]}
    steps = {team: steps for team, steps in board.history.items() if team in leading}
    now = min(board.until, board.event.ends_at)
    table = pd.DataFrame(
        [
            {"when": when, "points": points, "team": team}
            for team, reached in steps.items()
            # What somebody has holds until now: a line says so where a point would not.
            for when, points in [*reached, (max(now, reached[-1][0]), reached[-1][1])]
        ]
    )
    said = "Points of the leading teams over time, one line each"
    st.vega_lite_chart(table, _LINES, alt=said)


draw()
