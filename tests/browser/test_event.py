"""An event, played whole in a browser: sign up, push, read, climb, get approved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from leaderboard.model import LinkPurpose
from portal.access import PAGES
from portal.services import accounts, administration
from portal.settings import HOME
from tests.support.browser import PATIENCE, barriers, barriers_of_tabs, chromium, settled, shoot
from tests.support.portal import PASSWORD, SLUG, Portal, reference, run_git, running

ROLES = {"member": "Ada", "champion": "Edda", "leader": "Finn", "manager": "Gita", "admin": "Hugo"}
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with running(tmp_path_factory.mktemp("event"), workers=1) as opened:
        yield opened


def entered(browser: Browser, portal: Portal, name: str, **options: object) -> BrowserContext:
    """Return a browser that somebody is signed in with."""
    context = browser.new_context(**{"viewport": DESK, **options})  # type: ignore[arg-type]
    person = portal.held.people[name].id
    page = context.new_page()
    page.goto(accounts.hand_out(portal.house, LinkPurpose.SIGN_IN, person))
    page.get_by_role("button", name="Continue").click()
    settled(page)
    page.close()
    return context


def opened(context: BrowserContext, portal: Portal, path: str) -> Page:
    page = context.new_page()
    page.goto(f"{portal.address}/{path}")
    settled(page)
    return page


def signed_up(context: BrowserContext, portal: Portal) -> Page:
    page = context.new_page()
    page.goto(administration.sign_up_link(portal.house, portal.held.people["Hugo"]))
    page.get_by_label("Name").fill("Zoe Tide")
    page.get_by_label("E-mail address").fill("zoe@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    shoot(page, "sign-up")
    page.get_by_role("button", name="Create account").click()
    settled(page)
    expect(page.get_by_role("heading", name="Welcome, Zoe Tide")).to_be_visible()
    return page


def founded(page: Page) -> str:
    """Found a team, and return the token that its page shows once."""
    page.get_by_role("link", name="To your team").click()
    page.get_by_label("Name of the team").fill("Green")
    page.get_by_role("button", name="Found it").click()
    expect(page.get_by_text("Green is founded")).to_be_visible(timeout=PATIENCE)
    page.get_by_label("Where is it used?").fill("laptop")
    page.get_by_role("button", name="Make a token").click()
    token = page.get_by_text(re.compile("^drydock_"))
    expect(token).to_be_visible(timeout=PATIENCE)
    return token.inner_text().strip()


def test_event_is_played_whole(browser: Browser, portal: Portal, tmp_path: Path) -> None:
    context = browser.new_context(viewport=DESK)  # type: ignore[arg-type]
    page = signed_up(context, portal)
    word = founded(page)

    address = f"{portal.address}/git/green/{SLUG}".replace("//", f"//zoe:{word}@")
    expect(page.get_by_text(f"/git/green/{SLUG}")).to_be_visible()
    wrong = reference(portal.held.challenge, "wrong_value/rounded-parts", tmp_path / "wrong")
    pushed = run_git(wrong, "push", address, "HEAD:main")
    assert "rejected" in pushed.stderr
    number = re.findall(r"submission=(\d+)", pushed.stderr)[0]
    page.get_by_role("link", name=f"Report of submission {number}").click()
    expect(page.get_by_role("heading", name=re.compile("rejected, .* points"))).to_be_visible(
        timeout=PATIENCE
    )
    expect(page.get_by_text("rows within tolerance").first).to_be_visible()
    shoot(page, "report-rejected")
    assert barriers_of_tabs(page) == []

    right = reference(portal.held.challenge, "accepted/scikit-learn", tmp_path / "right")
    head = run_git(wrong, "rev-parse", "HEAD").stdout.strip()
    run_git(right, "fetch", "--quiet", str(wrong), "HEAD")
    parents = ["-p", head, "-p", "HEAD"]
    merged = run_git(right, "commit-tree", "HEAD^{tree}", *parents, "-m", "Round nothing")
    pushed = run_git(right, "push", address, f"{merged.stdout.strip()}:main")
    told = re.findall(r"^remote: (.*?)\s*$", pushed.stderr, re.MULTILINE)
    assert any(re.fullmatch(r"standards 4\d\d/450", line) for line in told), told
    assert {"wheel", "mutants", "parity 300/300"} <= set(told)
    assert any(line.endswith("accepted") for line in told), told
    number = re.findall(r"submission=(\d+)", pushed.stderr)[0]

    board = opened(context, portal, "leaderboard")
    expect(board.get_by_role("cell", name="Green (yours)")).to_be_visible()
    shoot(board, "leaderboard")
    assert barriers_of_tabs(board) == []

    leader = opened(entered(browser, portal, "Finn"), portal, f"review?submission={number}")
    expect(leader.get_by_role("heading", name=f"Submission {number} of Green")).to_be_visible()
    assert barriers_of_tabs(leader) == []
    leader.get_by_text("Approve", exact=True).click()
    leader.get_by_role("textbox", name="Reason").fill("It answers as the legacy model does.")
    leader.get_by_role("button", name="Say it").click()
    expect(leader.get_by_text(f"Submission {number} is approved")).to_be_visible(timeout=PATIENCE)
    shoot(leader, "review")

    home = opened(context, portal, "")
    expect(home.get_by_text("All done")).to_be_visible(timeout=PATIENCE)
    shoot(home, "home")
    check_refresh_and_sign_out(home, portal)


def check_refresh_and_sign_out(page: Page, portal: Portal) -> None:
    """A session survives a refresh, and ends in every tab at once."""
    page.reload()
    settled(page)
    other = page.context.new_page()
    other.goto(f"{portal.address}/sign-out")
    other.get_by_role("button", name="Sign out of this browser").click()
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_role("link", name="Challenges").first.click()
    expect(page.get_by_text("You are not signed in any more")).to_be_visible(timeout=PATIENCE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("role", ROLES)
def test_pages_keep_nobody_out(browser: Browser, portal: Portal, role: str, scheme: str) -> None:
    context = entered(browser, portal, ROLES[role], color_scheme=scheme)
    found = {}
    for known, roles in PAGES.items():
        if role not in {allowed.value for allowed in roles}:
            continue
        if role != "member" and len(roles) > 3:
            continue  # what everybody sees was looked at as a member
        page = opened(context, portal, "" if known.value == "home" else known.value)
        shoot(page, f"{known.value}-{scheme}")
        if problems := barriers_of_tabs(page):
            found[known.value] = problems
        page.close()
    context.close()
    assert "\n".join(line for lines in found.values() for line in lines) == ""


@pytest.mark.parametrize("path", ["sign-in", "sign-out", "setup/x", "join/x", "enter/x"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_doors_keep_nobody_out(browser: Browser, portal: Portal, path: str, scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{portal.address}/{path}")
    assert barriers(page) == []
    context.close()


@pytest.mark.parametrize(
    ("name", "path"),
    [
        *(
            ("Ada", path)
            for path in ("", "challenges", "team", "leaderboard", "lessons", "profile")
        ),
        ("Finn", "review"),
        ("Gita", "adoption"),
        ("Edda", "desk"),
        ("Hugo", "administration"),
    ],
)
def test_pages_are_read_on_a_phone(browser: Browser, portal: Portal, name: str, path: str) -> None:
    context = entered(browser, portal, name, viewport=PHONE)
    page = opened(context, portal, path)
    shoot(page, f"{path or 'home'}-phone")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
    context.close()


@pytest.mark.parametrize("name", ["Ada", "Finn", "Gita"])
def test_others_pages_stay_closed(browser: Browser, portal: Portal, name: str) -> None:
    context = entered(browser, portal, name)
    page = opened(context, portal, "administration")
    expect(page.get_by_role("heading", name="Administration")).to_have_count(0)
    context.close()


def test_links_lead_to_tabs(browser: Browser, portal: Portal) -> None:
    page = opened(entered(browser, portal, "Hugo"), portal, "administration?tab=Audit")
    expect(page.get_by_role("button", name="Prove the chain")).to_be_visible()
    page.get_by_role("tab", name="Units").click()
    expect(page).to_have_url(re.compile("tab=Units"))
    page.reload()
    settled(page)
    expect(page.get_by_label("Name of the unit")).to_be_visible()
    page.get_by_role("link", name="Adoption").click()
    settled(page)
    expect(page.get_by_role("tab", name="People")).to_have_attribute("aria-selected", "true")
    unknown = opened(page.context, portal, "administration?tab=Cellar")
    expect(unknown.get_by_role("textbox", name="Find")).to_be_visible()


def test_lesson_is_taken_and_passed(browser: Browser, portal: Portal) -> None:
    slug = "pipelines-that-dont-leak"
    context = entered(browser, portal, "Bob")
    page = opened(context, portal, "lessons")
    expect(page.get_by_text("0 of 3 passed.")).to_be_visible()
    page.get_by_role("button", name="Open it all the same: Pipelines that don't leak").click()
    expect(page.get_by_role("heading", name="Pipelines that don't leak")).to_be_visible()
    expect(page.get_by_text("You have handed nothing in yet.")).to_be_visible()
    notebook = HOME / "lessons" / slug / "source" / f"{slug}.ipynb"
    page.locator("input[type=file]").set_input_files(notebook)
    page.get_by_role("button", name="Hand it in").click()
    expect(page.get_by_text("16 of 16 points, passed")).to_be_visible(timeout=3 * PATIENCE)
    shoot(page, "lesson")
    link = page.get_by_role("link", name=f"Feedback on {slug}").get_attribute("href")
    read = opened_page(context, portal, str(link))
    expect(read.get_by_text("A leak, seen with your own eyes").first).to_be_visible()
    assert barriers(page) == []


def opened_page(context: BrowserContext, portal: Portal, path: str) -> Page:
    """Open what is no page of Streamlit's."""
    page = context.new_page()
    page.goto(portal.address + path)
    return page
