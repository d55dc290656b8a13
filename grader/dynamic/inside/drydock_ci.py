"""Runs the steps of one CI job in the working folder, as a CI server would.

Arguments: the plan, the folder of the shell, and the file for the notes. The process ends with 0
where CI would be green and with 1 where it would be red.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from drydock_shim import answer
from drydock_warm import Warm

SHIMS = (
    "python", "python3", "pip", "pip3", "uv", "uvx", "poetry", "pdm", "pipenv", "pipx", "hatch",
    "rye", "pixi", "flit", "pytest", "py.test", "coverage",
)  # fmt: skip
TAIL = 2_000
"""Characters of a step's output that the notes keep."""
NOT_FOUND = 127
HANDLER = 'command_not_found_handle() {{ echo "$1" >> "{missing}"; return 0; }}\n'
"""What bash does instead of ending with 127: the missing command is noted and passed over."""


class Bench:
    """The machine as the steps see it."""

    def __init__(self, shell: Path, scripts: dict[str, str]) -> None:
        self.bash = shell / "bin" / "bash"
        self.home = Path(os.environ["TMPDIR"]) / "drydock-ci"
        (self.home / "bin").mkdir(parents=True)
        self.missing = self.home / "missing"
        self.warm = Warm(self.home, answer)
        for name in SHIMS:
            self._script(name, f'exec "{sys.executable}" -I -S "{self.warm.client}" {name} "$@"')
        for name, target in scripts.items():
            module, _, function = target.partition(":")
            code = f"import sys; from {module} import {function} as f; sys.exit(f())"
            self._script(name, f'exec "{sys.executable}" -c "{code}" "$@"')
        (self.home / "handler").write_text(HANDLER.format(missing=self.missing))
        self.path = f"{self.home}/bin:{shell}/bin:{os.environ['PATH']}"
        self.variables = {
            **os.environ,
            "BASH_ENV": f"{self.home}/handler",
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(Path.cwd()),
            "LD_LIBRARY_PATH": f"{shell}/lib",
            "DRYDOCK_MISSING": str(self.missing),
        }
        for name in ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
            self.variables[name] = str(self.home / name)

    def _script(self, name: str, line: str) -> None:
        file = self.home / "bin" / name
        file.write_text(f"#!{self.bash}\n{line}\n")
        file.chmod(0o755)

    def run(self, step: dict[str, Any]) -> dict[str, Any]:
        """Run a step and note how it ended."""
        for name in ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
            (self.home / name).write_text("")
        self.missing.write_text("")
        script = self.home / "script.sh"
        script.write_text(step["script"])
        log = self.home / "log"
        with log.open("w") as printed:
            process = subprocess.Popen(  # noqa: S603 - the team's own steps, in their own sandbox
                [str(self.bash), *step["shell"], str(script)],
                cwd=step["folder"],
                env={**self.variables, "PATH": self.path, **step["environment"]},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                text=True,
            )
            code = self.warm.serve(process)
        self._go_on()
        lost = sorted(set(self.missing.read_text().split()))
        said = log.read_text(encoding="utf-8", errors="replace")[-TAIL:]
        return {"code": code, "missing": lost, "said": said}

    def _go_on(self) -> None:
        """Take over what the step set for those that follow."""
        for line in (self.home / "GITHUB_ENV").read_text().splitlines():
            name, found, value = line.partition("=")
            if found:
                self.variables[name] = value
        for line in (self.home / "GITHUB_PATH").read_text().splitlines():
            self.path = f"{line}:{self.path}"


def main() -> int:
    """Run the steps in their order; the first that fails ends the job.

    Where a tool is not here a failure may come of that, and counts only if the plan is strict.
    """
    plan_file, shell, notes_file = map(Path, sys.argv[1:4])
    plan = json.loads(plan_file.read_text(encoding="utf-8"))
    bench = Bench(shell, plan["scripts"])
    notes: list[dict[str, Any]] = []
    red = False
    for step in plan["steps"]:
        try:
            note = bench.run(step)
        except OSError as error:
            note = {"code": 1, "missing": [], "said": f"it can't be started: {error.strerror}"}
        notes.append(note)
        Path(notes_file).write_text(json.dumps(notes), encoding="utf-8")
        if note["code"] and not step["may_fail"] and (plan["strict"] or not note["missing"]):
            red = True
            break
    return int(red)


if __name__ == "__main__":
    sys.exit(main())
