"""Any Python repository by the standards alone: no challenge, and nothing of it is run.

What only running a repository could show is left out of both sides, what it earns and what it could
have earned; so is what a caller leaves out because it does not apply.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from grader import scoring, standards
from grader.checkout import check_out
from grader.model import Checkout, Contract, Finding, Observed, Score, Verdict, Waiver

GATES = frozenset({"DOCS001", "SECU001", "TEST003"})
"""No documentation, a secret, or no test that asserts anything: each halves the total."""

_ASIDE = frozenset({"tests", "test", "docs", "doc", "examples", "scripts", "notebooks", "tools"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the standards say of a repository."""

    package: str
    """The package that was looked at as its own; empty where there is none."""
    findings: tuple[Finding, ...]
    families: dict[str, Score]
    """By family; None is earned where a tool of ours failed."""
    asked: tuple[Waiver, ...]
    """The waivers that it asks for, as if they were granted."""

    @property
    def earned(self) -> int | None:
        """Points over all families, halved by a gate; None where one could not be scored."""
        points = [score.earned for score in self.families.values()]
        if None in points:
            return None
        whole = sum(point or 0 for point in points)
        return whole // 2 if self.gated else whole

    @property
    def gated(self) -> tuple[str, ...]:
        """Gates that earn nothing at all, as far as they show without running anything."""
        return tuple(f.code for f in self.failed if f.code in GATES and not f.share)

    @property
    def possible(self) -> int:
        """Points that could be earned."""
        return sum(score.possible for score in self.families.values())

    @property
    def failed(self) -> tuple[Finding, ...]:
        """What does not hold."""
        return tuple(item for item in self.findings if item.verdict is Verdict.FAIL)


def survey(
    source: str,
    workspace: Path,
    *,
    package: str = "",
    families: Collection[str] = (),
    without: Collection[str] = (),
    grant: bool = False,
    working_tree: bool = False,
) -> Survey:
    """Look at a repository.

    :param source: as ``check_out`` takes it
    :param workspace: an empty folder
    :param package: its import name; guessed where it is not said
    :param families: those that apply; all where none is named
    :param without: files and folders that are no code of its own
    :param grant: count the waivers that it asks for as granted
    :raises SourceError: the source cannot become a tree
    """
    checkout = _less(check_out(source, workspace, working_tree=working_tree), without)
    name = package or guess_package(checkout)
    evidence = standards.inspect(
        checkout,
        Contract(package=name or "package", python="3.11"),
        public_files=frozenset(),
        environment_packages=_installed(),
    )
    wanted = tuple(families or standards.FAMILIES)
    asked = standards.requested_waivers(evidence)
    granted = asked if grant else ()
    found = standards.judge(evidence, Observed(), wanted, waivers=granted)
    found = tuple(_waived(item, granted) for item in found if item.verdict is not Verdict.SKIPPED)
    scores = {family: _score(family, found) for family in wanted}
    kept = {family: score for family, score in scores.items() if score.possible}
    return Survey(package=name, findings=found, families=kept, asked=asked)


def guess_package(checkout: Checkout) -> str:
    """Guess the import name of a repository's own package: the one with most code.

    A folder counts as a package where it holds an ``__init__.py``, under ``src`` or at the root.
    """
    sizes: Counter[str] = Counter()
    paths = [file.path for file in checkout.tree.files]
    packages = {root for path in paths if (root := _package_of(path, paths))}
    for file in checkout.tree.files:
        inside = [root for root in packages if root in file.path.parents]
        if inside and file.path.suffix == ".py":
            sizes[inside[0].name] += file.size
    return min(sizes, key=lambda name: (-sizes[name], name), default="")


def _package_of(path: PurePosixPath, paths: Sequence[PurePosixPath]) -> PurePosixPath | None:
    depth = 2 if path.parts[0] == "src" else 1
    root = PurePosixPath(*path.parts[:depth])
    named = re.fullmatch(r"[A-Za-z_]\w*", root.name) and root.name.lower() not in _ASIDE
    return root if named and len(path.parts) > depth and root / "__init__.py" in paths else None


def _less(checkout: Checkout, without: Collection[str]) -> Checkout:
    gone = [PurePosixPath(path) for path in without]
    files = tuple(
        file
        for file in checkout.tree.files
        if not any(path == file.path or path in file.path.parents for path in gone)
    )
    return replace(checkout, tree=replace(checkout.tree, files=files))


def _installed() -> frozenset[str]:
    """Return what this machine's own environment holds: a stranger's repository names its own."""
    names = (dist.metadata["Name"] for dist in importlib.metadata.distributions())
    return frozenset(re.sub(r"[-_.]+", "-", name).lower() for name in names if name)


def _waived(finding: Finding, granted: Iterable[Waiver]) -> Finding:
    reasons = [w.reason for w in granted if w.code == finding.code and not w.path]
    if finding.verdict is not Verdict.FAIL or not reasons:
        return finding
    return replace(finding, verdict=Verdict.WAIVED, share=1.0, waiver=reasons[0])


def _score(family: str, findings: Sequence[Finding]) -> Score:
    """Score a family by the checks that could be judged, at their part of the family's points."""
    checks = [check for check in standards.all_checks() if check.family == family]
    points = scoring.apportion(
        standards.WEIGHTS[family], {check.code: check.weight for check in checks}
    )
    own = [item for item in findings if item.family == family]
    earned = [scoring.earned_by(item, findings, points) for item in own]
    return Score(
        criterion=family,
        earned=None if None in earned else sum(point or 0 for point in earned),
        possible=sum(points[item.code] for item in own),
    )
