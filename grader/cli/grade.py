"""``drydock grade``: one submission in, one verdict out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from grader import report as reports
from grader import standards
from grader.cli.common import Folders, console, resolve_challenge, writable, write
from grader.engine import grade as grade_submission
from grader.engine import open_dock
from grader.errors import UsageError
from grader.model import Outcome, Report, Scope, Verdict

EXIT_STATUS = {Outcome.ACCEPTED: 0, Outcome.REJECTED: 1, Outcome.UNGRADED: 3}

_File = Path | None


def grade(
    source: Annotated[
        str,
        typer.Argument(
            help="What to grade: a directory, an archive (.zip, .tar.gz …), a git repository "
            "(working or bare, PATH@REV for a revision), or a URL with @REV."
        ),
    ],
    challenge: Annotated[
        str | None,
        typer.Option(
            "--challenge",
            "-c",
            metavar="SLUG",
            help="The challenge it answers: a slug, or the path of a package. Without it, "
            r"the directory's own drydock.toml or \[tool.drydock] table names it.",
            show_default=False,
        ),
    ] = None,
    *,
    public: Annotated[
        bool,
        typer.Option("--public", help="Grade what a team can grade: on the public cases alone."),
    ] = False,
    working_tree: Annotated[
        bool,
        typer.Option(
            "--working-tree",
            help="Grade a repository's files as they lie, instead of its last commit.",
        ),
    ] = False,
    json_file: Annotated[
        _File,
        typer.Option("--json", metavar="FILE", help="Write the report as JSON; '-' prints it."),
    ] = None,
    html_file: Annotated[
        _File, typer.Option("--html", metavar="FILE", help="Write the report as one HTML page.")
    ] = None,
    md_file: Annotated[
        _File, typer.Option("--md", metavar="FILE", help="Write a summary for a merge request.")
    ] = None,
    junit_file: Annotated[
        _File, typer.Option("--junit", metavar="FILE", help="Write JUnit XML for a CI server.")
    ] = None,
    sarif_file: Annotated[
        _File, typer.Option("--sarif", metavar="FILE", help="Write SARIF for a code viewer.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="NAME",
            help="Look at one check, family or group alone, without a total; may be given several "
            "times.",
            show_default=False,
        ),
    ] = None,
    cold: Annotated[
        bool,
        typer.Option("--cold", help="Start each step in a process of its own: slower, same score."),
    ] = False,
    unsafe_no_sandbox: Annotated[
        bool,
        typer.Option(
            "--unsafe-no-sandbox",
            help="Run the submitted code without a sandbox. Only for code that you trust as your "
            "own; the report says so in red.",
        ),
    ] = False,
    challenges: Folders = None,
) -> None:
    """Grade a port: its standards, and how exactly it answers as the legacy model did.

    Examples:

      drydock grade . --public

      drydock grade . --only TEST009

      drydock grade port.zip --challenge r-health-tariff --html report.html

      drydock grade https://git.example.org/team/port.git@v1.0 -c r-health-tariff --json -

    Exit status: 0 accepted, 1 graded and not accepted, 2 bad input or usage, 3 our own failure.
    With --only: 0 where all that was looked at passed, 1 where something failed.
    """
    files = [json_file, html_file, md_file, junit_file, sarif_file]
    if sum(str(file) == "-" for file in files) > 1:
        raise UsageError(
            "two-on-stdout", "Only one report can be printed.", remedy="Name files for the others."
        )
    for file in files:
        writable(file)
    loaded = resolve_challenge(source, challenge, challenges, public=public)
    scope = Scope.PUBLIC if public or loaded.public_export else Scope.FULL
    machine = any(str(file) == "-" for file in files)
    out = console(stderr=machine)
    with tempfile.TemporaryDirectory(prefix="drydock-") as folder:
        workspace = Path(folder)
        with (
            reports.LiveSteps(out, title=f"{source} → {loaded.slug}") as progress,
            open_dock(loaded.contract.environment, unsafe=unsafe_no_sandbox, warm=not cold) as dock,
        ):
            report = grade_submission(
                source, loaded, dock, workspace,
                scope=scope, working_tree=working_tree, only=only or (), progress=progress,
            )  # fmt: skip
        write(json_file, lambda: reports.to_json(report))
        write(html_file, lambda: html(report, workspace / "tree"))
        write(md_file, lambda: reports.to_markdown(report))
        write(junit_file, lambda: reports.to_junit(report))
        write(sarif_file, lambda: reports.to_sarif(report, standards.find_check))
    reports.print_report(report, out)
    for file in files:
        if file is not None and str(file) != "-":
            out.print(f"written: {file.resolve()}", soft_wrap=True)
    raise typer.Exit(exit_status(report))


def exit_status(report: Report) -> int:
    """Return the exit status that a report calls for."""
    if report.scores.outcome is Outcome.PARTIAL:
        verdicts = {finding.verdict for finding in report.findings}
        return int(Verdict.FAIL in verdicts | {case.verdict for case in report.cases})
    return EXIT_STATUS[report.scores.outcome]


def html(report: Report, tree: Path) -> str:
    """Return the HTML page of a report, with the lines of the submission that it points at."""
    return reports.to_html(report, explain=standards.find_check, snippets=line_reader(tree))


def line_reader(tree: Path, around: int = 2) -> Callable[[str, int], list[tuple[int, str]]]:
    """Return a reader of a submission's lines: (number, text) around the one asked for."""

    def read(path: str, line: int) -> list[tuple[int, str]]:
        file = tree / path
        if not file.is_file():
            return []
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        first = max(line - around, 1)
        last = min(line + around, len(lines))
        return [(number, lines[number - 1][:200]) for number in range(first, last + 1)]

    return read
