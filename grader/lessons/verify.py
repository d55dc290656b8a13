"""A lesson, held against itself: it must grade what it teaches, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from grader.lessons import course as nbgrader
from grader.lessons.execute import execute
from grader.lessons.grading import Bench, grade, release
from grader.lessons.load import grade_id, notebooks, read_notebook
from grader.lessons.model import CellGrade, Lesson, WrongAnswer

_BEGIN = ("BEGIN SOLUTION", "BEGIN HIDDEN TESTS")
_END = ("END SOLUTION", "END HIDDEN TESTS")
_IN_TIME = 0.5
"""Share of its time that a solved lesson may take here: learners' machines are slower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One thing that was looked at."""

    name: str
    held: bool
    detail: str


def verify(
    lesson: Lesson, bench: Bench, tell: Callable[[Proof], None] = lambda _: None
) -> tuple[Proof, ...]:
    """Return all that a lesson must hold to, each proven or not.

    :param tell: called with each as it is known
    :raises LessonError: nbgrader refuses the notebooks
    """
    found = []
    for proof in _proofs(lesson, bench):
        tell(proof)
        found.append(proof)
    return tuple(found)


def _proofs(lesson: Lesson, bench: Bench) -> Iterator[Proof]:
    released = release(lesson, bench)
    yield _nothing_left(lesson, released)
    solved = {name: (lesson.source / f"{name}.ipynb").read_bytes() for name in _names(lesson)}
    began = time.monotonic()
    yield _earns_all(lesson, _graded(lesson, solved, bench))
    yield _in_time(lesson, time.monotonic() - began)
    unsolved = {name: (released / f"{name}.ipynb").read_bytes() for name in _names(lesson)}
    yield _earns_none(_graded(lesson, unsolved, bench))
    yield _any_order(lesson, bench)
    for wrong in lesson.wrong:
        yield _loses(lesson, wrong, bench)


def _names(lesson: Lesson) -> tuple[str, ...]:
    return notebooks(lesson.source)


def _nothing_left(lesson: Lesson, released: Path) -> Proof:
    """Look for lines of a solution or a hidden test in what learners get."""
    left = []
    for name in _names(lesson):
        cells = read_notebook(released / f"{name}.ipynb").cells
        given = {line.strip() for cell in cells for line in cell.source.splitlines()}
        secret, shown = _lines(read_notebook(lesson.source / f"{name}.ipynb"))
        left += [f"{name}: {line}" for line in sorted((secret & given) - shown)]
        left += [f"{name}: a cell has outputs" for cell in cells if cell.get("outputs")]
    detail = left[0] if left else "no line of a solution or a hidden test, and no output"
    return Proof(name="nothing is left in the release", held=not left, detail=detail)


def _lines(notebook: NotebookNode) -> tuple[set[str], set[str]]:
    """Return the lines of solutions and hidden tests, and those that stand elsewhere too."""
    secret: set[str] = set()
    shown: set[str] = set()
    for cell in notebook.cells:
        inside = False
        for line in cell.source.splitlines():
            if any(mark in line for mark in _BEGIN):
                inside = True
            elif any(mark in line for mark in _END):
                inside = False
            elif line.strip():
                (secret if inside else shown).add(line.strip())
    return secret, shown


def _earns_all(lesson: Lesson, cells: tuple[CellGrade, ...]) -> Proof:
    lost = [cell for cell in cells if cell.lost]
    auto = sum(cell.possible for cell in cells if cell.auto is not None)
    detail = f"{auto:g} points by tests, of {sum(cell.possible for cell in cells):g}"
    if lost:
        detail = _told(lost[0])
    elif lesson.passing > auto:
        detail = f"{lesson.passing:g} points pass it, and tests give only {auto:g}"
    held = not lost and lesson.passing <= auto
    return Proof(name="the solution earns all points", held=held, detail=detail)


def _earns_none(cells: tuple[CellGrade, ...]) -> Proof:
    earned = [cell for cell in cells if cell.auto]
    detail = "each test fails before anything is solved"
    if earned:
        detail = f"{earned[0].cell} gives {earned[0].auto:g} points for nothing"
    return Proof(name="the release earns none", held=not earned, detail=detail)


def _in_time(lesson: Lesson, seconds: float) -> Proof:
    most = lesson.limits.wall_seconds * _IN_TIME
    detail = f"{seconds:.1f} s, and may take {most:g} s here"
    return Proof(name="it ends in time", held=seconds <= most, detail=detail)


def _any_order(lesson: Lesson, bench: Bench) -> Proof:
    """Run all that is no test in order, and then the tests from the last to the first.

    People run one test, change an answer and run another one: a test must not need its neighbours.
    """
    kernel = bench.kernel(lesson)
    files = bench.prepared(lesson).files
    needy = []
    for name in _names(lesson):
        notebook = read_notebook(lesson.source / f"{name}.ipynb")
        tests = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
        rest = [cell for cell in notebook.cells if cell not in tests]
        notebook.cells = [*rest, *reversed(tests)]
        execute(notebook, kernel, files)
        points = {cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points for cell in tests}
        needy += [
            f"{name}: {test} fails when the tests run from last to first"
            for test, given in nbgrader.scored(notebook).items()
            if given is not None and given < points[test]
        ]
    detail = needy[0] if needy else "from a clean kernel, top to bottom, and tests last to first"
    return Proof(name="it runs in both orders", held=not needy, detail=detail)


def answered(lesson: Lesson, wrong: str = "") -> dict[str, bytes]:
    """Return the notebooks of a lesson, solved, but for what one of its wrong answers has.

    :param wrong: its name; empty for the solution
    """
    cells = next((item.cells for item in lesson.wrong if item.name == wrong), {})
    handed_in = {}
    for name in _names(lesson):
        notebook = read_notebook(lesson.source / f"{name}.ipynb")
        for cell in notebook.cells:
            known = grade_id(cell)
            cell.source = cells.get(known, cell.source)
        handed_in[name] = nbformat.writes(notebook).encode()
    return handed_in


def _loses(lesson: Lesson, wrong: WrongAnswer, bench: Bench) -> Proof:
    title = f"wrong: {wrong.name}"
    unknown = (set(wrong.cells) | wrong.loses) - _grade_ids(lesson)
    if unknown:
        return Proof(name=title, held=False, detail=f"there is no cell {min(unknown)}")
    cells = _graded(lesson, answered(lesson, wrong.name), bench)
    lost = {cell.cell for cell in cells if cell.lost}
    kept, also = sorted(wrong.loses - lost), sorted(lost - wrong.loses)
    detail = f"loses {', '.join(sorted(lost))}"
    if kept:
        detail = f"does not lose {', '.join(kept)}"
    elif also:
        detail = f"loses {', '.join(also)} too"
    return Proof(name=title, held=not kept and not also, detail=detail)


def _grade_ids(lesson: Lesson) -> set[str]:
    return {
        grade_id(cell)
        for name in _names(lesson)
        for cell in read_notebook(lesson.source / f"{name}.ipynb").cells
    }


def _graded(lesson: Lesson, handed_in: Mapping[str, bytes], bench: Bench) -> tuple[CellGrade, ...]:
    return grade(lesson, handed_in, bench, feedback=False).grade.cells


def _told(cell: CellGrade) -> str:
    return f"{cell.cell} gives {cell.auto:g} of {cell.possible:g}: {cell.reason}"
