"""The trained model as one file, together with what it was made from."""

from __future__ import annotations

import hashlib
import io
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import joblib
from sklearn.pipeline import Pipeline

from healthtariff import __version__
from healthtariff.data import InputError, Levels
from healthtariff.files import write_whole

_MAGIC = b"healthtariff model 1"
_LIBRARIES = ("joblib", "numpy", "pandas", "scikit-learn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Where a model comes from: enough to make it again, and to see that it is the same."""

    package_version: str
    python_version: str
    library_versions: dict[str, str]
    data_digest: str
    """SHA-256 of the training file, hexadecimal."""
    data_rows: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """All that scoring needs."""

    pipeline: Pipeline
    """Fitted."""
    levels: Levels
    lineage: Lineage


def trace(data: Path, rows: int, seed: int) -> Lineage:
    """Record what a model is about to be made from. No clock: the same inputs give the same."""
    return Lineage(
        package_version=__version__,
        python_version=platform.python_version(),
        library_versions={name: version(name) for name in _LIBRARIES},
        data_digest=hashlib.sha256(data.read_bytes()).hexdigest(),
        data_rows=rows,
        seed=seed,
    )


def save(artefact: Artefact, path: Path) -> None:
    """Write the artefact, whole or not at all, under a line with the digest of its content."""
    buffer = io.BytesIO()
    joblib.dump(artefact, buffer)
    content = buffer.getvalue()
    write_whole(path, b"%s %s\n%s" % (_MAGIC, _digest(content), content))


def load(path: Path) -> Artefact:
    """Read an artefact back. Like any pickle it runs code: load only what your own training wrote.

    :raises InputError: the file cannot be read, is no artefact of this package, or was damaged
    """
    try:
        head, _, content = path.read_bytes().partition(b"\n")
    except OSError as error:
        raise InputError(f"model {path.name} cannot be read: {error.strerror}") from error
    if head != b"%s %s" % (_MAGIC, _digest(content)):
        raise InputError(f"model {path.name} was not written by this package, or was damaged")
    artefact: Artefact = joblib.load(io.BytesIO(content))
    return artefact


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
