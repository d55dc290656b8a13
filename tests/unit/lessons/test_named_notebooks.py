"""What was handed in, by the names that a lesson's notebooks have."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader.lessons import Lesson, LessonError, load, named_notebooks
from grader.lessons.draft import draft


@pytest.fixture
def one(tmp_path: Path) -> Lesson:
    """A lesson of one notebook, ``means``."""
    return load(draft("means", tmp_path))


@pytest.fixture
def two(one: Lesson) -> Lesson:
    """The same with a second one, ``more``."""
    shutil.copyfile(one.source / "means.ipynb", one.source / "more.ipynb")
    return one


@pytest.fixture
def content(one: Lesson) -> bytes:
    return (one.source / "means.ipynb").read_bytes()


@pytest.mark.parametrize("file", ["means.ipynb", "means (1).ipynb", "at/home/answer.json"])
def test_only_notebook_is_taken_by_any_name(one: Lesson, content: bytes, file: str) -> None:
    assert named_notebooks(one, {file: content}) == {"means": content}


@pytest.mark.parametrize("names", [["means"], ["more"], ["more", "means"]])
def test_several_are_taken_by_their_own(two: Lesson, content: bytes, names: list[str]) -> None:
    given = named_notebooks(two, {f"home/{name}.ipynb": content for name in names})
    assert given == dict.fromkeys(names, content)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], r"^No notebook was handed in\. Hand in means\.ipynb, more\.ipynb\."),
        (["other.ipynb"], r"^other\.ipynb is no notebook of this lesson\. Hand in means\.ipynb, "),
        (["means.ipynb", "data.csv"], r"^data\.csv is no notebook of this lesson"),
        (["ada/means.ipynb", "bob/means.ipynb"], r"^There is more than one means\.ipynb"),
    ],
)
def test_other_files_are_refused(two: Lesson, content: bytes, files: list[str], said: str) -> None:
    with pytest.raises(LessonError, match=said) as raised:
        named_notebooks(two, dict.fromkeys(files, content))
    assert raised.value.slug == "notebook-elsewhere"


def test_second_file_is_refused(one: Lesson, content: bytes) -> None:
    with pytest.raises(LessonError, match=r"^copy\.ipynb is no notebook of this lesson"):
        named_notebooks(one, {"means.ipynb": content, "copy.ipynb": content})


def test_no_notebook_is_said_by_its_own_name(one: Lesson) -> None:
    with pytest.raises(LessonError, match=r"^notes\.txt is no notebook that Jupyter would open"):
        named_notebooks(one, {"notes.txt": b"no notebook"})
