"""The nouns of an event: frozen, typed, standard library only. Times are aware, in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a person may do. One person may hold several."""

    MEMBER = "member"
    CHAMPION = "champion"
    LEADER = "leader"
    MANAGER = "manager"
    ADMIN = "admin"


class Counting(StrEnum):
    """Which reports of a team count."""

    ACCEPTED = "accepted"
    """The best one that was accepted."""
    BEST = "best"
    """The best one, accepted or not."""


class JobState(StrEnum):
    """Where a submission stands on its way to a report."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """It ended without a report, and says why: that is our failure, not the team's."""

    @property
    def terminal(self) -> bool:
        """Whether nothing more will come."""
        return self in {JobState.DONE, JobState.FAILED}


class Decision(StrEnum):
    """What a leader said of a graded submission."""

    APPROVED = "approved"
    DISAPPROVED = "disapproved"
    HELD = "held"


class WaiverDecision(StrEnum):
    """What a leader said of a waiver that was asked for."""

    GRANTED = "granted"
    REFUSED = "refused"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A part of the company; the parent makes the organisation chart."""

    id: int
    name: str
    parent_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may sign in."""

    id: int
    email: str
    name: str
    unit_id: int | None
    roles: frozenset[Role]
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A hackathon or a course: when it is, and by which rules it is ranked."""

    id: int
    slug: str
    title: str
    starts_at: datetime
    ends_at: datetime
    freezes_at: datetime | None
    """From here to the end the board stands still."""
    counting: Counting
    daily_cap: int
    """Submissions of one team to one challenge in one UTC day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Who submits together in one event."""

    id: int
    event_id: int
    name: str
    members: tuple[int, ...]
    """People, by their ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeVersion:
    """One published state of a challenge package, known by its digest."""

    id: int
    slug: str
    version: str
    title: str
    digest: str
    published_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A commit that a team put forward for one version of a challenge."""

    id: int
    event_id: int
    team_id: int
    challenge_id: int
    """Of the version."""
    commit: str
    submitted_by: int
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """How far a submission's grading is."""

    submission_id: int
    state: JobState
    step: str
    """What is being done right now."""
    attempts: int
    changed_at: datetime
    message: str
    """Why it failed; empty otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedReport:
    """A report as it was recorded: its figures, and the whole of it as JSON."""

    id: int
    submission_id: int
    outcome: str
    total: int | None
    public_total: int | None
    """Without the groups that count only at the end. Not scored is None, never 0."""
    possible: int
    digest: str
    """SHA-256 of the JSON."""
    recorded_at: datetime
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A leader's word on a report."""

    id: int
    report_id: int
    decision: Decision
    reason: str
    by: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverRuling:
    """A leader's word on a deviation that a team asked for. The last one counts."""

    id: int
    team_id: int
    challenge_slug: str
    code: str
    path: str
    """File or folder that it holds for; empty for the whole submission."""
    decision: WaiverDecision
    reason: str
    by: int
    at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Something that was done, chained to what was done before."""

    number: int
    at: datetime
    actor_id: int | None
    """None where the machine did it."""
    action: str
    """A verb and its noun, such as ``report.recorded``."""
    subject: str
    """Kind and id of what it was done to, such as ``submission:42``."""
    details: str
    """JSON, keys sorted."""
    previous: str
    """The entry's hash before it; 64 zeros for the first."""
    hash: str
