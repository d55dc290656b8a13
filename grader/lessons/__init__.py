"""Lessons: graded notebooks, authored and scored by nbgrader, run in the sandbox.

``open_bench`` gives what gradings run on; ``grade`` takes what was handed in to a grade and pages
of feedback. Scores are nbgrader's own; only the cells' execution happens in the sandbox.
"""

from __future__ import annotations

from grader.lessons.grading import Bench, Graded, grade, open_bench
from grader.lessons.load import find_lesson, list_lessons, load, parse_notebook
from grader.lessons.model import CellGrade, Lesson, LessonGrade, Level

__all__ = [
    "Bench",
    "CellGrade",
    "Graded",
    "Lesson",
    "LessonGrade",
    "Level",
    "find_lesson",
    "grade",
    "list_lessons",
    "load",
    "open_bench",
    "parse_notebook",
]
