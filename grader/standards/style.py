"""Style: what linters and formatters see, suppressions not counting."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from grader.model import Check, Where
from grader.standards.evidence import Evidence
from grader.standards.project import Project, strings, table
from grader.standards.rubric import Judgement, rule
from grader.standards.scales import Scale
from grader.standards.wording import count, listing

MOST_COMPLEX = 15

_SUPPRESSION = re.compile(
    r"#\s*(?:(?:ruff|flake8):\s*)?(noqa|nosec|type:\s*ignore|ty:\s*ignore|mypy:\s*ignore|pragma:"
    r"\s*no\s*cover|pylint:\s*disable|fmt:\s*(?:off|skip)|pyright:\s*ignore|complexipy:\s*ignore"
    r"|mypy:\s*disable|isort:\s*skip)",
    re.IGNORECASE,
)
_BLANKET = re.compile(
    r"#\s*(?:(?:ruff|flake8):\s*noqa(?!\s*:)|mypy:\s*ignore-errors|noqa(?!\s*:)"
    r"|type:\s*ignore(?!\s*\[)|pyright:\s*ignore(?!\s*\[)|fmt:\s*off|pylint:\s*disable=all)",
    re.IGNORECASE,
)
_NAMED = re.compile(r"#\s*noqa:\s*([A-Z]+\d+(?:[,\s]+[A-Z]+\d+)*)|#\s*type:\s*ignore\[([\w, -]+)\]")
_CONVENTION = re.compile(
    r"N8\d\d|ARG00[12]|D\d{3}|ANN\d{3}|E501|misc|import-untyped|import-not-found"
)
"""What only conventions of a library make necessary, as scikit-learn's ``X`` and ``y`` do, or its
bases without types: no defect hides behind it."""

_SILENCED = re.compile(r"(filterwarnings|simplefilter)\(\s*[\"']ignore")
_FAMILY = re.compile(r"(ALL|[A-Z]{1,4})")


_DEFECTS = Scale(
    measure="lint defects per 1,000 lines",
    none=25,
    full=3,
    reason="No code of size is without any; at one in forty lines nobody has looked.",
)


@rule(
    Check(
        code="STYL001",
        family="style",
        title="Few lint defects",
        why="These rules point at what goes wrong: swallowed exceptions, mutable defaults, pandas "
        "and NumPy traps, prints left over. They apply whatever a comment says.",
        fix="Run ruff with the rules named in the message and mend what it finds.",
        example="ruff check --isolated --ignore-noqa --select E7,E9,F,B,NPY,PD,S,BLE,PERF src",
        source="ruff: pyflakes F, flake8-bugbear B, pandas-vet PD, flake8-bandit S",
        weight=3,
    ),
    tools=("ruff",),
    needs_source=True,
    scales=(_DEFECTS,),
)
def few_defects(evidence: Evidence) -> Judgement:
    """Count defects per 1,000 lines, capped for each rule so that no single one decides."""
    lines = evidence.project.code_lines
    by_rule = Counter(lint.code for lint in evidence.linters.ruff)
    cap = max(3.0, lines / 200)
    # A few defects in a small project are few, whatever their rate.
    rate = sum(min(n, cap) for n in by_rule.values()) / max(lines, 300) * 1000
    if not by_rule:
        return Judgement(share=1.0, message="The linter finds no defect.")
    first = evidence.linters.ruff[0]
    worst = [f"{code} ({n})" for code, n in sorted(by_rule.items(), key=lambda x: (-x[1], x[0]))]
    return Judgement(
        share=_DEFECTS.share(rate),
        message=f"{count(by_rule.total(), 'lint defect')} in {lines} lines: {listing(worst, 5)}.",
        where=Where(path=first.path, line=first.line),
        fix=f"Mend {first.code}: {first.message}; then the others.",
    )


_UNFORMATTED = Scale(
    measure="share of files that the formatter would change",
    none=1.0,
    full=0.0,
    reason="Each file can be formatted with one command, so each counts alike.",
)


@rule(
    Check(
        code="STYL002",
        family="style",
        title="The code is formatted",
        why="A formatter ends the discussion about layout, and keeps diffs to what changed.",
        fix="Run the formatter over the source, and in CI with --check.",
        example="ruff format .",
        source="PEP 8; ruff format (compatible with Black)",
        weight=1,
    ),
    tools=("ruff format",),
    needs_source=True,
    scales=(_UNFORMATTED,),
)
def formatted(evidence: Evidence) -> Judgement:
    """Count the files that ruff's formatter would change, at the project's own line length."""
    changed = evidence.linters.formatting
    total = len(evidence.project.source)
    if not changed:
        return Judgement(share=1.0, message="The formatter would change no file.")
    return Judgement(
        share=_UNFORMATTED.share(len(changed) / total),
        message=f"The formatter would change {len(changed)} of {count(total, 'file')}.",
        where=Where(path=changed[0].path, line=changed[0].line),
    )


_SUPPRESSED = Scale(
    measure="suppressions per 1,000 lines; blanket ones count threefold, rule families and "
    "silenced warnings twofold",
    none=25,
    full=5,
    reason="A few, with their rule named, are honest; at one in forty lines the tool is off.",
)


@rule(
    Check(
        code="STYL003",
        family="style",
        title="Few suppressions, none blanket",
        why="Each suppression is a warning that somebody decided not to hear. A few, each naming "
        "its rule, are honest; many, or blanket ones, switch the tools off.",
        fix="Mend the finding, or suppress one rule on one line and say why.",
        example="joblib.load(path)  # noqa: S301 - our own artefact, digest verified above",
        source="ruff PGH003, PGH004, RUF100; mypy, --warn-unused-ignores",
        weight=2,
    ),
    needs_source=True,
    scales=(_SUPPRESSED,),
)
def few_suppressions(evidence: Evidence) -> Judgement:
    """Count suppressing comments and settings per 1,000 lines; blanket ones count threefold."""
    project = evidence.project
    lines = project.code_lines
    single = sum(_suppressions(module.text) for module in project.source)
    blanket = sum(len(_BLANKET.findall(module.text)) for module in project.source)
    silenced = sum(len(_SILENCED.findall(module.text)) for module in project.source)
    families = list(_families_off(project))
    rate = (single + 2 * (blanket + silenced) + 2 * len(families)) / max(lines, 300) * 1000
    share = _SUPPRESSED.share(rate) - (0.3 if blanket else 0.0)
    message = (
        f"{count(single, 'suppression')}, {blanket} of them blanket; "
        f"{count(silenced, 'warning')} silenced; {listing(families) or 'no'} rule family off."
    )
    return Judgement(share=share, message=message, where=_first(project))


def _suppressions(text: str) -> int:
    """Count suppressing comments, but for those that name nothing but conventions."""
    named = (re.split(r"[,\s]+", match[1] or match[2]) for match in _NAMED.finditer(text))
    harmless = sum(all(_CONVENTION.fullmatch(code) for code in codes) for codes in named)
    return len(_SUPPRESSION.findall(text)) - harmless


def _families_off(project: Project) -> Iterator[str]:
    """Give the rule families that the linter's configuration switches off for all files."""
    ruff = project.tool("ruff")
    ignored = [*strings(ruff.get("ignore")), *strings(table(ruff, "lint").get("ignore"))]
    harmless = {"D", "ANN", "COM", "Q", "EM", "TRY", "CPY", "FIX", "TD", "ERA", "I", "W", "ISC"}
    yield from sorted({code for code in ignored if _FAMILY.fullmatch(code)} - harmless)
    if project.tool("mypy").get("ignore_errors") is True:
        yield "mypy"


