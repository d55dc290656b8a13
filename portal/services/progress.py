"""What somebody has done in an event, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass

from leaderboard.model import Decision, Person, Team
from leaderboard.ranking import ACCEPTED
from leaderboard.store import reviews, submissions
from portal.access import Page
from portal.house import House
from portal.services import accounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the way from an invitation to an approved port."""

    title: str
    how: str
    done: bool
    action: str = ""
    page: Page | None = None


def steps(house: House, person: Person, team: Team | None) -> tuple[Step, ...]:
    """Return the way through an event, in order."""
    sent, own, accepted, approved = _reached(house, person, team)
    return (
        Step(
            title="Join a team",
            how="Found one, or open the invitation that a colleague sends you.",
            done=team is not None,
            action="To your team",
            page=Page.TEAM,
        ),
        Step(
            title="Read the challenge and take the kit",
            how="The brief, the legacy source, the data and a project to start from.",
            done=sent,
            action="To the challenges",
            page=Page.CHALLENGES,
        ),
        Step(
            title="Get a token",
            how="git asks for it as the password.",
            done=own or approved or bool(accounts.tokens(house, person)),
            action="To your team's page",
            page=Page.TEAM,
        ),
        Step(
            title="Push",
            how="Commit, push to your team's address, and watch it being graded.",
            done=sent,
            action="To your team's page",
            page=Page.TEAM,
        ),
        Step(
            title="Get accepted",
            how="The report says what to fix first, by points to gain.",
            done=accepted,
            action="To your submissions",
            page=Page.TEAM,
        ),
        Step(
            title="Get approved",
            how="A leader reviews the best accepted submission.",
            done=approved,
            action="To the board",
            page=Page.LEADERBOARD,
        ),
    )


def _reached(house: House, person: Person, team: Team | None) -> tuple[bool, bool, bool, bool]:
    """Say whether the team has submitted, and by this person's hand; was accepted; was approved."""
    if team is None:
        return False, False, False, False
    with house.database.read() as tx:
        sent = submissions.of_team(tx, team.id)
        told = [report for _, report in submissions.graded_of_team(tx, team.id)]
        accepted = [report for report in told if report.outcome == ACCEPTED]
        approved = any(
            said and said[-1].decision is Decision.APPROVED
            for said in (reviews.reviews(tx, report.id) for report in accepted)
        )
    own = any(item.submitted_by == person.id for item in sent)
    return bool(sent), own, bool(accepted), approved
