"""What a report says it was judged by."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader import package
from grader.model import Challenge
from grader.standards import rubric_digest
from portal.settings import HOME
from tests.support.portal import SLUG


@pytest.fixture(scope="module")
def challenge() -> Challenge:
    return package.find_challenge(SLUG, [HOME / "challenges"])


def test_words_move_no_rubric(challenge: Challenge) -> None:
    assert rubric_digest(replace(challenge, title="Another")) == rubric_digest(challenge)


def test_tolerances_and_points_move_it(challenge: Challenge) -> None:
    table, group = challenge.outputs[0], challenge.groups[0]
    looser = replace(table, columns=tuple(replace(c, absolute=1.0) for c in table.columns))
    richer = replace(group, points=group.points + 1)
    digests = {
        rubric_digest(challenge),
        rubric_digest(replace(challenge, outputs=(looser,))),
        rubric_digest(replace(challenge, groups=(richer, *challenge.groups[1:]))),
        rubric_digest(replace(challenge, passing_points=challenge.passing_points + 1)),
    }
    assert len(digests) == 4
