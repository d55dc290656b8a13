"""The command line, ``drydock``: the grader's commands, and those of the portal."""

from __future__ import annotations

from collections.abc import Mapping

from grader.cli import COMMANDS, command_line, run
from grader.cli.lazy import Command

_OWN: Mapping[str, Command] = {
    "serve": Command(
        "portal.cli.serve",
        "serve",
        "Serve the portal: pages, git, API, and the workers that grade.",
    ),
    "worker": Command(
        "portal.cli.worker",
        "worker",
        "Grade submissions, one after the other, until told to end.",
    ),
    "try-version": Command(
        "portal.cli.try_version",
        "try_version",
        "Grade each team's best submission by another version of its challenge, and print both.",
    ),
    "backup": Command(
        "portal.cli.backup", "backup", "Write a portal into one archive, while it runs."
    ),
    "restore": Command(
        "portal.cli.backup",
        "restore",
        "Bring a portal back, into an empty data folder and database.",
    ),
    "audit": Command("portal.cli.audit", "app", "What was done, by whom, and the proof of it."),
    "record": Command("portal.cli.record", "app", "Signed records of approved conversions."),
}
EVERY: Mapping[str, Command] = {**COMMANDS, **_OWN}
app = command_line(EVERY)


def main() -> None:
    """Run the command line; every error becomes one clear sentence and its exit status."""
    run(app)
