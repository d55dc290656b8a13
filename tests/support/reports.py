"""Reports as a worker would record them, without the half minute that grading takes."""

from __future__ import annotations

from grader.model import Finding, Outcome, QualityLoss, Report, Scope, Score, Scores, Verdict, Where
from leaderboard.store.submissions import NewReport
from portal.grading import new_report
from tests.support.portal import Held


def report(held: Held, total: int = 900, outcome: Outcome = Outcome.ACCEPTED) -> Report:
    challenge = held.challenge
    return Report(
        challenge_slug=challenge.slug,
        challenge_title=challenge.title,
        challenge_version=challenge.version,
        challenge_digest=challenge.digest,
        source="blue",
        commit="0" * 40,
        tree_digest="1" * 64,
        grader_version="0",
        environment_digest="2" * 64,
        data_digest="3" * 64,
        rubric_digest="4" * 64,
        sandbox="warm",
        scope=Scope.FULL,
        left_out=(),
        notes=(),
        findings=(
            Finding(
                code="TEST005",
                family="tests",
                verdict=Verdict.FAIL,
                share=0.0,
                message="1 of 3 tests fail.",
                where=Where(path="README.md", line=1),
            ),
        ),
        cases=(),
        columns=(),
        scores=Scores(
            outcome=outcome,
            total=total,
            possible=1000,
            checks={"TEST005": Score(criterion="TEST005", earned=0, possible=7)},
            families={"tests": Score(criterion="tests", earned=20, possible=60)},
            groups={
                "parity": Score(criterion="parity", earned=300, possible=300),
                "quality": Score(criterion="quality", earned=60, possible=60),
            },
            reasons=("900 of 1000 points.",),
        ),
        timings={},
        losses=(QualityLoss(group="quality", case="hidden/portfolio", loss=-0.01, error=0.004),),
    )


def recorded(held: Held, total: int = 900, outcome: Outcome = Outcome.ACCEPTED) -> NewReport:
    return new_report(report(held, total, outcome), held.challenge, 30.0)
