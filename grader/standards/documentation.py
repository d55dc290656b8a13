"""Documentation: what a stranger reads before the code, and the docstrings within it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from grader.model import Check, Where
from grader.standards.evidence import Evidence
from grader.standards.project import Project, strings, table
from grader.standards.python import Module
from grader.standards.rubric import Judgement, rule
from grader.standards.scales import Scale
from grader.standards.wording import listing, words

LEAST_WORDS = 120
LEAST_CODE_BLOCKS = 2
LEAST_FIGURES = 2
LEAST_NEW_WORDS = 2
LEAST_OWN_WORDS = 4
_ANYBODYS = frozenset(
    word[:5]
    for word in words(
        "data model models train training score scoring predict prediction test tests report "
        "reports version project python code input output file files path load save read write "
        "main build make work step steps part parts value values name names feature features "
        "pipeline metric metrics result results error errors row rows column columns table "
        "number mean rate time date list default utils config settings http json text process "
        "processing clean cleaning reporting schema describe quality within tolerance legacy "
        "install usage owner limitations intended"
    )
)
"""Words of anybody's project."""
"""Words that a docstring must add to the name that it explains."""
LEAST_CARD_WORDS = 80
LEAST_MODULES_NAMED = 2

_SECTIONS = {
    "install": r"install|set.?up|getting started|quick.?start|requirements",
    "use": r"usage|\buse\b|using|how to|\brun|quick.?start|examples?|train|scor|predict|serv",
    "tests": r"\btest|develop|contribut",
}
_CARD_PARTS = {
    "intended use": r"intended|purpose|use case|out.of.scope",
    "training data": r"training data|trained on|data ?set|\bdata\b",
    "metrics": r"metric|performance|evaluat|parity|deviance|\bauc\b|gini|rmse|accuracy",
    "limitations": r"limit|caveat|risk|bias|not (be )?used|known (issues|differences)",
    "owner and version": r"version|owner|author|contact|maintain",
}
_FIGURE = re.compile(r"\d+\.\d+|\d+(,\d{3})+|\d+ ?%|\b\d{3,}\b")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6}\s+(.+)$|^(\S.*)\n(?:={3,}|-{3,}|~{3,})\s*$", re.MULTILINE)
_STOP_WORDS = words(
    "a an the of to for is are in on by and or with this that it its as from returns return "
    "function method class module object docstring todo doc docs description main init does do "
    "does some something stuff thing things code value values def run runs result results given "
    "contains call calls called take takes give gives get gets"
)


@rule(
    Check(
        code="DOCS001",
        family="documentation",
        title="The documentation is adequate",
        why="Whoever runs the port at night has only the README, and whoever answers for its "
        "figures has only the model card. Without both, the port cannot be handed over.",
        fix="Write a README with sections on installing, using and testing, each with its "
        "commands, and a model card with the figures reached and the limits known.",
        example="# tariff\n## Install\n## Use\n## Tests\n\ndocs/MODEL_CARD.md:\n## Metrics\n"
        "Mean Poisson deviance 1.8342 …\n## Limitations",
        source="JOSS review criteria, Documentation; Mitchell et al. 2019, Model Cards for Model "
        "Reporting",
        weight=3,
    )
)
def adequate_documentation(evidence: Evidence) -> Judgement:
    """Look for a README with sections and commands, and a model card with figures and limits."""
    project = evidence.project
    parts = {**_readme_parts(project), **_card_essentials(project)}
    missing = [name for name, there in parts.items() if not there]
    if not missing:
        return Judgement(share=1.0, message="README and model card cover what they must.")
    path = project.readme or next(iter(model_cards(project)), "")
    return Judgement(
        share=0.8 * (1 - len(missing) / len(parts)),
        message=f"Missing: {listing(missing, 8)}.",
        where=Where(path=path) if path else None,
        fix=f"Add {listing(missing, 8)}.",
    )


