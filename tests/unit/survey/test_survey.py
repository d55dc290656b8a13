"""A repository by the standards alone: which package is its own, and what earns its points."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader import standards
from grader.checkout import check_out
from grader.model import Verdict
from grader.survey import Survey, guess_package, survey

CODE = (
    '"""Rates policies."""\n\n\ndef rate(age):\n    """Rate by age, in years."""\n    return age\n'
)
Look = Callable[..., Survey]


def write(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


@pytest.fixture
def look(tmp_path: Path) -> Look:
    source = write(tmp_path / "source", {"src/rating/__init__.py": CODE * 5, "README.md": "# r"})

    def looked(**options: object) -> Survey:
        workspace = tmp_path / "work"
        workspace.mkdir()
        return survey(str(source), workspace, **options)  # type: ignore[arg-type] # options by name

    return looked


@pytest.mark.parametrize(
    ("files", "package"),
    [
        ({"src/rating/__init__.py": ""}, "rating"),
        ({"rating/__init__.py": "", "rating/a.py": CODE}, "rating"),
        ({"small/__init__.py": "", "large/__init__.py": CODE}, "large"),
        ({"tests/__init__.py": CODE, "rating/__init__.py": ""}, "rating"),
        ({"script.py": CODE}, ""),
        ({"analysis/script.py": CODE}, ""),
    ],
)
def test_package_with_most_code(files: dict[str, str], package: str, tmp_path: Path) -> None:
    source = write(tmp_path / "source", {**files, "README.md": "# rating"})
    assert guess_package(check_out(str(source), tmp_path / "work")) == package


def test_default_weights_sum_to_thousand() -> None:
    assert sum(standards.WEIGHTS.values()) == 1000
    assert list(standards.WEIGHTS) == list(standards.FAMILIES)


def test_skipped_checks_are_left_out(look: Look) -> None:
    seen = look()
    assert Verdict.SKIPPED not in {item.verdict for item in seen.findings}
    assert seen.possible < 1000


def test_families_are_those_asked_for(look: Look) -> None:
    seen = look(families=("types", "style"))
    assert set(seen.families) == {"types", "style"}


def test_left_out_files_are_not_seen(look: Look) -> None:
    assert look(without=("src/rating",)).package == ""


def test_granted_waivers_are_waived(tmp_path: Path) -> None:
    asked = '[tool.drydock.waivers]\nDOCS005 = "Nobody outside reads any of it."\n'
    source = write(tmp_path / "source", {"a/__init__.py": CODE, "pyproject.toml": asked})
    (tmp_path / "work").mkdir()
    seen = survey(str(source), tmp_path / "work", families=("documentation",), grant=True)
    (changelog,) = [item for item in seen.findings if item.code == "DOCS005"]
    assert (changelog.verdict, changelog.share) == (Verdict.WAIVED, 1.0)
