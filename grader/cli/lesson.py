"""``drydock lesson``: graded notebooks, from the first draft to the feedback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from grader.cli.common import HOME, console
from grader.errors import UsageError
from grader.lessons import (
    Graded,
    Lesson,
    find_lesson,
    list_lessons,
    named_notebooks,
    open_bench,
    write_release,
)
from grader.lessons import grade as grade_lesson
from grader.lessons import load as load_lesson
from grader.lessons.draft import draft
from grader.lessons.exchange import from_json, take_in, to_json, write_book, write_table
from grader.lessons.verify import Proof
from grader.lessons.verify import verify as verify_lesson

app = typer.Typer(no_args_is_help=True, help="Write, prove, hand out and grade lessons.")

Name = Annotated[str, typer.Argument(help="Which lesson, or its folder.")]
Folder = Annotated[
    Path,
    typer.Option(
        "--lessons",
        metavar="DIR",
        help="The folder that lessons are in.",
        show_default="the lessons that came with Drydock",
    ),
]
Notebooks = Annotated[
    list[Path],
    typer.Argument(
        metavar="NOTEBOOK…",
        help="The notebooks that were handed in; where the lesson has one, whatever its name is.",
    ),
]
Into = Annotated[Path, typer.Option("--into", metavar="DIR", help="Where they are written.")]
Unsafe = Annotated[
    bool, typer.Option("--unsafe-no-sandbox", help="Run the notebooks without a sandbox.")
]
DEFAULT = HOME / "lessons"


@app.command("list")
def list_(*, lessons: Folder = DEFAULT) -> None:
    """List the lessons, in the order in which they should be taken."""
    found = list_lessons([lessons])
    # Whole on any console, wider than it if need be: it is what one must type.
    widest = max((len(lesson.slug) for lesson in found), default=0)
    slugs = Column("lesson", no_wrap=True, min_width=widest)
    table = Table(slugs, "level", "minutes", "title", box=None, pad_edge=False)
    for lesson in found:
        table.add_row(lesson.slug, lesson.level, str(lesson.minutes), escape(lesson.title))
    console().print(table, crop=False)


@app.command()
def new(
    slug: Annotated[str, typer.Argument(help="Its name: small letters, figures and dashes.")],
    *,
    lessons: Folder = DEFAULT,
) -> None:
    """Start a lesson that verifies, to be written from there.

    Example:
      drydock lesson new dates-in-cobol
    """
    folder = draft(slug, lessons)
    out = console()
    out.print(f"Your lesson is in {folder}", soft_wrap=True)
    notebook = folder / "source" / f"{slug}.ipynb"
    out.print(f"Next: open {notebook} in Jupyter, then: drydock lesson verify {slug}")


@app.command()
def verify(lesson: Name, *, lessons: Folder = DEFAULT, unsafe: Unsafe = False) -> None:
    """Prove that a lesson grades what it teaches.

    Its solution earns all points, its release none, each of its wrong answers loses what it
    should, nothing secret is left in the release, it runs in both orders, and it ends in time.
    """
    found = _find(lesson, lessons)
    out = console()

    def tell(proof: Proof) -> None:
        state = "[green]holds[/]" if proof.held else "[red]fails[/]"
        out.print(f"{state}  {escape(proof.name)}: {escape(proof.detail)}", soft_wrap=True)

    with open_bench(unsafe=unsafe) as bench:
        proofs = verify_lesson(found, bench, tell)
    if not all(proof.held for proof in proofs):
        out.print("Not proven.")
        raise typer.Exit(1)
    out.print("Proven.")


@app.command()
def release(lesson: Name, *, into: Into, lessons: Folder = DEFAULT) -> None:
    """Write what learners get: notebooks without solutions and hidden tests, and their files."""
    found = _find(lesson, lessons)
    target = _new_folder(into / found.slug)
    write_release(found, target)
    console().print(f"The release is in {target.resolve()}", soft_wrap=True)


@app.command()
def grade(
    lesson: Name,
    notebooks: Notebooks,
    *,
    lessons: Folder = DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    unsafe: Unsafe = False,
) -> None:
    """Grade what somebody handed in. Exit status 1 where it does not pass.

    Example:
      drydock lesson grade from-notebook-to-package from-notebook-to-package.ipynb
    """
    found, graded = _graded(lesson, notebooks, lessons, unsafe=unsafe)
    given = graded.grade
    if as_json:
        console().print_json(json.dumps(_told(found, graded)))
    else:
        _print(found, graded)
    raise typer.Exit(given.points < found.passing)


@app.command()
def feedback(
    lesson: Name,
    notebooks: Notebooks,
    *,
    into: Into,
    lessons: Folder = DEFAULT,
    unsafe: Unsafe = False,
) -> None:
    """Grade what somebody handed in, and write the pages that they read."""
    found, graded = _graded(lesson, notebooks, lessons, unsafe=unsafe, feedback=True)
    target = _new_folder(into / found.slug)
    target.mkdir(parents=True)
    for name, page in graded.feedback.items():
        (target / f"{name}.html").write_text(page, encoding="utf-8")
    console().print(f"The feedback is in {target.resolve()}", soft_wrap=True)


@app.command("import")
def import_(
    course: Annotated[Path, typer.Argument(help="An nbgrader course's folder.")],
    *,
    into: Annotated[
        Path,
        typer.Option(
            "--into",
            metavar="DIR",
            help="The folder that lessons are in.",
            show_default="the lessons that came with Drydock",
        ),
    ] = DEFAULT,
    results: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where its students and scores are written, as JSON."),
    ] = None,
) -> None:
    """Make lessons of an nbgrader course's assignments; its notebooks stay as they are.

    Example:
      drydock lesson import course101 --results course101.json
    """
    if results is not None and results.exists():
        raise UsageError("results-there", f"{results} is there already.", remedy="Name another.")
    taken = take_in(course, into)
    out = console()
    for lesson in taken.lessons:
        out.print(f"{lesson.slug}: {into / lesson.slug}", soft_wrap=True)
    if results is not None:
        results.write_text(to_json(taken.students, taken.results), encoding="utf-8")
        count = f"{len(taken.students)} students and {len(taken.results)} results"
        out.print(f"{count}: {results}", soft_wrap=True)


@app.command()
def export(
    results: Annotated[Path, typer.Argument(help="Results, as JSON.")],
    *,
    gradebook: Annotated[Path, typer.Option(metavar="FILE", help="A gradebook to write.")],
    table: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="A table to write.")
    ] = None,
    lessons: Folder = DEFAULT,
) -> None:
    """Write results into a gradebook of nbgrader's own, and as its CSV export does.

    Example:
      drydock lesson export course101.json --gradebook gradebook.db --csv grades.csv
    """
    try:
        students, found = from_json(results.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            "results-unreadable", f"{results} cannot be read: {error.strerror}."
        ) from error
    slugs = sorted({result.grade.lesson for result in found})
    write_book(gradebook, [find_lesson(slug, [lessons]) for slug in slugs], students, found)
    out = console()
    out.print(f"{len(found)} results: {gradebook}", soft_wrap=True)
    if table is not None:
        write_table(gradebook, table)
        out.print(f"As a table: {table}", soft_wrap=True)


def _find(name: str, folder: Path) -> Lesson:
    if (Path(name) / "lesson.toml").is_file():
        return load_lesson(Path(name).resolve())
    return find_lesson(name, [folder])


def _new_folder(folder: Path) -> Path:
    if folder.exists():
        raise UsageError(
            "folder-there", f"{folder} is there already.", remedy="Name another with --into."
        )
    return folder


def _graded(
    name: str, notebooks: list[Path], folder: Path, *, unsafe: bool, feedback: bool = False
) -> tuple[Lesson, Graded]:
    lesson = _find(name, folder)
    try:
        files = {str(file): file.read_bytes() for file in notebooks}
    except OSError as error:
        raise UsageError(
            "notebook-unreadable", f"{error.filename} cannot be read: {error.strerror}."
        ) from error
    handed_in = named_notebooks(lesson, files)
    with open_bench(unsafe=unsafe) as bench:
        return lesson, grade_lesson(lesson, handed_in, bench, feedback=feedback)


def _print(lesson: Lesson, graded: Graded) -> None:
    out = console()
    table = Table("cell", "points", "why", box=None, pad_edge=False)
    for cell in graded.grade.cells:
        points = "a person looks" if cell.waits else f"{cell.points:g}/{cell.possible:g}"
        table.add_row(cell.cell, points, escape(cell.reason))
    out.print(table)
    for remark in graded.grade.remarks:
        out.print(escape(remark), soft_wrap=True)
    passed = "passed" if graded.grade.points >= lesson.passing else "not passed"
    given = f"{graded.grade.points:g} of {graded.grade.possible:g} points"
    out.print(f"{given}; {lesson.passing:g} pass: {passed}.")


def _told(lesson: Lesson, graded: Graded) -> dict[str, object]:
    given = graded.grade
    return {
        "lesson": given.lesson,
        "digest": given.digest,
        "points": given.points,
        "possible": given.possible,
        "passed": given.points >= lesson.passing,
        "cells": [
            {
                "notebook": cell.notebook,
                "cell": cell.cell,
                "points": cell.points,
                "possible": cell.possible,
                "waits": cell.waits,
                "reason": cell.reason,
            }
            for cell in given.cells
        ],
        "remarks": list(given.remarks),
    }
