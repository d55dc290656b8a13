"""One report, told in the forms that people and machines read.

JSON is the report itself and comes back from it whole; the other forms are views. None of them
computes a point, and all of them treat names, messages and code as hostile text.
"""

from __future__ import annotations

from grader.report.html import to_html
from grader.report.json import from_json, to_json
from grader.report.junit import to_junit
from grader.report.markdown import to_markdown
from grader.report.sarif import to_sarif
from grader.report.schema import schema
from grader.report.steps import LiveSteps
from grader.report.summary import Gain, at, clean_line, gains, of_points
from grader.report.terminal import print_report

__all__ = [
    "Gain",
    "LiveSteps",
    "at",
    "clean_line",
    "from_json",
    "gains",
    "of_points",
    "print_report",
    "schema",
    "to_html",
    "to_json",
    "to_junit",
    "to_markdown",
    "to_sarif",
]
