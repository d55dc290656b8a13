"""The pinned Python environment that submissions run in.

An environment is built once from its lock, named by its content, and self-contained: interpreter,
standard library, packages and every shared library they link to are copies, so that neither an
upgrade of the host nor a tool installed on it can change what a submission sees.

::

    <cache>/environments/<digest>/
    ├── venv/            the packages of the lock, hash-checked, byte-compiled
    ├── python/          the interpreter and its standard library
    ├── libraries/       the shared libraries that both link to
    └── manifest.json    written last: without it the build is not finished
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from grader.errors import EnvironmentBuildError, UsageError
from grader.model import Binding, Environment

LOCKS = Path(__file__).parent / "environments"
LAYOUT = 1
"""Raised when the folder is laid out in another way, so that old builds are left alone."""

_UNUSED_LIBRARY = shutil.ignore_patterns(
    "site-packages",
    "dist-packages",
    "test",
    "idlelib",
    "turtledemo",
    "tkinter",
    "ensurepip",
    "config-*",
    "sitecustomize.py",
    "_tkinter*",
)


def load(name: str = "standard") -> Environment:
    """Return the environment of that name, building it where this machine has none yet.

    :raises UsageError: there is no such environment
    :raises EnvironmentBuildError: it cannot be built; the message says what stopped it
    """
    digest = _digest(_lock(name))
    folder = cache_folder() / "environments" / digest[:20]
    with _locked(folder):
        if not (folder / "manifest.json").exists():
            _build(name, digest, folder)
    return _read(name, digest, folder)


def names() -> tuple[str, ...]:
    """Return the environments that can be built, sorted."""
    return tuple(sorted(lock.stem for lock in LOCKS.glob("*.lock")))


def cache_folder() -> Path:
    """Return where environments are kept: ``DRYDOCK_CACHE``, or the system's place for caches.

    For root this is not root's home, which the unprivileged user of the sandbox cannot enter.
    """
    if override := os.environ.get("DRYDOCK_CACHE"):
        return Path(override).resolve()
    if os.getuid() == 0:
        return Path("/var/cache/drydock")
    return platformdirs.user_cache_path("drydock")


def _lock(name: str) -> Path:
    lock = LOCKS / f"{name}.lock"
    if name not in names():
        raise UsageError(
            "unknown-environment",
            f"There is no environment {name!r}.",
            remedy=f"The environments are: {', '.join(names())}.",
        )
    return lock


def _digest(lock: Path) -> str:
    """Name an environment by all that decides what is in it."""
    parts = (
        str(LAYOUT).encode(),
        lock.read_bytes(),
        sys.version.encode(),
        platform.machine().encode(),
        "-".join(platform.libc_ver()).encode(),
    )
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process build while the others wait for it."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentBuildError(
            "environment-folder",
            f"The folder {folder.parent} for environments cannot be made: {error.strerror}.",
            remedy="Name another one in the variable DRYDOCK_CACHE.",
        ) from error
    with folder.with_suffix(".build").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


# ------------------------------------------------------------------------------ building


def _build(name: str, digest: str, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o755)
    _install(_lock(name), folder / "venv")
    bindings = [
        Binding(host=folder / "venv", inside=folder / "venv"),
        *_copy_interpreter(folder / "python"),
        *_copy_libraries(folder),
    ]
    _open_to_all(folder)
    manifest = {
        "name": name,
        "digest": digest,
        "packages": _packages(folder / "venv"),
        "readable": [[str(item.host), str(item.inside)] for item in bindings],
    }
    unfinished = folder / "manifest.tmp"
    unfinished.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    unfinished.chmod(0o644)
    unfinished.rename(folder / "manifest.json")


def _install(lock: Path, venv: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    base = _interpreter()
    _run([str(uv), "venv", "--quiet", "--no-config", "--python", str(base), str(venv)])
    # Copies, not links: nothing outside may reach into the environment through a shared inode.
    sync = [str(uv), "pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode"]
    _run([*sync, "--link-mode", "copy", "--python", str(venv / "bin" / "python"), str(lock)])


def _interpreter() -> Path:
    """Return the interpreter behind the virtual environment that Drydock runs in."""
    # The attribute is what the standard library's own venv module starts from.
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def _run(command: list[str]) -> None:
    # PYTHONDONTWRITEBYTECODE would leave a submission to compile what it may not write.
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(  # noqa: S603 - our own command, no shell
        command, env=variables, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-3:] or ["it said nothing"]
        raise EnvironmentBuildError(
            "environment-build",
            f"The pinned environment cannot be built: {' '.join(last)}.",
            remedy="Check that the package registry is reachable, then run 'make setup' again.",
        )


def _copy_interpreter(folder: Path) -> list[Binding]:
    executable = _interpreter()
    (folder / "bin").mkdir(parents=True)
    shutil.copy2(executable, folder / "bin" / executable.name)
    bindings = [Binding(host=folder / "bin" / executable.name, inside=executable)]
    library = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(
        library, folder / "library", ignore=_UNUSED_LIBRARY, ignore_dangling_symlinks=True
    )
    return [*bindings, Binding(host=folder / "library", inside=library)]


def _copy_libraries(folder: Path) -> list[Binding]:
    target = folder / "libraries"
    target.mkdir()
    bindings = []
    for library in sorted(linked_libraries(_programs(folder))):
        copy = target / library.as_posix().strip("/").replace("/", "%")
        shutil.copy2(library.resolve(), copy)
        bindings.append(Binding(host=copy, inside=library))
    return bindings


def _programs(folder: Path) -> list[str]:
    extensions = sorted(str(path) for path in folder.rglob("*.so*") if path.is_file())
    return [str(_interpreter()), *extensions]


def linked_libraries(programs: Iterable[str]) -> set[Path]:
    """Return the host's shared libraries that these programs link to, by the loader's own word."""
    listing = subprocess.run(  # noqa: S603 - our own files
        ["ldd", *programs],  # noqa: S607 - part of every C library's package
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    ).stdout
    found = {Path(path) for path in re.findall(r"(?:=> |^\s)(/\S+) \(0x", listing, re.MULTILINE)}
    # The C library opens this one by name when a thread is cancelled.
    found |= {
        unwinder
        for library in found
        if library.name == "libc.so.6" and (unwinder := library.with_name("libgcc_s.so.1")).exists()
    }
    return {library for library in found if "site-packages" not in library.parts}


def _open_to_all(folder: Path) -> None:
    """Make the folder readable for the unprivileged user that sandboxes run as."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _packages(venv: Path) -> Mapping[str, str]:
    site = next(venv.glob("lib/python*/site-packages"))
    found = importlib.metadata.distributions(path=[str(site)])
    return dict(sorted((item.name.lower().replace("_", "-"), item.version) for item in found))


def _read(name: str, digest: str, folder: Path) -> Environment:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return Environment(
        name=name,
        digest=digest,
        root=folder,
        python=folder / "venv" / "bin" / "python",
        readable=tuple(Binding(host=Path(h), inside=Path(i)) for h, i in manifest["readable"]),
        packages=manifest["packages"],
    )
