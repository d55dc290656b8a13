"""The README's pictures, taken of the demonstration while it runs: ``make pictures``."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from PIL import Image
from playwright.sync_api import Page

from portal.settings import HOME
from tests.support.browser import chromium, settled
from tests.support.portal import await_health, free_port

FOLDER = HOME / "docs" / "pictures"
SIZE = {"width": 1280, "height": 800}
COLOURS = 64
"""As many as a page needs: so a picture is small."""
LONGEST = 900.0


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="drydock-pictures-") as folder,
        demonstration(Path(folder)) as links,
        chromium() as browser,
    ):
        page = browser.new_context(viewport=SIZE).new_page()  # type: ignore[arg-type]
        address = links["member"].partition("/enter/")[0]
        enter(page, links["member"])
        await_grades(address)
        take(page, f"{address}/leaderboard", "leaderboard")
        take(page, f"{address}/report?submission=1", "report")
        take(page, f"{address}/lessons", "lessons")
        enter(page, links["leader"])
        take(page, f"{address}/review", "review")
        enter(page, links["manager"])
        take(page, f"{address}/adoption", "adoption")


@contextmanager
def demonstration(folder: Path) -> Iterator[dict[str, str]]:
    """Start it, and give the sign-in link of each role."""
    port, log = free_port(), folder / "log"
    command = [sys.executable, "-m", "portal.cli", "serve", "--demo", "--workers", "2"]
    command += ["--data", str(folder), "--port", str(port)]
    with log.open("wb") as printed:
        process = subprocess.Popen(command, stdout=printed, stderr=printed, cwd=HOME)
    try:
        await_health(f"http://127.0.0.1:{port}", 1, process, log)
        yield dict(re.findall(r"^\s+(\w+)\s+(http\S+/enter/\S+)$", log.read_text(), re.MULTILINE))
    finally:
        process.terminate()
        process.wait()


def enter(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_role("button", name="Continue").click()
    settled(page)


def await_grades(address: str) -> None:
    """Wait until nothing waits for grading any more, as the portal's own figures tell it."""
    end = time.monotonic() + LONGEST
    while time.monotonic() < end:
        told = httpx.get(f"{address}/metrics").text
        waiting = re.findall(r'drydock_submissions\{state="(?:queued|running)"\} ([\d.]+)', told)
        if not any(float(number) for number in waiting):
            return
        time.sleep(2)
    sys.exit("The demonstration was not graded in time.")


def take(page: Page, address: str, name: str) -> None:
    page.goto(address)
    settled(page)
    page.wait_for_timeout(1500)  # charts are drawn after the script has ended
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS)
    picture.save(FOLDER / f"{name}.png", optimize=True)
    size = (FOLDER / f"{name}.png").stat().st_size >> 10
    sys.stdout.write(f"{name}.png: {size} kB\n")


if __name__ == "__main__":
    main()
