"""Archives: unpacked chunk by chunk, so that a bomb goes off in the counting."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, BinaryIO, Final, cast

from grader.checkout.tree import MAX_BYTES, MAX_FILES, TreeWriter
from grader.errors import SourceError

_CHUNK = 2**16
_MAX_ARCHIVE = 2 * MAX_BYTES
_MAX_UNPACKED = MAX_BYTES + MAX_FILES * 4_096
"""What a tar may hold with its headers and padding."""
_XZ_MEMORY = 2**27
"""An xz file may ask for a dictionary of gigabytes; 128 MB is what its strongest preset needs."""


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
                    "archive-bomb",
                    f"The archive unpacks to more than {MAX_BYTES // 2**20} MB.",
                    remedy="Leave data, models and environments out of it.",
                )
        return b"".join(parts)


_OPENERS: Final[Mapping[bytes, Callable[[BinaryIO], BinaryIO | _XzStream]]] = {
    b"\x1f\x8b": lambda file: io.BufferedReader(gzip.GzipFile(fileobj=file)),
    b"BZh": lambda file: io.BufferedReader(bz2.BZ2File(file)),
    b"\xfd7zXZ\x00": _XzStream,
}


def unpack(path: Path, writer: TreeWriter) -> None:
    """Unpack a zip or tar archive into a tree; its kind is read from its first bytes.

    :raises SourceError: it is no archive, damaged, encrypted or a bomb, or holds what may not be
    """
    if path.stat().st_size > _MAX_ARCHIVE:
        raise SourceError(
            "source-too-large",
            f"The archive {path.name} is larger than {_MAX_ARCHIVE // 2**20} MB.",
            remedy="Leave data, models and environments out of it.",
        )
    with path.open("rb") as file:
        try:
            _unpack(file, writer)
        except (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError) as error:
            raise _damaged(path, error) from error
        except (EOFError, OSError, NotImplementedError, ValueError, RuntimeError) as error:
            raise _damaged(path, error) from error


def _unpack(file: BinaryIO, writer: TreeWriter) -> None:
    start = file.read(8)
    file.seek(0)
    if start.startswith(b"PK"):
        _unpack_zip(file, writer)
        return
    opener = next((open_ for magic, open_ in _OPENERS.items() if start.startswith(magic)), None)
    stream = _Bounded(opener(file) if opener else file)
    # A stream is only read, which is all that a bounded one can do.
    with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|") as archive:
        _unpack_tar(archive, writer)


def _unpack_zip(file: BinaryIO, writer: TreeWriter) -> None:
    with zipfile.ZipFile(file) as archive:
        for item in archive.infolist():
            name = item.filename
            if item.is_dir():
                continue
            if item.flag_bits & 0x1:
                raise SourceError(
                    "archive-encrypted",
                    f"{item.filename!r} in the archive is encrypted.",
                    remedy="Pack it without a password.",
                )
            if not item.flag_bits & 0x800 and not item.orig_filename.isascii():
                raise SourceError(
                    "unsafe-name",
                    f"The name {item.filename!r} in the archive is not UTF-8.",
                    remedy="Pack it with names in UTF-8.",
                )
            mode = item.external_attr >> 16
            if stat.S_ISLNK(mode):
                writer.link(name, archive.read(item)[:4096].decode("utf-8", "surrogateescape"))
            elif stat.S_IFMT(mode) in {0, stat.S_IFREG}:
                with archive.open(item) as content:
                    writer.add(name, _chunks(content))
            else:
                raise special(name)


def _unpack_tar(archive: tarfile.TarFile, writer: TreeWriter) -> None:
    for item in archive:
        name = item.name.removeprefix("./")
        if item.isdir() or item.type == tarfile.XGLTYPE:
            continue
        if item.issym():
            writer.link(name, item.linkname)
        elif item.isreg() and not item.islnk():
            content = archive.extractfile(item)
            writer.add(name, _chunks(content))
        elif item.islnk():
            raise SourceError(
                "hard-link",
                f"{name!r} in the archive is a hard link.",
                remedy="Pack it with --hard-dereference.",
            )
        else:
            raise special(name)


def _chunks(content: IO[bytes] | None) -> Iterator[bytes]:
    while content is not None and (chunk := content.read(_CHUNK)):
        yield chunk


def special(name: str) -> SourceError:
    """Return the error for a device, pipe or socket."""
    return SourceError(
        "special-file",
        f"{name!r} is neither a file nor a folder but a device, pipe or socket.",
        remedy="Leave it out.",
    )


def _damaged(path: Path, error: Exception) -> SourceError:
    return SourceError(
        "archive-damaged",
        f"{path.name} cannot be unpacked: {error}.",
        remedy="It must be a .zip, .tar, .tar.gz, .tar.bz2 or .tar.xz archive; pack it again.",
    )
