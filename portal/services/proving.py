"""Proving a challenge fair, and trying what a new version of it would change, from the desk."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from grader.engine import grade, open_dock
from grader.model import Challenge
from leaderboard import ranking
from leaderboard.model import (
    ChallengeVersion,
    Event,
    Person,
    RecordedReport,
    Role,
    Submission,
    Team,
)
from leaderboard.store import events, reviews, submissions
from portal.errands import Errand
from portal.errors import Forbidden
from portal.grading import waivers
from portal.house import House
from portal.jobs import address
from portal.settings import HOME


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a submission has now, and what it would have."""

    team: str
    submission: int
    outcome: str
    total: int | None
    new_outcome: str
    new_total: int | None


def prove(house: House, person: Person, challenge: Challenge) -> None:
    """Start to verify a challenge by its references.

    :raises Forbidden: the person is no champion (slug ``not-yours``)
    :raises PortalError: it is under way (slug ``errand-running``)
    """
    _check(person)
    command = [*_drydock(), "challenge", "verify", str(challenge.root)]
    if not challenge.root.is_relative_to(HOME):
        # Who uploads a package runs nothing here outside the sandbox.
        command.append("--no-legacy-engine")
    house.errands.start(_proof_of(challenge), command)


def proof(house: House, challenge: Challenge) -> Errand | None:
    """Return how far the verification of a package is, as it lies there now."""
    return house.errands.look(_proof_of(challenge))


def try_version(house: House, person: Person, event: Event, version: ChallengeVersion) -> None:
    """Start to grade each team's best submission by another version; nothing is recorded.

    :raises Forbidden: the person is no champion (slug ``not-yours``)
    :raises PortalError: it is under way (slug ``errand-running``)
    """
    _check(person)
    command = [*_drydock(), "try-version", event.slug, version.digest]
    command += ["--data", str(house.settings.data)]
    url = {"DRYDOCK_DATABASE_URL": address(house.database)}
    house.errands.start(_trial_of(event, version), command, url)


def trial(
    house: House, event: Event, version: ChallengeVersion
) -> tuple[Errand, tuple[Change, ...]] | None:
    """Return how far such a trial is, and what it has found."""
    errand = house.errands.look(_trial_of(event, version))
    if errand is None:
        return None
    found = [json.loads(line) for line in errand.lines if line.startswith("{")]
    return errand, tuple(Change(**fields) for fields in found)


def changes(house: House, event: Event, version: ChallengeVersion) -> Iterator[Change]:
    """Grade each team's best submission by another version, and yield what would change."""
    challenge = house.library.load(version.digest)
    with open_dock(challenge.contract.environment) as dock:
        for team, sent, report in best(house, event, version.slug):
            place = house.repositories.place(team.slug, version.slug)
            with house.database.read() as tx:
                granted = waivers(tx, sent.team_id, version.slug, at=house.now())
            with tempfile.TemporaryDirectory(prefix="drydock-try-") as folder:
                source = f"{place}@{sent.commit}"
                scores = grade(source, challenge, dock, Path(folder), waivers=granted).scores
            yield Change(
                team=team.name,
                submission=sent.id,
                outcome=report.outcome,
                total=report.total,
                new_outcome=scores.outcome.value,
                new_total=scores.total,
            )


def best(
    house: House, event: Event, slug: str
) -> tuple[tuple[Team, Submission, RecordedReport], ...]:
    """Return each team's submission that counts now, by rank."""
    with house.database.read() as tx:
        teams = {team.id: team for team in events.teams(tx, event.id)}
        standings = ranking.private_board(submissions.entries(tx, event.id, slug), event, {})
        reports = [submissions.find_report(tx, standing.report_id) for standing in standings]
        return tuple(
            (teams[standing.team_id], submissions.find(tx, report.submission_id), report)
            for standing, report in zip(standings, reports, strict=True)
        )


def grade_all_again(
    house: House, person: Person, event: Event, version: ChallengeVersion, why: str
) -> int:
    """Hold an event over a version, and queue all that was graded by another one; return how many.

    The reports that are there stay beside the new ones.

    :raises Forbidden: the person is no champion (slug ``not-yours``)
    :raises StoreError: there is no reason (slug ``reason-missing``)
    """
    _check(person)
    reviews.check_reason(why)
    number = 0
    with house.database.write() as tx:
        at = house.now()
        if version.id not in {held.id for held in events.challenges(tx, event.id)}:
            events.add_challenge(tx, event.id, version.id, at=at, by=person.id)
        for team in events.teams(tx, event.id):
            for sent, _ in submissions.graded(tx, team.id, version.slug):
                if submissions.job(tx, sent.id).state.terminal:
                    job = submissions.again(tx, sent.id, why, by=person.id, at=at)
                    house.queue.put(tx, job)
                    number += 1
    return number


def as_line(change: Change) -> str:
    """Return a change as the line that a trial prints."""
    return json.dumps(asdict(change))


def _drydock() -> list[str]:
    return [sys.executable, "-m", "portal.cli"]


def _proof_of(challenge: Challenge) -> str:
    return f"verify-{challenge.digest[:20]}"


def _trial_of(event: Event, version: ChallengeVersion) -> str:
    return f"try-{event.id}-{version.digest[:20]}"


def _check(person: Person) -> None:
    if Role.CHAMPION not in person.roles:
        raise Forbidden("not-yours", "Champions prove challenges and have them graded again.")
