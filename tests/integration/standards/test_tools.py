"""The real tools find what they should, whatever the submission says to them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from grader import standards
from grader.model import Checkout, Contract, Observed, Verdict
from grader.standards.linters import Linters, run_linters
from grader.standards.project import read_project

Look = Callable[[Mapping[str, str]], Linters]

INIT = {"src/tariff/__init__.py": '"""A tariff."""\n'}
PROJECT = '[project]\nname = "tariff"\nversion = "1"\ndependencies = ["pandas>=2", "scipy"]\n'
WORKFLOW = """on: push
jobs:
  test:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4 # zizmor: ignore[unpinned-uses]
      - run: pytest
"""


def module(text: str) -> dict[str, str]:
    return {**INIT, "src/tariff/data.py": text}


def codes(found: tuple[object, ...]) -> set[str]:
    return {str(getattr(item, "code", "")) for item in found}


def test_clean_module_is_clean(look: Look) -> None:
    found = look(module('"""Data."""\n\n\ndef one() -> int:\n    return 1\n'))
    assert (found.ruff, found.formatting) == ((), ())


def test_ruff_finds_swallowed_exception(look: Look) -> None:
    found = look(module("try:\n    x = 1\nexcept Exception:\n    pass\n"))
    assert {"BLE001", "S110"} <= codes(found.ruff)


def test_ruff_names_file_and_line(look: Look) -> None:
    (lint,) = look(module("x = 1\nprint(x)\n")).ruff
    assert (lint.path, lint.line, lint.code) == ("src/tariff/data.py", 2, "T201")


@pytest.mark.parametrize("comment", ["# noqa", "# noqa: T201", "# ruff: noqa", "# flake8: noqa"])
def test_suppressions_are_not_heard(look: Look, comment: str) -> None:
    assert "T201" in codes(look(module(f"print(1)  {comment}\n{comment}\n")).ruff)


def test_configuration_is_not_read(look: Look) -> None:
    config = '[lint]\nselect = []\nexclude = ["*"]\n'
    files = {**module("print(1)\n"), "ruff.toml": config, "src/ruff.toml": config}
    assert codes(look(files).ruff) == {"T201"}


def test_unformatted_file_is_named(look: Look) -> None:
    (lint,) = look(module("x = {  'a':1 }\n")).formatting
    assert lint.path == "src/tariff/data.py"


def test_quotes_are_free(look: Look) -> None:
    assert look(module("x = 'a'\n")).formatting == ()


def test_own_line_length_counts(look: Look) -> None:
    line = f'x = ["{"a" * 60}", "{"b" * 30}"]\n'
    pyproject = {"pyproject.toml": "[tool.ruff]\nline-length = 110\n"}
    assert look({**module(line), **pyproject}).formatting == ()


def test_complexity_is_counted(look: Look) -> None:
    nested = "".join(f"{'    ' * (n + 1)}if x > {n}:\n" for n in range(7))
    text = f"def deep(x):\n{nested}{'    ' * 8}return 1  # complexipy: ignore\n"
    (lint,) = look(module(text)).complexity
    assert (lint.message, int(lint.code) > 15) == ("deep", True)


def test_deptry_finds_missing_and_unused(look: Look) -> None:
    files = {**module("import pandas\nimport nowhere_to_be_found\n"), "pyproject.toml": PROJECT}
    found = {(lint.code, lint.message) for lint in look(files).dependencies}
    assert found == {("DEP001", "nowhere_to_be_found"), ("DEP002", "scipy")}


def test_deptry_is_not_talked_to(look: Look) -> None:
    text = "import pandas, scipy\nimport nowhere_to_be_found  # deptry: ignore\n"
    config = '[tool.deptry]\nignore = ["DEP001"]\nexclude = ["src"]\n'
    files = {**module(text), "pyproject.toml": PROJECT + config, ".gitignore": "src\n"}
    (lint,) = look(files).dependencies
    assert (lint.path, lint.line) == ("src/tariff/data.py", 2)


def test_zizmor_finds_unpinned_action(look: Look) -> None:
    found = look({**INIT, ".github/workflows/ci.yml": WORKFLOW})
    assert "unpinned-uses" in codes(found.workflows)


def test_schema_finds_broken_workflow(look: Look) -> None:
    broken = WORKFLOW.replace("runs-on: ubuntu-24.04", "runs-in: a box")
    (lint, *_) = look({**INIT, ".github/workflows/ci.yml": broken}).schemas
    assert lint.path == ".github/workflows/ci.yml"


def test_schema_takes_good_workflow(look: Look) -> None:
    assert look({**INIT, ".github/workflows/ci.yml": WORKFLOW}).schemas == ()


def test_schema_finds_broken_gitlab(look: Look) -> None:
    broken = "test:\n  script: [pytest]\n  when: whenever\n"
    assert look({**INIT, ".gitlab-ci.yml": broken}).schemas


def test_hadolint_finds_latest(look: Look) -> None:
    text = "# hadolint ignore=DL3007\nFROM python:latest\n"
    assert codes(look({**INIT, "Dockerfile": text}).containers) == {"DL3007"}


def test_metadata_is_validated(look: Look) -> None:
    broken = {"pyproject.toml": '[project]\nname = "tariff"\nversion = 3\n'}
    assert codes(look({**INIT, **broken}).metadata) == {"invalid"}


AWS = "AKIA" + "QYLPMN5HFIQR7XYA"
PRIVATE_KEY = "-----BEGIN RSA " + "PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("src/tariff/data.py", f'KEY = "{AWS}"  # pragma: allowlist secret'),
        ("src/tariff/data.py", 'password = "kV9x2mQ7pLw4"'),
        ("conf/settings.yml", "db: postgres://ada:kV9x2mQ7pLw4@db.corp.org/prod"),
        (".env", "API_KEY=kV9x2mQ7pLw4zz"),
        ("key.pem", PRIVATE_KEY),
        ("tests/test_a.py", f'KEY = "{AWS}"'),
    ],
)  # fmt: skip
def test_secret_is_found(look: Look, path: str, line: str) -> None:
    (first, *_) = look({**INIT, path: line + "\n"}).secrets
    assert (first.path, first.line) == (path, 1)


@pytest.mark.parametrize(
    "line",
    [
        'password = "changeme123"',
        'token = os.environ["REGISTRY_TOKEN"]',
        'KEY_COLUMN = "policy_id_2024"',
        "password: ${{ secrets.PASSWORD_1 }}",
        'DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
        "uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683",
        'key = ["policy", "year"]',
    ],
)
def test_harmless_line_is_no_secret(look: Look, line: str) -> None:
    assert look({**INIT, "src/tariff/data.py": line + "\n"}).secrets == ()


def test_missing_tool_is_a_failure(
    checkout: Callable[[Mapping[str, str]], Checkout], tmp_path: Path
) -> None:
    made = checkout(module("x = 1\n"))
    project = read_project(
        made, Contract(package="tariff", python="3.11"), public_files=frozenset()
    )
    found = run_linters(project, made.tree.root, binaries=tmp_path / "nowhere")
    assert found.failures["ruff"] == "it is not installed"


def test_crashing_tool_is_a_failure(
    checkout: Callable[[Mapping[str, str]], Checkout], tmp_path: Path
) -> None:
    made = checkout(module("x = 1\n"))
    crashing = tmp_path / "bin" / "ruff"
    crashing.parent.mkdir()
    crashing.write_text("#!/bin/sh\nkill -SEGV $$\n")
    crashing.chmod(0o755)
    project = read_project(
        made, Contract(package="tariff", python="3.11"), public_files=frozenset()
    )
    found = run_linters(project, made.tree.root, binaries=crashing.parent)
    assert found.failures["ruff"].startswith("it ended with status")


def test_unreadable_source_crashes_no_tool(look: Look) -> None:
    deep = "x = " + "-" * 30_000 + "1\n"
    assert look({**module("x = 1\n"), "src/tariff/deep.py": deep}).ruff == ()


def test_deepest_source_crashes_no_tool(look: Look) -> None:
    assert look(module("x = " + "-" * 100 + "1\nprint(x)\n")).ruff


def test_whole_pass_is_quick(checkout: Callable[[Mapping[str, str]], Checkout]) -> None:
    function = "def f{n}(x: int) -> int:\n    total = x + {n}\n    return total\n\n\n"
    files = {
        f"src/tariff/m{m}.py": "".join(function.format(n=n) for n in range(25)) for m in range(8)
    }
    made = checkout(
        {**INIT, **files, ".github/workflows/ci.yml": WORKFLOW, "pyproject.toml": PROJECT}
    )
    started = time.perf_counter()
    evidence = standards.inspect(
        made,
        Contract(package="tariff", python="3.11"),
        public_files=frozenset(),
        environment_packages=frozenset(),
    )
    findings = standards.judge(evidence, Observed(), standards.FAMILIES)
    assert not [f for f in findings if f.verdict is Verdict.ERROR]
    assert time.perf_counter() - started < 15
