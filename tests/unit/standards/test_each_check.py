"""One thing changed in the good project turns the one check that asks for it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from grader import standards
from grader.model import Finding, ReportRun, TestRun, TrainingRun, Verdict, WheelBuild
from grader.standards.linters import Lint
from grader.standards.secrets import Secret

SRC = "src/tariff/"
CI = ".github/workflows/ci.yml"
PYTEST = '[tool.pytest.ini_options]\naddopts = "-k a"'
PIPED = "-m pytest | tee log\n        shell: bash -o pipefail {0}"
PYRIGHT = '[tool.pyright]\ntypeCheckingMode = "strict"'
NOTEBOOK = json.dumps(
    {"cells": [{"cell_type": "code", "source": ["a = 1\n", "b = 2\n", "c = 3\n"]}] * 40}
)


def failing(findings: dict[str, Finding]) -> set[str]:
    return {code for code, finding in findings.items() if finding.verdict is Verdict.FAIL}


# ------------------------------------------------------------ changes to whole files

FILES: list[tuple[str, dict[str, str | bytes | None]]] = [
    ("REPO003", {"predictions.csv": "policy,premium\n1,100\n"}),
    ("REPO003", {"tests/big.bin": b"\0" * 1_000_001}),
    ("REPO003", {"src/tariff/__pycache__/a.pyc": b"\0"}),
    ("REPO004", {".gitignore": None}),
    ("REPO006", {"notebooks/a.ipynb": NOTEBOOK}),
    ("DOCS002", {"README.md": None}),
    ("DOCS004", {"docs/MODEL_CARD.md": None}),
    ("DOCS005", {"CHANGELOG.md": None}),
    ("DOCS005", {"CHANGELOG.md": "# Changelog\n\n## 0.1.0\n"}),
    ("DOCS006", {"docs/PORTING.md": None}),
    ("LAYT001", {"src/tariff/__init__.py": None}),
    ("LAYT002", {"src/tariff/test_inside.py": "def test_a() -> None:\n    assert len('a') == 1\n"}),
    ("LAYT003", {"train_final.py": '"""Trains the final model, by hand."""\n'}),
    ("LAYT004", {SRC + "broken.py": "def f(:\n"}),
    ("PACK005", {"requirements.lock": None}),
    ("PACK005", {"requirements.lock": "pandas>=2\nscikit-learn\njoblib==1\n"}),
    ("TYPE001", {SRC + "loads.py": "".join(f"def load_{n}(x):\n    return x\n" for n in "abc")}),
    ("TYPE002", {SRC + "py.typed": None}),
    ("TEST003", {"tests/test_empty.py": "def test_nothing() -> None:\n    assert True\n"}),
    ("CICD001", {".github/workflows/ci.yml": None}),
    ("DEPL001", {SRC + "__main__.py": None}),
    ("DEPL002", {SRC + "api.py": None}),
    ("DEPL003", {".dockerignore": None}),
    ("DEPL004", {"Dockerfile": None}),
    ("SECU003", {"model.joblib": b"\x80"}),
]  # fmt: skip


@pytest.mark.parametrize(("code", "files"), FILES)
def test_file_turns_check(changed: Callable[..., Any], code: str, files: dict[str, str]) -> None:
    assert code in failing(changed(files).findings())


# ------------------------------------------------------------ changes within one file

EDITS = [
    ("DOCS001", "README.md", "## Tests", "## Thanks"),
    ("DOCS001", "docs/MODEL_CARD.md", "## Limitations\n", ""),
    ("DOCS002", "README.md", "tests/test_scoring.py", "tests/test_gone.py"),
    ("DOCS002", "README.md", "-m tariff train", "-m tariff.trainer"),
    ("DOCS004", "docs/MODEL_CARD.md", "## Intended use\n", "## Use\n"),
    ("PACK002", "pyproject.toml", 'description = "A health tariff"\n', ""),
    ("PACK002", "pyproject.toml", "[project]", "[project"),
    ("PACK004", "pyproject.toml", '"pandas>=2.2"', '"pandas>=2.2", "xgboost>=2"'),
    ("PACK006", "pyproject.toml", '"tariff.cli:main"', '"tariff.cli:start"'),
    ("PACK006", "pyproject.toml", 'tariff = "tariff.cli:main"', ""),
    ("MODU002", SRC + "data.py", "REQUIRED = (", 'ROWS = pd.read_csv("a.csv")\nREQUIRED = ('),
    ("MODU006", SRC + "features.py", "import pandas as pd\n", "from tariff import pipeline\n"),
    ("MODU006", SRC + "data.py", "import pandas as pd\n", "from tariff import cli\n"),
    ("MODU007", SRC + "data.py", "    rows = ", '    path = "/home/ada/rows.csv"\n    rows = '),
    ("MODU007", SRC + "data.py", "import pandas as pd\n", "from pandas import *\n"),
    ("PIPE001", SRC + "pipeline.py", "def build_pipeline", "def make"),
    ("PIPE001", SRC + "pipeline.py", "build_pipeline()", "build_pipeline(limit)"),
    ("PIPE001", SRC + "pipeline.py", "return Pipeline(", "return dict("),
    ("PIPE001", SRC + "pipeline.py", "PoissonRegressor())])", "x)]).fit([[1]], [1])"),
    ("PIPE002", SRC + "scoring.py", "model.predict(rows)", "model.fit(rows).predict(rows)"),
    ("PIPE002", SRC + "scoring.py", 'rows["policy"]', "pd.get_dummies(rows)"),
    ("PIPE003", SRC + "training.py", "    pipeline.fit(", "    Cap().fit_transform("),
    ("PIPE003", SRC + "data.py", "return rows", "return rows.fillna(rows.mean())"),
    ("PIPE004", SRC + "features.py", "(TransformerMixin, BaseEstimator)", ""),
    ("PIPE004", SRC + "features.py", "        return self", "        return None"),
    ("PIPE004", SRC + "features.py", "self.limit = limit", "self.limit = float(limit)"),
    ("PIPE005", SRC + "training.py", "pipeline = build_pipeline()", "pipeline = Pipeline([])"),
    ("TYPE002", "pyproject.toml", "[tool.mypy]\nstrict = true\n", ""),
    ("TEST003", "tests/test_scoring.py", '["cap", "model"]', '["cap", "model"] or True'),
    ("TEST006", "tests/test_scoring.py", "assert_allclose", "shape"),
    ("TEST008", "pyproject.toml", "[tool.mypy]", f"{PYTEST}\n[a]"),
    ("CICD001", CI, "-m pytest", "-m pytest || true"),
    ("CICD001", CI, "-m pytest", "-m pytest | tee log"),
    ("CICD001", CI, "-m pytest", "-m pytest\n        continue-on-error: true"),
    ("CICD001", CI, "-m pytest", "-m pytest\n        if: false"),
    ("CICD001", CI, "  push:\n  pull_request:", "  workflow_dispatch:"),
    ("CICD001", CI, "python -m pytest", "echo tested"),
    ("CICD003", CI, "ruff check .", "true"),
    ("CICD004", CI, "python -m build --wheel", "true"),
    ("LINE001", SRC + "features.py", "import pandas as pd", "np.random.rand(3)"),
    ("LINE001", SRC + "pipeline.py", "PoissonRegressor())", "RandomForestRegressor())"),
    ("LINE002", SRC + "training.py", "hashlib.sha256", "len"),
    ("REPT001", SRC + "reporting.py", "json.dumps(figures, indent=2)", "str(figures)"),
    ("REPT002", SRC + "reporting.py", '"rows": len(scored)', '"a": 1'),
    ("DEPL001", SRC + "cli.py", '"--output"', '"--out"'),
    ("DEPL002", SRC + "api.py", "/health", "/hello"),
    ("DEPL003", "Dockerfile", "COPY src", "COPY source"),
    ("DEPL004", "Dockerfile", "3.11.11-slim-bookworm", "latest"),
    ("DEPL004", "Dockerfile", "USER 10001\n", ""),
    ("DEPL004", "Dockerfile", "USER 10001", "USER root"),
    ("DEPL004", "Dockerfile", "HEALTHCHECK", "LABEL"),
    ("DEPL005", SRC + "api.py", "score_rows(model,", "score_mine(model,"),
    ("DEPL005", SRC + "api.py", "DataFrame(request.rows)", "DataFrame(request.rows).fillna(0)"),
    ("SECU002", SRC + "data.py", "return rows", "return eval('rows')"),
    ("SECU002", SRC + "data.py", "return rows", "return os.system('true')"),
    ("SECU003", SRC + "data.py", "pd.read_csv", "pd.read_pickle"),
    ("SECU003", SRC + "scoring.py", "joblib.load(path)", "yaml.load(path)"),
    ("SECU004", SRC + "data.py", "import pandas as pd", "import rpy2.robjects"),
    ("SECU004", SRC + "data.py", "return rows", "return subprocess.run(['Rscript', 'a.R'])"),
    ("SECU005", SRC + "scoring.py", "import joblib", "import requests"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "path", "old", "new"), EDITS)
def test_edit_turns_check(
    edited: Callable[..., Any], code: str, path: str, old: str, new: str
) -> None:
    assert code in failing(edited(path, old, new).findings())


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("README.md", "pip install -e .", "uv sync"),
        ("Dockerfile", "3.11.11-slim-bookworm", "3.11-slim"),
        (SRC + "api.py", "FastAPI", "Starlette"),
        (SRC + "features.py", "(TransformerMixin, BaseEstimator)", "(BaseEstimator)"),
        (CI, "-m pytest", PIPED),
        (CI, "python -m pytest", "make test"),
        (CI, "  push:\n  pull_request:", "  pull_request:"),
        (SRC + "pipeline.py", "PoissonRegressor())", "RandomForestRegressor(random_state=1))"),
        ("pyproject.toml", "[tool.mypy]\nstrict = true", PYRIGHT),
    ],
)  # fmt: skip
def test_other_ways_pass(edited: Callable[..., Any], path: str, old: str, new: str) -> None:
    expected = {"CICD001"} if "tee" in new else set()
    assert failing(edited(path, old, new).findings()) <= expected


# ------------------------------------------------------------ many docstrings, functions, copies


def test_hollow_docstrings_count_not(case: Any, changed: Callable[..., Any]) -> None:
    hollow = {
        path: re.sub(r'"""[^"]+"""', '"""Doc."""', text)
        for path, text in case.files.items()
        if path.startswith("src/") and path.endswith(".py")
    }
    assert changed(hollow).findings()["DOCS003"].share < 0.2


