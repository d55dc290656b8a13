"""The register of legacy models, and how far people and models have come, as it was recorded."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, func, insert, select, update

from leaderboard import tables
from leaderboard.adoption import ModelStage, PersonStage, Progress, Violation
from leaderboard.model import Decision, LegacyModel
from leaderboard.ranking import ACCEPTED
from leaderboard.store import audit
from leaderboard.store.rows import AnyRow, fields

_CHANGEABLE = ("unit_id", "owner", "language", "challenge_slug", "live_since")
_sent = tables.submission


@dataclass(frozen=True, slots=True, kw_only=True)
class NewModel:
    """A legacy model that is to be registered, or whose entry is to be changed."""

    name: str
    unit_id: int
    owner: str
    language: str
    challenge_slug: str | None = None
    live_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedOn:
    """What a report is about, for those who may not read it."""

    submission_id: int
    team: str
    challenge: str
    """Its title."""
    at: datetime
    """When it was recorded."""


def register(
    tx: Connection, models: Sequence[NewModel], *, at: datetime, by: int | None
) -> tuple[int, int]:
    """Register models; one of a name that is there already is changed.

    :return: how many are new, and how many were changed
    """
    table = tables.legacy_model
    known = {row.name: row for row in tx.execute(select(table))}
    new = [model for model in models if model.name not in known]
    changed = [m for m in models if m.name in known and _values(m) != _kept(known[m.name])]
    for model in changed:
        tx.execute(update(table).where(table.c.name == model.name).values(**_values(model)))
    if new:
        rows = [{"name": m.name, **_values(m), "registered_at": at} for m in new]
        tx.execute(insert(table), rows)
    names = {"new": [m.name for m in new], "changed": [m.name for m in changed]}
    audit.record(tx, "models.registered", "register", at=at, by=by, **names)
    return len(new), len(changed)


def models(tx: Connection) -> tuple[LegacyModel, ...]:
    """Return the register, by name."""
    rows = tx.execute(select(tables.legacy_model).order_by(tables.legacy_model.c.name))
    return tuple(LegacyModel(**fields(row)) for row in rows)


def people_progress(tx: Connection) -> tuple[Progress, ...]:
    """Return when each person reached each stage: what a team reached, its members reached."""
    person, link = tables.person, tables.membership
    rows = tx.execute(select(person).where(person.c.active).order_by(person.c.id)).all()
    stages = {
        PersonStage.SUBMITTED: _Steps.SUBMITTED,
        PersonStage.ACCEPTED: _Steps.ACCEPTED,
        PersonStage.APPROVED: _Steps.APPROVED,
    }
    reached: dict[StrEnum, dict[Any, datetime]] = {
        stage: _first(tx, step, link.c.person_id, (link, link.c.team_id == _sent.c.team_id))
        for stage, step in stages.items()
    }
    reached[PersonStage.INVITED] = {row.id: row.created_at for row in rows}
    reached[PersonStage.ACTIVE] = {row.id: row.first_seen_at for row in rows if row.first_seen_at}
    return tuple(
        Progress(id=row.id, unit_id=row.unit_id, reached=_of(row.id, reached)) for row in rows
    )


def model_progress(tx: Connection) -> tuple[Progress, ...]:
    """Return when each legacy model reached each stage, by the challenge that asks for its port."""
    known = tables.challenge
    stages = {
        ModelStage.IN_PORT: _Steps.SUBMITTED,
        ModelStage.ACCEPTED: _Steps.ACCEPTED,
        ModelStage.APPROVED: _Steps.APPROVED,
    }
    reached: dict[StrEnum, dict[Any, datetime]] = {
        stage: _first(tx, step, known.c.slug, (known, known.c.id == _sent.c.challenge_id))
        for stage, step in stages.items()
    }
    return tuple(
        Progress(
            id=model.id,
            unit_id=model.unit_id,
            reached={
                ModelStage.REGISTERED: model.registered_at,
                **_of(model.challenge_slug, reached),
                **({ModelStage.LIVE: model.live_since} if model.live_since else {}),
            },
        )
        for model in models(tx)
    )


class _Steps(Enum):
    """What a submission goes through, and when it did."""

    SUBMITTED = _sent.c.received_at
    ACCEPTED = tables.report.c.recorded_at
    APPROVED = tables.review.c.at


def _first(
    tx: Connection, step: _Steps, key: Column[Any], joined: tuple[Table, ColumnElement[bool]]
) -> dict[Any, datetime]:
    """Return when each key went through a step for the first time."""
    told, said = tables.report, tables.review
    query = select(key.label("key"), func.min(step.value, type_=tables.Moment()).label("at"))
    held = tables.event
    query = query.select_from(_sent).join(*joined).group_by(key)
    query = query.join(held, held.c.id == _sent.c.event_id).where(~held.c.rehearsal)
    if step is not _Steps.SUBMITTED:
        query = query.join(told, told.c.submission_id == _sent.c.id)
        query = query.where(told.c.outcome == ACCEPTED)
    if step is _Steps.APPROVED:
        query = query.join(said, said.c.report_id == told.c.id)
        query = query.where(said.c.decision == Decision.APPROVED.value)
    return {row.key: row.at for row in tx.execute(query)}


def _of(key: object, reached: Mapping[StrEnum, Mapping[Any, datetime]]) -> dict[StrEnum, datetime]:
    return {stage: moments[key] for stage, moments in reached.items() if key in moments}


def violations(tx: Connection) -> tuple[Violation, ...]:
    """Return what each team's last report says of each check, by the unit of who submitted it."""
    told, sent, said, person = tables.report, tables.submission, tables.finding, tables.person
    held = tables.event
    newest = (
        select(func.max(told.c.id))
        .join(sent, sent.c.id == told.c.submission_id)
        .group_by(sent.c.team_id, sent.c.challenge_id)
    )
    rows = tx.execute(
        select(person.c.unit_id, said.c.report_id, said.c.code, said.c.verdict)
        .select_from(said)
        .join(told, told.c.id == said.c.report_id)
        .join(sent, sent.c.id == told.c.submission_id)
        .join(person, person.c.id == sent.c.submitted_by)
        .join(held, held.c.id == sent.c.event_id)
        .where(~held.c.rehearsal)
        .where(told.c.id.in_(newest), said.c.verdict.in_(("pass", "fail", "waived")))
    )
    return tuple(
        Violation(
            unit_id=row.unit_id,
            report_id=row.report_id,
            code=row.code,
            failed=row.verdict == "fail",
        )
        for row in rows
    )


def reported_on(tx: Connection, reports: Collection[int]) -> dict[int, ReportedOn]:
    """Return what reports are about, by their ids."""
    told, sent, team, known = tables.report, tables.submission, tables.team, tables.challenge
    rows = tx.execute(
        select(
            told.c.id,
            told.c.submission_id,
            team.c.name.label("team"),
            known.c.title.label("challenge"),
            told.c.recorded_at.label("at"),
        )
        .join(sent, sent.c.id == told.c.submission_id)
        .join(team, team.c.id == sent.c.team_id)
        .join(known, known.c.id == sent.c.challenge_id)
        .where(told.c.id.in_(reports))
    )
    return {
        row.id: ReportedOn(
            submission_id=row.submission_id, team=row.team, challenge=row.challenge, at=row.at
        )
        for row in rows
    }


def _values(model: NewModel) -> Mapping[str, object]:
    return {name: getattr(model, name) for name in _CHANGEABLE}


def _kept(row: AnyRow) -> Mapping[str, object]:
    return {name: value for name, value in fields(row).items() if name in _CHANGEABLE}
