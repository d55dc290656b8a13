"""Archives: unpacked chunk by chunk, so that a bomb goes off in the counting."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Final, Self, cast

from grader.checkout.tree import MAX_BYTES, MAX_FILES, TreeWriter
from grader.errors import SourceError

_CHUNK = 2**16
_MAX_UNPACKED = MAX_BYTES + MAX_FILES * 4_096
"""What a tar may hold with its headers and padding, and so what any archive may weigh."""
_MAX_MEMBERS = 10 * MAX_FILES
"""Files and folders."""
_MAX_DIRECTORY = 2**22
"""Bytes of a zip's list of members, which zipfile reads whole."""
_MAX_HEADER = 2**13
"""Bytes of a tar's extended header: tarfile searches it in quadratic time."""
_MAX_HEADERS = 2**21
"""Bytes of all of them together."""
_MAX_LINK = 4_096
_XZ_MEMORY = 2**27
"""An xz file may ask for a dictionary of gigabytes; 128 MB is what its strongest preset needs."""
_EXTENDED = frozenset(
    {
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    }
)


def unpack(path: Path, writer: TreeWriter) -> None:
    """Unpack a zip or tar archive into a tree; its kind is read from its first bytes.

    :raises SourceError: it is no archive, damaged, encrypted or a bomb, or holds what may not be
    """
    if path.stat().st_size > _MAX_UNPACKED:
        raise SourceError(
            "source-too-large",
            f"The archive {path.name} is larger than {_MAX_UNPACKED // 2**20} MB.",
            remedy="Leave data, models and environments out of it.",
        )
    with path.open("rb") as file, unpacking(path.name):
        start = file.read(8)
        file.seek(0)
        members = zip_members(file) if start.startswith(b"PK") else _tar_members(file, start)
        for member in members:
            if member.target is None:
                writer.add(member.name, member.chunks)
            else:
                writer.link(member.name, member.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file or a symbolic link in an archive."""

    name: str
    chunks: Iterator[bytes]
    target: str | None = None
    """Where a link leads."""


_REPACK = "It must be a .zip, .tar, .tar.gz, .tar.bz2 or .tar.xz archive; pack it again."


@contextmanager
def unpacking(name: str, *, remedy: str = _REPACK) -> Iterator[None]:
    """Turn whatever the archive modules make of damaged bytes into one error.

    :raises SourceError: the bytes are damaged
    """
    try:
        yield
    except (SourceError, MemoryError):
        raise
    except UnicodeDecodeError as error:
        raise SourceError(
            "unsafe-name",
            f"A name in {name} is not UTF-8.",
            remedy="Pack it with names in UTF-8.",
        ) from error
    except Exception as error:
        # What the archive modules raise of damaged bytes has no bound, but carries no error number.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise SourceError(
            "archive-damaged",
            f"{name} cannot be unpacked: {str(error) or type(error).__name__}.",
            remedy=remedy,
        ) from error


# ------------------------------------------------------------------------------ zip


class _ZipSource:
    """A zip file that does not have its list of members read if that is without measure."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.tell, self.seekable = file.tell, file.seekable

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place; a damaged list may name one before the file's beginning."""
        if whence == io.SEEK_SET and offset < 0:
            raise zipfile.BadZipFile("a member lies before the beginning of the archive")
        return self._file.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        if size > _MAX_DIRECTORY:  # of all that zipfile reads, the list alone is one piece
            raise _too_many()
        return self._file.read(size)


def zip_members(file: IO[bytes]) -> Iterator[Member]:
    """Yield the members of a zip; the content of each is read before the next.

    :raises SourceError: a member is encrypted, no file, or packed in a way that has no bounds
    """
    source = cast("IO[bytes]", _ZipSource(file))
    # Names without a mark are in UTF-8 today, whatever the zip format said in 1989.
    with zipfile.ZipFile(source, metadata_encoding="utf-8") as archive:
        for item in archive.infolist():
            if not item.is_dir():
                _refuse_unreadable(item)
                yield _zip_member(archive, item)


def _zip_member(archive: zipfile.ZipFile, item: zipfile.ZipInfo) -> Member:
    name = item.orig_filename
    mode = item.external_attr >> 16
    if stat.S_ISLNK(mode):
        with archive.open(item) as content:
            target = content.read(_MAX_LINK).decode("utf-8", "surrogateescape")
        return Member(name=name, chunks=iter(()), target=target)
    if stat.S_IFMT(mode) in {0, stat.S_IFREG}:
        return Member(name=name, chunks=_zip_chunks(archive, item))
    raise special(name)


def _refuse_unreadable(item: zipfile.ZipInfo) -> None:
    if item.flag_bits & 0x1:
        raise SourceError(
            "archive-encrypted",
            f"{item.filename!r} in the archive is encrypted.",
            remedy="Pack it without a password.",
        )
    if item.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise SourceError(
            "archive-method",
            f"{item.filename!r} in the archive is packed by an unusual method.",
            remedy="Pack it by the usual one, deflate.",
        )


def _zip_chunks(archive: zipfile.ZipFile, item: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(item) as content:
        yield from _chunks(content)


# ------------------------------------------------------------------------------ tar


class _XzStream:
    """An xz stream that is refused rather than given the memory it asks for."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._inner = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)

    def read(self, size: int) -> bytes:
        while not self._inner.eof:
            more = self._file.read(_CHUNK) if self._inner.needs_input else b""
            if self._inner.needs_input and not more:
                raise EOFError("the archive ends too early")
            if found := self._inner.decompress(more, size):
                return found
        return b""


class _Bounded:
    """A stream that ends in an error once it gave more than a source may hold."""

    def __init__(self, stream: BinaryIO | _XzStream) -> None:
        self._stream = stream
        self._left = _MAX_UNPACKED

    def read(self, size: int = -1) -> bytes:
        wanted = min(self._left + 1, size if size >= 0 else self._left + 1)
        parts = []
        while wanted and (part := self._stream.read(wanted)):
            parts.append(part)
            wanted -= len(part)
            self._left -= len(part)
            if self._left < 0:
                raise SourceError(
                    "source-too-large",
                    f"The archive unpacks to more than {MAX_BYTES // 2**20} MB.",
                    remedy="Leave data, models and environments out of it.",
                )
        return b"".join(parts)


_ReadError: Final = tarfile.ReadError
_HeaderError: Final = tarfile.HeaderError
_EndOfArchive: Final = tarfile.EOFHeaderError  # type: ignore[attr-defined]  # the stubs lack it


class _Careful(tarfile.TarInfo):
    """A member whose header is read with care.

    ``tarfile`` takes a damaged header for the end of the archive, and would give half a project
    without a word; and it reads extended headers of any size.
    """

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> Self:  # tarfile names it so
        """Read the next header, or say that there is none."""
        try:
            return super().fromtarfile(tarfile)
        except _HeaderError as error:
            if isinstance(error, _EndOfArchive):
                raise
            raise _ReadError(str(error)) from error

    def _proc_member(self, tarfile: _Archive) -> Self:
        """Read what follows a header; ``tarfile`` lets a subclass choose how."""
        if self.type in _EXTENDED:
            tarfile.extended += self.size
            if self.size > _MAX_HEADER or tarfile.extended > _MAX_HEADERS:
                raise SourceError(
                    "archive-header",
                    "The archive has extended headers without measure.",
                    remedy="Pack it without extended attributes: tar --no-xattrs --no-acls.",
                )
        # The stubs know nothing of this method.
        return cast("Self", super()._proc_member(tarfile))  # type: ignore[misc]


class _Archive(tarfile.TarFile):
    """A tar that counts the bytes of its extended headers."""

    tarinfo = _Careful
    extended = 0


_OPENERS: Final[Mapping[bytes, Callable[[BinaryIO], BinaryIO | _XzStream]]] = {
    b"\x1f\x8b": lambda file: io.BufferedReader(gzip.GzipFile(fileobj=file)),
    b"BZh": lambda file: io.BufferedReader(bz2.BZ2File(file)),
    b"\xfd7zXZ\x00": _XzStream,
}


def _tar_members(file: BinaryIO, start: bytes) -> Iterator[Member]:
    opener = next((open_ for magic, open_ in _OPENERS.items() if start.startswith(magic)), None)
    stream = _Bounded(opener(file) if opener else file)
    # A stream is only read, which is all that a bounded one can do.
    with _Archive.open(fileobj=cast("IO[bytes]", stream), mode="r|") as archive:
        for number, item in enumerate(archive, start=1):
            if number > _MAX_MEMBERS:
                raise _too_many()
            if not item.isdir():
                yield _tar_member(archive, item)


def _tar_member(archive: tarfile.TarFile, item: tarfile.TarInfo) -> Member:
    name = item.name.removeprefix("./")
    if item.issym():
        return Member(name=name, chunks=iter(()), target=item.linkname)
    if item.islnk():
        raise SourceError(
            "hard-link",
            f"{name!r} in the archive is a hard link.",
            remedy="Pack it with --hard-dereference.",
        )
    content = archive.extractfile(item) if item.isreg() else None
    if content is None:
        raise special(name)
    return Member(name=name, chunks=_chunks(content))


def _chunks(content: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: content.read(_CHUNK), b"")


# ------------------------------------------------------------------------------ errors


def special(name: str) -> SourceError:
    """Return the error for a device, pipe or socket."""
    return SourceError(
        "special-file",
        f"{name!r} is neither a file nor a folder but a device, pipe or socket.",
        remedy="Leave it out.",
    )


def _too_many() -> SourceError:
    return SourceError(
        "too-many-files",
        f"The archive lists more than {_MAX_MEMBERS:,} files and folders.",
        remedy="Leave environments, caches and data out of it.",
    )