def test_complete_sentences_count(case: Any) -> None:
    assert case.findings()["DOCS003"].share == 1.0


def test_giant_function_is_long(edited: Callable[..., Any]) -> None:
    body = "".join(f"    rows['c{n}'] = rows['a'] * {n}\n" for n in range(60))
    found = edited(SRC + "data.py", "    return rows\n", body + "    return rows\n").findings()
    assert "MODU004" in failing(found)


def test_copied_functions_are_found(case: Any, changed: Callable[..., Any]) -> None:
    steps = "".join(f"    rows['c{n}'] = rows['age'].clip(upper={n})\n" for n in range(12))
    both = "".join(f"def step_{x}(rows, {x}):\n{steps}    return rows\n\n\n" for x in "ab")
    found = changed({SRC + "data.py": case.files[SRC + "data.py"] + "\n\n" + both}).findings()
    assert "MODU005" in failing(found)


def test_scripts_are_not_functions(changed: Callable[..., Any]) -> None:
    lines = "".join(f"a{n} = sorted([{n}])\n" for n in range(120))
    found = changed({SRC + "script.py": lines}).findings()
    assert "MODU003" in failing(found)


def test_one_module_mixes_stages(case: Any, changed: Callable[..., Any]) -> None:
    names = ("data", "features", "pipeline", "training", "scoring", "reporting", "api", "cli")
    text = "\n".join(case.files[f"{SRC}{name}.py"] for name in names)
    whole = {**{f"{SRC}{name}.py": None for name in names}, SRC + "everything.py": text}
    assert changed(whole).findings()["MODU001"].share < 0.3


