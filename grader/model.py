"""The nouns of grading: frozen, typed, made of the standard library alone.

Everything that flows through Drydock is one of these. They hold no behaviour beyond what follows
from their own fields, open no file and know no clock, so that any part of the house may pass them
to any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path, PurePosixPath

TOTAL_POINTS = 1000
"""What the points of every challenge sum to."""


class Verdict(StrEnum):
    """What was found of one check or one case."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    WAIVED = "waived"
    """A leader granted the deviation: it earns its points and stays visible."""
    SKIPPED = "skipped"
    """Not looked at in this run (say, no sandbox): it is not scored, which is not zero."""
    NEUTRAL = "not verifiable"
    """It can't be looked at here, and that is no fault: it earns what its family does otherwise."""
    ERROR = "error"
    """Our side failed. Never points lost by a team: the whole report is then ungraded."""


class Outcome(StrEnum):
    """What a report says of the submission as a whole."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNGRADED = "ungraded"
    PARTIAL = "partial"
    """Only some checks were asked for: they are told, and there is no total."""


class Cause(StrEnum):
    """Why a case did not pass."""

    WRONG_VALUE = "wrong value"
    MISSING_OUTPUT = "missing output"
    BAD_SCHEMA = "bad schema"
    CRASH = "crash"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    OUTPUT_LIMIT = "output limit"
    NONDETERMINISTIC = "nondeterministic"
    SANDBOX = "sandbox"
    """The sandbox itself failed: our error."""


class Scope(StrEnum):
    """Which cases a grading looks at."""

    FULL = "full"
    """The hidden cases decide; the public ones are shown beside them."""
    PUBLIC = "public"
    """What a team can grade on its own: the public cases stand in for the hidden ones."""


class GroupKind(StrEnum):
    """What a group of accuracy cases measures."""

    PARITY = "parity"
    QUALITY = "quality"
    ROBUSTNESS = "robustness"
    API = "api"
    REPRODUCIBILITY = "reproducibility"


class Level(StrEnum):
    """How hard a challenge is."""

    INTRODUCTORY = "introductory"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one sandboxed job may use. All are enforced from outside the job."""

    wall_seconds: float = 60.0
    cpu_seconds: int = 60
    memory_mb: int = 1024
    """Resident memory of the whole process tree."""
    disk_mb: int = 64
    output_mb: int = 16
    """Largest single output file; what is printed is cut far below it."""
    processes: int = 64


