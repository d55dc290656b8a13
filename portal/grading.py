"""What a worker does with one submission: grade it, tell how far it is, record what came of it."""

from __future__ import annotations

import math
import shutil
import tempfile
import time
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from sqlalchemy import Connection

from grader import report as reports
from grader.engine import Dock, open_dock
from grader.engine import grade as grade_submission
from grader.model import (
    Challenge,
    Report,
    Score,
    Step,
    StepState,
    Verdict,
    Waiver,
    WaiverRequest,
)
from grader.standards.waivers import justified, read_waivers
from leaderboard.store import Database, events, people, reviews, submissions
from leaderboard.store.submissions import GradedFinding, NewReport
from portal.attempts import persist
from portal.library import Library
from portal.repositories import Repositories, file_lines

_FAILED = Verdict.FAIL.value
_LONGEST_REASON, _LONGEST_PATH = 2000, 1000


class Grader(AbstractContextManager["Grader"]):
    """Grades what is queued, on docks that it keeps from one submission to the next."""

    def __init__(
        self,
        database: Database,
        library: Library,
        repositories: Repositories,
        workshop: Path,
        ended: Callable[[int], object] | None = None,
    ) -> None:
        """Keep to these.

        :param workshop: a folder of this worker's own
        :param ended: told of each submission whose grading has ended
        """
        self._database = database
        self._library = library
        self._repositories = repositories
        self._workshop = workshop
        self._ended = ended
        self._docks: dict[str, Dock] = {}
        self._open = ExitStack()
        # Whatever a worker left behind that was killed here.
        shutil.rmtree(workshop, ignore_errors=True)
        workshop.mkdir(parents=True)

    def __exit__(self, *_: object) -> None:
        """Clear the docks away."""
        self._open.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def grade(self, submission: int, number: int) -> None:
        """Grade a submission, unless it was graded already, or begun too often."""

        def begin() -> int | None:
            with self._database.write() as tx:
                job = submissions.start(tx, submission, at=_now())
            return None if job.state.terminal or job.round != number else job.attempts

        def give_up(why: str) -> None:
            with self._database.write() as tx:
                submissions.give_up(tx, submission, why, at=_now())

        begun = persist(f"Submission {submission}", begin, lambda: self._grade(submission), give_up)
        if begun and self._ended is not None:
            self._ended(submission)

    def _grade(self, submission: int) -> None:
        new = self._report(submission)
        with self._database.write() as tx:
            submissions.record(tx, submission, new, at=_now())
        self._ask(submission, {item.code for item in new.findings if item.verdict == _FAILED})

    def _ask(self, submission: int, failed: Collection[str]) -> None:
        """Put before the leaders what waivers the submission itself asks for, where it fails."""
        with self._database.read() as tx:
            sent = submissions.find(tx, submission)
            version = events.find_challenge(tx, sent.challenge_id)
            team = events.find_team(tx, sent.team_id)
        place = self._repositories.place(team.slug, version.slug)
        requests = asked_waivers(file_lines(place, sent.commit, "pyproject.toml"))
        with self._database.write() as tx:
            for request in requests:
                short = len(request.path) <= _LONGEST_PATH
                if request.code in failed and justified(request) and short:
                    reviews.ask_once(
                        tx,
                        team=sent.team_id,
                        challenge_slug=version.slug,
                        code=request.code,
                        path=request.path,
                        reason=request.reason[:_LONGEST_REASON],
                        by=sent.submitted_by,
                        at=_now(),
                    )

    def _report(self, submission: int) -> NewReport:
        with self._database.read() as tx:
            sent = submissions.find(tx, submission)
            version = events.in_force(tx, sent.event_id, sent.challenge_id)
            team = events.find_team(tx, sent.team_id)
            granted = waivers(tx, sent.team_id, version.slug, at=_now())
        challenge = self._library.load(version.digest)
        place = self._repositories.place(team.slug, version.slug)
        began = time.monotonic()
        with tempfile.TemporaryDirectory(dir=self._workshop) as workspace:
            report = grade_submission(
                f"{place}@{sent.commit}",
                challenge,
                self._dock(challenge.contract.environment),
                Path(workspace),
                waivers=granted,
                progress=lambda step: self._tell(submission, step),
            )
        # Where the repository lies on this machine is nobody's business.
        named = replace(report, source=f"{team.slug}/{version.slug}@{sent.commit}")
        return new_report(named, challenge, time.monotonic() - began)

    def _dock(self, environment: str) -> Dock:
        if environment not in self._docks:
            self._docks[environment] = self._open.enter_context(open_dock(environment))
        return self._docks[environment]

    def _tell(self, submission: int, step: Step) -> None:
        if step.state is StepState.STARTED:
            with self._database.write() as tx:
                submissions.tell_step(tx, submission, step.name, at=_now())


