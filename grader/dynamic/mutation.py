"""The team's tests on packages that are wrong on purpose, one sandboxed job for each.

Whether a run ends red is seen from outside. That an assertion was the cause is said by the process
that also runs the team's code: it is believed only where the run was red, and counts only where a
*decoy*, a package that is written differently and does the same, leaves the tests green. Whoever
wants to forge a kill has to tell the wrong package from the right one, which is what tests are for.
"""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from grader.commands import place_files, tree_files, why_failed
from grader.dynamic.mutants import Change, Site, disguise, draw, find_sites
from grader.dynamic.suite import RUNNER, SLACK, belongs, patient, site_files
from grader.errors import SandboxError
from grader.model import (
    Binding,
    Cause,
    Checkout,
    Limits,
    Mutant,
    MutantEnd,
    MutantRun,
    TestRun,
    Where,
)
from grader.sandbox import Job, Result, Sandbox

BUDGET = 12
"""Mutants that are tried. Where no assertion notices any of them, as many again are."""
NARROW, BROAD = 12, 8
"""Tests that are run on a mutant: of those that reach its line, so many that reach least else, and
so many that reach most else."""
AT_ONCE = 2
_RUNNER = Path(__file__).parent / "inside" / "drydock_mutant.py"
_ENDS = range(64, 125)
"""Exit codes that nothing else ends with."""


def run_mutants(
    checkout: Checkout, site: Path, sandbox: Sandbox, limits: Limits, package: str, tests: TestRun
) -> MutantRun:
    """Try mutants of the package, drawn by the tree's digest.

    :param site: the unpacked wheel
    :param package: the import name of the team's package
    :param tests: how the tests ran on the package as it is, and what they reached
    :raises SandboxError: the sandbox failed, which is no fault of the submission
    """
    if not tests.green:
        return _none("The tests are not green, so they can't tell a mutant.")
    modules = _modules(site, package)
    sites = {name: _reached(find_sites(text), name, tests) for name, text in modules.items()}
    count = sum(map(len, sites.values()))
    if not count:
        return _none("The tests reach no line of the package that could be made wrong.")
    seed = int(checkout.tree_digest[:16], 16)
    bench = _Bench.of(checkout, site, sandbox, limits, tests, package, seed)
    changes = draw(sites, seed, BUDGET)
    mutants, green = bench.try_all(changes, modules)
    if green and not any(mutant.end is MutantEnd.ASSERTION for mutant in mutants):
        mutants += bench.mutants(draw(sites, seed, BUDGET, start=BUDGET), modules)
    return MutantRun(mutants=tuple(mutants), sites=count, decoys_green=green, message="")


def _none(message: str) -> MutantRun:
    return MutantRun(mutants=(), sites=0, decoys_green=True, message=message)


def _modules(site: Path, package: str) -> dict[str, str]:
    """Return the package's modules by their path in the wheel; what is no text has no mutants."""
    found = {}
    for name, content in site_files(site).items():
        if name.endswith(".py") and name.startswith(f"{package}/"):
            try:
                found[name] = content.decode()
            except UnicodeDecodeError:
                continue
    return found