def test_few_tests_are_few(edited: Callable[..., Any]) -> None:
    found = edited("tests/test_scoring.py", "def test_", "def check_").findings()
    assert {"TEST003", "TEST004"} <= failing(found)


def test_unimported_modules_are_untested(edited: Callable[..., Any]) -> None:
    found = edited(
        "tests/test_scoring.py",
        "from tariff import cli, data, features, pipeline, reporting, scoring, training",
        "from tariff import data, features",
    ).findings()
    assert "TEST005" in failing(found)


def test_skipped_tests_are_off(edited: Callable[..., Any]) -> None:
    mark = "@pytest.mark.xfail\ndef test_"
    assert "TEST008" in failing(edited("tests/test_scoring.py", "def test_", mark).findings())


def test_blanket_suppression_costs(edited: Callable[..., Any]) -> None:
    found = edited(SRC + "data.py", "    return rows", "    return rows  # noqa").findings()
    assert found["STYL003"].where is not None
    assert "STYL003" in failing(found)


def test_empty_package_passes_little(case: Any, changed: Callable[..., Any]) -> None:
    gone = {p: None for p in case.files if p.startswith("src/") and "__init__" not in p}
    families = ("STYL", "MODU", "PIPE", "TYPE", "LINE", "REPT")
    found = changed(gone).findings()
    seen = {check.code for check in standards.all_checks() if check.requires != "tree"}
    assert all(c in failing(found) for c in set(found) - seen if c.startswith(families))


