"""What leaders said: of reports, and of the waivers that teams asked for.

Nothing is taken back: a later word stands over an earlier one, and both stay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from leaderboard import tables
from leaderboard.errors import StoreError
from leaderboard.model import Decision, Review, WaiverDecision, WaiverRuling
from leaderboard.ranking import FINALS
from leaderboard.store import audit, submissions
from leaderboard.store.rows import AnyRow, fields, new_id


def review(
    tx: Connection, report: int, decision: Decision, reason: str, *, by: int, at: datetime
) -> Review:
    """Say of a report whether it is approved.

    :raises StoreError: there is no reason (slug ``reason-missing``), or no such report (slug
        ``report-unknown``), or what is approved was not accepted (slug ``not-accepted``)
    """
    found = submissions.find_report(tx, report)
    check_reason(reason)
    if decision is Decision.APPROVED and found.outcome != "accepted":
        raise StoreError(
            "not-accepted",
            f"Report {report} is {found.outcome}: only an accepted submission can be approved.",
            remedy="Grant the waivers that it needs and grade again, or let the team mend it.",
        )
    new = new_id(
        tx, tables.review, report_id=report, decision=decision.value, reason=reason, by=by, at=at
    )
    subject = f"submission:{found.submission_id}"
    audit.record(tx, audit.REVIEWED, subject, at=at, by=by, decision=decision.value)
    return Review(id=new, report_id=report, decision=decision, reason=reason, by=by, at=at)


def reviews(tx: Connection, report: int) -> tuple[Review, ...]:
    """Return what was said of a report, the last word last."""
    table = tables.review
    rows = tx.execute(select(table).where(table.c.report_id == report).order_by(table.c.id))
    return tuple(Review(**{**fields(row), "decision": Decision(row.decision)}) for row in rows)


def last_words(tx: Connection, reports: Collection[int]) -> dict[int, Review]:
    """Return what was said last of each of some reports, of which anything was, by their ids."""
    table = tables.review
    rows = tx.execute(select(table).where(table.c.report_id.in_(reports)).order_by(table.c.id))
    return {
        row.report_id: Review(**{**fields(row), "decision": Decision(row.decision)}) for row in rows
    }


def approval(tx: Connection, submission: int) -> Review | None:
    """Return the approval of a submission; None where the last word on it is another one."""
    table, told = tables.review, tables.report
    row = tx.execute(
        select(table)
        .join(told, told.c.id == table.c.report_id)
        .where(told.c.submission_id == submission)
        .order_by(table.c.id.desc())
        .limit(1)
    ).first()
    if row is None or row.decision != Decision.APPROVED.value:
        return None
    return Review(**{**fields(row), "decision": Decision.APPROVED})


def approved_commit(tx: Connection, team: int, challenge_slug: str, *, before: int) -> str | None:
    """Return the commit of a team that was approved last, of those submitted before another one."""
    sent, told, said, known = tables.submission, tables.report, tables.review, tables.challenge
    row = tx.execute(
        select(sent.c.commit)
        .join(told, told.c.submission_id == sent.c.id)
        .join(said, said.c.report_id == told.c.id)
        .join(known, known.c.id == sent.c.challenge_id)
        .where(
            sent.c.team_id == team,
            known.c.slug == challenge_slug,
            sent.c.id < before,
            said.c.decision == Decision.APPROVED.value,
        )
        .order_by(said.c.id.desc())
        .limit(1)
    ).first()
    return None if row is None else str(row.commit)


def rule_waiver(  # noqa: PLR0913 - a ruling is all of this
    tx: Connection,
    *,
    team: int,
    challenge_slug: str,
    code: str,
    decision: WaiverDecision,
    reason: str,
    by: int,
    at: datetime,
    path: str = "",
    expires_at: datetime | None = None,
) -> WaiverRuling:
    """Grant, refuse or revoke a deviation from one check, for one path or for all.

    :raises StoreError: there is no reason (slug ``reason-missing``)
    """
    check_reason(reason)
    new = new_id(
        tx,
        tables.waiver,
        team_id=team,
        challenge_slug=challenge_slug,
        code=code,
        path=path,
        decision=decision.value,
        reason=reason,
        by=by,
        at=at,
        expires_at=expires_at,
    )
    audit.record(tx, f"waiver.{decision}", f"team:{team}", at=at, by=by, code=code, path=path)
    return _ruling(tx, new)


def ask_once(
    tx: Connection,
    *,
    team: int,
    challenge_slug: str,
    code: str,
    path: str,
    reason: str,
    by: int,
    at: datetime,
) -> WaiverRuling | None:
    """Ask for a waiver, unless the team has asked for the same with these very words before."""
    for known in rulings(tx, team, challenge_slug):
        asked = known.decision is WaiverDecision.ASKED
        if asked and (known.code, known.path, known.reason) == (code, path, reason):
            return None
    return rule_waiver(
        tx,
        team=team,
        challenge_slug=challenge_slug,
        code=code,
        path=path,
        decision=WaiverDecision.ASKED,
        reason=reason,
        by=by,
        at=at,
    )


def waivers_in_force(
    tx: Connection, team: int, challenge_slug: str, *, at: datetime
) -> tuple[WaiverRuling, ...]:
    """Return the waivers that held at a time: granted last of all said by then, and not expired."""
    return in_force(rulings(tx, team, challenge_slug), at=at)


def in_force(said: Iterable[WaiverRuling], *, at: datetime) -> tuple[WaiverRuling, ...]:
    """Return which of a team's waivers held at a time.

    :param said: all that was asked and answered, oldest first
    """
    last = {
        (ruling.code, ruling.path): ruling
        for ruling in said
        # Asking again undoes no answer.
        if ruling.decision is not WaiverDecision.ASKED and ruling.at <= at
    }
    return tuple(
        ruling
        for _, ruling in sorted(last.items())
        if ruling.decision is WaiverDecision.GRANTED
        and (ruling.expires_at is None or ruling.expires_at > at)
    )


def rulings(tx: Connection, team: int, challenge_slug: str) -> tuple[WaiverRuling, ...]:
    """Return all that was asked and said of a team's deviations, oldest first."""
    table = tables.waiver
    rows = tx.execute(
        select(table)
        .where(table.c.team_id == team, table.c.challenge_slug == challenge_slug)
        .order_by(table.c.id)
    )
    return tuple(map(_as_ruling, rows))


