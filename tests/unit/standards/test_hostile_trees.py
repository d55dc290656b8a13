"""Whatever a tree holds, there are findings, soon, and no exception."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from grader.model import Verdict
from grader.standards.project import notebook_code_lines
from grader.standards.python import read_module
from grader.standards.workflows import UnreadableYamlError, load_yaml

BILLION_LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)

HOSTILE: dict[str, dict[str, bytes]] = {
    "syntax error": {"src/tariff/bad.py": b"def (:\n"},
    "deep unary": {"src/tariff/bad.py": b"x = " + b"-" * 30_000 + b"1\n"},
    "deep sum": {"src/tariff/bad.py": b"x = " + b"+".join([b"1"] * 30_000) + b"\n"},
    "deep brackets": {"src/tariff/bad.py": b"x = " + b"[" * 5_000 + b"]" * 5_000},
    "deep indent": {
        "src/tariff/bad.py": b"".join(b" " * n + b"if x:\n" for n in range(90)) + b" " * 90 + b"y"
    },
    "endless line": {"src/tariff/bad.py": b"x = '" + b"a" * 2_000_000 + b"'\n"},
    "null bytes": {"src/tariff/bad.py": b"x = 1\0\n"},
    "latin-1": {"src/tariff/bad.py": "x = 'é'\n".encode("latin-1")},
    "unicode digits": {"src/tariff/bad.py": "x = '\\ud800'\n# \u0661\n".encode()},
    "broken TOML": {"pyproject.toml": b"[project\nname=\n"},
    "deep TOML": {"pyproject.toml": b"a = " + b"[" * 20_000},
    "odd TOML": {"pyproject.toml": b"project = 3\ntool = [1]\n[build-system]\nrequires = 7\n"},
    "odd tables": {
        "pyproject.toml": b'[project]\nname = 3\nversion = []\ndynamic = 1\ndependencies = "a"\n'
        b"scripts = 4\nauthors = 1\n[tool]\nruff = 3\n[tool.pytest]\nini_options = 1\n"
    },
    "YAML bomb": {".github/workflows/ci.yml": BILLION_LAUGHS.encode()},
    "YAML loop": {".github/workflows/ci.yml": b"on: push\njobs: &a\n  b: *a\n"},
    "deep YAML": {".github/workflows/ci.yml": b"a: " + b"[" * 100_000},
    "YAML date": {".github/workflows/ci.yml": b"on: 2024-99-99\n"},
    "YAML tag": {".github/workflows/ci.yml": b"on: !!python/object/apply:os.system ['true']\n"},
    "odd workflow": {
        ".github/workflows/ci.yml": b"on: [[push]]\njobs:\n  1: {steps: [3, {run: 4}]}\n  b: 5\n"
    },
    "odd keys": {".gitlab-ci.yml": b"? [a, b]\n: 1\n"},
    "odd GitLab": {".gitlab-ci.yml": b"1: {script: 3}\nworkflow: {rules: [{when: never}, 4]}\n"},
    "odd notebook": {"a.ipynb": b'{"cells": [{"cell_type": "code", "source": 3}]}'},
    "deep notebook": {"a.ipynb": b"[" * 100_000},
    "odd Dockerfile": {"Dockerfile": b"FROM\nUSER\nCOPY [\nCOPY [1, 2]\nUSER :\nHEALTHCHECK\n"},
    "slow regex": {"README.md": b"#" * 50_000 + b"\n" + b"`" * 50_000 + b"a/" * 50_000},
    "slow changelog": {"CHANGELOG.md": b"-" * 300_000, "README.md": b"a\n" * 200_000},
    "slow secret": {"src/tariff/key.py": b"password = '" + b"a:" * 100_000 + b"@'\n"},
    "empty": {"README.md": b"", "pyproject.toml": b"", "Dockerfile": b"", "src/tariff/cli.py": b""},
}


@pytest.mark.parametrize("tree", HOSTILE.values(), ids=HOSTILE)
def test_hostile_tree_gives_findings(changed: Callable[..., Any], tree: dict[str, bytes]) -> None:
    started = time.perf_counter()
    findings = changed(tree).findings()
    assert not any(finding.verdict is Verdict.ERROR for finding in findings.values())
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize(
    "name", ["syntax error", "deep unary", "deep sum", "endless line", "null bytes", "latin-1"]
)
def test_unreadable_file_is_told(changed: Callable[..., Any], name: str) -> None:
    finding = changed(HOSTILE[name]).findings()["LAYT004"]
    assert finding.where.path == "src/tariff/bad.py"


def test_syntax_error_has_line() -> None:
    assert read_module("src/a.py", b"x = 1\ndef (:\n").error_line == 2


def test_yaml_bomb_is_refused() -> None:
    with pytest.raises(UnreadableYamlError):
        load_yaml(BILLION_LAUGHS)


def test_plain_anchors_are_fine() -> None:
    assert load_yaml("a: &a [1]\nb: *a\n") == {"a": [1], "b": [1]}


def test_notebook_lines_are_counted() -> None:
    text = '{"cells": [{"cell_type": "code", "source": ["a = 1\\n", "\\n", "b = 2"]}]}'
    assert notebook_code_lines(text) == 2
