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
    """It ended without a report, and says why."""

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
    """What was said of a deviation: asked for by a team, answered by a leader."""

    ASKED = "asked"
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
    rehearsal: bool = False
    """Whether its teams are simulated: then champions alone see it, and it counts nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """Who submits together in one event."""

    id: int
    event_id: int
    name: str
    slug: str
    """Its place in addresses, unique over all events."""
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
    origin: str
    """Address of the repository elsewhere that it came from; empty where it was pushed here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """How far a submission's grading is."""

    submission_id: int
    round: int
    """1 at first; each time that it is graded again adds one."""
    state: JobState
    step: str
    """What is being done right now."""
    turn: int
    """1 where nothing else of the team waits, and so on: first turns come before second ones, so
    that a team with much to grade keeps no other one waiting."""
    attempts: int
    changed_at: datetime
    message: str
    """Why it failed; empty otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFigures:
    """What a report comes to: all that boards, queues and statuses ask of it."""

    id: int
    submission_id: int
    round: int
    """Of grading: the last one is the submission's report."""
    outcome: str
    total: int | None
    public_total: int | None
    """Without the groups that count only at the end. Not scored is None, never 0."""
    possible: int
    seconds: float
    """How long grading took."""
    digest: str
    """SHA-256 of the JSON."""
    recorded_at: datetime
    loss: float | None = None
    """How much worse than the legacy model, relative to it; for the board's Ladder alone."""
    loss_error: float | None = None
    """Standard error of the loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedReport(ReportFigures):
    """A report as it was recorded: its figures, and the whole of it."""

    content: str
    """JSON; a hundred kilobytes and more, so it is read for one report at a time."""


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
    """A word on a deviation, of the team that asks or the leader who answers. The last counts."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that somebody is signed in with."""

    person: Person
    form_token: str
    """What every form must carry, so that no other site can send one."""
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """What a person's own programs sign in with; the token itself is kept nowhere."""

    id: int
    name: str
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


class LinkPurpose(StrEnum):
    """What a link that was handed out lets its reader do."""

    SETUP = "setup"
    """Create the first administrator. Once."""
    SIGN_IN = "sign-in"
    """Sign in as one person. Once."""
    SIGN_UP = "sign-up"
    """Create an account of one's own, for as long as the link lasts."""
    DEMO = "demo"
    """Sign in as one made-up person of a demonstration, for as long as the link lasts."""

    @property
    def once(self) -> bool:
        """Whether using it makes it void."""
        return self in {LinkPurpose.SETUP, LinkPurpose.SIGN_IN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link that was handed out."""

    purpose: LinkPurpose
    person_id: int | None
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonResult:
    """What a handed-in lesson was worth; a person's later word makes a new one."""

    id: int
    attempt_id: int
    person_id: int
    lesson: str
    score: float
    possible: float
    passed: bool
    waits: bool
    """Whether a person has yet to look at some cell."""
    cells: str
    """What each cell was worth, as JSON."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonAttempt:
    """A lesson that somebody handed in."""

    id: int
    person_id: int
    lesson: str
    received_at: datetime
    state: JobState
    begun: int
    """How often its grading was begun."""
    turn: int
    message: str
    """Why it failed; empty otherwise."""
    result: LessonResult | None = None
    """The last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyModel:
    """A model of the company that is to be ported, whoever does it."""

    id: int
    name: str
    unit_id: int
    owner: str
    language: str
    challenge_slug: str | None
    """The challenge that asks for its port; None where nobody made one yet."""
    live_since: datetime | None
    """When the port took over in production; None where it has not."""
    registered_at: datetime