def rulings_in(tx: Connection, event: int) -> Mapping[tuple[int, str], Sequence[WaiverRuling]]:
    """Return the same of an event's teams, by team and challenge slug."""
    table, team = tables.waiver, tables.team
    rows = tx.execute(
        select(table)
        .join(team, team.c.id == table.c.team_id)
        .where(team.c.event_id == event)
        .order_by(table.c.id)
    )
    found: dict[tuple[int, str], list[WaiverRuling]] = {}
    for row in rows:
        found.setdefault((row.team_id, row.challenge_slug), []).append(_as_ruling(row))
    return found


def choose_finals(
    tx: Connection, team: int, challenge_slug: str, chosen: Sequence[int], *, by: int, at: datetime
) -> None:
    """Choose which submissions count on a challenge's private board; the choice before is replaced.

    :param chosen: ids of graded submissions
    :raises StoreError: there are too many, or one is none of the team's graded submissions to this
        challenge (slug ``finals``)
    """
    graded = {sent.id: told.id for sent, told in submissions.graded(tx, team, challenge_slug)}
    wanted = sorted(set(chosen))
    if len(wanted) > FINALS or not graded.keys() >= set(wanted):
        raise StoreError("finals", f"Choose up to {FINALS} of the team's own graded submissions.")
    table, told, sent, known = (
        tables.final_choice, tables.report, tables.submission, tables.challenge
    )  # fmt: skip
    of_challenge = (
        select(told.c.id)
        .join(sent, sent.c.id == told.c.submission_id)
        .join(known, known.c.id == sent.c.challenge_id)
        .where(known.c.slug == challenge_slug)
    )
    tx.execute(delete(table).where(table.c.team_id == team, table.c.report_id.in_(of_challenge)))
    for number in wanted:
        values = {"report_id": graded[number], "chosen_by": by, "chosen_at": at}
        tx.execute(insert(table).values(team_id=team, **values))
    audit.record(tx, "finals.chosen", f"team:{team}", at=at, by=by, submissions=wanted)


def finals(tx: Connection, event: int) -> dict[int, tuple[int, ...]]:
    """Return the reports that an event's teams chose, by team.

    Of a chosen submission that was graded again, the last report.
    """
    table, team, told = tables.final_choice, tables.team, tables.report
    last = told.alias()
    rows = tx.execute(
        select(table.c.team_id, func.max(last.c.id).label("report_id"))
        .join(team, team.c.id == table.c.team_id)
        .join(told, told.c.id == table.c.report_id)
        .join(last, last.c.submission_id == told.c.submission_id)
        .where(team.c.event_id == event)
        .group_by(table.c.team_id, told.c.submission_id)
        .order_by(table.c.team_id, func.max(last.c.id))
    )
    chosen: dict[int, tuple[int, ...]] = {}
    for row in rows:
        chosen[row.team_id] = (*chosen.get(row.team_id, ()), row.report_id)
    return chosen


def check_reason(reason: str) -> None:
    """Refuse what nobody says why.

    :raises StoreError: there is no reason (slug ``reason-missing``)
    """
    if not reason.strip():
        raise StoreError(
            "reason-missing",
            "It needs a reason.",
            remedy="Say in a sentence why; whoever it is for reads it.",
        )


def _ruling(tx: Connection, number: int) -> WaiverRuling:
    row = tx.execute(select(tables.waiver).where(tables.waiver.c.id == number)).one()
    return _as_ruling(row)


def _as_ruling(row: AnyRow) -> WaiverRuling:
    return WaiverRuling(**{**fields(row), "decision": WaiverDecision(row.decision)})
