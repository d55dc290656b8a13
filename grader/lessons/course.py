"""nbgrader's side of a lesson: the one module that knows nbgrader.

Each grading has a course folder of its own, made from a template and thrown away: no gradebook is
written to by two at once, and nobody's notebook lies beside another's. nbgrader sanitises, scores
and writes feedback out here; a step of ours takes the place of its executing one, and sends the
cells into the sandbox.

https://nbgrader.readthedocs.io/en/stable/api/index.html
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    IgnorePattern,
    LimitOutput,
    SaveAutoGrades,
)
from nbgrader.utils import determine_grade, is_grade
from traitlets.config import Config

from grader.errors import InternalError
from grader.lessons.feedback import without_hidden_tests
from grader.lessons.load import LessonError, grade_id, notebooks
from grader.lessons.model import CellGrade, Lesson

STUDENT = "learner"
"""The one student of a course that is thrown away."""
BOOK = "gradebook.db"
_QUIET = logging.getLogger("drydock.nbgrader")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False
# nbgrader tells this one of each step, and raises its level to be heard; what is wrong still is.
logging.getLogger("traitlets").addFilter(lambda record: record.levelno >= logging.WARNING)
_RAISED = re.compile(r"^\s*(?:[\w.]+\.)?(\w+(?:Error|Exception): .+)$", re.MULTILINE)

_AUTOTEST = re.compile(r"### (HASHED )?AUTOTEST")

Execute = Callable[[NotebookNode], None]
"""Runs a notebook's cells, and puts what they show into it."""


@dataclass(frozen=True, slots=True)
class Course:
    """A course folder as nbgrader lays it out, and one assignment in it."""

    root: Path
    """Absolute: nbgrader reads a relative one from another folder than we do."""
    assignment: str

    @property
    def release(self) -> Path:
        """Where the notebooks lie that learners get."""
        return self.root / "release" / self.assignment

    @property
    def submitted(self) -> Path:
        """Where a learner's own notebooks are put."""
        return self.root / "submitted" / STUDENT / self.assignment

    @property
    def autograded(self) -> Path:
        """Where the notebooks lie as they ran."""
        return self.root / "autograded" / STUDENT / self.assignment

    @property
    def feedback(self) -> Path:
        """Where the feedback pages lie."""
        return self.root / "feedback" / STUDENT / self.assignment

    @property
    def database(self) -> str:
        """The address of its gradebook."""
        return f"sqlite:///{self.root / BOOK}"


def create(root: Path, lesson: Lesson) -> Course:
    """Lay a course out for a lesson, and make the notebooks that learners get.

    :param root: an empty folder
    :raises LessonError: nbgrader refuses the source notebooks (slug ``lesson-refused``)
    """
    root = root.absolute()
    course = Course(root, lesson.slug)
    _check_autotests(lesson)
    root.mkdir(parents=True, exist_ok=True)
    shutil.copytree(lesson.source, root / "source" / lesson.slug)
    header = lesson.source.with_name("header.ipynb")
    if header.is_file():
        shutil.copyfile(header, root / "source" / header.name)
    with _calm(), _programs_at_hand():
        done = _api(course).generate_assignment(lesson.slug, force=True, create=True)
    if not done["success"]:
        raise LessonError(
            "lesson-refused",
            f"nbgrader makes no release of {lesson.source}: {_last_words(done)}",
            remedy="Mend the notebook in Jupyter, then verify the lesson again.",
        )
    return course


def write_release(lesson: Lesson, folder: Path) -> None:
    """Write what learners get into a folder that is not there yet; it appears whole or not at all.

    :raises LessonError: nbgrader refuses the source notebooks (slug ``lesson-refused``)
    """
    folder = folder.absolute()
    # Made where it only needs to be moved, without a folder that a failure would leave empty.
    there = next(parent for parent in folder.parents if parent.is_dir())
    with tempfile.TemporaryDirectory(dir=there, prefix=".release-") as workshop:
        made = create(Path(workshop) / "course", lesson).release
        folder.parent.mkdir(parents=True, exist_ok=True)
        made.rename(folder)


def _check_autotests(lesson: Lesson) -> None:
    """Refuse what nbgrader would have to run the notebook for, outside any sandbox."""
    for name in notebooks(lesson.source):
        notebook = nbformat.read(lesson.source / f"{name}.ipynb", as_version=4)
        if any(
            "### AUTOTEST" in c.source or "### HASHED AUTOTEST" in c.source for c in notebook.cells
        ):
            raise LessonError(
                "lesson-autotests",
                f"{name}.ipynb asks for automatic tests, for which it would be run unprotected.",
                remedy="Write the tests out, or have nbgrader make them and take its notebook.",
            )


def copy(template: Course, root: Path) -> Course:
    """Lay out a course of the same lesson beside its template, for one grading.

    :param root: a folder that is not there yet
    """
    root.mkdir(parents=True)
    shutil.copyfile(template.root / BOOK, root / BOOK)
    (root / "source").symlink_to(template.root / "source", target_is_directory=True)
    return Course(root, template.assignment)


