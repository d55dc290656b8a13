"""How fast grading is: the right port, three ways, side by side in one run.

- *Drydock, warm*: one whole grading on a dock that is open already (and *cold*: with ``--cold``).
- *bare*: the same four commands (tests, train, score, API) in the prepared environment, no sandbox.
- *CI-like*: a fresh virtual environment, install, ruff, pytest, train, score.

``python tests/bench/grading.py [--runs N]``. Figures are medians of whole wall-clock times, in
seconds; minimum and maximum stand beside them, and ratios are of medians.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from grader import package, references
from grader.engine import Dock, grade, open_dock
from grader.model import Challenge, Limits
from grader.sandbox import Job

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
CONSOLE = Console(highlight=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs of each way, after one warm-up")
    runs = parser.parse_args().runs
    challenge = package.find_challenge("r-health-tariff", [ROOT / "challenges"])
    right = next(item for item in references.list_references(challenge) if item.base)
    with tempfile.TemporaryDirectory(prefix="drydock-bench-") as folder:
        port = Path(folder) / "port"
        for path, content in references.reference_files(right, challenge).items():
            (port / path).parent.mkdir(parents=True, exist_ok=True)
            (port / path).write_bytes(content)
        repository = references.build(right, challenge, Path(folder) / "port.git")
        times = measure(challenge, repository, port, Path(folder), runs)
    show(times)


def measure(
    challenge: Challenge, repository: Path, port: Path, folder: Path, runs: int
) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {}
    for name, warm in (("Drydock, warm", True), ("Drydock, cold", False)):
        began = time.perf_counter()
        with open_dock(warm=warm) as dock:
            noop(dock)
            times[f"{name}: opening the dock"] = [time.perf_counter() - began]
            times[name] = repeat(runs, partial(once, repository, challenge, dock))
            times[f"{name}: one empty step"] = repeat(runs * 4, partial(noop, dock))
            python = dock.environment.root / "venv" / "bin" / "python"
    times["bare"] = repeat(runs, lambda: bare(python, challenge, port, folder))
    times["CI-like"] = repeat(max(1, runs // 2), lambda: ci_like(challenge, port, folder))
    return times


def repeat(runs: int, action: Callable[[], None]) -> list[float]:
    action()
    found = []
    for _ in range(runs):
        began = time.perf_counter()
        action()
        found.append(time.perf_counter() - began)
    return found


# ------------------------------------------------------------------------------ Drydock's way


def once(repository: Path, challenge: Challenge, dock: Dock) -> None:
    with tempfile.TemporaryDirectory(prefix="drydock-bench-") as folder:
        report = grade(str(repository), challenge, dock, Path(folder))
    if report.scores.outcome != "accepted":
        raise SystemExit(f"the right port is {report.scores.outcome}: {report.scores.reasons}")


def noop(dock: Dock) -> None:
    result = dock.sandbox.run(Job(module="this", limits=Limits()))
    if result.exit_code:
        raise SystemExit(f"an empty step fails: {result.stderr}")


# ------------------------------------------------------------------------------ without Drydock


def bare(python: Path, challenge: Challenge, port: Path, folder: Path) -> None:
    with clean_copy(port, folder) as project:
        variables = {"PYTHONPATH": str(project / "src"), "PATH": os.environ["PATH"]}
        commands(python, challenge, project, variables)
        with api(python, challenge, project, variables):
            pass


def ci_like(challenge: Challenge, port: Path, folder: Path) -> None:
    with clean_copy(port, folder) as project:
        run([UV, "venv", "--quiet", project / ".venv"], project)
        python = project / ".venv" / "bin" / "python"
        lock = next(project.glob("requirements*.lock"))
        run([UV, "pip", "install", "--quiet", "--python", python, "-r", lock], project)
        run(
            [UV, "pip", "install", "--quiet", "--python", python, "ruff", "pytest", "pytest-cov"],
            project,
        )
        run([UV, "pip", "install", "--quiet", "--python", python, "--no-deps", "."], project)
        run([python, "-m", "ruff", "check", "."], project)
        commands(python, challenge, project, dict(os.environ))


def commands(python: Path, challenge: Challenge, project: Path, variables: dict[str, str]) -> None:
    """Run tests, train and score, one after the other."""
    name = challenge.contract.package
    case = next(case for case in challenge.cases if not case.hidden)
    table = case.inputs / challenge.contract.input_file
    run([python, "-m", "pytest", "-q", "-p", "no:cacheprovider"], project, variables)
    model, output = project / "model.bin", project / "output.csv"
    train = ["train", "--data", challenge.training, "--model", model]
    score = ["score", "--model", model, "--input", table, "--output", output]
    run([python, "-m", name, *train], project, variables)
    run([python, "-m", name, *score], project, variables)


@contextmanager
def api(
    python: Path, challenge: Challenge, project: Path, variables: dict[str, str]
) -> Iterator[None]:
    """Serve the live API until it answers."""
    port = "8917"
    serve = [str(python), "-m", "uvicorn", f"{challenge.contract.package}.api:app", "--port", port]
    model = {"MODEL_FILE": str(project / "model.bin")}
    server = subprocess.Popen(
        serve, cwd=project, env=variables | model, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as answer:
                    json.load(answer)
                    break
            except OSError:
                time.sleep(0.02)
        yield
    finally:
        server.terminate()
        server.wait()


@contextmanager
def clean_copy(port: Path, folder: Path) -> Iterator[Path]:
    project = folder / "project"
    shutil.copytree(port, project)
    try:
        yield project
    finally:
        shutil.rmtree(project)


def run(command: list[object], cwd: Path, variables: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=variables, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{command} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


# ------------------------------------------------------------------------------ what came out


def show(times: dict[str, list[float]]) -> None:
    table = Table("what", "median s", "min", "max", "runs", box=None, pad_edge=False)
    for name, found in times.items():
        figures = (statistics.median(found), min(found), max(found))
        table.add_row(name, *(f"{figure:.3f}" for figure in figures), str(len(found)))
    CONSOLE.print(table)
    middle = {name: statistics.median(found) for name, found in times.items()}
    CONSOLE.print(
        f"\nwarm / bare        {middle['Drydock, warm'] / middle['bare']:.2f}   (aim ≤ 0.35)"
    )
    CONSOLE.print(
        f"CI-like / warm     {middle['CI-like'] / middle['Drydock, warm']:.1f}   (aim ≥ 20)"
    )
    for name in ("warm", "cold"):
        step = middle[f"Drydock, {name}: one empty step"] * 1000
        CONSOLE.print(f"overhead per step  {step:.0f} ms {name}   (aim ≤ 50 ms)")


if __name__ == "__main__":
    main()
