from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

from grader.scratch import Scratch

KILLED = """
import os, signal, sys
from pathlib import Path
from grader.scratch import Scratch
print(Scratch(Path(sys.argv[1])).folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_folder_of_the_dead_goes(tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path], capture_output=True, text=True, check=False
    )
    left = Path(made.stdout.strip())
    assert left.is_dir()
    with closing(Scratch(tmp_path)):
        assert not left.exists()


def test_folder_of_the_living_stays(tmp_path: Path) -> None:
    with closing(Scratch(tmp_path)) as first, closing(Scratch(tmp_path)):
        assert first.folder.is_dir()


def test_closing_removes_it(tmp_path: Path) -> None:
    Scratch(tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_folders_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / "drydock-pg").mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".held").touch()
    (tmp_path / "drydock-link").symlink_to(elsewhere)
    with closing(Scratch(tmp_path)):
        assert (tmp_path / "drydock-pg").is_dir()
        assert elsewhere.is_dir()