def _readme_parts(project: Project) -> dict[str, bool]:
    text = project.text(project.readme)
    prose = _FENCE.sub("", text)
    headings = " | ".join(a or b for a, b in _HEADING.findall(prose))
    # Indented blocks count too: they are code in Markdown and reStructuredText alike.
    blocks = len(_FENCE.findall(text)) + len(re.findall(r"\n\s*\n(?: {4}|\t)\S", prose))
    parts = {
        f"a README section on {name}": bool(re.search(pattern, headings, re.IGNORECASE))
        for name, pattern in _SECTIONS.items()
    }
    words = len(set(re.findall(r"[a-z]{2,}", prose.lower())))
    enough = len(prose.split()) >= LEAST_WORDS and words >= LEAST_WORDS // 3
    return {
        "a README": bool(text.strip()),
        f"{LEAST_WORDS} words of README text": enough,
        **parts,
        "commands to copy in the README": blocks >= LEAST_CODE_BLOCKS,
        "this project in the README": speaks_of(prose, project),
    }


def speaks_of(text: str, project: Project) -> bool:
    """Whether a text is about this project: it names columns, modules or functions of it.

    What could stand in any project's text says nothing of this one.
    """
    words = {word[:5] for word in re.findall(r"[a-z]{4,}", text.lower())}
    return len(words & _own_words(project)) >= LEAST_OWN_WORDS


def _own_words(project: Project) -> frozenset[str]:
    """Give the beginnings of words that the code's names and short strings are made of."""
    names = [project.contract.package, *(m.name.rsplit(".", 1)[-1] for m in project.package)]
    for module in project.source:
        names += [function.node.name for function in module.functions]
        names += [
            node.value
            for node in module.nodes
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.fullmatch(r"[A-Za-z_]{4,30}", node.value)
        ]
    words = {word[:5] for name in names for word in re.findall(r"[a-z]{4,}", name.lower())}
    return frozenset(words - _ANYBODYS)


def model_cards(project: Project) -> list[str]:
    """Give the paths of model cards; a README with a section of that name counts as one."""
    cards = project.matching(r"model[-_ ]?card[^/]*\.(md|rst|txt|ya?ml|json)$")
    in_readme = re.search(
        r"^#+ .*model card", project.text(project.readme), re.IGNORECASE | re.MULTILINE
    )
    return cards or ([project.readme] if in_readme else [])


def _card_essentials(project: Project) -> dict[str, bool]:
    text = "\n".join(project.text(path) for path in model_cards(project))
    limits = re.search(_CARD_PARTS["limitations"], text, re.IGNORECASE)
    return {
        "a model card": bool(text.strip()),
        "this model in the model card": speaks_of(text, project),
        "figures in the model card": len(_FIGURE.findall(text)) >= LEAST_FIGURES,
        "limits in the model card": bool(limits),
    }


_NAMED_WRONG = Scale(
    measure="share of the things named in the README that do not exist",
    none=1.0,
    full=0.0,
    reason="Each is a reader who is stuck, so each counts alike.",
)


@rule(
    Check(
        code="DOCS002",
        family="documentation",
        title="The README names things that exist",
        why="A command that does not work is worse than none: the reader stops trusting the rest.",
        fix="Correct the file names, modules and commands that the README shows.",
        example="python -m tariff train --data data/train --model model.bin",
        source="JOSS review criteria, Functionality: installation and use as documented",
        weight=2,
    ),
    scales=(_NAMED_WRONG,),
)
def names_what_exists(evidence: Evidence) -> Judgement:
    """Check file names, modules and console commands in the README's code against the tree."""
    project = evidence.project
    named = dict(_named(project))
    if not named:
        return Judgement(share=0.0, message="The README names no file, module or command of it.")
    wrong = [name for name, there in named.items() if not there]
    if not wrong:
        return Judgement(share=1.0, message=f"All {len(named)} things that it names exist.")
    return Judgement(
        share=_NAMED_WRONG.share(len(wrong) / len(named)),
        message=f"{len(wrong)} of {len(named)} things that it names do not exist: "
        f"{listing(wrong)}.",
        where=project.line_of(project.readme, re.escape(wrong[0])),
    )


