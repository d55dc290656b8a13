"""Standings: pure functions from what was recorded to who is where.

**Which report counts.** A team's best: by total, or the best accepted one, as the event says.

**Ties.** Whoever reached a total first stands first. Reaching counts from when the submission was
received, not from when its grading ended: a slow queue moves nobody down.

**Noise.** Totals within the challenge's measured noise of the best of their group share a rank, and
the next rank counts everybody before it (1, 1, 3). Groups are anchored at their best member, so a
long chain of small steps does not make everybody equal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from leaderboard.model import Counting, Event

ACCEPTED = "accepted"
FINALS = 2
"""Submissions that a team may choose for the private board."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A graded submission, as far as ranking looks at it."""

    report_id: int
    team_id: int
    received_at: datetime
    outcome: str
    total: int | None
    """Points over all groups; not scored is None."""
    public_total: int | None
    """Points without the groups that count only at the end."""
    loss: float | None = None
    """How much worse than the legacy model, relative to it; negative where it is better."""
    loss_error: float | None = None
    """Standard error of the loss."""


_Points = Callable[[Entry], int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A team's place on a board."""

    rank: int
    team_id: int
    points: int
    report_id: int
    reached_at: datetime
    submissions: int
    """Graded ones of the team, as far as this board shows."""


def public_board(
    entries: Iterable[Entry], event: Event, now: datetime, *, noise: int = 0
) -> tuple[Standing, ...]:
    """Return the board that everybody sees: public points, and nothing newer than the freeze.

    :param noise: points within which two totals are equal
    """
    seen = [entry for entry in entries if entry.received_at <= shown_until(event, now)]
    return _rank(_best_by_team(seen, event.counting, _public), seen, _public, noise)


def private_board(
    entries: Sequence[Entry],
    event: Event,
    chosen: Mapping[int, Sequence[int]],
    *,
    noise: int = 0,
) -> tuple[Standing, ...]:
    """Return the final board: all points, of the reports that each team chose.

    :param chosen: reports by team, at most two; where a team chose none, its two best by public
        points stand for it, so that nobody is ranked by a pick among all of them after the fact
    """
    finals = [
        entry
        for team in {entry.team_id for entry in entries}
        for entry in _finals([e for e in entries if e.team_id == team], event, chosen.get(team, ()))
    ]
    return _rank(_best_by_team(finals, event.counting, _total), entries, _total, noise)


def shown_until(event: Event, now: datetime) -> datetime:
    """Return up to when submissions are shown: the freeze holds until the event ends."""
    if event.freezes_at is not None and event.freezes_at <= now < event.ends_at:
        return event.freezes_at
    return now


def movement(before: Sequence[Standing], after: Sequence[Standing]) -> dict[int, int | None]:
    """Return by team how many ranks it rose (negative: fell); None where it was not there."""
    ranks = {standing.team_id: standing.rank for standing in before}
    return {s.team_id: ranks[s.team_id] - s.rank if s.team_id in ranks else None for s in after}


def left_today(received: Iterable[datetime], cap: int, now: datetime) -> int:
    """Return how many submissions a team may still make on this UTC day."""
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    today = sum(start <= moment < start + timedelta(days=1) for moment in received)
    return max(0, cap - today)


def ladder(losses: Sequence[tuple[float, float]]) -> tuple[float, ...]:
    """Return what a board shows of a team's losses, one after the other.

    The parameter-free Ladder (Blum and Hardt 2015, algorithm 3): a loss is shown only where it is
    better than the best shown one by more than its standard error; else the best one is shown
    again. So a board can't be climbed by what chance adds, however often somebody tries.

    :param losses: loss and its standard error, in the order of submission; lower is better
    :return: the losses as they are shown, non-increasing
    """
    shown: list[float] = []
    best = math.inf
    for loss, error in losses:
        if loss < best - error:
            best = loss
        shown.append(best)
    return tuple(shown)


def losses_by_team(entries: Iterable[Entry]) -> dict[int, float]:
    """Return the loss that a board shows of each team: the last rung of its Ladder.

    The standard error is that of the difference from the legacy model, not, as in the paper, from
    the best shown predictions: a board keeps no predictions.
    """
    tries: dict[int, list[tuple[float, float]]] = {}
    for entry in sorted(entries, key=lambda entry: (entry.received_at, entry.report_id)):
        if entry.loss is not None and entry.loss_error is not None:
            tries.setdefault(entry.team_id, []).append((entry.loss, entry.loss_error))
    return {team: ladder(losses)[-1] for team, losses in tries.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Overall:
    """A team's place over all challenges of an event."""

    rank: int
    team_id: int
    points: int
    """Weighted, and added up."""
    by_challenge: Mapping[str, int]
    """Unweighted, by slug; challenges without points are left out."""


def overall(
    boards: Mapping[str, Sequence[Standing]], weights: Mapping[str, int]
) -> tuple[Overall, ...]:
    """Return the board over several challenges: points times weights, added up.

    Equal sums share a rank, and stand in the order in which their last part was reached.
    """
    points: dict[int, dict[str, int]] = {}
    reached: dict[int, datetime] = {}
    for slug, board in boards.items():
        for standing in board:
            team = standing.team_id
            points.setdefault(team, {})[slug] = standing.points
            reached[team] = max(standing.reached_at, reached.get(team, standing.reached_at))
    sums = {team: sum(weights[slug] * n for slug, n in own.items()) for team, own in points.items()}
    order = sorted(sums, key=lambda team: (-sums[team], reached[team], team))
    return tuple(
        Overall(
            rank=1 + sum(other > sums[team] for other in sums.values()),
            team_id=team,
            points=sums[team],
            by_challenge=points[team],
        )
        for team in order
    )


def season(boards: Mapping[str, Sequence[Standing]], names: Mapping[int, str]) -> dict[str, int]:
    """Return points over several events by name: each event gives what the team's total was.

    :param boards: final boards by event
    :param names: by team, under which a season is played: that of the team, or of its unit
    :return: sorted by points, best first, then by name; of a name's teams the best one counts
    """
    points: dict[str, int] = {}
    for board in boards.values():
        best: dict[str, int] = {}
        for standing in board:
            name = names[standing.team_id]
            best[name] = max(best.get(name, 0), standing.points)
        for name, value in best.items():
            points[name] = points.get(name, 0) + value
    return dict(sorted(points.items(), key=lambda item: (-item[1], item[0])))


def _total(entry: Entry) -> int | None:
    return entry.total


def _public(entry: Entry) -> int | None:
    return entry.public_total


def _finals(entries: Sequence[Entry], event: Event, chosen: Sequence[int]) -> list[Entry]:
    picked = [entry for entry in entries if entry.report_id in chosen]
    if picked:
        return picked[:FINALS]
    return sorted(_counted(entries, event.counting, _public), key=_order(_public))[:FINALS]


def _best_by_team(entries: Iterable[Entry], counting: Counting, points: _Points) -> list[Entry]:
    best: dict[int, Entry] = {}
    for entry in sorted(_counted(entries, counting, points), key=_order(points)):
        best.setdefault(entry.team_id, entry)
    return list(best.values())


def _counted(entries: Iterable[Entry], counting: Counting, points: _Points) -> list[Entry]:
    return [
        entry
        for entry in entries
        if points(entry) is not None and (counting is Counting.BEST or entry.outcome == ACCEPTED)
    ]


def _order(points: _Points) -> Callable[[Entry], tuple[int, datetime, int]]:
    """Most points first, then whoever reached them first, then the older report."""
    return lambda entry: (-(points(entry) or 0), entry.received_at, entry.report_id)


def _rank(
    best: Iterable[Entry], seen: Sequence[Entry], points: _Points, noise: int
) -> tuple[Standing, ...]:
    standings: list[Standing] = []
    anchor = rank = 0
    for place, entry in enumerate(sorted(best, key=_order(points)), 1):
        value = points(entry) or 0
        if not standings or anchor - value > noise:
            anchor, rank = value, place
        standings.append(
            Standing(
                rank=rank,
                team_id=entry.team_id,
                points=value,
                report_id=entry.report_id,
                reached_at=entry.received_at,
                submissions=sum(other.team_id == entry.team_id for other in seen),
            )
        )
    return tuple(standings)
