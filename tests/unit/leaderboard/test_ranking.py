from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.model import Counting, Event
from leaderboard.ranking import (
    Entry,
    Standing,
    ladder,
    left_today,
    losses_by_team,
    movement,
    overall,
    private_board,
    public_board,
    season,
)

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
EVENT = Event(
    id=1,
    slug="spring",
    title="Spring",
    starts_at=START,
    ends_at=START + timedelta(hours=48),
    freezes_at=START + timedelta(hours=40),
    counting=Counting.ACCEPTED,
    daily_cap=3,
)
NOON = START + timedelta(hours=3)


def entry(report: int, team: int, total: int | None, hours: float = 0, **changes: object) -> Entry:
    made = Entry(
        report_id=report,
        team_id=team,
        received_at=START + timedelta(hours=hours),
        outcome="accepted",
        total=total,
        public_total=total,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def places(board: tuple[Standing, ...]) -> list[tuple[int, int, int]]:
    return [(s.rank, s.team_id, s.points) for s in board]


def test_best_report_counts() -> None:
    board = public_board([entry(1, 7, 800), entry(2, 7, 900, 1), entry(3, 7, 850, 2)], EVENT, NOON)
    assert places(board) == [(1, 7, 900)]
    assert (board[0].report_id, board[0].submissions) == (2, 3)


def test_only_accepted_ones_count() -> None:
    rejected = entry(2, 7, 950, outcome="rejected")
    assert places(public_board([entry(1, 7, 800), rejected], EVENT, NOON)) == [(1, 7, 800)]


def test_event_may_count_all() -> None:
    open_event = replace(EVENT, counting=Counting.BEST)
    rejected = entry(1, 7, 450, outcome="rejected")
    assert places(public_board([rejected], open_event, NOON)) == [(1, 7, 450)]


def test_unscored_is_no_zero() -> None:
    assert public_board([entry(1, 7, None)], EVENT, NOON) == ()


def test_first_to_reach_stands_first() -> None:
    late, early = entry(1, 7, 900, 2), entry(2, 8, 900, 1)
    assert places(public_board([late, early], EVENT, NOON)) == [(1, 8, 900), (1, 7, 900)]


def test_rank_counts_those_before() -> None:
    entries = [entry(1, 1, 900), entry(2, 2, 900, 1), entry(3, 3, 800)]
    assert [s.rank for s in public_board(entries, EVENT, NOON)] == [1, 1, 3]


def test_noise_shares_rank_without_chains() -> None:
    entries = [entry(n, n, 900 - 4 * n, n / 10) for n in range(1, 6)]
    board = public_board(entries, EVENT, NOON, noise=8)
    assert [s.rank for s in board] == [1, 1, 1, 4, 4]


def test_frozen_board_stands_still() -> None:
    entries = [entry(1, 7, 800, 39), entry(2, 7, 900, 41)]
    frozen, ended = START + timedelta(hours=42), START + timedelta(hours=48)
    assert places(public_board(entries, EVENT, frozen)) == [(1, 7, 800)]
    assert places(public_board(entries, EVENT, ended)) == [(1, 7, 900)]


def test_private_board_takes_chosen() -> None:
    entries = [entry(n, 7, 700 + n, public_total=500 - n) for n in range(1, 5)]
    assert places(private_board(entries, EVENT, {7: (1, 2)})) == [(1, 7, 702)]


def test_unchosen_finals_are_best_public() -> None:
    entries = [entry(n, 7, 700 + n, public_total=500 - n) for n in range(1, 5)]
    assert places(private_board(entries, EVENT, {})) == [(1, 7, 702)]


def test_movement_is_in_ranks() -> None:
    before = public_board([entry(1, 1, 900), entry(2, 2, 800)], EVENT, NOON)
    after = public_board(
        [entry(1, 1, 900), entry(2, 2, 800), entry(3, 2, 950), entry(4, 3, 100)], EVENT, NOON
    )
    assert movement(before, after) == {2: 1, 1: -1, 3: None}


@pytest.mark.parametrize(
    ("hours", "left"), [((0, 1, 2), 0), ((0, 1), 1), ((), 3), ((20, 21, 22), 3), ((-10,), 3)]
)
def test_cap_counts_one_utc_day(hours: tuple[int, ...], left: int) -> None:
    received = [START + timedelta(hours=h) for h in hours]
    assert left_today(received, 3, NOON) == left


def test_ladder_shows_no_luck() -> None:
    losses = [(1.0, 0.1), (0.95, 0.1), (0.85, 0.1), (0.84, 0.1), (0.5, 0.1)]
    assert ladder(losses) == (1.0, 1.0, 0.85, 0.85, 0.5)


def test_board_shows_last_rung_of_each_team() -> None:
    tries = [
        entry(1, 7, 800, loss=0.02, loss_error=0.01),
        entry(2, 7, 800, 1, loss=0.015, loss_error=0.01),
        entry(3, 8, 800, 2),
        entry(4, 9, 800, 3, loss=-0.03, loss_error=0.01),
    ]
    assert losses_by_team(tries) == {7: 0.02, 9: -0.03}


def test_season_takes_best_team_of_name() -> None:
    spring = public_board([entry(1, 1, 900), entry(2, 2, 800), entry(3, 3, 850)], EVENT, NOON)
    autumn = public_board([entry(4, 4, 700)], EVENT, NOON)
    names = {1: "claims", 2: "claims", 3: "pricing", 4: "pricing"}
    assert list(season({"spring": spring, "autumn": autumn}, names).items()) == [
        ("pricing", 1550),
        ("claims", 900),
    ]


_ENTRIES = st.lists(
    st.builds(
        entry,
        st.integers(1, 10**6),
        st.integers(1, 5),
        st.none() | st.integers(0, 1000),
        st.floats(0, 39),
    ),
    unique_by=lambda e: e.report_id,
)


@given(_ENTRIES, st.integers(0, 50))
def test_ranks_follow_points(entries: list[Entry], noise: int) -> None:
    board = public_board(entries, EVENT, EVENT.ends_at, noise=noise)
    assert [s.points for s in board] == sorted((s.points for s in board), reverse=True)
    for place, standing in enumerate(board):
        assert standing.rank <= place + 1
        ahead = [s for s in board if s.points > standing.points + noise]
        assert standing.rank > len(ahead)


@given(_ENTRIES)
def test_order_of_entries_is_free(entries: list[Entry]) -> None:
    assert public_board(entries, EVENT, EVENT.ends_at) == public_board(
        entries[::-1], EVENT, EVENT.ends_at
    )


def test_overall_adds_up_what_counts() -> None:
    boards = {
        "tariff": public_board([entry(1, 7, 900), entry(2, 8, 800), entry(5, 9, 500)], EVENT, NOON),
        "claims": public_board([entry(3, 8, 300, 1), entry(4, 9, 350, 2)], EVENT, NOON),
    }
    plain = overall(boards, {"tariff": 1, "claims": 1})
    assert [(row.rank, row.team_id, row.points) for row in plain] == [
        (1, 8, 1100),
        (2, 7, 900),
        (3, 9, 850),
    ]
    assert dict(plain[0].by_challenge) == {"tariff": 800, "claims": 300}
    weighed = overall(boards, {"tariff": 1, "claims": 6})
    assert [(row.rank, row.team_id) for row in weighed] == [(1, 8), (1, 9), (3, 7)]
    assert overall({}, {}) == ()
