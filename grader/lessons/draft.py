"""A lesson to begin with: small, whole, and proven."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grader.errors import UsageError
from grader.lessons.exchange import manifest
from grader.lessons.load import MANIFEST, SOURCE

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_ABOUT = """# {title}

Say what one can do after this lesson, why it matters, and how long it takes. Name the data, where
they come from, and under which licence.
"""
_ANSWER = '''def mean(values):
    """Return the mean of the values that are not None; None where there is none."""
    ### BEGIN SOLUTION
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
    ### END SOLUTION
'''
_SHOWN = """assert mean([1, 2, 3]) == 2
"""
_HIDDEN = """assert mean([1, None, 3]) == 2, "a missing value is left out"
### BEGIN HIDDEN TESTS
assert mean([None]) is None, "nothing is known"
### END HIDDEN TESTS
"""
_WRONG = '''
[[wrong]]
name = "counts missing values"
loses = ["mean_of_gaps"]
[wrong.cells]
mean = """
def mean(values):
    return sum(value or 0 for value in values) / len(values)
"""
'''


def draft(slug: str, lessons: Path) -> Path:
    """Write a lesson to begin with, and return its folder. It appears whole or not at all.

    :raises UsageError: the name will not do (slug ``lesson-name``), or is taken (slug
        ``lesson-there``)
    """
    if not _SLUG.fullmatch(slug):
        raise UsageError(
            "lesson-name",
            f"{slug!r} is no name for a lesson.",
            remedy="Use small letters, figures and dashes.",
        )
    if (lessons / slug).exists():
        raise UsageError("lesson-there", f"There is a lesson {slug} in {lessons} already.")
    lessons.mkdir(parents=True, exist_ok=True)
    title = slug.replace("-", " ").capitalize()
    with tempfile.TemporaryDirectory(dir=lessons, prefix=".draft-") as workshop:
        root = Path(workshop) / slug
        (root / SOURCE).mkdir(parents=True)
        nbformat.write(_notebook(title), root / SOURCE / f"{slug}.ipynb")
        text = manifest(title, "What one can do after it, in a sentence.", 4)
        (root / MANIFEST).write_text(text + _WRONG, encoding="utf-8")
        root.rename(lessons / slug)
    return lessons / slug


def _notebook(title: str) -> NotebookNode:
    cells = [
        new_markdown_cell(_ABOUT.format(title=title), id="about"),
        _marked(new_code_cell(_ANSWER, id="mean"), solution=True),
        _marked(new_code_cell(_SHOWN, id="mean_of_numbers"), grade=True, points=2),
        _marked(new_code_cell(_HIDDEN, id="mean_of_gaps"), grade=True, points=2),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook: NotebookNode = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    return notebook


def _marked(cell: NotebookNode, **marks: Any) -> NotebookNode:
    """Mark a cell as nbgrader does: its name is its grade id, and tests are locked."""
    known = {"grade": False, "solution": False, "task": False, "locked": "grade" in marks}
    cell.metadata["nbgrader"] = {"schema_version": 3, "grade_id": cell.id, **known, **marks}
    return cell
