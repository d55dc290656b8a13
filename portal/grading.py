"""What a worker does with one submission: grade it, tell how far it is, record what came of it."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from grader import report as reports
from grader.engine import Dock, open_dock
from grader.engine import grade as grade_submission
from grader.errors import DrydockError, UserError
from grader.model import Challenge, Report, Score, Step, StepState, Waiver
from leaderboard.model import ChallengeVersion, Submission
from leaderboard.store import Database, events, people, reviews, submissions
from leaderboard.store.submissions import GradedFinding, NewReport
from portal.library import Library
from portal.repositories import Repositories

ATTEMPTS = 3
"""How often a grading may be begun before it is given up."""
_log = logging.getLogger("drydock.grading")


class Grader(AbstractContextManager["Grader"]):
    """Grades what is queued, on docks that it keeps from one submission to the next."""

    def __init__(
        self, database: Database, library: Library, repositories: Repositories, workshop: Path
    ) -> None:
        self._database = database
        self._library = library
        self._repositories = repositories
        self._workshop = workshop
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
        while True:
            with self._database.write() as tx:
                job = submissions.start(tx, submission, at=_now())
                if job.state.terminal or job.round != number:
                    return
                if job.attempts > ATTEMPTS:
                    why = f"Grading was begun {ATTEMPTS} times, and never ended."
                    submissions.give_up(tx, submission, why, at=_now())
                    return
            if self._attempt(submission, last=job.attempts == ATTEMPTS):
                return

    def _attempt(self, submission: int, *, last: bool) -> bool:
        """Return whether there is nothing more to try."""
        try:
            new = self._report(submission)
        except Exception as error:  # noqa: BLE001 - whatever it is, the team must be told
            team_fault = isinstance(error, UserError)
            if not team_fault:
                _log.exception("Submission %s could not be graded.", submission)
            if last or team_fault:
                with self._database.write() as tx:
                    submissions.give_up(tx, submission, _told(error), at=_now())
            return last or team_fault
        with self._database.write() as tx:
            submissions.record(tx, submission, new, at=_now())
        return True

    def _report(self, submission: int) -> NewReport:
        with self._database.read() as tx:
            sent = submissions.find(tx, submission)
            version = events.find_challenge(tx, sent.challenge_id)
            team = events.find_team(tx, sent.team_id)
        challenge = self._library.load(version.digest)
        place = self._repositories.place(team.slug, version.slug)
        began = time.monotonic()
        with tempfile.TemporaryDirectory(dir=self._workshop) as workspace:
            report = grade_submission(
                f"{place}@{sent.commit}",
                challenge,
                self._dock(challenge.contract.environment),
                Path(workspace),
                waivers=self._waivers(sent, version),
                progress=lambda step: self._tell(submission, step),
            )
        # Where the repository lies on this machine is nobody's business.
        named = replace(report, source=f"{team.slug}/{version.slug}@{sent.commit}")
        return new_report(named, challenge, time.monotonic() - began)

    def _dock(self, environment: str) -> Dock:
        if environment not in self._docks:
            self._docks[environment] = self._open.enter_context(open_dock(environment))
        return self._docks[environment]

    def _waivers(self, sent: Submission, version: ChallengeVersion) -> tuple[Waiver, ...]:
        with self._database.read() as tx:
            rulings = reviews.waivers_in_force(tx, sent.team_id, version.slug, at=_now())
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

    def _tell(self, submission: int, step: Step) -> None:
        if step.state is StepState.STARTED:
            with self._database.write() as tx:
                submissions.tell_step(tx, submission, step.name, at=_now())


def new_report(report: Report, challenge: Challenge, seconds: float) -> NewReport:
    """Return what is recorded of a report: its figures, what each check says, and all of it.

    :param seconds: how long grading took
    """
    return NewReport(
        outcome=report.scores.outcome.value,
        total=report.scores.total,
        public_total=public_total(report, challenge),
        possible=report.scores.possible,
        content=reports.to_json(report),
        seconds=seconds,
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


def _earned(checks: Mapping[str, Score], code: str) -> int | None:
    return checks[code].earned if code in checks else None


def _possible(checks: Mapping[str, Score], code: str) -> int | None:
    return checks[code].possible if code in checks else None


def _told(error: Exception) -> str:
    if isinstance(error, DrydockError):
        return f"{error.message} {error.remedy}".strip()
    return f"Our own failure: {type(error).__name__}. An administrator finds more in the log."


def _now() -> datetime:
    return datetime.now(UTC)
