"""The HTML page: complete, self-contained, safe and readable."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import pytest

import grader.report
from grader.model import Check, Report
from grader.report import to_html

Explain = Callable[[str], Check]

VOID = {"meta", "rect", "path", "br"}
STYLE = Path(grader.report.__file__).parent / "templates" / "style.css"


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.stray: list[str] = []
        self.headings: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.stray.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and re.fullmatch("h[1-6]", self.open[-1]):
            self.headings.append(data.strip())


def page(report: Report, explain: Explain) -> Page:
    return Page(to_html(report, explain=explain))


def test_tags_are_well_nested(sample: Report, explain: Explain) -> None:
    drawn = page(sample, explain)
    assert (drawn.stray, drawn.open) == ([], [])


def test_ids_are_unique(sample: Report, explain: Explain) -> None:
    ids = Counter(attrs["id"] for _, attrs in page(sample, explain).tags if "id" in attrs)
    assert [name for name, count in ids.items() if count > 1] == []


def test_references_lead_somewhere(sample: Report, explain: Explain) -> None:
    tags = page(sample, explain).tags
    ids = {attrs["id"] for _, attrs in tags if "id" in attrs}
    links = {str(attrs["href"]).removeprefix("#") for tag, attrs in tags if tag == "a"}
    named = {str(attrs.get("aria-labelledby", "main")) for _, attrs in tags}
    assert (links | {name for names in named for name in names.split()}) <= ids


def test_nothing_is_fetched(sample: Report, explain: Explain) -> None:
    tags = page(sample, explain).tags
    assert not [attrs for tag, attrs in tags if tag in {"link", "img", "iframe", "object", "base"}]
    assert not [attrs for _, attrs in tags if "src" in attrs]


def test_no_address_in_page(accepted: Report, explain: Explain) -> None:
    html = to_html(accepted, explain=explain)
    assert not re.search(r"https?://|@import|url\((?!#)", html)


def test_hostile_text_stays_text(hostile: Report, explain: Explain) -> None:
    html = to_html(hostile, explain=explain, snippets=lambda _, line: [(line, "</code><script>")])
    assert [tag for tag, _ in Page(html).tags].count("script") == 1
    assert "\x1b" not in html
    assert "\u202e" not in html


def test_page_can_be_written(hostile: Report, explain: Explain) -> None:
    assert to_html(hostile, explain=explain).encode("utf-8")


def test_policy_allows_own_script(accepted: Report, explain: Explain) -> None:
    html = to_html(accepted, explain=explain)
    script = html.split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = next(attrs["content"] for _, attrs in Page(html).tags if "http-equiv" in attrs)
    assert f"script-src 'sha256-{digest}'" in str(policy)


def test_all_sections_have_headings(rejected: Report, explain: Explain) -> None:
    assert {
        "Why", "What to mend first", "Points", "Parity with the legacy model", "Cases",
        "Findings", "Timings",
    } <= set(page(rejected, explain).headings)  # fmt: skip


def test_landmarks_are_there(sample: Report, explain: Explain) -> None:
    tags = Counter(tag for tag, _ in page(sample, explain).tags)
    assert [tags[name] for name in ("header", "main", "footer", "nav", "h1")] == [1, 1, 1, 1, 1]


def test_header_cells_have_scope(rejected: Report, explain: Explain) -> None:
    cells = [attrs for tag, attrs in page(rejected, explain).tags if tag == "th"]
    assert cells
    assert all(attrs.get("scope") in {"row", "col"} for attrs in cells)


def test_pictures_are_described(rejected: Report, explain: Explain) -> None:
    tags = page(rejected, explain).tags
    pictures = [attrs for tag, attrs in tags if tag == "svg" and attrs.get("role") == "img"]
    assert len(pictures) == 6
    assert sum(tag == "desc" for tag, _ in tags) == 6


def test_drawings_are_hidden_from_readers(rejected: Report, explain: Explain) -> None:
    pictures = [attrs for tag, attrs in page(rejected, explain).tags if tag == "svg"]
    assert all(attrs.get("role") == "img" or "aria-hidden" in attrs for attrs in pictures)


def test_unsafe_run_is_red(explain: Explain, unsafe: Report, accepted: Report) -> None:
    alarm = 'class="alarm" role="alert">Run without a sandbox: do not trust'
    assert alarm in to_html(unsafe, explain=explain)
    assert alarm not in to_html(accepted, explain=explain)


def test_public_scope_is_told(public: Report, explain: Explain) -> None:
    html = to_html(public, explain=explain)
    assert "Graded on the public cases alone" in html
    assert "The hidden cases: they decide at the event." in html


def test_hidden_cases_show_no_points(rejected: Report, explain: Explain) -> None:
    html = to_html(rejected, explain=explain)
    hidden = html.split("<h3>hidden/edges</h3>")[1].split("<h3>")[0]
    assert "<figure>" not in hidden
    assert "by segment" in hidden


def test_lines_of_code_are_shown(rejected: Report, explain: Explain) -> None:
    def lines(path: str, line: int) -> list[tuple[int, str]]:
        return [(line, f"{path} & more")]

    html = to_html(rejected, explain=explain, snippets=lines)
    assert '<mark><span class="n">12</span>src/healthtariff/settings.py &amp; more</mark>' in html


def test_secrets_are_not_quoted(rejected: Report, explain: Explain) -> None:
    found = tuple(
        replace(item, code="SECU001" if item.code == "SECR001" else item.code)
        for item in rejected.findings
    )
    html = to_html(
        replace(rejected, findings=found),
        explain=explain,
        snippets=lambda path, line: [(line, f"quoted from {path}")],
    )
    assert "quoted from README.md" in html
    assert "quoted from src/healthtariff/settings.py" not in html


def test_check_is_explained(rejected: Report, explain: Explain) -> None:
    assert "A stranger should find their way." in to_html(rejected, explain=explain)


def test_retired_check_is_no_error(hostile: Report, explain: Explain) -> None:
    assert "OLD007" in to_html(hostile, explain=explain)


def test_failed_findings_are_open(rejected: Report, explain: Explain) -> None:
    html = to_html(rejected, explain=explain)
    assert html.count('<details class="finding" open>') == 2


def test_unscored_total_is_no_zero(ungraded: Report, explain: Explain) -> None:
    assert "<strong>Not scored</strong> of 1000 points" in to_html(ungraded, explain=explain)


def test_same_report_same_page(sample: Report, explain: Explain) -> None:
    assert to_html(sample, explain=explain) == to_html(sample, explain=explain)


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb``, as WCAG 2.2 defines it."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_has_enough_contrast(theme: int) -> None:
    pattern = r"--(\w+): light-dark\((#\w{6}), (#\w{6})\)"
    colours = {
        name: (light, dark)[theme] for name, light, dark in re.findall(pattern, STYLE.read_text())
    }
    texts = ("ink", "soft", "sea", "good", "bad", "warn")
    pairs = [*product(texts, ("ground", "card", "sunk"))]
    weak = {pair for pair in pairs if contrast(colours[pair[0]], colours[pair[1]]) < 4.5}
    assert weak == set()
    assert contrast("#ffffff", colours["alarm"]) >= 4.5
