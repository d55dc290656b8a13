"""nbgrader's feedback, made fit to hand out.

As nbgrader writes it, it holds the hidden tests (its open question 917), what a notebook has shown
as HTML, and scripts from another host. A policy in the page has browsers run none of that.
"""

from __future__ import annotations

from nbconvert import HTMLExporter
from nbformat import NotebookNode

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"
_BEGIN, _END = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"
"""nbgrader's own marks."""
_WITHHELD = "# (a hidden test)"


def without_hidden_tests(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook with a remark in the place of each region of hidden tests."""
    for cell in notebook.cells:
        cell.source = "\n".join(_shown(cell.source))
    return notebook


def _shown(source: str) -> list[str]:
    lines, hidden = [], False
    for line in source.splitlines():
        if _BEGIN in line:
            hidden = True
            lines.append(_WITHHELD)
        elif _END in line:
            hidden = False
        elif not hidden:
            lines.append(line)
    return lines


def page_of(notebook: NotebookNode) -> str:
    """Return a notebook as a page to read."""
    page, _ = HTMLExporter().from_notebook_node(notebook)
    return sealed(page)


def sealed(page: str) -> str:
    """Return a page that no browser runs a script of, or fetches anything for."""
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    head, found, rest = page.partition("<head>")
    return f"{head}{found}{policy}{rest}" if found else f"{policy}{page}"
