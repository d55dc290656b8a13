"""Find what tests need of other people's programs, or get it: ``python -m tests.support.provide``.

A Chromium for the browser tests, and nginx, behind which a portal must work as well.
"""

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
NGINX_REMEDY = (
    "A test needs nginx, and it could not be installed. "
    "As root, on Debian and Ubuntu: apt-get install nginx-light"
)
SYSTEM_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"
"""Where programs lie; Debian keeps servers where only root looks."""


def chromium() -> str | None:
    """Return the system's Chromium; None where only Playwright's own is there, or none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def playwrights() -> bool:
    """Say whether Playwright's own Chromium is here."""
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


def provide_chromium() -> bool:
    """Make sure that a Chromium is here: Debian's where it may be installed, else Playwright's."""
    if chromium() or playwrights():
        return True
    # Ubuntu's package of that name only starts a snap.
    if _distribution() == "debian" and _installed("chromium") and chromium():
        return True
    return _ran([sys.executable, "-m", "playwright", "install", "chromium"]) and playwrights()


def provide_nginx() -> bool:
    """Make sure that nginx is here, where it may be installed."""
    if shutil.which("nginx", path=SYSTEM_PATH):
        return True
    return _distribution() in {"debian", "ubuntu"} and _installed("nginx-light")


def _installed(package: str) -> bool:
    """Install a package of the distribution's, if that is allowed without being asked."""
    wrapper = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    if not _ran([*wrapper, "true"]):
        return False
    quietly = [*wrapper, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    _ran([*quietly, "update"])
    return _ran([*quietly, "install", "-y", "--no-install-recommends", package])


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
    missing = [
        remedy
        for provided, remedy in ((provide_chromium(), REMEDY), (provide_nginx(), NGINX_REMEDY))
        if not provided
    ]
    sys.exit("\n".join(missing) if missing else 0)
