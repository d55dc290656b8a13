"""Writing files so that nobody ever meets half of one."""

from __future__ import annotations

from pathlib import Path

from healthtariff.data import InputError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place first, then move it there in one step.

    :raises InputError: the place cannot be written to
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError as error:
        raise InputError(f"{path.name} cannot be written: {error.strerror}") from error
