"""A repository elsewhere, fetched into a bare one here, within bounds of time and size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from dulwich.client import HTTPUnauthorized, get_transport_and_path
from dulwich.errors import GitProtocolError, HangupException, NotGitRepository
from dulwich.refs import HEADREF, Ref
from dulwich.repo import Repo
from urllib3.exceptions import HTTPError

from grader.checkout.tree import MAX_BYTES
from grader.errors import SourceError

SCHEMES = frozenset({"https", "http", "ssh", "git"})
_MAX_FETCHED = 4 * MAX_BYTES
"""Bytes of packed history."""
_TIMEOUT = 60.0


class _TooLargeError(Exception):
    """More arrives than will be taken."""


def fetch(address: str, folder: Path) -> Path:
    """Fetch branches and tags of a repository into a new bare one, and return its path.

    :raises SourceError: it cannot be reached, is no repository, or is too large
    """
    scheme = urlsplit(address).scheme if "://" in address else "ssh"
    if scheme not in SCHEMES:
        raise SourceError(
            "unknown-scheme",
            f"{address} cannot be fetched: {scheme} is not a way to reach a repository.",
            remedy=f"Use one of {', '.join(sorted(SCHEMES))}, or a path.",
        )
    target = folder / "fetched.git"
    repository = Repo.init_bare(str(target), mkdir=True)
    with repository:
        try:
            _fetch(address, repository)
        except _TooLargeError as error:
            raise SourceError(
                "source-too-large",
                f"{address} holds more than {_MAX_FETCHED // 2**20} MB.",
                remedy="Leave data, models and environments out of its history.",
            ) from error
        except (
            GitProtocolError, HangupException, HTTPError, HTTPUnauthorized, NotGitRepository,
            OSError, ValueError, KeyError,
        ) as error:  # fmt: skip
            raise SourceError(
                "cannot-fetch",
                f"{address} cannot be fetched: {type(error).__name__} {error}.",
                remedy="Check the address and that you may read it; clone it and name the path.",
            ) from error
    return target


def _fetch(address: str, repository: Repo) -> None:
    client, path = get_transport_and_path(address)
    if hasattr(client, "_timeout"):
        client._timeout = _TIMEOUT  # noqa: SLF001 - the one way to bound its waiting
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