# ------------------------------------------------------------------------------ the challenge


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of an output table, with what counts as equal."""

    name: str
    absolute: float = 0.0
    relative: float = 0.0
    exact: bool = False
    """Compared as text; no tolerance applies."""
    final: bool = False
    """The answer the business uses: it weighs most in parity."""
    decision: tuple[float, ...] = ()
    """Thresholds that cut the value into the decisions taken on it, ascending."""
    weight: float = 0.0
    """Share of the table's parity score; the columns of a table sum to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputTable:
    """The table that scoring writes: one row per input row, found by its key."""

    file: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A kind of row, named for people: where ports of this model tend to go wrong."""

    name: str
    where: str
    """A pandas ``DataFrame.query`` expression over the input table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How a port's answers are held against the true labels."""

    metric: str
    """A metric known to ``grader.accuracy.quality``; each is defined there with its direction."""
    prediction: str
    """The output column that predicts."""
    label: str
    """The label column in ``expected/labels.csv``."""
    margin: float
    """Non-inferiority margin, relative to the legacy model's own metric."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group of cases that earns points together."""

    name: str
    kind: GroupKind
    points: int
    cases: str = ""
    """Which cases, as a glob over ``<scope>/<case>``; empty where the kind makes its own cases."""
    segments: tuple[Segment, ...] = ()
    minimum: float = 0.0
    """Least share of the points, 0..1; below it the submission is rejected, whatever its total."""
    all_or_nothing: bool = False
    quality: Quality | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """What a family of checks is worth in a challenge."""

    family: str
    points: int
    gate: tuple[str, ...] = ()
    """Codes whose failure rejects the submission, whatever its total."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What a submission must offer, as the challenge names it."""

    package: str
    python: str
    environment: str = "standard"
    input_file: str = "input.csv"
    key: tuple[str, ...] = ()
    required_columns: tuple[str, ...] = ()
    """Input columns that scoring must refuse to do without."""
    numeric_columns: tuple[str, ...] = ()
    """Input columns in which text is bad input."""
    category_columns: tuple[str, ...] = ()
    """Input columns in which an unseen level is bad input, or answered like the legacy model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderboard:
    """What an event's board makes of a challenge's scores."""

    ladder: str = ""
    """Kind of group whose loss the board shows by the Ladder; empty where it shows none."""
    daily_cap: int = 0
    """Most gradings of a team in a day; 0 where there is no cap."""
    private_groups: tuple[str, ...] = ()
    """Groups that the board reveals at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One recorded run of the legacy model."""

    name: str
    """``public/<case>`` or ``hidden/<case>``."""
    inputs: Path
    expected: Path

    @property
    def hidden(self) -> bool:
        """Whether teams never see this case."""
        return self.name.startswith("hidden/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """A loaded and validated challenge package."""

    slug: str
    title: str
    summary: str
    version: str
    owner: str
    language: str
    level: Level
    tags: tuple[str, ...]
    kits: tuple[str, ...]
    root: Path
    digest: str
    """SHA-256 over every file of the package; a public export carries that of its origin."""
    contract: Contract
    outputs: tuple[OutputTable, ...]
    groups: tuple[Group, ...]
    standards: tuple[Standard, ...]
    limits: Limits
    passing_points: int
    cases: tuple[Case, ...]
    leaderboard: Leaderboard = field(default_factory=Leaderboard)
    public_export: bool = False
    """Whether this is what teams receive: it holds no hidden case."""

    @property
    def training(self) -> Path:
        """Folder of the data that teams fit on."""
        return self.root / "data" / "train"


# ------------------------------------------------------------------------------ the submission


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeFile:
    """A regular file of a submission."""

    path: PurePosixPath
    size: int
    """Bytes."""
    digest: str
    """SHA-256 of the content, hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A clean, read-only copy of a submission's files."""

    root: Path
    files: tuple[TreeFile, ...]
    """Sorted by path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit of a submission's history."""

    id: str
    author: str
    when: datetime
    subject: str
    files: int
    """Files it changed, against its first parent."""
    lines: int
    """Lines it added to files that people write (no data, no lock files), and that were not given
    by the challenge or its starter kit."""
    parents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What git remembers of how a submission came to be."""

    commits: tuple[Commit, ...]
    """Newest first, at most the 500 latest."""
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A source, made into a tree."""

    tree: Tree
    source: str
    """What the user named."""
    commit: str | None
    """None where the source is no repository."""
    tree_digest: str
    """SHA-256 over the sorted paths and contents."""
    history: History | None
    notes: tuple[str, ...] = ()
    """What a person should know, such as changes that are not committed and so not graded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A file or folder of the host and where a sandbox sees it."""

    host: Path
    inside: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The pinned Python environment that submissions run in, on this machine."""

    name: str
    digest: str
    """SHA-256 over the lock, the Python version and the platform."""
    root: Path
    """Where it lies on this machine; readable for the user that sandboxes run as."""
    python: Path
    """The interpreter, by its path inside a sandbox."""
    readable: tuple[Binding, ...]
    """All that a job may read of the host: the environment and the libraries it links to."""
    packages: Mapping[str, str]
    """Distribution name to version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelBuild:
    """What building the submission's wheel in the sandbox showed."""

    built: bool
    message: str
    """What the build back end said when it failed, in one line."""
    files: tuple[str, ...] = ()
    """Names inside the wheel."""
    version: str = ""
    missing: tuple[str, ...] = ()
    """Declared dependencies that the environment does not hold."""


