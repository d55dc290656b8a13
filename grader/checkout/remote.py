"""A repository elsewhere, fetched into a bare one here, within bounds of time, size and memory.

What is fetched has to be unpacked to be indexed, and may be a bomb. So a process of its own
fetches it, and its memory is bounded: it is this module, run as a program.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from dulwich.client import get_transport_and_path
from dulwich.refs import HEADREF, Ref
from dulwich.repo import Repo

from grader.checkout.tree import MAX_BYTES
from grader.errors import SourceError

SCHEMES: Final = frozenset({"https", "http", "ssh", "git"})
_MAX_FETCHED = 4 * MAX_BYTES
"""Bytes of packed history."""
_MEMORY = 2**30 + _MAX_FETCHED
"""Address space of the process that fetches."""
_TIMEOUT = 120.0
_TOO_LARGE, _FAILED = 65, 66
"""Exit statuses of the process that fetches."""


class _TooLargeError(Exception):
    """More arrives than will be taken."""


def fetch(address: str, target: Path, *, shown: str) -> None:
    """Fetch branches and tags of a repository into a new bare one.

    :param target: a folder that does not exist yet
    :param shown: the address as errors name it
    :raises SourceError: it cannot be reached, is no repository, or is too large
    """
    scheme = urlsplit(address).scheme if "://" in address else "ssh"
    if scheme not in SCHEMES:
        raise SourceError(
            "unknown-scheme",
            f"{shown} cannot be fetched: {scheme} is not a way to reach a repository.",
            remedy=f"Use one of {', '.join(sorted(SCHEMES))}, or a path.",
        )
    # The address goes in by a pipe: a command line, and a password in it, can be read by all.
    command = [sys.executable, "-m", "grader.checkout.remote", str(target)]
    try:
        done = subprocess.run(  # noqa: S603 - this very module, and a folder of ours
            command, input=address, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _unreachable(shown, f"it took more than {_TIMEOUT:.0f} seconds") from error
    if done.returncode == 0:
        return
    if done.returncode != _FAILED:
        raise SourceError(
            "source-too-large",
            f"{shown} holds more than {_MAX_FETCHED // 2**20} MB, or unpacks to more.",
            remedy="Leave data, models and environments out of its history.",
        )
    said = done.stderr.strip().splitlines() or ["no answer"]
    raise _unreachable(shown, said[-1].replace(address, shown)[:300])


def _unreachable(shown: str, why: str) -> SourceError:
    return SourceError(
        "cannot-fetch",
        f"{shown} cannot be fetched: {why}.",
        remedy="Check the address and that you may read it; or clone it and name the path.",
    )


# ------------------------------------------------------------------------------ the process


def _main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    try:
        with Repo.init_bare(sys.argv[1], mkdir=True) as repository:
            _fetch(sys.stdin.read(), repository)
    except Exception as error:  # noqa: BLE001 - what is at the other end has no bounds
        if _is_too_large(error):
            return _TOO_LARGE
        sys.stderr.write(f"\n{type(error).__name__} {error}\n")
        return _FAILED
    return 0


def _is_too_large(error: BaseException | None) -> bool:
    """Say whether a bound was met first; what is raised on the way out then hides it."""
    while error is not None:
        if isinstance(error, _TooLargeError | MemoryError):
            return True
        error = error.__context__
    return False


def _fetch(address: str, repository: Repo) -> None:
    client, path = get_transport_and_path(address)
    handle, commit, abort = repository.object_store.add_pack()
    try:
        result = client.fetch_pack(
            path.encode() if isinstance(path, str) else path,
            lambda refs, depth=None: [sha for name, sha in refs.items() if _wanted(name)],  # noqa: ARG005 - Dulwich's protocol
            repository.get_graph_walker(),
            _bounded(handle.write),
        )
    except BaseException:
        abort()
        raise
    commit()
    for name, sha in result.refs.items():
        if sha is not None and _wanted(name):
            repository.refs[Ref(name)] = sha
    if head := result.symrefs.get(HEADREF):
        repository.refs.set_symbolic_ref(HEADREF, head)


def _wanted(name: bytes) -> bool:
    return name == HEADREF or (
        name.startswith((b"refs/heads/", b"refs/tags/")) and not name.endswith(b"^{}")
    )


def _bounded(write: Callable[[bytes], int]) -> Callable[[bytes], int]:
    left = _MAX_FETCHED

    def bounded(data: bytes) -> int:
        nonlocal left
        left -= len(data)
        if left < 0:
            raise _TooLargeError
        return write(data)

    return bounded


if __name__ == "__main__":
    sys.exit(_main())
