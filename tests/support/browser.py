"""A real Chromium, and how to know that a page of Streamlit's is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support import provide

OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 30_000
"""Milliseconds."""
SHOTS = Path(__file__).parents[2] / "results" / "screenshots"
BAD = {"serious", "critical"}
_AT_REST = """() =>
    !document.querySelector('[data-stale="true"]')
    && document.getAnimations().every(
        (one) => one.effect.getComputedTiming().endTime === Infinity
    )"""
"""Whether all is drawn in its own colours: halfway through fading in or out, each is too faint."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium, or Playwright's own where there is none."""
    system = provide.chromium()
    with sync_playwright() as playwright:
        if system is None and not Path(playwright.chromium.executable_path).exists():
            pytest.fail(provide.REMEDY, pytrace=False)
        browser = playwright.chromium.launch(executable_path=system, args=OPTIONS)
        yield browser
        browser.close()


def settled(page: Page) -> None:
    """Wait until the script has run, and everything it draws is there."""
    drawn = page.locator("[data-testid=stApp][data-test-script-state=notRunning]")
    expect(drawn).to_be_attached(timeout=PATIENCE)
    expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0, timeout=PATIENCE)
    expect(page.locator("[data-testid=stException]")).to_have_count(0)


def shoot(page: Page, name: str) -> None:
    """Keep a picture of a page, for people to look at."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def barriers(page: Page) -> list[str]:
    """Return what axe-core finds that keeps people out."""
    page.wait_for_function(_AT_REST, timeout=PATIENCE)
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found
        if rule["impact"] in BAD
        for node in rule["nodes"]
    ]


def barriers_of_tabs(page: Page) -> list[str]:
    """Return what keeps people out of a page, whichever of its tabs is open."""
    found = barriers(page)
    for tab in page.get_by_role("tab").all()[1:]:
        tab.click()
        settled(page)
        found += barriers(page)
    return found
