"""One warm bench for all lessons, and a small lesson to do harm to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from grader import lessons
from grader.lessons import Bench, Lesson
from grader.lessons.draft import draft


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    with lessons.open_bench() as opened:
        yield opened


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Lesson:
    """A drafted lesson, with little patience."""
    root = draft("means", tmp_path_factory.mktemp("lessons"))
    manifest = root / "lesson.toml"
    limits = "\n[limits]\ncell_seconds = 2\nwall_seconds = 20\nmemory_mb = 800\n\n[[wrong]]"
    manifest.write_text(manifest.read_text().replace("\n[[wrong]]", limits, 1))
    return lessons.load(root)


@pytest.fixture
def solved(small: Lesson) -> NotebookNode:
    notebook: NotebookNode = nbformat.read(small.source / "means.ipynb", as_version=4)
    return notebook


@pytest.fixture(scope="session")
def released(small: Lesson, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release") / "means"
    lessons.write_release(small, folder)
    return folder
