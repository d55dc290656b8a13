"""Reports of every kind, as a grading of the health tariff would write them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from grader.errors import UsageError
from grader.model import (
    CaseResult,
    Cause,
    Check,
    ColumnParity,
    Finding,
    Outcome,
    Report,
    Scope,
    Score,
    Scores,
    Verdict,
    Where,
)

GATE = "No secret may lie in the repository."


def finding(
    code: str,
    family: str,
    verdict: Verdict = Verdict.PASS,
    *,
    share: float = 1.0,
    message: str = "As it should be.",
    fix: str = "",
    where: Where | None = None,
    waiver: str | None = None,
) -> Finding:
    return Finding(
        code=code,
        family=family,
        verdict=verdict,
        share=share,
        message=message,
        fix=fix,
        where=where,
        waiver=waiver,
    )


def check(code: str) -> Check:
    """Explain a check; those that start with OLD are unknown by now."""
    if code.startswith("OLD"):
        raise UsageError("unknown-check", f"There is no check {code}.")
    return Check(
        code=code,
        family=code[:4].lower(),
        title=f"What {code} asks for",
        why="A stranger should find their way.",
        fix="Write down what a stranger needs.",
        example='[project]\nname = "healthtariff"',
        source="PEP 621",
    )


def column(case: str, name: str, *, within: float = 1.0, seed: int = 1) -> ColumnParity:
    draw = random.Random(seed)  # noqa: S311 - figures for a picture
    legacy = [draw.gammavariate(3, 90) for _ in range(220)]
    off = [value * (1 if draw.random() < within else 1 + draw.gauss(0, 0.08)) for value in legacy]
    exact = within == 1
    return ColumnParity(
        case=case,
        column=name,
        score=100.0 if exact else 71.25,
        within=within,
        worst_segment="young, no deductible" if not exact else "everyone",
        worst_segment_within=1.0 if exact else 0.0,
        median_difference=0.0 if exact else 0.0004,
        largest_difference=0.0 if exact else 38.25,
        segments={
            "everyone": within,
            "age on a band's edge": 1.0 if exact else 0.62,
            "unknown plan": 1.0,
            "young, no deductible": 1.0 if exact else 0.0,
        },
        decades=(2000, 0, 0, 0, 0, 0) if exact else (1710, 3, 41, 180, 62, 4),
        points=tuple(zip(legacy, off, strict=True)) if case.startswith("public/") else (),
    )


ACCEPTED_FINDINGS = (
    finding("REPO001", "repository"),
    finding(
        "REPO004",
        "repository",
        Verdict.FAIL,
        share=0.5,
        message="The README names no command that trains the model.",
        fix="Show the train and score commands in the README.",
        where=Where(path="README.md", line=3),
    ),
    finding("TEST001", "testing"),
    finding(
        "DOCS002",
        "model-card",
        Verdict.WAIVED,
        message="The model card has no section on fairness.",
        waiver="The tariff's fairness is reviewed by the actuarial board.",
    ),
)


def scored(findings: tuple[Finding, ...], points: Mapping[str, tuple[int | None, int]]) -> Scores:
    names = {item.code: item.family for item in findings}
    checks = {
        code: Score(criterion=code, earned=points[code][0], possible=points[code][1])
        for code in names
    }
    families: dict[str, Score] = {}
    for code, family in names.items():
        own, old = checks[code], families.get(family)
        earned = None if own.earned is None else own.earned + ((old.earned or 0) if old else 0)
        possible = own.possible + (old.possible if old else 0)
        families[family] = Score(criterion=family, earned=earned, possible=possible)
    groups = {
        name: Score(criterion=name, earned=earned, possible=possible)
        for name, (earned, possible) in points.items()
        if name not in names
    }
    parts = [score.earned for score in (*families.values(), *groups.values())]
    total = None if None in parts else sum(part or 0 for part in parts)
    return Scores(
        outcome=Outcome.ACCEPTED,
        total=total,
        possible=1000,
        checks=checks,
        families=families,
        groups=groups,
        reasons=(),
    )


def make_accepted() -> Report:
    findings = ACCEPTED_FINDINGS
    return Report(
        challenge_slug="r-health-tariff",
        challenge_title="The R health tariff",
        challenge_version="1.0",
        challenge_digest="c" * 64,
        source="ports/team-heron",
        commit="0123456789abcdef0123456789abcdef01234567",
        tree_digest="t" * 64,
        grader_version="0.1.0",
        environment_digest="e" * 64,
        data_digest="d" * 64,
        rubric_digest="r" * 64,
        sandbox="warm",
        scope=Scope.FULL,
        left_out=(),
        notes=("Two files are not committed and so not graded.",),
        findings=findings,
        cases=(
            CaseResult(
                case="hidden/portfolio",
                group="portfolio parity",
                verdict=Verdict.PASS,
                share=1.0,
                message="All columns are within tolerance.",
                seconds=0.21,
                memory_mb=112.5,
            ),
            CaseResult(
                case="public/portfolio",
                group="",
                verdict=Verdict.PASS,
                share=1.0,
                message="All columns are within tolerance.",
                seconds=0.2,
                memory_mb=110.0,
            ),
        ),
        columns=(column("hidden/portfolio", "premium"), column("public/portfolio", "premium")),
        scores=scored(
            findings,
            {
                "REPO001": (100, 100),
                "REPO004": (40, 80),
                "TEST001": (120, 120),
                "DOCS002": (100, 100),
                "portfolio parity": (400, 400),
                "live API": (196, 200),
            },
        ),
        timings={"checkout": 0.031, "train": 0.4127, "score hidden/portfolio": 0.21},
    )


def make_rejected() -> Report:
    base = make_accepted()
    findings = (
        *base.findings,
        finding(
            "SECR001",
            "secrets",
            Verdict.FAIL,
            share=0.0,
            message=GATE,
            fix="Remove the key from the history, and revoke it.",
            where=Where(path="src/healthtariff/settings.py", line=12),
        ),
    )
    wrong = CaseResult(
        case="hidden/edges",
        group="edges",
        verdict=Verdict.FAIL,
        share=0.6125,
        message="premium is off by up to 38.2 in 'young, no deductible'.",
        cause=Cause.WRONG_VALUE,
        column="premium",
        worst_row_kind="young, no deductible",
        difference=38.25,
        seconds=0.24,
        memory_mb=113.0,
    )
    scores = scored(
        findings,
        {
            "REPO001": (60, 60),
            "REPO004": (40, 80),
            "TEST001": (120, 120),
            "DOCS002": (100, 100),
            "SECR001": (0, 40),
            "portfolio parity": (400, 400),
            "edges": (61, 100),
            "live API": (100, 100),
        },
    )
    return replace(
        base,
        findings=findings,
        cases=(*base.cases, wrong),
        columns=(
            *base.columns,
            column("hidden/edges", "premium", within=0.855, seed=2),
            column("public/edges", "premium", within=0.855, seed=3),
            column("public/edges", "frequency", within=0.999999, seed=4),
        ),
        scores=replace(
            scores,
            outcome=Outcome.REJECTED,
            reasons=(
                f"Gate SECR001 failed: {GATE}",
                "edges earned 61.2 % of its points and 90 % are needed: premium is off.",
            ),
        ),
    )


def make_ungraded() -> Report:
    base = make_accepted()
    broken = replace(
        base.cases[0],
        verdict=Verdict.ERROR,
        share=0.0,
        cause=Cause.SANDBOX,
        message="The sandbox did not start.",
    )
    group = Score(criterion="portfolio parity", earned=None, possible=400)
    return replace(
        base,
        cases=(broken,),
        columns=(),
        scores=replace(
            base.scores,
            outcome=Outcome.UNGRADED,
            total=None,
            groups={**base.scores.groups, "portfolio parity": group},
            reasons=("hidden/portfolio: The sandbox did not start.",),
        ),
    )


def make_public() -> Report:
    base = make_rejected()
    return replace(
        base,
        scope=Scope.PUBLIC,
        commit=None,
        sandbox="cold",
        left_out=("The hidden cases: they decide at the event.",),
    )


def make_hostile() -> Report:
    """Write a report in which every text of a team tries to break out of its place."""
    evil = "<script>alert(1)</script> \x1b[31m | `x` [bold] ]]> \u202e \ud800 \"'&\n# title"
    base = make_rejected()
    hurt = finding(
        "OLD007",
        evil,
        Verdict.FAIL,
        share=0.0,
        message=evil,
        fix=evil,
        where=Where(path=f"src/{evil}.py", line=1),
        waiver=evil,
    )
    case = replace(
        base.cases[-1], case=f"public/{evil}", group=evil, message=evil, worst_row_kind=evil
    )
    off = replace(
        base.columns[-1],
        case=f"public/{evil}",
        column=evil,
        worst_segment=evil,
        segments={evil: 0.5},
        points=((1.0, math.nan), (2.0, 3.0)),
        largest_difference=math.inf,
    )
    score = Score(criterion=evil, earned=0, possible=10)
    return replace(
        base,
        challenge_title=evil,
        source=evil,
        notes=(evil,),
        left_out=(evil,),
        findings=(hurt,),
        cases=(case,),
        columns=(off,),
        scores=replace(
            base.scores,
            reasons=(evil,),
            checks={"OLD007": replace(score, criterion="OLD007")},
            families={evil: score},
            groups={evil: score},
        ),
        timings={evil: 1.0},
    )


def make_empty() -> Report:
    base = make_accepted()
    return replace(
        base,
        commit=None,
        notes=(),
        findings=(),
        cases=(),
        columns=(),
        timings={},
        scores=Scores(
            outcome=Outcome.UNGRADED,
            total=None,
            possible=1000,
            checks={},
            families={},
            groups={},
            reasons=(),
        ),
    )


def make_unsafe() -> Report:
    return replace(make_accepted(), sandbox="none")


SAMPLES: Mapping[str, Callable[[], Report]] = {
    "accepted": make_accepted,
    "rejected": make_rejected,
    "ungraded": make_ungraded,
    "unsafe": make_unsafe,
    "public": make_public,
    "empty": make_empty,
    "hostile": make_hostile,
}


@pytest.fixture(params=SAMPLES)
def sample(request: pytest.FixtureRequest) -> Report:
    return SAMPLES[request.param]()


@pytest.fixture
def accepted() -> Report:
    return make_accepted()


@pytest.fixture
def rejected() -> Report:
    return make_rejected()


@pytest.fixture
def ungraded() -> Report:
    return make_ungraded()


@pytest.fixture
def public() -> Report:
    return make_public()


@pytest.fixture
def unsafe() -> Report:
    return make_unsafe()


@pytest.fixture
def empty() -> Report:
    return make_empty()


@pytest.fixture
def hostile() -> Report:
    return make_hostile()


@pytest.fixture
def explain() -> Callable[[str], Check]:
    return check