def test_owner_is_missed(changed: Callable[..., Any]) -> None:
    found = changed(
        {
            "pyproject.toml": '[project]\nname = "tariff"\n',
            "README.md": "a",
            "docs/MODEL_CARD.md": "",
        }
    ).findings()
    assert "REPO005" in failing(found)


# ------------------------------------------------------------ history, wheel, tests, tools


def test_single_upload_is_refused(case: Any) -> None:
    single = replace(case.history, commits=case.history.commits[:1])
    assert "REPO001" in failing(replace(case, history=single).findings())


def test_one_giant_commit_is_refused(case: Any) -> None:
    first, *others = case.history.commits
    giant = replace(case.history, commits=(replace(first, lines=10_000), *others))
    assert "REPO001" in failing(replace(case, history=giant).findings())


def test_no_history_is_refused(case: Any) -> None:
    assert {"REPO001", "REPO002"} <= failing(replace(case, history=None).findings())


def test_hollow_subjects_lose(case: Any) -> None:
    hollow = tuple(replace(commit, subject="update") for commit in case.history.commits)
    history = replace(case.history, commits=hollow)
    assert failing(replace(case, history=history).findings()) == {"REPO002"}


@pytest.mark.parametrize(
    ("code", "wheel"),
    [
        ("PACK001", WheelBuild(built=False, message="no back end")),
        ("PACK001", WheelBuild(built=True, message="", files=("other/__init__.py",))),
        ("PACK007", WheelBuild(built=True, message="", files=("tariff/__init__.py", "tests/a.py"))),
        ("PACK007", WheelBuild(built=True, message="", files=("tariff/answers.csv",))),
    ],
)
def test_wheel_turns_check(case: Any, code: str, wheel: WheelBuild) -> None:
    assert code in failing(replace(case, wheel=wheel).findings())


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("TEST001", {"green": False, "failed": 1, "passed": 5}),
        ("TEST001", {"ran": 0, "passed": 0}),
        ("TEST002", {"canary_green": True}),
        ("TEST002", {"ran": 0, "passed": 0}),
        ("TEST007", {"coverage": 0.3}),
        ("TEST007", {"coverage": None}),
    ],
)
def test_run_turns_check(case: Any, code: str, change: dict[str, Any]) -> None:
    run: TestRun = replace(case.tests, **change)
    assert code in failing(replace(case, tests=run).findings())


def lint(code: str, message: str = "x", path: str = SRC + "data.py") -> Lint:
    return Lint(code=code, path=path, line=3, message=message)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("STYL001", {"ruff": tuple(lint(f"S{n}") for n in range(12))}),
        ("STYL002", {"formatting": (lint("unformatted"),)}),
        ("STYL004", {"complexity": (lint("40", "read_rows"),)}),
        ("PACK002", {"metadata": (lint("invalid"),)}),
        ("PACK003", {"dependencies": (lint("DEP001", "xgboost"),)}),
        ("CICD002", {"schemas": (lint("schema"),)}),
        ("CICD005", {"workflows": (lint("unpinned-uses", "High"),)}),
        ("DEPL003", {"containers": (lint("DL3007", path="Dockerfile"),)}),
        ("SECU001", {"secrets": (Secret(path="a.py", line=2, kind="AWS Access Key"),)}),
    ],
)
def test_tool_turns_check(case: Any, code: str, found: dict[str, Any]) -> None:
    linters = replace(case.linters, **found)
    assert failing(replace(case, linters=linters).findings()) == {code}


