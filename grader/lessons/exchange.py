"""nbgrader courses, taken in and given back: notebooks as they are, scores to the last point."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.plugins import CsvExportPlugin

from grader.errors import UsageError
from grader.lessons import course as nbgrader
from grader.lessons.load import MANIFEST, SOURCE, LessonError, load, notebooks, read_notebook
from grader.lessons.model import Lesson, LessonGrade, Level, grade_from

HEADER = "header.ipynb"
_SLUG = re.compile(r"[^a-z0-9]+")
_PASSING = 0.5
"""Share of the points that passes a lesson taken in: its champion may say otherwise."""
_FORM = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Student:
    """Somebody in a gradebook."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What somebody's handed-in assignment was worth."""

    student: str
    grade: LessonGrade
    handed_in_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a course held."""

    lessons: tuple[Lesson, ...]
    students: tuple[Student, ...]
    results: tuple[Result, ...]


def take_in(course: Path, destination: Path) -> Taken:
    """Make lessons of a course's assignments, and read its gradebook where it has one.

    The course's settings file is a program, and is not run. All lessons are made, or none.

    :param course: an nbgrader course: ``source/<assignment>/*.ipynb``, and ``gradebook.db``
    :param destination: the folder of lessons
    :raises UsageError: it is no course, or a lesson of a name is there already
    :raises LessonError: a notebook cannot be read
    """
    source = course / "source"
    assignments = {
        _slug(folder.name): folder
        for folder in (sorted(source.iterdir()) if source.is_dir() else ())
        if folder.is_dir() and notebooks(folder)
    }
    if not assignments:
        raise UsageError(
            "no-course",
            f"{course} is no nbgrader course: it has no source/<assignment> with notebooks.",
            remedy="Name the folder that holds source/ and nbgrader_config.py.",
        )
    taken = [slug for slug in assignments if (destination / slug).exists()]
    if taken:
        raise UsageError(
            "lesson-there",
            f"There is a lesson {taken[0]} in {destination} already.",
            remedy="Remove it, or name another folder with --into.",
        )
    destination.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination, prefix=".taken-") as workshop:
        for slug, folder in assignments.items():
            _make(folder, Path(workshop) / slug, source / HEADER)
        for slug in assignments:
            (Path(workshop) / slug).rename(destination / slug)
    lessons = tuple(load(destination / slug) for slug in assignments)
    book = course / nbgrader.BOOK
    students, results = read_book(book, lessons) if book.is_file() else ((), ())
    return Taken(lessons=lessons, students=students, results=results)


def read_book(
    book: Path, lessons: Iterable[Lesson]
) -> tuple[tuple[Student, ...], tuple[Result, ...]]:
    """Return the students of a gradebook, and what each handed in of these lessons was worth."""
    known = {lesson.slug: lesson for lesson in lessons}
    results = []
    with tempfile.TemporaryDirectory() as folder:
        # Read from a copy: nbgrader writes to what it opens.
        copy = Path(shutil.copyfile(book, Path(folder) / nbgrader.BOOK))
        with nbgrader.opened(f"sqlite:///{copy}") as opened:
            students = tuple(_student(student) for student in opened.students)
            handed_in = [
                (assignment.name, submission.student.id, submission.timestamp)
                for assignment in opened.assignments
                for submission in assignment.submissions
                if _slug(assignment.name) in known
            ]
        for assignment, student, at in sorted(handed_in, key=lambda item: item[:2]):
            lesson = known[_slug(assignment)]
            cells, penalty = nbgrader.grades(nbgrader.Course(copy.parent, assignment), student)
            grade = LessonGrade(
                lesson=lesson.slug, digest=lesson.digest, cells=cells, penalty=penalty
            )
            when = at.replace(tzinfo=UTC) if at else None
            results.append(Result(student=student, grade=grade, handed_in_at=when))
    return students, tuple(results)


def write_book(
    file: Path, lessons: Sequence[Lesson], students: Iterable[Student], results: Iterable[Result]
) -> None:
    """Write a gradebook as nbgrader's own programs read it. It appears whole or not at all.

    :raises UsageError: the file is there already (slug ``book-there``)
    """
    if file.exists():
        raise UsageError("book-there", f"{file} is there already.", remedy="Name another file.")
    with tempfile.TemporaryDirectory(dir=file.resolve().parent) as folder:
        root = Path(folder)
        for lesson in lessons:
            nbgrader.create(root, lesson)
        with nbgrader.opened(f"sqlite:///{root / nbgrader.BOOK}") as book:
            for student in students:
                about = asdict(student)
                book.update_or_create_student(about.pop("id"), **about)
            for result in results:
                _write(book, result)
        (root / nbgrader.BOOK).rename(file)


def write_table(book: Path, file: Path) -> None:
    """Write the table that nbgrader's own CSV export makes of a gradebook."""
    with nbgrader.opened(f"sqlite:///{book}") as opened:
        CsvExportPlugin(to=str(file)).export(opened)


def to_json(students: Iterable[Student], results: Iterable[Result]) -> str:
    """Return results as JSON, to be kept beside the lessons."""
    told = {
        "form": _FORM,
        "students": [asdict(student) for student in students],
        "results": [
            {**asdict(result), "handed_in_at": _moment(result.handed_in_at)} for result in results
        ],
    }
    return json.dumps(told, indent=1) + "\n"


def from_json(text: str) -> tuple[tuple[Student, ...], tuple[Result, ...]]:
    """Return what :func:`to_json` wrote.

    :raises UsageError: it did not write this (slug ``results-unreadable``)
    """
    try:
        told = json.loads(text)
        if told.pop("form") != _FORM:
            told = {}  # of another release, which this one can't read
        students = tuple(Student(**item) for item in told["students"])
        return students, tuple(_result(item) for item in told["results"])
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            "results-unreadable",
            f"The file holds no results of lessons: {error}.",
            remedy="Name one that 'drydock lesson import' wrote.",
        ) from error


def _result(item: Mapping[str, Any]) -> Result:
    at = item["handed_in_at"]
    return Result(
        student=item["student"],
        grade=grade_from(item["grade"]),
        handed_in_at=datetime.fromisoformat(at) if at else None,
    )


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _write(book: Gradebook, result: Result) -> None:
    assignment = result.grade.lesson
    at = result.handed_in_at
    submission = book.update_or_create_submission(
        assignment, result.student, **({"timestamp": at.replace(tzinfo=None)} if at else {})
    )
    for cell in result.grade.cells:
        grade = book.find_grade(cell.cell, cell.notebook, assignment, result.student)
        grade.auto_score, grade.manual_score = cell.auto, cell.manual
        grade.extra_credit, grade.needs_manual_grade = cell.extra, cell.waits
        if cell.comment:
            comment = book.find_comment(cell.cell, cell.notebook, assignment, result.student)
            comment.manual_comment = cell.comment
    for notebook in submission.notebooks[:1]:
        notebook.late_submission_penalty = result.grade.penalty
    book.db.commit()


def _make(assignment: Path, root: Path, header: Path) -> None:
    """Make a lesson of an assignment: its files as they are, and what a lesson says of itself."""
    shutil.copytree(assignment, root / SOURCE)
    if header.is_file():
        shutil.copyfile(header, root / HEADER)
    points = sum(
        float(cell.metadata.nbgrader.get("points") or 0)
        for name in notebooks(root / SOURCE)
        for cell in read_notebook(root / SOURCE / f"{name}.ipynb").cells
        if cell.metadata.get("nbgrader", {}).get("grade")
        and not cell.metadata.nbgrader.get("solution")
    )
    (root / MANIFEST).write_text(
        manifest(assignment.name, f"From the course's assignment {assignment.name}.", points),
        encoding="utf-8",
    )


def manifest(title: str, summary: str, points: float) -> str:
    """Return a lesson's manifest with all that one needs."""
    return (
        f"[lesson]\ntitle = {json.dumps(title)}\nsummary = {json.dumps(summary)}\n"
        f'level = "{Level.FIRST}"\nminutes = 30\npassing = {points * _PASSING:g}\n'
        "teaches = []\nafter = []\nunlocks = []\n"
    )


def _student(student: Any) -> Student:
    return Student(
        id=student.id,
        first_name=student.first_name or "",
        last_name=student.last_name or "",
        email=student.email or "",
    )


def _slug(name: str) -> str:
    slug = _SLUG.sub("-", os.fspath(name).lower()).strip("-")
    if not slug:
        raise LessonError("lesson-invalid", f"{name!r} is no name for a lesson.")
    return slug
