"""Errands: what somebody starts at the desk and comes back to."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.errands import Errand, Errands
from portal.errors import PortalError


@pytest.fixture
def errands(tmp_path: Path) -> Iterator[Errands]:
    opened = Errands(tmp_path / "errands")
    yield opened
    opened.close()


def run(code: str) -> list[str]:
    return [sys.executable, "-u", "-c", code]


def ended(errands: Errands, name: str) -> Errand:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        errand = errands.look(name)
        if errand is not None and not errand.running:
            return errand
        time.sleep(0.05)
    raise AssertionError


def test_lines_stay_after_the_end(errands: Errands, tmp_path: Path) -> None:
    assert errands.look("hello") is None
    code = "import os; print(os.environ['WORD']); print('\\x1b[31mred\\x1b[0m')"
    errands.start("hello", run(code), {"WORD": "said"})
    found = ended(errands, "hello")
    assert (found.status, found.lines) == (0, ("said", "red"))
    again = Errands(tmp_path / "errands").look("hello")
    assert again == found


def test_failure_is_told(errands: Errands) -> None:
    errands.start("bad", run("import sys; sys.exit(3)"))
    assert ended(errands, "bad").status == 3


def test_one_of_a_name_at_a_time(errands: Errands) -> None:
    errands.start("long", run("import time; time.sleep(60)"))
    with pytest.raises(PortalError) as caught:
        errands.start("long", run("pass"))
    assert caught.value.slug == "errand-running"
    errands.close()
    assert ended(errands, "long").status != 0
    errands.start("long", run("pass"))
    assert ended(errands, "long").status == 0


def test_portal_that_was_ended_leaves_no_status(errands: Errands, tmp_path: Path) -> None:
    (tmp_path / "errands").mkdir()
    (tmp_path / "errands" / "lost.log").write_text("half\n", encoding="utf-8")
    assert errands.look("lost") == Errand(running=False, status=None, lines=("half",))
