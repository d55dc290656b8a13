"""Which expressions a challenge may name rows by.

pandas would evaluate far more than a comparison, down to calls of anything that it can reach. A
challenge package is data, so what is let through is what compares columns, and nothing else.
"""

from __future__ import annotations

import ast
import re

_LONGEST = 500
_LARGEST = 1e15
_METHODS = frozenset({"isna", "notna", "isin", "between", "abs", "startswith", "endswith"})
_NODES = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or,
    ast.UnaryOp, ast.Not, ast.Invert, ast.USub,
    ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod, ast.BitAnd, ast.BitOr,
    ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn,
    ast.Name, ast.Load, ast.Constant, ast.List, ast.Tuple, ast.Call, ast.Attribute,
)  # fmt: skip


def problem_of(expression: str) -> str:
    """Return what is wrong with an expression over the columns of a table; empty if nothing is."""
    if len(expression) > _LONGEST:
        return f"is longer than {_LONGEST} letters"
    plain = re.sub(r"`[^`\n]+`", "column", expression)  # how pandas quotes a name with spaces
    try:
        tree = ast.parse(plain.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "is no expression"
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if problem := _problem(node, called):
            return problem
    return ""


def _is_known_call(node: ast.Call) -> bool:
    known = isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS
    return known and not node.keywords


def _problem(node: ast.AST, called: set[int]) -> str:
    if not isinstance(node, _NODES):
        return f"holds something other than comparisons ({type(node).__name__})"
    if isinstance(node, ast.Call):
        return "" if _is_known_call(node) else f"may call {', '.join(sorted(_METHODS))} alone"
    if isinstance(node, ast.Attribute):
        return "" if node.attr == "str" or id(node) in called else f"asks for {node.attr!r}"
    if isinstance(node, ast.BinOp):
        # A text or a list times a number is as large as one likes.
        plain = not any(_repeats(side) for side in (node.left, node.right))
        return "" if plain else "reckons with a text or a list"
    if isinstance(node, ast.Constant):
        return "" if _is_plain(node.value) else f"holds the constant {node.value!r:.20}"
    return ""


def _repeats(side: ast.expr) -> bool:
    return isinstance(side, ast.List | ast.Tuple) or (
        isinstance(side, ast.Constant) and isinstance(side.value, str)
    )


def _is_plain(value: object) -> bool:
    if isinstance(value, int | float):
        return abs(value) <= _LARGEST
    return isinstance(value, str)
