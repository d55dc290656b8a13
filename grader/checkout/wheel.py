"""A wheel's bytes → an installed tree, by the same rules as any archive."""

from __future__ import annotations

import io
import zipfile
import zlib
from email.parser import Parser
from pathlib import Path

from grader.checkout.tree import TreeWriter
from grader.errors import SourceError

_CHUNK = 2**16


def unpack_wheel(content: bytes, destination: Path) -> tuple[str, ...]:
    """Install a pure Python wheel into a new folder.

    Source of the format: the binary distribution format of the Python packaging user guide
    (PEP 427).

    :param destination: a folder that does not exist yet
    :return: the names inside, sorted
    :raises SourceError: it is no wheel, not pure Python, or holds what may not be
    """
    writer = TreeWriter(destination, lift=False)
    destination.mkdir(parents=True)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as wheel:
            _check_pure(wheel)
            for item in wheel.infolist():
                if not item.is_dir():
                    with wheel.open(item) as file:
                        writer.add(_installed(item.filename), iter(lambda: file.read(_CHUNK), b""))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, ValueError, RuntimeError) as error:
        raise _refused(f"it is damaged: {error}") from error
    return tuple(file.path.as_posix() for file in writer.finish().files)


def _check_pure(wheel: zipfile.ZipFile) -> None:
    names = [name for name in wheel.namelist() if name.endswith(".dist-info/WHEEL")]
    if len(names) != 1:
        raise _refused("it has no WHEEL file")
    about = Parser().parsestr(wheel.read(names[0])[:_CHUNK].decode("utf-8", "replace"))
    if str(about.get("Root-Is-Purelib", "")).lower() != "true":
        raise _refused("it is not pure Python")


def _installed(name: str) -> str:
    """Return where a file goes: ``<name>.data/purelib/`` goes to the root, as installers do."""
    top, _, rest = name.partition("/")
    if not top.endswith(".data"):
        return name
    scheme, _, inner = rest.partition("/")
    if scheme != "purelib":
        raise _refused(f"it installs into {scheme!r}")
    return inner


def _refused(problem: str) -> SourceError:
    return SourceError(
        "bad-wheel",
        f"The wheel cannot be installed: {problem}.",
        remedy="Build a pure Python wheel that holds the package alone.",
    )
