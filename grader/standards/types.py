"""Types: what goes in and what comes out, where a tool can check it."""

from __future__ import annotations

import ast

from grader.model import Check, Where
from grader.standards.evidence import Evidence
from grader.standards.project import Project
from grader.standards.python import FunctionNode
from grader.standards.rubric import Judgement, rule
from grader.standards.scales import Scale
from grader.standards.wording import listing

_ANNOTATED = Scale(
    measure="share of public functions of which every part is annotated",
    none=0.0,
    full=0.9,
    reason="A callback or two has a type that no annotation says well.",
)


@rule(
    Check(
        code="TYPE001",
        family="types",
        title="Public functions are annotated",
        why="An annotation tells the caller what goes in and what comes out, and lets a tool find "
        "the call that gets it wrong before a batch does.",
        fix="Annotate the parameters and the result of each public function.",
        example="def score(artefact: Artefact, rows: pd.DataFrame) -> pd.DataFrame: …",
        source="PEP 484; typing documentation, Static Typing with Python",
        weight=3,
    ),
    needs_source=True,
    scales=(_ANNOTATED,),
)
def annotated(evidence: Evidence) -> Judgement:
    """Count the public functions and methods of which every part is annotated."""
    public = [
        (module.path, function.node)
        for module in evidence.project.source
        for function in module.functions
        if function.public
    ]
    if not public:
        return Judgement(share=0.0, message="There are no public functions.")
    bare = [(p, node) for p, node in public if not is_annotated(node) or says_any(node)]
    share = 1 - len(bare) / len(public)
    message = f"{len(public) - len(bare)} of {len(public)} public functions are annotated."
    where = Where(path=bare[0][0], line=bare[0][1].lineno) if bare else None
    fix = f"Annotate {listing((node.name for _, node in bare), 5)}."
    return Judgement(share=_ANNOTATED.share(share), message=message, where=where, fix=fix)


def is_annotated(node: FunctionNode) -> bool:
    """Whether each parameter but self and cls, and the result, carries an annotation."""
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    stated = all(item.annotation for item in arguments if item.arg not in {"self", "cls"})
    return stated and (node.returns is not None or node.name == "__init__")


@rule(
    Check(
        code="TYPE002",
        family="types",
        title="A type checker is configured, and the package says it is typed",
        why="Annotations that no tool checks go stale. Without py.typed, those who use the package "
        "do not benefit from them.",
        fix="Configure a type checker in pyproject.toml and add an empty py.typed to the package.",
        example="[tool.mypy]\nstrict = true\n\nsrc/tariff/py.typed",
        source="PEP 561; mypy documentation, The mypy configuration file",
        weight=1,
    ),
    needs_source=True,
)
def checker_configured(evidence: Evidence) -> Judgement:
    """Look for the configuration of a type checker, and for py.typed; each counts half."""
    project = evidence.project
    tools = any(project.tool(name) for name in ("mypy", "pyright", "basedpyright", "ty", "pyrefly"))
    files = project.matching(r"^(\.?mypy\.ini|pyrightconfig\.json|ty\.toml|pyrefly\.toml)$")
    parts = {
        "a type checker's configuration that lets it speak": bool(
            (tools or files or _in_setup_cfg(evidence)) and not _silenced(project)
        ),
        "py.typed in the package": f"{project.root}/py.typed" in project.sizes,
    }
    missing = [name for name, there in parts.items() if not there]
    message = f"Missing: {listing(missing)}." if missing else "Checked, and marked as typed."
    return Judgement(share=1 - len(missing) / len(parts), message=message)


def says_any(function: FunctionNode) -> bool:
    """Whether an annotated function says of more than half of its parts that anything goes."""
    arguments = function.args
    given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    stated = [item.annotation for item in given if item.annotation] + [function.returns]
    anything = [
        part for part in stated if part and ast.unparse(part) in {"Any", "typing.Any", "object"}
    ]
    return len(stated) > 1 and len(anything) > len(stated) / 2


def _silenced(project: Project) -> bool:
    return project.tool("mypy").get("ignore_errors") is True


def _in_setup_cfg(evidence: Evidence) -> bool:
    return "[mypy" in evidence.project.text("setup.cfg")
