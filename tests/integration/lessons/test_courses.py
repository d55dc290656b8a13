"""nbgrader's own course: taken in, released, graded and given back, equal to the last point."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import nbformat
import pytest

from grader import lessons
from grader.errors import UsageError
from grader.lessons import Bench, Lesson, LessonError, exchange
from grader.lessons import course as adapter
from grader.lessons.exchange import Student, Taken
from tests.support import nbgrader


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Taken:
    return exchange.take_in(nbgrader.GUIDE, tmp_path_factory.mktemp("taken"))


@pytest.fixture(scope="module")
def assignment(taken: Taken) -> Lesson:
    return next(lesson for lesson in taken.lessons if lesson.slug == "ps1")


def test_notebooks_stay_as_they_are(assignment: Lesson) -> None:
    source = nbgrader.GUIDE / "source" / "ps1"
    for file in sorted(source.iterdir()):
        assert (assignment.source / file.name).read_bytes() == file.read_bytes()


def test_release_is_that_of_the_documentation(assignment: Lesson, tmp_path: Path) -> None:
    """But for the header: the documentation's settings add it, and so does the lesson."""
    lessons.write_release(assignment, tmp_path / "ps1")
    for name in ("problem1", "problem2"):
        ours, theirs = (
            nbformat.read(folder / f"{name}.ipynb", as_version=4)
            for folder in (tmp_path / "ps1", nbgrader.GUIDE / "release" / "ps1")
        )
        assert [c.source for c in ours.cells] == [c.source for c in theirs.cells]
        assert [c.metadata.get("nbgrader", {}).get("checksum") for c in ours.cells] == [
            c.metadata.get("nbgrader", {}).get("checksum") for c in theirs.cells
        ]


@pytest.mark.parametrize("student", nbgrader.STUDENTS)
def test_scores_equal_those_of_nbgraders_own_command(
    student: str, assignment: Lesson, bench: Bench, tmp_path: Path
) -> None:
    notebooks = nbgrader.handed_in(student)
    theirs = nbgrader.autograde(nbgrader.lay_out(tmp_path / "course", assignment, notebooks))
    ours = lessons.grade(assignment, notebooks, bench).grade.cells
    assert _scores(ours) == _scores(theirs)
    assert len(ours) == 9


def test_course_goes_out_as_it_came_in(assignment: Lesson, bench: Bench, tmp_path: Path) -> None:
    """Students, scores, a person's word, extra credit and lateness: equal to the last point."""
    graded = lessons.grade(assignment, nbgrader.handed_in("hacker"), bench, feedback=False).grade
    course = tmp_path / "course"
    shutil.copytree(nbgrader.GUIDE / "source", course / "source")
    adapter.create(tmp_path / "made", assignment)
    shutil.copyfile(tmp_path / "made" / "gradebook.db", course / "gradebook.db")
    with adapter.opened(f"sqlite:///{course / 'gradebook.db'}") as book:
        book.add_student("hacker", first_name="Alyssa", last_name="Hacker", email="a@example.org")
        book.add_student("late")
        for student in ("hacker", "late"):
            submission = book.add_submission("ps1", student)
            submission.notebooks[0].late_submission_penalty = 1.5 if student == "late" else 0
            for cell in graded.cells:
                grade = book.find_grade(cell.cell, cell.notebook, "ps1", student)
                grade.auto_score, grade.needs_manual_grade = cell.auto, cell.waits
            judged = book.find_grade("part-a", "problem2", "ps1", student)
            judged.manual_score, judged.needs_manual_grade = 0.25, False
            judged.extra_credit = 0.125
            book.find_comment("part-a", "problem2", "ps1", student).manual_comment = "Nearly."
            book.db.commit()
    taken = exchange.take_in(course, tmp_path / "lessons")
    assert [student.id for student in taken.students] == ["late", "hacker"]
    assert [result.grade.points for result in taken.results] == [3.375, 1.875]

    kept = exchange.from_json(exchange.to_json(taken.students, taken.results))
    assert kept == (taken.students, taken.results)
    lesson = next(lesson for lesson in taken.lessons if lesson.slug == "ps1")
    exchange.write_book(tmp_path / "out.db", [lesson], *kept)
    students, results = exchange.read_book(tmp_path / "out.db", [lesson])
    assert students == kept[0]
    for was, is_now in zip(kept[1], results, strict=True):
        assert set(is_now.grade.cells) == set(was.grade.cells)
        assert is_now.grade.points == was.grade.points

    exchange.write_table(course / "gradebook.db", tmp_path / "before.csv")
    exchange.write_table(tmp_path / "out.db", tmp_path / "after.csv")
    before, after = (
        list(csv.DictReader((tmp_path / name).read_text().splitlines()))
        for name in ("before.csv", "after.csv")
    )
    assert before == after
    assert [row["score"] for row in after] == ["1.875", "3.375"]


def _scores(cells: tuple[lessons.CellGrade, ...]) -> dict[tuple[str, str], object]:
    return {(cell.notebook, cell.cell): (cell.auto, cell.possible, cell.waits) for cell in cells}


def test_nothing_is_taken_in_twice(tmp_path: Path) -> None:
    exchange.take_in(nbgrader.GUIDE, tmp_path)
    with pytest.raises(UsageError, match="There is a lesson ps1"):
        exchange.take_in(nbgrader.GUIDE, tmp_path)
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["ps1", "ps1-autotest"]


def test_what_is_no_course_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no nbgrader course"):
        exchange.take_in(tmp_path, tmp_path / "lessons")
    assert not (tmp_path / "lessons").exists()


def test_automatic_tests_are_refused(taken: Taken, tmp_path: Path) -> None:
    """nbgrader would run the notebook to write them, with all that it may do."""
    lesson = next(lesson for lesson in taken.lessons if lesson.slug == "ps1-autotest")
    with pytest.raises(LessonError, match="automatic tests"):
        lessons.write_release(lesson, tmp_path / "release")


def test_refused_release_leaves_no_folder(taken: Taken, tmp_path: Path) -> None:
    lesson = next(lesson for lesson in taken.lessons if lesson.slug == "ps1-autotest")
    with pytest.raises(LessonError):
        lessons.write_release(lesson, tmp_path / "mine" / "too" / "release")
    assert list(tmp_path.iterdir()) == []


def test_results_of_strangers_are_refused() -> None:
    with pytest.raises(UsageError, match="no results"):
        exchange.from_json('{"form": 2}')
    assert exchange.from_json(exchange.to_json([Student(id="a")], [])) == ((Student(id="a"),), ())
