"""A tiny project as a checkout, and the real sandbox to build and test it in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from grader import environment
from grader.checkout import tree_of
from grader.model import Checkout, Environment, Limits
from grader.sandbox import Sandbox, open_sandbox

FILES = {
    "pyproject.toml": """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "tiny-port"
version = "1.2.3"
dependencies = ["numpy>=2", "left-pad>=1", "pandas<1", "rich; python_version < '3'"]

[tool.hatch.build.targets.wheel]
packages = ["src/tinyport"]

[tool.pytest.ini_options]
testpaths = ["tests"]
addopts = ["-n", "auto", "--import-mode=importlib"]
""",
    "src/tinyport/__init__.py": (
        "def double(x):\n    return 2 * x\n\n\ndef triple(x):\n    return 3 * x\n"
    ),
    "tests/test_double.py": (
        "from tinyport import double\n\n\ndef test_double():\n    assert double(2) == 4\n"
    ),
}
Project = Callable[..., Checkout]


@pytest.fixture(scope="session")
def pinned() -> Environment:
    return environment.load("standard")


@pytest.fixture(scope="session")
def sandbox(pinned: Environment) -> Iterator[Sandbox]:
    with open_sandbox(pinned) as opened:
        yield opened


@pytest.fixture
def limits() -> Limits:
    return Limits(wall_seconds=4, cpu_seconds=10)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Make the project with some files changed; None takes one away."""

    def made(changes: Mapping[str, str | None] | None = None) -> Checkout:
        for name, text in {**FILES, **(changes or {})}.items():
            if text is not None:
                (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / name).write_text(text, encoding="utf-8")
        return Checkout(
            tree=tree_of(tmp_path),
            source=str(tmp_path),
            commit=None,
            tree_digest="0" * 64,
            history=None,
        )

    return made
