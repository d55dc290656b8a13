"""Starter kits: whole small projects that a team starts its port from.

::

    starter_kits/<kit>/
    ├── kit.toml        title and summary, for the list
    ├── copier.yml      the questions, all of which a challenge answers
    └── template/       what they are filled into
"""

from __future__ import annotations

import difflib
import os
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import copier
import pandas as pd

from grader import environment, package
from grader.errors import UsageError
from grader.model import Challenge, OutputTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """A template that projects are made from."""

    name: str
    title: str
    summary: str
    root: Path


def new_kit(kit: Kit, destination: Path, challenge: Challenge, *, owner: str) -> Path:
    """Make a project for a challenge and return its folder: a git repository of one commit.

    The project carries the challenge's public export under ``challenge/``. It appears whole or
    not at all.

    :param destination: a folder that is new or empty
    :param owner: who answers for the project
    :raises UsageError: the destination holds something or cannot be written to, or the kit is not
        made for the challenge
    """
    _check_destination(destination)
    answers = {**_answers(kit, challenge), "project_name": _project_name(destination, challenge)}
    with _workshop(destination) as folder:
        project = Path(folder) / "project"
        _render(kit, project, {**answers, "owner": owner})
        package.export_public(challenge, project / "challenge")
        _start_history(project, kit)
        project.replace(destination)
    return destination


def list_kits(folder: Path) -> tuple[Kit, ...]:
    """Return the kits in a folder, sorted by name."""
    return tuple(_read(file) for file in sorted(folder.glob("*/kit.toml")))


def find_kit(name: str, folder: Path) -> Kit:
    """Return the kit of that name.

    :raises UsageError: there is none; the message names the nearest
    """
    kits = {kit.name: kit for kit in list_kits(folder)}
    if name in kits:
        return kits[name]
    near = difflib.get_close_matches(name, kits, n=1, cutoff=0)
    raise UsageError(
        "unknown-kit",
        f"There is no starter kit {name!r}" + (f"; the nearest is {near[0]!r}." if near else "."),
        remedy="'drydock kit list' shows them all.",
    )


def _read(file: Path) -> Kit:
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    return Kit(
        name=file.parent.name,
        title=str(table["title"]),
        summary=str(table["summary"]),
        root=file.parent,
    )


def _check_destination(destination: Path) -> None:
    taken = destination.is_symlink() or destination.exists()
    if taken and not (destination.is_dir() and not any(destination.iterdir())):
        raise UsageError(
            "destination-not-empty",
            f"{destination} already holds something.",
            remedy="Name a folder that is new or empty; nothing has been changed.",
        )


def _workshop(destination: Path) -> tempfile.TemporaryDirectory[str]:
    """Return a folder on the destination's own disk, so that the project can be moved whole."""
    try:
        parent = destination.absolute().parent
        parent.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(prefix=".drydock-kit-", dir=parent)
    except OSError as error:
        raise UsageError(
            "cannot-write",
            f"{destination} cannot be made: {error.strerror}.",
            remedy="Name a folder where you may write.",
        ) from error


def _render(kit: Kit, project: Path, answers: Mapping[str, object]) -> None:
    copier.run_copy(
        str(kit.root),
        project,
        data=dict(answers),
        defaults=True,
        overwrite=False,
        unsafe=False,
        quiet=True,
    )


# ------------------------------------------------------------------------------ the answers