def _named(project: Project) -> Iterator[tuple[str, bool]]:
    """Give each file, module and command that the README names, and whether it exists."""
    text = project.text(project.readme)
    code = "\n".join([*(m[0] for m in _FENCE.finditer(text)), *re.findall(r"`([^`\n]+)`", text)])
    files = re.findall(
        r"(?<![\w/.:*<{-])(?:\./)?((?:[\w.-]+/)*[\w-]+\.(?:py|toml|ya?ml|sh|md|ipynb|cfg))(?![\w/])",
        code,
    )
    names = {path.rsplit("/", 1)[-1] for path in project.files}
    for path in sorted(set(files)):
        yield path, project.holds(path) or path.rsplit("/", 1)[-1] in names
    modules = {module.name for module in project.source}
    own = {module.split(".")[0] for module in modules}
    for name in sorted(set(re.findall(r"-m\s+([A-Za-z_][\w.]*)", code))):
        if name.split(".")[0] in own:
            yield f"python -m {name}", name in modules
    for script in table(project.metadata, "scripts"):
        if re.search(rf"^\s*(?:\$ )?{re.escape(script)}\b", code, re.MULTILINE):
            yield script, True


_DOCUMENTED = Scale(
    measure="share of public definitions with a docstring that says something",
    none=0.0,
    full=0.8,
    reason="Some names say all there is to say; asking for more breeds docstrings that "
    "repeat them.",
)


@rule(
    Check(
        code="DOCS003",
        family="documentation",
        title="Docstrings say something",
        why="A docstring earns its place by what the name cannot say: meaning, units, shapes, "
        "what is raised. One that repeats the name is noise, and does not count.",
        fix="Give each public function, class and module of the package a sentence that adds "
        "something to its name.",
        example="def relativity(band: str) -> float:\n"
        '    """Factor on the base premium for a coverage band, 1.0 for the reference band."""',
        source="PEP 257; Google Python Style Guide, 3.8 Comments and Docstrings",
        weight=2,
    ),
    needs_source=True,
    scales=(_DOCUMENTED,),
)
def docstrings_say_something(evidence: Evidence) -> Judgement:
    """Count the public definitions with a docstring that says more than their name."""
    owners = [item for module in evidence.project.source for item in _documentable(module)]
    bad = [(path, line, name) for path, line, name, doc in owners if is_hollow(name, doc)]
    good = len(owners) - len(bad)
    share = good / len(owners) if owners else 0.0
    where = Where(path=bad[0][0], line=bad[0][1]) if bad else None
    return Judgement(
        share=_DOCUMENTED.share(share),
        message=f"{good} of {len(owners)} public definitions have a docstring that says something.",
        where=where,
        fix=f"Document {listing(dict.fromkeys(name for _, _, name in bad), 5)}.",
    )


def _documentable(module: Module) -> Iterator[tuple[str, int, str, str]]:
    """Give path, line, name and docstring of what is public in a module."""
    if module.tree.body:
        stem = module.name.rsplit(".", 1)[-1]
        yield module.path, 1, stem, ast.get_docstring(module.tree) or ""
    for node in module.classes:
        if not node.name.startswith("_"):
            yield module.path, node.lineno, node.name, ast.get_docstring(node) or ""
    for function in module.functions:
        # A method that scikit-learn's interface prescribes is explained there.
        inherited = function.owner and function.node.name in {"fit", "transform", "predict"}
        if function.public and not inherited:
            definition = function.node
            docstring = ast.get_docstring(definition) or ""
            yield module.path, definition.lineno, definition.name, docstring


def is_hollow(name: str, docstring: str) -> bool:
    """Whether a docstring says less than two words beyond the name and filler."""
    own = set(re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()))
    stems = {word[:4] for word in own}
    words = set(re.findall(r"[a-z]{2,}", docstring.lower())) - _STOP_WORDS
    return len({word for word in words if word[:4] not in stems}) < LEAST_NEW_WORDS


