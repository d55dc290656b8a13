"""A tiny project that passes every check, and what is needed to change one thing in it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import pytest

from grader import standards
from grader.model import (
    Checkout,
    CiRun,
    CiStepRun,
    Commit,
    Contract,
    Finding,
    History,
    Mutant,
    MutantEnd,
    MutantRun,
    Observed,
    ReportRun,
    StepEnd,
    TestRun,
    TrainingRun,
    Tree,
    TreeFile,
    WheelBuild,
    Where,
)
from grader.standards.evidence import Evidence
from grader.standards.linters import Lint, Linters
from grader.standards.project import read_project

CONTRACT = Contract(package="tariff", python="3.11")
ENVIRONMENT = frozenset({"numpy", "pandas", "scikit-learn", "fastapi", "uvicorn", "joblib"})

README = """# tariff

A port of the legacy pricing program to Python. It reads the exposure table, fits a frequency
model with its offset, and scores each policy in a batch or one at a time. The answers are held
against those that the legacy program recorded, within a stated tolerance, by a test that runs at
every push. Whoever changes a rule finds the module that does it in the porting notes, and adds a
test beside the others. The premiums are yearly, in dollars, before tax; the bands are those of
the tariff of last year. A missing column is refused with its name, and nothing is written then.
The service answers single requests with the same function that the batches use, so that a quote
online and an invoice never differ. Questions go to the owner named below, who also decides on
releases and on the retirement of the old program.

## Install

```sh
pip install -e .
```

## Use

```sh
python -m tariff train --data data --model model.bin
tariff score --model model.bin --input rows.csv --output premiums.csv
```

## Tests

```sh
python -m pytest tests/test_scoring.py
```

Owner: Pricing Analytics
"""

MODEL_CARD = """# Model card

## Intended use
Yearly premiums for health policies of private customers, as the legacy program gave them. It is
not meant for group policies, nor for any decision on claims that have been made already.
## Training data
The exposure table of the years 2019 to 2023, one row for each policy and year, as it was given
to the legacy program. Nobody's name is in it.
## Metrics
Mean Poisson deviance 1.8342 on the holdout; 100 % of 3,412 rows within tolerance of the legacy
program.
## Limitations
Ages above 85 are rare, and their premiums carry a wide margin.
## Owner and version
Pricing Analytics, version 0.2.0.
"""

PORTING = """# Porting notes

| legacy step | module |
|---|---|
| `read.csv`, checks | `data.py` |
| factors, contrasts | `features.py` |
| `glm(...)` | `pipeline.py` |

Differences from the legacy program: none above 1e-6, relative.
"""

PYPROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "tariff"
version = "0.2.0"
description = "A health tariff"
readme = "README.md"
requires-python = ">=3.11"
authors = [{ name = "Pricing Analytics" }]
dependencies = ["fastapi>=0.115", "joblib>=1.4", "pandas>=2.2", "scikit-learn>=1.5"]

[project.scripts]
tariff = "tariff.cli:main"

[tool.mypy]
strict = true
"""

WORKFLOW = """name: ci
on:
  push:
  pull_request:
permissions:
  contents: read
jobs:
  test:
    name: Test
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with:
          persist-credentials: false
      - run: pip install -e .
      - run: ruff check .
      - run: mypy src
      - run: python -m pytest
      - run: python -m build --wheel
"""

DOCKERFILE = """FROM python:3.11.11-slim-bookworm
WORKDIR /app
COPY pyproject.toml requirements.lock ./
COPY src ./src
RUN pip install --no-cache-dir -r requirements.lock && pip install --no-cache-dir --no-deps .
USER 10001
HEALTHCHECK CMD ["python", "-c", "print('ok')"]
CMD ["uvicorn", "tariff.api:app", "--host", "0.0.0.0"]
"""

DATA = '''"""Reading the exposure table, and refusing what is not one."""

from pathlib import Path

import pandas as pd

REQUIRED = ("policy", "age", "region")


class InputError(ValueError):
    """A column that is missing or holds what it must not; the message names it."""


def read_rows(path: Path) -> pd.DataFrame:
    """Read policies from a CSV file, one per line.

    :raises InputError: a required column is missing
    """
    rows = pd.read_csv(path)
    missing = [name for name in REQUIRED if name not in rows]
    if missing:
        raise InputError(f"column {missing[0]} is missing")
    return rows
'''

