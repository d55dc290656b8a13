"""The project that the python-model kit makes is whole, and exemplary from its first minute."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

from grader import environment, package
from grader.model import Challenge, Environment

CHALLENGES = Path(__file__).parents[3] / "challenges"
TOOLS = Path(sys.executable).parent
_SUITED = sorted(
    path.parent.name
    for path in CHALLENGES.glob("*/challenge.toml")
    if "python-model" in path.read_text(encoding="utf-8")
)


@pytest.fixture(scope="module", params=["tiny", *_SUITED])
def challenge(request: pytest.FixtureRequest, tiny_challenge: Challenge) -> Challenge:
    if request.param == "tiny":
        return tiny_challenge
    return package.find_challenge(request.param, [CHALLENGES])


@pytest.fixture(scope="module")
def project(challenge: Challenge, make_project: Callable[..., Path]) -> Path:
    return make_project(challenge)


@pytest.fixture(scope="module")
def run(project: Path, standard_environment: Environment) -> Callable[..., str]:
    """Return what runs a program in the project, with the environment of submissions."""

    def run(*command: str | Path, status: int = 0) -> str:
        return _run(project, [standard_environment.python, *command], status)

    return run


@pytest.fixture(scope="module")
def model(
    challenge: Challenge, run: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    file = tmp_path_factory.mktemp("model") / "model.bin"
    run("-m", challenge.contract.package, "train", "--data", challenge.training, "--model", file)
    return file


def _run(
    folder: Path, command: list[str | Path], status: int = 0, more: Mapping[str, str] | None = None
) -> str:
    variables = {**os.environ, "PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1", **(more or {})}
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def _score(challenge: Challenge, model: Path, table: Path, output: Path) -> list[str | Path]:
    module = ["-m", challenge.contract.package, "score"]
    return [*module, "--model", model, "--input", table, "--output", output]


def _public_input(challenge: Challenge) -> Path:
    case = next(case for case in challenge.cases if not case.hidden)
    return case.inputs / challenge.contract.input_file


def test_nothing_is_left_open(project: Path) -> None:
    for path in project.rglob("*"):
        if path.is_file() and not {".git", "challenge"} & set(path.relative_to(project).parts):
            text = path.read_text(encoding="utf-8").replace("${{", "")
            assert "{%" not in text, path
            assert "{{" not in text.replace('"{{', ""), path


def test_its_tests_pass_and_cover(
    project: Path, standard_environment: Environment, tmp_path: Path
) -> None:
    coverage: list[str | Path] = [standard_environment.python, "-m", "coverage"]
    data = {"COVERAGE_FILE": str(tmp_path / "coverage")}
    _run(project, [*coverage, "run", "-m", "pytest", "-p", "no:cacheprovider"], more=data)
    _run(project, [*coverage, "report"], more=data)


def test_its_style_is_clean(project: Path) -> None:
    _run(project, [TOOLS / "ruff", "check", "--no-cache", "."])
    _run(project, [TOOLS / "ruff", "format", "--no-cache", "--check", "."])


def test_its_types_are_strict(
    project: Path, standard_environment: Environment, tmp_path: Path
) -> None:
    site = next((TOOLS.parent / "lib").glob("python*/site-packages"))
    (tmp_path / "pandas-stubs").symlink_to(site / "pandas-stubs")
    python = f"--python-executable={standard_environment.python}"
    command: list[str | Path] = [TOOLS / "mypy", python, f"--cache-dir={tmp_path / 'cache'}"]
    _run(project, command, more={"PYTHONPATH": str(tmp_path)})


def test_its_metadata_is_valid(project: Path) -> None:
    _run(project, [TOOLS / "validate-pyproject", "pyproject.toml"])


def test_its_container_file_is_clean(project: Path) -> None:
    assert _run(project, [TOOLS / "hadolint", "Dockerfile"]) == ""


def test_its_workflow_is_clean(project: Path) -> None:
    workflow = Path(".github") / "workflows" / "ci.yml"
    schema = ["--builtin-schema", "vendor.github-workflows"]
    _run(project, [TOOLS / "check-jsonschema", *schema, workflow])
    _run(project, [TOOLS / "zizmor", "--offline", "--quiet", workflow])


def test_its_lock_is_the_environments(project: Path, challenge: Challenge) -> None:
    lock = environment.LOCKS / f"{challenge.contract.environment}.lock"
    assert (project / "requirements.lock").read_bytes() == lock.read_bytes()


def test_its_locks_agree(project: Path) -> None:
    pins = {
        file: {line.split(" ;")[0].rstrip("\\ ") for line in lines if "==" in line}
        for file in ("requirements.lock", "requirements-dev.lock")
        for lines in [(project / file).read_text(encoding="utf-8").splitlines()]
    }
    names = {pin.split("==")[0] for pin in pins["requirements.lock"]}
    shared = {pin for pin in pins["requirements-dev.lock"] if pin.split("==")[0] in names}
    assert shared <= pins["requirements.lock"]


def test_its_wheel_holds_the_package(
    challenge: Challenge, run: Callable[..., str], tmp_path: Path
) -> None:
    run("-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path)
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {challenge.contract.package}
    assert f"{challenge.contract.package}/py.typed" in names


def test_it_installs_for_editing(run: Callable[..., str], tmp_path: Path) -> None:
    run("-c", f"import hatchling.build as build; build.build_editable({str(tmp_path)!r})")
    wheel = zipfile.ZipFile(next(tmp_path.glob("*.whl")))
    (pointer,) = (name for name in wheel.namelist() if name.endswith(".pth"))
    assert wheel.read(pointer).decode().strip().endswith("/src")


def test_it_answers_every_row(
    challenge: Challenge, model: Path, run: Callable[..., str], tmp_path: Path
) -> None:
    output = tmp_path / challenge.outputs[0].file
    run(*_score(challenge, model, _public_input(challenge), output))
    answers = pd.read_csv(output)
    columns = [column.name for column in challenge.outputs[0].columns]
    assert list(answers.columns) == [*challenge.outputs[0].key, *columns]
    assert len(answers) == len(pd.read_csv(_public_input(challenge)))


def test_training_twice_is_identical(
    project: Path, challenge: Challenge, standard_environment: Environment, tmp_path: Path
) -> None:
    train = ["-m", challenge.contract.package, "train", "--data", str(challenge.training)]
    files = [tmp_path / f"{seed}.bin" for seed in (1, 2, 3)]
    for file in files:
        # Another seed of Python's hashes puts every set into another order.
        command: list[str | Path] = [standard_environment.python, *train, "--model", file]
        _run(project, command, more={"PYTHONHASHSEED": file.stem})
    assert len({file.read_bytes() for file in files}) == 1


def test_bad_input_names_the_column(
    challenge: Challenge, model: Path, run: Callable[..., str], tmp_path: Path
) -> None:
    name = challenge.contract.required_columns[-1]
    table, output = tmp_path / "table.csv", tmp_path / "output.csv"
    pd.read_csv(_public_input(challenge)).drop(columns=name).to_csv(table, index=False)
    said = run(*_score(challenge, model, table, output), status=2)
    assert repr(name) in said
    assert "Traceback" not in said
    assert not output.exists()


def test_report_says_what_it_measured(
    challenge: Challenge, model: Path, run: Callable[..., str], tmp_path: Path
) -> None:
    case = next(case for case in challenge.cases if not case.hidden)
    written = tmp_path / "metrics.json"
    command = _score(challenge, model, _public_input(challenge), written)
    command[2] = "report"
    run(*command, "--expected", case.expected / challenge.outputs[0].file)
    metrics = json.loads(written.read_text(encoding="utf-8"))
    rows = {column["rows"] for column in metrics["columns"].values()}
    assert rows == {len(pd.read_csv(_public_input(challenge)))}


def test_template_renders_by_hand(tmp_path: Path) -> None:
    kit = CHALLENGES.parent / "starter_kits" / "python-model"
    _run(tmp_path, [TOOLS / "copier", "copy", "--defaults", "--quiet", kit, tmp_path / "port"])
    _run(tmp_path / "port", [TOOLS / "ruff", "check", "--no-cache", "."])
