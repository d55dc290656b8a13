"""Home-made steps: those that scikit-learn has ready need a word on why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grader.model import Finding, Verdict

STEP = '''"""Steps."""

from sklearn.base import BaseEstimator, TransformerMixin


class {name}(TransformerMixin, BaseEstimator):
    """{told}"""

    def fit(self, X, y=None):
        """Learn nothing."""
        return self

    def transform(self, X):
        """Give the rows."""
        return X
'''
Judge = Callable[[str, str], Finding]


@pytest.fixture
def judge(changed: Callable[..., Any]) -> Judge:
    def judged(name: str, told: str) -> Finding:
        text = STEP.format(name=name, told=told)
        finding: Finding = changed({"src/tariff/steps.py": text}).findings()["PIPE006"]
        return finding

    return judged


@pytest.mark.parametrize(
    "name", ["StandardScaler", "MyOneHotEncoder", "MedianImputer", "FillNa", "ColumnSelector"]
)
def test_copies_of_standard_steps(name: str, judge: Judge) -> None:
    finding = judge(name, "Do it by hand.")
    assert finding.verdict is Verdict.FAIL
    assert name in finding.message


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("AgeBands", "Cut ages into the bands of the tariff."),
        ("MedianImputer", "Fill in medians as the legacy program did, ties to the lower."),
        ("Standardizer", "Scale by the population's deviation, as SAS does."),
        ("TreatmentContrasts", "Write levels against the first."),
    ],
)
def test_steps_of_their_own(name: str, told: str, judge: Judge) -> None:
    assert judge(name, told).verdict is Verdict.PASS
