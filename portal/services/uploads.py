"""What is uploaded, as a file for as long as it is looked at."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_LONGEST = 100


@contextmanager
def stored(name: str, content: BinaryIO) -> Iterator[Path]:
    """Give an uploaded archive as a file; its name decides how it is unpacked, and nothing else."""
    with tempfile.TemporaryDirectory(prefix="drydock-upload-") as folder:
        endings = Path(Path(name).name[-_LONGEST:]).suffixes[-2:]
        file = Path(folder) / f"upload{''.join(endings)}"
        with file.open("wb") as written:
            shutil.copyfileobj(content, written)
        yield file