@rule(
    Check(
        code="DOCS004",
        family="documentation",
        title="The model card is complete",
        why="Who may use the model for what, on which data it was fitted, how well it does and "
        "where it fails: a reviewer, an auditor and the next team ask these five things first.",
        fix="Cover intended use, training data, metrics with figures, limitations, and owner and "
        "version in docs/MODEL_CARD.md.",
        example="## Intended use\n## Training data\n## Metrics\n## Limitations\n"
        "## Owner and version",
        source="Mitchell et al. 2019, Model Cards for Model Reporting, section 4",
        weight=2,
    )
)
def complete_model_card(evidence: Evidence) -> Judgement:
    """Look for the five parts in the model card; each counts a fifth."""
    cards = model_cards(evidence.project)
    if not cards:
        return Judgement(share=0.0, message="There is no model card.")
    text = "\n".join(evidence.project.text(path) for path in cards)
    if not speaks_of(text, evidence.project):
        message = "The model card names no column, module or rule of this model."
        return Judgement(share=0.1, message=message, where=Where(path=cards[0]))
    missing = [name for name, pat in _CARD_PARTS.items() if not re.search(pat, text, re.IGNORECASE)]
    if not missing:
        if len(text.split()) >= LEAST_CARD_WORDS:
            return Judgement(share=1.0, message="The model card covers all five parts.")
        message = f"The model card covers all five parts in {len(text.split())} words only."
        return Judgement(share=0.5, message=message, where=Where(path=cards[0]))
    return Judgement(
        share=1 - len(missing) / len(_CARD_PARTS),
        message=f"The model card leaves out {listing(missing, 5)}.",
        where=Where(path=cards[0]),
    )


@rule(
    Check(
        code="DOCS005",
        family="documentation",
        title="A changelog names the current version",
        why="Whoever consumes the scores needs to know what changed between two versions of them.",
        fix="Keep a CHANGELOG.md with an entry for the version in pyproject.toml, written for the "
        "people who use the port.",
        example="## 0.2.0 - 2025-03-04\n- Premiums of the open-ended age band follow the legacy "
        "program.",
        source="Keep a Changelog 1.1; PEP 440",
        weight=1,
    )
)
def changelog_names_version(evidence: Evidence) -> Judgement:
    """Look for the version in the changelog; half for a changelog without it."""
    project = evidence.project
    found = project.matching(
        r"^(docs/)?(changelog|changes|history|news|releases?)(\.(md|rst|txt))?$"
    )
    if not found:
        return Judgement(share=0.0, message="There is no changelog.")
    version = project.version
    dynamic = not version and "version" in strings(project.metadata.get("dynamic"))
    text = project.text(found[0])
    if dynamic or (version and version in text):
        return Judgement(share=1.0, message=f"{found[0]} names the current version.")
    message = f"{found[0]} does not name version {version or '(none is stated)'}."
    return Judgement(share=0.5, message=message, where=Where(path=found[0]))


@rule(
    Check(
        code="DOCS006",
        family="documentation",
        title="The port is documented: from legacy step to module",
        why="The business knows the legacy program. It signs a port off by following each of its "
        "steps to the module that took its place, and by reading where the two differ.",
        fix="Write docs/PORTING.md: each legacy step, the module that does it now, and every "
        "known difference with its size or tolerance.",
        example="| legacy | module |\n|---|---|\n| `step(glm(...))` | `tariff/pipeline.py` |\n\n"
        "Differences: none above 1e-6.",
        source="Federal Reserve SR 11-7, Model Risk Management, VI (documentation)",
        weight=2,
    )
)
def port_is_documented(evidence: Evidence) -> Judgement:
    """Look for the legacy source, the modules in its place, and what is said of differences."""
    project = evidence.project
    notes = project.matching(r"(port(ing)?|migrat\w*|legacy|parity)[^/]*\.(md|rst)$")
    paths = [*notes, project.readme]
    text = "\n".join(project.text(path) for path in paths)
    stems = {module.name.rsplit(".", 1)[-1] for module in project.package}
    named = [stem for stem in stems if re.search(rf"\b{re.escape(stem)}(\.py\b|`)", text)]
    parts = {
        "the legacy program": re.search(
            r"legacy|\bSAS\b|\bR (script|program)|spreadsheet", text, re.IGNORECASE
        ),
        "the modules that took its place": len(named) >= LEAST_MODULES_NAMED,
        "differences or tolerances": re.search(
            r"differ|toleran|parity|deviat|reconcil", text, re.IGNORECASE
        ),
    }
    missing = [name for name, there in parts.items() if not there]
    if "the modules that took its place" in missing:
        missing = list(parts)  # without them, what is said could be said of any port
    message = f"The porting notes leave out {listing(missing)}." if missing else "The port is told."
    where = Where(path=paths[0]) if missing and paths[0] else None
    return Judgement(share=1 - len(missing) / len(parts), message=message, where=where)
