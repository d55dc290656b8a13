"""The lessons that come with Drydock are proven, and so is a drafted one."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from grader import lessons
from grader.lessons import Bench, Lesson, LessonError, course
from grader.lessons.verify import verify
from portal.settings import HOME

OURS = [lesson.slug for lesson in lessons.list_lessons([HOME / "lessons"])]


@pytest.mark.parametrize("slug", OURS)
def test_lesson_is_proven(slug: str, bench: Bench) -> None:
    proofs = verify(lessons.load(HOME / "lessons" / slug), bench)
    assert [f"{proof.name}: {proof.detail}" for proof in proofs if not proof.held] == []
    assert len(proofs) >= 5 + 5  # and at least five wrong answers


def test_three_lessons_come_in_order() -> None:
    assert OURS[0] == "from-notebook-to-package"
    assert set(OURS[1:]) == {"pipelines-that-dont-leak", "what-sas-r-and-excel-do-differently"}


def test_making_a_course_is_quiet(
    small: Lesson, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    course.create(tmp_path / "course", small)
    assert [record.getMessage() for record in caplog.records] == []


def test_drafted_lesson_is_proven(small: Lesson, bench: Bench) -> None:
    assert all(proof.held for proof in verify(small, bench))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (("assert mean([1, 2, 3]) == 2", "assert True"), "the release earns none"),
        (("== 2\n", "== 3\n"), "the solution earns all points"),
        (("assert mean([1, 2, 3]) == 2", "last = mean([1, 2, 3])"), "it runs in both orders"),
        (("value or 0 for", "value for"), ""),
    ],
)
def test_lesson_that_does_not_grade_what_it_teaches_is_found(
    small: Lesson, bench: Bench, tmp_path: Path, change: tuple[str, str], name: str
) -> None:
    root = tmp_path / "means"
    (root / "source").mkdir(parents=True)
    manifest = (small.source.parent / "lesson.toml").read_text()
    notebook = nbformat.read(small.source / "means.ipynb", as_version=4)
    for cell in notebook.cells:
        cell.source = cell.source.replace(*change)
        if name == "it runs in both orders":
            cell.source = cell.source.replace("assert mean([1, None", "last\nassert mean([1, None")
    nbformat.write(notebook, root / "source" / "means.ipynb")
    (root / "lesson.toml").write_text(manifest.replace(*change))
    failed = [proof.name for proof in verify(lessons.load(root), bench) if not proof.held]
    assert (name in failed) if name else failed == []


def test_wrong_answer_that_loses_nothing_is_found(
    small: Lesson, bench: Bench, tmp_path: Path
) -> None:
    root = tmp_path / "means"
    (root / "source").mkdir(parents=True)
    nbformat.write(
        nbformat.read(small.source / "means.ipynb", as_version=4), root / "source" / "means.ipynb"
    )
    manifest = (small.source.parent / "lesson.toml").read_text()
    wrong = 'loses = ["mean_of_numbers", "mean_of_gaps"]'
    (root / "lesson.toml").write_text(manifest.replace('loses = ["mean_of_gaps"]', wrong))
    (failed,) = [proof for proof in verify(lessons.load(root), bench) if not proof.held]
    assert failed.detail == "does not lose mean_of_numbers"


def test_rich_output_reaches_the_feedback(
    small: Lesson, solved: NotebookNode, bench: Bench
) -> None:
    shown = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nprint('drawn')\n6 * 7"
    solved.cells.insert(1, nbformat.v4.new_code_cell(shown))
    page = lessons.grade(small, {"means": nbformat.writes(solved).encode()}, bench).feedback[
        "means"
    ]
    assert "data:image/png;base64," in page
    assert "drawn" in page
    assert "42" in page
    assert "nothing is known" not in page, "hidden tests stay hidden"
    assert "a hidden test" in page


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[lesson", "no TOML"),
        ('[lesson]\ntitle = "x"\n', "Field required"),
        ('[lesson]\ntitle="x"\nsummary="x"\nlevel="x"\nminutes=1\npassing=1\n', "level"),
        ('[lesson]\ntitle="x"\nsummary="x"\nlevel="practice"\nminutes=1\npassing=1\nx=1\n', "x"),
    ],
)
def test_bad_manifest_says_where(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "lesson.toml").write_text(text)
    with pytest.raises(LessonError, match=said):
        lessons.load(tmp_path)