def autograde(course: Course, handed_in: Mapping[str, NotebookNode], execute: Execute) -> None:
    """Sanitise, run and score what was handed in.

    :param handed_in: notebooks by name
    :raises InternalError: nbgrader failed (slug ``nbgrader-failed``)
    """
    course.submitted.mkdir(parents=True)
    for name, notebook in handed_in.items():
        nbformat.write(notebook, course.submitted / f"{name}.ipynb")

    def run(notebook: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        execute(notebook)
        return notebook, resources

    with _calm():
        done = _api(course, run).autograde(course.assignment, STUDENT, force=True, create=True)
    if not done["success"]:
        raise _failed("autograde", done)


def write_feedback(course: Course) -> dict[str, str]:
    """Return nbgrader's feedback pages by notebook, as HTML: hidden tests are left out of them.

    :raises InternalError: nbgrader failed (slug ``nbgrader-failed``)
    """
    for name in notebooks(course.autograded):
        file = course.autograded / f"{name}.ipynb"
        notebook = nbformat.read(file, as_version=4)
        nbformat.write(without_hidden_tests(notebook), file)
    with _calm():
        done = _api(course).generate_feedback(course.assignment, STUDENT, force=True)
    if not done["success"]:
        raise _failed("generate_feedback", done)
    return {
        file.stem: file.read_text(encoding="utf-8")
        for file in sorted(course.feedback.glob("*.html"))
    }


def tests(course: Course) -> dict[tuple[str, str], float]:
    """Return the points of each graded cell, by notebook and grade id."""
    with opened(course.database) as book:
        return {
            (notebook.name, cell.name): float(cell.max_score)
            for notebook in book.find_assignment(course.assignment).notebooks
            for cell in (*notebook.grade_cells, *notebook.task_cells)
        }


def grades(course: Course, student: str = STUDENT) -> tuple[tuple[CellGrade, ...], float]:
    """Return what each graded cell of a student was worth, and points lost for being late.

    :raises MissingEntry: the student has handed nothing in
    """
    with opened(course.database) as book:
        found = book.find_submission(course.assignment, student)
        cells = tuple(
            CellGrade(
                notebook=notebook.name,
                cell=grade.name,
                possible=float(grade.max_score),
                auto=_number(grade.auto_score),
                manual=_number(grade.manual_score),
                extra=float(grade.extra_credit or 0.0),
                waits=bool(grade.needs_manual_grade),
                comment=_comment(notebook, grade.name),
            )
            for notebook in sorted(found.notebooks, key=lambda item: item.name)
            for grade in sorted(notebook.grades, key=lambda item: item.cell.id)
        )
        return _by_place(cells, course), float(found.late_submission_penalty or 0.0)


def scored(notebook: NotebookNode) -> dict[str, float | None]:
    """Return the points of each test of a notebook that has run, by grade id, as nbgrader counts.

    None where a person must look.
    """
    return {
        cell.metadata.nbgrader.grade_id: determine_grade(cell, _QUIET)[0]
        for cell in notebook.cells
        if is_grade(cell)
    }


@contextmanager
def opened(database: str) -> Iterator[Gradebook]:
    """Open a gradebook by its address, and close it whatever happens."""
    with _calm():
        book = Gradebook(database)
        try:
            yield book
        finally:
            book.close()


def _by_place(cells: tuple[CellGrade, ...], course: Course) -> tuple[CellGrade, ...]:
    """Return cells in the order of their notebooks, where the notebooks are at hand."""
    places: dict[tuple[str, str], int] = {}
    source = course.root / "source" / course.assignment
    for name in notebooks(source):
        notebook = nbformat.read(source / f"{name}.ipynb", as_version=4)
        for cell in notebook.cells:
            places[name, grade_id(cell)] = len(places)
    return tuple(sorted(cells, key=lambda item: places.get((item.notebook, item.cell), 0)))


def _comment(notebook: Any, cell: str) -> str:
    for comment in notebook.comments:
        if comment.name == cell:
            return str(comment.manual_comment or "")
    return ""


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


@contextmanager
def _programs_at_hand() -> Iterator[None]:
    """Put this environment's programs on the path: for a gradebook, nbgrader calls alembic."""
    before = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{before}"
    try:
        yield
    finally:
        os.environ["PATH"] = before


@contextmanager
def _calm() -> Iterator[None]:
    """Keep back what libraries warn nbgrader of: nobody here can mend it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _api(course: Course, run: Callable[..., Any] | None = None) -> NbGraderAPI:
    settings = Config()
    settings.CourseDirectory.root = str(course.root)
    settings.CourseDirectory.course_id = ""
    settings.CourseDirectory.db_url = course.database
    # Nothing is exchanged, but nbgrader looks for the folder of it.
    settings.Exchange.root = str(course.root)
    # Whatever settings lie in the home of whoever grades are not this course's.
    settings.JupyterApp.config_file = ""
    header = course.root / "source" / "header.ipynb"
    if header.is_file():
        settings.IncludeHeaderFooter.header = str(header)
    if run is not None:
        # nbgrader's own list, but for the step that executes.
        settings.Autograde.autograde_preprocessors = [
            run,
            IgnorePattern,
            ClearMetadataPreprocessor,
            LimitOutput,
            SaveAutoGrades,
            AssignLatePenalties,
            CheckCellMetadata,
        ]
    api = NbGraderAPI(config=settings)
    api.log = _QUIET
    return api


def _failed(what: str, done: Mapping[str, Any]) -> InternalError:
    return InternalError(
        "nbgrader-failed",
        f"nbgrader's {what} failed: {_last_words(done)}",
        remedy="Try again; if it fails again, report it with the lesson.",
    )


def _last_words(done: Mapping[str, Any]) -> str:
    """Return the first error that nbgrader tells of: those after it follow from it."""
    told = f"{done.get('log') or ''}\n{done.get('error') or ''}"
    raised = _RAISED.search(told)
    return raised[1] if raised else (told.strip().splitlines() or ["it said nothing"])[-1]


__all__ = [
    "STUDENT",
    "Course",
    "Execute",
    "autograde",
    "copy",
    "create",
    "grades",
    "opened",
    "scored",
    "tests",
    "write_feedback",
    "write_release",
]
