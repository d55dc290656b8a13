"""A kit becomes a project, whole or not at all, or says why not."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from grader import kits
from grader.errors import UsageError
from grader.kits import Kit
from grader.model import Challenge

KITS = Path(__file__).parents[3] / "starter_kits"


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


def _git(project: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=project, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def _copy(challenge: Challenge, folder: Path) -> Challenge:
    """Return the same challenge in a place where a test may damage it."""
    shutil.copytree(challenge.root, folder / challenge.slug)
    return dataclasses.replace(challenge, root=folder / challenge.slug)


def test_every_kit_is_listed() -> None:
    listed = [kit.name for kit in kits.list_kits(KITS)]
    assert listed == sorted(path.parent.name for path in KITS.glob("*/copier.yml"))


def test_unknown_kit_names_nearest() -> None:
    with pytest.raises(UsageError, match="nearest is 'python-model'") as refusal:
        kits.find_kit("pyton-model", KITS)
    assert refusal.value.slug == "unknown-kit"


def test_no_kit_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no starter kit 'any'\."):
        kits.find_kit("any", tmp_path)


def test_same_challenge_same_project(
    make_project: Callable[..., Path], tiny_challenge: Challenge
) -> None:
    assert _files(make_project(tiny_challenge)) == _files(make_project(tiny_challenge))


def test_project_carries_public_export(
    make_project: Callable[..., Path], tiny_challenge: Challenge
) -> None:
    carried = {path for path in _files(make_project(tiny_challenge)) if "challenge/" in path}
    assert "challenge/data/train/train.csv" in carried
    assert not [path for path in carried if "hidden" in path]


def test_project_names_its_challenge(
    make_project: Callable[..., Path], tiny_challenge: Challenge
) -> None:
    settings = tomllib.loads((make_project(tiny_challenge) / "pyproject.toml").read_text())
    assert settings["tool"]["drydock"] == {"challenge": "tiny"}


def test_project_is_named_by_folder(
    make_project: Callable[..., Path], tiny_challenge: Challenge
) -> None:
    settings = tomllib.loads(
        (make_project(tiny_challenge, "Our 1st: port!") / "pyproject.toml").read_text()
    )
    assert settings["project"]["name"] == "Our-1st-port"


def test_history_starts_with_one(
    make_project: Callable[..., Path], tiny_challenge: Challenge
) -> None:
    project = make_project(tiny_challenge)
    assert _git(project, "log", "--format=%s") == "Start from the python-model kit"
    assert _git(project, "status", "--short", "--ignored") == ""


def test_project_without_git_installed(
    make_project: Callable[..., Path],
    tiny_challenge: Challenge,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    project = make_project(tiny_challenge)
    assert not (project / ".git").exists()
    assert (project / "pyproject.toml").is_file()


def test_empty_folder_is_filled(kit: Kit, tiny_challenge: Challenge, tmp_path: Path) -> None:
    destination = tmp_path / "port"
    destination.mkdir()
    kits.new_kit(kit, destination, tiny_challenge, owner="We")
    assert [path.name for path in tmp_path.iterdir()] == ["port"]
    assert (destination / "README.md").is_file()


def test_second_project_is_refused(
    kit: Kit, make_project: Callable[..., Path], tiny_challenge: Challenge
) -> None:
    project = make_project(tiny_challenge)
    before = _files(project)
    with pytest.raises(UsageError) as refusal:
        kits.new_kit(kit, project, tiny_challenge, owner="Others")
    assert refusal.value.slug == "destination-not-empty"
    assert _files(project) == before


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to(path.parent)])
def test_file_or_link_is_refused(
    kit: Kit, tiny_challenge: Challenge, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "port")
    with pytest.raises(UsageError) as refusal:
        kits.new_kit(kit, tmp_path / "port", tiny_challenge, owner="We")
    assert refusal.value.slug == "destination-not-empty"


def test_unwritable_place_is_refused(kit: Kit, tiny_challenge: Challenge, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError) as refusal:
        kits.new_kit(kit, tmp_path / "file" / "port", tiny_challenge, owner="We")
    assert refusal.value.slug == "cannot-write"


def test_failing_git_leaves_nothing(
    kit: Kit, tiny_challenge: Challenge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git = tmp_path / "git"
    git.write_text("#!/bin/sh\necho 'fatal: no space' >&2\nexit 128\n", encoding="utf-8")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "work").mkdir()
    with pytest.raises(UsageError, match="fatal: no space") as refusal:
        kits.new_kit(kit, tmp_path / "work" / "port", tiny_challenge, owner="We")
    assert refusal.value.slug == "git-failed"
    assert not list((tmp_path / "work").iterdir())


def test_challenge_without_the_kit(kit: Kit, tiny_challenge: Challenge, tmp_path: Path) -> None:
    challenge = dataclasses.replace(tiny_challenge, kits=("other-kit",))
    with pytest.raises(UsageError, match="it names other-kit") as refusal:
        kits.new_kit(kit, tmp_path / "port", challenge, owner="We")
    assert refusal.value.slug == "kit-not-for-challenge"


def test_several_outputs_are_refused(kit: Kit, tiny_challenge: Challenge, tmp_path: Path) -> None:
    challenge = dataclasses.replace(tiny_challenge, outputs=tiny_challenge.outputs * 2)
    with pytest.raises(UsageError, match="it asks for 2 output tables"):
        kits.new_kit(kit, tmp_path / "port", challenge, owner="We")


def test_unfit_training_is_refused(kit: Kit, tiny_challenge: Challenge, tmp_path: Path) -> None:
    challenge = _copy(tiny_challenge, tmp_path)
    (challenge.training / "train.csv").write_text("age\n1\n", encoding="utf-8")
    with pytest.raises(UsageError, match="no training table holds the columns"):
        kits.new_kit(kit, tmp_path / "port", challenge, owner="We")


def test_training_needs_an_outcome(kit: Kit, tiny_challenge: Challenge, tmp_path: Path) -> None:
    challenge = _copy(tiny_challenge, tmp_path)
    lines = "member,age,region,site,income,verdict\nM1,1,north,1,5,good\n"
    (challenge.training / "train.csv").write_text(lines, encoding="utf-8")
    with pytest.raises(UsageError, match="holds no numeric outcome"):
        kits.new_kit(kit, tmp_path / "port", challenge, owner="We")
