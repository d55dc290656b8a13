"""Reference submissions: ports that a champion wrote to prove that a challenge grades fairly.

::

    references/
    ├── accepted/<port>/          a whole project with ``base = true`` in its expected.toml
    └── <outcome>/<name>/         only the files in which it differs from that base
        ├── expected.toml         what grading it must show
        └── src/…                 the overlay

A reference becomes a git repository of its own before it is graded, just as a team would push it:
in several commits by two authors, with the challenge's public export under ``challenge/``.
"""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dulwich.index import commit_tree
from dulwich.objects import Blob, Commit, ObjectID
from dulwich.refs import HEADREF, Ref
from dulwich.repo import Repo

from grader import package
from grader.errors import ChallengeError
from grader.model import TOTAL_POINTS, Challenge, Outcome
from grader.package.files import CACHES

ANY_TOTAL = (0, TOTAL_POINTS)
"""The points of a reference whose expectation names none."""

_AUTHORS = (b"Ada Reference <ada@example.org>", b"Ben Reference <ben@example.org>")
_EPOCH = 1_700_000_000
"""Commits are dated, seconds apart from here, so that the same reference has the same ids."""
_STEPS = (
    ("Start the project", ("pyproject.toml", ".gitignore", "requirements", "challenge/")),
    ("Describe the columns and read them", ("/schema", "/data", "/__init__", "/errors")),
    ("Build the features", ("/features", "/design", "/contrasts")),
    ("Fit the model and score with it", ("/pipeline", "/model", "/train", "/scor", "/glm")),
    ("Offer the batch command and the live API", ("src/", "Dockerfile", ".dockerignore")),
    ("Test the port against the legacy model", ("tests/",)),
    ("Document the port and let CI check it", ("",)),
)
"""Commit subjects, and the beginnings or parts of the paths that each of them takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A reference submission and what grading it must show."""

    name: str
    """``<outcome folder>/<name>``."""
    root: Path
    about: str
    outcome: Outcome
    cause: str | None
    """The cause that at least one case must carry."""
    total: tuple[int, int]
    """Least and most points of 1000."""
    parity: tuple[float, float] | None
    """Least and most parity, 0..100."""
    findings: tuple[str, ...]
    """Codes that must fail."""
    cases: tuple[str, ...]
    """Cases that must fail."""
    delete: tuple[str, ...]
    """Paths of the base that it does without."""
    history: str
    """``steps``, ``single`` commit, or ``none``: no repository at all."""
    base: bool

    @property
    def kind(self) -> str:
        """The folder it stands in: ``accepted``, ``wrong_value``, ``gaming`` and so on."""
        return self.name.split("/", 1)[0]

    @property
    def whole(self) -> bool:
        """Whether its expectation speaks of all points: then everything has to be looked at."""
        return self.total != ANY_TOTAL or self.kind == "accepted"


_KEYS = frozenset(
    "about outcome cause total parity findings cases delete history base".split()  # noqa: SIM905 - as one reads them
)
"""What ``expected.toml`` may say: a slip of the pen must not drop an expectation."""


def list_references(challenge: Challenge) -> tuple[Reference, ...]:
    """Return a challenge's references, the accepted ones first, then by name.

    :raises ChallengeError: one of them does not say what is expected of it
    """
    folders = [path for path in (challenge.root / "references").glob("*/*") if path.is_dir()]
    for folder in folders:
        if not (folder / "expected.toml").is_file():
            raise ChallengeError(
                "reference-expected",
                f"{folder} does not say what is expected of it.",
                remedy="Write its expected.toml; see the guide for champions.",
            )
    found = [_read(challenge, folder / "expected.toml") for folder in folders]
    if sum(reference.base for reference in found) != 1:
        raise ChallengeError(
            "reference-base",
            f"Challenge {challenge.slug} needs exactly one reference with 'base = true'.",
            remedy="Set it in the expected.toml of the accepted port that is a whole project.",
        )
    return tuple(sorted(found, key=lambda item: (item.kind != "accepted", item.name)))


