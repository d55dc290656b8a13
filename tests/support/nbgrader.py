"""nbgrader as its users run it: its own command line, and the course of its own documentation."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import nbgrader

from grader.lessons import CellGrade, Lesson
from grader.lessons import course as adapter

GUIDE = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide"
"""The documentation's course: sources, and what its two students handed in."""
STUDENTS = ("bitdiddle", "hacker")


def handed_in(student: str) -> dict[str, bytes]:
    """Return what a student of the documentation handed in of its assignment."""
    folder = GUIDE / "submitted" / student / "ps1"
    return {file.stem: file.read_bytes() for file in folder.glob("*.ipynb")}


def lay_out(root: Path, lesson: Lesson, notebooks: Mapping[str, bytes]) -> adapter.Course:
    """Lay out a course with one submission, ready for nbgrader's own command."""
    course = adapter.create(root, lesson)
    course.submitted.mkdir(parents=True)
    for name, content in notebooks.items():
        (course.submitted / f"{name}.ipynb").write_bytes(content)
    settings = root / "nbgrader_config.py"
    settings.write_text(
        f"c = get_config()\nc.CourseDirectory.root = {str(root)!r}\n"
        f"c.CourseDirectory.db_url = {course.database!r}\n"
    )
    return course


def autograde(course: adapter.Course) -> tuple[CellGrade, ...]:
    """Grade it by nbgrader's own command, and return what each cell was worth."""
    command = [sys.executable, "-m", "nbgrader", "autograde", course.assignment, "--force"]
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=course.root,
        env={**os.environ, "PATH": programs, "JUPYTER_PREFER_ENV_PATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return adapter.grades(course)[0]