FEATURES = '''"""Transformers that turn policies into what the model is fitted on."""

import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin


class Cap(TransformerMixin, BaseEstimator):
    """Cut a column off at the tariff's upper bound, in years."""

    def __init__(self, limit: float = 85.0) -> None:
        self.limit = limit

    def fit(self, X: pd.DataFrame, y: object = None) -> "Cap":
        """Learn nothing: the bound is given by the tariff."""
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Give the ages, none above the bound."""
        return X[["age"]].clip(upper=self.limit)
'''

PIPELINE = '''"""The model as structure: every learnt step, and the regression itself."""

from sklearn.linear_model import PoissonRegressor
from sklearn.pipeline import Pipeline

from tariff.features import Cap


def build_pipeline() -> Pipeline:
    """Build the unfitted pipeline: ages capped, then a Poisson regression."""
    return Pipeline([("cap", Cap()), ("model", PoissonRegressor())])
'''

TRAINING = '''"""Fitting the pipeline and saving it with a manifest of where it comes from."""

import hashlib
from importlib.metadata import version
from pathlib import Path

import joblib

from tariff.data import read_rows
from tariff.pipeline import build_pipeline

SEED = 20240601


def train(folder: Path, target: Path) -> None:
    """Fit on ``train.csv`` of a folder and write the artefact with its manifest."""
    source = folder / "train.csv"
    rows = read_rows(source)
    pipeline = build_pipeline()
    pipeline.fit(rows, rows["claims"])
    manifest = {
        "data": hashlib.sha256(source.read_bytes()).hexdigest(),
        "package": version("tariff"),
        "libraries": {"scikit-learn": version("scikit-learn")},
        "seed": SEED,
    }
    joblib.dump({"pipeline": pipeline, "manifest": manifest}, target)
'''

SCORING = '''"""The one way in which policies are scored, in batches and by the service."""

from pathlib import Path
from typing import Any

import joblib
import pandas as pd


def load_model(path: Path) -> Any:
    """Load an artefact that training wrote."""
    return joblib.load(path)["pipeline"]


def score_rows(model: Any, rows: pd.DataFrame) -> pd.DataFrame:
    """Give each policy its yearly premium, in dollars, in the order of the rows."""
    return pd.DataFrame({"policy": rows["policy"], "premium": model.predict(rows)})
'''

REPORTING = '''"""The metrics report: the port beside the legacy program."""

import json

import pandas as pd
from sklearn.metrics import mean_poisson_deviance


def metrics_report(scored: pd.DataFrame, legacy: pd.DataFrame) -> str:
    """Write rows, deviance and the share within tolerance of the legacy answers, as JSON."""
    difference = (scored["premium"] - legacy["premium"]).abs()
    figures = {
        "rows": len(scored),
        "deviance": mean_poisson_deviance(legacy["premium"], scored["premium"]),
        "within_tolerance": float((difference <= 1e-6).mean()),
    }
    return json.dumps(figures, indent=2)
'''

API = '''"""The service: health, and scores for the rows of a request."""

import os
from pathlib import Path

import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel

from tariff.scoring import load_model, score_rows

app = FastAPI()


class Request(BaseModel):
    """Policies to be scored, each a mapping of column to value."""

    rows: list[dict[str, object]]


@app.get("/health")
def health() -> dict[str, str]:
    """Tell the platform that requests may come."""
    return {"status": "ok"}


@app.post("/score")
def score(request: Request) -> dict[str, object]:
    """Score the rows of a request, in their order."""
    model = load_model(Path(os.environ["MODEL_FILE"]))
    answers = score_rows(model, pd.DataFrame(request.rows))
    return {"rows": answers.to_dict(orient="records")}
'''

