"""Why a cell lost its points: in a line that is true, and names what came first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from grader import lessons
from grader.lessons import Bench, Lesson
from grader.lessons.draft import draft

Reasons = Callable[[Lesson, NotebookNode], Mapping[str, str]]
WRITTEN = {
    "essay": nbformat.v4.new_markdown_cell("Say why."),
    "by_hand": nbformat.v4.new_code_cell("raise NotImplementedError"),
}
"""Cells that a person grades."""


@pytest.fixture
def reasons(bench: Bench) -> Reasons:
    def of(lesson: Lesson, notebook: NotebookNode) -> Mapping[str, str]:
        handed_in = {"means": nbformat.writes(notebook).encode()}
        cells = lessons.grade(lesson, handed_in, bench, feedback=False).grade.cells
        return {cell.cell: cell.reason for cell in cells}

    return of


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Lesson:
    """The drafted lesson, with what a person grades, and a test that gives points by its value."""
    root = draft("means", tmp_path_factory.mktemp("written"))
    file = root / "source" / "means.ipynb"
    notebook = nbformat.read(file, as_version=4)
    for name, cell in WRITTEN.items():
        notebook.cells.append(_marked(cell, name, solution=True))
    counted = nbformat.v4.new_code_cell("max(0.0, mean([share, share]))")
    notebook.cells.append(_marked(counted, "counted", solution=False))
    notebook.cells.insert(1, nbformat.v4.new_code_cell("share = 1"))
    nbformat.write(notebook, file)
    return lessons.load(root)


def _marked(cell: NotebookNode, name: str, *, solution: bool) -> NotebookNode:
    marked: NotebookNode = nbformat.from_dict(cell)
    marked.id = name
    marks = {"schema_version": 3, "grade": True, "task": False, "locked": not solution}
    marked.metadata["nbgrader"] = {**marks, "grade_id": name, "solution": solution, "points": 2}
    return marked


@pytest.fixture
def released(written: Lesson, tmp_path: Path) -> NotebookNode:
    lessons.write_release(written, tmp_path / "means")
    notebook: NotebookNode = nbformat.read(tmp_path / "means" / "means.ipynb", as_version=4)
    return notebook


def test_unanswered_cell_says_so(written: Lesson, released: NotebookNode, reasons: Reasons) -> None:
    given = reasons(written, released)
    for name in WRITTEN:
        assert given[name] == "Nothing was answered: the cell is as it was handed out."


@pytest.mark.parametrize(("share", "part"), [("0", "none"), ("1", "only part"), ("2", "")])
def test_only_what_has_part_says_part(
    written: Lesson, reasons: Reasons, share: str, part: str
) -> None:
    notebook = nbformat.read(written.source / "means.ipynb", as_version=4)
    notebook.cells[1].source = f"share = {share}"
    said = f"It has {part} of its points." if part else ""
    assert reasons(written, notebook)["counted"] == said


def test_stopped_cell_is_named_below_it(
    small: Lesson, solved: NotebookNode, reasons: Reasons
) -> None:
    solved.cells[1].source = "while True: pass\ndef mean(values): ..."
    stopped = "A cell above was stopped: it ran longer than 2 s."
    missing = "NameError: name 'mean' is not defined"
    assert set(reasons(small, solved).values()) == {f"{stopped} {missing}"}


def test_stopped_cell_is_no_reason_above_it(
    small: Lesson, solved: NotebookNode, reasons: Reasons
) -> None:
    solved.cells[1].source = "mean = None"
    solved.cells.append(nbformat.v4.new_code_cell("while True: pass"))
    assert all("stopped" not in reason for reason in reasons(small, solved).values())
