"""A wheel's bytes → an installed tree, by the same rules as any archive."""

from __future__ import annotations

import io
import itertools
from email.parser import Parser
from pathlib import Path

from grader.checkout.archive import unpacking, zip_members
from grader.checkout.tree import TreeWriter, remove
from grader.errors import SourceError
from grader.model import Tree

_MAX_ABOUT = 2**16
_REMEDY = "Build a pure Python wheel that holds the package alone."


def unpack_wheel(content: bytes, destination: Path) -> tuple[str, ...]:
    """Install a pure Python wheel into a new folder; on an error nothing is left of it.

    Source of the format: the binary distribution format of the Python packaging user guide
    (PEP 427).

    :param destination: a folder that does not exist yet
    :return: the names inside, sorted
    :raises SourceError: it is no wheel, not pure Python, or holds what may not be
    """
    destination.mkdir(parents=True)
    try:
        return _unpack(content, destination)
    except BaseException:
        remove(destination)
        raise


def _unpack(content: bytes, destination: Path) -> tuple[str, ...]:
    about: dict[str, bytes] = {}
    names: list[str] = []
    writer = TreeWriter(destination, lift=False)
    with unpacking("The wheel", remedy=_REMEDY):
        for member in zip_members(io.BytesIO(content)):
            if member.target is not None:
                raise _refused(f"{member.name!r} is a link")
            names.append(member.name)
            chunks = member.chunks
            if member.name.endswith(".dist-info/WHEEL") and member.name.count("/") == 1:
                head = next(chunks, b"")
                about[member.name.partition(".dist-info/")[0]] = head[:_MAX_ABOUT]
                chunks = itertools.chain([head], chunks)
            writer.add(_installed(member.name), chunks)
    _check_about(about, names)
    return _names(writer.finish())


def _check_about(about: dict[str, bytes], names: list[str]) -> None:
    """Refuse what is not one pure Python distribution."""
    if len(about) != 1:
        raise _refused("it has no WHEEL file" if not about else "it holds two distributions")
    ((distribution, content),) = about.items()
    fields = Parser().parsestr(content.decode("utf-8", "replace"))
    if str(fields.get("Root-Is-Purelib", "")).strip().lower() != "true":
        raise _refused("it is not pure Python")
    tops = {name.partition("/")[0] for name in names}
    if foreign := [top for top in tops if top.endswith(".data") and top != f"{distribution}.data"]:
        raise _refused(f"{foreign[0]!r} belongs to another distribution")


def _installed(name: str) -> str:
    """Return where a file goes: ``<name>.data/purelib/`` goes to the root, as installers do."""
    top, _, rest = name.partition("/")
    if not top.endswith(".data"):
        return name
    scheme, _, inner = rest.partition("/")
    if scheme != "purelib":
        raise _refused(f"it installs into {scheme!r}")
    return inner


def _names(tree: Tree) -> tuple[str, ...]:
    return tuple(file.path.as_posix() for file in tree.files)


def _refused(problem: str) -> SourceError:
    return SourceError(
        "bad-wheel",
        f"The wheel cannot be installed: {problem}.",
        remedy=_REMEDY,
    )
