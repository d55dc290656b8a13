"""Python files read as data: one parse each, bounded, and the facts that the checks ask for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

MOST_BYTES = 300_000
"""A source file larger than this is not parsed: nobody reads it either."""

DEEPEST = 120
"""Deepest nesting of syntax that is followed; people write some 20."""

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function or method, wherever it is defined."""

    node: FunctionNode
    owner: ast.ClassDef | None
    """The class it is a method of."""
    public: bool
    """Whether neither it, nor what it is defined in, has a name that starts with an underscore."""

    @property
    def lines(self) -> int:
        """Lines from ``def`` to the end, without the docstring."""
        first = self.node.body[0]
        total = _extent(self.node)
        return total - _extent(first) if is_docstring(first) else total


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A Python file. One that could not be read has an error and an empty tree."""

    path: str
    name: str
    """Dotted name by which it is imported, as far as its path tells."""
    text: str
    error: str = ""
    error_line: int | None = None
    tree: ast.Module = field(default_factory=lambda: ast.Module(body=[], type_ignores=[]))
    nodes: tuple[ast.AST, ...] = ()
    """All of the tree, breadth first."""
    functions: tuple[Function, ...] = ()
    """In the order of the file."""

    @property
    def classes(self) -> list[ast.ClassDef]:
        """Class definitions at any depth."""
        return [node for node in self.nodes if isinstance(node, ast.ClassDef)]

    @property
    def calls(self) -> list[ast.Call]:
        """Calls at any depth."""
        return [node for node in self.nodes if isinstance(node, ast.Call)]

    @property
    def code_lines(self) -> int:
        """Lines that are neither blank nor a comment."""
        lines = (line.strip() for line in self.text.splitlines())
        return sum(bool(line) and not line.startswith("#") for line in lines)

    @property
    def imports(self) -> dict[str, int]:
        """Absolute modules imported, dotted, with the line of the first import of each."""
        found: dict[str, int] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    found.setdefault(alias.name, node.lineno)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.setdefault(node.module, node.lineno)
        return found

    @property
    def imported_names(self) -> list[tuple[str, int]]:
        """Everything imported by its full dotted name, relative imports resolved, with the line."""
        found: list[tuple[str, int]] = []
        for node in self.nodes:
            if isinstance(node, ast.Import):
                found += [(alias.name, node.lineno) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                found += [(f"{base}.{alias.name}".strip("."), node.lineno) for alias in node.names]
        return found

    def _base(self, node: ast.ImportFrom) -> str:
        """Resolve the module that a ``from … import`` names."""
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        keep = len(parts) - node.level + self.path.endswith("__init__.py")
        return ".".join([*parts[: max(0, keep)], *([node.module] if node.module else [])])


def read_module(path: str, content: bytes) -> Module:
    """Parse a Python file.

    Whatever is in it, the answer is a module: one with an error if it is too large, not UTF-8, not
    Python, or nested so deeply that it can't be followed.
    """
    name = module_name(path)
    if len(content) > MOST_BYTES:
        size = len(content) // 1000
        return Module(path=path, name=name, text="", error=f"it is {size} kB large")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Module(path=path, name=name, text="", error="it is not UTF-8")
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        reason = "it is not valid Python"
        return Module(path=path, name=name, text=text, error=reason, error_line=error.lineno)
    except (ValueError, RecursionError, MemoryError):
        return Module(path=path, name=name, text=text, error="it can't be parsed")
    nodes = _walk(tree)
    if nodes is None:
        return Module(path=path, name=name, text=text, error="it is nested too deeply")
    functions = tuple(_functions(tree.body, owner=None, public=True))
    return Module(path=path, name=name, text=text, tree=tree, nodes=nodes, functions=functions)


def module_name(path: str) -> str:
    """Give the dotted name of a module by its path: ``src/a/b.py`` is ``a.b``."""
    parts = path.removesuffix(".py").removeprefix("src/").split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def call_name(call: ast.Call) -> str:
    """Give the last part of what is called: ``fit`` for ``model.fit()``."""
    return dotted(call.func).rsplit(".", 1)[-1]


def dotted(node: ast.expr) -> str:
    """Write a name or attribute out: ``np.random.seed``; what isn't one is left out in front."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        parts.append(node.id)
    return ".".join(reversed(parts))


def is_docstring(statement: ast.stmt) -> bool:
    """Whether a statement is a string that stands alone."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def keyword(call: ast.Call, *names: str) -> ast.expr | None:
    """Give the value of a call's keyword argument, the first of the names that is there."""
    return next((item.value for item in call.keywords if item.arg in names), None)


def _extent(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _walk(tree: ast.Module) -> tuple[ast.AST, ...] | None:
    """Give all nodes breadth first, or None if they are nested too deeply."""
    found: list[ast.AST] = []
    level: list[ast.AST] = [tree]
    for _ in range(DEEPEST):
        found += level
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return tuple(found)
    return None


def _functions(
    body: list[ast.stmt], *, owner: ast.ClassDef | None, public: bool
) -> Iterator[Function]:
    for node in body:
        if isinstance(node, FunctionNode):
            shown = public and not node.name.startswith("_")
            yield Function(node=node, owner=owner, public=shown)
            yield from _functions(node.body, owner=None, public=False)
        elif isinstance(node, ast.ClassDef):
            shown = public and not node.name.startswith("_")
            yield from _functions(node.body, owner=node, public=shown)
        else:
            for inner in _blocks(node):
                yield from _functions(inner, owner=owner, public=public)


def _blocks(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    """Give the blocks of a compound statement: of ``if``, ``try``, ``with``, loops, ``match``."""
    for name in ("body", "orelse", "finalbody"):
        yield getattr(node, name, [])
    for part in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield part.body