def waivers(tx: Connection, team: int, challenge: str, *, at: datetime) -> tuple[Waiver, ...]:
    """Return the waivers that a team was granted for a challenge, as grading takes them."""
    rulings = reviews.waivers_in_force(tx, team, challenge, at=at)
    names = {ruling.by: people.find_person(tx, ruling.by).name for ruling in rulings}
    return tuple(
        Waiver(
            code=ruling.code,
            reason=ruling.reason,
            granted_by=names[ruling.by],
            path=ruling.path,
            expires=ruling.expires_at,
        )
        for ruling in rulings
    )


def asked_waivers(project: Iterable[str]) -> tuple[WaiverRequest, ...]:
    """Return the waivers that a ``pyproject.toml`` asks for; none where it can't be read."""
    try:
        known = tomllib.loads("\n".join(project))
        asked = known.get("tool", {}).get("drydock", {}).get("waivers", {})
        return read_waivers(asked) if isinstance(asked, dict) else ()
    except (tomllib.TOMLDecodeError, AttributeError, TypeError, ValueError):
        return ()


def new_report(report: Report, challenge: Challenge, seconds: float) -> NewReport:
    """Return what is recorded of a report: its figures, what each check says, and all of it.

    :param seconds: how long grading took
    """
    loss = ladder_loss(report, challenge)
    return NewReport(
        outcome=report.scores.outcome.value,
        total=report.scores.total,
        public_total=public_total(report, challenge),
        possible=report.scores.possible,
        content=reports.to_json(report),
        seconds=seconds,
        loss=None if loss is None else loss[0],
        loss_error=None if loss is None else loss[1],
        findings=[
            GradedFinding(
                code=finding.code,
                family=finding.family,
                verdict=finding.verdict.value,
                share=finding.share,
                points=_earned(report.scores.checks, finding.code),
                possible=_possible(report.scores.checks, finding.code),
                message=finding.message,
                path=finding.where.path if finding.where else None,
                line=finding.where.line if finding.where else None,
            )
            for finding in report.findings
        ],
    )


def public_total(report: Report, challenge: Challenge) -> int | None:
    """Return the points without the groups that the board reveals at the end."""
    if report.scores.total is None:
        return None
    hidden = [
        report.scores.groups[name].earned or 0
        for name in challenge.leaderboard.private_groups
        if name in report.scores.groups
    ]
    share = 0.5 if report.scores.gated else 1.0  # as in the total: a failed gate halves
    return max(0, report.scores.total - round(share * sum(hidden)))


def ladder_loss(report: Report, challenge: Challenge) -> tuple[float, float] | None:
    """Return the mean loss over the cases that the board's Ladder looks at, and its standard error.

    Cases are taken as independent. None where the challenge has no Ladder, or where the metric of
    a case could not be measured: leaving out a case must not better a mean.
    """
    climbed = {g.name for g in challenge.groups if g.kind == challenge.leaderboard.ladder}
    cases = [case for case in report.cases if case.group in climbed]
    losses = [loss for loss in report.losses if loss.group in climbed]
    if not losses or len(losses) < len(cases):
        return None
    mean = sum(item.loss for item in losses) / len(losses)
    return mean, math.hypot(*(item.error for item in losses)) / len(losses)


def _earned(checks: Mapping[str, Score], code: str) -> int | None:
    return checks[code].earned if code in checks else None


def _possible(checks: Mapping[str, Score], code: str) -> int | None:
    return checks[code].possible if code in checks else None


def _now() -> datetime:
    return datetime.now(UTC)
