"""Find a Chromium for the browser tests, or get one: ``python -m tests.support.provide``."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

REMEDY = (
    "The browser tests need Chromium, and it could not be installed. "
    "As root, on Debian: apt-get install chromium. "
    "Elsewhere: .venv/bin/playwright install --with-deps chromium"
)


def chromium() -> str | None:
    """Return the system's Chromium; None where only Playwright's own is there, or none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def playwrights() -> bool:
    """Say whether Playwright's own Chromium is here."""
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


def provide() -> bool:
    """Make sure that a Chromium is here: Debian's where it may be installed, else Playwright's."""
    if chromium() or playwrights():
        return True
    wrapper = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    # Ubuntu's package of that name only starts a snap.
    if _distribution() == "debian" and _ran([*wrapper, "true"]):
        quietly = [*wrapper, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
        _ran([*quietly, "update"])
        if _ran([*quietly, "install", "-y", "--no-install-recommends", "chromium"]) and chromium():
            return True
    return _ran([sys.executable, "-m", "playwright", "install", "chromium"]) and playwrights()


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("ID", "")
    except OSError:
        return ""


def _ran(command: list[str]) -> bool:
    try:
        return subprocess.run(command, check=False).returncode == 0
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(0 if provide() else REMEDY)