def _first(project: Project) -> Where | None:
    for module in project.source:
        match = _BLANKET.search(module.text) or _SUPPRESSION.search(module.text)
        if match:
            line = module.text.count("\n", 0, match.start()) + 1
            return Where(path=module.path, line=line)
    return None


_COMPLEX = Scale(
    measure="share of functions of more than 15 cognitive complexity, above none at all",
    none=0.1,
    full=-0.025,
    reason="The first one costs a fifth; where one in ten is, they are the habit.",
)


@rule(
    Check(
        code="STYL004",
        family="style",
        title="No function is too complex to follow",
        why="Past some 15 nested or joined decisions, people no longer hold a function in their "
        "head: that is where ported branches go missing.",
        fix="Take the branches of the function apart into functions of their own, or into a table.",
        example="def severity(rows): return base(rows) * age_factor(rows) * region_factor(rows)",
        source="Campbell 2018, Cognitive Complexity; complexipy",
        weight=2,
    ),
    tools=("complexipy",),
    needs_source=True,
    scales=(_COMPLEX,),
)
def not_too_complex(evidence: Evidence) -> Judgement:
    """Weigh functions above 15 of cognitive complexity against all functions."""
    functions = evidence.linters.complexity
    if not functions:
        return Judgement(share=0.0, message="There are no functions to judge.")
    complex_ones = sorted(
        (lint for lint in functions if int(lint.code) > MOST_COMPLEX),
        key=lambda lint: (-int(lint.code), lint.path, lint.message),
    )
    if not complex_ones:
        return Judgement(share=1.0, message=f"None of {len(functions)} functions exceeds 15.")
    worst = complex_ones[0]
    where = evidence.project.line_of(
        worst.path, rf"def {re.escape(worst.message.split('::')[-1])}\b"
    )
    return Judgement(
        share=_COMPLEX.share(len(complex_ones) / len(functions)),
        message=f"{len(complex_ones)} of {len(functions)} functions exceed {MOST_COMPLEX}; "
        f"{worst.message} has {worst.code}.",
        where=where,
        fix=f"Take {worst.message} apart.",
    )
