"""Small changes that make a package wrong, and changes that make it no different at all.

Mutants follow DeMillo, Lipton and Sayward 1978 (Hints on Test Data Selection): one small change
each, of the kind that people make by mistake. They are chosen to keep types and shapes, so that
most of them crash nothing: only a test that looks at the result can tell. Each is a replacement of
a few characters, so that the rest of a file stays as it was written.

A *decoy* changes the text of every module and not what it does. A suite that fails on it reads the
code instead of trying it.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

_COMPARISONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
_ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "//": "/", "%": "*", "**": "*"}
_LOGIC = {"and": "or", "or": "and"}
_TWINS = {
    "min": "max",
    "minimum": "maximum",
    "fmin": "fmax",
    "floor": "ceil",
    "log": "log1p",
    "exp": "expm1",
    "any": "all",
}
_SWAPPED = _TWINS | {new: old for old, new in _TWINS.items()}
"""Functions that take and give what their twin does."""

_LARGE = 10**15
"""From here on a figure plus one is the same figure, or close to it."""

_NO_FIGURES = frozenset(
    {
        *("indent", "stacklevel", "random_state", "n_jobs", "maxsize", "timeout"),
        *("figsize", "dpi", "alpha", "s", "linewidth", "fontsize", "markersize"),
    }
)
"""Keywords whose figure changes nothing that a scoring model answers: a test of it would be worth
nothing (Petrović et al. 2021 call such places arid)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place where a module can be made wrong."""

    line: int
    start: int
    """Offset of the first character to replace, in the module's text."""
    end: int
    new: str
    change: str
    """Such as ``< became <=``."""

    def applied(self, text: str) -> str:
        """Return the module's text with the change made."""
        return text[: self.start] + self.new + text[self.end :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A site and the file it is in."""

    path: str
    site: Site


def find_sites(text: str) -> tuple[Site, ...]:
    """Return every place where a module can be made wrong, in the order of its text.

    A module that Python cannot parse has none.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return ()
    page = _Page(text)
    found = [site for node in _working(tree) for site in _of_node(node, page)]
    return tuple(sorted(found, key=lambda site: (site.start, site.new)))


def draw(
    sites: Mapping[str, Sequence[Site]], seed: int, most: int, start: int = 0
) -> tuple[Change, ...]:
    """Draw changes at random, in turn from each file, so that no large file decides alone.

    :param sites: by file
    :param most: how many to draw
    :param start: how many of the same draw to pass over first
    """
    chance = random.Random(seed)  # noqa: S311 - a sample, no secret
    piles = {path: chance.sample(own, len(own)) for path, own in sorted(sites.items()) if own}
    order = chance.sample(sorted(piles), len(piles))
    drawn: list[Change] = []
    while order and len(drawn) < start + most:
        drawn += [Change(path=path, site=piles[path].pop()) for path in order]
        order = [path for path in order if piles[path]]
    return tuple(drawn[start : start + most])


def disguise(text: str, seed: int) -> str:
    """Return a module that says the same in another way: its text differs, what it does doesn't.

    Numbers become sums, functions get a name that nothing uses, and all lines move.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return text
    name = f"_{random.Random(seed).randrange(16**8):08x}"  # noqa: S311 - a name
    page = _Page(text)
    for edits in ([*_sums(tree, page), *_idle_names(tree, page, name)], []):
        changed = _moved(_edited(text, edits), name)
        if _parses(changed):
            return changed
    return text


def _edited(text: str, edits: Sequence[_Edit]) -> str:
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _moved(text: str, name: str) -> str:
    """Put a comment above all that is not a comment for the interpreter itself."""
    first = re.match(r"(#!.*\n)?(#.*coding.*\n)?", text)
    at = first.end() if first else 0
    return f"{text[:at]}# {name}\n{text[at:]}"


# ------------------------------------------------------------------------------ finding places


class _Page:
    """A module's text, with offsets for the places that its syntax tree names."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = text.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a place; columns of a syntax tree count bytes."""
        before = self._lines[line - 1].encode()[:column].decode(errors="replace")
        return self._starts[line - 1] + len(before)

    def start(self, node: ast.expr | ast.stmt) -> int:
        return self.offset(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt) -> int:
        return self.offset(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)

    def line_start(self, line: int) -> int:
        return self._starts[line - 1]


def _working(tree: ast.Module) -> Iterator[ast.AST]:
    """Walk over what a module computes: no annotations, decorators, or guards of its imports."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if _is_idle(node):
            continue
        yield node
        waiting += _working_parts(node)


def _working_parts(node: ast.AST) -> Iterator[ast.AST]:
    for name, value in ast.iter_fields(node):
        if name not in {"annotation", "returns", "decorator_list", "type_params"}:
            children = value if isinstance(value, list) else [value]
            yield from (child for child in children if isinstance(child, ast.AST))


def _is_idle(node: ast.AST) -> bool:
    """Whether nothing in a node changes an answer, or its place in the text is not known."""
    if isinstance(node, ast.If):
        names = {n.id for n in ast.walk(node.test) if isinstance(n, ast.Name)}
        return bool(names & {"TYPE_CHECKING", "__name__"})
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any("seed" in ast.unparse(target).lower() for target in targets)
    # Before Python 3.12 what stands in an f-string has no place of its own.
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.keyword) and node.arg in _NO_FIGURES
    )


def _of_node(node: ast.AST, page: _Page) -> Iterator[Site]:
    for kind, find in _FINDERS.items():
        if isinstance(node, kind):
            yield from find(node, page)


def _of_compare(node: ast.Compare, page: _Page) -> Iterator[Site]:
    terms = [node.left, *node.comparators]
    for left, right in pairwise(terms):
        yield from _between(left, right, _COMPARISONS, page)


def _of_binary(node: ast.BinOp, page: _Page) -> Iterator[Site]:
    if not any(_is_text(side) or _is_path(side) for side in (node.left, node.right)):
        yield from _between(node.left, node.right, _ARITHMETIC, page)


def _of_logic(node: ast.BoolOp, page: _Page) -> Iterator[Site]:
    for left, right in pairwise(node.values):
        yield from _between(left, right, _LOGIC, page)


def _of_not(node: ast.UnaryOp, page: _Page) -> Iterator[Site]:
    start = page.start(node)
    if isinstance(node.op, ast.Not) and page.text.startswith("not ", start):
        yield Site(
            line=node.lineno, start=start, end=start + 4, new="", change="a `not` was dropped"
        )


def _of_call(node: ast.Call, page: _Page) -> Iterator[Site]:
    function = node.func
    name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    if name in _SWAPPED and page.text[: page.end(function)].endswith(name):
        end = page.end(function)
        yield Site(
            line=function.end_lineno or node.lineno,
            start=end - len(name),
            end=end,
            new=_SWAPPED[name],
            change=f"`{name}` became `{_SWAPPED[name]}`",
        )


def _of_number(node: ast.Constant, page: _Page) -> Iterator[Site]:
    value = _number(node)
    if value is None:
        return
    start, end = page.start(node), page.end(node)
    new = repr(value + 1)
    change = f"`{page.text[start:end]}` became `{new}`"
    yield Site(line=node.lineno, start=start, end=end, new=new, change=change)


def _between(
    left: ast.expr, right: ast.expr, swaps: Mapping[str, str], page: _Page
) -> Iterator[Site]:
    """Find the operator between two terms: all that stands there beside brackets and blanks."""
    start, end = page.end(left), page.start(right)
    found = re.fullmatch(r"([\s()\\]*)([^\s()\\]+)([\s()\\]*)", page.text[start:end])
    if found is None or found[2] not in swaps:
        return
    old, new = found[2], swaps[found[2]]
    at = start + len(found[1])
    yield Site(
        line=page.text.count("\n", 0, at) + 1,
        start=at,
        end=at + len(old),
        new=new,
        change=f"`{old}` became `{new}`",
    )


def _number(node: ast.Constant) -> int | float | None:
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < _LARGE else None


def _is_text(node: ast.expr) -> bool:
    texts = ast.JoinedStr | ast.List | ast.Tuple | ast.ListComp | ast.Dict
    return isinstance(node, texts) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    )


def _is_path(node: ast.expr) -> bool:
    """Whether a term is a path by its name: a slash after it divides nothing."""
    return bool(re.search(r"path|folder|file|dir|root|parent", ast.unparse(node), re.IGNORECASE))


_FINDERS: Mapping[type[ast.AST], Callable[..., Iterator[Site]]] = {
    ast.Compare: _of_compare,
    ast.BinOp: _of_binary,
    ast.BoolOp: _of_logic,
    ast.UnaryOp: _of_not,
    ast.Call: _of_call,
    ast.Constant: _of_number,
}


# ------------------------------------------------------------------------------ the disguise

_Edit = tuple[int, int, str]
_Node = TypeVar("_Node", bound=ast.AST)


def _sums(tree: ast.Module, page: _Page) -> Iterator[_Edit]:
    """Write whole numbers as sums. The interpreter adds them up before it runs anything."""
    patterns = {id(n) for match in _nodes(tree, ast.match_case) for n in ast.walk(match.pattern)}
    inside = {id(n) for text in _nodes(tree, ast.JoinedStr) for n in ast.walk(text)}
    for node in _nodes(tree, ast.Constant):
        value = None if id(node) in patterns | inside else _number(node)
        if isinstance(value, int):
            yield page.start(node), page.end(node), f"({value - 1} + 1)"


def _idle_names(tree: ast.Module, page: _Page, name: str) -> Iterator[_Edit]:
    """Give each function a local name that nothing uses."""
    for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
        body = function.body[1:] if ast.get_docstring(function) is not None else function.body
        if not body or body[0].lineno == function.lineno:
            continue
        line = min([body[0].lineno, *(d.lineno for d in getattr(body[0], "decorator_list", ()))])
        at = page.line_start(line)
        indent = page.text[at : at + body[0].col_offset]
        if not indent.strip():
            yield at, at, f"{indent}{name} = None\n"


def _nodes(tree: ast.AST, kind: type[_Node]) -> list[_Node]:
    return [node for node in ast.walk(tree) if isinstance(node, kind)]


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return True