def build(reference: Reference, challenge: Challenge, destination: Path) -> Path:
    """Make a reference into what a team would submit, and return where it lies.

    :param destination: a folder that does not exist yet
    :return: a bare repository, or a plain directory for a reference without history
    """
    files = reference_files(reference, challenge)
    if reference.history == "none":
        for path, content in files.items():
            target = destination / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return destination
    steps = _steps(files) if reference.history == "steps" else [("Add files", sorted(files))]
    return _commit(files, steps, destination)


def reference_files(reference: Reference, challenge: Challenge) -> dict[str, bytes]:
    """Return the files of a reference by path: the base, the overlay, and the public export."""
    base = next(item for item in list_references(challenge) if item.base)
    files = _files(base.root) | _files(reference.root)
    files = {
        path: content
        for path, content in files.items()
        if path not in reference.delete
        and not any(path.startswith(f"{folder.rstrip('/')}/") for folder in reference.delete)
    }
    with tempfile.TemporaryDirectory(prefix="drydock-export-") as folder:
        target = Path(folder) / "challenge"
        package.export_public(challenge, target)
        exported = {f"challenge/{path}": content for path, content in _files(target).items()}
    return exported | files


def _read(challenge: Challenge, file: Path) -> Reference:
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    name = "/".join(file.parts[-3:-1])
    if unknown := sorted(set(table) - _KEYS):
        raise ChallengeError(
            "reference-expected",
            f"references/{name}/expected.toml of challenge {challenge.slug} says {unknown[0]!r}, "
            "which nothing reads.",
            remedy=f"It may say {', '.join(sorted(_KEYS))}.",
        )
    try:
        total = table.get("total", ANY_TOTAL)
        parity = table.get("parity")
        return Reference(
            name=name,
            root=file.parent,
            about=table["about"],
            outcome=Outcome(table["outcome"]),
            cause=table.get("cause"),
            total=(int(total[0]), int(total[1])),
            parity=(float(parity[0]), float(parity[1])) if parity else None,
            findings=tuple(table.get("findings", ())),
            cases=tuple(table.get("cases", ())),
            delete=tuple(table.get("delete", ())),
            history=table.get("history", "steps"),
            base=table.get("base", False),
        )
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise ChallengeError(
            "reference-expected",
            f"references/{name}/expected.toml of challenge {challenge.slug} cannot be used: "
            f"{type(error).__name__} {error}.",
            remedy="It needs at least 'about' and 'outcome'; see the guide for champions.",
        ) from error


def _files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and CACHES.isdisjoint(path.parts)
        and path.relative_to(root) != Path("expected.toml")
    }


def _steps(files: Iterable[str]) -> list[tuple[str, list[str]]]:
    left = sorted(files)
    steps = []
    for subject, parts in _STEPS:
        own = [path for path in left if any(part in f"/{path}" for part in parts)]
        left = [path for path in left if path not in own]
        if own:
            steps.append((subject, own))
    return steps


def _commit(
    files: Mapping[str, bytes], steps: list[tuple[str, list[str]]], destination: Path
) -> Path:
    repository = Repo.init_bare(str(destination), mkdir=True)
    store = repository.object_store
    entries: list[tuple[bytes, ObjectID, int]] = []
    parent: ObjectID | None = None
    for number, (subject, paths) in enumerate(steps):
        for path in paths:
            blob = Blob.from_string(files[path])
            store.add_object(blob)
            entries.append((PurePosixPath(path).as_posix().encode(), blob.id, 0o100644))
        commit = Commit()
        commit.tree = commit_tree(store, entries)
        commit.parents = [parent] if parent else []
        commit.author = commit.committer = _AUTHORS[number % 2]
        commit.author_time = commit.commit_time = _EPOCH + 3600 * number
        commit.author_timezone = commit.commit_timezone = 0
        commit.message = subject.encode()
        store.add_object(commit)
        parent = commit.id
    if parent is not None:
        repository.refs[Ref(b"refs/heads/main")] = parent
        repository.refs.set_symbolic_ref(HEADREF, Ref(b"refs/heads/main"))
        repository.refs[Ref(b"refs/tags/v0.1.0")] = parent
    repository.close()
    return destination
