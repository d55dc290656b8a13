"""Telling a team's own code host what became of a commit that came from there."""

from __future__ import annotations

from leaderboard.model import Job, JobState, ReportFigures
from leaderboard.store import submissions
from portal import hosts
from portal.errors import PortalError
from portal.hosts import State
from portal.house import House
from portal.services.submitting import points, report_address

ACCEPTED = "accepted"


def tell(house: House, submission: int) -> bool:
    """Post the status of a submission's commit; return whether a host took it."""
    with house.database.read() as tx:
        sent = submissions.find(tx, submission)
        job = submissions.job(tx, submission)
        report = submissions.figures_of(tx, submission)
    if not sent.origin:
        return False
    try:
        origin = hosts.find(house.settings.hosts, sent.origin)
    except PortalError:
        return False  # the operator has taken the host off the list since
    state, said = status(job, report)
    return hosts.post_status(origin, sent.commit, state, said, report_address(house, submission))


def status(job: Job, report: ReportFigures | None) -> tuple[State, str]:
    """Return what is said of a commit, from how far its grading is."""
    if not job.state.terminal:
        return State.PENDING, "Drydock grades this commit."
    if job.state is not JobState.DONE or report is None:
        return State.ERROR, "Drydock could not grade this commit; its page says why."
    accepted = report.outcome == ACCEPTED
    said = f"{report.outcome}, {points(report)}"
    return (State.SUCCESS if accepted else State.FAILURE), said