class MutantEnd(StrEnum):
    """How the team's tests met a change of the package that broke it."""

    SURVIVED = "survived"
    """The tests stayed green."""
    ASSERTION = "killed by an assertion"
    ERROR = "killed by an error"
    """Something crashed, which shows that the code ran, not that anybody looked at what it did."""
    TIMEOUT = "killed by the time limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One small change that makes the package wrong, and what the tests made of it."""

    where: Where
    change: str
    """Such as ``< became >=``."""
    end: MutantEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class MutantRun:
    """What the team's tests make of a package that is wrong on purpose."""

    mutants: tuple[Mutant, ...]
    """Those that were tried, in the order they were drawn."""
    sites: int
    """How many mutants there were to draw from."""
    decoys_green: bool
    """Whether the tests stay green when the package's text changes and what it does doesn't."""
    message: str
    """Why no mutant was tried; empty where some were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CiCommand:
    """One step of the team's own CI as it is declared, ready to be run."""

    where: Where
    name: str
    """The step in one line."""
    script: str
    """Shell lines; empty where the step can't be run here."""
    shell: tuple[str, ...] = ("-e",)
    """How bash is told to run the lines."""
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: str = "."
    tests: bool = False
    """Whether it runs the tests."""
    may_fail: bool = False
    """Whether CI goes on, and stays green, where it fails."""
    unverifiable: str = ""
    """Why it can't be run here; empty where it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CiPlan:
    """What a push starts, job by job, and where a failing test would be found."""

    jobs: tuple[tuple[CiCommand, ...], ...]
    canary: str
    """Path of the failing test that is added."""


class StepEnd(StrEnum):
    """How a step of the team's own CI ended in the sandbox."""

    PASSED = "passed"
    FAILED = "failed"
    UNVERIFIABLE = "not verifiable"
    """It needs what the sandbox lacks: a network, a container, an action, a tool."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CiStepRun:
    """One step of the team's own CI, run in the sandbox."""

    where: Where
    command: str
    """The step in one line."""
    end: StepEnd
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CiRun:
    """What running the team's own CI in the sandbox showed."""

    steps: tuple[CiStepRun, ...]
    canary_red: bool | None
    """Whether it turned red once a failing test was added; None where no step that runs the tests
    could be run, or where it was red before."""
    message: str
    """Why nothing was run; empty where something was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRun:
    """What running the team's own tests in the sandbox showed to an observer outside it."""

    __test__ = False  # pytest would collect the name otherwise

    ran: int
    passed: int
    failed: int
    green: bool
    """Whether pytest's process exited with 0."""
    canary_green: bool
    """Whether the same tests stayed green with the package sabotaged: then they test nothing."""
    coverage: float | None
    """Share of the package's statements that ran, 0..1. Printed inside, so informational."""
    message: str
    cause: Cause | None = None
    reached: Mapping[str, Mapping[int, tuple[str, ...]]] = field(default_factory=dict)
    """Which tests ran which line of which module, as the run itself noted it: a hint, no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRun:
    """What training twice on the same data showed."""

    same: bool
    """Whether both left the same artefact behind, byte for byte."""
    problem: str = ""
    """Why there are no two artefacts to compare; empty where there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRun:
    """What the metrics report says of a public case, held against what the grader saw itself."""

    asked: bool = True
    """False where the challenge has no public case to report on."""
    problem: str = ""
    """Why there is no report to read, or none in the agreed schema; empty where there is one."""
    untrue: tuple[str, ...] = ()
    """Figures that are not what the grader measured, each as a phrase."""
    undrawn: tuple[str, ...] = ()
    """Pictures that are missing or no pictures, each as a phrase."""
    untraced: tuple[str, ...] = ()
    """Training files whose digest the report lacks, or has wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What running a submission showed. None where this grading did not look."""

    wheel: WheelBuild | None = None
    tests: TestRun | None = None
    mutants: MutantRun | None = None
    ci: CiRun | None = None
    training: TrainingRun | None = None
    report: ReportRun | None = None


