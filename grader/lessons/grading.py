"""One handed-in lesson → its grade and its feedback."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

import nbformat
from nbformat import NotebookNode

from grader import environment
from grader.commands import place_folder, printable
from grader.lessons import course as nbgrader
from grader.lessons.execute import TIMED_OUT, Kernel, execute, place_runner
from grader.lessons.feedback import sealed
from grader.lessons.load import grade_id, notebooks, parse_notebook
from grader.lessons.model import CellGrade, Lesson, LessonGrade
from grader.sandbox import Sandbox, open_sandbox
from grader.scratch import Scratch

ENVIRONMENT = "lessons"
_MARKS = ("grade", "solution", "task", "points")


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """A grade, and what its learner reads."""

    grade: LessonGrade
    feedback: Mapping[str, str]
    """Pages of HTML by notebook, without the hidden tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What gradings of lessons run on: one sandbox, and a course of each lesson graded so far."""

    sandbox: Sandbox
    folder: Path
    runner: Path
    """The folder of the sandbox's that holds what runs notebooks."""
    _made: dict[str, _Made] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def prepared(self, lesson: Lesson) -> _Made:
        """Return a lesson's course, made when it is first asked for."""
        with self._lock:
            if lesson.digest not in self._made:
                template = nbgrader.create(self.folder / f"template-{lesson.digest}", lesson)
                files = place_folder(self.sandbox, f"lesson-{lesson.slug}", lesson.source)
                for name in notebooks(files):
                    (files / f"{name}.ipynb").unlink()  # solutions and hidden tests
                self._made[lesson.digest] = _Made(template=template, files=files)
            return self._made[lesson.digest]

    def kernel(self, lesson: Lesson) -> Kernel:
        """Return where a lesson's notebooks run, within its limits."""
        return Kernel(
            sandbox=self.sandbox,
            tools=self.runner,
            limits=lesson.limits,
            cell_seconds=lesson.cell_seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    template: nbgrader.Course
    files: Path
    """What lies beside the notebooks, in a folder of the sandbox's."""


@contextmanager
def open_bench(*, unsafe: bool = False, warm: bool = True) -> Iterator[Bench]:
    """Make ready what lessons are graded on, and clear it away in the end.

    :param unsafe: run notebooks without a sandbox
    :raises SandboxError: no sandbox can be held on this machine, and ``unsafe`` was not asked for
    """
    pinned = environment.load(ENVIRONMENT)
    with (
        open_sandbox(pinned, unsafe=unsafe, warm=warm) as sandbox,
        closing(Scratch()) as scratch,
    ):
        yield Bench(sandbox=sandbox, folder=scratch.folder, runner=place_runner(sandbox))


def release(lesson: Lesson, bench: Bench) -> Path:
    """Return the folder that learners get: notebooks without solutions, and their files.

    :raises LessonError: nbgrader refuses the source notebooks
    """
    return bench.prepared(lesson).template.release


def grade(
    lesson: Lesson, handed_in: Mapping[str, bytes], bench: Bench, *, feedback: bool = True
) -> Graded:
    """Grade what was handed in.

    Whatever a notebook does, there is a grade: what it kept from running is worth nothing, and a
    remark says why.

    :param handed_in: notebooks by name, as they came; a missing one is worth nothing
    :param feedback: whether pages of feedback are written
    :raises LessonError: something handed in is no notebook (slug ``notebook-unreadable``)
    :raises InternalError: the sandbox or nbgrader failed
    """
    made = bench.prepared(lesson)
    remarks: list[str] = []
    taken = {}
    for name in notebooks(made.template.release):
        if name not in handed_in:
            remarks.append(f"{name}.ipynb was not handed in.")
            continue
        notebook = parse_notebook(handed_in[name], f"{name}.ipynb")
        released = nbformat.read(made.template.release / f"{name}.ipynb", as_version=4)
        taken[name], said = tidied(notebook, released)
        remarks += said
    kernel = bench.kernel(lesson)

    def run(notebook: NotebookNode) -> None:
        ended = execute(notebook, kernel, made.files)
        if ended:
            remarks.append(ended)

    with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        course = nbgrader.copy(made.template, Path(folder) / "course")
        if taken:
            nbgrader.autograde(course, taken, run)
            cells, penalty = nbgrader.grades(course)
            ran = {name: _ran(course, name, lesson.cell_seconds) for name in taken}
            pages = nbgrader.write_feedback(course) if feedback else {}
        else:
            cells, penalty, pages, ran = (), 0.0, {}, {}
        given = _with_all(cells, nbgrader.tests(course), ran)
    return Graded(
        grade=LessonGrade(
            lesson=lesson.slug,
            digest=lesson.digest,
            cells=given,
            penalty=penalty,
            remarks=tuple(dict.fromkeys(remarks)),
        ),
        feedback={name: sealed(page) for name, page in pages.items()},
    )


def tidied(notebook: NotebookNode, released: NotebookNode) -> tuple[NotebookNode, tuple[str, ...]]:
    """Return a notebook as nbgrader can take it, and what was unusual about it.

    Cells keep the marks that the release gave them, whatever was written there since; a cell that
    has a name twice keeps it where it comes first.
    """
    marks = {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader
        for cell in released.cells
        if "nbgrader" in cell.metadata
    }
    seen: set[str] = set()
    said: list[str] = []
    for cell in notebook.cells:
        said += _mark(cell, marks, seen)
    said += [
        f"Cell {name} is missing: take it from the released notebook, by its place there."
        for name, mark in marks.items()
        if name not in seen and (mark.get("grade") or mark.get("solution"))
    ]
    return notebook, tuple(said)


def _mark(cell: NotebookNode, marks: Mapping[str, NotebookNode], seen: set[str]) -> list[str]:
    """Give a cell the lesson's word on what it is, and say where its own was another."""
    own = cell.metadata.pop("nbgrader", None)
    name = str(own.get("grade_id")) if isinstance(own, dict) else ""
    if name not in marks:
        return []
    if name in seen:
        return [f"Cell {name} is there twice; the first one counts."]
    seen.add(name)
    cell.metadata["nbgrader"] = NotebookNode(marks[name])
    if any(own.get(key, marks[name].get(key)) != marks[name].get(key) for key in _MARKS):
        return [f"The marks of cell {name} were changed; those of the lesson count."]
    return []


def _with_all(
    cells: tuple[CellGrade, ...],
    known: Mapping[tuple[str, str], float],
    ran: Mapping[str, Mapping[str, str]],
) -> tuple[CellGrade, ...]:
    """Say why cells lost points, and add those that nothing was handed in for."""
    given = []
    for cell in cells:
        there = cell.cell in ran.get(cell.notebook, {})
        said = ran.get(cell.notebook, {}).get(cell.cell, "")
        if not there:
            # nbgrader would have a person look at a test that was deleted.
            given.append(replace(cell, auto=0.0, waits=False, reason="The cell is missing."))
        elif cell.lost:
            part = "only part" if cell.auto else "none"
            given.append(replace(cell, reason=said or f"It has {part} of its points."))
        else:
            given.append(cell)
    there_is = {(cell.notebook, cell.cell) for cell in cells}
    return (
        *given,
        *(
            CellGrade(
                notebook=notebook,
                cell=cell,
                possible=possible,
                auto=0.0,
                reason="The notebook was not handed in.",
            )
            for (notebook, cell), possible in known.items()
            if (notebook, cell) not in there_is
        ),
    )


def _ran(course: nbgrader.Course, name: str, seconds: float) -> dict[str, str]:
    """Return why each marked cell would have lost points; empty where nothing went wrong.

    What fails below a cell that was stopped may fail because of it, so that is said first.

    :param seconds: how long a cell might take
    """
    notebook = nbformat.read(course.autograded / f"{name}.ipynb", as_version=4)
    ran = {}
    above = ""
    for cell in notebook.cells:
        said = _said(cell)
        if grade_id(cell):
            ran[grade_id(cell)] = f"{above} {said}".strip() if said else ""
        if _stopped(cell):
            above = f"A cell above was stopped: it ran longer than {seconds:g} s."
    return {**ran, **_unanswered(notebook)}


def _unanswered(notebook: NotebookNode) -> dict[str, str]:
    """Return what to say of cells that a person grades: nbgrader itself gives those as released 0.

    What such a cell shows when it runs is not why.
    """
    return {
        grade_id(cell): "Nothing was answered: the cell is as it was handed out."
        for cell in notebook.cells
        if (marks := cell.metadata.get("nbgrader", {})).get("grade") and marks.get("solution")
    }


def _stopped(cell: NotebookNode) -> bool:
    """Whether a cell ran out of its time, and others went on."""
    return any(output.get("ename") == TIMED_OUT for output in cell.get("outputs", ()))


def _said(cell: NotebookNode) -> str:
    """Return the last line of what a cell said went wrong; empty where nothing did."""
    for output in cell.get("outputs", ()):
        if output.output_type == "error":
            return printable(f"{output.ename}: {output.evalue}".rstrip(": "), 300)
        if output.output_type == "stream" and output.name == "stderr":
            last = (output.text.strip().splitlines() or ["something"])[-1]
            return printable(f"It printed to standard error: {last}", 300)
    return ""
