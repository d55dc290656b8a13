"""Whatever a notebook does: the right zero, a clear reason, and no harm to the next one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from grader import lessons
from grader.lessons import Bench, Lesson, LessonError, LessonGrade

Grade = Callable[[NotebookNode], LessonGrade]
HARM = {
    "hangs": ("while True: pass", 4, "CellTimeout"),
    "hangs-for-good": (
        "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass",
        0,
        "did not end in time",
    ),
    "kills-its-kernel": ("import os; os._exit(3)", 0, "exit code 3"),
    "kills-itself": ("import os; os.kill(os.getpid(), 9)", 0, "exit code -9"),
    "prints-a-gigabyte": ("for _ in range(1000): print('x' * 1_000_000)", 4, ""),
    "writes-a-gigabyte": (
        "import os\nwhile True: os.write(1, b'x' * 65536)",
        0,
        "printed too much",
    ),
    "eats-memory": ("x = [bytearray(1 << 20) for _ in range(4000)]", None, ""),
    "exits": ("import sys; sys.exit()", 4, ""),
    "forks": ("import os\nfor _ in range(500): os.fork()", None, ""),
}


@pytest.fixture
def graded(small: Lesson, bench: Bench) -> Grade:
    def grade(notebook: NotebookNode) -> LessonGrade:
        content = nbformat.writes(notebook).encode()
        return lessons.grade(small, {"means": content}, bench, feedback=False).grade

    return grade


@pytest.fixture
def unsolved(released: Path) -> NotebookNode:
    notebook: NotebookNode = nbformat.read(released / "means.ipynb", as_version=4)
    return notebook


@pytest.mark.parametrize("name", HARM)
def test_harm_ends_in_a_grade(name: str, solved: NotebookNode, graded: Grade) -> None:
    source, points, said = HARM[name]
    # Before the tests: what ended the process has taken their points with it.
    solved.cells.insert(2, nbformat.v4.new_code_cell(source))
    given = graded(solved)
    if points is not None:
        assert given.points == points
    reasons = " ".join([*given.remarks, *(cell.reason for cell in given.cells)])
    if points != 4:
        assert said in reasons
    assert all(cell.reason for cell in given.cells if cell.points < cell.possible)


def test_no_harm_to_the_next_one(
    small: Lesson, bench: Bench, solved: NotebookNode, graded: Grade
) -> None:
    worse = nbformat.from_dict(solved)
    worse.cells.insert(
        1,
        nbformat.v4.new_code_cell(
            "import builtins, pathlib\nbuiltins.len = None\n"
            "for place in ('/lesson', '/tmp', '.', '/tools'):\n"
            "    try: pathlib.Path(place, 'sitecustomize.py').write_text('raise SystemExit')\n"
            "    except OSError: pass"
        ),
    )
    graded(worse)
    fresh = nbformat.read(small.source / "means.ipynb", as_version=4)
    assert graded(fresh).points == 4
    assert bench.sandbox.level == "warm"


CHEATS = {
    "drops-every-line": "get_ipython().input_transformers_post.append(lambda lines: ['\\n'])",
    "drops-the-tree": (
        "import ast\n"
        "class Nothing(ast.NodeTransformer):\n"
        "    def visit_Assert(self, node): return ast.Pass()\n"
        "get_ipython().ast_transformers.append(Nothing())"
    ),
    "replaces-exec": "import builtins\nbuiltins.exec = builtins.compile = lambda *a, **k: None",
    "answers-for-the-runner": (
        "import json, os\n"
        "for number in range(3, 40):\n"
        "    try: os.write(number, json.dumps({'id': '', 'outputs': []}).encode() + b'\\n')\n"
        "    except OSError: pass"
    ),
    "swallows-errors": "get_ipython().set_custom_exc((Exception,), lambda *a, **k: None)",
    "shows-points": "import IPython.display\nIPython.display.display(400)",
}


@pytest.mark.parametrize("name", CHEATS)
def test_cheating_earns_nothing(name: str, unsolved: NotebookNode, graded: Grade) -> None:
    answer = next(c for c in unsolved.cells if c.metadata.get("nbgrader", {}).get("solution"))
    answer.source = CHEATS[name]
    assert graded(unsolved).points == 0


def test_extra_credit_cannot_be_written(unsolved: NotebookNode, graded: Grade) -> None:
    answer = next(c for c in unsolved.cells if c.metadata.get("nbgrader", {}).get("solution"))
    answer.source = (
        "import sqlite3, glob\n"
        "for file in glob.glob('/**/gradebook.db', recursive=True):\n"
        "    sqlite3.connect(file).execute('update grade set extra_credit = 400')"
    )
    given = graded(unsolved)
    assert (given.points, given.possible) == (0, 4)


def test_hidden_tests_lie_nowhere_inside(small: Lesson, bench: Bench, solved: NotebookNode) -> None:
    look = (
        "import pathlib\n"
        "for place in ('/lesson', '/tools', '/work', '/tmp'):\n"
        "    for file in pathlib.Path(place).rglob('*'):\n"
        "        text = file.read_text(errors='replace') if file.is_file() else ''\n"
        "        if 'nothing is ' + 'known' in text:\n"
        "            print('found', file)\n"
        "print('looked')"
    )
    solved.cells.insert(1, nbformat.v4.new_code_cell(look))
    content = nbformat.writes(solved).encode()
    page = lessons.grade(small, {"means": content}, bench).feedback["means"]
    assert "looked" in page
    assert "found /" not in page


def test_old_outputs_count_for_nothing(unsolved: NotebookNode, graded: Grade) -> None:
    for cell in unsolved.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "2"})]
    assert graded(unsolved).points == 0


def test_edited_test_is_restored(unsolved: NotebookNode, graded: Grade) -> None:
    for cell in unsolved.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.source = "pass"
    assert graded(unsolved).points == 0


def test_deleted_test_is_zero_and_said(solved: NotebookNode, graded: Grade) -> None:
    solved.cells = [cell for cell in solved.cells if cell.get("id") != "mean_of_gaps"]
    given = graded(solved)
    assert given.points == 2
    assert not given.waits
    (lost,) = [cell for cell in given.cells if cell.reason]
    assert (lost.cell, lost.reason) == ("mean_of_gaps", "The cell is missing.")
    assert "mean_of_gaps is missing" in given.remarks[0]


@pytest.mark.parametrize(
    "marks",
    [{"points": 400}, {"grade": False}, {"solution": True}, {"locked": False, "grade": False}],
)
def test_edited_marks_are_those_of_the_lesson(
    marks: dict[str, object], solved: NotebookNode, graded: Grade
) -> None:
    for cell in solved.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.metadata["nbgrader"].update(marks)
    given = graded(solved)
    assert (given.points, given.possible) == (4, 4)


def test_stripped_marks_are_missing_cells(solved: NotebookNode, graded: Grade) -> None:
    for cell in solved.cells:
        cell.metadata.pop("nbgrader", None)
    given = graded(solved)
    assert given.points == 0
    assert all("missing" in cell.reason for cell in given.cells)


def test_cell_that_is_there_twice_counts_once(solved: NotebookNode, graded: Grade) -> None:
    solved.cells.append(nbformat.from_dict(solved.cells[-1]))
    solved.cells[-1].id = "another"
    given = graded(solved)
    assert given.points == 4
    assert "there twice" in given.remarks[0]


def test_strange_kernel_and_old_format_are_graded(solved: NotebookNode, graded: Grade) -> None:
    solved.metadata["kernelspec"] = {"name": "rust", "display_name": "Rust"}
    solved.nbformat_minor = 2
    for cell in solved.cells:
        cell.pop("id", None)
    assert graded(solved).points == 4


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b'{"cells": 7}', json.dumps([1]).encode()]
)
def test_no_notebook_is_said(small: Lesson, bench: Bench, content: bytes) -> None:
    with pytest.raises(LessonError, match=r"means\.ipynb is no notebook"):
        lessons.grade(small, {"means": content}, bench)
