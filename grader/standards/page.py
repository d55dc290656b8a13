"""The page of documentation that lists all checks, generated from the checks themselves."""

from __future__ import annotations

from collections.abc import Iterable

from grader.model import Check
from grader.standards.families import FAMILIES
from grader.standards.scales import Scale

_INTRODUCTION = """\
# Checks

This page is generated from the checks; `drydock explain CODE` shows the same text, and `drydock
grade . --only CODE` looks at one alone. A check earns its family's points by its weight. Quality
that comes in degrees is paid in degrees, by the [scales](#scales) at the end of this page. A
submission's own linter settings and suppressing comments never weaken a check.

A failed gate, which is a check that the challenge names as one, rejects the submission and halves
its total. What can't be verified here, such as a CI step that needs a network, is neutral: it earns
what the rest of its family earns.

## Waivers

To ask for a waiver, give a reason in `pyproject.toml`, for a check or for a file or folder of it.
Until a leader grants it, the check fails as before and says that a waiver is asked for. Gates can't
be waived.

```toml
[tool.drydock.waivers]
MODU004 = "The rating table is generated; splitting it would hide its structure."
STYL004 = { path = "src/tariff/rules.py", reason = "One branch for each clause of the tariff." }
```
"""
_SCALES = """\
## Scales

A scale is a straight line: nothing is earned at the first figure and beyond it, everything from the
second one on.

| check | what is measured | nothing at | everything from | why |
|---|---|---:|---:|---|
"""


def checks_page(checks: Iterable[Check], scales: Iterable[tuple[str, Scale]]) -> str:
    """Write all checks as Markdown, by family, and the scales they grade by."""
    listed = tuple(checks)
    parts = [_INTRODUCTION]
    for family, title in FAMILIES.items():
        members = [check for check in listed if check.family == family]
        if members:
            parts.append(f"## {title}\n")
            parts += [_section(check) for check in members]
    rows = "".join(_row(code, scale) for code, scale in scales)
    return "\n".join([*parts, _SCALES + rows]).rstrip() + "\n"


def _row(code: str, scale: Scale) -> str:
    figures = f"{scale.none:g} | {scale.full:g}"
    return f"| {code} | {scale.measure} | {figures} | {scale.reason} |\n"


def _section(check: Check) -> str:
    return (
        f"### {check.code}: {check.title}\n\n"
        f"Weight {check.weight}. Looks at: {_LOOKS[check.requires]}.\n\n"
        f"**Why.** {check.why}\n\n"
        f"**Fix.** {check.fix}\n\n"
        f"```text\n{check.example}\n```\n\n"
        f"Source: {check.source}\n"
    )


_LOOKS = {
    "tree": "the files",
    "history": "the history",
    "wheel": "the wheel, built in the sandbox",
    "tests": "the tests, run in the sandbox",
    "mutants": "the tests, run in the sandbox on packages that are wrong on purpose",
    "ci": "the CI definition's own steps, run in the sandbox",
    "training": "the training, run twice in the sandbox",
    "report": "the metrics report of a public case, written in the sandbox",
}
