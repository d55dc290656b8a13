"""GitHub's expressions, ``${{ … }}``, as far as they can be told without GitHub."""

from __future__ import annotations

import re
from collections.abc import Mapping

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_LITERAL = re.compile(r"'([^']*)'|(true|false|null|-?\d+(?:\.\d+)?)")
_NAME = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)+")
_EMPTY = ("vars.", "secrets.", "inputs.", "steps.", "needs.")
"""What nobody has set here."""
_STATES = {"always()": "true", "success()": "true", "failure()": "", "cancelled()": ""}


class UnknownExpressionError(Exception):
    """An expression that only the CI server can tell."""


def fill_in(text: str, names: Mapping[str, str]) -> str:
    """Return text with its expressions replaced by their values.

    :param names: value by name, such as ``matrix.python``
    :raises UnknownExpressionError: one of them can't be told here
    """
    return _EXPRESSION.sub(lambda match: evaluate(match[1], names), text)


def holds(condition: object, names: Mapping[str, str]) -> bool:
    """Whether an ``if:`` holds.

    :raises UnknownExpressionError: it can't be told here
    """
    if isinstance(condition, bool):
        return condition
    text = str(condition).strip()
    match = re.fullmatch(_EXPRESSION, text)
    return evaluate(match[1] if match else text, names) not in {"", "false", "0", "null"}


def evaluate(expression: str, names: Mapping[str, str]) -> str:
    """Return the value of an expression as text; what is false is empty.

    :raises UnknownExpressionError: it can't be told here
    """
    text = expression.strip()
    for operator, combine in (("||", _either), ("&&", _both)):
        parts = text.split(operator)
        if len(parts) > 1:
            return combine([evaluate(part, names) for part in parts])
    if compared := re.fullmatch(r"(.+?)([=!])=(.+)", text, re.DOTALL):
        same = evaluate(compared[1], names).lower() == evaluate(compared[3], names).lower()
        return "true" if same == (compared[2] == "=") else ""
    if text.startswith("!"):
        return "" if evaluate(text[1:], names) else "true"
    return _value(text, names)


def _value(text: str, names: Mapping[str, str]) -> str:
    if text in _STATES:
        return _STATES[text]
    if literal := _LITERAL.fullmatch(text):
        value = literal[1] if literal[1] is not None else literal[2]
        return "" if value in {"false", "null"} and literal[1] is None else value
    if text in names:
        return names[text]
    if _NAME.fullmatch(text) and text.startswith(_EMPTY):
        return ""
    raise UnknownExpressionError(text)


def _either(values: list[str]) -> str:
    return next((value for value in values if value), "")


def _both(values: list[str]) -> str:
    return values[-1] if all(values) else ""
