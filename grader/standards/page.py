"""The page of documentation that lists all checks, generated from the checks themselves."""

from __future__ import annotations

from collections.abc import Iterable

from grader.model import Check
from grader.standards.families import FAMILIES

_INTRODUCTION = """\
# Checks

This page is generated from the checks; `drydock explain CODE` shows the same text. A check earns
its family's points by its weight. Quality that comes in degrees is paid in degrees: each check
states below what it looks at. A submission's own linter settings and suppressing comments never
weaken a check.

To ask for a waiver, give a reason in `pyproject.toml`. Until a leader grants it, the check fails
as before.

```toml
[tool.drydock.waivers]
MODU004 = "The rating table is generated; splitting it would hide its structure."
```
"""


def checks_page(checks: Iterable[Check]) -> str:
    """Write all checks as Markdown, by family."""
    listed = tuple(checks)
    parts = [_INTRODUCTION]
    for family, title in FAMILIES.items():
        members = [check for check in listed if check.family == family]
        if members:
            parts.append(f"## {title}\n")
            parts += [_section(check) for check in members]
    return "\n".join(parts).rstrip() + "\n"


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
}
