"""Trees for the real tools to look at."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

import pytest

from grader.model import Checkout, Contract, Tree, TreeFile
from grader.standards.linters import Linters, run_linters
from grader.standards.project import read_project

CONTRACT = Contract(package="tariff", python="3.11")
Look = Callable[[Mapping[str, str]], Linters]

collect_ignore = ["gaming"]
"""Whole repositories, tests and all: they are judged, not run."""


@pytest.fixture
def checkout(tmp_path: Path) -> Callable[[Mapping[str, str]], Checkout]:
    """Write files and give the checkout that holds them."""

    def write(files: Mapping[str, str]) -> Checkout:
        listed = []
        for name, content in sorted(files.items()):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            digest = hashlib.sha256(content.encode()).hexdigest()
            listed.append(TreeFile(path=PurePosixPath(name), size=len(content), digest=digest))
        return Checkout(
            tree=Tree(root=tmp_path, files=tuple(listed)),
            source="a test",
            commit=None,
            tree_digest="0" * 64,
            history=None,
        )

    return write


@pytest.fixture
def look(checkout: Callable[[Mapping[str, str]], Checkout]) -> Look:
    """Write files, run all tools on them, and insist that none failed."""

    def run(files: Mapping[str, str]) -> Linters:
        made = checkout(files)
        project = read_project(made, CONTRACT, public_files=frozenset())
        found = run_linters(project, made.tree.root)
        assert found.failures == {}
        return found

    return run
