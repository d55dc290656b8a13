from __future__ import annotations

import pytest

from grader.package.expression import problem_of

FINE = [
    "months < 12",
    "age >= 65 and not (sex == 'f')",
    "(a + b) / 2 > 1e3 or ~flag",
    "region in ['north', 'south']",
    "education.isna()",
    "site.isin([1, 2]) & coins.between(0, 95)",
    "name.str.startswith('A')",
    "`part of year` % 2 == 1",
    "income == -1",
]
REFUSED = [
    "",
    "months <",
    "months = 12",
    "@pd.read_csv('/etc/passwd').size > 0",
    "__import__('os').system('true')",
    "months.__class__",
    "months.to_csv('/tmp/x')",
    "months.isin(values=[1])",
    "[m for m in months]",
    "lambda: 1",
    "months ** 9 ** 9",
    "'a' * 1000000000 == name",
    "[0] * 1000000000 == name",
    "months == 1" + "0" * 100,
    "months is None",
    "months == b'x'",
    "months[0] == 1",
    "f'{months}' == '1'",
    "months == 1\nmonths == 2",
    "(" * 400 + "a" + ")" * 400,
    "a" * 501,
    "\0",
]


@pytest.mark.parametrize("expression", FINE)
def test_comparison_is_fine(expression: str) -> None:
    assert problem_of(expression) == ""


@pytest.mark.parametrize("expression", REFUSED)
def test_anything_else_is_refused(expression: str) -> None:
    assert problem_of(expression) != ""