# ------------------------------------------------------------------------------ the findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A place in a submission."""

    path: str
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that the standards ask for: the one place where it is explained."""

    code: str
    family: str
    title: str
    why: str
    fix: str
    example: str
    source: str
    """Where the rule comes from: a book, a standard, a tool's rule page."""
    weight: int = 1
    """Its share of the family's points."""
    requires: str = "tree"
    """What it needs to see: ``tree``, ``history``, or a field of `Observed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found."""

    code: str
    family: str
    verdict: Verdict
    share: float
    """Credit, 0..1. Quality that comes in degrees is paid in degrees."""
    message: str
    fix: str = ""
    where: Where | None = None
    waiver: str | None = None
    """The reason asked for or granted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What one accuracy case showed."""

    case: str
    group: str
    verdict: Verdict
    share: float
    """Credit, 0..1."""
    message: str
    cause: Cause | None = None
    column: str | None = None
    worst_row_kind: str | None = None
    """The segment in which the port is furthest off; never a row's own values."""
    difference: float | None = None
    """Largest difference in the column, in the column's unit."""
    seconds: float = 0.0
    memory_mb: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityLoss:
    """By how much a port is worse than the legacy model on one case, and how sure that is."""

    group: str
    case: str
    loss: float
    """Relative to the legacy model's own metric; negative where the port is better."""
    error: float
    """Its standard error, in the same unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnParity:
    """How one output column of one case compares with the recorded one."""

    case: str
    column: str
    score: float
    """Parity, 0..100."""
    within: float
    """Share of rows within tolerance, 0..1."""
    worst_segment: str
    worst_segment_within: float
    median_difference: float | None
    """In the column's unit; None where no row has both values, and for text."""
    largest_difference: float | None
    segments: Mapping[str, float] = field(default_factory=dict)
    """Share within tolerance by segment."""
    decades: tuple[int, ...] = ()
    """Rows by size of difference: within tolerance, by factors of ten beyond it, missing last."""
    points: tuple[tuple[float, float], ...] = ()
    """(legacy, ported) of up to 500 rows, evenly drawn; empty for hidden cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Points on one criterion. Not scored is None, never 0."""

    criterion: str
    earned: int | None
    possible: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverRequest:
    """A deviation that a submission asks to be granted, for one check."""

    code: str
    reason: str
    path: str = ""
    """The file or folder that deviates; empty for the whole check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A deviation that a leader granted to a team, for one check of one challenge."""

    code: str
    reason: str
    granted_by: str
    path: str = ""
    """The file or folder that may deviate; empty for the whole check."""
    expires: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """All points of a report: by criterion, and how they add up."""

    outcome: Outcome
    total: int | None
    possible: int
    checks: Mapping[str, Score]
    """By check code."""
    families: Mapping[str, Score]
    groups: Mapping[str, Score]
    reasons: tuple[str, ...]
    """Why the outcome is what it is, most important first."""
    gated: tuple[str, ...] = ()
    """Codes of the gates that failed. One is enough to halve the total."""
    weakest: str | None = None
    """The family with the lowest share of its points; None where none lost any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that grading one submission showed."""

    challenge_slug: str
    challenge_title: str
    challenge_version: str
    challenge_digest: str
    source: str
    commit: str | None
    tree_digest: str
    grader_version: str
    environment_digest: str
    sandbox: str
    """Level of isolation: ``warm``, ``cold`` or ``none``."""
    scope: Scope
    left_out: tuple[str, ...]
    """What this grading did not look at, in words."""
    notes: tuple[str, ...]
    findings: tuple[Finding, ...]
    cases: tuple[CaseResult, ...]
    columns: tuple[ColumnParity, ...]
    scores: Scores
    timings: Mapping[str, float]
    """Step name to seconds."""
    losses: tuple[QualityLoss, ...] = field(default=(), compare=False)
    """For the board alone, and never written with the rest: whoever reads how each try did on
    hidden labels can fit them."""
    data_digest: str = ""
    """SHA-256 over the challenge's data: what is fitted on, all inputs and recorded outputs. Empty
    in reports of graders that did not say."""
    rubric_digest: str = ""
    """SHA-256 over what is looked at, and what it earns. Empty as above."""


class StepState(StrEnum):
    """Where a step of grading stands."""

    STARTED = "started"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The one thing that flows out of a grading early."""

    name: str
    state: StepState
    detail: str = ""


Progress = Callable[[Step], None]