CLI = '''"""The commands train and score."""

import argparse
from pathlib import Path

from tariff.data import read_rows
from tariff.scoring import load_model, score_rows
from tariff.training import train


def main() -> int:
    """Run the command that was asked for and give its exit status."""
    parser = argparse.ArgumentParser(prog="tariff")
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train")
    training.add_argument("--data", type=Path, required=True)
    training.add_argument("--model", type=Path, required=True)
    scoring = commands.add_parser("score")
    for option in ("--model", "--input", "--output"):
        scoring.add_argument(option, type=Path, required=True)
    chosen = parser.parse_args()
    if chosen.command == "train":
        train(chosen.data, chosen.model)
    else:
        answers = score_rows(load_model(chosen.model), read_rows(chosen.input))
        answers.to_csv(chosen.output, index=False)
    return 0
'''

TEST_SCORING = '''"""Scores come out as the legacy program recorded them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tariff import cli, data, features, pipeline, reporting, scoring, training


@pytest.fixture
def expected() -> pd.DataFrame:
    return pd.read_csv(Path(__file__).parent / "expected.csv")


def test_parity_with_legacy(expected: pd.DataFrame, tmp_path: Path) -> None:
    training.train(Path(__file__).parent, tmp_path / "model.bin")
    model = scoring.load_model(tmp_path / "model.bin")
    scored = scoring.score_rows(model, expected)
    np.testing.assert_allclose(scored["premium"], expected["premium"], rtol=1e-6)


def test_missing_column_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("policy,age\\n1,30\\n")
    with pytest.raises(data.InputError, match="region"):
        data.read_rows(path)


def test_cap_cuts_off() -> None:
    capped = features.Cap().transform(pd.DataFrame({"age": [90.0]}))
    assert capped["age"].tolist() == [85.0]


def test_pipeline_is_unfitted() -> None:
    assert [name for name, _ in pipeline.build_pipeline().steps] == ["cap", "model"]


def test_report_counts_rows(expected: pd.DataFrame) -> None:
    assert '"rows": 2' in reporting.metrics_report(expected, expected)


def test_command_wants_arguments() -> None:
    with pytest.raises(SystemExit):
        cli.main()
'''

GOOD: Mapping[str, str] = {
    "README.md": README,
    "CHANGELOG.md": "# Changelog\n\n## 0.2.0\n- Premiums follow the legacy program.\n",
    "docs/MODEL_CARD.md": MODEL_CARD,
    "docs/PORTING.md": PORTING,
    "pyproject.toml": PYPROJECT,
    "requirements.lock": "joblib==1.4.2\npandas==2.2.3\nscikit-learn==1.6.0\n",
    ".gitignore": "__pycache__/\n.venv/\n",
    ".dockerignore": "*\n!src\n!pyproject.toml\n!requirements.lock\n",
    "Dockerfile": DOCKERFILE,
    ".github/workflows/ci.yml": WORKFLOW,
    "src/tariff/__init__.py": '"""A health tariff, ported from the legacy pricing program."""\n',
    "src/tariff/__main__.py": '"""`python -m tariff` runs the commands."""\n\n'
    "import sys\n\nfrom tariff.cli import main\n\nsys.exit(main())\n",
    "src/tariff/py.typed": "",
    "src/tariff/data.py": DATA,
    "src/tariff/features.py": FEATURES,
    "src/tariff/pipeline.py": PIPELINE,
    "src/tariff/training.py": TRAINING,
    "src/tariff/scoring.py": SCORING,
    "src/tariff/reporting.py": REPORTING,
    "src/tariff/api.py": API,
    "src/tariff/cli.py": CLI,
    "tests/test_scoring.py": TEST_SCORING,
    "tests/expected.csv": "policy,age,region,premium\n1,30,a,100.0\n2,90,b,300.0\n",
}

