"""The generated pages of ``docs/``: ``python -m portal.docs`` writes them, a test proves them."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from grader import accuracy, report, standards
from grader.standards.page import checks_page

FOLDER = Path(__file__).parents[1] / "docs"


@functools.cache
def pages() -> Mapping[str, str]:
    """Return the generated pages: file name to content."""
    return {
        "checks.md": checks_page(standards.all_checks(), standards.all_scales()),
        "cli.md": _cli_page(),
        "metrics.schema.json": json.dumps(accuracy.metrics_schema(), indent=2) + "\n",
        "report.schema.json": json.dumps(report.schema(), indent=2) + "\n",
    }


def main() -> None:
    """Write the generated pages."""
    for name, content in pages().items():
        (FOLDER / name).write_text(content, encoding="utf-8")


def _cli_page() -> str:
    """Return the command line's own help, as Typer's documentation tool renders it."""
    command = [sys.executable, "-m", "typer", "portal.cli", "utils", "docs", "--name", "drydock"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    return done.stdout.strip() + "\n"


if __name__ == "__main__":
    main()
