from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from grader import environment
from grader.errors import EnvironmentBuildError, UsageError
from grader.model import Environment

LEGACY_ENGINES = {"rpy2", "oct2py", "saspy", "pyreadstat", "savreaderwriter"}


def test_unknown_environment_names_known() -> None:
    with pytest.raises(UsageError, match="The environments are: lessons, standard"):
        environment.load("nonesuch")


def test_lock_names_no_host() -> None:
    lock = (environment.LOCKS / "standard.lock").read_text()
    assert "://" not in lock
    assert lock.count("==") <= lock.count("--hash=sha256:")


def test_environment_holds_promised_packages(standard_environment: Environment) -> None:
    promised = (environment.LOCKS / "standard.in").read_text().splitlines()
    promised = [line for line in promised if not line.startswith("#")]
    assert set(promised) <= set(standard_environment.packages)


def test_environment_holds_no_legacy_engine(standard_environment: Environment) -> None:
    assert not LEGACY_ENGINES & set(standard_environment.packages)


def test_second_load_builds_nothing(standard_environment: Environment) -> None:
    manifest = standard_environment.root / "manifest.json"
    before = manifest.stat().st_mtime_ns
    assert environment.load("standard") == standard_environment
    assert manifest.stat().st_mtime_ns == before


def test_bindings_are_copies_inside(standard_environment: Environment) -> None:
    for binding in standard_environment.readable:
        assert binding.host.is_relative_to(standard_environment.root)


def test_no_shell_is_readable(standard_environment: Environment) -> None:
    inside = {str(binding.inside) for binding in standard_environment.readable}
    assert not inside & {"/bin/sh", "/usr/bin", "/bin", "/usr", "/"}


def test_files_open_to_sandbox_user(standard_environment: Environment) -> None:
    closed = [
        path
        for path in standard_environment.root.glob("venv/lib/python*/site-packages/numpy/**/*")
        if not path.is_symlink() and not path.stat().st_mode & 0o004
    ]
    assert closed == []


def test_interpreter_runs(standard_environment: Environment) -> None:
    code = "import sklearn; print(sklearn.__version__)"
    done = subprocess.run(
        [standard_environment.python, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == standard_environment.packages["scikit-learn"]


def test_unusable_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DRYDOCK_CACHE", str(tmp_path / "file"))
    with pytest.raises(EnvironmentBuildError, match="DRYDOCK_CACHE"):
        environment.load("standard")


def test_cache_of_root_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRYDOCK_CACHE", raising=False)
    expected = "/var/cache/drydock" if os.getuid() == 0 else str(Path.home())
    assert str(environment.cache_folder()).startswith(expected)
