"""Every package in ``challenges/`` is proven by its own references, with nothing left out.

A new challenge is a new folder and no new code here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from grader import legacy, package, verify
from grader.engine import Dock, open_dock
from grader.model import Challenge
from grader.references import Reference, list_references

FOLDER = Path(__file__).parents[3] / "challenges"
CHALLENGES = package.list_challenges([FOLDER])
REFERENCES = [(item, reference) for item in CHALLENGES for reference in list_references(item)]
KINDS = {"accepted", "wrong_value", "crash", "timeout", "standards", "gaming"}


@pytest.fixture(scope="module")
def dock() -> Iterator[Dock]:
    with open_dock() as opened:
        yield opened


@pytest.mark.parametrize("challenge", CHALLENGES, ids=lambda item: item.slug)
def test_package_is_proven(challenge: Challenge) -> None:
    failed = [proof for proof in verify.prove_package(challenge) if not proof.ok]
    assert failed == []


def test_gate_that_nothing_closes_is_named() -> None:
    challenge = CHALLENGES[0]
    first, *others = challenge.standards
    more = replace(first, gate=(*first.gate, "REPO002"))
    proofs = verify.prove_package(
        replace(challenge, standards=(more, *others)), legacy_engine=False
    )
    (gates,) = [proof for proof in proofs if proof.what == "each gate closes"]
    assert (gates.ok, gates.detail) == (False, "no reference fails REPO002")


@pytest.mark.parametrize("challenge", CHALLENGES, ids=lambda item: item.slug)
def test_legacy_engine_reproduces(challenge: Challenge) -> None:
    found = legacy.compare(challenge)
    assert found.ok, found.lines
    # Where the engine is promised, its absence is a failure; elsewhere the digests stand in.
    assert found.ran or "DRYDOCK_REQUIRE_LEGACY_ENGINES" not in os.environ


@pytest.mark.parametrize("challenge", CHALLENGES, ids=lambda item: item.slug)
def test_references_are_complete(challenge: Challenge) -> None:
    kinds = [reference.kind for reference in list_references(challenge)]
    assert set(kinds) >= KINDS
    assert kinds.count("accepted") >= 2
    assert kinds.count("wrong_value") >= 12
    assert kinds.count("gaming") >= 8


@pytest.mark.parametrize(
    ("challenge", "reference"), REFERENCES, ids=[f"{c.slug}-{r.name}" for c, r in REFERENCES]
)
def test_reference_lands_as_expected(
    challenge: Challenge, reference: Reference, dock: Dock
) -> None:
    # The command grades each three times; here a second look is taken where it could differ most:
    # at a port that runs to its end.
    right = [known for known in list_references(challenge) if known.kind == "accepted"]
    runs = 2 if reference == right[-1] else 1
    result = verify.grade_reference(reference, challenge, dock, runs=runs)
    assert result.problems == ()
    if reference.kind == "wrong_value":
        assert result.parity is not None
        assert result.parity <= 100 - verify.PARITY_MARGIN
    if reference.kind == "accepted":
        assert result.slowest_seconds * verify.SPARE_TIME <= challenge.limits.wall_seconds