@pytest.mark.parametrize(
    ("training", "told"),
    [
        (TrainingRun(same=False), "files that differ"),
        (TrainingRun(same=False, problem="train was stopped."), "train was stopped"),
    ],
)
def test_other_artefact_is_no_same(case: Any, training: TrainingRun, told: str) -> None:
    found = replace(case, training=training).findings()
    assert failing(found) == {"LINE003"}
    assert told in found["LINE003"].message


@pytest.mark.parametrize(
    ("report", "codes"),
    [
        (ReportRun(untrue=("premium: rows is 400, not 399",)), {"REPT004"}),
        (ReportRun(undrawn=("parity-premium.png (missing)",)), {"REPT005"}),
        (ReportRun(untraced=("train.csv",)), {"LINE004"}),
        (ReportRun(problem="metrics.json is no JSON."), {"LINE004", "REPT003", "REPT004"}),
    ],
)
def test_report_is_held_to_what_was_seen(case: Any, report: ReportRun, codes: set[str]) -> None:
    assert failing(replace(case, report=report).findings()) == codes


def test_report_on_nothing_is_neutral(case: Any) -> None:
    found = replace(case, report=ReportRun(asked=False)).findings()
    neutral = {code for code, finding in found.items() if finding.verdict is Verdict.NEUTRAL}
    assert neutral == {"LINE004", "REPT003", "REPT004", "REPT005"}


def test_run_only_dependency_is_fine(case: Any) -> None:
    linters = replace(case.linters, dependencies=(lint("DEP002", "uvicorn"),))
    assert failing(replace(case, linters=linters).findings()) == set()


def test_public_file_is_no_dump(changed: Callable[..., Any]) -> None:
    text = "policy,premium\n1,100\n"
    digest = hashlib.sha256(text.encode()).hexdigest()
    handed = replace(changed({"challenge/cases.csv": text}), public=frozenset({digest}))
    assert failing(handed.findings()) == set()


def test_altered_public_file_counts(changed: Callable[..., Any]) -> None:
    altered = replace(changed({"challenge/cases.csv": "1\n"}), public=frozenset({"0" * 64}))
    assert "REPO003" in failing(altered.findings())


def test_finding_names_the_line(edited: Callable[..., Any]) -> None:
    found = edited(SRC + "data.py", "return rows", "return eval('rows')").findings()["SECU002"]
    assert (found.where.path, found.where.line) == (SRC + "data.py", 23)


GITLAB = """test:
  image: python:3.11
  script:
    - pip install -e .
    - pytest
    - mypy src
    - ruff check .
    - python -m build
"""


def test_gitlab_counts_as_ci(changed: Callable[..., Any]) -> None:
    found = changed({".github/workflows/ci.yml": None, ".gitlab-ci.yml": GITLAB}).findings()
    assert failing(found) == set()


def test_gitlab_allowed_failure_counts_not(changed: Callable[..., Any]) -> None:
    soft = GITLAB + "  allow_failure: true\n"
    found = changed({".github/workflows/ci.yml": None, ".gitlab-ci.yml": soft}).findings()
    assert "CICD001" in failing(found)


@pytest.mark.parametrize(
    ("comment", "share"),
    [
        ("# noqa: N803", 1.0),
        ("# type: ignore[misc]", 1.0),
        ("# noqa: S307", 0.5),
        ("# noqa: N803, S307", 0.5),
    ],
)
def test_conventions_may_be_suppressed(
    edited: Callable[..., Any], comment: str, share: float
) -> None:
    lines = "".join(f"A{n} = {n}  {comment} - a reason\n" for n in range(5))
    found = edited(SRC + "data.py", "REQUIRED = (", f"{lines}REQUIRED = (").findings()
    assert (found["STYL003"].share == 1.0) is (share == 1.0)
