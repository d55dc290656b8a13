"""Documentation is proved: a page that lags behind the code fails here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal import docs

ROOT = Path(__file__).parents[3]
ROOMS = ("grader", "leaderboard", "portal")
ERRORS = {"SourceError", "ChallengeError", "OutputError", "UsageError", "UserError"}
ERRORS |= {"StoreError", "PortalError", "Forbidden"}
ERRORS |= {"SandboxError", "EnvironmentBuildError", "InternalError"}


def slugs() -> Iterator[tuple[str, Path]]:
    """Find the slug of each error that the code raises."""
    for file in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ERRORS
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                yield str(node.args[0].value), file


def headings() -> list[str]:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    return re.findall(r"^## (\S+)$", page, re.MULTILINE)


@pytest.mark.parametrize("slug", sorted({slug for slug, _ in slugs()}))
def test_each_error_is_explained(slug: str) -> None:
    assert slug in headings()


def test_errors_page_is_sorted() -> None:
    assert headings() == sorted(set(headings()))


def test_each_explanation_has_remedy() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    for section in page.split("\n## ")[1:]:
        assert "Cause:" in section
        assert "Remedy:" in section


@pytest.mark.parametrize("name", sorted(docs.pages()))
def test_generated_page_is_fresh(name: str) -> None:
    content = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert content == docs.pages()[name], "run: make docs"


@pytest.mark.parametrize("page", [*sorted(ROOT.glob("docs/**/*.md")), ROOT / "README.md"])
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