GOOD_WHEEL = WheelBuild(
    built=True,
    message="",
    files=("tariff/__init__.py", "tariff/api.py", "tariff-0.2.0.dist-info/METADATA"),
    version="0.2.0",
)
GOOD_RUN = TestRun(
    ran=6, passed=6, failed=0, green=True, canary_green=False, coverage=0.93, message=""
)
GOOD_MUTANTS = MutantRun(
    mutants=tuple(
        Mutant(where=Where(path="src/tariff/features.py", line=n), change="< became >=", end=end)
        for n, end in enumerate((MutantEnd.ASSERTION, MutantEnd.ASSERTION, MutantEnd.SURVIVED), 1)
    ),
    sites=40,
    decoys_green=True,
    message="",
)
GOOD_CI = CiRun(
    steps=(
        CiStepRun(
            where=Where(path=".github/workflows/ci.yml", line=17),
            command="python -m pytest",
            end=StepEnd.PASSED,
            message="",
        ),
    ),
    canary_red=True,
    message="",
)


def _commit(number: int, subject: str, lines: int) -> Commit:
    return Commit(
        id=f"{number:040x}",
        author=("Ada <ada@example.org>", "Ben <ben@example.org>")[number % 2],
        when=datetime(2024, 6, number, tzinfo=UTC),
        subject=subject,
        files=3,
        lines=lines,
        parents=1,
    )


GOOD_HISTORY = History(
    commits=(
        _commit(3, "Score batches with the fitted pipeline", 150),
        _commit(2, "Port the frequency model", 200),
        _commit(1, "Read and validate the exposure table", 250),
    ),
    tags=("v0.2.0",),
)
GOOD_TRAINING = TrainingRun(same=True)
GOOD_REPORT = ReportRun()
GOOD_LINTERS = Linters(
    complexity=(Lint(code="2", path="src/tariff/data.py", line=None, message="read_rows"),)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A project that can be changed, one thing at a time, and judged."""

    folder: Path
    files: Mapping[str, str | bytes] = field(default_factory=lambda: dict(GOOD))
    history: History | None = GOOD_HISTORY
    linters: Linters = GOOD_LINTERS
    wheel: WheelBuild | None = GOOD_WHEEL
    tests: TestRun | None = GOOD_RUN
    mutants: MutantRun | None = GOOD_MUTANTS
    ci: CiRun | None = GOOD_CI
    training: TrainingRun | None = GOOD_TRAINING
    report: ReportRun | None = GOOD_REPORT
    public: frozenset[str] = frozenset()

    def evidence(self) -> Evidence:
        """Write the tree and read it; the linters' findings are those given."""
        return Evidence(
            project=read_project(self.checkout(), CONTRACT, public_files=self.public),
            history=self.history,
            linters=self.linters,
            environment_packages=ENVIRONMENT,
        )

    def checkout(self) -> Checkout:
        """Write the files and give the checkout that holds them."""
        listed = []
        for name, content in self.files.items():
            data = content if isinstance(content, bytes) else content.encode()
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            digest = hashlib.sha256(data).hexdigest()
            listed.append(TreeFile(path=PurePosixPath(name), size=len(data), digest=digest))
        return Checkout(
            tree=Tree(root=self.folder, files=tuple(listed)),
            source="a test",
            commit=None,
            tree_digest="0" * 64,
            history=self.history,
        )

    def findings(self) -> dict[str, Finding]:
        """Judge all families; findings by code."""
        found = standards.judge(
            self.evidence(),
            Observed(
                wheel=self.wheel,
                tests=self.tests,
                mutants=self.mutants,
                ci=self.ci,
                training=self.training,
                report=self.report,
            ),
            standards.FAMILIES,
        )
        return {finding.code: finding for finding in found}


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """The project that passes every check."""
    return Case(folder=tmp_path / "tree")


@pytest.fixture
def changed(case: Case) -> Callable[..., Case]:
    """Change files of the good project: new content by path, or None to leave the file out."""

    def change(changes: Mapping[str, str | bytes | None]) -> Case:
        files = {**case.files, **changes}
        kept = {name: content for name, content in files.items() if content is not None}
        return Case(folder=case.folder, files=kept)

    return change


@pytest.fixture
def edited(case: Case) -> Callable[..., Case]:
    """Replace text within one file of the good project."""

    def edit(path: str, old: str, new: str) -> Case:
        assert old in GOOD[path], f"{path} no longer holds {old!r}"
        return Case(folder=case.folder, files={**GOOD, path: GOOD[path].replace(old, new)})

    return edit
