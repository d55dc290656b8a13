"""The command line, ``drydock``: the grader's commands, and those of the portal."""

from __future__ import annotations

from grader.cli import app, run
from portal.cli import audit, backup, record, serve, worker

app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.add_typer(audit.app, name="audit")
app.add_typer(record.app, name="record")


def main() -> None:
    """Run the command line; every error becomes one clear sentence and its exit status."""
    run()


__all__ = ["app", "main"]
