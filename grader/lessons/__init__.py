"""Lessons: graded notebooks, authored and scored by nbgrader, run in the sandbox.

``open_bench`` gives what gradings run on; ``grade`` takes what was handed in to a grade and pages
of feedback. Scores are nbgrader's own; only the cells' execution happens in the sandbox.
"""

from __future__ import annotations

from grader.lessons.course import write_release
from grader.lessons.feedback import page_of
from grader.lessons.grading import Bench, Graded, grade, open_bench
from grader.lessons.load import (
    LessonError,
    find_lesson,
    grade_id,
    list_lessons,
    load,
    named_notebooks,
    notebooks,
    parse_notebook,
    read_notebook,
)
from grader.lessons.model import CellGrade, Lesson, LessonGrade, Level, grade_from
from grader.lessons.verify import answered

__all__ = [
    "Bench",
    "CellGrade",
    "Graded",
    "Lesson",
    "LessonError",
    "LessonGrade",
    "Level",
    "answered",
    "find_lesson",
    "grade",
    "grade_from",
    "grade_id",
    "list_lessons",
    "load",
    "named_notebooks",
    "notebooks",
    "open_bench",
    "page_of",
    "parse_notebook",
    "read_notebook",
    "write_release",
]