def _reached(sites: Iterable[Site], name: str, tests: TestRun) -> tuple[Site, ...]:
    lines = tests.reached.get(name, {})
    return tuple(site for site in sites if site.line in lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """What all the jobs of one submission share."""

    sandbox: Sandbox
    limits: Limits
    package: str
    tests: TestRun
    seed: int
    site: Mapping[str, bytes]
    submission: Path
    own: Mapping[str, bytes]
    """The submission's files that belong to the package."""
    tools: Path

    @classmethod
    def of(
        cls,
        checkout: Checkout,
        site: Path,
        sandbox: Sandbox,
        limits: Limits,
        tests: TestRun,
        package: str,
        seed: int,
    ) -> _Bench:
        tree = tree_files(checkout.tree)
        runners = {file.name: file.read_bytes() for file in (RUNNER, _RUNNER)}
        return cls(
            sandbox=sandbox,
            limits=replace(limits, wall_seconds=limits.wall_seconds * SLACK),
            package=package,
            tests=tests,
            seed=seed,
            site=site_files(site),
            submission=place_files(sandbox, "submission", tree),
            own={k: v for k, v in tree.items() if belongs(PurePosixPath(k), package)},
            tools=place_files(sandbox, "tools", runners),
        )

    def try_all(
        self, changes: Sequence[Change], modules: Mapping[str, str]
    ) -> tuple[list[Mutant], bool]:
        """Try mutants, and the decoy on all the tests that any of them is tried with."""
        reaching = {test for change in changes for test in self._tests_of(change)}
        with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="mutants") as pool:
            decoy = pool.submit(self._decoy, modules, reaching)
            tried = list(pool.map(lambda change: self._mutant(change, modules), changes))
            return tried, decoy.result()

    def mutants(self, changes: Sequence[Change], modules: Mapping[str, str]) -> list[Mutant]:
        with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="mutants") as pool:
            return list(pool.map(lambda change: self._mutant(change, modules), changes))

    def _mutant(self, change: Change, modules: Mapping[str, str]) -> Mutant:
        text = change.site.applied(modules[change.path])
        asserted = random.Random(f"{self.seed}{change}").choice(_ENDS)  # noqa: S311 - no secret
        result = self._run({change.path: text}, self._tests_of(change), asserted)
        where = Where(path=self._path(change.path), line=change.site.line)
        return Mutant(where=where, change=change.site.change, end=_end(result, asserted))

    def _decoy(self, modules: Mapping[str, str], tests: Collection[str]) -> bool:
        changed = {name: disguise(text, self.seed) for name, text in modules.items()}
        # It may run as many tests as there are, so it has the time that all of them have.
        result = self._run(changed, tests, _ENDS[0], patient(self.limits))
        return result.cause is None and result.exit_code == 0

    def _tests_of(self, change: Change) -> tuple[str, ...]:
        """Return tests that reach a change: the narrowest, and the broadest."""
        tests = self.tests.reached[change.path].get(change.site.line, ())
        if not tests:  # run while the module was imported, so that any of its tests may tell
            lines = self.tests.reached[change.path].values()
            tests = tuple({test for names in lines for test in names})
        breadth = _breadth(self.tests)
        ordered = sorted(tests, key=lambda test: (breadth.get(test, 0), test))
        return tuple(dict.fromkeys([*ordered[:NARROW], *ordered[-BROAD:]]))

    def _path(self, name: str) -> str:
        """Return where a module of the wheel lies in the submission."""
        return next((path for path in sorted(self.own) if f"/{path}".endswith(f"/{name}")), name)

    def _run(
        self,
        changed: Mapping[str, str],
        tests: Collection[str],
        asserted: int,
        limits: Limits | None = None,
    ) -> Result:
        limits = limits or self.limits
        contents = {name: text.encode() for name, text in changed.items()}
        tree = {self._path(name): content for name, content in contents.items()}
        site = place_files(self.sandbox, "site", {**self.site, **contents})
        patch = place_files(
            self.sandbox,
            "patch",
            {"tests.json": json.dumps(sorted(tests)).encode()}
            | {f"files/{path}": content for path, content in tree.items() if path in self.own},
        )
        (patch / "files").mkdir(exist_ok=True)
        folders = {
            "/submission": self.submission,
            "/site": site,
            "/tools": self.tools,
            "/patch": patch,
        }
        result = self.sandbox.run(
            Job(
                module=_RUNNER.stem,
                arguments=("/patch/files", "/patch/tests.json", str(asserted)),
                mounts=tuple(
                    Binding(host=host, inside=Path(inside)) for inside, host in folders.items()
                ),
                python_path=("/site", "/tools"),
                limits=limits,
                copy_to_work="/submission",
            )
        )
        _raise_ours(result, limits)
        return result


def _raise_ours(result: Result, limits: Limits) -> None:
    failure = why_failed("The tests", result, limits, reveal=True)
    if failure is not None and failure.cause is Cause.SANDBOX:
        raise SandboxError("sandbox-failed", failure.message, remedy="Run 'drydock doctor'.")


def _end(result: Result, asserted: int) -> MutantEnd:
    if result.cause is Cause.TIMEOUT:
        return MutantEnd.TIMEOUT
    if result.cause is None and result.exit_code == 0:
        return MutantEnd.SURVIVED
    return MutantEnd.ASSERTION if result.exit_code == asserted else MutantEnd.ERROR


def _breadth(tests: TestRun) -> dict[str, int]:
    """Return how many lines each test runs: what it does not run it cannot be broken by."""
    count: dict[str, int] = {}
    for lines in tests.reached.values():
        for names in lines.values():
            for name in names:
                count[name] = count.get(name, 0) + 1
    return count