def _answers(kit: Kit, challenge: Challenge) -> dict[str, object]:
    """Answer the kit's questions from the challenge.

    :raises UsageError: the challenge does not name the kit, or is not of the shape it is made for
    """
    if kit.name not in challenge.kits:
        raise _unsuitable(kit, challenge, f"it names {', '.join(challenge.kits) or 'no kit'}")
    contract = challenge.contract
    output = _single_output(kit, challenge)
    public = [case for case in challenge.cases if not case.hidden]
    inputs = [pd.read_csv(case.inputs / contract.input_file) for case in public]
    header = list(inputs[0].columns)
    training_file, training = _training_table(kit, challenge, set(header))
    named = (*contract.required_columns, *contract.numeric_columns, *contract.category_columns)
    features = [name for name in header if name in named and name not in contract.key]
    outcomes = training.drop(columns=header, errors="ignore").select_dtypes("number").columns
    if outcomes.empty:
        raise _unsuitable(kit, challenge, "its training data holds no numeric outcome to fit on")
    return {
        "package": contract.package,
        "python": contract.python,
        "slug": challenge.slug,
        "title": challenge.title,
        "language": challenge.language,
        "input_file": contract.input_file,
        "output_file": output.file,
        "training_file": training_file,
        "public_case": public[0].name.removeprefix("public/"),
        "training_rows": len(training),
        "public_rows": sum(map(len, inputs)),
        "key": list(contract.key),
        "features": features,
        "numeric": [name for name in features if name in contract.numeric_columns],
        "category": [name for name in features if name in contract.category_columns],
        "targets": list(outcomes),
        "outputs": _columns(output),
        "lock": (environment.LOCKS / f"{contract.environment}.lock").read_text(encoding="utf-8"),
    }


def _single_output(kit: Kit, challenge: Challenge) -> OutputTable:
    if len(challenge.outputs) != 1:
        raise _unsuitable(kit, challenge, f"it asks for {len(challenge.outputs)} output tables")
    return challenge.outputs[0]


def _training_table(kit: Kit, challenge: Challenge, header: set[str]) -> tuple[str, pd.DataFrame]:
    """Return the first training table that holds what scoring is given, and its name."""
    wanted = header - set(challenge.contract.key)
    for file in sorted(challenge.training.glob("*.csv")):
        if wanted <= set(pd.read_csv(file, nrows=0).columns):
            return file.name, pd.read_csv(file)
    raise _unsuitable(kit, challenge, "no training table holds the columns that scoring is given")


def _columns(output: OutputTable) -> list[dict[str, object]]:
    return [
        {
            "name": column.name,
            "absolute": column.absolute,
            "relative": column.relative,
            "exact": column.exact,
        }
        for column in output.columns
    ]


def _project_name(destination: Path, challenge: Challenge) -> str:
    """Name the project after its folder, as far as package metadata allows."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", destination.absolute().name).strip("._-")
    return name or challenge.contract.package


def _unsuitable(kit: Kit, challenge: Challenge, why: str) -> UsageError:
    return UsageError(
        "kit-not-for-challenge",
        f"The kit {kit.name} is not made for the challenge {challenge.slug}: {why}.",
        remedy="'drydock challenge show' names the kits of a challenge.",
    )


# ------------------------------------------------------------------------------ the repository


def _start_history(project: Path, kit: Kit) -> None:
    """Make the project a git repository of one commit, where git is installed.

    One commit is all that is true on the first day: a history that grew is the team's to write.

    :raises UsageError: git is installed and fails
    """
    git = shutil.which("git")
    if git is None:
        return
    _git(git, project, "init", "--quiet", "--initial-branch=main")
    _git(git, project, "add", "--all")
    _git(git, project, "commit", "--quiet", "--message", f"Start from the {kit.name} kit")


def _git(git: str, project: Path, command: str, *arguments: str) -> None:
    settings = ("user.name=Drydock", "user.email=drydock@localhost", "commit.gpgSign=false")
    ours = [part for item in (*settings, "core.hooksPath=/dev/null") for part in ("-c", item)]
    # A GIT_DIR of the caller's would lead to another repository than the project's.
    variables = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    done = subprocess.run(  # noqa: S603 - our own command, no shell
        [git, *ours, command, *arguments],
        cwd=project,
        env=variables,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        last = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise UsageError(
            "git-failed",
            f"The project cannot become a git repository, 'git {command}' failed: {last}.",
            remedy="Mend git's set-up and try again; nothing has been written.",
        )
